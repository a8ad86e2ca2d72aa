/*
 * Everything that can make a difference (a prefix of ProxyPass, a path of a <Location> with something to say, the beginning of a rule) is a
 * point; for each point it is asked who takes the requests there, and that is a route.
 */
#include "format/apache_taker.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct routing {
    struct apache_reader *reader;
    struct apache_tree *tree;
    struct apache_server *server;
    struct apache_takers takers;
    struct { /* routes that were made */
        const struct apache_node *node;
        const char *path;
    } * made;
    size_t made_count, made_room;
};

/* --- one route -------------------------------------------------------------------------------------------------------------- */

static bool is_made(const struct routing *routing, const struct apache_node *node, const char *path)
{
    if (!apache_spend(routing->reader, routing->made_count))
        return true;
    for (size_t i = 0; i < routing->made_count; i++)
        if (routing->made[i].node == node && strcmp(routing->made[i].path, path) == 0)
            return true;
    return false;
}

static int note_made(struct routing *routing, const struct apache_node *node, const char *path)
{
    void *grown = dr_arena_grow(routing->reader->arena, routing->made, routing->made_count, sizeof(*routing->made),
                                &routing->made_room);

    if (!grown)
        return -ENOMEM;
    routing->made = grown;
    routing->made[routing->made_count].node = node;
    routing->made[routing->made_count++].path = path;
    return 0;
}

/* Which rule takes the handshakes of the requests at a point, before `taker` is asked. */
static void find_handshake(const struct routing *routing, const struct apache_taker *taker, const char *point,
                           struct apache_place *place)
{
    for (size_t i = 0; i < routing->takers.rules.count && !place->handshake && apache_spend(routing->reader, 8); i++) {
        const struct apache_rule *rule = &routing->takers.rules.list[i];

        if (rule == taker->rule && !rule->others)
            break;
        if (!rule->proxies || rule->always || rule->others)
            continue;

        enum apache_cover cover = apache_rule_covers(rule, point);

        if (cover == APACHE_NONE)
            continue;
        if (rule->handshakes && cover == APACHE_ALL)
            place->handshake = rule;
        else if (!place->handshake_doubt)
            place->handshake_doubt = rule->node;
    }
}

/* What a header's fate does not say. */
static const char *note(const struct apache_place *place, const struct dr_route *route)
{
    const struct dr_route_header *address = &route->headers[DR_ROUTE_FORWARDED_FOR];
    bool maybe;
    const struct apache_node *adds = apache_scope_last(&place->scope, "ProxyAddHeaders", &maybe);

    if (apache_believes_everybody(place->server))
        return "RemoteIPHeader without RemoteIPTrustedProxy or RemoteIPInternalProxy: httpd takes whatever address a client "
               "names for the client's";
    if (address->fate == DR_HEADER_SET && adds && !maybe && strcasecmp(apache_arg(adds, 0), "on") != 0)
        return "RequestHeader sets X-Forwarded-For, and ProxyAddHeaders is Off: a client that sends \"Connection: "
               "X-Forwarded-For\" makes "
               "httpd drop it";
    return NULL;
}

static int finish(struct routing *routing, const struct apache_taker *taker, struct apache_place *place,
                  struct dr_route *route, const char *spelt)
{
    struct dr_arena *arena = routing->reader->arena;
    struct apache_facts facts = {
        .reader = routing->reader, .server = routing->server, .scope = &place->scope, .path = place->path
    };
    struct dr_proxy_url url = { .path = "" };
    const char *plain = strncasecmp(spelt, "unix:", 5) == 0 && strchr(spelt, '|') ? strchr(spelt, '|') + 1 : spelt;

    (void)dr_proxy_url_parse(arena, plain, strcspn(plain, "$%"), &url);
    place->url = place->member ? apache_with_path(arena, apache_worker_url(arena, spelt))
                               : apache_request_url(place, spelt, apache_seen_path(arena, taker, place->path, url.path));
    place->handshake_url = place->url;
    if (place->handshake && apache_same_upstream(arena, place->handshake->target, plain)) {
        place->handshake_url = apache_rule_url(place, place->handshake);
    } else if (place->handshake) {
        place->handshake_elsewhere = place->handshake->node;
        place->handshake = NULL;
    }
    if (!place->url || !place->handshake_url)
        return -ENOMEM;
    if (!place->member || place->handshake)
        apache_choose_workers(place);

    /* Handshakes are what counts: <Proxy> sections are those of their URL. */
    if (place->member && !place->handshake)
        place->deep_worker = place->worker;
    place->proxy_url = place->member && !place->handshake ? apache_with_path(arena, apache_worker_url(arena, taker->target))
                                                          : place->handshake_url;

    int r = place->proxy_url
                ? apache_scope(routing->reader, routing->server, place->path, place->proxy_url, NULL, &place->scope)
                : -ENOMEM;

    if (r < 0)
        return r;
    apache_headers(&facts, route->headers);
    apache_upgrade(&facts, place, route);
    apache_silence(place, route);
    route->note = note(place, route);
    route->place = place;
    return 0;
}

static int make_route(struct routing *routing, const struct apache_taker *taker, const char *point, const char *pattern,
                      const struct apache_worker *member)
{
    static const char *const none[] = { NULL };
    struct dr_arena *arena = routing->reader->arena;
    struct apache_place *place = dr_arena_alloc(arena, sizeof(*place));
    struct dr_route *route = dr_proxy_route(&routing->reader->gathering);
    const char *spelt = member ? apache_arg(member->node, apache_is(member->node, "BalancerMember") &&
                                                              strncasecmp(apache_arg(member->node, 0), "balancer:", 9) == 0)
                               : taker->target;

    if (!place)
        return -ENOMEM;
    if (!route)
        return 0;
    *place = (struct apache_place){
        .tree = routing->tree,
        .server = routing->server,
        .node = taker->node,
        .section = taker->section,
        .member = member ? member->node : NULL,
        .target_word = member ? strncasecmp(apache_arg(member->node, 0), "balancer:", 9) == 0 : taker->target_word,
        .worker = member,
        .path = point,
        .is_rule = taker->rule != NULL,
        .is_pattern = pattern != NULL,
        .takes_regex = taker->regex && !taker->rule,
        .inherited = taker->inherited,
    };
    apache_node_source(taker->node, &route->source);
    route->listens = routing->server->listens ? routing->server->listens : none;
    route->names = routing->server->names ? routing->server->names : none;
    route->any_name = routing->server->any_name && route->names[0];
    route->tls = routing->server->tls;
    route->path = pattern ? NULL : point;
    route->pattern = pattern;
    find_handshake(routing, taker, point, place);
    apache_set_upstream(arena, route, taker, spelt, point);
    return finish(routing, taker, place, route, spelt);
}

/* A balancer is as many routes as it has members. */
static int make_routes(struct routing *routing, const struct apache_taker *taker, const char *point, const char *pattern)
{
    int r = note_made(routing, taker->node, pattern ? pattern : point);
    const struct apache_balancer *balancer =
        strncasecmp(taker->target, "balancer://", 11) == 0 ? apache_balancer_for(routing->server, taker->target) : NULL;

    if (r < 0 || !balancer || balancer->member_count == 0)
        return r < 0 ? r : make_route(routing, taker, point, pattern, NULL);
    for (size_t i = 0; i < balancer->member_count && r >= 0; i++)
        r = make_route(routing, taker, point, pattern, &balancer->members[i]);
    return r;
}

static int route_point(struct routing *routing, const char *point, const struct apache_node *only)
{
    struct apache_taker taker, deeper;
    size_t length = strlen(point);
    bool found = apache_takers_find(&routing->takers, point, &taker);

    /* <Location /app> with ProxyPass /app/: only "/app" itself goes elsewhere. */
    if (length > 0 && point[length - 1] != '/' && !(found && strcmp(taker.path, point) == 0)) {
        const char *folder = dr_arena_format(routing->reader->arena, "%s/", point);

        if (!folder)
            return -ENOMEM;
        if (!apache_takers_find(&routing->takers, folder, &deeper))
            return 0;
        if (!found || deeper.node != taker.node) {
            point = folder;
            taker = deeper;
            found = true;
        }
    }
    if (!found || (only && taker.node != only) || is_made(routing, taker.node, point))
        return 0;
    return make_routes(routing, &taker, point, NULL);
}

/* What takes by a pattern that is no plain prefix: a route with that pattern, looked at where its paths begin. */
static int route_pattern(struct routing *routing, const struct apache_taker *taker, const char *words)
{
    const char *beginning;
    const char *prefix = apache_regex_prefix(routing->reader->arena, taker->path, &beginning);

    if (strcmp(taker->target, "!") == 0)
        return 0;
    if (prefix && *prefix == '/' && !words)
        return route_point(routing, prefix, taker->node);
    return make_routes(routing, taker, beginning && *beginning == '/' ? beginning : "/", words ? words : taker->path);
}

static int route_rule(struct routing *routing, const struct apache_rule *rule)
{
    struct apache_taker taker = apache_rule_taker(rule), other;
    struct dr_arena *arena = routing->reader->arena;
    const char *beginning;
    const char *prefix = apache_regex_prefix(arena, rule->pattern, &beginning);
    const char *words = rule->negated ? dr_arena_format(arena, "!%s", rule->pattern) : rule->pattern;

    if (!rule->proxies)
        return 0;
    if (!rule->section && prefix && *prefix == '/' && !rule->negated) {
        if (rule->always || rule->others)
            return route_point(routing, prefix, NULL);
        /* Handshakes only: a route of its own where the other requests go elsewhere or nowhere. */
        if (rule->handshakes && apache_takers_find(&routing->takers, prefix, &other) &&
            apache_same_upstream(arena, other.target, rule->target))
            return route_point(routing, prefix, NULL);
        if (rule->handshakes)
            return make_routes(routing, &taker, prefix, NULL);
    }
    for (size_t i = 0; i < rule->condition_count && words; i++)
        words = dr_arena_format(arena, "%s, %s %s", words, apache_arg(rule->conditions[i], 0),
                                apache_arg(rule->conditions[i], 1));
    return words ? route_pattern(routing, &taker, words) : -ENOMEM;
}

static int route_sections(struct routing *routing, const struct apache_server *server)
{
    int r = 0;

    if (!apache_spend(routing->reader, server->section_count * 8))
        return 0;
    for (size_t i = 0; i < server->section_count && r >= 0; i++) {
        struct apache_rules rules;

        r = apache_section_rules(routing->reader, server->sections[i], routing->server->tls, &rules);
        for (size_t j = 0; j < rules.count && r >= 0; j++)
            r = route_rule(routing, &rules.list[j]);
    }
    return r;
}

static int route_server(struct apache_reader *reader, struct apache_tree *tree, struct apache_server *server)
{
    struct routing routing = {
        .reader = reader, .tree = tree, .server = server, .takers = { .reader = reader, .server = server }
    };
    int r = apache_rules(reader, server, &routing.takers.rules);

    if (r >= 0 && server->main)
        r = apache_takers_gather(&routing.takers, server->main);
    if (r >= 0)
        r = apache_takers_gather(&routing.takers, server);
    for (size_t i = 0; i < routing.takers.rules.count && r >= 0; i++)
        r = route_rule(&routing, &routing.takers.rules.list[i]);
    for (size_t i = 0; i < routing.takers.point_count && r >= 0; i++)
        r = route_point(&routing, routing.takers.points[i].path, routing.takers.points[i].pass);
    for (size_t i = 0; i < routing.takers.pass_count && r >= 0; i++)
        if (routing.takers.passes[i].regex)
            r = route_pattern(&routing, &routing.takers.passes[i], NULL);
    for (size_t i = 0; i < routing.takers.location_count && r >= 0; i++)
        if (routing.takers.locations[i].regex)
            r = route_pattern(&routing, &routing.takers.locations[i], NULL);
    if (r >= 0 && server->main)
        r = route_sections(&routing, server->main);
    return r >= 0 ? route_sections(&routing, server) : r;
}

int apache_routes(struct apache_reader *reader, struct apache_tree *tree)
{
    int r = 0;

    for (size_t i = 0; i < tree->server_count && r >= 0 && !reader->budget->spent; i++)
        if (tree->servers[i].reachable)
            r = route_server(reader, tree, &tree->servers[i]);
    return r;
}
