#include "api/json.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/hash.h"
#include "facts/context.h"
#include "format/json5.h"

#include <string.h>

enum { LARGEST_FILE = 32 << 20, LONGEST_LIST = 64 * 1024, MOST_ELEMENTS = 2000 };

struct dr_json_file {
    struct dr_json5 document;
    struct dr_file_identity identity;
    const char *sha256;
};

const struct dr_json_file *dr_json_load(struct dr_context *context, const char *path, const char **ret_why)
{
    struct dr_json_file *file = dr_alloc(context, sizeof(*file));
    struct dr_buffer bytes = DR_BUFFER(LARGEST_FILE);
    struct dr_json5_error error = { 0 };
    char hex[DR_SHA256_HEX];
    int r = dr_read_file(context->request->root_fd, path, &bytes, &file->identity);
    const char *text = r < 0 ? NULL : dr_strndup(context, dr_buffer_text(&bytes), bytes.length);
    size_t length = bytes.length;

    dr_buffer_release(&bytes);
    if (r == 0)
        r = dr_sha256_hex(text, length, hex);
    if (r < 0) {
        *ret_why = dr_errno_text(r);
        return NULL;
    }
    file->sha256 = dr_strdup(context, hex);
    r = dr_json5_parse(text, length, DR_JSON5_STRICT, context->arena, &file->document, &error);
    if (r == 0)
        return file;
    *ret_why = r == -EBADMSG ? error.text : dr_errno_text(r);
    return NULL;
}

const struct dr_file_identity *dr_json_state(const struct dr_json_file *file)
{
    return &file->identity;
}

const char *dr_json_sha256(const struct dr_json_file *file)
{
    return file->sha256;
}

/* A key that is given twice is not edited: which of the two counts is not for us to settle. */
static const struct dr_json5_node *only_member(const struct dr_json5 *document, const struct dr_json5_node *object,
                                               const char *key)
{
    const struct dr_json5_node *found = NULL;

    for (const struct dr_json5_node *node = dr_json5_first(object); node; node = dr_json5_next(node)) {
        if (!dr_json5_key_is(document, node, key))
            continue;
        if (found)
            return NULL;
        found = node;
    }
    return found;
}

static const struct dr_json5_node *node_at(const struct dr_json_file *file, const char *const *keys)
{
    const struct dr_json5_node *node = file->document.root;

    for (; node && *keys; keys++)
        node = node->type == DR_JSON5_OBJECT ? only_member(&file->document, node, *keys) : NULL;
    return node;
}

bool dr_json_text_at(const struct dr_json_file *file, const char *const *keys, uint64_t *ret_offset, uint64_t *ret_length)
{
    const struct dr_json5_node *node = node_at(file, keys);

    if (!node || node->type != DR_JSON5_STRING || node->length < 2)
        return false;
    *ret_offset = node->offset + 1;
    *ret_length = node->length - 2;
    return true;
}

static void add(struct dr_context *context, struct dr_json_edits *edits, uint64_t offset, uint64_t length, const char *text,
                size_t text_length)
{
    if (edits->count == edits->room) {
        size_t room = edits->room ? edits->room * 2 : 8;
        struct dr_edit *list = dr_alloc(context, room * sizeof(*list));

        if (edits->count > 0)
            memcpy(list, edits->list, edits->count * sizeof(*list));
        edits->list = list;
        edits->room = room;
    }
    size_t at = edits->count++;

    for (; at > 0 && edits->list[at - 1].offset > offset; at--)
        edits->list[at] = edits->list[at - 1];
    edits->list[at] = (struct dr_edit){
        .offset = offset,
        .length = length,
        .text = dr_strndup(context, text, text_length),
        .text_length = text_length,
    };
}

/* Spelt in JSON as it is, without escapes. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
            return false;
    return true;
}

static const char *key_of_element(const struct dr_json_file *file, const struct dr_json5_node *element, const char *key,
                                  struct dr_context *context)
{
    const struct dr_json5_node *node = element->type == DR_JSON5_OBJECT ? only_member(&file->document, element, key) : NULL;
    const char *text = NULL;

    if (!node || dr_json5_text(&file->document, node, context->arena, &text, NULL) < 0 || !*text || !is_plain(text))
        return NULL;
    return text;
}

/* Two elements with the same key would become one. */
static bool keys_differ(const struct dr_json_file *file, const struct dr_json5_node *array, const char *key,
                        struct dr_context *context)
{
    if (dr_json5_count(array) > MOST_ELEMENTS)
        return false; /* each is compared with each */
    for (const struct dr_json5_node *one = dr_json5_first(array); one; one = dr_json5_next(one)) {
        const char *text = key_of_element(file, one, key, context);

        if (!text)
            return false;
        for (const struct dr_json5_node *other = dr_json5_next(one); other; other = dr_json5_next(other))
            if (dr_json5_text_is(&file->document, dr_json5_member(&file->document, other, key), text))
                return false;
    }
    return true;
}

bool dr_json_array_to_object(struct dr_context *context, const struct dr_json_file *file, const char *key,
                             struct dr_json_edits *edits)
{
    const struct dr_json5_node *root = file->document.root;

    if (root->type != DR_JSON5_ARRAY || !keys_differ(file, root, key, context))
        return false;
    add(context, edits, root->offset, 1, "{", 1);
    for (const struct dr_json5_node *element = dr_json5_first(root); element; element = dr_json5_next(element)) {
        const char *label = dr_format(context, "\"%s\": ", key_of_element(file, element, key, context));

        add(context, edits, element->offset, 0, label, strlen(label));
    }
    add(context, edits, root->offset + root->length - 1, 1, "}", 1);
    return true;
}

/* The white space that stands before `offset` on its line; length 0 when something else does. */
static size_t indent_before(const struct dr_json5 *document, size_t offset)
{
    size_t start = offset;

    while (start > 0 && (document->bytes[start - 1] == ' ' || document->bytes[start - 1] == '\t'))
        start--;
    return start > 0 && document->bytes[start - 1] == '\n' ? offset - start : 0;
}

static int append_list(struct dr_buffer *buffer, const char *const *values, const char *gap)
{
    int r = 0;

    for (size_t i = 0; values[i] && r == 0; i++)
        r = dr_buffer_appendf(buffer, "%s\"%s\"", i == 0 ? "" : gap, values[i]);
    return r;
}

bool dr_json_set_list(struct dr_context *context, const struct dr_json_file *file, const char *const *keys,
                      const char *const *values, struct dr_json_edits *edits)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(LONGEST_LIST);
    const struct dr_json5_node *array = node_at(file, keys);
    const struct dr_json5_node *first = array && array->type == DR_JSON5_ARRAY ? dr_json5_first(array) : NULL;

    if (!array || array->type != DR_JSON5_ARRAY)
        return false;
    for (size_t i = 0; values[i]; i++)
        if (!is_plain(values[i]))
            return false;
    size_t start = first ? first->offset : array->offset + 1;
    size_t end = array->offset + array->length - 1;
    size_t indent = first ? indent_before(&file->document, start) : 0;
    const char *gap = indent > 0 ? dr_format(context, ",\n%.*s", (int)indent, file->document.bytes + start - indent) : ", ";

    /* From the first element to the end of the last: what stands before and behind them stays. */
    for (const struct dr_json5_node *node = first; node; node = dr_json5_next(node))
        end = node->offset + node->length;
    if (append_list(&text, values, gap) < 0)
        return false;
    add(context, edits, start, end - start, dr_buffer_text(&text), text.length);
    return true;
}

bool dr_json_set_text(struct dr_context *context, const struct dr_json_file *file, const char *const *keys, const char *text,
                      struct dr_json_edits *edits)
{
    uint64_t offset, length;

    if (!is_plain(text) || !dr_json_text_at(file, keys, &offset, &length))
        return false;
    add(context, edits, offset, length, text, strlen(text));
    return true;
}

static bool is_named(const struct dr_json_file *file, const struct dr_json5_node *node, const char *const *keys)
{
    for (; *keys; keys++)
        if (dr_json5_key_is(&file->document, node, *keys))
            return true;
    return false;
}

static uint64_t end_of(const struct dr_json5_node *node)
{
    return (uint64_t)node->offset + node->length;
}

bool dr_json_remove(struct dr_context *context, const struct dr_json_file *file, const char *const *keys,
                    struct dr_json_edits *edits)
{
    const struct dr_json5_node *root = file->document.root;
    const struct dr_json5_node *kept = NULL;
    const struct dr_json5_node *node = root->type == DR_JSON5_OBJECT ? dr_json5_first(root) : NULL;
    bool any = false;

    while (node) {
        const struct dr_json5_node *run = node;

        while (node && is_named(file, node, keys))
            node = dr_json5_next(node);
        any = any || node != run;
        if (node && node != run) /* members follow: up to the next key */
            add(context, edits, run->key_offset, node->key_offset - run->key_offset, "", 0);
        else if (node != run && kept) { /* the last ones: with the comma before */
            uint64_t last = end_of(root) - 1;

            for (const struct dr_json5_node *gone = run; gone; gone = dr_json5_next(gone))
                last = end_of(gone);
            add(context, edits, end_of(kept), last - end_of(kept), "", 0);
        } else if (node != run) /* all of them */
            add(context, edits, (uint64_t)root->offset + 1, (uint64_t)root->length - 2, "", 0);
        kept = node;
        node = node ? dr_json5_next(node) : NULL;
    }
    return any;
}
