/* DR_WRITE_FILE and DR_MAKE_DIRECTORY: appear all at once under their name, and never replace anything. */
#include "repair/attributes.h"
#include "repair/change.h"
#include "repair/content.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int in_the_way(struct dr_error *error)
{
    return dr_error_set(error, -ESTALE, "something of that name is there by now");
}

static int judge_new(const struct dr_operation *operation, struct dr_step *step, const struct dr_place *place, uint32_t type,
                     struct dr_error *error)
{
    if (place->fd >= 0)
        return in_the_way(error);
    step->before = (struct dr_seen){ 0 };
    step->after = (struct dr_seen){
        .exists = true,
        .mode = type | dr_settable_mode(type, operation->mode),
        .uid = operation->uid,
        .gid = operation->gid,
    };
    return 0;
}

static int made(const struct dr_place *place, struct dr_step *step, int r, struct dr_error *error)
{
    struct stat st;

    if (r == 0 && fstatat(place->dir_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r == -EEXIST)
        return in_the_way(error);
    if (r < 0)
        return dr_failed(error, r, "it cannot be made");
    step->after.device = st.st_dev;
    step->after.inode = st.st_ino;
    return 0;
}

static int judge_write(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation, struct dr_step *step,
                       struct dr_prepared *prepared, struct dr_error *error)
{
    int r = judge_new(operation, step, &prepared->place, S_IFREG, error);

    return r < 0 ? r : dr_sha256_hex(operation->content, operation->content_length, step->after.sha256);
}

static int make_write(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation, struct dr_step *step,
                      struct dr_prepared *prepared, struct dr_error *error)
{
    const struct dr_new_file file = {
        .temp = step->temp,
        .bytes = operation->content,
        .length = operation->content_length,
        .mode = step->after.mode,
        .uid = step->after.uid,
        .gid = step->after.gid,
        .like = -1,
    };

    return made(&prepared->place, step, dr_content_create(&prepared->place, &file), error);
}

/* Not deleted but moved into the run's folder; across file systems a copy is kept there first. */
static int take_away(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place)
{
    const struct dr_shelf safe = dr_scene_safe(scene, step);
    _cleanup_close_ int folder = -1;
    char name[32];
    int r = dr_place_still(place);

    if (r == 0)
        r = dr_shelf_folder(&safe, "taken-back", &folder);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "%04u", step->number);
    r = dr_rename_new(place->dir_fd, place->name, folder, name);
    if (r == -EXDEV || r == -EEXIST) {
        r = dr_keep_present(scene, step, place);
        if (r == 0)
            r = dr_place_still(place);
        if (r == 0 && unlinkat(place->dir_fd, place->name, 0) < 0)
            r = -errno;
    }
    return r < 0 ? r : dr_place_sync_folder(place);
}

/* 1: nothing is there (any more). */
static int find_made(struct dr_scene *scene, const struct dr_step *step, struct dr_place *place, bool only_look,
                     struct dr_error *error)
{
    int r = step->temp ? dr_place_find(scene->places, step->path, place, error) : -EINVAL;

    if (r == -ENOENT)
        return 1; /* not even its folder */
    if (r == 0 && !only_look)
        r = dr_content_drop_temp(place, step->temp);
    if (r < 0)
        return dr_failed(error, r, "it cannot be looked at");
    if (place->fd < 0)
        return 1;
    if (!place->name || (place->st.st_mode & S_IFMT) != (step->after.mode & S_IFMT))
        return dr_stale(error);
    /* On root's word: what another user, or another program, made under that name is not what we made. */
    if ((scene->power == DR_ROOT_AMONG_ROOTS || scene->power == DR_ROOT_AMONG_USERS) && !scene->force &&
        (place->st.st_uid != step->after.uid || place->st.st_gid != step->after.gid))
        return dr_stale(error);
    return 0;
}

static int revert_write(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    _cleanup_close_ int fd = -1;
    char hash[DR_SHA256_HEX];
    int r = find_made(scene, step, &place, only_look, error);

    if (r != 0)
        return r;
    if (place.st.st_nlink != 1)
        return dr_error_set(error, -EPERM, "it has another name elsewhere (a hard link)");
    r = dr_reopen(&place, O_RDONLY, &fd);
    if (r == 0)
        r = dr_sha256_fd(fd, hash);
    if (r < 0)
        return dr_failed(error, r, "it cannot be read");
    if (strcmp(hash, step->after.sha256) != 0 && !scene->force)
        return dr_stale(error);
    if (only_look)
        return 0;
    r = take_away(scene, step, &place);
    return r < 0 ? dr_failed(error, r, "it cannot be taken away again") : 0;
}

static int judge_directory(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation, struct dr_step *step,
                           struct dr_prepared *prepared, struct dr_error *error)
{
    return judge_new(operation, step, &prepared->place, S_IFDIR, error);
}

static int make_directory_as(const struct dr_place *place, const struct dr_step *step)
{
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (mkdirat(place->dir_fd, step->temp, 0700) < 0)
        return -errno;
    int r = dr_open_below(place->dir_fd, step->temp, O_RDONLY | O_DIRECTORY, &fd);

    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r == 0)
        r = dr_fd_set_perms(fd, &st, step->after.mode & 07777, step->after.uid, step->after.gid);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0)
        r = dr_rename_new(place->dir_fd, step->temp, place->dir_fd, place->name);
    if (r < 0)
        (void)unlinkat(place->dir_fd, step->temp, AT_REMOVEDIR);
    return r < 0 ? r : dr_place_sync_folder(place);
}

static int make_directory(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation DR_UNUSED,
                          struct dr_step *step, struct dr_prepared *prepared, struct dr_error *error)
{
    return made(&prepared->place, step, make_directory_as(&prepared->place, step), error);
}

static bool is_empty(const struct dr_place *place)
{
    int fd = -1;

    if (dr_open_below(place->dir_fd, place->name, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return false;
    DIR *dir = fdopendir(fd);
    size_t entries = 0;

    if (!dir) {
        (void)close(fd);
        return false;
    }
    while (entries <= 2 && readdir(dir))
        entries++;
    (void)closedir(dir);
    return entries <= 2;
}

static int revert_directory(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    int r = find_made(scene, step, &place, only_look, error);

    if (r != 0)
        return r;
    /* Whether it is empty can only be said when its turn comes: files of the same run leave it first. */
    if (only_look)
        return 0;
    if (!is_empty(&place))
        return dr_error_set(error, -ESTALE, "there is something in it by now");
    if (unlinkat(place.dir_fd, place.name, AT_REMOVEDIR) < 0)
        return errno == ENOTEMPTY ? dr_error_set(error, -ESTALE, "there is something in it by now")
                                  : dr_failed(error, -errno, "it cannot be removed");
    r = dr_place_sync_folder(&place);
    return r < 0 ? dr_failed(error, r, "it cannot be removed") : 0;
}

const struct dr_kind dr_kind_write_file = { judge_write, make_write, revert_write };
const struct dr_kind dr_kind_make_directory = { judge_directory, make_directory, revert_directory };
