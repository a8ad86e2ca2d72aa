/*
 * The gateway answers at one address of this host. Does it answer at all that its configuration promises, and where clients of this home ask? These ask at
 * 127.0.0.1 (2026.2 with gateway.bind lan: at the address of the LAN), and who writes "localhost" may come to ::1.
 */
#include "check.h"

#include "api/binding.h"

#include <string.h>

struct place {
    const struct dr_endpoint *endpoint;
    const struct dr_listener *listener; /* NULL: nobody listens there */
    const char *expected; /* why it should answer there */
    enum dr_severity severity;
};

/* A busy gateway answers here in time and there too late: that is no matter of the address. */
static bool is_only_slow(const struct dr_listener *listener, enum dr_reachable_way way)
{
    return listener && listener->is_openclaw && (way == DR_WAY_SILENT || (way == DR_WAY_DROPPED && listener->waiting > 0));
}

static bool is_bad(const struct dr_listener *listener, enum dr_reachable_way way)
{
    return way != DR_WAY_GOOD && way != DR_WAY_NOT_READY && way != DR_WAY_NOT_ASKED && !is_only_slow(listener, way);
}

static bool is_four(const struct dr_endpoint *endpoint)
{
    struct dr_address address;

    return dr_address_parse(endpoint->host, &address) && address.family == 4;
}

/* False: nobody expects a gateway there. 0.0.0.0 is what "lan" means: IPv6 is not promised. */
static bool is_expected(const struct dr_binding *binding, struct place *place)
{
    place->severity = DR_WARNING;
    switch (place->endpoint->kind) {
    case DR_AT_LOOPBACK4: /* 2026.2 on a tailnet listens there alone, and its commands ask there */
        place->expected = "Clients on this host ask at 127.0.0.1";
        place->severity = DR_ERROR;
        return place->listener || binding->reach != DR_BIND_ADDRESS || !binding->mode ||
               strcmp(binding->mode, "tailnet") != 0;
    case DR_AT_LOOPBACK6: /* many hosts have none: only who listens there and is no gateway of this home matters */
        place->expected = "Who asks for localhost may come to ::1";
        return place->listener;
    case DR_AT_OWN_ADDRESS:
        place->expected = "gateway.bind is lan";
        return binding->configured && strcmp(binding->configured, "lan") == 0 && is_four(place->endpoint);
    default:
        return false;
    }
}

static const char *next_step(const struct dr_reachable *look, const struct dr_binding *binding, const struct place *place)
{
    struct dr_context *context = look->context;

    if (place->listener && place->listener->pid > 0 && !place->listener->is_openclaw)
        return dr_format(context, "Stop %s, or give one of the two another port",
                         dr_gateway_reachable_holder(look, place->listener));
    if (place->listener)
        return "Look for a packet filter on this host that drops it: nft list ruleset; iptables -S";
    if (place->endpoint->kind == DR_AT_LOOPBACK4 && binding->reach == DR_BIND_ADDRESS)
        return "Give commands the address on this host (--url with --token), or: openclaw config set gateway.bind loopback";
    if (binding->mode_from && strstr(binding->mode_from, "--bind"))
        return dr_format(context, "Start it without --bind %s, so that it takes the setting", binding->mode);
    return "Restart the gateway so that it takes the setting: openclaw gateway restart";
}

static const char *what_is_met(const struct dr_reachable *look, const struct dr_binding *binding, const struct place *place)
{
    const struct dr_answer *page = &place->endpoint->page;

    if (place->listener && place->listener->pid > 0 && !place->listener->is_openclaw)
        return dr_format(look->context, "%s is there", dr_gateway_reachable_holder(look, place->listener));
    if (!place->listener && binding->listens)
        return dr_format(look->context, "it listens at %s", binding->listens);
    return page->why ? page->why : dr_reach_name(page->reach);
}

static void report(const struct dr_reachable *look, const struct dr_endpoint *good, const struct place *place)
{
    const struct dr_binding *binding = dr_binding(look->context);
    struct dr_finding *finding = dr_gateway_reachable_report(look, DR_REACHABLE_NOT_EVERYWHERE, place->endpoint);

    dr_finding_severity(finding, place->severity);
    dr_finding_word(finding, "expected", place->expected);
    dr_finding_word(finding, "next", next_step(look, binding, place));
    if (binding->configured)
        dr_finding_text(finding, "bind", binding->configured);
    if (binding->listens)
        dr_finding_text(finding, "listens", binding->listens);
    dr_finding_text(finding, "direct", good->url);
    dr_finding_text(finding, "what", what_is_met(look, binding, place));
}

void dr_gateway_reachable_compare(const struct dr_reachable *look, const struct dr_endpoint *good)
{
    for (size_t i = 0; i < look->live->count; i++) {
        struct place place = { .endpoint = &look->live->endpoints[i] };

        if (!dr_gateway_reachable_is_direct(place.endpoint))
            continue;
        place.listener = dr_gateway_reachable_listener(look, place.endpoint);
        if (!is_bad(place.listener, dr_gateway_reachable_way(place.endpoint)) ||
            !is_expected(dr_binding(look->context), &place))
            continue;
        report(look, good, &place);
        return; /* one says it for all */
    }
}
