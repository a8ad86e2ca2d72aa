/*
 * openat2 for programs that run under valgrind: that of Debian 12 (3.19) does not know the call and answers ENOSYS, and almost every file
 * of ours is opened by it. Preloaded by run-valgrind, never part of the program. It walks the path component by component, which
 * somebody could change in between; here nobody does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEEPEST = 2048, MOST_LINKS = 40, LONGEST = 64 * 1024 };

struct walk {
    const struct open_how *how;
    int folders[DEEPEST]; /* from the root to where we are */
    int depth, links;
    char rest[LONGEST]; /* of the path */
};

static int fail(int code)
{
    errno = code;
    return -1;
}

static void leave(struct walk *walk, int depth)
{
    int code = errno;

    while (walk->depth > depth)
        (void)close(walk->folders[--walk->depth]);
    errno = code;
}

static int enter(struct walk *walk, int at, const char *name)
{
    int fd = walk->depth < DEEPEST ? openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : fail(ELOOP);

    if (fd >= 0)
        walk->folders[walk->depth++] = fd;
    return fd;
}

/* "/" and "..", which must not lead out. */
static int go_up(struct walk *walk, bool to_root)
{
    if (to_root || walk->depth == 1) {
        if (!(walk->how->resolve & RESOLVE_IN_ROOT))
            return fail(EXDEV);
        leave(walk, 1);
    } else {
        leave(walk, walk->depth - 1);
    }
    return 0;
}

/* The link's text takes the place of its name. */
static int follow(struct walk *walk, const char *name, const char *behind)
{
    static char target[LONGEST], whole[LONGEST];
    ssize_t length;

    if ((walk->how->resolve & RESOLVE_NO_SYMLINKS) || ++walk->links > MOST_LINKS)
        return fail(ELOOP);
    length = readlinkat(walk->folders[walk->depth - 1], name, target, sizeof(target) - 1);
    if (length < 0)
        return -1;
    target[length] = '\0';
    if (snprintf(whole, sizeof(whole), "%s/%s", target, behind) >= (int)sizeof(whole))
        return fail(ENAMETOOLONG);
    strcpy(walk->rest, whole);
    return target[0] == '/' ? go_up(walk, true) : 0;
}

/* 1 with a descriptor, 0 to go on, -1. */
static int step(struct walk *walk, int *ret_fd)
{
    static char name[LONGEST];
    int here = walk->folders[walk->depth - 1];
    const char *begin = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(begin, "/");
    const char *behind = begin + length + strspn(begin + length, "/");
    int flags = (int)walk->how->flags;
    struct stat found, folder;

    memcpy(name, begin, length);
    name[length] = '\0';
    if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        if (length == 2 && go_up(walk, false) < 0)
            return -1;
        memmove(walk->rest, behind, strlen(behind) + 1);
        if (walk->rest[0])
            return 0;
        *ret_fd = openat(walk->folders[walk->depth - 1], ".", flags, (mode_t)walk->how->mode);
        return *ret_fd < 0 ? -1 : 1;
    }
    bool last = *behind == '\0';

    if (fstatat(here, name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
        if (!last || errno != ENOENT)
            return -1;
    } else if (S_ISLNK(found.st_mode) && (!last || begin[length] == '/' || !(flags & O_NOFOLLOW))) {
        return follow(walk, name, behind);
    } else if ((walk->how->resolve & RESOLVE_NO_XDEV) && fstat(here, &folder) == 0 && folder.st_dev != found.st_dev) {
        return fail(EXDEV);
    }
    if (last) {
        *ret_fd = openat(here, name, flags | O_NOFOLLOW | (begin[length] == '/' ? O_DIRECTORY : 0), (mode_t)walk->how->mode);
        return *ret_fd < 0 ? -1 : 1;
    }
    memmove(walk->rest, behind, strlen(behind) + 1);
    return enter(walk, here, name) < 0 ? -1 : 0;
}

static long open_beneath(int at, const char *path, const struct open_how *how)
{
    static struct walk walk;
    int fd = -1, r = 0;

    if (!(how->resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)))
        return openat(at, path, (int)how->flags, (mode_t)how->mode);
    if (path[0] == '\0' || (how->flags & O_CREAT ? 0 : how->mode))
        return fail(path[0] ? EINVAL : ENOENT);
    walk.how = how;
    walk.links = walk.depth = 0;
    if (snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= 4096)
        return fail(ENAMETOOLONG);
    if (enter(&walk, at, ".") < 0)
        return -1;
    if (path[0] == '/')
        r = go_up(&walk, true);
    while (r == 0)
        r = step(&walk, &fd);
    leave(&walk, 0);
    return r > 0 ? fd : -1;
}

__attribute__((visibility("default"))) long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long arguments[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2)
        return open_beneath((int)arguments[0], (const char *)arguments[1], (const struct open_how *)arguments[2]);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
