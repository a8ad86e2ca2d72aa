/* The way to a base: component by component, over the links that may be trusted. */
#include "repair/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LINKS = 40, LONGEST_LINK = 4096 };

struct walk {
    int root; /* where "/" is */
    int fd; /* where we stand; owned */
    char *rest; /* what is left of the path; owned */
    unsigned links;
    bool demands_owner; /* root went over somebody's link */
    uid_t owner;
    bool refused;
};

static int read_link(int fd, char **ret_target)
{
    _cleanup_free_ char *target = malloc(LONGEST_LINK + 1);

    if (!target)
        return -ENOMEM;
    ssize_t length = readlinkat(fd, "", target, LONGEST_LINK);

    if (length < 0)
        return -errno;
    if (length == 0 || length == LONGEST_LINK)
        return -ENAMETOOLONG;
    target[length] = '\0';
    *ret_target = DR_TAKE_PTR(target);
    return 0;
}

static int stand_on(struct walk *walk, int fd)
{
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = fd;
    return 0;
}

static int stand_on_root(struct walk *walk)
{
    int fd = openat(walk->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : stand_on(walk, fd);
}

static int step_up(struct walk *walk)
{
    struct stat here, root;

    if (fstat(walk->fd, &here) < 0 || fstat(walk->root, &root) < 0)
        return -errno;
    if (here.st_dev == root.st_dev && here.st_ino == root.st_ino)
        return 0;
    int fd = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : stand_on(walk, fd);
}

static int go_over_link(struct walk *walk, int link, const struct stat *st)
{
    _cleanup_free_ char *target = NULL;
    char *joined;
    int r = read_link(link, &target);

    if (r < 0 || !target)
        return r < 0 ? r : -EINVAL;
    if (++walk->links > MOST_LINKS)
        return -ELOOP;
    if (st->st_uid != 0) {
        walk->refused |= walk->demands_owner && walk->owner != st->st_uid;
        walk->demands_owner = true;
        walk->owner = st->st_uid;
    }
    if (asprintf(&joined, "%s/%s", target, walk->rest) < 0)
        return -ENOMEM;
    free(walk->rest);
    walk->rest = joined;
    return target[0] == '/' ? stand_on_root(walk) : 0;
}

/* Takes the first component off `rest`: 1, or 0 at the end. Caller frees. */
static int next_component(struct walk *walk, char **ret_component)
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(from, "/");

    if (length == 0)
        return 0;
    *ret_component = strndup(from, length);
    if (!*ret_component)
        return -ENOMEM;
    memmove(walk->rest, from + length, strlen(from + length) + 1);
    return 1;
}

static int take_step(struct walk *walk, const char *component, bool follow_last)
{
    _cleanup_close_ int next = -1;
    struct stat st;

    if (strcmp(component, ".") == 0)
        return 0;
    if (strcmp(component, "..") == 0)
        return step_up(walk);
    next = openat(walk->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 || fstat(next, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode)) {
        bool last = walk->rest[strspn(walk->rest, "/")] == '\0';

        return last && !follow_last ? -ELOOP : go_over_link(walk, next, &st);
    }
    return S_ISDIR(st.st_mode) ? stand_on(walk, DR_TAKE_FD(next)) : -ENOTDIR;
}

/* Somebody's link must lead into a folder of the same somebody, when it is root who walks. */
static int judge_links(const struct walk *walk)
{
    struct stat st;

    if (geteuid() != 0 || !walk->demands_owner)
        return 0;
    if (fstat(walk->fd, &st) < 0)
        return -errno;
    return walk->refused || st.st_uid != walk->owner ? -EPERM : 0;
}

int dr_base_open(const struct dr_repair_target *target, struct dr_base *base)
{
    _cleanup_close_ int root = target->root_fd == AT_FDCWD ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                                                           : openat(target->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct walk walk = { .root = root, .fd = -1 };
    int r = root < 0 ? -errno : stand_on_root(&walk);

    walk.rest = strdup(base->path);
    if (!walk.rest)
        r = -ENOMEM;
    for (bool more = true; r == 0 && more;) {
        _cleanup_free_ char *component = NULL;

        r = next_component(&walk, &component);
        more = r > 0;
        r = more ? take_step(&walk, component, base->state) : r;
    }
    if (r == 0)
        r = judge_links(&walk);
    free(walk.rest);
    if (r == 0)
        base->fd = walk.fd;
    else if (walk.fd >= 0)
        (void)close(walk.fd);
    return r;
}
