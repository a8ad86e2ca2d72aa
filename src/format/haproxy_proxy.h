/*
 * HAProxy's proxies with their settings: what "defaults" pass on was put in (shared by src/format/haproxy*.c; nobody else includes it).
 *
 * Source of each rule: manual 2.6, sections 4 and 5, and haproxy 2.6.12 as it behaves. Everything lives in the loader's arena.
 */
#ifndef DR_FORMAT_HAPROXY_PROXY_H
#define DR_FORMAT_HAPROXY_PROXY_H

#include "format/haproxy_tree.h"

enum haproxy_mode { HAPROXY_TCP = 0, HAPROXY_HTTP, HAPROXY_OTHER_MODE };

enum haproxy_closing {
    HAPROXY_KEEPS = 0,
    HAPROXY_SERVER_CLOSES,
    HAPROXY_CLOSES
}; /* http-keep-alive, http-server-close, httpclose */

struct haproxy_time {
    const struct haproxy_line *line; /* NULL: not set */
    int64_t ms; /* 0: never */
};

struct haproxy_forwardfor {
    const struct haproxy_line *line; /* NULL: off */
    const char *header;
    bool always; /* no "if-none" */
    bool excepts; /* some clients */
    bool never; /* "except" names every address */
};

struct haproxy_lines {
    const struct haproxy_line **list;
    size_t count, room;
};

/* What conditions and rules of one section see. Rules of "defaults" see the ACLs of that "defaults". */
struct haproxy_scope {
    struct haproxy_lines acls; /* sorted by name once all are there */
    struct haproxy_lines rules; /* http-request, then redirect: the order in which HAProxy applies them */
    struct haproxy_lines redirects;
    struct haproxy_lines answers; /* http-response, http-after-response */
};

struct haproxy_proxy {
    const struct haproxy_section *section;
    enum haproxy_mode mode;
    const struct haproxy_line *mode_line;
    bool off; /* "disabled" */
    bool named; /* a backend that use_backend or default_backend names */
    struct haproxy_time client, server, tunnel;
    struct haproxy_forwardfor forwardfor;
    enum haproxy_closing closing;
    const struct haproxy_line *forwarded; /* option forwarded */
    const struct haproxy_line *default_backend;
    const struct haproxy_line *fcgi;
    struct haproxy_lines binds;
    struct haproxy_lines switches; /* use_backend */
    struct haproxy_lines servers; /* server, server-template, dispatch, and the default-server lines that count for them */
    struct haproxy_scope own;
    unsigned tcp_rules; /* tcp-request, tcp-response */
    unsigned uses; /* "defaults": how they are used, see check_rules_of_defaults */
    const struct haproxy_scope *inherited; /* of the "defaults" that it names or follows; may be NULL */
};

struct haproxy_proxies {
    struct haproxy_tree *tree;
    struct haproxy_proxy *list; /* as the sections of the tree */
    struct haproxy_proxy **backends; /* sorted by name: backend and listen */
    size_t backend_count;
};

/* Settings and their faults. 0 or -ENOMEM. */
int dr_haproxy_read_proxies(struct haproxy_tree *tree, struct haproxy_proxies *ret_proxies);
struct haproxy_proxy *dr_haproxy_backend(const struct haproxy_proxies *proxies, const char *name); /* NULL: none */
bool dr_haproxy_is_frontend(const struct haproxy_proxy *proxy);
bool dr_haproxy_is_backend(const struct haproxy_proxy *proxy);
int dr_haproxy_add_line(struct haproxy_tree *tree, struct haproxy_lines *lines, const struct haproxy_line *line);

/* "1h", "5000": milliseconds, false when HAProxy refuses it. */
bool dr_haproxy_time(const char *text, int64_t *ret_ms);

/* --- haproxy_address.c -------------------------------------------------------------------------------------------------- */

struct haproxy_address {
    enum { HAPROXY_INET, HAPROXY_UNIX, HAPROXY_STRANGE } kind; /* strange: a descriptor, a pair of sockets, QUIC ... */
    const char *host; /* without brackets, "" = any; the path of a unix socket, "@name" an abstract one */
    unsigned port, last_port; /* 0: none */
    bool offset; /* `port` is added to the port that the client came in on; also when there is none */
    bool minus;
};

/* One address of "server" or "bind". False: HAProxy refuses it. */
bool dr_haproxy_address(const struct haproxy_tree *tree, const char *text, struct haproxy_address *ret_address);

/* --- haproxy_server.c --------------------------------------------------------------------------------------------------- */

struct haproxy_server {
    const struct haproxy_line *line;
    size_t address_word; /* 0: none that is known */
    struct haproxy_address address;
    bool off;
    bool tls;
    const char *proto; /* "h2", "h1", "fcgi"; NULL */
    const struct haproxy_line *proto_line;
    const char *alpn; /* NULL */
    const struct haproxy_line *alpn_line;
    const char *ws; /* "auto", "h1", "h2" */
    const struct haproxy_line *send_proxy; /* NULL: no */
};

/* What the line at `index` of proxy->servers describes. False: it is a default-server line, or nothing that can be used. */
bool dr_haproxy_server(struct haproxy_proxies *proxies, const struct haproxy_proxy *proxy, size_t index,
                       struct haproxy_server *ret_server);
/* Looks at the words of all server and bind lines once, for their faults. */
void dr_haproxy_check_proxy(struct haproxy_proxies *proxies, const struct haproxy_proxy *proxy);

struct haproxy_bind {
    bool tls;
    bool accepts_proxy; /* a PROXY line comes first */
    const char *const *listens; /* as struct dr_route.listens */
    size_t count;
    unsigned port; /* of the only address; 0: several, a range or none */
};

int dr_haproxy_bind(const struct haproxy_tree *tree, const struct haproxy_line *line, struct haproxy_bind *ret_bind);

#endif
