/*
 * One look: run the selected checks (and, when asked, the fixers) in a sandboxed worker and gather what it says.
 *
 * The worker can crash, hang or run out of memory: the check at work becomes `error` or `timeout`, a new worker goes on with the
 * rest. The result is a set of JSON arrays in the form of docs/wire.md, ordered: findings by severity, cause before
 * consequence, check id, path.
 */
#ifndef DR_ENGINE_ENGINE_H
#define DR_ENGINE_ENGINE_H

#include "base/error.h"
#include "facts/request.h"
#include "wire/wire.h"

struct dr_selection {
    const char *const *only; /* NULL-ended ids or id/code; NULL: all */
    const char *const *skip;
    const char *const *tags;
};

struct dr_look_options {
    struct dr_selection selection;
    bool want_plan; /* run the fixers too */
    unsigned check_timeout_ms; /* per check */
    unsigned total_timeout_ms; /* for all */
};

/* Owns its arrays; dr_look_release frees. */
struct dr_look {
    cJSON *target; /* object, may be NULL when the worker never got that far */
    cJSON *checks;
    cJSON *findings;
    cJSON *unknowns;
    cJSON *operations;
    cJSON *probes;
    double duration_ms;
    bool deadline_hit;
};

void dr_look_release(struct dr_look *look);
#define _cleanup_look_ _cleanup_(dr_look_release)

int dr_look_run(const struct dr_request *request, const struct dr_look_options *options, struct dr_look *ret_look,
                struct dr_error *error) DR_MUST_CHECK;

/* An id, or id/code, that no module has: for "unknown check" (usage error). */
bool dr_selection_knows(const char *id_or_code);
bool dr_selection_knows_tag(const char *tag);

#endif
