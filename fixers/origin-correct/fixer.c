/*
 * An entry of gateway.controlUi.allowedOrigins that never matches (a slash at the end, a path, a written standard port) becomes what a browser
 * sends. The finding names it by place and text; both must still fit.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/origin.h"

#include <string.h>

static int plan_correct(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *pointer = dr_finding_get(finding, "pointer"), *entry = dr_finding_get(finding, "entry");
    const char *origin = dr_finding_get(finding, "origin");
    char normal[DR_ORIGIN_TEXT];
    struct dr_config_value value;
    struct dr_config_edits edits;

    if (!pointer || !entry || !origin || dr_config_lookup(dr_config(context), pointer, &value) <= 0 ||
        value.type != DR_VALUE_STRING || strcmp(value.text, entry) != 0) {
        dr_plan_refuse(plan, "the entry is not there any more");
        return 0;
    }
    if (!dr_origin_normal(origin, normal) || strcmp(normal, origin) != 0 ||
        dr_config_replace_text(context, &value, origin, &edits) < 0) {
        dr_plan_refuse(plan, "the entry cannot be corrected in the text; do it by hand");
        return 0;
    }
    struct dr_operation *operation = dr_plan_edit_config(plan, &edits);

    operation->summary = dr_format(context, "write \"%s\" instead of \"%.100s\" in gateway.controlUi.allowedOrigins in %s",
                                   origin, entry, edits.file->path);
    return 0;
}

const struct dr_fixer dr_fixer_origin_correct = {
    .id = "origin-correct",
    .title = "Write the origin as browsers send it",
    .plan = plan_correct,
};
