/*
 * An open run, as repair.c, settle.c and undo.c see it.
 */
#ifndef DR_REPAIR_RUN_H
#define DR_REPAIR_RUN_H

#include "repair/change.h"
#include "repair/repair.h"

struct dr_repair_run {
    struct dr_repair_target target; /* strings borrowed from the caller */
    struct dr_places places;
    struct dr_journal_home home;
    struct dr_journal journal; /* made when the first operation is about to be applied */
    char *id;
    const char *undoes; /* the run that this one undoes (arena) */
    bool force;
    struct dr_arena arena;
    struct dr_step *steps;
    size_t count, room;
    size_t result_count; /* of the last dr_repair_apply */
};

/* Locks and makes the handle; settles nothing. */
int dr_run_open(const struct dr_repair_target *target, const char *run_id, struct dr_repair_run **ret_run,
                struct dr_error *error) DR_MUST_CHECK;
void dr_run_free(struct dr_repair_run *run);
static inline void dr_cleanup_run(struct dr_repair_run **run)
{
    if (*run)
        dr_run_free(*run);
}
#define _cleanup_run_ _cleanup_(dr_cleanup_run)

/* The run's folder and its first line, once. */
int dr_run_folder(struct dr_repair_run *run, struct dr_error *error) DR_MUST_CHECK;

/* {"type":"end","state":...}; nothing when there is no folder. */
int dr_run_write_end(struct dr_repair_run *run, const char *state) DR_MUST_CHECK;

/* A run in which nothing was begun leaves no folder. */
int dr_run_remove_folder(struct dr_repair_run *run) DR_MUST_CHECK;

/* The folders in which the record's changes were made may be written in again, to take them back. */
int dr_run_reach(struct dr_repair_run *run, const struct dr_record *record) DR_MUST_CHECK;

/* What the steps of this run are judged, made and taken back with. */
struct dr_scene dr_run_scene(struct dr_repair_run *run);

/* Settles every run that was killed; a sentence (caller frees) when there was one. */
int dr_settle_all(struct dr_repair_run *run, char **ret_settled, struct dr_error *error) DR_MUST_CHECK;

/* The undo of `record`, journalled in `run`. Fills the two arrays of the report. Changes nothing when it answers -ESTALE. */
int dr_undo_record(struct dr_repair_run *run, struct dr_record *record, cJSON *undone, cJSON *refused,
                   struct dr_error *error) DR_MUST_CHECK;

/* Goes on with an undo that was killed: what can be undone is, the rest comes into `refused`. */
int dr_undo_resume(struct dr_repair_run *run, const char *undo_id, struct dr_journal *undo, struct dr_record *record,
                   cJSON *refused, struct dr_error *error) DR_MUST_CHECK;

#endif
