/* Problems of gateway-reachable, and what its two halves share. */
#ifndef DR_CHECK_GATEWAY_REACHABLE_H
#define DR_CHECK_GATEWAY_REACHABLE_H

#include "api/check.h"
#include "api/gateway.h"
#include "api/listeners.h"
#include "api/live.h"

enum dr_reachable_problem {
    DR_REACHABLE_STOPPED,
    DR_REACHABLE_DIED,
    DR_REACHABLE_STARTING_UP,
    DR_REACHABLE_NOT_LISTENING,
    DR_REACHABLE_HUNG,
    DR_REACHABLE_FROZEN,
    DR_REACHABLE_DROPPED,
    DR_REACHABLE_CUTS,
    DR_REACHABLE_ANOTHER,
    DR_REACHABLE_NOT_READY,
    DR_REACHABLE_TLS,
    DR_REACHABLE_NO_TLS,
    DR_REACHABLE_NOT_EVERYWHERE,
    DR_REACHABLE_URL_INVALID,
    DR_REACHABLE_URL_BIND,
    DR_REACHABLE_URL_REFUSED,
    DR_REACHABLE_URL_SILENT,
    DR_REACHABLE_URL_NO_ROUTE,
    DR_REACHABLE_URL_NAME,
    DR_REACHABLE_URL_CERTIFICATE,
    DR_REACHABLE_URL_NEEDS_TLS,
    DR_REACHABLE_URL_NO_TLS,
    DR_REACHABLE_URL_REDIRECTS,
    DR_REACHABLE_URL_NO_UPGRADE,
    DR_REACHABLE_URL_REFUSES,
    DR_REACHABLE_URL_NOTHING_BEHIND,
    DR_REACHABLE_URL_NOT_OPENCLAW,
    DR_REACHABLE_PROBLEMS
};

/* What a client meets at one address of this host. */
enum dr_reachable_way {
    DR_WAY_NOT_ASKED,
    DR_WAY_GONE, /* refused, or no such address */
    DR_WAY_SILENT, /* accepted, no answer */
    DR_WAY_DROPPED, /* not even accepted */
    DR_WAY_CUT,
    DR_WAY_ALIEN,
    DR_WAY_OTHER_PROTOCOL,
    DR_WAY_NOT_READY,
    DR_WAY_GOOD,
};

extern const struct dr_problem dr_gateway_reachable_problems[DR_REACHABLE_PROBLEMS];

struct dr_reachable {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_live *live;
    const struct dr_gateway *gateway;
    bool remote; /* gateway.mode is remote: no gateway is expected on this host */
};

/* A finding with what the probe met as evidence. `endpoint` may be NULL. */
struct dr_finding *dr_gateway_reachable_report(const struct dr_reachable *look, enum dr_reachable_problem problem,
                                               const struct dr_endpoint *endpoint);

/* The gateway on this host, by its own addresses. */
void dr_gateway_reachable_direct(const struct dr_reachable *look);
/* It answers at one of them: does it answer at all where its configuration and its clients expect it? */
void dr_gateway_reachable_compare(const struct dr_reachable *look, const struct dr_endpoint *good);
/* gateway.remote.url and --gateway-url. */
void dr_gateway_reachable_url(const struct dr_reachable *look, const struct dr_endpoint *endpoint);

/* An address of this host, by itself, without a URL that somebody wrote. */
bool dr_gateway_reachable_is_direct(const struct dr_endpoint *endpoint);
enum dr_reachable_way dr_gateway_reachable_way(const struct dr_endpoint *endpoint);
/* Who would take a connection there; NULL: nobody listens. */
const struct dr_listener *dr_gateway_reachable_listener(const struct dr_reachable *look, const struct dr_endpoint *endpoint);
const char *dr_gateway_reachable_holder(const struct dr_reachable *look, const struct dr_listener *listener);

#endif
