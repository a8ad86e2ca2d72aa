#include "format/json5_edit.h"

#include "base/buffer.h"
#include "format/json5_layout.h"

#include <string.h>

/* Longest text around a new value. */
enum { AROUND_CEILING = 1024 * 1024 };

static size_t item_end(const struct dr_json5_node *node)
{
    return (size_t)node->offset + node->length;
}

/* ---- spelling ---- */

static bool is_identifier(const char *key)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$0123456789";
    size_t length = strlen(key);

    return length > 0 && strspn(key, letters) == length && !(*key >= '0' && *key <= '9');
}

/* The quote of texts: that of the neighbour, or of keys, or of the document's first text. */
static char text_quote(const struct dr_json5 *document, const struct dr_json5_layout *layout)
{
    if (layout && layout->last && layout->last->type == DR_JSON5_STRING)
        return document->bytes[layout->last->offset];
    if (layout && layout->key_quote)
        return layout->key_quote;
    for (size_t i = 0; i < document->node_count && i < 1000; i++)
        if (document->root[i].type == DR_JSON5_STRING)
            return document->bytes[document->root[i].offset];
    return '"';
}

static int check_spelling(const char *spelling, struct dr_arena *arena)
{
    struct dr_json5 document;
    int r = dr_json5_parse(spelling, strlen(spelling), DR_JSON5_LENIENT, arena, &document, NULL);

    return r == -EBADMSG ? -EINVAL : r;
}

/* ---- building a change ---- */

struct builder {
    const struct dr_json5 *document;
    struct dr_arena *arena;
    struct dr_buffer before; /* text in front of the value */
    struct dr_buffer behind;
    int error;
};

static void add_bytes(struct builder *builder, struct dr_buffer *buffer, const char *bytes, size_t length)
{
    if (builder->error >= 0)
        builder->error = dr_buffer_append(buffer, bytes, length);
}

static void add_text(struct builder *builder, struct dr_buffer *buffer, const char *text)
{
    add_bytes(builder, buffer, text, strlen(text));
}

static void add_span(struct builder *builder, struct dr_buffer *buffer, struct dr_json5_span span)
{
    add_bytes(builder, buffer, builder->document->bytes + span.start, span.end - span.start);
}

/* A line end and the indentation of the container's children (`level` 1), of the container (0), or deeper. */
static void add_line(struct builder *builder, struct dr_buffer *buffer, const struct dr_json5_layout *layout, int level)
{
    int steps = layout->indent_is_outer ? level : level - 1;

    add_text(builder, buffer, layout->line_end);
    add_span(builder, buffer, layout->indent);
    for (int i = 0; i < steps; i++) {
        if (layout->unit.end > layout->unit.start)
            add_span(builder, buffer, layout->unit);
        else
            add_text(builder, buffer, "  ");
    }
}

static void add_key(struct builder *builder, const struct dr_json5_layout *layout, const char *key)
{
    char quote[2] = { layout->key_quote, '\0' };

    if (!quote[0] && !is_identifier(key))
        quote[0] = '"';

    const char *spelt = quote[0] ? dr_json5_spell(key, strlen(key), quote[0], builder->arena) : key;

    if (!spelt) {
        builder->error = -ENOMEM;
        return;
    }
    add_text(builder, &builder->before, quote);
    add_text(builder, &builder->before, spelt);
    add_text(builder, &builder->before, quote);
    if (layout->colon.end > layout->colon.start)
        add_span(builder, &builder->before, layout->colon);
    else
        add_text(builder, &builder->before, ": ");
}

/* Moves a buffer into the arena as an edit's text. */
static int finish(struct builder *builder, const struct dr_buffer *buffer, struct dr_edit *edit)
{
    char *text = dr_arena_strndup(builder->arena, dr_buffer_text(buffer), buffer->length);

    if (!text)
        return -ENOMEM;
    edit->text = text;
    edit->text_length = buffer->length;
    return 0;
}

/* The value itself: its quote goes into the texts around it. */
static int spell_value(struct builder *builder, enum dr_json5_given given, const char *value, char quote,
                       const char **ret_text)
{
    if (given == DR_JSON5_GIVEN_SPELLING) {
        *ret_text = dr_arena_strdup(builder->arena, value);
        return *ret_text ? check_spelling(*ret_text, builder->arena) : -ENOMEM;
    }
    add_bytes(builder, &builder->before, &quote, 1);
    add_bytes(builder, &builder->behind, &quote, 1);
    *ret_text = dr_json5_spell(value, strlen(value), quote, builder->arena);
    return *ret_text ? builder->error : -ENOMEM;
}

/* ---- replacing ---- */

static int replace_with(struct builder *builder, const struct dr_json5_node *node, enum dr_json5_given given,
                        const char *value, struct dr_json5_change *change)
{
    const struct dr_json5 *document = builder->document;
    bool keeps_quotes = given == DR_JSON5_GIVEN_TEXT && node->type == DR_JSON5_STRING;
    char quote = keeps_quotes ? document->bytes[node->offset] : text_quote(document, NULL);
    const char *text;
    int r = spell_value(builder, given, value, quote, &text);

    if (r < 0)
        return r;

    struct dr_edit middle = { .offset = node->offset, .length = node->length, .text = text, .text_length = strlen(text) };

    if (keeps_quotes || given == DR_JSON5_GIVEN_SPELLING) {
        middle.offset += keeps_quotes;
        middle.length -= keeps_quotes ? 2 : 0;
        *change = (struct dr_json5_change){ .edits = { middle }, .count = 1 };
        return 0;
    }

    struct dr_edit front = { .offset = node->offset, .length = node->length };
    struct dr_edit back = { .offset = item_end(node) };

    middle.offset = back.offset;
    middle.length = 0;
    r = finish(builder, &builder->before, &front);
    if (r >= 0)
        r = finish(builder, &builder->behind, &back);
    *change = (struct dr_json5_change){ .edits = { front, middle, back }, .count = 3, .value = 1 };
    return r;
}

static struct builder new_builder(const struct dr_json5 *document, struct dr_arena *arena)
{
    return (struct builder){
        .document = document,
        .arena = arena,
        .before = DR_BUFFER(AROUND_CEILING),
        .behind = DR_BUFFER(AROUND_CEILING),
    };
}

static void release_builder(struct builder *builder)
{
    dr_buffer_release(&builder->before);
    dr_buffer_release(&builder->behind);
}

int dr_json5_replace(const struct dr_json5 *document, const struct dr_json5_node *node, enum dr_json5_given given,
                     const char *value, struct dr_arena *arena, struct dr_json5_change *ret_change)
{
    struct builder builder = new_builder(document, arena);
    struct dr_json5_change change = { 0 };
    int r = replace_with(&builder, node, given, value, &change);

    release_builder(&builder);
    if (r >= 0)
        *ret_change = change;
    return r;
}

/* ---- adding ---- */

/* What stands between the last child (or the bracket) and the new one. */
static void add_separator(struct builder *builder, const struct dr_json5_layout *layout)
{
    if (layout->many_lines || layout->behind_line_comment)
        add_line(builder, &builder->before, layout, 1);
    else if (!layout->last)
        add_span(builder, &builder->before, layout->inner);
    else if (layout->gap_known)
        add_span(builder, &builder->before, layout->gap);
    else
        add_text(builder, &builder->before, " ");
}

/* Objects that miss on the way: keys[0] is added here, the others one inside the other. */
static void add_keys(struct builder *builder, const struct dr_json5_layout *layout, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_key(builder, layout, keys[i]);
        if (i + 1 == count)
            break;
        add_text(builder, &builder->before, "{");
        if (layout->many_lines)
            add_line(builder, &builder->before, layout, (int)i + 2);
    }
}

static void close_objects(struct builder *builder, const struct dr_json5_layout *layout, size_t count)
{
    for (size_t level = count; level-- > 1;) {
        if (layout->many_lines) {
            add_text(builder, &builder->behind, layout->comma ? "," : "");
            add_line(builder, &builder->behind, layout, (int)level);
        }
        add_text(builder, &builder->behind, "}");
    }
}

static void close_container(struct builder *builder, const struct dr_json5_layout *layout)
{
    if (layout->last) {
        add_text(builder, &builder->behind, layout->comma ? "," : "");
        return;
    }
    /* Between brackets that had nothing: the closing one goes where it would stand. */
    if (!layout->one_line_inside)
        return;
    if (layout->many_lines || layout->behind_line_comment)
        add_line(builder, &builder->behind, layout, 0);
    else
        add_span(builder, &builder->behind, layout->inner);
}

static int add_with(struct builder *builder, const struct dr_json5_node *container, const char *const *keys, size_t count,
                    enum dr_json5_given given, const char *value, struct dr_json5_change *change)
{
    struct dr_json5_layout layout;
    const char *text;
    bool empty;
    int r;

    dr_json5_layout(builder->document, container, &layout);
    empty = !layout.last && layout.one_line_inside && !layout.behind_line_comment;
    add_separator(builder, &layout);
    add_keys(builder, &layout, keys, count);
    r = spell_value(builder, given, value, text_quote(builder->document, &layout), &text);
    if (r < 0)
        return r;
    close_objects(builder, &layout, count);
    close_container(builder, &layout);

    struct dr_edit front = { .offset = empty ? layout.inner.start : layout.add_at,
                             .length = empty ? layout.inner.end - layout.inner.start : 0 };
    struct dr_edit middle = { .offset = front.offset + front.length, .text = text, .text_length = strlen(text) };
    struct dr_edit back = { .offset = middle.offset };
    size_t at = 0;

    r = builder->error;
    if (r >= 0)
        r = finish(builder, &builder->before, &front);
    if (r >= 0)
        r = finish(builder, &builder->behind, &back);
    if (layout.last && !layout.comma)
        change->edits[at++] = (struct dr_edit){ .offset = item_end(layout.last), .text = ",", .text_length = 1 };
    change->edits[at++] = front;
    change->value = at;
    change->edits[at++] = middle;
    if (back.text_length)
        change->edits[at++] = back;
    change->count = at;
    return r;
}

static int add_keyed(const struct dr_json5 *document, const struct dr_json5_node *container, const char *const *keys,
                     size_t count, enum dr_json5_given given, const char *value, struct dr_arena *arena,
                     struct dr_json5_change *ret_change)
{
    struct builder builder = new_builder(document, arena);
    struct dr_json5_change change = { 0 };
    int r = add_with(&builder, container, keys, count, given, value, &change);

    release_builder(&builder);
    if (r >= 0)
        *ret_change = change;
    return r;
}

int dr_json5_add(const struct dr_json5 *document, const struct dr_json5_node *container, const char *key,
                 enum dr_json5_given given, const char *value, struct dr_arena *arena, struct dr_json5_change *ret_change)
{
    if (container->type != (key ? DR_JSON5_OBJECT : DR_JSON5_ARRAY))
        return -EINVAL;
    return add_keyed(document, container, &key, key ? 1 : 0, given, value, arena, ret_change);
}

/* The rest of a path as keys. -EINVAL: misspelt, an index, or too many. */
static int collect_keys(const char *path, struct dr_arena *arena, const char *keys[DR_JSON5_DEPTH], size_t *ret_count)
{
    _cleanup_free_ char *scratch = malloc(strlen(path) + 1);
    struct dr_json5_step step;
    size_t count = 0;
    int r;

    if (!scratch)
        return -ENOMEM;
    while ((r = dr_json5_path_step(&path, scratch, &step)) > 0) {
        if (!step.key || count == DR_JSON5_DEPTH)
            return -EINVAL;
        keys[count] = dr_arena_strdup(arena, step.key);
        if (!keys[count++])
            return -ENOMEM;
    }
    *ret_count = count;
    return r;
}

int dr_json5_put(const struct dr_json5 *document, const char *path, enum dr_json5_given given, const char *value,
                 struct dr_arena *arena, struct dr_json5_change *ret_change)
{
    _cleanup_free_ char *scratch = malloc(strlen(path) + 1);
    const struct dr_json5_node *node = document->root;
    const char *rest = path;
    const char *keys[DR_JSON5_DEPTH];
    size_t count;
    struct dr_json5_step step;
    int r = 0;

    if (!scratch)
        return -ENOMEM;
    for (;;) {
        const char *here = rest;
        const struct dr_json5_node *child;

        r = dr_json5_path_step(&rest, scratch, &step);
        if (r < 0)
            return r;
        if (r == 0)
            return dr_json5_replace(document, node, given, value, arena, ret_change);
        child = step.key ? dr_json5_member(document, node, step.key) : dr_json5_element(node, step.index);
        if (!child) {
            rest = here;
            break;
        }
        node = child;
    }
    if (node->type != DR_JSON5_OBJECT)
        return -EINVAL;
    r = collect_keys(rest, arena, keys, &count);
    return r < 0 ? r : add_keyed(document, node, keys, count, given, value, arena, ret_change);
}
