/*
 * Inside of the probes: the places to ask, and one state machine for each place and protocol. Used by src/facts/live*.c only.
 *
 * A place is asked by two machines at most: HTTP (page, /healthz, /readyz one after the other over one connection) and the WebSocket
 * handshake. They belong to one curl multi handle and have one common deadline.
 */
#ifndef DR_FACTS_LIVE_PROBE_H
#define DR_FACTS_LIVE_PROBE_H

#include "api/live.h"
#include "api/locality.h"
#include "base/buffer.h"
#include "facts/context.h"
#include "facts/curl_library.h"

enum { DR_MOST_PLACES = 48, DR_MOST_OWN_PLACES = 8 };

/* How to get to an endpoint. */
struct dr_live_place {
    struct dr_endpoint *endpoint;
    const char *host; /* in URL and Host header: a name, or an address without brackets */
    unsigned port;
    bool tls;
    const char *path; /* begins with "/" */
    const char *connect_to; /* address to connect to; NULL: what `host` is resolved to */
    bool anybody; /* may be an address of another host: --online, or named by the user */
    bool deep; /* authenticate here, see live_connect.h */
};

struct dr_live_places {
    struct dr_live_place list[DR_MOST_PLACES];
    struct dr_endpoint *endpoints; /* DR_MOST_PLACES of them, the same order */
    size_t count;
};

/* live_endpoints.c, live_proxies.c: fill in. Endpoints that are not to be asked get their answers' `reach` and `why` here. */
void dr_live_find_places(struct dr_context *context, struct dr_live_places *places);
void dr_live_find_proxy_places(struct dr_context *context, const struct dr_route *const *routes, size_t count,
                               struct dr_live_places *places);

/* The next free place, its endpoint with `kind`, `from` and addresses filled in; NULL: the list is full. */
struct dr_live_place *dr_live_add_place(struct dr_context *context, struct dr_live_places *places,
                                        enum dr_endpoint_kind kind, const struct dr_live_place *like, const char *from);
/* Nobody is to be asked there: `reach` with `why` for all of its answers. */
void dr_live_settle(struct dr_endpoint *endpoint, enum dr_reach reach, const char *why);

/* --- who may be contacted (live_allowed.c) ---------------------------------------------------------------------------- */

/* Loopback, or an address of one of this host's interfaces. */

/* What a name means on this host without asking anybody: "localhost" and what <root>/etc/hosts says. NULL: not known. */
const char *dr_live_local_name(struct dr_context *context, const char *name);

/*
 * Nobody listens at an address of this host: told by the kernel and then tried with one connection (a packet filter may lead elsewhere).
 * True: `ret_reach` and `ret_why` say what came of it.
 */
bool dr_live_nobody_listens(struct dr_context *context, const struct dr_address *address, unsigned port,
                            enum dr_reach *ret_reach, const char **ret_why);

/* --- the machines ------------------------------------------------------------------------------------------------------ */

struct dr_live_run {
    struct dr_context *context;
    struct dr_live live;
    struct dr_live_places places;
    struct dr_curl curl;
    struct dr_wslay wslay;
    const char *no_wslay; /* why there is no libwslay; NULL: there is */
    CURLM *multi;
    struct dr_live_machine *machines; /* all that were started */
    size_t open; /* machines that are not done */
    double last_pump_ms, deadline_ms; /* monotonic */
    unsigned timeout_ms;
    bool abandoned; /* a name is still being resolved by a thread of libcurl: nothing is cleaned up, the process ends soon */
    bool done;
};

struct dr_live_machine {
    struct dr_live_run *run;
    struct dr_live_place *place;
    struct dr_live_machine *next;
    CURL *easy;
    struct curl_slist *connect_list;
    char errors[CURL_ERROR_SIZE];
    const char *refused_address; /* the name led to this address, which may not be contacted */
    bool unverified; /* certificate not looked at */
    bool tls; /* as asked this time */
    curl_socket_t fd; /* the last one that libcurl opened for it and has not closed; CURL_SOCKET_BAD: none */
    bool in_multi;
    bool done;
    double began_ms;
    /* A transfer (or, with CONNECT_ONLY, the connection) has ended. */
    void (*ended)(struct dr_live_machine *machine, CURLcode code);
    /* Time is over. */
    void (*late)(struct dr_live_machine *machine);
    /* NULL, or: look at the connection. Fills in what it waits for; 0 events: nothing. */
    void (*step)(struct dr_live_machine *machine);
    void (*wants)(struct dr_live_machine *machine, struct curl_waitfd *ret_wait);
    void (*release)(struct dr_live_machine *machine);
};

/* live_machine.c: what both machines need. */
struct dr_live_machine *dr_live_machine_new(struct dr_live_run *run, struct dr_live_place *place, size_t size);
void dr_live_machine_done(struct dr_live_machine *machine);
/* A new handle for `path` (NULL: the place's), with everything set that makes a probe a probe. Negative errno. */
/* Does its TCP connection stand? libcurl's own times do not tell while a TLS handshake gets no answer. */
bool dr_live_machine_is_connected(const struct dr_live_machine *machine);
int dr_live_machine_prepare(struct dr_live_machine *machine, const char *path) DR_MUST_CHECK;
int dr_live_machine_go(struct dr_live_machine *machine) DR_MUST_CHECK; /* the transfer begins */
void dr_live_machine_stop(struct dr_live_machine *machine); /* the transfer is taken back; the handle stays */
void dr_live_machine_drop(struct dr_live_machine *machine); /* the handle goes too */

void dr_live_http_start(struct dr_live_run *run, struct dr_live_place *place);
void dr_live_socket_start(struct dr_live_run *run, struct dr_live_place *place);

double dr_live_now_ms(void); /* monotonic */
int64_t dr_live_clock_ms(void); /* CLOCK_REALTIME */

/* --- reading answers (live_answer.c) ------------------------------------------------------------------------------------ */

/* Why a transfer failed, from libcurl's code, errno, certificate result and its own words. */
struct dr_live_failure {
    enum dr_reach reach;
    const char *why;
};

struct dr_live_failure dr_live_failure_of(struct dr_live_machine *machine, CURLcode code);
struct dr_live_failure dr_live_failure_late(struct dr_live_machine *machine);
bool dr_live_certificate_is_bad(enum dr_reach reach);
/* "CN = x" of the certificate that was met (CURLOPT_CERTINFO), or NULL. */
const char *dr_live_certificate_issuer(struct dr_live_machine *machine);

bool dr_live_is_control_ui(const char *body);
/* `error.type` or `type` of a JSON text, NULL: none. Lives in the arena. */
const char *dr_live_error_type(struct dr_context *context, const char *body);
/* OpenClaw's /healthz and /readyz. */
void dr_live_read_probe_answer(struct dr_context *context, const char *body, const char *truth, struct dr_answer *answer);

/* The path of "healthz" or "readyz" of that place: below a proxy's prefix, where there is one. */
const char *dr_live_path_of(struct dr_context *context, const struct dr_live_place *place, const char *name);
/* Each request as a curl command, into the endpoint. To be called when `host`, `path` and `connect_to` are known. */
void dr_live_write_curl(struct dr_context *context, const struct dr_live_place *place);

#endif
