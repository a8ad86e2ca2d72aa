/* src/format/json5_edit.h: changes that touch only what they must. */
#include "format/json5_edit.h"

#include "format/edit.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

static struct dr_json5 parse(const char *bytes, size_t length, enum dr_json5_flags flags, struct dr_arena *arena)
{
    struct dr_json5_error error = { 0 };
    struct dr_json5 document;

    ck_assert_msg(dr_json5_parse(bytes, length, flags, arena, &document, &error) == 0, "%s in:\n%.*s", error.text,
                  (int)length, bytes);
    return document;
}

static const char *apply(const struct dr_json5 *document, const struct dr_edit *edits, size_t count, struct dr_arena *arena)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);

    ck_assert_int_eq(dr_edits_apply(document->bytes, document->length, edits, count, &out), 0);
    return dr_arena_strndup(arena, dr_buffer_text(&out), out.length);
}

/* ---- setting ---- */

static const struct {
    const char *source;
    const char *path;
    const char *text; /* of a string ... */
    const char *spelling; /* ... or a spelling */
    const char *expected; /* NULL: -EINVAL */
} puts_[] = {
    /* replace */
    { "{a: 'x', /* c */ b: 1}", "a", "y", NULL, "{a: 'y', /* c */ b: 1}" },
    { "{\"a\": \"x\"}", "a", "q\"\\\n\x01", NULL, "{\"a\": \"q\\\"\\\\\\n\\u0001\"}" },
    { "{a: 0x10 // sixteen\n}", "a", NULL, "17", "{a: 17 // sixteen\n}" },
    { "{a: [1, 2], s: 's'}", "a", "t", NULL, "{a: 't', s: 's'}" },
    { "{a: [1, {b: 2}]}", "a[1].b", NULL, "{c: 3}", "{a: [1, {b: {c: 3}}]}" },
    { "{a: 1, a: 2}", "a", NULL, "3", "{a: 1, a: 3}" },
    { "[1]", "", NULL, "{}", "{}" },
    { "{a: 1}", "a", NULL, "1 2", NULL },
    { "{a: 1}", "a..b", NULL, "1", NULL },
    { "{a: 1}", "a.b", NULL, "1", NULL },
    { "{a: [1]}", "a[1]", NULL, "1", NULL },
    /* add: many lines */
    { "{\n  \"a\": 1\n}\n", "b", "x", NULL, "{\n  \"a\": 1,\n  \"b\": \"x\"\n}\n" },
    { "{\r\n\ta: 1, // one\r\n\t// tail\r\n}\r\n", "b", NULL, "2", "{\r\n\ta: 1, // one\r\n\tb: 2,\r\n\t// tail\r\n}\r\n" },
    { "{\n  a: 1 // one\n}", "b", NULL, "2", "{\n  a: 1, // one\n  b: 2\n}" },
    { "{\n  a: 1 /* x */ , /* y */ // z\n}", "b", NULL, "2", "{\n  a: 1 /* x */ , /* y */ // z\n  b: 2,\n}" },
    { "{\n  a:'x' }", "b", "y", NULL, "{\n  a:'x',\n  b:'y' }" },
    { "{\n  'k': 1,\n}", "it's", NULL, "2", "{\n  'k': 1,\n  'it\\'s': 2,\n}" },
    { "{\n  k: 1,\n}", "[\"a-b.c\"]", NULL, "2", "{\n  k: 1,\n  \"a-b.c\": 2,\n}" },
    /* add: one line */
    { "{a: 1}", "b", NULL, "2", "{a: 1, b: 2}" },
    { "{\"a\":1,\"b\":2}", "c", "x", NULL, "{\"a\":1,\"b\":2,\"c\":\"x\"}" },
    { "{\"a\":1}", "b", NULL, "2", "{\"a\":1,\"b\":2}" },
    { "{ a: 1, }", "b", NULL, "2", "{ a: 1, b: 2, }" },
    { "{ a: 1 // c\n}", "b", NULL, "2", "{ a: 1, // c\n  b: 2\n}" },
    { "{a: 1 /* x */}", "b", NULL, "2", "{a: 1, /* x */ b: 2}" },
    /* add: into nothing */
    { "{}", "a", NULL, "1", "{\"a\": 1}" },
    { "{ }", "a", NULL, "1", "{ \"a\": 1 }" },
    { "{\n}\n", "a", NULL, "1", "{\n  \"a\": 1\n}\n" },
    { "{\n  // nothing\n}\n", "a", NULL, "1", "{\n  // nothing\n  \"a\": 1\n}\n" },
    { "{\n    g: {},\n}", "g.a", NULL, "1", "{\n    g: {\n        a: 1\n    },\n}" },
    { "{\n  g: {\n  }\n}", "g.a", NULL, "1", "{\n  g: {\n    a: 1\n  }\n}" },
    { "{ // c\n}", "a", NULL, "1", "{ // c\n  \"a\": 1\n}" },
    { "// c\n{}", "a", NULL, "1", "// c\n{\"a\": 1}" },
    /* add: with the objects that miss above */
    { "{\n  \"gateway\": {\n    \"port\": 1\n  }\n}\n", "gateway.auth.token", "t", NULL,
      "{\n  \"gateway\": {\n    \"port\": 1,\n    \"auth\": {\n      \"token\": \"t\"\n    }\n  }\n}\n" },
    { "{\n\tx: 'y',\n}", "a.b.c", "t", NULL, "{\n\tx: 'y',\n\ta: {\n\t\tb: {\n\t\t\tc: 't',\n\t\t},\n\t},\n}" },
    { "{x: 'y'}", "a.b.c", "t", NULL, "{x: 'y', a: {b: {c: 't'}}}" },
    { "{}", "a.b", NULL, "1", "{\"a\": {\"b\": 1}}" },
};

START_TEST(sets_values_in_the_style_of_the_file)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    const char *source = puts_[_i].source;
    struct dr_json5 document = parse(source, strlen(source), DR_JSON5_LENIENT, &arena);
    struct dr_json5_change change;
    enum dr_json5_given given = puts_[_i].text ? DR_JSON5_GIVEN_TEXT : DR_JSON5_GIVEN_SPELLING;
    const char *value = puts_[_i].text ? puts_[_i].text : puts_[_i].spelling;
    int r = dr_json5_put(&document, puts_[_i].path, given, value, &arena, &change);

    ck_assert_int_eq(r, puts_[_i].expected ? 0 : -EINVAL);
    if (r < 0)
        return;
    ck_assert_str_eq(apply(&document, change.edits, change.count, &arena), puts_[_i].expected);
    if (puts_[_i].spelling)
        ck_assert_str_eq(change.edits[change.value].text, puts_[_i].spelling);
}
END_TEST

START_TEST(adds_elements_to_arrays)
{
    static const struct {
        const char *source;
        const char *expected;
    } rows[] = {
        { "[]", "[7]" },
        { "[1]", "[1, 7]" },
        { "[1,2]", "[1,2,7]" },
        { "[\n  1,\n  2\n]", "[\n  1,\n  2,\n  7\n]" },
        { "[\n  1, // c\n]", "[\n  1, // c\n  7,\n]" },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
        struct dr_json5 document = parse(rows[i].source, strlen(rows[i].source), DR_JSON5_LENIENT, &arena);
        struct dr_json5_change change;

        ck_assert_int_eq(dr_json5_add(&document, document.root, NULL, DR_JSON5_GIVEN_SPELLING, "7", &arena, &change), 0);
        ck_assert_str_eq(apply(&document, change.edits, change.count, &arena), rows[i].expected);
        ck_assert_int_eq(dr_json5_add(&document, document.root, "k", DR_JSON5_GIVEN_SPELLING, "7", &arena, &change),
                         -EINVAL);
    }
}
END_TEST

/* ---- removing ---- */

static const struct {
    const char *source;
    const char *path;
    const char *expected;
} removals[] = {
    { "{\n  a: 1,\n  b: 2,\n}\n", "a", "{\n  b: 2,\n}\n" },
    { "{\n  a: 1,\n  b: 2,\n}\n", "b", "{\n  a: 1,\n}\n" },
    { "{\n  a: 1,\n  b: 2\n}\n", "b", "{\n  a: 1\n}\n" },
    { "{\r\n  // about a\r\n  a: 1, // a\r\n  // about b\r\n  b: 2 // b\r\n}", "a",
      "{\r\n  // about a\r\n  // about b\r\n  b: 2 // b\r\n}" },
    { "{\n  a: 1, // a\n  // about b\n  b: 2 // b\n  // end\n}", "b", "{\n  a: 1 // a\n  // about b\n  // end\n}" },
    { "{\n  a: [\n    1,\n  ], /* x */\n  b: 2\n}", "a", "{\n  b: 2\n}" },
    { "{a: 1, b: 2, c: 3}", "a", "{b: 2, c: 3}" },
    { "{a: 1, b: 2, c: 3}", "b", "{a: 1, c: 3}" },
    { "{a: 1, b: 2, c: 3}", "c", "{a: 1, b: 2}" },
    { "{ a: 1, b: 2, }", "b", "{ a: 1, }" },
    { "{ a: 1 }", "a", "{ }" },
    { "{\"a\":1}", "a", "{}" },
    { "{a: 1\n, b: 2\n, c: 3}", "b", "{a: 1\n, \n c: 3}" },
    { "{a: 1 /* x */, b: 2}", "a", "{/* x */ b: 2}" },
    { "{a: 1, // x\n b: 2}", "a", "{// x\n b: 2}" },
    { "{a: 1, // x\n b: 2}", "b", "{a: 1 // x\n }" },
    { "{\n  a: 1 /* long\n  one */,\n  b: 2\n}", "a", "{\n  /* long\n  one */\n  b: 2\n}" },
    { "{x: [1, 2, 3]}", "x[1]", "{x: [1, 3]}" },
};

START_TEST(removes_members_and_keeps_the_rest)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    const char *source = removals[_i].source;
    struct dr_json5 document = parse(source, strlen(source), DR_JSON5_LENIENT, &arena);
    const struct dr_json5_node *node = dr_json5_at(&document, removals[_i].path);
    struct dr_edit edits[2];
    size_t count;

    ck_assert_ptr_nonnull(node);
    ck_assert_int_eq(dr_json5_remove(&document, node, edits, &count), 0);
    ck_assert_str_eq(apply(&document, edits, count, &arena), removals[_i].expected);
    ck_assert_int_eq(dr_json5_remove(&document, document.root, edits, &count), -EINVAL);
}
END_TEST

/* ---- brackets, keys, comments ---- */

START_TEST(makes_an_object_of_an_array)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    static const char source[] = "[\n  {\"deviceId\": \"a\"}, /* c */\n  {}\n]\n";
    struct dr_json5 document = parse(source, strlen(source), DR_JSON5_STRICT & 0, &arena);
    struct dr_edit edits[4];
    const char *object;

    ck_assert_int_eq(dr_json5_set_brackets(&document, document.root, DR_JSON5_OBJECT, edits), 0);
    ck_assert_int_eq(dr_json5_give_key(&document, dr_json5_element(document.root, 0), "a\"", &arena, &edits[2]), 0);
    ck_assert_int_eq(dr_json5_give_key(&document, dr_json5_element(document.root, 1), "b", &arena, &edits[3]), 0);
    dr_edits_sort(edits, 4);
    object = apply(&document, edits, 4, &arena);
    ck_assert_str_eq(object, "{\n  \"a\\\"\": {\"deviceId\": \"a\"}, /* c */\n  \"b\": {}\n}\n");

    document = parse(object, strlen(object), DR_JSON5_LENIENT, &arena);
    ck_assert_int_eq(dr_json5_set_brackets(&document, document.root, DR_JSON5_ARRAY, edits), 0);
    ck_assert_int_eq(dr_json5_take_key(&document, dr_json5_at(&document, "b"), &edits[2]), 0);
    ck_assert_int_eq(dr_json5_take_key(&document, dr_json5_first(document.root), &edits[3]), 0);
    dr_edits_sort(edits, 4);
    ck_assert_str_eq(apply(&document, edits, 4, &arena), source);
    ck_assert_int_eq(dr_json5_set_brackets(&document, dr_json5_at(&document, "b"), DR_JSON5_STRING, edits), -EINVAL);
    ck_assert_int_eq(dr_json5_take_key(&document, document.root, edits), -EINVAL);
}
END_TEST

START_TEST(writes_comments)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    static const char source[] = "{\r\n\ta: 1, b: [\r\n\t\t2,\r\n\t], // c\r\n\td: 3\r\n}";
    struct dr_json5 document = parse(source, strlen(source), DR_JSON5_LENIENT, &arena);
    struct dr_edit edit;
    struct dr_edit *edits;
    size_t count;

    ck_assert_int_eq(dr_json5_comment(&document, dr_json5_at(&document, "d"), "why", &arena, &edit), 0);
    ck_assert_str_eq(apply(&document, &edit, 1, &arena),
                     "{\r\n\ta: 1, b: [\r\n\t\t2,\r\n\t], // c\r\n\t// why\r\n\td: 3\r\n}");
    ck_assert_int_eq(dr_json5_comment(&document, dr_json5_at(&document, "b"), "why", &arena, &edit), 0);
    ck_assert_str_eq(apply(&document, &edit, 1, &arena),
                     "{\r\n\ta: 1, /* why */ b: [\r\n\t\t2,\r\n\t], // c\r\n\td: 3\r\n}");
    ck_assert_int_eq(dr_json5_comment(&document, dr_json5_at(&document, "b"), "*/", &arena, &edit), -EINVAL);
    ck_assert_int_eq(dr_json5_comment(&document, dr_json5_at(&document, "b"), "a\nb", &arena, &edit), -EINVAL);

    ck_assert_int_eq(dr_json5_comment_out(&document, dr_json5_at(&document, "b"), &arena, &edits, &count), -ENOTSUP);
    ck_assert_int_eq(dr_json5_comment_out(&document, dr_json5_at(&document, "d"), &arena, &edits, &count), 0);
    ck_assert_str_eq(apply(&document, edits, count, &arena), "{\r\n\ta: 1, b: [\r\n\t\t2,\r\n\t], // c\r\n\t// d: 3\r\n}");

    static const char lines[] = "{\n  b: [\n    2, // x\n  ], // c\n  d: 3\n}";

    document = parse(lines, strlen(lines), DR_JSON5_LENIENT, &arena);
    ck_assert_int_eq(dr_json5_comment_out(&document, dr_json5_at(&document, "b"), &arena, &edits, &count), 0);
    ck_assert_str_eq(apply(&document, edits, count, &arena), "{\n  // b: [\n//     2, // x\n//   ], // c\n  d: 3\n}");
}
END_TEST

/* ---- random documents and random changes ---- */

static uint64_t random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(random_state >> 33) % below;
}

struct writer {
    struct dr_buffer text;
    bool json; /* plain JSON */
    bool lines; /* this container is written over lines */
    unsigned comments;
    unsigned keys;
    const char *line_end;
};

static void put_text(struct writer *writer, const char *text)
{
    ck_assert_int_eq(dr_buffer_append_text(&writer->text, text), 0);
}

static void put_blank(struct writer *writer)
{
    static const char *const blanks[] = { "", " ", "", "  ", "\t", "", " ", "\n", "\r\n" };
    unsigned what = pick(24);

    if (writer->json || what < 18) {
        put_text(writer, blanks[pick(DR_COUNT(blanks))]);
    } else if (what < 20) {
        ck_assert_int_eq(dr_buffer_appendf(&writer->text, "/*c%u*/", writer->comments++), 0);
    } else if (what < 22) {
        ck_assert_int_eq(dr_buffer_appendf(&writer->text, " //c%u,]}%s", writer->comments++, writer->line_end), 0);
    } else if (what < 23) {
        ck_assert_int_eq(dr_buffer_appendf(&writer->text, "/*c%u%s*/", writer->comments++, writer->line_end), 0);
    } else {
        put_text(writer, "\xe2\x80\xa8\xc2\xa0");
    }
}

static void put_scalar(struct writer *writer)
{
    static const char *const json[] = { "1", "-2.5e3", "true", "null", "\"t\"", "\"a\\\"b,]}//\"", "\"\\u20ac\"", "\"\"" };
    static const char *const json5[] = { "0x1F", "+.5", "'q\"'", "'it\\'s'", "Infinity", "'a\\\nb'", "5." };

    put_text(writer, writer->json || pick(2) ? json[pick(DR_COUNT(json))] : json5[pick(DR_COUNT(json5))]);
}

static void put_item_gap(struct writer *writer, bool lines, unsigned depth)
{
    if (!lines) {
        put_blank(writer);
        return;
    }
    put_text(writer, writer->line_end);
    for (unsigned i = 0; i < depth; i++)
        put_text(writer, "  ");
}

static void put_value(struct writer *writer, unsigned depth)
{
    bool object = pick(2);
    bool lines = pick(2);
    unsigned count = pick(4);

    if (depth > 0 && (depth > 4 || pick(3) == 0)) {
        put_scalar(writer);
        return;
    }
    put_text(writer, object ? "{" : "[");
    for (unsigned i = 0; i < count; i++) {
        put_item_gap(writer, lines, depth + 1);
        if (object) {
            const char *quote = writer->json ? "\"" : pick(2) ? "" : pick(2) ? "'" : "\"";

            ck_assert_int_eq(dr_buffer_appendf(&writer->text, "%sk%u%s", quote, writer->keys++, quote), 0);
            put_blank(writer);
            put_text(writer, ":");
            put_blank(writer);
        }
        put_value(writer, depth + 1);
        put_blank(writer);
        if (i + 1 < count || (!writer->json && pick(3) == 0)) {
            put_text(writer, ",");
            put_blank(writer);
        }
    }
    put_item_gap(writer, lines, depth);
    put_text(writer, object ? "}" : "]");
}

/* The tree as a text, with one change made to it. */
struct show {
    const struct dr_json5 *document;
    const struct dr_json5_node *skip; /* left out */
    const struct dr_json5_node *replace; /* shown as `value` */
    const struct dr_json5_node *extend; /* has one more child, `value` */
    const char *value;
    struct dr_buffer out;
};

static void show_text(struct show *show, const char *text, size_t length)
{
    ck_assert_int_eq(dr_buffer_append(&show->out, text, length), 0);
}

static void show_node(struct show *show, const struct dr_json5_node *node)
{
    bool container = node->type >= DR_JSON5_ARRAY;

    if (node == show->skip)
        return;
    if (node->key_length) {
        /* k<number> in any quotes */
        const char *key = show->document->bytes + node->key_offset;
        bool quoted = *key == '"' || *key == '\'';

        show_text(show, key + quoted, node->key_length - (quoted ? 2 : 0));
        show_text(show, ":", 1);
    }
    if (node == show->replace) {
        show_text(show, show->value, strlen(show->value));
    } else if (!container) {
        show_text(show, show->document->bytes + node->offset, node->length);
    } else {
        show_text(show, node->type == DR_JSON5_OBJECT ? "{" : "[", 1);
        for (const struct dr_json5_node *child = dr_json5_first(node); child; child = dr_json5_next(child))
            show_node(show, child);
        if (node == show->extend) {
            show_text(show, node->type == DR_JSON5_OBJECT ? "new:" : "", node->type == DR_JSON5_OBJECT ? 4 : 0);
            show_text(show, show->value, strlen(show->value));
            show_text(show, " ", 1);
        }
        show_text(show, node->type == DR_JSON5_OBJECT ? "}" : "]", 1);
    }
    show_text(show, " ", 1);
}

static unsigned line_of(const struct dr_json5 *document, size_t offset)
{
    return dr_json5_position(document, offset).line;
}

/* Comments on lines that the node does not touch must still be there. */
static void expect_comments(const struct dr_json5 *document, const struct dr_json5_node *node, unsigned count,
                            const char *edited)
{
    size_t start = node->key_length ? node->key_offset : node->offset;
    unsigned first = line_of(document, start);
    unsigned last = line_of(document, (size_t)node->offset + node->length);

    for (unsigned i = 0; i < count; i++) {
        char name[24];
        int length = snprintf(name, sizeof(name), "c%u", i);
        const char *found = document->bytes;
        size_t at;

        do {
            found = strstr(found + 1, name);
        } while (found && ((found[-1] != '/' && found[-1] != '*') || (found[length] >= '0' && found[length] <= '9')));
        ck_assert_ptr_nonnull(found);
        at = (size_t)(found - document->bytes);
        if (at >= start && at < (size_t)node->offset + node->length)
            continue;
        if (line_of(document, at) >= first && line_of(document, at) <= last)
            continue;
        ck_assert_msg(strstr(edited, name) != NULL, "comment %s is lost:\n%s\n---\n%s", name, document->bytes, edited);
    }
}

static void check_change(unsigned seed)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(4 * MEGABYTE);
    struct writer writer = { .text = DR_BUFFER(MEGABYTE) };
    struct show before = { .out = DR_BUFFER(MEGABYTE) };
    struct show after = { .out = DR_BUFFER(MEGABYTE) };
    struct dr_edit edits[4];
    size_t count = 0;

    random_state = seed;
    writer.json = pick(3) == 0;
    writer.line_end = pick(3) ? "\n" : "\r\n";
    put_blank(&writer);
    put_value(&writer, 0);
    put_blank(&writer);

    enum dr_json5_flags flags = writer.json ? DR_JSON5_STRICT : DR_JSON5_LENIENT;
    struct dr_json5 document = parse(dr_buffer_text(&writer.text), writer.text.length, flags, &arena);
    const struct dr_json5_node *node = document.root + pick((unsigned)document.node_count);
    const char *value = pick(2) ? "\"new, \\\"value\\\"\"" : "[42]";
    struct dr_json5_change change = { 0 };
    unsigned what = pick(3);

    before.document = &document;
    before.value = value;
    if (what == 0 && node != document.root) {
        before.skip = node;
        ck_assert_int_eq(dr_json5_remove(&document, node, edits, &count), 0);
    } else if (what == 1 && node->type >= DR_JSON5_ARRAY) {
        before.extend = node;
        ck_assert_int_eq(dr_json5_add(&document, node, node->type == DR_JSON5_OBJECT ? "new" : NULL, DR_JSON5_GIVEN_SPELLING,
                                      value, &arena, &change),
                         0);
    } else {
        before.replace = node;
        ck_assert_int_eq(dr_json5_replace(&document, node, DR_JSON5_GIVEN_SPELLING, value, &arena, &change), 0);
    }
    if (change.count) {
        memcpy(edits, change.edits, sizeof(change.edits));
        count = change.count;
    }

    const char *edited = apply(&document, edits, count, &arena);
    struct dr_json5 again = parse(edited, strlen(edited), flags, &arena);

    after.document = &again;
    show_node(&before, document.root);
    show_node(&after, again.root);
    /* A container that was put in is shown with blanks of its own. */
    if (strcmp(value, "[42]") == 0) {
        struct dr_buffer *out = &after.out;
        char *shown;

        while ((shown = strstr(out->data, "[42 ]")) != NULL) {
            memmove(shown + 3, shown + 4, strlen(shown + 4) + 1);
            out->length--;
        }
    }
    ck_assert_msg(strcmp(dr_buffer_text(&before.out), dr_buffer_text(&after.out)) == 0,
                  "seed %u:\n%s\n--- became\n%s\n--- expected %s\n--- got      %s", seed, dr_buffer_text(&writer.text),
                  edited, dr_buffer_text(&before.out), dr_buffer_text(&after.out));
    if (before.skip || before.replace)
        expect_comments(&document, node, writer.comments, edited);
    for (size_t i = 0; before.extend && i < count; i++)
        for (size_t j = 0; j < edits[i].length; j++)
            ck_assert(strchr(" \t", document.bytes[edits[i].offset + j]) != NULL);
    dr_buffer_release(&writer.text);
    dr_buffer_release(&before.out);
    dr_buffer_release(&after.out);
}

/* 20 blocks of 1,000 documents. */
START_TEST(random_changes_do_what_was_asked)
{
    for (unsigned i = 0; i < 1000; i++)
        check_change((unsigned)_i * 1000 + i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json5_edit");
    TCase *edits = tcase_create("edits");

    tcase_add_loop_test(edits, sets_values_in_the_style_of_the_file, 0, (int)DR_COUNT(puts_));
    tcase_add_test(edits, adds_elements_to_arrays);
    tcase_add_loop_test(edits, removes_members_and_keeps_the_rest, 0, (int)DR_COUNT(removals));
    tcase_add_test(edits, makes_an_object_of_an_array);
    tcase_add_test(edits, writes_comments);
    tcase_add_loop_test(edits, random_changes_do_what_was_asked, 0, 20);
    suite_add_tcase(suite, edits);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
