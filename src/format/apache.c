#include "base/text.h"
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define STEPS ((uint64_t)32 << 20)

/* Debian's apache2.conf lies in its ServerRoot; upstream's httpd.conf in conf/ below it, and says ServerRoot itself. */
static const char *default_root(struct dr_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;

    if (length > 5 && strncmp(path + length - 5, "/conf", 5) == 0)
        length -= 5;
    return length > 0 ? dr_arena_strndup(arena, path, length) : "/";
}

static bool holds_word(const struct dr_proxy_file *file, const char *word)
{
    size_t length = strlen(word);

    for (size_t at = 0; at + length <= file->length; at++)
        if ((file->bytes[at] | 0x20) == word[0] && strncasecmp(file->bytes + at, word, length) == 0)
            return true;
    return false;
}

bool apache_spend(const struct apache_reader *reader, uint64_t steps)
{
    struct apache_budget *budget = reader->budget;

    budget->spent |= steps > budget->left;
    budget->left -= budget->spent ? 0 : steps;
    return !budget->spent;
}

static int understand(struct apache_reader *reader, struct dr_proxy_config *config)
{
    struct apache_tree *tree = dr_arena_alloc(reader->arena, sizeof(*tree));
    int r;

    if (!tree)
        return -ENOMEM;
    *tree = (struct apache_tree){ .reader = reader, .root = reader->root };
    r = apache_servers(reader, tree);
    if (r >= 0)
        r = apache_routes(reader, tree);
    config->tree = tree;
    return r;
}

static int apache_read(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                       struct dr_proxy_config *ret_config)
{
    struct dr_arena *arena = loader->arena;
    struct apache_reader *reader = dr_arena_alloc(arena, sizeof(*reader));
    struct apache_node *root = dr_arena_alloc(arena, sizeof(*root));
    struct apache_budget budget = { .left = STEPS };
    const struct dr_proxy_file *file = NULL;
    const char *folder = dr_arena_strdup(arena, path);
    struct dr_proxy_loader *kept = dr_arena_alloc(arena, sizeof(*kept)); /* for mending: the caller's may be on his stack */

    if (!reader || !root || !folder || !kept)
        return -ENOMEM;
    *kept = *loader;
    *reader = (struct apache_reader){ .gathering = { .loader = kept }, .arena = arena, .root = root, .budget = &budget };
    reader->server_root = prefix ? prefix : default_root(arena, path);
    apache_modules_static(reader);
    if (strrchr(folder, '/'))
        *strrchr(folder, '/') = '\0';
    apache_envvars_read(reader, folder);
    /* A site's file by itself: the modules are loaded elsewhere. */
    if (loader->load(loader->user, path, &file) >= 0)
        reader->fragment = !holds_word(file, "loadmodule") && !holds_word(file, "include");

    ret_config->kind = DR_PROXY_APACHE;
    ret_config->path = path;
    apache_read_file(reader, path, false, root, NULL);
    if (reader->no_memory)
        return -ENOMEM;
    reader->fragment |= !reader->loads_modules;

    int r = understand(reader, ret_config);

    if (budget.spent)
        dr_proxy_fault(&reader->gathering, &(struct dr_source){ .path = path, .line = 1, .column = 1 }, true,
                       "too large to be understood as a whole");
    /* Mending searches little. */
    reader->budget = dr_arena_alloc(arena, sizeof(*reader->budget));
    if (!reader->budget)
        return -ENOMEM;
    reader->budget->left = STEPS;
    return r < 0 ? r : dr_proxy_gathered(&reader->gathering, ret_config);
}

static const struct dr_proxy_format one_round = { .kind = DR_PROXY_APACHE, .read = apache_read, .mend = apache_mend };

/* An edit may give another line something to do: a worker that is shared, a section that is for the new URL. */
static int mend_all(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                    const char **ret_why_not)
{
    const struct apache_place *place = route->place;
    int r = apache_mend(route, mends, arena, ret_edits, ret_why_not);

    if (r == 0)
        dr_route_settle(&one_round, place->tree->reader->gathering.loader, route, mends, arena, ret_edits);
    return r;
}

const struct dr_proxy_format dr_apache_format = { .kind = DR_PROXY_APACHE, .read = apache_read, .mend = mend_all };
