#include "facts/config_internal.h"

#include "base/buffer.h"

#include <string.h>

/* Longest text that substitution may make. */
#define TEXT_CEILING ((size_t)1 << 20)

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (!((c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return length > 0;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

/*
 * As OpenClaw: what the configuration sets is put into the environment before substitution, where nothing but white space
 * stands there yet.
 */
static const char *lookup(const struct dr_config_state *state, const char *name)
{
    const char *value = state->environment.get ? state->environment.get(state->environment.data, name) : NULL;

    if (value && !is_blank(value))
        return value;
    for (const struct dr_config_default *set = state->defaults; set; set = set->next)
        if (strcmp(set->name, name) == 0)
            return set->value;
    return value && *value ? value : NULL;
}

/* Length of "${NAME}" at `at`, 0 when it is none. */
static size_t reference_length(const char *at, size_t left)
{
    const char *close;

    if (left < 4 || at[0] != '$' || at[1] != '{')
        return 0;
    close = memchr(at + 2, '}', left - 2);
    return close && is_name(at + 2, (size_t)(close - at) - 2) ? (size_t)(close - at) + 1 : 0;
}

static int append_variable(const struct dr_config_state *state, struct dr_buffer *out, const char *reference, size_t length,
                           const char **first, const char **missing)
{
    const char *name = dr_arena_strndup(state->arena, reference + 2, length - 3);
    const char *value = name ? lookup(state, name) : NULL;

    if (!name)
        return -ENOMEM;
    if (!*first)
        *first = name;
    if (!value) {
        if (!*missing)
            *missing = name;
        return 0;
    }
    return dr_buffer_append_text(out, value);
}

static int substitute(const struct dr_config_state *state, const char *raw, size_t length, struct dr_buffer *out,
                      const char **first, const char **missing)
{
    int r = 0;

    for (size_t i = 0; i < length && r >= 0;) {
        const char *dollar = memchr(raw + i, '$', length - i);
        size_t plain = dollar ? (size_t)(dollar - raw) - i : length - i;

        r = dr_buffer_append(out, raw + i, plain);
        i += plain;
        if (r < 0 || i == length)
            continue;

        size_t escaped = i + 1 < length && raw[i + 1] == '$' ? reference_length(raw + i + 1, length - i - 1) : 0;
        size_t reference = escaped ? escaped : reference_length(raw + i, length - i);

        if (escaped)
            r = dr_buffer_append(out, raw + i + 1, escaped);
        else if (reference)
            r = append_variable(state, out, raw + i, reference, first, missing);
        else
            r = dr_buffer_append_byte(out, '$');
        i += escaped ? escaped + 1 : reference ? reference : 1;
    }
    return r;
}

int dr_config_substitute(const struct dr_config_state *state, const char *raw, size_t length, const char **ret_text,
                         size_t *ret_length, const char **ret_first, const char **ret_missing)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(length + TEXT_CEILING);

    *ret_first = NULL;
    *ret_missing = NULL;
    *ret_text = raw;
    *ret_length = length;
    if (!memmem(raw, length, "${", 2))
        return 0;

    int r = substitute(state, raw, length, &out, ret_first, ret_missing);

    if (r == -E2BIG || *ret_missing)
        return -ENODATA;
    if (r < 0)
        return r;
    *ret_length = out.length;
    *ret_text = dr_arena_strndup(state->arena, dr_buffer_text(&out), out.length);
    return *ret_text ? 0 : -ENOMEM;
}

/* ---- env and env.vars ---- */

static int add_default(struct dr_config_state *state, const char *name, struct dr_config_cell cell)
{
    const char *value;
    struct dr_config_default *added;
    int r;

    if (cell.merged || cell.node->type != DR_JSON5_STRING)
        return 0;
    r = dr_json5_text(&cell.doc->json, cell.node, state->arena, &value, NULL);
    if (r < 0)
        return r;
    if (is_blank(value))
        return 0;
    added = dr_arena_alloc(state->arena, sizeof(*added));
    if (!added)
        return -ENOMEM;
    /* In front: what is added later wins. */
    *added = (struct dr_config_default){ .name = name, .value = value, .next = state->defaults };
    state->defaults = added;
    return 0;
}

static int add_defaults(struct dr_config_state *state, struct dr_config_cell cell)
{
    int r = 0;

    if (!cell.node || dr_config_cell_type(cell) != DR_VALUE_OBJECT)
        return 0;
    if (cell.merged) {
        for (const struct dr_config_slot *slot = cell.merged->first; slot && r >= 0; slot = slot->next)
            r = add_default(state, slot->key, slot->cell);
        return r;
    }
    for (const struct dr_json5_node *child = dr_json5_first(cell.node); child && r >= 0; child = dr_json5_next(child)) {
        const char *name;

        if (child->flags & DR_JSON5_NODE_SHADOWED)
            continue;
        r = dr_json5_key(&cell.doc->json, child, state->arena, &name, NULL);
        if (r >= 0)
            r = add_default(state, name, (struct dr_config_cell){ .doc = cell.doc, .node = child });
    }
    return r;
}

int dr_config_collect_defaults(struct dr_config_state *state)
{
    struct dr_config_cell env = dr_config_cell_member(state->root, "env");
    int r;

    if (!env.node)
        return 0;
    r = add_defaults(state, dr_config_cell_member(env, "vars"));
    return r < 0 ? r : add_defaults(state, env);
}

/* ---- what is set nowhere ---- */

struct search {
    const struct dr_config_state *state;
    struct dr_config_missing *list;
    size_t kept;
    size_t count;
};

static int look_at_text(struct search *search, const struct dr_config_doc *doc, const struct dr_json5_node *node,
                        const char *pointer, const struct dr_json5_node *top)
{
    const struct dr_config_state *state = search->state;
    const char *text;
    const char *first;
    const char *missing;
    size_t length;

    if (!memchr(doc->json.bytes + node->offset, '$', node->length) && !(node->flags & DR_JSON5_NODE_ESCAPED))
        return 0;

    int r = dr_json5_text(&doc->json, node, state->arena, &text, &length);

    if (r < 0)
        return r;
    r = dr_config_substitute(state, text, length, &text, &length, &first, &missing);
    if (r != -ENODATA || !missing)
        return r == -ENODATA ? 0 : r;
    search->count++;
    if (search->kept == DR_CONFIG_MISSING_KEPT)
        return 0;

    const char *below = dr_config_pointer_below(state, doc, top, node);
    struct dr_json5_position position = dr_json5_position(&doc->json, node->offset);

    pointer = below ? dr_config_pointer_join(state->arena, pointer, below) : NULL;
    if (!pointer)
        return -ENOMEM;
    search->list[search->kept++] = (struct dr_config_missing){
        .name = missing,
        .source = { .path = doc->file.path, .pointer = pointer, .line = position.line, .column = position.column },
    };
    return 0;
}

static int look_at_nodes(struct search *search, struct dr_config_cell cell, const char *pointer)
{
    const struct dr_json5_node *end = cell.node + cell.node->extent;
    int r = 0;

    for (const struct dr_json5_node *node = cell.node; node < end && r >= 0;) {
        if (node != cell.node && (node->flags & DR_JSON5_NODE_SHADOWED)) {
            node += node->extent;
            continue;
        }
        if (node->type == DR_JSON5_STRING)
            r = look_at_text(search, cell.doc, node, pointer, cell.node);
        node++;
    }
    return r;
}

static int look_at_cell(struct search *search, struct dr_config_cell cell, const char *pointer)
{
    size_t index = 0;
    int r = 0;

    if (!cell.merged)
        return look_at_nodes(search, cell, pointer);
    for (const struct dr_config_slot *slot = cell.merged->first; slot && r >= 0; slot = slot->next, index++) {
        const char *step = slot->key ? slot->key : dr_arena_format(search->state->arena, "[%zu]", index);
        const char *child = step ? dr_config_pointer_join(search->state->arena, pointer, step) : NULL;

        r = child ? look_at_cell(search, slot->cell, child) : -ENOMEM;
    }
    return r;
}

int dr_config_find_missing(struct dr_config_state *state, struct dr_config *config)
{
    struct search search = { .state = state };

    search.list = dr_arena_alloc(state->arena, DR_CONFIG_MISSING_KEPT * sizeof(*search.list));
    if (!search.list)
        return -ENOMEM;

    int r = look_at_cell(&search, state->root, "");

    config->missing = search.list;
    config->missing_count = search.kept;
    return r;
}
