/* src/format/dotenv.h and src/format/edit.h: read as Node's dotenv reads, edited without touching a neighbour. */
#include "format/dotenv.h"
#include "format/edit.h"

#include <check.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

static struct dr_dotenv parse_text(const char *text, struct dr_arena *arena)
{
    struct dr_dotenv dotenv;

    ck_assert_int_eq(dr_dotenv_parse(text, strlen(text), arena, &dotenv), 0);
    return dotenv;
}

/* What the package answers for one file, "KEY=<value>" for each key in the order of the last assignment. */
static const struct {
    const char *source;
    const char *shown;
} rows[] = {
    { "A=1", "A=<1>" },
    { "\xef\xbb\xbf  A = 1 \r\nexport B=2\r\n", "A=<1>B=<2>" },
    { "export=1\nexport = 2\nexportX=3", "export=<2>exportX=<3>" },
    { "A=x # c\nB=x#c\nC=#c\nD= \nE=\nF", "A=<x>B=<x>C=<>D=<>E=<>" },
    { "A='x # y' # c\nB=\"x#y\"#c\nC=`it's \"q\"`", "A=<x # y>B=<x#y>C=<it's \"q\">" },
    { "A='l1\r\nl2'\nB=2", "A=<l1\nl2>B=<2>" },
    { "A=\"a\\nb\\tc\\\\\\\"\"\nB='a\\nb'", "A=<a\nb\\tc\\\\\\\">B=<a\\nb>" },
    { "A='it's'\nB='x' y\nC=\"x", "A=<it's>B=<'x' y>C=<\"x>" },
    { "A=\"x\\\"\nB=1", "A=<x\\>B=<1>" },
    { "A=\"open\nB=\"z\"", "A=<\"open>B=<z>" },
    { "A: x\nB:x\nC : x\nD.e-f_1=y", "A=<x>D.e-f_1=<y>" },
    { "A=1\nB=2\nA=3", "B=<2>A=<3>" },
    { "# A=1\n ; x\n=3\n\n-=4", "-=<4>" },
    { "A=\"\n\"\nB=''", "A=<\n>B=<>" },
    { "A=\n'x'\n", "A=<x>" },
    { "A=\"open \\n", "A=<\"open \n>" },
    { "A=${B}$C", "A=<${B}$C>" },
};

START_TEST(reads_as_dotenv_reads)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct dr_dotenv dotenv = parse_text(rows[_i].source, &arena);

    for (size_t i = 0; i < dotenv.count; i++) {
        const struct dr_dotenv_entry *entry = &dotenv.entries[i];

        if (entry->shadowed)
            continue;
        ck_assert_int_eq(dr_buffer_appendf(&out, "%s=<%s>", entry->key, entry->value), 0);
        ck_assert_ptr_eq(dr_dotenv_get(&dotenv, entry->key), entry);
        if (entry->verbatim)
            ck_assert_int_eq(memcmp(dotenv.bytes + entry->inner_offset, entry->value, entry->inner_bytes), 0);
        ck_assert_uint_le(entry->line_offset, entry->key_offset);
        ck_assert_uint_le(entry->raw_offset + entry->raw_bytes, entry->line_offset + entry->line_bytes);
    }
    ck_assert_str_eq(dr_buffer_text(&out), rows[_i].shown);
}
END_TEST

static const char sample[] = "# gateway\r\n"
                             "export OPENCLAW_GATEWAY_TOKEN=\"tok-1\"  # rotated\r\n"
                             "\xc3\xa9 X=1\r\n"
                             "  PLAIN = abc # c\r\n"
                             "MULTI='l1\r\nl2'\r\n"
                             "EMPTY=\r\n";

START_TEST(knows_lines_and_spans)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_dotenv dotenv = parse_text(sample, &arena);
    const struct dr_dotenv_entry *token = dr_dotenv_get(&dotenv, "OPENCLAW_GATEWAY_TOKEN");
    const struct dr_dotenv_entry *plain = dr_dotenv_get(&dotenv, "PLAIN");

    ck_assert(token->exported && token->quote == '"' && token->verbatim);
    ck_assert_uint_eq(token->line, 2);
    ck_assert_uint_eq(token->column, 8);
    ck_assert_int_eq(memcmp(sample + token->raw_offset, "\"tok-1\"", token->raw_bytes), 0);
    ck_assert_int_eq(memcmp(sample + token->inner_offset, "tok-1", token->inner_bytes), 0);
    ck_assert_uint_eq(plain->line, 4);
    ck_assert_uint_eq(plain->column, 3);
    ck_assert_uint_eq(dr_dotenv_get(&dotenv, "MULTI")->line, 5);
    ck_assert_uint_eq(dr_dotenv_get(&dotenv, "EMPTY")->line, 7);
    ck_assert_ptr_null(dr_dotenv_get(&dotenv, "X"));
}
END_TEST

static void expect_edited(const struct dr_dotenv *dotenv, const struct dr_edit *edits, size_t count, const char *expected)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);

    ck_assert_int_eq(dr_edits_apply(dotenv->bytes, dotenv->length, edits, count, &out), 0);
    ck_assert_str_eq(dr_buffer_text(&out), expected);
}

static const struct {
    const char *source;
    const char *value;
    const char *expected; /* NULL: -EINVAL */
} sets[] = {
    { "A=old # c\n", "new", "A=new # c\n" },
    { "A=\"old\"#c", "new", "A=\"new\"#c" },
    { "A= 'old' \r\nB=1", "a\"b", "A= 'a\"b' \r\nB=1" },
    { "A='old'", "it's", "A=\"it's\"" },
    { "A=old", "x # y", "A=\"x # y\"" },
    { "A=old", "a\\nb", "A='a\\nb'" },
    { "A=", "", "A=\"\"" },
    { "A=\nB=1", "v", "A=v\nB=1" },
    { "A= # c", "v", "A=v # c" },
    { "A=x", "l1\nl2", "A=\"l1\nl2\"" },
    { "A=x", "'\"`", NULL },
    { "A=x", "a\rb", NULL },
    { "A=x", "\xc2\xa0y", "A=\"\xc2\xa0y\"" },
};

START_TEST(sets_a_value_in_its_quotes)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_dotenv dotenv = parse_text(sets[_i].source, &arena);
    struct dr_edit edit;
    int r = dr_dotenv_set(&dotenv, dr_dotenv_get(&dotenv, "A"), sets[_i].value, &arena, &edit);

    ck_assert_int_eq(r, sets[_i].expected ? 0 : -EINVAL);
    if (r < 0)
        return;
    expect_edited(&dotenv, &edit, 1, sets[_i].expected);

    struct dr_dotenv again = parse_text(sets[_i].expected, &arena);

    ck_assert_str_eq(dr_dotenv_get(&again, "A")->value, sets[_i].value);
}
END_TEST

START_TEST(comments_out_every_line_of_an_assignment)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_dotenv dotenv = parse_text("X=1\r\n  A='l1\r\nl2' # c\r\nB=1\r\n", &arena);
    struct dr_edit *edits;
    size_t count;

    ck_assert_int_eq(dr_dotenv_comment_out(&dotenv, dr_dotenv_get(&dotenv, "A"), &arena, &edits, &count), 0);
    ck_assert_uint_eq(count, 2);
    expect_edited(&dotenv, edits, count, "X=1\r\n#   A='l1\r\n# l2' # c\r\nB=1\r\n");

    dotenv = parse_text("\xef\xbb\xbf"
                        "A=1\nB=1",
                        &arena);
    ck_assert_int_eq(dr_dotenv_comment_out(&dotenv, dr_dotenv_get(&dotenv, "A"), &arena, &edits, &count), 0);
    expect_edited(&dotenv, edits, count,
                  "\xef\xbb\xbf"
                  "# A=1\nB=1");
}
END_TEST

START_TEST(adds_at_the_end_in_the_files_line_ends)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_dotenv dotenv = parse_text("A=1\r\nB=2", &arena);
    struct dr_edit edit;

    ck_assert_int_eq(dr_dotenv_add(&dotenv, "C", "x y", &arena, &edit), 0);
    expect_edited(&dotenv, &edit, 1, "A=1\r\nB=2\r\nC=\"x y\"\r\n");
    dotenv = parse_text("", &arena);
    ck_assert_int_eq(dr_dotenv_add(&dotenv, "C", "x", &arena, &edit), 0);
    expect_edited(&dotenv, &edit, 1, "C=x\n");
}
END_TEST

START_TEST(refuses_edits_that_overlap_or_leave_the_text)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct dr_edit edits[] = { { .offset = 3, .length = 2, .text = "x", .text_length = 1 },
                               { .offset = 1, .length = 2 },
                               { .offset = 1, .length = 0, .text = "-", .text_length = 1 } };

    ck_assert_int_eq(dr_edits_apply("abcdef", 6, edits, 3, &out), -EINVAL);
    dr_buffer_clear(&out);
    dr_edits_sort(edits, 3);
    ck_assert_int_eq(dr_edits_apply("abcdef", 6, edits, 3, &out), -EINVAL); /* inserts inside a deleted span */
    edits[1].offset = 3;
    dr_buffer_clear(&out);
    ck_assert_int_eq(dr_edits_apply("abcdef", 6, edits, 3, &out), 0);
    ck_assert_str_eq(dr_buffer_text(&out), "a-xf");
    edits[2].length = 4;
    ck_assert_int_eq(dr_edits_apply("abcdef", 6, edits, 3, &out), -EINVAL);
    edits[2].length = 1;
    edits[2].from.kind = DR_NEW_TOKEN;
    ck_assert_int_eq(dr_edits_apply("abcdef", 6, edits, 3, &out), -EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dotenv");
    TCase *reading = tcase_create("reading");
    TCase *editing = tcase_create("editing");

    tcase_add_loop_test(reading, reads_as_dotenv_reads, 0, (int)DR_COUNT(rows));
    tcase_add_test(reading, knows_lines_and_spans);
    tcase_add_loop_test(editing, sets_a_value_in_its_quotes, 0, (int)DR_COUNT(sets));
    tcase_add_test(editing, comments_out_every_line_of_an_assignment);
    tcase_add_test(editing, adds_at_the_end_in_the_files_line_ends);
    tcase_add_test(editing, refuses_edits_that_overlap_or_leave_the_text);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, editing);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
