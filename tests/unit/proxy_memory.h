/*
 * A loader for readers of proxy configurations that serves one text as several files, for tests and fuzz targets.
 *
 * The text up to the first line "=== NAME" is /etc/proxy/main.conf, what follows such a line is /etc/proxy/NAME. "*" in a pattern finds
 * what begins and ends as the pattern does. "*" alone as a NAME's ending is not special.
 */
#ifndef DR_TESTS_PROXY_MEMORY_H
#define DR_TESTS_PROXY_MEMORY_H

#include "format/proxy_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_FILES = 32 };

#define MEMORY_FOLDER "/etc/proxy/"
#define MEMORY_MAIN MEMORY_FOLDER "main.conf"

struct memory {
    struct dr_arena *arena;
    struct dr_proxy_file files[MEMORY_FILES];
    size_t count;
};

static inline void memory_add(struct memory *memory, const char *name, size_t name_length, const char *text, size_t length)
{
    if (memory->count == MEMORY_FILES)
        return;
    struct dr_proxy_file *file = &memory->files[memory->count];

    file->path = dr_arena_format(memory->arena, MEMORY_FOLDER "%.*s", (int)name_length, name);
    file->bytes = dr_arena_alloc(memory->arena, length + 1);
    if (!file->path || !file->bytes)
        return;
    memcpy((char *)(uintptr_t)file->bytes, text, length);
    file->length = length;
    memory->count++;
}

static inline void memory_split(struct memory *memory, const char *text, size_t length)
{
    static const char mark[] = "\n=== ";
    const char *name = "main.conf", *end = text + length;
    size_t name_length = strlen(name);

    for (;;) {
        const char *next = memmem(text, (size_t)(end - text), mark, sizeof(mark) - 1);

        memory_add(memory, name, name_length, text, (size_t)((next ? next + 1 : end) - text));
        if (!next)
            return;
        name = next + sizeof(mark) - 1;
        text = memchr(name, '\n', (size_t)(end - name));
        if (!text)
            return;
        name_length = (size_t)(text++ - name);
    }
}

static inline int memory_load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    struct memory *memory = user;

    for (size_t i = 0; i < memory->count; i++) {
        if (strcmp(memory->files[i].path, path) != 0)
            continue;
        *ret_file = &memory->files[i];
        return 0;
    }
    return -ENOENT;
}

static inline int memory_compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static inline int memory_expand(void *user, const char *pattern, const char *const **ret_paths)
{
    struct memory *memory = user;
    const char **paths = dr_arena_alloc(memory->arena, (memory->count + 1) * sizeof(const char *));
    size_t head = strcspn(pattern, "*?["), tail = strlen(pattern + head), count = 0;

    tail -= tail > 0;
    for (size_t i = 0; paths && i < memory->count; i++) {
        const char *path = memory->files[i].path;
        size_t length = strlen(path);

        if (length >= head + tail && strncmp(path, pattern, head) == 0 &&
            memcmp(path + length - tail, pattern + strlen(pattern) - tail, tail) == 0)
            paths[count++] = path;
    }
    if (!paths)
        return -ENOMEM;
    qsort(paths, count, sizeof(const char *), memory_compare);
    *ret_paths = paths;
    return 0;
}

static inline const char *memory_environment(void *user, const char *name)
{
    (void)user;
    (void)name;
    return NULL;
}

static inline struct dr_proxy_loader memory_loader(struct memory *memory)
{
    return (struct dr_proxy_loader){
        .arena = memory->arena,
        .user = memory,
        .load = memory_load,
        .expand = memory_expand,
        .environment = memory_environment,
    };
}

#endif
