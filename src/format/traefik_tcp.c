/*
 * Routers for TCP: bytes pass as they are. The gateway sees the client's request and Traefik's address; no header is added, none is dropped.
 *
 * doc.traefik.io, "Routing & Load Balancing": "TCP Routers" (with an entry point in common they go before routers for HTTP; a HostSNI other than
 * `*` needs TLS), "TLS" (tls ends TLS here, tls.passthrough leaves it to the server), "TCP Services" (servers.address, servers.tls, weighted),
 * "ServersTransport" and "PROXY Protocol": loadBalancer.proxyProtocol (2.x, 3.x) or that of the serversTransport (later 3.x) puts a line or a
 * block ahead that the gateway does not understand. Fields: pkg/config/dynamic/tcp_config.go. Nothing ends a silent connection.
 */
#include "format/traefik_internal.h"

#include <string.h>
#include <strings.h>

struct work {
    struct traefik_model *model;
    const struct traefik_root *root;
    const struct traefik_node *router;
    const char *const *listens;
    const char *const *names;
    const char *pattern;
    bool tls, passthrough;
};

/* HostSNI(`a`, `b`) || HostSNI(`c`); HostSNI(`*`) is everybody. Anything else is a pattern. */
static void take_rule(struct work *work, const char *rule)
{
    const char **names = dr_arena_alloc(work->model->arena, (strlen(rule) / 2 + 2) * sizeof(*names));
    const char *at = rule;
    size_t count = 0;
    bool everybody = false, understood = names != NULL;

    while (understood && *(at += strspn(at, " \t\r\n|"))) {
        understood = strncasecmp(at, "HostSNI(", strlen("HostSNI(")) == 0;
        at += understood ? strlen("HostSNI(") : 0;
        while (understood && *(at += strspn(at, " \t,")) != ')') {
            const char *end = *at == '`' || *at == '"' ? strchr(at + 1, *at) : NULL;
            const char *name = end ? dr_arena_strndup(work->model->arena, at + 1, (size_t)(end - at - 1)) : NULL;

            understood = name != NULL;
            if (!understood)
                break;
            everybody = everybody || strcmp(name, "*") == 0;
            names[count++] = name;
            at = end + 1;
        }
        at += understood;
    }
    work->model->no_memory = work->model->no_memory || !names;
    if (!names)
        return;
    names[understood && !everybody ? count : 0] = NULL;
    work->names = names;
    work->pattern = understood ? NULL : rule;
}

static bool says(const struct traefik_node *node)
{
    return node && (node->type == TRAEFIK_MAP || node->type == TRAEFIK_NULL || dr_traefik_true(node, false));
}

static bool sends_proxy_line(struct work *work, const struct traefik_node *balancer)
{
    const char *transport = dr_traefik_text(dr_traefik_get(balancer, "serversTransport"));
    const struct traefik_root *home;

    if (says(dr_traefik_get(balancer, "proxyProtocol")))
        return true;
    return transport &&
           says(dr_traefik_get(dr_traefik_named(work->model, work->root, "tcp", "serversTransports", transport, &home),
                               "proxyProtocol"));
}

static void add_route(struct work *work, const struct traefik_node *balancer, const struct traefik_node *server,
                      const struct traefik_node *node, const char *address)
{
    struct traefik_model *model = work->model;
    struct traefik_place *place = dr_arena_alloc(model->arena, sizeof(*place));
    struct dr_route *route = place && address ? dr_proxy_route(model->gathering) : NULL;
    struct dr_proxy_url url;

    model->no_memory = model->no_memory || !place || !address;
    if (!route)
        return;
    *place =
        (struct traefik_place){ .model = model, .root = work->root, .router = work->router, .server = node, .tcp = true };
    dr_traefik_source(node, &route->source);
    route->listens = work->listens;
    route->names = work->names;
    route->path = work->pattern ? NULL : "/";
    route->pattern = work->pattern;
    route->tls = work->tls;
    route->upstream_text = address;
    route->upstream_tls = work->passthrough || dr_traefik_true(dr_traefik_get(server, "tls"), false);
    route->http_version = 11;
    route->upgrade = DR_UPGRADE_PASSED;
    route->idle_timeout_ms = 0;
    route->place = place;
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        route->headers[i].fate = DR_HEADER_CLIENTS;
    if (dr_proxy_url_parse(model->arena, address, strlen(address), &url)) {
        route->upstream_host = url.host;
        route->upstream_port = url.port;
    }
    if (sends_proxy_line(work, balancer)) {
        route->upgrade = DR_UPGRADE_DROPPED;
        route->upgrade_why = "proxyProtocol begins each connection with something that the gateway does not understand";
        route->upgrade_source = route->source;
    }
}

static void add_servers(struct work *work, const struct traefik_root *home, const struct traefik_node *balancer)
{
    const struct traefik_node *servers = dr_traefik_get(balancer, "servers");
    const struct traefik_node *one = servers && servers->type == TRAEFIK_LIST ? servers->first : NULL;

    if (home->service) { /* labels: the container, and the port that was said, or exposed */
        const struct traefik_node *server = one ? one : dr_traefik_get(balancer, "server");
        const struct traefik_node *port = dr_traefik_get(server, "port");
        const char *number = dr_traefik_text(port) ? dr_traefik_text(port) : home->port;

        if (number)
            add_route(work, balancer, server, port ? port : work->router,
                      dr_arena_format(work->model->arena, "%s:%s", home->host ? home->host : home->service, number));
        return;
    }
    for (; one; one = one->next) {
        const struct traefik_node *address = dr_traefik_get(one, "address");

        if (dr_traefik_text(address))
            add_route(work, balancer, one, address, address->text);
    }
}

static void add_service(struct work *work, const char *name, unsigned depth)
{
    const struct traefik_root *home;
    const struct traefik_node *service = dr_traefik_named(work->model, work->root, "tcp", "services", name, &home);
    const struct traefik_node *weighted = dr_traefik_at(service, "weighted.services");
    struct dr_source source;

    if (depth > TRAEFIK_CHAIN || work->model->gathering->route_count >= DR_PROXY_ROUTES)
        return;
    if (!service && work->root->service && strcasecmp(name, work->root->service) == 0) {
        add_servers(work, work->root, NULL);
        return;
    }
    if (!service) {
        dr_traefik_source(work->router, &source);
        dr_proxy_fault(work->model->gathering, &source, true, "the service \"%s\" for TCP was not found in what was read",
                       name);
        return;
    }
    if (dr_traefik_get(service, "loadBalancer"))
        add_servers(work, home, dr_traefik_get(service, "loadBalancer"));
    for (const struct traefik_node *part = weighted ? weighted->first : NULL; part; part = part->next)
        if (dr_traefik_text(dr_traefik_get(part, "name")))
            add_service(work, dr_traefik_text(dr_traefik_get(part, "name")), depth + 1);
}

/* All entry points that it is asked at, together: nothing of them changes what passes. */
static const char *const *listens_of(struct work *work)
{
    enum { MOST = 64 };
    const struct traefik_node *entries = dr_traefik_get(work->model->settings, "entryPoints");
    const char **list = dr_arena_alloc(work->model->arena, (MOST + 1) * sizeof(*list));
    bool some_default = false;
    size_t count = 0;

    for (const struct traefik_node *entry = entries ? entries->first : NULL; entry; entry = entry->next)
        some_default = some_default || dr_traefik_true(dr_traefik_get(entry, "asDefault"), false);
    for (const struct traefik_node *entry = entries ? entries->first : NULL; list && entry && count < MOST;
         entry = entry->next) {
        const char *address = dr_traefik_text(dr_traefik_get(entry, "address"));
        const char *text = address && entry->key && dr_traefik_is_asked(work->model, work->router, entry, some_default)
                               ? dr_traefik_listen(work->model, address)
                               : NULL;

        if (text)
            list[count++] = text;
    }
    work->model->no_memory = work->model->no_memory || !list;
    return list;
}

static void add_router(struct work *work)
{
    const struct traefik_node *tls = dr_traefik_get(work->router, "tls");
    const struct traefik_node *services = dr_traefik_at(work->root->tree, "tcp.services");
    const char *rule = dr_traefik_text(dr_traefik_get(work->router, "rule"));
    const char *name = dr_traefik_text(dr_traefik_get(work->router, "service"));

    if (!name && work->root->service)
        name = services && services->first ? services->first->key : work->root->service;
    if (!name || !rule) /* Traefik leaves a router without a rule or a service out */
        return;
    work->tls = says(tls);
    work->passthrough = work->tls && dr_traefik_true(dr_traefik_get(tls, "passthrough"), false);
    work->listens = listens_of(work);
    take_rule(work, rule);
    if (!work->model->no_memory)
        add_service(work, name, 0);
}

void dr_traefik_tcp_routes(struct traefik_model *model, const struct traefik_root *root)
{
    const struct traefik_node *routers = dr_traefik_at(root->tree, "tcp.routers");
    struct work work = { .model = model, .root = root };
    unsigned count = 0;

    for (const struct traefik_node *router = routers ? routers->first : NULL; router && !model->no_memory;
         router = router->next) {
        work.router = router;
        if (++count <= TRAEFIK_ROUTERS && router->key && router->type == TRAEFIK_MAP &&
            !dr_traefik_is_shadowed(model, root, "tcp", router->key) && model->gathering->route_count < DR_PROXY_ROUTES)
            add_router(&work);
    }
}
