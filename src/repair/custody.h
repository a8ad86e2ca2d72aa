/*
 * Root's own record of a journal that lies in a folder of a user's, and root's own shelf for it.
 *
 * A journal in a user's folder may be rewritten by that user. So when root works on a user's home and a step reaches what is root's
 * (a file of a folder that is not the user's, a command that root runs), root keeps two things of its own in the custody folder:
 *
 *   <run id>         the record:
 *                      journal <uid> <inode of the run's folder> <runs folder>
 *                      <length> <chain>        appended, on disk, after each sync of the journal
 *   <run id>.kept/   the vault: backups of root's files, and what was moved aside or taken away in root's folders, 0700. A copy in the user's
 *                    folder would show him what only root may read, and a thing that lies there he could exchange.
 *
 * The chain goes over the lines that root wrote: c(0) = "", c(n) = SHA-256 of c(n-1) and line n. A line of the journal is "held" when it
 * lies before the last whole <length>, and the chain up to there is the one that is written. The record is never ahead of the
 * journal: a kill between the two leaves lines that are not held, never a journal that is not believed. What is not held can only make
 * root do less. Backups need no record: their hash is in the intent.
 *
 * Only the process that made a journal writes its record; lines that are added later ("undone", "reverted") are not held. A record that
 * cannot be written on (`behind`) stops what needs it, before it is done, and nothing else.
 */
#ifndef DR_REPAIR_CUSTODY_H
#define DR_REPAIR_CUSTODY_H

#include "repair/journal.h"

#include <stdbool.h>

/* Is this step to be held: does it reach what the owner of the state could not change without root? */
bool dr_custody_needed(const struct dr_places *places, const struct dr_step *step);

/*
 * In the owner's own folder, but only root could do it and only root can take it back. Done without a record too; root then does not take it back,
 * and the result of the step says so.
 */
bool dr_custody_wished(const struct dr_places *places, const struct dr_step *step);

/* Does root take this back on a held line? All that it needs is in the line, or has its hash in it, or lies in the vault. */
bool dr_custody_covers(const struct dr_step *step);

/* Begins record and vault of a journal that this process made; a second time is success. Nothing to do without a custody folder. */
int dr_custody_begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal,
                     struct dr_error *error) DR_MUST_CHECK;

/* c(n) from c(n-1); `line` with its newline. */
int dr_custody_chain(char chain[DR_SHA256_HEX], const char *line, size_t length) DR_MUST_CHECK;

/* The journal is on disk up to `good`: so says the record, or the journal is `behind`. Nothing without one. */
void dr_custody_note(struct dr_journal *journal);

/* Is all that the journal says now in the record? -EIO when not: what needs it must not be done. */
int dr_custody_reached(const struct dr_journal_home *home, const struct dr_journal *journal,
                       struct dr_error *error) DR_MUST_CHECK;

/*
 * How many bytes of the journal's text are held; 0 when none, and `ret_why` says why (static text). `dir_fd`: the run's folder. A record
 * that is there and cannot be read just now (-EIO, ...) is not "none": then nothing may be taken for settled or undone.
 */
int dr_custody_held(const struct dr_journal_home *home, const char *run_id, int dir_fd, const char *text, size_t length,
                    size_t *ret_held, const char **ret_why) DR_MUST_CHECK;

/* Opens the vault of an earlier run, when there is one and its record is about this journal. */
void dr_custody_open(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal);

/* A run in which nothing was begun: removes the record and the vault that this process made. */
int dr_custody_clear(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal) DR_MUST_CHECK;

/* The run is undone, or is an undo that is done: the record has no more use. What is in the vault stays. */
void dr_custody_drop(const struct dr_journal_home *home, const char *run_id);

#endif
