/* Lock files: a pid, and the moment since which that process lives. */
#include "facts/gateway_evidence.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/proc.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

enum { MOST_FOLDERS = 12, MOST_ENTRIES = 1000, MOST_LOCK = 64 * 1024 };

struct lock {
    const char *path;
    const char *config_path, *state_dir;
    long pid;
    double start; /* field 22 of /proc/<pid>/stat; 0: not written */
    unsigned port;
    bool in_state; /* lies in the state directory itself */
};

/* --- where ---------------------------------------------------------------------------------------------------------- */

static void add_folder(struct dr_context *context, const char **folders, size_t *count, const char *base, uint32_t uid)
{
    const char *folder = dr_format(context, "%s/openclaw-%u", base, uid);

    for (size_t i = 0; i < *count; i++)
        if (strcmp(folders[i], folder) == 0)
            return;
    if (*count < MOST_FOLDERS)
        folders[(*count)++] = folder;
}

const char *const *dr_gateway_lock_folders(struct dr_context *context, const struct dr_target *target)
{
    const char **folders = dr_alloc(context, (MOST_FOLDERS + 1) * sizeof(*folders));
    const char *temp = dr_environment(context, "TMPDIR");
    /* A gateway that was started with sudo keeps its locks under root's number. */
    const uint32_t uids[] = { target->uid, target->running_uid, 0 };
    size_t count = 0;

    for (size_t i = 0; i < DR_COUNT(uids); i++) {
        add_folder(context, folders, &count, dr_format(context, "%s/tmp", target->state_dir), uids[i]);
        if (temp && temp[0] == '/')
            add_folder(context, folders, &count, temp, uids[i]);
        add_folder(context, folders, &count, "/tmp", uids[i]);
    }
    return folders;
}

/* --- what it says --------------------------------------------------------------------------------------------------- */

static const char *text_of(struct dr_context *context, const cJSON *json, const char *name)
{
    return dr_strdup(context, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name)));
}

static double number_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 1e15 ? item->valuedouble : 0;
}

static bool read_lock(struct dr_context *context, const char *path, struct lock *ret_lock)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_LOCK);

    if (dr_read_file(context->request->root_fd, path, &text, NULL) < 0)
        return false;
    /* The object is followed by white space of any length. */
    cJSON *json = cJSON_ParseWithLength(dr_buffer_text(&text), text.length);
    bool good = cJSON_IsObject(json) && number_of(json, "pid") > 0 && number_of(json, "pid") < 1 << 30;

    if (good)
        *ret_lock = (struct lock){
            .path = path,
            .config_path = text_of(context, json, "configPath"),
            .state_dir = text_of(context, json, "stateDir"),
            .pid = (long)number_of(json, "pid"),
            .start = number_of(json, "startTime"),
            .port = number_of(json, "port") < 65536 ? (unsigned)number_of(json, "port") : 0,
        };
    cJSON_Delete(json);
    return good;
}

static bool same_file(struct dr_context *context, const char *a, const char *b)
{
    struct stat left, right;

    if (!a || !b)
        return false;
    if (strcmp(a, b) == 0)
        return true;
    return dr_stat(context->request->root_fd, a, &left) == 0 && dr_stat(context->request->root_fd, b, &right) == 0 &&
           left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

static bool is_ours(struct dr_context *context, const struct dr_target *target, const struct lock *lock)
{
    return lock->in_state || same_file(context, lock->config_path, target->config_path) ||
           same_file(context, lock->state_dir, target->state_dir);
}

/* --- is it alive ---------------------------------------------------------------------------------------------------- */

static void alive(struct dr_context *context, const struct lock *lock, const struct dr_process *process, const char *why,
                  struct dr_gateway_evidence *evidence)
{
    *evidence = (struct dr_gateway_evidence){
        .state = DR_KNOWN,
        .pid = lock->pid,
        .uid = process->uid,
        .port = lock->port,
        .stale_lock = evidence->stale_lock,
        .how = dr_format(context, "%s names process %ld, %s", lock->path, lock->pid, why),
    };
}

static void cannot_tell(struct dr_context *context, const struct lock *lock, const char *why,
                        struct dr_gateway_evidence *evidence)
{
    if (evidence->state == DR_KNOWN)
        return;
    evidence->state = DR_UNKNOWN;
    evidence->port = lock->port;
    evidence->how = dr_format(context, "%s names process %ld, %s", lock->path, lock->pid, why);
}

/* /proc may hide other people's processes (hidepid); a signal of number 0 tells whether there is one. */
static bool is_hidden(const struct dr_context *context, long pid)
{
    return strcmp(context->request->proc, "/proc") == 0 && kill((pid_t)pid, 0) < 0 && errno == EPERM;
}

static void judge(struct dr_context *context, const struct dr_target *target, const struct lock *lock,
                  struct dr_gateway_evidence *evidence)
{
    struct dr_process process;

    if (target->root) {
        cannot_tell(context, lock, "and whether that one lives can only be told on its own machine", evidence);
        return;
    }
    int r = dr_process_read(context, lock->pid, &process);

    if (r == -ESRCH && is_hidden(context, lock->pid))
        cannot_tell(context, lock, "which lives, but cannot be looked at from this account", evidence);
    else if (r < 0 && r != -ESRCH)
        cannot_tell(context, lock, dr_errno_text(r), evidence);
    else if (r == 0 && lock->start > 0 && lock->start == (double)process.start_ticks)
        alive(context, lock, &process, "which lives since the same moment", evidence);
    else if (r == 0 && lock->start <= 0 && dr_gateway_looks_like(context, lock->pid, process.title))
        alive(context, lock, &process, "which is an openclaw process", evidence);
    else if (!evidence->stale_lock)
        evidence->stale_lock = lock->path;
}

/* --- all of them ---------------------------------------------------------------------------------------------------- */

static bool is_lock_name(const char *name)
{
    return dr_text_starts_with(name, "gateway.") && dr_text_ends_with(name, ".lock");
}

static DIR *open_folder(struct dr_context *context, const char *folder)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    const char *dash = strrchr(folder, '-');

    if (dr_open(context->request->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd) < 0 || fstat(fd, &st) < 0)
        return NULL;
    /* In /tmp anybody could make a folder of that name: only its user's, or root's, says something. */
    if (st.st_uid != 0 && st.st_uid != strtoul(dash + 1, NULL, 10))
        return NULL;
    DIR *dir = fdopendir(fd);

    if (dir)
        (void)DR_TAKE_FD(fd);
    return dir;
}

static void look_into(struct dr_context *context, const struct dr_target *target, const char *folder,
                      struct dr_gateway_evidence *evidence)
{
    _cleanup_closedir_ DIR *dir = open_folder(context, folder);
    const struct dirent *entry;

    for (unsigned i = 0; dir && i < MOST_ENTRIES && (entry = readdir(dir)); i++) {
        struct lock lock;

        if (!is_lock_name(entry->d_name) || !read_lock(context, dr_format(context, "%s/%s", folder, entry->d_name), &lock))
            continue;
        lock.in_state = dr_path_is_below(folder, target->state_dir);
        if (is_ours(context, target, &lock))
            judge(context, target, &lock, evidence);
    }
}

void dr_gateway_from_lock_files(struct dr_context *context, const struct dr_target *target,
                                struct dr_gateway_evidence *ret_evidence)
{
    struct dr_gateway_evidence evidence = { .state = DR_ABSENT };

    for (const char *const *folder = dr_gateway_lock_folders(context, target); *folder; folder++)
        look_into(context, target, *folder, &evidence);
    *ret_evidence = evidence;
}
