/*
 * Whose is the gateway's port, and do all agree on which one it is? Precedence of the port: OPENCLAW_GATEWAY_PORT, gateway.port, 18789
 * (facts/openclaw-2026.2.md section 10, openclaw-2026.9.md section 6).
 */
#include "api/check.h"
#include "api/gateway.h"
#include "api/listeners.h"
#include "api/live.h"
#include "api/target.h"

#include <string.h>

enum { HELD, OTHER_GATEWAY, TWO_GATEWAYS, RUNS_ELSEWHERE, ENVIRONMENT, NOT_A_PORT, FORWARDED, NOTHING_BEHIND };

static const struct dr_problem problems[] = {
    [HELD] = { .code = "held-by-another",
               .severity = DR_ERROR,
               .confidence = DR_CERTAIN,
               .message =
                   "Port {port} is held by {holder}: the gateway cannot listen there, and its clients meet that program.",
               .advice = "Stop that program, or give the gateway another port: openclaw config set gateway.port NUMBER" },
    [OTHER_GATEWAY] = { .code = "other-gateway",
                        .severity = DR_ERROR,
                        .confidence = DR_LIKELY,
                        .message = "Port {port} is held by the OpenClaw gateway of another home: {holder}. Clients of this "
                                   "home meet "
                                   "that one, which knows neither their token nor their pairing.",
                        .advice =
                            "Stop that gateway, or give this one another port: openclaw config set gateway.port NUMBER" },
    [TWO_GATEWAYS] = { .code = "two-gateways",
                       .severity = DR_WARNING,
                       .confidence = DR_LIKELY,
                       .message =
                           "Two gateways serve this home: pid {first} holds its lock, and {holder} listens on port {port}.",
                       .advice = "Stop both, then start one: openclaw gateway stop; openclaw gateway start" },
    [RUNS_ELSEWHERE] = { .code = "runs-elsewhere",
                         .severity = DR_ERROR,
                         .confidence = DR_LIKELY,
                         .message = "The gateway (pid {pid}) listens on port {real}, and clients that go by {from} ask port "
                                    "{port}.",
                         .advice = "Restart the gateway, or set {from} to {real}" },
    [ENVIRONMENT] = { .code = "environment-shadows-file",
                      .severity = DR_INFO,
                      .confidence = DR_CERTAIN,
                      .message =
                          "OPENCLAW_GATEWAY_PORT says {environment} here, and the configuration {file}: what is started "
                          "elsewhere (a service, another terminal) takes {file}.",
                      .advice = "Let one place say it: unset OPENCLAW_GATEWAY_PORT, or change gateway.port" },
    [NOT_A_PORT] = { .code = "not-a-port",
                     .severity = DR_WARNING,
                     .confidence = DR_CERTAIN,
                     .message = "{name} is set to \"{value}\", which is {kind}. {effect}",
                     .advice = "Set {name} to a number from 1 to 65535{without}" },
    [FORWARDED] = { .code = "forwarded",
                    .severity = DR_INFO,
                    .confidence = DR_LIKELY,
                    .message = "Port {port} is held by {holder}, which hands connections on to a gateway somewhere else.",
                    .advice = "Nothing, if that is meant: the gateway then runs in a container or on another host" },
    [NOTHING_BEHIND] = { .code = "nothing-behind",
                         .severity = DR_ERROR,
                         .confidence = DR_LIKELY,
                         .message = "Port {port} is held by {holder}, which hands connections on, and no gateway answers "
                                    "behind it ({what}).",
                         .advice = "Start the gateway that it leads to (docker ps, or the host at the tunnel's other end); "
                                   "or, if the "
                                   "gateway belongs on this host, stop pid {pid} first: openclaw gateway start" },
};

/* Programs whose business is to hold a port for somebody else. */
static const char *const forwarders[] = { "docker-proxy", "rootlessport", "rootlesskit", "conmon", "pasta",   "slirp4netns",
                                          "ssh",          "sshd",         "socat",       "nginx",  "haproxy", "caddy",
                                          "apache2",      "httpd",        "traefik",     "systemd" };

struct look {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_gateway *gateway;
    const struct dr_listeners *listeners;
};

static bool is_forwarder(const struct dr_listener *listener)
{
    for (size_t i = 0; listener->program && i < sizeof(forwarders) / sizeof(forwarders[0]); i++)
        if (strncmp(listener->program, forwarders[i], 15) == 0) /* the kernel cuts a title after 15 */
            return true;
    return false;
}

static const char *holder_text(struct dr_context *context, const struct dr_listener *listener)
{
    if (listener->pid == 0)
        return dr_format(context, "a program of %s", listener->user);
    return dr_format(context, "%s (pid %ld, %s)", listener->program ? listener->program : "a program", listener->pid,
                     listener->user);
}

static struct dr_finding *report_holder(const struct look *look, int problem, const struct dr_listener *listener)
{
    struct dr_finding *finding = dr_report(look->findings, &problems[problem], &look->gateway->file_source);

    dr_finding_number(finding, "port", listener->port);
    dr_finding_text(finding, "holder", holder_text(look->context, listener));
    dr_finding_text(finding, "address", listener->address);
    if (listener->command_line)
        dr_finding_text(finding, "command", listener->command_line);
    return finding;
}

enum behind {
    NOT_KNOWN, /* nobody asked */
    GATEWAY,
    ANOTHER, /* it answers, and is no gateway */
    NOBODY, /* connections are cut or get no answer, or a proxy says that it reaches nobody */
};

/* What answers there, as far as somebody asked. `ret_what`: in words, for NOBODY. */
static enum behind what_answers(struct dr_context *context, const char **ret_what)
{
    const struct dr_live *live = dr_live(context);

    if (live->fact.state != DR_KNOWN)
        return NOT_KNOWN;
    if (live->gateway)
        return GATEWAY;
    for (size_t i = 0; i < live->count; i++) {
        const struct dr_answer *page = &live->endpoints[i].page;

        if (live->endpoints[i].kind != DR_AT_LOOPBACK4 || page->reach == DR_REACH_NOT_ASKED)
            continue;
        if (dr_answer_came(page) && (page->status < 502 || page->status > 504))
            return ANOTHER;
        *ret_what = page->status > 0 ? dr_format(context, "HTTP %u", page->status)
                    : page->why      ? page->why
                                     : dr_reach_name(page->reach);
        return page->reach == DR_REACH_NOT_HTTP ? ANOTHER : NOBODY;
    }
    return NOT_KNOWN;
}

static void judge_stranger(const struct look *look, const struct dr_listener *listener)
{
    const char *what = NULL;
    enum behind behind = what_answers(look->context, &what);
    struct dr_finding *finding;

    if (behind == GATEWAY || (behind == NOT_KNOWN && is_forwarder(listener))) {
        (void)report_holder(look, FORWARDED, listener);
        return;
    }
    finding = report_holder(look, behind == NOBODY && is_forwarder(listener) ? NOTHING_BEHIND : HELD, listener);
    if (what)
        dr_finding_text(finding, "what", what);
    dr_finding_number(finding, "pid", listener->pid);
    if (look->gateway->fact.state == DR_KNOWN)
        dr_finding_severity(finding, DR_WARNING); /* it runs, on another port or address */
}

/* Nobody may look into the process: another user's. */
static void judge_hidden(const struct look *look, const struct dr_listener *listener)
{
    const struct dr_target *target = dr_target(look->context);
    const char *what;
    enum behind behind = what_answers(look->context, &what);

    if (behind == GATEWAY && listener->uid != target->uid && listener->uid != 0)
        (void)report_holder(look, OTHER_GATEWAY, listener);
    else if (behind == ANOTHER)
        dr_finding_confidence(report_holder(look, HELD, listener), DR_LIKELY);
    else if (behind != GATEWAY)
        dr_could_not_tell(look->findings, NULL,
                          "a program of %s holds port %u, and which one cannot be looked at: run as root", listener->user,
                          listener->port);
}

static void judge_holder(const struct look *look)
{
    static const struct dr_address loopback = { .family = 4, .bytes = { 127, 0, 0, 1 } };
    const struct dr_listener *listener = dr_listener_at(look->listeners, &loopback);
    const struct dr_gateway *gateway = look->gateway;

    if (!listener)
        return;
    if (listener->pid == 0) {
        judge_hidden(look, listener);
    } else if (!listener->is_openclaw) {
        judge_stranger(look, listener);
    } else if (listener->ours_known && !listener->ours) {
        (void)report_holder(look, OTHER_GATEWAY, listener);
    } else if (listener->ours && gateway->fact.state == DR_KNOWN && gateway->pid > 0 && gateway->pid != listener->pid) {
        dr_finding_number(report_holder(look, TWO_GATEWAYS, listener), "first", gateway->pid);
    }
}

static void judge_real_port(const struct look *look)
{
    const struct dr_gateway *gateway = look->gateway;
    struct dr_finding *finding;

    if (gateway->fact.state != DR_KNOWN || gateway->locked_port == 0 || gateway->locked_port == gateway->configured_port)
        return;
    finding = dr_report(look->findings, &problems[RUNS_ELSEWHERE], &gateway->file_source);
    dr_finding_number(finding, "pid", gateway->pid);
    dr_finding_number(finding, "real", gateway->locked_port);
    dr_finding_number(finding, "port", gateway->configured_port);
    dr_finding_text(finding, "from", gateway->configured_from);
    dr_finding_text(finding, "how", gateway->port_from);
}

static void judge_words(const struct look *look)
{
    const struct dr_gateway *gateway = look->gateway;
    struct dr_finding *finding;

    if (gateway->odd_port) {
        bool in_file = strcmp(gateway->odd_port_name, "gateway.port") == 0;

        finding = dr_report(look->findings, &problems[NOT_A_PORT], &gateway->file_source);
        dr_finding_text(finding, "name", gateway->odd_port_name);
        dr_finding_text(finding, "value", gateway->odd_port);
        dr_finding_word(finding, "kind", gateway->odd_port_quoted ? "a text in quotes and no number" : "no port number");
        dr_finding_word(finding, "without", gateway->odd_port_quoted ? ", without quotes" : "");
        dr_finding_word(finding, "effect",
                        in_file ? "The gateway refuses to start with it."
                                : dr_format(look->context, "It is passed over: the port is %u.", gateway->configured_port));
        if (in_file)
            dr_finding_severity(finding, DR_ERROR);
    }
    if (gateway->environment_port && gateway->file_port && gateway->environment_port != gateway->file_port) {
        finding = dr_report(look->findings, &problems[ENVIRONMENT], &gateway->file_source);
        dr_finding_number(finding, "environment", gateway->environment_port);
        dr_finding_number(finding, "file", gateway->file_port);
    }
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    struct look look = { .context = context, .findings = findings, .gateway = dr_gateway(context) };

    (void)state;
    if (look.gateway->configured_port == 0)
        return dr_not_applicable(findings, "there is no state directory");
    judge_words(&look);
    if (dr_target(context)->root)
        return 0; /* what is written was judged; sockets of another system cannot be seen */
    judge_real_port(&look);
    look.listeners = dr_listeners(context, look.gateway->configured_port);
    if (!dr_unknown_fact(findings, &look.listeners->fact))
        judge_holder(&look);
    return 0;
}

static const char *const tags[] = { "gateway", "network", NULL };

const struct dr_check dr_check_gateway_port = {
    .id = "gateway-port",
    .title = "The gateway's port is its own, and all agree on it",
    .tags = tags,
    .live = true,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
