/*
 * A growing byte buffer with a ceiling.
 *
 * A buffer is created with the most bytes that it may ever hold. Appending beyond the ceiling returns
 * -E2BIG and leaves the contents as they were: reaching a limit is an answer ("too large"), never a
 * truncation. `data` is always NUL-terminated once something was appended (the NUL is not counted), so a
 * text can be used as a C string; it may hold NUL bytes of its own.
 *
 * Ownership: the struct owns `data`. dr_buffer_release frees it and leaves an empty, reusable buffer.
 * dr_buffer_take hands the bytes to the caller (free()).
 */
#ifndef DR_BASE_BUFFER_H
#define DR_BASE_BUFFER_H

#include "base/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

struct dr_buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t ceiling;
};

#define DR_BUFFER(most_bytes)   \
    {                           \
        .ceiling = (most_bytes) \
    }

void dr_buffer_release(struct dr_buffer *buffer);
#define _cleanup_buffer_ _cleanup_(dr_buffer_release)

int dr_buffer_append(struct dr_buffer *buffer, const void *bytes, size_t length) DR_MUST_CHECK;
int dr_buffer_append_text(struct dr_buffer *buffer, const char *text) DR_MUST_CHECK;
int dr_buffer_append_byte(struct dr_buffer *buffer, char byte) DR_MUST_CHECK;
int dr_buffer_appendf(struct dr_buffer *buffer, const char *format, ...) DR_PRINTF(2, 3) DR_MUST_CHECK;
int dr_buffer_vappendf(struct dr_buffer *buffer, const char *format, va_list arguments) DR_PRINTF(2, 0) DR_MUST_CHECK;

/* Makes room for `length` more bytes and returns where they go; dr_buffer_commit counts what was written. */
int dr_buffer_reserve(struct dr_buffer *buffer, size_t length, char **ret_space) DR_MUST_CHECK;
void dr_buffer_commit(struct dr_buffer *buffer, size_t length);

/* Forgets the contents, keeps the memory. */
void dr_buffer_clear(struct dr_buffer *buffer);

/* The contents as a C string, "" when nothing was appended. Borrowed. */
const char *dr_buffer_text(const struct dr_buffer *buffer);

/* Moves the bytes out; the caller frees. Never NULL unless memory ran out. */
char *dr_buffer_take(struct dr_buffer *buffer);

#endif
