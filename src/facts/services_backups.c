/*
 * Old units that lie beside the new ones and still hold a token: OpenClaw keeps a copy as <unit>.bak when it writes a unit anew, until
 * 2026.8 readable for everybody (facts/failure-modes.md row 62).
 */
#include "api/target.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "facts/units.h"
#include "facts/units_find.h"
#include "format/systemd_unit.h"

#include <string.h>

enum { MOST_BACKUPS = 32 };

const char *const dr_service_secrets[] = {
    "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_PASSWORD", NULL,
};

static bool is_secret(const char *name)
{
    for (size_t i = 0; dr_service_secrets[i]; i++)
        if (strcmp(dr_service_secrets[i], name) == 0)
            return true;
    return false;
}

/* The first secret of the file that is set to something. */
static bool find_secret(struct dr_context *context, const struct dr_text_file *file, struct dr_service_backup *backup)
{
    const struct dr_unit_entry *const *entries = NULL;
    struct dr_unit unit;
    size_t count = 0;

    if (dr_unit_parse(file->path, file->bytes, file->length, context->arena, &unit) < 0 ||
        dr_unit_effective(&unit, 1, "Service", "Environment", context->arena, &entries, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct dr_unit_assignment *assignments = NULL;
        size_t assignment_count = 0;

        if (dr_unit_assignments(entries[i], context->arena, &assignments, &assignment_count) == -ENOMEM)
            return false;
        for (size_t a = 0; a < assignment_count; a++)
            if (is_secret(assignments[a].name) && assignments[a].value[0]) {
                dr_secret_known(context, assignments[a].value);
                backup->variable = assignments[a].name;
                backup->value = assignments[a].value;
                return true;
            }
    }
    return false;
}

const struct dr_service_backups *dr_service_backups(struct dr_context *context)
{
    struct dr_service_backups *backups = dr_alloc(context, sizeof(*backups));
    struct dr_service_backup *list = dr_alloc(context, MOST_BACKUPS * sizeof(*list));
    const char *const *paths = dr_units_backups(context, dr_target(context)->home);

    for (size_t i = 0; paths[i] && backups->count < MOST_BACKUPS; i++) {
        struct dr_text_file file;
        struct dr_service_backup *backup = &list[backups->count];

        if (dr_text_file_read(context, paths[i], &file) < 0 || !find_secret(context, &file, backup))
            continue;
        backup->path = file.path;
        backup->identity = file.identity;
        backup->by_link = file.by_link;
        backups->count++;
    }
    backups->list = list;
    return backups;
}
