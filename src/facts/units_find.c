#include "facts/units_find.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_ENTRIES = 512 };

/* In the order in which systemd prefers them ("~" is the home). `listed`: small enough to be read through for other names. */
static const struct folder {
    const char *path;
    bool user_manager, vendor, listed;
} folders[] = {
    { "~/.config/systemd/user", true, false, true },          { "/etc/systemd/user", true, false, false },
    { "~/.local/share/systemd/user", true, false, true },     { "/usr/lib/systemd/user", true, true, false },
    { "/etc/systemd/system", false, false, false },           { "/run/systemd/system", false, false, false },
    { "/usr/local/lib/systemd/system", false, false, false }, { "/usr/lib/systemd/system", false, true, false },
};

static const char *const names[] = {
    "openclaw-gateway.service", "openclaw.service",        "clawdbot-gateway.service",
    "clawdbot.service",         "moltbot-gateway.service", "moltbot.service",
};
static const char *const prefixes[] = { "openclaw", "clawdbot", "moltbot" };

static const char *folder_path(struct dr_context *context, const struct folder *folder, const char *home)
{
    if (folder->path[0] != '~')
        return folder->path;
    return home ? dr_context_join(context, home, folder->path + 2) : NULL;
}

static bool is_file(struct dr_context *context, const char *path)
{
    struct stat st;

    return dr_stat(context->request->root_fd, path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

/* Calls `each` for the names in a folder; a folder that cannot be read has none. */
static void each_name(struct dr_context *context, const char *path, void (*each)(const char *name, void *data), void *data)
{
    int fd;

    if (dr_open(context->request->root_fd, path, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        (void)close(fd);
        return;
    }
    for (int i = 0; i < MOST_ENTRIES && (entry = readdir(dir)); i++)
        each(entry->d_name, data);
}

struct search {
    struct dr_context *context;
    struct dr_unit_places *places;
    const struct folder *folder;
    const char *path;
    struct dr_unit_place *unit; /* whose drop-ins are looked for */
};

static void add_unit(const struct search *search, const char *name)
{
    struct dr_unit_places *places = search->places;
    const char *path = dr_context_join(search->context, search->path, name);

    for (size_t i = 0; i < places->count; i++)
        if (places->list[i].user_manager == search->folder->user_manager && strcmp(places->list[i].name, name) == 0)
            return; /* hidden by the unit of the same name in an earlier folder */
    if (places->count == DR_MOST_SERVICES || !is_file(search->context, path))
        return;
    places->list[places->count++] = (struct dr_unit_place){
        .name = dr_strdup(search->context, name),
        .path = path,
        .user_manager = search->folder->user_manager,
        .vendor = search->folder->vendor,
    };
}

static void see_unit(const char *name, void *data)
{
    if (!dr_text_ends_with(name, ".service"))
        return;
    for (size_t i = 0; i < DR_COUNT(prefixes); i++)
        if (dr_text_starts_with(name, prefixes[i]))
            add_unit(data, name);
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void see_drop_in(const char *name, void *data)
{
    const struct search *search = data;
    struct dr_unit_place *unit = search->unit;
    size_t at = 0;

    if (!dr_text_ends_with(name, ".conf") || name[0] == '.' || unit->drop_in_count == DR_MOST_DROP_INS)
        return;
    for (; at < unit->drop_in_count; at++) {
        int order = strcmp(last_component(unit->drop_ins[at]), name);

        if (order == 0)
            return; /* hidden as above */
        if (order > 0)
            break;
    }
    memmove(&unit->drop_ins[at + 1], &unit->drop_ins[at], (unit->drop_in_count - at) * sizeof(unit->drop_ins[0]));
    memmove(&unit->drop_in_vendor[at + 1], &unit->drop_in_vendor[at], (unit->drop_in_count - at) * sizeof(bool));
    unit->drop_ins[at] = dr_context_join(search->context, search->path, name);
    unit->drop_in_vendor[at] = search->folder->vendor;
    unit->drop_in_count++;
}

static void find_drop_ins(struct dr_context *context, const char *home, struct dr_unit_place *unit)
{
    for (size_t i = 0; i < DR_COUNT(folders); i++) {
        const char *path = folders[i].user_manager == unit->user_manager ? folder_path(context, &folders[i], home) : NULL;

        if (!path)
            continue;
        const char *drop_ins = dr_context_join(context, path, dr_format(context, "%s.d", unit->name));
        struct search search = { .context = context, .folder = &folders[i], .path = drop_ins, .unit = unit };

        each_name(context, drop_ins, see_drop_in, &search);
    }
}

void dr_units_find(struct dr_context *context, const char *home, const char *profile, struct dr_unit_places *places)
{
    for (size_t i = 0; i < DR_COUNT(folders); i++) {
        const char *path = folder_path(context, &folders[i], home);
        struct search search = { .context = context, .places = places, .folder = &folders[i], .path = path };
        struct stat st;

        if (!path || dr_stat(context->request->root_fd, path, &st) < 0)
            continue;
        if (folders[i].listed)
            each_name(context, path, see_unit, &search);
        for (size_t n = 0; n < DR_COUNT(names); n++)
            add_unit(&search, names[n]);
        if (profile)
            add_unit(&search, dr_format(context, "openclaw-gateway-%s.service", profile));
    }
    for (size_t i = 0; i < places->count; i++)
        find_drop_ins(context, home, &places->list[i]);
}

int dr_units_wanted(struct dr_context *context, const char *home, const char *name, bool user_manager,
                    const char *const *wanted, const char **ret_link)
{
    int r = 0;

    for (size_t i = 0; i < DR_COUNT(folders); i++) {
        const char *folder = folders[i].user_manager == user_manager ? folder_path(context, &folders[i], home) : NULL;

        for (size_t w = 0; folder && wanted[w]; w++) {
            const char *link = dr_format(context, "%s/%s/%s", folder, wanted[w], name);
            struct stat st;
            int looked = dr_stat(context->request->root_fd, link, &st);

            if (looked == 0) {
                *ret_link = link;
                return 1;
            }
            if (looked != -ENOENT && looked != -ENOTDIR)
                r = looked;
        }
    }
    return r;
}

struct backups {
    struct dr_context *context;
    const char *folder;
    const char **list;
    size_t count;
};

static void see_backup(const char *name, void *data)
{
    struct backups *backups = data;

    if (!dr_text_ends_with(name, ".service.bak") || backups->count == DR_MOST_SERVICES)
        return;
    for (size_t i = 0; i < DR_COUNT(prefixes); i++)
        if (dr_text_starts_with(name, prefixes[i])) {
            backups->list[backups->count++] = dr_context_join(backups->context, backups->folder, name);
            return;
        }
}

const char *const *dr_units_backups(struct dr_context *context, const char *home)
{
    struct backups backups = { .context = context,
                               .list = dr_alloc(context, (DR_MOST_SERVICES + 1) * sizeof(*backups.list)) };

    for (size_t i = 0; i < DR_COUNT(folders); i++) {
        backups.folder = folders[i].vendor ? NULL : folder_path(context, &folders[i], home);
        if (backups.folder)
            each_name(context, backups.folder, see_backup, &backups);
    }
    return backups.list;
}
