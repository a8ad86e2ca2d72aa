/*
 * Putting something into the configuration. The walk goes down the merged configuration; what is edited is the one file where the last
 * place that contributed stands, because that place wins (config_include.c).
 */
#include "facts/config_internal.h"

#include "base/cleanup.h"
#include "facts/context.h"
#include "format/edit.h"
#include "format/json5_edit.h"

#include <errno.h>
#include <string.h>

/* How far a path leads, and what of it is left. */
struct place {
    struct dr_config_cell cell; /* the last value that is there */
    const char *rest; /* "" when the whole path leads somewhere */
};

/* The text of a value is another one's: the environment decides, not the file. */
static bool is_foreign(struct dr_config_cell cell)
{
    static const char opening[] = "${";

    if (cell.merged || cell.node->type != DR_JSON5_STRING)
        return false;
    return memmem(cell.doc->json.bytes + cell.node->offset, cell.node->length, opening, sizeof(opening) - 1) != NULL;
}

/* 0; -ENOTSUP: a step that is an index, or goes into what is no object; -ENOMEM. */
static int walk(const struct dr_config_state *state, const char *path, struct place *ret_place)
{
    _cleanup_free_ char *scratch = malloc(strlen(path) + 1);
    struct place place = { .cell = state->root, .rest = path };
    struct dr_json5_step step;
    const char *next = path;
    int r = 0;

    if (!scratch)
        return -ENOMEM;
    while ((r = dr_json5_path_step(&next, scratch, &step)) > 0) {
        struct dr_config_cell child;

        if (!step.key || dr_config_cell_type(place.cell) != DR_VALUE_OBJECT)
            return -ENOTSUP;
        child = dr_config_cell_member(place.cell, step.key);
        if (!child.node)
            break;
        place = (struct place){ .cell = child, .rest = next };
    }
    *ret_place = place;
    return r < 0 ? -ENOTSUP : 0;
}

static int find(const struct dr_config *config, const char *path, struct place *ret_place)
{
    if (config->fact.state != DR_KNOWN)
        return -EIO;
    return walk(config->details, path, ret_place);
}

static void keep(struct dr_context *context, const struct dr_config_doc *doc, const struct dr_edit *edits, size_t count,
                 struct dr_config_edits *ret_edits)
{
    struct dr_edit *copy = dr_alloc(context, count * sizeof(*copy));

    memcpy(copy, edits, count * sizeof(*copy));
    *ret_edits = (struct dr_config_edits){ .file = &doc->file, .list = copy, .count = count };
}

/* Puts `spelling` where the place's path says, in the place's own file. */
static int put_spelling(struct dr_context *context, const struct place *place, const char *spelling,
                        struct dr_json5_change *ret_change)
{
    const struct dr_json5 *json = &place->cell.doc->json;

    if (!*place->rest)
        return dr_json5_replace(json, place->cell.node, DR_JSON5_GIVEN_SPELLING, spelling, context->arena, ret_change);
    if (place->cell.node->type != DR_JSON5_OBJECT)
        return -ENOTSUP;
    const char *above = dr_json5_path(json, place->cell.node, context->arena);
    const char *rest = *place->rest == '.' ? place->rest + 1 : place->rest;
    const char *path = above ? dr_config_pointer_join(context->arena, above, rest) : NULL;

    return path ? dr_json5_put(json, path, DR_JSON5_GIVEN_SPELLING, spelling, context->arena, ret_change) : -ENOMEM;
}

int dr_config_put(struct dr_context *context, const char *path, const char *spelling, struct dr_config_edits *ret_edits)
{
    struct dr_json5_change change;
    struct place place;
    int r = find(dr_config(context), path, &place);

    if (r < 0)
        return r;
    if (!*place.rest && (place.cell.merged || is_foreign(place.cell)))
        return -ENOTSUP;
    r = put_spelling(context, &place, spelling, &change);
    if (r == 0)
        keep(context, place.cell.doc, change.edits, change.count, ret_edits);
    return r;
}

/* The quote that this file uses. */
static char quote_of(const struct dr_json5 *json)
{
    for (size_t i = 0; i < json->node_count; i++)
        if (json->root[i].type == DR_JSON5_STRING)
            return json->bytes[json->root[i].offset];
    return '"';
}

static int append_to_new(struct dr_context *context, const struct place *place, const char *const *texts, size_t count,
                         struct dr_json5_change *ret_change)
{
    const char quote = quote_of(&place->cell.doc->json);
    const char *list = "";

    for (size_t i = 0; i < count; i++) {
        const char *spelt = dr_json5_spell(texts[i], strlen(texts[i]), quote, context->arena);

        if (!spelt)
            return -ENOMEM;
        list = dr_format(context, "%s%s%c%s%c", list, i ? ", " : "", quote, spelt, quote);
    }
    return put_spelling(context, place, dr_format(context, "[%s]", list), ret_change);
}

/* One after the other, each as if it were alone: what differs in the end is one edit. */
static int append_to_array(struct dr_context *context, const struct dr_config_doc *doc, const struct dr_json5_node *array,
                           const char *const *texts, size_t count, struct dr_edit *ret_edit)
{
    const char *path = dr_json5_path(&doc->json, array, context->arena);
    const char *bytes = doc->file.bytes;
    struct dr_json5 json = doc->json;
    size_t length = doc->file.length;

    for (size_t i = 0; i < count; i++) {
        _cleanup_buffer_ struct dr_buffer edited = DR_BUFFER(DR_CONFIG_CEILING);
        struct dr_json5_change change;
        int r = path ? dr_json5_add(&json, array, NULL, DR_JSON5_GIVEN_TEXT, texts[i], context->arena, &change) : -ENOMEM;

        if (r == 0)
            r = dr_edits_apply(bytes, length, change.edits, change.count, &edited);
        if (r < 0)
            return r;
        length = edited.length;
        bytes = dr_strndup(context, dr_buffer_text(&edited), length);
        r = dr_json5_parse(bytes, length, DR_JSON5_LENIENT, context->arena, &json, NULL);
        array = r == 0 ? dr_json5_at(&json, path) : NULL;
        if (!array)
            return r < 0 ? r : -ENOTSUP;
    }
    *ret_edit = dr_config_difference(doc->file.bytes, doc->file.length, bytes, length);
    return 0;
}

int dr_config_append_all(struct dr_context *context, const char *path, const char *const *texts, size_t count,
                         struct dr_config_edits *ret_edits)
{
    struct dr_json5_change change = { .count = 1 };
    struct place place;
    int r = find(dr_config(context), path, &place);

    for (size_t i = 0; i < count; i++)
        if (strstr(texts[i], "${"))
            return -EINVAL;
    if (r < 0)
        return r;
    if (*place.rest)
        r = append_to_new(context, &place, texts, count, &change);
    else if (place.cell.node->type == DR_JSON5_ARRAY && dr_config_cell_type(place.cell) == DR_VALUE_ARRAY)
        r = append_to_array(context, place.cell.doc, place.cell.node, texts, count, &change.edits[0]);
    else
        r = -ENOTSUP;
    if (r == 0)
        keep(context, place.cell.doc, change.edits, change.count, ret_edits);
    return r;
}

int dr_config_append(struct dr_context *context, const char *path, const char *text, struct dr_config_edits *ret_edits)
{
    return dr_config_append_all(context, path, &text, 1, ret_edits);
}

int dr_config_replace_text(struct dr_context *context, const struct dr_config_value *value, const char *text,
                           struct dr_config_edits *ret_edits)
{
    const struct dr_config_doc *doc = (const struct dr_config_doc *)(const void *)value->file; /* its first member */
    struct dr_config_cell cell = { .doc = doc, .node = value->node, .merged = value->merged };
    struct dr_json5_change change;

    if (value->type != DR_VALUE_STRING || !cell.node || is_foreign(cell))
        return -ENOTSUP;
    if (strstr(text, "${"))
        return -EINVAL;
    int r = dr_json5_replace(&doc->json, cell.node, DR_JSON5_GIVEN_TEXT, text, context->arena, &change);

    if (r == 0)
        keep(context, doc, change.edits, change.count, ret_edits);
    return r;
}
