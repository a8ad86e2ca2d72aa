/*
 * The files that EnvironmentFile= names. Their syntax is systemd's own (env-file.c), not that of dotenv:
 *
 * KEY=VALUE, no `export`; comment lines with # or ;, and # inside a line is an ordinary character; a backslash joins lines and
 * otherwise keeps the next character; '…' verbatim, "…" with \ before " \ ` $; quoted and bare parts may follow each other.
 * A key that is no name of a variable is skipped. Later assignments win (`shadowed` marks the others).
 *
 * Ownership: `bytes` is borrowed, everything else lives in the arena.
 */
#ifndef DR_FORMAT_SYSTEMD_ENV_FILE_H
#define DR_FORMAT_SYSTEMD_ENV_FILE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DR_ENV_FILE_ENTRIES = 100000 };

struct dr_env_file_entry {
    const char *key;
    const char *value; /* decoded, NUL-terminated */
    size_t value_length;
    bool shadowed;
    unsigned line; /* of the key, from 1 */
    uint64_t value_offset; /* exactly the value's bytes (inside its quotes), when it stands there verbatim */
    uint64_t value_bytes; /* 0: decoded, several parts, or empty */
    uint64_t line_offset; /* the whole assignment without its line end */
    uint64_t line_bytes;
};

struct dr_env_file {
    const char *bytes;
    size_t length;
    const struct dr_env_file_entry *entries;
    size_t count;
};

/* 0; -E2BIG: more than DR_ENV_FILE_ENTRIES assignments; -ENOMEM. */
int dr_env_file_parse(const char *bytes, size_t length, struct dr_arena *arena, struct dr_env_file *ret_file) DR_MUST_CHECK;

/* The entry that counts for `key`, or NULL. */
const struct dr_env_file_entry *dr_env_file_get(const struct dr_env_file *file, const char *key);

#endif
