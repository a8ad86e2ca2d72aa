#include "base/hash.h"
#include "wire/commands.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Adding to an object fails only without memory; one flag gathers that so that the table of fields stays readable. */
struct object {
    cJSON *json;
    bool failed;
};

static void add_text(struct object *object, const char *name, const char *text)
{
    if (text && !cJSON_AddStringToObject(object->json, name, text))
        object->failed = true;
}

static void add_number(struct object *object, const char *name, double number)
{
    if (!cJSON_AddNumberToObject(object->json, name, number))
        object->failed = true;
}

/* 64-bit numbers travel as text: a double would round them. */
static void add_u64(struct object *object, const char *name, uint64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    add_text(object, name, text);
}

static void add_i64(struct object *object, const char *name, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    add_text(object, name, text);
}

static void add_base64(struct object *object, const char *name, const char *bytes, size_t length)
{
    if (length > INT32_MAX / 2) {
        object->failed = true;
        return;
    }
    _cleanup_free_ char *text = malloc(length / 3 * 4 + 5);

    if (!text) {
        object->failed = true;
        return;
    }
    text[0] = '\0';
    if (length > 0)
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)length);
    add_text(object, name, text);
}

static void add_child(struct object *object, const char *name, struct object *child)
{
    if (child->failed || !child->json || !cJSON_AddItemToObject(object->json, name, child->json)) {
        object->failed = true;
        cJSON_Delete(child->json);
    }
}

static struct object new_object(void)
{
    struct object object = { .json = cJSON_CreateObject() };

    object.failed = !object.json;
    return object;
}

static struct object identity_object(const struct dr_file_identity *identity)
{
    struct object object = new_object();

    add_u64(&object, "device", identity->device);
    add_u64(&object, "inode", identity->inode);
    add_u64(&object, "size", identity->size);
    add_i64(&object, "mtimeNs", identity->mtime_ns);
    add_i64(&object, "ctimeNs", identity->ctime_ns);
    add_number(&object, "mode", identity->mode);
    add_number(&object, "uid", identity->uid);
    add_number(&object, "gid", identity->gid);
    add_number(&object, "links", identity->links);
    return object;
}

static struct object edit_object(const struct dr_edit *edit)
{
    struct object object = new_object();

    add_u64(&object, "offset", edit->offset);
    add_u64(&object, "length", edit->length);
    if (edit->from.kind == DR_LITERAL) {
        add_base64(&object, "text", edit->text, edit->text ? edit->text_length : 0);
        return object;
    }

    struct object from = new_object();

    add_text(&from, "kind", edit->from.kind == DR_FROM_FILE ? "file" : "new-token");
    if (edit->from.kind == DR_FROM_FILE) {
        add_text(&from, "path", edit->from.path);
        add_text(&from, "sha256", edit->from.sha256);
        add_u64(&from, "offset", edit->from.offset);
        add_u64(&from, "length", edit->from.length);
    }
    add_child(&object, "from", &from);
    return object;
}

static struct object key_object(const struct dr_cell *cells, size_t count)
{
    struct object object = new_object();

    for (size_t i = 0; i < count && cells[i].column; i++)
        add_text(&object, cells[i].column, cells[i].text);
    return object;
}

static struct object row_object(const struct dr_row_change *row)
{
    struct object object = new_object();
    struct object key = key_object(row->key, DR_COUNT(row->key));

    add_text(&object, "table", row->table);
    add_child(&object, "key", &key);
    add_text(&object, "action", dr_row_action_name(row->action));
    add_text(&object, "column", row->column);
    add_text(&object, "jsonPath", row->json_path);
    add_text(&object, "text", row->text);
    if (row->action == DR_ROW_COPY) {
        struct object from_key = key_object(row->from_key, DR_COUNT(row->from_key));

        add_text(&object, "fromTable", row->from_table);
        add_child(&object, "fromKey", &from_key);
        add_text(&object, "fromColumn", row->from_column);
    }
    add_text(&object, "expectSha256", row->expect_sha256);
    add_i64(&object, "schemaVersion", row->schema_version);
    return object;
}

static void add_edits(struct object *object, const struct dr_operation *operation)
{
    cJSON *edits = cJSON_AddArrayToObject(object->json, "edits");

    if (!edits) {
        object->failed = true;
        return;
    }
    for (size_t i = 0; i < operation->edit_count; i++) {
        struct object edit = edit_object(&operation->edits[i]);

        if (edit.failed || !cJSON_AddItemToArray(edits, edit.json)) {
            object->failed = true;
            cJSON_Delete(edit.json);
        }
    }
}

cJSON *dr_operation_to_json(const struct dr_operation *operation, const char *finding)
{
    struct object object = new_object();

    if (object.failed)
        return NULL;

    struct object judged = identity_object(&operation->judged);

    add_text(&object, "type", "operation");
    add_number(&object, "id", operation->id);
    add_text(&object, "finding", finding);
    add_text(&object, "kind", dr_operation_kind_name(operation->kind));
    add_text(&object, "path", operation->path);
    add_child(&object, "judged", &judged);
    add_text(&object, "sha256", operation->sha256);
    add_number(&object, "mode", operation->mode);
    add_number(&object, "uid", operation->uid);
    add_number(&object, "gid", operation->gid);
    if (operation->kind == DR_EDIT_FILE && operation->keep && !cJSON_AddTrueToObject(object.json, "keep"))
        object.failed = true;
    if (operation->kind == DR_EDIT_FILE && !operation->keep)
        add_edits(&object, operation);
    if (operation->kind == DR_WRITE_FILE)
        add_base64(&object, "content", operation->content, operation->content_length);
    if (operation->kind == DR_UPDATE_ROW && operation->row) {
        struct object row = row_object(operation->row);

        add_child(&object, "row", &row);
    }
    if (operation->kind == DR_RUN_COMMAND && operation->command) {
        struct object command = { .json = dr_command_to_json(operation->command) };

        add_child(&object, "command", &command);
    }
    add_text(&object, "summary", operation->summary);
    add_text(&object, "whileRunning", operation->while_running == DR_WAIT_FOR_STOP ? "wait-for-stop" : "go-ahead");
    add_text(&object, "restart", operation->restart);
    add_text(&object, "preview", operation->preview);
    if (object.failed) {
        cJSON_Delete(object.json);
        return NULL;
    }
    return object.json;
}
