/* What a client meets at gateway.remote.url or --gateway-url. The WebSocket handshake decides: it is what clients do. */
#include "check.h"

#include "api/binding.h"

#include <string.h>

static enum dr_reachable_problem by_status(const struct dr_endpoint *endpoint)
{
    unsigned status = endpoint->socket.status;

    if (endpoint->socket.control_ui)
        return DR_REACHABLE_URL_NO_UPGRADE;
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
        return DR_REACHABLE_URL_REDIRECTS;
    if (status == 401 || status == 403 || status == 407)
        return DR_REACHABLE_URL_REFUSES;
    if (status == 502 || status == 503 || status == 504)
        return DR_REACHABLE_URL_NOTHING_BEHIND;
    return DR_REACHABLE_URL_NOT_OPENCLAW;
}

/* An address of this host, where the kernel itself refused. */
static bool is_own(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    for (size_t i = 0; i < look->live->count; i++)
        if (look->live->endpoints[i].kind == DR_AT_OWN_ADDRESS && strcmp(look->live->endpoints[i].host, endpoint->host) == 0)
            return true;
    return false;
}

/* DR_REACHABLE_PROBLEMS: none. */
static enum dr_reachable_problem problem_of(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    if (endpoint->page.reach == DR_REACH_FAILED && endpoint->port == 0)
        return DR_REACHABLE_URL_INVALID;
    if (endpoint->speaks_other)
        return endpoint->tls ? DR_REACHABLE_URL_NO_TLS : DR_REACHABLE_URL_NEEDS_TLS;
    switch (endpoint->socket.reach) {
    case DR_REACH_NOT_ASKED:
        return DR_REACHABLE_PROBLEMS;
    case DR_REACH_ANSWERED:
        return endpoint->socket.challenged ? DR_REACHABLE_PROBLEMS : by_status(endpoint);
    case DR_REACH_REFUSED:
        return is_own(look, endpoint) && endpoint->port == look->gateway->port && look->live->gateway
                   ? DR_REACHABLE_URL_BIND
                   : DR_REACHABLE_URL_REFUSED;
    case DR_REACH_TIMED_OUT:
        return DR_REACHABLE_URL_SILENT;
    case DR_REACH_NO_ROUTE:
        return DR_REACHABLE_URL_NO_ROUTE;
    case DR_REACH_NOT_RESOLVED:
        return DR_REACHABLE_URL_NAME;
    case DR_REACH_TLS_ISSUER:
    case DR_REACH_TLS_NAME:
    case DR_REACH_TLS_EXPIRED:
        return DR_REACHABLE_URL_CERTIFICATE;
    case DR_REACH_TLS_FAILED:
        return DR_REACHABLE_URL_NO_TLS;
    default:
        return DR_REACHABLE_URL_NOT_OPENCLAW;
    }
}

static const char *what_of(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    const struct dr_socket_answer *socket = &endpoint->socket;

    if (socket->error_type)
        return socket->error_type;
    if (socket->why)
        return socket->why;
    if (socket->status == 101)
        return "a WebSocket without OpenClaw's challenge";
    if (endpoint->page.server)
        return dr_format(look->context, "HTTP %u of \"%s\"", socket->status, endpoint->page.server);
    return socket->status > 0 ? dr_format(look->context, "HTTP %u", socket->status) : dr_reach_name(socket->reach);
}

/* An address that other hosts can use too, where the gateway was met at one. */
static const char *own_url(const struct dr_reachable *look, const char *otherwise)
{
    for (size_t i = 0; i < look->live->count; i++) {
        const struct dr_endpoint *endpoint = &look->live->endpoints[i];

        if (endpoint->kind == DR_AT_OWN_ADDRESS && endpoint->socket.challenged)
            return dr_format(look->context, strchr(endpoint->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
                             endpoint->tls ? "wss" : "ws", endpoint->host, endpoint->port);
    }
    return otherwise;
}

/* `look->live->gateway` is there: the gateway was met at another address of this host. */
static void say_where_it_listens(const struct dr_reachable *look, struct dr_finding *finding)
{
    const struct dr_binding *binding = dr_binding(look->context);
    const struct dr_endpoint *gateway = look->live->gateway;
    bool only_here = gateway->kind != DR_AT_OWN_ADDRESS && binding->reach == DR_BIND_LOOPBACK;
    const char *url = dr_format(look->context, strchr(gateway->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
                                gateway->tls ? "wss" : "ws", gateway->host, gateway->port);

    dr_finding_text(finding, "listens", binding->listens ? binding->listens : gateway->host);
    dr_finding_number(finding, "port", gateway->port);
    if (only_here)
        dr_finding_word(
            finding, "next",
            dr_format(look->context,
                      "Use %s on this host; for others: openclaw config set gateway.bind lan (with a token), or a tunnel",
                      url));
    else
        dr_finding_word(finding, "next",
                        dr_format(look->context, "Use an address at which it listens, such as %s", own_url(look, url)));
}

/* The command that asks with TLS instead of without, or the reverse. `endpoint->url` is without secrets. */
static const char *other_protocol(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    const char *rest = strstr(endpoint->url, "://");
    size_t length = rest ? strlen(rest) : 0;

    if (!rest || strpbrk(rest, " '\"\\$`;&|<>(){}*?!#~")) /* nothing that a shell would take for its own */
        return endpoint->tls ? "ws:// instead of wss://" : "wss:// instead of ws://";
    if (rest[length - 1] == '/')
        length--;
    return dr_format(look->context, "%s %s%.*s",
                     endpoint->kind == DR_AT_REMOTE_URL ? "openclaw config set gateway.remote.url" : "--gateway-url",
                     endpoint->tls ? "ws" : "wss", (int)length, rest);
}

void dr_gateway_reachable_url(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    enum dr_reachable_problem problem = problem_of(look, endpoint);
    struct dr_finding *finding;

    if (problem == DR_REACHABLE_PROBLEMS)
        return;
    finding = dr_gateway_reachable_report(look, problem, endpoint);
    dr_finding_text(finding, "what", what_of(look, endpoint));
    if (endpoint->socket.status > 0)
        dr_finding_number(finding, "status", endpoint->socket.status);
    if (problem == DR_REACHABLE_URL_NEEDS_TLS || problem == DR_REACHABLE_URL_NO_TLS)
        dr_finding_word(finding, "write", other_protocol(look, endpoint));
    if (problem == DR_REACHABLE_URL_BIND)
        say_where_it_listens(look, finding);
    if (endpoint->page.tls_issuer)
        dr_finding_text(finding, "issuer", endpoint->page.tls_issuer);
    /* In mode local nobody uses gateway.remote.url. */
    if (endpoint->kind == DR_AT_REMOTE_URL && !look->remote)
        dr_finding_severity(finding, DR_INFO);
}
