/*
 * Which proxies there are: servers that run, and configurations in their usual places.
 *
 * proxies.c         the fact: configurations, read by their formats, and the routes that lead to this gateway
 * proxies_find.c    where configurations lie
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

void dr_proxies_find(struct dr_context *context, struct dr_proxy_places *ret_places);

/* By its name, else by what stands in it. False: it is of none of these servers, or cannot be read (`*ret_why`). */
bool dr_proxy_kind_of(struct dr_context *context, const char *path, enum dr_proxy_kind *ret_kind, const char **ret_why);

#endif
