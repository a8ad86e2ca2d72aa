/*
 * Makes the token that this host sends equal to the one in its pairing record. The secret itself does not travel in the plan: the
 * executor takes it from the record's place.
 */
#include "api/fixer.h"
#include "api/devices.h"
#include "api/json.h"

#include <string.h>

static void copy_in_files(struct dr_context *context, const struct dr_devices *devices, const char *device, const char *role,
                          struct dr_plan *plan)
{
    const char *why = NULL;
    const struct dr_json_file *from = dr_json_load(context, devices->paired_file.path, &why);
    const struct dr_json_file *to = from ? dr_json_load(context, devices->auth_file.path, &why) : NULL;
    struct dr_edit edit = { .from.kind = DR_FROM_FILE, .from.path = devices->paired_file.path };
    struct dr_operation *operation;

    if (!to ||
        !dr_json_text_at(from, (const char *const[]){ device, "tokens", role, "token", NULL }, &edit.from.offset,
                         &edit.from.length) ||
        !dr_json_text_at(to, (const char *const[]){ "tokens", role, "token", NULL }, &edit.offset, &edit.length)) {
        dr_plan_refuse(plan, "%s cannot be edited: %s", devices->auth_file.path, why ? why : "the token has no place in it");
        return;
    }
    edit.from.sha256 = dr_json_sha256(from);
    operation = dr_plan_edit_file(plan, devices->auth_file.path, dr_json_state(to), dr_json_sha256(to), &edit, 1);
    operation->summary = "copy the device token from this host's pairing record";
    operation->while_running = DR_GO_AHEAD; /* each command reads the file anew */
}

static void copy_in_rows(struct dr_context *context, const struct dr_devices *devices, const char *device, const char *role,
                         const char *present, struct dr_plan *plan)
{
    struct dr_row_change change = {
        .table = "device_auth_tokens",
        .key = { { "device_id", device }, { "role", role } },
        .action = DR_ROW_COPY,
        .column = "token",
        .json_path = dr_format(context, "$.\"%s\".token", role),
        .from_table = "device_pairing_paired",
        .from_key = { { "device_id", device } },
        .from_column = "tokens_json",
        .expect_sha256 = dr_text_sha256(context, present),
        .schema_version = devices->schema_version,
    };
    struct dr_operation *operation = dr_plan_update_row(plan, devices->database.path, &devices->database.identity, &change);

    operation->summary = "copy the device token from this host's pairing record";
    operation->while_running = DR_GO_AHEAD; /* a short transaction; the gateway sees it at the next connection */
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);
    const char *device = dr_finding_get(finding, "device");
    const char *role = dr_finding_get(finding, "role");
    const struct dr_device_token *cached = NULL;

    for (size_t i = 0; i < devices->cached_count && !cached; i++) {
        const struct dr_device_token *token = &devices->cached[i];

        if (token->device_id && token->role && token->token && strcmp(token->device_id, device) == 0 &&
            strcmp(token->role, role) == 0)
            cached = token;
    }
    if (!cached)
        dr_plan_refuse(plan, "the cached token is not there any more");
    else if (devices->identity_store == DR_STORE_SQLITE && devices->pairing_store == DR_STORE_SQLITE)
        copy_in_rows(context, devices, device, role, cached->token, plan);
    else if (devices->identity_store == DR_STORE_JSON && devices->pairing_store == DR_STORE_JSON)
        copy_in_files(context, devices, device, role, plan);
    else
        dr_plan_refuse(plan, "record and cache lie in different stores: connect once with the shared gateway token instead");
    return 0;
}

const struct dr_fixer dr_fixer_device_token_copy = {
    .id = "device-token-copy",
    .title = "Copy the device token from the pairing record",
    .plan = plan,
};
