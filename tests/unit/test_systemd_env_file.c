/* src/format/systemd_env_file.h: what EnvironmentFile= names. */
#include "format/systemd_env_file.h"

#include "base/buffer.h"

#include <check.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

static const struct {
    const char *source;
    const char *shown; /* "KEY=<value>", with @ when it can be edited in place */
} rows[] = {
    { "A=1\nB = x y \r\n", "A=<1>@B=<x y>@" },
    { "# c\n; c\n A=1 # no comment\n", "A=<1 # no comment>@" },
    { "export A=1\nB=2", "B=<2>@" },
    { "A='x y' \nB=\"a\\\"b\\n\"\nC=\"\"", "A=<x y>@B=<a\"b\\n>C=<>" },
    { "A='a'\"b\"c", "A=<abc>" },
    { "A=a\\\nb\nB=a\\ b\\", "A=<ab>B=<a b>" },
    { "A=\"l1\nl2\"\nB=1", "A=<l1\nl2>@B=<1>@" },
    { "A=\"x\\\ny\"", "A=<xy>" },
    { "A=1\nA=2", "A=<2>@" },
    { "# c \\\nB=1\nC=2", "C=<2>@" },
    { "A\nB=\n=x\n1=y", "B=<>" },
    { "A='open\nB=1", "A=<open\nB=1>@" },
    { "A=\"x\\$y\\`\\\\z\"", "A=<x$y`\\z>" },
    { "", "" },
};

START_TEST(reads_as_systemd_reads)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    const char *source = rows[_i].source;
    struct dr_env_file file;

    ck_assert_int_eq(dr_env_file_parse(source, strlen(source), &arena, &file), 0);
    for (size_t i = 0; i < file.count; i++) {
        const struct dr_env_file_entry *entry = &file.entries[i];

        if (entry->shadowed)
            continue;
        ck_assert_int_eq(dr_buffer_appendf(&out, "%s=<%s>%s", entry->key, entry->value, entry->value_bytes ? "@" : ""), 0);
        ck_assert_ptr_eq(dr_env_file_get(&file, entry->key), entry);
        if (entry->value_bytes)
            ck_assert_int_eq(memcmp(source + entry->value_offset, entry->value, entry->value_bytes), 0);
    }
    ck_assert_str_eq(dr_buffer_text(&out), rows[_i].shown);
}
END_TEST

START_TEST(knows_lines)
{
    static const char source[] = "# c\r\n\r\n  TOKEN=\"a\\\r\nb\" \r\nX=1\r\n";
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_env_file file;

    ck_assert_int_eq(dr_env_file_parse(source, sizeof(source) - 1, &arena, &file), 0);
    ck_assert_uint_eq(dr_env_file_get(&file, "TOKEN")->line, 3);
    ck_assert_uint_eq(dr_env_file_get(&file, "TOKEN")->line_bytes, strlen("  TOKEN=\"a\\\r\nb\" "));
    ck_assert_uint_eq(dr_env_file_get(&file, "X")->line, 5);
    ck_assert_uint_eq(dr_env_file_get(&file, "X")->line_bytes, 3);
    ck_assert_ptr_null(dr_env_file_get(&file, "Y"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd_env_file");
    TCase *files = tcase_create("files");

    tcase_add_loop_test(files, reads_as_systemd_reads, 0, (int)DR_COUNT(rows));
    tcase_add_test(files, knows_lines);
    suite_add_tcase(suite, files);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
