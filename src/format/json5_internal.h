/*
 * Shared by the files of the JSON5 reader and its editor; nobody else includes it.
 */
#ifndef DR_FORMAT_JSON5_INTERNAL_H
#define DR_FORMAT_JSON5_INTERNAL_H

#include "format/json5.h"

#define DR_JSON5_MARK_EVERY ((size_t)4 * 1024)

/* Line and column of the byte at a multiple of DR_JSON5_MARK_EVERY. */
struct dr_json5_mark {
    uint32_t line;
    uint32_t column;
};

/* Moves `position`, which is that of `from`, on to `to`. */
void dr_json5_position_advance(const char *bytes, size_t length, size_t from, size_t to, struct dr_json5_position *position);

/* A text as it is spelt in the source, without its quotes. */
struct dr_json5_spelling {
    const char *bytes;
    size_t length;
    bool escaped;
};

struct dr_json5_spelling dr_json5_spelling_of_text(const char *bytes, const struct dr_json5_node *node);
struct dr_json5_spelling dr_json5_spelling_of_key(const char *bytes, const struct dr_json5_node *node);
bool dr_json5_spelling_same(struct dr_json5_spelling a, struct dr_json5_spelling b);
uint64_t dr_json5_spelling_hash(struct dr_json5_spelling spelling, uint64_t seed);

/* Decodes into `out`, which has room for spelling.length bytes: no escape is shorter than what it stands for. */
size_t dr_json5_spelling_decode(struct dr_json5_spelling spelling, char *out);

/* The character at `at`, which lies in valid UTF-8, and how many bytes it has. */
uint32_t dr_json5_character(const char *at, size_t *ret_length);

bool dr_json5_is_letter(uint32_t character); /* beyond ASCII only */
bool dr_json5_is_part(uint32_t character);
bool dr_json5_is_space(uint32_t character); /* beyond ASCII: Zs, U+FEFF, U+2028, U+2029 */

/* Members with the same key. Grows while the document is read; the caller releases it. */
struct dr_json5_duplicates {
    struct dr_json5_duplicate *list;
    size_t kept;
    size_t capacity;
    size_t count;
    uint32_t *table; /* scratch: indices of children + 1 */
    size_t table_size;
    uint64_t seed;
};

void dr_json5_duplicates_release(struct dr_json5_duplicates *duplicates);

/* Finds the duplicate keys of a complete object, and marks the members that a later one shadows. */
int dr_json5_duplicates_find(struct dr_json5_duplicates *duplicates, const char *bytes,
                             struct dr_json5_node *object) DR_MUST_CHECK;

#endif
