/*
 * DR_MOVE_ASIDE: one rename into the run's quarantine folder. When the journal is on another file system the thing gets
 * another name in its own folder instead (".<name>.openclaw-doctor-<run>"): still one rename, still nothing copied or lost.
 */
#include "repair/change.h"
#include "repair/content.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The folder and name that a step's `aside` means. */
struct aside {
    int dir_fd;
    const char *name; /* borrowed from the step, or from the place */
    struct dr_place place; /* when it is absolute */
};

static void release(struct aside *aside)
{
    if (!aside->place.name && aside->place.dir_fd < 0)
        dr_cleanup_close(&aside->dir_fd);
    dr_place_release(&aside->place);
}

static int find_aside(struct dr_scene *scene, const struct dr_step *step, bool make, struct aside *ret,
                      struct dr_error *error)
{
    struct aside aside = { .dir_fd = -1, .place = DR_PLACE };
    const char *slash = strrchr(step->aside, '/');
    int r;

    if (step->aside[0] == '/') {
        r = dr_place_find(scene->places, step->aside, &aside.place, error);
        aside.dir_fd = aside.place.dir_fd;
        aside.name = aside.place.name;
        if (r == 0 && !aside.name)
            r = -EINVAL;
    } else if (!slash || strstr(step->aside, "..")) {
        r = -EINVAL;
    } else {
        _cleanup_free_ char *folder = strndup(step->aside, (size_t)(slash - step->aside));

        const struct dr_shelf shelf = dr_scene_shelf(scene, step);

        aside.name = slash + 1;
        r = !folder        ? -ENOMEM
            : make         ? dr_shelf_folder(&shelf, folder, &aside.dir_fd)
            : shelf.fd < 0 ? -ENOENT
                           : dr_open_below(shelf.fd, folder, O_RDONLY | O_DIRECTORY, &aside.dir_fd);
    }
    if (r < 0) {
        release(&aside);
        return r;
    }
    *ret = aside;
    return 0;
}

static char *beside(const struct dr_scene *scene, const char *path)
{
    const char *slash = strrchr(path, '/');

    return dr_arena_format(scene->arena, "%.*s/.%s.openclaw-doctor-%s", (int)(slash - path), path, slash + 1, scene->run_id);
}

static int judge_contents(const struct dr_operation *operation, const struct dr_place *place, struct dr_step *step,
                          struct dr_error *error)
{
    _cleanup_close_ int fd = -1;
    int r;

    if (!operation->sha256 || !S_ISREG(place->st.st_mode))
        return 0;
    r = dr_reopen(place, O_RDONLY, &fd);
    if (r == 0)
        r = dr_sha256_fd(fd, step->before.sha256);
    if (r < 0)
        return dr_failed(error, r, "it cannot be read");
    return strcmp(step->before.sha256, operation->sha256) == 0 ? 0 : dr_stale(error);
}

static int judge_aside(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                       struct dr_prepared *prepared, struct dr_error *error)
{
    const struct dr_place *place = &prepared->place;
    struct stat run;
    int r = dr_judge_identity(scene, operation, place, error);

    if (r < 0)
        return r;
    if (!place->name)
        return dr_error_set(error, -EPERM, "it is the folder of the state itself");
    dr_seen_from_stat(&place->st, &step->before);
    r = judge_contents(operation, place, step, error);
    if (r < 0)
        return r;
    if (fstat(dr_scene_shelf(scene, step).fd, &run) < 0)
        return -errno;
    step->aside = run.st_dev == place->st.st_dev
                      ? dr_arena_format(scene->arena, "quarantine/%04u/%s", step->number, place->name)
                      : beside(scene, step->path);
    return step->aside ? 0 : -ENOMEM;
}

static int move(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place, struct dr_error *error)
{
    _cleanup_(release) struct aside aside = { .dir_fd = -1, .place = DR_PLACE };
    int r = find_aside(scene, step, true, &aside, error);

    if (r == 0)
        r = dr_place_still(place);
    if (r == 0)
        r = dr_rename_new(place->dir_fd, place->name, aside.dir_fd, aside.name);
    if (r == 0)
        r = dr_sync_folder(aside.dir_fd);
    return r == 0 ? dr_place_sync_folder(place) : r;
}

static int make_aside(struct dr_scene *scene, const struct dr_operation *operation DR_UNUSED, struct dr_step *step,
                      struct dr_prepared *prepared, struct dr_error *error)
{
    int r = move(scene, step, &prepared->place, error);

    if (r == -EXDEV && step->aside[0] != '/') {
        /* One device, two mounts, or an overlay: into its own folder after all. The journal learns it first. */
        step->aside = beside(scene, step->path);
        r = step->aside ? dr_journal_add(scene->journal, dr_step_to_json(step)) : -ENOMEM;
        if (r == 0)
            r = move(scene, step, &prepared->place, error);
    }
    return r < 0 ? dr_failed(error, r, "it cannot be moved aside") : 0;
}

/* What came into its place meanwhile is kept, when the user insists. */
static int clear_the_way(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place)
{
    const struct dr_shelf safe = dr_scene_safe(scene, step);
    _cleanup_close_ int folder = -1;
    _cleanup_free_ char *name = NULL;
    int r = dr_shelf_folder(&safe, "in-the-way", &folder);

    if (r < 0)
        return r;
    if (asprintf(&name, "%04u-%s", step->number, place->name) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    return dr_rename_new(place->dir_fd, place->name, folder, name);
}

static bool is_ours(const struct dr_step *step, const struct stat *st)
{
    return st->st_ino == step->before.inode && (st->st_mode & S_IFMT) == (step->before.mode & S_IFMT);
}

static int revert_aside(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    _cleanup_(release) struct aside aside = { .dir_fd = -1, .place = DR_PLACE };
    struct stat kept;
    int r = dr_place_find(scene->places, step->path, &place, error);

    if (r < 0)
        return dr_failed(error, r, "its folder cannot be looked at");
    r = find_aside(scene, step, false, &aside, error);
    if (r == 0 && fstatat(aside.dir_fd, aside.name, &kept, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r == -ENOENT)
        return place.fd >= 0 && is_ours(step, &place.st)
                   ? 1
                   : dr_error_set(error, -ESTALE, "what was moved aside is no longer in the journal");
    if (r < 0)
        return dr_failed(error, r, "what was moved aside cannot be looked at");
    if ((scene->power == DR_ROOT_AMONG_ROOTS || scene->power == DR_ROOT_AMONG_USERS) && !is_ours(step, &kept))
        return dr_error_set(error, -ESTALE, "what lies there is not what was moved aside");
    if (place.fd >= 0 && !scene->force)
        return dr_error_set(error, -ESTALE, "something new is in its place");
    if (only_look)
        return 0;
    if (place.fd >= 0)
        r = clear_the_way(scene, step, &place);
    if (r == 0)
        r = dr_rename_new(aside.dir_fd, aside.name, place.dir_fd, place.name);
    if (r == 0)
        r = dr_place_sync_folder(&place);
    return r < 0 ? dr_failed(error, r, "it cannot be moved back") : 0;
}

const struct dr_kind dr_kind_move_aside = { judge_aside, make_aside, revert_aside };
