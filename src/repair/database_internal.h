/*
 * Shared by the files that write to SQLite; not for others.
 */
#ifndef DR_REPAIR_DATABASE_INTERNAL_H
#define DR_REPAIR_DATABASE_INTERNAL_H

#include "repair/database.h"

/* File-system identity to go back to; -1: nothing was changed. */
struct dr_owner_eyes {
    int uid, gid;
};

/* While root repairs a user's database, every access to files happens with the owner's rights. Ends with the scope. */
struct dr_owner_eyes dr_as_owner(const struct dr_database *database);
void dr_as_before(struct dr_owner_eyes *back);
#define AS_OWNER(database) _cleanup_(dr_as_before) struct dr_owner_eyes eyes_ DR_UNUSED = dr_as_owner(database)

/* A negative errno for a SQLite code, with its words. */
int dr_database_failed(const struct dr_database *database, int sqlite, const char *doing, struct dr_error *error);

void dr_statement_finish(sqlite3_stmt **statement);
#define _cleanup_statement_ _cleanup_(dr_statement_finish)

#endif
