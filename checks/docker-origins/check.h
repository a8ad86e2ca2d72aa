/*
 * Shared by the files of docker-origins: check.c judges the entries that stand in the list, wanted.c the origins that browsers have.
 */
#ifndef DR_CHECKS_DOCKER_ORIGINS_H
#define DR_CHECKS_DOCKER_ORIGINS_H

#include "api/binding.h"
#include "api/check.h"
#include "api/config.h"
#include "api/install.h"
#include "api/origin.h"

enum { DR_MOST_ORIGINS = 64, DR_MOST_WANTED = 8 };

/* gateway.controlUi.allowedOrigins as it stands, and as it was surely meant. */
struct dr_origins {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_rules *rules;
    const struct dr_binding *binding;
    struct dr_source source; /* of the list, else of the configuration */
    const char *allowed[DR_MOST_ORIGINS];
    size_t allowed_count;
    const char *meant[DR_MOST_ORIGINS]; /* what entries that never match were meant to be */
    size_t meant_count;
    bool host_fallback;
};

/* An origin that browsers have, and that the list does not allow. */
struct dr_wanted {
    const char *origin;
    const char *how; /* how it is known */
};

struct dr_wanted_list {
    struct dr_wanted known[DR_MOST_WANTED]; /* of this gateway: a proxy's name, an address of this host */
    size_t known_count;
    struct dr_wanted strange[DR_MOST_WANTED]; /* that only the log names */
    size_t strange_count;
    size_t refused; /* lines of the log, of the known ones */
};

void dr_origins_find_wanted(const struct dr_origins *origins, struct dr_wanted_list *ret_wanted);

/* "http://localhost:18789, http://127.0.0.1:18789": what a gateway that makes its own list puts into it. */
const char *dr_origins_of_loopback(const struct dr_origins *origins);

#endif
