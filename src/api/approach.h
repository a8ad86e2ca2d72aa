/*
 * What the gateway sees of a client that comes through a proxy's route: the route's headers put together with the configuration, as an
 * approach that dr_locality_judge (api/locality.h) can judge.
 */
#ifndef DR_API_APPROACH_H
#define DR_API_APPROACH_H

#include "api/locality.h"
#include "api/proxy.h"

/* A client far away, in an address block that is for documentation only (RFC 5737). */
#define DR_SOME_CLIENT "203.0.113.9"

enum dr_claim {
    DR_CLAIMS_NOTHING, /* it sends no forwarding header */
    DR_CLAIMS_LOCAL, /* it sends X-Forwarded-For: 127.0.0.1 and the like, and Host: localhost */
};

/*
 * A new command line device with the right token, from DR_SOME_CLIENT, through `route`. 0; -ENODATA with *ret_why: it cannot be told (a
 * header's fate is unknown, the upstream's address is not on this host, the configuration is unknown, a trusted entry needs a ${NAME}).
 */
int dr_route_approach(struct dr_context *context, const struct dr_route *route, enum dr_claim claim,
                      struct dr_approach *ret_approach, const char **ret_why);

/*
 * The addresses that the gateway sees when somebody asks through the route, at most two ("localhost" may be both). 0: not known (another host,
 * a container, a unix socket).
 */
size_t dr_route_peers(struct dr_context *context, const struct dr_route *route, struct dr_address ret_peers[2]);

/* The texts of gateway.trustedProxies, in order. 0; -ENODATA with *ret_why. */
int dr_trusted_proxies(struct dr_context *context, const char *const **ret_list, size_t *ret_count, const char **ret_why);

#endif
