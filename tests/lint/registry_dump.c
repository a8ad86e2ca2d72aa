/*
 * Prints the registry for tests/lint/cases.py, tab separated:
 *   check <id> · problem <check>/<code> <fixer or -> · fixer <id>
 */
#include "api/check.h"
#include "api/fixer.h"
#include "api/registry.h"

#include <stdio.h>

int main(void)
{
    for (const struct dr_check *const *check = dr_check_table; *check; check++) {
        printf("check\t%s\n", (*check)->id);
        for (size_t i = 0; i < (*check)->problem_count; i++) {
            const struct dr_problem *problem = &(*check)->problems[i];

            printf("problem\t%s/%s\t%s\n", (*check)->id, problem->code, problem->fixer ? problem->fixer : "-");
        }
    }
    for (const struct dr_fixer *const *fixer = dr_fixer_table; *fixer; fixer++)
        printf("fixer\t%s\n", (*fixer)->id);
    return 0;
}
