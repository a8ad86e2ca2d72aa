/*
 * Which web pages may talk to the gateway: the Origin header against gateway.controlUi.allowedOrigins, by release, as functions that only
 * compute. Compared with real gateways of 2026.2.19 and 2026.9.6 (tests/real/scenario_evidence.py). Sources: facts/openclaw-2026.9.md section
 * 3.7, failure-modes.md rows 13 and 14, PR 31088, PR 61818; what the packages' own src/gateway/origin-check does.
 *
 * An entry is compared letter by letter (blanks around it and upper case do not count) with what a browser sends: scheme://host, with the port
 * where it is not the scheme's own. So an entry with a path, a slash at the end, a written standard port or without a scheme never matches.
 */
#ifndef DR_API_ORIGIN_H
#define DR_API_ORIGIN_H

#include "api/release.h"

enum { DR_ORIGIN_TEXT = 256 };

/* What an entry of the list is to a release. */
struct dr_origin_entry {
    bool everyone; /* "*", where the release knows it */
    const char *nothing; /* why it matches no browser, in words (static text); NULL: it matches `origin` */
    char origin
        [DR_ORIGIN_TEXT]; /* as a browser would send it; with `nothing`: what was surely meant, "" when that cannot be told */
};

void dr_origin_entry_read(const struct dr_rules *rules, const char *entry, struct dr_origin_entry *ret_entry);

/* An origin in a browser's own spelling ("https://GW.example.com:443/" is "https://gw.example.com"). False: it is none. */
bool dr_origin_normal(const char *text, char ret_origin[DR_ORIGIN_TEXT]);

struct dr_origin_ask {
    const char *origin; /* as it came */
    const char *host; /* Host header */
    bool direct_local; /* loopback, without forwarding headers */
    const char *const *allowed;
    size_t allowed_count;
    bool host_fallback; /* gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback */
};

bool dr_origin_allowed(const struct dr_rules *rules, const struct dr_origin_ask *ask);

#endif
