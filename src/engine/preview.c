/*
 * What people are shown before they say yes: unified diffs of edits, with every secret as its fingerprint. Also the last gate before
 * a plan leaves the worker.
 */
#include "api/target.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/plan.h"
#include "wire/commands.h"

#include <string.h>

enum { MOST_PREVIEW = 256 * 1024, MOST_FILE = 32 * 1024 * 1024 };

static bool holds_secret(struct dr_context *context, const char *text, size_t length)
{
    _cleanup_buffer_ struct dr_buffer redacted = DR_BUFFER(MOST_FILE);

    return text && length > 0 &&
           (dr_secret_redact(context, text, length, &redacted) < 0 || redacted.length != length ||
            memcmp(redacted.data, text, length) != 0);
}

static bool operation_holds_secret(struct dr_context *context, const struct dr_operation *operation)
{
    for (size_t i = 0; i < operation->edit_count; i++)
        if (holds_secret(context, operation->edits[i].text, operation->edits[i].text_length))
            return true;
    if (operation->row && operation->row->text && holds_secret(context, operation->row->text, strlen(operation->row->text)))
        return true;
    for (size_t i = 0; operation->command && i < DR_COUNT(operation->command->words); i++)
        if (operation->command->words[i] &&
            holds_secret(context, operation->command->words[i], strlen(operation->command->words[i])))
            return true;
    return holds_secret(context, operation->content, operation->content_length);
}

static bool can_travel(const struct dr_operation *operation)
{
    return dr_text_is_utf8(operation->path, strlen(operation->path));
}

/* The text that will stand there, as far as it may be shown. */
static const char *shown_text(struct dr_context *context, const struct dr_edit *edit)
{
    _cleanup_buffer_ struct dr_buffer source = DR_BUFFER(MOST_FILE);
    char fingerprint[DR_FINGERPRINT];

    if (edit->from.kind == DR_LITERAL)
        return edit->text ? edit->text : "";
    if (edit->from.kind == DR_NEW_TOKEN)
        return "<new token>";
    if (dr_read_file(context->request->root_fd, edit->from.path, &source, NULL) < 0 || edit->from.offset > source.length ||
        edit->from.length > source.length - edit->from.offset)
        return "<the other value>";
    dr_fingerprint(source.data + edit->from.offset, edit->from.length, fingerprint);
    return dr_format(context, "<%s>", fingerprint);
}

static const char *redacted(struct dr_context *context, const struct dr_buffer *text)
{
    _cleanup_buffer_ struct dr_buffer clean = DR_BUFFER(2 * MOST_PREVIEW);

    if (dr_secret_redact(context, dr_buffer_text(text), text->length, &clean) < 0)
        return "(too long to show)";
    return dr_strdup(context, dr_buffer_text(&clean));
}

static const char *shown_name(struct dr_context *context, const char *path)
{
    _cleanup_free_ char *tilde = dr_path_tilde(path, dr_target(context)->home);

    return dr_strdup(context, tilde ? tilde : path);
}

static const char *preview_edits(struct dr_context *context, const struct dr_operation *operation)
{
    _cleanup_buffer_ struct dr_buffer before = DR_BUFFER(MOST_FILE);
    _cleanup_buffer_ struct dr_buffer diff = DR_BUFFER(MOST_PREVIEW);
    struct dr_span_edit *spans = dr_alloc(context, operation->edit_count * sizeof(*spans));

    for (size_t i = 0; i < operation->edit_count; i++) {
        const struct dr_edit *edit = &operation->edits[i];
        const char *text = shown_text(context, edit);

        spans[i] = (struct dr_span_edit){ .offset = edit->offset,
                                          .length = edit->length,
                                          .text = text,
                                          .text_length = edit->from.kind == DR_LITERAL ? edit->text_length : strlen(text) };
    }

    int r = dr_read_file(context->request->root_fd, operation->path, &before, NULL);

    if (r >= 0)
        r = dr_diff_spans(shown_name(context, operation->path), dr_buffer_text(&before), before.length, spans,
                          operation->edit_count, &diff);
    if (r == -E2BIG)
        return "(too long to show)";
    return r < 0 ? NULL : redacted(context, &diff);
}

static const char *preview_content(struct dr_context *context, const struct dr_operation *operation)
{
    _cleanup_buffer_ struct dr_buffer diff = DR_BUFFER(MOST_PREVIEW);
    const struct dr_span_edit all = { .text = operation->content, .text_length = operation->content_length };

    if (dr_diff_spans(shown_name(context, operation->path), "", 0, &all, 1, &diff) < 0)
        return "(too long to show)";
    return redacted(context, &diff);
}

static const char *preview_row(struct dr_context *context, const struct dr_operation *operation)
{
    const struct dr_row_change *row = operation->row;
    const char *where = row->key[0].column ? dr_format(context, "%s = %s", row->key[0].column, row->key[0].text) : "";

    switch (row->action) {
    case DR_ROW_SET_TEXT:
        return dr_format(context, "%s (%s)\n  %s := %s", row->table, where, row->column, row->text);
    case DR_ROW_SET_JSON:
        return dr_format(context, "%s (%s)\n  %s %s := %s", row->table, where, row->column, row->json_path, row->text);
    case DR_ROW_COPY:
        return dr_format(context, "%s (%s)\n  %s := %s of %s %s", row->table, where, row->column,
                         row->json_path ? row->json_path : "value", row->from_table, row->from_column);
    case DR_ROW_DELETE:
        return dr_format(context, "%s (%s)\n  row is taken out (kept in the backup)", row->table, where);
    }
    return NULL;
}

static const char *preview_command(struct dr_context *context, const struct dr_operation *operation)
{
    _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(MOST_PREVIEW);

    if (dr_command_line(operation->command, &line) < 0)
        return "(too long to show)";
    return redacted(context, &line);
}

static const char *preview(struct dr_context *context, const struct dr_operation *operation)
{
    switch (operation->kind) {
    case DR_EDIT_FILE:
        return operation->keep ? NULL : preview_edits(context, operation);
    case DR_WRITE_FILE:
        return preview_content(context, operation);
    case DR_UPDATE_ROW:
        return preview_row(context, operation);
    case DR_SET_MODE:
        return dr_format(context, "mode %04o -> %04o", operation->judged.mode & 07777, operation->mode);
    case DR_SET_OWNER:
        return dr_format(context, "owner %u:%u -> %u:%u", operation->judged.uid, operation->judged.gid, operation->uid,
                         operation->gid);
    case DR_RUN_COMMAND:
        return preview_command(context, operation);
    case DR_MOVE_ASIDE:
    case DR_MAKE_DIRECTORY:
        break;
    }
    return NULL;
}

void dr_plan_finish(struct dr_plan *plan)
{
    for (struct dr_planned *planned = plan->first; planned; planned = planned->next) {
        struct dr_operation *operation = &planned->operation;

        if (!can_travel(operation)) {
            dr_plan_refuse(plan, "a file name is not valid UTF-8; repair it by hand");
            return;
        }
        if (operation_holds_secret(plan->context, operation)) {
            dr_plan_refuse(plan, "the repair would have to write a secret into the plan");
            return;
        }
        operation->id = (unsigned)(plan->taken_before + 1);
        plan->taken_before++;
        operation->preview = preview(plan->context, operation);
    }
    plan->taken_before -= plan->count;
}
