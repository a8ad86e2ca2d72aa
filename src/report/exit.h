/*
 * Exit status: one small table of rules (docs/exit-codes.md), the same for every format.
 *
 * `lint` is the contract of `openclaw doctor --lint`, widened; the other styles are views of it.
 */
#ifndef DR_REPORT_EXIT_H
#define DR_REPORT_EXIT_H

#include "api/problem.h"

#include <stdbool.h>

enum dr_exit {
    DR_EXIT_CLEAN = 0,
    DR_EXIT_FINDINGS = 1,
    DR_EXIT_NO_REPORT = 2,
    DR_EXIT_INCOMPLETE = 3,
    DR_EXIT_ROLLED_BACK = 4,
    DR_EXIT_STUCK = 5,
    DR_EXIT_USAGE = 64,
    DR_EXIT_INTERRUPTED = 130,
    DR_EXIT_TERMINATED = 143,
};

enum dr_exit_style { DR_STYLE_LINT = 0, DR_STYLE_NAGIOS, DR_STYLE_HEALTH, DR_STYLE_FSCK };

/* What a finished run came to. */
struct dr_outcome {
    bool no_report; /* nothing trustworthy was seen */
    bool incomplete; /* something could not be told */
    bool rolled_back; /* a repair failed and was undone */
    bool stuck; /* a rollback is incomplete */
    bool corrected; /* at least one repair was made */
    unsigned left; /* root causes at or above the threshold */
    enum dr_severity worst; /* of those; meaningless when none is left */
};

/* False when the text names no style; NULL is lint. */
bool dr_exit_style_parse(const char *text, enum dr_exit_style *ret_style);
const char *dr_exit_style_name(enum dr_exit_style style);

/* The lint code of an outcome: 5 before 4 before 2 before 1 before 3 before 0. */
enum dr_exit dr_exit_lint(const struct dr_outcome *outcome);

/* The exit status. With `zero`, 0 whenever there is a report (everything but 2). */
int dr_exit_code(const struct dr_outcome *outcome, enum dr_exit_style style, bool zero);

/* The exit status of a run that ended before there was a report: 2, 64, 130 or 143 in the words of a style. */
int dr_exit_failure(enum dr_exit lint, enum dr_exit_style style);

#endif
