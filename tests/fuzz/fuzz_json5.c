/* JSON5: every value lies inside its container, its path finds it, its text decodes, and replacing it gives JSON5 again. */
#include "format/edit.h"
#include "format/json5.h"
#include "fuzz.h"

enum { MOST_PATHS = 64 };

static void look_at(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena)
{
    const char *text;
    size_t length;
    double number;
    int64_t integer;
    bool boolean;
    int r;

    PROMISE((uint64_t)node->offset + node->length <= document->length);
    PROMISE(node->length > 0);
    r = dr_json5_text(document, node, arena, &text, &length);
    PROMISE(r == (node->type == DR_JSON5_STRING ? 0 : -EINVAL) || r == -ENOMEM);
    r = dr_json5_number(document, node, &number);
    PROMISE(r == (node->type == DR_JSON5_NUMBER ? 0 : -EINVAL));
    r = dr_json5_integer(document, node, &integer);
    PROMISE(r == 0 || r == -EINVAL || r == -ERANGE);
    r = dr_json5_boolean(document, node, &boolean);
    PROMISE(r == (node->type == DR_JSON5_BOOLEAN ? 0 : -EINVAL));
    r = dr_json5_key(document, node, arena, &text, &length);
    PROMISE(r == 0 || r == -EINVAL || r == -ENOMEM);

    struct dr_json5_position position = dr_json5_position(document, node->offset);

    PROMISE(position.line >= 1 && position.column >= 1);
}

static void replace(const struct dr_json5 *document, const struct dr_json5_node *node)
{
    struct dr_edit edit = { .offset = node->offset, .length = node->length, .text = "'new'", .text_length = 5 };
    struct dr_buffer edited = DR_BUFFER(document->length + 64);
    struct dr_arena arena = DR_ARENA(64 << 20);
    struct dr_json5 again;

    PROMISE(dr_edits_apply(document->bytes, document->length, &edit, 1, &edited) == 0);
    PROMISE(dr_json5_parse(edited.data, edited.length, DR_JSON5_LENIENT, &arena, &again, NULL) == 0);

    const struct dr_json5_node *changed = again.root + (node - document->root);

    PROMISE(dr_json5_text_is(&again, changed, "new"));
    dr_buffer_release(&edited);
    dr_arena_release(&arena);
}

static void walk(const struct dr_json5 *document, struct dr_arena *arena)
{
    for (size_t i = 0; i < document->node_count; i++) {
        const struct dr_json5_node *node = document->root + i;
        const struct dr_json5_node *up = dr_json5_parent(node);

        PROMISE((i == 0) == (up == NULL));
        if (up) {
            PROMISE(up->type == DR_JSON5_ARRAY || up->type == DR_JSON5_OBJECT);
            PROMISE(node->offset > up->offset && node->offset + node->length < up->offset + up->length);
        }
        look_at(document, node, arena);
        if (i >= MOST_PATHS)
            continue;

        const char *path = dr_json5_path(document, node, arena);

        if (path && !(node->flags & DR_JSON5_NODE_SHADOWED)) {
            const struct dr_json5_node *found = dr_json5_at(document, path);

            /* Below a shadowed member, the path leads to the member that counts. */
            PROMISE(found == node || found == NULL || document->duplicate_count > 0);
        }
        replace(document, node);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int strict = 0; strict < 2; strict++) {
        struct dr_arena arena = DR_ARENA(64 << 20);
        struct dr_json5 document;
        struct dr_json5_error error = { .text = NULL };
        enum dr_json5_flags flags = strict ? DR_JSON5_STRICT : DR_JSON5_LENIENT;
        int r = dr_json5_parse((const char *)data, size, flags, &arena, &document, &error);

        if (r == 0)
            walk(&document, &arena);
        else if (r == -EBADMSG)
            PROMISE(error.text && error.reason && error.position.line >= 1 && error.offset <= size);
        else
            PROMISE(r == -ENOMEM);
        dr_arena_release(&arena);
    }
    return 0;
}
