/*
 * Mending until nothing is left to mend. Where one edit changes what another line is for (httpd: a worker that two routes share, a section that is
 * for the new URL), the edited text is read again in memory, and what a second round would edit is put into the first.
 */
#include "base/buffer.h"
#include "format/edit.h"
#include "format/proxy_reader.h"

#include <errno.h>
#include <string.h>

enum { ROUNDS = 3, MOST_FILES = 16, MOST_EDITS = 128 };

/* The files as they are after the edits. */
struct overlay {
    struct dr_proxy_loader loader;
    const struct dr_proxy_loader *under;
    const struct dr_proxy_file *old[MOST_FILES];
    struct dr_proxy_file edited[MOST_FILES];
    size_t count;
};

static int load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    const struct overlay *overlay = user;
    int r = overlay->under->load(overlay->under->user, path, ret_file);

    for (size_t i = 0; r == 0 && i < overlay->count; i++)
        if (overlay->old[i] == *ret_file) {
            *ret_file = &overlay->edited[i];
            break;
        }
    return r;
}

static int expand(void *user, const char *pattern, const char *const **ret_paths)
{
    const struct overlay *overlay = user;

    return overlay->under->expand(overlay->under->user, pattern, ret_paths);
}

static const char *environment(void *user, const char *name)
{
    const struct overlay *overlay = user;

    return overlay->under->environment(overlay->under->user, name);
}

/* The edits of one file. */
static size_t edits_of(const struct dr_route_edits *edits, const struct dr_proxy_file *file, struct dr_edit list[MOST_EDITS])
{
    size_t count = 0;

    for (size_t i = 0; i < edits->count && count < MOST_EDITS; i++)
        if (edits->list[i].file == file)
            list[count++] = edits->list[i].edit;
    return count;
}

static bool edit_file(struct overlay *overlay, const struct dr_proxy_file *file, const struct dr_route_edits *edits)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(DR_PROXY_FILE_CEILING + (1 << 20));
    struct dr_proxy_file *edited = &overlay->edited[overlay->count];
    struct dr_edit list[MOST_EDITS];
    size_t count = edits_of(edits, file, list);

    if (overlay->count == MOST_FILES || count == MOST_EDITS ||
        dr_edits_apply(file->bytes, file->length, list, count, &text) < 0)
        return false;
    char *bytes = dr_arena_alloc(overlay->loader.arena, text.length + 1);

    if (!bytes)
        return false;
    memcpy(bytes, dr_buffer_text(&text), text.length);
    *edited = *file;
    edited->bytes = bytes;
    edited->length = text.length;
    overlay->old[overlay->count++] = file;
    return true;
}

static struct overlay *apply(const struct dr_proxy_loader *under, struct dr_arena *arena, const struct dr_route_edits *edits)
{
    struct overlay *overlay = dr_arena_alloc(arena, sizeof(*overlay));

    if (!overlay)
        return NULL;
    overlay->under = under;
    overlay->loader = (struct dr_proxy_loader){
        .arena = arena, .user = overlay, .load = load, .expand = expand, .environment = environment
    };
    for (size_t i = 0; i < edits->count; i++) {
        bool known = false;

        for (size_t j = 0; j < overlay->count; j++)
            known = known || overlay->old[j] == edits->list[i].file;
        if (!known && !edit_file(overlay, edits->list[i].file, edits))
            return NULL;
    }
    return overlay;
}

/* --- the same route ----------------------------------------------------------------------------------------------------------- */

static size_t offset_of(const struct dr_proxy_file *file, const struct dr_source *source)
{
    const char *at = file->bytes;

    for (unsigned line = 1; line < source->line; line++) {
        const char *end = memchr(at, '\n', file->length - (size_t)(at - file->bytes));

        if (!end)
            return file->length;
        at = end + 1;
    }
    return (size_t)(at - file->bytes) + (source->column ? source->column - 1 : 0);
}

/* Where the route's directive is after the edits. False: in the middle of one. */
static bool moved_source(const struct overlay *overlay, const struct dr_route_edits *edits, const struct dr_source *source,
                         struct dr_source *ret_source)
{
    *ret_source = *source;
    for (size_t i = 0; i < overlay->count; i++) {
        size_t old = strcmp(overlay->old[i]->path, source->path) == 0 ? offset_of(overlay->old[i], source) : SIZE_MAX;
        size_t now = old;

        for (size_t j = 0; old != SIZE_MAX && j < edits->count; j++) {
            const struct dr_edit *edit = &edits->list[j].edit;

            if (edits->list[j].file != overlay->old[i] || edit->offset > old)
                continue;
            if (edit->offset + edit->length > old)
                return false;
            now = now + edit->text_length - edit->length;
        }
        if (old != SIZE_MAX)
            dr_proxy_position(&overlay->edited[i], now, ret_source);
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct dr_route *find(const struct dr_proxy_config *config, const struct dr_route *route,
                                   const struct dr_source *source)
{
    for (size_t i = 0; i < config->route_count; i++) {
        const struct dr_route *other = &config->routes[i];

        if (other->source.line == source->line && other->source.column == source->column &&
            same_text(other->source.path, source->path) && other->upstream_port == route->upstream_port &&
            same_text(other->path, route->path) && same_text(other->pattern, route->pattern) &&
            same_text(other->names[0], route->names[0]) && same_text(other->listens[0], route->listens[0]))
            return other;
    }
    return NULL;
}

/* --- two rounds as one ---------------------------------------------------------------------------------------------------------- */

struct composing {
    struct dr_arena *arena;
    const struct dr_proxy_file *old, *middle;
    struct dr_edit first[MOST_EDITS], second[MOST_EDITS]; /* offsets in `old`, and in `middle` */
    size_t first_count, second_count, i, j; /* i, j: not used up yet */
    size_t behind_old, behind_middle; /* of the last one of `first` that was used up */
};

static size_t begin_in_middle(const struct composing *composing)
{
    return composing->behind_middle + (composing->first[composing->i].offset - composing->behind_old);
}

/* Takes what touches into one edit. */
static int take_cluster(struct composing *composing, struct dr_route_edits *out)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(DR_PROXY_FILE_CEILING);
    bool has_first = composing->i < composing->first_count;
    size_t one = has_first ? begin_in_middle(composing) : SIZE_MAX;
    size_t two = composing->j < composing->second_count ? composing->second[composing->j].offset : SIZE_MAX;
    size_t begin = one < two ? one : two, end = begin, at = begin, from = composing->j;
    uint64_t old_begin = composing->behind_old + (begin - composing->behind_middle);

    for (bool grew = true; grew;) {
        grew = false;
        if (composing->i < composing->first_count && begin_in_middle(composing) <= end) {
            const struct dr_edit *edit = &composing->first[composing->i];

            composing->behind_middle = begin_in_middle(composing) + edit->text_length;
            composing->behind_old = edit->offset + edit->length;
            end = composing->behind_middle > end ? composing->behind_middle : end;
            composing->i++;
            grew = true;
        }
        if (composing->j < composing->second_count && composing->second[composing->j].offset <= end) {
            const struct dr_edit *edit = &composing->second[composing->j++];

            end = edit->offset + edit->length > end ? edit->offset + edit->length : end;
            grew = true;
        }
    }
    int r = 0;

    for (size_t k = from; k < composing->j && r == 0; k++) {
        r = dr_buffer_append(&text, composing->middle->bytes + at, composing->second[k].offset - at);
        if (r == 0)
            r = dr_buffer_append(&text, composing->second[k].text, composing->second[k].text_length);
        at = composing->second[k].offset + composing->second[k].length;
    }
    if (r == 0)
        r = dr_buffer_append(&text, composing->middle->bytes + at, end - at);
    const char *made = r == 0 ? dr_arena_strndup(composing->arena, dr_buffer_text(&text), text.length) : NULL;
    uint64_t old_end = composing->behind_old + (end - composing->behind_middle);

    return made ? dr_route_edits_add(composing->arena, out, composing->old, old_begin, old_end - old_begin, made) : -ENOMEM;
}

static int compose_file(struct dr_arena *arena, const struct overlay *overlay, size_t index,
                        const struct dr_route_edits *first, const struct dr_route_edits *second, struct dr_route_edits *out)
{
    struct composing *composing = dr_arena_alloc(arena, sizeof(*composing));
    int r = composing ? 0 : -ENOMEM;

    if (r < 0)
        return r;
    composing->arena = arena;
    composing->old = overlay->old[index];
    composing->middle = &overlay->edited[index];
    composing->first_count = edits_of(first, composing->old, composing->first);
    composing->second_count = edits_of(second, composing->middle, composing->second);
    if (composing->second_count == MOST_EDITS)
        return -E2BIG;
    while (r == 0 && (composing->i < composing->first_count || composing->j < composing->second_count))
        r = take_cluster(composing, out);
    return r;
}

static int compose(struct dr_arena *arena, const struct overlay *overlay, const struct dr_route_edits *first,
                   const struct dr_route_edits *second, struct dr_route_edits *out)
{
    int r = 0;

    for (size_t i = 0; i < overlay->count && r == 0; i++)
        r = compose_file(arena, overlay, i, first, second, out);
    for (size_t j = 0; j < second->count && r == 0; j++) {
        bool known = false;

        for (size_t i = 0; i < overlay->count; i++)
            known = known || second->list[j].file == &overlay->edited[i];
        if (!known) /* a file that the first round left alone */
            r = dr_route_edits_add(arena, out, second->list[j].file, second->list[j].edit.offset,
                                   second->list[j].edit.length, second->list[j].edit.text);
    }
    dr_route_edits_finish(out);
    return r;
}

void dr_route_settle(const struct dr_proxy_format *format, const struct dr_proxy_loader *loader,
                     const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *edits)
{
    for (int round = 0; round < ROUNDS && edits->count > 0; round++) {
        struct overlay *overlay = apply(loader, arena, edits);
        struct dr_proxy_config *config = dr_arena_alloc(arena, sizeof(*config));
        struct dr_route_edits more = { 0 }, both = { 0 };
        const struct dr_route *again;
        struct dr_source source;
        const char *why;

        if (!overlay || !config || !moved_source(overlay, edits, &route->source, &source) ||
            format->read(&overlay->loader, route->config->path, route->config->prefix, config) < 0)
            return;
        again = find(config, route, &source);
        if (!again || format->mend(again, mends, arena, &more, &why) != 0 || more.count == 0 ||
            compose(arena, overlay, edits, &more, &both) != 0)
            return;
        *edits = both;
    }
}
