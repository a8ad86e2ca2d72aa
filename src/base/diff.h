/*
 * Unified diff of span edits, for people.
 *
 * The edits say exactly which bytes change, so no comparison of whole files is made: hunks are the touched lines with three lines around.
 * Very long lines are shown as a window around the change. The caller redacts secrets in `text` of the edits and in `before`
 * afterwards (see dr_secret_redact); this module knows nothing of secrets.
 */
#ifndef DR_BASE_DIFF_H
#define DR_BASE_DIFF_H

#include "base/buffer.h"

#include <stdint.h>

struct dr_span_edit {
    uint64_t offset;
    uint64_t length;
    const char *text;
    size_t text_length;
};

/* `edits` sorted, not overlapping, within `before`: else -EINVAL. Appends "--- name", "+++ name", and hunks. */
int dr_diff_spans(const char *name, const char *before, size_t length, const struct dr_span_edit *edits, size_t count,
                  struct dr_buffer *diff) DR_MUST_CHECK;

/* Appends `before` with the edits carried out. Same conditions. */
int dr_spans_apply(const char *before, size_t length, const struct dr_span_edit *edits, size_t count,
                   struct dr_buffer *after) DR_MUST_CHECK;

#endif
