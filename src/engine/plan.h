/*
 * What one fixer adds for one finding. Lives in the run's arena.
 */
#ifndef DR_ENGINE_PLAN_H
#define DR_ENGINE_PLAN_H

#include "api/operation.h"
#include "engine/finding.h"

enum { DR_MOST_OPERATIONS = 100000 };

struct dr_planned {
    struct dr_operation operation; /* first: the builders hand out a pointer to it */
    struct dr_planned *next;
};

struct dr_plan {
    struct dr_context *context;
    const struct dr_finding *finding;
    size_t taken_before; /* operations of other findings */
    struct dr_planned *first, **last;
    size_t count;
    const char *refused;
};

void dr_plan_init(struct dr_plan *plan, struct dr_context *context, const struct dr_finding *finding, size_t taken_before);

/*
 * Checks what a plan must never hold (a secret in clear, a path that cannot travel) and makes the previews. Refuses the plan where
 * it does not pass.
 */
void dr_plan_finish(struct dr_plan *plan);

#endif
