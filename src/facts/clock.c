/* api/clock.h: who is asked, and what comes of it. */
#include "facts/clock.h"

#include "api/clock.h"
#include "api/network.h"
#include "facts/clock_ask.h"
#include "facts/clock_host.h"
#include "facts/clock_names.h"
#include "facts/clock_service.h"

#include <string.h>

enum { FEWEST_CONFIGURED = 3, MOST_NAMES_ONLINE = 4, MOST_HOSTS = 2, NTP_PORT = 123 };

static const struct dr_time_name default_name = { .name = "pool.ntp.org", .port = NTP_PORT };

struct dr_clock_start {
    struct dr_time_round *round; /* NULL: nobody is asked */
    const char *why;
};

static bool is_near(struct dr_context *context, const struct dr_address *address)
{
    const struct dr_network *network = dr_network(context);

    for (size_t i = 0; i < network->count; i++)
        if (dr_subnet_has(&network->list[i].subnet, address))
            return true;
    return false;
}

/* The addresses that are known without asking anybody. */
static size_t known_addresses(struct dr_context *context, const char *name, struct dr_address list[MOST_HOSTS])
{
    if (dr_address_parse(name, &list[0]))
        return 1;
    return dr_hosts_lookup(context, name, list, MOST_HOSTS);
}

static void ask_configured(struct dr_context *context, struct dr_time_round *round, const struct dr_time_name *name,
                           bool may_look_up)
{
    struct dr_address list[MOST_HOSTS];
    size_t known = known_addresses(context, name->name, list);

    if (known == 0 && context->request->online && may_look_up)
        dr_time_ask_name(round, name);
    else if (known == 0)
        dr_time_leave(round, name, DR_TIME_NOT_ASKED,
                      context->request->online ? "enough others are asked" : "it is asked with --online only");
    for (size_t i = 0; i < known; i++)
        if (context->request->online || is_near(context, &list[i]))
            dr_time_ask(round, name, &list[i]);
        else
            dr_time_leave(round, name, DR_TIME_NOT_ASKED, "it lies on another network, and is asked with --online only");
}

void dr_clock_start(struct dr_context *context)
{
    const struct dr_request *request = context->request;
    struct dr_clock_start *start = dr_alloc(context, sizeof(*start));
    size_t count = 0;

    context->clock_start = start;
    if (request->root || request->offline) {
        start->why =
            request->root ? "the clock of another system cannot be seen from here (--root)" : "nobody is asked (--offline)";
        return;
    }
    const struct dr_time_name *names = dr_clock_configured(context, &count);

    if (count == 0 && !request->online) {
        start->why = "no time server is known on this host's networks; --online asks one of the internet";
        return;
    }
    start->round = dr_time_round(context, request->probe_timeout_ms ? request->probe_timeout_ms : DR_PROBE_TIMEOUT_MS);
    for (size_t i = 0; i < count; i++)
        ask_configured(context, start->round, &names[i], i < MOST_NAMES_ONLINE);
    if (request->online && count < FEWEST_CONFIGURED)
        dr_time_ask_name(start->round, &default_name);
}

static bool anybody_asked(const struct dr_ntp *ntp)
{
    for (size_t i = 0; i < ntp->count; i++)
        if (ntp->servers[i].answer != DR_TIME_NOT_ASKED)
            return true;
    return false;
}

static const char *why_no_answer(struct dr_context *context, const struct dr_ntp *ntp)
{
    for (size_t i = 0; i < ntp->count; i++)
        if (ntp->servers[i].answer != DR_TIME_NOT_ASKED)
            return dr_format(context, "no time server gave an answer that can be used; %s: %s", ntp->servers[i].name,
                             ntp->servers[i].why);
    return "no time server was asked";
}

static void collect_ntp(struct dr_context *context, struct dr_ntp *ntp)
{
    struct dr_clock_start *start = context->clock_start;

    ntp->fact.state = DR_ABSENT;
    ntp->fact.reason = start->why;
    if (!start->round)
        return;
    struct dr_time_server *servers = dr_time_collect(start->round, &ntp->count);

    ntp->servers = servers;
    if (!anybody_asked(ntp)) {
        ntp->fact.reason = "the configured time servers are asked with --online only";
        return;
    }
    dr_clock_agree(servers, ntp->count, ntp);
    ntp->fact.state = ntp->answered == 0 || ntp->contradict ? DR_UNKNOWN : DR_KNOWN;
    if (ntp->fact.state == DR_UNKNOWN)
        ntp->fact.reason = ntp->contradict ? "the time servers contradict each other" : why_no_answer(context, ntp);
}

static void collect_gateway(struct dr_context *context, struct dr_gateway_clock *gateway)
{
    const struct dr_live *live = dr_live(context);

    if (live->fact.state == DR_KNOWN)
        dr_clock_of_endpoints(live->endpoints, live->count, gateway);
    else
        gateway->why = live->fact.reason ? live->fact.reason : "no gateway was asked";
}

const struct dr_clock *dr_clock(struct dr_context *context)
{
    if (!context->clock) {
        context->clock = dr_alloc(context, sizeof(*context->clock));
        if (!context->clock_start)
            dr_clock_start(context);
        dr_clock_host(context, context->clock);
        dr_clock_services(context, context->clock);
        collect_gateway(context, &context->clock->gateway);
        collect_ntp(context, &context->clock->ntp);
    }
    return context->clock;
}

const struct dr_clock *dr_clock_started(const struct dr_context *context)
{
    return context->clock;
}

const char *dr_time_server_command(struct dr_context *context, const struct dr_time_server *server)
{
    const unsigned timeout_ms =
        context->request->probe_timeout_ms ? context->request->probe_timeout_ms : DR_PROBE_TIMEOUT_MS;
    const char *whom = server->address ? server->address : server->name;

    if (*whom == '-' || strspn(whom, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:-_") != strlen(whom))
        return NULL;
    return dr_format(context, "chronyd -Q -t %u 'server %s%s iburst maxsamples 1'", (timeout_ms + 999) / 1000 + 1, whom,
                     server->port == NTP_PORT ? "" : dr_format(context, " port %u", server->port));
}
