/*
 * Does a handshake get through? As haproxy 2.6.12 does it: an HTTP/1.1 server gets Upgrade and Connection as they are after the rules; "option
 * httpclose" and "http-server-close" do not stand in the way; of Connection only "upgrade" and "close" ever arrive.
 */
#include "format/haproxy_route.h"

#include <string.h>
#include <strings.h>

static bool has_token(const char *list, const char *token)
{
    size_t length = strlen(token);

    while (list && *list) {
        list += strspn(list, ", \t");
        size_t one = strcspn(list, ", \t");

        if (one == length && strncasecmp(list, token, one) == 0)
            return true;
        list += one;
    }
    return false;
}

bool dr_haproxy_value_upgrades(int header, const char *value)
{
    return has_token(value, header == DR_ROUTE_UPGRADE ? "websocket" : "upgrade");
}

bool dr_haproxy_speaks_h2(const struct haproxy_server *server)
{
    if (server->proto)
        return strcmp(server->proto, "h2") == 0;
    return server->tls && server->alpn && has_token(server->alpn, "h2") && !has_token(server->alpn, "http/1.1");
}

static void judge_version(const struct haproxy_place *place, struct dr_route *route)
{
    const struct haproxy_server *server = &place->server;
    const struct haproxy_line *line = server->proto ? server->proto_line : server->tls ? server->alpn_line : NULL;

    route->http_version = 11;
    if (!place->http)
        return;
    if (line)
        route->http_version_source = dr_haproxy_source(line, 0);
    if (place->backend->fcgi || (server->proto && strcmp(server->proto, "fcgi") == 0))
        route->http_version = 0;
    else if (dr_haproxy_speaks_h2(server))
        route->http_version = 20;
    else if (!server->proto && server->tls && has_token(server->alpn, "h2"))
        route->http_version = 0;
}

static int say(const struct haproxy_place *place, struct dr_route *route, enum dr_upgrade upgrade,
               const struct haproxy_line *line, const char *why)
{
    struct dr_arena *arena = place->proxies->tree->gathering->loader->arena;
    const char *words = line ? dr_haproxy_join(arena, line, 0, line->count) : "";

    route->upgrade = upgrade;
    route->upgrade_why = line ? dr_arena_format(arena, "'%.80s' %s", words, why) : why;
    if (line)
        route->upgrade_source = dr_haproxy_source(line, 0);
    return route->upgrade_why ? 0 : -ENOMEM;
}

/* What the way to the server itself allows. True: it is decided. */
static bool judge_server(const struct haproxy_place *place, struct dr_route *route, int *ret_r)
{
    const struct haproxy_server *server = &place->server;
    bool h1 = strcmp(server->ws, "h1") == 0;

    if (server->send_proxy) {
        *ret_r = say(place, route, DR_UPGRADE_DROPPED, server->send_proxy,
                     "begins each connection with a line that the gateway does not understand (send-proxy)");
        return true;
    }
    if (!place->http) {
        route->upgrade = DR_UPGRADE_PASSED;
        return true;
    }
    if (route->http_version == 0 && !server->alpn) {
        *ret_r = say(place, route, DR_UPGRADE_DROPPED, place->backend->fcgi ? place->backend->fcgi : server->proto_line,
                     "speaks FastCGI to the server, which knows no WebSocket");
        return true;
    }
    if ((route->http_version == 20 && !h1) || (route->http_version != 11 && strcmp(server->ws, "h2") == 0)) {
        *ret_r = say(place, route, DR_UPGRADE_DROPPED, server->proto ? server->proto_line : server->alpn_line,
                     "speaks HTTP/2 to the server, where the gateway needs HTTP/1.1");
        return true;
    }
    return false;
}

static bool fits(const struct haproxy_fate *fate, int header)
{
    if (fate->mixed)
        return false;
    if (fate->fate == DR_HEADER_CLIENTS || fate->fate == DR_HEADER_APPENDED)
        return true;
    return fate->fate == DR_HEADER_SET && (header >= DR_ROUTE_HEADERS || dr_haproxy_value_upgrades(header, fate->value));
}

/* Is it known what arrives, be it good or bad? */
static bool is_certain(const struct haproxy_fate *fate)
{
    return !fate->mixed && fate->fate != DR_HEADER_UNKNOWN &&
           !(fate->fate == DR_HEADER_SET && fate->value && strchr(fate->value, '%'));
}

static int judge_header(const struct haproxy_place *place, struct dr_route *route, int header, const char *name)
{
    const struct haproxy_fate *fate = &place->handshake.headers[header];
    const struct haproxy_fate *pair = fate->otherwise;
    struct dr_arena *arena = place->proxies->tree->gathering->loader->arena;

    /* A condition that is not known, but either way is fine, or neither. */
    if (fits(fate, header) || (pair && fits(&pair[0], header) && fits(&pair[1], header)))
        return 0;
    bool bad = is_certain(fate) ||
               (pair && is_certain(&pair[0]) && is_certain(&pair[1]) && !fits(&pair[0], header) && !fits(&pair[1], header));

    if (!bad)
        return say(place, route, DR_UPGRADE_UNKNOWN, fate->line,
                   dr_arena_format(arena, "may change the %s header: whether it does cannot be known from the configuration",
                                   name));
    if (fate->fate == DR_HEADER_ABSENT)
        return say(place, route, DR_UPGRADE_DROPPED, fate->line, dr_arena_format(arena, "takes the %s header away", name));
    return say(place, route, DR_UPGRADE_DROPPED, fate->line,
               dr_arena_format(arena, "replaces the %s header, which a WebSocket needs as it is", name));
}

static int judge_answers(const struct haproxy_place *place, struct dr_route *route)
{
    enum haproxy_truth truth = HAPROXY_FALSE;
    const struct haproxy_line *line = dr_haproxy_answer_drops(place->backend, &place->handshake, &truth);

    if (!line && place->frontend != place->backend)
        line = dr_haproxy_answer_drops(place->frontend, &place->handshake, &truth);
    if (!line)
        return 0;
    return say(place, route, truth == HAPROXY_TRUE ? DR_UPGRADE_DROPPED : DR_UPGRADE_UNKNOWN, line,
               truth == HAPROXY_TRUE ? "takes away what the gateway's answer to a handshake needs"
                                     : "may take away what the gateway's answer to a handshake needs");
}

int dr_haproxy_judge_upgrade(const struct haproxy_place *place, struct dr_route *route)
{
    static const struct {
        int header;
        const char *name;
    } needed[] = {
        { DR_ROUTE_UPGRADE, "Upgrade" },
        { DR_ROUTE_CONNECTION, "Connection" },
        { HAPROXY_WS_KEY, "Sec-WebSocket-Key" },
        { HAPROXY_WS_VERSION, "Sec-WebSocket-Version" },
    };
    int r = 0;

    judge_version(place, route);
    route->upgrade = DR_UPGRADE_PASSED;
    if (judge_server(place, route, &r))
        return r;
    if (place->handshake.outcome == HAPROXY_ANSWERED)
        return say(place, route, DR_UPGRADE_DROPPED, place->handshake.outcome_line, "answers WebSocket requests itself");
    for (size_t i = 0; r == 0 && i < DR_COUNT(needed); i++) {
        struct dr_route one = *route;

        r = judge_header(place, &one, needed[i].header, needed[i].name);
        /* What is certain weighs more than what may be. */
        if (one.upgrade_why &&
            (!route->upgrade_why || (route->upgrade == DR_UPGRADE_UNKNOWN && one.upgrade == DR_UPGRADE_DROPPED)))
            *route = one;
    }
    return r < 0 || route->upgrade != DR_UPGRADE_PASSED ? r : judge_answers(place, route);
}
