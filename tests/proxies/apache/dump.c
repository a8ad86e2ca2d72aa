/*
 * The reader's tree of an Apache configuration, line by line, for comparison with `apache2 -t -D DUMP_CONFIG`.
 *
 *   apache_dump FILE [PREFIX]
 *
 *   D <tab> depth <tab> file or "-" (a macro's) <tab> line <tab> name <tab> args      a directive or the beginning of a section
 *   H <tab> file <tab> line <tab> ServerName or "" <tab> aliases                    a virtual host
 *   F <tab> file                                                                    a file that was read
 *   E <tab> file <tab> line <tab> text                                              a fault
 */
#include "format/apache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct disk {
    struct dr_arena *arena;
    const struct dr_proxy_file **files;
    size_t count, room;
};

static int load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    struct disk *disk = user;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct dr_proxy_file *file = dr_arena_alloc(disk->arena, sizeof(*file));
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !file)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    for (size_t i = 0; i < disk->count; i++) {
        if (strcmp(disk->files[i]->path, path) == 0) {
            *ret_file = disk->files[i];
            return 0;
        }
    }
    char *bytes = dr_arena_alloc(disk->arena, (size_t)st.st_size + 1);

    if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
        return -EIO;
    *file =
        (struct dr_proxy_file){ .path = dr_arena_strdup(disk->arena, path), .bytes = bytes, .length = (size_t)st.st_size };
    disk->files = dr_arena_grow(disk->arena, disk->files, disk->count, sizeof(*disk->files), &disk->room);
    if (!disk->files)
        return -ENOMEM;
    disk->files[disk->count++] = file;
    *ret_file = file;
    return 0;
}

static int expand(void *user, const char *pattern, const char *const **ret_paths)
{
    struct disk *disk = user;
    glob_t found = { 0 };
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    const char **paths = dr_arena_alloc(disk->arena, (count + 1) * sizeof(*paths));

    for (size_t i = 0; paths && i < count; i++)
        paths[i] = dr_arena_strdup(disk->arena, found.gl_pathv[i]);
    globfree(&found);
    *ret_paths = paths;
    return paths ? 0 : -ENOMEM;
}

static const char *environment(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

static void print_nodes(const struct apache_node *parent, int depth)
{
    for (const struct apache_node *node = parent->first; node; node = node->next) {
        printf("D\t%d\t%s\t%u\t%s\t%s\n", depth, node->made ? "-" : node->file->path, node->line, node->name, node->args);
        print_nodes(node, depth + 1);
    }
}

static void print_host(const struct apache_server *server)
{
    const char *name = "";

    for (size_t i = 0; i < server->plain_count; i++)
        if (apache_is(server->plain[i], "ServerName"))
            name = apache_arg(server->plain[i], 0);
    printf("H\t%s\t%u\t%s\t", server->node->file->path, server->node->line, name);
    for (size_t i = 0; i < server->plain_count; i++)
        for (size_t j = 0; apache_is(server->plain[i], "ServerAlias") && j < server->plain[i]->word_count; j++)
            printf("%s ", apache_arg(server->plain[i], j));
    puts("");
}

int main(int argc, char **argv)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA((size_t)1 << 30);
    struct disk disk = { .arena = &arena };
    const struct dr_proxy_loader loader = {
        .arena = &arena, .user = &disk, .load = load, .expand = expand, .environment = environment
    };
    struct dr_proxy_config config = { 0 };

    if (argc < 2 || dr_apache_format.read(&loader, argv[1], argc > 2 ? argv[2] : NULL, &config) < 0)
        return 2;

    const struct apache_tree *tree = config.tree;

    print_nodes(tree->root, 0);
    for (size_t i = 1; i < tree->server_count; i++)
        print_host(&tree->servers[i]);
    for (size_t i = 0; i < config.file_count; i++)
        printf("F\t%s\n", config.files[i]->path);
    for (size_t i = 0; i < config.fault_count; i++)
        printf("E\t%s\t%u\t%s\n", config.faults[i].source.path, config.faults[i].source.line, config.faults[i].text);
    return 0;
}
