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
