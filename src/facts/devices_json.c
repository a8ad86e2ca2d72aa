/* The store of JSON files: devices/{paired,pending}.json, identity/{device,device-auth}.json. */
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "facts/devices_store.h"
#include "facts/magic.h"

#include <string.h>

enum { LARGEST_FILE = 96 << 20, LARGEST_DOCUMENT = 256 << 20 };

/* One file while it is read; released whole afterwards. */
struct reading {
    struct dr_buffer bytes;
    struct dr_arena scratch;
    struct dr_store_json json;
};

#define READING                                                                 \
    {                                                                           \
        .bytes = DR_BUFFER(LARGEST_FILE), .scratch = DR_ARENA(LARGEST_DOCUMENT) \
    }

static void reading_release(struct reading *reading)
{
    dr_arena_release(&reading->scratch);
    dr_buffer_release(&reading->bytes);
}
#define _cleanup_reading_ _cleanup_(reading_release)

static const char *why_unreadable(int error)
{
    switch (error) {
    case -ELOOP:
        return "it is a symbolic link, and links are not followed here";
    case -E2BIG:
    case -ENOMEM:
        return "it is too large to be read";
    default:
        return dr_errno_text(error);
    }
}

static bool is_blank(const struct dr_buffer *bytes)
{
    return strspn(dr_buffer_text(bytes), " \t\r\n") == bytes->length;
}

/* How many objects and arrays are open at `offset`. */
static size_t nesting_at(const char *bytes, uint64_t offset)
{
    size_t open = 0;
    bool in_text = false;

    for (uint64_t i = 0; i < offset; i++) {
        if (in_text && bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            in_text = !in_text;
        else if (!in_text && (bytes[i] == '{' || bytes[i] == '['))
            open++;
        else if (!in_text && open > 0 && (bytes[i] == '}' || bytes[i] == ']'))
            open--;
    }
    return open;
}

/*
 * Node reads bytes that are no UTF-8 as U+FFFD and goes on, so such a file is not broken for OpenClaw. Lengths stay, so that lines and
 * columns do. (Edits of it are refused: they read the file as it is.)
 */
static void replace_invalid_bytes(struct dr_buffer *bytes)
{
    for (size_t i = 0; i < bytes->length;) {
        size_t length = dr_utf8_length(bytes->data + i, bytes->length - i);

        if (length == 0)
            bytes->data[i] = '?';
        i += length ? length : 1;
    }
}

/* Which kind of broken: cut off when the reader met the end while it wanted more. */
static void judge_text(struct dr_context *context, struct dr_store_file *file, const struct dr_buffer *bytes,
                       const struct dr_json5_error *error)
{
    file->line = error->position.line;
    file->column = error->position.column;
    if (nesting_at(dr_buffer_text(bytes), error->offset) >= DR_JSON5_DEPTH) {
        /* OpenClaw may well read it: not for us to call it broken. */
        file->state = DR_FILE_UNREADABLE;
        file->error = -E2BIG;
        file->reason = dr_format(context, "more than %d objects and arrays lie inside each other", (int)DR_JSON5_DEPTH);
        return;
    }
    if (error->offset >= bytes->length) {
        file->state = DR_FILE_TRUNCATED;
        file->reason =
            dr_format(context, "it ends at line %u, column %u in the middle of a value", file->line, file->column);
        return;
    }
    file->state = DR_FILE_INVALID;
    file->reason = dr_format(context, "line %u, column %u: %s", file->line, file->column, error->reason);
    file->looks_like = dr_magic_words(context, context->request->root_fd, file->path);
}

static void judge_root(struct dr_context *context, struct dr_store_file *file, const struct dr_json5 *document)
{
    file->line = 1;
    file->column = 1;
    file->entries = dr_json5_count(document->root);
    if (document->root->type == DR_JSON5_OBJECT) {
        file->state = DR_FILE_GOOD;
    } else if (document->root->type == DR_JSON5_ARRAY) {
        file->state = DR_FILE_ARRAY;
        file->reason = "it holds an array where an object belongs";
    } else {
        file->state = DR_FILE_INVALID;
        file->reason = dr_format(context, "it holds a %s where an object belongs",
                                 dr_json5_type_name((enum dr_json5_type)document->root->type));
    }
}

static void note_duplicates(struct dr_store_file *file, const struct dr_json5 *document)
{
    file->duplicates = document->duplicate_count;
    if (document->duplicates_kept > 0)
        file->duplicate_line = dr_json5_position(document, document->duplicates[0].second->key_offset).line;
}

static void parse(struct dr_context *context, struct dr_store_file *file, struct reading *reading)
{
    struct dr_json5_error error = { 0 };
    const struct dr_buffer *bytes = &reading->bytes;
    int r = dr_json5_parse(dr_buffer_text(bytes), bytes->length, DR_JSON5_STRICT, &reading->scratch, &reading->json.document,
                           &error);

    if (r == 0) {
        judge_root(context, file, &reading->json.document);
        note_duplicates(file, &reading->json.document);
    } else if (r == -EBADMSG) {
        judge_text(context, file, bytes, &error);
    } else {
        file->state = DR_FILE_UNREADABLE;
        file->error = r;
        file->reason = why_unreadable(r);
    }
}

static bool exists(const struct dr_context *context, const char *path)
{
    struct stat st;

    return dr_stat(context->request->root_fd, path, &st) == 0;
}

/* Reads and judges one file. Its document stays in `reading`. */
static void read_file(struct dr_context *context, const char *state_dir, const char *name, struct dr_store_file *file,
                      struct reading *reading)
{
    char hex[DR_SHA256_HEX];

    file->path = dr_format(context, "%s/%s", state_dir, name);
    file->archived = exists(context, dr_format(context, "%s.migrated", file->path));
    reading->json = (struct dr_store_json){ .path = file->path, .scratch = &reading->scratch, .context = context };
    int r = dr_read_file(context->request->root_fd, file->path, &reading->bytes, &file->identity);

    if (r == -ENOENT || r == -ENOTDIR)
        return; /* DR_FILE_MISSING */
    if (r < 0) {
        file->state = r == -EINVAL ? DR_FILE_INVALID : DR_FILE_UNREADABLE;
        file->error = r;
        file->reason = r == -EINVAL ? "it is a folder or a device, not a file" : why_unreadable(r);
        return;
    }
    if (dr_sha256_hex(reading->bytes.data, reading->bytes.length, hex) == 0)
        file->sha256 = dr_strdup(context, hex);
    if (is_blank(&reading->bytes)) {
        file->state = DR_FILE_EMPTY;
        file->reason = reading->bytes.length == 0 ? "it is empty" : "it holds only white space";
        return;
    }
    if (!dr_text_is_utf8(reading->bytes.data, reading->bytes.length))
        replace_invalid_bytes(&reading->bytes);
    parse(context, file, reading);
}

static struct dr_source source_of(const struct dr_store_json *json, const struct dr_json5_node *node, const char *pointer)
{
    struct dr_json5_position position = dr_json5_position(&json->document, node->offset);

    return (struct dr_source){ json->path, pointer, position.line, position.column };
}

static void read_record(const struct dr_store_json *json, const struct dr_json5_node *node, const char *key, bool pending,
                        struct dr_device *device)
{
    const struct dr_json5 *document = &json->document;

    device->store_key = dr_strdup(json->context, key);
    device->source = source_of(json, node, device->store_key);
    if (node->type != DR_JSON5_OBJECT) {
        device->malformed = dr_format(json->context, "the record is a %s, not an object",
                                      dr_json5_type_name((enum dr_json5_type)node->type));
        return;
    }
    device->device_id = dr_store_text(json, node, "deviceId");
    device->public_key = dr_store_text(json, node, "publicKey");
    device->request_id = dr_store_text(json, node, "requestId");
    device->display_name = dr_store_text(json, node, "displayName");
    device->platform = dr_store_text(json, node, "platform");
    device->device_family = dr_store_text(json, node, "deviceFamily");
    device->client_id = dr_store_text(json, node, "clientId");
    device->client_mode = dr_store_text(json, node, "clientMode");
    device->role = dr_store_text(json, node, "role");
    device->remote_ip = dr_store_text(json, node, "remoteIp");
    device->roles = dr_store_list(json, dr_json5_member(document, node, "roles"));
    device->scopes = dr_store_list(json, dr_json5_member(document, node, "scopes"));
    device->approved_scopes = dr_store_list(json, dr_json5_member(document, node, "approvedScopes"));
    device->tokens = dr_store_tokens(json, dr_json5_member(document, node, "tokens"),
                                     dr_format(json->context, "%s.tokens", key), &device->token_count);
    device->created_ms = dr_store_ms(json, node, "createdAtMs");
    device->approved_ms = dr_store_ms(json, node, "approvedAtMs");
    device->ts_ms = dr_store_ms(json, node, "ts");
    device->silent = dr_store_flag(json, node, "silent");
    device->repair = dr_store_flag(json, node, "isRepair");
    dr_device_complete(json->context, device, pending);
}

static void read_records(const struct dr_store_json *json, const char *own_id, bool pending, struct dr_device_list *list)
{
    const struct dr_json5_node *root = json->document.root;

    for (const struct dr_json5_node *node = dr_json5_first(root); node; node = dr_json5_next(node)) {
        const char *key = "";

        if (node->flags & DR_JSON5_NODE_SHADOWED)
            continue; /* JSON.parse keeps the last one */
        list->total++;
        if (dr_json5_key(&json->document, node, json->scratch, &key, NULL) < 0)
            continue;
        const struct dr_json5_node *id = dr_json5_member(&json->document, node, "deviceId");

        if (list->count >= list->most && !(own_id && dr_json5_text_is(&json->document, id, own_id)))
            continue;
        read_record(json, node, key, pending, dr_device_list_add(json->context, list));
    }
}

static void load_records(struct dr_context *context, const char *state_dir, const char *name, const char *own_id,
                         bool pending, struct dr_store_file *file, struct dr_device_list *list)
{
    _cleanup_reading_ struct reading reading = READING;

    read_file(context, state_dir, name, file, &reading);
    if (file->state == DR_FILE_GOOD)
        read_records(&reading.json, own_id, pending, list);
}

static void load_identity(struct dr_context *context, const char *state_dir, struct dr_json_store *store)
{
    _cleanup_reading_ struct reading reading = READING;
    struct dr_identity *identity = &store->identity;
    struct dr_store_file *file = &store->identity_file;
    const struct dr_store_json *json = &reading.json;

    read_file(context, state_dir, "identity/device.json", file, &reading);
    identity->fact.source.path = file->path;
    identity->fact.reason = file->reason;
    if (file->state == DR_FILE_UNREADABLE) {
        identity->fact.state = DR_UNKNOWN;
    } else if (file->state != DR_FILE_GOOD) {
        identity->fact.state = DR_ABSENT;
    } else {
        identity->fact.state = DR_KNOWN;
        identity->device_id = dr_store_text(json, json->document.root, "deviceId");
        identity->created_ms = dr_store_ms(json, json->document.root, "createdAtMs");
        dr_identity_judge(context, identity, dr_store_text(json, json->document.root, "publicKeyPem"),
                          dr_store_text(json, json->document.root, "privateKeyPem"));
    }
}

static void load_auth(struct dr_context *context, const char *state_dir, struct dr_json_store *store)
{
    _cleanup_reading_ struct reading reading = READING;
    const struct dr_store_json *json = &reading.json;
    struct dr_device_token *tokens;

    read_file(context, state_dir, "identity/device-auth.json", &store->auth_file, &reading);
    if (store->auth_file.state != DR_FILE_GOOD)
        return;
    store->cached_device_id = dr_store_text(json, json->document.root, "deviceId");
    tokens = dr_store_tokens(json, dr_json5_member(&json->document, json->document.root, "tokens"), "tokens",
                             &store->cached_count);
    for (size_t i = 0; i < store->cached_count; i++) {
        tokens[i].device_id = store->cached_device_id;
        dr_secret_known(context, tokens[i].token);
    }
    store->cached = tokens;
}

void dr_devices_read_json(struct dr_context *context, const char *state_dir, struct dr_json_store *ret_store)
{
    struct dr_json_store store = { .paired.most = DR_MOST_PAIRED, .pending.most = DR_MOST_PENDING };

    load_identity(context, state_dir, &store);
    load_auth(context, state_dir, &store);
    load_records(context, state_dir, "devices/paired.json", store.identity.device_id, false, &store.paired_file,
                 &store.paired);
    load_records(context, state_dir, "devices/pending.json", store.identity.device_id, true, &store.pending_file,
                 &store.pending);
    *ret_store = store;
}
