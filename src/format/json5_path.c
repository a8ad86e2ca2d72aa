#include "format/json5_internal.h"

#include "base/buffer.h"

#include <string.h>

/* Longest path that is printed; a deeper or longer one is cut by the ceiling and answered with NULL. */
enum { PATH_CEILING = 1024 * 1024 };

/* Behind `["`: undoes the backslashes in place of a copy. Returns what follows `"]`, NULL when it is not closed. */
static const char *read_quoted(const char *at, char *out, size_t *ret_length)
{
    size_t length = 0;

    while (*at && *at != '"') {
        if (*at == '\\' && at[1])
            at++;
        out[length++] = *at++;
    }
    if (at[0] != '"' || at[1] != ']')
        return NULL;
    *ret_length = length;
    return at + 2;
}

static const char *read_index(const char *at, size_t *ret_index)
{
    size_t index = 0;
    const char *start = at;

    for (; *at >= '0' && *at <= '9' && at - start < 10; at++)
        index = index * 10 + (size_t)(*at - '0');
    if (at == start || *at != ']')
        return NULL;
    *ret_index = index;
    return at + 1;
}

int dr_json5_path_step(const char **path, char *scratch, struct dr_json5_step *ret_step)
{
    const char *at = *path;
    size_t length;

    *ret_step = (struct dr_json5_step){ 0 };
    if (*at == '\0')
        return 0;
    if (at[0] == '[' && at[1] != '"') {
        at = read_index(at + 1, &ret_step->index);
    } else if (at[0] == '[') {
        at = read_quoted(at + 2, scratch, &length);
        ret_step->key = scratch;
    } else {
        length = strcspn(at, ".[");
        if (length == 0)
            return -EINVAL;
        memcpy(scratch, at, length);
        at += length;
        ret_step->key = scratch;
    }
    if (!at)
        return -EINVAL;
    if (ret_step->key)
        scratch[length] = '\0';
    if (*at == '.' && at[1] != '\0' && at[1] != '[')
        at++;
    else if (*at != '\0' && *at != '[')
        return -EINVAL;
    *path = at;
    return 1;
}

const struct dr_json5_node *dr_json5_at(const struct dr_json5 *document, const char *path)
{
    const struct dr_json5_node *node = document->root;
    _cleanup_free_ char *scratch = malloc(strlen(path) + 1);
    struct dr_json5_step step;
    int r = 0;

    if (!scratch)
        return NULL;
    while (node && (r = dr_json5_path_step(&path, scratch, &step)) > 0)
        node = step.key ? dr_json5_member(document, node, step.key) : dr_json5_element(node, step.index);
    return r < 0 ? NULL : node;
}

static bool is_plain(const char *key, size_t length)
{
    if (length == 0 || (key[0] >= '0' && key[0] <= '9'))
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = key[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
              c == '-'))
            return false;
    }
    return true;
}

static int append_key(struct dr_buffer *buffer, const char *key, size_t length)
{
    int r;

    if (is_plain(key, length)) {
        r = buffer->length ? dr_buffer_append_byte(buffer, '.') : 0;
        return r < 0 ? r : dr_buffer_append(buffer, key, length);
    }
    r = dr_buffer_append_text(buffer, "[\"");
    for (size_t i = 0; r >= 0 && i < length; i++) {
        if (key[i] == '"' || key[i] == '\\')
            r = dr_buffer_append_byte(buffer, '\\');
        if (r >= 0)
            r = dr_buffer_append_byte(buffer, key[i]);
    }
    return r < 0 ? r : dr_buffer_append_text(buffer, "\"]");
}

static int append_step(struct dr_buffer *buffer, const struct dr_json5 *document, const struct dr_json5_node *node)
{
    struct dr_json5_spelling key = { 0 };

    if (node->key_length == 0) {
        size_t index = 0;

        for (const struct dr_json5_node *child = dr_json5_first(dr_json5_parent(node)); child != node;
             child = dr_json5_next(child))
            index++;
        return dr_buffer_appendf(buffer, "[%zu]", index);
    }
    key = dr_json5_spelling_of_key(document->bytes, node);

    _cleanup_free_ char *decoded = malloc(key.length + 1);

    if (!decoded)
        return -ENOMEM;
    return append_key(buffer, decoded, dr_json5_spelling_decode(key, decoded));
}

const char *dr_json5_path(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(PATH_CEILING);
    const struct dr_json5_node *steps[DR_JSON5_DEPTH + 1];
    size_t count = 0;

    for (; node && dr_json5_parent(node) && count < DR_COUNT(steps); node = dr_json5_parent(node))
        steps[count++] = node;
    while (count > 0)
        if (append_step(&buffer, document, steps[--count]) < 0)
            return NULL;
    return dr_arena_strndup(arena, dr_buffer_text(&buffer), buffer.length);
}
