/*
 * Does the gateway know for whom its proxies speak? Three witnesses: the live probes (HTTP 403 with error.type), the gateway's log, and the
 * proxies' configurations put through the gateway's own rules (api/locality.h). Mostly a consequence: the cause stands in
 * docker-trusted-proxies or proxy-websocket. Sources: facts/openclaw-2026.2.md section 6, openclaw-2026.9.md sections 0, 3.4, 3.7.
 */
#include "api/check.h"
#include "api/approach.h"
#include "api/attribution.h"
#include "api/config.h"
#include "api/install.h"
#include "api/live.h"
#include "api/network.h"

#include <string.h>
#include <time.h>

enum problem { REFUSED, UNTRUSTED, UNMARKED };
enum { MOST_FINDINGS = 16, TAKEN_IN_MS = 5000 /* a running gateway takes a new list in by then */ };

static const struct dr_cause from_trust[] = {
    { "docker-trusted-proxies/peer-missing", DR_ANY_SUBJECT },
    { "docker-trusted-proxies/entry-matches-nothing", DR_ANY_SUBJECT },
    { "docker-trusted-proxies/bridge-moved", DR_ANY_SUBJECT },
    { "docker-trusted-proxies/trusts-everyone", DR_ANY_SUBJECT },
    { "docker-trusted-proxies/range-too-wide", DR_ANY_SUBJECT },
    { "docker-trusted-proxies/stranger-forwards", DR_ANY_SUBJECT },
    { "proxy-websocket/not-forwarded", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};
static const struct dr_cause from_proxy[] = {
    { "proxy-websocket/not-forwarded", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};

static const struct dr_problem problems[] = {
    [REFUSED] = {
        .code = "refused",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "The gateway refuses what comes through {who} with HTTP 403 proxy_attribution_required: {why} ({how}).",
        .advice = "List exactly the proxy's address in gateway.trustedProxies, and let the proxy set X-Forwarded-For to the client's address.",
        .follows = from_trust,
    },
    [UNTRUSTED] = {
        .code = "untrusted",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The gateway's log says \"Proxy headers detected from untrusted address\" ({how}): clients of that proxy count as remote, look "
                   "alike, and each new device must be approved.",
        .advice = "List exactly the proxy's address in gateway.trustedProxies.",
        .follows = from_trust,
    },
    [UNMARKED] = {
        .code = "unmarked-proxy",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .message = "Somebody asks this gateway over loopback under another name, as a proxy does that does not say whom it speaks for ({how}). "
                   "{effect}",
        .advice = "Let the proxy set X-Forwarded-For to the client's address, and list 127.0.0.1 in gateway.trustedProxies.",
        .follows = from_proxy,
    },
};

struct judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_rules *rules;
    const struct dr_attribution *attribution;
    const struct dr_live *live;
    const char *told[MOST_FINDINGS]; /* files that a finding stands at: one for each */
    size_t told_count;
};

/* ---- saying it ---- */

static bool is_told(struct judging *judging, const char *path)
{
    for (size_t i = 0; i < judging->told_count; i++)
        if (strcmp(judging->told[i], path ? path : "") == 0)
            return true;
    if (judging->told_count == MOST_FINDINGS)
        return true;
    judging->told[judging->told_count++] = path ? path : "";
    return false;
}

static void tell_refused(struct judging *judging, const struct dr_source *subject, enum dr_confidence confidence,
                         const char *who, const char *why, const char *how)
{
    if (is_told(judging, subject->path))
        return;
    struct dr_finding *finding = dr_report(judging->findings, &problems[REFUSED], subject);

    dr_finding_confidence(finding, confidence);
    dr_finding_text(finding, "who", who);
    dr_finding_text(finding, "why", why);
    dr_finding_text(finding, "how", how);
}

static const char *when_text(struct judging *judging, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (ms == 0 || !gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) == 0)
        return "";
    return dr_format(judging->context, ", last %s UTC", text);
}

static const char *lines_text(struct judging *judging, size_t count, int64_t last_ms)
{
    return dr_format(judging->context, "%zu line%s of its log%s", count, count == 1 ? "" : "s", when_text(judging, last_ms));
}

static const char *through(struct judging *judging, const struct dr_route *route)
{
    const char *name = route->names && route->names[0] ? route->names[0] : NULL;

    return dr_format(judging->context, "%s%s%s", dr_proxy_kind_name(route->config->kind), name ? " for " : "",
                     name ? name : "");
}

/* ---- the routes, put through the gateway's rules ---- */

static const char not_listed[] = "gateway.trustedProxies does not name the proxy's address";
static const char no_client[] = "the proxy names no client, and the gateway cannot tell who asks";

static bool is_listed(const struct judging *judging, const char *peer)
{
    struct dr_address address;

    for (size_t i = 0; dr_address_parse(peer, &address) && i < judging->attribution->trusted_count; i++)
        if (dr_trust_matches(judging->rules, judging->attribution->trusted[i], &address))
            return true;
    return false;
}

static bool is_refused(const struct judging *judging, const struct dr_approach *approach)
{
    struct dr_locality locality;

    dr_locality_judge(judging->rules, approach, &locality);
    return locality.ingress == DR_INGRESS_REFUSED;
}

/* A client from one of this host's own networks: somebody who is there may well be inside of what the list trusts. */
static const char *neighbour_refused(struct judging *judging, const struct dr_approach *far)
{
    const struct dr_network *network = dr_network(judging->context);
    struct dr_approach near = *far;
    char text[DR_ADDRESS_TEXT];

    if (!far->forwarded_for || strcmp(far->forwarded_for, DR_SOME_CLIENT) != 0)
        return NULL;
    for (size_t i = 0; i < network->count; i++) {
        const struct dr_interface_network *here = &network->list[i];
        struct dr_address client = here->subnet.base;

        if (here->containers || here->subnet.base.family != 4 || here->subnet.bits > 30)
            continue;
        client.bytes[3] ^= 2;
        near.forwarded_for = dr_address_text(&client, text);
        if (is_refused(judging, &near))
            return here->interface;
    }
    return NULL;
}

static const char *why_refused(struct judging *judging, const struct dr_approach *approach)
{
    const char *interface;

    if (is_refused(judging, approach)) {
        if (!is_listed(judging, approach->peer))
            return not_listed;
        return approach->forwarded_for ? "the client itself is in gateway.trustedProxies, so nobody is left to be the client"
                                       : no_client;
    }
    interface = neighbour_refused(judging, approach);
    return interface ? dr_format(judging->context,
                                 "clients in the network of %s are in gateway.trustedProxies themselves, so nobody is left "
                                 "to be the client",
                                 interface)
                     : NULL;
}

static const struct dr_endpoint *endpoint_of(const struct judging *judging, const struct dr_route *route)
{
    for (size_t i = 0; judging->live->fact.state == DR_KNOWN && i < judging->live->count; i++)
        if (judging->live->endpoints[i].route == route)
            return &judging->live->endpoints[i];
    return NULL;
}

static bool says_403(const struct dr_endpoint *endpoint)
{
    static const char type[] = "proxy_attribution_required";
    const char *page = endpoint->page.error_type, *socket = endpoint->socket.error_type;

    return (page && strcmp(page, type) == 0) || (socket && strcmp(socket, type) == 0);
}

static bool is_through(const struct dr_endpoint *endpoint)
{
    return endpoint && endpoint->socket.reach == DR_REACH_ANSWERED && endpoint->socket.status == 101;
}

static void judge_route(struct judging *judging, const struct dr_route *route)
{
    const struct dr_endpoint *endpoint = endpoint_of(judging, route);
    /* Over loopback nobody is left to be the client, whatever the proxy does: that proves nothing. */
    bool proven = endpoint && !endpoint->over_loopback && says_403(endpoint);
    struct dr_approach approach;
    const char *unknown, *why = NULL;

    if (dr_route_approach(judging->context, route, DR_CLAIMS_NOTHING, &approach, &unknown) >= 0)
        why = why_refused(judging, &approach);
    /* What a real handshake met is worth more than what the configuration reads like. */
    if (why == not_listed && is_through(endpoint))
        return;
    if (why || proven)
        tell_refused(judging, &route->source, proven ? DR_CERTAIN : DR_LIKELY, through(judging, route),
                     why ? why : no_client,
                     proven ? dr_format(judging->context, "asked at %s", endpoint->url) : "by its configuration");
}

/* ---- addresses that were asked, without a route ---- */

static void judge_endpoints(struct judging *judging)
{
    for (size_t i = 0; judging->live->fact.state == DR_KNOWN && i < judging->live->count; i++) {
        const struct dr_endpoint *endpoint = &judging->live->endpoints[i];
        struct dr_source subject = endpoint->source;

        if (endpoint->route || !says_403(endpoint))
            continue;
        if (!subject.path)
            subject = judging->attribution->list_source;
        tell_refused(judging, &subject, DR_CERTAIN, endpoint->url,
                     "the gateway does not trust what stands in between, or cannot tell who asks",
                     dr_format(judging->context, "asked because of %s", endpoint->from));
    }
}

/* ---- the log ---- */

static int64_t config_changed_ms(struct dr_context *context)
{
    const struct dr_config *config = dr_config(context);
    int64_t newest = 0;

    for (size_t i = 0; i < config->file_count; i++)
        if (config->files[i]->identity.mtime_ns / 1000000 > newest)
            newest = config->files[i]->identity.mtime_ns / 1000000;
    return newest;
}

static void judge_refused_peer(struct judging *judging, const struct dr_log *log, const struct dr_proxy_peer *peer)
{
    bool since = peer->refused_ms > config_changed_ms(judging->context) + TAKEN_IN_MS;

    /* What was refused before the list had it is history. */
    if (!(peer->evidence & DR_PEER_REFUSED) || peer->confidence < DR_LIKELY || peer->route || (peer->trusted && !since))
        return;
    tell_refused(
        judging, &log->fact.source, DR_CERTAIN, peer->text,
        peer->trusted
            ? "it is in gateway.trustedProxies, but no client is left: it names none, or one that is in the list as well"
            : not_listed,
        lines_text(judging, peer->refused, peer->refused_ms));
}

static bool is_history(const struct judging *judging, const struct dr_log_hit *hit)
{
    return (hit->last_ms && hit->last_ms <= config_changed_ms(judging->context)) ||
           !dr_log_is_recent(judging->context, hit->last_ms);
}

static void judge_old_log(struct judging *judging, const struct dr_log *log)
{
    const struct dr_log_hit *hit = dr_log_find(log, "proxy-untrusted");

    if (!hit || is_history(judging, hit))
        return;
    struct dr_finding *finding = dr_report(judging->findings, &problems[UNTRUSTED], &log->fact.source);

    dr_finding_text(finding, "how", lines_text(judging, hit->count, hit->last_ms));
}

static void judge_unmarked(struct judging *judging, const struct dr_log *log)
{
    const struct dr_log_hit *hit = dr_log_find(log, "host-not-local");

    /* What a proxy did before it was changed is history. */
    if (!hit || is_history(judging, hit) || (hit->last_ms && hit->last_ms <= judging->attribution->proxies_changed_ms))
        return;
    struct dr_finding *finding = dr_report(judging->findings, &problems[UNMARKED], &log->fact.source);

    if (judging->rules->attribution_required)
        dr_finding_severity(finding, DR_ERROR);
    dr_finding_text(finding, "how", lines_text(judging, hit->count, hit->last_ms));
    dr_finding_word(finding, "effect",
                    judging->rules->attribution_required
                        ? "The log says \"Treating it as remote\", but with this release they count as local, and a new "
                          "device is paired unasked."
                        : "They count as remote, all look alike, and each new device must be approved.");
}

static void judge_log(struct judging *judging)
{
    const struct dr_log *log = dr_log(judging->context);

    (void)dr_unknown_fact(judging->findings, &log->fact);
    if (judging->rules->attribution_required)
        for (size_t i = 0; i < judging->attribution->peer_count; i++)
            judge_refused_peer(judging, log, &judging->attribution->peers[i]);
    else
        judge_old_log(judging, log);
    judge_unmarked(judging, log);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_attribution *attribution = dr_attribution(context);
    const struct dr_proxies *proxies = dr_proxies(context);
    struct judging judging = { .context = context,
                               .findings = findings,
                               .rules = dr_installs(context)->rules,
                               .attribution = attribution,
                               .live = dr_live(context) };

    (void)state;
    if (dr_unknown_fact(findings, &attribution->fact))
        return 0;
    (void)dr_unknown_fact(findings, &proxies->fact);
    if (judging.rules->attribution_required)
        for (size_t i = 0; i < proxies->to_gateway_count; i++)
            judge_route(&judging, proxies->to_gateway[i]);
    judge_endpoints(&judging);
    judge_log(&judging);
    return 0;
}

static const char *const tags[] = { "proxy", "docker", "gateway", NULL };

const struct dr_check dr_check_proxy_attribution = {
    .id = "proxy-attribution",
    .title = "The gateway knows for whom its proxies speak",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .live = true,
    .run = run,
};
