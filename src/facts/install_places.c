#include "facts/install_places.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/install_node.h"
#include "facts/install_package.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_PATH_FOLDERS = 64, MOST_VERSIONS = 32 };

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static const char *const names[] = { "openclaw", "moltbot", "clawdbot" };

/*
 * `folder` holds packages ("~" is the home). With `inside`, `folder` holds one folder per version of Node, and the packages are
 * in <version>/<inside>.
 */
static const struct place {
    const char *folder;
    const char *inside;
} places[] = {
    { "/usr/lib/node_modules", NULL },
    { "/usr/local/lib/node_modules", NULL },
    { "/opt/node/lib/node_modules", NULL },
    { "/home/linuxbrew/.linuxbrew/lib/node_modules", NULL },
    { "~/.npm-global/lib/node_modules", NULL },
    { "~/.npm-packages/lib/node_modules", NULL },
    { "~/.local/lib/node_modules", NULL },
    { "~/.openclaw/lib/node_modules", NULL },
    { "~/.bun/install/global/node_modules", NULL },
    { "~/.local/share/pnpm/global/5/node_modules", NULL },
    { "~/.volta/tools/image/packages/openclaw/lib/node_modules", NULL },
    { "~/.nvm/versions/node", "lib/node_modules" },
    { "~/.fnm/node-versions", "installation/lib/node_modules" },
    { "~/.local/share/fnm/node-versions", "installation/lib/node_modules" },
    { "~/.asdf/installs/nodejs", "lib/node_modules" },
    { "~/.local/share/mise/installs/node", "lib/node_modules" },
};

static bool is_file(struct dr_context *context, const char *path)
{
    struct stat st;

    return dr_stat(context->request->root_fd, path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

/* PATH belongs to this process: below --root it says nothing. */
static const char *search_path(struct dr_context *context)
{
    const char *path = context->request->root ? NULL : dr_environment(context, "PATH");

    return path && *path ? path : default_path;
}

/* The next absolute folder of PATH, or NULL at its end. */
static const char *next_folder(struct dr_context *context, const char **path)
{
    while (**path) {
        size_t length = strcspn(*path, ":");
        const char *folder = dr_strndup(context, *path, length);

        *path += length + ((*path)[length] == ':');
        if (folder[0] == '/')
            return folder;
    }
    return NULL;
}

static const char *on_path(struct dr_context *context, const char *name)
{
    const char *path = search_path(context);
    const char *folder;

    for (int i = 0; i < MOST_PATH_FOLDERS && (folder = next_folder(context, &path)); i++) {
        const char *file = dr_context_join(context, folder, name);

        if (is_file(context, file))
            return file;
    }
    return NULL;
}

/* <prefix>/bin/node of a package in <prefix>/lib/node_modules or <prefix>/node_modules/.bin's npm package; else Node on PATH. */
static const char *node_of(struct dr_context *context, const char *package_folder)
{
    const char *modules = dr_parent(context, package_folder);
    const char *near = dr_context_join(context, modules, "../../bin/node");
    const char *local = dr_context_join(context, modules, "node/bin/node");

    if (is_file(context, near))
        return near;
    return is_file(context, local) ? local : on_path(context, "node");
}

static void add_package(struct dr_context *context, struct dr_install_list *installs, enum dr_install_kind kind,
                        const struct dr_package *package, const char *node, const char *found_by)
{
    for (size_t i = 0; i < installs->count; i++)
        if (strcmp(installs->list[i].package_dir, package->folder) == 0)
            return;
    if (installs->count == DR_MOST_INSTALLS)
        return;

    struct dr_install *install = &installs->list[installs->count];

    installs->kind[installs->count++] = kind;
    *install = (struct dr_install){
        .package_dir = package->folder,
        .version = package->version,
        .found_by = found_by,
        .node_path = node ? node : node_of(context, package->folder),
    };
    install->release_known = dr_release_parse(package->version, &install->release);
    install->node_version = install->node_path ? dr_node_version(context, install->node_path) : NULL;
}

void dr_install_add(struct dr_context *context, struct dr_install_list *installs, enum dr_install_kind kind,
                    const char *executable, const char *node, const char *found_by)
{
    struct dr_package package;

    if (dr_package_of(context, executable, &package) == 0)
        add_package(context, installs, kind, &package, node, found_by);
}

void dr_install_find_on_path(struct dr_context *context, struct dr_install_list *installs)
{
    const char *path = search_path(context);
    const char *folder;

    for (int i = 0; i < MOST_PATH_FOLDERS && (folder = next_folder(context, &path)); i++)
        for (size_t n = 0; n < DR_COUNT(names); n++) {
            const char *file = dr_context_join(context, folder, names[n]);

            if (is_file(context, file))
                dr_install_add(context, installs, DR_INSTALL_PATH, file, NULL, "PATH");
        }
}

static void look_in_modules(struct dr_context *context, struct dr_install_list *installs, const char *modules)
{
    struct stat st;

    if (dr_stat(context->request->root_fd, modules, &st) < 0)
        return;
    for (size_t n = 0; n < DR_COUNT(names); n++) {
        /* The last component may be a link (pnpm, npm link): "package.json" is resolved, the folder's name is made real. */
        const char *file = dr_context_join(context, dr_context_join(context, modules, names[n]), "package.json");

        if (is_file(context, file))
            dr_install_add(context, installs, DR_INSTALL_PLACE, file, NULL, modules);
    }
}

static void look_in_versions(struct dr_context *context, struct dr_install_list *installs, const char *folder,
                             const char *inside)
{
    int fd;

    if (dr_open(context->request->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        (void)close(fd);
        return;
    }
    for (int i = 0; i < MOST_VERSIONS && (entry = readdir(dir)); i++)
        if (entry->d_name[0] != '.') {
            const char *version = dr_context_join(context, folder, entry->d_name);

            look_in_modules(context, installs, dr_context_join(context, version, inside));
        }
}

void dr_install_find_in_places(struct dr_context *context, struct dr_install_list *installs, const char *home)
{
    for (size_t i = 0; i < DR_COUNT(places); i++) {
        const char *folder = places[i].folder;

        if (folder[0] == '~') {
            if (!home)
                continue;
            folder = dr_context_join(context, home, folder + 2);
        }
        if (places[i].inside)
            look_in_versions(context, installs, folder, places[i].inside);
        else
            look_in_modules(context, installs, folder);
    }
    /* The container image: the package is the working directory itself. */
    if (is_file(context, "/app/openclaw.mjs"))
        dr_install_add(context, installs, DR_INSTALL_PLACE, "/app/openclaw.mjs", NULL, "/app (container image)");
}
