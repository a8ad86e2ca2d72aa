#include "format/systemd_unit.h"

#include "base/buffer.h"

#include <string.h>

struct reader {
    const char *bytes;
    size_t length;
    size_t at;
    unsigned line;
    struct dr_arena *arena;
    const char *section;

    /* The logical line that is being joined. */
    struct dr_buffer text;
    struct dr_unit_piece *pieces; /* malloc'ed, reused */
    size_t piece_count;
    size_t piece_capacity;
    size_t first; /* offset of its first physical line */
    size_t last; /* behind its last one, without the line end */

    struct dr_unit_entry *entries;
    size_t count;
    size_t capacity;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* systemd reads lines that end in LF, CR, CR LF, or NUL. */
static size_t line_end(const struct reader *reader, size_t at)
{
    while (at < reader->length && reader->bytes[at] != '\n' && reader->bytes[at] != '\r' && reader->bytes[at] != '\0')
        at++;
    return at;
}

static size_t next_line(const struct reader *reader, size_t end)
{
    bool pair = reader->length - end >= 2 && memcmp(reader->bytes + end, "\r\n", 2) == 0;

    return end + (pair ? 2 : 1);
}

static bool ends_with_backslash(const char *text, size_t length)
{
    size_t backslashes = 0;

    while (backslashes < length && text[length - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

static int add_piece(struct reader *reader, size_t offset)
{
    if (reader->piece_count == reader->piece_capacity) {
        size_t capacity = reader->piece_capacity ? reader->piece_capacity * 2 : 8;
        struct dr_unit_piece *pieces = reallocarray(reader->pieces, capacity, sizeof(*pieces));

        if (!pieces)
            return -ENOMEM;
        reader->pieces = pieces;
        reader->piece_capacity = capacity;
    }
    reader->pieces[reader->piece_count++] = (struct dr_unit_piece){
        .at = reader->text.length,
        .offset = offset,
        .line = reader->line,
    };
    return 0;
}

/* Joins physical lines into reader->text. 1: a line; 0: the end. */
static int read_line(struct reader *reader)
{
    bool continued = false;

    dr_buffer_clear(&reader->text);
    reader->piece_count = 0;
    while (reader->at < reader->length) {
        size_t start = reader->at;
        size_t end = line_end(reader, start);
        size_t text = start;
        bool comment;
        int r;

        while (text < end && is_space(reader->bytes[text]))
            text++;
        comment = text < end && (reader->bytes[text] == '#' || reader->bytes[text] == ';');
        reader->at = next_line(reader, end);
        if (!comment) {
            if (!continued)
                reader->first = start;
            reader->last = end;
            continued = ends_with_backslash(reader->bytes + text, end - text);
            r = add_piece(reader, text);
            if (r >= 0)
                r = dr_buffer_append(&reader->text, reader->bytes + text, end - text);
            if (r < 0)
                return r;
            if (continued)
                reader->text.data[reader->text.length - 1] = ' ';
        }
        reader->line++;
        if (!comment && !continued)
            return 1;
    }
    return continued;
}

static size_t source_offset(const struct reader *reader, size_t at)
{
    size_t piece = reader->piece_count - 1;

    while (piece > 0 && reader->pieces[piece].at > at)
        piece--;
    return reader->pieces[piece].offset + (at - reader->pieces[piece].at);
}

/* The pieces of [start, end) of the joined line, counted from `start`. */
static int keep_pieces(struct reader *reader, size_t start, size_t end, struct dr_unit_entry *entry)
{
    struct dr_unit_piece *pieces = dr_arena_alloc(reader->arena, reader->piece_count * sizeof(*pieces));
    size_t count = 0;

    if (!pieces)
        return -ENOMEM;
    for (size_t i = 0; i < reader->piece_count; i++) {
        const struct dr_unit_piece *piece = &reader->pieces[i];
        bool last = i + 1 == reader->piece_count;

        if ((!last && reader->pieces[i + 1].at <= start) || (piece->at >= end && piece->at > start))
            continue;
        pieces[count++] = (struct dr_unit_piece){
            .at = piece->at > start ? piece->at - start : 0,
            .offset = piece->at > start ? piece->offset : piece->offset + (start - piece->at),
            .line = piece->line,
        };
    }
    entry->pieces = pieces;
    entry->piece_count = count;
    return 0;
}

static struct dr_unit_entry *add_entry(struct reader *reader)
{
    struct dr_unit_entry *entries =
        dr_arena_grow(reader->arena, reader->entries, reader->count, sizeof(*entries), &reader->capacity);

    if (!entries)
        return NULL;
    reader->entries = entries;
    return &reader->entries[reader->count++];
}

static int keep_assignment(struct reader *reader, size_t equals)
{
    const char *text = reader->text.data;
    size_t key_end = equals;
    size_t start = equals + 1;
    size_t end = reader->text.length;
    struct dr_unit_entry entry = { .section = reader->section, .line = reader->pieces[0].line };

    while (key_end > 0 && is_space(text[key_end - 1]))
        key_end--;
    while (end > start && is_space(text[end - 1]))
        end--;
    while (start < end && is_space(text[start]))
        start++;
    if (reader->count == DR_UNIT_ENTRIES)
        return -E2BIG;
    entry.key = dr_arena_strndup(reader->arena, text, key_end);
    entry.value = dr_arena_strndup(reader->arena, text + start, end - start);
    entry.value_length = end - start;
    if (!entry.key || !entry.value || keep_pieces(reader, start, end, &entry) < 0)
        return -ENOMEM;
    entry.value_offset = source_offset(reader, start);
    entry.value_bytes = end > start ? source_offset(reader, end - 1) + 1 - entry.value_offset : 0;
    entry.line_offset = reader->first;
    entry.line_bytes = reader->last - reader->first;

    struct dr_unit_entry *place = add_entry(reader);

    if (!place)
        return -ENOMEM;
    *place = entry;
    return 0;
}

static int read_entry(struct reader *reader)
{
    const char *text = reader->text.data;
    size_t length = reader->text.length;

    while (length > 0 && is_space(text[length - 1]))
        length--;
    if (length > 0 && text[0] == '[') {
        if (text[length - 1] != ']')
            return 0;
        reader->section = dr_arena_strndup(reader->arena, text + 1, length - 2);
        return reader->section ? 0 : -ENOMEM;
    }

    const char *equals = length ? memchr(text, '=', length) : NULL;

    return equals ? keep_assignment(reader, (size_t)(equals - text)) : 0;
}

int dr_unit_parse(const char *path, const char *bytes, size_t length, struct dr_arena *arena, struct dr_unit *ret_unit)
{
    struct reader reader = {
        .bytes = bytes,
        .length = length,
        .at = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0,
        .line = 1,
        .arena = arena,
        .section = "",
        .text = DR_BUFFER(length),
    };
    int r;

    while ((r = read_line(&reader)) > 0) {
        r = read_entry(&reader);
        if (r < 0)
            break;
    }
    dr_buffer_release(&reader.text);
    free(reader.pieces);
    if (r < 0)
        return r;
    *ret_unit = (struct dr_unit){
        .path = path,
        .bytes = bytes,
        .length = length,
        .entries = reader.entries,
        .count = reader.count,
    };
    return 0;
}

int dr_unit_effective(const struct dr_unit *units, size_t unit_count, const char *section, const char *key,
                      struct dr_arena *arena, const struct dr_unit_entry *const **ret_entries, size_t *ret_count)
{
    const struct dr_unit_entry **list = NULL;
    size_t count = 0;

    /* Counted first, then kept. */
    for (int keep = 0; keep < 2; keep++) {
        if (keep) {
            list = dr_arena_alloc(arena, count * sizeof(const struct dr_unit_entry *));
            if (!list)
                return -ENOMEM;
        }
        count = 0;
        for (size_t i = 0; i < unit_count; i++) {
            for (size_t j = 0; j < units[i].count; j++) {
                const struct dr_unit_entry *entry = &units[i].entries[j];

                if (strcmp(entry->section, section) != 0 || strcmp(entry->key, key) != 0)
                    continue;
                if (entry->value_length == 0 && keep)
                    count = 0;
                else if (keep)
                    list[count++] = entry;
                else
                    count++;
            }
        }
    }
    *ret_entries = list;
    *ret_count = count;
    return 0;
}
