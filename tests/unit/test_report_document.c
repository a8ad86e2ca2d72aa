/* The document: order of findings, threshold, counts, hidden homes, determinism, and the JSON writer. */
#include "report/human.h"
#include "report/order.h"
#include "report/report.h"
#include "report/scrub.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* ---- order ---- */

static cJSON *parse(const char *text)
{
    cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);

    ck_assert_msg(json != NULL, "no JSON: %s", text);
    return json;
}

/* "a<b" is finding a caused by b; the letter before ":" is the severity: e, w, i. */
static cJSON *findings_of(const char *spec)
{
    cJSON *findings = cJSON_CreateArray();
    char copy[512];
    char *save = NULL;

    (void)snprintf(copy, sizeof(copy), "%s", spec);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        cJSON *finding = cJSON_CreateObject();
        char id[2] = { word[2], '\0' };

        cJSON_AddStringToObject(finding, "severity", word[0] == 'e' ? "error" : word[0] == 'w' ? "warning" : "info");
        cJSON_AddStringToObject(finding, "checkId", id);
        cJSON_AddStringToObject(finding, "fingerprint", id);
        if (word[3] == '<')
            cJSON_AddStringToObject(finding, "causedBy", word + 4);
        cJSON_AddItemToArray(findings, finding);
    }
    return findings;
}

static void check_order(const char *spec, const char *expected)
{
    _cleanup_json_ cJSON *findings = findings_of(spec);
    int size = cJSON_GetArraySize(findings);

    for (int turn = 0; turn < size + 1; turn++) { /* every rotation of the input gives the same order */
        _cleanup_free_ struct dr_ranked *ranked = NULL;
        char got[256] = "";
        size_t count = 0;

        ck_assert_int_eq(dr_findings_order(findings, &ranked, &count), 0);
        ck_assert_uint_eq(count, (size_t)size);
        for (size_t i = 0; i < count; i++) {
            size_t used = strlen(got);
            bool root = ranked[i].root == &ranked[i];

            ck_assert(root || ranked[i].root < &ranked[i]);
            (void)snprintf(got + used, sizeof(got) - used, "%s%s%s", i > 0 ? " " : "", root ? "" : ">",
                           dr_json_text(ranked[i].finding, "checkId"));
        }
        ck_assert_str_eq(got, expected);
        cJSON_AddItemToArray(findings, cJSON_DetachItemFromArray(findings, 0));
    }
}

START_TEST(test_order)
{
    check_order("w:b e:a i:c", "a b c");
    check_order("w:b w:a w:c", "a b c");
    check_order("e:z<a w:a w:b", "a >z b"); /* the cause weighs as much as what follows from it */
    check_order("i:a w:b<a e:c<b", "a >c >b"); /* all hang under the root */
    check_order("e:a<q w:b", "a b"); /* the cause is not here */
    check_order("e:a<a", "a");
    check_order("i:a<b e:c", "c a"); /* likewise, and info comes last */
    check_order("e:a<x e:b<a w:x", "x >a >b");
}

START_TEST(test_circles_end)
{
    _cleanup_json_ cJSON *findings = findings_of("e:a<b e:b<c e:c<a w:d<a");
    _cleanup_free_ struct dr_ranked *ranked = NULL;
    size_t count = 0;
    unsigned roots = 0;

    ck_assert_int_eq(dr_findings_order(findings, &ranked, &count), 0);
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++)
        roots += ranked[i].root == &ranked[i];
    ck_assert_uint_eq(roots, 1);
}

START_TEST(test_no_findings)
{
    _cleanup_json_ cJSON *findings = cJSON_CreateArray();
    struct dr_ranked *ranked = (struct dr_ranked *)&findings;
    size_t count = 1;

    ck_assert_int_eq(dr_findings_order(findings, &ranked, &count), 0);
    ck_assert_ptr_null(ranked);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(dr_findings_order(NULL, &ranked, &count), 0);
}

/* ---- the document ---- */

static cJSON *document_of(const char *findings, const char *checks, struct dr_report_run run)
{
    struct dr_look look = {
        .target = parse("{\"exists\": true}"),
        .checks = parse(checks),
        .findings = findings_of(findings),
        .unknowns = cJSON_CreateArray(),
        .operations = cJSON_CreateArray(),
        .duration_ms = 12.345678,
    };
    cJSON *document = NULL;

    run.mode = run.mode ? run.mode : "look";
    ck_assert_int_eq(dr_report_document(&look, &run, &document), 0);
    cJSON_Delete(look.target);
    cJSON_Delete(look.checks);
    cJSON_Delete(look.findings);
    cJSON_Delete(look.unknowns);
    cJSON_Delete(look.operations);
    return document;
}

static int number(const cJSON *document, const char *object, const char *name)
{
    return (int)dr_json_number(object ? cJSON_GetObjectItemCaseSensitive(document, object) : document, name, -1);
}

static int count(const cJSON *document, const char *name)
{
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, name));
}

static const char one_passed[] = "[{\"id\": \"a-b\", \"status\": \"pass\"}]";

START_TEST(test_threshold_filters_and_decides)
{
    static const struct {
        enum dr_severity min;
        int findings, below, problems, code;
    } cases[] = {
        { DR_INFO, 4, 0, 3, 1 },
        { DR_WARNING, 3, 1, 2, 1 },
        { DR_ERROR, 2, 2, 1, 1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_json_ cJSON *document =
            document_of("i:a e:c<b w:b w:d", one_passed, (struct dr_report_run){ .severity_min = cases[i].min });

        ck_assert_int_eq(count(document, "findings"), cases[i].findings);
        ck_assert_int_eq(count(document, "belowThreshold"), cases[i].below);
        ck_assert_int_eq(number(document, "summary", "problems"), cases[i].problems);
        ck_assert_int_eq(number(document, "summary", "consequences"), 1);
        ck_assert_int_eq(number(document, "exit", "code"), cases[i].code);
    }
}

START_TEST(test_below_threshold_is_clean)
{
    _cleanup_json_ cJSON *document = document_of("i:a", one_passed, (struct dr_report_run){ .severity_min = DR_WARNING });

    ck_assert_int_eq(number(document, "exit", "code"), 0);
    ck_assert(dr_json_true(document, "ok"));
}

START_TEST(test_statuses_that_are_no_answer)
{
    static const struct {
        const char *status;
        int code;
    } cases[] = {
        { "pass", 0 }, { "not_applicable", 0 }, { "unknown", 3 }, { "error", 3 }, { "timeout", 3 }, { "skipped", 2 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char checks[128];

        (void)snprintf(checks, sizeof(checks), "[{\"id\": \"a-b\", \"status\": \"%s\"}]", cases[i].status);
        _cleanup_json_ cJSON *document = document_of("", checks, (struct dr_report_run){ .severity_min = DR_WARNING });

        ck_assert_int_eq(number(document, "exit", "code"), cases[i].code);
        ck_assert_int_eq(dr_json_true(document, "ok"), cases[i].code == 0);
    }
}

START_TEST(test_no_target_is_no_report)
{
    struct dr_look look = { 0 };
    struct dr_report_run run = { .mode = "look", .severity_min = DR_WARNING };
    _cleanup_json_ cJSON *document = NULL;

    ck_assert_int_eq(dr_report_document(&look, &run, &document), 0);
    ck_assert_int_eq(number(document, "exit", "code"), 2);
}

START_TEST(test_repairs_decide_the_exit)
{
    static const struct {
        const char *statuses;
        int code, repaired;
    } cases[] = {
        { "[{\"status\": \"verified\"}]", 0, 1 }, { "[{\"status\": \"planned\"}]", 0, 0 },
        { "[{\"status\": \"refused\"}]", 0, 0 },  { "[{\"status\": \"verified\"}, {\"status\": \"rolled-back\"}]", 4, 1 },
        { "[{\"status\": \"failed\"}]", 4, 0 },   { "[{\"status\": \"rolled-back\"}, {\"status\": \"stuck\"}]", 5, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_json_ cJSON *repairs = parse(cases[i].statuses);
        _cleanup_json_ cJSON *document = document_of(
            "", one_passed, (struct dr_report_run){ .mode = "fix", .severity_min = DR_WARNING, .repairs = repairs });

        ck_assert_int_eq(number(document, "exit", "code"), cases[i].code);
        ck_assert_int_eq(number(document, "summary", "repaired"), cases[i].repaired);
    }
}

START_TEST(test_deterministic_hides_what_differs)
{
    _cleanup_buffer_ struct dr_buffer first = DR_BUFFER(1 << 16);
    _cleanup_buffer_ struct dr_buffer second = DR_BUFFER(1 << 16);
    _cleanup_json_ cJSON *repairs_a = parse("[{\"status\": \"verified\", \"run\": \"run-a\", \"backup\": \"/j/run-a/1\"}]");
    _cleanup_json_ cJSON *repairs_b = parse("[{\"status\": \"verified\", \"run\": \"run-b\", \"backup\": \"/j/run-b/1\"}]");
    _cleanup_json_ cJSON *a = document_of(
        "e:a w:b", "[{\"id\": \"a-b\", \"status\": \"pass\", \"reason\": \"pid 12 runs\", \"durationMs\": 1}]",
        (struct dr_report_run){ .deterministic = true, .run_id = "run-a", .started_at = "x", .repairs = repairs_a });
    _cleanup_json_ cJSON *b = document_of(
        "w:b e:a", "[{\"id\": \"a-b\", \"status\": \"pass\", \"reason\": \"pid 9999 runs\", \"durationMs\": 2}]",
        (struct dr_report_run){ .deterministic = true, .run_id = "run-b", .started_at = "y", .repairs = repairs_b });

    ck_assert_int_eq(dr_report_json(a, &first), 0);
    ck_assert_int_eq(dr_report_json(b, &second), 0);
    ck_assert_str_eq(first.data, second.data);
}

START_TEST(test_failure_is_a_document)
{
    _cleanup_json_ cJSON *document = NULL;
    _cleanup_json_ cJSON *again = NULL;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 16);

    ck_assert_int_eq(dr_report_failure(64, "usage", "--only needs an id", &document), 0);
    ck_assert_int_eq(dr_report_json(document, &text), 0);
    ck_assert_int_eq(text.data[text.length - 1], '\n');
    again = parse(text.data);
    ck_assert_int_eq(number(again, "exit", "code"), 64);
    ck_assert_str_eq(dr_json_text(cJSON_GetObjectItemCaseSensitive(again, "error"), "type"), "usage");
}

START_TEST(test_schema_is_embedded)
{
    _cleanup_json_ cJSON *schema = parse(dr_report_schema());

    ck_assert_str_eq(dr_json_text(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
}

/* ---- the JSON writer ---- */

START_TEST(test_json_texts)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        { "plain", "\"plain\"\n" },
        { "\"\\\n\t\r\x01\x7f", "\"\\\"\\\\\\n\\t\\u000d\\u0001\\u007f\"\n" },
        { "\xff\xc3", "\"\\\\xff\\\\xc3\"\n" },
        { "\xc3\xa9\xe6\x96\x87\xf0\x9f\x98\x80", "\"\xc3\xa9\xe6\x96\x87\xf0\x9f\x98\x80\"\n" },
        { "\xe2\x80\xae\xc2\x9b\xef\xbb\xbf", "\"\\u202e\\u009b\\ufeff\"\n" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_json_ cJSON *json = cJSON_CreateString(cases[i].text);
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 10);

        ck_assert_int_eq(dr_report_json(json, &text), 0);
        ck_assert_str_eq(text.data, cases[i].json);
    }
}

START_TEST(test_json_shapes)
{
    _cleanup_json_ cJSON *json =
        parse("{\"a\": [], \"b\": {}, \"c\": [1, \"x\", null], \"d\": [{\"e\": 0.5}], \"f\": 9007199254740993, \"g\": -2}");
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 10);

    ck_assert_int_eq(dr_report_json(json, &text), 0);
    ck_assert_str_eq(text.data, "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [1, \"x\", null],\n  \"d\": [\n    {\n      \"e\": "
                                "0.5\n    }\n  ],\n  \"f\": 9.00719925474099e+15,\n  \"g\": -2\n}\n");
}

START_TEST(test_json_depth_is_bounded)
{
    cJSON *json = cJSON_CreateArray();
    cJSON *inner = json;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 16);

    for (int i = 0; i < 100; i++) {
        cJSON *next = cJSON_CreateArray();

        cJSON_AddItemToArray(inner, next);
        inner = next;
    }
    ck_assert_int_eq(dr_report_json(json, &text), -E2BIG);
    cJSON_Delete(json);
}

/* ---- homes ---- */

START_TEST(test_home_is_hidden)
{
    static const struct {
        const char *home, *text, *shown;
    } cases[] = {
        { "/home/oc", "/home/oc", "~" },
        { "/home/oc", "/home/oc/.env and /home/oc.", "~/.env and ~." },
        { "/home/oc", "\"/home/oc/a\" ('/home/oc')", "\"~/a\" ('~')" },
        { "/home/oc", "/home/ocean /mnt/home/oc /home/oc.bak /home/oc-2 x/home/oc",
          "/home/ocean /mnt/home/oc /home/oc.bak /home/oc-2 x/home/oc" },
        { "/home/oc", "--- a/home/oc\n+++ /home/oc/x\n", "--- a/home/oc\n+++ ~/x\n" },
        { "/", "/etc /", "/etc /" },
        { "", "/etc", "/etc" },
        { NULL, "/etc", "/etc" },
        { "/root", "run /root/x:/root/y", "run ~/x:~/y" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 10);
        struct dr_scrub scrub = { .home = cases[i].home };

        ck_assert_int_eq(dr_scrub_text(&scrub, cases[i].text, &text), 0);
        ck_assert_str_eq(dr_buffer_text(&text), cases[i].shown);
    }
}

START_TEST(test_pids_and_runs)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 10);
    struct dr_scrub scrub = { .run_id = "r1", .hide_pids = true };

    ck_assert_int_eq(dr_scrub_text(&scrub, "(pid 4711) pid x r1/backup", &text), 0);
    ck_assert_str_eq(text.data, "(pid N) pid x RUN/backup");
}

/* ---- words for the shell ---- */

START_TEST(test_shell_words)
{
    static const struct {
        const char *word, *shown;
    } cases[] = {
        { "plain-1.x/y", "plain-1.x/y" }, { "", "''" },       { "a b", "'a b'" },   { "it's", "'it'\\''s'" },
        { "~/a b", "~/'a b'" },           { "~", "~" },       { "~/", "~/" },       { "~x", "'~x'" },
        { "$(rm)", "'$(rm)'" },           { "a;b", "'a;b'" }, { "a\nb", "'a\nb'" }, { "caf\xc3\xa9", "'caf\xc3\xa9'" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 10);

        ck_assert_int_eq(dr_shell_word(&text, cases[i].word), 0);
        ck_assert_str_eq(dr_buffer_text(&text), cases[i].shown);
    }
}

START_TEST(test_columns)
{
    ck_assert_uint_eq(dr_text_columns("abc", 3), 3);
    ck_assert_uint_eq(dr_text_columns("\xc3\xa9", 2), 1);
    ck_assert_uint_eq(dr_text_columns("e\xcc\x81", 3), 1); /* combining accent */
    ck_assert_uint_eq(dr_text_columns("\xe6\x96\x87", 3), 2);
    ck_assert_uint_eq(dr_text_columns("\xf0\x9f\x98\x80", 4), 2);
    ck_assert_uint_eq(dr_text_columns("\xff", 1), 1);
}

/* No line is wider than the paper, whatever the words, unless one piece alone is. */
START_TEST(test_wrapping_holds_the_width)
{
    static const char words[] =
        "one three seventeen a of paper \xe6\x96\x87\xe4\xbb\xb6 `two words` caf\xc3\xa9 and some more of it";

    for (unsigned width = 20; width < 60; width++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 12);
        struct dr_human_options options = { .width = width, .unicode = true };
        struct dr_paper paper;

        dr_paper_begin(&paper, &options, &text);
        dr_paper_line(&paper, 2, 4);
        dr_paper_say(&paper, DR_PLAIN, words);
        dr_paper_end(&paper);
        ck_assert_int_eq(paper.status, 0);
        for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
            ck_assert_uint_le(dr_text_columns(line, strcspn(line, "\n")), width);
    }
}

START_TEST(test_full_paper_is_an_error)
{
    _cleanup_json_ cJSON *document = document_of("e:a w:b", one_passed, (struct dr_report_run){ 0 });
    struct dr_human_options options = { .width = 80 };

    for (size_t ceiling = 0; ceiling < 100; ceiling += 7) {
        _cleanup_buffer_ struct dr_buffer human = DR_BUFFER(ceiling);
        _cleanup_buffer_ struct dr_buffer json = DR_BUFFER(ceiling);

        ck_assert_int_eq(dr_report_human(document, &options, &human), -E2BIG);
        ck_assert_int_eq(dr_report_json(document, &json), -E2BIG);
    }
}

int main(void)
{
    Suite *suite = suite_create("report_document");
    TCase *tcase = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_circles_end);
    tcase_add_test(tcase, test_no_findings);
    tcase_add_test(tcase, test_threshold_filters_and_decides);
    tcase_add_test(tcase, test_below_threshold_is_clean);
    tcase_add_test(tcase, test_statuses_that_are_no_answer);
    tcase_add_test(tcase, test_no_target_is_no_report);
    tcase_add_test(tcase, test_repairs_decide_the_exit);
    tcase_add_test(tcase, test_deterministic_hides_what_differs);
    tcase_add_test(tcase, test_failure_is_a_document);
    tcase_add_test(tcase, test_schema_is_embedded);
    tcase_add_test(tcase, test_json_texts);
    tcase_add_test(tcase, test_json_shapes);
    tcase_add_test(tcase, test_json_depth_is_bounded);
    tcase_add_test(tcase, test_home_is_hidden);
    tcase_add_test(tcase, test_pids_and_runs);
    tcase_add_test(tcase, test_shell_words);
    tcase_add_test(tcase, test_columns);
    tcase_add_test(tcase, test_wrapping_holds_the_width);
    tcase_add_test(tcase, test_full_paper_is_an_error);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
