#include "repair/row.h"

#include "base/buffer.h"
#include "repair/database_internal.h"
#include "repair/row_image.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN_TEXT_MOST = 64 * 1024 * 1024 };

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

    return rc == SQLITE_OK ? 0 : dr_database_failed(database, rc, "the table is not what was expected", error);
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

/* The one row that a statement yields, as an image; NULL for none, -ESTALE for several. */
static int one_row(struct dr_database *database, sqlite3_stmt *statement, char **ret_image, struct dr_error *error)
{
    _cleanup_free_ char *image = NULL;
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW) {
        int r = dr_image_of(statement, &image);

        if (r < 0)
            return r;
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            return dr_error_set(error, -ESTALE, "more than one row has this key");
    }
    if (rc != SQLITE_DONE)
        return dr_database_failed(database, rc, "the row cannot be read", error);
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
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
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
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(COLUMN_TEXT_MOST);
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
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
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
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    cJSON *columns = image ? cJSON_Parse(image) : NULL;
    bool insert = columns && row->action == DR_ROW_DELETE;

    AS_OWNER(database);
    int r = image && !cJSON_IsArray(columns) ? -EINVAL : append_put(&sql, row, columns);

    if (r == 0)
        r = prepare(database, &sql, &statement, error);
    if (r == 0)
        r = dr_image_bind(statement, columns);
    if (r == 0 && !insert)
        r = bind_key(statement, row->key, 2);
    cJSON_Delete(columns);
    if (r < 0)
        return r;
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_DONE)
        return dr_database_failed(database, rc, "the row cannot be changed", error);
    if (sqlite3_changes(database->db) != 1)
        return dr_error_set(error, -ESTALE, "the row is gone");
    return 0;
}
