#include "wire/wire.h"

#include "base/text.h"
#include "wire/commands.h"

#include <openssl/evp.h>
#include <string.h>

enum { MOST_EDITS = 200000 };

/* One decoding: where memory comes from and where words go. Each helper answers a negative errno with the words set. */
struct decoder {
    struct dr_arena *arena;
    struct dr_error *error;
};

static int bad(const struct decoder *decoder, const char *name)
{
    return dr_error_set(decoder->error, -EINVAL, "operation: \"%s\" is missing or not as documented", name);
}

static int get_text(const struct decoder *decoder, const cJSON *json, const char *name, bool needed, const char **ret_text)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    const char *text = cJSON_GetStringValue(item);

    if (!item && !needed)
        return 0;
    if (!text || !dr_text_is_utf8(text, strlen(text)))
        return bad(decoder, name);
    *ret_text = dr_arena_strdup(decoder->arena, text);
    return *ret_text ? 0 : -ENOMEM;
}

static int get_u32(const struct decoder *decoder, const cJSON *json, const char *name, uint32_t *ret_number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > (double)UINT32_MAX ||
        item->valuedouble != (double)(uint32_t)item->valuedouble)
        return bad(decoder, name);
    *ret_number = (uint32_t)item->valuedouble;
    return 0;
}

static int get_u64(const struct decoder *decoder, const cJSON *json, const char *name, uint64_t *ret_number)
{
    const char *text = dr_json_text(json, name);
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return bad(decoder, name);
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);

    if (errno != 0 || *end != '\0')
        return bad(decoder, name);
    *ret_number = number;
    return 0;
}

static int get_i64(const struct decoder *decoder, const cJSON *json, const char *name, int64_t *ret_number)
{
    const char *text = dr_json_text(json, name);
    char *end;

    if (!text || !(text[0] == '-' || (text[0] >= '0' && text[0] <= '9')))
        return bad(decoder, name);
    errno = 0;
    long long number = strtoll(text, &end, 10);

    if (errno != 0 || *end != '\0' || end == text)
        return bad(decoder, name);
    *ret_number = number;
    return 0;
}

static int get_base64(const struct decoder *decoder, const cJSON *json, const char *name, const char **ret_bytes,
                      size_t *ret_length)
{
    const char *text = dr_json_text(json, name);
    size_t length = text ? strlen(text) : 0;

    if (!text || length % 4 != 0 || length > INT32_MAX / 2)
        return bad(decoder, name);

    char *bytes = dr_arena_alloc(decoder->arena, length / 4 * 3 + 1);

    if (!bytes)
        return -ENOMEM;
    int got = length == 0 ? 0 : EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)length);

    if (got < 0)
        return bad(decoder, name);
    for (size_t i = length; i > 0 && text[i - 1] == '='; i--)
        got--; /* EVP_DecodeBlock counts padding as bytes */
    if (got < 0)
        return bad(decoder, name);
    bytes[got] = '\0';
    *ret_bytes = bytes;
    *ret_length = (size_t)got;
    return 0;
}

static int get_identity(const struct decoder *decoder, const cJSON *json, struct dr_file_identity *ret_identity)
{
    int r;

    if (!cJSON_IsObject(json))
        return bad(decoder, "judged");
    if ((r = get_u64(decoder, json, "device", &ret_identity->device)) < 0 ||
        (r = get_u64(decoder, json, "inode", &ret_identity->inode)) < 0 ||
        (r = get_u64(decoder, json, "size", &ret_identity->size)) < 0 ||
        (r = get_i64(decoder, json, "mtimeNs", &ret_identity->mtime_ns)) < 0 ||
        (r = get_i64(decoder, json, "ctimeNs", &ret_identity->ctime_ns)) < 0 ||
        (r = get_u32(decoder, json, "mode", &ret_identity->mode)) < 0 ||
        (r = get_u32(decoder, json, "uid", &ret_identity->uid)) < 0 ||
        (r = get_u32(decoder, json, "gid", &ret_identity->gid)) < 0)
        return r;
    return get_u32(decoder, json, "links", &ret_identity->links);
}

static int get_reference(const struct decoder *decoder, const cJSON *json, struct dr_reference *ret_reference)
{
    const char *kind = dr_json_text(json, "kind");
    int r;

    if (kind && strcmp(kind, "new-token") == 0) {
        ret_reference->kind = DR_NEW_TOKEN;
        return 0;
    }
    if (!kind || strcmp(kind, "file") != 0)
        return bad(decoder, "from.kind");
    ret_reference->kind = DR_FROM_FILE;
    if ((r = get_text(decoder, json, "path", true, &ret_reference->path)) < 0 ||
        (r = get_text(decoder, json, "sha256", true, &ret_reference->sha256)) < 0 ||
        (r = get_u64(decoder, json, "offset", &ret_reference->offset)) < 0)
        return r;
    return get_u64(decoder, json, "length", &ret_reference->length);
}

static int get_edit(const struct decoder *decoder, const cJSON *json, struct dr_edit *ret_edit)
{
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(json, "from");
    int r;

    if ((r = get_u64(decoder, json, "offset", &ret_edit->offset)) < 0 ||
        (r = get_u64(decoder, json, "length", &ret_edit->length)) < 0)
        return r;
    if (from)
        return get_reference(decoder, from, &ret_edit->from);
    return get_base64(decoder, json, "text", &ret_edit->text, &ret_edit->text_length);
}

static int get_edits(const struct decoder *decoder, const cJSON *json, struct dr_operation *operation)
{
    const cJSON *edits = cJSON_GetObjectItemCaseSensitive(json, "edits");
    int count = cJSON_IsArray(edits) ? cJSON_GetArraySize(edits) : 0;
    uint64_t free_from = 0;
    size_t filled = 0;
    const cJSON *item;

    if (count < 1 || count > MOST_EDITS)
        return bad(decoder, "edits");
    operation->edits = dr_arena_alloc(decoder->arena, (size_t)count * sizeof(struct dr_edit));
    if (!operation->edits)
        return -ENOMEM;
    cJSON_ArrayForEach (item, edits) {
        struct dr_edit *edit = &operation->edits[filled];
        int r = get_edit(decoder, item, edit);

        if (r < 0)
            return r;
        if (edit->offset < free_from || edit->length > UINT64_MAX - edit->offset)
            return bad(decoder, "edits (order)");
        free_from = edit->offset + edit->length;
        filled++;
    }
    operation->edit_count = filled;
    return 0;
}

static int get_key(const struct decoder *decoder, const cJSON *json, const char *name, struct dr_cell *cells, size_t room)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(json, name);
    const cJSON *item;
    size_t filled = 0;

    if (!cJSON_IsObject(key))
        return bad(decoder, name);
    cJSON_ArrayForEach (item, key) {
        if (filled == room || !cJSON_IsString(item))
            return bad(decoder, name);
        cells[filled].column = dr_arena_strdup(decoder->arena, item->string);
        cells[filled].text = dr_arena_strdup(decoder->arena, item->valuestring);
        if (!cells[filled].column || !cells[filled].text)
            return -ENOMEM;
        filled++;
    }
    return filled > 0 ? 0 : bad(decoder, name);
}

static int get_row(const struct decoder *decoder, const cJSON *json, struct dr_operation *operation)
{
    struct dr_row_change *row = dr_arena_alloc(decoder->arena, sizeof(*row));
    int r;

    if (!row)
        return -ENOMEM;
    if (!dr_row_action_parse(dr_json_text(json, "action"), &row->action))
        return bad(decoder, "row.action");
    if ((r = get_text(decoder, json, "table", true, &row->table)) < 0 ||
        (r = get_key(decoder, json, "key", row->key, DR_COUNT(row->key))) < 0 ||
        (r = get_text(decoder, json, "column", row->action != DR_ROW_DELETE, &row->column)) < 0 ||
        (r = get_text(decoder, json, "jsonPath", row->action == DR_ROW_SET_JSON, &row->json_path)) < 0 ||
        (r = get_text(decoder, json, "text", row->action == DR_ROW_SET_TEXT || row->action == DR_ROW_SET_JSON, &row->text)) <
            0 ||
        (r = get_text(decoder, json, "expectSha256", false, &row->expect_sha256)) < 0 ||
        (r = get_i64(decoder, json, "schemaVersion", &row->schema_version)) < 0)
        return r;
    if (row->action == DR_ROW_COPY) {
        if ((r = get_text(decoder, json, "fromTable", true, &row->from_table)) < 0 ||
            (r = get_text(decoder, json, "fromColumn", true, &row->from_column)) < 0 ||
            (r = get_key(decoder, json, "fromKey", row->from_key, DR_COUNT(row->from_key))) < 0)
            return r;
    }
    operation->row = row;
    return 0;
}

static int get_command(const struct decoder *decoder, const cJSON *json, struct dr_operation *operation)
{
    operation->command = dr_arena_alloc(decoder->arena, sizeof(*operation->command));
    if (!operation->command)
        return -ENOMEM;
    return dr_command_from_json(cJSON_GetObjectItemCaseSensitive(json, "command"), operation->path, decoder->arena,
                                operation->command, decoder->error);
}

static int get_while_running(const struct decoder *decoder, const cJSON *json, enum dr_while_running *ret)
{
    const char *text = dr_json_text(json, "whileRunning");

    if (!text || (strcmp(text, "go-ahead") != 0 && strcmp(text, "wait-for-stop") != 0))
        return bad(decoder, "whileRunning");
    *ret = text[0] == 'w' ? DR_WAIT_FOR_STOP : DR_GO_AHEAD;
    return 0;
}

static int get_kind_fields(const struct decoder *decoder, const cJSON *json, struct dr_operation *operation)
{
    switch (operation->kind) {
    case DR_EDIT_FILE:
        operation->keep = dr_json_true(json, "keep");
        if (!operation->sha256)
            return bad(decoder, "sha256");
        return operation->keep ? 0 : get_edits(decoder, json, operation);
    case DR_WRITE_FILE:
        return get_base64(decoder, json, "content", &operation->content, &operation->content_length);
    case DR_UPDATE_ROW:
        return get_row(decoder, cJSON_GetObjectItemCaseSensitive(json, "row"), operation);
    case DR_RUN_COMMAND:
        return get_command(decoder, json, operation);
    case DR_SET_MODE:
    case DR_SET_OWNER:
    case DR_MOVE_ASIDE:
    case DR_MAKE_DIRECTORY:
        return 0;
    }
    return bad(decoder, "kind");
}

int dr_operation_from_json(const cJSON *json, struct dr_arena *arena, struct dr_operation *ret_operation,
                           struct dr_error *error)
{
    const struct decoder decoder = { .arena = arena, .error = error };
    struct dr_operation operation = { 0 };
    int r;

    if (!cJSON_IsObject(json) || !dr_operation_kind_parse(dr_json_text(json, "kind"), &operation.kind))
        return bad(&decoder, "kind");
    if ((r = get_u32(&decoder, json, "id", &operation.id)) < 0 ||
        (r = get_text(&decoder, json, "path", true, &operation.path)) < 0 ||
        (r = get_identity(&decoder, cJSON_GetObjectItemCaseSensitive(json, "judged"), &operation.judged)) < 0 ||
        (r = get_text(&decoder, json, "sha256", false, &operation.sha256)) < 0 ||
        (r = get_u32(&decoder, json, "mode", &operation.mode)) < 0 ||
        (r = get_u32(&decoder, json, "uid", &operation.uid)) < 0 ||
        (r = get_u32(&decoder, json, "gid", &operation.gid)) < 0 ||
        (r = get_text(&decoder, json, "summary", false, &operation.summary)) < 0 ||
        (r = get_text(&decoder, json, "restart", false, &operation.restart)) < 0 ||
        (r = get_text(&decoder, json, "preview", false, &operation.preview)) < 0 ||
        (r = get_while_running(&decoder, json, &operation.while_running)) < 0 ||
        (r = get_kind_fields(&decoder, json, &operation)) < 0)
        return r;
    if (operation.path[0] != '/')
        return bad(&decoder, "path (absolute)");
    *ret_operation = operation;
    return 0;
}
