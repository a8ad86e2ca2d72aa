#include "repair/row_image.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MOST = 256, VALUE_MOST = 16 * 1024 * 1024 };

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

int dr_image_of(sqlite3_stmt *statement, char **ret_image)
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

int dr_image_bind(sqlite3_stmt *statement, const cJSON *columns)
{
    const cJSON *column;
    int index = 0, r = 0;

    cJSON_ArrayForEach (column, columns) {
        if (r == 0)
            r = bind_value(statement, ++index, column);
    }
    return r;
}
