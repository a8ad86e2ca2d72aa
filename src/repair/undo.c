/* Undo of a finished run: looked through first, then each step is taken back, last first, with a journal of its own. */
#include "base/text.h"
#include "repair/custody.h"
#include "repair/run.h"

#include <string.h>

static cJSON *told(const struct dr_step *step, const char *reason)
{
    cJSON *json = cJSON_CreateObject();

    if (json && cJSON_AddStringToObject(json, "kind", dr_operation_kind_name(step->kind)) &&
        cJSON_AddStringToObject(json, "path", step->path) &&
        (!step->summary || cJSON_AddStringToObject(json, "summary", step->summary)) &&
        (!reason || cJSON_AddStringToObject(json, "reason", reason)))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static int tell(cJSON *list, const struct dr_step *step, const char *reason)
{
    cJSON *json = list ? told(step, reason) : NULL;

    if (!list || (json && cJSON_AddItemToArray(list, json)))
        return 0;
    cJSON_Delete(json);
    return -ENOMEM;
}

static bool is_light(const struct dr_step *step)
{
    return step->kind == DR_SET_MODE || step->kind == DR_SET_OWNER;
}

/* A later step of the run stands between what this step left and what is there now: judged when its turn comes. */
static bool is_covered(const struct dr_record *record, const size_t *heavy, size_t heavy_count, size_t i)
{
    const struct dr_step *step = &record->steps[i];

    if (step->kind == DR_RUN_COMMAND)
        return false;
    for (size_t h = heavy_count; h-- > 0 && heavy[h] > i;) {
        const struct dr_step *later = &record->steps[heavy[h]];

        if (later->kind == DR_MOVE_ASIDE ? dr_path_is_below(step->path, later->path)
                                         : !is_light(step) && strcmp(step->path, later->path) == 0)
            return true;
    }
    return false;
}

static struct dr_scene scene_of(struct dr_repair_run *run, struct dr_record *record, struct dr_journal *undone,
                                struct dr_journal *safe)
{
    struct dr_scene scene = dr_run_scene(run);

    scene.arena = &record->arena;
    scene.journal = undone;
    scene.safe = safe;
    scene.run_id = record->run;
    scene.earlier_count = 0;
    scene.all = record->steps;
    scene.all_count = record->count;
    scene.force = run->force;
    scene.not_held = record->not_held;
    return scene;
}

/* Is there anything that cannot be undone? Changes nothing. */
static int look_through(struct dr_scene *scene, const struct dr_record *record, cJSON *refused, size_t *ret_refused)
{
    _cleanup_free_ size_t *heavy = calloc(record->count + 1, sizeof(*heavy));
    size_t heavy_count = 0;

    if (!heavy)
        return -ENOMEM;
    for (size_t i = 0; i < record->count; i++)
        if (!is_light(&record->steps[i]) && record->steps[i].state != DR_STEP_REVERTED)
            heavy[heavy_count++] = i;
    for (size_t i = record->count; i-- > 0;) {
        const struct dr_step *step = &record->steps[i];
        _cleanup_error_ struct dr_error why = { 0 };

        if (step->state == DR_STEP_REVERTED || is_covered(record, heavy, heavy_count, i))
            continue;
        int r = dr_change_would_revert(scene, step, &why);

        if (r < 0) {
            (*ret_refused)++;
            r = tell(refused, step, dr_error_text(&why));
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int take_back_all(struct dr_scene *scene, struct dr_record *record, cJSON *undone, cJSON *refused,
                         struct dr_error *error)
{
    for (size_t i = record->count; i-- > 0;) {
        const struct dr_step *step = &record->steps[i];
        _cleanup_error_ struct dr_error why = { 0 };

        if (step->state == DR_STEP_REVERTED)
            continue;
        int r = dr_change_revert(scene, step, &why);

        if (r < 0 && !dr_change_is_out_of_reach(r))
            return dr_error_set(error, r, "%s cannot be put back: %s; undo again to go on", step->path, dr_error_text(&why));
        r = r < 0 ? tell(refused, step, dr_error_text(&why)) : tell(undone, step, NULL);
        if (r == 0)
            r = dr_journal_add_later(scene->safe, dr_journal_line("undid", step->number));
        if (r < 0)
            return dr_error_set(error, r, "the undo stopped (%s); undo again to go on", dr_errno_text(r));
    }
    return dr_journal_sync(scene->safe);
}

static int mark_undone(struct dr_journal *journal, const char *by)
{
    cJSON *line = dr_journal_line("undone", 0);

    if (line && !cJSON_AddStringToObject(line, "by", by)) {
        cJSON_Delete(line);
        line = NULL;
    }
    return dr_journal_add(journal, line);
}

int dr_undo_record(struct dr_repair_run *run, struct dr_record *record, cJSON *undone, cJSON *refused,
                   struct dr_error *error)
{
    _cleanup_(dr_journal_release) struct dr_journal journal = DR_JOURNAL;
    size_t refusals = 0;
    int r = dr_journal_open(&run->home, &run->target, record->run, &journal);

    if (r < 0)
        return r;
    struct dr_scene scene = scene_of(run, record, &journal, &run->journal);

    if (!run->force) {
        r = look_through(&scene, record, refused, &refusals);
        if (r == 0 && refusals > 0)
            r = dr_error_set(error, -ESTALE,
                             "%zu of the changes of run %s cannot be undone as things are; nothing was changed", refusals,
                             record->run);
    }
    if (r == 0)
        r = dr_run_folder(run, error);
    if (r == 0 && record->held > 0) /* a killed undo is gone on with on root's word only */
        r = dr_custody_begin(&run->home, run->id, &run->journal, error);
    if (r == 0)
        r = take_back_all(&scene, record, undone, refused, error);
    if (r == 0)
        r = mark_undone(&journal, run->id);
    if (r == 0 && record->held > 0) /* else it may be another journal's */
        dr_custody_drop(&run->home, record->run);
    if (r == 0)
        r = dr_run_write_end(run, "kept");
    if (r == 0 && run->journal.custody_fd >= 0) /* there is no undo of an undo */
        dr_custody_drop(&run->home, run->id);
    return r;
}

int dr_undo_resume(struct dr_repair_run *run, const char *undo_id, struct dr_journal *undo, struct dr_record *record,
                   cJSON *refused, struct dr_error *error)
{
    _cleanup_(dr_journal_release) struct dr_journal journal = DR_JOURNAL;
    int r = dr_journal_open(&run->home, &run->target, record->run, &journal);

    if (r < 0)
        return r;
    struct dr_scene scene = scene_of(run, record, &journal, undo);

    r = take_back_all(&scene, record, NULL, refused, error);
    return r == 0 && !record->undone_by ? mark_undone(&journal, undo_id) : r;
}

/* --- which run ---------------------------------------------------------------------------------------------------- */

static int judge_record(const struct dr_record *record, struct dr_error *error)
{
    if (record->undoes)
        return dr_error_set(error, -EINVAL, "run %s is an undo itself; to repair again, run openclaw-doctor --fix",
                            record->run);
    if (record->undone_by)
        return dr_error_set(error, -EALREADY, "run %s was undone already, by run %s", record->run, record->undone_by);
    if (strcmp(dr_record_state(record), "kept") != 0)
        return dr_error_set(error, -EALREADY, "run %s left nothing to undo: it was rolled back", record->run);
    return 0;
}

static int find_newest(struct dr_repair_run *run, struct dr_record *ret_record, struct dr_error *error)
{
    _cleanup_(dr_names_free) char **names = NULL;
    int r = dr_journal_runs(&run->home, &names);

    for (char **name = names; r == 0 && *name; name++) {
        struct dr_record record = { 0 };

        r = dr_record_read(&run->home, *name, &record, error);
        if (r == 0 && judge_record(&record, NULL) == 0) {
            *ret_record = record;
            return 0;
        }
        if (r == 0)
            dr_record_release(&record);
        r = r == -ENOTDIR ? 0 : r;
    }
    return r < 0 ? r : dr_error_set(error, -ENOENT, "there is no run to undo");
}

static int find_named(struct dr_repair_run *run, const char *run_id, struct dr_record *ret_record, struct dr_error *error)
{
    struct dr_record record = { 0 };
    int r = dr_record_read(&run->home, run_id, &record, error);

    if (r == 0 && !record.begun)
        r = dr_error_set(error, -ENOENT, "there is no run %s; openclaw-doctor history lists them", run_id);
    if (r == 0)
        r = judge_record(&record, error);
    if (r < 0)
        dr_record_release(&record);
    else
        *ret_record = record;
    return r;
}

static int undo_one(struct dr_repair_run *run, const char *run_id, cJSON *report, struct dr_error *error)
{
    _cleanup_record_ struct dr_record record = { 0 };
    int r = run_id ? find_named(run, run_id, &record, error) : find_newest(run, &record, error);

    if (r < 0)
        return r;
    cJSON *undone = cJSON_AddArrayToObject(report, "undone");
    cJSON *refused = cJSON_AddArrayToObject(report, "refused");

    run->undoes = dr_arena_strdup(&run->arena, record.run);
    if (!undone || !refused || !run->undoes || !cJSON_AddStringToObject(report, "run", record.run) ||
        !cJSON_AddStringToObject(report, "undoRun", run->id))
        return -ENOMEM;
    r = dr_run_reach(run, &record);
    if (r < 0)
        return r;
    run->places.journal_of_user = run->target.uid != 0;
    return dr_undo_record(run, &record, undone, refused, error);
}

int dr_repair_undo(const struct dr_repair_target *target, const char *run_id, bool force, cJSON **ret_report,
                   struct dr_error *error)
{
    _cleanup_run_ struct dr_repair_run *run = NULL;
    _cleanup_free_ char *settled = NULL;
    cJSON *report = cJSON_CreateObject();
    int r = report ? dr_run_open(target, NULL, &run, error) : -ENOMEM;

    if (r == 0)
        r = dr_settle_all(run, &settled, error);
    if (r == 0 && settled && !cJSON_AddStringToObject(report, "settled", settled))
        r = -ENOMEM;
    if (r == 0) {
        run->force = force;
        r = undo_one(run, run_id, report, error);
    }
    if (r < 0 && r != -ESTALE) {
        cJSON_Delete(report);
        return r;
    }
    *ret_report = report;
    return r;
}
