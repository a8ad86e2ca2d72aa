/*
 * Puts the addresses that evidence names into gateway.trustedProxies, and nothing wider. The finding says which; each is read again, so that no
 * range and no name can slip in.
 */
#include "api/fixer.h"
#include "api/attribution.h"
#include "api/config.h"
#include "api/install.h"

#include <errno.h>
#include <string.h>

enum { MOST_ADDRESSES = 8 };

/* The list "127.0.0.1, ::1", in pieces. 0 when one of them is no address. */
static size_t split(struct dr_context *context, const char *list, const char *addresses[MOST_ADDRESSES])
{
    size_t count = 0;

    while (*list && count < MOST_ADDRESSES) {
        size_t length = strcspn(list, ", ");
        struct dr_address address;

        addresses[count] = dr_strndup(context, list, length);
        if (!dr_address_parse(addresses[count++], &address))
            return 0;
        list += length;
        list += strspn(list, ", ");
    }
    return count;
}

static const char *why_not(int error)
{
    if (error == -EIO)
        return "there is no configuration that could be edited";
    return error == -ENOTSUP ? "gateway.trustedProxies is not a plain list in one file; add the address by hand"
                             : "the address cannot be put into the text";
}

static int plan_add(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *named = dr_finding_get(finding, "addresses");
    const char *addresses[MOST_ADDRESSES];
    size_t count = named ? split(context, named, addresses) : 0;
    struct dr_config_edits edits;

    if (count == 0) {
        dr_plan_refuse(plan, "no address is known that could be added");
        return 0;
    }
    int r = dr_config_append_all(context, "gateway.trustedProxies", addresses, count, &edits);

    if (r < 0) {
        dr_plan_refuse(plan, "%s", why_not(r));
        return 0;
    }
    struct dr_operation *operation =
        dr_plan_edit_file(plan, edits.file->path, &edits.file->identity, edits.file->sha256, edits.list, edits.count);

    operation->summary = dr_format(context, "put %s into gateway.trustedProxies in %s", named, edits.file->path);
    operation->while_running = DR_GO_AHEAD;
    return 0;
}

const struct dr_fixer dr_fixer_trust_entry_add = {
    .id = "trust-entry-add",
    .title = "Put the proxy's address into gateway.trustedProxies",
    .plan = plan_add,
};
