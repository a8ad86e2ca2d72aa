/*
 * The only writer: carries out operations that were planned, journals them, and can undo them.
 *
 * A run of repairs is a folder `<journal dir>/<run id>/` (0700, files 0600, owned by the state's owner), by default
 * `<state dir>/openclaw-doctor/runs/<run id>/`. It holds `journal.jsonl` and `backup/NNNN`. Order of every step:
 * backup + fsync, intent line + fsync, atomic change + fsync of the folder, done line + fsync. A run that was killed is
 * settled (finished or undone) by the next start; see dr_repair_settle.
 *
 * No function here prints, prompts or decides what is wrong. Secrets: backups are the user's own bytes; journal lines hold hashes
 * and fingerprints only.
 */
#ifndef DR_REPAIR_REPAIR_H
#define DR_REPAIR_REPAIR_H

#include "api/operation.h"
#include "base/error.h"
#include "wire/wire.h"

/* Where repairs may happen and for whom. Borrowed strings. */
struct dr_repair_target {
    int root_fd; /* AT_FDCWD, or the --root directory */
    const char *state_dir;
    const char *home; /* for texts, and of commands that run as the owner; may be NULL */
    const char *user; /* the owner's login name, for such commands; may be NULL */
    const char *journal_dir; /* --journal-dir, or NULL for the default */
    const char
        *custody_dir; /* root's own records of users' journals (custody.h); NULL: none, such steps are not undone later */
    uint32_t uid, gid; /* owner of journal and backups */
    bool gateway_running; /* operations that must wait for a stop are refused */
    bool
        plan_of_user; /* root carries out a plan that somebody else may have written: only what is the state's owner's own */
    const char *tool_version;
    const char *const
        *allowed; /* NULL-ended folders outside the state dir in which operations may write (unit folders, temp, ...) */
};

enum dr_repair_status {
    DR_REPAIR_PLANNED = 0,
    DR_REPAIR_APPLIED,
    DR_REPAIR_VERIFIED, /* looked again: the finding is gone */
    DR_REPAIR_REFUSED, /* stale, gateway running, not allowed: nothing was written */
    DR_REPAIR_FAILED, /* an error while writing; rolled back */
    DR_REPAIR_ROLLED_BACK,
    DR_REPAIR_STUCK, /* the rollback itself failed: `reason` says what to do by hand */
};

const char *dr_repair_status_name(enum dr_repair_status status); /* "planned", "applied", "verified", "refused", ... */

/* Result per operation; `reason` owned by the run. */
struct dr_repair_result {
    unsigned operation; /* id */
    enum dr_repair_status status;
    const char *reason; /* NULL when all went well; of a change that was made: why it will not be taken back */
    const char *backup; /* path of the backup, or NULL */
};

struct dr_repair_run; /* an open run: lock held, journal open */

/*
 * Takes the lock (one doctor at a time; -EBUSY names the holder in `error`), settles a run that was killed, and begins a new one.
 * Nothing of the user's is changed yet. `ret_settled` (may be NULL) gets a sentence when an earlier run was settled, caller frees.
 */
int dr_repair_begin(const struct dr_repair_target *target, const char *run_id, struct dr_repair_run **ret_run,
                    char **ret_settled, struct dr_error *error) DR_MUST_CHECK;

/* The run's id: `run_id`, or the one that was made. Borrowed. */
const char *dr_repair_run_id(const struct dr_repair_run *run);

/*
 * Applies `operations` in order. Operations of one finding stand together (`group` equal): when one of them is refused or
 * fails, those of its group are rolled back and the others go on. `results` has one entry for each. 0 when all were applied, 1 when some were
 * refused, 2 when some failed and were rolled back, 3 when a rollback is incomplete, negative errno when nothing could be done.
 */
int dr_repair_apply(struct dr_repair_run *run, const struct dr_operation *operations, const unsigned *groups, size_t count,
                    struct dr_repair_result *results, struct dr_error *error) DR_MUST_CHECK;

/* Undoes what was applied in this run for the given group (the second look was not content), or for all (group UINT_MAX). */
int dr_repair_roll_back(struct dr_repair_run *run, unsigned group, const char *why, struct dr_repair_result *results,
                        struct dr_error *error) DR_MUST_CHECK;

/* The run is over: `kept` or `rolled back` is written, the lock released, the handle freed. An empty run leaves no folder behind. */
int dr_repair_end(struct dr_repair_run *run, struct dr_error *error) DR_MUST_CHECK;

/*
 * Undoes a finished run (NULL: the newest that is not undone yet). Refuses (-ESTALE), and changes nothing, when a file is no longer what the
 * run left behind, unless `force`. The undo is itself a journalled run. `ret_report`: JSON {run, undone: [..], refused: [..]}.
 */
int dr_repair_undo(const struct dr_repair_target *target, const char *run_id, bool force, cJSON **ret_report,
                   struct dr_error *error) DR_MUST_CHECK;

/* JSON array, newest first: {run, startedAt, state ("kept", "undone", "rolled-back", "interrupted"), operations: [{kind, path, summary}]}. */
int dr_repair_history(const struct dr_repair_target *target, cJSON **ret_history, struct dr_error *error) DR_MUST_CHECK;

/* Is there a run that was killed? Read-only, for the look's report: 1 yes (`ret_run_id`, caller frees), 0 no. */
int dr_repair_interrupted(const struct dr_repair_target *target, char **ret_run_id);

#endif
