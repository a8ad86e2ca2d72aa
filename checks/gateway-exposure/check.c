/*
 * Who can use the gateway, or have a device paired, without being asked for anything? Listener, authentication, origins and proxies together; how
 * bad it is follows from who can reach it. Sources: facts/openclaw-2026.2.md sections 3 and 6, openclaw-2026.9.md sections 0, 3.4, 5;
 * api/locality.h; starts with auth.mode "none" of real gateways of 2026.2.19 and 2026.9.6.
 */
#include "api/check.h"
#include "api/approach.h"
#include "api/binding.h"
#include "api/config.h"
#include "api/install.h"
#include "api/origin.h"
#include "api/proxy.h"
#include "api/tokens.h"

#include <string.h>

enum problem {
    NO_AUTH,
    MODE_UNKNOWN,
    PAIRED_UNASKED,
    DEVICE_AUTH_OFF,
    INSECURE_AUTH,
    ANY_ORIGIN,
    HOST_HEADER,
    OPEN_TO_NETWORK
};

static const struct dr_cause from_bind[] = { { "docker-bind/bind-without-auth", DR_ANY_SUBJECT }, { NULL, DR_ANY_SUBJECT } };
static const struct dr_cause from_proxy[] = {
    { "proxy-websocket/not-forwarded", DR_ANY_SUBJECT },
    { "proxy-websocket/forwarded-spoofable", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};

#define LOCKS_OUT "clients need the token from then on, and those that connect without one are locked out"

static const struct dr_problem problems[] = {
    [NO_AUTH] = {
        .code = "no-auth",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "gateway.auth.mode is \"none\": {who} gets in without a token.",
        .advice = "Set gateway.auth.mode to \"token\" and a token. \"none\" is a valid value, for loopback only.",
        .fixer = "auth-mode-token",
        .why = LOCKS_OUT,
        .follows = from_bind,
    },
    [MODE_UNKNOWN] = {
        .code = "auth-mode-unknown",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "gateway.auth.mode is \"{mode}\", which OpenClaw does not know: the gateway refuses to start.",
        .advice = "Write token, password, trusted-proxy or none.",
        .fixer = "auth-mode-token",
        .why = LOCKS_OUT,
    },
    [PAIRED_UNASKED] = {
        .code = "paired-unasked",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "Whoever comes through {proxy}{claim} and has the token gets a new device paired without anybody being asked: the gateway takes "
                   "him for somebody on this host.",
        .advice = "Let the proxy set X-Forwarded-For to the client's address; or set gateway.nodes.pairing.autoApproveLocal to false (2026.8.1 and "
                  "later).",
        .follows = from_proxy,
    },
    [DEVICE_AUTH_OFF] = {
        .code = "device-auth-off",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "gateway.controlUi.dangerouslyDisableDeviceAuth is set: {who} gets into the Control UI with the token alone, and no device has to be "
                   "approved.",
        .advice = "Take it out; open the Control UI over https or an SSH tunnel, where browsers can make a device key.",
    },
    [INSECURE_AUTH] = {
        .code = "insecure-auth",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "gateway.controlUi.allowInsecureAuth is set: over plain http the token alone is enough, and it travels unencrypted ({who}).",
        .advice = "Take it out; open the Control UI over https or an SSH tunnel.",
    },
    [ANY_ORIGIN] = {
        .code = "any-origin",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "gateway.controlUi.allowedOrigins has \"*\": any web page may talk to the gateway from the browser of {who}.",
        .advice = "List the origins that you use instead of \"*\".",
    },
    [HOST_HEADER] = {
        .code = "origin-by-host-header",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback is set: a page of any name that is made to lead to this gateway counts as "
                   "its own (DNS rebinding); reachable for {who}.",
        .advice = "List the origins that you use in gateway.controlUi.allowedOrigins, and take it out.",
    },
    [OPEN_TO_NETWORK] = {
        .code = "open-to-network",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "The gateway can be reached by {who}. A token and an approved device are needed.",
        .advice = "Right if that was wanted; else set gateway.bind to \"loopback\", and publish ports as 127.0.0.1:PORT:PORT.",
    },
};

enum reach { THIS_HOST, THROUGH_PROXY, NETWORK };

struct judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_binding *binding;
    const struct dr_proxies *proxies;
    enum reach reach;
    const char *who; /* who can reach it, in words */
};

/* ---- who can reach it ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_open(const struct dr_route *route)
{
    for (const char *const *listen = route->listens; listen && *listen; listen++)
        if (!starts_with(*listen, "127.") && !starts_with(*listen, "[::1]") && !starts_with(*listen, "localhost") &&
            !starts_with(*listen, "unix:"))
            return true;
    return false;
}

static const char *route_text(struct dr_context *context, const struct dr_route *route)
{
    const char *name = route->names && route->names[0] ? route->names[0] : NULL;
    const char *listen = route->listens && route->listens[0] ? route->listens[0] : "";

    return dr_format(context, "%s (%s)", dr_proxy_kind_name(route->config->kind), name ? name : listen);
}

static bool is_published_to_all(const struct dr_binding *binding)
{
    for (size_t i = 0; i < binding->published_count; i++)
        if (!*binding->published[i].host || strcmp(binding->published[i].host, "0.0.0.0") == 0)
            return true;
    return false;
}

static void find_reach(struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;

    judging->who = "everybody on this host";
    if (binding->reach != DR_BIND_LOOPBACK && binding->published_count > 0 && !is_published_to_all(binding))
        return; /* the container's port is published to this host only */
    if (binding->reach != DR_BIND_LOOPBACK) {
        judging->reach = NETWORK;
        judging->who = binding->listens ? dr_format(judging->context, "everybody who reaches %s", binding->listens)
                                        : dr_format(judging->context, "everybody who reaches port %u of this host (%s: %s)",
                                                    binding->port, binding->mode_from, binding->mode);
        return;
    }
    for (size_t i = 0; i < judging->proxies->to_gateway_count; i++)
        if (is_open(judging->proxies->to_gateway[i])) {
            judging->reach = THROUGH_PROXY;
            judging->who = dr_format(judging->context, "everybody who reaches %s",
                                     route_text(judging->context, judging->proxies->to_gateway[i]));
            return;
        }
}

/* ---- what is open ---- */

static struct dr_finding *tell(const struct judging *judging, enum problem problem, const struct dr_source *subject)
{
    struct dr_finding *finding = dr_report(judging->findings, &problems[problem], subject);

    dr_finding_text(finding, "who", judging->who);
    return finding;
}

/* OpenClaw's own audit calls it critical since 2026.8; before, on loopback, it is a choice that the gateway merely mentions. */
static enum dr_severity how_bad_is_none(const struct judging *judging)
{
    if (judging->reach != THIS_HOST)
        return DR_ERROR;
    return dr_installs(judging->context)->rules->attribution_required ? DR_WARNING : DR_INFO;
}

static void judge_auth(const struct judging *judging)
{
    static const char *const modes[] = { "none", "token", "password", "trusted-proxy" };
    struct dr_config_value mode;

    if (dr_config_lookup(dr_config(judging->context), "gateway.auth.mode", &mode) <= 0)
        return;
    for (size_t i = 0; mode.type == DR_VALUE_STRING && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(mode.text, modes[i]) != 0)
            continue;
        if (i == 0)
            dr_finding_severity(tell(judging, NO_AUTH, &mode.source), how_bad_is_none(judging));
        return;
    }
    struct dr_finding *finding = tell(judging, MODE_UNKNOWN, &mode.source);

    dr_finding_text(finding, "mode", dr_format(judging->context, "%.40s", mode.text ? mode.text : ""));
    if (mode.type != DR_VALUE_STRING)
        dr_finding_restrict(finding, DR_MANUAL, NULL);
}

/* A switch that is on: its row, as bad as what can be reached. */
static void judge_switch(const struct judging *judging, enum problem problem, const char *path, enum dr_severity here,
                         enum dr_severity beyond)
{
    struct dr_config_value value;

    if (dr_config_lookup(dr_config(judging->context), path, &value) <= 0 || value.type != DR_VALUE_BOOLEAN || !value.truth)
        return;
    dr_finding_severity(tell(judging, problem, &value.source), judging->reach == THIS_HOST ? here : beyond);
}

static void judge_origins(const struct judging *judging)
{
    const struct dr_config *config = dr_config(judging->context);
    const struct dr_rules *rules = dr_installs(judging->context)->rules;
    struct dr_config_value list, value;

    if (dr_config_lookup(config, "gateway.controlUi.allowedOrigins", &list) <= 0 || list.type != DR_VALUE_ARRAY)
        return;
    for (bool more = dr_config_first(config, &list, &value); more; more = dr_config_next(config, &value, &value)) {
        struct dr_origin_entry entry;

        if (value.type != DR_VALUE_STRING || value.missing_env)
            continue;
        dr_origin_entry_read(rules, value.text, &entry);
        if (entry.everyone) {
            (void)tell(judging, ANY_ORIGIN, &value.source);
            return;
        }
    }
}

/* One finding for all routes: the first is named. */
static void judge_routes(const struct judging *judging)
{
    const struct dr_rules *rules = dr_installs(judging->context)->rules;

    for (size_t i = 0; i < judging->proxies->to_gateway_count; i++) {
        const struct dr_route *route = judging->proxies->to_gateway[i];

        for (enum dr_claim claim = DR_CLAIMS_NOTHING; claim <= DR_CLAIMS_LOCAL; claim++) {
            struct dr_approach approach;
            struct dr_locality locality;
            const char *why;

            if (!is_open(route) || dr_route_approach(judging->context, route, claim, &approach, &why) < 0)
                continue;
            dr_locality_judge(rules, &approach, &locality);
            if (!locality.paired_unasked)
                continue;
            struct dr_finding *finding = tell(judging, PAIRED_UNASKED, &route->source);

            dr_finding_text(finding, "proxy", route_text(judging->context, route));
            dr_finding_word(finding, "claim", claim == DR_CLAIMS_LOCAL ? ", claims to be 127.0.0.1" : "");
            return;
        }
    }
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    struct judging judging = {
        .context = context, .findings = findings, .binding = dr_binding(context), .proxies = dr_proxies(context)
    };
    const struct dr_tokens *tokens = dr_tokens(context);

    (void)state;
    if (dr_unknown_fact(findings, &judging.binding->fact))
        return 0;
    if (tokens->mode && strcmp(tokens->mode, "remote") == 0)
        return dr_not_applicable(findings, "gateway.mode is remote: the gateway runs elsewhere");
    find_reach(&judging);
    judge_auth(&judging);
    judge_routes(&judging);
    judge_switch(&judging, DEVICE_AUTH_OFF, "gateway.controlUi.dangerouslyDisableDeviceAuth", DR_WARNING, DR_ERROR);
    judge_switch(&judging, INSECURE_AUTH, "gateway.controlUi.allowInsecureAuth", DR_INFO, DR_WARNING);
    judge_switch(&judging, HOST_HEADER, "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback", DR_WARNING,
                 DR_WARNING);
    judge_origins(&judging);
    if (judging.reach == NETWORK)
        (void)tell(&judging, OPEN_TO_NETWORK, &judging.binding->source);
    return 0;
}

static const char *const tags[] = { "gateway", "security", "proxy", "offline", NULL };

const struct dr_check dr_check_gateway_exposure = {
    .id = "gateway-exposure",
    .title = "Nobody gets in without a token and an approved device",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
