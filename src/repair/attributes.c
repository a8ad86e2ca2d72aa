#include "repair/attributes.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* the same on every architecture; kernel 6.6 */
#endif

enum { XATTRS_MOST = 64 * 1024 };

uint32_t dr_settable_mode(uint32_t type, uint32_t mode)
{
    return S_ISDIR(type) ? mode & 03777 : mode & 0777;
}

int dr_fd_set_mode(int fd, uint32_t type, uint32_t mode)
{
    uint32_t bits = dr_settable_mode(type, mode);
    char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

    if (syscall(SYS_fchmodat2, fd, "", bits, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOSYS && errno != EPERM)
        return -errno;
    /* An older kernel, or a filter that does not know the call. */
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return chmod(link, bits) < 0 ? -errno : 0;
}

int dr_fd_set_owner(int fd, uint32_t uid, uint32_t gid)
{
    return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int dr_fd_set_perms(int fd, const struct stat *now, uint32_t mode, uint32_t uid, uint32_t gid)
{
    uint32_t present = now->st_mode & 07777;
    bool new_owner = now->st_uid != uid || now->st_gid != gid;
    int r = 0;

    if (new_owner && (present & mode) != present)
        r = dr_fd_set_mode(fd, now->st_mode, present & mode);
    if (r == 0 && new_owner)
        r = dr_fd_set_owner(fd, uid, gid);
    if (r == 0 && (new_owner || present != mode))
        r = dr_fd_set_mode(fd, now->st_mode, mode);
    return r;
}

static bool gives_privileges(const char *name)
{
    return strcmp(name, "security.capability") == 0;
}

static int copy_xattr(int from, int to, const char *name, char *value)
{
    ssize_t size = fgetxattr(from, name, value, XATTRS_MOST);

    if (size < 0)
        return errno == ENODATA ? 0 : -errno;
    if (fsetxattr(to, name, value, (size_t)size, 0) == 0)
        return 0;
    /* Labels that the system's policy sets by itself (SELinux, ...) are not ours to set. */
    return strncmp(name, "security.", 9) == 0 ? 0 : -errno;
}

int dr_fd_copy_xattrs(int from, int to)
{
    _cleanup_free_ char *names = malloc(XATTRS_MOST);
    _cleanup_free_ char *value = malloc(XATTRS_MOST);
    ssize_t length;
    int r;

    if (!names || !value)
        return -ENOMEM;
    length = flistxattr(from, names, XATTRS_MOST);
    if (length < 0)
        return errno == ENOTSUP || errno == ENOSYS ? 0 : -errno;
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        r = gives_privileges(name) ? 0 : copy_xattr(from, to, name, value);
        if (r < 0)
            return r;
    }
    return 0;
}
