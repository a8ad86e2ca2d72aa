/* Edits of the store's JSON files: exactly the bytes that must change. */
#include "api/json.h"
#include "base/cleanup.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static struct dr_arena arena;
static struct dr_request request;
static struct dr_context context;
static struct dr_json_edits edits;

static void setup(void)
{
    (void)snprintf(path, sizeof(path), "/tmp/dr-json-XXXXXX");
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    arena = (struct dr_arena)DR_ARENA(64 << 20);
    request = (struct dr_request){ .root_fd = AT_FDCWD, .proc = "/proc" };
    context = (struct dr_context){ .arena = &arena, .request = &request };
    edits = (struct dr_json_edits){ 0 };
}

static void teardown(void)
{
    (void)unlink(path);
    dr_arena_release(&arena);
}

static const struct dr_json_file *load(const char *text)
{
    const char *why = NULL;
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
    const struct dr_json_file *json = dr_json_load(&context, path, &why);

    ck_assert_msg(json != NULL, "%s", why);
    ck_assert_uint_eq(dr_json_state(json)->size, strlen(text));
    ck_assert_uint_eq(strlen(dr_json_sha256(json)), 64);
    return json;
}

static const char *applied(const char *text)
{
    static char out[4096];
    size_t at = 0, to = 0;

    for (size_t i = 0; i < edits.count; i++) {
        ck_assert_uint_ge(edits.list[i].offset, at);
        memcpy(out + to, text + at, edits.list[i].offset - at);
        to += edits.list[i].offset - at;
        memcpy(out + to, edits.list[i].text, edits.list[i].text_length);
        to += edits.list[i].text_length;
        at = edits.list[i].offset + edits.list[i].length;
    }
    (void)snprintf(out + to, sizeof(out) - to, "%s", text + at);
    return out;
}

static const struct reshaping {
    const char *before, *after;
} reshapings[] = {
    { "[]", "{}" },
    { " [ ]\n", " { }\n" },
    { "[{\"id\":\"a\"},\n {\"id\":\"b\",\"x\":[1]}]", "{\"a\": {\"id\":\"a\"},\n \"b\": {\"id\":\"b\",\"x\":[1]}}" },
    { "{}", NULL },
    { "[1]", NULL },
    { "[{\"id\":7}]", NULL },
    { "[{\"id\":\"a\"},{\"id\":\"a\"}]", NULL },
    { "[{\"id\":\"a\\\"b\"}]", NULL },
};

START_TEST(array_to_object)
{
    const struct reshaping *reshaping = &reshapings[_i];
    const struct dr_json_file *json = load(reshaping->before);

    ck_assert_int_eq(dr_json_array_to_object(&context, json, "id", &edits), reshaping->after != NULL);
    if (reshaping->after)
        ck_assert_str_eq(applied(reshaping->before), reshaping->after);
    else
        ck_assert_uint_eq(edits.count, 0);
}
END_TEST

static const struct reshaping lists[] = {
    { "{\"a\":{\"l\":[]}}", "{\"a\":{\"l\":[\"x\", \"y\"]}}" },
    { "{\"a\":{\"l\":[\"x\"]}}", "{\"a\":{\"l\":[\"x\", \"y\"]}}" },
    { "{\"a\":{\"l\":[\n    \"z\"\n  ]}}", "{\"a\":{\"l\":[\n    \"x\",\n    \"y\"\n  ]}}" },
    { "{\"a\":{\"l\":7}}", NULL },
    { "{\"a\":{\"l\":[],\"l\":[]}}", NULL },
    { "{\"a\":1}", NULL },
};

START_TEST(set_list)
{
    const struct reshaping *list = &lists[_i];
    const struct dr_json_file *json = load(list->before);
    bool could = dr_json_set_list(&context, json, (const char *const[]){ "a", "l", NULL },
                                  (const char *const[]){ "x", "y", NULL }, &edits);

    ck_assert_int_eq(could, list->after != NULL);
    if (list->after)
        ck_assert_str_eq(applied(list->before), list->after);
}
END_TEST

static const struct reshaping removals[] = {
    { "{\"b\": 1}", "{}" },
    { "{\n  \"b\": 1,\n  \"c\": 2\n}", "{}" },
    { "{\n  \"b\": 1,\n  \"a\": 2\n}", "{\n  \"a\": 2\n}" },
    { "{\n  \"a\": 1,\n  \"b\": 2\n}", "{\n  \"a\": 1\n}" },
    { "{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4}", "{\"a\": 1, \"d\": 4}" },
    { "{\"b\": 1, \"a\": 2, \"c\": 3}", "{\"a\": 2}" },
    { "{\"c\": 1, \"a\": 2, \"b\": 3, \"e\": 4, \"b\": 5}", "{\"a\": 2, \"e\": 4}" },
    { "{\"a\": 1}", NULL },
    { "[]", NULL },
};

START_TEST(remove_members)
{
    const struct reshaping *removal = &removals[_i];
    const struct dr_json_file *json = load(removal->before);
    bool could = dr_json_remove(&context, json, (const char *const[]){ "b", "c", NULL }, &edits);

    ck_assert_int_eq(could, removal->after != NULL);
    if (removal->after)
        ck_assert_str_eq(applied(removal->before), removal->after);
}
END_TEST

START_TEST(set_text_and_place)
{
    static const char before[] = "{\"a\": {\"t\": \"old\"}, \"n\": 1}";
    const struct dr_json_file *json = load(before);
    uint64_t offset = 0, length = 0;

    ck_assert(dr_json_text_at(json, (const char *const[]){ "a", "t", NULL }, &offset, &length));
    ck_assert_uint_eq(offset, 13);
    ck_assert_uint_eq(length, 3);
    ck_assert(!dr_json_text_at(json, (const char *const[]){ "n", NULL }, &offset, &length));
    ck_assert(!dr_json_text_at(json, (const char *const[]){ "a", "x", NULL }, &offset, &length));
    ck_assert(dr_json_set_text(&context, json, (const char *const[]){ "a", "t", NULL }, "new one", &edits));
    ck_assert_str_eq(applied(before), "{\"a\": {\"t\": \"new one\"}, \"n\": 1}");
    ck_assert(!dr_json_set_text(&context, json, (const char *const[]){ "a", "t", NULL }, "a\"b", &edits));
}
END_TEST

START_TEST(what_is_no_json_says_where)
{
    const char *why = NULL;
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    (void)fputs("{\n  \"a\"", file);
    (void)fclose(file);
    ck_assert_ptr_null(dr_json_load(&context, path, &why));
    ck_assert_ptr_nonnull(strstr(why, "2:"));
    ck_assert_ptr_null(dr_json_load(&context, "/tmp/dr-no-such-file", &why));
    ck_assert_ptr_nonnull(why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_edit");
    TCase *tests = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, array_to_object, 0, (int)DR_COUNT(reshapings));
    tcase_add_loop_test(tests, set_list, 0, (int)DR_COUNT(lists));
    tcase_add_loop_test(tests, remove_members, 0, (int)DR_COUNT(removals));
    tcase_add_test(tests, set_text_and_place);
    tcase_add_test(tests, what_is_no_json_says_where);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
