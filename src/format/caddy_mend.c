/*
 * Edits of a Caddyfile. Only lines of the route's own reverse_proxy are changed, and a request_header line that no other
 * reverse_proxy sees. What stands in a snippet or file that is imported more than once is changed only when every use of it asks for
 * the very same change.
 */
#include "format/caddy_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOUR_MS 3600000

struct mending {
    struct dr_arena *arena;
    const struct dr_route *route;
    const struct caddy_route_place *place;
    const struct caddy_proxy *proxy;
    struct dr_route_edits edits;
    const char *added; /* lines to put into the block, each without its indentation, '\n' between them */
    const char *why_not;
    int error;
};

static void refuse(struct mending *mending, const char *why)
{
    if (mending->error == 0)
        mending->why_not = why;
    if (mending->error == 0)
        mending->error = -ENOTSUP;
}

static void edit(struct mending *mending, const struct dr_proxy_file *file, uint64_t offset, uint64_t length,
                 const char *text)
{
    for (size_t i = 0; i < mending->edits.count; i++) {
        const struct dr_route_edit *known = &mending->edits.list[i];

        if (known->file == file && known->edit.offset == offset && known->edit.length == length && length > 0)
            return;
    }
    if (!text || dr_route_edits_add(mending->arena, &mending->edits, file, offset, length, text) < 0)
        mending->error = -ENOMEM;
}

static uint64_t end_of(const struct caddy_line *line)
{
    return (line->close ? line->close : &line->words[line->count - 1])->end;
}

static bool of_one_file(const struct caddy_line *line)
{
    const struct dr_proxy_file *file = line->words[0].file;

    return line->words[line->count - 1].file == file &&
           (!line->close || (line->close->file == file && line->open->file == file));
}

static const char *line_end_of(const struct dr_proxy_file *file)
{
    const char *newline = memchr(file->bytes, '\n', file->length);

    return newline && newline > file->bytes && newline[-1] == '\r' ? "\r\n" : "\n";
}

/* Takes a line out, with the line end when nothing else stands there: a comment behind it stays. */
static void remove_line(struct mending *mending, const struct caddy_line *line)
{
    const struct dr_proxy_file *file = line->words[0].file;
    uint64_t begin = line->words[0].offset, end = end_of(line);
    const char *bytes = file->bytes;

    if (!of_one_file(line) || begin >= end || end > file->length) {
        refuse(mending, "the line is put together from several files");
        return;
    }
    uint64_t line_begin = begin, line_end = end;

    while (line_begin > 0 && (bytes[line_begin - 1] == ' ' || bytes[line_begin - 1] == '\t'))
        line_begin--;
    while (line_end < file->length && (bytes[line_end] == ' ' || bytes[line_end] == '\t' || bytes[line_end] == '\r'))
        line_end++;
    if ((line_begin == 0 || bytes[line_begin - 1] == '\n') && line_end < file->length && bytes[line_end] == '\n') {
        begin = line_begin;
        end = line_end + 1;
    }
    /* A file must not become empty: v2.6.2 refuses to import such a one. */
    edit(mending, file, begin, end - begin, begin == 0 && end == file->length ? line_end_of(file) : "");
}

static void replace_text(struct mending *mending, const struct caddy_token *token, uint64_t at, uint64_t length,
                         const char *text)
{
    if (!token->place.verbatim) {
        refuse(mending, "the value is put together from a variable or from arguments of an import");
        return;
    }
    edit(mending, token->place.file, token->place.text_offset + at, length, text);
}

static void add(struct mending *mending, const char *text)
{
    mending->added = mending->added ? dr_arena_format(mending->arena, "%s\n%s", mending->added, text) : text;
    if (!mending->added)
        mending->error = -ENOMEM;
}

/* --- adding lines ------------------------------------------------------------------------------------------------------------ */

static const char *indentation(struct mending *mending, const struct caddy_token *token)
{
    uint64_t begin = token->offset, end;

    while (begin > 0 && token->file->bytes[begin - 1] != '\n')
        begin--;
    end = begin;
    while (end < token->offset && (token->file->bytes[end] == ' ' || token->file->bytes[end] == '\t'))
        end++;
    return dr_arena_strndup(mending->arena, token->file->bytes + begin, end - begin);
}

/* One step deeper, as the lines around it do it. */
static const char *deeper(struct mending *mending, const char *indent)
{
    size_t length = indent ? strlen(indent) : 0;
    bool blanks = length > 0 && indent[0] == ' ';

    return dr_arena_format(mending->arena, "%s%s", indent ? indent : "", blanks ? (length % 4 == 0 ? "    " : "  ") : "\t");
}

static const char *indented(struct mending *mending, const char *indent, const char *line_end)
{
    const char *text = "", *at = mending->added;

    while (text && at && *at) {
        size_t length = strcspn(at, "\n");

        text = dr_arena_format(mending->arena, "%s%s%.*s%s", text, indent, (int)length, at, line_end);
        at += length + (at[length] == '\n');
    }
    return text;
}

static void put_added(struct mending *mending)
{
    const struct caddy_line *line = mending->proxy->line;
    const struct dr_proxy_file *file = line->words[0].file;
    const char *line_end = line_end_of(file), *outer = indentation(mending, &line->words[0]), *inner;

    if (!mending->added || mending->error < 0)
        return;
    if (!of_one_file(line)) {
        refuse(mending, "reverse_proxy is put together from several files");
        return;
    }
    if (!line->open) {
        inner = deeper(mending, outer);
        edit(mending, file, end_of(line), 0,
             dr_arena_format(mending->arena, " {%s%s%s}", line_end, indented(mending, inner, line_end), outer));
        return;
    }
    uint64_t at = line->close->offset;
    const char *close_indent = indentation(mending, line->close);

    if (!close_indent || !outer) {
        mending->error = -ENOMEM;
        return;
    }
    inner = line->lines && line->lines->words[0].file == file ? indentation(mending, &line->lines->words[0])
                                                              : deeper(mending, close_indent);
    at -= strlen(close_indent);
    if (at > 0 && file->bytes[at - 1] != '\n') {
        refuse(mending, "the closing brace does not stand on a line of its own");
        return;
    }
    edit(mending, file, at, 0, indented(mending, inner, line_end));
}

/* --- what is asked for --------------------------------------------------------------------------------------------------------- */

static void remove_request_header(struct mending *mending, const struct caddy_op *op)
{
    if (op->line && op->reach && !op->reach->more && op->reach->first == mending->proxy->line)
        remove_line(mending, op->line);
    else
        refuse(mending, "a request_header line does it, and other routes pass through it, too");
}

static void mend_versions(struct mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;
    for (size_t i = 0; i < proxy->upstream_count; i++) {
        const struct caddy_upstream *upstream = &proxy->upstreams[i];

        if (strcmp(upstream->scheme, "h2c") != 0)
            continue;
        if (!upstream->token || strncasecmp(upstream->token->text, "h2c://", 6) != 0)
            refuse(mending, "the upstream is a unix socket that HTTP/2 is spoken on");
        else
            replace_text(mending, upstream->token, 0, 3, "http");
    }
    for (const struct caddy_line *line = proxy->transport ? proxy->transport->lines : NULL; line; line = line->next)
        if (strcmp(caddy_name(line), "versions") == 0)
            remove_line(mending, line);
}

static void mend_upgrade(struct mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;

    if (mending->route->upgrade == DR_UPGRADE_PASSED)
        return;
    if (strcmp(proxy->transport_name, "http") != 0)
        refuse(mending, "the transport of this reverse_proxy does not speak HTTP");
    if (!caddy_serves_http1(mending->place->entry))
        refuse(mending, "\"protocols\" of the global option servers leaves HTTP/1.1 out");
    if (proxy->versions_other)
        refuse(mending, "\"versions\" names one that is not known here");
    if (proxy->versions_h2c && !mending->route->upstream_tls)
        mend_versions(mending);
    if (proxy->buffers)
        remove_line(mending, proxy->buffers);
    if (proxy->method && strcasecmp(proxy->method_name, "GET") != 0)
        remove_line(mending, proxy->method);
    for (const struct caddy_op *op = proxy->ups; op; op = op->next)
        if (caddy_op_spoils(mending->arena, op))
            remove_line(mending, op->line);
    for (const struct caddy_op *op = mending->place->ops; op; op = op->next)
        if (caddy_op_spoils(mending->arena, op))
            remove_request_header(mending, op);
    if (mending->edits.count == 0)
        refuse(mending, "what stops the upgrade is no line of this reverse_proxy");
}

/* Operations of header_up on a header that do not leave it as it must be. */
static void remove_ups(struct mending *mending, const char *header, bool (*good)(const struct caddy_op *op))
{
    for (const struct caddy_op *op = mending->proxy->ups; op; op = op->next)
        if (caddy_op_names(op, header) && !(good && good(op)))
            remove_line(mending, op->line);
}

static bool is_clients_address(const struct caddy_op *op)
{
    return op->kind == CADDY_SET && strcmp(op->value, "{http.request.remote.host}") == 0;
}

static bool is_hostport(const struct caddy_op *op)
{
    return op->kind == CADDY_SET && strcmp(op->value, "{http.request.hostport}") == 0;
}

static bool is_scheme(const struct caddy_op *op)
{
    return op->kind == CADDY_SET && (strcmp(op->value, "{http.request.scheme}") == 0 || strcasecmp(op->value, "https") == 0);
}

static bool has_up(const struct mending *mending, const char *header, bool (*wanted)(const struct caddy_op *op))
{
    for (const struct caddy_op *op = mending->proxy->ups; op; op = op->next)
        if (caddy_op_names(op, header) && wanted(op))
            return true;
    return false;
}

static void mend_forwarded_for(struct mending *mending)
{
    const struct dr_route_header *header = &mending->route->headers[DR_ROUTE_FORWARDED_FOR];
    const char *value = header->value ? caddy_expand(mending->arena, header->value) : NULL;
    bool own = !header->source.path && header->fate == DR_HEADER_SET;

    if (own || (header->fate == DR_HEADER_SET && value && strcmp(value, "{http.request.remote.host}") == 0))
        return;
    remove_ups(mending, "X-Forwarded-For", is_clients_address);
    if (mending->place->defaults[DR_ROUTE_FORWARDED_FOR].fate != DR_HEADER_SET &&
        !has_up(mending, "X-Forwarded-For", is_clients_address))
        add(mending, "header_up X-Forwarded-For {remote_host}");
}

static void mend_host(struct mending *mending)
{
    enum dr_header_fate fallback = mending->place->defaults[DR_ROUTE_HOST].fate;

    if (mending->route->headers[DR_ROUTE_HOST].fate == DR_HEADER_CLIENTS)
        return;
    remove_ups(mending, "Host", is_hostport);
    if (fallback == DR_HEADER_CLIENTS)
        return;
    bool found = false;

    for (const struct caddy_op *op = mending->place->ops; op; op = op->next) {
        if (!caddy_op_names(op, "Host"))
            continue;
        found = true;
        remove_request_header(mending, op);
    }
    if (mending->route->upstream_tls && !has_up(mending, "Host", is_hostport))
        add(mending, "header_up Host {hostport}");
    else if (!found)
        refuse(mending, "what changes Host is no line of this reverse_proxy");
}

static void mend_forward(struct mending *mending)
{
    enum dr_header_fate proto = mending->route->headers[DR_ROUTE_FORWARDED_PROTO].fate;

    mend_forwarded_for(mending);
    enum dr_header_fate proto_fallback = mending->place->defaults[DR_ROUTE_FORWARDED_PROTO].fate;

    if (proto != DR_HEADER_SET && proto != DR_HEADER_APPENDED) {
        remove_ups(mending, "X-Forwarded-Proto", is_scheme);
        if (proto_fallback != DR_HEADER_SET && proto_fallback != DR_HEADER_APPENDED &&
            !has_up(mending, "X-Forwarded-Proto", is_scheme))
            add(mending, "header_up X-Forwarded-Proto {scheme}");
    }
    mend_host(mending);
}

static void lengthen(struct mending *mending, const struct caddy_line *lines, const char *name)
{
    const struct caddy_line *line = NULL;
    int64_t ms = 0;

    for (; lines; lines = lines->next)
        if (strcmp(caddy_name(lines), name) == 0)
            line = lines;
    if (line && line->count > 1 && caddy_duration(line->words[1].text, &ms) && ms > 0 && ms < HOUR_MS)
        replace_text(mending, &line->words[1], 0, strlen(line->words[1].text), "1h");
}

static void mend_timeout(struct mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;

    if (mending->route->idle_timeout_ms <= 0 || mending->route->idle_timeout_ms >= HOUR_MS)
        return;
    lengthen(mending, proxy->line->lines, "stream_timeout");
    if (proxy->transport)
        lengthen(mending, proxy->transport->lines, "read_timeout");
}

static void mend_upstream(struct mending *mending)
{
    const struct caddy_upstream *upstream = mending->place->upstream;
    const char *host = upstream->host, *text = upstream->text, *at = strstr(text, "://");

    if (!host || (strcasecmp(host, "localhost") != 0 && strcmp(host, "::1") != 0))
        return;
    at = at ? at + 3 : strchr(text, '/') ? strchr(text, '/') + 1 : text;
    size_t length = *at == '['                             ? strcspn(at, "]") + 1
                    : strncasecmp(at, "localhost", 9) == 0 ? 9
                    : *at == ':' && at[1] != ':'           ? 0
                                                           : strlen(at);

    if (!upstream->token)
        refuse(mending, "the upstream is not written as an address");
    else
        replace_text(mending, upstream->token, (uint64_t)(at - text), length, "127.0.0.1");
}

/* The edits of one route, whoever else is concerned. */
static void work_out(struct mending *mending, const struct dr_route *route, unsigned mends, struct dr_arena *arena)
{
    *mending = (struct mending){ .arena = arena, .route = route, .place = route->place };
    mending->proxy = mending->place->proxy;
    if (!mending->proxy->line) {
        refuse(mending, "this configuration is JSON, which a program or caddy itself has written: change it there");
        return;
    }
    if (mends & DR_MEND_UPGRADE)
        mend_upgrade(mending);
    if (mends & DR_MEND_FORWARD)
        mend_forward(mending);
    if (mends & DR_MEND_TIMEOUT)
        mend_timeout(mending);
    if (mends & DR_MEND_UPSTREAM)
        mend_upstream(mending);
    if ((mends & DR_MEND_BUFFERING) && mending->proxy->buffers)
        remove_line(mending, mending->proxy->buffers);
    put_added(mending);
    dr_route_edits_finish(&mending->edits);
}

/* --- who else is concerned --------------------------------------------------------------------------------------------------- */

static bool covers(const struct dr_proxy_file *file, uint64_t begin, uint64_t end, const struct dr_route_edit *edited)
{
    uint64_t at = edited->edit.offset, length = edited->edit.length;

    return file == edited->file && at <= end && at + length >= begin;
}

static bool line_covers(const struct caddy_line *line, const struct dr_route_edit *edited)
{
    return line && covers(line->words[0].file, line->words[0].offset, end_of(line), edited);
}

/* The line, or one of its block, wherever that was imported from. Blocks in blocks are bounded by the parser. */
static bool block_covers(const struct caddy_line *line, const struct dr_route_edit *edited)
{
    bool covered = line_covers(line, edited);

    for (const struct caddy_line *inner = line->lines; inner && !covered; inner = inner->next)
        covered = block_covers(inner, edited);
    return covered;
}

static bool depends(const struct dr_route *other, const struct dr_route_edit *edited)
{
    const struct caddy_route_place *place = other->place;
    const struct caddy_token *token = place->upstream->token;

    if (place->proxy->line && block_covers(place->proxy->line, edited))
        return true;
    if (token && covers(token->place.file, token->place.offset, token->place.offset + token->place.length, edited))
        return true;
    for (const struct caddy_op *op = place->ops; op; op = op->next)
        if (line_covers(op->line, edited))
            return true;
    return false;
}

static bool holds(const struct dr_route_edits *edits, const struct dr_route_edit *edited)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct dr_route_edit *one = &edits->list[i];

        if (one->file == edited->file && one->edit.offset == edited->edit.offset &&
            one->edit.length == edited->edit.length && one->edit.text_length == edited->edit.text_length &&
            (one->edit.text_length == 0 || memcmp(one->edit.text, edited->edit.text, one->edit.text_length) == 0))
            return true;
    }
    return false;
}

static bool same_upstream(const struct dr_route *a, const struct dr_route *b)
{
    return a->upstream_port == b->upstream_port && a->upstream_host && b->upstream_host &&
           strcmp(a->upstream_host, b->upstream_host) == 0;
}

/* A route of another use of the same snippet or file. */
static void ask(struct mending *mending, const struct dr_route *other, unsigned mends)
{
    struct mending others;
    bool worked_out = false;

    for (size_t i = 0; i < mending->edits.count; i++) {
        if (!depends(other, &mending->edits.list[i]))
            continue;
        if (!worked_out)
            work_out(&others, other, mends, mending->arena);
        worked_out = true;
        if (others.error != 0 || !same_upstream(mending->route, other) || !holds(&others.edits, &mending->edits.list[i])) {
            refuse(mending, "the line stands in a snippet or file that other sites import, too");
            return;
        }
    }
}

int caddy_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
               const char **ret_why_not)
{
    struct mending mending;
    const struct caddy_route_place *place = route->place;

    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    work_out(&mending, route, mends, arena);
    for (size_t i = 0; mending.error == 0 && mending.edits.count > 0 && i < route->config->route_count; i++) {
        const struct dr_route *other = &route->config->routes[i];
        const struct caddy_route_place *others = other->place;

        if (others->proxy->line != place->proxy->line)
            ask(&mending, other, mends);
    }
    if (mending.error == -ENOTSUP)
        *ret_why_not = mending.why_not;
    if (mending.error == 0)
        *ret_edits = mending.edits;
    return mending.error;
}
