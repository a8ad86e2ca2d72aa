/*
 * The worker's lines (docs/wire.md) as they come in, and the line that every check has in the end.
 */
#ifndef DR_ENGINE_LOOK_LINES_H
#define DR_ENGINE_LOOK_LINES_H

#include "api/check.h"
#include "base/buffer.h"
#include "engine/engine.h"

/* Takes the whole lines off `input` into the look; what is left is the start of a line. `ended`: the worker came to its end. */
void dr_look_take_lines(struct dr_look *look, struct dr_buffer *input, bool *ended);

/* A line that the worker could not write itself. `reason` may be NULL. */
int dr_look_add_check(struct dr_look *look, const struct dr_check *check, const char *status,
                      const char *reason) DR_MUST_CHECK;
bool dr_look_has_check(const struct dr_look *look, const char *id);

/* By id. */
int dr_look_sort_checks(cJSON *checks) DR_MUST_CHECK;

#endif
