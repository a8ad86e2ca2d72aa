/*
 * What a reverse proxy does to a client's way to the gateway: read from the proxy's own configuration, by its own rules (api/proxy.h), and
 * proven live where the gateway and the proxy run. Sources: facts/openclaw-2026.2.md section 6, openclaw-2026.9.md section 3.4,
 * failure-modes.md rows 36, 53 and 70; tick of 30 s: dist of 2026.2.19 and 2026.9.6 (TICK_INTERVAL_MS).
 */
#include "check.h"

#include "api/approach.h"
#include "api/config.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/listeners.h"

#include <string.h>
#include <strings.h>

enum { TICK_MS = 30000, TICK_MARGIN_MS = 5000, MOST_ROUTES = 64, MOST_FAULTS = 8 };

void dr_proxy_found(struct dr_proxy_judging *judging, enum dr_proxy_problem problem, unsigned mends, const char *why)
{
    judging->found[problem] = true;
    judging->mends |= mends;
    judging->why[problem] = why;
    judging->severity[problem] = dr_proxy_websocket_problems[problem].severity;
    judging->confidence[problem] = dr_proxy_websocket_problems[problem].confidence;
}

/* --- the handshake ---------------------------------------------------------------------------------------------------- */

static bool same_place(const struct dr_source *a, const struct dr_source *b)
{
    return a->path && b->path && a->line == b->line && strcmp(a->path, b->path) == 0;
}

/* HTTP/2 has no such headers at all. With HTTP/1.0 they may be on their way all the same, or go because of the version (httpd). */
static bool is_the_version(const struct dr_route *route)
{
    bool on_their_way = route->headers[DR_ROUTE_UPGRADE].fate != DR_HEADER_ABSENT &&
                        route->headers[DR_ROUTE_CONNECTION].fate != DR_HEADER_ABSENT;

    return route->http_version == 20 ||
           (route->http_version == 10 && (on_their_way || same_place(&route->upgrade_source, &route->http_version_source)));
}

/* nginx sends the whole handshake with HTTP/1.0, and the gateways of 2026.2.19 and 2026.9.6 take it (tests/real, proxy matrix). */
static bool works_nevertheless(const struct dr_route *route)
{
    return route->config->kind == DR_PROXY_NGINX && route->http_version == 10;
}

static void judge_upgrade(struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;
    const char *why = route->upgrade_why ? route->upgrade_why : "";

    /* What a real handshake meets is worth more than what the configuration reads like. */
    if (route->upgrade == DR_UPGRADE_PASSED || dr_proxy_live_works(judging) || judging->without_sockets)
        return;
    if (route->upgrade == DR_UPGRADE_UNKNOWN)
        return; /* see judge_unknown */
    enum dr_proxy_problem problem = is_the_version(route) ? DR_PROXY_HTTP_VERSION : DR_PROXY_UPGRADE_DROPPED;

    dr_proxy_found(judging, problem, DR_MEND_UPGRADE, why);
    if (problem == DR_PROXY_HTTP_VERSION && works_nevertheless(route))
        judging->severity[problem] = DR_INFO;
    if (route->upgrade_source.path)
        judging->where[problem] = &route->upgrade_source;
}

/* Neither the configuration nor the live proof says it: a redirect or a login page of the proxy is no proof. */
static void judge_unknown(const struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;

    if (route->upgrade != DR_UPGRADE_UNKNOWN || judging->without_sockets || dr_proxy_live_works(judging) ||
        judging->found[DR_PROXY_FAILS_LIVE] || judging->found[DR_PROXY_UPSTREAM_UNREACHABLE])
        return;
    dr_could_not_tell(judging->findings, &route->source, "whether WebSocket upgrades reach the gateway: %s",
                      route->upgrade_why ? route->upgrade_why : "the configuration does not say");
}

/* --- the rest --------------------------------------------------------------------------------------------------------- */

static void judge_timeout(struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;

    if (judging->without_sockets || route->idle_timeout_ms <= 0 || route->idle_timeout_ms >= TICK_MS + TICK_MARGIN_MS)
        return;
    dr_proxy_found(judging, DR_PROXY_IDLE_TIMEOUT, DR_MEND_TIMEOUT, NULL);
    if (route->idle_timeout_source.path)
        judging->where[DR_PROXY_IDLE_TIMEOUT] = &route->idle_timeout_source;
}

static bool trusts(const struct dr_proxy_judging *judging, const char *const *list, size_t count, const char *address)
{
    struct dr_address parsed;

    if (!dr_address_parse(address, &parsed))
        return false;
    for (size_t i = 0; i < count; i++)
        if (dr_trust_matches(judging->rules, list[i], &parsed))
            return true;
    return false;
}

/* HAProxy looks a name up once, and keeps the first address (haproxy 2.6: str2sa_range); the others try both. */
static bool takes_one_address(const struct dr_route *route)
{
    return route->config->kind == DR_PROXY_HAPROXY;
}

static bool listens_on_v4_only(struct dr_context *context)
{
    static const struct dr_address loopback4 = { 4, { 127, 0, 0, 1 } }, loopback6 = { 6, { [15] = 1 } };
    const struct dr_listeners *listeners = dr_listeners(context, dr_gateway(context)->port);

    return listeners->fact.state == DR_KNOWN && dr_listener_at(listeners, &loopback4) &&
           !dr_listener_at(listeners, &loopback6);
}

/* "localhost" matters where the gateway would treat its two addresses differently. */
static void judge_upstream(struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;
    const char *const *list;
    const char *why;
    size_t count;

    if (!route->upstream_host || strcasecmp(route->upstream_host, "localhost") != 0 ||
        dr_trusted_proxies(judging->context, &list, &count, &why) < 0)
        return;
    bool four = trusts(judging, list, count, "127.0.0.1"), six = trusts(judging, list, count, "::1");

    if (takes_one_address(route) && listens_on_v4_only(judging->context))
        dr_proxy_found(judging, DR_PROXY_UPSTREAM_LOCALHOST, DR_MEND_UPSTREAM,
                       "it asks one of the two only, mostly ::1, and the gateway does not listen there");
    else if (four != six)
        dr_proxy_found(judging, DR_PROXY_UPSTREAM_LOCALHOST, DR_MEND_UPSTREAM,
                       dr_format(judging->context, "gateway.trustedProxies has %s only", four ? "127.0.0.1" : "::1"));
}

/* Only where no forwarding header carries the name either. */
static void judge_host(struct dr_proxy_judging *judging)
{
    const struct dr_route_header *host = &judging->route->headers[DR_ROUTE_HOST];

    if (host->fate != DR_HEADER_SET || !host->source.path || (host->value && strchr(host->value, '$')) ||
        judging->found[DR_PROXY_NOT_FORWARDED])
        return;
    dr_proxy_found(judging, DR_PROXY_HOST_REPLACED, DR_MEND_FORWARD, NULL);
    judging->where[DR_PROXY_HOST_REPLACED] = &host->source;
}

static size_t without_slash(const char *path)
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/')
        length--;
    return length;
}

static const char *base_path(struct dr_context *context)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), "gateway.controlUi.basePath", &value) > 0 && value.type == DR_VALUE_STRING &&
                   value.text
               ? dr_strndup(context, value.text, without_slash(value.text))
               : "";
}

/* The paths that browsers ask for have the prefix; the gateway has to know it, in its own view of the path. */
static void judge_path(struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;
    const char *path = route->path ? route->path : "/", *base = judging->base;
    const char *seen = route->upstream_path ? route->upstream_path : path;

    if (without_slash(path) == 0 || judging->beside)
        return;
    if (without_slash(seen) == without_slash(base) && strncmp(seen, base, without_slash(seen)) == 0)
        return;
    dr_proxy_found(judging, DR_PROXY_PATH_PREFIX, 0,
                   dr_format(judging->context, "the gateway gets \"%s\", and gateway.controlUi.basePath is %s%s%s", seen,
                             *base ? "\"" : "not set", base, *base ? "\"" : ""));
}

/* --- reporting -------------------------------------------------------------------------------------------------------- */

static const char *version_text(unsigned version)
{
    return version == 10 ? "HTTP/1.0" : version == 20 ? "HTTP/2" : "another version of HTTP";
}

static const char *upstream_text(const struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;

    return route->upstream_host ? dr_format(judging->context, strchr(route->upstream_host, ':') ? "[%s]:%u" : "%s:%u",
                                            route->upstream_host, route->upstream_port)
                                : route->upstream_text;
}

static const char *clients_come_by(const struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;
    const char *listen = route->listens && route->listens[0] ? route->listens[0] : "an address that is not known";

    if (route->names && route->names[0])
        return dr_format(judging->context, "%s (%s)", route->names[0], listen);
    return listen;
}

/* A route, whatever the line it stands at: a repair of another one moves lines. */
static const char *identity_of(const struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;

    return dr_format(judging->context, "%s %s %s", clients_come_by(judging),
                     route->path      ? route->path
                     : route->pattern ? route->pattern
                                      : "",
                     route->upstream_text ? route->upstream_text : "");
}

static void report(struct dr_proxy_judging *judging, enum dr_proxy_problem problem)
{
    const struct dr_problem *row = &dr_proxy_websocket_problems[problem];
    const struct dr_route *route = judging->route;
    struct dr_finding *finding =
        dr_report(judging->findings, row, judging->where[problem] ? judging->where[problem] : &route->source);

    dr_finding_identity(finding, identity_of(judging));
    dr_finding_severity(finding, judging->severity[problem]);
    dr_finding_confidence(finding, judging->confidence[problem]);
    dr_finding_text(finding, "proxy", dr_proxy_kind_name(route->config->kind));
    dr_finding_text(finding, "clients", clients_come_by(judging));
    dr_finding_text(finding, "upstream", upstream_text(judging));
    if (judging->why[problem])
        dr_finding_text(finding, "why", judging->why[problem]);
    if (problem == DR_PROXY_HTTP_VERSION)
        dr_finding_text(finding, "version", version_text(route->http_version));
    if (problem == DR_PROXY_IDLE_TIMEOUT)
        dr_finding_text(finding, "timeout",
                        dr_format(judging->context, "%g seconds", (double)route->idle_timeout_ms / 1000));
    if (problem == DR_PROXY_UPSTREAM_LOCALHOST)
        dr_finding_text(finding, "host", route->upstream_host);
    if (problem == DR_PROXY_PATH_PREFIX)
        dr_finding_text(finding, "path", route->path);
    if (route->note && (problem == DR_PROXY_NOT_FORWARDED || problem == DR_PROXY_SPOOFABLE))
        dr_finding_text(finding, "note", route->note);
    if (judging->through && judging->through->socket.reach != DR_REACH_NOT_ASKED &&
        judging->through->socket.reach != DR_REACH_REFUSED) {
        dr_finding_text(finding, "through", dr_proxy_live_text(judging->context, judging->through));
        if (judging->live->gateway)
            dr_finding_text(finding, "direct", dr_proxy_live_text(judging->context, judging->live->gateway));
    }
    if (row->fixer) {
        dr_finding_argument(finding, "config", route->config->path);
        dr_finding_argument(finding, "file", route->source.path);
        dr_finding_argument(finding, "line", dr_format(judging->context, "%u", route->source.line));
        dr_finding_argument(finding, "column", dr_format(judging->context, "%u", route->source.column));
        dr_finding_argument(finding, "upstream", route->upstream_text);
        dr_finding_argument(finding, "mends", dr_format(judging->context, "%u", judging->mends));
    }
}

const struct dr_endpoint *dr_proxy_endpoint(const struct dr_live *live, const struct dr_route *route)
{
    for (size_t i = 0; live->fact.state == DR_KNOWN && i < live->count; i++)
        if (live->endpoints[i].route == route)
            return &live->endpoints[i];
    return NULL;
}

static void judge(struct dr_context *context, const struct dr_route *route, struct dr_findings *findings)
{
    struct dr_proxy_judging judging = {
        .context = context,
        .findings = findings,
        .rules = dr_installs(context)->rules,
        .live = dr_live(context),
        .route = route,
        .base = base_path(context),
    };

    judging.through = dr_proxy_endpoint(judging.live, route);
    dr_proxy_find_sibling(&judging);
    judge_upgrade(&judging);
    dr_proxy_judge_forwarding(&judging);
    judge_timeout(&judging);
    judge_upstream(&judging);
    judge_host(&judging);
    judge_path(&judging);
    if (route->buffers)
        dr_proxy_found(&judging, DR_PROXY_BUFFERS, 0, NULL);
    dr_proxy_judge_live(&judging);
    judge_unknown(&judging);
    for (int problem = 0; problem < DR_PROXY_PROBLEMS; problem++)
        if (judging.found[problem])
            report(&judging, (enum dr_proxy_problem)problem);
}

/* --- what could not be understood --------------------------------------------------------------------------------------- */

static bool concerns_us(const struct dr_proxies *proxies, const struct dr_proxy_config *config)
{
    if (strcmp(config->found_by, "--proxy-config") == 0)
        return true;
    for (size_t i = 0; i < proxies->to_gateway_count; i++)
        if (proxies->to_gateway[i]->config == config)
            return true;
    return false;
}

static const char *test_command(struct dr_context *context, const struct dr_proxy_config *config)
{
    static const char *const tests[DR_PROXY_KINDS] = {
        [DR_PROXY_NGINX] = "`nginx -t -c %s`",     [DR_PROXY_CADDY] = "`caddy validate --adapter caddyfile --config %s`",
        [DR_PROXY_HAPROXY] = "`haproxy -c -f %s`", [DR_PROXY_APACHE] = "`apachectl -t -f %s`",
        [DR_PROXY_TRAEFIK] = "see its log for %s",
    };
    const char *percent = strchr(tests[config->kind], '%');

    return dr_format(context, "%.*s%s%s", (int)(percent - tests[config->kind]), tests[config->kind], config->path,
                     percent + 2);
}

/* How many were reported. */
static size_t judge_faults(struct dr_context *context, const struct dr_proxies *proxies,
                           const struct dr_proxy_config *config, struct dr_findings *findings)
{
    bool ours = concerns_us(proxies, config);
    size_t reported = 0;

    for (size_t i = 0; i < config->fault_count && i < MOST_FAULTS; i++) {
        const struct dr_proxy_fault *fault = &config->faults[i];

        if (!fault->hides_routes && !ours)
            continue;
        if (fault->unknowable && fault->hides_routes && ours) {
            dr_could_not_tell(findings, &fault->source, "%s", fault->text);
            reported++;
            continue;
        }
        struct dr_finding *finding =
            dr_report(findings, &dr_proxy_websocket_problems[DR_PROXY_CONFIG_FAULT], &fault->source);

        dr_finding_severity(finding, ours && fault->hides_routes ? DR_WARNING : DR_INFO);
        dr_finding_text(finding, "proxy", dr_proxy_kind_name(config->kind));
        dr_finding_text(finding, "why", fault->text);
        dr_finding_text(finding, "test", test_command(context, config));
        reported++;
    }
    return reported;
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_proxies *proxies = dr_proxies(context);
    bool said = dr_unknown_fact(findings, &proxies->fact);

    (void)state;
    for (size_t i = 0; i < proxies->config_count; i++)
        if (judge_faults(context, proxies, proxies->configs[i], findings) > 0)
            said = true;
    if (proxies->to_gateway_count == 0)
        return said ? 0
                    : dr_not_applicable(findings, "%s",
                                        proxies->config_count == 0 ? "no reverse proxy's configuration was found"
                                                                   : "no reverse proxy here leads to the gateway's port");
    for (size_t i = 0; i < proxies->to_gateway_count && i < MOST_ROUTES; i++)
        judge(context, proxies->to_gateway[i], findings);
    if (proxies->to_gateway_count > MOST_ROUTES)
        dr_could_not_tell(findings, &proxies->to_gateway[MOST_ROUTES]->source, "only the first %d routes were judged",
                          MOST_ROUTES);
    return 0;
}

static const char *const tags[] = { "proxy", "live", NULL };

const struct dr_check dr_check_proxy_websocket = {
    .id = "proxy-websocket",
    .title = "Reverse proxies hand WebSockets and their clients' addresses on to the gateway",
    .tags = tags,
    .problems = dr_proxy_websocket_problems,
    .problem_count = DR_PROXY_PROBLEMS,
    .live = true,
    .run = run,
};
