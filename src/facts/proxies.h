/*
 * Which proxies there are: servers that run, and configurations in their usual places.
 *
 * proxies.c         the fact: configurations, read by their formats, and the routes that lead to this gateway
 * proxies_find.c    where configurations lie
 * proxies_haproxy.c how HAProxy is started: its unit and the files that it takes its options from
 * proxies_kind.c    whose a file is that was named with --proxy-config
 * proxy_files.c     reading them
 */
#ifndef DR_FACTS_PROXIES_H
#define DR_FACTS_PROXIES_H

#include "facts/context.h"
#include "format/proxy_reader.h"

/* A configuration to be read. */
struct dr_proxy_place {
    enum dr_proxy_kind kind;
    const char *path;
    const char *prefix;
    const char *const *also; /* see struct dr_proxy_config */
    const char *found_by;
    const char *program;
    long pid;
    uint64_t pid_start;
    const char *pid_words;
};

enum { DR_MOST_PROXIES = 32 };

struct dr_proxy_places {
    struct dr_proxy_place list[DR_MOST_PROXIES];
    size_t count;
    const char *reason; /* NULL, or why a place could not be looked at */
    struct dr_source source;
};

/* The files and folders behind "-f" in a command line, or behind "--" (haproxy(1)), NULL-ended. */
const char *const *dr_haproxy_files(struct dr_context *context, const char *const *words);

/* The same of the service's unit, else of /etc/default/haproxy; NULL: neither is there. `*ret_from`: which. */
const char *const *dr_haproxy_service_files(struct dr_context *context, const char **ret_from);

void dr_proxies_find(struct dr_context *context, struct dr_proxy_places *ret_places);

/* By its name, else by what stands in it. False: it is of none of these servers, or cannot be read (`*ret_why`). */
bool dr_proxy_kind_of(struct dr_context *context, const char *path, enum dr_proxy_kind *ret_kind, const char **ret_why);

#endif
