#include "facts/devices_rows.h"

#include <string.h>

enum { LARGEST_COLUMN = 1 << 20, MOST_CACHED = 100 };

struct row {
    struct dr_context *context;
    sqlite3_stmt *statement;
    const char *table;
    const char *path;
};

static int column_of(const struct row *row, const char *name)
{
    int count = sqlite3_column_count(row->statement);

    for (int i = 0; i < count; i++) {
        const char *here = sqlite3_column_name(row->statement, i);

        if (here && strcmp(here, name) == 0)
            return i;
    }
    return -1;
}

static const char *text_of(const struct row *row, const char *name)
{
    int column = column_of(row, name);
    const char *text = column < 0 ? NULL : (const char *)sqlite3_column_text(row->statement, column);

    return text && strlen(text) <= LARGEST_COLUMN ? dr_strdup(row->context, text) : NULL;
}

static int64_t number_of(const struct row *row, const char *name)
{
    int column = column_of(row, name);

    return column < 0 ? 0 : sqlite3_column_int64(row->statement, column);
}

/* A JSON column. False: absent, or no JSON (then `*ret_words` says so). */
static bool json_of(const struct row *row, const char *name, struct dr_arena *scratch, struct dr_store_json *ret_json,
                    const char **ret_words)
{
    const char *text = text_of(row, name);
    struct dr_json5_error error = { 0 };

    *ret_json = (struct dr_store_json){ .path = row->path, .scratch = scratch, .context = row->context };
    if (!text)
        return false;
    if (dr_json5_parse(text, strlen(text), DR_JSON5_STRICT, scratch, &ret_json->document, &error) == 0)
        return true;
    *ret_words = dr_format(row->context, "%s is no JSON", name);
    return false;
}

static const char *const *list_of(const struct row *row, const char *name, const char **ret_words)
{
    struct dr_arena scratch = DR_ARENA(4 << 20);
    struct dr_store_json json;
    const char *const *list = NULL;

    if (json_of(row, name, &scratch, &json, ret_words))
        list = dr_store_list(&json, json.document.root);
    dr_arena_release(&scratch);
    return list;
}

static const struct dr_device_token *tokens_of(const struct row *row, const char *key, const char **ret_words,
                                               size_t *ret_count)
{
    struct dr_arena scratch = DR_ARENA(4 << 20);
    struct dr_store_json json;
    const struct dr_device_token *tokens = NULL;

    *ret_count = 0;
    if (json_of(row, "tokens_json", &scratch, &json, ret_words))
        tokens = dr_store_tokens(&json, json.document.root, dr_format(row->context, "%s[%s].tokens_json", row->table, key),
                                 ret_count);
    dr_arena_release(&scratch);
    return tokens;
}

typedef void row_function(const struct row *row, void *argument);

/* Each row of one table. The names of tables and their order are ours, never the user's. */
static int each_row(struct dr_context *context, sqlite3 *db, const char *table, const char *order, const char *path,
                    row_function *function, void *argument)
{
    struct row row = { .context = context, .table = table, .path = path };
    int r = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1", -1, &row.statement, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_bind_text(row.statement, 1, table, -1, SQLITE_STATIC);
    if (r == SQLITE_OK)
        r = sqlite3_step(row.statement);
    (void)sqlite3_finalize(row.statement);
    if (r != SQLITE_ROW)
        return r == SQLITE_DONE ? SQLITE_OK : r;

    r = sqlite3_prepare_v2(db, dr_format(context, "SELECT * FROM %s ORDER BY %s", table, order), -1, &row.statement, NULL);
    if (r == SQLITE_OK)
        while ((r = sqlite3_step(row.statement)) == SQLITE_ROW)
            function(&row, argument);
    (void)sqlite3_finalize(row.statement);
    return r == SQLITE_DONE ? SQLITE_OK : r;
}

static struct dr_source source_of(const struct row *row, const char *key)
{
    return (struct dr_source){ .path = row->path, .pointer = dr_format(row->context, "%s[%s]", row->table, key) };
}

static void take_version(const struct row *row, void *argument)
{
    struct dr_sqlite_store *store = argument;
    const char *key = text_of(row, "meta_key");

    if (key && strcmp(key, "primary") == 0)
        store->app_version = text_of(row, "app_version");
}

int dr_rows_version(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store)
{
    return each_row(context, db, "schema_meta", "meta_key", store->file.path, take_version, store);
}

static void take_identity(const struct row *row, void *argument)
{
    struct dr_sqlite_store *store = argument;
    struct dr_identity *identity = &store->identity;
    const char *key = text_of(row, "identity_key");

    if (!key || strcmp(key, "primary") != 0)
        return;
    identity->fact.state = DR_KNOWN;
    identity->fact.source = source_of(row, key);
    identity->device_id = text_of(row, "device_id");
    identity->created_ms = number_of(row, "created_at_ms");
    dr_identity_judge(row->context, identity, text_of(row, "public_key_pem"), text_of(row, "private_key_pem"));
}

int dr_rows_identity(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store)
{
    store->identity.fact.state = DR_ABSENT;
    store->identity.fact.source.path = store->file.path;
    return each_row(context, db, "device_identities", "identity_key", store->file.path, take_identity, store);
}

static void take_common(const struct row *row, struct dr_device *device, const char **ret_words)
{
    device->device_id = text_of(row, "device_id");
    device->public_key = text_of(row, "public_key");
    device->display_name = text_of(row, "display_name");
    device->platform = text_of(row, "platform");
    device->device_family = text_of(row, "device_family");
    device->client_id = text_of(row, "client_id");
    device->client_mode = text_of(row, "client_mode");
    device->role = text_of(row, "role");
    device->remote_ip = text_of(row, "remote_ip");
    device->roles = list_of(row, "roles_json", ret_words);
    device->scopes = list_of(row, "scopes_json", ret_words);
}

static bool keeps(const struct row *row, const struct dr_device_list *list, const char *own_id)
{
    const char *id = list->count < list->most ? NULL : text_of(row, "device_id");

    return list->count < list->most || (own_id && id && strcmp(id, own_id) == 0);
}

static void take_paired(const struct row *row, void *argument)
{
    struct dr_sqlite_store *store = argument;
    const char *words = NULL;

    store->paired.total++;
    if (!keeps(row, &store->paired, store->identity.device_id))
        return;
    struct dr_device *device = dr_device_list_add(row->context, &store->paired);

    take_common(row, device, &words);
    device->store_key = device->device_id;
    device->source = source_of(row, device->device_id ? device->device_id : "");
    device->approved_scopes = list_of(row, "approved_scopes_json", &words);
    device->tokens = tokens_of(row, device->device_id ? device->device_id : "", &words, &device->token_count);
    device->approved_via = text_of(row, "approved_via");
    device->created_ms = number_of(row, "created_at_ms");
    device->approved_ms = number_of(row, "approved_at_ms");
    device->last_seen_ms = number_of(row, "last_seen_at_ms");
    device->malformed = words;
    dr_device_complete(row->context, device, false);
}

int dr_rows_paired(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store)
{
    return each_row(context, db, "device_pairing_paired", "rowid", store->file.path, take_paired, store);
}

static void take_pending(const struct row *row, void *argument)
{
    struct dr_sqlite_store *store = argument;
    const char *words = NULL;

    store->pending.total++;
    if (!keeps(row, &store->pending, store->identity.device_id))
        return;
    struct dr_device *device = dr_device_list_add(row->context, &store->pending);

    take_common(row, device, &words);
    device->request_id = text_of(row, "request_id");
    device->store_key = device->request_id;
    device->source = source_of(row, device->request_id ? device->request_id : "");
    device->ts_ms = number_of(row, "ts");
    device->refreshed_ms = number_of(row, "refreshed_at_ms");
    device->silent = number_of(row, "silent") != 0;
    device->repair = number_of(row, "is_repair") != 0;
    device->malformed = words;
    dr_device_complete(row->context, device, true);
}

int dr_rows_pending(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store)
{
    return each_row(context, db, "device_pairing_pending", "rowid", store->file.path, take_pending, store);
}

struct cached {
    struct dr_device_token *list;
    size_t count;
};

static void take_cached(const struct row *row, void *argument)
{
    struct cached *cached = argument;
    const char *words = NULL;

    if (cached->count == MOST_CACHED)
        return;
    struct dr_device_token *token = &cached->list[cached->count++];

    token->origin = text_of(row, "gateway_scope");
    token->device_id = text_of(row, "device_id");
    token->role = text_of(row, "role");
    token->token = text_of(row, "token");
    token->scopes = list_of(row, "scopes_json", &words);
    token->updated_ms = number_of(row, "updated_at_ms");
    token->source = source_of(row, token->device_id ? token->device_id : "");
    dr_secret_known(row->context, token->token);
}

static int read_cached(struct dr_context *context, sqlite3 *db, const char *table, const char *path,
                       const struct dr_device_token **ret_list, size_t *ret_count)
{
    struct cached cached = { dr_alloc(context, MOST_CACHED * sizeof(*cached.list)), 0 };
    int r = each_row(context, db, table, "rowid", path, take_cached, &cached);

    *ret_list = cached.list;
    *ret_count = cached.count;
    return r;
}

int dr_rows_cached(struct dr_context *context, sqlite3 *db, struct dr_sqlite_store *store)
{
    int r = read_cached(context, db, "device_auth_tokens", store->file.path, &store->cached, &store->cached_count);

    if (r == SQLITE_OK)
        r = read_cached(context, db, "gateway_origin_device_tokens", store->file.path, &store->elsewhere,
                        &store->elsewhere_count);
    return r;
}
