/*
 * Puts origins into gateway.controlUi.allowedOrigins: exactly those that the finding names, in a browser's own spelling.
 */
#include "api/fixer.h"
#include "api/origin.h"

#include <string.h>

enum { MOST_ORIGINS = 16 };

static bool all_normal(const char *const *origins, size_t count)
{
    char normal[DR_ORIGIN_TEXT];

    for (size_t i = 0; i < count; i++)
        if (!dr_origin_normal(origins[i], normal) || strcmp(normal, origins[i]) != 0)
            return false;
    return count > 0;
}

static int plan_add(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *origins[MOST_ORIGINS];
    size_t count = dr_finding_list(context, finding, "origins", origins, MOST_ORIGINS);

    if (all_normal(origins, count))
        (void)dr_plan_append_config(plan, "gateway.controlUi.allowedOrigins", origins, count);
    else
        dr_plan_refuse(plan, "no origin is known that could be added");
    return 0;
}

const struct dr_fixer dr_fixer_origin_add = {
    .id = "origin-add",
    .title = "Allow the origin in gateway.controlUi.allowedOrigins",
    .plan = plan_add,
};
