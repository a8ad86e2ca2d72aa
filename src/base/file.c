#include "base/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void dr_file_identity_from_stat(const struct stat *st, struct dr_file_identity *ret_identity)
{
    *ret_identity = (struct dr_file_identity){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = nanoseconds(st->st_mtim),
        .ctime_ns = nanoseconds(st->st_ctim),
        .mode = st->st_mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .links = (uint32_t)st->st_nlink,
    };
}

bool dr_file_identity_same(const struct dr_file_identity *a, const struct dr_file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           (a->mode & S_IFMT) == (b->mode & S_IFMT);
}

int dr_open(int root_fd, const char *path, int flags, int *ret_fd)
{
    struct open_how how = {
        /* With O_PATH openat2 takes no flag that only an open for reading or writing would use. */
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY)),
        .resolve = RESOLVE_NO_MAGICLINKS | (root_fd == AT_FDCWD ? 0 : RESOLVE_IN_ROOT),
    };
    long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

    if (fd < 0 && root_fd == AT_FDCWD && (errno == ENOSYS || errno == EPERM))
        /* Kernel before 5.6, or a container's seccomp filter that does not know the call. */
        fd = openat(AT_FDCWD, path, (int)how.flags);
    if (fd < 0)
        return -errno;
    *ret_fd = (int)fd;
    return 0;
}

int dr_stat(int root_fd, const char *path, struct stat *ret_stat)
{
    _cleanup_close_ int fd = -1;

    /* Of the real root one call does: there is nothing to lead out of, and what is opened later is opened with more care. */
    if (root_fd == AT_FDCWD)
        return fstatat(AT_FDCWD, path, ret_stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 ? -errno : 0;
    int r = dr_open(root_fd, path, O_PATH, &fd);

    if (r < 0)
        return r;
    return fstat(fd, ret_stat) < 0 ? -errno : 0;
}

/* `expected`: how much the system says there is, 0: unknown. Small files then take small buffers and one read. */
static int read_all(int fd, size_t expected, struct dr_buffer *buffer)
{
    enum { FIRST = 4096, MOST = 64 * 1024 };
    size_t next = expected > 0 && expected < MOST ? expected + 1 : expected > 0 ? MOST : FIRST;
    size_t before = buffer->length;

    for (;;) {
        char *space;
        size_t room = buffer->ceiling - buffer->length;
        size_t chunk = room < next ? room : next;

        if (chunk == 0) {
            char extra;
            ssize_t more = read(fd, &extra, 1);

            return more < 0 ? -errno : more == 0 ? 0 : -E2BIG;
        }
        int r = dr_buffer_reserve(buffer, chunk, &space);

        if (r < 0)
            return r;
        ssize_t got = read(fd, space, chunk);

        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        dr_buffer_commit(buffer, (size_t)got);
        if (got == 0 || (expected > 0 && (size_t)got < chunk && buffer->length - before == expected))
            return 0;
        next = (size_t)got == chunk ? MOST : next;
    }
}

int dr_read_fd(int fd, struct dr_buffer *buffer)
{
    return read_all(fd, 0, buffer);
}

int dr_read_file(int root_fd, const char *path, struct dr_buffer *buffer, struct dr_file_identity *ret_identity)
{
    struct stat st;
    /* Judged before it is opened for reading: opening a FIFO or a device can have effects of its own. */
    int r = dr_stat(root_fd, path, &st);

    if (r < 0)
        return r;
    if (S_ISLNK(st.st_mode))
        return -ELOOP;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > 0 && (uint64_t)st.st_size > buffer->ceiling - buffer->length)
        return -E2BIG;

    _cleanup_close_ int read_fd = -1;
    struct stat again;

    r = dr_open(root_fd, path, O_RDONLY, &read_fd);
    if (r < 0)
        return r;
    if (fstat(read_fd, &again) < 0)
        return -errno;
    if (again.st_ino != st.st_ino || again.st_dev != st.st_dev)
        return -ESTALE;
    r = read_all(read_fd, again.st_size > 0 ? (size_t)again.st_size : 0, buffer);
    if (r < 0)
        return r;
    if (ret_identity)
        dr_file_identity_from_stat(&again, ret_identity);
    return 0;
}

int dr_read_link(int root_fd, const char *path, char **ret_target)
{
    _cleanup_close_ int fd = -1;
    int r = dr_open(root_fd, path, O_PATH, &fd);

    if (r < 0)
        return r;
    for (size_t size = 256; size <= 64 * 1024; size *= 2) {
        _cleanup_free_ char *target = malloc(size);

        if (!target)
            return -ENOMEM;
        ssize_t length = readlinkat(fd, "", target, size);

        if (length < 0)
            return errno == ENOENT ? -EINVAL : -errno;
        if ((size_t)length < size) {
            target[length] = '\0';
            *ret_target = DR_TAKE_PTR(target);
            return 0;
        }
    }
    return -E2BIG;
}
