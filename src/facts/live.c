#include "facts/live.h"

#include "api/target.h"
#include "facts/live_probe.h"

#include <malloc.h>
#include <string.h>

enum { PUMP_PAUSE_MS = 50, LONGEST_WAIT_MS = 200, MOST_MACHINES = 2 * DR_MOST_PLACES };

static struct dr_live_run *run_of(const struct dr_context *context)
{
    return (struct dr_live_run *)(void *)((char *)context->live - offsetof(struct dr_live_run, live));
}

static bool is_settled(const struct dr_endpoint *endpoint)
{
    return endpoint->page.reach != DR_REACH_NOT_ASKED || endpoint->page.why;
}

static bool any_to_ask(const struct dr_live_run *run)
{
    for (size_t i = 0; i < run->places.count; i++)
        if (!is_settled(&run->places.endpoints[i]))
            return true;
    return false;
}

/* Threads of libcurl resolve names; each would reserve 64 MiB of address space for a heap of its own. */
static void prepare_for_threads(const struct dr_live_run *run)
{
    for (size_t i = 0; i < run->places.count; i++)
        if (!run->places.list[i].connect_to && !is_settled(&run->places.endpoints[i])) {
            (void)mallopt(M_ARENA_MAX, 1);
            return;
        }
}

static bool any_tls(const struct dr_live_run *run)
{
    for (size_t i = 0; i < run->places.count; i++)
        if (run->places.list[i].tls && !is_settled(&run->places.endpoints[i]))
            return true;
    return false;
}

/* NULL, or why nothing can be asked. */
static const char *load(struct dr_live_run *run)
{
    const char *why = dr_curl_load(&run->curl);

    if (why)
        return why;
    run->no_wslay = dr_wslay_load(&run->wslay);
    prepare_for_threads(run);
    /* Where no TLS is spoken its library is left asleep: it costs milliseconds. It starts by itself when it is needed after all. */
    if (run->curl.global_init(any_tls(run) ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING) != CURLE_OK)
        return "libcurl does not start";
    run->multi = run->curl.multi_init();
    return run->multi ? NULL : "libcurl does not start";
}

static void settle_all(struct dr_live_run *run, const char *why)
{
    for (size_t i = 0; i < run->places.count; i++)
        if (!is_settled(&run->places.endpoints[i]))
            dr_live_settle(&run->places.endpoints[i], DR_REACH_NOT_ASKED, why);
}

static bool absent(struct dr_context *context, struct dr_fact *fact)
{
    fact->state = DR_ABSENT;
    if (context->request->root)
        fact->reason = "another system's gateway cannot be asked from here (--root)";
    else if (context->request->offline)
        fact->reason = "--offline: nobody was asked";
    else
        return false;
    return true;
}

static void take_ended(struct dr_live_run *run)
{
    CURLMsg *message;
    int left;

    while ((message = run->curl.multi_info_read(run->multi, &left))) {
        struct dr_live_machine *machine = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;

        if (run->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &machine) == CURLE_OK && machine)
            machine->ended(machine, code);
    }
}

static void end_late(struct dr_live_run *run)
{
    for (struct dr_live_machine *machine = run->machines; machine; machine = machine->next)
        if (!machine->done && !machine->place->connect_to) {
            curl_off_t resolved = 0;

            (void)run->curl.easy_getinfo(machine->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
            run->abandoned |= resolved == 0;
        }
    for (struct dr_live_machine *machine = run->machines; machine; machine = machine->next)
        if (!machine->done)
            machine->late(machine);
}

static void clean_up(struct dr_live_run *run)
{
    if (!run->abandoned)
        (void)run->curl.multi_cleanup(run->multi);
    run->multi = NULL;
}

static bool is_direct(const struct dr_endpoint *endpoint)
{
    return endpoint->kind == DR_AT_LOOPBACK4 || endpoint->kind == DR_AT_LOOPBACK6 || endpoint->kind == DR_AT_OWN_ADDRESS;
}

static bool is_gateway(const struct dr_endpoint *endpoint)
{
    return endpoint->socket.challenged || endpoint->page.control_ui || endpoint->healthz.is_probe_answer ||
           endpoint->readyz.is_probe_answer;
}

static void conclude(struct dr_live_run *run)
{
    struct dr_live *live = &run->live;

    run->done = true;
    if (run->multi)
        clean_up(run);
    for (size_t i = 0; i < live->count && !live->gateway; i++)
        if (is_direct(&live->endpoints[i]) && is_gateway(&live->endpoints[i]))
            live->gateway = &live->endpoints[i];
}

/* One round: let libcurl and the frames work, without waiting. */
static void turn(struct dr_live_run *run)
{
    double now = dr_live_now_ms();
    int running;

    /* While others worked nobody could ask: that time is not the gateway's. */
    if (now - run->last_pump_ms > PUMP_PAUSE_MS)
        run->deadline_ms += now - run->last_pump_ms;
    (void)run->curl.multi_perform(run->multi, &running);
    take_ended(run);
    for (struct dr_live_machine *machine = run->machines; machine; machine = machine->next)
        if (!machine->done && machine->step)
            machine->step(machine);
    run->last_pump_ms = dr_live_now_ms();
    if (run->open > 0 && run->last_pump_ms >= run->deadline_ms)
        end_late(run);
    if (run->open == 0)
        conclude(run);
}

static void wait_for_more(struct dr_live_run *run)
{
    struct curl_waitfd waits[MOST_MACHINES];
    unsigned count = 0;
    double left = run->deadline_ms - dr_live_now_ms();
    int ready;

    for (struct dr_live_machine *machine = run->machines; machine && count < MOST_MACHINES; machine = machine->next) {
        struct curl_waitfd wait = { .fd = CURL_SOCKET_BAD };

        if (machine->done || !machine->wants)
            continue;
        machine->wants(machine, &wait);
        if (wait.events != 0)
            waits[count++] = wait;
    }
    left = left < 1 ? 1 : left > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : left;
    (void)run->curl.multi_wait(run->multi, waits, count, (int)left, &ready);
    run->last_pump_ms = dr_live_now_ms();
}

static void start_machines(struct dr_live_run *run)
{
    for (size_t i = 0; i < run->places.count; i++)
        if (!is_settled(&run->places.endpoints[i])) {
            dr_live_http_start(run, &run->places.list[i]);
            dr_live_socket_start(run, &run->places.list[i]);
        }
    turn(run);
}

void dr_live_start(struct dr_context *context)
{
    struct dr_live_run *run;
    const char *why;

    if (context->live)
        return;
    run = dr_alloc(context, sizeof(*run));
    run->context = context;
    run->done = true;
    context->live = &run->live;
    if (absent(context, &run->live.fact))
        return;
    run->timeout_ms =
        context->request->probe_timeout_ms ? context->request->probe_timeout_ms : (unsigned)DR_PROBE_TIMEOUT_MS;
    dr_live_find_places(context, &run->places);
    run->live.endpoints = run->places.endpoints;
    run->live.count = run->places.count;
    run->live.fact.state = DR_KNOWN;
    run->live.fact.reason = NULL;
    if (!any_to_ask(run))
        return;
    why = load(run);
    if (why) {
        run->live.fact.state = DR_UNKNOWN;
        run->live.fact.reason = why;
        settle_all(run, why);
        return;
    }
    run->done = false;
    run->last_pump_ms = dr_live_now_ms();
    run->deadline_ms = run->last_pump_ms + run->timeout_ms;
    start_machines(run);
}

void dr_live_pump(struct dr_context *context)
{
    if (context->live && !run_of(context)->done)
        turn(run_of(context));
}

const struct dr_live *dr_live_started(const struct dr_context *context)
{
    return context->live;
}

const struct dr_live *dr_live(struct dr_context *context)
{
    struct dr_live_run *run;

    dr_live_start(context);
    run = run_of(context);
    if (!run->done)
        turn(run);
    while (!run->done) {
        wait_for_more(run);
        turn(run);
    }
    return context->live;
}
