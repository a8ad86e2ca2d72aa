/*
 * A SQLite database of somebody else's, read so that nothing beside it changes: no byte, no inode, no mtime, no lock.
 *
 * SQLite reads it through a file system layer (VFS) of our own over read-only descriptors. The write-ahead log is overlaid by
 * us (facts/sqlite_wal.h), and the header's two "this is WAL" bytes read as "rollback journal", so SQLite never asks for a shared
 * index, a lock or a second file. It works on read-only mounts, under Landlock, and for another user's readable file.
 *
 * Without a lock a writer may be at work meanwhile. After the last query the caller asks dr_sqlite_still_same; false means that
 * what was read may be a mixture, and is thrown away and read again. A rollback journal with contents means that the last
 * transaction must be rolled back first: dr_sqlite_open says -EBUSY then rather than show half of it.
 *
 * The struct is owned by the caller and not moved between open and close (SQLite keeps pointers into it).
 */
#ifndef DR_FACTS_SQLITE_READ_H
#define DR_FACTS_SQLITE_READ_H

#include "api/file_state.h"
#include "base/error.h"
#include "facts/sqlite_wal.h"

#include <sqlite3.h>
#include <time.h>

enum { DR_SQLITE_HEADER = 100 };

struct dr_sqlite {
    sqlite3 *db; /* NULL when the file is no database; the identity is known all the same */
    struct dr_file_identity identity; /* of the main file */
    int64_t user_version; /* with the log's page 1 taken into account */
    uint64_t pages; /* of the database as it stands after the log */
    uint32_t page_size;
    /* private */
    int fd, wal_fd;
    struct dr_file_identity wal_identity;
    struct dr_wal wal;
    unsigned char header[DR_SQLITE_HEADER];
    sqlite3_vfs vfs;
    char vfs_name[40];
    struct timespec deadline;
};

/*
 * 0; -ENOENT, -EACCES, -ELOOP, -EINVAL (not a regular file), ... as dr_read_file; -EBADMSG: not a database, or its header cannot be true;
 * -EBUSY: a hot rollback journal; -EFBIG: log beyond the bound. `reterr_error` (may be NULL) gets words. On -EBADMSG the
 * `identity` is filled in; dr_sqlite_close is needed in any case.
 */
int dr_sqlite_open(struct dr_sqlite *sqlite, int root_fd, const char *path, struct dr_error *reterr_error) DR_MUST_CHECK;
void dr_sqlite_close(struct dr_sqlite *sqlite);

/* From now on queries that run longer than this end with SQLITE_INTERRUPT. */
void dr_sqlite_allow_ms(struct dr_sqlite *sqlite, unsigned milliseconds);

/* True when no writer changed anything since dr_sqlite_open. */
bool dr_sqlite_still_same(const struct dr_sqlite *sqlite, int root_fd, const char *path);

/* The name and shape of this build's SQLite result for people: "database disk image is malformed". */
const char *dr_sqlite_words(const struct dr_sqlite *sqlite);

#endif
