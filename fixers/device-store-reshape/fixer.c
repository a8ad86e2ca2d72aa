/* Turns the array in devices/paired.json or pending.json into the object that belongs there. */
#include "api/fixer.h"
#include "api/devices.h"
#include "api/json.h"

#include <string.h>

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);
    const char *path = dr_finding_subject(finding)->path;
    const char *key = strcmp(path, devices->pending_file.path) == 0 ? "requestId" : "deviceId";
    const char *why = NULL;
    const struct dr_json_file *file = dr_json_load(context, path, &why);
    struct dr_json_edits edits = { 0 };
    struct dr_operation *operation;

    if (!file || !dr_json_array_to_object(context, file, key, &edits)) {
        dr_plan_refuse(plan, "%s cannot be turned into an object: %s", path,
                       why ? why : "an entry has no id of its own, or two have the same");
        return 0;
    }
    operation = dr_plan_edit_file(plan, path, dr_json_state(file), dr_json_sha256(file), edits.list, edits.count);
    operation->summary = "turn the array into an object";
    operation->while_running = DR_GO_AHEAD; /* the gateway reads the file anew at each connection */
    return 0;
}

const struct dr_fixer dr_fixer_device_store_reshape = {
    .id = "device-store-reshape",
    .title = "Turn the array into an object",
    .plan = plan,
};
