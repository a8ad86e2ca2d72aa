#include "facts/log_internal.h"

#include "api/config.h"
#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/gateway_evidence.h"
#include "facts/install_package.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ENTRIES = 4096 };

struct finding {
    struct dr_context *context;
    const struct dr_target *target;
    struct dr_log_place *places;
    size_t count, most;
    const char *where;
};

static void looked_in(struct finding *finding, const char *place)
{
    finding->where = *finding->where ? dr_format(finding->context, "%s, %s", finding->where, place) : place;
}

/* Keeps the newest, sorted. */
static void add(struct finding *finding, const struct dr_log_place *place)
{
    size_t at = finding->count;

    for (size_t i = 0; i < finding->count; i++)
        if (strcmp(finding->places[i].path, place->path) == 0)
            return;
    while (at > 0 && finding->places[at - 1].modified_ms < place->modified_ms)
        at--;
    if (at == finding->most)
        return;
    if (finding->count < finding->most)
        finding->count++;
    memmove(&finding->places[at + 1], &finding->places[at], (finding->count - 1 - at) * sizeof(*finding->places));
    finding->places[at] = *place;
}

static void look_at(struct finding *finding, const char *path)
{
    struct stat st;
    int r = dr_stat(finding->context->request->root_fd, path, &st);

    if (r == -ENOENT || r == -ENOTDIR || (r == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
        return;
    add(finding, &(struct dr_log_place){
                     .path = path,
                     .modified_ms = r == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 : 0,
                     .size = r == 0 ? (uint64_t)st.st_size : 0,
                     .error = r,
                 });
}

/* All NAME.log of a folder that begin with `prefix`. Another user's folder is another installation's. */
static void look_in(struct finding *finding, const char *folder, const char *prefix, bool shared)
{
    struct dr_context *context = finding->context;
    const struct dirent *entry;
    struct stat st;
    int fd;
    int r = dr_open(context->request->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd);

    looked_in(finding, folder);
    if (r == -EACCES && !shared)
        add(finding, &(struct dr_log_place){ .path = folder, .error = r });
    if (r < 0)
        return;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return;
    }
    if (shared && (fstat(dirfd(dir), &st) < 0 || st.st_uid != finding->target->uid))
        return;
    for (int i = 0; i < MOST_ENTRIES && (entry = readdir(dir)); i++)
        if (dr_text_starts_with(entry->d_name, prefix) && dr_text_ends_with(entry->d_name, ".log"))
            look_at(finding, dr_context_join(context, folder, entry->d_name));
}

/* logging.file; NULL: not set, or not to be told. */
static const char *configured_file(struct finding *finding)
{
    struct dr_context *context = finding->context;
    struct dr_config_value value;

    if (dr_config_lookup(dr_config(context), "logging.file", &value) != 1 || value.type != DR_VALUE_STRING || !*value.text)
        return NULL;
    if (dr_text_starts_with(value.text, "~/"))
        return dr_context_join(context, finding->target->home, value.text + 2);
    return value.text[0] == '/' ? value.text : NULL;
}

size_t dr_log_places(struct dr_context *context, struct dr_log_place *places, size_t most, const char **ret_where)
{
    struct finding finding = {
        .context = context, .target = dr_target(context), .places = places, .most = most, .where = ""
    };
    const char *file = configured_file(&finding);
    static const char common[] = "openclaw-";

    if (file) {
        looked_in(&finding, file);
        look_at(&finding, file);
    } else {
        look_in(&finding, "/tmp/openclaw", common, true);
        for (const char *const *folder = dr_gateway_lock_folders(context, finding.target); *folder; folder++)
            look_in(&finding, *folder, common, true);
    }
    look_in(&finding, dr_context_join(context, finding.target->state_dir, "logs"), "", false);
    *ret_where = finding.where;
    return finding.count;
}
