/*
 * One entry of gateway.trustedProxies that is too wide, or was the address of another day, becomes the address that the proxy has; or goes, where
 * the proxies that are known stand in the list already. The finding names the entry by place and text; both must still fit.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/locality.h"

#include <errno.h>
#include <string.h>

static int edit(struct dr_context *context, const struct dr_config_value *value, const char *address,
                struct dr_config_edits *ret_edits)
{
    struct dr_address parsed;

    if (*address)
        return dr_address_parse(address, &parsed) ? dr_config_replace_text(context, value, address, ret_edits) : -EINVAL;
    struct dr_edit *removal = dr_alloc(context, sizeof(*removal));

    *ret_edits = (struct dr_config_edits){ .file = value->file, .list = removal, .count = 1 };
    return dr_config_remove(context, value, 1, removal);
}

static int plan_narrow(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *pointer = dr_finding_get(finding, "pointer"), *entry = dr_finding_get(finding, "entry");
    const char *address = dr_finding_get(finding, "address");
    struct dr_config_value value;
    struct dr_config_edits edits;

    if (!pointer || !entry || !address || dr_config_lookup(dr_config(context), pointer, &value) <= 0 ||
        value.type != DR_VALUE_STRING || !value.text || strcmp(value.text, entry) != 0) {
        dr_plan_refuse(plan, "the entry is not there any more");
        return 0;
    }
    if (edit(context, &value, address, &edits) < 0) {
        dr_plan_refuse(plan, "the entry cannot be changed in the text; do it by hand");
        return 0;
    }
    struct dr_operation *operation = dr_plan_edit_config(plan, &edits);

    operation->summary =
        *address ? dr_format(context, "replace \"%.60s\" by \"%s\" in gateway.trustedProxies in %s", entry, address,
                             edits.file->path)
                 : dr_format(context, "take \"%.60s\" out of gateway.trustedProxies in %s", entry, edits.file->path);
    return 0;
}

const struct dr_fixer dr_fixer_trust_entry_narrow = {
    .id = "trust-entry-narrow",
    .title = "Narrow an entry of gateway.trustedProxies to the proxy's own address",
    .plan = plan_narrow,
};
