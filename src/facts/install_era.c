#include "facts/install_era.h"

#include "base/file.h"
#include "facts/install_package.h"
#include "facts/sqlite_read.h"

#include <string.h>

enum { MOST_QUERY_MS = 500, SQLITE_HEADER = 100, USER_VERSION = 60, PAIRED_HEAD = 64 * 1024 };

static const struct dr_release newest = { 2026, 9, 6, 0 };

/* First release that writes the schema (openclaw-2026.9 section 2.1); newest first. */
static const struct {
    unsigned schema;
    struct dr_release release;
} schemas[] = {
    { 18, { 2026, 9, 6, 0 } }, { 15, { 2026, 8, 1, 0 } }, { 6, { 2026, 7, 2, 5 } },
    { 4, { 2026, 7, 2, 3 } },  { 2, { 2026, 7, 2, 1 } },
};

static bool exists(struct dr_context *context, const char *state_dir, const char *name)
{
    struct stat st;

    return dr_stat(context->request->root_fd, dr_context_join(context, state_dir, name), &st) == 0;
}

/* PRAGMA user_version as the database file's own header has it. False when it is no database. */
static bool schema_of(struct dr_context *context, const char *path, unsigned *ret_schema)
{
    char *header;
    size_t length;

    if (dr_read_head(context, path, SQLITE_HEADER, &header, &length) < 0 || length < SQLITE_HEADER ||
        memcmp(header, "SQLite format 3", 16) != 0)
        return false;
    const unsigned char *at = (const unsigned char *)header + USER_VERSION;

    *ret_schema = (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
    return true;
}

static struct dr_release json_era(struct dr_context *context, const char *state_dir, const char **ret_shown_by)
{
    char *paired;
    size_t length;

    if (exists(context, state_dir, "openclaw.json.last-good") || exists(context, state_dir, "tasks/runs.sqlite")) {
        *ret_shown_by = "device files in JSON beside openclaw.json.last-good";
        return (struct dr_release){ 2026, 4, 25, 0 };
    }
    if (dr_read_head(context, dr_context_join(context, state_dir, "devices/paired.json"), PAIRED_HEAD, &paired, &length) ==
            0 &&
        memmem(paired, length, "\"approvedScopes\"", 16)) {
        *ret_shown_by = "device files in JSON with approvedScopes";
        return (struct dr_release){ 2026, 2, 21, 0 };
    }
    *ret_shown_by = "device files in JSON";
    return (struct dr_release){ 2026, 2, 19, 0 };
}

struct dr_release dr_era_of_state(struct dr_context *context, const char *state_dir, const char **ret_shown_by)
{
    const char *database = state_dir ? dr_context_join(context, state_dir, "state/openclaw.sqlite") : NULL;
    bool json = state_dir && (exists(context, state_dir, "devices") || exists(context, state_dir, "identity"));
    unsigned schema = 0;

    if (database && schema_of(context, database, &schema))
        for (size_t i = 0; i < DR_COUNT(schemas); i++)
            if (schema >= schemas[i].schema) {
                *ret_shown_by = dr_format(context, "schema %u of state/openclaw.sqlite", schema);
                return schemas[i].release;
            }
    if (json)
        return json_era(context, state_dir, ret_shown_by);
    *ret_shown_by = database && exists(context, state_dir, "state/openclaw.sqlite") ? "there is a state/openclaw.sqlite"
                                                                                    : "no device store yet";
    return newest;
}

static const char *query_app_version(struct dr_context *context, struct dr_sqlite *sqlite)
{
    static const char query[] = "SELECT app_version FROM schema_meta WHERE meta_key = 'primary'";
    sqlite3_stmt *statement = NULL;
    const char *version = NULL;

    dr_sqlite_allow_ms(sqlite, MOST_QUERY_MS);
    if (sqlite3_prepare_v2(sqlite->db, query, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        version = dr_strdup(context, (const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    return version;
}

const char *dr_app_version_of_state(struct dr_context *context, const char *state_dir)
{
    const char *path = dr_context_join(context, state_dir, "state/openclaw.sqlite");
    struct dr_sqlite *sqlite = dr_alloc(context, sizeof(*sqlite));
    const char *version = NULL;
    unsigned schema;

    if (!schema_of(context, path, &schema))
        return NULL;
    if (dr_sqlite_open(sqlite, context->request->root_fd, path, NULL) == 0 && sqlite->db)
        version = query_app_version(context, sqlite);
    dr_sqlite_close(sqlite);
    return version;
}
