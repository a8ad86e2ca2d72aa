#include "format/json5_edit.h"
#include "format/json5_layout.h"

#include <string.h>

static size_t item_end(const struct dr_json5_node *node)
{
    return (size_t)node->offset + node->length;
}

static struct dr_edit deletion(size_t start, size_t end)
{
    return (struct dr_edit){ .offset = start, .length = end - start };
}

static const struct dr_json5_node *sibling_before(const struct dr_json5_node *node)
{
    const struct dr_json5_node *before = NULL;

    for (const struct dr_json5_node *child = dr_json5_first(dr_json5_parent(node)); child != node;
         child = dr_json5_next(child))
        before = child;
    return before;
}

/* Behind the member, its comma and the comments on its line. *ret_comma: the comma was on that way. */
static size_t line_of_item_end(const struct dr_json5 *document, const struct dr_json5_node *node, size_t comma,
                               bool *ret_comma, bool *ret_line_comment)
{
    size_t at = dr_json5_skip_on_line(document, item_end(node), ret_line_comment);

    *ret_comma = false;
    while (at < document->length && (document->bytes[at] == ' ' || document->bytes[at] == '\t'))
        at++;
    if (comma && at == comma) {
        *ret_comma = true;
        at = dr_json5_skip_on_line(document, comma + 1, ret_line_comment);
    }
    while (at < document->length && (document->bytes[at] == ' ' || document->bytes[at] == '\t'))
        at++;
    return at;
}

static bool is_blank_between(const struct dr_json5 *document, size_t start, size_t end)
{
    while (start < end && (document->bytes[start] == ' ' || document->bytes[start] == '\t'))
        start++;
    return start >= end;
}

/* A member that shares its lines with others: just its bytes, a comma, and the white space that separated it. */
static struct dr_edit remove_inline(const struct dr_json5 *document, const struct dr_json5_node *node, size_t comma)
{
    const struct dr_json5_node *before = sibling_before(node);
    size_t comma_before = before ? dr_json5_comma_behind(document, before) : 0;
    size_t start = dr_json5_item_start(node);
    size_t end = item_end(node);

    if (!comma && before && is_blank_between(document, comma_before + 1, start))
        return deletion(comma_before, end);
    if (comma == end)
        end++;
    while (end < document->length && (document->bytes[end] == ' ' || document->bytes[end] == '\t'))
        end++;
    return deletion(start, end);
}

int dr_json5_remove(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_edit ret_edits[2],
                    size_t *ret_count)
{
    size_t start = dr_json5_item_start(node);
    size_t comma;
    size_t end;
    size_t end_length;
    size_t other_comma = 0; /* to be taken away apart from the member */
    bool comma_on_line;
    bool line_comment;
    struct dr_edit item;

    if (!dr_json5_parent(node))
        return -EINVAL;
    comma = dr_json5_comma_behind(document, node);
    end = line_of_item_end(document, node, comma, &comma_on_line, &line_comment);
    if (dr_json5_begins_line(document, start) && dr_json5_is_line_end(document, end, &end_length) &&
        (!comma || comma_on_line))
        item = deletion(dr_json5_line_start(document, start), end + end_length);
    else
        item = remove_inline(document, node, comma);

    if (comma && comma >= item.offset + item.length) {
        other_comma = comma;
    } else if (!comma) {
        const struct dr_json5_node *before = sibling_before(node);

        /* The last one goes and there is no trailing comma: the comma in front would become one. */
        other_comma = before ? dr_json5_comma_behind(document, before) : 0;
        if (other_comma >= item.offset)
            other_comma = 0; /* taken away with the member */
    }
    *ret_count = 0;
    if (other_comma && other_comma < item.offset)
        ret_edits[(*ret_count)++] = deletion(other_comma, other_comma + 1);
    ret_edits[(*ret_count)++] = item;
    if (other_comma && other_comma > item.offset)
        ret_edits[(*ret_count)++] = deletion(other_comma, other_comma + 1);
    return 0;
}

int dr_json5_set_brackets(const struct dr_json5 *document, const struct dr_json5_node *node, enum dr_json5_type type,
                          struct dr_edit ret_edits[2])
{
    bool object = type == DR_JSON5_OBJECT;

    (void)document;
    if ((node->type != DR_JSON5_ARRAY && node->type != DR_JSON5_OBJECT) || (!object && type != DR_JSON5_ARRAY))
        return -EINVAL;
    ret_edits[0] = (struct dr_edit){
        .offset = node->offset,
        .length = 1,
        .text = object ? "{" : "[",
        .text_length = 1,
    };
    ret_edits[1] = (struct dr_edit){
        .offset = item_end(node) - 1,
        .length = 1,
        .text = object ? "}" : "]",
        .text_length = 1,
    };
    return 0;
}

int dr_json5_give_key(const struct dr_json5 *document, const struct dr_json5_node *element, const char *key,
                      struct dr_arena *arena, struct dr_edit *ret_edit)
{
    const char *spelt;
    char *text;

    (void)document;
    if (element->key_length || !dr_json5_parent(element))
        return -EINVAL;
    spelt = dr_json5_spell(key, strlen(key), '"', arena);
    text = spelt ? dr_arena_format(arena, "\"%s\": ", spelt) : NULL;
    if (!text)
        return -ENOMEM;
    *ret_edit = (struct dr_edit){ .offset = element->offset, .text = text, .text_length = strlen(text) };
    return 0;
}

int dr_json5_take_key(const struct dr_json5 *document, const struct dr_json5_node *member, struct dr_edit *ret_edit)
{
    (void)document;
    if (!member->key_length)
        return -EINVAL;
    *ret_edit = deletion(member->key_offset, member->offset);
    return 0;
}

int dr_json5_comment(const struct dr_json5 *document, const struct dr_json5_node *node, const char *comment,
                     struct dr_arena *arena, struct dr_edit *ret_edit)
{
    size_t start = dr_json5_item_start(node);
    size_t line = dr_json5_line_start(document, start);
    struct dr_json5_layout layout;
    char *text;

    if (strpbrk(comment, "\r\n") || strstr(comment, "*/") || strstr(comment, "\xe2\x80\xa8") ||
        strstr(comment, "\xe2\x80\xa9"))
        return -EINVAL;
    if (dr_json5_begins_line(document, start)) {
        dr_json5_layout(document, dr_json5_parent(node) ? dr_json5_parent(node) : node, &layout);
        text = dr_arena_format(arena, "// %s%s%.*s", comment, layout.line_end, (int)(start - line), document->bytes + line);
    } else {
        text = dr_arena_format(arena, "/* %s */ ", comment);
    }
    if (!text)
        return -ENOMEM;
    *ret_edit = (struct dr_edit){ .offset = start, .text = text, .text_length = strlen(text) };
    return 0;
}

int dr_json5_comment_out(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                         struct dr_edit **ret_edits, size_t *ret_count)
{
    size_t start = dr_json5_item_start(node);
    size_t comma = dr_json5_comma_behind(document, node);
    size_t count = 1;
    size_t made = 0;
    size_t length;
    bool comma_on_line;
    bool line_comment;
    size_t end = line_of_item_end(document, node, comma, &comma_on_line, &line_comment);

    if (!dr_json5_parent(node) || !dr_json5_begins_line(document, start) || !dr_json5_is_line_end(document, end, &length) ||
        (comma && !comma_on_line))
        return -ENOTSUP;
    /* U+2028 and U+2029 end a // comment, too: such a value cannot be commented out line by line. */
    if (memmem(document->bytes + start, end - start, "\xe2\x80\xa8", 3) ||
        memmem(document->bytes + start, end - start, "\xe2\x80\xa9", 3))
        return -ENOTSUP;
    for (size_t at = start; at < end; at++)
        count += dr_json5_is_line_end(document, at, &length) && !(length == 1 && at > 0 && document->bytes[at - 1] == '\r');

    struct dr_edit *edits = dr_arena_alloc(arena, count * sizeof(*edits));

    if (!edits)
        return -ENOMEM;
    edits[made++] = (struct dr_edit){ .offset = start, .text = "// ", .text_length = 3 };
    for (size_t at = start; at < end;) {
        if (!dr_json5_is_line_end(document, at, &length)) {
            at++;
            continue;
        }
        at += length;
        if (at < end)
            edits[made++] = (struct dr_edit){ .offset = at, .text = "// ", .text_length = 3 };
    }
    *ret_edits = edits;
    *ret_count = made;
    return 0;
}
