/*
 * Releases of OpenClaw, and the rules that differ between them. One table (src/facts/release_rules.c), each row with its source.
 */
#ifndef DR_API_RELEASE_H
#define DR_API_RELEASE_H

#include "api/fact.h"

struct dr_release {
    int year, month, patch; /* 2026.9.6 */
    int beta; /* 0: a release; n: -beta.n, older than the release of the same number */
};

/* "2026.9.6", "v2026.7.2-beta.1". False when the text is no release. */
bool dr_release_parse(const char *text, struct dr_release *ret_release);
int dr_release_compare(const struct dr_release *a, const struct dr_release *b);
/* The newest release whose rules are known here; about later ones only guesses are possible. */
struct dr_release dr_release_newest_known(void);
const char *dr_release_text(struct dr_context *context, const struct dr_release *release);

struct dr_rules {
    bool pairing_in_sqlite; /* from 2026.7.2-beta.1 */
    bool identity_in_sqlite; /* from 2026.7.2-beta.5 */
    bool client_env_first; /* local clients prefer OPENCLAW_GATEWAY_TOKEN over the configuration; until 2026.8.1 */
    bool scopes_literal; /* 2026.2.19: scopes compared word by word, admin does not imply read */
    bool silent_edit_works; /* until 2026.2.19: silent:true in pending.json approves */
    bool legacy_names; /* CLAWDBOT_*, ~/.clawdbot are read */
    bool cidr_v4; /* trustedProxies understands IPv4 ranges; from 2026.2.17 */
    bool cidr_v6; /* ... IPv6 ranges, and reads addresses as numbers; before, single addresses are compared as text */
    bool forwarded_from_right; /* X-Forwarded-For: the last hop that is no trusted proxy; before, whatever stands first */
    bool forwarded_skips_loopback; /* ... and loopback hops are passed over, trusted or not */
    bool real_ip_by_consent; /* X-Real-IP counts with gateway.allowRealIpFallback only */
    bool forwarded_never_local; /* who comes with forwarding headers is not local, also through a trusted proxy */
    bool attribution_required; /* from 2026.8.1: 403 proxy_attribution_required */
    bool client_signs_server_time; /* from 2026.8.1 */
    unsigned signature_window_s; /* 600 until 2026.2.21, then 120 */
    int sqlite_schema; /* newest schema of state/openclaw.sqlite that this release writes; 0: none */
    bool server_reads_remote; /* the gateway itself falls back to gateway.remote.token; from 2026.8.1 */
    bool remote_reads_others; /* mode remote: the client falls back to the environment and gateway.auth; from 2026.8.1 */
    bool
        generated_token_saved; /* a gateway without a token writes a new one into the configuration; later: for that run only */
    bool sentinel_token_refused; /* the gateway does not start with the token "undefined" */
    bool token_trimmed; /* the gateway drops white space around its own token (clients always do); from 2026.8.1 */
    bool cwd_dotenv_ignored; /* .env of the working directory cannot set OPENCLAW_*; from 2026.8.1 */
    bool mismatch_named_device; /* a wrong gateway token is reported as "device token mismatch" */
    bool origin_star; /* gateway.controlUi.allowedOrigins understands "*" */
    bool
        origin_same_host; /* a page whose origin has the host that it asks is allowed without an entry, whatever host that is */
    bool origin_private_host; /* ... where that host is a private address, .local or .ts.net */
    /* a gateway on all addresses does not start without gateway.controlUi.allowedOrigins; later it makes a list */
    bool origins_required;
    /* gateway.customBindHost is a known key; before, gateway.bind "custom" wants it and the gateway does not start with it */
    bool custom_bind;
    bool container_binds_all; /* in a container the default of gateway.bind is auto, and auto is 0.0.0.0 */
};

const struct dr_rules *dr_rules_of(struct dr_context *context, const struct dr_release *release);

#endif
