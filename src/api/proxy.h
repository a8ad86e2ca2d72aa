/*
 * Reverse proxies, as their own configuration describes them: one model over nginx, Caddy, HAProxy, Apache httpd and Traefik.
 *
 * A route is one way from a client to one upstream address, after the server's own rules of inheritance were applied: what the gateway gets
 * to see when somebody asks through it. A directive with several upstream servers makes several routes.
 *
 * Readers and editors: src/format/<server>*.c (format/proxy_reader.h). Where the files are, and which routes lead to this gateway:
 * src/facts/proxies.c. Nothing is contacted and no program is run here.
 *
 * Unknown is an answer: a header whose fate depends on something outside of the configuration is DR_HEADER_UNKNOWN, an upgrade
 * DR_UPGRADE_UNKNOWN, with its reason. Checks must not read these as healthy.
 *
 * Ownership: everything lives in the run's arena.
 */
#ifndef DR_API_PROXY_H
#define DR_API_PROXY_H

#include "api/operation.h"

enum dr_proxy_kind {
    DR_PROXY_NGINX = 0,
    DR_PROXY_CADDY,
    DR_PROXY_HAPROXY,
    DR_PROXY_APACHE,
    DR_PROXY_TRAEFIK,
    DR_PROXY_KINDS
};

const char *dr_proxy_kind_name(enum dr_proxy_kind kind); /* "nginx", "Caddy", "HAProxy", "Apache httpd", "Traefik" */

/* What arrives at the upstream for one header. */
enum dr_header_fate {
    DR_HEADER_UNKNOWN = 0,
    DR_HEADER_ABSENT, /* never arrives, whatever the client sends */
    DR_HEADER_CLIENTS, /* as the client sent it; nothing when it sent none */
    DR_HEADER_SET, /* the proxy's own value; what the client sent is dropped */
    DR_HEADER_APPENDED, /* the proxy's value behind the client's: the client can put something in front */
};

enum dr_route_header_name {
    DR_ROUTE_HOST = 0,
    DR_ROUTE_UPGRADE,
    DR_ROUTE_CONNECTION,
    DR_ROUTE_FORWARDED_FOR, /* X-Forwarded-For */
    DR_ROUTE_FORWARDED_PROTO,
    DR_ROUTE_FORWARDED_HOST,
    DR_ROUTE_REAL_IP, /* X-Real-IP */
    DR_ROUTE_FORWARDED, /* Forwarded (RFC 7239) */
    DR_ROUTE_HEADERS
};

const char *dr_route_header_text(enum dr_route_header_name name); /* "Host", "X-Forwarded-For" ... */

struct dr_route_header {
    enum dr_header_fate fate;
    const char *value; /* as spelt in the configuration ("$host", "%[src]"); NULL when it is the server's default */
    struct dr_source source; /* of the directive that decides; path NULL: the server's default */
};

/* Does a WebSocket handshake (Upgrade: websocket, Connection: Upgrade, HTTP/1.1) reach the upstream as one? */
enum dr_upgrade { DR_UPGRADE_UNKNOWN = 0, DR_UPGRADE_PASSED, DR_UPGRADE_DROPPED };

/* Of one of a route's `listens`. */
struct dr_listen_traits {
    bool tls;
    bool proxy_protocol; /* a PROXY line comes first: no client can ask there */
};

/* A file of the configuration, as it was read. `path` is where it really lies (links resolved by the loader). */
struct dr_proxy_file {
    const char *path;
    struct dr_file_identity identity;
    const char *sha256;
    const char *bytes; /* NUL-terminated; may hold NULs */
    size_t length;
};

/* Something in a configuration that could not be understood or read: one for each cause. */
struct dr_proxy_fault {
    struct dr_source source; /* file, line, column */
    const char *text; /* "'}' is missing: the block opened at line 12 is never closed" */
    bool hides_routes; /* routes, or what they send, may be missing or wrong because of it */
    bool unknowable; /* nothing is wrong with it: what it comes to cannot be seen from here (a template, a variable) */
};

struct dr_proxy_config;

struct dr_route {
    const struct dr_proxy_config *config;
    struct dr_source
        source; /* the directive that hands the request over: proxy_pass, reverse_proxy, server, ProxyPass ... */

    /* How clients come in. */
    const char *const *listens; /* NULL-ended: "0.0.0.0:443", "[::]:80", "127.0.0.1:8080", "unix:/run/x" */
    const struct dr_listen_traits *listen_traits; /* one for each of `listens`; NULL: all are as `tls` says */
    const char *const *names; /* NULL-ended host names; empty: any */
    bool any_name; /* there are `names`, and it takes what no server has a name for as well (the default server) */
    const char *path; /* prefix that leads here: "/", "/openclaw/"; NULL: a pattern (see `pattern`) */
    const char *pattern; /* the condition as spelt, where it is no plain prefix; else NULL */
    bool tls; /* clients speak TLS to it (at one of `listens` at least) */

    /* Where it leads. */
    const char *upstream_text; /* as spelt: "http://localhost:18789", "openclaw:18789" */
    const char *upstream_host; /* host or address without brackets; NULL: a unix socket or not knowable */
    unsigned upstream_port; /* 0: not knowable */
    bool upstream_tls;
    const char *upstream_path; /* what the gateway sees instead of `path`; NULL: the path stays as it is */

    /* What the gateway gets to see. */
    unsigned http_version; /* to the upstream: 10, 11, 20 (also h2c); 0: not knowable */
    struct dr_source http_version_source; /* path NULL: the server's default */
    struct dr_route_header headers[DR_ROUTE_HEADERS];
    enum dr_upgrade upgrade;
    const char *upgrade_why; /* DROPPED and UNKNOWN: why, in words, with the directive's name */
    struct dr_source upgrade_source; /* of what drops it; path NULL: the server's default */
    int64_t idle_timeout_ms; /* a WebSocket connection that is silent for so long is cut; 0: never; -1: not knowable */
    struct dr_source idle_timeout_source;
    bool buffers; /* answers are held back until a buffer is full (matters for event streams, not for WebSocket) */
    const char *note; /* what else matters for who the client is, in words ("proxy_protocol on: ..."); NULL: nothing */
    const void *place; /* the reader's own */
};

struct dr_proxy_config {
    enum dr_proxy_kind kind;
    const char *path; /* the main file */
    const char *found_by; /* "--proxy-config", "/etc/nginx", "running nginx (pid 7)" */
    const char *prefix; /* what relative paths start from, where that was said (nginx -p, httpd -d); else NULL */
    /* HAProxy: files and folders that its command line names behind `path`, NULL-ended; else NULL */
    const char *const *also;
    const char *program; /* absolute path of the server's program, NULL: not found */
    long pid; /* of the running server that uses this configuration (its master process), 0: none was found */
    uint64_t pid_start; /* its start in clock ticks since boot: with the pid it names one process for ever */
    const char *pid_words; /* how it was started, for people; NULL */
    const char *admin; /* Caddy: the address of its admin API, "" when it is off, NULL: the default (localhost:2019) */
    const struct dr_proxy_file *const *files; /* the main file first, each once */
    size_t file_count;
    const struct dr_proxy_fault *faults;
    size_t fault_count;
    const struct dr_route *routes; /* all of them, whoever the upstream is */
    size_t route_count;
    const void *tree; /* the reader's own */
};

/*
 * fact: DR_KNOWN; DR_ABSENT: no proxy's configuration on this host; DR_UNKNOWN: a place could not be looked at.
 * `to_gateway`: the routes whose upstream is this gateway's port on this host (or, in a container, its service name).
 */
struct dr_proxies {
    struct dr_fact fact;
    const struct dr_proxy_config *const *configs;
    size_t config_count;
    const struct dr_route *const *to_gateway;
    size_t to_gateway_count;
};

const struct dr_proxies *dr_proxies(struct dr_context *context);

/* --- mending ---------------------------------------------------------------------------------------------------------- */

enum dr_route_mend {
    DR_MEND_UPGRADE = 1 << 0, /* HTTP/1.1, Upgrade and Connection reach the gateway */
    DR_MEND_FORWARD =
        1
        << 1, /* X-Forwarded-For with the client's address and nothing else, X-Forwarded-Proto, Host as the client sent it */
    DR_MEND_TIMEOUT = 1 << 2, /* a silent connection lives for an hour */
    DR_MEND_UPSTREAM = 1 << 3, /* localhost or ::1 becomes 127.0.0.1 */
    DR_MEND_BUFFERING = 1 << 4,
};

struct dr_route_edit {
    const struct dr_proxy_file *file;
    struct dr_edit edit;
};

struct dr_route_edits {
    struct dr_route_edit *list; /* grouped by file, sorted by offset, not overlapping */
    size_t count;
};

/*
 * The smallest edits that make the route so. Comments, order, indentation and everything else stay byte for byte; what is added is written
 * in the style of its neighbours. Mending what is right already adds nothing. Directives whose effect reaches further than this
 * route are not changed; the edit is made at the route itself. -ENOTSUP: it cannot be done by an edit (`*ret_why_not`).
 */
int dr_route_mend(struct dr_context *context, const struct dr_route *route, unsigned mends, struct dr_route_edits *ret_edits,
                  const char **ret_why_not);

#endif
