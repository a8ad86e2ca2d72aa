#include "facts/install_node.h"

#include "facts/install_package.h"

#include <stdio.h>
#include <string.h>

enum { HEADER = 4096 };

/* The number that "#define NAME 22" gives. -1 when it is not there. */
static int defined(const char *header, const char *name)
{
    char line[64];
    int value;
    int length = snprintf(line, sizeof(line), "#define %s ", name);
    const char *at = strstr(header, line);

    return at && sscanf(at + length, "%5d", &value) == 1 ? value : -1;
}

/* <prefix>/include/node/node_version.h, as each tarball of Node has it. */
static const char *version_of_header(struct dr_context *context, const char *prefix)
{
    char *header;
    size_t length;

    if (dr_read_head(context, dr_context_join(context, prefix, "include/node/node_version.h"), HEADER, &header, &length) < 0)
        return NULL;
    int major = defined(header, "NODE_MAJOR_VERSION");
    int minor = defined(header, "NODE_MINOR_VERSION");
    int patch = defined(header, "NODE_PATCH_VERSION");

    return major < 0 || minor < 0 || patch < 0 ? NULL : dr_format(context, "%d.%d.%d", major, minor, patch);
}

/* A folder of the path that is a version, such as ~/.nvm/versions/node/v22.23.1/bin/node. */
static const char *version_of_folder(struct dr_context *context, const char *path)
{
    for (const char *at = strrchr(path, '/'); at && at > path;) {
        const char *end = at;
        int major, minor, patch, used = 0;

        while (at > path && at[-1] != '/')
            at--;
        const char *name = *at == 'v' ? at + 1 : at;

        if (sscanf(name, "%4d.%4d.%4d%n", &major, &minor, &patch, &used) == 3 && name + used == end)
            return dr_strndup(context, name, (size_t)used);
        at = at > path ? at - 1 : NULL;
    }
    return NULL;
}

const char *dr_node_version(struct dr_context *context, const char *node_path)
{
    const char *path = dr_path_resolve(context, node_path);
    struct dr_package package;

    if (!path)
        return NULL;
    const char *prefix = dr_parent(context, dr_parent(context, path));

    if (dr_package_read(context, prefix, &package) == 0 && strcmp(package.name, "node") == 0 && package.version)
        return package.version;
    const char *version = version_of_header(context, prefix);

    return version ? version : version_of_folder(context, path);
}
