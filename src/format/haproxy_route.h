/*
 * What struct dr_route.place of a HAProxy route points to: how it came about, for the editor (haproxy_route.c makes it, haproxy_mend.c reads it;
 * nobody else includes it).
 */
#ifndef DR_FORMAT_HAPROXY_ROUTE_H
#define DR_FORMAT_HAPROXY_ROUTE_H

#include "format/haproxy_request.h"

struct haproxy_place {
    const struct haproxy_proxies *proxies;
    const struct haproxy_proxy *frontend, *backend; /* the same for "listen" */
    struct haproxy_server server;
    struct haproxy_request handshake, ordinary; /* as they arrive */
    bool http; /* HAProxy reads requests on this way */
    bool shared; /* the frontend leads to other backends, too */
    bool taken_elsewhere; /* handshakes go to another backend */
};

/* The "bind" lines of a frontend that speak TLS, or those that do not. */
struct haproxy_entrance {
    bool tls;
    const char **listens;
    struct dr_listen_traits *traits; /* of each */
    size_t count;
    unsigned port; /* 0: several */
};

int dr_haproxy_entrance(const struct haproxy_tree *tree, const struct haproxy_proxy *frontend, bool tls,
                        struct haproxy_entrance *ret_entrance);

struct haproxy_walk {
    struct haproxy_proxies *proxies;
    struct haproxy_tree *tree;
    struct dr_arena *arena;
    const struct haproxy_proxy *frontend;
    const struct haproxy_entrance *entrance;
    bool shared;
    bool full; /* no more routes are kept */
    size_t first_route; /* of this frontend and entrance */
    const struct haproxy_proxy *taker; /* of handshakes that the backend at work never gets */
    const struct haproxy_line *taker_line;
};

/* One way from the frontend to a backend. */
struct haproxy_way {
    const struct haproxy_proxy *backend;
    const struct haproxy_line *line; /* use_backend, default_backend; NULL: a "listen" itself */
    struct haproxy_choice choice;
    bool handshakes, others; /* which requests may come this way */
};

/* The route to the server at `index` of the way's backend, unless nobody gets there. 0 or -ENOMEM. */
int dr_haproxy_add_route(struct haproxy_walk *walk, const struct haproxy_way *way, size_t index);
/* A handshake or another request at the entrance; `way` NULL: its host and path are not known. */
struct haproxy_request dr_haproxy_new_request(const struct haproxy_walk *walk, const struct haproxy_way *way,
                                              bool websocket);

int dr_haproxy_read_routes(struct haproxy_proxies *proxies);
/* struct dr_proxy_format.mend */
int dr_haproxy_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                    const char **ret_why_not);

/* --- haproxy_upgrade.c -------------------------------------------------------------------------------------------------- */

/* Fills upgrade, upgrade_why, upgrade_source, http_version and http_version_source. */
int dr_haproxy_judge_upgrade(const struct haproxy_place *place, struct dr_route *route);
/* Does this value make the header fit for a handshake? */
bool dr_haproxy_value_upgrades(int header, const char *value);
bool dr_haproxy_speaks_h2(const struct haproxy_server *server);

#endif
