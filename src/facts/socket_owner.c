#include "facts/socket_owner.h"

#include "base/cleanup.h"
#include "facts/proc.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_PROCESSES = 100 * 1000, PATIENCE_MS = 1500 };

/* What goes up. Who listens on 127.0.0.1 mostly listens on ::1, too: the last answer is looked at first. */
struct question {
    uint64_t inode;
    int64_t likely; /* a pid, 0: none */
    uint64_t only; /* 1: nobody else is of interest */
};

static bool holds_socket(int proc_fd, const char *pid, const char *socket)
{
    char path[64], target[64];
    const struct dirent *entry;

    (void)snprintf(path, sizeof(path), "%.20s/fd", pid);
    int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir && fd >= 0)
        (void)close(fd);
    while (dir && (entry = readdir(dir))) {
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (length <= 0)
            continue;
        target[length] = '\0';
        if (strcmp(target, socket) == 0)
            return true;
    }
    return false;
}

long dr_socket_owner_scan(const char *proc, unsigned long inode, long likely)
{
    _cleanup_closedir_ DIR *dir = proc ? opendir(proc) : NULL;
    const struct dirent *entry;
    char socket[64], first[32];

    (void)snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
    (void)snprintf(first, sizeof(first), "%ld", likely);
    if (dir && likely > 0 && holds_socket(dirfd(dir), first, socket))
        return likely;
    for (unsigned i = 0; dir && i < MOST_PROCESSES && (entry = readdir(dir)); i++)
        if (isdigit((unsigned char)entry->d_name[0]) && holds_socket(dirfd(dir), entry->d_name, socket))
            return strtol(entry->d_name, NULL, 10);
    return 0;
}

static bool held_by(const char *proc, unsigned long inode, long pid)
{
    _cleanup_close_ int fd = proc ? open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    char socket[64], name[32];

    (void)snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
    (void)snprintf(name, sizeof(name), "%ld", pid);
    return fd >= 0 && pid > 0 && holds_socket(fd, name, socket);
}

int dr_socket_owner_answer(int fd, const char *proc)
{
    struct question question;
    ssize_t got = recv(fd, &question, sizeof(question), MSG_DONTWAIT);

    if (got != (ssize_t)sizeof(question))
        return got < 0 ? -errno : -EPIPE;

    unsigned long inode = (unsigned long)question.inode;
    int64_t pid = question.only ? (held_by(proc, inode, (long)question.likely) ? question.likely : 0)
                                : dr_socket_owner_scan(proc, inode, (long)question.likely);

    return send(fd, &pid, sizeof(pid), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(pid) ? 0 : -errno;
}

static long ask_parent(int fd, unsigned long inode, long likely, bool only)
{
    const struct question question = { .inode = inode, .likely = likely, .only = only };
    int64_t pid = 0;
    struct pollfd answer = { .fd = fd, .events = POLLIN };

    if (send(fd, &question, sizeof(question), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(question) ||
        poll(&answer, 1, PATIENCE_MS) != 1 || recv(fd, &pid, sizeof(pid), MSG_DONTWAIT) != (ssize_t)sizeof(pid))
        return 0;
    return (long)pid;
}

long dr_socket_owner(struct dr_context *context, unsigned long inode)
{
    long kept = dr_process_of_socket(context, inode);

    if (kept || inode == 0)
        return kept;
    long found = context->parent ? ask_parent(context->parent->fd, inode, context->last_owner, false)
                                 : dr_socket_owner_scan(context->request->proc, inode, context->last_owner);

    if (found > 0)
        context->last_owner = found;
    return found;
}

bool dr_socket_is_held_by(struct dr_context *context, unsigned long inode, long pid)
{
    long kept = dr_process_of_socket(context, inode);

    if (kept || inode == 0)
        return kept == pid;
    return context->parent ? ask_parent(context->parent->fd, inode, pid, true) == pid
                           : held_by(context->request->proc, inode, pid);
}
