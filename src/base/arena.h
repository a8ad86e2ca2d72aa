/*
 * Memory that lives as long as one run.
 *
 * Facts, findings and texts of a run are allocated here and never freed singly; dr_arena_release frees
 * everything. Allocations are zeroed and aligned for any type. Beyond the arena's ceiling, and when the
 * system has no memory, an allocation returns NULL (callers answer -ENOMEM).
 */
#ifndef DR_BASE_ARENA_H
#define DR_BASE_ARENA_H

#include "base/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

struct dr_arena_block;

struct dr_arena {
    struct dr_arena_block *blocks;
    size_t used;
    size_t ceiling;
};

#define DR_ARENA(most_bytes)    \
    {                           \
        .ceiling = (most_bytes) \
    }

void dr_arena_release(struct dr_arena *arena);
#define _cleanup_arena_ _cleanup_(dr_arena_release)

void *dr_arena_alloc(struct dr_arena *arena, size_t size);

/*
 * A growing array: room for at least one item more than `count`. Moves the items when it must (the old place stays used up until the
 * arena goes). NULL without memory.
 */
void *dr_arena_grow(struct dr_arena *arena, void *items, size_t count, size_t item_size, size_t *capacity);

char *dr_arena_strdup(struct dr_arena *arena, const char *text);
char *dr_arena_strndup(struct dr_arena *arena, const char *text, size_t length);
char *dr_arena_vformat(struct dr_arena *arena, const char *format, va_list arguments) DR_PRINTF(2, 0);
char *dr_arena_format(struct dr_arena *arena, const char *format, ...) DR_PRINTF(2, 3);

#endif
