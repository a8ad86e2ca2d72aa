/*
 * Puts the addresses that evidence names into gateway.trustedProxies, and nothing wider. The finding says which; each is read again, so that no
 * range and no name can slip in.
 */
#include "api/fixer.h"
#include "api/locality.h"

enum { MOST_ADDRESSES = 8 };

static bool all_addresses(const char *const *texts, size_t count)
{
    struct dr_address address;

    for (size_t i = 0; i < count; i++)
        if (!dr_address_parse(texts[i], &address))
            return false;
    return count > 0;
}

static int plan_add(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *addresses[MOST_ADDRESSES];
    size_t count = dr_finding_list(context, finding, "addresses", addresses, MOST_ADDRESSES);

    if (all_addresses(addresses, count))
        (void)dr_plan_append_config(plan, "gateway.trustedProxies", addresses, count);
    else
        dr_plan_refuse(plan, "no address is known that could be added");
    return 0;
}

const struct dr_fixer dr_fixer_trust_entry_add = {
    .id = "trust-entry-add",
    .title = "Put the proxy's address into gateway.trustedProxies",
    .plan = plan_add,
};
