/*
 * Sets device files of the JSON era aside that lie beside the database: identity/ and devices/ together, since one without the
 * other would be imported as half a device.
 */
#include "api/fixer.h"
#include "api/devices.h"

static void set_aside(struct dr_plan *plan, const struct dr_store_file *file)
{
    if (file->state == DR_FILE_MISSING)
        return;
    if (!file->sha256) {
        dr_plan_refuse(plan, "%s is no regular file; look at it by hand", file->path);
        return;
    }
    struct dr_operation *operation = dr_plan_move_aside(plan, file->path, &file->identity, file->sha256);

    operation->summary = "keep the file of an older release aside";
    operation->while_running = DR_GO_AHEAD; /* a running gateway of the SQLite era looks at them when it starts only */
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);

    (void)finding;
    if (devices->identity_store == DR_STORE_SQLITE) {
        set_aside(plan, &devices->identity_file);
        set_aside(plan, &devices->auth_file);
    }
    if (devices->pairing_store == DR_STORE_SQLITE) {
        set_aside(plan, &devices->paired_file);
        set_aside(plan, &devices->pending_file);
    }
    return 0;
}

const struct dr_fixer dr_fixer_device_legacy_quarantine = {
    .id = "device-legacy-quarantine",
    .title = "Keep device files of an older release aside",
    .plan = plan,
};
