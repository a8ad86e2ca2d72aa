/*
 * Routers, services and servers as routes: one for each server and each sort of entry point.
 *
 * Entry points of a router: those it names, else those with asDefault, else all that speak TCP; with none configured there is ":80"
 * (pkg/config/static, SetEffectiveConfiguration). One that redirects everything (http.redirections) serves no router. A router with `tls`, or an
 * entry point with http.tls, answers TLS only (doc.traefik.io, "Routers").
 *
 * WebSockets pass by themselves (doc.traefik.io, "WebSocket"); after the 101 the connection is taken over and has no deadline
 * (Go's net/http: Hijack clears it). An h2c:// server: until the releases of 2026 the HTTP/1 transport for handshakes does not know the scheme, later
 * ones use HTTP/1.1 for them (pkg/server/service/smart_roundtripper.go).
 */
#include "format/traefik_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entrance {
    const struct traefik_node *entry; /* NULL: the one of Traefik's own, or not known */
    const char **listens;
    size_t count;
    bool tls;
};

struct work {
    struct traefik_model *model;
    const struct traefik_root *root;
    const struct traefik_node *router;
    struct traefik_rule rule;
    struct entrance entrance;
    struct traefik_way way;
};

/* --- entry points ------------------------------------------------------------------------------------------------------------ */

const char *dr_traefik_listen(const struct traefik_model *model, const char *address)
{
    size_t length = strcspn(address, "/");
    const char *colon = memrchr(address, ':', length);
    unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

    if (!colon || port == 0 || port > 65535)
        return NULL;
    if (!model->in_compose)
        return colon == address ? dr_arena_format(model->arena, "0.0.0.0:%lu", port)
                                : dr_arena_strndup(model->arena, address, length);
    for (size_t i = 0; i < model->port_count; i++)
        if (model->ports[i].target == port && model->ports[i].published)
            return dr_arena_format(model->arena, strchr(model->ports[i].host, ':') ? "[%s]:%u" : "%s:%u",
                                   *model->ports[i].host ? model->ports[i].host : "0.0.0.0", model->ports[i].published);
    return NULL;
}

static bool is_udp(const struct traefik_node *entry)
{
    const char *address = dr_traefik_text(dr_traefik_get(entry, "address"));

    return address && strstr(address, "/udp");
}

bool dr_traefik_is_asked(const struct traefik_model *model, const struct traefik_node *router,
                         const struct traefik_node *entry, bool some_default)
{
    const struct traefik_node *wanted = dr_traefik_get(router, "entryPoints");
    const char *const *names = dr_traefik_list(model->arena, wanted);

    if (is_udp(entry))
        return false;
    if (!names || !*names)
        return !some_default || dr_traefik_true(dr_traefik_get(entry, "asDefault"), false);
    for (; *names; names++)
        if (strcasecmp(*names, entry->key) == 0)
            return true;
    return false;
}

/* "tls: {}", "tls: true" */
static bool says_tls(const struct traefik_node *node)
{
    return node && (node->type == TRAEFIK_MAP || dr_traefik_true(node, false));
}

static bool speaks_tls(const struct work *work, const struct traefik_node *entry)
{
    return says_tls(dr_traefik_get(work->router, "tls")) || says_tls(dr_traefik_at(entry, "http.tls"));
}

/* Alike: a request through either of them looks the same to the gateway. */
static bool alike(const struct work *work, const struct traefik_node *a, const struct traefik_node *b)
{
    const struct traefik_node *node;

    return speaks_tls(work, a) == speaks_tls(work, b) && dr_traefik_trust(a, &node) == dr_traefik_trust(b, &node) &&
           !dr_traefik_at(a, "http.middlewares") && !dr_traefik_at(b, "http.middlewares") &&
           !dr_traefik_at(a, "forwardedHeaders.notAppendXForwardedFor") &&
           !dr_traefik_at(b, "forwardedHeaders.notAppendXForwardedFor");
}

/* --- servers ------------------------------------------------------------------------------------------------------------------ */

static void copy_way(struct dr_route *route, const struct traefik_place *place)
{
    memcpy(route->headers, place->way.headers, sizeof(route->headers));
    route->upgrade = place->way.lost ? DR_UPGRADE_DROPPED : place->way.doubt ? DR_UPGRADE_UNKNOWN : DR_UPGRADE_PASSED;
    route->upgrade_why = place->way.lost ? place->way.lost : place->way.doubt;
    dr_traefik_source(place->way.lost_node, &route->upgrade_source);
    route->upstream_path = place->way.path;
    route->note = place->way.note;
    route->buffers = place->way.buffers;
    route->idle_timeout_ms = 0;
}

static void add_route(struct work *work, const struct traefik_node *balancer, const struct traefik_node *node,
                      const char *text)
{
    struct traefik_model *model = work->model;
    struct dr_route *route = dr_proxy_route(model->gathering);
    struct traefik_place *place = dr_arena_alloc(model->arena, sizeof(*place));
    struct dr_proxy_url url;

    if (!route || !place)
        return;
    *place = (struct traefik_place){
        .model = model,
        .root = work->root,
        .router = work->router,
        .server = node,
        .pass_host = dr_traefik_get(balancer, "passHostHeader"),
        .way = work->way,
    };
    if (!dr_traefik_true(place->pass_host, true)) {
        place->way.headers[DR_ROUTE_HOST] = (struct dr_route_header){ .fate = DR_HEADER_SET, .value = text };
        place->way.decides[DR_ROUTE_HOST] = place->pass_host;
        dr_traefik_source(place->pass_host, &place->way.headers[DR_ROUTE_HOST].source);
    }
    dr_traefik_source(node, &route->source);
    route->listens = work->entrance.listens;
    route->names = work->rule.names;
    route->path = work->rule.path;
    route->pattern = work->rule.pattern;
    route->tls = work->entrance.tls;
    route->upstream_text = text;
    route->http_version = 11;
    route->place = place;
    if (dr_proxy_url_parse(model->arena, text, strlen(text), &url)) {
        route->upstream_host = url.host;
        route->upstream_tls = strcmp(url.scheme, "https") == 0;
        route->upstream_port = url.port ? url.port : route->upstream_tls ? 443 : 80;
        if (strcmp(url.scheme, "h2c") == 0) {
            route->http_version = 0;
            place->way.doubt = "the server's address begins with h2c://, and only recent releases of Traefik use HTTP/1.1 "
                               "for a handshake then";
        }
    }
    copy_way(route, place);
}

/* Labels: the container's name in Compose's network, and the port that was said, or exposed (pkg/provider/docker/config.go). */
static void add_container(struct work *work, const struct traefik_node *balancer, const struct traefik_root *home,
                          const struct traefik_node *server)
{
    const struct traefik_node *port = dr_traefik_get(server, "port");
    const char *url = dr_traefik_text(dr_traefik_get(server, "url"));
    const char *scheme = dr_traefik_text(dr_traefik_get(server, "scheme"));
    const char *number = dr_traefik_text(port) ? dr_traefik_text(port) : home->port;
    const struct traefik_node *at = port ? port : server ? server : work->router;

    if (url)
        add_route(work, balancer, dr_traefik_get(server, "url"), url);
    else
        add_route(work, balancer, at,
                  dr_arena_format(work->model->arena, number ? "%s://%s:%s" : "%s://%s", scheme ? scheme : "http",
                                  home->host ? home->host : home->service, number));
}

static void add_servers(struct work *work, const struct traefik_root *home, const struct traefik_node *balancer)
{
    const struct traefik_node *servers = dr_traefik_get(balancer, "servers");

    if (home->service) {
        const struct traefik_node *first = servers && servers->type == TRAEFIK_LIST ? servers->first : NULL;

        add_container(work, balancer, home, first ? first : dr_traefik_get(balancer, "server"));
        return;
    }
    for (const struct traefik_node *server = servers ? servers->first : NULL; server; server = server->next) {
        const struct traefik_node *url = dr_traefik_get(server, "url");

        if (dr_traefik_text(url))
            add_route(work, balancer, url, url->text);
    }
}

static void add_service(struct work *work, const char *name, unsigned depth);

static void add_parts(struct work *work, const struct traefik_node *service, unsigned depth)
{
    static const char *const single[] = { "mirroring.service", "failover.service", "failover.fallback" };
    const struct traefik_node *weighted = dr_traefik_at(service, "weighted.services");

    for (const struct traefik_node *part = weighted ? weighted->first : NULL; part; part = part->next) {
        const char *name = dr_traefik_text(dr_traefik_get(part, "name"));

        if (name)
            add_service(work, name, depth + 1);
    }
    for (size_t i = 0; i < DR_COUNT(single); i++) {
        const char *name = dr_traefik_text(dr_traefik_at(service, single[i]));

        if (name)
            add_service(work, name, depth + 1);
    }
}

static void add_service(struct work *work, const char *name, unsigned depth)
{
    const struct traefik_root *home;
    const struct traefik_node *service;
    struct dr_source source;

    if (strstr(name, "@internal") || depth > TRAEFIK_CHAIN || work->model->gathering->route_count >= DR_PROXY_ROUTES)
        return;
    service = dr_traefik_named(work->model, work->root, "http", "services", name, &home);
    if (!service && work->root->service && strcasecmp(name, work->root->service) == 0) {
        add_container(work, NULL, work->root, NULL); /* the service that Traefik makes for a container by itself */
        return;
    }
    if (!service) {
        dr_traefik_source(work->router, &source);
        dr_proxy_fault(work->model->gathering, &source, true, "the service \"%s\" was not found in what was read", name);
        return;
    }
    if (dr_traefik_get(service, "loadBalancer"))
        add_servers(work, home, dr_traefik_get(service, "loadBalancer"));
    add_parts(work, service, depth);
}

/* --- routers ------------------------------------------------------------------------------------------------------------------ */

/* Of labels, the only service of the container, else its own. */
static const char *service_of(const struct work *work)
{
    const char *name = dr_traefik_text(dr_traefik_get(work->router, "service"));
    const struct traefik_node *services = dr_traefik_at(work->root->tree, "http.services");

    if (name || !work->root->service)
        return name;
    return services && services->first ? services->first->key : work->root->service;
}

static void add_entrance(struct work *work)
{
    const char *name = service_of(work);

    dr_traefik_begin_way(work->model, work->entrance.entry, &work->way);
    dr_traefik_apply(work->model, work->root, dr_traefik_at(work->entrance.entry, "http.middlewares"), work->rule.path,
                     &work->way, 0);
    dr_traefik_apply(work->model, work->root, dr_traefik_get(work->router, "middlewares"), work->rule.path, &work->way, 0);
    if (name)
        add_service(work, name, 0);
}

static void add_listen(struct work *work, const struct traefik_node *entry)
{
    const char *address = dr_traefik_text(dr_traefik_get(entry, "address"));
    const char *text = address ? dr_traefik_listen(work->model, address) : NULL;

    if (text)
        work->entrance.listens[work->entrance.count++] = text;
}

static bool begin_entrance(struct work *work, const struct traefik_node *entry, size_t room)
{
    work->entrance = (struct entrance){
        .entry = entry,
        .listens = dr_arena_alloc(work->model->arena, (room + 1) * sizeof(const char *)),
        .tls = speaks_tls(work, entry),
    };
    work->model->no_memory = work->model->no_memory || !work->entrance.listens;
    return work->entrance.listens != NULL;
}

static void add_entrances(struct work *work, const struct traefik_node *entries)
{
    enum { MOST = 64 };
    const struct traefik_node *asked[MOST];
    bool done[MOST] = { false }, some_default = false;
    size_t count = 0;

    for (const struct traefik_node *entry = entries->first; entry; entry = entry->next)
        some_default = some_default || dr_traefik_true(dr_traefik_get(entry, "asDefault"), false);
    for (const struct traefik_node *entry = entries->first; entry && count < MOST; entry = entry->next)
        if (entry->key && !dr_traefik_at(entry, "http.redirections.entryPoint") &&
            dr_traefik_is_asked(work->model, work->router, entry, some_default))
            asked[count++] = entry;
    for (size_t i = 0; i < count; i++) {
        if (done[i] || !begin_entrance(work, asked[i], count))
            continue;
        for (size_t j = i; j < count; j++)
            if (j == i || (!done[j] && alike(work, asked[i], asked[j]))) {
                done[j] = true;
                add_listen(work, asked[j]);
            }
        add_entrance(work);
    }
}

static void add_router(struct work *work)
{
    const struct traefik_node *entries = dr_traefik_get(work->model->settings, "entryPoints");
    const char *rule = dr_traefik_text(dr_traefik_get(work->router, "rule"));

    if (dr_traefik_rule(work->model->arena, rule ? rule : "Host(`{{ normalize .Name }}`) || default", &work->rule) < 0) {
        work->model->no_memory = true;
        return;
    }
    if (entries && entries->type == TRAEFIK_MAP) {
        add_entrances(work, entries);
        return;
    }
    if (!begin_entrance(work, NULL, 1))
        return;
    if (work->model->settings && dr_traefik_listen(work->model, ":80"))
        work->entrance.listens[0] = dr_traefik_listen(work->model, ":80");
    add_entrance(work);
}

bool dr_traefik_is_shadowed(const struct traefik_model *model, const struct traefik_root *root, const char *protocol,
                            const char *name)
{
    if (root->service)
        return false;
    for (const struct traefik_root *other = model->roots; other < root; other++) {
        const struct traefik_node *routers = dr_traefik_get(dr_traefik_get(other->tree, protocol), "routers");

        for (const struct traefik_node *router = routers && !other->service ? routers->first : NULL; router;
             router = router->next)
            if (router->key && strcmp(router->key, name) == 0)
                return true;
    }
    return false;
}

static void add_routers(struct traefik_model *model, const struct traefik_root *root)
{
    const struct traefik_node *routers = dr_traefik_at(root->tree, "http.routers");
    struct work work = { .model = model, .root = root };
    struct dr_source source;
    unsigned count = 0;

    dr_traefik_tcp_routes(model, root);
    /* A container without a router gets one (pkg/provider/configuration.go), unless it has something for TCP or UDP alone (pkg/provider/docker). */
    if (!routers && root->service &&
        (dr_traefik_get(root->tree, "http") || (!dr_traefik_get(root->tree, "tcp") && !dr_traefik_get(root->tree, "udp")))) {
        work.router = root->tree;
        add_router(&work);
        return;
    }
    for (const struct traefik_node *router = routers ? routers->first : NULL; router && !model->no_memory;
         router = router->next) {
        dr_traefik_source(router, &source);
        if (++count > TRAEFIK_ROUTERS || (router->key && strcmp(router->key, "<<") == 0)) {
            dr_proxy_fault(model->gathering, &source, true, "%s",
                           count > TRAEFIK_ROUTERS ? "more than 10000 routers" : "a merge key (\"<<\") among routers");
            return;
        }
        work.router = router;
        if (router->key && router->type == TRAEFIK_MAP && !dr_traefik_is_shadowed(model, root, "http", router->key) &&
            model->gathering->route_count < DR_PROXY_ROUTES)
            add_router(&work);
    }
}

void dr_traefik_routes(struct traefik_model *model)
{
    for (size_t i = 0; i < model->root_count && !model->no_memory; i++)
        add_routers(model, &model->roots[i]);
}
