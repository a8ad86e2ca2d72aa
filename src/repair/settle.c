/*
 * A run that was killed. Its journal says which steps may have happened; each is compared with the world and taken back, last
 * first. A run that had made all its changes is kept: the next look says whether they helped. An undo that was killed goes on.
 * All of this can be killed itself, and begins anew at the next start.
 */
#include "base/buffer.h"
#include "repair/custody.h"
#include "repair/run.h"

#include <string.h>

enum { SENTENCE_MOST = 64 * 1024 };

struct settling {
    struct dr_repair_run *run;
    struct dr_buffer sentence;
};

static int take_back_all(struct settling *settling, struct dr_record *record, struct dr_journal *journal, size_t *ret_back,
                         size_t *ret_left, struct dr_error *error)
{
    struct dr_scene scene = dr_run_scene(settling->run);

    scene.arena = &record->arena;
    scene.journal = scene.safe = journal;
    scene.run_id = record->run;
    scene.earlier_count = 0;
    scene.all = record->steps;
    scene.all_count = record->count;
    scene.not_held = record->not_held;
    for (size_t i = record->count; i-- > 0;) {
        struct dr_step *step = &record->steps[i];
        _cleanup_error_ struct dr_error why = { 0 };

        if (step->state == DR_STEP_REVERTED ||
            ((record->applied || (step->held && record->held_applied)) && step->state == DR_STEP_DONE))
            continue;
        int r = dr_change_revert(&scene, step, &why);

        if (r < 0 && !dr_change_is_out_of_reach(r))
            return dr_error_set(error, r, "run %s was interrupted, and %s cannot be put back: %s", record->run, step->path,
                                dr_error_text(&why));
        *ret_back += r == 0;
        *ret_left += r < 0;
        if (r >= 0)
            r = dr_journal_add_later(journal, dr_journal_line("reverted", step->number));
        else if (step->kind == DR_RUN_COMMAND)
            r = dr_buffer_appendf(&settling->sentence, "One thing is left to do: %s. ", dr_error_text(&why));
        else
            r = dr_buffer_appendf(&settling->sentence, "%s was left as it is: %s. ", step->path, dr_error_text(&why));
        if (r < 0)
            return r;
    }
    return dr_journal_sync(journal);
}

static int settle_repair(struct settling *settling, struct dr_record *record, struct dr_journal *journal,
                         struct dr_error *error)
{
    size_t back = 0, left = 0;
    int r = take_back_all(settling, record, journal, &back, &left, error);

    if (r == 0 && record->count == 0 && dr_journal_remove(&settling->run->home, record->run, journal) == 0)
        return 0;
    if (r == 0)
        r = dr_journal_end(journal, record->applied ? "kept" : "rolled-back");
    if (r < 0)
        return r;
    return record->applied
               ? dr_buffer_appendf(&settling->sentence,
                                   "Run %s was interrupted after its last change; what it did is kept. ", record->run)
               : dr_buffer_appendf(&settling->sentence, "Run %s was interrupted; %zu of its changes were taken back. ",
                                   record->run, back);
}

static int tell_refused(struct settling *settling, const cJSON *refused)
{
    const cJSON *one;

    cJSON_ArrayForEach (one, refused) {
        int r = dr_buffer_appendf(&settling->sentence, "%s was left as it is: %s. ", dr_json_text(one, "path"),
                                  dr_json_text(one, "reason"));

        if (r < 0)
            return r;
    }
    return 0;
}

static int settle_undo(struct settling *settling, struct dr_record *record, struct dr_journal *journal,
                       struct dr_error *error)
{
    _cleanup_record_ struct dr_record undone = { 0 };
    struct dr_repair_run *run = settling->run;
    int r = dr_record_read(&run->home, record->undoes, &undone, error);

    /* Who asked for this undo? If not root, it is not gone on with: root's own record of it is older than its first change. */
    if (r == 0 && undone.held > 0 && record->held == 0) {
        r = dr_journal_end(journal, "rolled-back");
        return r < 0 ? r
                     : dr_buffer_appendf(&settling->sentence,
                                         "The undo of run %s was interrupted before it changed anything; undo again. ",
                                         record->undoes);
    }
    cJSON *refused = cJSON_CreateArray();

    if (r == 0 && !refused)
        r = -ENOMEM;
    if (r == 0) {
        run->force = record->force;
        r = dr_undo_resume(run, record->run, journal, &undone, refused, error);
        run->force = false;
    }
    if (r == 0)
        r = dr_journal_end(journal, "kept");
    if (r == 0 && undone.held > 0) {
        dr_custody_drop(&run->home, record->undoes);
        dr_custody_drop(&run->home, record->run);
    }
    if (r == 0)
        r = dr_buffer_appendf(&settling->sentence, "The undo of run %s was interrupted and is finished now. ",
                              record->undoes);
    if (r == 0)
        r = tell_refused(settling, refused);
    cJSON_Delete(refused);
    return r;
}

static int settle_one(struct settling *settling, const char *run_id, struct dr_error *error)
{
    struct dr_repair_run *run = settling->run;
    _cleanup_record_ struct dr_record record = { 0 };
    _cleanup_(dr_journal_release) struct dr_journal journal = DR_JOURNAL;
    int r = dr_record_read(&run->home, run_id, &record, error);

    if (r == -ENOTDIR || (r == 0 && record.ended))
        return 0; /* not a run, or one that is over */
    if (r == 0)
        r = dr_run_reach(run, &record);
    if (r == 0)
        r = dr_journal_open(&run->home, &run->target, run_id, &journal);
    if (r < 0)
        return r;
    return record.undoes ? settle_undo(settling, &record, &journal, error)
                         : settle_repair(settling, &record, &journal, error);
}

int dr_settle_all(struct dr_repair_run *run, char **ret_settled, struct dr_error *error)
{
    struct settling settling = { .run = run, .sentence = DR_BUFFER(SENTENCE_MOST) };
    _cleanup_(dr_names_free) char **names = NULL;
    int r = dr_journal_runs(&run->home, &names);

    run->places.journal_of_user = run->target.uid != 0;
    for (char **name = names; r == 0 && *name; name++)
        r = settle_one(&settling, *name, error);
    run->places.journal_of_user = false;
    if (r == 0 && settling.sentence.length > 0) {
        settling.sentence.data[settling.sentence.length - 1] = '\0'; /* the last space */
        *ret_settled = dr_buffer_take(&settling.sentence);
    }
    dr_buffer_release(&settling.sentence);
    if (r < 0 && error && !error->text)
        return dr_error_set(error, r, "an interrupted run in %s cannot be settled (%s)", run->home.runs_path,
                            dr_errno_text(r));
    return r;
}
