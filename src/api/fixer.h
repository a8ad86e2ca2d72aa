/*
 * A fixer: finding -> operations. It changes nothing itself and runs in the same sandbox as the checks.
 *
 * A folder fixers/<object>-<verb>/ with fixer.c defining `const struct dr_fixer dr_fixer_<object>_<verb>`, README.md and cases/.
 * `plan` returns 0 when it added operations or refused, or a negative errno when it could not look.
 */
#ifndef DR_API_FIXER_H
#define DR_API_FIXER_H

#include "api/finding.h"
#include "api/operation.h"

struct dr_fixer {
    const char *id;
    const char *title; /* "Give the files back to their owner" */
    int (*plan)(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan);
};

#endif
