#include "repair/database_internal.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>

enum {
    BUSY_MS = 5000,
    SCHEMA_KNOWN = 18, /* newest schema whose rules are written down (facts/openclaw-2026.9.md §2.1) */
};

/* --- whose eyes we look with ------------------------------------------------------------------------------------ */

struct dr_owner_eyes dr_as_owner(const struct dr_database *database)
{
    struct dr_owner_eyes back = { -1, -1 };

    if (geteuid() == 0 && database->uid != 0) {
        back.gid = setfsgid(database->gid);
        back.uid = setfsuid(database->uid);
    }
    return back;
}

void dr_as_before(struct dr_owner_eyes *back)
{
    int saved = errno;

    if (back->uid >= 0) {
        (void)setfsuid((uid_t)back->uid);
        (void)setfsgid((gid_t)back->gid);
    }
    errno = saved;
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

static int code_of(int sqlite)
{
    switch (sqlite & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:
        return -EINVAL;
    default:
        return -EIO;
    }
}

/* SQLite's words can quote a value (JSON errors do not, constraint errors name columns): only the kind is told. */
int dr_database_failed(const struct dr_database *database, int sqlite, const char *doing, struct dr_error *error)
{
    int extended = database->db ? sqlite3_extended_errcode(database->db) : sqlite;

    return dr_error_set(error, code_of(sqlite), "%s: SQLite says \"%s\" (%d)", doing, sqlite3_errstr(sqlite), extended);
}

void dr_statement_finish(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

static int execute(struct dr_database *database, const char *sql, const char *doing, struct dr_error *error)
{
    int rc = sqlite3_exec(database->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : dr_database_failed(database, rc, doing, error);
}

/* --- open and close --------------------------------------------------------------------------------------------- */

void dr_database_close(struct dr_database *database)
{
    if (!database->db)
        return;
    AS_OWNER(database);
    if (!sqlite3_get_autocommit(database->db))
        (void)sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_close_v2(database->db);
    database->db = NULL;
}

static int read_version(struct dr_database *database, int64_t *ret_version, struct dr_error *error)
{
    _cleanup_(dr_statement_finish) sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(database->db, "PRAGMA user_version", -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW)
        return dr_database_failed(database, rc, "its schema version cannot be read", error);
    *ret_version = sqlite3_column_int64(statement, 0);
    return 0;
}

static int judge_version(struct dr_database *database, int64_t judged, struct dr_error *error)
{
    int64_t version = 0;
    int r = read_version(database, &version, error);

    if (r < 0)
        return r;
    if (version > SCHEMA_KNOWN)
        return dr_error_set(error, -ENOTSUP, "its schema %lld is newer than this doctor knows (%d): it is not written",
                            (long long)version, SCHEMA_KNOWN);
    if (version != judged)
        return dr_error_set(error, -ESTALE, "its schema changed since it was looked at (%lld, now %lld)", (long long)judged,
                            (long long)version);
    return 0;
}

/* A rollback journal that was left behind means that the next opener changes the database: that is OpenClaw's to do. */
static int refuse_hot_journal(const struct dr_place *place, struct dr_error *error)
{
    _cleanup_free_ char *name = NULL;
    struct stat st;

    if (asprintf(&name, "%s-journal", place->name) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    if (fstatat(place->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
        return dr_error_set(error, -EBUSY,
                            "an unfinished transaction (%s) lies beside it; start OpenClaw once, then try again", name);
    return 0;
}

/* The path as the kernel knows it: links above the state directory are resolved already, so none may be met again. */
static int real_path(const struct dr_place *place, char **ret_path)
{
    char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    _cleanup_free_ char *folder = malloc(64 * 1024);
    ssize_t length;

    if (!folder)
        return -ENOMEM;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", place->dir_fd);
    length = readlink(link, folder, 64 * 1024 - 1);
    if (length < 0)
        return -errno;
    folder[length] = '\0';
    *ret_path = dr_path_join(folder, place->name);
    return *ret_path ? 0 : -ENOMEM;
}

static int open_file(struct dr_database *database, const char *path, struct dr_error *error)
{
    int keep_wal = 1;
    int rc =
        sqlite3_open_v2(path, &database->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE, NULL);

    if (rc != SQLITE_OK)
        return dr_database_failed(database, rc, "the database cannot be opened for writing", error);
    (void)sqlite3_busy_timeout(database->db, BUSY_MS);
    (void)sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_db_config(database->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(database->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_file_control(database->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
    (void)sqlite3_wal_autocheckpoint(database->db, 0);
    int r = execute(database, "PRAGMA synchronous=FULL", "the database cannot be set up", error);

    return r < 0 ? r : execute(database, "BEGIN IMMEDIATE", "no write transaction could be had", error);
}

int dr_database_open(const struct dr_place *place, int64_t schema_version, struct dr_database *ret_database,
                     struct dr_error *error)
{
    _cleanup_database_ struct dr_database database = { .uid = place->st.st_uid, .gid = place->st.st_gid };
    _cleanup_free_ char *real = NULL;
    int r = refuse_hot_journal(place, error);

    if (r == 0)
        r = real_path(place, &real);
    if (r < 0)
        return r;
    AS_OWNER(&database);
    r = open_file(&database, real, error);
    if (r == 0)
        r = dr_place_still(place);
    if (r == 0)
        r = judge_version(&database, schema_version, error);
    if (r < 0)
        return r;
    *ret_database = database;
    database.db = NULL;
    return 0;
}

int dr_database_commit(struct dr_database *database, struct dr_error *error)
{
    AS_OWNER(database);
    return execute(database, "COMMIT", "the change could not be written", error);
}

/* --- the three files -------------------------------------------------------------------------------------------- */

static int locked(int dir_fd, const char *name, off_t start, off_t length)
{
    _cleanup_close_ int fd = -1;
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    int r = dr_open_below(dir_fd, name, O_RDONLY | O_NONBLOCK, &fd);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -errno;
    return lock.l_type != F_UNLCK;
}

int dr_database_in_use(const struct dr_place *place)
{
    _cleanup_free_ char *shm = NULL;
    int r = locked(place->dir_fd, place->name, 0x40000000, 512);

    if (r != 0)
        return r;
    if (asprintf(&shm, "%s-shm", place->name) < 0) {
        shm = NULL;
        return -ENOMEM;
    }
    return locked(place->dir_fd, shm, 120, 9);
}

static int look_at(const struct dr_place *place, const char *suffix, struct dr_seen *ret_seen, bool *too_large)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (asprintf(&name, "%s%s", place->name, suffix) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    *ret_seen = (struct dr_seen){ 0 };
    int r = dr_open_below(place->dir_fd, name, O_RDONLY | O_NONBLOCK, &fd);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return -EINVAL;
    dr_seen_from_stat(&st, ret_seen);
    if (st.st_size > DR_CONTENT_MOST) {
        *too_large = true;
        return 0;
    }
    return dr_sha256_fd(fd, ret_seen->sha256);
}

int dr_trio_look(const struct dr_place *place, struct dr_trio *ret_trio)
{
    struct dr_trio trio = { 0 };
    bool too_large = false;
    int r = 0;

    for (size_t i = 0; r == 0 && i < DR_TRIO; i++)
        r = look_at(place, dr_trio_suffix[i], &trio.file[i], &too_large);
    if (r < 0)
        return r;
    trio.known = !too_large;
    *ret_trio = trio;
    return 0;
}
