/* An operation survives the pipe and the plan file; anything else is refused with words. */
#include "wire/wire.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct dr_edit edits[] = {
    { .offset = 1, .length = 2, .text = "x\0y", .text_length = 3 },
    { .offset = 9, .length = 0, .from = { .kind = DR_FROM_FILE, .path = "/b", .sha256 = "aa", .offset = 3, .length = 4 } },
    { .offset = 10, .length = 1, .from = { .kind = DR_NEW_TOKEN } },
};

static struct dr_row_change row = {
    .table = "t",
    .key = { { "id", "1" }, { "role", "operator" } },
    .action = DR_ROW_COPY,
    .column = "token",
    .json_path = "$.a",
    .from_table = "u",
    .from_key = { { "id", "2" } },
    .from_column = "tokens_json",
    .expect_sha256 = "cc",
    .schema_version = 18,
};

static struct dr_command command = {
    .name = "nginx-test",
    .program = "/usr/sbin/nginx",
    .words = { "/etc/nginx/nginx.conf", "/etc/nginx" },
    .when = DR_COMMAND_FORWARD | DR_COMMAND_ON_UNDO,
};

static const struct dr_operation operations[] = {
    { .id = 1, .kind = DR_SET_MODE, .path = "/a", .mode = 0600, .judged = { .inode = UINT64_MAX, .mtime_ns = -5 } },
    { .id = 2, .kind = DR_SET_OWNER, .path = "/a", .uid = UINT32_MAX, .gid = 3, .while_running = DR_WAIT_FOR_STOP },
    { .id = 3, .kind = DR_EDIT_FILE, .path = "/a", .sha256 = "bb", .edits = edits, .edit_count = 3, .summary = "s" },
    { .id = 4, .kind = DR_WRITE_FILE, .path = "/a", .content = "{}\n", .content_length = 3, .mode = 0600 },
    { .id = 5, .kind = DR_MOVE_ASIDE, .path = "/a", .sha256 = "dd", .restart = "r", .preview = "p" },
    { .id = 6, .kind = DR_MAKE_DIRECTORY, .path = "/a", .mode = 0700 },
    { .id = 7, .kind = DR_UPDATE_ROW, .path = "/db", .row = &row },
    { .id = 8, .kind = DR_RUN_COMMAND, .path = "/usr/sbin/nginx", .command = &command },
    { .id = 9, .kind = DR_EDIT_FILE, .path = "/a", .sha256 = "bb", .keep = true },
};

START_TEST(every_kind_comes_back_as_it_went)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1 << 20);
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_json_ cJSON *json = dr_operation_to_json(&operations[_i], "f00d");
    struct dr_operation back;

    ck_assert_ptr_nonnull(json);
    ck_assert_msg(dr_operation_from_json(json, &arena, &back, &error) == 0, "%s", dr_error_text(&error));

    _cleanup_json_ cJSON *again = dr_operation_to_json(&back, "f00d");

    ck_assert(cJSON_Compare(json, again, true));
    ck_assert_uint_eq(back.judged.inode, operations[_i].judged.inode);
    ck_assert_int_eq(back.judged.mtime_ns, operations[_i].judged.mtime_ns);
    ck_assert_uint_eq(back.uid, operations[_i].uid);
    ck_assert(back.keep == operations[_i].keep);
    if (back.kind == DR_RUN_COMMAND)
        ck_assert_str_eq(back.command->words[1], "/etc/nginx");
    if (back.kind == DR_EDIT_FILE && !back.keep) {
        ck_assert_uint_eq(back.edits[0].text_length, 3);
        ck_assert_mem_eq(back.edits[0].text, "x\0y", 3);
        ck_assert_int_eq(back.edits[1].from.kind, DR_FROM_FILE);
        ck_assert_int_eq(back.edits[2].from.kind, DR_NEW_TOKEN);
    }
}
END_TEST

/* Each takes one field away or spoils it. */
static const struct {
    int operation;
    const char *field;
    const char *value; /* JSON, NULL: left out */
} spoiled[] = {
    { 0, "kind", NULL },
    { 0, "kind", "\"format-disk\"" },
    { 0, "path", "\"relative\"" },
    { 0, "path", "7" },
    { 0, "judged", "{}" },
    { 0, "mode", "-1" },
    { 0, "mode", "1.5" },
    { 0, "uid", "99999999999" },
    { 0, "whileRunning", "\"perhaps\"" },
    { 2, "sha256", NULL },
    { 2, "edits", "[]" },
    { 2, "edits", "[{\"offset\":\"5\",\"length\":\"1\",\"text\":\"\"},{\"offset\":\"5\",\"length\":\"1\",\"text\":\"\"}]" },
    { 2, "edits", "[{\"offset\":\"1\",\"length\":\"18446744073709551615\",\"text\":\"\"}]" },
    { 2, "edits", "[{\"offset\":\"-1\",\"length\":\"0\",\"text\":\"\"}]" },
    { 2, "edits", "[{\"offset\":\"1\",\"length\":\"0\",\"text\":\"abc\"}]" },
    { 2, "edits", "[{\"offset\":\"1\",\"length\":\"0\",\"from\":{\"kind\":\"url\"}}]" },
    { 3, "content", "\"!!!!\"" },
    { 6, "row", "{}" },
    { 6, "row", NULL },
    { 7, "command", NULL },
    { 7, "command", "{\"name\":\"rm\",\"words\":[\"/\"],\"when\":[\"forward\"]}" },
    { 7, "command", "{\"name\":\"nginx-test\",\"words\":[\"-g\"],\"when\":[\"forward\"]}" },
    { 7, "command", "{\"name\":\"nginx-test\",\"words\":[\"/a\",\"/b\",\"/c\",\"/d\",\"/e\"],\"when\":[\"forward\"]}" },
    { 7, "command", "{\"name\":\"nginx-test\",\"words\":[7],\"when\":[\"forward\"]}" },
    { 7, "command", "{\"name\":\"nginx-test\",\"words\":[\"/a\"],\"when\":[]}" },
    { 7, "command", "{\"name\":\"nginx-test\",\"words\":[\"/a\"],\"when\":[\"always\"]}" },
    { 7, "path", "\"/bin/sh\"" },
};

START_TEST(anything_else_is_refused_with_words)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1 << 20);
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_json_ cJSON *json = dr_operation_to_json(&operations[spoiled[_i].operation], "f00d");
    struct dr_operation back;

    cJSON_DeleteItemFromObjectCaseSensitive(json, spoiled[_i].field);
    if (spoiled[_i].value)
        cJSON_AddItemToObject(json, spoiled[_i].field, cJSON_Parse(spoiled[_i].value));
    ck_assert_int_eq(dr_operation_from_json(json, &arena, &back, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(dr_error_text(&error), "operation: "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *cases = tcase_create("operations");

    tcase_add_loop_test(cases, every_kind_comes_back_as_it_went, 0, (int)DR_COUNT(operations));
    tcase_add_loop_test(cases, anything_else_is_refused_with_words, 0, (int)DR_COUNT(spoiled));
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
