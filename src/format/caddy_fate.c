/*
 * What arrives at the upstream (reverseproxy/reverseproxy.go and headers/headers.go, v2.6.2).
 *
 * In order: request_header lines; then reverse_proxy keeps an upgrade only when Connection lists "Upgrade", drops what else belongs to the
 * hop, and sets X-Forwarded-For, -Proto and -Host itself (v2.5.0 and later: what the client sent counts only when the peer is in
 * trusted_proxies); then header_up, where all "+" come first, then the settings (the last one of a field), then "-", then the
 * replacements, in whatever order they are written.
 *
 * Seen with v2.6.2, and in the source of later releases: an h2c upstream refuses a request with Upgrade ("http2: invalid Upgrade request
 * header", answer 502); buffered answers keep the connection of a 101 from being handed over, so that the handshake is never answered.
 * Over TLS a handshake goes by HTTP/1.1 whatever `versions` allow.
 */
#include "format/caddy_internal.h"

#include <string.h>
#include <strings.h>

struct state {
    struct dr_route_header headers[DR_ROUTE_HEADERS];
    struct dr_route_header before[DR_ROUTE_HEADERS]; /* what {http.request.header.X} stands for */
    enum dr_upgrade keeps[2], keeps_before[2]; /* Upgrade, Connection: good for a handshake? */
    const struct caddy_entry *entry;
    const char *lost; /* a header that a handshake needs, beside the two */
    struct dr_source lost_source;
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* What header placeholders stand for from here on. */
static void remember(struct state *state)
{
    memcpy(state->before, state->headers, sizeof(state->before));
    memcpy(state->keeps_before, state->keeps, sizeof(state->keeps_before));
}

static bool common_ports(const struct caddy_entry *entry)
{
    return entry && (entry->port == 80 || entry->port == 443);
}

static enum dr_header_fate fate_of_value(struct state *state, int index, const struct caddy_op_value *value,
                                         const char *text)
{
    if (index == DR_ROUTE_HOST &&
        (strcmp(text, "{http.request.hostport}") == 0 || strcmp(text, "{http.request.header.Host}") == 0))
        return state->before[index].fate;
    /* the port is left out: the same only where there is none to leave out */
    if (index == DR_ROUTE_HOST && strcmp(text, "{http.request.host}") == 0)
        return common_ports(state->entry) ? state->before[index].fate : DR_HEADER_SET;
    if (value->header) {
        int same = dr_route_header_index(value->header, strlen(value->header));

        return same == index && same >= 0 ? state->before[index].fate : DR_HEADER_UNKNOWN;
    }
    if (value->others)
        return value->own_last ? DR_HEADER_APPENDED : DR_HEADER_UNKNOWN;
    return DR_HEADER_SET;
}

static void apply_upgrade(struct state *state, int which, const struct caddy_op *op, const struct caddy_op_value *value)
{
    enum dr_upgrade *keeps = &state->keeps[which];
    bool own = value->header && strcasecmp(value->header, which == CADDY_UPGRADE ? "Upgrade" : "Connection") == 0;

    switch (op->kind) {
    case CADDY_ADD:
        if (*keeps == DR_UPGRADE_DROPPED)
            *keeps = caddy_kept_by_value(value, which, op->value);
        else if (which == CADDY_UPGRADE)
            *keeps = DR_UPGRADE_UNKNOWN;
        break;
    case CADDY_SET:
        *keeps = own ? state->keeps_before[which] : caddy_kept_by_value(value, which, op->value);
        break;
    case CADDY_DELETE:
        *keeps = DR_UPGRADE_DROPPED;
        break;
    case CADDY_REPLACE:
        if (*keeps == DR_UPGRADE_PASSED)
            *keeps = DR_UPGRADE_UNKNOWN;
        break;
    }
}

static enum dr_header_fate fate_after(struct state *state, int index, const struct caddy_op *op,
                                      const struct caddy_op_value *value)
{
    enum dr_header_fate now = state->headers[index].fate;

    switch (op->kind) {
    case CADDY_ADD:
        if (now == DR_HEADER_ABSENT || index == DR_ROUTE_HOST)
            return fate_of_value(state, index, value, op->value);
        if (value->others)
            return DR_HEADER_UNKNOWN;
        return now == DR_HEADER_CLIENTS ? DR_HEADER_APPENDED : now;
    case CADDY_SET:
        return fate_of_value(state, index, value, op->value);
    case CADDY_DELETE:
        /* A request needs a Host: without one it is the upstream's address. */
        return index == DR_ROUTE_HOST ? DR_HEADER_SET : DR_HEADER_ABSENT;
    case CADDY_REPLACE:
        /* an absent one may still be there, empty, when a setting has left it so */
        return now == DR_HEADER_ABSENT && !state->headers[index].value ? now : DR_HEADER_UNKNOWN;
    }
    return DR_HEADER_UNKNOWN;
}

static void note_lost(struct state *state, const struct caddy_op *op)
{
    static const char *const needed[] = { "Sec-WebSocket-Key", "Sec-WebSocket-Version" };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && op->kind != CADDY_ADD; i++) {
        if (caddy_op_names(op, needed[i]) && !state->lost) {
            state->lost = needed[i];
            state->lost_source = op->source;
        }
    }
}

static void apply(struct caddy_reader *reader, struct state *state, const struct caddy_op *op, bool maybe)
{
    static const int upgrade_headers[2] = { DR_ROUTE_UPGRADE, DR_ROUTE_CONNECTION };
    struct caddy_op_value field, value;

    caddy_take_apart(reader->arena, NULL, op->field, &field);
    bool unknown_field = field.own || field.others;

    caddy_take_apart(reader->arena, state->before, op->value, &value);
    for (int i = 0; i < DR_ROUTE_HEADERS; i++) {
        if (!unknown_field && !caddy_op_names(op, dr_route_header_text((enum dr_route_header_name)(i))))
            continue;
        enum dr_header_fate was = state->headers[i].fate;
        enum dr_header_fate now = unknown_field ? DR_HEADER_UNKNOWN : fate_after(state, i, op, &value);

        state->headers[i] = (struct dr_route_header){
            .fate = maybe && now != was ? DR_HEADER_UNKNOWN : now,
            .value = op->kind == CADDY_DELETE ? NULL : op->spelt,
            .source = op->source,
        };
    }
    for (int which = 0; which < 2; which++) {
        enum dr_upgrade was = state->keeps[which];

        if (unknown_field)
            state->keeps[which] = DR_UPGRADE_UNKNOWN;
        else if (caddy_op_names(op, dr_route_header_text((enum dr_route_header_name)upgrade_headers[which])))
            apply_upgrade(state, which, op, &value);
        if (maybe && state->keeps[which] != was)
            state->keeps[which] = DR_UPGRADE_UNKNOWN;
    }
    if (!maybe)
        note_lost(state, op);
}

/* --- request_header -------------------------------------------------------------------------------------------------------- */

enum reach { NEVER, MAYBE, ALWAYS };

static enum reach reaches(const struct caddy_op *op, const struct caddy_way *way)
{
    const struct caddy_match *match = &op->match;

    if (op->maybe)
        return MAYBE;
    if (match->all || !match->text)
        return ALWAYS;
    for (const struct caddy_matched *passed = way->matched; passed; passed = passed->outer)
        if (passed->rewrites == op->rewrites && strcmp(passed->text, match->text) == 0)
            return ALWAYS;
    if (match->more || match->hosts || (!match->path && !match->exact))
        return MAYBE;
    const char *path = match->path ? match->path : match->exact;
    size_t seen = strlen(op->seen), before = strlen(op->path);

    if (!starts_with(path, op->seen))
        return match->path && starts_with(op->seen, path) ? ALWAYS : NEVER;
    /* in the words of the client's path: op->path and what the matcher asks for beyond op->seen */
    if (!starts_with(way->path, op->path))
        return MAYBE;
    path += seen;
    if (match->path && starts_with(way->path + before, path))
        return ALWAYS;
    return starts_with(path, way->path + before) ? MAYBE : NEVER;
}

/* From the first to the last: they are kept in the other order. */
static void apply_request_headers(struct caddy_reader *reader, struct state *state, const struct caddy_way *way)
{
    size_t count = 0;

    for (const struct caddy_op *op = way->ops; op; op = op->next)
        count++;
    const struct caddy_op **ops = dr_arena_alloc(reader->arena, (count + 1) * sizeof(*ops));

    if (!ops) {
        reader->failed = true;
        return;
    }
    for (const struct caddy_op *op = way->ops; op; op = op->next)
        ops[--count] = op;
    for (; *ops; ops++) {
        enum reach reach = reaches(*ops, way);

        if (reach != NEVER) {
            remember(state);
            apply(reader, state, *ops, reach == MAYBE);
        }
    }
}

/* --- reverse_proxy --------------------------------------------------------------------------------------------------------- */

static void own_headers(struct state *state, bool trusts, const struct dr_source *trusted)
{
    static const int forwarded[] = { DR_ROUTE_FORWARDED_FOR, DR_ROUTE_FORWARDED_PROTO, DR_ROUTE_FORWARDED_HOST };

    for (size_t i = 0; i < 3; i++) {
        struct dr_route_header *header = &state->headers[forwarded[i]];
        bool clients = header->fate != DR_HEADER_ABSENT && header->fate != DR_HEADER_SET;

        /* Proto and Host of a trusted peer are taken over rather than added to: its word stands either way. */
        if (trusts && clients)
            *header =
                (struct dr_route_header){ .fate = header->fate == DR_HEADER_UNKNOWN ? DR_HEADER_UNKNOWN : DR_HEADER_APPENDED,
                                          .source = *trusted };
        else
            *header = (struct dr_route_header){ .fate = DR_HEADER_SET };
    }
    enum dr_upgrade both =
        state->keeps[CADDY_UPGRADE] == DR_UPGRADE_DROPPED || state->keeps[CADDY_CONNECTION] == DR_UPGRADE_DROPPED
            ? DR_UPGRADE_DROPPED
        : state->keeps[CADDY_UPGRADE] == DR_UPGRADE_PASSED && state->keeps[CADDY_CONNECTION] == DR_UPGRADE_PASSED
            ? DR_UPGRADE_PASSED
            : DR_UPGRADE_UNKNOWN;

    if (both == DR_UPGRADE_DROPPED) {
        bool first = state->keeps[CADDY_UPGRADE] == DR_UPGRADE_DROPPED;
        struct dr_route_header gone = state->headers[first ? DR_ROUTE_UPGRADE : DR_ROUTE_CONNECTION];

        gone.fate = DR_HEADER_ABSENT;
        state->headers[DR_ROUTE_UPGRADE] = state->headers[DR_ROUTE_CONNECTION] = gone;
    }
    if (both == DR_UPGRADE_UNKNOWN)
        state->headers[DR_ROUTE_UPGRADE].fate = state->headers[DR_ROUTE_CONNECTION].fate = DR_HEADER_UNKNOWN;
    state->keeps[CADDY_UPGRADE] = state->keeps[CADDY_CONNECTION] = both;
}

static void apply_header_up(struct caddy_reader *reader, struct state *state, const struct caddy_proxy *proxy)
{
    static const enum caddy_op_kind order[] = { CADDY_ADD, CADDY_SET, CADDY_DELETE, CADDY_REPLACE };

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (const struct caddy_op *op = proxy->ups; op; op = op->next)
            if (op->kind == order[i])
                apply(reader, state, op, false);
}

static void drop(struct dr_route *route, const char *why, const struct dr_source *source)
{
    if (route->upgrade == DR_UPGRADE_DROPPED)
        return;
    route->upgrade = DR_UPGRADE_DROPPED;
    route->upgrade_why = why;
    route->upgrade_source = *source;
}

bool caddy_serves_http1(const struct caddy_entry *entry)
{
    const struct caddy_line *servers = caddy_servers(entry->options, entry->addresses);
    const struct caddy_line *protocols = servers ? caddy_find(servers->lines, "protocols") : NULL;

    for (size_t i = 1; protocols && i < protocols->count; i++)
        if (strcmp(protocols->words[i].text, "h1") == 0)
            return true;
    return !protocols || protocols->count == 1;
}

static void decide_upgrade(struct caddy_reader *reader, const struct state *state, const struct caddy_proxy *proxy, bool tls,
                           const struct caddy_line *servers, struct dr_route *route)
{
    static const enum dr_route_header_name headers[2] = { DR_ROUTE_UPGRADE, DR_ROUTE_CONNECTION };
    struct dr_arena *arena = reader->arena;

    route->upgrade = DR_UPGRADE_PASSED;
    if (strcmp(proxy->transport_name, "http") != 0)
        drop(route, dr_arena_format(arena, "transport %s does not speak HTTP to the upstream", proxy->transport_name),
             &proxy->source);
    if (proxy->versions_h2c && !tls)
        drop(route,
             proxy->versions ? "\"versions ... h2c\": HTTP/2 to the upstream, which carries no Upgrade"
                             : "\"h2c://\": HTTP/2 to the upstream, which carries no Upgrade",
             &proxy->versions_source);
    for (int i = 0; i < 2; i++)
        if (state->keeps[i] == DR_UPGRADE_DROPPED)
            drop(route, dr_arena_format(arena, "the header %s is dropped or overwritten", dr_route_header_text(headers[i])),
                 &route->headers[headers[i]].source);
    if (state->lost)
        drop(route, dr_arena_format(arena, "the header %s is dropped or overwritten", state->lost), &state->lost_source);
    if (proxy->buffers_responses)
        drop(route, "buffered answers: the connection is never handed over to WebSocket", &proxy->buffers_source);
    if (proxy->method_name && strcasecmp(proxy->method_name, "GET") != 0)
        drop(route, "\"method\": a WebSocket handshake is a GET", &proxy->method_source);
    if (!caddy_serves_http1(state->entry)) {
        struct dr_source source = caddy_source(&servers->words[0]);

        drop(route, "\"protocols\" of servers without h1: clients open WebSockets by HTTP/1.1", &source);
    }
    for (int i = 0; i < 2 && route->upgrade == DR_UPGRADE_PASSED; i++) {
        if (state->keeps[i] == DR_UPGRADE_PASSED)
            continue;
        route->upgrade = DR_UPGRADE_UNKNOWN;
        route->upgrade_why =
            dr_arena_format(arena, "what happens to the header %s depends on the request", dr_route_header_text(headers[i]));
        route->upgrade_source = route->headers[headers[i]].source;
    }
    if (route->upgrade == DR_UPGRADE_PASSED && proxy->versions_other) {
        route->upgrade = DR_UPGRADE_UNKNOWN;
        route->upgrade_why = "\"versions\" names one that is not known here";
        route->upgrade_source = proxy->versions_source;
    }
}

void caddy_fates(struct caddy_reader *reader, const struct caddy_way *way, const struct caddy_proxy *proxy,
                 struct dr_route *route, struct dr_route_header *default_fates)
{
    struct state state = { .keeps = { DR_UPGRADE_PASSED, DR_UPGRADE_PASSED }, .entry = way->entry };
    const struct caddy_line *servers = caddy_servers(way->entry->options, way->entry->addresses);
    const struct caddy_line *globally = servers ? caddy_find(servers->lines, "trusted_proxies") : NULL; /* v2.6.3 */
    struct dr_source trusted = proxy->trusts ? proxy->trusted_source
                               : globally    ? caddy_source(&globally->words[0])
                                             : (struct dr_source){ 0 };

    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        state.headers[i].fate = DR_HEADER_CLIENTS;
    remember(&state);
    apply_request_headers(reader, &state, way);
    remember(&state);
    own_headers(&state, proxy->trusts || globally || way->entry->options->trusts, &trusted);
    /* v2.11.0 sends the upstream's own name to an upstream with TLS; which release this is cannot be seen here. */
    if (route->upstream_tls && state.headers[DR_ROUTE_HOST].fate == DR_HEADER_CLIENTS)
        state.headers[DR_ROUTE_HOST].fate = DR_HEADER_UNKNOWN;
    memcpy(default_fates, state.headers, sizeof(state.headers));
    apply_header_up(reader, &state, proxy);
    memcpy(route->headers, state.headers, sizeof(route->headers));

    route->http_version = strcmp(proxy->transport_name, "http") != 0    ? 0
                          : proxy->versions_h2c && !route->upstream_tls ? 20
                          : proxy->versions_other                       ? 0
                                                                        : 11;
    if (proxy->versions || proxy->versions_h2c)
        route->http_version_source = proxy->versions_source;
    /* Without stream_timeout (v2.7.0) or read_timeout an upgraded connection is never cut. */
    route->idle_timeout_ms = proxy->timeout_ms;
    route->idle_timeout_source = proxy->timeout_source;
    /* Event streams and answers without a length are flushed at once, whatever flush_interval says. */
    route->buffers = proxy->buffers_responses;
    decide_upgrade(reader, &state, proxy, route->upstream_tls, servers, route);
}
