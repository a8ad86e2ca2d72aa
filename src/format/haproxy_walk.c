/* From frontends to their backends: which requests come to which. */
#include "format/haproxy_route.h"

#include <string.h>
#include <strings.h>

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static bool is_same_host(const char *one, const char *other)
{
    return one && other && (strcasecmp(one, other) == 0 || (is_loopback(one) && is_loopback(other)));
}

/* Handshakes go elsewhere: fine when that leads to the same server. */
static int settle_elsewhere(const struct haproxy_walk *walk)
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

static int take_way(struct haproxy_walk *walk, struct haproxy_way *way)
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
        r = dr_haproxy_add_route(walk, way, i);
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
static int take_computed_way(struct haproxy_walk *walk, struct haproxy_way *way)
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

static const struct haproxy_proxy *find_backend(const struct haproxy_walk *walk, const struct haproxy_line *line)
{
    return dr_haproxy_backend(walk->proxies, dr_haproxy_word(line, 1));
}

/* Does an earlier line take a request for this host and path? */
static bool takes_before(const struct haproxy_walk *walk, struct haproxy_request *request, size_t index)
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
static bool is_taken_before(const struct haproxy_walk *walk, const struct haproxy_way *way, size_t index)
{
    enum { LOOK_BACK = 400 };
    struct haproxy_request request = dr_haproxy_new_request(walk, way, false);
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

static int walk_entrance(struct haproxy_walk *walk)
{
    const struct haproxy_proxy *frontend = walk->frontend;
    struct haproxy_request requests[2] = { dr_haproxy_new_request(walk, NULL, false),
                                           dr_haproxy_new_request(walk, NULL, true) };
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
        struct haproxy_way way = { .line = frontend->switches.list[i] };
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
    struct haproxy_way last = { .line = frontend->default_backend, .others = open[0], .handshakes = open[1] };

    last.backend = last.line ? find_backend(walk, last.line) : dr_haproxy_is_backend(frontend) ? frontend : NULL;
    if (r == 0 && last.backend && (open[0] || open[1]))
        r = take_way(walk, &last);
    return r < 0 ? r : settle_elsewhere(walk);
}

/* --- frontends ---------------------------------------------------------------------------------------------------------- */

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
static void check_names(const struct haproxy_walk *walk)
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
    struct haproxy_walk walk = {
        .proxies = proxies,
        .tree = proxies->tree,
        .arena = proxies->tree->gathering->loader->arena,
    };
    int r = 0;

    mark_named(proxies);
    for (size_t i = 0; r == 0 && i < proxies->tree->count; i++) {
        struct haproxy_entrance entrance;

        walk.frontend = &proxies->list[i];
        if (walk.frontend->section->kind >= HAPROXY_DEFAULTS)
            dr_haproxy_check_scope(proxies->tree, walk.frontend);
        if (!dr_haproxy_is_frontend(walk.frontend) || walk.frontend->off || walk.frontend->mode == HAPROXY_OTHER_MODE)
            continue;
        walk.shared = is_shared(walk.frontend);
        walk.entrance = &entrance;
        check_names(&walk);
        for (int tls = 0; r == 0 && tls < 2; tls++) {
            r = dr_haproxy_entrance(walk.tree, walk.frontend, tls, &entrance);
            if (r == 0 && entrance.count > 0)
                r = walk_entrance(&walk);
        }
    }
    return r;
}
