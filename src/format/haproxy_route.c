/* From frontends over backends to servers: one route for each server, and for clients with and without TLS. */
#include "format/haproxy_route.h"

#include <string.h>
#include <strings.h>

/* The "bind" lines of a frontend that speak TLS, or those that do not. */
struct entrance {
    bool tls;
    const char **listens;
    size_t count;
    unsigned port; /* 0: several */
};

struct walk {
    struct haproxy_proxies *proxies;
    struct haproxy_tree *tree;
    struct dr_arena *arena;
    const struct haproxy_proxy *frontend;
    const struct entrance *entrance;
    bool shared;
    bool full; /* no more routes are kept */
    size_t first_route; /* of this frontend and entrance */
    const struct haproxy_proxy *taker; /* of handshakes that the backend at work never gets */
    const struct haproxy_line *taker_line;
};

/* One way from the frontend to a backend. */
struct way {
    const struct haproxy_proxy *backend;
    const struct haproxy_line *line; /* use_backend, default_backend; NULL: a "listen" itself */
    struct haproxy_choice choice;
    bool handshakes, others; /* which requests may come this way */
};

static const struct haproxy_proxy nothing = { 0 };

/* --- a request on its way ----------------------------------------------------------------------------------------------- */

static void follow(const struct walk *walk, const struct way *way, struct haproxy_request *request)
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

static struct haproxy_request new_request(const struct walk *walk, const struct way *way, bool websocket)
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

static void fill_headers(const struct haproxy_place *place, const struct way *way, struct dr_route *route)
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
    struct haproxy_time tunnel = handshake->tunnel.line ? handshake->tunnel : place->backend->tunnel;
    bool is_tunnel = tunnel.line && tunnel.ms > 0;
    bool by_client = client.ms > 0 && (server.ms == 0 || client.ms <= server.ms);
    struct haproxy_time decides = is_tunnel ? tunnel : by_client ? client : server;

    route->idle_timeout_ms = handshake->times_unknown ? -1 : decides.ms;
    if (decides.line)
        route->idle_timeout_source = dr_haproxy_source(decides.line, 0);
}

static unsigned upstream_port(const struct walk *walk, const struct haproxy_address *address)
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

static void fill_upstream(const struct walk *walk, const struct haproxy_server *server, struct dr_route *route)
{
    const struct haproxy_address *address = &server->address;
    bool known = address->kind == HAPROXY_INET && address->host[0] != '\0' && strcmp(address->host, "0.0.0.0") != 0;

    route->source = dr_haproxy_source(server->line, 0);
    route->upstream_text = dr_haproxy_word(server->line, server->address_word);
    route->upstream_host = known ? address->host : NULL;
    route->upstream_port = known ? upstream_port(walk, address) : 0;
    route->upstream_tls = server->tls;
}

static void fill_entrance(const struct walk *walk, const struct way *way, struct dr_route *route)
{
    static const char *const none[] = { NULL };
    const struct haproxy_choice *choice = &way->choice;
    size_t at = way->line ? dr_haproxy_condition_at(way->line) : 0;

    route->listens = walk->entrance->listens;
    route->tls = walk->entrance->tls;
    route->names = choice->names ? choice->names : none;
    if (choice->pattern)
        route->pattern = dr_haproxy_join(walk->arena, way->line, at < way->line->count ? at : 0, way->line->count);
    else
        route->path = choice->path ? choice->path : "/";
}

static int add_route(struct walk *walk, const struct way *way, size_t index)
{
    struct haproxy_place *place = dr_arena_alloc(walk->arena, sizeof(*place));

    if (!place)
        return -ENOMEM;
    *place = (struct haproxy_place){
        .proxies = walk->proxies,
        .frontend = walk->frontend,
        .backend = way->backend,
        .handshake = new_request(walk, way, true),
        .ordinary = new_request(walk, way, false),
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

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static bool is_same_host(const char *one, const char *other)
{
    return one && other && (strcasecmp(one, other) == 0 || (is_loopback(one) && is_loopback(other)));
}

/* Handshakes go elsewhere: fine when that leads to the same server. */
static int settle_elsewhere(const struct walk *walk)
{
    const struct dr_proxy_gathering *gathering = walk->tree->gathering;

    for (size_t i = walk->first_route; i < gathering->route_count; i++) {
        struct dr_route *route = &gathering->routes[i];
        const struct haproxy_place *place = route->place;
        const struct dr_route *taken = NULL;

        if (!place->taken_elsewhere)
            continue;
        for (size_t j = walk->first_route; j < gathering->route_count && !taken; j++) {
            const struct dr_route *other = &gathering->routes[j];
            const struct haproxy_place *there = other->place;

            if (!there->taken_elsewhere && there->backend == walk->taker && other->upstream_port == route->upstream_port &&
                is_same_host(other->upstream_host, route->upstream_host))
                taken = other;
        }
        route->upgrade = taken ? taken->upgrade : DR_UPGRADE_DROPPED;
        route->upgrade_why = taken ? taken->upgrade_why
                                   : dr_arena_format(walk->arena, "WebSocket requests are handed to backend '%.60s'",
                                                     walk->taker ? walk->taker->section->name : "");
        route->note =
            dr_arena_format(walk->arena, "WebSocket requests do not come this way: line %u hands them to backend '%.60s'",
                            walk->taker_line ? walk->taker_line->number : 0, walk->taker ? walk->taker->section->name : "");
        if (walk->taker_line)
            route->upgrade_source = taken ? taken->upgrade_source : dr_haproxy_source(walk->taker_line, 0);
    }
    return 0;
}

/* --- backends of a frontend --------------------------------------------------------------------------------------------- */

static int take_way(struct walk *walk, struct way *way)
{
    int r = 0;

    if (way->backend->off)
        return 0;
    if (walk->frontend->mode == HAPROXY_HTTP && way->backend->mode != HAPROXY_HTTP) {
        if (way->backend->mode == HAPROXY_TCP)
            dr_haproxy_fault(walk->tree, way->line ? way->line : &way->backend->section->head, 1, true,
                             "'%.60s' is in mode tcp: a frontend in mode http cannot use it", way->backend->section->name);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < way->backend->servers.count && !walk->full; i++)
        r = add_route(walk, way, i);
    return r;
}

/* Marks the backends that some line names. */
static void mark_named(struct haproxy_proxies *proxies)
{
    for (size_t i = 0; i < proxies->tree->count; i++) {
        const struct haproxy_proxy *proxy = &proxies->list[i];
        struct haproxy_proxy *named =
            proxy->default_backend ? dr_haproxy_backend(proxies, dr_haproxy_word(proxy->default_backend, 1)) : NULL;

        if (named)
            named->named = true;
        for (size_t j = 0; j < proxy->switches.count; j++) {
            named = dr_haproxy_backend(proxies, dr_haproxy_word(proxy->switches.list[j], 1));
            if (named)
                named->named = true;
        }
    }
}

/* "use_backend %[...]": any backend that no other line names may be meant. */
static int take_computed_way(struct walk *walk, struct way *way)
{
    int r = 0;

    way->choice.pattern = true;
    for (size_t i = 0; r == 0 && i < walk->proxies->backend_count; i++) {
        way->backend = walk->proxies->backends[i];
        if (way->backend->section->kind == HAPROXY_BACKEND && way->backend->mode == HAPROXY_HTTP && !way->backend->named)
            r = take_way(walk, way);
    }
    return r;
}

static const struct haproxy_proxy *find_backend(const struct walk *walk, const struct haproxy_line *line)
{
    return dr_haproxy_backend(walk->proxies, dr_haproxy_word(line, 1));
}

/* Does an earlier line take a request for this host and path? */
static bool takes_before(const struct walk *walk, struct haproxy_request *request, size_t index)
{
    dr_haproxy_begin_request(request);
    for (size_t i = 0; i < index; i++) {
        const struct haproxy_line *line = walk->frontend->switches.list[i];

        if (dr_haproxy_holds(&walk->frontend->own, line, dr_haproxy_condition_at(line), request) == HAPROXY_TRUE)
            return true;
    }
    return false;
}

/* Do earlier lines take all that the hosts and the path of this one bring? Looked at for the first few hundred lines only. */
static bool is_taken_before(const struct walk *walk, const struct way *way, size_t index)
{
    enum { LOOK_BACK = 400 };
    struct haproxy_request request = new_request(walk, way, false);
    const char *one[2] = { NULL, NULL };

    if (index > LOOK_BACK || way->choice.pattern)
        return false;
    if (!way->choice.names)
        return takes_before(walk, &request, index);
    request.names = one;
    for (const char *const *name = way->choice.names; *name; name++) {
        one[0] = *name;
        if (!takes_before(walk, &request, index))
            return false;
    }
    return true;
}

static int walk_entrance(struct walk *walk)
{
    const struct haproxy_proxy *frontend = walk->frontend;
    struct haproxy_request requests[2] = { new_request(walk, NULL, false), new_request(walk, NULL, true) };
    bool open[2] = { true, true }; /* to later lines: other requests, handshakes */
    int r = 0;

    walk->first_route = walk->tree->gathering->route_count;
    walk->taker = NULL;
    for (int i = 0; i < 2; i++) {
        dr_haproxy_begin_request(&requests[i]);
        if (frontend->mode == HAPROXY_HTTP)
            dr_haproxy_apply_rules(frontend, &requests[i]);
    }
    for (size_t i = 0; r == 0 && i < frontend->switches.count && (open[0] || open[1]); i++) {
        struct way way = { .line = frontend->switches.list[i] };
        size_t at = dr_haproxy_condition_at(way.line);
        bool computed = strchr(dr_haproxy_word(way.line, 1), '%') != NULL; /* falls through when there is no such backend */
        enum haproxy_truth truths[2];
        bool comes[2];

        for (int j = 0; j < 2; j++) {
            truths[j] = dr_haproxy_holds(&frontend->own, way.line, at, &requests[j]);
            comes[j] = open[j] && truths[j] != HAPROXY_FALSE;
            open[j] = open[j] && (computed || truths[j] != HAPROXY_TRUE);
        }
        way.others = comes[0];
        way.handshakes = comes[1];
        if (!way.others && !way.handshakes)
            continue;
        r = dr_haproxy_choice(&frontend->own, way.line, at, &requests[way.others ? 0 : 1], &way.choice);
        way.choice.pattern = way.choice.pattern || truths[0] != truths[1] ||
                             requests[0].headers[DR_ROUTE_HOST].fate != requests[1].headers[DR_ROUTE_HOST].fate;
        if (r == 0 && is_taken_before(walk, &way, i))
            continue;
        if (r == 0 && computed) {
            r = take_computed_way(walk, &way);
            continue;
        }
        way.backend = r == 0 ? find_backend(walk, way.line) : NULL;
        if (way.backend && !open[1] && comes[1]) {
            walk->taker = way.backend;
            walk->taker_line = way.line;
        }
        r = way.backend ? take_way(walk, &way) : r;
    }
    struct way last = { .line = frontend->default_backend, .others = open[0], .handshakes = open[1] };

    last.backend = last.line ? find_backend(walk, last.line) : dr_haproxy_is_backend(frontend) ? frontend : NULL;
    if (r == 0 && last.backend && (open[0] || open[1]))
        r = take_way(walk, &last);
    return r < 0 ? r : settle_elsewhere(walk);
}

/* --- frontends ---------------------------------------------------------------------------------------------------------- */

static int add_listens(struct dr_arena *arena, struct entrance *entrance, const struct haproxy_bind *bind, size_t *room)
{
    for (size_t i = 0; i < bind->count; i++) {
        const char **grown =
            dr_arena_grow(arena, entrance->listens, entrance->listens ? entrance->count + 1 : 0, sizeof(const char *), room);

        if (!grown)
            return -ENOMEM;
        entrance->listens = grown;
        grown[entrance->count++] = bind->listens[i];
        grown[entrance->count] = NULL;
    }
    return 0;
}

static int gather_entrance(struct walk *walk, bool tls, struct entrance *ret_entrance)
{
    size_t room = 0;
    int r = 0;

    *ret_entrance = (struct entrance){ .tls = tls };
    for (size_t i = 0; r == 0 && i < walk->frontend->binds.count; i++) {
        struct haproxy_bind bind;

        r = dr_haproxy_bind(walk->tree, walk->frontend->binds.list[i], &bind);
        if (r == -EINVAL)
            r = 0; /* a fault already */
        else if (r == 0 && bind.tls == tls) {
            ret_entrance->port = ret_entrance->count == 0 ? bind.port : 0;
            r = add_listens(walk->arena, ret_entrance, &bind, &room);
        }
    }
    return r;
}

/* Does the frontend lead to more than one backend? */
static bool is_shared(const struct haproxy_proxy *frontend)
{
    const char *only = frontend->default_backend ? dr_haproxy_word(frontend->default_backend, 1) : NULL;

    for (size_t i = 0; i < frontend->switches.count; i++) {
        const char *name = dr_haproxy_word(frontend->switches.list[i], 1);

        if (strchr(name, '%') || (only && strcmp(only, name) != 0))
            return true;
        only = name;
    }
    return false;
}

/* A backend that does not exist stops HAProxy, whether or not anybody could come there. */
static void check_names(const struct walk *walk)
{
    const struct haproxy_proxy *frontend = walk->frontend;

    for (size_t i = 0; i <= frontend->switches.count; i++) {
        bool last = i == frontend->switches.count;
        const struct haproxy_line *line = last ? frontend->default_backend : frontend->switches.list[i];

        if (line && (last || !strchr(dr_haproxy_word(line, 1), '%')) && !find_backend(walk, line))
            dr_haproxy_fault(walk->tree, line, 1, true, "there is no backend of the name '%.60s'", dr_haproxy_word(line, 1));
    }
}

int dr_haproxy_read_routes(struct haproxy_proxies *proxies)
{
    struct walk walk = {
        .proxies = proxies,
        .tree = proxies->tree,
        .arena = proxies->tree->gathering->loader->arena,
    };
    int r = 0;

    mark_named(proxies);
    for (size_t i = 0; r == 0 && i < proxies->tree->count; i++) {
        struct entrance entrance;

        walk.frontend = &proxies->list[i];
        if (walk.frontend->section->kind >= HAPROXY_DEFAULTS)
            dr_haproxy_check_scope(proxies->tree, walk.frontend);
        if (!dr_haproxy_is_frontend(walk.frontend) || walk.frontend->off || walk.frontend->mode == HAPROXY_OTHER_MODE)
            continue;
        walk.shared = is_shared(walk.frontend);
        walk.entrance = &entrance;
        check_names(&walk);
        for (int tls = 0; r == 0 && tls < 2; tls++) {
            r = gather_entrance(&walk, tls, &entrance);
            if (r == 0 && entrance.count > 0)
                r = walk_entrance(&walk);
        }
    }
    return r;
}
