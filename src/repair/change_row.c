/*
 * DR_UPDATE_ROW. The row's old image goes into the backup. When nobody has the database open, its three files are kept whole as well:
 * then undo brings back their exact bytes, as long as nobody wrote to them since. Else the row alone is put back.
 */
#include "repair/change.h"
#include "repair/content.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int hash_image(const char *image, struct dr_seen *ret_seen)
{
    *ret_seen = (struct dr_seen){ .exists = image != NULL };
    return dr_sha256_hex(image, image ? strlen(image) : 0, ret_seen->sha256);
}

static int keep_files(struct dr_scene *scene, struct dr_step *step, const struct dr_place *place)
{
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);
    int r = scene->target->gateway_running ? 1 : dr_database_in_use(place);

    if (r != 0)
        return r < 0 ? r : 0;
    r = dr_trio_look(place, &step->trio_before);
    for (size_t i = 0; r == 0 && step->trio_before.known && i < DR_TRIO; i++) {
        _cleanup_free_ char *kept = dr_trio_backup(step, i);
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int fd = -1;

        if (!step->trio_before.file[i].exists)
            continue;
        if (!kept || asprintf(&name, "%s%s", place->name, dr_trio_suffix[i]) < 0)
            return -ENOMEM;
        r = dr_open_below(place->dir_fd, name, O_RDONLY | O_NONBLOCK, &fd);
        if (r == 0)
            r = dr_shelf_keep_fd(&shelf, kept, fd);
    }
    return r;
}

static int open_judged(struct dr_prepared *prepared, const struct dr_operation *operation, struct dr_error *error)
{
    int r = dr_database_open(&prepared->place, operation->row->schema_version, &prepared->database, error);

    if (r == 0)
        r = dr_row_expect(&prepared->database, operation->row, error);
    return r;
}

static int copy_row(struct dr_scene *scene, const struct dr_row_change *from, struct dr_row_change *to)
{
    *to = (struct dr_row_change){ .action = from->action, .schema_version = from->schema_version };
    to->table = dr_arena_strdup(scene->arena, from->table);
    to->column = from->column ? dr_arena_strdup(scene->arena, from->column) : NULL;
    for (size_t i = 0; i < DR_COUNT(from->key) && from->key[i].column; i++) {
        to->key[i].column = dr_arena_strdup(scene->arena, from->key[i].column);
        to->key[i].text = dr_arena_strdup(scene->arena, from->key[i].text);
        if (!to->key[i].column || !to->key[i].text)
            return -ENOMEM;
    }
    return to->table ? 0 : -ENOMEM;
}

static int judge_row(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                     struct dr_prepared *prepared, struct dr_error *error)
{
    _cleanup_free_ char *image = NULL;
    int r = dr_judge_identity(scene, operation, &prepared->place, error);

    if (r < 0)
        return r;
    if (!operation->row || !operation->row->table || !prepared->place.name || !S_ISREG(prepared->place.st.st_mode))
        return dr_error_set(error, -EINVAL, "it is not a database, or the change is not complete");
    step->backup = dr_arena_format(scene->arena, "backup/%04u", step->number);
    r = step->backup ? copy_row(scene, operation->row, &step->row) : -ENOMEM;
    if (r == 0)
        r = keep_files(scene, step, &prepared->place);
    if (r < 0)
        return dr_failed(error, r, "its backup cannot be written");
    r = open_judged(prepared, operation, error);
    if (r == 0)
        r = dr_row_image(&prepared->database, operation->row, &image, error);
    if (r == 0 && !image)
        r = dr_error_set(error, -ESTALE, "the row is gone");
    if (r == 0)
        r = dr_row_image_after(&prepared->database, operation->row, &prepared->row_after, error);
    if (r == 0)
        r = hash_image(image, &step->before);
    if (r == 0)
        r = hash_image(prepared->row_after, &step->after);
    if (r < 0)
        return dr_failed(error, r, "its row cannot be looked at");
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);

    r = dr_shelf_keep(&shelf, step->backup, image, strlen(image));
    return r < 0 ? dr_failed(error, r, "its backup cannot be written") : 0;
}

static int make_row(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation, struct dr_step *step,
                    struct dr_prepared *prepared, struct dr_error *error)
{
    _cleanup_free_ char *image = NULL;
    struct dr_seen now;
    int r = dr_row_put(&prepared->database, operation->row, prepared->row_after, error);

    if (r == 0)
        r = dr_row_image(&prepared->database, operation->row, &image, error);
    if (r == 0)
        r = hash_image(image, &now);
    if (r == 0 && strcmp(now.sha256, step->after.sha256) != 0)
        r = dr_error_set(error, -EINVAL, "the table did not take the value as it is");
    if (r == 0)
        r = dr_database_commit(&prepared->database, error);
    dr_database_close(&prepared->database);
    if (r < 0)
        return dr_failed(error, r, "its row cannot be changed");
    if (step->trio_before.known && dr_trio_look(&prepared->place, &step->trio_after) < 0)
        step->trio_after.known = false; /* undo then puts back the row alone */
    return 0;
}

/* --- back: the files ------------------------------------------------------------------------------------------------ */

static bool same_file(const struct dr_seen *a, const struct dr_seen *b)
{
    return a->exists == b->exists && strcmp(a->sha256, b->sha256) == 0;
}

enum files_are { FILES_BEFORE, FILES_OURS, FILES_OTHER };

/* Each of the three is as before or as the step left it: a mixture is an undo that was killed. */
static enum files_are compare(const struct dr_step *step, const struct dr_trio *now)
{
    enum files_are are = FILES_BEFORE;

    for (size_t i = 0; i < DR_TRIO; i++) {
        if (same_file(&now->file[i], &step->trio_before.file[i]))
            continue;
        if (!same_file(&now->file[i], &step->trio_after.file[i]))
            return FILES_OTHER;
        are = FILES_OURS;
    }
    return are;
}

static int restore_file(struct dr_scene *scene, const struct dr_step *step, size_t which, const struct dr_place *database)
{
    const struct dr_seen *before = &step->trio_before.file[which];
    const struct timespec mtime = { before->mtime_ns / 1000000000, before->mtime_ns % 1000000000 };
    _cleanup_buffer_ struct dr_buffer bytes = DR_BUFFER(DR_CONTENT_MOST);
    _cleanup_free_ char *kept = dr_trio_backup(step, which), *path = NULL, *temp = NULL;
    _cleanup_place_ struct dr_place place = DR_PLACE;
    int r;

    if (!kept || asprintf(&path, "%s%s", step->path, dr_trio_suffix[which]) < 0 ||
        asprintf(&temp, "%s-file%zu", step->temp, which) < 0)
        return -ENOMEM;
    r = dr_place_find(scene->places, path, &place, NULL);
    if (r == 0)
        r = dr_content_drop_temp(&place, temp);
    if (r < 0)
        return r;
    if (!before->exists)
        return unlinkat(place.dir_fd, place.name, 0) < 0 && errno != ENOENT ? -errno : dr_sync_folder(database->dir_fd);
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);

    r = dr_shelf_kept(&shelf, kept, before->sha256, &bytes);
    if (r < 0)
        return r;
    const struct dr_new_file file = {
        .temp = temp,
        .bytes = bytes.data,
        .length = bytes.length,
        .mode = before->mode,
        .uid = before->uid,
        .gid = before->gid,
        .like = -1,
        .mtime = &mtime,
    };

    return place.fd >= 0 ? dr_content_replace(&place, &file) : dr_content_create(&place, &file);
}

/*
 * 0 or 1 as revert; -EAGAIN: the files cannot be put back as they are, go by the row. At every moment in between SQLite reads either
 * the old or the new state: the database itself was not written (no checkpoint), -shm is built anew by the first
 * opener, and -wal changes in one rename.
 */
static int revert_files(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place, bool only_look)
{
    struct dr_trio now;
    int r;

    if (!step->trio_before.known || !step->trio_after.known || scene->target->gateway_running ||
        dr_database_in_use(place) != 0)
        return -EAGAIN;
    r = dr_trio_look(place, &now);
    if (r < 0 || !now.known)
        return -EAGAIN;
    switch (compare(step, &now)) {
    case FILES_BEFORE:
        return 1;
    case FILES_OTHER:
        return -EAGAIN;
    case FILES_OURS:
        break;
    }
    for (size_t i = 0; r == 0 && !only_look && i < DR_TRIO; i++)
        if (!same_file(&now.file[i], &step->trio_before.file[i]))
            r = restore_file(scene, step, i, place);
    return r;
}

/* --- back: the row -------------------------------------------------------------------------------------------------- */

static int keep_row(struct dr_scene *scene, const struct dr_step *step, const char *image)
{
    const struct dr_shelf safe = dr_scene_safe(scene, step);
    char name[40];

    (void)snprintf(name, sizeof(name), "backup/%04u-present", step->number);
    int r = image ? dr_shelf_keep(&safe, name, image, strlen(image)) : 0;

    return r == -EEXIST ? 0 : r; /* kept by an undo that was killed */
}

/* What must be written: 0, or 1 when the row is as before, or -ESTALE. */
static int compare_row(struct dr_scene *scene, const struct dr_step *step, const char *image, struct dr_error *error)
{
    struct dr_seen now;
    int r = hash_image(image, &now);

    if (r < 0)
        return r;
    if (same_file(&now, &step->before))
        return 1;
    if (same_file(&now, &step->after))
        return 0;
    if (!scene->force || !now.exists)
        return dr_error_set(error, -ESTALE, now.exists ? "the row changed since" : "the row is gone");
    return keep_row(scene, step, image);
}

static int revert_row_itself(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place,
                             bool only_look, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer old = DR_BUFFER(DR_CONTENT_MOST);
    _cleanup_database_ struct dr_database database = { 0 };
    _cleanup_free_ char *image = NULL;
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);
    int r = dr_shelf_kept(&shelf, step->backup, step->before.sha256, &old);

    if (r == 0)
        r = dr_database_open(place, step->row.schema_version, &database, error);
    if (r == 0)
        r = dr_row_image(&database, &step->row, &image, error);
    if (r == 0)
        r = compare_row(scene, step, image, error);
    if (r != 0 || only_look)
        return r;
    r = dr_row_put(&database, &step->row, dr_buffer_text(&old), error);
    return r == 0 ? dr_database_commit(&database, error) : r;
}

static int revert_row(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    int r = dr_place_find(scene->places, step->path, &place, error);

    if (r < 0)
        return r;
    if (place.fd < 0 || !S_ISREG(place.st.st_mode) || place.st.st_nlink != 1)
        return place.fd < 0 ? dr_gone(error) : dr_stale(error);
    r = revert_files(scene, step, &place, only_look);
    if (r == -EAGAIN)
        r = revert_row_itself(scene, step, &place, only_look, error);
    return r < 0 ? dr_failed(error, r, "its row cannot be put back") : r;
}

const struct dr_kind dr_kind_update_row = { judge_row, make_row, revert_row };
