#include "facts/sqlite_read.h"

#include "base/file.h"
#include "facts/sqlite_vfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    PAGE_SIZE_AT = 16,
    PAYLOAD_FRACTIONS_AT = 21,
    USER_VERSION_AT = 60,
    CACHE_KIB = 256,
    LONGEST_VALUE = 8 << 20,
    STEPS_BETWEEN_LOOKS = 5000,
};

static const char magic[16] = "SQLite format 3";

/* Judged before it is opened for reading, as dr_read_file does; access times are left alone where the system lets us. */
static int open_judged(int root_fd, const char *path, int *ret_fd, struct dr_file_identity *ret_identity)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    struct stat again;
    int r = dr_stat(root_fd, path, &st);

    if (r < 0)
        return r;
    if (S_ISLNK(st.st_mode))
        return -ELOOP;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    r = dr_open(root_fd, path, O_RDONLY | O_NOATIME, &fd);
    if (r == -EPERM)
        r = dr_open(root_fd, path, O_RDONLY, &fd);
    if (r < 0)
        return r;
    if (fstat(fd, &again) < 0)
        return -errno;
    if (again.st_dev != st.st_dev || again.st_ino != st.st_ino)
        return -ESTALE;
    dr_file_identity_from_stat(&again, ret_identity);
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

static char *beside(const char *path, const char *suffix)
{
    char *name = NULL;

    return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

/* A journal whose first byte is not zero holds pages of a transaction that did not end. */
static int refuse_hot_journal(int root_fd, const char *path, struct dr_error *reterr_error)
{
    _cleanup_free_ char *name = beside(path, "-journal");
    _cleanup_close_ int fd = -1;
    struct dr_file_identity identity;
    char first = 0;

    if (!name)
        return -ENOMEM;
    int r = open_judged(root_fd, name, &fd, &identity);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return dr_error_set(reterr_error, r, "%s cannot be read: %s", name, dr_errno_text(r));
    if (pread(fd, &first, 1, 0) == 1 && first != 0)
        return dr_error_set(reterr_error, -EBUSY,
                            "a rollback journal lies beside it: the last write was cut off or goes on");
    return 0;
}

static int read_log(struct dr_sqlite *sqlite, int root_fd, const char *path, struct dr_error *reterr_error)
{
    _cleanup_free_ char *name = beside(path, "-wal");

    if (!name)
        return -ENOMEM;
    int r = open_judged(root_fd, name, &sqlite->wal_fd, &sqlite->wal_identity);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return dr_error_set(reterr_error, r, "its write-ahead log cannot be read: %s", dr_errno_text(r));
    r = dr_wal_read(sqlite->wal_fd, &sqlite->wal);
    if (r == -EFBIG)
        return dr_error_set(reterr_error, r, "its write-ahead log is larger than %u MiB",
                            (unsigned)(DR_WAL_MOST_BYTES >> 20));
    if (r < 0)
        return dr_error_set(reterr_error, r, "its write-ahead log cannot be read: %s", dr_errno_text(r));
    return 0;
}

static uint32_t page_size_of(const unsigned char *header)
{
    uint32_t size = (uint32_t)header[PAGE_SIZE_AT] << 8 | header[PAGE_SIZE_AT + 1];

    return size == 1 ? 65536 : size;
}

/* What every SQLite database begins with; payload fractions are fixed by the format. */
static bool header_is_good(const unsigned char *header)
{
    uint32_t size = page_size_of(header);

    return memcmp(header, magic, sizeof(magic)) == 0 && size >= 512 && size <= 65536 && (size & (size - 1)) == 0 &&
           header[PAYLOAD_FRACTIONS_AT] == 64 && header[PAYLOAD_FRACTIONS_AT + 1] == 32 &&
           header[PAYLOAD_FRACTIONS_AT + 2] == 32;
}

/* The shape of the database: page size and page count, from the log's last commit or from the file. */
static int judge_header(struct dr_sqlite *sqlite, struct dr_error *reterr_error)
{
    unsigned char header[DR_SQLITE_HEADER];
    ssize_t got = pread(sqlite->fd, sqlite->header, sizeof(sqlite->header), 0);

    if (got < 0)
        return dr_error_set(reterr_error, -errno, "%s", dr_errno_text(-errno));
    if (sqlite->wal.page_size > 0) {
        sqlite->page_size = sqlite->wal.page_size;
        sqlite->pages = sqlite->wal.database_pages;
    } else if (got < (ssize_t)sizeof(header) || !header_is_good(sqlite->header)) {
        return dr_error_set(reterr_error, -EBADMSG, "file is not a database");
    } else {
        sqlite->page_size = page_size_of(sqlite->header);
        sqlite->pages = sqlite->identity.size / sqlite->page_size;
    }
    if (dr_sqlite_read_at(sqlite, header, sizeof(header), 0) < (ssize_t)sizeof(header) || !header_is_good(header) ||
        page_size_of(header) != sqlite->page_size)
        return dr_error_set(reterr_error, -EBADMSG, "file is not a database");
    const unsigned char *version = header + USER_VERSION_AT;

    sqlite->user_version =
        (int32_t)((uint32_t)version[0] << 24 | (uint32_t)version[1] << 16 | (uint32_t)version[2] << 8 | version[3]);
    return 0;
}

static int out_of_time(void *argument)
{
    const struct dr_sqlite *sqlite = argument;
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return 1;
    return now.tv_sec > sqlite->deadline.tv_sec ||
           (now.tv_sec == sqlite->deadline.tv_sec && now.tv_nsec > sqlite->deadline.tv_nsec);
}

void dr_sqlite_allow_ms(struct dr_sqlite *sqlite, unsigned milliseconds)
{
    (void)clock_gettime(CLOCK_MONOTONIC, &sqlite->deadline);
    sqlite->deadline.tv_sec += milliseconds / 1000;
    sqlite->deadline.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (sqlite->deadline.tv_nsec >= 1000000000) {
        sqlite->deadline.tv_sec++;
        sqlite->deadline.tv_nsec -= 1000000000;
    }
}

/* Somebody else's schema is not trusted: no functions from views or triggers, no large values, an end to every query. */
static int settle(struct dr_sqlite *sqlite)
{
    int off = 0;

    (void)sqlite3_extended_result_codes(sqlite->db, 1);
    (void)sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &off);
    (void)sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &off);
    (void)sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, &off);
    (void)sqlite3_limit(sqlite->db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    (void)sqlite3_limit(sqlite->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(sqlite->db, STEPS_BETWEEN_LOOKS, out_of_time, sqlite);
    dr_sqlite_allow_ms(sqlite, 1000);

    char settings[128];

    (void)snprintf(settings, sizeof(settings),
                   "PRAGMA temp_store=memory; PRAGMA mmap_size=0; PRAGMA query_only=1; PRAGMA cache_size=-%d", CACHE_KIB);
    return sqlite3_exec(sqlite->db, settings, NULL, NULL, NULL);
}

int dr_sqlite_open(struct dr_sqlite *sqlite, int root_fd, const char *path, struct dr_error *reterr_error)
{
    *sqlite = (struct dr_sqlite){ .fd = -1, .wal_fd = -1 };
    int r = open_judged(root_fd, path, &sqlite->fd, &sqlite->identity);

    if (r < 0)
        return dr_error_set(reterr_error, r, "%s", dr_errno_text(r));
    r = refuse_hot_journal(root_fd, path, reterr_error);
    if (r < 0)
        return r;
    r = read_log(sqlite, root_fd, path, reterr_error);
    if (r < 0)
        return r;
    r = judge_header(sqlite, reterr_error);
    if (r < 0)
        return r;
    /* One thread uses it, and nobody asks what it uses: no locks and no counting at each allocation. Refused once it is at work, which does no harm. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    dr_sqlite_vfs_fill(sqlite);
    r = sqlite3_vfs_register(&sqlite->vfs, 0);
    if (r == SQLITE_OK)
        r = sqlite3_open_v2("database", &sqlite->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, sqlite->vfs_name);
    if (r == SQLITE_OK)
        r = settle(sqlite);
    if (r == SQLITE_NOMEM)
        return -ENOMEM;
    if (r != SQLITE_OK)
        return dr_error_set(reterr_error, -EBADMSG, "%s", dr_sqlite_words(sqlite));
    return 0;
}

void dr_sqlite_close(struct dr_sqlite *sqlite)
{
    if (sqlite->db)
        (void)sqlite3_close(sqlite->db);
    sqlite->db = NULL;
    if (sqlite->vfs.zName)
        (void)sqlite3_vfs_unregister(&sqlite->vfs);
    sqlite->vfs.zName = NULL;
    dr_wal_release(&sqlite->wal);
    dr_cleanup_close(&sqlite->fd);
    dr_cleanup_close(&sqlite->wal_fd);
    sqlite->fd = -1;
    sqlite->wal_fd = -1;
}

static bool path_is_still(int root_fd, const char *path, const struct dr_file_identity *identity)
{
    struct dr_file_identity now;
    struct stat st;
    int r = dr_stat(root_fd, path, &st);

    if (r < 0)
        return false;
    dr_file_identity_from_stat(&st, &now);
    return now.device == identity->device && now.inode == identity->inode;
}

static bool log_is_still_same(const struct dr_sqlite *sqlite, int root_fd, const char *path)
{
    _cleanup_free_ char *name = beside(path, "-wal");
    struct stat st;

    if (!name)
        return false;
    if (sqlite->wal_fd < 0)
        return dr_stat(root_fd, name, &st) == -ENOENT;
    return path_is_still(root_fd, name, &sqlite->wal_identity) && dr_wal_unchanged(&sqlite->wal, sqlite->wal_fd);
}

bool dr_sqlite_still_same(const struct dr_sqlite *sqlite, int root_fd, const char *path)
{
    struct dr_file_identity now;
    unsigned char header[DR_SQLITE_HEADER];
    struct stat st;

    if (sqlite->fd < 0 || fstat(sqlite->fd, &st) < 0)
        return false;
    dr_file_identity_from_stat(&st, &now);
    ssize_t got = pread(sqlite->fd, header, sizeof(header), 0);

    if (got < 0 || memcmp(header, sqlite->header, (size_t)got) != 0)
        return false;
    return dr_file_identity_same(&now, &sqlite->identity) && path_is_still(root_fd, path, &sqlite->identity) &&
           log_is_still_same(sqlite, root_fd, path);
}

const char *dr_sqlite_words(const struct dr_sqlite *sqlite)
{
    return sqlite->db ? sqlite3_errmsg(sqlite->db) : "file is not a database";
}
