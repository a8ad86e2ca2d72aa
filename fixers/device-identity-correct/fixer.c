/* Writes the device id that belongs to the key. The key itself is left alone. */
#include "api/fixer.h"
#include "api/devices.h"
#include "api/json.h"

static void correct_file(struct dr_context *context, const struct dr_devices *devices, struct dr_plan *plan)
{
    const char *path = devices->identity_file.path;
    const char *why = NULL;
    const struct dr_json_file *file = dr_json_load(context, path, &why);
    struct dr_json_edits edits = { 0 };
    struct dr_operation *operation;

    if (!file || !dr_json_set_text(context, file, (const char *const[]){ "deviceId", NULL }, devices->identity.public_key_id,
                                   &edits)) {
        dr_plan_refuse(plan, "%s cannot be edited: %s", path, why ? why : "there is no place for the id in it");
        return;
    }
    operation = dr_plan_edit_file(plan, path, dr_json_state(file), dr_json_sha256(file), edits.list, edits.count);
    operation->summary = "write the device id that belongs to the key";
    operation->while_running = DR_GO_AHEAD; /* each command reads the file anew */
}

static void correct_row(struct dr_context *context, const struct dr_devices *devices, struct dr_plan *plan)
{
    struct dr_row_change change = {
        .table = "device_identities",
        .key = { { "identity_key", "primary" } },
        .action = DR_ROW_SET_TEXT,
        .column = "device_id",
        .text = devices->identity.public_key_id,
        .expect_sha256 = dr_text_sha256(context, devices->identity.device_id),
        .schema_version = devices->schema_version,
    };
    struct dr_operation *operation = dr_plan_update_row(plan, devices->database.path, &devices->database.identity, &change);

    operation->summary = "write the device id that belongs to the key";
    operation->while_running = DR_WAIT_FOR_STOP; /* the gateway holds its identity in memory */
    operation->restart = "openclaw gateway start";
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);

    (void)finding;
    if (devices->identity_store == DR_STORE_SQLITE)
        correct_row(context, devices, plan);
    else
        correct_file(context, devices, plan);
    return 0;
}

const struct dr_fixer dr_fixer_device_identity_correct = {
    .id = "device-identity-correct",
    .title = "Write the device id that belongs to the key",
    .plan = plan,
};
