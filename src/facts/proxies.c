#include "facts/proxies.h"

#include "api/gateway.h"
#include "api/locality.h"
#include "api/network.h"
#include "api/target.h"
#include "facts/proxy_files.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct dr_proxy_format *const formats[DR_PROXY_KINDS] = {
    [DR_PROXY_NGINX] = &dr_nginx_format,   [DR_PROXY_CADDY] = &dr_caddy_format,     [DR_PROXY_HAPROXY] = &dr_haproxy_format,
    [DR_PROXY_APACHE] = &dr_apache_format, [DR_PROXY_TRAEFIK] = &dr_traefik_format,
};

const char *dr_proxy_kind_name(enum dr_proxy_kind kind)
{
    static const char *const names[DR_PROXY_KINDS] = {
        [DR_PROXY_NGINX] = "nginx",         [DR_PROXY_CADDY] = "Caddy",     [DR_PROXY_HAPROXY] = "HAProxy",
        [DR_PROXY_APACHE] = "Apache httpd", [DR_PROXY_TRAEFIK] = "Traefik",
    };

    return names[kind];
}

/* --- does a route lead to this gateway? ------------------------------------------------------------------------------- */

/* Inside of Docker's networks a service is called by a name without a dot; host.docker.internal is this host. */
static bool may_be_this_host(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "host.docker.internal") == 0 || !strchr(host, '.');
}

static bool leads_here(struct dr_context *context, const struct dr_route *route, unsigned port)
{
    static const char *const anywhere[] = { "0.0.0.0", "::" };
    struct dr_address address;

    if (!route->upstream_host || route->upstream_port != port)
        return false;
    for (size_t i = 0; i < DR_COUNT(anywhere); i++)
        if (strcmp(route->upstream_host, anywhere[i]) == 0)
            return true;
    if (dr_address_parse(route->upstream_host, &address))
        return dr_address_is_own(context, &address);
    return may_be_this_host(route->upstream_host);
}

static void select_routes(struct dr_context *context, struct dr_proxies *proxies)
{
    unsigned port = dr_gateway(context)->port;
    size_t total = 0;

    for (size_t i = 0; i < proxies->config_count; i++)
        total += proxies->configs[i]->route_count;
    const struct dr_route **list = dr_alloc(context, (total + 1) * sizeof(*list));

    for (size_t i = 0; port != 0 && i < proxies->config_count; i++)
        for (size_t r = 0; r < proxies->configs[i]->route_count; r++)
            if (leads_here(context, &proxies->configs[i]->routes[r], port))
                list[proxies->to_gateway_count++] = &proxies->configs[i]->routes[r];
    proxies->to_gateway = list;
}

/* --- the fact --------------------------------------------------------------------------------------------------------- */

static void read_place(struct dr_context *context, const struct dr_proxy_place *place, struct dr_proxies *proxies,
                       const struct dr_proxy_config **list)
{
    const struct dr_proxy_format *format = formats[place->kind];
    struct dr_proxy_config *config = dr_alloc(context, sizeof(*config));
    struct dr_proxy_loader *loader = dr_alloc(context, sizeof(*loader)); /* a reader may keep it */

    *loader = *dr_proxy_loader(context, place->pid);
    loader->also = place->also;
    if (!format || format->read(loader, place->path, place->prefix, config) < 0)
        return;
    config->also = place->also;
    config->kind = place->kind;
    config->path = place->path;
    config->prefix = place->prefix;
    config->found_by = place->found_by;
    config->program = place->program;
    config->pid = place->pid;
    config->pid_start = place->pid_start;
    config->pid_words = place->pid_words;
    list[proxies->config_count++] = config;
}

static void gather(struct dr_context *context, struct dr_proxies *proxies)
{
    struct dr_proxy_places places;

    dr_proxies_find(context, &places);
    const struct dr_proxy_config **list = dr_alloc(context, (places.count + 1) * sizeof(*list));

    for (size_t i = 0; i < places.count; i++)
        read_place(context, &places.list[i], proxies, list);
    proxies->configs = list;
    proxies->fact.state = places.reason ? DR_UNKNOWN : proxies->config_count ? DR_KNOWN : DR_ABSENT;
    proxies->fact.reason = places.reason           ? places.reason
                           : proxies->config_count ? NULL
                                                   : "no proxy's configuration was found";
    proxies->fact.source = places.source;
    select_routes(context, proxies);
}

const struct dr_proxies *dr_proxies(struct dr_context *context)
{
    if (!context->proxies) {
        context->proxies = dr_alloc(context, sizeof(*context->proxies));
        gather(context, context->proxies);
    }
    return context->proxies;
}

int dr_route_mend(struct dr_context *context, const struct dr_route *route, unsigned mends, struct dr_route_edits *ret_edits,
                  const char **ret_why_not)
{
    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    return formats[route->config->kind]->mend(route, mends, context->arena, ret_edits, ret_why_not);
}
