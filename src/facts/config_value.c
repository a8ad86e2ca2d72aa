#include "facts/config_internal.h"

#include <string.h>

enum dr_value_type dr_config_cell_type(struct dr_config_cell cell)
{
    static const enum dr_value_type types[] = {
        [DR_JSON5_NULL] = DR_VALUE_NULL,     [DR_JSON5_BOOLEAN] = DR_VALUE_BOOLEAN, [DR_JSON5_NUMBER] = DR_VALUE_NUMBER,
        [DR_JSON5_STRING] = DR_VALUE_STRING, [DR_JSON5_ARRAY] = DR_VALUE_ARRAY,     [DR_JSON5_OBJECT] = DR_VALUE_OBJECT,
    };

    return cell.merged ? cell.merged->type : types[cell.node->type];
}

/* ---- pointers ---- */

const char *dr_config_pointer_join(struct dr_arena *arena, const char *pointer, const char *step)
{
    bool dot = *pointer && *step && *step != '[' && *step != '.';

    return dr_arena_format(arena, "%s%s%s", pointer, dot ? "." : "", *pointer == '\0' && *step == '.' ? step + 1 : step);
}

const char *dr_config_pointer_below(const struct dr_config_state *state, const struct dr_config_doc *doc,
                                    const struct dr_json5_node *top, const struct dr_json5_node *node)
{
    const char *above = dr_json5_path(&doc->json, top, state->arena);
    const char *whole = dr_json5_path(&doc->json, node, state->arena);

    if (!above || !whole)
        return NULL;
    whole += strlen(above);
    return *whole == '.' ? whole + 1 : whole;
}

/* ---- cells ---- */

/* A child, with the slot that it came from when its container is merged. */
struct child {
    struct dr_config_cell cell;
    const struct dr_config_slot *slot;
    const char *key;
};

static struct child from_slot(const struct dr_config_slot *slot)
{
    if (!slot)
        return (struct child){ 0 };
    return (struct child){ .cell = slot->cell, .slot = slot, .key = slot->key };
}

static const struct dr_json5_node *skip_shadowed(const struct dr_json5_node *node)
{
    while (node && (node->flags & DR_JSON5_NODE_SHADOWED))
        node = dr_json5_next(node);
    return node;
}

static struct child member(struct dr_config_cell cell, const char *key)
{
    if (dr_config_cell_type(cell) != DR_VALUE_OBJECT)
        return (struct child){ 0 };
    if (!cell.merged) {
        const struct dr_json5_node *node = dr_json5_member(&cell.doc->json, cell.node, key);

        return (struct child){ .cell = { .doc = cell.doc, .node = node }, .key = key };
    }
    for (const struct dr_config_slot *slot = cell.merged->first; slot; slot = slot->next)
        if (strcmp(slot->key, key) == 0)
            return from_slot(slot);
    return (struct child){ 0 };
}

static struct child element(struct dr_config_cell cell, size_t index)
{
    if (dr_config_cell_type(cell) != DR_VALUE_ARRAY)
        return (struct child){ 0 };
    if (!cell.merged)
        return (struct child){ .cell = { .doc = cell.doc, .node = dr_json5_element(cell.node, index) } };

    const struct dr_config_slot *slot = cell.merged->first;

    for (; slot && index > 0; index--)
        slot = slot->next;
    return from_slot(slot);
}

struct dr_config_cell dr_config_cell_member(struct dr_config_cell cell, const char *key)
{
    return member(cell, key).cell;
}

/* ---- values ---- */

static int fill_text(const struct dr_config_state *state, struct dr_config_cell cell, struct dr_config_value *value)
{
    const char *raw;
    const char *missing;
    size_t length;
    int r = dr_json5_text(&cell.doc->json, cell.node, state->arena, &raw, &length);

    if (r < 0)
        return r;
    r = dr_config_substitute(state, raw, length, &value->text, &value->text_length, &value->from_env, &missing);
    if (r == -ENODATA) {
        value->missing_env = true;
        value->text = NULL;
        value->text_length = 0;
        return -ENODATA;
    }
    if (r >= 0 && value->text == raw && length > 0 && !(cell.node->flags & DR_JSON5_NODE_ESCAPED)) {
        value->inner_offset = cell.node->offset + 1;
        value->inner_length = length;
    }
    return r;
}

static int fill_number(const struct dr_config_state *state, struct dr_config_cell cell, struct dr_config_value *value)
{
    value->text = dr_arena_strndup(state->arena, cell.doc->json.bytes + cell.node->offset, cell.node->length);
    value->text_length = cell.node->length;
    return value->text ? dr_json5_number(&cell.doc->json, cell.node, &value->number) : -ENOMEM;
}

/* 1, or -ENODATA, -ENOMEM. */
static int fill(const struct dr_config_state *state, const struct child *child, const char *pointer,
                struct dr_config_value *ret_value)
{
    struct dr_config_cell cell = child->cell;
    struct dr_json5_position position = dr_json5_position(&cell.doc->json, cell.node->offset);
    struct dr_config_value value = {
        .type = dr_config_cell_type(cell),
        .key = child->key ? dr_arena_strdup(state->arena, child->key) : NULL,
        .file = &cell.doc->file,
        .source = { .path = cell.doc->file.path,
                    .pointer = dr_arena_strdup(state->arena, pointer),
                    .line = position.line,
                    .column = position.column },
        .offset = cell.node->offset,
        .length = cell.node->length,
        .node = cell.node,
        .merged = cell.merged,
        .slot = child->slot,
    };
    int r = 0;

    if (!value.source.pointer || (child->key && !value.key))
        return -ENOMEM;
    if (value.type == DR_VALUE_STRING)
        r = fill_text(state, cell, &value);
    else if (value.type == DR_VALUE_NUMBER)
        r = fill_number(state, cell, &value);
    else if (value.type == DR_VALUE_BOOLEAN)
        r = dr_json5_boolean(&cell.doc->json, cell.node, &value.truth);
    if (r < 0 && r != -ENODATA)
        return r;
    *ret_value = value;
    return r < 0 ? r : 1;
}

int dr_config_lookup(const struct dr_config *config, const char *path, struct dr_config_value *ret_value)
{
    const struct dr_config_state *state = config->details;
    const char *rest = path;
    struct dr_json5_step step;
    int r = 0;

    if (config->fact.state == DR_ABSENT)
        return 0;
    if (config->fact.state != DR_KNOWN)
        return -EIO;

    _cleanup_free_ char *scratch = malloc(strlen(path) + 1);
    struct child at = { .cell = state->root };

    if (!scratch)
        return -ENOMEM;
    while (at.cell.node && (r = dr_json5_path_step(&rest, scratch, &step)) > 0)
        at = step.key ? member(at.cell, step.key) : element(at.cell, step.index);
    return r < 0 || !at.cell.node ? 0 : fill(state, &at, path, ret_value);
}

/* ---- walking ---- */

static struct dr_config_cell cell_of(const struct dr_config_value *value)
{
    return (struct dr_config_cell){
        .doc = (const struct dr_config_doc *)(const void *)value->file, /* its first member */
        .node = value->node,
        .merged = value->merged,
    };
}

/* The pointer of a container, out of that of its child: without the last step. */
static const char *pointer_above(const struct dr_config_state *state, const char *pointer)
{
    const char *rest = pointer;
    const char *last = pointer;
    struct dr_json5_step step;
    _cleanup_free_ char *scratch = malloc(strlen(pointer) + 1);

    if (!scratch)
        return NULL;
    for (const char *start = rest; dr_json5_path_step(&rest, scratch, &step) > 0; start = rest)
        last = start;
    if (last > pointer && last[-1] == '.')
        last--;
    return dr_arena_strndup(state->arena, pointer, (size_t)(last - pointer));
}

/* The position of a list's child, out of its pointer "...[n]". */
static size_t index_of(const char *pointer)
{
    const char *bracket = strrchr(pointer, '[');

    return bracket ? strtoul(bracket + 1, NULL, 10) : 0;
}

static bool is_plain(const char *key)
{
    return *key && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$-") == strlen(key) &&
           !(*key >= '0' && *key <= '9');
}

static const char *step_for(const struct dr_config_state *state, const struct child *child, size_t index)
{
    struct dr_arena *arena = state->arena;
    char *quoted;
    size_t length = 0;

    if (!child->key)
        return dr_arena_format(arena, "[%zu]", index);
    if (is_plain(child->key))
        return child->key;
    quoted = dr_arena_alloc(arena, strlen(child->key) * 2 + 5);
    if (!quoted)
        return NULL;
    quoted[length++] = '[';
    quoted[length++] = '"';
    for (const char *c = child->key; *c; c++) {
        if (*c == '"' || *c == '\\')
            quoted[length++] = '\\';
        quoted[length++] = *c;
    }
    quoted[length++] = '"';
    quoted[length] = ']';
    return quoted;
}

static bool fill_child(const struct dr_config_state *state, struct child child, const char *above, size_t index,
                       struct dr_config_value *ret_value)
{
    if (!child.cell.node || !above)
        return false;
    if (!child.slot && child.cell.node->key_length &&
        dr_json5_key(&child.cell.doc->json, child.cell.node, state->arena, &child.key, NULL) < 0)
        return false;

    const char *step = step_for(state, &child, index);
    const char *pointer = step ? dr_config_pointer_join(state->arena, above, step) : NULL;
    int r = pointer ? fill(state, &child, pointer, ret_value) : -ENOMEM;

    return r > 0 || r == -ENODATA;
}

bool dr_config_first(const struct dr_config *config, const struct dr_config_value *container,
                     struct dr_config_value *ret_child)
{
    struct dr_config_cell cell = cell_of(container);
    struct child child = { 0 };

    if (cell.merged)
        child = from_slot(cell.merged->first);
    else
        child.cell = (struct dr_config_cell){ .doc = cell.doc, .node = skip_shadowed(dr_json5_first(cell.node)) };
    return fill_child(config->details, child, container->source.pointer, 0, ret_child);
}

bool dr_config_next(const struct dr_config *config, const struct dr_config_value *child, struct dr_config_value *ret_next)
{
    const struct dr_config_slot *slot = child->slot;
    struct dr_config_cell cell = cell_of(child);
    struct child next = { 0 };

    if (slot)
        next = from_slot(slot->next);
    else
        next.cell = (struct dr_config_cell){ .doc = cell.doc, .node = skip_shadowed(dr_json5_next(cell.node)) };
    return fill_child(config->details, next, pointer_above(config->details, child->source.pointer),
                      child->key ? 0 : index_of(child->source.pointer) + 1, ret_next);
}

bool dr_config_flag(const struct dr_config *config, const char *path, bool otherwise)
{
    struct dr_config_value value;

    return dr_config_lookup(config, path, &value) > 0 && value.type == DR_VALUE_BOOLEAN ? value.truth : otherwise;
}
