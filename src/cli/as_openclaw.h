/*
 * Started under the name `openclaw`: `openclaw doctor ...` is answered here, every other word is handed to the next `openclaw` on PATH.
 */
#ifndef DR_CLI_AS_OPENCLAW_H
#define DR_CLI_AS_OPENCLAW_H

#include "base/error.h"

#include <stdbool.h>

/* True when argv says `openclaw` (by whatever path). */
bool dr_as_openclaw(const char *argv0);

/* Replaces this program by the next `openclaw` on PATH that is not this file. Returns only when that failed. */
int dr_hand_on(char **argv, struct dr_error *error) DR_MUST_CHECK;

#endif
