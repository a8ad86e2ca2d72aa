#include "facts/tree_walk.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "facts/tree_look.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LONGEST_PATH = 1024 * 1024,
    CHUNK = 64 * 1024,
    SMALL_CHUNK = 2 * 1024, /* once many levels hold names: keeps the deepest tree below 8 MiB */
    MUCH_WAITING = 2 * 1024 * 1024,
};

/* A folder that is being read. `names`: its subfolders met in the last chunk that are still to be entered. */
struct level {
    int fd; /* -1: closed to save descriptors */
    struct dr_file_identity identity;
    uint64_t mount;
    size_t path_length; /* of the path up to and with this folder */
    off_t position; /* behind the last chunk, to go on after a reopening */
    char *names; /* NUL-separated; owned */
    size_t names_length, names_used;
    bool at_end;
    bool group_passes, others_pass;
};

struct walker {
    const struct dr_walk *walk;
    struct dr_buffer path;
    struct level *levels;
    size_t depth, capacity; /* levels in use, levels there is room for */
    size_t waiting; /* bytes of all names */
    struct dr_looker looker;
    char *chunk;
};

static void level_release(struct walker *walker, struct level *level)
{
    if (level->fd >= 0)
        (void)close(level->fd);
    level->fd = -1;
    walker->waiting -= level->names_length;
    free(level->names);
    level->names = NULL;
    level->names_length = level->names_used = 0;
}

static void walker_release(struct walker *walker)
{
    while (walker->depth > 0)
        level_release(walker, &walker->levels[--walker->depth]);
    free(walker->levels);
    free(walker->chunk);
    dr_buffer_release(&walker->path);
}

static bool other_mount(const struct dr_seen *seen, const struct level *level)
{
    if (seen->mount && level->mount)
        return seen->mount_root || seen->mount != level->mount;
    return S_ISDIR(seen->identity.mode) && seen->identity.device != level->identity.device;
}

static void tell(struct walker *walker, struct dr_entry *entry, size_t folder_length)
{
    entry->tree = walker->walk->tree;
    entry->path = walker->path.data;
    entry->name = entry->path + folder_length + (entry->path[folder_length] == '/');
    walker->walk->visit(walker->walk->context, entry, walker->walk->state);
}

/* Sets the walker's path to the level's folder and `name`. */
static int set_path(struct walker *walker, const struct level *level, const char *name)
{
    size_t length = strlen(name);
    char *space;

    walker->path.length = level->path_length;
    int r = dr_buffer_reserve(&walker->path, length + 2, &space);

    if (r < 0)
        return r;
    size_t slash = space[-1] != '/';

    space[0] = '/';
    memcpy(space + slash, name, length + 1);
    dr_buffer_commit(&walker->path, slash + length);
    return 0;
}

static int push(struct walker *walker, int fd, uint64_t mount, const struct dr_entry *entry)
{
    if (walker->depth == walker->capacity) {
        size_t capacity = walker->capacity ? walker->capacity * 2 : 64;
        struct level *levels = realloc(walker->levels, capacity * sizeof(*levels));

        if (!levels) {
            (void)close(fd);
            return -ENOMEM;
        }
        walker->levels = levels;
        walker->capacity = capacity;
    }
    struct level *level = &walker->levels[walker->depth++];

    *level = (struct level){
        .fd = fd,
        .identity = entry->identity,
        .mount = mount,
        .path_length = walker->path.length,
        .group_passes = entry->group_passes && (entry->identity.mode & (S_IXGRP | S_IXOTH)) != 0,
        .others_pass = entry->others_pass && (entry->identity.mode & S_IXOTH) != 0,
    };
    if (walker->depth > DR_WALK_OPEN) {
        struct level *upper = &walker->levels[walker->depth - 1 - DR_WALK_OPEN];

        if (upper->fd >= 0)
            (void)close(upper->fd);
        upper->fd = -1;
    }
    return 0;
}

static void tell_broken(struct walker *walker, const struct level *level, int error)
{
    size_t depth = walker->depth - 1;
    const struct level *above = depth > 0 ? level - 1 : NULL;
    struct dr_entry entry = {
        .depth = (unsigned)depth,
        .identity = level->identity,
        .parent = above ? &above->identity : NULL,
        .group_passes = above ? above->group_passes : true,
        .others_pass = above ? above->others_pass : true,
        .unreadable = dr_errno_text(error),
    };

    walker->path.length = level->path_length;
    walker->path.data[level->path_length] = '\0';
    tell(walker, &entry, above ? above->path_length : 0);
}

/* Opens the folder above the given one again, through "..", and goes on where its last chunk ended. */
static int reopen_above(const struct level *level, struct level *above)
{
    _cleanup_close_ int fd = -1;
    struct dr_seen now;

    if (level->fd < 0)
        return -ESTALE;
    fd = openat(level->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = dr_look_at(fd, "", &now);

    if (r < 0)
        return r;
    if (!dr_look_same(&now.identity, &above->identity))
        return -ESTALE; /* moved while we were below it */
    if (lseek(fd, above->position, SEEK_SET) < 0)
        return -errno;
    above->fd = DR_TAKE_FD(fd);
    return 0;
}

/* Leaves the deepest folder. */
static void pop(struct walker *walker)
{
    struct level *level = &walker->levels[walker->depth - 1];
    struct level *above = walker->depth > 1 ? level - 1 : NULL;
    int r = above && above->fd < 0 ? reopen_above(level, above) : 0;

    level_release(walker, level);
    walker->depth--;
    if (r < 0) {
        level_release(walker, above); /* what was left of it cannot be entered any more */
        above->at_end = true;
        tell_broken(walker, above, r);
    }
}

static struct dr_entry entry_below(const struct walker *walker, const struct level *level)
{
    return (struct dr_entry){
        .depth = (unsigned)walker->depth,
        .parent = &level->identity,
        .group_passes = level->group_passes,
        .others_pass = level->others_pass,
    };
}

/* Opens a folder within reach, or says in the entry why not. -1: not to be entered. */
static int open_if_wanted(struct walker *walker, const char *name, struct dr_entry *entry)
{
    const struct level *level = &walker->levels[walker->depth - 1];

    if (!S_ISDIR(entry->identity.mode) || entry->other_mount)
        return -1;
    if (walker->depth >= DR_WALK_DEEPEST) {
        entry->unreadable = "lies deeper than the doctor looks (1024 folders)";
        return -1;
    }
    int fd = dr_look_open(&walker->looker, level->fd, name, &entry->identity);

    if (fd == -EXDEV)
        entry->other_mount = true; /* mounted a moment ago */
    else if (fd < 0)
        entry->unreadable = dr_errno_text(fd);
    return fd < 0 ? -1 : fd;
}

/* Judges one name of the current folder and tells the visitor. Folders within reach are entered. */
static int enter(struct walker *walker, const char *name, bool descend)
{
    const struct level *level = &walker->levels[walker->depth - 1];
    struct dr_entry entry = entry_below(walker, level);
    size_t folder_length = level->path_length;
    struct dr_seen seen = { 0 };
    int fd = -1;
    int r = dr_look_at(level->fd, name, &seen);

    if (r == -ENOENT)
        return 0; /* vanished: nothing to tell */
    if (set_path(walker, level, name) < 0)
        return -ENOMEM;
    if (r < 0) {
        entry.unreadable = dr_errno_text(r);
    } else {
        entry.identity = seen.identity;
        entry.other_mount = other_mount(&seen, level);
        if (descend)
            fd = open_if_wanted(walker, name, &entry);
    }
    tell(walker, &entry, folder_length);
    return fd >= 0 ? push(walker, fd, seen.mount, &entry) : 0;
}

/* Plain entries of a chunk are judged at once; the names of folders wait until the chunk is through. */
static int take_chunk(struct walker *walker, size_t length)
{
    struct level *level = &walker->levels[walker->depth - 1];
    bool descend = walker->depth < walker->walk->deepest;
    size_t waiting = 0;
    int r;

    for (size_t at = 0; at < length;) {
        struct dirent64 *found = (struct dirent64 *)(void *)(walker->chunk + at);
        size_t name_length = strlen(found->d_name);

        at += found->d_reclen;
        level->position = found->d_off;
        if (found->d_name[0] == '.' && (name_length == 1 || (name_length == 2 && found->d_name[1] == '.')))
            continue;
        bool folder = found->d_type == DT_DIR;

        if (found->d_type == DT_UNKNOWN) {
            struct dr_seen seen;

            folder = dr_look_at(level->fd, found->d_name, &seen) == 0 && S_ISDIR(seen.identity.mode);
        }
        if (folder && (descend || walker->depth >= DR_WALK_DEEPEST)) {
            /* The names move to the front of the chunk, over entries that are done with. */
            memmove(walker->chunk + waiting, found->d_name, name_length + 1);
            waiting += name_length + 1;
            continue;
        }
        r = enter(walker, found->d_name, false);
        if (r < 0)
            return r;
    }
    if (waiting == 0)
        return 0;
    level->names = malloc(waiting);
    if (!level->names)
        return -ENOMEM;
    memcpy(level->names, walker->chunk, waiting);
    level->names_length = waiting;
    level->names_used = 0;
    walker->waiting += waiting;
    return 0;
}

static int next_chunk(struct walker *walker)
{
    struct level *level = &walker->levels[walker->depth - 1];
    size_t size = walker->waiting > MUCH_WAITING ? SMALL_CHUNK : CHUNK;

    walker->waiting -= level->names_length;
    free(level->names);
    level->names = NULL;
    level->names_length = level->names_used = 0;

    ssize_t got = getdents64(level->fd, walker->chunk, size);

    if (got < 0) {
        int error = -errno;

        level->at_end = true;
        if (error != -ENOENT) /* removed while we were in it */
            tell_broken(walker, level, error);
        return 0;
    }
    if (got == 0) {
        level->at_end = true;
        return 0;
    }
    return take_chunk(walker, (size_t)got);
}

static int run(struct walker *walker)
{
    while (walker->depth > 0) {
        struct level *level = &walker->levels[walker->depth - 1];
        int r = 0;

        if (level->names_used < level->names_length) {
            const char *name = level->names + level->names_used;

            level->names_used += strlen(name) + 1;
            r = enter(walker, name, true);
        } else if (level->at_end) {
            pop(walker);
        } else {
            r = next_chunk(walker);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static size_t folder_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? (size_t)(slash - path) : 0;
}

static int begin(struct walker *walker)
{
    const struct dr_walk *walk = walker->walk;
    struct dr_entry entry = { .group_passes = true, .others_pass = true };
    _cleanup_close_ int at = -1;
    struct dr_seen seen = { 0 };
    int fd = -1;
    int r = dr_open(walk->root_fd, walk->path, O_PATH, &at);

    if (r == -ENOENT || r == -ENOTDIR)
        return -ENOENT;
    if (dr_buffer_append_text(&walker->path, walk->path) < 0)
        return -ENOMEM;
    if (r == 0)
        r = dr_look_at(at, "", &seen);
    if (r < 0)
        entry.unreadable = dr_errno_text(r);
    entry.identity = seen.identity;
    if (S_ISLNK(seen.identity.mode)) {
        entry.unreadable = "is a symbolic link, which the doctor does not follow";
    } else if (S_ISDIR(seen.identity.mode) && walk->deepest > 0) {
        fd = dr_look_open(&walker->looker, at, ".", &seen.identity);
        if (fd < 0)
            entry.unreadable = dr_errno_text(fd);
    }
    tell(walker, &entry, folder_part(walker->path.data));
    return fd >= 0 ? push(walker, fd, seen.mount, &entry) : 0;
}

static int prepare(struct walker *walker, const struct dr_walk *walk)
{
    *walker = (struct walker){
        .walk = walk,
        .path = { .ceiling = LONGEST_PATH },
        .looker = { .uid = geteuid() },
        .chunk = malloc(CHUNK),
    };
    return walker->chunk ? 0 : -ENOMEM;
}

int dr_walk_run(const struct dr_walk *walk)
{
    _cleanup_(walker_release) struct walker walker = { 0 };
    int r = prepare(&walker, walk);

    if (r == 0)
        r = begin(&walker);
    return r < 0 ? r : run(&walker);
}

int dr_walk_single(const struct dr_walk *walk)
{
    _cleanup_(walker_release) struct walker walker = { 0 };
    struct dr_entry folder = { .group_passes = true, .others_pass = true };
    size_t length = folder_part(walk->path);
    struct dr_seen seen;
    int fd;
    int r = prepare(&walker, walk);

    if (r < 0)
        return r;
    if (dr_buffer_append(&walker.path, walk->path, length ? length : 1) < 0)
        return -ENOMEM;
    r = dr_open(walk->root_fd, walker.path.data, O_PATH, &fd);
    if (r < 0)
        return r == -ENOTDIR ? -ENOENT : r;
    r = dr_look_at(fd, "", &seen);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    folder.identity = seen.identity;
    r = push(&walker, fd, seen.mount, &folder);
    return r < 0 ? r : enter(&walker, walk->path + length + 1, false);
}
