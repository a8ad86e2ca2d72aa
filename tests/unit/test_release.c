#include "facts/release.h"

#include "base/cleanup.h"
#include "facts/context.h"

#include <check.h>
#include <stdlib.h>

static struct dr_release release_of(const char *text)
{
    struct dr_release release;

    ck_assert_msg(dr_release_parse(text, &release), "%s", text);
    return release;
}

static struct dr_rules rules_of(const char *text)
{
    struct dr_release release = release_of(text);
    struct dr_rules rules;

    dr_rules_fill(&release, &rules);
    return rules;
}

START_TEST(releases_are_parsed)
{
    struct dr_release release = release_of("v2026.7.2-beta.5");

    ck_assert_int_eq(release.year, 2026);
    ck_assert_int_eq(release.month, 7);
    ck_assert_int_eq(release.patch, 2);
    ck_assert_int_eq(release.beta, 5);
    ck_assert_int_eq(release_of("2026.2.19").beta, 0);
    ck_assert_int_eq(release_of("2026.1.11-2").patch, 11);
}
END_TEST

START_TEST(other_texts_are_no_release)
{
    static const char *const texts[] = { "",          "2026",     "2026.2",     "2026.2.",       "2026.2.19 ",
                                         "v",         "2026.2.x", "2026.2.1.1", "2026.2.1-beta", "2026.2.1-beta.0",
                                         "2026.2.1-", "latest",   "-1.2.3",     "99999.1.1",     "2026.2.1-beta.1x" };

    for (size_t i = 0; i < DR_COUNT(texts); i++) {
        struct dr_release release = { 1, 2, 3, 4 };

        ck_assert_msg(!dr_release_parse(texts[i], &release), "%s", texts[i]);
        ck_assert_int_eq(release.year, 1);
    }
    struct dr_release release;

    ck_assert(!dr_release_parse(NULL, &release));
}
END_TEST

START_TEST(releases_have_an_order)
{
    static const char *const oldest_first[] = { "2026.1.30",       "2026.2.19", "2026.2.21", "2026.7.2-beta.1",
                                                "2026.7.2-beta.5", "2026.7.2",  "2026.7.33", "2026.8.1-beta.12",
                                                "2026.8.1",        "2027.1.1" };

    for (size_t i = 0; i < DR_COUNT(oldest_first); i++)
        for (size_t j = 0; j < DR_COUNT(oldest_first); j++) {
            struct dr_release a = release_of(oldest_first[i]);
            struct dr_release b = release_of(oldest_first[j]);

            ck_assert_int_eq(dr_release_compare(&a, &b), (i > j) - (i < j));
        }
}
END_TEST

START_TEST(rows_are_sorted_and_have_a_source)
{
    for (size_t i = 0; i < dr_rule_row_count; i++) {
        ck_assert_ptr_nonnull(dr_rule_rows[i].source);
        ck_assert_uint_lt(dr_rule_rows[i].offset, sizeof(struct dr_rules));
        if (i > 0)
            ck_assert_msg(dr_release_compare(&dr_rule_rows[i - 1].from, &dr_rule_rows[i].from) <= 0, "row %zu", i);
    }
}
END_TEST

/* openclaw-2026.9 section 2.1. */
START_TEST(stores_move_with_the_release)
{
    static const struct {
        const char *release;
        bool pairing, identity;
        int schema;
    } rows[] = {
        { "2026.2.19", false, false, 0 },     { "2026.4.25", false, false, 0 },      { "2026.5.30-beta.1", false, false, 1 },
        { "2026.7.1", false, false, 1 },      { "2026.7.2-beta.1", true, false, 2 }, { "2026.7.2-beta.3", true, false, 4 },
        { "2026.7.2-beta.5", true, true, 6 }, { "2026.7.2-beta.7", true, true, 6 },  { "2026.7.35", false, false, 1 },
        { "2026.8.1", true, true, 15 },       { "2026.9.2", true, true, 15 },        { "2026.9.6", true, true, 18 },
        { "2026.10.1", true, true, 18 },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        struct dr_rules rules = rules_of(rows[i].release);

        ck_assert_msg(rules.pairing_in_sqlite == rows[i].pairing, "%s", rows[i].release);
        ck_assert_msg(rules.identity_in_sqlite == rows[i].identity, "%s", rows[i].release);
        ck_assert_msg(rules.sqlite_schema == rows[i].schema, "%s", rows[i].release);
    }
}
END_TEST

START_TEST(eras_differ_where_the_facts_say_so)
{
    struct dr_rules old = rules_of("2026.2.19");
    struct dr_rules fixed = rules_of("2026.2.21");
    struct dr_rules today = rules_of("2026.9.6");

    ck_assert(old.client_env_first && fixed.client_env_first && !today.client_env_first);
    ck_assert(old.scopes_literal && !fixed.scopes_literal && !today.scopes_literal);
    ck_assert(!rules_of("2026.2.17").scopes_literal);
    ck_assert(old.silent_edit_works && !fixed.silent_edit_works && !today.silent_edit_works);
    ck_assert(old.legacy_names && !today.legacy_names);
    ck_assert(!old.cidr_v6 && today.cidr_v6);
    ck_assert(!rules_of("2026.7.2-beta.7").attribution_required && rules_of("2026.8.1").attribution_required);
    ck_assert_uint_eq(fixed.signature_window_s, 600);
    ck_assert_uint_eq(rules_of("2026.4.25").signature_window_s, 120);
    ck_assert(old.generated_token_saved && !today.generated_token_saved);
    ck_assert(old.mismatch_named_device && !today.mismatch_named_device && !rules_of("2026.2.12").mismatch_named_device);
}
END_TEST

START_TEST(releases_are_written_as_they_were_read)
{
    struct dr_arena arena = DR_ARENA(64 * 1024);
    struct dr_context context = { .arena = &arena };
    struct dr_release release = release_of("2026.9.6");
    struct dr_release beta = release_of("2026.7.2-beta.3");

    ck_assert_str_eq(dr_release_text(&context, &release), "2026.9.6");
    ck_assert_str_eq(dr_release_text(&context, &beta), "2026.7.2-beta.3");
    ck_assert_int_eq(dr_rules_of(&context, &release)->sqlite_schema, 18);
    dr_arena_release(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("release");
    TCase *tests = tcase_create("release");

    tcase_add_test(tests, releases_are_parsed);
    tcase_add_test(tests, other_texts_are_no_release);
    tcase_add_test(tests, releases_have_an_order);
    tcase_add_test(tests, rows_are_sorted_and_have_a_source);
    tcase_add_test(tests, stores_move_with_the_release);
    tcase_add_test(tests, eras_differ_where_the_facts_say_so);
    tcase_add_test(tests, releases_are_written_as_they_were_read);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
