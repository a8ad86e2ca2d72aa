/*
 * .env files as Node's `dotenv` package reads them (17.x, which OpenClaw uses), with the place of everything.
 *
 * Rules, all taken from its one regular expression: an optional `export`; a key of letters, digits, `_`, `.`, `-`; `=` (or
 * `:` and white space); a value in '…', "…" or `…`, which may run over lines, or the rest of the line up to the first `#`.
 * White space around is dropped. Only \n and \r inside double quotes are escapes; \" keeps its backslash. A quote that is not
 * followed by the end of the line or a comment is an ordinary character. Line ends become LF inside values. Of several
 * assignments to one key the last one counts (`shadowed` marks the others). A line that is no assignment is skipped: there
 * are no errors. Shell expansion does not happen.
 *
 * Ownership: `bytes` is borrowed, everything else lives in the arena. Cost: linear. Bytes that are no UTF-8 stay as they are
 * (Node would put U+FFFD).
 */
#ifndef DR_FORMAT_DOTENV_H
#define DR_FORMAT_DOTENV_H

#include "api/operation.h"
#include "base/arena.h"

struct dr_dotenv_entry {
    const char *key;
    const char *value; /* decoded, NUL-terminated */
    size_t value_length;
    char quote; /* ', ", ` or 0 */
    bool exported;
    bool shadowed; /* a later entry has the same key */
    bool verbatim; /* the bytes at `inner` are the value, nothing was decoded */
    unsigned line; /* of the key, from 1 */
    unsigned column; /* of the key, in characters from 1 */
    uint64_t key_offset;
    uint64_t key_bytes;
    uint64_t raw_offset; /* the value with its quotes; behind the separator when it is empty */
    uint64_t raw_bytes;
    uint64_t inner_offset; /* the value without its quotes */
    uint64_t inner_bytes;
    uint64_t line_offset; /* all lines that the assignment stands on, without the last line end */
    uint64_t line_bytes;
};

struct dr_dotenv {
    const char *bytes;
    size_t length;
    const struct dr_dotenv_entry *entries; /* in the order of the file */
    size_t count;
};

/* 0 or -ENOMEM, -E2BIG (more than DR_DOTENV_ENTRIES assignments). */
enum { DR_DOTENV_ENTRIES = 100000 };
int dr_dotenv_parse(const char *bytes, size_t length, struct dr_arena *arena, struct dr_dotenv *ret_dotenv) DR_MUST_CHECK;

/* The entry that counts for `key`, or NULL. */
const struct dr_dotenv_entry *dr_dotenv_get(const struct dr_dotenv *dotenv, const char *key);

/*
 * Edits. The texts live in the arena.
 * set: replaces the value, keeps its quotes where the new value can stand in them. -EINVAL: no quoting can hold the value.
 * comment_out: puts "# " in front of each line of the assignment.
 * add: a new assignment at the end of the file. -EINVAL as above.
 * All three read the edited file once more: -EINVAL when any other assignment would read otherwise than before (an open quote
 * somewhere in the file can reach as far as the next quote).
 */
int dr_dotenv_set(const struct dr_dotenv *dotenv, const struct dr_dotenv_entry *entry, const char *value,
                  struct dr_arena *arena, struct dr_edit *ret_edit) DR_MUST_CHECK;
int dr_dotenv_comment_out(const struct dr_dotenv *dotenv, const struct dr_dotenv_entry *entry, struct dr_arena *arena,
                          struct dr_edit **ret_edits, size_t *ret_count) DR_MUST_CHECK;
int dr_dotenv_add(const struct dr_dotenv *dotenv, const char *key, const char *value, struct dr_arena *arena,
                  struct dr_edit *ret_edit) DR_MUST_CHECK;

#endif
