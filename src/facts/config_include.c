#include "facts/config_internal.h"

#include "base/text.h"

#include <string.h>
#include <sys/auxv.h>

/* The files that include each other, from the inside out. */
struct chain {
    const struct dr_config_doc *doc;
    const struct chain *outer;
    unsigned depth;
};

static int process(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *node,
                   struct dr_config_cell *ret_cell);

/* ---- merging ---- */

static struct dr_config_merged *new_merged(struct dr_config_state *state, enum dr_value_type type)
{
    struct dr_config_merged *merged = dr_arena_alloc(state->arena, sizeof(*merged));

    if (merged)
        merged->type = type;
    return merged;
}

static int append(struct dr_config_state *state, struct dr_config_merged *merged, const char *key,
                  struct dr_config_cell cell)
{
    if (state->slots++ == DR_CONFIG_SLOTS)
        return dr_config_fail(state, cell.doc, cell.node, "$include makes the configuration too large (%d values)",
                              (int)DR_CONFIG_SLOTS);

    struct dr_config_slot *slot = dr_arena_alloc(state->arena, sizeof(*slot));

    if (!slot)
        return -ENOMEM;
    slot->key = key;
    slot->cell = cell;
    if (merged->last)
        merged->last->next = slot;
    else
        merged->first = slot;
    merged->last = slot;
    merged->count++;
    return 0;
}

/* Finds slots by key. With few slots a walk is quicker than a table. */
struct slot_index {
    struct dr_config_slot **table;
    size_t mask;
    uint64_t seed;
};

static void index_release(struct slot_index *index)
{
    free(index->table);
}

static size_t index_place(const struct slot_index *index, const char *key)
{
    uint64_t hash = index->seed;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3U;

    size_t place = (size_t)(hash ^ hash >> 32) & index->mask;

    return place;
}

static void index_add(struct slot_index *index, struct dr_config_slot *slot)
{
    size_t place = index_place(index, slot->key);

    while (index->table[place])
        place = (place + 1) & index->mask;
    index->table[place] = slot;
}

static struct dr_config_slot *index_find(const struct slot_index *index, const char *key)
{
    size_t place = index_place(index, key);

    while (index->table[place] && strcmp(index->table[place]->key, key) != 0)
        place = (place + 1) & index->mask;
    return index->table[place];
}

static int index_init(struct slot_index *index, size_t most)
{
    const void *random = (const void *)getauxval(AT_RANDOM);
    size_t size = 16;

    while (size < most * 2)
        size *= 2;
    index->table = calloc(size, sizeof(struct dr_config_slot *));
    if (!index->table)
        return -ENOMEM;
    index->mask = size - 1;
    index->seed = 0xcbf29ce484222325U;
    if (random)
        memcpy(&index->seed, random, sizeof(index->seed));
    return 0;
}

/* A copy of the children of `cell`, so that the original can be shared. */
static int expand(struct dr_config_state *state, struct dr_config_cell cell, struct dr_config_merged **ret_merged)
{
    struct dr_config_merged *merged = new_merged(state, dr_config_cell_type(cell));
    const char *key = NULL;
    int r = 0;

    if (!merged)
        return -ENOMEM;
    if (cell.merged) {
        for (const struct dr_config_slot *slot = cell.merged->first; slot && r >= 0; slot = slot->next)
            r = append(state, merged, slot->key, slot->cell);
    } else {
        for (const struct dr_json5_node *child = dr_json5_first(cell.node); child && r >= 0; child = dr_json5_next(child)) {
            if (child->flags & DR_JSON5_NODE_SHADOWED)
                continue;
            key = NULL;
            if (child->key_length)
                r = dr_json5_key(&cell.doc->json, child, state->arena, &key, NULL);
            if (r >= 0)
                r = append(state, merged, key, (struct dr_config_cell){ .doc = cell.doc, .node = child });
        }
    }
    if (r >= 0)
        *ret_merged = merged;
    return r;
}

static bool is_blocked(const char *key)
{
    return strcmp(key, "__proto__") == 0 || strcmp(key, "prototype") == 0 || strcmp(key, "constructor") == 0;
}

static int merge(struct dr_config_state *state, struct dr_config_cell target, struct dr_config_cell source,
                 struct dr_config_cell *ret_cell);

static int merge_members(struct dr_config_state *state, struct dr_config_merged *into, const struct dr_config_merged *from)
{
    _cleanup_(index_release) struct slot_index index = { 0 };
    int r = index_init(&index, into->count + from->count);

    if (r < 0)
        return r;
    for (struct dr_config_slot *slot = into->first; slot; slot = slot->next)
        index_add(&index, slot);
    for (const struct dr_config_slot *slot = from->first; slot && r >= 0; slot = slot->next) {
        struct dr_config_slot *known = index_find(&index, slot->key);

        if (is_blocked(slot->key))
            continue;
        if (known) {
            r = merge(state, known->cell, slot->cell, &known->cell);
            continue;
        }
        r = append(state, into, slot->key, slot->cell);
        if (r >= 0)
            index_add(&index, into->last);
    }
    return r;
}

/* Objects merge, arrays concatenate, of everything else the source counts. */
static int merge(struct dr_config_state *state, struct dr_config_cell target, struct dr_config_cell source,
                 struct dr_config_cell *ret_cell)
{
    enum dr_value_type type = dr_config_cell_type(source);
    struct dr_config_merged *into;
    struct dr_config_merged *from;

    if (type != dr_config_cell_type(target) || (type != DR_VALUE_ARRAY && type != DR_VALUE_OBJECT)) {
        *ret_cell = source;
        return 0;
    }

    int r = expand(state, target, &into);

    if (r >= 0)
        r = expand(state, source, &from);
    if (r < 0)
        return r;
    if (type == DR_VALUE_OBJECT)
        r = merge_members(state, into, from);
    for (const struct dr_config_slot *slot = from->first; type == DR_VALUE_ARRAY && slot && r >= 0; slot = slot->next)
        r = append(state, into, NULL, slot->cell);
    if (r >= 0)
        *ret_cell = (struct dr_config_cell){ .doc = source.doc, .node = source.node, .merged = into };
    return r;
}

/* ---- $include ---- */

static int resolve_path(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *include,
                        const char **ret_path)
{
    const char *spelt;
    int r = dr_json5_text(&chain->doc->json, include, state->arena, &spelt, NULL);

    if (r < 0)
        return r;

    const char *slash = strrchr(chain->doc->file.path, '/');
    const char *folder =
        dr_arena_strndup(state->arena, chain->doc->file.path, slash ? (size_t)(slash - chain->doc->file.path) : 0);
    _cleanup_free_ char *joined = folder ? dr_path_join(*folder ? folder : "/", spelt) : NULL;
    _cleanup_free_ char *clean = joined ? dr_path_clean(joined) : NULL;

    if (!clean)
        return -ENOMEM;
    if (!dr_path_is_below(clean, state->folder) || strcmp(clean, state->folder) == 0)
        return dr_config_fail(state, chain->doc, include, "$include leads out of the configuration's folder");
    *ret_path = dr_arena_strdup(state->arena, clean);
    return *ret_path ? 0 : -ENOMEM;
}

static int include_file(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *include,
                        struct dr_config_cell *ret_cell)
{
    struct dr_config_doc *doc;
    const char *path;

    if (include->type != DR_JSON5_STRING)
        return dr_config_fail(state, chain->doc, include, "$include needs a path or a list of paths, not %s %s",
                              include->type == DR_JSON5_ARRAY || include->type == DR_JSON5_OBJECT ? "an" : "a",
                              dr_json5_type_name((enum dr_json5_type)include->type));

    int r = resolve_path(state, chain, include, &path);

    if (r < 0)
        return r;
    for (const struct chain *outer = chain; outer; outer = outer->outer)
        if (strcmp(outer->doc->file.path, path) == 0)
            return dr_config_fail(state, chain->doc, include, "$include goes round in a circle: %s is being read already",
                                  dr_config_short_path(state, path));
    if (chain->depth >= DR_CONFIG_DEPTH)
        return dr_config_fail(state, chain->doc, include, "more than %d files include each other", (int)DR_CONFIG_DEPTH);
    if (state->includes++ == DR_CONFIG_INCLUDES)
        return dr_config_fail(state, chain->doc, include, "more than %d $include entries", (int)DR_CONFIG_INCLUDES);
    r = dr_config_read(state, path, chain->doc, include, &doc);
    if (r < 0)
        return r;

    struct chain inner = { .doc = doc, .outer = chain, .depth = chain->depth + 1 };

    return process(state, &inner, doc->json.root, ret_cell);
}

static int include_value(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *include,
                         struct dr_config_cell *ret_cell)
{
    struct dr_config_cell total = { .doc = chain->doc, .node = include };
    struct dr_config_merged *nothing = new_merged(state, DR_VALUE_OBJECT);
    int r = 0;

    if (include->type != DR_JSON5_ARRAY)
        return include_file(state, chain, include, ret_cell);
    if (!nothing)
        return -ENOMEM;
    total.merged = nothing;
    for (const struct dr_json5_node *item = dr_json5_first(include); item && r >= 0; item = dr_json5_next(item)) {
        struct dr_config_cell one;

        r = include_file(state, chain, item, &one);
        if (r >= 0)
            r = merge(state, total, one, &total);
    }
    if (r >= 0)
        *ret_cell = total;
    return r;
}

/* ---- walking a file ---- */

/* An object or array with an $include somewhere below: its children one by one. `skip`: the $include itself. */
static int process_children(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *node,
                            const struct dr_json5_node *skip, struct dr_config_cell *ret_cell)
{
    struct dr_config_merged *merged = new_merged(state, node->type == DR_JSON5_ARRAY ? DR_VALUE_ARRAY : DR_VALUE_OBJECT);
    int r = 0;

    if (!merged)
        return -ENOMEM;
    for (const struct dr_json5_node *child = dr_json5_first(node); child && r >= 0; child = dr_json5_next(child)) {
        struct dr_config_cell cell = { 0 };
        const char *key = NULL;

        if (child == skip || (child->flags & DR_JSON5_NODE_SHADOWED))
            continue;
        if (child->key_length)
            r = dr_json5_key(&chain->doc->json, child, state->arena, &key, NULL);
        if (r >= 0)
            r = process(state, chain, child, &cell);
        if (r >= 0)
            r = append(state, merged, key, cell);
    }
    if (r >= 0)
        *ret_cell = (struct dr_config_cell){ .doc = chain->doc, .node = node, .merged = merged };
    return r;
}

static int process_include(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *node,
                           const struct dr_json5_node *include, struct dr_config_cell *ret_cell)
{
    struct dr_config_cell included;
    struct dr_config_cell rest;
    int r = include_value(state, chain, include, &included);

    if (r >= 0)
        r = process_children(state, chain, node, include, &rest);
    if (r < 0)
        return r;
    if (rest.merged->count == 0) {
        *ret_cell = included;
        return 0;
    }
    if (dr_config_cell_type(included) != DR_VALUE_OBJECT)
        return dr_config_fail(state, chain->doc, include,
                              "keys stand beside this $include, so it must name files that hold an object");
    return merge(state, included, rest, ret_cell);
}

/* Recursion is bounded: DR_JSON5_DEPTH levels in each of DR_CONFIG_DEPTH + 1 files. */
static int process(struct dr_config_state *state, const struct chain *chain, const struct dr_json5_node *node,
                   struct dr_config_cell *ret_cell)
{
    const struct dr_config_doc *doc = chain->doc;

    if (!doc->has_include || !doc->has_include[node - doc->json.root]) {
        *ret_cell = (struct dr_config_cell){ .doc = doc, .node = node };
        return 0;
    }

    const struct dr_json5_node *include = dr_json5_member(&doc->json, node, "$include");

    if (include)
        return process_include(state, chain, node, include, ret_cell);
    return process_children(state, chain, node, NULL, ret_cell);
}

int dr_config_resolve_includes(struct dr_config_state *state)
{
    struct chain chain = { .doc = state->docs[0] };

    return process(state, &chain, chain.doc->json.root, &state->root);
}
