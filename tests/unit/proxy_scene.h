/*
 * One configuration, read from a text, with all that it needs. The includer says whose reader it tests and how much memory that may take:
 *   #define SCENE_FORMAT dr_nginx_format
 *   #define SCENE_MEGABYTES 192
 *   #define SCENE_ENVIRONMENT environment     (if its server reads variables)
 */
#ifndef PROXY_SCENE_H
#define PROXY_SCENE_H

#include "proxy_memory.h"

#include <check.h>

#define MEGABYTE ((size_t)1 << 20)

struct scene {
    struct dr_arena arena;
    struct memory memory;
    struct dr_proxy_loader loader;
    struct dr_proxy_config config;
};

static void release(struct scene *scene)
{
    dr_arena_release(&scene->arena);
}

#define _cleanup_scene_ _cleanup_(release)

static void look(struct scene *scene, const char *text, size_t length)
{
    *scene = (struct scene){ .arena = DR_ARENA(SCENE_MEGABYTES * MEGABYTE) };
    scene->memory.arena = &scene->arena;
    scene->loader = memory_loader(&scene->memory);
#ifdef SCENE_ENVIRONMENT
    scene->loader.environment = SCENE_ENVIRONMENT;
#endif
    memory_split(&scene->memory, text, length);
    ck_assert_int_eq(SCENE_FORMAT.read(&scene->loader, MEMORY_MAIN, NULL, &scene->config), 0);
}

#endif
