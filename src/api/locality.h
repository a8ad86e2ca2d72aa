/*
 * Who counts as local, whose forwarding headers are believed, and what an entry of gateway.trustedProxies means: the rules of one
 * release, as functions that only compute. Each was compared with real gateways (tests/real/scenario_locality.py); docs/locality.md
 * has them in words, with their sources.
 *
 * Not modelled: the managed Tailscale listener (gateway.tailscale.mode), clients of role node, `auth.mode: trusted-proxy`, and whether
 * the origin is allowed at all; IPv6 zones ("fe80::1%eth0") are not read.
 */
#ifndef DR_API_LOCALITY_H
#define DR_API_LOCALITY_H

#include "api/release.h"

/* An address as a number. IPv4 written as IPv6 (::ffff:172.17.0.1) is IPv4. */
struct dr_address {
    unsigned char family; /* 4, 6; 0: none */
    unsigned char bytes[16]; /* network order; IPv4 in the first four */
};

enum { DR_ADDRESS_TEXT = 64 };

bool dr_address_parse(const char *text, struct dr_address *ret_address);
const char *dr_address_text(const struct dr_address *address, char buffer[DR_ADDRESS_TEXT]); /* returns `buffer` */
bool dr_address_is_loopback(const struct dr_address *address);
bool dr_address_is_private(const struct dr_address *address); /* RFC 1918, link-local, 100.64/10, fc00::/7; loopback too */

struct dr_subnet {
    struct dr_address base;
    unsigned bits;
};

bool dr_subnet_has(const struct dr_subnet *subnet, const struct dr_address *address);
bool dr_subnets_overlap(const struct dr_subnet *a, const struct dr_subnet *b);

/* What an entry of gateway.trustedProxies is to a release. Nothing is validated by OpenClaw itself: bad entries are silent. */
struct dr_trust {
    const char *nothing; /* why it matches nothing, in words (static text); NULL: it matches `subnet` */
    bool odd; /* it matches something else than it seems to say: `subnet` is what it really is */
    struct dr_subnet subnet;
};

void dr_trust_read(const struct dr_rules *rules, const char *entry, struct dr_trust *ret_trust);
bool dr_trust_matches(const struct dr_rules *rules, const char *entry, const struct dr_address *address);

/* A connection as the gateway sees it. Headers: NULL absent, "" present and empty; several of one name joined with ", ". */
struct dr_approach {
    const char *peer; /* address of the other end of the TCP connection */
    const char *forwarded_for; /* X-Forwarded-For */
    const char *real_ip; /* X-Real-IP */
    const char *forwarded_host; /* X-Forwarded-Host */
    bool forwarded_other; /* Forwarded, or any other X-Forwarded-* */
    bool tailscale; /* Tailscale-User-*, -Funnel-Request, -Headers-Info */
    const char *host;
    const char *origin;
    const char *client_id; /* of the connect frame: "cli", "openclaw-control-ui" ... */
    const char *client_mode;
    bool shared_secret; /* it came with the right token or password of the gateway */
    const char *const *trusted; /* gateway.trustedProxies */
    size_t trusted_count;
    bool allow_real_ip; /* gateway.allowRealIpFallback */
    bool local_not_approved; /* gateway.nodes.pairing.autoApproveLocal is false */
};

enum dr_ingress {
    DR_INGRESS_DIRECT_LOCAL, /* loopback, and nothing speaks of a proxy */
    DR_INGRESS_DIRECT_REMOTE,
    DR_INGRESS_TRUSTED_PROXY, /* the peer is in the list; `client` is who it speaks for ("": it does not say) */
    DR_INGRESS_UNTRUSTED_PROXY, /* forwarding headers of a peer that is not in the list: warned of in the log, remote */
    DR_INGRESS_REFUSED, /* the same since 2026.8.1, or a trusted proxy that does not say for whom: HTTP 403 */
};

struct dr_locality {
    enum dr_ingress ingress;
    bool local; /* counts as local when it asks to be paired */
    bool paired_unasked; /* a new device of role operator would be paired without anybody's consent */
    char client[DR_ADDRESS_TEXT]; /* who the gateway takes for the client; "" when it cannot tell; longer texts are cut */
    char recorded[DR_ADDRESS_TEXT]; /* remoteIp of a pairing request; "" none */
};

void dr_locality_judge(const struct dr_rules *rules, const struct dr_approach *approach, struct dr_locality *ret_locality);

#endif
