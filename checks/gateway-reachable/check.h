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
/* gateway.remote.url and --gateway-url. */
void dr_gateway_reachable_url(const struct dr_reachable *look, const struct dr_endpoint *endpoint);

/* Accepts connections and says nothing. */
bool dr_gateway_reachable_is_silent(const struct dr_endpoint *endpoint);

#endif
