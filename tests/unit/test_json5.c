/* src/format/json5.h: what is read, what is refused and where, what it costs. */
#include "format/json5.h"

#include "base/buffer.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

/* ---- a spelling of the tree that shows everything decoded ---- */

static void show(struct dr_buffer *out, const struct dr_json5 *document, const struct dr_json5_node *node,
                 struct dr_arena *arena)
{
    const char *text;
    size_t length;
    double number;
    bool truth;
    int r = 0;

    if (node->key_length) {
        ck_assert_int_eq(dr_json5_key(document, node, arena, &text, &length), 0);
        r |= dr_buffer_appendf(out, "%.*s:", (int)length, text);
    }
    switch ((enum dr_json5_type)node->type) {
    case DR_JSON5_NULL:
        r |= dr_buffer_append_text(out, "null");
        break;
    case DR_JSON5_BOOLEAN:
        ck_assert_int_eq(dr_json5_boolean(document, node, &truth), 0);
        r |= dr_buffer_append_text(out, truth ? "true" : "false");
        break;
    case DR_JSON5_NUMBER:
        ck_assert_int_eq(dr_json5_number(document, node, &number), 0);
        r |= dr_buffer_appendf(out, "%.17g", number);
        break;
    case DR_JSON5_STRING:
        ck_assert_int_eq(dr_json5_text(document, node, arena, &text, &length), 0);
        ck_assert_uint_eq(text[length], 0);
        r |= dr_buffer_append_byte(out, '<');
        r |= dr_buffer_append(out, text, length);
        r |= dr_buffer_append_byte(out, '>');
        break;
    case DR_JSON5_ARRAY:
    case DR_JSON5_OBJECT:
        r |= dr_buffer_append_byte(out, node->type == DR_JSON5_OBJECT ? '{' : '[');
        for (const struct dr_json5_node *child = dr_json5_first(node); child; child = dr_json5_next(child)) {
            ck_assert_ptr_eq(dr_json5_parent(child), node);
            show(out, document, child, arena);
            r |= dr_buffer_append_byte(out, ' ');
        }
        r |= dr_buffer_append_byte(out, node->type == DR_JSON5_OBJECT ? '}' : ']');
        break;
    }
    ck_assert_int_eq(r, 0);
}

/* Exactly as many bytes as the text has, so that reading behind the end is noticed by ASan and valgrind. */
static char *exact_copy(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    return copy;
}

/* ---- what is read ---- */

static const struct {
    const char *source;
    const char *shown;
    bool json; /* JSON.parse reads it, too */
} good[] = {
    { "{}", "{}", true },
    { " [ ] ", "[]", true },
    { "null", "null", true },
    { "true", "true", true },
    { "\"a\"", "<a>", true },
    { "-0.5e+3", "-500", true },
    { "[1, 2.25, 1E2, 0, -7]", "[1 2.25 100 0 -7 ]", true },
    { "{\"a\":{\"b\":[true,false,null]}}", "{a:{b:[true false null ] } }", true },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "<\"\\/\b\f\n\r\t>", true },
    { "\"\\u00e9\\u20AC\\ud83d\\ude00\"", "<\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>", true },
    { "\"\\ud83d\"", "<\xef\xbf\xbd>", true },
    { "\"\\ud83dx\\ude00\\ud83d\\u0041\"",
      "<\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd"
      "A>",
      true },
    { "\"\xe2\x80\xa8 \xc3\xa9\"", "<\xe2\x80\xa8 \xc3\xa9>", true },
    { "{\"\":1}", "{:1 }", true },
    /* JSON5 only */
    { "// c\n{/* a */a/**/:/*,*/1/*b*/,}//end", "{a:1 }", false },
    { "'it''s'", NULL, false },
    { "'it\\'s \"x\"'", "<it's \"x\">", false },
    { "[1,2,]", "[1 2 ]", false },
    { "{$a_1:1, \xc3\xa9t\xc3\xa9:2, \\u0061b:3, a\\u{62}:4}", NULL, false },
    { "{$a_1:1, \xc3\xa9t\xc3\xa9:2, \\u0061b:3,'q':4}", "{$a_1:1 \xc3\xa9t\xc3\xa9:2 ab:3 q:4 }", false },
    { "[0x1F, 0XdecAF, -0x10, +1, .5, 5., 5.e2, +.5e-1]", "[31 912559 -16 1 0.5 5 500 0.050000000000000003 ]", false },
    { "[Infinity, -Infinity, +Infinity, NaN, -NaN]", "[inf -inf inf nan -nan ]", false },
    { "'a\\\nb\\\r\nc\\\rd\\\xe2\x80\xa8"
      "e'",
      "<abcde>", false },
    { "'\\x41\\v\\a\\\xc3\xa9\\''", "<A\va\xc3\xa9'>", false },
    { "\xef\xbb\xbf{a:1}", "{a:1 }", false },
    { "\xc2\xa0\xef\xbb\xbf\xe2\x80\xa9\xe3\x80\x80\v\f[]", "[]", false },
    { "{a:1}// no line end\r\n// \xe2\x80\xa8", "{a:1 }", false },
    { "'a\tb'", "<a\tb>", false },
    { "{null:1,true:2,Infinity:3}", "{null:1 true:2 Infinity:3 }", false },
    { "/**/1/***/", "1", false },
};

START_TEST(reads_what_json5_reads)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    size_t length = strlen(good[_i].source);
    _cleanup_free_ char *source = exact_copy(good[_i].source, length);
    struct dr_json5_error error = { 0 };
    struct dr_json5 document;
    int r = dr_json5_parse(source, length, DR_JSON5_LENIENT, &arena, &document, &error);

    if (!good[_i].shown) {
        ck_assert_int_eq(r, -EBADMSG);
        return;
    }
    ck_assert_msg(r == 0, "%s: %s", good[_i].source, error.text);
    show(&out, &document, document.root, &arena);
    ck_assert_str_eq(dr_buffer_text(&out), good[_i].shown);

    r = dr_json5_parse(source, length, DR_JSON5_STRICT, &arena, &document, &error);
    ck_assert_int_eq(r, good[_i].json ? 0 : -EBADMSG);
    if (!good[_i].json)
        ck_assert_msg(strstr(error.text, "JSON5 allows it, but this file is read as plain JSON") != NULL, "%s", error.text);
}
END_TEST

/* ---- what is refused, and where ---- */

static const struct {
    const char *source;
    const char *text;
} bad[] = {
    { "", "1:1: the file is empty" },
    { " \n// x", "2:5: the file is empty" },
    { "{\n  \"gateway\": {\n    \"auth\": {\n  ", "4:3: the file ends inside an object (opened at 3:13)" },
    { "[1,[2", "1:6: the file ends inside an array (opened at 1:4)" },
    { "{\"a\"", "1:5: the file ends inside an object (opened at 1:1)" },
    { "{\"a\":", "1:6: the file ends inside an object (opened at 1:1)" },
    { "{\"a", "1:4: the file ends inside a text (opened at 1:2)" },
    { "'a\\", "1:4: the file ends inside a text (opened at 1:1)" },
    { "{} /* x", "1:8: the file ends inside a comment (opened at 1:4)" },
    { "{a:'b\n'}", "1:6: the text opened at 1:4 is not closed on its line" },
    { "{a 1}", "1:4: expected ':' behind the key, found '1'" },
    { "{a:1 b:2}", "1:6: expected ',' or '}' behind the value, found 'b'" },
    { "[1 2]", "1:4: expected ',' or ']' behind the value, found '2'" },
    { "[1}", "1:3: expected ',' or ']' behind the value, found '}'" },
    { "{,}", "1:2: expected a key or '}', found ','" },
    { "{a:1,,}", "1:6: expected a key, found ','" },
    { "[,]", "1:2: expected a value, found ','" },
    { "{a:}", "1:4: expected a value, found '}'" },
    { "{1:2}", "1:2: expected a key or '}', found '1'" },
    { "root@host:~$ cat openclaw.json\n{}",
      "1:1: expected a value, found 'r' (words other than true, false and null need quotes)" },
    { "{a:undefined}", "1:4: expected a value, found 'u' (words other than true, false and null need quotes)" },
    { "{a:Nope}", "1:4: expected a value, found 'N' (words other than true, false and null need quotes)" },
    { "{} {}", "1:4: the document ends before this: found '{' behind it" },
    { "nullx", "1:5: the document ends before this: found 'x' behind it" },
    { "{\xe2\x80\x9c"
      "a\xe2\x80\x9d:1}",
      "1:2: expected a key or '}', found the typographic quote U+201C" },
    { "[\x01]", "1:2: expected a value, found the character U+0001" },
    { "[012]", "1:2: a number must not begin with 0 and another digit" },
    { "[0x]", "1:4: expected a hexadecimal digit, found ']'" },
    { "[.]", "1:3: expected a digit, found ']'" },
    { "[-]", "1:3: expected a digit, found ']'" },
    { "[1e]", "1:4: expected a digit of the exponent, found ']'" },
    { "[+-1]", "1:3: expected a digit, found '-'" },
    { "'\\1'", "1:2: \\ followed by a digit is no escape" },
    { "'\\01'", "1:2: \\ followed by a digit is no escape" },
    { "'\\u12g4'", "1:2: \\u needs 4 hexadecimal digits" },
    { "'\\x4'", "1:2: \\x needs 2 hexadecimal digits" },
    { "{\\u0020:1}", "1:2: a key with this character needs quotes" },
    { "{a\\b:1}", "1:3: \\ in a key without quotes needs u and 4 hexadecimal digits" },
    { "{a:\"\xff\"}", "1:5: byte 0xff: not valid UTF-8" },
    { "{a:\"\xc3\"}", "1:5: byte 0xc3: not valid UTF-8" },
    { "{a:\"\xed\xa0\x80\"}", "1:5: byte 0xed: not valid UTF-8" },
    { "{a:'\xc3\xa9\xe2\x82\xac' x}", "1:9: expected ',' or '}' behind the value, found 'x'" },
    { "[\r\n1,\r2,\n3 4]", "4:3: expected ',' or ']' behind the value, found '4'" },
    { "\xef\xbb\xbf[1 2]", "1:4: expected ',' or ']' behind the value, found '2'" },
};

START_TEST(says_where_and_why)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    size_t length = strlen(bad[_i].source);
    _cleanup_free_ char *source = exact_copy(bad[_i].source, length);
    struct dr_json5_error error = { 0 };
    struct dr_json5 document;

    ck_assert_int_eq(dr_json5_parse(source, length, DR_JSON5_LENIENT, &arena, &document, &error), -EBADMSG);
    ck_assert_str_eq(error.text, bad[_i].text);
    ck_assert_ptr_nonnull(strstr(error.text, error.reason));
    ck_assert_int_eq(dr_json5_parse(source, length, DR_JSON5_LENIENT, &arena, &document, NULL), -EBADMSG);
}
END_TEST

START_TEST(refuses_nul_bytes)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_json5_error error = { 0 };
    struct dr_json5 document;

    ck_assert_int_eq(dr_json5_parse("{a:1}\0", 6, DR_JSON5_LENIENT, &arena, &document, &error), -EBADMSG);
    ck_assert_str_eq(error.text, "1:6: byte 0x00: no text file holds NUL bytes");
}
END_TEST

/* Every prefix of a document is an error or a document, and never a read behind the end. */
START_TEST(survives_every_truncation)
{
    static const char whole[] = "\xef\xbb\xbf// x\n{a: [1, -0x1f, 'q\\u00e9\\\r\n', \"\xe2\x82\xac\"], /* c */ 'b': "
                                "{c: null, 'd': +.5e-3,}, \\u0065f: Infinity, }\n";

    for (size_t length = 0; length < sizeof(whole) - 1; length++) {
        _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
        _cleanup_free_ char *source = exact_copy(whole, length);
        struct dr_json5_error error = { 0 };
        struct dr_json5 document;
        int r = dr_json5_parse(source, length, DR_JSON5_LENIENT, &arena, &document, &error);

        ck_assert_msg(r == -EBADMSG || length == sizeof(whole) - 2, "prefix of %zu: %d", length, r);
        r = dr_json5_parse(source, length, DR_JSON5_STRICT, &arena, &document, &error);
        ck_assert_int_eq(r, -EBADMSG);
    }
}
END_TEST

/* ---- looking things up ---- */

static const char sample[] = "// top\n"
                             "{\n"
                             "  gateway: {\n"
                             "    auth: { mode: 'token', \"tok\\u0065n\": 'x' },\n"
                             "    list: [10, {id: 7}, 1.5, 9007199254740993],\n"
                             "  },\n"
                             "  \"a.b\": true,\n"
                             "  gateway2: null,\n"
                             "}\n";

static struct dr_json5 parse_text(const char *text, struct dr_arena *arena)
{
    struct dr_json5_error error = { 0 };
    struct dr_json5 document;

    ck_assert_msg(dr_json5_parse(text, strlen(text), DR_JSON5_LENIENT, arena, &document, &error) == 0, "%s", error.text);
    return document;
}

START_TEST(finds_values_by_path)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_json5 document = parse_text(sample, &arena);
    static const char *const paths[] = { "gateway.auth.mode", "gateway.auth.token", "gateway.list[1].id",
                                         "gateway.list[3]",   "[\"a.b\"]",          "gateway2" };

    for (size_t i = 0; i < DR_COUNT(paths); i++) {
        const struct dr_json5_node *node = dr_json5_at(&document, paths[i]);

        ck_assert_msg(node != NULL, "%s", paths[i]);
        ck_assert_str_eq(dr_json5_path(&document, node, &arena), paths[i]);
    }
    ck_assert_ptr_eq(dr_json5_at(&document, ""), document.root);
    ck_assert_ptr_null(dr_json5_at(&document, "gateway.auth.Mode"));
    ck_assert_ptr_null(dr_json5_at(&document, "gateway.list[4]"));
    ck_assert_ptr_null(dr_json5_at(&document, "gateway."));
    ck_assert_ptr_null(dr_json5_at(&document, "gateway[\"auth"));
    ck_assert_ptr_null(dr_json5_at(&document, "gateway.list[x]"));
    ck_assert(dr_json5_text_is(&document, dr_json5_at(&document, "gateway.auth.token"), "x"));
    ck_assert(dr_json5_key_is(&document, dr_json5_at(&document, "gateway.auth.token"), "token"));
    ck_assert(!dr_json5_text_is(&document, NULL, "x"));
}
END_TEST

START_TEST(knows_where_values_lie)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_json5 document = parse_text(sample, &arena);
    const struct dr_json5_node *token = dr_json5_at(&document, "gateway.auth.token");
    struct dr_json5_position position = dr_json5_position(&document, token->offset);

    ck_assert_uint_eq(position.line, 4);
    ck_assert_uint_eq(position.column, 42);
    ck_assert_int_eq(memcmp(sample + token->offset, "'x'", token->length), 0);
    ck_assert_int_eq(memcmp(sample + token->key_offset, "\"tok\\u0065n\"", token->key_length), 0);

    const struct dr_json5_node *list = dr_json5_at(&document, "gateway.list");

    ck_assert_uint_eq(dr_json5_count(list), 4);
    ck_assert_int_eq(sample[list->offset], '[');
    ck_assert_int_eq(sample[list->offset + list->length - 1], ']');
}
END_TEST

START_TEST(tells_whole_numbers_from_others)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_json5 document = parse_text("[10, 1.5, 9007199254740994, NaN, 0x10, 1e3, 'x']", &arena);
    static const int64_t expected[] = { 10, -ERANGE, -ERANGE, -ERANGE, 16, 1000, -EINVAL };

    for (size_t i = 0; i < DR_COUNT(expected); i++) {
        int64_t value = 0;
        int r = dr_json5_integer(&document, dr_json5_element(document.root, i), &value);

        ck_assert_int_eq(r < 0 ? r : value, expected[i]);
    }
}
END_TEST

START_TEST(finds_lines_in_large_documents)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(64 * MEGABYTE);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(8 * MEGABYTE);
    int r = dr_buffer_append_text(&text, "\xef\xbb\xbf[\r\n");

    for (int i = 0; i < 50000; i++)
        r |= dr_buffer_appendf(&text, " '\xe2\x82\xac\xc3\xa9', %d,\r\n", i);
    r |= dr_buffer_append_text(&text, "]");
    ck_assert_int_eq(r, 0);

    struct dr_json5 document = parse_text(dr_buffer_text(&text), &arena);
    uint32_t line = 2;

    for (const struct dr_json5_node *node = dr_json5_first(document.root); node; node = dr_json5_next(node)) {
        struct dr_json5_position position = dr_json5_position(&document, node->offset);

        ck_assert_uint_eq(position.line, line);
        ck_assert_uint_eq(position.column, node->type == DR_JSON5_STRING ? 2 : 8);
        line += node->type == DR_JSON5_NUMBER;
    }
    ck_assert_uint_eq(line, 50002);
}
END_TEST

/* ---- duplicate keys ---- */

START_TEST(last_duplicate_wins_and_all_are_listed)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct dr_json5 document = parse_text("{a:1, b:{c:1,'c':2}, '\\x61':2, d:0, \"a\":3, b:[]}", &arena);
    int64_t value = 0;

    ck_assert_int_eq(dr_json5_integer(&document, dr_json5_member(&document, document.root, "a"), &value), 0);
    ck_assert_int_eq(value, 3);
    ck_assert_uint_eq(document.duplicate_count, 4);
    ck_assert_str_eq(dr_json5_path(&document, document.duplicates[0].first, &arena), "b.c");
    ck_assert_str_eq(dr_json5_path(&document, document.duplicates[1].second, &arena), "a");
    ck_assert_uint_eq(dr_json5_position(&document, document.duplicates[1].first->key_offset).column, 2);
    ck_assert_uint_eq(dr_json5_position(&document, document.duplicates[1].second->key_offset).column, 22);
    ck_assert_uint_eq(dr_json5_position(&document, document.duplicates[2].first->key_offset).column, 22);
    ck_assert_int_eq(dr_json5_at(&document, "b")->type, DR_JSON5_ARRAY);
    ck_assert_uint_eq(dr_json5_count(document.root), 6);
}
END_TEST

START_TEST(finds_duplicates_among_many_keys)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(64 * MEGABYTE);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(8 * MEGABYTE);
    int r = dr_buffer_append_text(&text, "{");

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++)
            r |= dr_buffer_appendf(&text, round ? "'\\x6bey%d':2," : "key%d:1,", i);
    r |= dr_buffer_append_text(&text, "}");
    ck_assert_int_eq(r, 0);

    struct dr_json5 document = parse_text(dr_buffer_text(&text), &arena);

    ck_assert_uint_eq(document.duplicate_count, 20000);
    ck_assert_uint_eq(document.duplicates_kept, DR_JSON5_DUPLICATES_KEPT);
    ck_assert(dr_json5_key_is(&document, document.duplicates[999].first, "key999"));
    ck_assert(dr_json5_key_is(&document, document.duplicates[999].second, "key999"));
    ck_assert_int_eq(sample[0], '/');
}
END_TEST

/* ---- what it costs ---- */

START_TEST(refuses_deep_nesting_at_once)
{
    static const char *const openers[] = { "[", "{\"a\":", "[{a:" };

    for (size_t i = 0; i < DR_COUNT(openers); i++) {
        _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(8 * MEGABYTE);
        struct dr_json5_error error = { 0 };
        struct dr_json5 document;
        int r = 0;

        for (int depth = 0; depth < 100000; depth++)
            r |= dr_buffer_append_text(&text, openers[i]);
        ck_assert_int_eq(r, 0);
        r = dr_json5_parse(text.data, text.length, DR_JSON5_LENIENT, &arena, &document, &error);
        ck_assert_int_eq(r, -EBADMSG);
        ck_assert_str_eq(error.reason, "more than 200 objects and arrays inside each other");
    }
}
END_TEST

START_TEST(accepts_nesting_up_to_the_limit)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    char text[2 * DR_JSON5_DEPTH + 1] = { 0 };
    const struct dr_json5_node *node;
    size_t depth = 0;

    memset(text, '[', DR_JSON5_DEPTH);
    memset(text + DR_JSON5_DEPTH, ']', DR_JSON5_DEPTH);

    struct dr_json5 document = parse_text(text, &arena);

    for (node = document.root; node; node = dr_json5_first(node))
        depth++;
    ck_assert_uint_eq(depth, DR_JSON5_DEPTH);
}
END_TEST

START_TEST(holds_100000_pending_records_in_little_memory)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(64 * MEGABYTE);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(128 * MEGABYTE);
    int r = dr_buffer_append_text(&text, "{");

    for (int i = 0; i < 100000; i++)
        r |= dr_buffer_appendf(&text,
                               "%s\n  \"%08x-1111-4222-8333-444455556666\": {\n    \"requestId\": \"%08x\",\n"
                               "    \"deviceId\": \"%064x\",\n    \"publicKey\": \"%043d\",\n    \"platform\": \"linux\",\n"
                               "    \"clientId\": \"cli\",\n    \"clientMode\": \"cli\",\n    \"role\": \"operator\",\n"
                               "    \"roles\": [\"operator\"],\n    \"scopes\": [\"operator.admin\", "
                               "\"operator.approvals\", \"operator.pairing\"],\n    \"remoteIp\": \"127.0.0.1\",\n"
                               "    \"silent\": false,\n    \"isRepair\": false,\n    \"ts\": 1771500000000\n  }",
                               i ? "," : "", (unsigned)i, (unsigned)i, (unsigned)i, i);
    r |= dr_buffer_append_text(&text, "\n}\n");
    ck_assert_int_eq(r, 0);
    ck_assert_uint_gt(text.length, 45 * MEGABYTE);

    struct dr_json5_error error = { 0 };
    struct dr_json5 document;

    ck_assert_int_eq(dr_json5_parse(text.data, text.length, DR_JSON5_STRICT, &arena, &document, &error), 0);
    ck_assert_uint_eq(dr_json5_count(document.root), 100000);
    ck_assert_msg(arena.used < 60 * MEGABYTE, "%zu bytes of arena", arena.used);
    ck_assert_ptr_nonnull(dr_json5_at(&document, "[\"0001869f-1111-4222-8333-444455556666\"].scopes[2]"));
}
END_TEST

START_TEST(counts_values_when_commas_mislead)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_free_ char *text = malloc(4 * MEGABYTE);
    struct dr_json5 document;

    ck_assert_ptr_nonnull(text);
    memset(text, ',', 4 * MEGABYTE);
    memcpy(text, "[1,'", 4);
    memcpy(text + 4 * MEGABYTE - 2, "']", 2);
    ck_assert_int_eq(dr_json5_parse(text, 4 * MEGABYTE, DR_JSON5_LENIENT, &arena, &document, NULL), 0);
    ck_assert_uint_eq(document.node_count, 3);
}
END_TEST

START_TEST(answers_enomem_beyond_the_arena)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1000);
    struct dr_json5 document;
    char text[2001];

    memset(text, '[', 1);
    for (size_t i = 1; i < 1999; i += 2)
        memcpy(text + i, "1,", 2);
    memcpy(text + 1999, "]", 2);
    ck_assert_int_eq(dr_json5_parse(text, 2000, DR_JSON5_LENIENT, &arena, &document, NULL), -ENOMEM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json5");
    TCase *reading = tcase_create("reading");
    TCase *looking = tcase_create("looking up");
    TCase *cost = tcase_create("cost");

    tcase_add_loop_test(reading, reads_what_json5_reads, 0, (int)DR_COUNT(good));
    tcase_add_loop_test(reading, says_where_and_why, 0, (int)DR_COUNT(bad));
    tcase_add_test(reading, refuses_nul_bytes);
    tcase_add_test(reading, survives_every_truncation);
    tcase_add_test(looking, finds_values_by_path);
    tcase_add_test(looking, knows_where_values_lie);
    tcase_add_test(looking, tells_whole_numbers_from_others);
    tcase_add_test(looking, finds_lines_in_large_documents);
    tcase_add_test(looking, last_duplicate_wins_and_all_are_listed);
    tcase_add_test(looking, finds_duplicates_among_many_keys);
    tcase_add_test(cost, refuses_deep_nesting_at_once);
    tcase_add_test(cost, accepts_nesting_up_to_the_limit);
    tcase_add_test(cost, holds_100000_pending_records_in_little_memory);
    tcase_add_test(cost, counts_values_when_commas_mislead);
    tcase_add_test(cost, answers_enomem_beyond_the_arena);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, looking);
    suite_add_tcase(suite, cost);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
