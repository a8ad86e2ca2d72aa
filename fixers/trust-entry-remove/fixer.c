/*
 * Takes entries out of gateway.trustedProxies: those that match nothing, and those that match everybody. Adds nothing: which address the
 * proxy has, only its owner knows. Both findings get the same operation, so that one file is edited once.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/install.h"
#include "api/locality.h"

#include <errno.h>

enum { MOST_ENTRIES = 256 };

static size_t choose(const struct dr_config *config, const struct dr_config_value *list, const struct dr_rules *rules,
                     struct dr_config_value *chosen)
{
    struct dr_config_value value;
    size_t count = 0, seen = 0;

    for (bool more = dr_config_first(config, list, &value); more && seen < MOST_ENTRIES;
         more = dr_config_next(config, &value, &value), seen++) {
        struct dr_trust trust;

        if (value.type != DR_VALUE_STRING || value.missing_env)
            continue;
        dr_trust_read(rules, value.text, &trust);
        if (trust.nothing || trust.subnet.bits == 0)
            chosen[count++] = value;
    }
    return count;
}

static int plan_remove(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_config *config = dr_config(context);
    struct dr_config_value *chosen = dr_alloc(context, MOST_ENTRIES * sizeof(*chosen));
    struct dr_config_value list;
    struct dr_edit edit;

    (void)finding;
    if (dr_config_lookup(config, "gateway.trustedProxies", &list) <= 0) {
        dr_plan_refuse(plan, "the list is not there any more");
        return 0;
    }
    size_t count = choose(config, &list, dr_installs(context)->rules, chosen);
    int r = dr_config_remove(context, chosen, count, &edit);

    if (r < 0) {
        dr_plan_refuse(plan, "%s",
                       r == -ENOTSUP ? "the entries come from several files; take them out by hand"
                                     : "the entries cannot be taken out of the text");
        return 0;
    }
    const struct dr_config_file *file = chosen[0].file;
    struct dr_operation *operation = dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, &edit, 1);

    operation->summary = dr_format(context, "take %zu entr%s out of gateway.trustedProxies in %s", count,
                                   count == 1 ? "y" : "ies", file->path);
    operation->while_running = DR_GO_AHEAD;
    return 0;
}

const struct dr_fixer dr_fixer_trust_entry_remove = {
    .id = "trust-entry-remove",
    .title = "Take out entries of gateway.trustedProxies that match nothing or everybody",
    .plan = plan_remove,
};
