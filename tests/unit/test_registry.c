/* The generated registry against what docs/adding-a-check.md promises. */
#include "api/check.h"
#include "api/fixer.h"
#include "api/registry.h"

#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static size_t check_count(void)
{
    size_t count = 0;

    while (dr_check_table[count])
        count++;
    return count;
}

static size_t fixer_count(void)
{
    size_t count = 0;

    while (dr_fixer_table[count])
        count++;
    return count;
}

static bool fixer_exists(const char *id)
{
    for (size_t i = 0; dr_fixer_table[i]; i++)
        if (!strcmp(dr_fixer_table[i]->id, id))
            return true;
    return false;
}

/* Is `reference`, "<check>/<code>", a problem of some check? */
static bool problem_exists(const char *reference)
{
    for (size_t i = 0; dr_check_table[i]; i++) {
        const struct dr_check *check = dr_check_table[i];
        size_t length = strlen(check->id);

        if (strncmp(reference, check->id, length) || reference[length] != '/')
            continue;
        for (size_t j = 0; j < check->problem_count; j++)
            if (!strcmp(reference + length + 1, check->problems[j].code))
                return true;
    }
    return false;
}

/* Lower case words joined by single dashes. */
static bool is_code(const char *text)
{
    if (!islower((unsigned char)*text))
        return false;
    for (const char *c = text; *c; c++) {
        if (*c == '-' ? c[1] == '-' || !c[1] : !islower((unsigned char)*c) && !isdigit((unsigned char)*c))
            return false;
    }
    return true;
}

static bool says_something(const char *text)
{
    return text && *text && !isspace((unsigned char)*text) && !isspace((unsigned char)text[strlen(text) - 1]);
}

START_TEST(ids_are_their_folders_and_sorted)
{
    size_t checks = check_count();

    for (size_t i = 0; i < checks; i++) {
        ck_assert_str_eq(dr_check_table[i]->id, dr_text_table[i].id);
        ck_assert(i == 0 || strcmp(dr_check_table[i - 1]->id, dr_check_table[i]->id) < 0);
    }
    for (size_t i = 0; i < fixer_count(); i++) {
        ck_assert_str_eq(dr_fixer_table[i]->id, dr_text_table[checks + i].id);
        ck_assert(i == 0 || strcmp(dr_fixer_table[i - 1]->id, dr_fixer_table[i]->id) < 0);
    }
    ck_assert_ptr_null(dr_text_table[checks + fixer_count()].id);
}
END_TEST

START_TEST(no_check_has_the_name_of_a_fixer)
{
    for (size_t i = 0; dr_check_table[i]; i++)
        ck_assert_msg(!fixer_exists(dr_check_table[i]->id), "%s is a check and a fixer", dr_check_table[i]->id);
}
END_TEST

START_TEST(texts_begin_with_a_title_and_name_each_code)
{
    for (const struct dr_text *text = dr_text_table; text->id; text++)
        ck_assert_msg(!strncmp(text->text, "# ", 2), "%s/README.md does not begin with a title", text->id);
    for (size_t i = 0; dr_check_table[i]; i++)
        for (size_t j = 0; j < dr_check_table[i]->problem_count; j++)
            ck_assert_msg(strstr(dr_text_table[i].text, dr_check_table[i]->problems[j].code) != NULL,
                          "checks/%s/README.md does not explain %s", dr_check_table[i]->id,
                          dr_check_table[i]->problems[j].code);
}
END_TEST

START_TEST(checks_are_complete)
{
    for (size_t i = 0; dr_check_table[i]; i++) {
        const struct dr_check *check = dr_check_table[i];

        ck_assert_msg(says_something(check->title), "%s has no title", check->id);
        ck_assert_msg(check->tags && check->tags[0], "%s has no tag", check->id);
        ck_assert_msg(check->problem_count && check->run, "%s has no problem or no run", check->id);
        ck_assert_msg(!check->visit || check->state_size, "%s visits the tree without a state", check->id);
    }
}
END_TEST

START_TEST(fixers_are_complete)
{
    for (size_t i = 0; dr_fixer_table[i]; i++) {
        ck_assert_msg(says_something(dr_fixer_table[i]->title), "%s has no title", dr_fixer_table[i]->id);
        ck_assert_msg(dr_fixer_table[i]->plan != NULL, "%s has no plan", dr_fixer_table[i]->id);
    }
}
END_TEST

static void assert_problem(const struct dr_check *check, const struct dr_problem *problem)
{
    const char *id = check->id, *code = problem->code;

    ck_assert_msg(is_code(code), "%s: '%s' is no code", id, code);
    ck_assert_msg(says_something(problem->message), "%s/%s has no message", id, code);
    ck_assert_msg(says_something(problem->advice), "%s/%s has no advice", id, code);
    ck_assert_msg((problem->fixer == NULL) == (problem->safety == DR_MANUAL),
                  "%s/%s: a fixer goes with a safety class, and none with manual", id, code);
    ck_assert_msg((problem->why != NULL) == (problem->safety == DR_UNSAFE),
                  "%s/%s: `why` says why a repair is unsafe, and nothing else", id, code);
    ck_assert_msg(!problem->fixer || fixer_exists(problem->fixer), "%s/%s: there is no fixer %s", id, code, problem->fixer);
    for (const struct dr_cause *cause = problem->follows; cause && cause->code; cause++)
        ck_assert_msg(problem_exists(cause->code), "%s/%s follows from %s, which no check reports", id, code, cause->code);
}

START_TEST(problems_are_complete_and_codes_unique)
{
    for (size_t i = 0; dr_check_table[i]; i++) {
        const struct dr_check *check = dr_check_table[i];

        for (size_t j = 0; j < check->problem_count; j++) {
            assert_problem(check, &check->problems[j]);
            for (size_t k = 0; k < j; k++)
                ck_assert_str_ne(check->problems[j].code, check->problems[k].code);
        }
    }
}
END_TEST

START_TEST(codes_are_lower_case_words)
{
    ck_assert(is_code("a"));
    ck_assert(is_code("env-shadows-config2"));
    ck_assert(!is_code(""));
    ck_assert(!is_code("2nd"));
    ck_assert(!is_code("Upper"));
    ck_assert(!is_code("two--dashes"));
    ck_assert(!is_code("ends-"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tests = tcase_create("registry");

    tcase_add_test(tests, ids_are_their_folders_and_sorted);
    tcase_add_test(tests, no_check_has_the_name_of_a_fixer);
    tcase_add_test(tests, texts_begin_with_a_title_and_name_each_code);
    tcase_add_test(tests, checks_are_complete);
    tcase_add_test(tests, fixers_are_complete);
    tcase_add_test(tests, problems_are_complete_and_codes_unique);
    tcase_add_test(tests, codes_are_lower_case_words);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
