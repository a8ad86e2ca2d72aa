/* Sets one broken file of the JSON store aside. OpenClaw takes a missing file for an empty one, as it does the broken one. */
#include "api/fixer.h"
#include "api/devices.h"

#include <string.h>

static const struct dr_store_file *file_named(const struct dr_devices *devices, const char *path)
{
    const struct dr_store_file *const files[] = { &devices->paired_file, &devices->pending_file, &devices->auth_file };

    for (size_t i = 0; path && i < sizeof(files) / sizeof(files[0]); i++)
        if (strcmp(files[i]->path, path) == 0)
            return files[i];
    return NULL;
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_store_file *file = file_named(dr_devices(context), dr_finding_get(finding, "path"));
    struct dr_operation *operation;

    if (!file || !file->sha256) {
        dr_plan_refuse(plan, "it is no regular file; look at it by hand");
        return 0;
    }
    operation = dr_plan_move_aside(plan, file->path, &file->identity, file->sha256);
    operation->summary = "keep the broken file aside, before OpenClaw writes over it";
    operation->while_running = DR_GO_AHEAD; /* for a gateway, missing and broken are the same */
    return 0;
}

const struct dr_fixer dr_fixer_device_store_quarantine = {
    .id = "device-store-quarantine",
    .title = "Keep the broken file aside",
    .plan = plan,
};
