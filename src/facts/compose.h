/*
 * Compose files that start this installation: they lie in the working directory, in the home, or in a folder of it whose name begins with
 * openclaw, and the .env beside names this state directory (OPENCLAW_CONFIG_DIR; none: the default one).
 *
 * Of a file only what matters here is read, line by line and not as YAML: entries of `ports:` (short and long form), and the word behind --bind.
 * ${NAME:-default} is filled in from the .env beside it.
 */
#ifndef DR_FACTS_COMPOSE_H
#define DR_FACTS_COMPOSE_H

#include "facts/context.h"

enum { DR_MOST_COMPOSE = 16, DR_MOST_COMPOSE_PORTS = 16 };

struct dr_compose_place {
    const char *folder;
    const char *path; /* of the compose file */
    const char *dotenv; /* of the .env beside it, whether it is there or not */
};

/* At most DR_MOST_COMPOSE, the working directory's first. */
size_t dr_compose_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE]);

struct dr_compose_port {
    const char *host; /* address that is listened on; "": all */
    unsigned published; /* 0: any */
    unsigned target;
    unsigned line;
};

struct dr_compose {
    const char *path;
    struct dr_compose_port ports[DR_MOST_COMPOSE_PORTS];
    size_t port_count;
    const char *bind; /* the word behind --bind; NULL: none */
    unsigned bind_line;
};

/* 0, or a negative errno of reading the file. */
int dr_compose_read(struct dr_context *context, const struct dr_compose_place *place, struct dr_compose *ret_compose);

#endif
