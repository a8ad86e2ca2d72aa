/*
 * Mending a route. Lines are changed where they concern this route alone: in its backend or "listen" section, and in a frontend that leads
 * nowhere else. "defaults" are never changed.
 */
#include "format/haproxy_mend.h"

#include <string.h>
#include <strings.h>

#define HOUR_MS ((int64_t)3600000)

static bool stands_in(const struct haproxy_section *section, const struct haproxy_line *line)
{
    return section->count > 0 && line >= section->lines && line < section->lines + section->count;
}

static bool is_ours(const struct haproxy_mending *mending, const struct haproxy_line *line)
{
    return stands_in(mending->section, line) ||
           (!mending->place->shared && stands_in(mending->place->frontend->section, line));
}

void dr_haproxy_refuse_line(struct haproxy_mending *mending, const struct haproxy_line *line, const char *why)
{
    dr_haproxy_refuse(&mending->editor, dr_arena_format(mending->editor.arena, "line %u ('%.60s') %s", line->number,
                                                        dr_haproxy_join(mending->editor.arena, line, 0, line->count), why));
}

/* --- lines that take something away ------------------------------------------------------------------------------------- */

/* Does the rule count for such a request, whatever other rules did before? */
enum haproxy_truth dr_haproxy_holds_for(const struct haproxy_request *arrived, const struct haproxy_scope *scope,
                                        const struct haproxy_line *line)
{
    struct haproxy_request request = *arrived;

    dr_haproxy_begin_request(&request);
    return dr_haproxy_holds(scope, line, dr_haproxy_condition_at(line), &request);
}

/* The Host is every request's concern, the rest only a handshake's. */
static bool may_hold(const struct haproxy_mending *mending, const struct haproxy_scope *scope,
                     const struct haproxy_line *line, const char *header)
{
    return dr_haproxy_holds_for(&mending->place->handshake, scope, line) != HAPROXY_FALSE ||
           (strcasecmp(header, "Host") == 0 &&
            dr_haproxy_holds_for(&mending->place->ordinary, scope, line) != HAPROXY_FALSE);
}

static bool is_harmless(const struct haproxy_line *line, const char *header)
{
    int index = dr_route_header_index(header, strlen(header));
    bool sets = dr_haproxy_is(line, 1, "set-header") || dr_haproxy_is(line, 1, "add-header");

    return sets && index >= 0 && index != DR_ROUTE_HOST &&
           (dr_haproxy_is(line, 1, "add-header") || dr_haproxy_value_upgrades(index, dr_haproxy_word(line, 3)));
}

static void drop_rules(struct haproxy_mending *mending, const struct haproxy_scope *scope, const struct haproxy_lines *lines,
                       const char *header)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct haproxy_line *line = lines->list[i];

        if (!dr_haproxy_touches(line, header) || is_harmless(line, header) || !may_hold(mending, scope, line, header))
            continue;
        if (!is_ours(mending, line))
            dr_haproxy_refuse_line(mending, line, "concerns other routes, too");
        else if (dr_haproxy_is(line, 3, "-m"))
            dr_haproxy_refuse_line(mending, line, "may mean other headers, too");
        else
            dr_haproxy_remove_line(&mending->editor, line);
    }
}

static void drop_rules_of(struct haproxy_mending *mending, const struct haproxy_proxy *proxy, const char *header,
                          bool answers)
{
    const struct haproxy_scope *scopes[] = { proxy->inherited, &proxy->own };

    for (size_t i = 0; i < DR_COUNT(scopes); i++)
        if (scopes[i])
            drop_rules(mending, scopes[i], answers ? &scopes[i]->answers : &scopes[i]->rules, header);
}

static void drop_everywhere(struct haproxy_mending *mending, const char *header, bool answers)
{
    const struct haproxy_place *place = mending->place;

    drop_rules_of(mending, place->backend, header, answers);
    if (place->frontend != place->backend && place->frontend->mode == HAPROXY_HTTP)
        drop_rules_of(mending, place->frontend, header, answers);
}

/* --- UPGRADE ------------------------------------------------------------------------------------------------------------ */

/* Where a parameter stands on the server's own line; 0: it does not. */
size_t dr_haproxy_own_parameter(const struct haproxy_line *line, size_t first, const char *name)
{
    for (size_t i = first; i < line->count; i++) {
        int arguments = dr_haproxy_server_arguments(line->words[i].text);

        if (dr_haproxy_is(line, i, name))
            return i;
        i += arguments > 0 ? (size_t)arguments : 0;
    }
    return 0;
}

/* "proto h2" and the like: changed on the server's own line, or added there when a default-server line says it. */
static void set_parameter(struct haproxy_mending *mending, const char *name, const char *value)
{
    const struct haproxy_server *server = &mending->place->server;
    size_t at = dr_haproxy_own_parameter(server->line, server->address_word + 1, name);

    if (at)
        dr_haproxy_replace_word(&mending->editor, server->line, at + 1, value);
    else
        dr_haproxy_append(&mending->editor, server->line, dr_arena_format(mending->editor.arena, " %s %s", name, value));
}

static bool default_says(const struct haproxy_mending *mending, const char *name)
{
    const struct haproxy_lines *lines = &mending->place->backend->servers;
    bool says = false;

    for (size_t i = 0; i < lines->count && lines->list[i] != mending->place->server.line; i++)
        says = says ||
               (dr_haproxy_is(lines->list[i], 0, "default-server") && dr_haproxy_own_parameter(lines->list[i], 1, name));
    return says;
}

static void mend_proto(struct haproxy_mending *mending)
{
    const struct haproxy_server *server = &mending->place->server;
    size_t at = dr_haproxy_own_parameter(server->line, server->address_word + 1, "proto");

    if (at && !default_says(mending, "proto"))
        dr_haproxy_remove_words(&mending->editor, server->line, at, 2);
    else
        set_parameter(mending, "proto", "h1");
}

static void mend_send_proxy(struct haproxy_mending *mending)
{
    static const char *const names[] = { "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn" };
    const struct haproxy_server *server = &mending->place->server;

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        size_t at = dr_haproxy_own_parameter(server->line, server->address_word + 1, names[i]);

        if (at)
            dr_haproxy_remove_words(&mending->editor, server->line, at, 1);
        if (default_says(mending, names[i]))
            dr_haproxy_append(&mending->editor, server->line, dr_arena_format(mending->editor.arena, " no-%s", names[i]));
    }
}

static void mend_server(struct haproxy_mending *mending)
{
    const struct haproxy_place *place = mending->place;
    const struct haproxy_server *server = &place->server;

    if (server->send_proxy)
        mend_send_proxy(mending);
    if (!place->http)
        return;
    if (place->backend->fcgi || (server->proto && strcmp(server->proto, "fcgi") == 0))
        dr_haproxy_refuse(&mending->editor, "the backend speaks FastCGI: the gateway needs a backend of its own");
    else if (server->proto && strcmp(server->proto, "h2") == 0)
        mend_proto(mending);
    else if (dr_haproxy_speaks_h2(server))
        set_parameter(mending, "alpn", "http/1.1");
    if (strcmp(server->ws, "h2") == 0)
        set_parameter(mending, "ws", "h1");
}

/* A rule that keeps handshakes out, and nothing else: now, or once the others are gone. */
static const struct haproxy_line *keeps_out(const struct haproxy_mending *mending, const struct haproxy_proxy *proxy)
{
    const struct haproxy_scope *scopes[] = { proxy->inherited, &proxy->own };

    for (size_t i = 0; i < DR_COUNT(scopes); i++) {
        for (size_t j = 0; scopes[i] && j < scopes[i]->rules.count; j++) {
            const struct haproxy_line *line = scopes[i]->rules.list[j];

            if (dr_haproxy_answers(line) &&
                dr_haproxy_holds_for(&mending->place->handshake, scopes[i], line) == HAPROXY_TRUE)
                return line;
        }
    }
    return NULL;
}

static void mend_upgrade(struct haproxy_mending *mending)
{
    static const char *const requests[] = { "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version" };
    static const char *const answers[] = { "Upgrade", "Connection", "Sec-WebSocket-Accept" };
    const struct haproxy_place *place = mending->place;

    if (mending->route->upgrade == DR_UPGRADE_PASSED && mending->route->http_version != 20)
        return;
    mend_server(mending);
    if (!place->http)
        return;
    if (place->taken_elsewhere) {
        dr_haproxy_refuse(&mending->editor, mending->route->upgrade_why);
        return;
    }
    const struct haproxy_line *out = place->frontend->mode == HAPROXY_HTTP ? keeps_out(mending, place->frontend) : NULL;

    out = out ? out : keeps_out(mending, place->backend);
    if (out) {
        dr_haproxy_refuse_line(mending, out, "keeps WebSocket requests out on purpose");
        return;
    }
    for (size_t i = 0; i < DR_COUNT(requests); i++)
        drop_everywhere(mending, requests[i], false);
    for (size_t i = 0; i < DR_COUNT(answers); i++)
        drop_everywhere(mending, answers[i], true);
}

/* --- Host ---------------------------------------------------------------------------------------------------------------- */

/* "Host" as the client sent it: what changes it goes. */
static void mend_host(struct haproxy_mending *mending)
{
    if (mending->place->http && mending->route->headers[DR_ROUTE_HOST].fate != DR_HEADER_CLIENTS)
        drop_everywhere(mending, "Host", false);
}

/* --- TIMEOUT, UPSTREAM -------------------------------------------------------------------------------------------------- */

/* Without rules: the backend's own line, or a new one. */
static void mend_timeout_line(struct haproxy_mending *mending)
{
    const struct haproxy_time *tunnel = &mending->place->backend->tunnel;

    if (tunnel->line && tunnel->ms == HOUR_MS)
        return;
    if (tunnel->line && stands_in(mending->section, tunnel->line))
        dr_haproxy_replace_word(&mending->editor, tunnel->line, 2, "1h");
    else
        dr_haproxy_add(&mending->editor, mending->section, NULL, "timeout tunnel 1h");
}

static void mend_timeout(struct haproxy_mending *mending)
{
    const struct haproxy_place *place = mending->place;
    const struct haproxy_line *rule = place->handshake.tunnel.line;

    if (mending->route->idle_timeout_ms == 0 || mending->route->idle_timeout_ms >= HOUR_MS)
        return;
    if (rule && is_ours(mending, rule))
        dr_haproxy_replace_word(&mending->editor, rule, 3, "1h");
    else if (rule)
        dr_haproxy_add(&mending->editor, mending->section, NULL, "http-request set-timeout tunnel 1h");
    if (!rule || place->handshake.times_unknown)
        mend_timeout_line(mending);
}

static void mend_upstream(struct haproxy_mending *mending)
{
    const struct haproxy_server *server = &mending->place->server;
    const struct haproxy_address *address = &server->address;
    const char *host = mending->route->upstream_host ? mending->route->upstream_host : "";
    const char *sign = !address->offset ? "" : address->minus ? "-" : "+";

    if (strcasecmp(host, "localhost") != 0 && strcmp(host, "::1") != 0 && strcasecmp(host, "ip6-localhost") != 0)
        return;
    dr_haproxy_replace_word(
        &mending->editor, server->line, server->address_word,
        address->port == 0 ? "127.0.0.1" : dr_arena_format(mending->editor.arena, "127.0.0.1:%s%u", sign, address->port));
}

int dr_haproxy_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                    const char **ret_why_not)
{
    struct haproxy_mending mending = {
        .editor = { .arena = arena, .edits = ret_edits },
        .route = route,
        .place = route->place,
    };

    mending.section = mending.place->backend->section;
    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    /* What adds lines goes first: at one place an insertion comes before a removal. */
    if (mends & DR_MEND_FORWARD)
        dr_haproxy_mend_forward(&mending);
    if (mends & DR_MEND_TIMEOUT)
        mend_timeout(&mending);
    if (mends & DR_MEND_UPSTREAM)
        mend_upstream(&mending);
    if (mends & DR_MEND_FORWARD)
        mend_host(&mending);
    if (mends & DR_MEND_UPGRADE)
        mend_upgrade(&mending);
    if (mending.editor.r < 0)
        return mending.editor.r;
    if (mending.editor.why_not) {
        *ret_edits = (struct dr_route_edits){ 0 };
        *ret_why_not = mending.editor.why_not;
        return -ENOTSUP;
    }
    dr_route_edits_finish(ret_edits);
    return 0;
}
