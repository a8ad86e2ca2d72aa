#include "repair/content.h"

#include "repair/attributes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int dr_write_all(int fd, const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length > 0) {
        ssize_t written = write(fd, from, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        from += written;
        length -= (size_t)written;
    }
    return 0;
}

int dr_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat there;

    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* A file system without no-replace renames. */
    if (fstatat(to_dir, to, &there, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    return renameat(from_dir, from, to_dir, to) < 0 ? -errno : 0;
}

static int fill(int fd, const struct dr_new_file *file)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, file->mtime ? *file->mtime : (struct timespec){ 0 } };
    struct stat st;
    int r = dr_write_all(fd, file->bytes, file->length);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    r = dr_fd_set_perms(fd, &st, dr_settable_mode(S_IFREG, file->mode), file->uid, file->gid);
    if (r < 0)
        return r;
    if (file->like >= 0)
        r = dr_fd_copy_xattrs(file->like, fd);
    if (r < 0)
        return r;
    if (file->mtime && futimens(fd, times) < 0)
        return -errno;
    return fsync(fd) < 0 ? -errno : 0;
}

static int make_temp(const struct dr_place *place, const struct dr_new_file *file)
{
    _cleanup_close_ int fd = openat(place->dir_fd, file->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    int r = fill(fd, file);

    if (r < 0)
        (void)unlinkat(place->dir_fd, file->temp, 0);
    return r;
}

int dr_content_replace(const struct dr_place *place, const struct dr_new_file *file)
{
    int r = make_temp(place, file);

    if (r < 0)
        return r;
    r = dr_place_still(place);
    if (r == 0 && renameat(place->dir_fd, file->temp, place->dir_fd, place->name) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(place->dir_fd, file->temp, 0);
        return r;
    }
    return dr_place_sync_folder(place);
}

int dr_content_create(const struct dr_place *place, const struct dr_new_file *file)
{
    int r = make_temp(place, file);

    if (r < 0)
        return r;
    r = dr_rename_new(place->dir_fd, file->temp, place->dir_fd, place->name);
    if (r < 0) {
        (void)unlinkat(place->dir_fd, file->temp, 0);
        return r;
    }
    return dr_place_sync_folder(place);
}

int dr_content_drop_temp(const struct dr_place *place, const char *temp)
{
    if (place->dir_fd < 0)
        return 0;
    if (unlinkat(place->dir_fd, temp, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EISDIR && (unlinkat(place->dir_fd, temp, AT_REMOVEDIR) == 0 || errno == ENOENT))
        return 0;
    return -errno;
}
