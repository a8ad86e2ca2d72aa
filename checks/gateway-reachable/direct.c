/* The gateway on this host: loopback and the addresses of its interfaces. */
#include "check.h"

#include "api/target.h"

#include <string.h>

enum { TRY_AGAIN_LATER = 1013 };

bool dr_gateway_reachable_is_direct(const struct dr_endpoint *endpoint)
{
    return endpoint->kind == DR_AT_LOOPBACK4 || endpoint->kind == DR_AT_LOOPBACK6 || endpoint->kind == DR_AT_OWN_ADDRESS;
}

static bool is_gateway(const struct dr_endpoint *endpoint)
{
    return endpoint->socket.challenged || endpoint->page.control_ui || endpoint->healthz.is_probe_answer ||
           endpoint->readyz.is_probe_answer ||
           (endpoint->page.error_type && strstr(endpoint->page.error_type, "attribution"));
}

static bool is_not_ready(const struct dr_endpoint *endpoint)
{
    return endpoint->socket.close_code == TRY_AGAIN_LATER || endpoint->socket.status == 503 ||
           (endpoint->readyz.is_probe_answer && !endpoint->readyz.truth);
}

enum dr_reachable_way dr_gateway_reachable_way(const struct dr_endpoint *endpoint)
{
    const struct dr_answer *page = &endpoint->page;

    if (is_gateway(endpoint))
        return is_not_ready(endpoint) ? DR_WAY_NOT_READY : DR_WAY_GOOD;
    if (endpoint->speaks_other)
        return DR_WAY_OTHER_PROTOCOL;
    if (dr_answer_came(page))
        return DR_WAY_ALIEN;
    switch (page->reach) {
    case DR_REACH_REFUSED:
    case DR_REACH_NO_ROUTE:
        return DR_WAY_GONE;
    case DR_REACH_TIMED_OUT:
        return page->connected ? DR_WAY_SILENT : DR_WAY_DROPPED;
    case DR_REACH_RESET:
    case DR_REACH_CLOSED:
        return DR_WAY_CUT;
    case DR_REACH_NOT_HTTP:
    case DR_REACH_TLS_FAILED:
        return DR_WAY_ALIEN;
    default:
        return DR_WAY_NOT_ASKED;
    }
}

const struct dr_listener *dr_gateway_reachable_listener(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    const struct dr_listeners *listeners = dr_listeners(look->context, endpoint->port);
    struct dr_address address;

    return dr_address_parse(endpoint->host, &address) ? dr_listener_at(listeners, &address) : NULL;
}

const char *dr_gateway_reachable_holder(const struct dr_reachable *look, const struct dr_listener *listener)
{
    struct dr_context *context = look->context;

    if (!listener)
        return "the program there";
    if (listener->pid == 0)
        return dr_format(context, "a program of %s", listener->user);
    return dr_format(context, "%s (pid %ld, %s)", listener->program ? listener->program : "the program", listener->pid,
                     listener->user);
}

/* --- nobody listens ------------------------------------------------------------------------------------------------------ */

/* 2026.9 keeps its lock in the state directory and takes it away when it ends; 2026.2 (in the folder for temporary files) leaves it always. */
static bool has_died(const struct dr_reachable *look)
{
    const char *state_dir = dr_target(look->context)->state_dir;
    const char *lock = look->gateway->stale_lock;

    return lock && state_dir && strncmp(lock, state_dir, strlen(state_dir)) == 0;
}

static void report_starting(const struct dr_reachable *look, const struct dr_endpoint *endpoint, long pid, int64_t age_ms,
                            const char *state)
{
    struct dr_finding *finding = dr_gateway_reachable_report(look, DR_REACHABLE_STARTING_UP, endpoint);

    dr_finding_word(finding, "who",
                    look->gateway->fact.state == DR_KNOWN ? "The gateway" : "A process of OpenClaw that may be the gateway");
    dr_finding_word(finding, "state", state);
    dr_finding_number(finding, "port", look->gateway->port);
    dr_finding_number(finding, "pid", pid);
    dr_finding_number(finding, "age", age_ms / 1000);
    if (look->gateway->fact.state != DR_KNOWN)
        dr_finding_confidence(finding, DR_POSSIBLE);
}

static bool is_young(const struct dr_gateway *gateway)
{
    return gateway->fact.state == DR_KNOWN && gateway->pid > 0 && gateway->runs_for_ms >= 0 &&
           gateway->runs_for_ms < DR_GATEWAY_STARTS_WITHIN_MS;
}

static void report_stopped(const struct dr_reachable *look)
{
    const struct dr_gateway *gateway = look->gateway;
    struct dr_finding *finding;

    if (look->remote)
        return;
    if (gateway->starting_pid > 0) {
        report_starting(look, NULL, gateway->starting_pid, gateway->starting_for_ms, "nobody listens yet");
        return;
    }
    if (has_died(look)) {
        finding = dr_report(look->findings, &dr_gateway_reachable_problems[DR_REACHABLE_DIED],
                            &(struct dr_source){ .path = gateway->stale_lock });
        dr_finding_path(finding, "lock", gateway->stale_lock);
    } else {
        finding = dr_gateway_reachable_report(look, DR_REACHABLE_STOPPED, NULL);
    }
    dr_finding_number(finding, "port", gateway->port);
}

static void report_not_listening(const struct dr_reachable *look)
{
    const struct dr_gateway *gateway = look->gateway;
    struct dr_finding *finding;

    if (is_young(gateway)) {
        report_starting(look, NULL, gateway->pid, gateway->runs_for_ms, "nobody listens yet");
        return;
    }
    finding = dr_gateway_reachable_report(look, DR_REACHABLE_NOT_LISTENING, NULL);
    dr_finding_number(finding, "port", gateway->port);
    dr_finding_text(finding, "how", gateway->how);
    if (gateway->pid > 0)
        dr_finding_number(finding, "pid", gateway->pid);
    if (gateway->runs_for_ms >= 0)
        dr_finding_number(finding, "age", gateway->runs_for_ms / 1000);
}

/* --- something is wrong with what listens ------------------------------------------------------------------------------ */

static const char *what_answers(struct dr_context *context, const struct dr_endpoint *endpoint)
{
    const struct dr_answer *page = &endpoint->page;

    if (endpoint->speaks_other)
        return endpoint->tls ? "it speaks HTTP, and no TLS" : "it speaks TLS";
    if (!dr_answer_came(page))
        return page->why ? page->why : "it does not speak HTTP";
    if (page->server)
        return dr_format(context, "HTTP %u of \"%s\"", page->status, page->server);
    return dr_format(context, "HTTP %u without OpenClaw's page", page->status);
}

static struct dr_finding *report_holder(const struct dr_reachable *look, enum dr_reachable_problem problem,
                                        const struct dr_endpoint *endpoint, const struct dr_listener *listener)
{
    struct dr_finding *finding = dr_gateway_reachable_report(look, problem, endpoint);

    dr_finding_text(finding, "holder", dr_gateway_reachable_holder(look, listener));
    dr_finding_number(finding, "port", endpoint->port);
    if (listener && listener->pid > 0)
        dr_finding_number(finding, "pid", listener->pid);
    if (listener && listener->command_line)
        dr_finding_text(finding, "command", listener->command_line);
    if (listener && listener->waiting > 0)
        dr_finding_number(finding, "waiting", listener->waiting);
    return finding;
}

/* What to do, by what /readyz of 2026.9 calls failing: a stage of the start, a part of the gateway, or the name of a channel. */
static const struct {
    const char *failing; /* begins with it */
    const char *next;
} not_ready[] = {
    { "startup-", "Wait half a minute, then look again; if it stays so: openclaw logs" },
    { "gateway-draining", "It ends or starts anew: wait half a minute, then look again" },
    { "agent-database:",
      "Read which database it refuses and why: openclaw logs; then, with the gateway stopped: openclaw doctor --fix" },
    { "plugin-reload", "Restart the gateway: openclaw gateway restart; what failed stands in: openclaw logs" },
    { "state-database", "openclaw-doctor --only pairing-store; then: openclaw gateway restart" },
    { "HTTP 503", "Wait half a minute, then look again; if it stays so: openclaw logs" },
    { "gateway ", "Wait half a minute, then look again; if it stays so: openclaw logs" }, /* close reasons of 1013 */
    { "", "It is a channel that does not run, and clients connect all the same: openclaw channels status --probe" },
};

static void report_not_ready(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    const char *what = endpoint->readyz.failing                                           ? endpoint->readyz.failing
                       : endpoint->socket.close_code > 0 && endpoint->socket.close_reason ? endpoint->socket.close_reason
                                                                                          : "HTTP 503";
    struct dr_finding *finding;
    size_t i = 0;

    while (strncmp(what, not_ready[i].failing, strlen(not_ready[i].failing)) != 0)
        i++;
    if (is_young(look->gateway) && strcmp(not_ready[i].next, not_ready[0].next) == 0) {
        report_starting(look, endpoint, look->gateway->pid, look->gateway->runs_for_ms, "it calls itself not ready yet");
        return;
    }
    finding = dr_gateway_reachable_report(look, DR_REACHABLE_NOT_READY, endpoint);
    dr_finding_text(finding, "what", what);
    dr_finding_word(finding, "next", not_ready[i].next);
}

static enum dr_reachable_problem problem_of(const struct dr_reachable *look, const struct dr_endpoint *endpoint,
                                            const struct dr_listener *listener, enum dr_reachable_way way)
{
    bool stranger = listener && listener->pid > 0 && !listener->is_openclaw;
    bool own = listener && listener->pid > 0 && listener->pid == look->gateway->pid;

    if (way == DR_WAY_OTHER_PROTOCOL && !stranger)
        return endpoint->tls ? DR_REACHABLE_NO_TLS : DR_REACHABLE_TLS;
    if (way == DR_WAY_DROPPED && !(listener && listener->waiting > 0))
        return DR_REACHABLE_DROPPED;
    if ((way == DR_WAY_SILENT || way == DR_WAY_DROPPED) && !stranger) {
        if (own && look->gateway->process_state == 'T')
            return DR_REACHABLE_FROZEN;
        return own && is_young(look->gateway) ? DR_REACHABLE_STARTING_UP : DR_REACHABLE_HUNG;
    }
    if (way == DR_WAY_CUT && !stranger)
        return DR_REACHABLE_CUTS;
    return DR_REACHABLE_ANOTHER;
}

static void report_bad(const struct dr_reachable *look, const struct dr_endpoint *endpoint, enum dr_reachable_way way)
{
    const struct dr_listener *listener = dr_gateway_reachable_listener(look, endpoint);
    enum dr_reachable_problem problem;
    struct dr_finding *finding;

    if (way == DR_WAY_NOT_READY) {
        report_not_ready(look, endpoint);
        return;
    }
    problem = problem_of(look, endpoint, listener, way);
    if (problem == DR_REACHABLE_STARTING_UP) {
        report_starting(look, endpoint, look->gateway->pid, look->gateway->runs_for_ms,
                        "it takes connections and answers none yet");
        return;
    }
    finding = report_holder(look, problem, endpoint, listener);
    dr_finding_text(finding, "what", what_answers(look->context, endpoint));
    if (problem == DR_REACHABLE_ANOTHER && listener && listener->pid > 0 && !listener->is_openclaw)
        dr_finding_confidence(finding, DR_CERTAIN);
}

static const struct dr_endpoint *first_that(const struct dr_live *live, enum dr_reachable_way way)
{
    for (size_t i = 0; i < live->count; i++)
        if (dr_gateway_reachable_is_direct(&live->endpoints[i]) && dr_gateway_reachable_way(&live->endpoints[i]) == way)
            return &live->endpoints[i];
    return NULL;
}

void dr_gateway_reachable_direct(const struct dr_reachable *look)
{
    static const enum dr_reachable_way worst[] = { DR_WAY_NOT_READY, DR_WAY_SILENT, DR_WAY_OTHER_PROTOCOL,
                                                   DR_WAY_CUT,       DR_WAY_ALIEN,  DR_WAY_DROPPED };
    const struct dr_endpoint *good = first_that(look->live, DR_WAY_GOOD);
    const struct dr_endpoint *gone = first_that(look->live, DR_WAY_GONE);

    if (good) {
        dr_gateway_reachable_compare(look, good);
        return;
    }
    for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
        const struct dr_endpoint *bad = first_that(look->live, worst[i]);

        if (bad) {
            report_bad(look, bad, worst[i]);
            return;
        }
    }
    /* The kernel lists a listener, and refuses all the same: so it was told to. */
    if (gone && dr_gateway_reachable_listener(look, gone))
        report_bad(look, gone, DR_WAY_DROPPED);
    else if (gone && look->gateway->fact.state == DR_KNOWN)
        report_not_listening(look);
    else if (gone && look->gateway->fact.state == DR_ABSENT)
        report_stopped(look);
    else if (gone)
        dr_could_not_tell(look->findings, NULL,
                          "nobody listens on port %u, and whether a gateway runs could not be told: %s", look->gateway->port,
                          look->gateway->fact.reason);
}
