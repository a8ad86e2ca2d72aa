/* From frontends over backends to servers: one route for each server, and for clients with and without TLS. */
#include "format/haproxy_route.h"

#include <string.h>
#include <strings.h>

static const struct haproxy_proxy nothing = { 0 };

/* --- a request on its way ----------------------------------------------------------------------------------------------- */

static void follow(const struct haproxy_walk *walk, const struct haproxy_way *way, struct haproxy_request *request)
{
    const struct haproxy_proxy *frontend = walk->frontend;
    bool reads = frontend->mode == HAPROXY_HTTP;

    dr_haproxy_begin_request(request);
    if (way->backend->mode != HAPROXY_HTTP)
        return;
    if (reads)
        dr_haproxy_apply_rules(frontend, request);
    if (way->backend != frontend && request->outcome == HAPROXY_GOES_ON)
        dr_haproxy_apply_rules(way->backend, request);
    dr_haproxy_apply_options(reads ? frontend : &nothing, way->backend, request);
}

struct haproxy_request dr_haproxy_new_request(const struct haproxy_walk *walk, const struct haproxy_way *way, bool websocket)
{
    return (struct haproxy_request){
        .tree = walk->tree,
        .websocket = websocket,
        .tls = walk->entrance->tls ? HAPROXY_TRUE : HAPROXY_FALSE,
        .port = walk->entrance->port,
        .names = way ? way->choice.names : NULL,
        .path = way ? way->choice.path : NULL,
    };
}

/* --- a route ------------------------------------------------------------------------------------------------------------ */

/* Does one of the two close the connection to the server behind each answer? */
static bool closes(const struct haproxy_place *place)
{
    bool reads = place->frontend->mode == HAPROXY_HTTP;

    return place->backend->closing != HAPROXY_KEEPS || (reads && place->frontend->closing != HAPROXY_KEEPS);
}

/* Connection is the connection's own: of what a rule sets only "upgrade" and "close" arrive, over HTTP/2 nothing. */
static void settle_connection(const struct haproxy_place *place, struct dr_route_header headers[DR_ROUTE_HEADERS])
{
    struct dr_route_header *connection = &headers[DR_ROUTE_CONNECTION];
    bool keeps = connection->value && (dr_haproxy_value_upgrades(DR_ROUTE_CONNECTION, connection->value) ||
                                       strcasestr(connection->value, "close") || strchr(connection->value, '%'));

    if (!place->http)
        return;
    if (connection->fate == DR_HEADER_ABSENT && closes(place)) {
        connection->fate = DR_HEADER_SET; /* "close", from HAProxy itself */
        connection->value = NULL;
    } else if (connection->fate == DR_HEADER_SET && !keeps) {
        connection->fate = DR_HEADER_ABSENT;
    }
    if (dr_haproxy_speaks_h2(&place->server))
        connection->fate = headers[DR_ROUTE_UPGRADE].fate = DR_HEADER_ABSENT;
}

static void fill_headers(const struct haproxy_place *place, const struct haproxy_way *way, struct dr_route *route)
{
    bool both = way->handshakes && way->others && place->handshake.outcome == HAPROXY_GOES_ON &&
                place->ordinary.outcome == HAPROXY_GOES_ON;
    bool handshake = way->handshakes && place->handshake.outcome == HAPROXY_GOES_ON;

    for (int i = 0; i < DR_ROUTE_HEADERS; i++) {
        bool own = i == DR_ROUTE_UPGRADE || i == DR_ROUTE_CONNECTION;
        const struct haproxy_fate *fate = own || handshake ? &place->handshake.headers[i] : &place->ordinary.headers[i];
        struct dr_route_header *header = &route->headers[i];

        *header = (struct dr_route_header){ .fate = fate->fate, .value = fate->value };
        if (fate->line)
            header->source = dr_haproxy_source(fate->line, 0);
        if (!own && both && place->ordinary.headers[i].fate != fate->fate) {
            header->fate = DR_HEADER_UNKNOWN;
            header->value = NULL;
        }
    }
    settle_connection(place, route->headers);
}

static void fill_timeout(const struct haproxy_place *place, struct dr_route *route)
{
    const struct haproxy_request *handshake = &place->handshake;
    struct haproxy_time server = handshake->server.line ? handshake->server : place->backend->server;
    struct haproxy_time client = place->frontend->client;
    struct haproxy_time tunnel = place->backend->tunnel;
    struct haproxy_time rule = handshake->tunnel;
    bool by_client = client.ms > 0 && (server.ms == 0 || client.ms <= server.ms);
    struct haproxy_time decides = tunnel.line && tunnel.ms > 0 ? tunnel : by_client ? client : server;
    /* A rule that may count or not, or whose time is not known. */
    bool unknown = handshake->times_unknown && (!rule.line || rule.ms != decides.ms);

    if (rule.line)
        decides = rule;
    route->idle_timeout_ms = unknown ? -1 : decides.ms;
    if (decides.line)
        route->idle_timeout_source = dr_haproxy_source(decides.line, 0);
}

static unsigned upstream_port(const struct haproxy_walk *walk, const struct haproxy_address *address)
{
    unsigned came = walk->entrance->port;

    if (address->kind != HAPROXY_INET)
        return 0;
    if (!address->offset)
        return address->port;
    if (came == 0 || (address->minus && address->port >= came))
        return 0;
    return address->minus ? came - address->port : came + address->port;
}

static void fill_upstream(const struct haproxy_walk *walk, const struct haproxy_server *server, struct dr_route *route)
{
    const struct haproxy_address *address = &server->address;
    bool known = address->kind == HAPROXY_INET && address->host[0] != '\0' && strcmp(address->host, "0.0.0.0") != 0;

    route->source = dr_haproxy_source(server->line, 0);
    route->upstream_text = dr_haproxy_word(server->line, server->address_word);
    route->upstream_host = known ? address->host : NULL;
    route->upstream_port = known ? upstream_port(walk, address) : 0;
    route->upstream_tls = server->tls;
}

static void fill_entrance(const struct haproxy_walk *walk, const struct haproxy_way *way, struct dr_route *route)
{
    static const char *const none[] = { NULL };
    const struct haproxy_choice *choice = &way->choice;
    size_t at = way->line ? dr_haproxy_condition_at(way->line) : 0;

    route->listens = walk->entrance->listens;
    route->listen_traits = walk->entrance->traits;
    route->tls = walk->entrance->tls;
    route->names = choice->names ? choice->names : none;
    if (choice->pattern)
        route->pattern = dr_haproxy_join(walk->arena, way->line, at < way->line->count ? at : 0, way->line->count);
    else
        route->path = choice->path ? choice->path : "/";
}

int dr_haproxy_add_route(struct haproxy_walk *walk, const struct haproxy_way *way, size_t index)
{
    struct haproxy_place *place = dr_arena_alloc(walk->arena, sizeof(*place));

    if (!place)
        return -ENOMEM;
    *place = (struct haproxy_place){
        .proxies = walk->proxies,
        .frontend = walk->frontend,
        .backend = way->backend,
        .handshake = dr_haproxy_new_request(walk, way, true),
        .ordinary = dr_haproxy_new_request(walk, way, false),
        .http = way->backend->mode == HAPROXY_HTTP,
        .shared = walk->shared,
        .taken_elsewhere = !way->handshakes,
    };
    if (!dr_haproxy_server(walk->proxies, way->backend, index, &place->server) || place->server.off)
        return 0;
    follow(walk, way, &place->handshake);
    follow(walk, way, &place->ordinary);
    /* Nobody gets through: plain HTTP that is sent on to HTTPS, a frontend that denies all. */
    if ((place->handshake.outcome == HAPROXY_ANSWERED || !way->handshakes) &&
        (place->ordinary.outcome == HAPROXY_ANSWERED || !way->others))
        return 0;
    struct dr_route *route = dr_proxy_route(walk->tree->gathering);

    walk->full = !route;
    if (!route)
        return 0;
    route->place = place;
    fill_entrance(walk, way, route);
    fill_upstream(walk, &place->server, route);
    fill_headers(place, way, route);
    fill_timeout(place, route);
    if (place->handshake.path_line)
        route->upstream_path = place->handshake.new_path;
    return dr_haproxy_judge_upgrade(place, route);
}
