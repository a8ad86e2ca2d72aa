#include "facts/sqlite_vfs.h"

#include <string.h>

struct file {
    sqlite3_file base;
    const struct dr_sqlite *sqlite;
};

enum { WRITE_VERSION = 18, READ_VERSION = 19, ROLLBACK_JOURNAL = 1 };

/* A piece that lies within one page. */
static ssize_t read_piece(const struct dr_sqlite *sqlite, unsigned char *space, size_t length, uint64_t offset)
{
    uint64_t size = sqlite->page_size;
    uint64_t in_log;
    bool from_log = dr_wal_find(&sqlite->wal, (uint32_t)(offset / size + 1), &in_log);
    uint64_t at = from_log ? in_log + offset % size : offset;
    size_t have = 0;

    while (have < length) {
        ssize_t got = pread(from_log ? sqlite->wal_fd : sqlite->fd, space + have, length - have, (off_t)(at + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    for (unsigned mark = WRITE_VERSION; mark <= READ_VERSION; mark++)
        if (offset <= mark && mark < offset + have)
            space[mark - offset] = ROLLBACK_JOURNAL;
    return (ssize_t)have;
}

ssize_t dr_sqlite_read_at(const struct dr_sqlite *sqlite, void *space, size_t length, uint64_t offset)
{
    uint64_t end = sqlite->pages * sqlite->page_size;
    size_t have = 0;

    if (offset >= end)
        return 0;
    if (length > end - offset)
        length = (size_t)(end - offset);
    while (have < length) {
        uint64_t at = offset + have;
        size_t piece = sqlite->page_size - (size_t)(at % sqlite->page_size);

        if (piece > length - have)
            piece = length - have;
        ssize_t got = read_piece(sqlite, (unsigned char *)space + have, piece, at);

        if (got < 0)
            return got;
        have += (size_t)got;
        if ((size_t)got < piece)
            break;
    }
    return (ssize_t)have;
}

static int file_close(sqlite3_file *file)
{
    (void)file; /* the descriptors are the struct's */
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *space, int length, sqlite3_int64 offset)
{
    const struct file *file = (const struct file *)base;
    ssize_t got;

    if (length < 0 || offset < 0)
        return SQLITE_IOERR_READ;
    got = dr_sqlite_read_at(file->sqlite, space, (size_t)length, (uint64_t)offset);
    if (got < 0)
        return SQLITE_IOERR_READ;
    if (got < length) {
        memset((char *)space + got, 0, (size_t)(length - got));
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
    (void)file, (void)bytes, (void)length, (void)offset;
    return SQLITE_READONLY;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    (void)file, (void)size;
    return SQLITE_READONLY;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    const struct file *file = (const struct file *)base;

    *ret_size = (sqlite3_int64)file->sqlite->pages * (sqlite3_int64)file->sqlite->page_size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *ret_reserved)
{
    (void)file;
    *ret_reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    (void)file, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
    struct file *file = (struct file *)base;

    (void)name;
    file->base.pMethods = NULL;
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return SQLITE_CANTOPEN;
    file->sqlite = vfs->pAppData;
    file->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs, (void)name, (void)sync;
    return SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there)
{
    (void)vfs, (void)name, (void)flags;
    *ret_there = 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int room, char *ret_path)
{
    (void)vfs;
    (void)sqlite3_snprintf(room, ret_path, "%s", name);
    return SQLITE_OK;
}

/* Nothing here is random or timed: the same file reads the same way twice. */
static int vfs_randomness(sqlite3_vfs *vfs, int length, char *ret_bytes)
{
    (void)vfs;
    memset(ret_bytes, 0, (size_t)length);
    return length;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret_julian)
{
    (void)vfs;
    *ret_julian = 0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *ret_text)
{
    (void)vfs, (void)room, (void)ret_text;
    return 0;
}

void dr_sqlite_vfs_fill(struct dr_sqlite *sqlite)
{
    /* A name of its own, so that two readers in one process do not meet. */
    (void)sqlite3_snprintf(sizeof(sqlite->vfs_name), sqlite->vfs_name, "dr-read-%p", (void *)sqlite);
    sqlite->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = sizeof(struct file),
        .mxPathname = 64,
        .zName = sqlite->vfs_name,
        .pAppData = sqlite,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
    };
}
