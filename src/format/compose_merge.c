/*
 * One tree of several files (docs.docker.com/reference/compose-file/merge/): maps are merged by their keys, lists are put one behind the
 * other, everything else is replaced; command, entrypoint and the test of a health check are replaced as a whole; environment, labels and the
 * like are maps, however they are spelt. "!reset" takes a value away, "!override" replaces it.
 */
#include "format/compose.h"

#include <string.h>

static struct traefik_node *copy_of(struct compose_project *project, const struct traefik_node *node)
{
    struct traefik_node *copy = NULL;

    if (++project->node_count <= COMPOSE_NODES)
        copy = dr_arena_alloc(project->model->arena, sizeof(*copy));
    if (!copy) {
        project->model->no_memory = project->model->no_memory || project->node_count <= COMPOSE_NODES;
        return NULL;
    }
    *copy = *node;
    copy->next = NULL;
    return copy;
}

static void append_copy(struct compose_project *project, struct traefik_node *parent, const struct traefik_node *node)
{
    struct traefik_node *copy = copy_of(project, node);

    if (copy)
        dr_traefik_append(parent, copy);
}

static struct traefik_node *empty_copy(struct compose_project *project, const struct traefik_node *node)
{
    struct traefik_node *copy = copy_of(project, node);

    if (copy)
        copy->first = copy->last = NULL;
    return copy;
}

static struct traefik_node *member(struct compose_project *project, const struct traefik_node *map, const char *key)
{
    for (struct traefik_node *child = map->first; child && project->compared < COMPOSE_COMPARED; child = child->next) {
        project->compared++;
        if (child->key && strcmp(child->key, key) == 0)
            return child;
    }
    return NULL;
}

/* --- merge keys ------------------------------------------------------------------------------------------------------------ */

static void add_merged(struct compose_project *project, struct traefik_node *flat, const struct traefik_node *from,
                       unsigned depth)
{
    for (const struct traefik_node *child = from->first; child && depth < COMPOSE_DEPTH; child = child->next) {
        bool is_merge = child->key && strcmp(child->key, "<<") == 0;

        if (is_merge && child->type == TRAEFIK_MAP)
            add_merged(project, flat, child, depth + 1);
        for (const struct traefik_node *one = is_merge && child->type == TRAEFIK_LIST ? child->first : NULL; one;
             one = one->next)
            if (one->type == TRAEFIK_MAP)
                add_merged(project, flat, one, depth + 1);
        if (!is_merge && child->key && !member(project, flat, child->key))
            append_copy(project, flat, child);
    }
}

struct traefik_node *dr_compose_flat(struct compose_project *project, struct traefik_node *map)
{
    struct traefik_node *flat;

    if (!map || map->type != TRAEFIK_MAP || !member(project, map, "<<"))
        return map;
    flat = empty_copy(project, map);
    if (!flat)
        return map;
    /* What is said here goes first, wherever the merge key stands. */
    for (const struct traefik_node *child = map->first; child; child = child->next)
        if (child->key && strcmp(child->key, "<<") != 0)
            append_copy(project, flat, child);
    add_merged(project, flat, map, 0);
    return flat;
}

/* --- several files ---------------------------------------------------------------------------------------------------------- */

static bool matches(const char *path, const char *const *list)
{
    const char *last = strrchr(path, '.');

    if (strncmp(path, "services.*.", strlen("services.*.")) != 0)
        return false;
    for (; *list; list++)
        if (strcmp(last + 1, *list) == 0)
            return true;
    return false;
}

static bool is_replaced(const char *path)
{
    static const char *const keys[] = { "command", "entrypoint", "test", NULL };

    return matches(path, keys);
}

static bool is_keyed(const char *path)
{
    static const char *const keys[] = { "environment", "labels",   "annotations", "sysctls",     "extra_hosts",
                                        "args",        "networks", "depends_on",  "driver_opts", NULL };

    return matches(path, keys);
}

/* "A=b" as a member. The text of a label keeps its place. */
static struct traefik_node *keyed_item(struct compose_project *project, const struct traefik_node *item)
{
    struct traefik_node *node = copy_of(project, item);
    size_t length = strcspn(item->text, "=");

    if (!node)
        return NULL;
    node->key = dr_arena_strndup(project->model->arena, item->text, length);
    node->key_begin = item->begin;
    node->fixed = true;
    node->type = item->text[length] == '=' ? TRAEFIK_SCALAR : TRAEFIK_NULL;
    node->text = item->text[length] == '=' ? item->text + length + 1 : NULL;
    return node->key ? node : NULL;
}

static struct traefik_node *keyed(struct compose_project *project, struct traefik_node *list)
{
    struct traefik_node *map = list->type == TRAEFIK_LIST ? empty_copy(project, list) : NULL;

    if (!map)
        return list;
    map->type = TRAEFIK_MAP;
    for (const struct traefik_node *item = list->first; item; item = item->next) {
        struct traefik_node *node = item->type == TRAEFIK_SCALAR ? keyed_item(project, item) : NULL;

        if (node)
            dr_traefik_append(map, node);
    }
    return map;
}

static struct traefik_node *merge(struct compose_project *project, struct traefik_node *base, struct traefik_node *over,
                                  const char *path, unsigned depth);

/* Names of services and networks are "*". */
static const char *path_of(struct compose_project *project, const char *path, const char *key)
{
    bool named = strcmp(path, "services") == 0 || strcmp(path, "networks") == 0;
    const char *made = dr_arena_format(project->model->arena, "%s.%s", path, named ? "*" : key);

    return made ? made : path;
}

static struct traefik_node *merge_maps(struct compose_project *project, struct traefik_node *base, struct traefik_node *over,
                                       const char *path, unsigned depth)
{
    struct traefik_node *made = empty_copy(project, base);

    base = dr_compose_flat(project, base);
    over = dr_compose_flat(project, over);
    if (!made)
        return over;
    for (struct traefik_node *child = base->first; child; child = child->next) {
        struct traefik_node *other = child->key ? member(project, over, child->key) : NULL;
        const struct traefik_node *merged =
            other ? merge(project, child, other, path_of(project, path, child->key), depth + 1) : child;

        if (merged)
            append_copy(project, made, merged);
    }
    for (struct traefik_node *child = over->first; child; child = child->next)
        if (child->key && child->tag != TRAEFIK_TAG_RESET && !member(project, base, child->key))
            append_copy(project, made, child);
    return made;
}

static struct traefik_node *merge_lists(struct compose_project *project, const struct traefik_node *base,
                                        const struct traefik_node *over)
{
    struct traefik_node *made = empty_copy(project, base);

    for (const struct traefik_node *child = base->first; made && child; child = child->next)
        append_copy(project, made, child);
    for (const struct traefik_node *child = over->first; made && child; child = child->next)
        append_copy(project, made, child);
    return made;
}

static struct traefik_node *merge(struct compose_project *project, struct traefik_node *base, struct traefik_node *over,
                                  const char *path, unsigned depth)
{
    if (over->tag == TRAEFIK_TAG_RESET)
        return NULL;
    if (over->type == TRAEFIK_NULL)
        return base;
    if (base->type == TRAEFIK_NULL || over->tag == TRAEFIK_TAG_OVERRIDE || is_replaced(path) || depth > DR_PROXY_DEPTH)
        return over;
    if (is_keyed(path) && base->type != over->type) {
        base = keyed(project, base);
        over = keyed(project, over);
    }
    if (base->type == TRAEFIK_MAP && over->type == TRAEFIK_MAP)
        return merge_maps(project, base, over, path, depth);
    if (base->type == TRAEFIK_LIST && over->type == TRAEFIK_LIST)
        return merge_lists(project, base, over);
    return over;
}

struct traefik_node *dr_compose_merge(struct compose_project *project, struct traefik_node *base, struct traefik_node *over,
                                      const char *path)
{
    if (!base || !over)
        return base ? base : over;
    return merge(project, base, over, path, 0);
}
