/*
 * A step: one change as the journal knows it. What was there before, what is there afterwards, and where the old is kept.
 * An operation becomes a step when it was judged; undo and recovery know steps only.
 */
#ifndef DR_REPAIR_STEP_H
#define DR_REPAIR_STEP_H

#include "api/operation.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"

#include <cjson/cJSON.h>
#include <sys/stat.h>

/* All that is compared to tell "before" from "after". For a row, only sha256 (of the row's image) is used. */
struct dr_seen {
    bool exists;
    uint32_t mode, uid, gid;
    uint64_t device, inode;
    int64_t mtime_ns;
    char sha256[DR_SHA256_HEX]; /* "" when contents do not matter */
};

enum { DR_TRIO = 3 }; /* a database, its -wal and its -shm */

/* The database's three files, when they could be copied whole because nobody had them open. */
struct dr_trio {
    bool known;
    struct dr_seen file[DR_TRIO];
};

enum dr_step_state {
    DR_STEP_INTENT = 0, /* may or may not have happened */
    DR_STEP_DONE,
    DR_STEP_REVERTED,
};

/* Strings live in the run's arena. */
struct dr_step {
    unsigned number; /* from 1 */
    unsigned operation;
    unsigned group;
    enum dr_operation_kind kind;
    enum dr_step_state state;
    const char *path;
    const char *summary;
    struct dr_seen before, after;
    const char *backup; /* below the run's folder, or NULL */
    const char *temp; /* temporary name in the path's folder, or NULL */
    const char *aside; /* DR_MOVE_ASIDE: below the run's folder, or absolute when that is on another file system */
    bool keep; /* DR_EDIT_FILE: a later command writes the file anew; what it leaves is not known beforehand */
    struct dr_row_change row; /* DR_UPDATE_ROW */
    struct dr_command command; /* DR_RUN_COMMAND */
    bool
        paired; /* DR_RUN_COMMAND: the group was to run an acting command later; only if that began is there anything to undo */
    bool undone; /* DR_RUN_COMMAND: it failed and did nothing. Not in the journal: at worst its answer is run for nothing */
    bool vault; /* in what is root's, in a user's run: backup and what is moved are on root's shelf (custody.h) */
    bool held; /* read from a line in root's record (custody.h); never in the journal */
    struct dr_trio trio_before, trio_after;
};

void dr_seen_from_stat(const struct stat *st, struct dr_seen *ret_seen);

/* An "intent" line. Caller owns; NULL without memory. */
cJSON *dr_step_to_json(const struct dr_step *step);

/* -EINVAL for anything that dr_step_to_json does not write: a journal lies in a folder of somebody else's. */
int dr_step_from_json(const cJSON *json, struct dr_arena *arena, struct dr_step *ret_step) DR_MUST_CHECK;

cJSON *dr_trio_to_json(const struct dr_trio *trio);
int dr_trio_from_json(const cJSON *json, struct dr_trio *ret_trio) DR_MUST_CHECK;

/* The backup of one of the three files, below the run's folder. Caller frees. */
char *dr_trio_backup(const struct dr_step *step, size_t which);
extern const char *const dr_trio_suffix[DR_TRIO];

#endif
