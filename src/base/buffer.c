#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void dr_buffer_release(struct dr_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
}

void dr_buffer_clear(struct dr_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

int dr_buffer_reserve(struct dr_buffer *buffer, size_t length, char **ret_space)
{
    if (length > buffer->ceiling || buffer->length > buffer->ceiling - length)
        return -E2BIG;

    size_t needed = buffer->length + length + 1; /* + NUL */

    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity > SIZE_MAX / 2 ? needed : buffer->capacity * 2;

        if (capacity < needed)
            capacity = needed < 64 ? 64 : needed;
        if (capacity > buffer->ceiling + 1)
            capacity = buffer->ceiling + 1;

        char *data = realloc(buffer->data, capacity);

        if (!data)
            return -ENOMEM;
        buffer->data = data;
        buffer->capacity = capacity;
    }
    *ret_space = buffer->data + buffer->length;
    return 0;
}

void dr_buffer_commit(struct dr_buffer *buffer, size_t length)
{
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

int dr_buffer_append(struct dr_buffer *buffer, const void *bytes, size_t length)
{
    char *space;
    int r = dr_buffer_reserve(buffer, length, &space);

    if (r < 0)
        return r;
    if (length > 0)
        memcpy(space, bytes, length);
    dr_buffer_commit(buffer, length);
    return 0;
}

int dr_buffer_append_text(struct dr_buffer *buffer, const char *text)
{
    return dr_buffer_append(buffer, text, strlen(text));
}

int dr_buffer_append_byte(struct dr_buffer *buffer, char byte)
{
    return dr_buffer_append(buffer, &byte, 1);
}

int dr_buffer_vappendf(struct dr_buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    char *space;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    int r = length < 0 ? -EINVAL : dr_buffer_reserve(buffer, (size_t)length, &space);

    if (r >= 0) {
        (void)vsnprintf(space, (size_t)length + 1, format, again);
        dr_buffer_commit(buffer, (size_t)length);
    }
    va_end(again);
    return r;
}

int dr_buffer_appendf(struct dr_buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int r = dr_buffer_vappendf(buffer, format, arguments);

    va_end(arguments);
    return r;
}

const char *dr_buffer_text(const struct dr_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

char *dr_buffer_take(struct dr_buffer *buffer)
{
    char *data = buffer->data ? buffer->data : calloc(1, 1);

    buffer->data = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
    return data;
}
