#include "format/json5_internal.h"

#include <string.h>

enum { REPLACEMENT = 0xfffd };

struct reader {
    const char *at;
    const char *end;
};

uint32_t dr_json5_character(const char *at, size_t *ret_length)
{
    const unsigned char *b = (const unsigned char *)at;

    if (b[0] < 0x80) {
        *ret_length = 1;
        return b[0];
    }
    if (b[0] < 0xe0) {
        *ret_length = 2;
        return (b[0] & 0x1fU) << 6 | (b[1] & 0x3fU);
    }
    if (b[0] < 0xf0) {
        *ret_length = 3;
        return (b[0] & 0x0fU) << 12 | (b[1] & 0x3fU) << 6 | (b[2] & 0x3fU);
    }
    *ret_length = 4;
    return (b[0] & 0x07U) << 18 | (b[1] & 0x3fU) << 12 | (b[2] & 0x3fU) << 6 | (b[3] & 0x3fU);
}

static size_t encode(uint32_t character, char *out)
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xe0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3f));
        out[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3f));
    out[2] = (char)(0x80 | (character >> 6 & 0x3f));
    out[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

static uint32_t hex_value(const char *digits, size_t count)
{
    uint32_t value = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)digits[i];

        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* Behind "\u". Two escapes that form a surrogate pair are one character. */
static size_t read_unicode(struct reader *reader, char *out)
{
    uint32_t unit = hex_value(reader->at, 4);

    reader->at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return encode(unit, out);
    if (unit < 0xdc00 && reader->end - reader->at >= 6 && reader->at[0] == '\\' && reader->at[1] == 'u') {
        uint32_t low = hex_value(reader->at + 2, 4);

        if (low >= 0xdc00 && low <= 0xdfff) {
            reader->at += 6;
            return encode(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
        }
    }
    return encode(REPLACEMENT, out);
}

/* Behind the backslash. 0 bytes for a line continuation. */
static size_t read_escape(struct reader *reader, char *out)
{
    static const char names[] = "bfnrtv0";
    static const char values[] = "\b\f\n\r\t\v";
    char c = *reader->at;
    const char *name = memchr(names, c, sizeof(names) - 1);

    if (name) {
        reader->at++;
        out[0] = values[name - names]; /* the NUL behind the last value is that of \0 */
        return 1;
    }
    if (c == 'u') {
        reader->at++;
        return read_unicode(reader, out);
    }
    if (c == 'x') {
        uint32_t value = hex_value(reader->at + 1, 2);

        reader->at += 3;
        return encode(value, out);
    }
    if (c == '\n' || c == '\r') {
        reader->at += c == '\r' && reader->end - reader->at > 1 && reader->at[1] == '\n' ? 2 : 1;
        return 0;
    }

    size_t length;
    uint32_t character = dr_json5_character(reader->at, &length);

    memcpy(out, reader->at, length);
    reader->at += length;
    return character == 0x2028 || character == 0x2029 ? 0 : length;
}

/* The next decoded bytes, at most 4; 0 at the end. */
static size_t read_next(struct reader *reader, char *out)
{
    size_t length = 0;

    while (reader->at < reader->end && length == 0) {
        char c = *reader->at++;

        if (c == '\\') {
            length = read_escape(reader, out);
        } else {
            out[0] = c;
            length = 1;
        }
    }
    return length;
}

size_t dr_json5_spelling_decode(struct dr_json5_spelling spelling, char *out)
{
    struct reader reader = { spelling.bytes, spelling.bytes + spelling.length };
    size_t total = 0;
    size_t length;
    char next[4];

    if (!spelling.escaped) {
        if (spelling.length > 0)
            memcpy(out, spelling.bytes, spelling.length);
        return spelling.length;
    }
    while ((length = read_next(&reader, next)) > 0) {
        memcpy(out + total, next, length);
        total += length;
    }
    return total;
}

/* Reads one decoded byte at a time out of characters. */
struct byte_reader {
    struct reader reader;
    char pending[4];
    size_t count;
    size_t used;
    bool escaped;
};

static struct byte_reader byte_reader(struct dr_json5_spelling spelling)
{
    return (struct byte_reader){ .reader = { spelling.bytes, spelling.bytes + spelling.length },
                                 .escaped = spelling.escaped };
}

/* -1 at the end. */
static int next_byte(struct byte_reader *bytes)
{
    if (!bytes->escaped)
        return bytes->reader.at < bytes->reader.end ? (unsigned char)*bytes->reader.at++ : -1;
    if (bytes->used == bytes->count) {
        bytes->count = read_next(&bytes->reader, bytes->pending);
        bytes->used = 0;
        if (bytes->count == 0)
            return -1;
    }
    return (unsigned char)bytes->pending[bytes->used++];
}

bool dr_json5_spelling_same(struct dr_json5_spelling a, struct dr_json5_spelling b)
{
    if (!a.escaped && !b.escaped)
        return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);

    struct byte_reader left = byte_reader(a);
    struct byte_reader right = byte_reader(b);

    for (;;) {
        int x = next_byte(&left);
        int y = next_byte(&right);

        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

uint64_t dr_json5_spelling_hash(struct dr_json5_spelling spelling, uint64_t seed)
{
    struct byte_reader reader = byte_reader(spelling);
    uint64_t hash = seed;

    for (int byte = next_byte(&reader); byte >= 0; byte = next_byte(&reader))
        hash = (hash ^ (uint64_t)byte) * 0x100000001b3U;
    return hash ^ hash >> 32;
}

struct dr_json5_spelling dr_json5_spelling_of_text(const char *bytes, const struct dr_json5_node *node)
{
    return (struct dr_json5_spelling){
        .bytes = bytes + node->offset + 1,
        .length = node->length - 2,
        .escaped = node->flags & DR_JSON5_NODE_ESCAPED,
    };
}

struct dr_json5_spelling dr_json5_spelling_of_key(const char *bytes, const struct dr_json5_node *node)
{
    bool quoted = bytes[node->key_offset] == '"' || bytes[node->key_offset] == '\'';

    return (struct dr_json5_spelling){
        .bytes = bytes + node->key_offset + (quoted ? 1 : 0),
        .length = node->key_length - (quoted ? 2 : 0),
        .escaped = node->flags & DR_JSON5_NODE_KEY_ESCAPED,
    };
}
