#include "format/json5_internal.h"

#include "base/buffer.h"

#include <locale.h>
#include <math.h>
#include <string.h>

const char *dr_json5_type_name(enum dr_json5_type type)
{
    switch (type) {
    case DR_JSON5_NULL:
        return "null";
    case DR_JSON5_BOOLEAN:
        return "boolean";
    case DR_JSON5_NUMBER:
        return "number";
    case DR_JSON5_STRING:
        return "string";
    case DR_JSON5_ARRAY:
        return "array";
    case DR_JSON5_OBJECT:
        return "object";
    }
    return "unknown";
}

const struct dr_json5_node *dr_json5_first(const struct dr_json5_node *container)
{
    return container && container->extent > 1 ? container + 1 : NULL;
}

const struct dr_json5_node *dr_json5_parent(const struct dr_json5_node *node)
{
    return node && node->up ? node - node->up : NULL;
}

const struct dr_json5_node *dr_json5_next(const struct dr_json5_node *node)
{
    const struct dr_json5_node *parent = dr_json5_parent(node);
    const struct dr_json5_node *next = parent ? node + node->extent : NULL;

    return next && next < parent + parent->extent ? next : NULL;
}

size_t dr_json5_count(const struct dr_json5_node *container)
{
    size_t count = 0;

    for (const struct dr_json5_node *child = dr_json5_first(container); child; child = dr_json5_next(child))
        count++;
    return count;
}

static bool key_is(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_json5_spelling key)
{
    return dr_json5_spelling_same(dr_json5_spelling_of_key(document->bytes, node), key);
}

static const struct dr_json5_node *find_member(const struct dr_json5 *document, const struct dr_json5_node *object,
                                               const char *key, size_t length)
{
    struct dr_json5_spelling wanted = { .bytes = key, .length = length };

    if (!object || object->type != DR_JSON5_OBJECT)
        return NULL;
    for (const struct dr_json5_node *child = dr_json5_first(object); child; child = dr_json5_next(child))
        if (!(child->flags & DR_JSON5_NODE_SHADOWED) && key_is(document, child, wanted))
            return child;
    return NULL;
}

const struct dr_json5_node *dr_json5_member(const struct dr_json5 *document, const struct dr_json5_node *object,
                                            const char *key)
{
    return find_member(document, object, key, strlen(key));
}

const struct dr_json5_node *dr_json5_element(const struct dr_json5_node *array, size_t index)
{
    if (!array || array->type != DR_JSON5_ARRAY)
        return NULL;

    const struct dr_json5_node *child = dr_json5_first(array);

    while (child && index > 0) {
        child = dr_json5_next(child);
        index--;
    }
    return child;
}

bool dr_json5_text_is(const struct dr_json5 *document, const struct dr_json5_node *node, const char *text)
{
    struct dr_json5_spelling wanted = { .bytes = text, .length = strlen(text) };

    return node && node->type == DR_JSON5_STRING &&
           dr_json5_spelling_same(dr_json5_spelling_of_text(document->bytes, node), wanted);
}

bool dr_json5_key_is(const struct dr_json5 *document, const struct dr_json5_node *node, const char *key)
{
    struct dr_json5_spelling wanted = { .bytes = key, .length = strlen(key) };

    return node && node->key_length > 0 && key_is(document, node, wanted);
}

static int decode(struct dr_json5_spelling spelling, struct dr_arena *arena, const char **ret_text, size_t *ret_length)
{
    char *text = dr_arena_alloc(arena, spelling.length + 1);

    if (!text)
        return -ENOMEM;

    size_t length = dr_json5_spelling_decode(spelling, text);

    *ret_text = text;
    if (ret_length)
        *ret_length = length;
    return 0;
}

int dr_json5_text(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                  const char **ret_text, size_t *ret_length)
{
    if (!node || node->type != DR_JSON5_STRING)
        return -EINVAL;
    return decode(dr_json5_spelling_of_text(document->bytes, node), arena, ret_text, ret_length);
}

int dr_json5_key(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                 const char **ret_key, size_t *ret_length)
{
    if (!node || node->key_length == 0)
        return -EINVAL;
    return decode(dr_json5_spelling_of_key(document->bytes, node), arena, ret_key, ret_length);
}

int dr_json5_number(const struct dr_json5 *document, const struct dr_json5_node *node, double *ret_number)
{
    if (!node || node->type != DR_JSON5_NUMBER)
        return -EINVAL;

    _cleanup_free_ char *spelling = strndup(document->bytes + node->offset, node->length);
    /* A copy with a NUL; and the decimal point must not depend on the user's language. */
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);

    if (!spelling || !plain) {
        if (plain)
            freelocale(plain);
        return -ENOMEM;
    }
    *ret_number = strtod_l(spelling, NULL, plain);
    freelocale(plain);
    return 0;
}

int dr_json5_integer(const struct dr_json5 *document, const struct dr_json5_node *node, int64_t *ret_integer)
{
    double number;
    int r = dr_json5_number(document, node, &number);

    if (r < 0)
        return r;
    /* Written so that NaN fails it, too. */
    if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0))
        return -ERANGE;

    int64_t whole = (int64_t)number;

    if (number < (double)whole || number > (double)whole)
        return -ERANGE;
    *ret_integer = whole;
    return 0;
}

int dr_json5_boolean(const struct dr_json5 *document, const struct dr_json5_node *node, bool *ret_boolean)
{
    if (!node || node->type != DR_JSON5_BOOLEAN)
        return -EINVAL;
    *ret_boolean = document->bytes[node->offset] == 't';
    return 0;
}
