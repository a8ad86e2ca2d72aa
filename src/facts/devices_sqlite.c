/* The store in state/openclaw.sqlite. Tables: facts/openclaw-2026.9.md §1.4. */
#include "base/file.h"
#include "facts/devices_rows.h"
#include "facts/devices_store.h"
#include "facts/magic.h"
#include "facts/sqlite_read.h"

#include <string.h>

enum {
    TRIES = 5,
    BETWEEN_TRIES_NS = 3000000,
    ROWS_MS = 1000,
    CHECK_MS = 200,
    CHECK_BYTES = 16 << 20, /* larger databases: only the pages of our own tables */
    PAIRING_SCHEMA = 2,
    IDENTITY_SCHEMA = 6,
};

/* What SQLite says is damage of the file, as against a question that it could not answer. */
static bool is_damage(int code, const char *words)
{
    code &= 0xff;
    if (code == SQLITE_NOTADB)
        return true;
    /* A schema in words that this build's SQLite does not know yet comes as "corrupt", too. */
    return code == SQLITE_CORRUPT && strncmp(words, "malformed database schema", 25) != 0;
}

static void broken(struct dr_context *context, struct dr_sqlite_store *store, int code, const char *words)
{
    store->file.state = is_damage(code, words) ? DR_FILE_INVALID : DR_FILE_UNREADABLE;
    store->file.reason = (code & 0xff) == SQLITE_INTERRUPT ? "it takes too long to read" : dr_strdup(context, words);
}

static int read_tables(struct dr_context *context, struct dr_sqlite *sqlite, struct dr_sqlite_store *store)
{
    int r = SQLITE_OK;

    if (store->schema_version >= IDENTITY_SCHEMA) {
        r = dr_rows_identity(context, sqlite->db, store);
        if (r == SQLITE_OK)
            r = dr_rows_cached(context, sqlite->db, store);
    }
    if (r == SQLITE_OK && store->schema_version >= PAIRING_SCHEMA)
        r = dr_rows_paired(context, sqlite->db, store);
    if (r == SQLITE_OK && store->schema_version >= PAIRING_SCHEMA)
        r = dr_rows_pending(context, sqlite->db, store);
    return r;
}

/* First line that says something: "Page 79: btreeInitPage() returns error code 11". NULL: all is well. */
static int check_words(sqlite3 *db, const char *question, struct dr_context *context, const char **ret_words)
{
    sqlite3_stmt *statement = NULL;
    int r = sqlite3_prepare_v2(db, question, -1, &statement, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_step(statement);
    if (r == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        const char *line = text && strncmp(text, "*** ", 4) == 0 && strchr(text, '\n') ? strchr(text, '\n') + 1 : text;

        *ret_words = !line || strcmp(line, "ok") == 0 ? NULL : dr_strndup(context, line, strcspn(line, "\n"));
        r = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return r;
}

/*
 * The gateway refuses to start when SQLite's integrity_check fails anywhere in the file, so the same is asked here where it is quick.
 * A check that took too long leaves `checked` false and is no finding.
 */
static void check_pages(struct dr_context *context, struct dr_sqlite *sqlite, struct dr_sqlite_store *store)
{
    static const char *const ours[] = {
        "PRAGMA quick_check('device_identities')",
        "PRAGMA quick_check('device_pairing_paired')",
        "PRAGMA quick_check('device_pairing_pending')",
        "PRAGMA quick_check('device_auth_tokens')",
    };
    bool small = sqlite->pages * sqlite->page_size <= CHECK_BYTES;
    const char *words = NULL;
    int r = SQLITE_OK;

    dr_sqlite_allow_ms(sqlite, CHECK_MS);
    if (small)
        r = check_words(sqlite->db, "PRAGMA integrity_check(1)", context, &words);
    else
        for (size_t i = 0; i < DR_COUNT(ours) && r == SQLITE_OK && !words; i++)
            r = check_words(sqlite->db, ours[i], context, &words);
    if (r != SQLITE_OK && is_damage(r, dr_sqlite_words(sqlite)))
        words = dr_strdup(context, dr_sqlite_words(sqlite));
    if (words) {
        store->file.state = DR_FILE_INVALID;
        store->file.reason = words;
    }
    store->checked = small && r == SQLITE_OK;
}

static void read_opened(struct dr_context *context, struct dr_sqlite *sqlite, struct dr_sqlite_store *store)
{
    int r;

    store->schema_version = sqlite->user_version;
    dr_sqlite_allow_ms(sqlite, ROWS_MS);
    r = dr_rows_version(context, sqlite->db, store);
    store->file.state = DR_FILE_GOOD;
    if (store->schema_version > DR_NEWEST_SCHEMA) {
        store->file.state = DR_FILE_NEWER_SCHEMA;
        store->file.reason = dr_format(context, "its schema is %lld, and %d is the newest that this doctor knows",
                                       (long long)store->schema_version, DR_NEWEST_SCHEMA);
        return;
    }
    if (r == SQLITE_OK)
        r = read_tables(context, sqlite, store);
    if (r != SQLITE_OK)
        broken(context, store, r, dr_sqlite_words(sqlite));
    else
        check_pages(context, sqlite, store);
}

static void not_opened(struct dr_context *context, int error, const char *words, struct dr_sqlite_store *store)
{
    if (error == -ENOENT || error == -ENOTDIR)
        return; /* DR_FILE_MISSING */
    store->file.state = error == -EBADMSG || error == -EINVAL ? DR_FILE_INVALID : DR_FILE_UNREADABLE;
    store->file.error = error;
    store->file.reason = error == -EINVAL ? "it is a folder or a device, not a file" : dr_strdup(context, words);
}

/* One look. False: a writer was at work, and what was read may be a mixture. */
static bool look(struct dr_context *context, const char *path, struct dr_sqlite_store *store)
{
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_sqlite sqlite;
    int root_fd = context->request->root_fd;
    int r = dr_sqlite_open(&sqlite, root_fd, path, &error);
    bool same = true;

    store->file.identity = sqlite.identity;
    if (r < 0) {
        not_opened(context, r, dr_error_text(&error), store);
        /* A header that is half written looks like damage; one that cannot be opened does not get better. */
        same = r != -EBUSY && r != -ESTALE && (r != -EBADMSG || dr_sqlite_still_same(&sqlite, root_fd, path));
    } else {
        read_opened(context, &sqlite, store);
        same = dr_sqlite_still_same(&sqlite, root_fd, path);
    }
    dr_sqlite_close(&sqlite);
    return same;
}

void dr_devices_read_sqlite(struct dr_context *context, const char *state_dir, struct dr_sqlite_store *ret_store)
{
    const char *path = dr_format(context, "%s/state/openclaw.sqlite", state_dir);
    struct dr_sqlite_store store;
    bool same = false;

    for (int i = 0; i < TRIES && !same; i++) {
        if (i > 0)
            (void)nanosleep(&(struct timespec){ .tv_nsec = BETWEEN_TRIES_NS }, NULL);
        store = (struct dr_sqlite_store){
            .file.path = path,
            .paired.most = DR_MOST_PAIRED,
            .pending.most = DR_MOST_PENDING,
        };
        same = look(context, path, &store);
    }
    if (!same && store.file.error != -EBUSY) {
        store = (struct dr_sqlite_store){ .file.path = path, .file.identity = store.file.identity };
        store.file.state = DR_FILE_UNREADABLE;
        store.file.error = -EAGAIN;
        store.file.reason = "the database was being written all the time; look again in a moment";
    }
    if (store.file.state == DR_FILE_INVALID && !store.schema_version)
        store.file.looks_like = dr_magic_words(context, context->request->root_fd, path);
    *ret_store = store;
}
