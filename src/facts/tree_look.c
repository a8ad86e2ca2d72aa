#include "facts/tree_look.h"

#include "base/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
    FIELDS = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO | STATX_SIZE | STATX_MTIME |
             STATX_CTIME | STATX_MNT_ID,
    LOOK = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
};

static int64_t nanoseconds(struct statx_timestamp time)
{
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void identity_from_statx(const struct statx *stx, struct dr_file_identity *ret_identity)
{
    *ret_identity = (struct dr_file_identity){
        .device = ((uint64_t)stx->stx_dev_major & 0xfff) << 8 | (stx->stx_dev_minor & 0xff) |
                  ((uint64_t)stx->stx_dev_minor & ~UINT64_C(0xff)) << 12 |
                  ((uint64_t)stx->stx_dev_major & ~UINT64_C(0xfff)) << 32,
        .inode = stx->stx_ino,
        .size = stx->stx_size,
        .mtime_ns = nanoseconds(stx->stx_mtime),
        .ctime_ns = nanoseconds(stx->stx_ctime),
        .mode = stx->stx_mode,
        .uid = stx->stx_uid,
        .gid = stx->stx_gid,
        .links = stx->stx_nlink,
    };
}

int dr_look_at(int fd, const char *name, struct dr_seen *ret_seen)
{
    struct statx stx;

    if (statx(fd, name, LOOK | (name[0] ? 0 : AT_EMPTY_PATH), FIELDS, &stx) < 0)
        return -errno;
    identity_from_statx(&stx, &ret_seen->identity);
    ret_seen->mount = stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0;
    ret_seen->mount_root = (stx.stx_attributes_mask & stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

static int open_beneath(struct dr_looker *looker, int fd, const char *name, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };

    if (!looker->no_openat2) {
        long opened = syscall(SYS_openat2, fd, name, &how, sizeof(how));

        if (opened >= 0)
            return (int)opened;
        if (errno != ENOSYS)
            return -errno;
        looker->no_openat2 = true; /* kernel before 5.6, or a seccomp filter that does not know the call */
    }
    int opened = openat(fd, name, flags);

    return opened < 0 ? -errno : opened;
}

bool dr_look_same(const struct dr_file_identity *a, const struct dr_file_identity *b)
{
    return a->device == b->device && a->inode == b->inode;
}

int dr_look_open(struct dr_looker *looker, int fd, const char *name, const struct dr_file_identity *owner)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    bool keep_atime = looker->uid == 0 || owner->uid == looker->uid;
    int opened = open_beneath(looker, fd, name, flags | (keep_atime ? O_NOATIME : 0));

    if (opened == -EPERM && keep_atime)
        opened = open_beneath(looker, fd, name, flags); /* root without CAP_FOWNER, as in some containers */
    if (opened == -EPERM) {
        looker->no_openat2 = true; /* older seccomp filters refuse unknown calls with EPERM */
        opened = open_beneath(looker, fd, name, flags);
    }
    if (opened < 0)
        return opened;

    struct dr_seen now;
    int r = dr_look_at(opened, "", &now);

    if (r == 0 && !dr_look_same(&now.identity, owner))
        r = -ESTALE;
    if (r < 0) {
        (void)close(opened);
        return r;
    }
    return opened;
}
