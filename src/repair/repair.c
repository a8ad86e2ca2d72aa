#include "repair/repair.h"

#include "repair/custody.h"
#include "repair/run.h"

#include <string.h>

enum { BATCH_MOST = 256 };

const char *dr_repair_status_name(enum dr_repair_status status)
{
    static const char *const names[] = {
        [DR_REPAIR_PLANNED] = "planned", [DR_REPAIR_APPLIED] = "applied", [DR_REPAIR_VERIFIED] = "verified",
        [DR_REPAIR_REFUSED] = "refused", [DR_REPAIR_FAILED] = "failed",   [DR_REPAIR_ROLLED_BACK] = "rolled-back",
        [DR_REPAIR_STUCK] = "stuck",
    };

    return (size_t)status < DR_COUNT(names) ? names[status] : "unknown";
}

int dr_repair_begin(const struct dr_repair_target *target, const char *run_id, struct dr_repair_run **ret_run,
                    char **ret_settled, struct dr_error *error)
{
    _cleanup_run_ struct dr_repair_run *run = NULL;
    _cleanup_free_ char *settled = NULL;
    int r = dr_run_open(target, run_id, &run, error);

    if (r == 0)
        r = dr_settle_all(run, &settled, error);
    if (r < 0)
        return r;
    if (ret_settled)
        *ret_settled = DR_TAKE_PTR(settled);
    *ret_run = DR_TAKE_PTR(run);
    return 0;
}

const char *dr_repair_run_id(const struct dr_repair_run *run)
{
    return run->id;
}

/* --- applying ----------------------------------------------------------------------------------------------------- */

/* One call of dr_repair_apply. */
struct work {
    struct dr_repair_run *run;
    const struct dr_operation *operations;
    const unsigned *groups;
    size_t count;
    struct dr_repair_result *results;
    size_t *ready; /* per operation: 1 + index of a step whose intent is written already, 0: none */
    int worst; /* 0..3 as dr_repair_apply answers */
};

static void worse(struct work *work, int level)
{
    if (level > work->worst)
        work->worst = level;
}

static void report(struct work *work, size_t i, enum dr_repair_status status, const char *reason)
{
    struct dr_repair_result *result = &work->results[i];

    result->status = status;
    result->reason = reason ? dr_arena_strdup(&work->run->arena, reason) : NULL;
    worse(work, status == DR_REPAIR_REFUSED ? 1 : status == DR_REPAIR_FAILED ? 2 : status == DR_REPAIR_STUCK ? 3 : 0);
}

/* What speaks against the change is a refusal (the world is not as judged); what goes wrong while doing it is a failure. */
static bool is_refusal(int code)
{
    return code == -ESTALE || code == -EPERM || code == -EBUSY || code == -ELOOP || code == -EXDEV || code == -EINVAL ||
           code == -ENOTSUP || code == -ENOENT || code == -ENOTDIR || code == -EACCES || code == -ESRCH;
}

static int new_step(struct dr_repair_run *run, unsigned group, size_t *ret_index)
{
    if (run->count == run->room) {
        size_t room = run->room ? run->room * 2 : 16;
        struct dr_step *more = realloc(run->steps, room * sizeof(*more));

        if (!more)
            return -ENOMEM;
        run->steps = more;
        run->room = room;
    }
    run->steps[run->count] = (struct dr_step){ .number = (unsigned)run->count + 1, .group = group };
    *ret_index = run->count++;
    return 0;
}

/* A step that was judged but whose intent was never written leaves no trace. */
static void forget_step(struct dr_repair_run *run, size_t index)
{
    if (index + 1 == run->count)
        run->count--;
    else
        run->steps[index].state = DR_STEP_REVERTED;
}

static bool is_light(const struct dr_operation *operation)
{
    return operation->kind == DR_SET_MODE || operation->kind == DR_SET_OWNER;
}

static int judge(struct work *work, size_t i, size_t index, struct dr_prepared *prepared, struct dr_error *error)
{
    struct dr_scene scene = dr_run_scene(work->run);

    scene.earlier_count = index;
    scene.rest = &work->operations[i + 1];
    while (i + 1 + scene.rest_count < work->count && work->groups[i + 1 + scene.rest_count] == work->groups[i])
        scene.rest_count++;
    return dr_change_judge(&scene, &work->operations[i], &work->run->steps[index], prepared, error);
}

/* A line that may be lost: without it the next start looks at the step once more, and finds nothing to do. */
static void note(struct dr_repair_run *run, const char *type, unsigned step)
{
    int r = dr_journal_add(&run->journal, dr_journal_line(type, step));

    (void)r;
}

/* Reverts one step and says so in the journal. 0, or why it cannot be. */
static int take_back(struct dr_repair_run *run, struct dr_step *step, struct dr_error *error)
{
    struct dr_scene scene = dr_run_scene(run);
    int r;

    if (step->state == DR_STEP_REVERTED)
        return 0;
    r = dr_change_revert(&scene, step, error);
    if (r < 0) {
        step->state = DR_STEP_INTENT;
        note(run, "stuck", step->number);
        return r;
    }
    step->state = DR_STEP_REVERTED;
    note(run, "reverted", step->number);
    return 0;
}

static int done_line(struct dr_repair_run *run, const struct dr_step *step, bool later)
{
    cJSON *line = dr_journal_line("done", step->number);

    if (line && step->trio_after.known) {
        cJSON *files = dr_trio_to_json(&step->trio_after);

        if (!files || !cJSON_AddItemToObject(line, "files", files)) {
            cJSON_Delete(files);
            cJSON_Delete(line);
            line = NULL;
        }
    }
    return later ? dr_journal_add_later(&run->journal, line) : dr_journal_add(&run->journal, line);
}

/* Makes a step whose intent is written. What was half made is taken back at once. */
static int make(struct work *work, size_t i, size_t index, struct dr_prepared *prepared, struct dr_error *error)
{
    struct dr_repair_run *run = work->run;
    struct dr_scene scene = dr_run_scene(run);
    struct dr_step *step = &run->steps[index];
    _cleanup_error_ struct dr_error again = { 0 };
    int r;

    scene.earlier_count = index;
    r = dr_change_make(&scene, &work->operations[i], step, prepared, error);
    if (r == 0)
        r = dr_failed(error, done_line(run, step, is_light(&work->operations[i])), "the journal cannot be written");
    if (r == 0) {
        step->state = DR_STEP_DONE;
        return 0;
    }
    dr_prepared_release(prepared);
    if (take_back(run, step, &again) < 0)
        return dr_error_set(error, -EUCLEAN, "%s; and it cannot be taken back (%s)", dr_error_text(error),
                            dr_error_text(&again));
    return r;
}

static int write_intent(struct dr_repair_run *run, size_t index, bool later, struct dr_error *error)
{
    const struct dr_step *step = &run->steps[index];
    bool needed = dr_custody_needed(&run->places, step);

    if (needed || dr_custody_wished(&run->places, step)) {
        /* What is only wished for is done all the same: root's undo will not reach it, and says so. */
        int r = dr_custody_begin(&run->home, run->id, &run->journal, needed ? error : NULL);

        if (r < 0 && needed)
            return r;
    }
    cJSON *line = dr_step_to_json(step);

    return later ? dr_journal_add_later(&run->journal, line) : dr_journal_add(&run->journal, line);
}

/*
 * Mode and owner changes come in thousands, and two syncs for each would take minutes. The intents of the ones that follow each
 * other are written together, with one sync; each is judged again when its turn comes.
 */
static int write_intents_ahead(struct work *work, size_t from, struct dr_error *error)
{
    struct dr_repair_run *run = work->run;
    size_t written = 0;

    for (size_t i = from; i < work->count && i < from + BATCH_MOST && is_light(&work->operations[i]); i++) {
        _cleanup_prepared_ struct dr_prepared prepared;
        size_t index;
        int r;

        dr_prepared_init(&prepared);
        if (work->ready[i] > 0)
            continue; /* written when one before it was refused: a second intent would never be settled */
        r = new_step(run, work->groups[i], &index);
        if (r < 0)
            return r;
        if (judge(work, i, index, &prepared, NULL) < 0) {
            forget_step(run, index); /* why: when its turn comes */
            continue;
        }
        r = write_intent(run, index, true, error);
        if (r < 0) {
            forget_step(run, index);
            return dr_failed(error, r, "the journal cannot be written");
        }
        work->ready[i] = index + 1;
        written++;
    }
    return written > 0 ? dr_failed(error, dr_journal_sync(&run->journal), "the journal cannot be written") : 0;
}

/* Of a change that is made though root's record does not have it: told now, and not only by the undo. */
static const char *not_taken_back(struct dr_repair_run *run, const struct dr_step *step)
{
    return dr_arena_format(&run->arena,
                           "root's record in %s cannot be written, so root's openclaw-doctor undo %s take this back",
                           run->home.custody_dir, step->kind == DR_SET_OWNER ? "will not" : "may not");
}

/* The last word before the change: root's record has the intent, where root's word will be asked for. */
static int make_on_record(struct work *work, size_t i, size_t index, struct dr_prepared *prepared, struct dr_error *error)
{
    struct dr_repair_run *run = work->run;
    struct dr_step *step = &run->steps[index];
    bool needed = dr_custody_needed(&run->places, step), wished = dr_custody_wished(&run->places, step);
    int r = needed || wished ? dr_custody_reached(&run->home, &run->journal, needed ? error : NULL) : 0;

    if (r < 0 && needed) {
        step->state = DR_STEP_REVERTED; /* it was not made, and no undo shall look for it */
        note(run, "reverted", step->number);
        return r;
    }
    if (r < 0)
        work->results[i].reason = not_taken_back(run, step);
    return make(work, i, index, prepared, error);
}

static int apply_one(struct work *work, size_t i, size_t *ret_index, struct dr_error *error)
{
    _cleanup_prepared_ struct dr_prepared prepared;
    struct dr_repair_run *run = work->run;
    size_t index;
    int r;

    dr_prepared_init(&prepared);
    if (is_light(&work->operations[i]) && work->ready[i] == 0) {
        r = write_intents_ahead(work, i, error);
        if (r < 0)
            return r;
    }
    if (work->ready[i] > 0) {
        index = work->ready[i] - 1;
        r = judge(work, i, index, &prepared, error);
        *ret_index = index;
        return r < 0 ? r : make_on_record(work, i, index, &prepared, error);
    }
    r = new_step(run, work->groups[i], &index);
    if (r < 0)
        return r;
    r = judge(work, i, index, &prepared, error);
    if (r == 0)
        r = dr_failed(error, write_intent(run, index, false, error), "the journal cannot be written");
    if (r < 0) {
        forget_step(run, index);
        return r;
    }
    *ret_index = index;
    return make_on_record(work, i, index, &prepared, error);
}

static void report_back(struct work *work, size_t i, const struct dr_step *step)
{
    struct dr_repair_run *run = work->run;

    work->results[i].status = DR_REPAIR_APPLIED; /* a `reason` is there already when it cannot be taken back */
    if (step->backup || (step->aside && step->aside[0] != '/'))
        work->results[i].backup = dr_arena_format(&run->arena, "%s/%s/%s", run->home.runs_path, run->id,
                                                  step->backup ? step->backup : step->aside);
    else
        work->results[i].backup = step->aside;
}

/* Takes back what the group did so far, last first, and says of the rest that it was not begun. */
static void abandon_group(struct work *work, size_t first, size_t failed, size_t end, const size_t *indexes)
{
    for (size_t i = end; i-- > first;) {
        _cleanup_error_ struct dr_error error = { 0 };

        if (i == failed)
            continue;
        if (work->ready[i] > 0 && i > failed)
            (void)take_back(work->run, &work->run->steps[work->ready[i] - 1], NULL);
        if (i > failed)
            report(work, i, DR_REPAIR_REFUSED, "another change of the same repair could not be made");
        else if (take_back(work->run, &work->run->steps[indexes[i]], &error) < 0)
            report(work, i, DR_REPAIR_STUCK, dr_error_text(&error));
        else
            report(work, i, DR_REPAIR_ROLLED_BACK, "another change of the same repair could not be made");
    }
}

static int apply_group(struct work *work, size_t first, size_t end, size_t *indexes)
{
    for (size_t i = first; i < end; i++) {
        _cleanup_error_ struct dr_error error = { 0 };
        int r = apply_one(work, i, &indexes[i], &error);

        if (r == 0) {
            report_back(work, i, &work->run->steps[indexes[i]]);
            continue;
        }
        if (work->ready[i] > 0 && r != -EUCLEAN)
            (void)take_back(work->run, &work->run->steps[work->ready[i] - 1], NULL);
        report(work, i,
               r == -EUCLEAN   ? DR_REPAIR_STUCK
               : is_refusal(r) ? DR_REPAIR_REFUSED
                               : DR_REPAIR_FAILED,
               error.text ? error.text : dr_errno_text(r));
        abandon_group(work, first, i, end, indexes);
        return r;
    }
    return 0;
}

int dr_repair_apply(struct dr_repair_run *run, const struct dr_operation *operations, const unsigned *groups, size_t count,
                    struct dr_repair_result *results, struct dr_error *error)
{
    _cleanup_free_ size_t *ready = calloc(count + 1, sizeof(*ready)), *indexes = calloc(count + 1, sizeof(*indexes));
    struct work work = { run, operations, groups, count, results, ready, 0 };
    int r = ready && indexes ? 0 : -ENOMEM;

    if (r == 0 && count > 0)
        r = dr_run_folder(run, error);
    if (r < 0)
        return r;
    run->result_count = count;
    for (size_t i = 0; i < count; i++)
        results[i] = (struct dr_repair_result){ .operation = operations[i].id };
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && groups[end] == groups[first];)
            end++;
        (void)apply_group(&work, first, end, indexes); /* told in the results */
    }
    if (count > 0) {
        r = dr_journal_add(&run->journal, dr_journal_line("applied", 0));
        if (r < 0)
            return dr_error_set(error, r, "the journal %s/%s cannot be written (%s); the next start takes this run back",
                                run->home.runs_path, run->id, dr_errno_text(r));
    }
    return work.worst;
}

/* --- taking back -------------------------------------------------------------------------------------------------- */

static struct dr_repair_result *result_of(struct dr_repair_result *results, size_t count, unsigned operation)
{
    for (size_t i = 0; results && i < count; i++)
        if (results[i].operation == operation)
            return &results[i];
    return NULL;
}

int dr_repair_roll_back(struct dr_repair_run *run, unsigned group, const char *why, struct dr_repair_result *results,
                        struct dr_error *error)
{
    int stuck = 0;

    if (run->journal.dir_fd < 0)
        return 0;
    int r = dr_journal_add(&run->journal, dr_journal_line("rolling-back", 0));

    if (r < 0)
        return dr_error_set(error, r, "the journal cannot be written (%s)", dr_errno_text(r));
    for (size_t i = run->count; i-- > 0;) {
        struct dr_step *step = &run->steps[i];
        _cleanup_error_ struct dr_error why_not = { 0 };

        if ((group != UINT32_MAX && step->group != group) || step->state != DR_STEP_DONE)
            continue;
        struct dr_repair_result *result = result_of(results, run->result_count, step->operation);

        r = take_back(run, step, &why_not);
        stuck |= r < 0;
        if (r < 0)
            (void)dr_error_set(error, r, "%s cannot be taken back: %s", step->path, dr_error_text(&why_not));
        if (result) {
            result->status = r < 0 ? DR_REPAIR_STUCK : DR_REPAIR_ROLLED_BACK;
            result->reason = dr_arena_strdup(&run->arena, r < 0 ? dr_error_text(&why_not) : why ? why : "taken back");
        }
    }
    r = dr_journal_add(&run->journal, dr_journal_line("applied", 0));
    if (r < 0 && !stuck)
        return dr_error_set(error, r, "the journal cannot be written (%s)", dr_errno_text(r));
    return stuck ? 3 : 0;
}

int dr_repair_end(struct dr_repair_run *run, struct dr_error *error)
{
    _cleanup_run_ struct dr_repair_run *over = run;
    bool kept = false;

    for (size_t i = 0; i < run->count; i++) {
        kept |= run->steps[i].state == DR_STEP_DONE;
        if (run->steps[i].state == DR_STEP_INTENT)
            return dr_error_set(error, -EUCLEAN,
                                "%s could not be taken back; the next start of openclaw-doctor --fix tries again",
                                run->steps[i].path);
    }
    int r = run->count == 0 ? dr_run_remove_folder(run) : dr_run_write_end(over, kept ? "kept" : "rolled-back");

    if (r < 0)
        return dr_error_set(error, r, "the end of run %s cannot be written to its journal (%s)", over->id, dr_errno_text(r));
    return 0;
}
