#include "cli/output.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

/* A pipe, a terminal, /dev/stdout: written to as it is. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_through(const char *path, const char *bytes, size_t length)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : write_all(fd, bytes, length);
}

static int write_beside(const char *path, const char *bytes, size_t length)
{
    _cleanup_free_ char *beside = NULL;

    if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
        beside = NULL;
        return -ENOMEM;
    }

    _cleanup_close_ int fd = mkostemp(beside, O_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, bytes, length);

    if (fd < 0)
        return r;
    if (r >= 0 && rename(beside, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(beside);
    return r;
}

int dr_output_write(const char *path, const char *bytes, size_t length, struct dr_error *error)
{
    int r;

    if (!path || strcmp(path, "-") == 0) {
        r = write_all(STDOUT_FILENO, bytes, length);
        return r < 0 ? dr_error_set(error, r, "standard output: %s", dr_errno_text(r)) : 0;
    }
    r = is_special(path) ? write_through(path, bytes, length) : write_beside(path, bytes, length);
    return r < 0 ? dr_error_set(error, r, "%s: %s", path, dr_errno_text(r)) : 0;
}
