/*
 * The journal of one run: a folder with journal.jsonl, backup/ and quarantine/ (docs/journal.md).
 *
 * A line counts when it ends in a newline and is on disk. A write that fails half way is cut off again; if that fails too,
 * the journal is broken and takes no more lines, so the executor stops changing things. A reader skips a torn last line.
 */
#ifndef DR_REPAIR_JOURNAL_H
#define DR_REPAIR_JOURNAL_H

#include "base/buffer.h"
#include "repair/place.h"
#include "repair/step.h"

#include <sys/types.h>

/* The doctor's own folders. The lock file lies in `home_fd`, run folders in `runs_fd`. */
struct dr_journal_home {
    int home_fd; /* <state>/openclaw-doctor */
    int runs_fd; /* its runs/, or --journal-dir; -1 when not there (readers) */
    char *runs_path; /* for people */
    int lock_fd; /* -1: not locked */
    const char *custody_dir; /* borrowed; NULL: no records (custody.h) */
    uint32_t custody_uid; /* whose journals these are */
    bool made; /* this process made the folder: it goes again when nothing was repaired */
};

#define DR_JOURNAL_HOME                             \
    {                                               \
        .home_fd = -1, .runs_fd = -1, .lock_fd = -1 \
    }
void dr_journal_home_release(struct dr_journal_home *home);

/* Readers: changes nothing; a missing folder is success with the descriptors -1. */
int dr_journal_home_look(const struct dr_places *places, struct dr_journal_home *ret_home,
                         struct dr_error *error) DR_MUST_CHECK;

/* Makes what is missing and takes the lock. -EBUSY: another doctor is repairing (named in `error`). */
int dr_journal_home_lock(const struct dr_places *places, struct dr_journal_home *ret_home,
                         struct dr_error *error) DR_MUST_CHECK;

/* 1 when somebody holds the lock. */
int dr_journal_home_busy(const struct dr_journal_home *home);

/* Removes lock and folders again when this process made them and no run came of it. */
void dr_journal_home_unmake(struct dr_journal_home *home);

/* Makes runs/ when needed; the default place is made as late as possible. */
int dr_journal_home_runs(const struct dr_places *places, struct dr_journal_home *home, struct dr_error *error) DR_MUST_CHECK;

/* Names of the run folders, newest first, NULL-ended. Caller frees each and the array (dr_names_free). */
int dr_journal_runs(const struct dr_journal_home *home, char ***ret_names) DR_MUST_CHECK;
void dr_names_free(char ***names);

/* --- one run ---------------------------------------------------------------------------------------------------- */

/* Where a run keeps bytes and things: in its own folder, or in root's (custody.h). Borrowed descriptor; -1: there is none. */
struct dr_shelf {
    int fd;
    uint32_t uid, gid; /* who shall own what is made in it */
};

struct dr_journal {
    int dir_fd; /* the run's folder */
    int fd; /* journal.jsonl, appending */
    off_t good; /* all before this is whole lines */
    bool broken;
    int custody_fd; /* root's record of it, or -1 (custody.h) */
    int vault_fd; /* what root keeps for it, or -1 */
    off_t noted; /* the record is whole up to here */
    bool behind; /* the record does not reach as far as the journal: what needs it is not done */
    char chain[DR_SHA256_HEX]; /* over the lines that this process wrote */
    uint32_t uid, gid; /* who shall own what is made in it */
};

#define DR_JOURNAL                                               \
    {                                                            \
        .dir_fd = -1, .fd = -1, .custody_fd = -1, .vault_fd = -1 \
    }
void dr_journal_release(struct dr_journal *journal);

int dr_journal_make(const struct dr_journal_home *home, const struct dr_repair_target *target, const char *run_id,
                    struct dr_journal *ret_journal) DR_MUST_CHECK;
int dr_journal_open(const struct dr_journal_home *home, const struct dr_repair_target *target, const char *run_id,
                    struct dr_journal *ret_journal) DR_MUST_CHECK;

/* Removes a run in which nothing was begun: journal.jsonl, the copies in backup/, an empty quarantine/. Releases the journal. */
int dr_journal_remove(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal) DR_MUST_CHECK;

/* Appends and deletes `line`. On disk when it returns 0. -ENOMEM when `line` is NULL. */
int dr_journal_add(struct dr_journal *journal, cJSON *line) DR_MUST_CHECK;

/* Several lines with one fsync: add them "later", then sync. */
int dr_journal_add_later(struct dr_journal *journal, cJSON *line) DR_MUST_CHECK;
int dr_journal_sync(struct dr_journal *journal) DR_MUST_CHECK;

/* {"type": type, "step": step} */
cJSON *dr_journal_line(const char *type, unsigned step);

/* Writes that the run is over: "kept" or "rolled-back". */
int dr_journal_end(struct dr_journal *journal, const char *state) DR_MUST_CHECK;

/* Root's shelf, or that in the run's folder. */
struct dr_shelf dr_journal_shelf(const struct dr_journal *journal, bool vault);

/* A folder on the shelf, such as "backup" or "quarantine/0003". Without a shelf, this and the following answer -ENOENT. */
int dr_shelf_folder(const struct dr_shelf *shelf, const char *path, int *ret_fd) DR_MUST_CHECK;

/* Keeps bytes, or all that can be read from `from`, as `name` (such as "backup/0003"), 0600, on disk. */
int dr_shelf_keep(const struct dr_shelf *shelf, const char *name, const void *bytes, size_t length) DR_MUST_CHECK;
int dr_shelf_keep_fd(const struct dr_shelf *shelf, const char *name, int from) DR_MUST_CHECK;

/* Reads a kept file; -ESTALE when its SHA-256 is not `sha256` (NULL: not compared). Appends to `buffer`. */
int dr_shelf_kept(const struct dr_shelf *shelf, const char *name, const char *sha256,
                  struct dr_buffer *buffer) DR_MUST_CHECK;

/* Removes the copies and empty folders on a shelf. Stops at what it does not know, and at a quarantine that holds something. */
int dr_shelf_clear(const struct dr_shelf *shelf) DR_MUST_CHECK;

/* --- what a journal says ------------------------------------------------------------------------------------------ */

struct dr_record {
    char *run; /* owned */
    const char *started_at; /* arena */
    const char *undoes; /* the run that this one undoes, or NULL */
    bool force; /* of an undo */
    bool begun; /* has its first line */
    bool ended; /* has its last line */
    bool applied; /* all that was planned was applied, and nothing came after */
    size_t held; /* so many bytes of the journal are in root's record (custody.h) */
    const char *not_held; /* why nothing is: static text, or NULL */
    bool in_held; /* while reading: is this line? */
    bool held_applied; /* so they say; lines after them cannot take it back */
    const char *undone_by; /* or NULL */
    struct dr_step *steps; /* owned */
    size_t count;
    struct dr_arena arena;
};

void dr_record_release(struct dr_record *record);
#define _cleanup_record_ _cleanup_(dr_record_release)

/* -EINVAL with the line's number when a line in the middle is not ours. */
int dr_record_read(const struct dr_journal_home *home, const char *run_id, struct dr_record *ret_record,
                   struct dr_error *error) DR_MUST_CHECK;

/* "kept", "undone", "rolled-back", "interrupted" */
const char *dr_record_state(const struct dr_record *record);

#endif
