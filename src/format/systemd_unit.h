/*
 * systemd unit files and drop-ins, with the place of everything.
 *
 * Rules as in systemd's own parser (conf-parser.c, extract-word.c; systemd.syntax(7), systemd.exec(5)): sections, KEY=VALUE,
 * comment lines with # or ; (also between continued lines), a trailing backslash continues the line and becomes a space.
 * Words are split at white space; '…' and "…" group anywhere in a word; C escapes apply inside and outside of quotes.
 * Specifiers (%h, %i …) stay as they are, only %% becomes %; `specifier` says that there are others.
 * Lines that are no assignment are skipped, as systemd does after a warning.
 *
 * One file is one dr_unit. Several files make one service: the unit first, then its drop-ins sorted by file name; an empty
 * assignment forgets what came before it, also in other files (dr_unit_effective).
 *
 * Ownership: `bytes` is borrowed, everything else lives in the arena. Cost: linear.
 */
#ifndef DR_FORMAT_SYSTEMD_UNIT_H
#define DR_FORMAT_SYSTEMD_UNIT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DR_UNIT_ENTRIES = 10000, DR_UNIT_WORDS = 10000 };

/* Where the bytes from `at` on of the joined value stand in the file. */
struct dr_unit_piece {
    size_t at;
    uint64_t offset;
    unsigned line;
};

struct dr_unit_entry {
    const char *section; /* "Service"; "" in front of the first header */
    const char *key;
    const char *value; /* continued lines joined, white space around dropped; NUL-terminated */
    size_t value_length;
    const struct dr_unit_piece *pieces;
    size_t piece_count;
    unsigned line; /* of the key, from 1 */
    uint64_t value_offset; /* the value in the file, from its first to its last byte */
    uint64_t value_bytes;
    uint64_t line_offset; /* all lines of the assignment, without the last line end */
    uint64_t line_bytes;
};

struct dr_unit {
    const char *path; /* what the caller passed; borrowed */
    const char *bytes;
    size_t length;
    const struct dr_unit_entry *entries;
    size_t count;
};

/* 0; -E2BIG: more than DR_UNIT_ENTRIES assignments; -ENOMEM. */
int dr_unit_parse(const char *path, const char *bytes, size_t length, struct dr_arena *arena,
                  struct dr_unit *ret_unit) DR_MUST_CHECK;

/*
 * The entries of `section`/`key` over all `units` in order, without those that a later empty assignment forgets, and without
 * the empty ones. For keys that hold one value (User=, WorkingDirectory=) the last of them counts.
 */
int dr_unit_effective(const struct dr_unit *units, size_t unit_count, const char *section, const char *key,
                      struct dr_arena *arena, const struct dr_unit_entry *const **ret_entries,
                      size_t *ret_count) DR_MUST_CHECK;

/* A word of a value. `bytes` is 0 when it does not stand in one piece in the file. */
struct dr_unit_word {
    const char *text; /* decoded, NUL-terminated */
    size_t length;
    bool verbatim; /* the bytes at `offset` are the text */
    bool specifier; /* holds a % specifier that is not resolved */
    unsigned line;
    size_t start; /* in the entry's value */
    uint64_t offset; /* in the file, with its quotes */
    uint64_t bytes;
};

/*
 * Splits a value. `relaxed`: unknown escapes stay as they are (ExecStart=), else they are -EINVAL, as is an open quote; then
 * systemd ignores the rest of the assignment: the words in front are returned through ret_words all the same.
 */
int dr_unit_words(const struct dr_unit_entry *entry, bool relaxed, struct dr_arena *arena,
                  const struct dr_unit_word **ret_words, size_t *ret_count) DR_MUST_CHECK;

/* NAME=VALUE of an Environment= entry. The value's own place; `bytes` 0 when it cannot be edited in place. */
struct dr_unit_assignment {
    const struct dr_unit_entry *entry;
    const char *name;
    const char *value;
    bool specifier;
    unsigned line;
    uint64_t offset; /* of the value's first byte in the file */
    uint64_t bytes; /* exactly the value's bytes; 0 also for an empty value */
    bool alone; /* the only word of its entry: the whole line may be commented out */
};

/* Words that are no valid NAME=VALUE are skipped, as systemd does. */
int dr_unit_assignments(const struct dr_unit_entry *entry, struct dr_arena *arena,
                        const struct dr_unit_assignment **ret_assignments, size_t *ret_count) DR_MUST_CHECK;

/* The path of an EnvironmentFile= entry; `optional`: it began with "-". Arena. -EINVAL: not absolute. */
int dr_unit_environment_file(const struct dr_unit_entry *entry, struct dr_arena *arena, const char **ret_path,
                             bool *ret_optional) DR_MUST_CHECK;

/* One command of an ExecStart= entry; a lone ";" separates commands. */
struct dr_unit_command {
    const struct dr_unit_word *words; /* the program first, without its prefixes; the second is argv[0] when `has_argv0` */
    size_t count;
    bool ignore_failure; /* - */
    bool has_argv0; /* @ */
    bool no_expansion; /* : */
    bool full_privileges; /* + */
    bool no_setuid; /* ! or !! */
};

int dr_unit_commands(const struct dr_unit_entry *entry, struct dr_arena *arena, const struct dr_unit_command **ret_commands,
                     size_t *ret_count) DR_MUST_CHECK;

#endif
