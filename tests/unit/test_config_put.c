/* dr_config_put, dr_config_append, dr_config_replace_text (api/config.h): what the file says afterwards, byte for byte. */
#include "base/buffer.h"
#include "facts/config.h"
#include "facts/context.h"
#include "format/edit.h"

#define HOME_MEGABYTES 64
#include "home_folder.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dr_config config;
static struct dr_context context;

static const char *variable(void *data, const char *name)
{
    (void)data;
    return strcmp(name, "SET") == 0 ? "value" : NULL;
}

static void load(const char *text)
{
    struct dr_config_environment environment = { .get = variable };

    if (text)
        write_file("openclaw.json", text);
    ck_assert_int_eq(dr_config_load(AT_FDCWD, in_home("openclaw.json"), &environment, &arena, &config), 0);
    context = (struct dr_context){ .arena = &arena, .config = &config };
}

static const char *applied(const struct dr_config_edits *edits)
{
    struct dr_buffer buffer = DR_BUFFER((size_t)1 << 20);
    int r = dr_edits_apply(edits->file->bytes, edits->file->length, edits->list, edits->count, &buffer);

    ck_assert_int_eq(r, 0);
    const char *text = dr_arena_strndup(&arena, dr_buffer_text(&buffer), buffer.length);

    dr_buffer_release(&buffer);
    return text;
}

enum { NONE = 0 };

static const struct {
    const char *before;
    const char *path;
    const char *text;
    const char *after; /* NULL: `error` comes */
    int error;
} appended[] = {
    { "{\n  // mine\n  gateway: {\n    trustedProxies: ['10.0.0.1'], // the old one\n  },\n}\n", "gateway.trustedProxies",
      "10.0.0.2", "{\n  // mine\n  gateway: {\n    trustedProxies: ['10.0.0.1', '10.0.0.2'], // the old one\n  },\n}\n",
      NONE },
    { "{\n  \"gateway\": {\n    \"trustedProxies\": [\n      \"10.0.0.1\"\n    ]\n  }\n}\n", "gateway.trustedProxies", "::1",
      "{\n  \"gateway\": {\n    \"trustedProxies\": [\n      \"10.0.0.1\",\n      \"::1\"\n    ]\n  }\n}\n", NONE },
    { "{\n  gateway: {\n    trustedProxies: [\n      '10.0.0.1', // one\n    ],\n  },\n}\n", "gateway.trustedProxies", "::1",
      "{\n  gateway: {\n    trustedProxies: [\n      '10.0.0.1', // one\n      '::1',\n    ],\n  },\n}\n", NONE },
    { "{ \"gateway\": { \"trustedProxies\": [] } }", "gateway.trustedProxies", "::1",
      "{ \"gateway\": { \"trustedProxies\": [\"::1\"] } }", NONE },
    { "{\n  \"gateway\": {\n    \"port\": 18789\n  }\n}\n", "gateway.trustedProxies", "::1",
      "{\n  \"gateway\": {\n    \"port\": 18789,\n    \"trustedProxies\": [\"::1\"]\n  }\n}\n", NONE },
    { "{\n  ui: {\n    seamColor: 'red', // keep\n  },\n}\n", "gateway.controlUi.allowedOrigins", "https://gw.example.com",
      "{\n  ui: {\n    seamColor: 'red', // keep\n  },\n  gateway: {\n    controlUi: {\n"
      "      allowedOrigins: ['https://gw.example.com'],\n    },\n  },\n}\n",
      NONE },
    { "{}", "gateway.trustedProxies", "::1", "{\"gateway\": {\"trustedProxies\": [\"::1\"]}}", NONE },
    { "{gateway: 'no'}", "gateway.trustedProxies", "::1", NULL, -ENOTSUP },
    { "{gateway: {trustedProxies: '10.0.0.1'}}", "gateway.trustedProxies", "::1", NULL, -ENOTSUP },
    { "{gateway: {trustedProxies: '${SET}'}}", "gateway.trustedProxies", "::1", NULL, -ENOTSUP },
    { "{}", "gateway.trustedProxies", "${SET}", NULL, -EINVAL },
    { "{", "gateway.trustedProxies", "::1", NULL, -EIO },
};

START_TEST(appends)
{
    struct dr_config_edits edits = { 0 };

    load(appended[_i].before);
    ck_assert_int_eq(dr_config_append(&context, appended[_i].path, appended[_i].text, &edits), appended[_i].error);
    if (!appended[_i].after)
        return;
    ck_assert_str_eq(applied(&edits), appended[_i].after);
    ck_assert_str_eq(edits.file->path, in_home("openclaw.json"));
}
END_TEST

static const struct {
    const char *before;
    const char *path;
    const char *spelling;
    const char *after;
    int error;
} put[] = {
    { "{gateway: {bind: 'loopback' /* why */}}", "gateway.bind", "\"lan\"", "{gateway: {bind: \"lan\" /* why */}}", NONE },
    { "{\n  gateway: {\n    port: 1, // one\n  },\n}\n", "gateway.auth.mode", "\"token\"",
      "{\n  gateway: {\n    port: 1, // one\n    auth: {\n      mode: \"token\",\n    },\n  },\n}\n", NONE },
    { "{gateway: {port: 1, port: 2}}", "gateway.port", "3", "{gateway: {port: 1, port: 3}}", NONE },
    { "{\n  \"a\": 1\n}\n", "channels[\"a.b\"].on", "true",
      "{\n  \"a\": 1,\n  \"channels\": {\n    \"a.b\": {\n      \"on\": true\n    }\n  }\n}\n", NONE },
    { "{gateway: {bind: '${SET}'}}", "gateway.bind", "\"lan\"", NULL, -ENOTSUP },
    { "{gateway: {bind: 'lan'}}", "gateway.bind.deeper", "1", NULL, -ENOTSUP },
    { "{list: [1]}", "list[0]", "2", NULL, -ENOTSUP },
    { "{}", "gateway.bind", "\"lan", NULL, -EINVAL },
};

START_TEST(puts_a_value)
{
    struct dr_config_edits edits = { 0 };

    load(put[_i].before);
    ck_assert_int_eq(dr_config_put(&context, put[_i].path, put[_i].spelling, &edits), put[_i].error);
    if (put[_i].after)
        ck_assert_str_eq(applied(&edits), put[_i].after);
}
END_TEST

START_TEST(an_absent_configuration_cannot_be_edited)
{
    struct dr_config_edits edits;

    load(NULL);
    ck_assert_int_eq(config.fact.state, DR_ABSENT);
    ck_assert_int_eq(dr_config_put(&context, "a", "1", &edits), -EIO);
    ck_assert_int_eq(dr_config_append(&context, "a", "1", &edits), -EIO);
}
END_TEST

START_TEST(the_file_that_says_it_is_edited)
{
    struct dr_config_edits edits;

    write_file("part.json5", "{\n  gateway: {trustedProxies: ['10.0.0.1']}, // part\n}\n");
    load("{$include: './part.json5', ui: {}}");
    ck_assert_int_eq(dr_config_append(&context, "gateway.trustedProxies", "::1", &edits), 0);
    ck_assert_str_eq(edits.file->path, in_home("part.json5"));
    ck_assert_str_eq(applied(&edits), "{\n  gateway: {trustedProxies: ['10.0.0.1', '::1']}, // part\n}\n");
    /* What is new at the top goes beside the $include, and wins there. */
    ck_assert_int_eq(dr_config_put(&context, "logging.level", "\"debug\"", &edits), 0);
    ck_assert_str_eq(edits.file->path, in_home("openclaw.json"));
    ck_assert_str_eq(applied(&edits), "{$include: './part.json5', ui: {}, logging: {level: \"debug\"}}");
}
END_TEST

START_TEST(a_list_of_two_files_grows_in_the_one_that_comes_last)
{
    struct dr_config_edits edits;

    write_file("part.json5", "{gateway: {trustedProxies: ['10.0.0.1'], port: 1}}");
    load("{$include: './part.json5', gateway: {trustedProxies: ['10.0.0.2']}}");
    ck_assert_int_eq(dr_config_append(&context, "gateway.trustedProxies", "::1", &edits), 0);
    ck_assert_str_eq(applied(&edits), "{$include: './part.json5', gateway: {trustedProxies: ['10.0.0.2', '::1']}}");
    ck_assert_int_eq(dr_config_put(&context, "gateway.trustedProxies", "[]", &edits), -ENOTSUP);
    ck_assert_int_eq(dr_config_put(&context, "gateway.port", "2", &edits), 0);
    ck_assert_str_eq(applied(&edits), "{gateway: {trustedProxies: ['10.0.0.1'], port: 2}}");
}
END_TEST

START_TEST(several_texts_become_one_edit)
{
    static const char *const texts[] = { "127.0.0.1", "::1" };
    struct dr_config_edits edits;

    load("{\n  gateway: {\n    trustedProxies: [\n      '10.0.0.1', // one\n    ], // list\n  },\n}\n");
    ck_assert_int_eq(dr_config_append_all(&context, "gateway.trustedProxies", texts, 2, &edits), 0);
    ck_assert_str_eq(applied(&edits),
                     "{\n  gateway: {\n    trustedProxies: [\n      '10.0.0.1', // one\n      '127.0.0.1',\n"
                     "      '::1',\n    ], // list\n  },\n}\n");
    load("{gateway: {bind: 'lan'}}");
    ck_assert_int_eq(dr_config_append_all(&context, "gateway.trustedProxies", texts, 2, &edits), 0);
    ck_assert_str_eq(applied(&edits), "{gateway: {bind: 'lan', trustedProxies: ['127.0.0.1', '::1']}}");
}
END_TEST

START_TEST(replaces_one_text)
{
    struct dr_config_edits edits;
    struct dr_config_value list;
    struct dr_config_value value;

    load("{gateway: {trustedProxies: [\n  '10.0.0.0/8', // wide\n  '${SET}',\n]}}");
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.trustedProxies", &list), 1);
    ck_assert(dr_config_first(&config, &list, &value));
    ck_assert_int_eq(dr_config_replace_text(&context, &value, "10.1.2.3", &edits), 0);
    ck_assert_str_eq(applied(&edits), "{gateway: {trustedProxies: [\n  '10.1.2.3', // wide\n  '${SET}',\n]}}");
    ck_assert_uint_eq(edits.count, 1);
    ck_assert_uint_eq(edits.list[0].length, strlen("10.0.0.0/8"));
    ck_assert(dr_config_next(&config, &value, &value));
    ck_assert_int_eq(dr_config_replace_text(&context, &value, "10.1.2.3", &edits), -ENOTSUP);
    ck_assert_int_eq(dr_config_replace_text(&context, &list, "10.1.2.3", &edits), -ENOTSUP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config-put");
    TCase *cases = tcase_create("config-put");

    tcase_add_checked_fixture(cases, make_home, remove_home);
    tcase_add_loop_test(cases, appends, 0, (int)(sizeof(appended) / sizeof(appended[0])));
    tcase_add_loop_test(cases, puts_a_value, 0, (int)(sizeof(put) / sizeof(put[0])));
    tcase_add_test(cases, an_absent_configuration_cannot_be_edited);
    tcase_add_test(cases, the_file_that_says_it_is_edited);
    tcase_add_test(cases, a_list_of_two_files_grows_in_the_one_that_comes_last);
    tcase_add_test(cases, several_texts_become_one_edit);
    tcase_add_test(cases, replaces_one_text);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
