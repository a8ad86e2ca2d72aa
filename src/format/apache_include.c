/* Include and IncludeOptional: files, folders, patterns in every part of a path. */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>

const char *apache_root_relative(struct apache_reader *reader, const char *path)
{
    const char *root = reader->server_root;
    size_t length = strlen(root);
    char *joined;

    if (path[0] == '/')
        return path;
    while (length > 0 && root[length - 1] == '/')
        length--;
    joined = dr_arena_format(reader->arena, "%.*s/%s", (int)length, root, path);
    reader->no_memory |= !joined;
    return joined;
}

/* apr_fnmatch_test */
static bool is_pattern(const char *text, size_t length)
{
    bool bracket = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '?' || text[i] == '*' || (text[i] == ']' && bracket))
            return true;
        if (text[i] == '\\' && i + 1 < length)
            i++;
        bracket |= text[i] == '[';
    }
    return false;
}

static bool ends_in_dots(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && (strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0);
}

static int expand(struct apache_reader *reader, const char *pattern, const char *const **ret_paths)
{
    const struct dr_proxy_loader *loader = reader->gathering.loader;
    static const char *const none[] = { NULL };

    *ret_paths = none;
    if (!pattern) {
        reader->no_memory = true;
        return -ENOMEM;
    }
    return loader->expand(loader->user, pattern, ret_paths);
}

/* All entries of a folder, names that begin with a dot too; false: it is none. The two lists are each sorted by bytes: '.' first. */
static bool read_folder(struct apache_reader *reader, const char *path, bool optional, struct apache_node *parent,
                        const struct dr_source *from)
{
    static const char *const endings[] = { ".*", "*" };
    bool found = false;

    for (size_t i = 0; i < DR_COUNT(endings); i++) {
        const char *const *entries;

        if (expand(reader, dr_arena_format(reader->arena, "%s/%s", path, endings[i]), &entries) < 0)
            continue;
        for (; *entries && !reader->stopped; entries++) {
            found = true;
            if (!ends_in_dots(*entries))
                apache_read_file(reader, *entries, optional, parent, from);
        }
    }
    return found;
}

static bool is_being_read(const struct apache_reader *reader, const char *path)
{
    for (unsigned i = 0; i < reader->include_depth; i++)
        if (strcmp(reader->includes[i], path) == 0)
            return true;
    return false;
}

void apache_read_file(struct apache_reader *reader, const char *path, bool optional, struct apache_node *parent,
                      const struct dr_source *from)
{
    const struct dr_proxy_loader *loader = reader->gathering.loader;
    const struct dr_proxy_file *file = NULL;
    int r = loader->load(loader->user, path, &file);

    if (r == -ENOENT && optional)
        return;
    /* A folder is no regular file. */
    if ((r == -EINVAL || r == -EISDIR) && reader->include_depth < APACHE_INCLUDES &&
        read_folder(reader, path, optional, parent, from))
        return;
    if (r == 0 && is_being_read(reader, file->path)) {
        dr_proxy_fault(&reader->gathering, from, true, "%s includes itself; httpd refuses this after %d levels", file->path,
                       APACHE_INCLUDES);
        return;
    }
    if (reader->include_depth >= APACHE_INCLUDES) {
        dr_proxy_fault(&reader->gathering, from, true, "more than %d levels of Include", APACHE_INCLUDES);
        return;
    }
    file = dr_proxy_load(&reader->gathering, path, from);
    if (!file)
        return;

    struct apache_source source = { .file = file, .bytes = file->bytes, .length = file->length };

    reader->includes[reader->include_depth++] = file->path;
    apache_read_source(reader, &source, parent);
    reader->include_depth--;
}

/*
 * A pattern part after part, as httpd does: folders are sorted before their entries are, so "a/x" comes before "a-b/x". `done` has been
 * looked up, `rest` has not.
 */
static bool match_parts(struct apache_reader *reader, const char *done, const char *rest, bool optional,
                        struct apache_node *parent, const struct dr_source *from)
{
    const char *const *entries;
    bool found = false;
    size_t part = strcspn(rest, "/");

    while (rest[part] == '/' && !is_pattern(rest, part))
        part += 1 + strcspn(rest + part + 1, "/");

    /* Now `part` is at the end of the first component that is a pattern (or of everything). */
    if (!is_pattern(rest, part)) {
        apache_read_file(reader, dr_arena_format(reader->arena, "%s%s", done, rest), optional, parent, from);
        return true;
    }
    if (expand(reader, dr_arena_format(reader->arena, "%s%.*s", done, (int)part, rest), &entries) < 0)
        return false;
    for (; *entries && !reader->stopped; entries++) {
        const char *next = rest + part + strspn(rest + part, "/");

        if (ends_in_dots(*entries))
            continue;
        if (*next == '\0') {
            found = true;
            apache_read_file(reader, *entries, optional, parent, from);
            continue;
        }
        const char *folder = dr_arena_format(reader->arena, "%s/", *entries);

        reader->no_memory |= !folder;
        if (folder)
            found |= match_parts(reader, folder, next, true, parent, from);
    }
    return found;
}

void apache_include(struct apache_reader *reader, const char *pattern, bool optional, struct apache_node *parent,
                    const struct dr_source *from)
{
    const char *path = apache_root_relative(reader, pattern);

    if (!path)
        return;
    if (!is_pattern(path, strlen(path))) {
        apache_read_file(reader, path, optional, parent, from);
        return;
    }
    if (!match_parts(reader, "", path, optional, parent, from) && !optional)
        dr_proxy_fault(&reader->gathering, from, true,
                       "Include %s: nothing matches; httpd refuses this (IncludeOptional would do)", pattern);
}
