#include "format/dotenv.h"

#include "base/buffer.h"
#include "base/text.h"
#include "format/keys.h"

#include <string.h>

struct reader {
    const char *bytes;
    size_t length;
    size_t line_at; /* up to here lines are counted */
    unsigned line;
    size_t line_start;
    struct dr_arena *arena;
    struct dr_dotenv_entry *entries;
    size_t count;
    size_t capacity;
};

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* JavaScript's \s. 0 when it is none, else its length in bytes. */
static size_t space_length(const struct reader *reader, size_t at)
{
    static const char *const wide[] = { "\xc2\xa0",     "\xef\xbb\xbf", "\xe2\x80\xa8", "\xe2\x80\xa9",
                                        "\xe1\x9a\x80", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };
    const char *bytes = reader->bytes + at;
    size_t left = reader->length - at;

    if (left == 0)
        return 0;
    if (*bytes == ' ' || (*bytes >= '\t' && *bytes <= '\r'))
        return 1;
    for (size_t i = 0; i < DR_COUNT(wide); i++)
        if (left >= strlen(wide[i]) && memcmp(bytes, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    /* U+2000 to U+200A */
    return left >= 3 && bytes[0] == '\xe2' && bytes[1] == '\x80' && (unsigned char)bytes[2] >= 0x80 &&
                   (unsigned char)bytes[2] <= 0x8a
               ? 3
               : 0;
}

static size_t skip_space(const struct reader *reader, size_t at)
{
    for (size_t length; (length = space_length(reader, at)) > 0;)
        at += length;
    return at;
}

static size_t skip_key(const struct reader *reader, size_t at)
{
    while (at < reader->length) {
        char c = reader->bytes[at];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
              c == '-'))
            break;
        at++;
    }
    return at;
}

static size_t line_end(const struct reader *reader, size_t at)
{
    while (at < reader->length && !is_line_end(reader->bytes[at]))
        at++;
    return at;
}

/* Behind a closing quote: nothing but white space and a comment may follow on the line. */
static bool ends_value(const struct reader *reader, size_t at)
{
    size_t length;

    while (at < reader->length && !is_line_end(reader->bytes[at]) && (length = space_length(reader, at)) > 0)
        at += length;
    return at == reader->length || is_line_end(reader->bytes[at]) || reader->bytes[at] == '#';
}

/*
 * The closing quote for the one at `open`; 0 when there is none. As the expression tries them: the first quote without a
 * backslash in front, then those with one, from the last to the first.
 */
static size_t closing_quote(const struct reader *reader, size_t open)
{
    char quote = reader->bytes[open];
    size_t last = reader->length;

    for (size_t at = open + 1; at < reader->length; at++) {
        if (reader->bytes[at] == quote && (at == open + 1 || reader->bytes[at - 1] != '\\')) {
            last = at;
            break;
        }
    }
    if (last < reader->length && ends_value(reader, last + 1))
        return last;
    for (size_t at = last; --at > open;)
        if (reader->bytes[at] == quote && ends_value(reader, at + 1))
            return at;
    return 0;
}

/* The offset behind "KEY=" that begins at `at`; 0 when there is no assignment. */
static size_t read_key(const struct reader *reader, size_t at, struct dr_dotenv_entry *entry)
{
    size_t end = skip_key(reader, at);
    size_t behind = skip_space(reader, end);

    if (end == at)
        return 0;
    entry->key_offset = at;
    entry->key_bytes = end - at;
    if (behind < reader->length && reader->bytes[behind] == '=')
        return behind + 1;
    if (end < reader->length && reader->bytes[end] == ':') {
        bool crlf = reader->length - end > 2 && memcmp(reader->bytes + end + 1, "\r\n", 2) == 0;
        size_t space = crlf ? 2 : space_length(reader, end + 1);

        return space ? end + 1 + space : 0;
    }
    return 0;
}

static size_t read_assignment(const struct reader *reader, size_t at, struct dr_dotenv_entry *entry)
{
    static const char export[] = "export";
    size_t name = sizeof(export) - 1;

    if (reader->length - at > name && memcmp(reader->bytes + at, export, name) == 0) {
        size_t key = skip_space(reader, at + name);
        size_t value = key > at + name ? read_key(reader, key, entry) : 0;

        entry->exported = value > 0;
        if (value)
            return value;
    }
    return read_key(reader, at, entry);
}

/* Sets the raw and inner spans; returns where the value's line goes on. */
static size_t read_value(const struct reader *reader, size_t at, struct dr_dotenv_entry *entry)
{
    size_t open = skip_space(reader, at);

    if (open < reader->length && strchr("'\"`", reader->bytes[open]) && reader->bytes[open]) {
        size_t close = closing_quote(reader, open);

        if (close) {
            entry->raw_offset = open;
            entry->raw_bytes = close + 1 - open;
            return close + 1;
        }
    }

    size_t end = at;
    size_t start = at;

    while (end < reader->length && !is_line_end(reader->bytes[end]) && reader->bytes[end] != '#')
        end++;

    size_t behind = end;
    size_t last = start;

    /* Trims: `start` in front, `last` behind the last byte that is no white space. */
    for (size_t i = start; i < end;) {
        size_t space = space_length(reader, i);

        if (space == 0)
            last = i + 1;
        else if (last == start)
            start = last = i + space;
        i += space ? space : 1;
    }
    entry->raw_offset = start < end ? start : at;
    entry->raw_bytes = start < end ? last - start : 0;
    return behind;
}

static void find_inner(const struct reader *reader, struct dr_dotenv_entry *entry)
{
    const char *raw = reader->bytes + entry->raw_offset;
    size_t length = entry->raw_bytes;

    entry->inner_offset = entry->raw_offset;
    entry->inner_bytes = length;
    if (length >= 2 && (raw[0] == '\'' || raw[0] == '"' || raw[0] == '`') && raw[length - 1] == raw[0]) {
        entry->quote = raw[0];
        entry->inner_offset++;
        entry->inner_bytes -= 2;
    }
}

static int decode(const struct reader *reader, struct dr_dotenv_entry *entry)
{
    const char *from = reader->bytes + entry->inner_offset;
    /* The package asks for the first character, which an unclosed quote is, too. */
    bool escapes = entry->raw_bytes > 0 && reader->bytes[entry->raw_offset] == '"';
    char *value = dr_arena_alloc(reader->arena, entry->inner_bytes + 1);
    size_t length = 0;

    if (!value)
        return -ENOMEM;
    entry->verbatim = true;
    for (size_t i = 0; i < entry->inner_bytes; i++) {
        char c = from[i];
        char next = i + 1 < entry->inner_bytes ? from[i + 1] : '\0';

        if (c == '\r') {
            i += next == '\n';
            c = '\n';
            entry->verbatim = false;
        } else if (escapes && c == '\\' && (next == 'n' || next == 'r')) {
            i++;
            c = next == 'n' ? '\n' : '\r';
            entry->verbatim = false;
        }
        value[length++] = c;
    }
    entry->value = value;
    entry->value_length = length;
    return 0;
}

static void find_lines(struct reader *reader, struct dr_dotenv_entry *entry, size_t first, size_t end)
{
    for (; reader->line_at < entry->key_offset; reader->line_at++) {
        size_t at = reader->line_at;

        if (reader->bytes[at] == '\n' ||
            (reader->bytes[at] == '\r' && !(at + 1 < reader->length && reader->bytes[at + 1] == '\n'))) {
            reader->line++;
            reader->line_start = at + 1;
        }
    }
    entry->line = reader->line;
    entry->column = 1;
    for (size_t i = reader->line_start; i < entry->key_offset; i++)
        entry->column += (reader->bytes[i] & 0xc0) != 0x80;
    entry->line_offset = first;
    entry->line_bytes = end - first;
}

static struct dr_dotenv_entry *add_entry(struct reader *reader)
{
    struct dr_dotenv_entry *entries =
        dr_arena_grow(reader->arena, reader->entries, reader->count, sizeof(*entries), &reader->capacity);

    if (!entries)
        return NULL;
    reader->entries = entries;
    return &reader->entries[reader->count++];
}

static int keep(struct reader *reader, struct dr_dotenv_entry entry)
{
    if (reader->count == DR_DOTENV_ENTRIES)
        return -E2BIG;
    entry.key = dr_arena_strndup(reader->arena, reader->bytes + entry.key_offset, entry.key_bytes);
    find_inner(reader, &entry);
    if (!entry.key || decode(reader, &entry) < 0)
        return -ENOMEM;

    struct dr_dotenv_entry *place = add_entry(reader);

    if (!place)
        return -ENOMEM;
    *place = entry;
    return 0;
}

int dr_dotenv_parse(const char *bytes, size_t length, struct dr_arena *arena, struct dr_dotenv *ret_dotenv)
{
    struct reader reader = { .bytes = bytes, .length = length, .arena = arena, .line = 1 };

    for (size_t line = 0; line < length;) {
        struct dr_dotenv_entry entry = { 0 };
        size_t start = line;
        size_t space;

        while (start < length && !is_line_end(bytes[start]) && (space = space_length(&reader, start)) > 0)
            start += space;

        size_t value = start < length ? read_assignment(&reader, start, &entry) : 0;
        size_t end = line_end(&reader, value ? read_value(&reader, value, &entry) : start);

        if (value) {
            find_lines(&reader, &entry, line, end);

            int r = keep(&reader, entry);

            if (r < 0)
                return r;
        }
        line = end + 1;
    }

    int r = dr_keys_shadow(reader.entries, reader.count, sizeof(*reader.entries), offsetof(struct dr_dotenv_entry, key),
                           offsetof(struct dr_dotenv_entry, shadowed));

    if (r < 0)
        return r;
    *ret_dotenv = (struct dr_dotenv){
        .bytes = bytes,
        .length = length,
        .entries = reader.entries,
        .count = reader.count,
    };
    return 0;
}

const struct dr_dotenv_entry *dr_dotenv_get(const struct dr_dotenv *dotenv, const char *key)
{
    for (size_t i = dotenv->count; i-- > 0;)
        if (strcmp(dotenv->entries[i].key, key) == 0)
            return &dotenv->entries[i];
    return NULL;
}
