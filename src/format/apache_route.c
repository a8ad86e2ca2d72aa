/*
 * Who takes which request: rewriting rules of the server first, then the ProxyPass of the last <Location> that matches, then the list of
 * ProxyPass in order, the main server's in front of the virtual host's; "!" ends the search.
 *
 * Everything that can make a difference (a prefix of ProxyPass, a path of a <Location> with something to say, the beginning of a rule) is a
 * point; for each point it is asked who takes the requests there, and that is a route.
 */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* A path at which somebody else may take the requests. */
struct point {
    const char *path;
    const struct apache_node
        *pass; /* the ProxyPass that has it: when another one takes its requests, it is no route; NULL: a Location's */
};

struct routing {
    struct apache_reader *reader;
    struct apache_tree *tree;
    struct apache_server *server;
    struct apache_rules rules;
    struct apache_taker *locations; /* with a ProxyPass, in merge order */
    size_t location_count, location_room;
    struct apache_taker *passes; /* the list, in order */
    size_t pass_count, pass_room;
    struct point *points;
    size_t point_count, point_room;
    struct { /* routes that were made */
        const struct apache_node *node;
        const char *path;
    } * made;
    size_t made_count, made_room;
};

/* --- gathering -------------------------------------------------------------------------------------------------------------- */

static int add_taker(struct routing *routing, struct apache_taker **list, size_t *count, size_t *room,
                     struct apache_taker taker)
{
    struct apache_taker *grown = dr_arena_grow(routing->reader->arena, *list, *count, sizeof(*grown), room);

    if (!grown)
        return -ENOMEM;
    *list = grown;
    grown[(*count)++] = taker;
    return 0;
}

static int add_point(struct routing *routing, const char *path, const struct apache_node *pass)
{
    struct point *grown =
        dr_arena_grow(routing->reader->arena, routing->points, routing->point_count, sizeof(*grown), &routing->point_room);

    if (!grown)
        return -ENOMEM;
    routing->points = grown;
    grown[routing->point_count++] = (struct point){ .path = path, .pass = pass };
    return 0;
}

/* Directives that make a difference to what is handed on. */
static bool says_something(const struct apache_node *section)
{
    static const char *const names[] = { "RequestHeader",  "ProxyPreserveHost", "ProxyAddHeaders",
                                         "SetEnv",         "UnsetEnv",          "SetEnvIf",
                                         "SetEnvIfNoCase", "ProxyPass",         "SSLProxyEngine" };

    for (const struct apache_node *node = section->first; node; node = node->next)
        for (size_t i = 0; i < DR_COUNT(names); i++)
            if (apache_is(node, names[i]))
                return true;
    return false;
}

static const struct apache_node *pass_in(const struct apache_node *section)
{
    const struct apache_node *last = NULL;

    for (const struct apache_node *node = section->first; node; node = node->next)
        if (apache_is(node, "ProxyPass") || apache_is(node, "ProxyPassMatch"))
            last = node;
    return last;
}

static int add_location(struct routing *routing, const struct apache_server *server, const struct apache_node *section)
{
    const char *regex = apache_section_regex(section);
    const struct apache_node *pass = pass_in(section);
    int r = 0;

    /* ProxyPass in <Location ~ x> is compared with "x" itself: never the same. */
    if (pass && regex && !apache_is(section, "<LocationMatch") && apache_is(pass, "ProxyPass"))
        return 0;
    if (pass)
        r = add_taker(routing, &routing->locations, &routing->location_count, &routing->location_room,
                      (struct apache_taker){ .node = pass,
                                             .section = section,
                                             .path = regex ? regex : apache_arg(section, 0),
                                             .regex = regex != NULL,
                                             .target = apache_arg(pass, 0),
                                             .inherited = server != routing->server });
    if (r >= 0 && !regex && says_something(section) &&
        strcspn(apache_arg(section, 0), "*?[") == strlen(apache_arg(section, 0)))
        r = add_point(routing, apache_arg(section, 0), NULL);
    return r;
}

static int gather(struct routing *routing, const struct apache_server *server)
{
    int r = 0;

    if (!apache_spend(routing->reader, server->pass_count + server->section_count * 8))
        return 0;
    for (size_t i = 0; i < server->pass_count && r >= 0; i++) {
        const struct apache_pass *pass = &server->passes[i];

        r = add_taker(routing, &routing->passes, &routing->pass_count, &routing->pass_room,
                      (struct apache_taker){ .node = pass->node,
                                             .path = pass->path,
                                             .regex = pass->regex,
                                             .target_word = pass->target_word,
                                             .target = pass->target,
                                             .inherited = server != routing->server });
        if (r >= 0 && !pass->regex)
            r = add_point(routing, pass->path, pass->node);
    }
    for (size_t i = 0; i < server->section_count && r >= 0; i++)
        if (apache_is(server->sections[i], "<Location") || apache_is(server->sections[i], "<LocationMatch"))
            r = add_location(routing, server, server->sections[i]);
    return r;
}

/* --- who takes it --------------------------------------------------------------------------------------------------------- */

static enum apache_cover rule_covers(const struct apache_rule *rule, const char *path)
{
    enum apache_cover cover = apache_regex_covers(rule->pattern, path);

    if (!rule->negated)
        return cover;
    return cover == APACHE_SOME ? cover : cover == APACHE_ALL ? APACHE_NONE : APACHE_ALL;
}

/* False: a rule answers by itself, or nobody takes it. */
static bool find_taker(const struct routing *routing, const char *path, struct apache_taker *ret_taker)
{
    if (!apache_spend(routing->reader, (routing->rules.count + routing->location_count + routing->pass_count) * 4))
        return false;
    for (size_t i = 0; i < routing->rules.count; i++) {
        const struct apache_rule *rule = &routing->rules.list[i];

        if (!rule->always && !rule->others)
            continue;
        if (rule_covers(rule, path) != APACHE_ALL)
            continue;
        if (rule->proxies) {
            *ret_taker = apache_rule_taker(rule);
            return true;
        }
        if (rule->ends && rule->always)
            return false;
    }
    for (size_t i = routing->location_count; i > 0; i--) {
        const struct apache_taker *taker = &routing->locations[i - 1];

        if (apache_location_covers(taker->section, path) == APACHE_ALL) {
            *ret_taker = *taker;
            return strcmp(taker->target, "!") != 0;
        }
    }
    for (size_t i = 0; i < routing->pass_count; i++) {
        const struct apache_taker *taker = &routing->passes[i];

        if ((taker->regex ? apache_regex_covers(taker->path, path) : apache_alias_covers(taker->path, path)) == APACHE_ALL) {
            *ret_taker = *taker;
            return strcmp(taker->target, "!") != 0;
        }
    }
    return false;
}

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
    for (size_t i = 0; i < routing->rules.count && !place->handshake && apache_spend(routing->reader, 8); i++) {
        const struct apache_rule *rule = &routing->rules.list[i];

        if (rule == taker->rule && !rule->others)
            break;
        if (!rule->proxies || rule->always || rule->others)
            continue;

        enum apache_cover cover = rule_covers(rule, point);

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
    bool found = find_taker(routing, point, &taker);

    /* <Location /app> with ProxyPass /app/: only "/app" itself goes elsewhere. */
    if (length > 0 && point[length - 1] != '/' && !(found && strcmp(taker.path, point) == 0)) {
        const char *folder = dr_arena_format(routing->reader->arena, "%s/", point);

        if (!folder)
            return -ENOMEM;
        if (!find_taker(routing, folder, &deeper))
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
        if (rule->handshakes && find_taker(routing, prefix, &other) &&
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
    struct routing routing = { .reader = reader, .tree = tree, .server = server };
    int r = apache_rules(reader, server, &routing.rules);

    if (r >= 0 && server->main)
        r = gather(&routing, server->main);
    if (r >= 0)
        r = gather(&routing, server);
    for (size_t i = 0; i < routing.rules.count && r >= 0; i++)
        r = route_rule(&routing, &routing.rules.list[i]);
    for (size_t i = 0; i < routing.point_count && r >= 0; i++)
        r = route_point(&routing, routing.points[i].path, routing.points[i].pass);
    for (size_t i = 0; i < routing.pass_count && r >= 0; i++)
        if (routing.passes[i].regex)
            r = route_pattern(&routing, &routing.passes[i], NULL);
    for (size_t i = 0; i < routing.location_count && r >= 0; i++)
        if (routing.locations[i].regex)
            r = route_pattern(&routing, &routing.locations[i], NULL);
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
