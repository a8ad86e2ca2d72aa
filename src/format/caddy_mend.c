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

/* --- what is asked for --------------------------------------------------------------------------------------------------------- */

static void remove_request_header(struct caddy_mending *mending, const struct caddy_op *op)
{
    if (op->line && op->reach && !op->reach->more && op->reach->first == mending->proxy->line)
        caddy_remove_line(mending, op->line);
    else
        caddy_refuse(mending, "a request_header line does it, and other routes pass through it, too");
}

static void mend_versions(struct caddy_mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;
    for (size_t i = 0; i < proxy->upstream_count; i++) {
        const struct caddy_upstream *upstream = &proxy->upstreams[i];

        if (strcmp(upstream->scheme, "h2c") != 0)
            continue;
        if (!upstream->token || strncasecmp(upstream->token->text, "h2c://", 6) != 0)
            caddy_refuse(mending, "the upstream is a unix socket that HTTP/2 is spoken on");
        else
            caddy_replace_text(mending, upstream->token, 0, 3, "http");
    }
    for (const struct caddy_line *line = proxy->transport ? proxy->transport->lines : NULL; line; line = line->next)
        if (strcmp(caddy_name(line), "versions") == 0)
            caddy_remove_line(mending, line);
}

static void mend_upgrade(struct caddy_mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;

    if (mending->route->upgrade == DR_UPGRADE_PASSED)
        return;
    if (strcmp(proxy->transport_name, "http") != 0)
        caddy_refuse(mending, "the transport of this reverse_proxy does not speak HTTP");
    if (!caddy_serves_http1(mending->place->entry))
        caddy_refuse(mending, "\"protocols\" of the global option servers leaves HTTP/1.1 out");
    if (proxy->versions_other)
        caddy_refuse(mending, "\"versions\" names one that is not known here");
    if (proxy->versions_h2c && !mending->route->upstream_tls)
        mend_versions(mending);
    if (proxy->buffers)
        caddy_remove_line(mending, proxy->buffers);
    if (proxy->method && strcasecmp(proxy->method_name, "GET") != 0)
        caddy_remove_line(mending, proxy->method);
    for (const struct caddy_op *op = proxy->ups; op; op = op->next)
        if (caddy_op_spoils(mending->arena, op))
            caddy_remove_line(mending, op->line);
    for (const struct caddy_op *op = mending->place->ops; op; op = op->next)
        if (caddy_op_spoils(mending->arena, op))
            remove_request_header(mending, op);
    if (mending->edits.count == 0)
        caddy_refuse(mending, "what stops the upgrade is no line of this reverse_proxy");
}

/* Operations of header_up on a header that do not leave it as it must be. */
static void remove_ups(struct caddy_mending *mending, const char *header, bool (*good)(const struct caddy_op *op))
{
    for (const struct caddy_op *op = mending->proxy->ups; op; op = op->next)
        if (caddy_op_names(op, header) && !(good && good(op)))
            caddy_remove_line(mending, op->line);
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

static bool has_up(const struct caddy_mending *mending, const char *header, bool (*wanted)(const struct caddy_op *op))
{
    for (const struct caddy_op *op = mending->proxy->ups; op; op = op->next)
        if (caddy_op_names(op, header) && wanted(op))
            return true;
    return false;
}

static void mend_forwarded_for(struct caddy_mending *mending)
{
    const struct dr_route_header *header = &mending->route->headers[DR_ROUTE_FORWARDED_FOR];
    const char *value = header->value ? caddy_expand(mending->arena, header->value) : NULL;
    bool own = !header->source.path && header->fate == DR_HEADER_SET;

    if (own || (header->fate == DR_HEADER_SET && value && strcmp(value, "{http.request.remote.host}") == 0))
        return;
    remove_ups(mending, "X-Forwarded-For", is_clients_address);
    if (mending->place->defaults[DR_ROUTE_FORWARDED_FOR].fate != DR_HEADER_SET &&
        !has_up(mending, "X-Forwarded-For", is_clients_address))
        caddy_add_line(mending, "header_up X-Forwarded-For {remote_host}");
}

static void mend_host(struct caddy_mending *mending)
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
        caddy_add_line(mending, "header_up Host {hostport}");
    else if (!found)
        caddy_refuse(mending, "what changes Host is no line of this reverse_proxy");
}

static void mend_forward(struct caddy_mending *mending)
{
    enum dr_header_fate proto = mending->route->headers[DR_ROUTE_FORWARDED_PROTO].fate;

    mend_forwarded_for(mending);
    enum dr_header_fate proto_fallback = mending->place->defaults[DR_ROUTE_FORWARDED_PROTO].fate;

    if (proto != DR_HEADER_SET && proto != DR_HEADER_APPENDED) {
        remove_ups(mending, "X-Forwarded-Proto", is_scheme);
        if (proto_fallback != DR_HEADER_SET && proto_fallback != DR_HEADER_APPENDED &&
            !has_up(mending, "X-Forwarded-Proto", is_scheme))
            caddy_add_line(mending, "header_up X-Forwarded-Proto {scheme}");
    }
    mend_host(mending);
}

static void lengthen(struct caddy_mending *mending, const struct caddy_line *lines, const char *name)
{
    const struct caddy_line *line = NULL;
    int64_t ms = 0;

    for (; lines; lines = lines->next)
        if (strcmp(caddy_name(lines), name) == 0)
            line = lines;
    if (line && line->count > 1 && caddy_duration(line->words[1].text, &ms) && ms > 0 && ms < HOUR_MS)
        caddy_replace_text(mending, &line->words[1], 0, strlen(line->words[1].text), "1h");
}

static void mend_timeout(struct caddy_mending *mending)
{
    const struct caddy_proxy *proxy = mending->proxy;

    if (mending->route->idle_timeout_ms <= 0 || mending->route->idle_timeout_ms >= HOUR_MS)
        return;
    lengthen(mending, proxy->line->lines, "stream_timeout");
    if (proxy->transport)
        lengthen(mending, proxy->transport->lines, "read_timeout");
}

static void mend_upstream(struct caddy_mending *mending)
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
        caddy_refuse(mending, "the upstream is not written as an address");
    else
        caddy_replace_text(mending, upstream->token, (uint64_t)(at - text), length, "127.0.0.1");
}

/* The edits of one route, whoever else is concerned. */
static void work_out(struct caddy_mending *mending, const struct dr_route *route, unsigned mends, struct dr_arena *arena)
{
    *mending = (struct caddy_mending){ .arena = arena, .route = route, .place = route->place };
    mending->proxy = mending->place->proxy;
    if (!mending->proxy->line) {
        caddy_refuse(mending, "this configuration is JSON, which a program or caddy itself has written: change it there");
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
        caddy_remove_line(mending, mending->proxy->buffers);
    caddy_put_added(mending);
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
    return line && covers(line->words[0].file, line->words[0].offset, caddy_line_end(line), edited);
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
static void ask(struct caddy_mending *mending, const struct dr_route *other, unsigned mends)
{
    struct caddy_mending others;
    bool worked_out = false;

    for (size_t i = 0; i < mending->edits.count; i++) {
        if (!depends(other, &mending->edits.list[i]))
            continue;
        if (!worked_out)
            work_out(&others, other, mends, mending->arena);
        worked_out = true;
        if (others.error != 0 || !same_upstream(mending->route, other) || !holds(&others.edits, &mending->edits.list[i])) {
            caddy_refuse(mending, "the line stands in a snippet or file that other sites import, too");
            return;
        }
    }
}

int caddy_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
               const char **ret_why_not)
{
    struct caddy_mending mending;
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
