/*
 * Mending a route. Lines are changed where they concern this route alone: in its backend or "listen" section, and in a frontend that leads
 * nowhere else. "defaults" are never changed.
 */
#include "format/haproxy_edit.h"

#include <string.h>
#include <strings.h>

#define HOUR_MS ((int64_t)3600000)

struct mending {
    struct haproxy_editor editor;
    const struct dr_route *route;
    const struct haproxy_place *place;
    const struct haproxy_section *section; /* of the backend, or "listen" */
};

static bool stands_in(const struct haproxy_section *section, const struct haproxy_line *line)
{
    return line >= section->lines && line < section->lines + section->count;
}

static bool is_ours(const struct mending *mending, const struct haproxy_line *line)
{
    return stands_in(mending->section, line) ||
           (!mending->place->shared && stands_in(mending->place->frontend->section, line));
}

static void refuse_line(struct mending *mending, const struct haproxy_line *line, const char *why)
{
    dr_haproxy_refuse(&mending->editor, dr_arena_format(mending->editor.arena, "line %u ('%.60s') %s", line->number,
                                                        dr_haproxy_join(mending->editor.arena, line, 0, line->count), why));
}

/* --- lines that take something away ------------------------------------------------------------------------------------- */

/* Does the rule count for such a request, whatever other rules did before? */
static enum haproxy_truth holds_for(const struct haproxy_request *arrived, const struct haproxy_scope *scope,
                                    const struct haproxy_line *line)
{
    struct haproxy_request request = *arrived;

    dr_haproxy_begin_request(&request);
    return dr_haproxy_holds(scope, line, dr_haproxy_condition_at(line), &request);
}

/* The Host is every request's concern, the rest only a handshake's. */
static bool may_hold(const struct mending *mending, const struct haproxy_scope *scope, const struct haproxy_line *line,
                     const char *header)
{
    return holds_for(&mending->place->handshake, scope, line) != HAPROXY_FALSE ||
           (strcasecmp(header, "Host") == 0 && holds_for(&mending->place->ordinary, scope, line) != HAPROXY_FALSE);
}

static bool is_harmless(const struct haproxy_line *line, const char *header)
{
    int index = dr_route_header_index(header, strlen(header));
    bool sets = dr_haproxy_is(line, 1, "set-header") || dr_haproxy_is(line, 1, "add-header");

    return sets && index >= 0 && index != DR_ROUTE_HOST &&
           (dr_haproxy_is(line, 1, "add-header") || dr_haproxy_value_upgrades(index, dr_haproxy_word(line, 3)));
}

static void drop_rules(struct mending *mending, const struct haproxy_scope *scope, const struct haproxy_lines *lines,
                       const char *header)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct haproxy_line *line = lines->list[i];

        if (!dr_haproxy_touches(line, header) || is_harmless(line, header) || !may_hold(mending, scope, line, header))
            continue;
        if (!is_ours(mending, line))
            refuse_line(mending, line, "concerns other routes, too");
        else if (dr_haproxy_is(line, 3, "-m"))
            refuse_line(mending, line, "may mean other headers, too");
        else
            dr_haproxy_remove_line(&mending->editor, line);
    }
}

static void drop_rules_of(struct mending *mending, const struct haproxy_proxy *proxy, const char *header, bool answers)
{
    const struct haproxy_scope *scopes[] = { proxy->inherited, &proxy->own };

    for (size_t i = 0; i < DR_COUNT(scopes); i++)
        if (scopes[i])
            drop_rules(mending, scopes[i], answers ? &scopes[i]->answers : &scopes[i]->rules, header);
}

static void drop_everywhere(struct mending *mending, const char *header, bool answers)
{
    const struct haproxy_place *place = mending->place;

    drop_rules_of(mending, place->backend, header, answers);
    if (place->frontend != place->backend && place->frontend->mode == HAPROXY_HTTP)
        drop_rules_of(mending, place->frontend, header, answers);
}

/* --- UPGRADE ------------------------------------------------------------------------------------------------------------ */

/* Where a parameter stands on the server's own line; 0: it does not. */
static size_t own_parameter(const struct haproxy_line *line, size_t first, const char *name)
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
static void set_parameter(struct mending *mending, const char *name, const char *value)
{
    const struct haproxy_server *server = &mending->place->server;
    size_t at = own_parameter(server->line, server->address_word + 1, name);

    if (at)
        dr_haproxy_replace_word(&mending->editor, server->line, at + 1, value);
    else
        dr_haproxy_append(&mending->editor, server->line, dr_arena_format(mending->editor.arena, " %s %s", name, value));
}

static bool default_says(const struct mending *mending, const char *name)
{
    const struct haproxy_lines *lines = &mending->place->backend->servers;
    bool says = false;

    for (size_t i = 0; i < lines->count && lines->list[i] != mending->place->server.line; i++)
        says = says || (dr_haproxy_is(lines->list[i], 0, "default-server") && own_parameter(lines->list[i], 1, name));
    return says;
}

static void mend_proto(struct mending *mending)
{
    const struct haproxy_server *server = &mending->place->server;
    size_t at = own_parameter(server->line, server->address_word + 1, "proto");

    if (at && !default_says(mending, "proto"))
        dr_haproxy_remove_words(&mending->editor, server->line, at, 2);
    else
        set_parameter(mending, "proto", "h1");
}

static void mend_send_proxy(struct mending *mending)
{
    static const char *const names[] = { "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn" };
    const struct haproxy_server *server = &mending->place->server;

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        size_t at = own_parameter(server->line, server->address_word + 1, names[i]);

        if (at)
            dr_haproxy_remove_words(&mending->editor, server->line, at, 1);
        if (default_says(mending, names[i]))
            dr_haproxy_append(&mending->editor, server->line, dr_arena_format(mending->editor.arena, " no-%s", names[i]));
    }
}

static void mend_server(struct mending *mending)
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
static const struct haproxy_line *keeps_out(const struct mending *mending, const struct haproxy_proxy *proxy)
{
    const struct haproxy_scope *scopes[] = { proxy->inherited, &proxy->own };

    for (size_t i = 0; i < DR_COUNT(scopes); i++) {
        for (size_t j = 0; scopes[i] && j < scopes[i]->rules.count; j++) {
            const struct haproxy_line *line = scopes[i]->rules.list[j];

            if (dr_haproxy_answers(line) && holds_for(&mending->place->handshake, scopes[i], line) == HAPROXY_TRUE)
                return line;
        }
    }
    return NULL;
}

static void mend_upgrade(struct mending *mending)
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
        refuse_line(mending, out, "keeps WebSocket requests out on purpose");
        return;
    }
    for (size_t i = 0; i < DR_COUNT(requests); i++)
        drop_everywhere(mending, requests[i], false);
    for (size_t i = 0; i < DR_COUNT(answers); i++)
        drop_everywhere(mending, answers[i], true);
}

/* --- FORWARD ------------------------------------------------------------------------------------------------------------ */

/* The last of the section's rules about a header: what is added goes behind it. */
static const struct haproxy_line *last_about(const struct mending *mending, const char *header)
{
    const struct haproxy_line *last = NULL;

    for (size_t i = 0; i < mending->section->count; i++) {
        const struct haproxy_line *line = &mending->section->lines[i];

        if (dr_haproxy_is(line, 0, "http-request") && dr_haproxy_touches(line, header))
            last = line;
    }
    return last;
}

static bool leads_to(const struct haproxy_proxy *frontend, const struct haproxy_proxy *backend)
{
    const char *name = backend->section->name;

    if (frontend->default_backend && dr_haproxy_is(frontend->default_backend, 1, name))
        return true;
    for (size_t i = 0; i < frontend->switches.count; i++)
        if (dr_haproxy_is(frontend->switches.list[i], 1, name) ||
            strchr(dr_haproxy_word(frontend->switches.list[i], 1), '%'))
            return true;
    return frontend == backend;
}

static bool appends_for_all(const struct haproxy_forwardfor *on)
{
    return on->line && strcasecmp(on->header, "X-Forwarded-For") == 0 && !on->excepts;
}

/* Does "option forwardfor" add the client's address for everybody who comes to this backend, from whichever frontend? */
static bool always_appends(const struct mending *mending)
{
    const struct haproxy_proxies *proxies = mending->place->proxies;
    const struct haproxy_proxy *backend = mending->place->backend;
    bool all = true;

    for (size_t i = 0; all && i < proxies->tree->count; i++) {
        const struct haproxy_proxy *frontend = &proxies->list[i];
        bool reads = frontend->mode == HAPROXY_HTTP;

        if (!dr_haproxy_is_frontend(frontend) || !leads_to(frontend, backend))
            continue;
        all = appends_for_all(backend->forwardfor.line ? &backend->forwardfor : &frontend->forwardfor) &&
              (reads ? !frontend->forwardfor.excepts : backend->forwardfor.line != NULL);
    }
    return all;
}

/*
 * Adds a rule about a header that counts for each request: behind the others about it, and once more before an "allow" which could end the
 * rules before that.
 */
static void add_rule(struct mending *mending, const char *header, const char *text)
{
    const struct haproxy_line *after = last_about(mending, header);
    bool twice = false;

    for (size_t i = 0; after && i < mending->section->count && &mending->section->lines[i] != after; i++)
        twice = twice || (dr_haproxy_is(&mending->section->lines[i], 0, "http-request") &&
                          dr_haproxy_is(&mending->section->lines[i], 1, "allow"));
    if (twice)
        dr_haproxy_add(&mending->editor, mending->section, NULL, text);
    dr_haproxy_add(&mending->editor, mending->section, after, text);
}

static void mend_forwarded_for(struct mending *mending)
{
    if (mending->place->handshake.source_from_client) {
        dr_haproxy_refuse(&mending->editor, "'http-request set-src' takes the client's address from a header");
        return;
    }
    add_rule(mending, "X-Forwarded-For",
             always_appends(mending) ? "http-request del-header X-Forwarded-For"
                                     : "http-request set-header X-Forwarded-For %[src]");
}

/* A "listen" whose clients all speak TLS, or none, says so in one line. */
static void mend_forwarded_proto(struct mending *mending)
{
    const struct haproxy_place *place = mending->place;
    bool tls = false, plain = false;

    for (size_t i = 0; i < place->frontend->binds.count; i++) {
        bool one = own_parameter(place->frontend->binds.list[i], 2, "ssl") > 0;

        tls = tls || one;
        plain = plain || !one;
    }
    if (place->frontend == place->backend && tls != plain && !place->frontend->named) {
        add_rule(mending, "X-Forwarded-Proto",
                 tls ? "http-request set-header X-Forwarded-Proto https" : "http-request set-header X-Forwarded-Proto http");
        return;
    }
    add_rule(mending, "X-Forwarded-Proto", "http-request set-header X-Forwarded-Proto https if { ssl_fc }");
    add_rule(mending, "X-Forwarded-Proto", "http-request set-header X-Forwarded-Proto http if !{ ssl_fc }");
}

/* An "allow" in the backend's "defaults": it may keep the backend's own rules from counting. */
static const struct haproxy_line *allowed_before(const struct mending *mending)
{
    const struct haproxy_scope *scope = mending->place->backend->inherited;

    for (size_t i = 0; scope && i < scope->rules.count; i++) {
        const struct haproxy_line *line = scope->rules.list[i];

        if (dr_haproxy_is(line, 1, "allow") && (holds_for(&mending->place->handshake, scope, line) != HAPROXY_FALSE ||
                                                holds_for(&mending->place->ordinary, scope, line) != HAPROXY_FALSE))
            return line;
    }
    return NULL;
}

static void mend_forward(struct mending *mending)
{
    const struct dr_route_header *headers = mending->route->headers;

    if (!mending->place->http) {
        dr_haproxy_refuse(&mending->editor,
                          "in 'mode tcp' HAProxy passes bytes on and cannot write headers: 'mode http' is needed");
        return;
    }
    if (headers[DR_ROUTE_FORWARDED_FOR].fate == DR_HEADER_SET && headers[DR_ROUTE_FORWARDED_PROTO].fate == DR_HEADER_SET)
        return;
    const struct haproxy_line *allow = allowed_before(mending);

    if (allow) {
        refuse_line(mending, allow, "ends the rules before those of the backend are looked at");
        return;
    }
    if (headers[DR_ROUTE_FORWARDED_FOR].fate != DR_HEADER_SET)
        mend_forwarded_for(mending);
    if (headers[DR_ROUTE_FORWARDED_PROTO].fate != DR_HEADER_SET)
        mend_forwarded_proto(mending);
}

/* "Host" as the client sent it: what changes it goes. */
static void mend_host(struct mending *mending)
{
    if (mending->place->http && mending->route->headers[DR_ROUTE_HOST].fate != DR_HEADER_CLIENTS)
        drop_everywhere(mending, "Host", false);
}

/* --- TIMEOUT, UPSTREAM -------------------------------------------------------------------------------------------------- */

static void mend_timeout(struct mending *mending)
{
    const struct haproxy_place *place = mending->place;
    const struct haproxy_line *by_rule = place->handshake.tunnel.line;
    const struct haproxy_line *line = place->backend->tunnel.line;

    if (mending->route->idle_timeout_ms == 0 || mending->route->idle_timeout_ms >= HOUR_MS)
        return;
    if (by_rule && is_ours(mending, by_rule))
        dr_haproxy_replace_word(&mending->editor, by_rule, 3, "1h");
    else if (by_rule)
        dr_haproxy_add(&mending->editor, mending->section, NULL, "http-request set-timeout tunnel 1h");
    else if (line && stands_in(mending->section, line))
        dr_haproxy_replace_word(&mending->editor, line, 2, "1h");
    else
        dr_haproxy_add(&mending->editor, mending->section, NULL, "timeout tunnel 1h");
}

static void mend_upstream(struct mending *mending)
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
    struct mending mending = {
        .editor = { .arena = arena, .edits = ret_edits },
        .route = route,
        .place = route->place,
    };

    mending.section = mending.place->backend->section;
    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    /* What adds lines goes first: at one place an insertion comes before a removal. */
    if (mends & DR_MEND_FORWARD)
        mend_forward(&mending);
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
