/* The exit status, over every combination of what a run can come to. The expected values are written out by rule, not by code. */
#include "report/exit.h"

#include <check.h>
#include <stddef.h>

static struct dr_outcome outcome_of(unsigned bits, unsigned left, enum dr_severity worst)
{
    return (struct dr_outcome){
        .no_report = bits & 1,
        .incomplete = bits & 2,
        .rolled_back = bits & 4,
        .stuck = bits & 8,
        .corrected = bits & 16,
        .left = left,
        .worst = worst,
    };
}

/* 64 ways: no report, incomplete, rolled back, stuck, corrected, something left. */
static const int lint[2][16] = {
    /* -, n, i, ni, r, rn, ri, rni, s, ... : nothing left */
    { 0, 2, 3, 2, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5 },
    /* something left */
    { 1, 2, 1, 2, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5 },
};

START_TEST(test_lint_all_combinations)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned left = 0; left < 2; left++) {
            struct dr_outcome outcome = outcome_of(bits, left * 3, DR_WARNING);

            ck_assert_int_eq(dr_exit_code(&outcome, DR_STYLE_LINT, false), lint[left][bits & 15]);
        }
}

START_TEST(test_health_all_combinations)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned left = 0; left < 2; left++) {
            struct dr_outcome outcome = outcome_of(bits, left, DR_ERROR);

            ck_assert_int_eq(dr_exit_code(&outcome, DR_STYLE_HEALTH, false), lint[left][bits & 15] == 0 ? 0 : 1);
        }
}

START_TEST(test_nagios_all_combinations)
{
    static const int expected[] = { 0, -1, 3, 3, 2, 2 }; /* by lint code; 1 depends on how bad it is */

    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned left = 0; left < 2; left++)
            for (int worst = DR_INFO; worst <= DR_ERROR; worst++) {
                struct dr_outcome outcome = outcome_of(bits, left, (enum dr_severity)worst);
                int code = lint[left][bits & 15];
                int wanted = code == 1 ? (worst == DR_ERROR ? 2 : 1) : expected[code];

                ck_assert_int_eq(dr_exit_code(&outcome, DR_STYLE_NAGIOS, false), wanted);
            }
}

START_TEST(test_fsck_all_combinations)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned left = 0; left < 2; left++) {
            struct dr_outcome outcome = outcome_of(bits, left, DR_ERROR);
            int code = dr_exit_code(&outcome, DR_STYLE_FSCK, false);

            ck_assert_int_eq(code & 1, (bits & 16) ? 1 : 0);
            ck_assert_int_eq(code & 4, left ? 4 : 0);
            ck_assert_int_eq(code & 8, (bits & 15) ? 8 : 0);
            ck_assert_int_eq(code & ~13, 0);
        }
}

START_TEST(test_exit_zero_needs_a_report)
{
    for (int style = DR_STYLE_LINT; style <= DR_STYLE_FSCK; style++)
        for (unsigned bits = 0; bits < 32; bits++)
            for (unsigned left = 0; left < 2; left++) {
                struct dr_outcome outcome = outcome_of(bits, left, DR_ERROR);
                int code = dr_exit_code(&outcome, (enum dr_exit_style)style, true);

                if (lint[left][bits & 15] == 2)
                    ck_assert_int_ne(code, 0);
                else
                    ck_assert_int_eq(code, 0);
            }
}

START_TEST(test_unknown_is_never_healthy)
{
    struct dr_outcome outcome = { .incomplete = true };

    for (int style = DR_STYLE_LINT; style <= DR_STYLE_FSCK; style++)
        ck_assert_int_ne(dr_exit_code(&outcome, (enum dr_exit_style)style, false), 0);
}

START_TEST(test_failures)
{
    static const struct {
        enum dr_exit code;
        int lint, nagios, health, fsck;
    } rows[] = {
        { DR_EXIT_NO_REPORT, 2, 3, 1, 8 },
        { DR_EXIT_USAGE, 64, 3, 1, 16 },
        { DR_EXIT_INTERRUPTED, 130, 3, 1, 32 },
        { DR_EXIT_TERMINATED, 143, 3, 1, 32 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(dr_exit_failure(rows[i].code, DR_STYLE_LINT), rows[i].lint);
        ck_assert_int_eq(dr_exit_failure(rows[i].code, DR_STYLE_NAGIOS), rows[i].nagios);
        ck_assert_int_eq(dr_exit_failure(rows[i].code, DR_STYLE_HEALTH), rows[i].health);
        ck_assert_int_eq(dr_exit_failure(rows[i].code, DR_STYLE_FSCK), rows[i].fsck);
    }
}

START_TEST(test_style_names)
{
    enum dr_exit_style style = DR_STYLE_FSCK;

    ck_assert(dr_exit_style_parse(NULL, &style));
    ck_assert_int_eq(style, DR_STYLE_LINT);
    for (int i = DR_STYLE_LINT; i <= DR_STYLE_FSCK; i++) {
        ck_assert(dr_exit_style_parse(dr_exit_style_name((enum dr_exit_style)i), &style));
        ck_assert_int_eq(style, i);
    }
    ck_assert(!dr_exit_style_parse("Lint", &style));
    ck_assert(!dr_exit_style_parse("", &style));
}

int main(void)
{
    Suite *suite = suite_create("report_exit");
    TCase *tcase = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_lint_all_combinations);
    tcase_add_test(tcase, test_health_all_combinations);
    tcase_add_test(tcase, test_nagios_all_combinations);
    tcase_add_test(tcase, test_fsck_all_combinations);
    tcase_add_test(tcase, test_exit_zero_needs_a_report);
    tcase_add_test(tcase, test_unknown_is_never_healthy);
    tcase_add_test(tcase, test_failures);
    tcase_add_test(tcase, test_style_names);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
