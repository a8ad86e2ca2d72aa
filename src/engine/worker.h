/*
 * The half that thinks: runs in a forked process of its own, reads the world, writes JSON lines to one pipe, exits.
 *
 * `progress` lies in memory shared with the parent: which module is at work and since when, so that the parent can tell who hangs or
 * crashed. The worker keeps nothing else.
 */
#ifndef DR_ENGINE_WORKER_H
#define DR_ENGINE_WORKER_H

#include "engine/engine.h"
#include "facts/context.h"

#include <stdatomic.h>

enum dr_stage { DR_STAGE_START = 0, DR_STAGE_WALK, DR_STAGE_LIVE, DR_STAGE_CHECK, DR_STAGE_FIX, DR_STAGE_END };

struct dr_progress {
    _Atomic int stage;
    _Atomic int check; /* index in dr_check_table, -1: none; also during the walk while a visitor is at work */
    _Atomic int64_t since_ms; /* monotonic clock */
    char finding[24]; /* fingerprint, in DR_STAGE_FIX */
};

enum { DR_EXIT_OUT_OF_MEMORY = 77, DR_EXIT_NO_SANDBOX = 78, DR_EXIT_PIPE = 79 };

struct dr_worker {
    const struct dr_request *request;
    const struct dr_look_options *options;
    const bool *runs; /* per check of the table */
    const char *const *skip_fix; /* fingerprints, NULL-ended: fixers that failed before */
    struct dr_progress *progress;
    int out; /* the pipe */
    struct dr_parent parent; /* the line for questions */
};

int64_t dr_monotonic_ms(void);

/* Does not return. */
void dr_worker_run(const struct dr_worker *worker) __attribute__((noreturn));

#endif
