#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_SIZE = 32 * 1024 };

struct dr_arena_block {
    struct dr_arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void dr_arena_release(struct dr_arena *arena)
{
    while (arena->blocks) {
        struct dr_arena_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    arena->used = 0;
}

static struct dr_arena_block *add_block(struct dr_arena *arena, size_t size)
{
    size_t capacity = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    struct dr_arena_block *block = calloc(1, sizeof(*block) + capacity);

    if (!block)
        return NULL;
    block->size = capacity;
    if (arena->blocks && capacity != BLOCK_SIZE) {
        /* A large allocation gets a block of its own behind the current one, which stays open. */
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *dr_arena_alloc(struct dr_arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);

    if (size > SIZE_MAX - align)
        return NULL;
    size = (size + align - 1) / align * align;
    if (size > arena->ceiling || arena->used > arena->ceiling - size)
        return NULL;

    struct dr_arena_block *block = arena->blocks;

    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;

    void *memory = block->bytes + block->used;

    block->used += size;
    arena->used += size;
    return memory;
}

void *dr_arena_grow(struct dr_arena *arena, void *items, size_t count, size_t item_size, size_t *capacity)
{
    enum { FIRST = 8 };

    if (count < *capacity)
        return items;

    size_t more = *capacity > 0 ? *capacity * 2 : FIRST;
    void *moved = more > SIZE_MAX / item_size ? NULL : dr_arena_alloc(arena, more * item_size);

    if (!moved)
        return NULL;
    if (count > 0)
        memcpy(moved, items, count * item_size);
    *capacity = more;
    return moved;
}

char *dr_arena_strndup(struct dr_arena *arena, const char *text, size_t length)
{
    char *copy = dr_arena_alloc(arena, length + 1);

    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *dr_arena_strdup(struct dr_arena *arena, const char *text)
{
    return dr_arena_strndup(arena, text, strlen(text));
}

char *dr_arena_vformat(struct dr_arena *arena, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : dr_arena_alloc(arena, (size_t)length + 1);

    if (text)
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *dr_arena_format(struct dr_arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = dr_arena_vformat(arena, format, arguments);

    va_end(arguments);
    return text;
}
