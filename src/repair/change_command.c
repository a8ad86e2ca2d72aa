/*
 * DR_RUN_COMMAND. Forward: run when its turn comes, and the step fails when it does. On undo: run when the group is taken back, but only
 * if something that it answers to had begun. What has run cannot be unmade; a step says so by having nothing to revert.
 */
#include "repair/change.h"
#include "repair/command.h"

#include <string.h>

enum { MOST_LINE = 32 * 1024 };

static bool acts(const struct dr_command *command)
{
    const struct dr_command_row *row = dr_command_find(command->name);

    return (command->when & DR_COMMAND_FORWARD) != 0 && row && !row->only_looks;
}

static int copy_command(struct dr_arena *arena, const struct dr_command *from, struct dr_command *to)
{
    *to = (struct dr_command){ .name = dr_arena_strdup(arena, from->name),
                               .program = dr_arena_strdup(arena, from->program),
                               .when = from->when };
    if (!to->name || !to->program)
        return -ENOMEM;
    for (size_t i = 0; i < DR_COMMAND_WORDS && from->words[i]; i++) {
        to->words[i] = dr_arena_strdup(arena, from->words[i]);
        if (!to->words[i])
            return -ENOMEM;
    }
    return 0;
}

static int judge(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                 struct dr_prepared *prepared DR_UNUSED, struct dr_error *error)
{
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;
    int r = operation->command ? dr_command_check(operation->command, error) : -EINVAL;

    if (r == 0)
        r = copy_command(scene->arena, operation->command, &step->command);
    for (size_t i = 0; r == 0 && i < scene->rest_count; i++)
        step->paired |= scene->rest[i].kind == DR_RUN_COMMAND && scene->rest[i].command && acts(scene->rest[i].command);
    return r < 0 ? r : dr_command_judge(scene->target, &step->command, &launch, error);
}

static int run(const struct dr_scene *scene, const struct dr_command *command, struct dr_error *error)
{
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;
    int r = dr_command_judge(scene->target, command, &launch, error);

    return r < 0 ? r : dr_command_run(scene->target, command, &launch, error);
}

static int make(struct dr_scene *scene, const struct dr_operation *operation DR_UNUSED, struct dr_step *step,
                struct dr_prepared *prepared DR_UNUSED, struct dr_error *error)
{
    if ((step->command.when & DR_COMMAND_FORWARD) == 0)
        return 0;
    int r = run(scene, &step->command, error);
    const struct dr_command_row *row = dr_command_find(step->command.name);

    step->undone = r == -DR_COMMAND_FAILED && row && row->whole;
    return r;
}

/* Had anything begun that this command is the answer to? */
static bool is_needed(const struct dr_scene *scene, const struct dr_step *step)
{
    for (size_t i = 0; i < scene->all_count; i++) {
        const struct dr_step *later = &scene->all[i];

        if (later->group != step->group || later->number <= step->number || (step->held && !later->held))
            continue;
        if (later->kind == DR_RUN_COMMAND ? acts(&later->command) && !later->undone : !step->paired)
            return true;
    }
    return false;
}

/* A journal lies in a folder of the state's owner: on its word root runs nothing but as that owner. */
static bool may_obey(const struct dr_scene *scene, const struct dr_step *step)
{
    const struct dr_command_row *row = dr_command_find(step->command.name);

    return !scene->places->journal_of_user || geteuid() != 0 || (row && row->runs_as == DR_RUNS_AS_OWNER);
}

static int say_by_hand(const struct dr_step *step, int code, const char *reason, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(MOST_LINE);
    _cleanup_free_ char *why = strdup(reason);

    if (!why || dr_command_line(&step->command, &line) < 0)
        return -ENOMEM;
    return dr_error_set(error, code, "run `%s` by hand (%s)", dr_buffer_text(&line), why);
}

static int revert(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;
    _cleanup_error_ struct dr_error why = { 0 };

    if ((step->command.when & DR_COMMAND_ON_UNDO) == 0 || !is_needed(scene, step))
        return 1;
    if (!may_obey(scene, step))
        return say_by_hand(step, -EPERM, "the journal belongs to a user, and root runs nothing on its word", error);

    int r = only_look ? dr_command_judge(scene->target, &step->command, &launch, &why) : run(scene, &step->command, &why);

    if (r == -ENOMEM)
        return r;
    /* Who was to read the files anew is gone: whoever comes after it reads what is there now. */
    if (r == -ESRCH)
        return 1;
    /* Whatever the reason: the files are as they were, and this is left to do. */
    return r < 0 ? say_by_hand(step, dr_change_is_out_of_reach(r) ? r : -DR_COMMAND_FAILED, dr_error_text(&why), error) : 0;
}

const struct dr_kind dr_kind_run_command = { judge, make, revert };
