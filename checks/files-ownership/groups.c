#include "groups.h"

#include <string.h>
#include <sys/stat.h>

/* The path without its last `count` components. */
static size_t top_length(const char *path, unsigned count)
{
    size_t length = strlen(path);

    for (; count > 0; count--)
        while (length > 0 && path[--length] != '/')
            ;
    return length;
}

static struct group *find(struct groups *groups, const struct dr_entry *entry, size_t length)
{
    for (size_t i = groups->count; i > 0; i--) {
        struct group *group = &groups->list[i - 1];

        if (group->tree == entry->tree && strncmp(group->top, entry->path, length) == 0 && group->top[length] == '\0')
            return group;
    }
    return NULL;
}

static struct group *add(struct dr_context *context, struct groups *groups, const struct dr_entry *entry, size_t length)
{
    struct group *group = &groups->list[groups->count < MOST_GROUPS ? groups->count++ : MOST_GROUPS];

    if (group == &groups->list[MOST_GROUPS])
        groups->many = true;
    if (group->top)
        return group;
    *group = (struct group){
        .tree = entry->tree,
        .top = dr_strndup(context, entry->path, length),
        .owner = entry->identity.uid,
        .top_is_folder = strlen(entry->path) > length || S_ISDIR(entry->identity.mode),
    };
    return group;
}

void groups_add(struct dr_context *context, struct groups *groups, const struct dr_entry *entry)
{
    /* In the state directory the level below the root tells what is broken; elsewhere the tree itself does. */
    unsigned below = entry->tree == DR_TREE_STATE && entry->depth > 0 ? entry->depth - 1 : entry->depth;
    size_t length = top_length(entry->path, below);
    struct group *group = find(groups, entry, length);

    if (!group)
        group = add(context, groups, entry, length);
    if (group->count < MOST_SAMPLES)
        group->samples[group->count] = dr_strdup(context, entry->path);
    group->count++;
    group->folders += S_ISDIR(entry->identity.mode);
    group->top_is_wrong |= below == 0;
}
