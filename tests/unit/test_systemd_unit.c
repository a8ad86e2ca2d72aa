/* src/format/systemd_unit.h: units and drop-ins read as systemd reads them. */
#include "format/systemd_unit.h"

#include "base/buffer.h"

#include <check.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

static struct dr_unit parse_text(const char *text, struct dr_arena *arena)
{
    struct dr_unit unit;

    ck_assert_int_eq(dr_unit_parse("gateway.service", text, strlen(text), arena, &unit), 0);
    return unit;
}

/* "section.key=<value>" of every entry. */
static const struct {
    const char *source;
    const char *shown;
} rows[] = {
    { "[Unit]\nDescription=x\n[Service]\nUser = oc \r\n", "Unit.Description=<x>Service.User=<oc>" },
    { "[Service]\nA=1 \\\n  2 \\\n3\nB=4", "Service.A=<1  2  3>Service.B=<4>" },
    { "[Service]\nA=1 \\\n# comment \\\n; comment\n 2\nB=3", "Service.A=<1  2>Service.B=<3>" },
    { "# c\n  ; c\n\n[S]\n  A=1", "S.A=<1>" },
    { "[S]\nA=x\\\\\nB=y", "S.A=<x\\\\>S.B=<y>" },
    { "[S]\nA=x\\", "S.A=<x>" },
    { "[S]\nA=x \\\n\nB=y", "S.A=<x>S.B=<y>" },
    { "[S]\nno assignment\nA=a=b # no comment\n[broken\nB=", "S.A=<a=b # no comment>S.B=<>" },
    { "A=1", ".A=<1>" },
    { "\xef\xbb\xbf[S]\rA=1\r\nB=2", "S.A=<1>S.B=<2>" },
    { "", "" },
};

START_TEST(reads_entries)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct dr_unit unit = parse_text(rows[_i].source, &arena);

    for (size_t i = 0; i < unit.count; i++)
        ck_assert_int_eq(
            dr_buffer_appendf(&out, "%s.%s=<%s>", unit.entries[i].section, unit.entries[i].key, unit.entries[i].value), 0);
    ck_assert_str_eq(dr_buffer_text(&out), rows[_i].shown);
}
END_TEST

/* Words of "A=…", each in <>, an error as "!". */
static const struct {
    const char *value;
    const char *strict;
    const char *relaxed;
} splits[] = {
    { "a  b\tc", "<a><b><c>", "<a><b><c>" },
    { "'a b' \"c d\" e'f g'h", "<a b><c d><ef gh>", "<a b><c d><ef gh>" },
    { "a\\x41\\101\\tb\\s'\\''", "<aAA\tb '>", "<aAA\tb '>" },
    { "\\u20ac \\U0001F600", "<\xe2\x82\xac><\xf0\x9f\x98\x80>", "<\xe2\x82\xac><\xf0\x9f\x98\x80>" },
    { "a \\q b", "<a>!", "<a><\\q><b>" },
    { "a \\x00 b", "<a>!", "<a><\\x00><b>" },
    { "a 'b", "<a>!", "<a>!" },
    { "'' a", "<><a>", "<><a>" },
    { "100%% %h", "<100%><%h>", "<100%><%h>" },
    { "\\400 a", "!", "<\\400><a>" },
};

START_TEST(splits_words)
{
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MEGABYTE);
        _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
        const struct dr_unit_word *words;
        size_t count;

        ck_assert_int_eq(dr_buffer_appendf(&text, "[S]\nA=%s\n", splits[_i].value), 0);

        struct dr_unit unit = parse_text(dr_buffer_text(&text), &arena);
        int r = dr_unit_words(&unit.entries[0], relaxed, &arena, &words, &count);

        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(dr_buffer_appendf(&out, "<%s>", words[i].text), 0);
            ck_assert_uint_eq(words[i].length, strlen(words[i].text));
            if (words[i].verbatim)
                ck_assert_int_eq(memcmp(unit.bytes + words[i].offset, words[i].text, words[i].bytes), 0);
        }
        ck_assert_int_eq(dr_buffer_append_text(&out, r < 0 ? "!" : ""), 0);
        ck_assert_str_eq(dr_buffer_text(&out), relaxed ? splits[_i].relaxed : splits[_i].strict);
    }
}
END_TEST

START_TEST(finds_environment_assignments_and_their_place)
{
    static const char text[] = "[Service]\n"
                               "Environment=OPENCLAW_GATEWAY_TOKEN=tok-1\n"
                               "Environment=\"A=x y\" 'B=z' C=\"quoted\" \\\n"
                               "    D=plain E=a\\x20b =bad 1X=bad nothing F= G=p\"q\"\n"
                               "Environment=H=%h I=100%%\n";
    static const struct {
        const char *name;
        const char *value;
        bool in_place;
        bool alone;
        unsigned line;
    } expected[] = {
        { "OPENCLAW_GATEWAY_TOKEN", "tok-1", true, true, 2 },
        { "A", "x y", true, false, 3 },
        { "B", "z", true, false, 3 },
        { "C", "quoted", true, false, 3 },
        { "D", "plain", true, false, 4 },
        { "E", "a b", false, false, 4 },
        { "F", "", false, false, 4 },
        { "G", "pq", false, false, 4 },
        { "H", "%h", true, false, 5 },
        { "I", "100%", false, false, 5 },
    };
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit unit = parse_text(text, &arena);
    const struct dr_unit_entry *const *entries;
    size_t entry_count;
    size_t next = 0;

    ck_assert_int_eq(dr_unit_effective(&unit, 1, "Service", "Environment", &arena, &entries, &entry_count), 0);
    ck_assert_uint_eq(entry_count, 3);
    for (size_t i = 0; i < entry_count; i++) {
        const struct dr_unit_assignment *list;
        size_t count;

        ck_assert_int_eq(dr_unit_assignments(entries[i], &arena, &list, &count), 0);
        for (size_t j = 0; j < count; j++, next++) {
            ck_assert_uint_lt(next, DR_COUNT(expected));
            ck_assert_str_eq(list[j].name, expected[next].name);
            ck_assert_str_eq(list[j].value, expected[next].value);
            ck_assert_msg((list[j].bytes > 0) == expected[next].in_place, "%s", list[j].name);
            ck_assert_int_eq(list[j].alone, expected[next].alone);
            ck_assert_uint_eq(list[j].line, expected[next].line);
            if (list[j].bytes)
                ck_assert_int_eq(memcmp(text + list[j].offset, list[j].value, list[j].bytes), 0);
            ck_assert_int_eq(list[j].specifier, strcmp(list[j].name, "H") == 0);
        }
    }
    ck_assert_uint_eq(next, DR_COUNT(expected));
}
END_TEST

START_TEST(keeps_what_stands_in_front_of_a_syntax_error)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit unit = parse_text("[Service]\nEnvironment=A=1 'B=2\n", &arena);
    const struct dr_unit_assignment *list;
    size_t count;

    ck_assert_int_eq(dr_unit_assignments(&unit.entries[0], &arena, &list, &count), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(list[0].name, "A");
    ck_assert(!list[0].alone);
}
END_TEST

START_TEST(an_empty_assignment_forgets_across_files)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit units[] = {
        parse_text("[Service]\nEnvironment=A=1\nEnvironment=B=2\nUser=x\n", &arena),
        parse_text("[Service]\nEnvironment=\nEnvironment=C=3\n[Unit]\nEnvironment=D=4\n", &arena),
    };
    const struct dr_unit_entry *const *entries;
    size_t count;

    ck_assert_int_eq(dr_unit_effective(units, 2, "Service", "Environment", &arena, &entries, &count), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(entries[0]->value, "C=3");
    ck_assert_int_eq(dr_unit_effective(units, 2, "Service", "Group", &arena, &entries, &count), 0);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(reads_environment_file_paths)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit unit = parse_text("[Service]\nA=-/etc/x y.env\nA=%h/.env\nA=rel\nA=/a%%b\n", &arena);
    static const char *const paths[] = { "/etc/x y.env", "%h/.env", NULL, "/a%b" };

    for (size_t i = 0; i < DR_COUNT(paths); i++) {
        const char *path = NULL;
        bool optional = false;
        int r = dr_unit_environment_file(&unit.entries[i], &arena, &path, &optional);

        ck_assert_int_eq(r, paths[i] ? 0 : -EINVAL);
        if (paths[i])
            ck_assert_str_eq(path, paths[i]);
        ck_assert_int_eq(optional, i == 0);
    }
}
END_TEST

START_TEST(reads_commands_with_prefixes)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit unit = parse_text("[Service]\nExecStart=-@\"/opt/no de\" openclaw gateway \\; ; !!/bin/true \\\n"
                                     " --port=\"1 2\"\nExecStart=;\n",
                                     &arena);
    const struct dr_unit_command *commands;
    size_t count;

    ck_assert_int_eq(dr_unit_commands(&unit.entries[0], &arena, &commands, &count), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert(commands[0].ignore_failure && commands[0].has_argv0 && !commands[0].no_setuid);
    ck_assert_uint_eq(commands[0].count, 4);
    ck_assert_str_eq(commands[0].words[0].text, "/opt/no de");
    ck_assert_str_eq(commands[0].words[3].text, ";");
    ck_assert(commands[1].no_setuid && !commands[1].ignore_failure);
    ck_assert_str_eq(commands[1].words[0].text, "/bin/true");
    ck_assert_str_eq(commands[1].words[1].text, "--port=1 2");
    ck_assert_uint_eq(commands[1].words[1].line, 3);
    ck_assert_int_eq(dr_unit_commands(&unit.entries[1], &arena, &commands, &count), 0);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(knows_the_whole_assignment)
{
    static const char text[] = "[S]\r\n  A = x \\\r\n # c\r\n y  \r\nB=1";
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_unit unit = parse_text(text, &arena);
    const struct dr_unit_entry *entry = &unit.entries[0];

    ck_assert_uint_eq(entry->line, 2);
    ck_assert_uint_eq(entry->line_bytes, strlen("  A = x \\\r\n # c\r\n y  "));
    ck_assert_int_eq(memcmp(text + entry->line_offset, "  A = x", 7), 0);
    ck_assert_uint_eq(entry->value_bytes, strlen("x \\\r\n # c\r\n y"));
    ck_assert_int_eq(text[entry->value_offset], 'x');
    ck_assert_uint_eq(unit.entries[1].line, 5);
}
END_TEST

START_TEST(stays_linear_with_many_continuations)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(128 * MEGABYTE);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(16 * MEGABYTE);
    const struct dr_unit_word *words;
    size_t count;
    int r = dr_buffer_append_text(&text, "[S]\nA=");

    for (int i = 0; i < 300000; i++)
        r |= dr_buffer_append_text(&text, i % 40 ? "x\\\n" : " \\\n");
    ck_assert_int_eq(r, 0);

    struct dr_unit unit = parse_text(dr_buffer_text(&text), &arena);

    ck_assert_uint_eq(unit.count, 1);
    ck_assert_int_eq(dr_unit_words(&unit.entries[0], true, &arena, &words, &count), -E2BIG);
    ck_assert_uint_eq(count, DR_UNIT_WORDS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd_unit");
    TCase *units = tcase_create("units");

    tcase_add_loop_test(units, reads_entries, 0, (int)DR_COUNT(rows));
    tcase_add_loop_test(units, splits_words, 0, (int)DR_COUNT(splits));
    tcase_add_test(units, finds_environment_assignments_and_their_place);
    tcase_add_test(units, keeps_what_stands_in_front_of_a_syntax_error);
    tcase_add_test(units, an_empty_assignment_forgets_across_files);
    tcase_add_test(units, reads_environment_file_paths);
    tcase_add_test(units, reads_commands_with_prefixes);
    tcase_add_test(units, knows_the_whole_assignment);
    tcase_add_test(units, stays_linear_with_many_continuations);
    suite_add_tcase(suite, units);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
