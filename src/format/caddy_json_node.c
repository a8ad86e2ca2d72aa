#include "format/caddy_json.h"

typedef const struct dr_json5_node node;

node *caddy_json_member(const struct caddy_json *json, node *object, const char *key)
{
    return dr_json5_member(&json->document, object, key);
}

const char *caddy_json_text(struct caddy_json *json, node *value)
{
    const char *text = NULL;

    if (!value || value->type != DR_JSON5_STRING || dr_json5_text(&json->document, value, json->arena, &text, NULL) < 0)
        return NULL;
    return text;
}

const char *caddy_json_member_text(struct caddy_json *json, node *object, const char *key)
{
    return caddy_json_text(json, caddy_json_member(json, object, key));
}

struct dr_source caddy_json_source(const struct caddy_json *json, node *value)
{
    struct dr_json5_position position = dr_json5_position(&json->document, value->offset);

    return (struct dr_source){ .path = json->file->path, .line = position.line, .column = position.column };
}

bool caddy_json_is_set(const struct caddy_json *json, node *value)
{
    bool yes = false;
    int64_t number = 0;

    if (!value)
        return false;
    if (dr_json5_boolean(&json->document, value, &yes) == 0)
        return yes;
    return dr_json5_integer(&json->document, value, &number) == 0 && number != 0;
}

struct caddy_op *caddy_json_op(struct caddy_json *json, enum caddy_op_kind kind, const char *field, const char *value,
                               node *at)
{
    struct caddy_op *op = dr_arena_alloc(json->arena, sizeof(*op));

    if (!op || !field || !value) {
        json->reader->failed = true;
        return NULL;
    }
    *op = (struct caddy_op){ .kind = kind,
                             .field = field,
                             .value = value,
                             .spelt = value,
                             .source = caddy_json_source(json, at),
                             .match = { .all = true } };
    return op;
}

void caddy_json_ops(struct caddy_json *json, node *request, void (*each)(void *user, struct caddy_op *op), void *user)
{
    static const struct {
        const char *key;
        enum caddy_op_kind kind;
    } kinds[] = { { "add", CADDY_ADD }, { "set", CADDY_SET }, { "delete", CADDY_DELETE }, { "replace", CADDY_REPLACE } };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        node *group = caddy_json_member(json, request, kinds[i].key);

        for (node *one = group ? dr_json5_first(group) : NULL; one; one = dr_json5_next(one)) {
            const char *field = NULL, *value = "";

            if (kinds[i].kind == CADDY_DELETE)
                field = caddy_json_text(json, one);
            else
                (void)!dr_json5_key(&json->document, one, json->arena, &field, NULL);
            if (one->type == DR_JSON5_ARRAY && dr_json5_first(one) && dr_json5_first(one)->type == DR_JSON5_STRING)
                value = caddy_json_text(json, dr_json5_first(one));
            struct caddy_op *op = field ? caddy_json_op(json, kinds[i].kind, field, value, one) : NULL;

            if (op)
                each(user, op);
        }
    }
}
