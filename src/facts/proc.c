#include "facts/proc.h"

#include "base/file.h"

#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KEPT = 32, MOST_MET = 64, MOST_WORDS = 256, MOST_SOCKETS = 64, MOST_PROCESSES = 65536, MOST_DESCRIPTORS = 4096 };

struct dr_kept_process {
    long pid;
    bool is_script; /* its program is Node or Bun */
    const char *environment; /* as /proc/<pid>/environ has it */
    size_t environment_length;
    unsigned long sockets[MOST_SOCKETS];
    size_t socket_count;
    struct dr_kept_process *next;
};

enum { MOST_STAT = 4096, MOST_ENVIRONMENT = 2 * 1024 * 1024, START_TIME_FIELD = 22 };

static const char *proc_path(struct dr_context *context, long pid, const char *name)
{
    return dr_format(context, "%s/%ld/%s", context->request->proc, pid, name);
}

/* A process that ends between two reads answers with either of these. */
static int gone(int code)
{
    return code == -ENOENT ? -ESRCH : code;
}

/* "pid (comm) state ...": comm may itself hold spaces and parentheses, so the last one counts. */
static int parse_stat(struct dr_context *context, const char *text, struct dr_process *process)
{
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');

    if (!open || !close || close < open)
        return -EINVAL;
    process->title = dr_strndup(context, open + 1, (size_t)(close - open - 1));

    const char *at = close + 1;

    for (int field = 3; field <= START_TIME_FIELD; field++) {
        at += strspn(at, " ");
        if (*at == '\0')
            return -EINVAL;
        if (field == 3)
            process->state = *at;
        if (field == START_TIME_FIELD)
            process->start_ticks = strtoull(at, NULL, 10);
        at += strcspn(at, " ");
    }
    return 0;
}

int dr_process_read(struct dr_context *context, long pid, struct dr_process *ret_process)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_STAT);
    const char *folder = dr_format(context, "%s/%ld", context->request->proc, pid);
    struct dr_process process = { .pid = pid };
    struct stat st;
    int r = dr_stat(AT_FDCWD, folder, &st);

    if (r < 0)
        return gone(r);
    process.uid = st.st_uid;
    r = dr_read_file(AT_FDCWD, proc_path(context, pid, "stat"), &buffer, NULL);
    if (r < 0)
        return gone(r);
    r = parse_stat(context, dr_buffer_text(&buffer), &process);
    if (r < 0)
        return r;
    *ret_process = process;
    return 0;
}

int64_t dr_process_age_ms(struct dr_context *context, const struct dr_process *process)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_STAT);
    long ticks = sysconf(_SC_CLK_TCK);
    double up;

    if (ticks <= 0 || dr_read_file(AT_FDCWD, dr_format(context, "%s/uptime", context->request->proc), &text, NULL) < 0 ||
        sscanf(dr_buffer_text(&text), "%lf", &up) != 1)
        return -1;
    up -= (double)process->start_ticks / (double)ticks;
    return up < 0 ? -1 : (int64_t)(up * 1000);
}

static const struct dr_kept_process *kept_process(const struct dr_context *context, long pid)
{
    const struct dr_kept_process *kept = context->processes;

    while (kept && kept->pid != pid)
        kept = kept->next;
    return kept;
}

static int find_variable(struct dr_context *context, const char *environment, size_t length, const char *name,
                         const char **ret_value)
{
    size_t name_length = strlen(name);

    for (size_t at = 0; at < length;) {
        const char *entry = environment + at;
        size_t entry_length = strnlen(entry, length - at);

        if (entry_length > name_length && entry[name_length] == '=' && memcmp(entry, name, name_length) == 0) {
            *ret_value = dr_strndup(context, entry + name_length + 1, entry_length - name_length - 1);
            return 0;
        }
        at += entry_length + 1;
    }
    return -ENOENT;
}

int dr_process_variable(struct dr_context *context, long pid, const char *name, const char **ret_value)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_ENVIRONMENT);
    const struct dr_kept_process *kept = kept_process(context, pid);

    if (kept && kept->environment)
        return find_variable(context, kept->environment, kept->environment_length, name, ret_value);
    int r = dr_read_file(AT_FDCWD, proc_path(context, pid, "environ"), &buffer, NULL);

    if (r < 0)
        return gone(r);
    return find_variable(context, dr_buffer_text(&buffer), buffer.length, name, ret_value);
}

int dr_process_link(struct dr_context *context, long pid, const char *link, const char **ret_target)
{
    _cleanup_free_ char *target = NULL;
    int r = dr_read_link(AT_FDCWD, proc_path(context, pid, link), &target);

    if (r < 0)
        return gone(r);
    *ret_target = dr_strdup(context, target);
    return 0;
}

/* Each kind has room of its own: a web server's hundred workers leave OpenClaw its place. */
enum kind { KIND_OPENCLAW, KIND_SCRIPT, KIND_PROXY, KIND_OTHER };

static bool is_proxy(const char *title)
{
    static const char *const titles[] = { "nginx", "openresty", "caddy", "haproxy", "apache2", "httpd", "traefik" };

    for (size_t i = 0; i < DR_COUNT(titles); i++)
        if (strcmp(titles[i], title) == 0)
            return true;
    return false;
}

/* Node names its main thread "node" or "MainThread", until OpenClaw gives it a title. */
static enum kind kind_of(const char *title)
{
    if (strcmp(title, "openclaw-doctor") == 0)
        return KIND_OTHER; /* ourselves, twice */
    if (dr_text_starts_with(title, "openclaw") || dr_text_starts_with(title, "clawdbot"))
        return KIND_OPENCLAW;
    if (strcmp(title, "node") == 0 || strcmp(title, "MainThread") == 0 || strcmp(title, "bun") == 0)
        return KIND_SCRIPT;
    return is_proxy(title) ? KIND_PROXY : KIND_OTHER;
}

static void keep_sockets(struct dr_context *context, struct dr_kept_process *kept)
{
    _cleanup_closedir_ DIR *dir = opendir(proc_path(context, kept->pid, "fd"));
    const struct dirent *entry;

    for (unsigned i = 0; dir && i < MOST_DESCRIPTORS && kept->socket_count < MOST_SOCKETS && (entry = readdir(dir)); i++) {
        char target[64];
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (length <= 0)
            continue;
        target[length] = '\0';
        if (dr_text_starts_with(target, "socket:["))
            kept->sockets[kept->socket_count++] = strtoul(target + strlen("socket:["), NULL, 10);
    }
}

static bool runs_script(struct dr_context *context, long pid)
{
    const char *program;

    if (dr_process_link(context, pid, "exe", &program) < 0)
        return false;
    program = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
    return dr_text_starts_with(program, "node") || dr_text_starts_with(program, "bun");
}

static void keep(struct dr_context *context, long pid)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_ENVIRONMENT);
    struct dr_kept_process *kept = dr_alloc(context, sizeof(*kept));

    kept->pid = pid;
    kept->is_script = runs_script(context, pid);
    if (dr_read_file(AT_FDCWD, proc_path(context, pid, "environ"), &buffer, NULL) == 0) {
        char *copy = dr_alloc(context, buffer.length + 1);

        if (buffer.length)
            memcpy(copy, buffer.data, buffer.length);
        kept->environment = copy;
        kept->environment_length = buffer.length;
    }
    keep_sockets(context, kept);
    kept->next = context->processes;
    context->processes = kept;
}

/*
 * Whose files does it see? Its mount namespace says so where we may ask (not of other users' processes); else its control group, where
 * Docker, Podman, containerd and LXC leave their names.
 */
static bool sees_other_files(struct dr_context *context, long pid)
{
    static const char *const marks[] = { "docker", "libpod", "containerd", "kubepods", "/lxc", "garden" };
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_STAT);
    _cleanup_free_ char *own = NULL, *its = NULL;

    if (dr_read_link(AT_FDCWD, dr_format(context, "%s/self/ns/mnt", context->request->proc), &own) == 0 &&
        dr_read_link(AT_FDCWD, proc_path(context, pid, "ns/mnt"), &its) == 0)
        return strcmp(own, its) != 0;
    if (dr_read_file(AT_FDCWD, proc_path(context, pid, "cgroup"), &buffer, NULL) < 0)
        return false;
    for (size_t i = 0; i < DR_COUNT(marks); i++)
        if (strstr(dr_buffer_text(&buffer), marks[i]))
            return true;
    return false;
}

static void meet(struct dr_context *context, long pid, const char *title)
{
    struct dr_met_process *met = dr_alloc(context, sizeof(*met));

    *met = (struct dr_met_process){
        .pid = pid,
        .title = dr_strdup(context, title),
        .elsewhere = sees_other_files(context, pid),
        .next = context->met,
    };
    context->met = met;
}

/* May it be looked into? Root may into all, others into their own. */
static bool may_open(const struct dr_context *context, int proc_fd, const char *pid)
{
    struct stat st;

    return context->request->uid == 0 ||
           (fstatat(proc_fd, pid, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == context->request->uid);
}

/* comm of a process. False when it is gone. Asked of every process of the host: no call more than it takes. */
static bool title_of(int proc_fd, const char *pid, char title[32])
{
    char path[64];
    _cleanup_close_ int fd = -1;

    (void)snprintf(path, sizeof(path), "%.20s/comm", pid);
    fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t length = fd < 0 ? -1 : read(fd, title, 31);

    if (length <= 0)
        return false;
    title[length] = '\0';
    title[strcspn(title, "\n")] = '\0';
    return true;
}

void dr_processes_keep(struct dr_context *context)
{
    const struct dr_request *request = context->request;
    _cleanup_closedir_ DIR *dir = NULL;
    const struct dirent *entry;
    int kept[KIND_OTHER] = { 0 }, met = 0;

    if (request->root || !request->proc)
        return;
    dir = opendir(request->proc);
    for (unsigned i = 0; dir && i < MOST_PROCESSES && (entry = readdir(dir)); i++) {
        char title[32];

        if (!isdigit((unsigned char)entry->d_name[0]) || !title_of(dirfd(dir), entry->d_name, title))
            continue;
        long pid = strtol(entry->d_name, NULL, 10);
        enum kind kind = kind_of(title);

        if (kind == KIND_PROXY && met < MOST_MET) {
            meet(context, pid, title);
            met++;
        }
        if (kind != KIND_OTHER && kept[kind] < MOST_KEPT && may_open(context, dirfd(dir), entry->d_name)) {
            keep(context, pid);
            kept[kind]++;
        }
    }
}

const struct dr_met_process *dr_processes_met(struct dr_context *context)
{
    return context->met;
}

int dr_process_words(struct dr_context *context, long pid, const char *const **ret_words)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_ENVIRONMENT);
    const char **words = dr_alloc(context, (MOST_WORDS + 1) * sizeof(*words));
    int r = dr_read_file(AT_FDCWD, proc_path(context, pid, "cmdline"), &buffer, NULL);
    size_t count = 0;

    if (r < 0)
        return gone(r);
    const char *text = dr_buffer_text(&buffer);

    for (size_t at = 0; at < buffer.length && count < MOST_WORDS;) {
        size_t length = strnlen(text + at, buffer.length - at);

        words[count++] = dr_strndup(context, text + at, length);
        at += length + 1;
    }
    *ret_words = words;
    return 0;
}

long dr_process_of_socket(struct dr_context *context, unsigned long inode)
{
    for (const struct dr_kept_process *kept = context->processes; kept; kept = kept->next)
        for (size_t i = 0; i < kept->socket_count; i++)
            if (kept->sockets[i] == inode)
                return kept->pid;
    return 0;
}

long dr_process_next_script(struct dr_context *context, long after)
{
    const struct dr_kept_process *kept = after == 0 ? context->processes : kept_process(context, after);

    if (kept && after != 0)
        kept = kept->next;
    while (kept && !kept->is_script)
        kept = kept->next;
    return kept ? kept->pid : 0;
}
