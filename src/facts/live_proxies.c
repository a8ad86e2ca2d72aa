/*
 * Places behind a reverse proxy on this host: connected to where the proxy listens, with the name of the route in URL, Host header and TLS, as
 * a client of that name would be led there.
 */
#include "facts/live_probe.h"

#include "api/network.h"
#include <ctype.h>
#include <string.h>

enum { MOST_PROXY_PLACES = 24, HTTP_PORT = 80, HTTPS_PORT = 443 };

struct listen {
    const char *address; /* to connect to */
    unsigned port;
};

/*
 * Who listens everywhere is asked at an address of this host that others could use: over loopback the proxy would forward 127.0.0.1, and nobody
 * but the proxy itself would be left to be the client (HTTP 403 since 2026.8.1).
 */
static const char *own_address(struct dr_context *context, int family, const char *otherwise)
{
    const struct dr_network *network = dr_network(context);
    const struct dr_address *found = NULL;
    char text[DR_ADDRESS_TEXT];

    for (size_t i = 0; i < network->count && !found; i++) {
        const struct dr_address *address = &network->list[i].subnet.base;

        if (!network->list[i].containers && address->family == family && !dr_address_is_loopback(address) &&
            dr_address_is_own(context, address))
            found = address;
    }
    for (size_t i = 0; i < network->own_count && !found; i++)
        if (network->own[i].family == family)
            found = &network->own[i];
    return found ? dr_strdup(context, dr_address_text(found, text)) : otherwise;
}

/* "0.0.0.0:443", "[::]:80", "127.0.0.1:8080", "*:80", ":443", "443". False: a socket file, or not to be understood. */
static bool read_listen(struct dr_context *context, const char *text, bool tls, struct listen *ret_listen)
{
    const char *colon = strrchr(text, ':');
    const char *bracket = strchr(text, ']');
    const char *host = text, *digits;
    struct dr_address address;
    size_t length;

    if (strncmp(text, "unix:", 5) == 0 || text[0] == '/')
        return false;
    if (bracket && colon < bracket)
        colon = NULL;
    length = colon ? (size_t)(colon - text) : strlen(text);
    digits = colon ? colon + 1 : "";
    if (!colon && strspn(text, "0123456789") == strlen(text)) {
        length = 0;
        digits = text;
    }
    if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    ret_listen->port = *digits ? (unsigned)strtoul(digits, NULL, 10) : (unsigned)(tls ? HTTPS_PORT : HTTP_PORT);
    host = dr_strndup(context, host, length);
    if (ret_listen->port == 0 || ret_listen->port > 65535)
        return false;
    if (!*host || strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0)
        ret_listen->address = own_address(context, 4, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        ret_listen->address = own_address(context, 6, "::1");
    else if (dr_address_parse(host, &address))
        ret_listen->address = host;
    else
        ret_listen->address = dr_live_local_name(context, host);
    return ret_listen->address != NULL;
}

/* A name that can stand in a URL: no pattern, no "default". */
static bool is_plain_name(const char *name)
{
    bool has_letter = false;

    if (strlen(name) > 253 || strcmp(name, "_") == 0)
        return false;
    for (const char *at = name; *at; at++) {
        has_letter |= isalnum((unsigned char)*at) != 0;
        if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
            return false;
    }
    return has_letter;
}

static const char *first_name(const struct dr_route *route, const char *otherwise)
{
    for (const char *const *name = route->names; name && *name; name++)
        if (is_plain_name(*name))
            return *name;
    return otherwise;
}

static const char *path_of(struct dr_context *context, const struct dr_route *route)
{
    if (!route->path || route->path[0] != '/')
        return "/";
    return dr_strdup(context, route->path);
}

static bool is_known(const struct dr_live_places *places, const struct dr_live_place *like)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct dr_live_place *place = &places->list[i];

        if (place->endpoint->kind == DR_AT_PROXY && place->port == like->port && place->tls == like->tls &&
            strcmp(place->host, like->host) == 0 && strcmp(place->path, like->path) == 0 && place->connect_to &&
            strcmp(place->connect_to, like->connect_to) == 0)
            return true;
    }
    return false;
}

static const char *from_text(struct dr_context *context, const struct dr_route *route, const char *name)
{
    const char *server = route->config ? dr_proxy_kind_name(route->config->kind) : "proxy";

    return route->source.path
               ? dr_format(context, "%s: %s in %s, line %u", server, name, route->source.path, route->source.line)
               : dr_format(context, "%s: %s", server, name);
}

static void add_route(struct dr_context *context, const struct dr_route *route, size_t index, struct dr_live_places *places)
{
    const struct dr_listen_traits traits =
        route->listen_traits ? route->listen_traits[index] : (struct dr_listen_traits){ .tls = route->tls };
    struct listen listen = { .address = NULL };
    struct dr_live_place like = { .tls = traits.tls, .path = path_of(context, route) };
    struct dr_live_place *place;
    struct dr_address number;
    enum dr_reach reach;
    const char *why;

    if (!read_listen(context, route->listens[index], traits.tls, &listen))
        return;
    like.host = first_name(route, listen.address);
    like.port = listen.port;
    like.connect_to = listen.address;
    like.deep = context->request->deep == DR_DEEP_TOKEN;
    if (is_known(places, &like))
        return;
    place = dr_live_add_place(context, places, DR_AT_PROXY, &like, from_text(context, route, like.host));
    if (!place)
        return;
    place->endpoint->route = route;
    place->endpoint->source = route->source;
    place->endpoint->over_loopback = dr_address_parse(listen.address, &number) && dr_address_is_loopback(&number);
    if (traits.proxy_protocol)
        dr_live_settle(place->endpoint, DR_REACH_NOT_ASKED, "only another proxy can ask there: it begins with a PROXY line");
    else if (route->pattern && !route->path)
        dr_live_settle(place->endpoint, DR_REACH_NOT_ASKED, "which path leads there is a pattern: it is not guessed");
    else if (!dr_address_parse(listen.address, &number) || !dr_address_is_own(context, &number))
        dr_live_settle(place->endpoint, DR_REACH_NOT_ASKED, "the proxy listens at an address that this host does not have");
    else if (dr_live_nobody_listens(context, &number, listen.port, &reach, &why))
        dr_live_settle(place->endpoint, reach, why);
}

void dr_live_find_proxy_places(struct dr_context *context, const struct dr_route *const *routes, size_t count,
                               struct dr_live_places *places)
{
    size_t before = places->count;

    for (size_t i = 0; i < count; i++)
        for (size_t listen = 0; routes[i]->listens && routes[i]->listens[listen]; listen++)
            if (places->count - before < MOST_PROXY_PLACES)
                add_route(context, routes[i], listen, places);
}
