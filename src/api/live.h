/*
 * The live side: what a client meets at each address that it might use. All probes of a look are started at its beginning and run at the
 * same time; they are collected when a check first asks (dr_live), so a look costs the slowest of them.
 *
 * Who is contacted: by default loopback and this host's own addresses only, whatever a URL or a proxy's configuration names; other hosts only with
 * --online, or the one that the user names with --gateway-url. Nothing with --offline or --root. What was not contacted says so
 * (DR_REACH_NOT_ASKED with `why`). Nobody authenticates, but with --deep (see dr_connect_answer).
 *
 * fact: DR_KNOWN: `endpoints` are filled in; DR_ABSENT: nothing to ask (--offline, --root); DR_UNKNOWN: no probe could be made (libcurl is not
 * installed, no port is known), reason says why.
 */
#ifndef DR_API_LIVE_H
#define DR_API_LIVE_H

#include "api/proxy.h"

enum dr_reach {
    DR_REACH_NOT_ASKED = 0,
    DR_REACH_ANSWERED, /* the protocol's own answer came: see status */
    DR_REACH_REFUSED,
    DR_REACH_RESET, /* accepted, then reset, before an answer */
    DR_REACH_CLOSED, /* accepted, then closed without an answer */
    DR_REACH_TIMED_OUT, /* no connection, or no answer on it: `connected` tells which */
    DR_REACH_NO_ROUTE,
    DR_REACH_NOT_RESOLVED,
    DR_REACH_TLS_ISSUER, /* the certificate's issuer is not known, or it signed itself */
    DR_REACH_TLS_NAME, /* the certificate is another host's */
    DR_REACH_TLS_EXPIRED, /* or not valid yet */
    DR_REACH_TLS_FAILED, /* no TLS there, or no common version */
    DR_REACH_NOT_HTTP, /* something else than HTTP answered */
    DR_REACH_FAILED, /* see why */
};

const char *dr_reach_name(enum dr_reach reach); /* "answered", "refused" ... for reports */

/* One HTTP request. Times are milliseconds since the start of the request, -1: did not come so far. */
struct dr_answer {
    enum dr_reach reach;
    const char *why; /* in words, for all but ANSWERED */
    bool connected;
    double connect_ms, tls_ms, first_byte_ms, total_ms;
    unsigned status;
    int64_t date_ms; /* the Date header, 0: none */
    int64_t asked_ms, answered_ms; /* this host's clock when it was sent, and when the first byte came */
    const char *server; /* Server header, NULL: none. OpenClaw sends none */
    const char *content_type;
    const char *error_type; /* `error.type` or `type` of a JSON answer: "proxy_attribution_required" */
    bool control_ui; /* the page is OpenClaw's Control UI */
    bool is_probe_answer; /* /healthz, /readyz: OpenClaw's own JSON */
    bool truth; /* /healthz "ok", /readyz "ready" */
    const char *failing; /* /readyz: what is failing, joined; NULL */
    const char *tls_issuer; /* of the certificate, where TLS went wrong */
    const char *peer; /* the address that was connected to; NULL: none */
};

/*
 * Where a certificate is not good (DR_REACH_TLS_ISSUER, _NAME, _EXPIRED) the request is made again without looking at it, so the rest of the answer
 * is there all the same.
 */
static inline bool dr_answer_came(const struct dr_answer *answer)
{
    return answer->status > 0;
}

/* The WebSocket handshake, without authenticating. */
struct dr_socket_answer {
    enum dr_reach reach; /* ANSWERED: some HTTP status came; 101 is an upgrade */
    const char *why;
    unsigned status;
    const char *error_type;
    bool control_ui; /* a page came instead of an upgrade */
    bool challenged; /* connect.challenge came */
    int64_t challenge_ts_ms; /* its `ts`: the gateway's clock */
    int64_t asked_ms, challenged_ms; /* this host's clock: upgrade sent, challenge received */
    double round_trip_ms; /* of the upgrade */
    unsigned close_code; /* 0: none seen */
    const char *close_reason;
};

/*
 * --deep: a full `connect` with the shared token that a local client would send and without a device identity, so that no pairing request
 * comes of it; --deep=identity: signed with this home's own identity. Never with a token that is known not to be the one that the gateway accepts:
 * ten wrong ones lock an address out (facts/openclaw-2026.9.md section 3.1).
 */
struct dr_connect_answer {
    bool tried;
    const char *not_tried_why;
    bool ok; /* hello-ok */
    unsigned protocol;
    const char *server_version;
    const char *method; /* auth.method: "token", "none" ... */
    const char *const *scopes; /* granted; NULL-ended */
    const char *code, *detail_code, *message; /* of the refusal */
    unsigned close_code;
    const char *close_reason;
};

enum dr_endpoint_kind {
    DR_AT_LOOPBACK4 = 0,
    DR_AT_LOOPBACK6,
    DR_AT_OWN_ADDRESS, /* an address of one of this host's interfaces */
    DR_AT_REMOTE_URL, /* gateway.remote.url */
    DR_AT_PROXY, /* through `route` */
    DR_AT_GIVEN_URL, /* --gateway-url */
};

const char *
dr_endpoint_kind_name(enum dr_endpoint_kind kind); /* "loopback", "own-address", "remote-url", "proxy", "given-url" */

struct dr_endpoint {
    enum dr_endpoint_kind kind;
    const char *url; /* "http://127.0.0.1:18789/" as contacted, without secrets */
    const char *host;
    unsigned port;
    bool tls;
    const char *from; /* why it is asked: "gateway.port", "gateway.remote.url", "server gw.example.com in /etc/nginx/..." */
    struct dr_source source;
    const struct dr_route *route; /* DR_AT_PROXY */
    /* DR_AT_PROXY: the proxy sees a client on loopback, whom the gateway of 2026.8.1 and later takes for no client */
    bool over_loopback;
    struct dr_answer page; /* GET / */
    struct dr_answer healthz, readyz; /* releases that have them (2026.4 and later) */
    struct dr_socket_answer socket;
    struct dr_connect_answer deep;
    bool speaks_other; /* TLS where it was asked without, or the reverse: asked again so, it answered */
    const char *curl; /* the same request as a `curl` command, secrets replaced */
    const char *curl_healthz, *curl_readyz; /* likewise */
    const char *curl_upgrade; /* the WebSocket handshake, likewise */
};

struct dr_live {
    struct dr_fact fact;
    const struct dr_endpoint *endpoints;
    size_t count;
    const struct dr_endpoint *gateway; /* the direct endpoint that proved to be an OpenClaw gateway; NULL: none did */
};

const struct dr_live *dr_live(struct dr_context *context);

#endif
