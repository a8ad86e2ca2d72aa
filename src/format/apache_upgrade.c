/* Does a WebSocket handshake reach the upstream, in which HTTP version, and when is a silent connection cut? */
#include "base/text.h"
#include "format/apache_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TIMEOUT 60 /* of Timeout */

static bool is_websocket_scheme(const char *url)
{
    return strncasecmp(url, "ws://", 5) == 0 || strncasecmp(url, "wss://", 6) == 0;
}

static bool is_tls_scheme(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "wss://", 6) == 0;
}

static bool is_http_scheme(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* mod_proxy_wstunnel carries ws:// out itself where mod_proxy_http is not there or must not. It never cuts a silent connection. */
static bool is_tunnelled(const struct apache_place *place, const char *url)
{
    const struct apache_node *fallback = apache_server_directive(place->server, "ProxyWebsocketFallbackToProxyHttp");
    const struct apache_reader *reader = place->tree->reader;

    return is_websocket_scheme(url) && apache_has_module(reader, "proxy_wstunnel_module") &&
           (!apache_has_module(reader, "proxy_http_module") ||
            (fallback && strcasecmp(apache_arg(fallback, 0), "off") == 0));
}

static struct apache_verdict dropped(const char *why, const struct apache_node *node)
{
    return (struct apache_verdict){ .upgrade = DR_UPGRADE_DROPPED, .why = why, .node = node };
}

static struct apache_verdict unknown(const char *why, const struct apache_node *node)
{
    return (struct apache_verdict){ .upgrade = DR_UPGRADE_UNKNOWN, .why = why, .node = node };
}

static struct apache_verdict by_module(const struct apache_place *place, const char *url)
{
    const struct apache_reader *reader = place->tree->reader;
    bool maybe;
    const struct apache_node *engine = apache_scope_last(&place->scope, "SSLProxyEngine", &maybe);

    if (!is_http_scheme(url) && !is_websocket_scheme(url))
        return dropped("the upstream's protocol carries no WebSocket", place->node);
    if (!apache_has_module(reader, "proxy_module"))
        return dropped("mod_proxy is not loaded: a2enmod proxy proxy_http", place->node);
    if (!apache_has_module(reader, "proxy_http_module") && is_http_scheme(url))
        return dropped("mod_proxy_http is not loaded: a2enmod proxy_http", place->node);
    if (!apache_has_module(reader, "proxy_http_module") && !apache_has_module(reader, "proxy_wstunnel_module"))
        return dropped("neither mod_proxy_http nor mod_proxy_wstunnel is loaded: a2enmod proxy_http", place->node);
    if (is_tls_scheme(url) && !maybe &&
        (!engine || strcasecmp(apache_arg(engine, 0), "on") != 0 || !apache_has_module(reader, "ssl_module")))
        return dropped("the upstream speaks TLS and SSLProxyEngine is not on", engine ? engine : place->node);
    return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
}

static struct apache_verdict by_worker(const struct apache_place *place, const char *url, const struct apache_worker *worker)
{
    const char *upgrade = worker ? worker->upgrade : NULL;

    if (is_tunnelled(place, url))
        return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
    if (upgrade && (strcasecmp(upgrade, "websocket") == 0 || strcasecmp(upgrade, "ANY") == 0 || strcmp(upgrade, "*") == 0))
        return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
    if (upgrade && *upgrade != '\0')
        return dropped("upgrade= names another protocol than websocket", worker->upgrade_node);
    if (is_websocket_scheme(url))
        return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
    return dropped(worker && worker->node != place->node && worker->node != place->member
                       ? "the worker that this upstream shares was made without upgrade=websocket"
                       : "upgrade=websocket is missing, and no RewriteRule hands the handshakes to ws://",
                   worker ? worker->node : place->node);
}

/* A worker of ProxyPassMatch is not asked for the shortest paths: its "$1" counts for two bytes. */
static struct apache_verdict by_workers(const struct apache_place *place, const char *url)
{
    struct apache_verdict exact = by_worker(place, url, place->worker), deep = by_worker(place, url, place->deep_worker);

    if (exact.upgrade == DR_UPGRADE_DROPPED && deep.upgrade == DR_UPGRADE_PASSED)
        return dropped("httpd uses upgrade=websocket of this ProxyPassMatch for longer paths only, not for the path itself",
                       place->node);
    if (exact.upgrade == DR_UPGRADE_PASSED && deep.upgrade == DR_UPGRADE_DROPPED)
        return unknown("handshakes pass for the path itself, not for the paths below it", deep.node);
    return exact;
}

static struct apache_verdict by_environment(const struct apache_facts *facts)
{
    const struct apache_node *node;
    enum apache_truth old = apache_environment(facts, "force-proxy-request-1.0", &node);

    if (old == APACHE_TRUE)
        return dropped("force-proxy-request-1.0 makes it HTTP/1.0, which has no upgrade", node);
    if (old == APACHE_MAYBE)
        return unknown("force-proxy-request-1.0 is set for some requests", node);
    return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
}

static void set_headers(struct dr_route *route)
{
    struct dr_route_header *upgrade = &route->headers[DR_ROUTE_UPGRADE], *connection = &route->headers[DR_ROUTE_CONNECTION];

    *connection = (struct dr_route_header){ .fate = route->http_version == 10 ? DR_HEADER_ABSENT : DR_HEADER_SET };
    if (route->upgrade == DR_UPGRADE_UNKNOWN)
        *connection = *upgrade = (struct dr_route_header){ .fate = DR_HEADER_UNKNOWN };
    else if (route->upgrade == DR_UPGRADE_DROPPED)
        *upgrade = (struct dr_route_header){ .fate = DR_HEADER_ABSENT, .source = route->upgrade_source };
    else
        connection->value = "Upgrade";
}

static void set_version(const struct apache_facts *facts, const char *url, struct dr_route *route)
{
    const struct apache_node *node;
    enum apache_truth old = apache_environment(facts, "force-proxy-request-1.0", &node);

    route->http_version = old == APACHE_TRUE ? 10 : old == APACHE_MAYBE ? 0 : 11;
    if (strncasecmp(url, "h2://", 5) == 0 || strncasecmp(url, "h2c://", 6) == 0)
        route->http_version = 20;
    else if (!is_http_scheme(url) && !is_websocket_scheme(url))
        route->http_version = 0;
    if (old != APACHE_FALSE)
        apache_node_source(node, &route->http_version_source);
}

/* mod_headers may take the header away before mod_proxy asks for it. */
static struct apache_verdict by_header(const struct dr_route *route)
{
    const struct dr_route_header *upgrade = &route->headers[DR_ROUTE_UPGRADE];

    if (upgrade->fate == DR_HEADER_ABSENT)
        return dropped("RequestHeader takes Upgrade away", NULL);
    if (upgrade->fate == DR_HEADER_UNKNOWN)
        return unknown("RequestHeader changes Upgrade for some requests", NULL);
    return (struct apache_verdict){ .upgrade = DR_UPGRADE_PASSED };
}

void apache_obstacles(const struct apache_facts *facts, const struct apache_place *place,
                      struct apache_verdict ret_verdicts[APACHE_OBSTACLES])
{
    struct dr_route scratch = { 0 };

    apache_headers(facts, scratch.headers);
    ret_verdicts[APACHE_OBSTACLE_MODULE] = by_module(place, place->handshake_url);
    ret_verdicts[APACHE_OBSTACLE_HEADER] = by_header(&scratch);
    ret_verdicts[APACHE_OBSTACLE_VERSION] = by_environment(facts);
    ret_verdicts[APACHE_OBSTACLE_WORKER] = by_workers(place, place->handshake_url);
}

void apache_upgrade(const struct apache_facts *facts, const struct apache_place *place, struct dr_route *route)
{
    struct dr_source header = route->headers[DR_ROUTE_UPGRADE].source;
    struct apache_verdict verdicts[APACHE_OBSTACLES];
    struct apache_verdict worst = { .upgrade = DR_UPGRADE_PASSED };

    apache_obstacles(facts, place, verdicts);
    for (int i = 0; i < APACHE_OBSTACLES; i++) {
        if (verdicts[i].upgrade == DR_UPGRADE_DROPPED && worst.upgrade != DR_UPGRADE_DROPPED)
            worst = verdicts[i];
        else if (verdicts[i].upgrade == DR_UPGRADE_UNKNOWN && worst.upgrade == DR_UPGRADE_PASSED)
            worst = verdicts[i];
    }
    set_version(facts, place->handshake_url, route);
    if (place->handshake_doubt && worst.upgrade != DR_UPGRADE_PASSED)
        worst = unknown("a RewriteRule takes the handshakes of some requests", place->handshake_doubt);
    if (place->handshake_elsewhere)
        worst = unknown("a RewriteRule hands the handshakes to another upstream", place->handshake_elsewhere);
    route->upgrade = worst.upgrade;
    route->upgrade_why = worst.why;
    apache_node_source(worst.node, &route->upgrade_source);
    if (!worst.node && worst.upgrade != DR_UPGRADE_PASSED)
        route->upgrade_source = header;
    set_headers(route);
}

/* --- silence -------------------------------------------------------------------------------------------------------------- */

static int64_t seconds(const struct apache_node *node)
{
    return strtol(apache_arg(node, 0), NULL, 10);
}

/* The longer of the client's side (Timeout) and the upstream's (timeout=, else ProxyTimeout, else Timeout). */
static int64_t silence(const struct apache_place *place, const struct apache_worker *worker,
                       const struct apache_node **ret_node)
{
    const struct apache_node *timeout = apache_server_directive(place->server, "Timeout");
    const struct apache_node *proxy = apache_server_directive(place->server, "ProxyTimeout");
    int64_t client = timeout ? seconds(timeout) : DEFAULT_TIMEOUT;
    int64_t upstream = proxy ? seconds(proxy) : -1;

    *ret_node = proxy;
    if (worker && worker->timeout > 0) {
        upstream = worker->timeout;
        *ret_node = worker->timeout_node;
    }
    if (upstream <= client) {
        upstream = client;
        *ret_node = timeout;
    }
    return upstream > INT32_MAX ? INT32_MAX * (int64_t)1000 : upstream * 1000;
}

void apache_silence(const struct apache_place *place, struct dr_route *route)
{
    const struct apache_node *exact_node, *deep_node;
    int64_t exact = silence(place, place->worker, &exact_node), deep = silence(place, place->deep_worker, &deep_node);

    if (is_tunnelled(place, place->handshake_url)) {
        route->idle_timeout_ms = 0;
        return;
    }
    route->idle_timeout_ms = deep < exact ? deep : exact;
    apache_node_source(deep < exact ? deep_node : exact_node, &route->idle_timeout_source);
}

void apache_choose_workers(struct apache_place *place)
{
    const char *url = place->handshake_url;
    const char *below =
        dr_arena_format(place->tree->reader->arena, "%s%s0123456789", url, dr_text_ends_with(url, "/") ? "" : "/");

    place->worker = apache_worker_for(place->server, url);
    place->deep_worker = below ? apache_worker_for(place->server, below) : NULL;
    if (place->is_pattern)
        place->worker = place->deep_worker;
}
