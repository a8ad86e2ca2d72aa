/*
 * The fuzz target of a proxy's reader: whatever stands in the files, places lie inside them, and an edit gives a configuration that has as many
 * routes and needs no further edit. One file is one target (fuzz_nginx.c ...); the input may hold several files (proxy_memory.h).
 */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H

#include "../unit/proxy_memory.h"
#include "format/edit.h"
#include "fuzz.h"

#include "base/buffer.h"

#include <errno.h>

enum {
    ARENA = 256 << 20,
    MOST_EDITED = 4,
    ALL = DR_MEND_UPGRADE | DR_MEND_FORWARD | DR_MEND_TIMEOUT | DR_MEND_UPSTREAM | DR_MEND_BUFFERING
};

/* How much an edit of this server is held to. */
enum proxy_promise {
    READS_AGAIN, /* the edited files are read without a fault; another round may find more (httpd: shared workers) */
    SETTLES, /* ... and nothing is left to edit */
    WHOLE, /* ... and every wish is fulfilled */
};

static void check(const struct dr_proxy_config *config)
{
    for (size_t i = 0; i < config->fault_count; i++)
        PROMISE(config->faults[i].text);
    for (size_t i = 0; i < config->route_count; i++) {
        const struct dr_route *route = &config->routes[i];

        PROMISE(route->config == config && route->source.line > 0 && route->source.column > 0);
        PROMISE(route->listens && route->names && (route->path || route->pattern) && route->upstream_text);
        PROMISE(route->upgrade == DR_UPGRADE_PASSED || route->upgrade_why);
    }
}

/* The edited text of each file, as one text again. */
static bool edit(const struct memory *memory, const struct dr_route_edits *edits, struct dr_buffer *text)
{
    size_t at = 0;
    int r = 0;

    for (size_t i = 0; i < memory->count && r >= 0; i++) {
        const struct dr_proxy_file *file = &memory->files[i];
        struct dr_edit list[256];
        size_t count = 0;

        if (i > 0)
            r = dr_buffer_appendf(text, "%s=== %s\n", text->length && text->data[text->length - 1] == '\n' ? "" : "\n",
                                  file->path + strlen(MEMORY_FOLDER));
        for (size_t j = 0; j < edits->count; j++) {
            PROMISE(edits->list[j].edit.offset + edits->list[j].edit.length <= edits->list[j].file->length);
            if (edits->list[j].file != file)
                continue;
            if (count == DR_COUNT(list))
                return false;
            list[count++] = edits->list[j].edit;
        }
        at += count;
        if (r >= 0)
            r = dr_edits_apply(file->bytes, file->length, list, count, text);
        PROMISE(r != -EINVAL);
    }
    PROMISE(r < 0 || at == edits->count);
    return r >= 0;
}

static void mend(const struct dr_proxy_format *format, enum proxy_promise promise, const struct memory *memory,
                 const struct dr_route *route, size_t index)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(ARENA);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);
    struct memory changed = { .arena = &arena };
    struct dr_proxy_loader loader = memory_loader(&changed);
    struct dr_proxy_config config = { 0 };
    struct dr_route_edits edits;
    const char *why_not;
    int r = format->mend(route, ALL, &arena, &edits, &why_not);

    PROMISE(r == 0 || (r == -ENOTSUP && why_not) || r == -ENOMEM);
    /* In a broken file an edit may move what was lost. */
    if (r < 0 || edits.count == 0 || route->config->fault_count > 0 || !edit(memory, &edits, &text))
        return;
    memory_split(&changed, text.data, text.length);
    if (format->read(&loader, MEMORY_MAIN, NULL, &config) < 0)
        return;
    /* Two routes may become one where only what was mended told them apart (entry points of Traefik). */
    PROMISE(promise == WHOLE ? config.route_count == route->config->route_count
                             : config.route_count <= route->config->route_count);
    PROMISE(config.fault_count == 0);
    if (config.route_count != route->config->route_count)
        return;
    PROMISE(promise != WHOLE || config.routes[index].upgrade == DR_UPGRADE_PASSED);
    r = format->mend(&config.routes[index], ALL, &arena, &edits, &why_not);
    PROMISE(r == 0 || (r == -ENOTSUP && why_not) || r == -ENOMEM);
    PROMISE(promise != WHOLE || r == 0);
    PROMISE(promise == READS_AGAIN || r != 0 || edits.count == 0);
}

static int proxy_target(const struct dr_proxy_format *format, enum proxy_promise promise, const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(ARENA);
    struct memory memory = { .arena = &arena };
    struct dr_proxy_loader loader = memory_loader(&memory);
    struct dr_proxy_config config = { 0 };

    memory_split(&memory, (const char *)data, size);
    if (format->read(&loader, MEMORY_MAIN, NULL, &config) < 0)
        return 0;
    check(&config);
    for (size_t i = 0; i < config.route_count && i < MOST_EDITED; i++)
        mend(format, promise, &memory, &config.routes[i], i);
    return 0;
}

#endif
