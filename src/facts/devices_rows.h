/*
 * Rows of state/openclaw.sqlite. Columns are found by name: schemas 2 to 18 differ in some, and one that is absent reads as empty.
 * Each returns SQLITE_OK or SQLite's code; a table that is not there reads as empty.
 */
#ifndef DR_FACTS_DEVICES_ROWS_H
#define DR_FACTS_DEVICES_ROWS_H

#include "facts/devices_store.h"

#include <sqlite3.h>

int dr_rows_version(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store);
int dr_rows_identity(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store);
int dr_rows_paired(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store);
int dr_rows_pending(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store);
/* Both client-side tables. */
int dr_rows_cached(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store);

#endif
