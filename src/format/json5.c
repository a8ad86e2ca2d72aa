#include "format/json5_parser.h"

#include "base/text.h"

#include <string.h>

/* ---- values ---- */

static void add_node(struct dr_json5_parser *parser, size_t start, enum dr_json5_type type, bool escaped)
{
    if (parser->nodes) {
        uint32_t container = parser->depth ? parser->stack[parser->depth - 1].node : 0;

        parser->nodes[parser->count] = (struct dr_json5_node){
            .offset = (uint32_t)start,
            .length = (uint32_t)(parser->at - start),
            .key_offset = (uint32_t)parser->key_offset,
            .key_length = (uint32_t)parser->key_length,
            .extent = 1,
            .up = (uint32_t)parser->count - container,
            .type = (uint8_t)type,
            .flags =
                (uint8_t)((escaped ? DR_JSON5_NODE_ESCAPED : 0) | (parser->key_escaped ? DR_JSON5_NODE_KEY_ESCAPED : 0)),
        };
    }
    parser->count++;
    parser->key_offset = 0;
    parser->key_length = 0;
    parser->key_escaped = false;
}

static int open_container(struct dr_json5_parser *parser)
{
    char bracket = parser->bytes[parser->at];

    if (parser->depth == DR_JSON5_DEPTH)
        return dr_json5_fail(parser, parser->at, "more than %d objects and arrays inside each other", (int)DR_JSON5_DEPTH);

    size_t node = parser->count;
    size_t start = parser->at++;

    add_node(parser, start, bracket == '{' ? DR_JSON5_OBJECT : DR_JSON5_ARRAY, false);
    parser->stack[parser->depth++] = (struct dr_json5_container){
        .node = (uint32_t)node,
        .offset = (uint32_t)start,
        .close = bracket == '{' ? '}' : ']',
    };
    parser->after_comma = false;
    return 0;
}

static int close_container(struct dr_json5_parser *parser)
{
    const struct dr_json5_container *top = &parser->stack[parser->depth - 1];

    if (parser->after_comma && parser->strict)
        return dr_json5_fail_extension(parser, parser->at, "a comma in front of the closing bracket");
    parser->at++;
    parser->after_comma = false;
    parser->depth--;
    if (!parser->nodes)
        return 0;

    struct dr_json5_node *node = &parser->nodes[top->node];

    node->length = (uint32_t)(parser->at - node->offset);
    node->extent = (uint32_t)parser->count - top->node;
    if (node->type == DR_JSON5_ARRAY)
        return 0;
    return dr_json5_duplicates_find(&parser->duplicates, parser->bytes, node);
}

static int fail_no_value(struct dr_json5_parser *parser)
{
    char c = dr_json5_peek(parser, 0);

    if (parser->at >= parser->length && parser->depth == 0)
        return dr_json5_fail(parser, parser->at, "the file is empty");
    if (dr_json5_is_ascii_letter(c))
        return dr_json5_fail(parser, parser->at,
                             "expected a value, found '%c' (words other than true, false and null need quotes)", c);
    return dr_json5_fail_found(parser, "a value");
}

static int scan_scalar(struct dr_json5_parser *parser)
{
    size_t start = parser->at;
    char c = parser->bytes[start];
    enum dr_json5_type type;
    bool escaped = false;
    int r = 0;

    if (c == '"' || c == '\'') {
        type = DR_JSON5_STRING;
        r = dr_json5_scan_text(parser, &escaped);
    } else if (dr_json5_is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'I' || c == 'N') {
        type = DR_JSON5_NUMBER;
        if ((c == 'I' && !dr_json5_skip_word(parser, "Infinity")) || (c == 'N' && !dr_json5_skip_word(parser, "NaN")))
            return fail_no_value(parser);
        parser->at = start;
        r = dr_json5_scan_number(parser);
    } else if (dr_json5_skip_word(parser, "null")) {
        type = DR_JSON5_NULL;
    } else if (dr_json5_skip_word(parser, "true") || dr_json5_skip_word(parser, "false")) {
        type = DR_JSON5_BOOLEAN;
    } else {
        return fail_no_value(parser);
    }
    if (r < 0)
        return r;
    add_node(parser, start, type, escaped);
    return 0;
}

/* ---- the document ---- */

enum state { AT_ITEM, AT_VALUE, BEHIND_VALUE, AT_END };

static int fail_end(const struct dr_json5_parser *parser)
{
    const struct dr_json5_container *top = &parser->stack[parser->depth - 1];

    return dr_json5_fail_end_inside(parser, top->close == '}' ? "an object" : "an array", top->offset);
}

/* In a container, where a member, an element or the closing bracket may stand. */
static int step_item(struct dr_json5_parser *parser, enum state *state)
{
    char close = parser->stack[parser->depth - 1].close;
    char c = parser->bytes[parser->at];

    if (c == close) {
        *state = BEHIND_VALUE;
        return close_container(parser);
    }
    *state = AT_VALUE;
    if (close == ']') {
        parser->after_comma = false;
        return 0;
    }

    int r = dr_json5_scan_key(parser);

    if (r < 0)
        return r;
    r = dr_json5_scan_blank(parser);
    if (r < 0)
        return r;
    if (parser->at == parser->length)
        return fail_end(parser);
    if (parser->bytes[parser->at] != ':')
        return dr_json5_fail_found(parser, "':' behind the key");
    parser->at++;
    parser->after_comma = false;
    return 0;
}

static int step_behind_value(struct dr_json5_parser *parser, enum state *state)
{
    const struct dr_json5_container *top = &parser->stack[parser->depth - 1];
    char c = parser->bytes[parser->at];

    if (c == ',') {
        parser->at++;
        parser->after_comma = true;
        *state = AT_ITEM;
        return 0;
    }
    if (c == top->close)
        return close_container(parser);
    return dr_json5_fail_found(parser, top->close == '}' ? "',' or '}' behind the value" : "',' or ']' behind the value");
}

static int step_value(struct dr_json5_parser *parser, enum state *state)
{
    char c = dr_json5_peek(parser, 0);

    if (c == '{' || c == '[') {
        *state = AT_ITEM;
        return open_container(parser);
    }
    *state = BEHIND_VALUE;
    return parser->at < parser->length ? scan_scalar(parser) : fail_no_value(parser);
}

static int parse_values(struct dr_json5_parser *parser)
{
    enum state state = AT_VALUE;

    parser->at = parser->has_bom ? 3 : 0;
    parser->count = 0;
    parser->depth = 0;
    while (state != AT_END) {
        int r = dr_json5_scan_blank(parser);

        if (r < 0)
            return r;
        if (state == BEHIND_VALUE && parser->depth == 0) {
            if (parser->at < parser->length)
                return dr_json5_fail(parser, parser->at, "the document ends before this: found %s behind it",
                                     dr_json5_found(parser, parser->at).text);
            state = AT_END;
        } else if (parser->depth > 0 && parser->at == parser->length) {
            return fail_end(parser);
        } else if (state == AT_ITEM) {
            r = step_item(parser, &state);
        } else if (state == AT_VALUE) {
            r = step_value(parser, &state);
        } else {
            r = step_behind_value(parser, &state);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/*
 * More values than commas and opening brackets there cannot be. When that bound is far from the truth (a long text
 * full of commas), the values are counted by reading twice.
 */
static int allocate_nodes(struct dr_json5_parser *parser)
{
    size_t bound = 1;

    for (size_t i = 0; i < parser->length; i++)
        bound += parser->bytes[i] == ',' || parser->bytes[i] == '{' || parser->bytes[i] == '[';
    if (bound > 1000 && bound > parser->length / 16) {
        int r = parse_values(parser);

        if (r < 0)
            return r;
        bound = parser->count;
    }
    parser->nodes = dr_arena_alloc(parser->arena, bound * sizeof(*parser->nodes));
    return parser->nodes ? 0 : -ENOMEM;
}

static int check_bytes(struct dr_json5_parser *parser)
{
    const char *zero = memchr(parser->bytes, '\0', parser->length);
    size_t end = zero ? (size_t)(zero - parser->bytes) : parser->length;
    size_t at = 0;

    while (at < end) {
        uint64_t eight;

        if (end - at >= sizeof(eight)) {
            memcpy(&eight, parser->bytes + at, sizeof(eight));
            if ((eight & 0x8080808080808080U) == 0) {
                at += sizeof(eight);
                continue;
            }
        }

        size_t length = dr_utf8_length(parser->bytes + at, end - at);

        if (length == 0)
            return dr_json5_fail(parser, at, "byte 0x%02x: not valid UTF-8", (unsigned)(unsigned char)parser->bytes[at]);
        at += length;
    }
    return zero ? dr_json5_fail(parser, end, "byte 0x00: no text file holds NUL bytes") : 0;
}

static int make_marks(const struct dr_json5_parser *parser, struct dr_json5 *document)
{
    size_t count = parser->length / DR_JSON5_MARK_EVERY + 1;
    struct dr_json5_position position = { 1, 1 };
    size_t from = parser->has_bom ? 3 : 0;

    if (count == 1)
        return 0;

    struct dr_json5_mark *marks = dr_arena_alloc(parser->arena, count * sizeof(*marks));

    if (!marks)
        return -ENOMEM;
    for (size_t i = 1; i < count; i++) {
        dr_json5_position_advance(parser->bytes, parser->length, from, i * DR_JSON5_MARK_EVERY, &position);
        from = i * DR_JSON5_MARK_EVERY;
        marks[i] = (struct dr_json5_mark){ position.line, position.column };
    }
    document->marks = marks;
    document->mark_count = count;
    return 0;
}

static int keep_duplicates(const struct dr_json5_parser *parser, struct dr_json5 *document)
{
    const struct dr_json5_duplicates *found_ones = &parser->duplicates;

    document->duplicate_count = found_ones->count;
    document->duplicates_kept = found_ones->kept;
    if (found_ones->kept == 0)
        return 0;

    struct dr_json5_duplicate *list = dr_arena_alloc(parser->arena, found_ones->kept * sizeof(*list));

    if (!list)
        return -ENOMEM;
    memcpy(list, found_ones->list, found_ones->kept * sizeof(*list));
    document->duplicates = list;
    return 0;
}

static int parse(struct dr_json5_parser *parser, struct dr_json5 *ret_document)
{
    struct dr_json5 document = { .bytes = parser->bytes, .length = parser->length };
    int r = check_bytes(parser);

    if (r < 0)
        return r;
    if (parser->length >= 3 && memcmp(parser->bytes, "\xef\xbb\xbf", 3) == 0) {
        if (parser->strict)
            return dr_json5_fail_extension(parser, 0, "a byte order mark");
        parser->has_bom = true;
    }
    r = allocate_nodes(parser);
    if (r >= 0)
        r = parse_values(parser);
    if (r >= 0)
        r = make_marks(parser, &document);
    if (r >= 0)
        r = keep_duplicates(parser, &document);
    if (r < 0)
        return r;
    document.root = parser->nodes;
    document.node_count = parser->count;
    document.has_bom = parser->has_bom;
    *ret_document = document;
    return 0;
}

int dr_json5_parse(const char *bytes, size_t length, enum dr_json5_flags flags, struct dr_arena *arena,
                   struct dr_json5 *ret_document, struct dr_json5_error *reterr_error)
{
    struct dr_json5_parser parser = {
        .bytes = bytes,
        .length = length,
        .strict = flags & DR_JSON5_STRICT,
        .arena = arena,
        .error = reterr_error,
    };

    if (length > DR_JSON5_LENGTH_MAX)
        return -E2BIG;

    int r = parse(&parser, ret_document);

    dr_json5_duplicates_release(&parser.duplicates);
    return r;
}
