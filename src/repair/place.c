#include "repair/place.h"

#include "base/text.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* --- the set of bases ------------------------------------------------------------------------------------------- */

int dr_places_open(const struct dr_repair_target *target, struct dr_places *ret_places, struct dr_error *error)
{
    size_t count = 1;

    for (const char *const *folder = target->allowed; folder && *folder; folder++)
        count++;
    struct dr_base *bases = calloc(count, sizeof(*bases));

    if (!bases)
        return -ENOMEM;
    bases[0] = (struct dr_base){ .path = target->state_dir, .fd = -1, .state = true };
    for (size_t i = 1; i < count; i++)
        bases[i] = (struct dr_base){ .path = target->allowed[i - 1], .fd = -1 };

    int r = dr_base_open(target, &bases[0]);

    if (r < 0) {
        free(bases);
        return dr_error_set(error, r,
                            r == -EPERM ? "%s is behind a link of somebody else's: nothing is repaired there"
                                        : "the state directory %s cannot be opened (%s)",
                            target->state_dir, dr_errno_text(r));
    }
    *ret_places = (struct dr_places){ .target = target, .bases = bases, .count = count };
    return 0;
}

void dr_places_release(struct dr_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->bases[i].fd >= 0)
            (void)close(places->bases[i].fd);
    free(places->bases);
    *places = (struct dr_places){ 0 };
}

/* The longest base that holds the path. */
static struct dr_base *base_of(const struct dr_places *places, const char *path)
{
    struct dr_base *best = NULL;

    for (size_t i = 0; i < places->count; i++)
        if (dr_path_is_below(path, places->bases[i].path) && (!best || strlen(places->bases[i].path) > strlen(best->path)))
            best = &places->bases[i];
    return best;
}

int dr_places_add(struct dr_places *places, const char *folder)
{
    if (folder[0] != '/' || folder[1] == '\0' || base_of(places, folder))
        return 0;
    struct dr_base *grown = realloc(places->bases, (places->count + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    grown[places->count++] = (struct dr_base){ .path = folder, .fd = -1 };
    places->bases = grown;
    return 0;
}

static int refuse_own_folder(const struct dr_places *places, const char *path)
{
    _cleanup_free_ char *own = dr_path_join(places->target->state_dir, "openclaw-doctor");
    const char *journal = places->target->journal_dir;

    if (!own)
        return -ENOMEM;
    return dr_path_is_below(path, own) || (journal && dr_path_is_below(path, journal)) ? -EPERM : 0;
}

static int judge_base(const struct dr_places *places, const struct dr_base *base)
{
    struct stat st;

    if (base->state || !places->journal_of_user || geteuid() != 0)
        return 0;
    if (fstat(base->fd, &st) < 0)
        return -errno;
    return st.st_uid == places->target->uid ? 0 : -EPERM;
}

bool dr_places_is_owners(const struct dr_places *places, const char *path)
{
    struct dr_base *base = base_of(places, path);
    struct stat st;

    if (!base || (base->fd < 0 && dr_base_open(places->target, base) < 0) || fstat(base->fd, &st) < 0)
        return false;
    return base->state || st.st_uid == places->target->uid;
}

/* --- below a base ----------------------------------------------------------------------------------------------- */

static int open_stepwise(int dir_fd, const char *path, int flags)
{
    _cleanup_close_ int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
    struct stat top, st;

    if (fd < 0 || fstat(fd, &top) < 0)
        return -errno;
    while (*path) {
        size_t length = strcspn(path, "/");
        _cleanup_free_ char *component = strndup(path, length);
        bool last = path[length + strspn(path + length, "/")] == '\0';

        if (!component)
            return -ENOMEM;
        if (strcmp(component, "..") == 0)
            return -EXDEV;
        int next = openat(fd, component, (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);

        if (next < 0)
            return -errno;
        (void)close(fd);
        fd = next;
        if (fstat(fd, &st) < 0)
            return -errno;
        if (S_ISLNK(st.st_mode))
            return -ELOOP;
        if (st.st_dev != top.st_dev)
            return -EXDEV;
        path += length;
        path += strspn(path, "/");
    }
    return DR_TAKE_FD(fd);
}

int dr_open_below(int dir_fd, const char *path, int flags, int *ret_fd)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NOCTTY)),
        .mode = flags & O_CREAT ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_stepwise(dir_fd, path, flags);
    else if (fd < 0)
        fd = -errno;
    if (fd < 0)
        return (int)fd;
    *ret_fd = (int)fd;
    return 0;
}

static const char *reason_of(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        { -ELOOP, "a symbolic link stands in the way; what is behind a link is never changed" },
        { -EXDEV, "it lies on another mount, or outside of the state directory" },
        { -ENOENT, "its folder is gone" },
        { -ENOTDIR, "a symbolic link or a file stands in the way; what is behind a link is never changed" },
    };

    for (size_t i = 0; i < DR_COUNT(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return dr_errno_text(code);
}

static int find_below(const struct dr_base *base, const char *path, struct dr_place *place)
{
    const char *below = path + strlen(base->path);
    const char *slash;
    int r;

    below += strspn(below, "/");
    if (*below == '\0') {
        r = dr_open_below(base->fd, ".", O_PATH | O_DIRECTORY, &place->fd);
        return r < 0 ? r : fstat(place->fd, &place->st) < 0 ? -errno : 0;
    }
    slash = strrchr(below, '/');
    _cleanup_free_ char *folder = slash ? strndup(below, (size_t)(slash - below)) : strdup(".");

    place->name = strdup(slash ? slash + 1 : below);
    if (!folder || !place->name)
        return -ENOMEM;
    r = dr_open_below(base->fd, folder, O_PATH | O_DIRECTORY, &place->dir_fd);
    if (r < 0)
        return r;
    r = dr_open_below(place->dir_fd, place->name, O_PATH, &place->fd);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    if (fstat(place->fd, &place->st) < 0)
        return -errno;
    return S_ISLNK(place->st.st_mode) ? -ELOOP : 0;
}

int dr_place_find(const struct dr_places *places, const char *path, struct dr_place *ret_place, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    _cleanup_free_ char *clean = dr_path_clean(path);
    struct dr_base *base = base_of(places, path);

    if (!clean)
        return -ENOMEM;
    if (!base || strcmp(clean, path) != 0)
        return dr_error_set(error, -EPERM, "it is not below the state directory or another folder that may be repaired");
    if (refuse_own_folder(places, path) < 0)
        return dr_error_set(error, -EPERM, "it is part of the doctor's own journal");

    int r = base->fd < 0 ? dr_base_open(places->target, base) : 0;

    if (r == 0)
        r = judge_base(places, base);
    if (r == 0)
        r = find_below(base, path, &place);
    if (r < 0)
        return dr_error_set(error, r, "%s", reason_of(r));
    *ret_place = place;
    place = (struct dr_place)DR_PLACE;
    return 0;
}

void dr_place_release(struct dr_place *place)
{
    dr_cleanup_close(&place->dir_fd);
    dr_cleanup_close(&place->fd);
    free(place->name);
    *place = (struct dr_place)DR_PLACE;
}

int dr_place_still(const struct dr_place *place)
{
    struct stat now;

    if (!place->name)
        return 0;
    if (fstatat(place->dir_fd, place->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? -ESTALE : -errno;
    return now.st_dev == place->st.st_dev && now.st_ino == place->st.st_ino ? 0 : -ESTALE;
}

int dr_sync_folder(int dir_fd)
{
    /* fsync of an O_PATH descriptor is EBADF. */
    _cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return errno == EACCES ? 0 : -errno; /* a folder that we may not list cannot be synced: nothing to be done */
    return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int dr_place_sync_folder(const struct dr_place *place)
{
    return dr_sync_folder(place->dir_fd >= 0 ? place->dir_fd : place->fd);
}

int dr_reopen(const struct dr_place *place, int flags, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (place->fd < 0)
        return -ENOENT;
    if (!S_ISREG(place->st.st_mode))
        return -EINVAL;
    int r = dr_open_below(place->dir_fd, place->name, flags | O_NONBLOCK, &fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_dev != place->st.st_dev || st.st_ino != place->st.st_ino)
        return -ESTALE;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}
