/*
 * Where a report or a saved plan goes: standard output, or a file that the user named (--output). This is the user's own
 * file and not part of OpenClaw's state; it is written whole or not at all, 0600 when new.
 */
#ifndef DR_CLI_OUTPUT_H
#define DR_CLI_OUTPUT_H

#include "base/error.h"

#include <stddef.h>

/* `path` NULL or "-": standard output. `error` may be NULL. */
int dr_output_write(const char *path, const char *bytes, size_t length, struct dr_error *error);

#endif
