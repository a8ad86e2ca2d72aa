/* Shared by the files of this check. */
#ifndef PROXY_WEBSOCKET_CHECK_H
#define PROXY_WEBSOCKET_CHECK_H

#include "api/check.h"
#include "api/live.h"
#include "api/locality.h"
#include "api/proxy.h"

enum dr_proxy_problem {
    DR_PROXY_UPGRADE_DROPPED,
    DR_PROXY_HTTP_VERSION,
    DR_PROXY_NOT_FORWARDED,
    DR_PROXY_SPOOFABLE,
    DR_PROXY_IDLE_TIMEOUT,
    DR_PROXY_UPSTREAM_LOCALHOST,
    DR_PROXY_UPSTREAM_UNREACHABLE,
    DR_PROXY_FAILS_LIVE,
    DR_PROXY_DOWN,
    DR_PROXY_HOST_REPLACED,
    DR_PROXY_PATH_PREFIX,
    DR_PROXY_BUFFERS,
    DR_PROXY_CONFIG_FAULT,
    DR_PROXY_PROBLEMS
};

extern const struct dr_problem dr_proxy_websocket_problems[DR_PROXY_PROBLEMS];

/* One route while it is judged. */
struct dr_proxy_judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_rules *rules;
    const struct dr_live *live;
    const struct dr_route *route;
    const struct dr_endpoint *through; /* the live probe through this route; NULL: there is none */
    const char *base; /* gateway.controlUi.basePath without a slash at its end: where sockets go; "" */
    const struct dr_route
        *beside; /* the route of the same server that takes that path, where this one does not; else NULL */
    bool without_sockets; /* ... and they get through there */
    unsigned mends; /* all that this route needs: every finding's repair does the whole */
    bool found[DR_PROXY_PROBLEMS];
    const char *why[DR_PROXY_PROBLEMS]; /* fills {why} */
    const struct dr_source *where[DR_PROXY_PROBLEMS]; /* NULL: the route itself */
    enum dr_severity severity[DR_PROXY_PROBLEMS];
    enum dr_confidence confidence[DR_PROXY_PROBLEMS];
};

void dr_proxy_found(struct dr_proxy_judging *judging, enum dr_proxy_problem problem, unsigned mends, const char *why);

/* The live probe through a route; NULL: there is none. */
const struct dr_endpoint *dr_proxy_endpoint(const struct dr_live *live, const struct dr_route *route);

/* siblings.c: fills `beside` and `without_sockets`. */
void dr_proxy_find_sibling(struct dr_proxy_judging *judging);

/* forwarding.c: who the gateway takes the clients of this route for. */
void dr_proxy_judge_forwarding(struct dr_proxy_judging *judging);

/* live.c: what the probe through the route met, beside the direct one. */
void dr_proxy_judge_live(struct dr_proxy_judging *judging);
bool dr_proxy_live_works(const struct dr_proxy_judging *judging);
const char *dr_proxy_live_text(struct dr_context *context, const struct dr_endpoint *endpoint);

#endif
