#include "repair/step.h"

#include "wire/commands.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const dr_trio_suffix[DR_TRIO] = { "", "-wal", "-shm" };

void dr_seen_from_stat(const struct stat *st, struct dr_seen *ret_seen)
{
    *ret_seen = (struct dr_seen){
        .exists = true,
        .mode = st->st_mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .device = st->st_dev,
        .inode = st->st_ino,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
}

/* --- to JSON ---------------------------------------------------------------------------------------------------- */

static bool add_text(cJSON *object, const char *name, const char *text)
{
    return !text || cJSON_AddStringToObject(object, name, text);
}

static bool add_long(cJSON *object, const char *name, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    return cJSON_AddStringToObject(object, name, text);
}

static bool add_item(cJSON *object, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static cJSON *seen_to_json(const struct dr_seen *seen)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json && cJSON_AddBoolToObject(json, "exists", seen->exists) &&
              add_text(json, "sha256", seen->sha256[0] ? seen->sha256 : NULL);

    if (ok && seen->exists && seen->mode != 0)
        ok = cJSON_AddNumberToObject(json, "mode", seen->mode) && cJSON_AddNumberToObject(json, "uid", seen->uid) &&
             cJSON_AddNumberToObject(json, "gid", seen->gid) && add_long(json, "device", (int64_t)seen->device) &&
             add_long(json, "inode", (int64_t)seen->inode) && add_long(json, "mtimeNs", seen->mtime_ns);
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

cJSON *dr_trio_to_json(const struct dr_trio *trio)
{
    cJSON *json = cJSON_CreateArray();

    for (size_t i = 0; json && i < DR_TRIO; i++) {
        cJSON *seen = seen_to_json(&trio->file[i]);

        if (!seen || !cJSON_AddItemToArray(json, seen)) {
            cJSON_Delete(seen);
            cJSON_Delete(json);
            return NULL;
        }
    }
    return json;
}

static cJSON *row_to_json(const struct dr_row_change *row)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *key = json ? cJSON_AddObjectToObject(json, "key") : NULL;
    bool ok = key && add_text(json, "table", row->table) && add_text(json, "action", dr_row_action_name(row->action)) &&
              add_text(json, "column", row->column) && add_long(json, "schemaVersion", row->schema_version);

    for (size_t i = 0; ok && i < DR_COUNT(row->key) && row->key[i].column; i++)
        ok = add_text(key, row->key[i].column, row->key[i].text);
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

cJSON *dr_step_to_json(const struct dr_step *step)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json && add_text(json, "type", "intent") && cJSON_AddNumberToObject(json, "step", step->number) &&
              cJSON_AddNumberToObject(json, "operation", step->operation) &&
              cJSON_AddNumberToObject(json, "group", step->group) &&
              add_text(json, "kind", dr_operation_kind_name(step->kind)) && add_text(json, "path", step->path) &&
              add_text(json, "summary", step->summary) && add_item(json, "before", seen_to_json(&step->before)) &&
              add_item(json, "after", seen_to_json(&step->after)) && add_text(json, "backup", step->backup) &&
              add_text(json, "temp", step->temp) && add_text(json, "aside", step->aside);

    if (ok && step->vault)
        ok = cJSON_AddTrueToObject(json, "vault");
    if (ok && step->keep)
        ok = cJSON_AddTrueToObject(json, "keep");
    if (ok && step->kind == DR_UPDATE_ROW)
        ok = add_item(json, "row", row_to_json(&step->row));
    if (ok && step->kind == DR_RUN_COMMAND)
        ok = add_item(json, "command", dr_command_to_json(&step->command)) &&
             cJSON_AddBoolToObject(json, "paired", step->paired);
    if (ok && step->trio_before.known)
        ok = add_item(json, "files", dr_trio_to_json(&step->trio_before));
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

/* --- from JSON -------------------------------------------------------------------------------------------------- */

static int number_of(const cJSON *json, const char *name, uint32_t *ret_number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > UINT32_MAX)
        return -EINVAL;
    *ret_number = (uint32_t)item->valuedouble;
    return 0;
}

static int long_of(const cJSON *json, const char *name, int64_t *ret_value)
{
    const char *text = dr_json_text(json, name);
    char *end;

    if (!text || *text == '\0')
        return -EINVAL;
    errno = 0;
    *ret_value = strtoll(text, &end, 10);
    return errno != 0 || *end != '\0' ? -EINVAL : 0;
}

static int seen_from_json(const cJSON *json, struct dr_seen *ret_seen)
{
    struct dr_seen seen = { .exists = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "exists")) };
    const char *hash = dr_json_text(json, "sha256");
    int64_t device, inode;

    if (!cJSON_IsObject(json) || (hash && strlen(hash) != DR_SHA256_HEX - 1))
        return -EINVAL;
    if (hash)
        memcpy(seen.sha256, hash, DR_SHA256_HEX);
    if (cJSON_HasObjectItem(json, "mode")) {
        if (number_of(json, "mode", &seen.mode) < 0 || number_of(json, "uid", &seen.uid) < 0 ||
            number_of(json, "gid", &seen.gid) < 0 || long_of(json, "device", &device) < 0 ||
            long_of(json, "inode", &inode) < 0 || long_of(json, "mtimeNs", &seen.mtime_ns) < 0)
            return -EINVAL;
        seen.device = (uint64_t)device;
        seen.inode = (uint64_t)inode;
    }
    *ret_seen = seen;
    return 0;
}

int dr_trio_from_json(const cJSON *json, struct dr_trio *ret_trio)
{
    struct dr_trio trio = { .known = true };

    if (cJSON_GetArraySize(json) != DR_TRIO)
        return -EINVAL;
    for (int i = 0; i < DR_TRIO; i++)
        if (seen_from_json(cJSON_GetArrayItem(json, i), &trio.file[i]) < 0)
            return -EINVAL;
    *ret_trio = trio;
    return 0;
}

/* Every text of the step is copied; NULL stays NULL. */
static int copy_text(const cJSON *json, const char *name, struct dr_arena *arena, const char **ret_text)
{
    const char *text = dr_json_text(json, name);

    *ret_text = text ? dr_arena_strdup(arena, text) : NULL;
    return text && !*ret_text ? -ENOMEM : 0;
}

static int row_from_json(const cJSON *json, struct dr_arena *arena, struct dr_row_change *row)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(json, "key");
    const cJSON *cell;
    size_t cells = 0;

    if (!dr_row_action_parse(dr_json_text(json, "action"), &row->action) || !cJSON_IsObject(key) ||
        long_of(json, "schemaVersion", &row->schema_version) < 0 || copy_text(json, "table", arena, &row->table) < 0 ||
        copy_text(json, "column", arena, &row->column) < 0 || !row->table)
        return -EINVAL;
    cJSON_ArrayForEach (cell, key) {
        const char *value = cJSON_GetStringValue(cell);

        if (!value || cells == DR_COUNT(row->key))
            return -EINVAL;
        row->key[cells].column = dr_arena_strdup(arena, cell->string);
        row->key[cells].text = dr_arena_strdup(arena, value);
        if (!row->key[cells].column || !row->key[cells].text)
            return -ENOMEM;
        cells++;
    }
    return cells > 0 ? 0 : -EINVAL;
}

static bool below_run(const char *name)
{
    return !name || (name[0] != '/' && !strstr(name, ".."));
}

static bool plain_name(const char *name)
{
    return !name || (strncmp(name, ".openclaw-doctor-", 17) == 0 && !strchr(name, '/'));
}

int dr_step_from_json(const cJSON *json, struct dr_arena *arena, struct dr_step *ret_step)
{
    struct dr_step step = { 0 };
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(json, "files");

    if (!dr_operation_kind_parse(dr_json_text(json, "kind"), &step.kind) || number_of(json, "step", &step.number) < 0 ||
        number_of(json, "operation", &step.operation) < 0 || number_of(json, "group", &step.group) < 0)
        return -EINVAL;
    if (copy_text(json, "path", arena, &step.path) < 0 || copy_text(json, "summary", arena, &step.summary) < 0 ||
        copy_text(json, "backup", arena, &step.backup) < 0 || copy_text(json, "temp", arena, &step.temp) < 0 ||
        copy_text(json, "aside", arena, &step.aside) < 0)
        return -ENOMEM;
    if (!step.path || step.path[0] != '/' || !below_run(step.backup) || !plain_name(step.temp))
        return -EINVAL;
    if (seen_from_json(cJSON_GetObjectItemCaseSensitive(json, "before"), &step.before) < 0 ||
        seen_from_json(cJSON_GetObjectItemCaseSensitive(json, "after"), &step.after) < 0)
        return -EINVAL;
    if (files && dr_trio_from_json(files, &step.trio_before) < 0)
        return -EINVAL;
    if (step.kind == DR_UPDATE_ROW &&
        (!step.backup || row_from_json(cJSON_GetObjectItemCaseSensitive(json, "row"), arena, &step.row) < 0))
        return -EINVAL;
    if (step.kind == DR_MOVE_ASIDE && !step.aside)
        return -EINVAL;
    step.keep = dr_json_true(json, "keep");
    step.vault = dr_json_true(json, "vault");
    step.paired = dr_json_true(json, "paired");
    if (step.kind == DR_RUN_COMMAND &&
        dr_command_from_json(cJSON_GetObjectItemCaseSensitive(json, "command"), step.path, arena, &step.command, NULL) < 0)
        return -EINVAL;
    *ret_step = step;
    return 0;
}

char *dr_trio_backup(const struct dr_step *step, size_t which)
{
    char *name = NULL;

    return asprintf(&name, "%s-file%zu", step->backup, which) < 0 ? NULL : name;
}
