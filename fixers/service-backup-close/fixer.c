/* An old unit that holds a token is for its owner alone. */
#include "api/fixer.h"

#include "api/services.h"

#include <string.h>

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_service_backups *backups = dr_service_backups(context);
    const char *path = dr_finding_get(finding, "path");

    for (size_t i = 0; path && i < backups->count; i++) {
        const struct dr_service_backup *backup = &backups->list[i];
        uint32_t mode = backup->identity.mode & 0700;

        if (strcmp(backup->path, path) != 0)
            continue;
        struct dr_operation *operation = dr_plan_set_mode(plan, path, &backup->identity, mode);

        operation->summary = dr_format(context, "mode %04o instead of %04o", mode, backup->identity.mode & 07777);
        operation->while_running = DR_GO_AHEAD;
        return 0;
    }
    dr_plan_refuse(plan, "the file is not there any more");
    return 0;
}

const struct dr_fixer dr_fixer_service_backup_close = {
    .id = "service-backup-close",
    .title = "Close the old unit to others",
    .plan = plan,
};
