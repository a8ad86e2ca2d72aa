/*
 * Sets this host's broken key aside, together with the token that was cached for it: without the key the token is worth
 * nothing, and with a new key it is another device's.
 */
#include "api/fixer.h"
#include "api/devices.h"

static void set_aside(struct dr_plan *plan, const struct dr_store_file *file, const char *summary)
{
    struct dr_operation *operation;

    if (file->state == DR_FILE_MISSING)
        return;
    operation = dr_plan_move_aside(plan, file->path, &file->identity, file->sha256);
    operation->summary = summary;
    /* A gateway of 2026.2 holds its key in memory and would go on with the old one. */
    operation->while_running = DR_WAIT_FOR_STOP;
    operation->restart = "openclaw gateway start";
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);

    (void)finding;
    if (devices->identity_store == DR_STORE_SQLITE) {
        dr_plan_refuse(plan, "the gateway replaces an unusable key in the database at its next start: restart it, then "
                             "approve this host where it is refused");
        return 0;
    }
    if (!devices->identity_file.sha256) {
        dr_plan_refuse(plan, "%s is no regular file; look at it by hand", devices->identity_file.path);
        return 0;
    }
    set_aside(plan, &devices->identity_file, "set the broken key aside; the next openclaw command makes a new one");
    if (devices->auth_file.sha256)
        set_aside(plan, &devices->auth_file, "set the token aside that was cached for that key");
    return 0;
}

const struct dr_fixer dr_fixer_device_identity_quarantine = {
    .id = "device-identity-quarantine",
    .title = "Set the broken device key aside",
    .plan = plan,
};
