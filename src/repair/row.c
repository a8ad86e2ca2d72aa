#include "repair/row.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>

enum {
    BUSY_MS = 5000,
    SCHEMA_KNOWN = 18, /* newest schema whose rules are written down (facts/openclaw-2026.9.md §2.1) */
    COLUMNS_MOST = 256,
    VALUE_MOST = 16 * 1024 * 1024,
    IMAGE_MOST = 64 * 1024 * 1024,
};

/* --- whose eyes we look with ------------------------------------------------------------------------------------ */

struct owner_eyes {
    int uid, gid; /* to go back to; -1: nothing was changed */
};

static struct owner_eyes as_owner(const struct dr_database *database)
{
    struct owner_eyes back = { -1, -1 };

    if (geteuid() == 0 && database->uid != 0) {
        back.gid = setfsgid(database->gid);
        back.uid = setfsuid(database->uid);
    }
    return back;
}

static void as_before(struct owner_eyes *back)
{
    int saved = errno;

    if (back->uid >= 0) {
        (void)setfsuid((uid_t)back->uid);
        (void)setfsgid((gid_t)back->gid);
    }
    errno = saved;
}

#define AS_OWNER(database) _cleanup_(as_before) struct owner_eyes eyes_ DR_UNUSED = as_owner(database)

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
static int failed(const struct dr_database *database, int sqlite, const char *doing, struct dr_error *error)
{
    int extended = database->db ? sqlite3_extended_errcode(database->db) : sqlite;

    return dr_error_set(error, code_of(sqlite), "%s: SQLite says \"%s\" (%d)", doing, sqlite3_errstr(sqlite), extended);
}

static void finish(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

static int execute(struct dr_database *database, const char *sql, const char *doing, struct dr_error *error)
{
    int rc = sqlite3_exec(database->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : failed(database, rc, doing, error);
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
    _cleanup_(finish) sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(database->db, "PRAGMA user_version", -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW)
        return failed(database, rc, "its schema version cannot be read", error);
    *ret_version = sqlite3_column_int64(statement, 0);
    return 0;
}

static int judge_version(struct dr_database *database, int64_t judged, struct dr_error *error)
{
    int64_t version;
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
        return failed(database, rc, "the database cannot be opened for writing", error);
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

/* --- statements ------------------------------------------------------------------------------------------------- */

/* Identifiers come from a plan or a journal: only plain ones, so that quoting cannot be broken out of. */
static bool plain_identifier(const char *name)
{
    size_t length = name ? strlen(name) : 0;

    return length > 0 && length < 128 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length;
}

static int append_where(struct dr_buffer *sql, const struct dr_cell *key, int first)
{
    for (int i = 0; i < 3 && key[i].column; i++) {
        if (!plain_identifier(key[i].column))
            return -EINVAL;
        int r = dr_buffer_appendf(sql, "%s \"%s\" = ?%d", i == 0 ? " WHERE" : " AND", key[i].column, first + i);

        if (r < 0)
            return r;
    }
    return key[0].column ? 0 : -EINVAL;
}

static int bind_key(sqlite3_stmt *statement, const struct dr_cell *key, int first)
{
    for (int i = 0; i < 3 && key[i].column; i++)
        if (sqlite3_bind_text(statement, first + i, key[i].text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
            return -ENOMEM;
    return 0;
}

static int prepare(struct dr_database *database, const struct dr_buffer *sql, sqlite3_stmt **ret, struct dr_error *error)
{
    int rc = sqlite3_prepare_v2(database->db, dr_buffer_text(sql), -1, ret, NULL);

    return rc == SQLITE_OK ? 0 : failed(database, rc, "the table is not what was expected", error);
}

/* SELECT `what` FROM table WHERE key, with ?1 and ?2 free for `what`. */
static int select_from(struct dr_database *database, const char *what, const char *table, const struct dr_cell *key,
                       sqlite3_stmt **ret_statement, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer sql = DR_BUFFER(16 * 1024);
    int r = plain_identifier(table) ? dr_buffer_appendf(&sql, "SELECT %s FROM \"%s\"", what, table) : -EINVAL;

    if (r == 0)
        r = append_where(&sql, key, 3);
    if (r == 0)
        r = prepare(database, &sql, ret_statement, error);
    return r == 0 ? bind_key(*ret_statement, key, 3) : r;
}

/* --- images ----------------------------------------------------------------------------------------------------- */

static char *hex_of(const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * length + 1);

    for (size_t i = 0; hex && i < length; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    if (hex)
        hex[2 * length] = '\0';
    return hex;
}

static int unhex(const char *hex, unsigned char **ret_bytes, size_t *ret_length)
{
    size_t length = strlen(hex) / 2;
    _cleanup_free_ unsigned char *bytes = malloc(length + 1);

    if (!bytes)
        return -ENOMEM;
    for (size_t i = 0; i < length; i++) {
        unsigned value;

        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            return -EINVAL;
        bytes[i] = (unsigned char)value;
    }
    *ret_bytes = DR_TAKE_PTR(bytes);
    *ret_length = length;
    return 0;
}

static const char *const type_names[] = {
    [SQLITE_INTEGER] = "integer", [SQLITE_FLOAT] = "real", [SQLITE_TEXT] = "text",
    [SQLITE_BLOB] = "blob",       [SQLITE_NULL] = "null",
};

/* The value as text: numbers in decimal (exact), text and blobs as hex (exact, NUL and bad UTF-8 included). */
static char *value_text(sqlite3_stmt *statement, int column)
{
    char *text = NULL;

    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return asprintf(&text, "%lld", (long long)sqlite3_column_int64(statement, column)) < 0 ? NULL : text;
    case SQLITE_FLOAT:
        return asprintf(&text, "%.17g", sqlite3_column_double(statement, column)) < 0 ? NULL : text;
    case SQLITE_NULL:
        return strdup("");
    default: {
        const unsigned char *bytes = sqlite3_column_blob(statement, column);

        return hex_of(bytes, (size_t)sqlite3_column_bytes(statement, column));
    }
    }
}

static bool add_column(cJSON *columns, sqlite3_stmt *statement, int column)
{
    _cleanup_free_ char *value = value_text(statement, column);
    cJSON *json = cJSON_CreateObject();

    if (json && value && cJSON_AddStringToObject(json, "name", sqlite3_column_name(statement, column)) &&
        cJSON_AddStringToObject(json, "type", type_names[sqlite3_column_type(statement, column)]) &&
        cJSON_AddStringToObject(json, "value", value) && cJSON_AddItemToArray(columns, json))
        return true;
    cJSON_Delete(json);
    return false;
}

static int image_of(sqlite3_stmt *statement, char **ret_image)
{
    cJSON *columns = cJSON_CreateArray();
    int count = sqlite3_column_count(statement);
    bool ok = columns && count <= COLUMNS_MOST;

    for (int i = 0; ok && i < count; i++)
        ok = sqlite3_column_bytes(statement, i) <= VALUE_MOST && add_column(columns, statement, i);
    *ret_image = ok ? cJSON_PrintUnformatted(columns) : NULL;
    cJSON_Delete(columns);
    return *ret_image ? 0 : -ENOMEM;
}

/* The one row that a statement yields, as an image; NULL for none, -ESTALE for several. */
static int one_row(struct dr_database *database, sqlite3_stmt *statement, char **ret_image, struct dr_error *error)
{
    _cleanup_free_ char *image = NULL;
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW) {
        int r = image_of(statement, &image);

        if (r < 0)
            return r;
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            return dr_error_set(error, -ESTALE, "more than one row has this key");
    }
    if (rc != SQLITE_DONE)
        return failed(database, rc, "the row cannot be read", error);
    *ret_image = DR_TAKE_PTR(image);
    return 0;
}

static char *column_expression(const struct dr_row_change *row)
{
    char *what = NULL;

    if (row->action == DR_ROW_DELETE)
        return strdup("*");
    return plain_identifier(row->column) && asprintf(&what, "\"%s\"", row->column) >= 0 ? what : NULL;
}

int dr_row_image(struct dr_database *database, const struct dr_row_change *row, char **ret_image, struct dr_error *error)
{
    _cleanup_(finish) sqlite3_stmt *statement = NULL;
    _cleanup_free_ char *what = column_expression(row);

    AS_OWNER(database);
    int r = what ? select_from(database, what, row->table, row->key, &statement, error) : -EINVAL;

    return r < 0 ? r : one_row(database, statement, ret_image, error);
}

static int append_column_text(sqlite3_stmt *statement, int column, struct dr_buffer *text)
{
    const unsigned char *bytes = sqlite3_column_text(statement, column);
    int r = column > 0 ? dr_buffer_append_byte(text, '\n') : 0;

    return r < 0 || !bytes ? r : dr_buffer_append(text, bytes, (size_t)sqlite3_column_bytes(statement, column));
}

int dr_row_expect(struct dr_database *database, const struct dr_row_change *row, struct dr_error *error)
{
    _cleanup_(finish) sqlite3_stmt *statement = NULL;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(IMAGE_MOST);
    _cleanup_free_ char *what = column_expression(row);
    char hash[DR_SHA256_HEX];

    if (!row->expect_sha256)
        return 0;
    AS_OWNER(database);
    int r = what ? select_from(database, what, row->table, row->key, &statement, error) : -EINVAL;

    if (r < 0)
        return r;
    if (sqlite3_step(statement) != SQLITE_ROW)
        return dr_error_set(error, -ESTALE, "the row is gone");
    for (int i = 0; r == 0 && i < sqlite3_column_count(statement); i++)
        r = append_column_text(statement, i, &text);
    if (r == 0)
        r = dr_sha256_hex(text.data, text.length, hash);
    if (r < 0)
        return r;
    if (strcmp(hash, row->expect_sha256) != 0)
        return dr_error_set(error, -ESTALE, "the row changed since it was looked at");
    return 0;
}

static int bind_free(sqlite3_stmt *statement, int index, const char *text)
{
    if (index > sqlite3_bind_parameter_count(statement))
        return 0;
    return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT) == SQLITE_OK ? 0 : -ENOMEM;
}

/* What the changed column shall hold, computed by SQLite but not written yet. */
static int select_after(struct dr_database *database, const struct dr_row_change *row, sqlite3_stmt **ret_statement,
                        struct dr_error *error)
{
    bool copy = row->action == DR_ROW_COPY;
    const char *from = copy ? row->from_column : row->column;
    char *what = NULL;
    int length = -1;

    if (!plain_identifier(row->column) || !plain_identifier(from))
        return -EINVAL;
    if (row->action == DR_ROW_SET_TEXT)
        length = asprintf(&what, "?1 AS \"%s\"", row->column);
    else if (!copy)
        length = asprintf(&what, "json_set(\"%s\", ?1, json(?2)) AS \"%s\"", from, row->column);
    else if (row->json_path)
        length = asprintf(&what, "json_extract(\"%s\", ?1) AS \"%s\"", from, row->column);
    else
        length = asprintf(&what, "\"%s\" AS \"%s\"", from, row->column);
    if (length < 0)
        return -ENOMEM;
    int r = select_from(database, what, copy ? row->from_table : row->table, copy ? row->from_key : row->key, ret_statement,
                        error);

    free(what);
    if (r < 0 || (copy && !row->json_path))
        return r;
    r = bind_free(*ret_statement, 1, row->action == DR_ROW_SET_TEXT ? row->text : row->json_path);
    return r == 0 && row->action == DR_ROW_SET_JSON ? bind_free(*ret_statement, 2, row->text) : r;
}

int dr_row_image_after(struct dr_database *database, const struct dr_row_change *row, char **ret_image,
                       struct dr_error *error)
{
    _cleanup_(finish) sqlite3_stmt *statement = NULL;
    _cleanup_free_ char *image = NULL;
    int r;

    if (row->action == DR_ROW_DELETE) {
        *ret_image = NULL;
        return 0;
    }
    AS_OWNER(database);
    r = select_after(database, row, &statement, error);
    if (r == 0)
        r = one_row(database, statement, &image, error);
    if (r < 0)
        return r;
    if (!image || (row->action == DR_ROW_COPY && strstr(image, "\"type\":\"null\"")))
        return dr_error_set(error, -ESTALE, "the row that the value comes from is gone");
    *ret_image = DR_TAKE_PTR(image);
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static int bind_value(sqlite3_stmt *statement, int index, const cJSON *column)
{
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(column, "type"));
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(column, "value"));
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length = 0;
    int rc;

    if (!type || !value)
        return -EINVAL;
    if (strcmp(type, "null") == 0) {
        rc = sqlite3_bind_null(statement, index);
    } else if (strcmp(type, "integer") == 0) {
        rc = sqlite3_bind_int64(statement, index, strtoll(value, NULL, 10));
    } else if (strcmp(type, "real") == 0) {
        rc = sqlite3_bind_double(statement, index, strtod(value, NULL));
    } else {
        int r = unhex(value, &bytes, &length);

        if (r < 0)
            return r;
        rc = strcmp(type, "text") == 0
                 ? sqlite3_bind_text(statement, index, (const char *)bytes, (int)length, SQLITE_TRANSIENT)
                 : sqlite3_bind_blob(statement, index, bytes, (int)length, SQLITE_TRANSIENT);
    }
    return rc == SQLITE_OK ? 0 : -ENOMEM;
}

static int bind_image(sqlite3_stmt *statement, const cJSON *columns)
{
    const cJSON *column;
    int index = 0, r = 0;

    cJSON_ArrayForEach (column, columns) {
        if (r == 0)
            r = bind_value(statement, ++index, column);
    }
    return r;
}

static int append_insert(struct dr_buffer *sql, const char *table, const cJSON *columns)
{
    const cJSON *column;
    int count = 0;
    int r = dr_buffer_appendf(sql, "INSERT INTO \"%s\" (", table);

    cJSON_ArrayForEach (column, columns) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(column, "name"));

        if (r == 0)
            r = plain_identifier(name) ? dr_buffer_appendf(sql, "%s\"%s\"", count > 0 ? ", " : "", name) : -EINVAL;
        count++;
    }
    for (int i = 0; r == 0 && i < count; i++)
        r = dr_buffer_appendf(sql, "%s?%d", i == 0 ? ") VALUES (" : ", ", i + 1);
    return r == 0 ? dr_buffer_append_text(sql, ")") : r;
}

/* The statement that makes the row so; values ?1.., key after them. */
static int append_put(struct dr_buffer *sql, const struct dr_row_change *row, const cJSON *columns)
{
    int r;

    if (!plain_identifier(row->table))
        return -EINVAL;
    if (columns && row->action == DR_ROW_DELETE)
        return append_insert(sql, row->table, columns);
    if (columns && !plain_identifier(row->column))
        return -EINVAL;
    r = columns ? dr_buffer_appendf(sql, "UPDATE \"%s\" SET \"%s\" = ?1", row->table, row->column)
                : dr_buffer_appendf(sql, "DELETE FROM \"%s\"", row->table);
    return r == 0 ? append_where(sql, row->key, 2) : r;
}

int dr_row_put(struct dr_database *database, const struct dr_row_change *row, const char *image, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer sql = DR_BUFFER(64 * 1024);
    _cleanup_(finish) sqlite3_stmt *statement = NULL;
    cJSON *columns = image ? cJSON_Parse(image) : NULL;
    bool insert = columns && row->action == DR_ROW_DELETE;

    AS_OWNER(database);
    int r = image && !cJSON_IsArray(columns) ? -EINVAL : append_put(&sql, row, columns);

    if (r == 0)
        r = prepare(database, &sql, &statement, error);
    if (r == 0)
        r = bind_image(statement, columns);
    if (r == 0 && !insert)
        r = bind_key(statement, row->key, 2);
    cJSON_Delete(columns);
    if (r < 0)
        return r;
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_DONE)
        return failed(database, rc, "the row cannot be changed", error);
    if (sqlite3_changes(database->db) != 1)
        return dr_error_set(error, -ESTALE, "the row is gone");
    return 0;
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
