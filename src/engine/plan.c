#include "engine/plan.h"

#include "base/text.h"
#include "wire/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dr_plan_init(struct dr_plan *plan, struct dr_context *context, const struct dr_finding *finding, size_t taken_before)
{
    *plan = (struct dr_plan){ .context = context, .finding = finding, .taken_before = taken_before };
    plan->last = &plan->first;
}

size_t dr_plan_room(const struct dr_plan *plan)
{
    size_t taken = plan->taken_before + plan->count;

    return taken >= DR_MOST_OPERATIONS ? 0 : DR_MOST_OPERATIONS - taken;
}

void dr_plan_refuse(struct dr_plan *plan, const char *format, ...)
{
    const char *text;
    va_list arguments;

    va_start(arguments, format);
    text = dr_vformat(plan->context, format, arguments);
    va_end(arguments);
    plan->refused = text;
    plan->first = NULL;
    plan->last = &plan->first;
    plan->count = 0;
}

static struct dr_operation *add(struct dr_plan *plan, enum dr_operation_kind kind, const char *path,
                                const struct dr_file_identity *judged)
{
    struct dr_planned *planned = dr_alloc(plan->context, sizeof(*planned));

    planned->operation.kind = kind;
    planned->operation.path = dr_strdup(plan->context, path);
    if (judged)
        planned->operation.judged = *judged;
    if (plan->refused || dr_plan_room(plan) == 0)
        return &planned->operation; /* a scratch operation: the fixer need not look */
    *plan->last = planned;
    plan->last = &planned->next;
    plan->count++;
    return &planned->operation;
}

struct dr_operation *dr_plan_set_mode(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                      uint32_t mode)
{
    struct dr_operation *operation = add(plan, DR_SET_MODE, path, judged);

    operation->mode = mode & 07777;
    return operation;
}

struct dr_operation *dr_plan_set_owner(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       uint32_t uid, uint32_t gid)
{
    struct dr_operation *operation = add(plan, DR_SET_OWNER, path, judged);

    operation->uid = uid;
    operation->gid = gid;
    return operation;
}

struct dr_operation *dr_plan_edit_file(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       const char *sha256, const struct dr_edit *edits, size_t edit_count)
{
    struct dr_operation *operation = add(plan, DR_EDIT_FILE, path, judged);

    operation->sha256 = dr_strdup(plan->context, sha256);
    operation->edits = dr_alloc(plan->context, edit_count * sizeof(*edits));
    operation->edit_count = edit_count;
    for (size_t i = 0; i < edit_count; i++) {
        struct dr_edit *copy = &operation->edits[i];

        *copy = edits[i];
        if (copy->text)
            copy->text = dr_strndup(plan->context, copy->text, copy->text_length);
        copy->from.path = dr_strdup(plan->context, copy->from.path);
        copy->from.sha256 = dr_strdup(plan->context, copy->from.sha256);
    }
    return operation;
}

struct dr_operation *dr_plan_keep_file(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       const char *sha256)
{
    struct dr_operation *operation = dr_plan_edit_file(plan, path, judged, sha256, NULL, 0);

    operation->keep = true;
    operation->summary = dr_format(plan->context, "keep %s as it is, to be put back", path);
    return operation;
}

struct dr_operation *dr_plan_write_file(struct dr_plan *plan, const char *path, const char *content, size_t length,
                                        uint32_t mode, uint32_t uid, uint32_t gid)
{
    struct dr_operation *operation = add(plan, DR_WRITE_FILE, path, NULL);

    operation->content = dr_strndup(plan->context, content, length);
    operation->content_length = length;
    operation->mode = mode & 07777;
    operation->uid = uid;
    operation->gid = gid;
    return operation;
}

struct dr_operation *dr_plan_move_aside(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                        const char *sha256)
{
    struct dr_operation *operation = add(plan, DR_MOVE_ASIDE, path, judged);

    operation->sha256 = dr_strdup(plan->context, sha256);
    return operation;
}

struct dr_operation *dr_plan_make_directory(struct dr_plan *plan, const char *path, uint32_t mode, uint32_t uid,
                                            uint32_t gid)
{
    struct dr_operation *operation = add(plan, DR_MAKE_DIRECTORY, path, NULL);

    operation->mode = mode & 07777;
    operation->uid = uid;
    operation->gid = gid;
    return operation;
}

static void copy_cells(struct dr_context *context, struct dr_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cells[i].column = dr_strdup(context, cells[i].column);
        cells[i].text = dr_strdup(context, cells[i].text);
    }
}

struct dr_operation *dr_plan_update_row(struct dr_plan *plan, const char *database, const struct dr_file_identity *judged,
                                        const struct dr_row_change *change)
{
    struct dr_operation *operation = add(plan, DR_UPDATE_ROW, database, judged);
    struct dr_row_change *row = dr_alloc(plan->context, sizeof(*row));

    *row = *change;
    row->table = dr_strdup(plan->context, row->table);
    copy_cells(plan->context, row->key, DR_COUNT(row->key));
    row->column = dr_strdup(plan->context, row->column);
    row->json_path = dr_strdup(plan->context, row->json_path);
    row->text = dr_strdup(plan->context, row->text);
    row->from_table = dr_strdup(plan->context, row->from_table);
    copy_cells(plan->context, row->from_key, DR_COUNT(row->from_key));
    row->from_column = dr_strdup(plan->context, row->from_column);
    row->expect_sha256 = dr_strdup(plan->context, row->expect_sha256);
    operation->row = row;
    return operation;
}

static const char *command_title(struct dr_context *context, const struct dr_command *command)
{
    const struct dr_command_row *row = dr_command_find(command->name);
    bool names_unit = row->words[0] == DR_WORD_UNIT;

    return dr_format(context, "%s%s%s%s", command->when == DR_COMMAND_ON_UNDO ? "when this is taken back: " : "", row->title,
                     names_unit ? " " : "", names_unit ? command->words[0] : "");
}

struct dr_operation *dr_plan_run_command(struct dr_plan *plan, const struct dr_command *command)
{
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_command *copy = dr_alloc(plan->context, sizeof(*copy));

    if (dr_command_check(command, &error) < 0)
        dr_plan_refuse(plan, "%s; do it by hand", dr_error_text(&error));

    struct dr_operation *operation = add(plan, DR_RUN_COMMAND, command->program ? command->program : "/", NULL);

    if (plan->refused)
        return operation; /* a scratch operation */
    *copy = *command;
    copy->name = dr_strdup(plan->context, copy->name);
    copy->program = operation->path;
    for (size_t i = 0; i < DR_COUNT(copy->words); i++)
        copy->words[i] = copy->words[i] ? dr_strdup(plan->context, copy->words[i]) : NULL;
    operation->command = copy;
    operation->summary = command_title(plan->context, copy);
    return operation;
}
