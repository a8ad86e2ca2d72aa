/*
 * Compose files that start this installation: they lie in the working directory, in the home, or in a folder of it whose name begins with
 * openclaw, and the .env beside names this state directory (OPENCLAW_CONFIG_DIR; none: the default one).
 *
 * They are read as Compose reads them (format/compose.h): override files, extends, include, merge keys, variables. Of what they say, this is
 * what matters here: the services that run the gateway, or, where none looks like it, every service that is no proxy.
 */
#ifndef DR_FACTS_COMPOSE_H
#define DR_FACTS_COMPOSE_H

#include "api/proxy.h"
#include "facts/context.h"

enum { DR_MOST_COMPOSE = 16, DR_MOST_COMPOSE_PORTS = 16, DR_MOST_COMPOSE_VALUES = 16 };

struct dr_compose_place {
    const char *folder;
    const char *path; /* of the compose file */
    const char *dotenv; /* of the .env beside it, whether it is there or not */
};

/* At most DR_MOST_COMPOSE, the working directory's first. */
size_t dr_compose_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE]);

struct dr_compose_port {
    const char *host; /* address that is listened on, without brackets; "": all */
    unsigned published, published_last; /* 0: any */
    unsigned target, target_last;
    const char *unknown; /* a variable in it without a value: nothing else holds */
    struct dr_source source;
};

/* A text, and where it stands. */
struct dr_compose_value {
    const char *name; /* a variable's, a network's; NULL */
    const char *text; /* NULL: not set */
    const char *unknown; /* a variable in it without a value */
    struct dr_source source;
};

struct dr_compose {
    const char *path;
    const char *service; /* that runs the gateway; NULL: none looks like it */
    bool host_network; /* ... in the host's network: it publishes nothing */
    struct dr_compose_port ports[DR_MOST_COMPOSE_PORTS]; /* TCP only */
    size_t port_count;
    struct dr_compose_value bind; /* the word behind --bind */
    struct dr_compose_value port; /* the word behind --port, else OPENCLAW_GATEWAY_PORT in its environment */
    struct dr_compose_value bind_variable; /* OPENCLAW_GATEWAY_BIND in its environment */
    struct dr_compose_value secrets[DR_MOST_COMPOSE_VALUES]; /* tokens and passwords in its environment */
    size_t secret_count;
    struct dr_compose_value subnets[DR_MOST_COMPOSE_VALUES]; /* that its networks are pinned to */
    size_t subnet_count;
    const struct dr_proxy_fault *faults; /* what could not be read */
    size_t fault_count;
};

/* All of them (arena), read once. */
const struct dr_compose *dr_composes(struct dr_context *context, size_t *ret_count);

/* 0, or a negative errno of reading the file. */
int dr_compose_read(struct dr_context *context, const struct dr_compose_place *place, struct dr_compose *ret_compose);

#endif
