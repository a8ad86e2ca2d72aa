/*
 * Puts origins into gateway.controlUi.allowedOrigins: exactly those that the finding names, in a browser's own spelling.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/origin.h"

#include <errno.h>
#include <string.h>

enum { MOST_ORIGINS = 16 };

static size_t split(struct dr_context *context, const char *list, const char *origins[MOST_ORIGINS])
{
    size_t count = 0;

    while (*list && count < MOST_ORIGINS) {
        size_t length = strcspn(list, ", ");
        char normal[DR_ORIGIN_TEXT];

        origins[count] = dr_strndup(context, list, length);
        if (!dr_origin_normal(origins[count], normal) || strcmp(normal, origins[count]) != 0)
            return 0;
        count++;
        list += length;
        list += strspn(list, ", ");
    }
    return count;
}

static int plan_add(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *named = dr_finding_get(finding, "origins");
    const char *origins[MOST_ORIGINS];
    size_t count = named ? split(context, named, origins) : 0;
    struct dr_config_edits edits;

    if (count == 0) {
        dr_plan_refuse(plan, "no origin is known that could be added");
        return 0;
    }
    int r = dr_config_append_all(context, "gateway.controlUi.allowedOrigins", origins, count, &edits);

    if (r < 0) {
        dr_plan_refuse(plan, "%s",
                       r == -EIO ? "there is no configuration that could be edited"
                                 : "gateway.controlUi.allowedOrigins is not a plain list in one file; add it by hand");
        return 0;
    }
    struct dr_operation *operation =
        dr_plan_edit_file(plan, edits.file->path, &edits.file->identity, edits.file->sha256, edits.list, edits.count);

    operation->summary = dr_format(context, "put %s into gateway.controlUi.allowedOrigins in %s", named, edits.file->path);
    operation->while_running = DR_GO_AHEAD;
    return 0;
}

const struct dr_fixer dr_fixer_origin_add = {
    .id = "origin-add",
    .title = "Allow the origin in gateway.controlUi.allowedOrigins",
    .plan = plan_add,
};
