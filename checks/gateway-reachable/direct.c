/* The gateway on this host: loopback and the addresses of its interfaces. */
#include "check.h"

#include "api/config.h"
#include "api/target.h"

#include <string.h>

enum { STARTS_WITHIN_MS = 90000, TRY_AGAIN_LATER = 1013 };

enum way {
    WAY_NOT_ASKED,
    WAY_GONE, /* refused, or no such address */
    WAY_SILENT, /* accepted, no answer */
    WAY_DROPPED, /* not even accepted */
    WAY_CUT,
    WAY_ALIEN,
    WAY_OTHER_PROTOCOL,
    WAY_NOT_READY,
    WAY_GOOD,
};

static bool is_direct(const struct dr_endpoint *endpoint)
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

bool dr_gateway_reachable_is_silent(const struct dr_endpoint *endpoint)
{
    return endpoint->page.reach == DR_REACH_TIMED_OUT && endpoint->page.connected && !endpoint->socket.status;
}

static enum way way_of(const struct dr_endpoint *endpoint)
{
    const struct dr_answer *page = &endpoint->page;

    if (is_gateway(endpoint))
        return is_not_ready(endpoint) ? WAY_NOT_READY : WAY_GOOD;
    if (endpoint->speaks_other)
        return WAY_OTHER_PROTOCOL;
    if (dr_answer_came(page))
        return WAY_ALIEN;
    switch (page->reach) {
    case DR_REACH_REFUSED:
    case DR_REACH_NO_ROUTE:
        return WAY_GONE;
    case DR_REACH_TIMED_OUT:
        return page->connected ? WAY_SILENT : WAY_DROPPED;
    case DR_REACH_RESET:
    case DR_REACH_CLOSED:
        return WAY_CUT;
    case DR_REACH_NOT_HTTP:
    case DR_REACH_TLS_FAILED:
        return WAY_ALIEN;
    default:
        return WAY_NOT_ASKED;
    }
}

static const struct dr_listener *listener_of(const struct dr_reachable *look, const struct dr_endpoint *endpoint)
{
    const struct dr_listeners *listeners = dr_listeners(look->context, endpoint->port);
    struct dr_address address;

    return dr_address_parse(endpoint->host, &address) ? dr_listener_at(listeners, &address) : NULL;
}

static const char *holder_text(struct dr_context *context, const struct dr_listener *listener)
{
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

static void report_stopped(const struct dr_reachable *look)
{
    const struct dr_gateway *gateway = look->gateway;
    struct dr_finding *finding;

    if (look->remote)
        return;
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
    bool is_young = gateway->runs_for_ms >= 0 && gateway->runs_for_ms < STARTS_WITHIN_MS;
    struct dr_finding *finding =
        dr_gateway_reachable_report(look, is_young ? DR_REACHABLE_STARTING_UP : DR_REACHABLE_NOT_LISTENING, NULL);

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

    dr_finding_text(finding, "holder", holder_text(look->context, listener));
    dr_finding_number(finding, "port", endpoint->port);
    if (listener && listener->pid > 0)
        dr_finding_number(finding, "pid", listener->pid);
    if (listener && listener->command_line)
        dr_finding_text(finding, "command", listener->command_line);
    if (listener && listener->waiting > 0)
        dr_finding_number(finding, "waiting", listener->waiting);
    return finding;
}

static void report_bad(const struct dr_reachable *look, const struct dr_endpoint *endpoint, enum way way)
{
    const struct dr_listener *listener = listener_of(look, endpoint);
    bool stranger = listener && listener->pid > 0 && !listener->is_openclaw;
    bool frozen =
        listener && listener->pid > 0 && listener->pid == look->gateway->pid && look->gateway->process_state == 'T';
    enum dr_reachable_problem problem = DR_REACHABLE_ANOTHER;
    struct dr_finding *finding;

    if (way == WAY_NOT_READY) {
        finding = dr_gateway_reachable_report(look, DR_REACHABLE_NOT_READY, endpoint);
        dr_finding_text(finding, "what",
                        endpoint->readyz.failing          ? endpoint->readyz.failing
                        : endpoint->socket.close_code > 0 ? endpoint->socket.close_reason
                                                          : "HTTP 503");
        return;
    }
    if (way == WAY_OTHER_PROTOCOL && !stranger)
        problem = endpoint->tls ? DR_REACHABLE_NO_TLS : DR_REACHABLE_TLS;
    else if (way == WAY_DROPPED && !(listener && listener->waiting > 0))
        problem = DR_REACHABLE_DROPPED;
    else if ((way == WAY_SILENT || way == WAY_DROPPED) && !stranger)
        problem = frozen ? DR_REACHABLE_FROZEN : DR_REACHABLE_HUNG;
    else if (way == WAY_CUT && !stranger)
        problem = DR_REACHABLE_CUTS;
    finding = report_holder(look, problem, endpoint, listener);
    dr_finding_text(finding, "what", what_answers(look->context, endpoint));
    if (problem == DR_REACHABLE_ANOTHER && stranger)
        dr_finding_confidence(finding, DR_CERTAIN);
}

/* --- here and not there ------------------------------------------------------------------------------------------------- */

static const char *bind_of(struct dr_context *context)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), "gateway.bind", &value) == 1 && value.text ? value.text : NULL;
}

static const struct dr_endpoint *first_that(const struct dr_live *live, enum way way)
{
    for (size_t i = 0; i < live->count; i++)
        if (is_direct(&live->endpoints[i]) && way_of(&live->endpoints[i]) == way)
            return &live->endpoints[i];
    return NULL;
}

static void compare_addresses(const struct dr_reachable *look, const struct dr_endpoint *good)
{
    const char *bind = bind_of(look->context);
    bool everywhere = bind && strcmp(bind, "lan") == 0;

    for (size_t i = 0; i < look->live->count; i++) {
        const struct dr_endpoint *endpoint = &look->live->endpoints[i];
        enum way way = way_of(endpoint);
        struct dr_address address;
        struct dr_finding *finding;

        if (endpoint->kind != DR_AT_OWN_ADDRESS || !everywhere || way == WAY_GOOD || way == WAY_NOT_ASKED ||
            way == WAY_NOT_READY)
            continue;
        /* 0.0.0.0 is what "lan" means: IPv6 is not promised. */
        if (!dr_address_parse(endpoint->host, &address) || address.family != 4)
            continue;
        finding = dr_gateway_reachable_report(look, DR_REACHABLE_NOT_EVERYWHERE, endpoint);
        dr_finding_text(finding, "bind", bind);
        dr_finding_text(finding, "direct", good->url);
        dr_finding_text(finding, "what", endpoint->page.why ? endpoint->page.why : dr_reach_name(endpoint->page.reach));
        return; /* one says it for all */
    }
}

void dr_gateway_reachable_direct(const struct dr_reachable *look)
{
    static const enum way worst[] = { WAY_NOT_READY, WAY_SILENT, WAY_OTHER_PROTOCOL, WAY_CUT, WAY_ALIEN, WAY_DROPPED };
    const struct dr_endpoint *good = first_that(look->live, WAY_GOOD);
    const struct dr_endpoint *gone = first_that(look->live, WAY_GONE);

    if (good) {
        compare_addresses(look, good);
        return;
    }
    for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
        const struct dr_endpoint *bad = first_that(look->live, worst[i]);

        if (bad) {
            report_bad(look, bad, worst[i]);
            return;
        }
    }
    if (gone && look->gateway->fact.state == DR_KNOWN)
        report_not_listening(look);
    else if (gone && look->gateway->fact.state == DR_ABSENT)
        report_stopped(look);
    else if (gone)
        dr_could_not_tell(look->findings, NULL,
                          "nobody listens on port %u, and whether a gateway runs could not be told: %s", look->gateway->port,
                          look->gateway->fact.reason);
}
