/*
 * The order of findings: root causes first, each followed by what follows from it.
 *
 * A root cause weighs as much as the worst that follows from it. Roots: weight (worst first), own severity, check id, path,
 * line, fingerprint. Consequences of consequences stand under the root. A cause that is not in the list, or a circle of causes,
 * makes a root. The order does not depend on the order of the input.
 */
#ifndef DR_REPORT_ORDER_H
#define DR_REPORT_ORDER_H

#include "api/problem.h"
#include "base/cleanup.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct dr_ranked {
    const cJSON *finding; /* borrowed */
    struct dr_ranked *root; /* itself for a root cause; points into the same array */
    enum dr_severity severity; /* its own */
    enum dr_severity weight; /* of a root: the worst in its group */
};

/* Caller frees `*ret_ranked` (NULL when there is no finding). -ENOMEM. */
int dr_findings_order(const cJSON *findings, struct dr_ranked **ret_ranked, size_t *ret_count) DR_MUST_CHECK;

#endif
