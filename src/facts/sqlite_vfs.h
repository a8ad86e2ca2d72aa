/*
 * The file system that SQLite sees when it reads through facts/sqlite_read.h: one read-only file, nothing else.
 */
#ifndef DR_FACTS_SQLITE_VFS_H
#define DR_FACTS_SQLITE_VFS_H

#include "facts/sqlite_read.h"

/* Fills sqlite->vfs (not registered yet). Everything but the main database is refused: no journal, no log, no temporary file. */
void dr_sqlite_vfs_fill(struct dr_sqlite *sqlite);

/*
 * Bytes of the database as it stands after the log, with the header's WAL marks taken away. Returns bytes read (short at the end)
 * or a negative errno.
 */
ssize_t dr_sqlite_read_at(const struct dr_sqlite *sqlite, void *space, size_t length, uint64_t offset);

#endif
