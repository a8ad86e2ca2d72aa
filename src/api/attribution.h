/*
 * Whom the gateway believes when it is told who the client is: the list gateway.trustedProxies as it stands, and the addresses that reverse
 * proxies of this gateway come from, with the evidence for each. Nobody is contacted for it but by the probes (api/live.h).
 *
 * Evidence of an address is: the gateway's log refused it, or wrote that it came with X-Forwarded-For; a proxy's configuration on this host leads
 * here (then its source address is known: the one that it connects to). A header can be sent by anybody who reaches the port, so an address that
 * only the log names is one that speaks like a proxy; whether it is to be trusted, its owner decides.
 *
 * fact: DR_UNKNOWN where the configuration is, or an entry of the list needs a ${NAME} that is not set. Logs and proxies that could not be read are facts of their own (api/log.h, api/proxy.h).
 */
#ifndef DR_API_ATTRIBUTION_H
#define DR_API_ATTRIBUTION_H

#include "api/log.h"
#include "api/problem.h"
#include "api/proxy.h"

enum dr_peer_evidence {
    DR_PEER_REFUSED = 1 << 0, /* log, from 2026.8.1 on: its requests were refused */
    DR_PEER_FORWARDS = 1 << 1, /* log: it came with X-Forwarded-For */
    DR_PEER_ROUTE = 1 << 2, /* a proxy's configuration */
};

struct dr_proxy_peer {
    struct dr_address address;
    const char *text;
    unsigned evidence; /* dr_peer_evidence */
    const struct dr_route *route; /* the first that comes from here; NULL: none */
    size_t count; /* lines of the log */
    int64_t last_ms; /* of the last of them, 0: not known */
    size_t refused; /* those of them that say that it was refused */
    int64_t refused_ms; /* of the last of these */
    const char *how; /* in words: "the gateway's log (3 lines)", "nginx (/etc/nginx/nginx.conf)" */
    struct dr_source source;
    enum dr_confidence confidence; /* that a proxy comes from here */
    bool trusted; /* an entry has it, other than one that has everybody */
    const char *not_proposed; /* why nobody should be asked to trust it; NULL: it may be proposed */
};

struct dr_attribution {
    struct dr_fact fact;
    bool list_set;
    struct dr_source list_source; /* of the list, else of the configuration */
    const char *const *trusted; /* all entries that are texts */
    size_t trusted_count;
    const struct dr_proxy_peer *peers; /* each address once; at most 32 */
    size_t peer_count;
    /* When the configurations of the proxies that lead here were last changed. 0: there are none; -1: one of them does not say from where it asks. */
    int64_t proxies_changed_ms;
};

const struct dr_attribution *dr_attribution(struct dr_context *context);

/* Does this route tell the gateway for whom it asks? Any forwarding header that is set or appended; unknown is false. */
bool dr_route_forwards(const struct dr_route *route);

#endif
