/* Takes records out of devices/paired.json: those whose keys the finding names. Everything else stays byte for byte. */
#include "api/fixer.h"
#include "api/devices.h"
#include "api/json.h"

#include <string.h>

enum { MOST_KEYS = 64 };

/* "a,b" -> {"a", "b", NULL} */
static const char *const *split(struct dr_context *context, const char *text)
{
    const char **keys = dr_alloc(context, (MOST_KEYS + 1) * sizeof(*keys));

    for (size_t i = 0; i < MOST_KEYS && *text; i++) {
        size_t length = strcspn(text, ",");

        keys[i] = dr_strndup(context, text, length);
        text += length + (text[length] == ',');
    }
    return keys;
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *path = dr_devices(context)->paired_file.path;
    const char *keys = dr_finding_get(finding, "keys");
    const char *why = NULL;
    const struct dr_json_file *file = dr_json_load(context, path, &why);
    struct dr_json_edits edits = { 0 };
    struct dr_operation *operation;

    if (!file || !keys || !dr_json_remove(context, file, split(context, keys), &edits)) {
        dr_plan_refuse(plan, "%s cannot be edited: %s", path, why ? why : "the records are not there any more");
        return 0;
    }
    operation = dr_plan_edit_file(plan, path, dr_json_state(file), dr_json_sha256(file), edits.list, edits.count);
    operation->summary = "take records out that nobody can use";
    operation->while_running = DR_GO_AHEAD; /* the gateway reads the file anew at each connection */
    return 0;
}

const struct dr_fixer dr_fixer_device_record_remove = {
    .id = "device-record-remove",
    .title = "Take unusable pairing records out",
    .plan = plan,
};
