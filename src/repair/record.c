#include "repair/journal.h"

#include "base/file.h"
#include "repair/custody.h"

#include <fcntl.h>
#include <string.h>

enum { JOURNAL_MOST = 256 * 1024 * 1024, STEPS_MOST = 1000 * 1000 };

void dr_record_release(struct dr_record *record)
{
    free(record->run);
    free(record->steps);
    dr_arena_release(&record->arena);
    *record = (struct dr_record){ 0 };
}

static struct dr_step *step_numbered(struct dr_record *record, const cJSON *line)
{
    double number = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(line, "step"));

    for (size_t i = record->count; i > 0; i--)
        if ((double)record->steps[i - 1].number == number)
            return &record->steps[i - 1];
    return NULL;
}

static const char *keep_text(struct dr_record *record, const cJSON *line, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));

    return text ? dr_arena_strdup(&record->arena, text) : NULL;
}

static int take_begin(struct dr_record *record, const cJSON *line)
{
    record->begun = true;
    record->started_at = keep_text(record, line, "startedAt");
    record->undoes = keep_text(record, line, "undoes");
    record->force = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "force"));
    return 0;
}

/* A line that is not held cannot make root do again what a held one is about. */
static bool is_settled(const struct dr_record *record, const struct dr_step *step)
{
    return step->held && !record->in_held && step->state == DR_STEP_REVERTED;
}

static int take_intent(struct dr_record *record, const cJSON *line)
{
    struct dr_step step;
    int r = dr_step_from_json(line, &record->arena, &step);

    if (r < 0)
        return r;
    step.held = record->in_held;
    record->applied = false;
    /* A second intent for the same step replaces the first (another place to move to). */
    if (record->count > 0 && record->steps[record->count - 1].number == step.number) {
        if (step.held || !record->steps[record->count - 1].held)
            record->steps[record->count - 1] = step;
        return 0;
    }
    if (record->count >= STEPS_MOST)
        return -E2BIG;
    if ((record->count & (record->count - 1)) == 0) {
        size_t room = record->count ? record->count * 2 : 1;
        struct dr_step *more = realloc(record->steps, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        record->steps = more;
    }
    record->steps[record->count++] = step;
    return 0;
}

static int take_done(struct dr_record *record, const cJSON *line)
{
    struct dr_step *step = step_numbered(record, line);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(line, "files");

    if (!step)
        return -EINVAL;
    if (is_settled(record, step))
        return 0;
    step->state = DR_STEP_DONE;
    return files ? dr_trio_from_json(files, &step->trio_after) : 0;
}

static int take_reverted(struct dr_record *record, const cJSON *line)
{
    struct dr_step *step = step_numbered(record, line);

    if (!step)
        return -EINVAL;
    step->state = DR_STEP_REVERTED;
    return 0;
}

/*
 * A rollback that failed: to be tried again. When root's record ends before "applied", root would take the step back on that record alone, and a
 * line that is not held asks for no more; this is how a run ends whose record could not be written on. A run that was applied stays so.
 */
static int take_stuck(struct dr_record *record, const cJSON *line)
{
    struct dr_step *step = step_numbered(record, line);

    if (!step)
        return -EINVAL;
    if (!step->held || record->in_held || !record->held_applied)
        step->state = DR_STEP_INTENT;
    return 0;
}

static int take_applied(struct dr_record *record, const cJSON *line DR_UNUSED)
{
    record->applied = true;
    return 0;
}

static int take_rolling_back(struct dr_record *record, const cJSON *line DR_UNUSED)
{
    record->applied = false;
    return 0;
}

static int take_end(struct dr_record *record, const cJSON *line DR_UNUSED)
{
    record->ended = true;
    return 0;
}

static int take_undone(struct dr_record *record, const cJSON *line)
{
    record->undone_by = keep_text(record, line, "by");
    return record->undone_by ? 0 : -EINVAL;
}

static int take_undid(struct dr_record *record DR_UNUSED, const cJSON *line DR_UNUSED)
{
    return 0;
}

static const struct {
    const char *type;
    int (*take)(struct dr_record *record, const cJSON *line);
} line_types[] = {
    { "begin", take_begin },       { "intent", take_intent },   { "done", take_done },
    { "reverted", take_reverted }, { "applied", take_applied }, { "rolling-back", take_rolling_back },
    { "end", take_end },           { "undone", take_undone },   { "undid", take_undid },
    { "stuck", take_stuck },
};

static int take_line(struct dr_record *record, const char *text, size_t length)
{
    cJSON *line = cJSON_ParseWithLength(text, length);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "type"));
    int r = -EINVAL;

    for (size_t i = 0; type && i < DR_COUNT(line_types); i++)
        if (strcmp(line_types[i].type, type) == 0)
            r = line_types[i].take(record, line);
    cJSON_Delete(line);
    return r;
}

static int take_lines(struct dr_record *record, const struct dr_buffer *text, struct dr_error *error)
{
    unsigned number = 1;

    for (size_t from = 0; from < text->length; number++) {
        const char *end = memchr(text->data + from, '\n', text->length - from);

        if (!end)
            return 0; /* torn: it never counted */
        size_t length = (size_t)(end - (text->data + from));

        record->in_held = from + length < record->held;
        int r = take_line(record, text->data + from, length);

        if (r < 0)
            return dr_error_set(error, r, "line %u of the journal of run %s is not a journal line", number, record->run);
        if (record->in_held)
            record->held_applied = record->applied;
        from += length + 1;
    }
    return 0;
}

static int read_text(const struct dr_journal_home *home, const char *run_id, struct dr_buffer *text,
                     struct dr_record *record, struct dr_error *error)
{
    _cleanup_close_ int dir = -1, fd = -1;
    struct stat st;
    int r = home->runs_fd < 0 ? -ENOENT : dr_open_below(home->runs_fd, run_id, O_RDONLY | O_DIRECTORY, &dir);

    if (r == 0)
        r = dr_open_below(dir, "journal.jsonl", O_RDONLY | O_NONBLOCK, &fd);
    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    r = S_ISREG(st.st_mode) ? dr_read_fd(fd, text) : -EINVAL;
    if (r < 0)
        return r;
    r = dr_custody_held(home, run_id, dir, dr_buffer_text(text), text->length, &record->held, &record->not_held);
    return r < 0 ? dr_error_set(error, r, "root's record of run %s in %s cannot be read (%s)", run_id, home->custody_dir,
                                dr_errno_text(r))
                 : 0;
}

int dr_record_read(const struct dr_journal_home *home, const char *run_id, struct dr_record *ret_record,
                   struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(JOURNAL_MOST);
    _cleanup_record_ struct dr_record record = { .run = strdup(run_id), .arena = DR_ARENA(JOURNAL_MOST) };
    int r = record.run ? read_text(home, run_id, &text, &record, error) : -ENOMEM;

    if (r == -ENOENT && record.run)
        r = 0; /* killed between the folder and the journal: nothing was done */
    if (r < 0)
        return error && error->text
                   ? r
                   : dr_error_set(error, r, "the journal of run %s cannot be read (%s)", run_id, dr_errno_text(r));
    r = take_lines(&record, &text, error);
    if (r < 0)
        return r;
    *ret_record = record;
    record = (struct dr_record){ 0 };
    return 0;
}

const char *dr_record_state(const struct dr_record *record)
{
    if (!record->ended)
        return "interrupted";
    if (record->undone_by)
        return "undone";
    for (size_t i = 0; i < record->count; i++)
        if (record->steps[i].state == DR_STEP_DONE)
            return "kept";
    return record->undoes ? "kept" : "rolled-back";
}
