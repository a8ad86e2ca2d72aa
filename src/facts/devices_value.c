/* Values out of a JSON document, forgiving: what is of another type is as if it were absent. */
#include "facts/devices_store.h"

#include <string.h>

const char *dr_store_text(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key)
{
    const struct dr_json5_node *node = dr_json5_member(&json->document, object, key);
    const char *text = NULL;

    if (!node || node->type != DR_JSON5_STRING)
        return NULL;
    if (dr_json5_text(&json->document, node, json->scratch, &text, NULL) < 0)
        return NULL;
    return dr_strdup(json->context, text);
}

int64_t dr_store_ms(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key)
{
    const struct dr_json5_node *node = dr_json5_member(&json->document, object, key);
    int64_t number = 0;

    return node && dr_json5_integer(&json->document, node, &number) == 0 ? number : 0;
}

bool dr_store_flag(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key)
{
    const struct dr_json5_node *node = dr_json5_member(&json->document, object, key);
    bool flag = false;

    return node && dr_json5_boolean(&json->document, node, &flag) == 0 && flag;
}

const char *const *dr_store_list(const struct dr_store_json *json, const struct dr_json5_node *array)
{
    if (!array || array->type != DR_JSON5_ARRAY)
        return NULL;
    const char **list = dr_alloc(json->context, (dr_json5_count(array) + 1) * sizeof(*list));
    size_t count = 0;

    for (const struct dr_json5_node *node = dr_json5_first(array); node; node = dr_json5_next(node)) {
        const char *text;

        if (node->type == DR_JSON5_STRING && dr_json5_text(&json->document, node, json->scratch, &text, NULL) == 0)
            list[count++] = dr_strdup(json->context, text);
    }
    return list;
}

static void read_token(const struct dr_store_json *json, const struct dr_json5_node *node, const char *pointer,
                       struct dr_device_token *token)
{
    const char *role = "";
    struct dr_json5_position position = dr_json5_position(&json->document, node->offset);

    if (dr_json5_key(&json->document, node, json->scratch, &role, NULL) < 0)
        role = "";
    token->role = dr_strdup(json->context, role);
    token->token = dr_store_text(json, node, "token");
    token->scopes = dr_store_list(json, dr_json5_member(&json->document, node, "scopes"));
    token->created_ms = dr_store_ms(json, node, "createdAtMs");
    token->rotated_ms = dr_store_ms(json, node, "rotatedAtMs");
    token->revoked_ms = dr_store_ms(json, node, "revokedAtMs");
    token->updated_ms = dr_store_ms(json, node, "updatedAtMs");
    token->source = (struct dr_source){
        .path = json->path,
        .pointer = dr_format(json->context, "%s.%s", pointer, role),
        .line = position.line,
        .column = position.column,
    };
}

struct dr_device_token *dr_store_tokens(const struct dr_store_json *json, const struct dr_json5_node *object,
                                        const char *pointer, size_t *ret_count)
{
    *ret_count = 0;
    if (!object || object->type != DR_JSON5_OBJECT)
        return NULL;
    struct dr_device_token *tokens = dr_alloc(json->context, (dr_json5_count(object) + 1) * sizeof(*tokens));

    for (const struct dr_json5_node *node = dr_json5_first(object); node; node = dr_json5_next(node))
        if (node->type == DR_JSON5_OBJECT && !(node->flags & DR_JSON5_NODE_SHADOWED))
            read_token(json, node, pointer, &tokens[(*ret_count)++]);
    return tokens;
}
