#include "format/traefik_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct traefik_node *dr_traefik_node(struct dr_arena *arena, enum traefik_type type, const struct dr_proxy_file *file,
                                     size_t begin, size_t end)
{
    struct traefik_node *node = dr_arena_alloc(arena, sizeof(*node));

    if (node)
        *node = (struct traefik_node){ .type = type, .file = file, .begin = begin, .end = end };
    return node;
}

void dr_traefik_append(struct traefik_node *parent, struct traefik_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static struct traefik_node *member(const struct traefik_node *map, const char *key,
                                   int (*compare)(const char *, const char *))
{
    for (struct traefik_node *child = map->first; child; child = child->next)
        if (child->key && compare(child->key, key) == 0)
            return child;
    return NULL;
}

static struct traefik_node *find(const struct traefik_node *map, const char *key, unsigned depth)
{
    struct traefik_node *found, *merged;

    if (!map || map->type != TRAEFIK_MAP || depth > TRAEFIK_CHAIN)
        return NULL;
    found = member(map, key, strcmp);
    found = found ? found : member(map, key, strcasecmp);
    if (found || !(merged = member(map, "<<", strcmp)))
        return found;
    if (merged->type != TRAEFIK_LIST)
        return find(merged, key, depth + 1);
    for (const struct traefik_node *one = merged->first; one && !found; one = one->next)
        found = find(one, key, depth + 1);
    return found;
}

struct traefik_node *dr_traefik_get(const struct traefik_node *map, const char *key)
{
    struct traefik_node *found = find(map, key, 0);

    return found && found->type != TRAEFIK_NULL ? found : NULL;
}

struct traefik_node *dr_traefik_at(const struct traefik_node *map, const char *path)
{
    struct traefik_node *node = NULL;
    char step[64];

    while (*path) {
        size_t length = strcspn(path, ".");

        if (length >= sizeof(step))
            return NULL;
        memcpy(step, path, length);
        step[length] = '\0';
        node = dr_traefik_get(map, step);
        map = node;
        path += length + (path[length] == '.');
    }
    return node;
}

const char *dr_traefik_text(const struct traefik_node *node)
{
    return node && node->type == TRAEFIK_SCALAR ? node->text : NULL;
}

bool dr_traefik_true(const struct traefik_node *node, bool when_absent)
{
    const char *text = dr_traefik_text(node);

    return text ? strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 : when_absent;
}

/* The item of a list at an index; one behind its end is made. */
static struct traefik_node *item(struct dr_arena *arena, struct traefik_node *list, unsigned long index)
{
    struct traefik_node *at = list->first;

    for (; at && index > 0; at = at->next)
        index--;
    if (at || index > 0)
        return at;
    at = dr_traefik_node(arena, TRAEFIK_NULL, list->file, list->begin, list->end);
    if (at)
        dr_traefik_append(list, at);
    return at;
}

/* "providers.docker=true", then "providers.docker.network=x". */
static bool become(struct traefik_node *node, enum traefik_type type)
{
    if (node->type == TRAEFIK_NULL || (node->type == TRAEFIK_SCALAR && dr_traefik_true(node, false)))
        node->type = type;
    return node->type == type;
}

/* One step of a path: "servers[0]". */
static struct traefik_node *step_into(struct dr_arena *arena, struct traefik_node *map, const char *text, size_t length,
                                      const struct traefik_node *value)
{
    const char *bracket = memchr(text, '[', length);
    char *key = dr_arena_strndup(arena, text, bracket ? (size_t)(bracket - text) : length);
    struct traefik_node *child = key ? member(map, key, strcasecmp) : NULL;

    if (!key)
        return NULL;
    if (!child) {
        child = dr_traefik_node(arena, TRAEFIK_NULL, value->file, value->begin, value->end);
        if (!child)
            return NULL;
        child->key = key;
        child->key_begin = value->key_begin;
        child->fixed = value->fixed;
        dr_traefik_append(map, child);
    }
    if (!bracket)
        return child;
    return become(child, TRAEFIK_LIST) ? item(arena, child, strtoul(bracket + 1, NULL, 10)) : NULL;
}

int dr_traefik_put(struct dr_arena *arena, struct traefik_node *map, const char *path, size_t length,
                   const struct traefik_node *value)
{
    const char *end = path + length;

    for (unsigned depth = 0; path < end; depth++) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        size_t step = (size_t)((dot ? dot : end) - path);

        if (depth > DR_PROXY_DEPTH || !become(map, TRAEFIK_MAP))
            return -EINVAL;
        map = step_into(arena, map, path, step, value);
        if (!map)
            return -EINVAL;
        path += step + 1;
    }
    if (map->first)
        return value->type == TRAEFIK_SCALAR ? 0 : -EINVAL;
    map->type = value->type;
    map->text = value->text;
    map->file = value->file;
    map->begin = value->begin;
    map->end = value->end;
    map->key_begin = value->key_begin;
    map->fixed = value->fixed;
    map->first = value->first;
    map->last = value->last;
    return 0;
}

static const char *const *split(struct dr_arena *arena, const char *text)
{
    size_t count = 2;

    for (const char *at = text; *at; at++)
        count += *at == ',';
    const char **list = dr_arena_alloc(arena, count * sizeof(*list));

    count = 0;
    while (list && *text) {
        size_t length = strcspn(text, ","), used;

        used = length;
        for (; used > 0 && text[0] == ' '; text++) {
            used--;
            length--;
        }
        while (used > 0 && text[used - 1] == ' ')
            used--;
        if (used > 0 && !(list[count++] = dr_arena_strndup(arena, text, used)))
            return NULL;
        text += length + (text[length] == ',');
    }
    return list;
}

const char *const *dr_traefik_list(struct dr_arena *arena, const struct traefik_node *node)
{
    size_t count = 0;

    if (!node || node->type != TRAEFIK_LIST)
        return split(arena, node && node->text ? node->text : "");
    for (const struct traefik_node *child = node->first; child; child = child->next)
        count += child->text != NULL;
    const char **list = dr_arena_alloc(arena, (count + 1) * sizeof(*list));

    count = 0;
    for (const struct traefik_node *child = node->first; list && child; child = child->next)
        if (child->text)
            list[count++] = child->text;
    return list;
}

void dr_traefik_source(const struct traefik_node *node, struct dr_source *ret_source)
{
    *ret_source = (struct dr_source){ 0 };
    if (node && node->file)
        dr_proxy_position(node->file, node->key ? node->key_begin : node->begin, ret_source);
}
