#include "api/approach.h"

#include "api/config.h"

#include <errno.h>
#include <string.h>

enum { MOST_ENTRIES = 256 };

int dr_trusted_proxies(struct dr_context *context, const char *const **ret_list, size_t *ret_count, const char **ret_why)
{
    const struct dr_config *config = dr_config(context);
    const char **list = dr_alloc(context, MOST_ENTRIES * sizeof(*list));
    struct dr_config_value array, value;
    size_t count = 0;

    *ret_list = list;
    *ret_count = 0;
    if (config->fact.state == DR_UNKNOWN) {
        *ret_why = config->fact.reason;
        return -ENODATA;
    }
    if (dr_config_lookup(config, "gateway.trustedProxies", &array) <= 0 || array.type != DR_VALUE_ARRAY)
        return 0;
    for (bool more = dr_config_first(config, &array, &value); more && count < MOST_ENTRIES;
         more = dr_config_next(config, &value, &value)) {
        if (value.missing_env) {
            *ret_why =
                dr_format(context, "an entry of gateway.trustedProxies needs ${%s}, which is not set", value.from_env);
            return -ENODATA;
        }
        if (value.type == DR_VALUE_STRING)
            list[count++] = value.text;
    }
    *ret_count = count;
    return 0;
}

/* What arrives of a header for which the proxy's own value is `own` and the client sent `sent` (NULL: nothing). */
static const char *arrives(struct dr_context *context, const struct dr_route_header *header, const char *own,
                           const char *sent)
{
    switch (header->fate) {
    case DR_HEADER_CLIENTS:
        return sent;
    case DR_HEADER_SET:
        return own;
    case DR_HEADER_APPENDED:
        return sent ? dr_format(context, "%s, %s", sent, own) : own;
    case DR_HEADER_UNKNOWN:
    case DR_HEADER_ABSENT:
        break;
    }
    return NULL;
}

static const char *unknown_header(struct dr_context *context, const struct dr_route *route)
{
    static const struct {
        enum dr_route_header_name name;
        const char *text;
    } headers[] = {
        { DR_ROUTE_FORWARDED_FOR, "X-Forwarded-For" },
        { DR_ROUTE_REAL_IP, "X-Real-IP" },
        { DR_ROUTE_HOST, "Host" },
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (route->headers[headers[i].name].fate == DR_HEADER_UNKNOWN)
            return route->headers[headers[i].name].value
                       ? dr_format(context, "%s (%s)", headers[i].text, route->headers[headers[i].name].value)
                       : headers[i].text;
    return NULL;
}

/* "$host", "$host:$server_port", "{host}", "{http.request.host}", "%[req.hdr(host)]": what the client sent, without or with a port. */
static bool is_clients_host(const char *value)
{
    static const char *const spellings[] = { "$host",        "$http_host",         "{host}",
                                             "{hostport}",   "{http.request.host", "%[req.hdr(host)]",
                                             "%[hdr(host)]", "%{HTTP_HOST}" };

    for (size_t i = 0; value && i < sizeof(spellings) / sizeof(spellings[0]); i++)
        if (strncasecmp(value, spellings[i], strlen(spellings[i])) == 0)
            return true;
    return false;
}

/* Does a request that calls the gateway by another name come this way? A condition about the host that is not understood says no. */
static bool takes_any_name(const struct dr_route *route)
{
    if (route->names && route->names[0])
        return route->any_name;
    return !route->pattern || !strcasestr(route->pattern, "host");
}

/* A Host of the client's own choosing reaches the gateway, or the upstream's address, or a fixed text. */
static const char *host_of(struct dr_context *context, const struct dr_route *route, bool claims)
{
    const struct dr_route_header *host = &route->headers[DR_ROUTE_HOST];
    bool has_name = route->names && route->names[0];
    const char *named = has_name ? route->names[0] : "gateway.example";

    if (claims && takes_any_name(route))
        named = "localhost";
    if (host->fate == DR_HEADER_CLIENTS || is_clients_host(host->value))
        return named;
    if (host->value && host->value[0] != '\0' && !strpbrk(host->value, "$%{"))
        return host->value;
    return dr_format(context, "%s:%u", route->upstream_host, route->upstream_port);
}

int dr_route_approach(struct dr_context *context, const struct dr_route *route, enum dr_claim claim,
                      struct dr_approach *ret_approach, const char **ret_why)
{
    struct dr_address peers[2];
    char text[DR_ADDRESS_TEXT];
    const struct dr_route_header *headers = route->headers;
    const struct dr_config *config = dr_config(context);
    const char *sent = claim == DR_CLAIMS_LOCAL ? "127.0.0.1" : NULL;
    const char *unknown = unknown_header(context, route);
    struct dr_approach approach = {
        .client_id = "cli",
        .client_mode = "cli",
        .shared_secret = true,
    };

    if (unknown || dr_route_peers(context, route, peers) == 0) {
        *ret_why = unknown
                       ? dr_format(context, "what the gateway gets as %s depends on more than the configuration", unknown)
                       : "the address that the gateway sees cannot be told from here";
        return -ENODATA;
    }
    approach.peer = dr_strdup(context, dr_address_text(&peers[0], text));

    int r = dr_trusted_proxies(context, &approach.trusted, &approach.trusted_count, ret_why);

    if (r < 0)
        return r;
    approach.forwarded_for = arrives(context, &headers[DR_ROUTE_FORWARDED_FOR], DR_SOME_CLIENT, sent);
    approach.real_ip = arrives(context, &headers[DR_ROUTE_REAL_IP], DR_SOME_CLIENT, sent);
    approach.forwarded_host = arrives(context, &headers[DR_ROUTE_FORWARDED_HOST], "gateway.example", NULL);
    approach.forwarded_other = arrives(context, &headers[DR_ROUTE_FORWARDED_PROTO], "https", NULL) ||
                               arrives(context, &headers[DR_ROUTE_FORWARDED], "for=" DR_SOME_CLIENT, NULL);
    approach.host = host_of(context, route, claim == DR_CLAIMS_LOCAL);
    approach.allow_real_ip = dr_config_flag(config, "gateway.allowRealIpFallback", false);
    approach.local_not_approved = !dr_config_flag(config, "gateway.nodes.pairing.autoApproveLocal", true);
    *ret_approach = approach;
    return 0;
}
