/*
 * The nouns as JSON (docs/wire.md): what the worker sends, what a plan file holds, what a report shows.
 *
 * Encoding happens in the worker, decoding in the parent. Decoding treats its input as hostile: each field is typed and
 * bounded, an unknown kind is an error, text is valid UTF-8.
 */
#ifndef DR_WIRE_WIRE_H
#define DR_WIRE_WIRE_H

#include "api/check.h"
#include "api/operation.h"
#include "base/arena.h"
#include "base/error.h"

#include <cjson/cJSON.h>

void dr_cleanup_json(cJSON **json);
#define _cleanup_json_ _cleanup_(dr_cleanup_json)

const char *dr_severity_name(enum dr_severity severity);
const char *dr_confidence_name(enum dr_confidence confidence);
const char *dr_safety_name(enum dr_safety safety);
const char *dr_operation_kind_name(enum dr_operation_kind kind);

/* False when the text names none. */
bool dr_severity_parse(const char *text, enum dr_severity *ret_severity);
bool dr_safety_parse(const char *text, enum dr_safety *ret_safety);
bool dr_operation_kind_parse(const char *text, enum dr_operation_kind *ret_kind);

const char *dr_row_action_name(enum dr_row_action action);
bool dr_row_action_parse(const char *text, enum dr_row_action *ret_action);

/* Caller owns the result; NULL without memory. `finding` is the fingerprint of the finding that it repairs. */
cJSON *dr_operation_to_json(const struct dr_operation *operation, const char *finding);

/* Everything in `ret_operation` lives in `arena`. -EINVAL with a sentence in `error` for anything not exactly as documented. */
int dr_operation_from_json(const cJSON *json, struct dr_arena *arena, struct dr_operation *ret_operation,
                           struct dr_error *error) DR_MUST_CHECK;

/* Convenience for readers: borrowed text or NULL; number or fallback. */
const char *dr_json_text(const cJSON *object, const char *name);
double dr_json_number(const cJSON *object, const char *name, double fallback);
bool dr_json_true(const cJSON *object, const char *name);

#endif
