/*
 * A SQLite store, open for one short transaction.
 *
 * Rules (facts/openclaw-2026.9.md §1.3): opened read-write but never created; BEGIN IMMEDIATE with a busy timeout of 5 s; no checkpoint,
 * and -wal and -shm stay, because a live gateway checks that they are the same files; a schema newer than known is never written. When
 * root repairs a user's store, file access happens with the owner's file-system uid, so new -wal and -shm belong to the
 * owner, and no link that the owner plants can lead root anywhere.
 */
#ifndef DR_REPAIR_DATABASE_H
#define DR_REPAIR_DATABASE_H

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

/* --- the three files, when nobody has them open ---------------------------------------------------------------- */

/* 1 when another process holds a SQLite lock on the database. */
int dr_database_in_use(const struct dr_place *place) DR_MUST_CHECK;

/* Hashes of the three files. `known` is false when one is too large to be kept whole. */
int dr_trio_look(const struct dr_place *place, struct dr_trio *ret_trio) DR_MUST_CHECK;

#endif
