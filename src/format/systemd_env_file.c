#include "format/systemd_env_file.h"

#include "base/buffer.h"
#include "format/keys.h"

#include <string.h>

enum state {
    PRE_KEY,
    KEY,
    PRE_VALUE,
    VALUE,
    VALUE_ESCAPE,
    SINGLE_QUOTED,
    DOUBLE_QUOTED,
    DOUBLE_QUOTED_ESCAPE,
    COMMENT,
    COMMENT_ESCAPE,
};

struct reader {
    const char *bytes;
    size_t length;
    struct dr_arena *arena;
    enum state state;
    unsigned line;
    size_t line_start;

    size_t key_at;
    size_t key_end; /* behind the last byte that is no white space */
    unsigned key_line;
    size_t key_line_start;
    struct dr_buffer value;
    size_t value_end; /* trailing white space of a bare value is dropped */
    size_t value_at; /* of the first byte of the value in the file */
    bool verbatim; /* so far the value is one run of bytes from value_at */

    struct dr_env_file_entry *entries;
    size_t count;
    size_t capacity;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static int take(struct reader *reader, size_t at, char c)
{
    if (reader->value.length == 0)
        reader->value_at = at;
    else if (reader->value_at + reader->value.length != at)
        reader->verbatim = false;
    if (c != reader->bytes[at])
        reader->verbatim = false;
    return dr_buffer_append_byte(&reader->value, c);
}

static struct dr_env_file_entry *add_entry(struct reader *reader)
{
    struct dr_env_file_entry *entries =
        dr_arena_grow(reader->arena, reader->entries, reader->count, sizeof(*entries), &reader->capacity);

    if (!entries)
        return NULL;
    reader->entries = entries;
    return &reader->entries[reader->count++];
}

/* The assignment is complete; its last line ends at `end`. */
static int push(struct reader *reader, size_t end, bool trim)
{
    size_t length = trim ? reader->value_end : reader->value.length;
    const char *key = reader->bytes + reader->key_at;
    size_t key_length = reader->key_end - reader->key_at;

    if (!dr_key_is_variable(key, key_length))
        return 0;
    if (reader->count == DR_ENV_FILE_ENTRIES)
        return -E2BIG;

    struct dr_env_file_entry entry = {
        .key = dr_arena_strndup(reader->arena, key, key_length),
        .value = dr_arena_strndup(reader->arena, dr_buffer_text(&reader->value), length),
        .value_length = length,
        .line = reader->key_line,
        .value_offset = length ? reader->value_at : end,
        .value_bytes = reader->verbatim ? length : 0,
        .line_offset = reader->key_line_start,
        .line_bytes = end - reader->key_line_start,
    };
    struct dr_env_file_entry *place = entry.key && entry.value ? add_entry(reader) : NULL;

    if (!place)
        return -ENOMEM;
    *place = entry;
    return 0;
}

static void begin_key(struct reader *reader, size_t at)
{
    reader->state = KEY;
    reader->key_at = at;
    reader->key_end = at + 1;
    reader->key_line = reader->line;
    reader->key_line_start = reader->line_start;
    dr_buffer_clear(&reader->value);
    reader->value_end = 0;
    reader->value_at = at;
    reader->verbatim = true;
}

static int step_value(struct reader *reader, size_t at, char c)
{
    if (is_line_end(c)) {
        bool trim = reader->state == VALUE;

        reader->state = PRE_KEY;
        return push(reader, at, trim);
    }
    if (reader->state == PRE_VALUE && c == '\'') {
        reader->state = SINGLE_QUOTED;
        return 0;
    }
    if (reader->state == PRE_VALUE && c == '"') {
        reader->state = DOUBLE_QUOTED;
        return 0;
    }
    if (c == '\\') {
        reader->state = VALUE_ESCAPE;
        return 0;
    }
    if (reader->state == PRE_VALUE && is_space(c))
        return 0;
    reader->state = VALUE;

    int r = take(reader, at, c);

    if (!is_space(c))
        reader->value_end = reader->value.length;
    return r;
}

static int step_quoted(struct reader *reader, size_t at, char c)
{
    if (c == (reader->state == SINGLE_QUOTED ? '\'' : '"')) {
        reader->state = PRE_VALUE;
        reader->value_end = reader->value.length;
        return 0;
    }
    if (c == '\\' && reader->state == DOUBLE_QUOTED) {
        reader->state = DOUBLE_QUOTED_ESCAPE;
        return 0;
    }
    return take(reader, at, c);
}

static int step_escape(struct reader *reader, size_t at, char c)
{
    bool quoted = reader->state == DOUBLE_QUOTED_ESCAPE;
    int r = 0;

    reader->state = quoted ? DOUBLE_QUOTED : VALUE;
    if (is_line_end(c))
        return 0; /* joins the lines */
    if (quoted && !strchr("\"\\`$", c))
        r = take(reader, at - 1, '\\');
    if (r >= 0)
        r = take(reader, at, c);
    reader->value_end = reader->value.length;
    return r;
}

static int step(struct reader *reader, size_t at)
{
    char c = reader->bytes[at];

    switch (reader->state) {
    case PRE_KEY:
        if (c == '#' || c == ';')
            reader->state = COMMENT;
        else if (!is_space(c))
            begin_key(reader, at);
        return 0;
    case KEY:
        if (is_line_end(c))
            reader->state = PRE_KEY;
        else if (c == '=')
            reader->state = PRE_VALUE;
        else if (!is_space(c))
            reader->key_end = at + 1;
        return 0;
    case PRE_VALUE:
    case VALUE:
        return step_value(reader, at, c);
    case VALUE_ESCAPE:
    case DOUBLE_QUOTED_ESCAPE:
        return step_escape(reader, at, c);
    case SINGLE_QUOTED:
    case DOUBLE_QUOTED:
        return step_quoted(reader, at, c);
    case COMMENT:
        if (c == '\\')
            reader->state = COMMENT_ESCAPE;
        else if (is_line_end(c))
            reader->state = PRE_KEY;
        return 0;
    case COMMENT_ESCAPE:
        reader->state = COMMENT;
        return 0;
    }
    return 0;
}

static void count_line(struct reader *reader, size_t at)
{
    char c = reader->bytes[at];

    if (c == '\n' || (c == '\r' && !(at + 1 < reader->length && reader->bytes[at + 1] == '\n'))) {
        reader->line++;
        reader->line_start = at + 1;
    }
}

static int read_all(struct reader *reader)
{
    int r = 0;

    for (size_t at = 0; r >= 0 && at < reader->length; at++) {
        r = step(reader, at);
        count_line(reader, at);
    }
    if (r >= 0 && reader->state != PRE_KEY && reader->state != KEY && reader->state != COMMENT &&
        reader->state != COMMENT_ESCAPE)
        r = push(reader, reader->length, reader->state == VALUE);
    return r;
}

int dr_env_file_parse(const char *bytes, size_t length, struct dr_arena *arena, struct dr_env_file *ret_file)
{
    struct reader reader = {
        .bytes = bytes,
        .length = length,
        .arena = arena,
        .line = 1,
        .value = DR_BUFFER(length),
    };
    int r = read_all(&reader);

    dr_buffer_release(&reader.value);
    if (r >= 0)
        r = dr_keys_shadow(reader.entries, reader.count, sizeof(*reader.entries), offsetof(struct dr_env_file_entry, key),
                           offsetof(struct dr_env_file_entry, shadowed));
    if (r < 0)
        return r;
    *ret_file = (struct dr_env_file){
        .bytes = bytes,
        .length = length,
        .entries = reader.entries,
        .count = reader.count,
    };
    return 0;
}

const struct dr_env_file_entry *dr_env_file_get(const struct dr_env_file *file, const char *key)
{
    for (size_t i = file->count; i-- > 0;)
        if (strcmp(file->entries[i].key, key) == 0)
            return &file->entries[i];
    return NULL;
}
