/*
 * One row of a SQLite store: looked at, changed, put back, in one short transaction each.
 *
 * Rules (facts/openclaw-2026.9.md §1.3): the database is opened read-write but never created; BEGIN IMMEDIATE with a busy timeout of
 * 5 s; no checkpoint, and -wal and -shm stay, because a live gateway checks that they are the same files; a schema newer than known
 * is never written. When root repairs a user's store, file access happens with the owner's file-system uid, so new
 * -wal and -shm belong to the owner, and no link that the owner plants can lead root anywhere.
 *
 * An image is what a row (or the one column that is changed) holds, as JSON: it goes into the backup, its hash into the journal.
 */
#ifndef DR_REPAIR_ROW_H
#define DR_REPAIR_ROW_H

#include "repair/content.h"
#include "repair/step.h"

#include <sqlite3.h>

struct dr_database {
    sqlite3 *db;
    uint32_t uid, gid; /* owner of the file */
};

void dr_database_close(struct dr_database *database); /* rolls back what was not committed */
#define _cleanup_database_ _cleanup_(dr_database_close)

/* Begins the transaction. -ESTALE: another schema than judged; -ENOTSUP: a schema that we do not know; -EBUSY: locked for 5 s. */
int dr_database_open(const struct dr_place *place, int64_t schema_version, struct dr_database *ret_database,
                     struct dr_error *error) DR_MUST_CHECK;
int dr_database_commit(struct dr_database *database, struct dr_error *error) DR_MUST_CHECK;

/* The present image; NULL when there is no such row. -ESTALE when the key fits several rows. Caller frees. */
int dr_row_image(struct dr_database *database, const struct dr_row_change *row, char **ret_image,
                 struct dr_error *error) DR_MUST_CHECK;

/* Refuses (-ESTALE) when the column's text is not what was judged. */
int dr_row_expect(struct dr_database *database, const struct dr_row_change *row, struct dr_error *error) DR_MUST_CHECK;

/* The image as the change would leave it; NULL for a deletion. Caller frees. */
int dr_row_image_after(struct dr_database *database, const struct dr_row_change *row, char **ret_image,
                       struct dr_error *error) DR_MUST_CHECK;

/* Makes the row what `image` says: updates its column, inserts it, or (NULL) deletes it. Exactly one row, or -ESTALE. */
int dr_row_put(struct dr_database *database, const struct dr_row_change *row, const char *image,
               struct dr_error *error) DR_MUST_CHECK;

/* --- the three files, when nobody has them open ---------------------------------------------------------------- */

/* 1 when another process holds a SQLite lock on the database. */
int dr_database_in_use(const struct dr_place *place) DR_MUST_CHECK;

/* Hashes of the three files. `known` is false when one is too large to be kept whole. */
int dr_trio_look(const struct dr_place *place, struct dr_trio *ret_trio) DR_MUST_CHECK;

#endif
