/* src/facts/config.h and api/config.h: the configuration with $include and ${NAME}, and where each value stands. */
#include "facts/config.h"

#include "base/buffer.h"

#define HOME_MEGABYTES 256
#include "home_folder.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MEGABYTE ((size_t)1 << 20)

/* ---- a home of its own for each test ---- */

static const char *variable(void *data, const char *name)
{
    (void)data;
    if (strcmp(name, "TOKEN") == 0)
        return "secret-token";
    if (strcmp(name, "BLANK") == 0)
        return "  ";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return strcmp(name, "SHELL_WINS") == 0 ? "shell" : NULL;
}

static struct dr_config load(void)
{
    struct dr_config_environment environment = { .get = variable };
    struct dr_config config;

    ck_assert_int_eq(dr_config_load(AT_FDCWD, in_home("openclaw.json"), &environment, &arena, &config), 0);
    return config;
}

static struct dr_config load_text(const char *text)
{
    write_file("openclaw.json", text);
    return load();
}

static const char *text_at(const struct dr_config *config, const char *path)
{
    struct dr_config_value value;
    int r = dr_config_lookup(config, path, &value);

    ck_assert_msg(r == 1, "%s: %d (%s)", path, r, config->fact.reason ? config->fact.reason : "known");
    return value.text;
}

/* ---- one file ---- */

START_TEST(tells_type_value_and_place)
{
    struct dr_config config = load_text("// c\n{\n  gateway: {port: 0x10, 'auth': {token: 'tok-1'},\n    on: true},\n"
                                        "  list: [null, {id: 7}],\n  \"a.b\": \"x\\ny\",\n}\n");
    struct dr_config_value value;

    ck_assert_int_eq(config.fact.state, DR_KNOWN);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.auth.token", &value), 1);
    ck_assert_int_eq(value.type, DR_VALUE_STRING);
    ck_assert_str_eq(value.text, "tok-1");
    ck_assert_str_eq(value.key, "token");
    ck_assert_uint_eq(value.source.line, 3);
    ck_assert_uint_eq(value.source.column, 41);
    ck_assert_str_eq(value.source.path, in_home("openclaw.json"));
    ck_assert_str_eq(value.source.pointer, "gateway.auth.token");
    ck_assert_ptr_null(value.from_env);
    ck_assert_int_eq(memcmp(value.file->bytes + value.offset, "'tok-1'", value.length), 0);
    ck_assert_int_eq(memcmp(value.file->bytes + value.inner_offset, "tok-1", value.inner_length), 0);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.port", &value), 1);
    ck_assert_str_eq(value.text, "0x10");
    ck_assert(value.number > 15.9 && value.number < 16.1);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.on", &value), 1);
    ck_assert(value.type == DR_VALUE_BOOLEAN && value.truth);
    ck_assert_int_eq(dr_config_lookup(&config, "[\"a.b\"]", &value), 1);
    ck_assert_uint_eq(value.inner_length, 0);
    ck_assert_int_eq(dr_config_lookup(&config, "list[0]", &value), 1);
    ck_assert_int_eq(value.type, DR_VALUE_NULL);
    ck_assert_int_eq(dr_config_lookup(&config, "list[2]", &value), 0);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.mode", &value), 0);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway..mode", &value), 0);
    ck_assert_uint_eq(config.file_count, 1);
    ck_assert_uint_eq(strlen(config.files[0]->sha256), 64);
}
END_TEST

START_TEST(walks_children_with_their_pointers)
{
    struct dr_config config = load_text("{a: 1, 'b.c': [true, 'x'], a: 2}");
    struct dr_config_value root;
    struct dr_config_value child;
    struct dr_config_value item;

    ck_assert_int_eq(dr_config_lookup(&config, "", &root), 1);
    ck_assert(dr_config_first(&config, &root, &child));
    ck_assert_str_eq(child.source.pointer, "[\"b.c\"]");
    ck_assert(dr_config_first(&config, &child, &item));
    ck_assert_str_eq(item.source.pointer, "[\"b.c\"][0]");
    ck_assert(dr_config_next(&config, &item, &item));
    ck_assert_str_eq(item.source.pointer, "[\"b.c\"][1]");
    ck_assert(!dr_config_next(&config, &item, &item));
    ck_assert(dr_config_next(&config, &child, &child));
    ck_assert_str_eq(child.source.pointer, "a");
    ck_assert_str_eq(child.text, "2");
    ck_assert(!dr_config_next(&config, &child, &child));
    ck_assert(!dr_config_first(&config, &child, &item));
}
END_TEST

START_TEST(lists_duplicate_keys)
{
    struct dr_config config = load_text("{gateway: {port: 1,\n port: 2}}");

    ck_assert_uint_eq(config.duplicate_count, 1);
    ck_assert_str_eq(config.duplicates[0].first.pointer, "gateway.port");
    ck_assert_uint_eq(config.duplicates[0].first.line, 1);
    ck_assert_uint_eq(config.duplicates[0].second.line, 2);
    ck_assert_str_eq(text_at(&config, "gateway.port"), "2");
}
END_TEST

/* ---- what cannot be told ---- */

static const struct {
    const char *text;
    const char *reason;
} broken[] = {
    { "{\n  a: {\n", "openclaw.json:3:1: the file ends inside an object (opened at 2:6)" },
    { "", "openclaw.json:1:1: the file is empty" },
    { "[]", "openclaw.json:1:1: an array where an object belongs" },
    { " 'x'", "openclaw.json:1:2: a string where an object belongs" },
    { "{$include: 'gone.json'}", "openclaw.json:1:12: cannot include gone.json: no such file" },
    { "{$include: '../x.json'}", "openclaw.json:1:12: $include leads out of the configuration's folder" },
    { "{$include: '/etc/passwd'}", "openclaw.json:1:12: $include leads out of the configuration's folder" },
    { "{$include: '.'}", "openclaw.json:1:12: $include leads out of the configuration's folder" },
    { "{$include: 5}", "openclaw.json:1:12: $include needs a path or a list of paths, not a number" },
    { "{$include: ['sub/good.json', {}]}", "openclaw.json:1:30: $include needs a path or a list of paths, not an object" },
    { "{$include: 'openclaw.json'}",
      "openclaw.json:1:12: $include goes round in a circle: openclaw.json is being read already" },
    { "{$include: './sub/../sub/bad.json'}", "sub/bad.json:2:2: expected ':' behind the key, found '}'" },
    { "{$include: 'sub/list.json', a: 1}",
      "openclaw.json:1:12: keys stand beside this $include, so it must name files that hold an object" },
    { "{$include: 'sub/circle.json'}",
      "sub/circle2.json:1:12: $include goes round in a circle: sub/circle.json is being read already" },
    { "{$include: 'sub'}", "openclaw.json:1:12: cannot include sub: not a regular file" },
    { "{$include: 'out/x.json'}", "openclaw.json:1:12: cannot include out/x.json: no such file" },
};

START_TEST(says_why_it_cannot_tell)
{
    struct dr_config config;
    struct dr_config_value value;

    ck_assert_int_eq(mkdir(in_home("sub"), 0700), 0);
    ck_assert_int_eq(symlink("/etc", in_home("out")), 0);
    write_file("sub/good.json", "{}");
    write_file("sub/bad.json", "{a:1,\nb}");
    write_file("sub/list.json", "[]");
    write_file("sub/circle.json", "{$include: 'circle2.json'}");
    write_file("sub/circle2.json", "{$include: 'circle.json'}");
    config = load_text(broken[_i].text);
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_str_eq(config.fact.reason, broken[_i].reason);
    ck_assert_uint_gt(config.fact.source.line, 0);
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.port", &value), -EIO);
}
END_TEST

START_TEST(an_absent_file_is_an_answer)
{
    struct dr_config config = load();
    struct dr_config_value value;

    ck_assert_int_eq(config.fact.state, DR_ABSENT);
    ck_assert_str_eq(config.fact.reason, "openclaw.json: no such file");
    ck_assert_int_eq(dr_config_lookup(&config, "gateway.port", &value), 0);
}
END_TEST

START_TEST(a_huge_file_is_unknown_at_once)
{
    struct dr_config config;

    write_file("openclaw.json", "{}");
    ck_assert_int_eq(truncate(in_home("openclaw.json"), (off_t)5 << 30), 0);
    config = load();
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_str_eq(config.fact.reason, "openclaw.json: larger than 16 MiB");
}
END_TEST

START_TEST(more_values_than_memory_are_unknown)
{
    _cleanup_arena_ struct dr_arena small = DR_ARENA(8 * MEGABYTE);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(4 * MEGABYTE);
    struct dr_config config;
    int r = dr_buffer_append_text(&text, "{a: [");

    for (int i = 0; i < 1000000; i++)
        r |= dr_buffer_append_text(&text, "1,");
    r |= dr_buffer_append_text(&text, "]}");
    ck_assert_int_eq(r, 0);
    write_file("openclaw.json", dr_buffer_text(&text));
    ck_assert_int_eq(dr_config_load(AT_FDCWD, in_home("openclaw.json"), NULL, &small, &config), 0);
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_str_eq(config.fact.reason, "openclaw.json: holds more values than there is memory for");
}
END_TEST

START_TEST(links_and_fifos_are_not_read)
{
    struct dr_config config;

    ck_assert_int_eq(symlink("/etc/passwd", in_home("openclaw.json")), 0);
    config = load();
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(config.fact.reason, "symbolic link"));
    ck_assert_int_eq(remove(in_home("openclaw.json")), 0);
    ck_assert_int_eq(mkfifo(in_home("openclaw.json"), 0600), 0);
    config = load();
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_str_eq(config.fact.reason, "openclaw.json: not a regular file");
}
END_TEST

/* ---- $include ---- */

START_TEST(includes_merge_as_openclaw_merges)
{
    struct dr_config config;
    struct dr_config_value value;

    ck_assert_int_eq(mkdir(in_home("sub"), 0700), 0);
    write_file("base.json", "{gateway: {port: 1, bind: 'lan', auth: {token: 'base'}}, list: [1, 2], x: 'base'}");
    write_file("sub/more.json5", "{list: [3], $include: 'deep.json', x: {y: 1}}");
    write_file("sub/deep.json", "{list: ['deep'], deep: true}");
    config = load_text("{\n$include: ['base.json', './sub/more.json5'],\ngateway: {port: 2}, list: [4],\n"
                       "other: {$include: 'sub/deep.json'}, arr: [{$include: 'base.json'}]}");
    ck_assert_msg(config.fact.state == DR_KNOWN, "%s", config.fact.reason);
    ck_assert_str_eq(text_at(&config, "gateway.port"), "2");
    ck_assert_str_eq(text_at(&config, "gateway.bind"), "lan");
    ck_assert_str_eq(text_at(&config, "list[0]"), "1");
    ck_assert_str_eq(text_at(&config, "list[2]"), "deep");
    ck_assert_str_eq(text_at(&config, "list[3]"), "3");
    ck_assert_str_eq(text_at(&config, "list[4]"), "4");
    ck_assert_str_eq(text_at(&config, "x.y"), "1");
    ck_assert_str_eq(text_at(&config, "arr[0].gateway.auth.token"), "base");
    ck_assert_int_eq(dr_config_lookup(&config, "other.deep", &value), 1);
    ck_assert(value.truth);
    ck_assert_int_eq(dr_config_lookup(&config, "$include", &value), 0);
    ck_assert_uint_eq(config.file_count, 4);

    ck_assert_int_eq(dr_config_lookup(&config, "gateway.auth.token", &value), 1);
    ck_assert_str_eq(value.source.path, in_home("base.json"));
    ck_assert_uint_eq(value.source.column, 48);
    ck_assert_str_eq(value.source.pointer, "gateway.auth.token");
    ck_assert_int_eq(memcmp(value.file->bytes + value.offset, "'base'", value.length), 0);

    ck_assert_int_eq(dr_config_lookup(&config, "gateway", &value), 1);
    ck_assert(dr_config_first(&config, &value, &value));
    ck_assert_str_eq(value.source.pointer, "gateway.port");
    ck_assert(dr_config_next(&config, &value, &value));
    ck_assert_str_eq(value.source.pointer, "gateway.bind");
    ck_assert(dr_config_next(&config, &value, &value));
    ck_assert(dr_config_first(&config, &value, &value));
    ck_assert_str_eq(value.source.pointer, "gateway.auth.token");
}
END_TEST

START_TEST(ten_includes_deep_and_no_further)
{
    struct dr_config config;

    for (int i = 1; i <= 11; i++)
        write_file(dr_arena_format(&arena, "%d.json", i),
                   i < 10 ? dr_arena_format(&arena, "{$include: '%d.json'}", i + 1) : "{a: 1}");
    config = load_text("{$include: '1.json'}");
    ck_assert_msg(config.fact.state == DR_KNOWN, "%s", config.fact.reason);
    ck_assert_str_eq(text_at(&config, "a"), "1");
    write_file("10.json", "{$include: '11.json'}");
    config = load();
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_str_eq(config.fact.reason, "10.json:1:12: more than 10 files include each other");
}
END_TEST

/* Each file includes the next one ten times: 10^9 values if nobody stops it. */
START_TEST(an_include_bomb_is_stopped)
{
    struct dr_config config;

    for (int i = 1; i <= 8; i++) {
        const char *next = dr_arena_format(&arena, "{$include: '%d.json'}", i + 1);

        write_file(dr_arena_format(&arena, "%d.json", i),
                   dr_arena_format(&arena, "{l: [%s,%s,%s,%s,%s,%s,%s,%s,%s,%s]}", next, next, next, next, next, next, next,
                                   next, next, next));
    }
    write_file("9.json", "{l: ['x']}");
    config = load_text("{$include: '1.json'}");
    ck_assert_int_eq(config.fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(config.fact.reason, "more than 4096 $include entries"));
}
END_TEST

START_TEST(merging_large_objects_stays_linear)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(8 * MEGABYTE);
    struct dr_config config;
    int r = dr_buffer_append_text(&text, "{");

    for (int i = 0; i < 100000; i++)
        r |= dr_buffer_appendf(&text, "k%d:%d,", i, i);
    r |= dr_buffer_append_text(&text, "}");
    ck_assert_int_eq(r, 0);
    write_file("a.json", dr_buffer_text(&text));
    config = load_text("{$include: ['a.json', 'a.json']}");
    ck_assert_msg(config.fact.state == DR_KNOWN, "%s", config.fact.reason);
    ck_assert_str_eq(text_at(&config, "k99999"), "99999");
}
END_TEST

/* ---- ${NAME} ---- */

static const struct {
    const char *spelt;
    const char *text; /* NULL: cannot be told */
    const char *name;
} variables[] = {
    { "${TOKEN}", "secret-token", "TOKEN" },
    { "a-${TOKEN}-${FROM_CONFIG}", "a-secret-token-config", "TOKEN" },
    { "$${TOKEN}", "${TOKEN}", NULL },
    { "$$${TOKEN}", "$${TOKEN}", NULL },
    { "${token} ${1X} ${} $TOKEN ${TOKEN", "${token} ${1X} ${} $TOKEN ${TOKEN", NULL },
    { "${GONE}", NULL, "GONE" },
    { "${EMPTY}", NULL, "EMPTY" },
    { "${TOKEN}${GONE}", NULL, "TOKEN" },
    { "${BLANK}", "from config", "BLANK" },
    { "${SHELL_WINS}", "shell", "SHELL_WINS" },
    { "${VARS}", "vars", "VARS" },
    { "${BOTH}", "direct", "BOTH" },
    { "\\u0024{TOKEN}", "secret-token", "TOKEN" },
};

START_TEST(variables_come_from_environment_and_configuration)
{
    struct dr_config config = load_text(dr_arena_format(
        &arena,
        "{env: {FROM_CONFIG: 'config', BLANK: 'from config', SHELL_WINS: 'no', BOTH: 'direct', shellEnv: {}, N: 5,\n"
        "vars: {VARS: 'vars', BOTH: 'vars'}},\n  x: {y: [\"%s\"]}, '${TOKEN}': 1}",
        variables[_i].spelt));
    struct dr_config_value value;
    int r = dr_config_lookup(&config, "x.y[0]", &value);

    ck_assert_int_eq(config.fact.state, DR_KNOWN);
    ck_assert_int_eq(r, variables[_i].text ? 1 : -ENODATA);
    ck_assert_int_eq(value.missing_env, variables[_i].text == NULL);
    if (variables[_i].text)
        ck_assert_str_eq(value.text, variables[_i].text);
    else
        ck_assert_ptr_null(value.text);
    if (variables[_i].name)
        ck_assert_str_eq(value.from_env, variables[_i].name);
    else
        ck_assert_ptr_null(value.from_env);
    ck_assert_uint_eq(config.missing_count, variables[_i].text ? 0 : 1);
    if (!variables[_i].text) {
        ck_assert_str_eq(config.missing[0].source.pointer, "x.y[0]");
        ck_assert_uint_eq(config.missing[0].source.line, 3);
    }
}
END_TEST

START_TEST(missing_variables_are_found_in_included_files)
{
    struct dr_config config;

    write_file("a.json", "{b: {c: '${GONE}'}, s: '${SHADOWED}', s: 1}");
    config = load_text("{a: {$include: 'a.json', d: '${ALSO_GONE}'}}");
    ck_assert_uint_eq(config.missing_count, 2);
    ck_assert_str_eq(config.missing[0].name, "GONE");
    ck_assert_str_eq(config.missing[0].source.pointer, "a.b.c");
    ck_assert_str_eq(config.missing[0].source.path, in_home("a.json"));
    ck_assert_str_eq(config.missing[1].source.pointer, "a.d");
}
END_TEST

/* ---- a root of its own ---- */

START_TEST(reads_below_a_root)
{
    struct dr_config config;
    int root_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_ge(root_fd, 0);
    ck_assert_int_eq(mkdir(in_home("etc"), 0700), 0);
    write_file("etc/openclaw.json", "{$include: 'b.json'}");
    write_file("etc/b.json", "{a: 'b'}");
    ck_assert_int_eq(dr_config_load(root_fd, "/etc/openclaw.json", NULL, &arena, &config), 0);
    ck_assert_msg(config.fact.state == DR_KNOWN, "%s", config.fact.reason);
    ck_assert_str_eq(text_at(&config, "a"), "b");
    ck_assert_str_eq(config.files[1]->path, "/etc/b.json");
    ck_assert_int_eq(close(root_fd), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");

    tcase_add_checked_fixture(cases, make_home, remove_home);
    tcase_add_test(cases, tells_type_value_and_place);
    tcase_add_test(cases, walks_children_with_their_pointers);
    tcase_add_test(cases, lists_duplicate_keys);
    tcase_add_loop_test(cases, says_why_it_cannot_tell, 0, (int)DR_COUNT(broken));
    tcase_add_test(cases, an_absent_file_is_an_answer);
    tcase_add_test(cases, a_huge_file_is_unknown_at_once);
    tcase_add_test(cases, more_values_than_memory_are_unknown);
    tcase_add_test(cases, links_and_fifos_are_not_read);
    tcase_add_test(cases, includes_merge_as_openclaw_merges);
    tcase_add_test(cases, ten_includes_deep_and_no_further);
    tcase_add_test(cases, an_include_bomb_is_stopped);
    tcase_add_test(cases, merging_large_objects_stays_linear);
    tcase_add_loop_test(cases, variables_come_from_environment_and_configuration, 0, (int)DR_COUNT(variables));
    tcase_add_test(cases, missing_variables_are_found_in_included_files);
    tcase_add_test(cases, reads_below_a_root);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
