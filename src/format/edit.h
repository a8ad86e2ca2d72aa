/*
 * Applying span edits (struct dr_edit) in memory.
 *
 * Edits are sorted by offset and do not overlap; two insertions at one place keep their order. Only literal texts: edits that
 * take their text from elsewhere (`from`) are the executor's.
 */
#ifndef DR_FORMAT_EDIT_H
#define DR_FORMAT_EDIT_H

#include "api/operation.h"
#include "base/buffer.h"

/* Sorts edits that were gathered in another order. Stable. */
void dr_edits_sort(struct dr_edit *edits, size_t count);

/*
 * Appends the edited text to `buffer`. -EINVAL: not sorted, overlapping, beyond the end, or not literal; -E2BIG, -ENOMEM as
 * dr_buffer_append.
 */
int dr_edits_apply(const char *bytes, size_t length, const struct dr_edit *edits, size_t count,
                   struct dr_buffer *buffer) DR_MUST_CHECK;

#endif
