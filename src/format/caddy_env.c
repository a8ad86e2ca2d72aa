/* {$NAME} and {$NAME:default}, replaced in the bytes of a file before it is split into words. */
#include "format/caddy_internal.h"

#include "base/buffer.h"

#include <string.h>

struct replacing {
    struct caddy_reader *reader;
    const struct dr_proxy_file *file;
    struct dr_buffer *out;
    struct caddy_piece *pieces;
    size_t count, room;
    bool failed;
};

static void add_piece(struct replacing *replacing, const char *bytes, size_t length, size_t source, bool literal)
{
    struct caddy_piece *grown =
        dr_arena_grow(replacing->reader->arena, replacing->pieces, replacing->count, sizeof(*grown), &replacing->room);

    if (!grown) {
        replacing->failed = true;
        return;
    }
    replacing->pieces = grown;
    grown[replacing->count++] = (struct caddy_piece){ .at = replacing->out->length, .source = source, .literal = literal };
    if (dr_buffer_append(replacing->out, bytes, length) < 0)
        replacing->failed = true;
}

/* The text of {$...} between its signs. */
static void replace_one(struct replacing *replacing, size_t begin, size_t end)
{
    struct caddy_reader *reader = replacing->reader;
    const char *name_at = replacing->file->bytes + begin + 2;
    size_t length = end - begin - 2;
    const char *colon = memchr(name_at, ':', length);
    char *name = dr_arena_strndup(reader->arena, name_at, colon ? (size_t)(colon - name_at) : length);

    if (!name) {
        replacing->failed = true;
        return;
    }
    const struct dr_proxy_loader *loader = reader->loader;
    const char *value = loader->environment ? loader->environment(loader->user, name) : NULL;

    if (value) {
        add_piece(replacing, value, strlen(value), begin, false);
    } else if (colon) {
        add_piece(replacing, colon + 1, length - (size_t)(colon + 1 - name_at), begin + 2 + (size_t)(colon + 1 - name_at),
                  true);
    } else {
        /* Empty for caddy; but caddy's environment need not be the one that is known here. */
        struct dr_source source;

        dr_proxy_position(replacing->file, begin, &source);
        dr_proxy_fault(&reader->gathering, &source, true,
                       "the environment variable %s is not known here: what stands in its place cannot be told", name);
        add_piece(replacing, "", 0, begin, false);
    }
}

bool caddy_replace_env(struct caddy_reader *reader, const struct dr_proxy_file *file, struct caddy_text *ret_text)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(DR_PROXY_FILE_CEILING);
    struct replacing replacing = { .reader = reader, .file = file, .out = &out };
    const char *bytes = file->bytes;
    size_t copied = 0;

    for (size_t at = 0; !replacing.failed;) {
        const char *open = at < file->length ? memmem(bytes + at, file->length - at, "{$", 2) : NULL;
        const char *close = open ? memchr(open + 2, '}', file->length - (size_t)(open + 2 - bytes)) : NULL;

        if (!close)
            break;
        size_t begin = (size_t)(open - bytes), end = (size_t)(close - bytes);

        at = end + 1;
        if (end == begin + 2)
            continue;
        add_piece(&replacing, bytes + copied, begin - copied, copied, true);
        replace_one(&replacing, begin, end);
        copied = at;
    }
    if (copied == 0 && !replacing.failed) {
        struct caddy_piece *whole = dr_arena_alloc(reader->arena, sizeof(*whole));

        if (!whole)
            return false;
        *whole = (struct caddy_piece){ .literal = true };
        *ret_text = (struct caddy_text){ .bytes = bytes, .length = file->length, .pieces = whole, .piece_count = 1 };
        return true;
    }
    if (!replacing.failed)
        add_piece(&replacing, bytes + copied, file->length - copied, copied, true);
    const char *text = replacing.failed ? NULL : dr_arena_strndup(reader->arena, dr_buffer_text(&out), out.length);

    *ret_text = (struct caddy_text){
        .bytes = text, .length = out.length, .pieces = replacing.pieces, .piece_count = replacing.count
    };
    return text != NULL;
}
