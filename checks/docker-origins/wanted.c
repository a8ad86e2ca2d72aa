/*
 * Origins that browsers have: those that the gateway's log refused, and those under which a proxy offers the gateway. An origin is a text that
 * anybody can send, so one that only the log names is not proposed; one that a proxy's configuration or this host's own address stands for is.
 */
#include "check.h"

#include "api/log.h"
#include "api/network.h"
#include "api/proxy.h"

#include <string.h>
#include <strings.h>

const char *dr_origins_of_loopback(const struct dr_origins *origins)
{
    const struct dr_binding *binding = origins->binding;
    const char *text = dr_format(origins->context, "http://localhost:%u, http://127.0.0.1:%u", binding->port, binding->port);
    unsigned said = binding->port;

    /* A container's port is opened by the number that it is published under. */
    for (size_t i = 0; i < binding->published_count; i++) {
        unsigned port = binding->published[i].port;

        if (port == 0 || port == said)
            continue;
        text = dr_format(origins->context, "%s, http://localhost:%u, http://127.0.0.1:%u", text, port, port);
        said = port;
    }
    return text;
}

static bool is_allowed(const struct dr_origins *origins, const char *origin, const char *host, bool direct_local)
{
    const struct dr_origin_ask ask = {
        .origin = origin,
        .host = host,
        .direct_local = direct_local,
        .allowed = origins->allowed,
        .allowed_count = origins->allowed_count,
        .host_fallback = origins->host_fallback,
    };

    if (dr_origin_allowed(origins->rules, &ask))
        return true;
    for (size_t i = 0; i < origins->meant_count; i++) /* said, and repaired, with the entry */
        if (strcmp(origins->meant[i], origin) == 0)
            return true;
    return false;
}

static bool add(struct dr_wanted list[DR_MOST_WANTED], size_t *count, const char *origin, const char *how)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].origin, origin) == 0)
            return true;
    if (*count == DR_MOST_WANTED)
        return false;
    list[(*count)++] = (struct dr_wanted){ .origin = origin, .how = how };
    return true;
}

/* ---- routes ---- */

static bool is_plain_name(const char *name)
{
    return *name && strcmp(name, "_") != 0 && !strpbrk(name, "*~^$|(){}") && strchr(name, '.');
}

/* ":8443", or "" where it is the scheme's own. NULL: the route does not say. */
static const char *port_text(struct dr_context *context, const struct dr_route *route)
{
    const char *listen = route->listens ? route->listens[0] : NULL;
    const char *colon = listen && strncmp(listen, "unix:", 5) != 0 ? strrchr(listen, ':') : NULL;

    if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
        return NULL;
    return strcmp(colon + 1, route->tls ? "443" : "80") == 0 ? "" : dr_format(context, ":%s", colon + 1);
}

/* The Host that the gateway gets to see: the client's, or the upstream's own name. */
static const char *host_seen(struct dr_context *context, const struct dr_route *route, const char *origin)
{
    const struct dr_route_header *host = &route->headers[DR_ROUTE_HOST];
    bool clients = host->fate == DR_HEADER_CLIENTS || (host->value && (strcmp(host->value, "$http_host") == 0));
    const char *own = strstr(origin, "://") + 3;

    if (clients)
        return own;
    if (host->value && strcmp(host->value, "$host") == 0)
        return dr_strndup(context, own, strcspn(own, ":"));
    return route->upstream_host ? dr_format(context, "%s:%u", route->upstream_host, route->upstream_port) : "";
}

static void take_route(const struct dr_origins *origins, const struct dr_route *route, struct dr_wanted_list *wanted)
{
    struct dr_context *context = origins->context;
    const char *port = port_text(context, route);
    char origin[DR_ORIGIN_TEXT];

    for (const char *const *name = route->names; port && name && *name; name++) {
        if (!is_plain_name(*name) ||
            !dr_origin_normal(dr_format(context, "%s://%s%s", route->tls ? "https" : "http", *name, port), origin))
            continue;
        if (!is_allowed(origins, origin, host_seen(context, route, origin), false))
            (void)add(wanted->known, &wanted->known_count, dr_strdup(context, origin),
                      dr_format(context, "%s offers it in %s", dr_proxy_kind_name(route->config->kind), route->source.path));
    }
}

/* ---- the log ---- */

static bool is_route_name(struct dr_context *context, const char *name, size_t length)
{
    const struct dr_proxies *proxies = dr_proxies(context);

    for (size_t i = 0; i < proxies->to_gateway_count; i++)
        for (const char *const *known = proxies->to_gateway[i]->names; known && *known; known++)
            if (strlen(*known) == length && strncasecmp(*known, name, length) == 0)
                return true;
    return false;
}

/* The gateway's own page: an address of this host with the gateway's port, or a name that a proxy here answers to. */
static bool is_own(const struct dr_origins *origins, const char *origin)
{
    struct dr_context *context = origins->context;
    const struct dr_network *network = dr_network(context);
    const char *host = strstr(origin, "://") + 3;
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    struct dr_address address;

    if (is_route_name(context, host, length))
        return true;
    if (strncasecmp(host, "localhost", length) == 0 && length == strlen("localhost"))
        return true;
    if (!dr_address_parse(dr_strndup(context, host + (*host == '['), length - (*host == '[' ? 2 : 0)), &address))
        return false;
    for (size_t i = 0; i < network->own_count; i++)
        if (memcmp(&network->own[i], &address, sizeof(address)) == 0)
            return true;
    return dr_address_is_loopback(&address);
}

static void take_meeting(const struct dr_origins *origins, const struct dr_log_meeting *meeting,
                         struct dr_wanted_list *wanted)
{
    struct dr_context *context = origins->context;
    bool local = meeting->address.family && dr_address_is_loopback(&meeting->address) && !meeting->forwarded;
    char origin[DR_ORIGIN_TEXT];

    if (strcmp(meeting->signature->id, "origin-refused") != 0 || !meeting->origin ||
        !dr_log_is_recent(context, meeting->last_ms) || !dr_origin_normal(meeting->origin, origin) ||
        is_allowed(origins, origin, meeting->host, local))
        return;
    const char *how = dr_format(context, "the gateway's log, %zu time%s", meeting->count, meeting->count == 1 ? "" : "s");

    if (is_own(origins, origin)) {
        wanted->refused += meeting->count;
        (void)add(wanted->known, &wanted->known_count, dr_strdup(context, origin), how);
    } else {
        (void)add(wanted->strange, &wanted->strange_count, dr_strdup(context, origin), how);
    }
}

void dr_origins_find_wanted(const struct dr_origins *origins, struct dr_wanted_list *ret_wanted)
{
    const struct dr_log *log = dr_log(origins->context);
    const struct dr_proxies *proxies = dr_proxies(origins->context);

    *ret_wanted = (struct dr_wanted_list){ 0 };
    for (size_t i = 0; i < log->meeting_count; i++)
        take_meeting(origins, &log->meetings[i], ret_wanted);
    for (size_t i = 0; i < proxies->to_gateway_count; i++)
        take_route(origins, proxies->to_gateway[i], ret_wanted);
}
