/*
 * Root's own record of a journal that lies in a folder of a user's.
 *
 * A journal in a user's folder may be rewritten by that user. So when root works on a user's home and a step reaches what is root's
 * (a file of a folder that is not the user's, a command that root runs), root keeps a file of its own, <custody folder>/<run id>:
 *
 *   journal <uid> <inode of the run's folder> <runs folder>
 *   <length> <chain>            appended, on disk, after each sync of the journal
 *
 * The chain goes over the lines that root wrote: c(0) = "", c(n) = SHA-256 of c(n-1) and line n. A line of the journal is "held" when it
 * lies before the last whole <length>, and the chain up to there is the one that is written. The record is never ahead of the
 * journal: a kill between the two leaves lines that are not held, never a journal that is not believed. What is not held can only make
 * root do less. Backups need no record: their hash is in the intent.
 *
 * Only the process that made a journal writes its record; lines that are added later ("undone", "reverted") are not held.
 */
#ifndef DR_REPAIR_CUSTODY_H
#define DR_REPAIR_CUSTODY_H

#include "repair/journal.h"

#include <stdbool.h>

/* Is this step to be held: does it reach what the owner of the state could not change without root? */
bool dr_custody_needed(const struct dr_places *places, const struct dr_step *step);

/* Kinds that root takes back on a held line: all that they need is in the line, or has its hash in it. */
bool dr_custody_covers(const struct dr_step *step);

/* Begins the record of a journal that this process made; a second time is success. Nothing to do without a custody folder. */
int dr_custody_begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal,
                     struct dr_error *error) DR_MUST_CHECK;

/* c(n) from c(n-1); `line` with its newline. */
int dr_custody_chain(char chain[DR_SHA256_HEX], const char *line, size_t length) DR_MUST_CHECK;

/* The journal is on disk up to `good`: so says the record. Nothing without one. */
int dr_custody_note(const struct dr_journal *journal) DR_MUST_CHECK;

/* How many bytes of the journal's text are held; 0 when none, for whatever reason. `dir_fd`: the run's folder. */
size_t dr_custody_held(const struct dr_journal_home *home, const char *run_id, int dir_fd, const char *text, size_t length);

/* The run is undone: the record has no more use. */
void dr_custody_drop(const struct dr_journal_home *home, const char *run_id);

#endif
