/*
 * Taking elements out of an array: one after the other, from the last to the first, each as if it were alone. What differs in the end
 * is one edit, from the first byte that changed to the last.
 */
#include "facts/config_internal.h"

#include "base/cleanup.h"
#include "facts/context.h"
#include "format/edit.h"
#include "format/json5_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const char *bytes;
    size_t length;
};

/* The index of a node in its array, -1 when it stands in none. */
static long index_of(const struct dr_json5_node *node)
{
    const struct dr_json5_node *up = node ? dr_json5_parent(node) : NULL;
    long index = 0;

    if (!up || up->type != DR_JSON5_ARRAY)
        return -1;
    for (const struct dr_json5_node *child = dr_json5_first(up); child && child != node; child = dr_json5_next(child))
        index++;
    return index;
}

static int remove_one(struct dr_context *context, struct text *text, const char *array, long index)
{
    _cleanup_buffer_ struct dr_buffer edited = DR_BUFFER(text->length + 1);
    struct dr_json5 document;
    struct dr_edit edits[2];
    size_t count;
    int r = dr_json5_parse(text->bytes, text->length, DR_JSON5_LENIENT, context->arena, &document, NULL);

    if (r < 0)
        return r;
    const struct dr_json5_node *node = dr_json5_element(dr_json5_at(&document, array), (size_t)index);

    r = node ? dr_json5_remove(&document, node, edits, &count) : -ENOTSUP;
    if (r == 0)
        r = dr_edits_apply(text->bytes, text->length, edits, count, &edited);
    if (r < 0)
        return r;
    text->length = edited.length;
    text->bytes = dr_strndup(context, dr_buffer_text(&edited), edited.length);
    return 0;
}

struct dr_edit dr_config_difference(const char *before, size_t before_length, const char *after, size_t after_length)
{
    size_t least = before_length < after_length ? before_length : after_length, head = 0, tail = 0;

    while (head < least && before[head] == after[head])
        head++;
    while (tail < least - head && before[before_length - 1 - tail] == after[after_length - 1 - tail])
        tail++;
    return (struct dr_edit){
        .offset = head,
        .length = before_length - head - tail,
        .text = after + head,
        .text_length = after_length - head - tail,
    };
}

int dr_config_remove(struct dr_context *context, const struct dr_config_value *values, size_t count,
                     struct dr_edit *ret_edit)
{
    if (count == 0 || !values[0].file || index_of(values[0].node) < 0)
        return -ENOTSUP;
    const struct dr_config_doc *doc = (const struct dr_config_doc *)values[0].file; /* its first member */
    const struct dr_json5_node *array = dr_json5_parent(values[0].node);
    const char *path = dr_json5_path(&doc->json, array, context->arena);
    const struct text before = { doc->file.bytes, doc->file.length };
    struct text after = before;

    for (size_t i = count; i-- > 0;) {
        if (values[i].file != values[0].file || index_of(values[i].node) < 0 || dr_json5_parent(values[i].node) != array ||
            !path)
            return -ENOTSUP;
        int r = remove_one(context, &after, path, index_of(values[i].node));

        if (r < 0)
            return r;
    }
    *ret_edit = dr_config_difference(before.bytes, before.length, after.bytes, after.length);
    return 0;
}
