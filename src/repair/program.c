/* Is a program, or a file that it is to read, in the right hands? */
#include "repair/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

static bool is_safe(const struct stat *st, uint32_t uid)
{
    /* In a folder with the sticky bit nobody can replace what is somebody else's. */
    bool closed = (st->st_mode & OTHERS_WRITE) == 0 || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX));

    return (st->st_uid == 0 || st->st_uid == uid) && closed;
}

/* Every folder above `path`, up to "/": root's, and only root may write there. A link among them is judged by itself as well. */
static int judge_folders(const char *path, struct dr_error *error)
{
    _cleanup_free_ char *folder = strdup(path);
    struct stat st;

    if (!folder)
        return -ENOMEM;
    for (char *slash; (slash = strrchr(folder, '/'));) {
        slash[slash == folder] = '\0';
        if (lstat(folder, &st) < 0)
            return dr_error_set(error, -errno, "%s cannot be looked at: %s", folder, dr_errno_text(-errno));
        if (S_ISLNK(st.st_mode) ? st.st_uid != 0 : !is_safe(&st, 0))
            return dr_error_set(error, -EPERM, "%s may be changed by somebody who is not root", folder);
        if (slash == folder)
            return 0;
    }
    return 0;
}

/* Where the path leads; with `strict` the folders on both ways are judged. */
static int resolve(const char *path, bool strict, char **ret_real, struct dr_error *error)
{
    _cleanup_free_ char *real = NULL;
    int r = strict ? judge_folders(path, error) : 0;

    if (r < 0)
        return r;
    real = realpath(path, NULL);
    if (!real)
        return dr_error_set(error, -errno, errno == ENOENT ? "%s is not there" : "%s cannot be opened", path);
    r = strict ? judge_folders(real, error) : 0;
    if (r < 0)
        return r;
    *ret_real = DR_TAKE_PTR(real);
    return 0;
}

int dr_program_open(const char *path, uint32_t uid, bool strict, int *ret_fd, struct dr_error *error)
{
    _cleanup_free_ char *real = NULL;
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = resolve(path, strict, &real, error);

    if (r < 0)
        return r;
    fd = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return dr_error_set(error, -errno, "%s cannot be opened: %s", path, dr_errno_text(-errno));
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        return dr_error_set(error, -EPERM, "%s is no program", path);
    if (!is_safe(&st, uid))
        return dr_error_set(error, -EPERM, "%s may be changed by somebody else; it is not run", path);
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

int dr_path_in_roots_hands(const char *path, struct dr_error *error)
{
    _cleanup_free_ char *real = NULL;
    struct stat st;
    int r = resolve(path, true, &real, error);

    if (r < 0)
        return r;
    if (lstat(real, &st) < 0)
        return dr_error_set(error, -errno, "%s cannot be looked at: %s", path, dr_errno_text(-errno));
    if (!is_safe(&st, 0))
        return dr_error_set(error, -EPERM, "%s may be changed by somebody who is not root; root does not run it", path);
    return 0;
}

static bool only_root_writes(const char *path)
{
    _cleanup_free_ char *folder = strdup(path);
    struct stat st;

    if (!folder)
        return false;
    for (char *slash; (slash = strrchr(folder, '/'));) {
        slash[slash == folder] = '\0';
        if (lstat(folder, &st) < 0 || st.st_uid != 0 || (!S_ISLNK(st.st_mode) && (st.st_mode & OTHERS_WRITE) != 0))
            return false;
        if (slash == folder)
            return true;
    }
    return false;
}

bool dr_folders_are_roots(const char *path)
{
    _cleanup_free_ char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;

    if (!slash || !only_root_writes(path))
        return false;
    slash[slash == folder] = '\0';
    _cleanup_free_ char *real = realpath(folder, NULL), *below = NULL;

    if (!real || asprintf(&below, "%s/x", strcmp(real, "/") == 0 ? "" : real) < 0) {
        below = NULL;
        return false;
    }
    return only_root_writes(below);
}
