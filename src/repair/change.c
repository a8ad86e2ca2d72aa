#include "repair/change.h"

#include "repair/command.h"
#include "repair/content.h"
#include "repair/custody.h"
#include "repair/owner_rights.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct dr_kind *const kinds[] = {
    [DR_SET_MODE] = &dr_kind_set_mode,     [DR_SET_OWNER] = &dr_kind_set_owner,
    [DR_EDIT_FILE] = &dr_kind_edit_file,   [DR_WRITE_FILE] = &dr_kind_write_file,
    [DR_MOVE_ASIDE] = &dr_kind_move_aside, [DR_MAKE_DIRECTORY] = &dr_kind_make_directory,
    [DR_UPDATE_ROW] = &dr_kind_update_row, [DR_RUN_COMMAND] = &dr_kind_run_command,
};

void dr_prepared_init(struct dr_prepared *prepared)
{
    *prepared = (struct dr_prepared){
        .place = DR_PLACE,
        .original = -1,
        .content = DR_BUFFER(DR_CONTENT_MOST),
    };
}

void dr_prepared_release(struct dr_prepared *prepared)
{
    dr_database_close(&prepared->database);
    dr_cleanup_close(&prepared->original);
    dr_place_release(&prepared->place);
    dr_buffer_release(&prepared->content);
    free(prepared->row_after);
    dr_prepared_init(prepared);
}

int dr_stale(struct dr_error *error)
{
    return dr_error_set(error, -ESTALE, "it changed since it was looked at");
}

int dr_gone(struct dr_error *error)
{
    return dr_error_set(error, -ESTALE, "it is gone");
}

int dr_failed(struct dr_error *error, int code, const char *doing)
{
    if (error && error->code == code && error->text)
        return code;
    if (code == -ESTALE)
        return dr_stale(error);
    return dr_error_set(error, code, "%s: %s", doing, dr_errno_text(code));
}

/* Did an earlier step of this run replace the judged file by the one that is there now? */
static bool replaced_by_us(const struct dr_scene *scene, const char *path, const struct dr_file_identity *judged,
                           const struct stat *now)
{
    uint64_t device = judged->device, inode = judged->inode;

    for (size_t i = 0; i < scene->earlier_count; i++) {
        const struct dr_step *step = &scene->earlier[i];

        if (step->state != DR_STEP_REVERTED && step->after.exists && step->before.device == device &&
            step->before.inode == inode && strcmp(step->path, path) == 0) {
            device = step->after.device;
            inode = step->after.inode;
        }
    }
    return now->st_dev == device && now->st_ino == inode;
}

int dr_judge_identity(const struct dr_scene *scene, const struct dr_operation *operation, const struct dr_place *place,
                      struct dr_error *error)
{
    const struct dr_file_identity *judged = &operation->judged;
    const struct stat *now = &place->st;

    if (place->fd < 0)
        return dr_gone(error);
    if (S_ISBLK(now->st_mode) || S_ISCHR(now->st_mode))
        return dr_error_set(error, -EPERM, "it is a device: devices are never changed");
    if ((now->st_mode & S_IFMT) != (judged->mode & S_IFMT))
        return dr_stale(error);
    if (!S_ISDIR(now->st_mode) && now->st_nlink != 1)
        return dr_error_set(error, -EPERM, "it has another name elsewhere (a hard link): both would change");
    if (now->st_dev == judged->device && now->st_ino == judged->inode)
        return 0;
    return replaced_by_us(scene, operation->path, judged, now) ? 0 : dr_stale(error);
}

int dr_keep_present(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place)
{
    const struct dr_shelf safe = dr_scene_safe(scene, step);
    char name[40];
    _cleanup_close_ int fd = -1;
    int r = dr_reopen(place, O_RDONLY, &fd);

    if (r < 0)
        return r;
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "backup/%04u-present-%u", step->number, i);
        r = dr_shelf_keep_fd(&safe, name, fd);
        if (r != -EEXIST)
            return r;
    }
    return r;
}

static int fill_in(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step)
{
    step->kind = operation->kind;
    step->operation = operation->id;
    step->path = dr_arena_strdup(scene->arena, operation->path);
    step->summary = operation->summary ? dr_arena_strdup(scene->arena, operation->summary) : NULL;
    step->temp = dr_arena_format(scene->arena, ".openclaw-doctor-%s-%04u", scene->run_id, step->number);
    return step->path && step->temp ? 0 : -ENOMEM;
}

/* What is root's, in a user's run, is kept where the user cannot look; root's record of it comes first. */
static int choose_shelf(struct dr_scene *scene, struct dr_step *step, struct dr_error *error)
{
    if (!scene->home->custody_dir || !dr_custody_needed(scene->places, step))
        return 0;
    if (step->kind == DR_UPDATE_ROW)
        return dr_error_set(error, -EPERM, "it is a database outside of its owner's folders");
    step->vault = true;
    return dr_custody_begin(scene->home, scene->run_id, scene->journal, error);
}

/* A plan in somebody else's hands may say anything: root does on its word what the state's owner could have asked for, and no more. */
static int judge_plan(const struct dr_scene *scene, const struct dr_operation *operation, struct dr_error *error)
{
    const struct dr_repair_target *target = scene->target;
    const struct dr_command_row *row = operation->command ? dr_command_find(operation->command->name) : NULL;
    bool gives = operation->kind == DR_SET_OWNER || operation->kind == DR_WRITE_FILE || operation->kind == DR_MAKE_DIRECTORY;
    bool owners = operation->kind == DR_RUN_COMMAND ? row && row->runs_as == DR_RUNS_AS_OWNER
                                                    : dr_places_is_owners(scene->places, operation->path);

    if (!target->plan_of_user || (target->uid != 0 && owners && (!gives || operation->uid == target->uid)))
        return 0;
    return dr_error_set(
        error, -EPERM,
        "somebody who is not root may have written the plan file; as root, make a plan of your own or run --fix");
}

int dr_change_judge(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                    struct dr_prepared *prepared, struct dr_error *error)
{
    int r = fill_in(scene, operation, step);

    if (r < 0)
        return r;
    if ((size_t)operation->kind >= DR_COUNT(kinds))
        return dr_error_set(error, -EINVAL, "this doctor does not know such an operation");
    r = judge_plan(scene, operation, error);
    if (r < 0)
        return r;
    if (operation->while_running == DR_WAIT_FOR_STOP && scene->target->gateway_running)
        return dr_error_set(error, -EBUSY,
                            "a gateway is running on this state; stop it (openclaw gateway stop), then repair again");
    if (operation->kind != DR_RUN_COMMAND) /* a program is run, not changed */
        r = dr_place_find(scene->places, operation->path, &prepared->place, error);
    if (r == 0 && operation->kind != DR_RUN_COMMAND)
        r = choose_shelf(scene, step, error);
    if (r < 0)
        return r;
    return kinds[operation->kind]->judge(scene, operation, step, prepared, error);
}

int dr_change_make(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                   struct dr_prepared *prepared, struct dr_error *error)
{
    return kinds[operation->kind]->make(scene, operation, step, prepared, error);
}

/* --- back: by whose right ------------------------------------------------------------------------------------------- */

static bool is_for_another(const struct dr_scene *scene)
{
    return scene->places->journal_of_user && geteuid() == 0;
}

static enum dr_power power_of(const struct dr_scene *scene, const struct dr_step *step)
{
    if (!is_for_another(scene))
        return DR_OWN_POWER;
    if (!step->held || !dr_custody_covers(step))
        return DR_AS_OWNER;
    return scene->target->root_fd == AT_FDCWD && dr_folders_are_roots(step->path) ? DR_ROOT_AMONG_ROOTS
                                                                                  : DR_ROOT_AMONG_USERS;
}

/* What its owner could never have done: not on his word. Commands are judged by themselves. */
static int judge_word(const struct dr_scene *scene, const struct dr_step *step, struct dr_error *error)
{
    if (!step->vault && step->kind != DR_SET_OWNER && dr_places_is_owners(scene->places, step->path))
        return 0;
    return dr_error_set(error, -EPERM, "%s: it is not taken back on the word of a journal that its owner may have written",
                        scene->not_held ? scene->not_held
                        : step->held    ? "root takes back no such change"
                                        : "root's record of this run ends before this change");
}

static int revert_as_owner(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_owner_rights_ struct dr_owner_rights rights = { 0 };
    int r = judge_word(scene, step, error);

    if (r == 0)
        r = dr_owner_rights_take(scene->target->uid, scene->target->gid, &rights);
    if (r < 0)
        return dr_failed(error, r, "root cannot act as the owner");
    r = kinds[step->kind]->revert(scene, step, only_look, error);
    return r == -EACCES ? dr_error_set(error, -EPERM, "its owner may not do that, and root has no word of its own about it")
                        : r;
}

/* A held line is root's own word, and is obeyed as such. */
static int revert(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    bool of_user = scene->places->journal_of_user;

    scene->power = power_of(scene, step);
    if (scene->power == DR_AS_OWNER && step->kind != DR_RUN_COMMAND)
        return revert_as_owner(scene, step, only_look, error);
    scene->places->journal_of_user = of_user && scene->power == DR_AS_OWNER;
    int r = kinds[step->kind]->revert(scene, step, only_look, error);

    scene->places->journal_of_user = of_user;
    return r;
}

int dr_judge_reach(const struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place,
                   struct dr_error *error)
{
    const struct stat *now = &place->st;

    if (scene->power != DR_ROOT_AMONG_USERS || place->fd < 0 || now->st_uid == scene->target->uid ||
        (now->st_dev == step->before.device && now->st_ino == step->before.inode))
        return 0;
    return dr_error_set(error, -EPERM, "something else that is not its owner's stands in its place");
}

struct dr_shelf dr_scene_shelf(const struct dr_scene *scene, const struct dr_step *step)
{
    return dr_journal_shelf(scene->journal, step->vault);
}

struct dr_shelf dr_scene_safe(const struct dr_scene *scene, const struct dr_step *step)
{
    return dr_journal_shelf(scene->safe, step->vault || scene->power == DR_ROOT_AMONG_ROOTS);
}

int dr_change_revert(struct dr_scene *scene, const struct dr_step *step, struct dr_error *error)
{
    return revert(scene, step, false, error);
}

int dr_change_would_revert(struct dr_scene *scene, const struct dr_step *step, struct dr_error *error)
{
    return revert(scene, step, true, error);
}

bool dr_change_is_out_of_reach(int code)
{
    return code == -ESTALE || code == -EPERM || code == -ELOOP || code == -EXDEV || code == -ENOENT || code == -ENOTDIR ||
           code == -DR_COMMAND_FAILED;
}
