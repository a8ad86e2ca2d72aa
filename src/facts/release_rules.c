/*
 * What differs between releases: one row per change, oldest first. The only place in the program that knows a release by number.
 *
 * Where the facts show two releases that differ but not the one that changed, the row stands at the first release that was seen
 * with the new behaviour, and its source says "seen".
 */
#include "facts/release.h"

#include "base/cleanup.h"

#include <string.h>

#define FIELD(name) offsetof(struct dr_rules, name), sizeof(((struct dr_rules *)0)->name)
#define FROM(year, month, patch) \
    {                            \
        year, month, patch, 0    \
    }
#define FROM_BETA(year, month, patch, beta) \
    {                                       \
        year, month, patch, beta            \
    }
#define EVER       \
    {              \
        0, 0, 0, 0 \
    }

const struct dr_rule_row dr_rule_rows[] = {
    { EVER, FIELD(client_env_first), true, "openclaw-2026.2 section 3" },
    { EVER, FIELD(silent_edit_works), true, "openclaw-2026.2 section 2" },
    { EVER, FIELD(legacy_names), true, "openclaw-2026.2 section 10" },
    { EVER, FIELD(signature_window_s), 600, "openclaw-2026.2 section 7" },
    { EVER, FIELD(generated_token_saved), true, "openclaw-2026.2 section 3" },
    { EVER, FIELD(origin_same_host), true, "src/gateway/origin-check, observed in 2026.2.19" },
    { FROM(2026, 2, 14), FIELD(mismatch_named_device), true, "failure-modes row 1" },
    { FROM(2026, 2, 17), FIELD(cidr_v4), true, "openclaw-2026.2 section 6" },
    { FROM(2026, 2, 19), FIELD(scopes_literal), true, "openclaw-2026.2 section 2" },
    { FROM(2026, 2, 21), FIELD(scopes_literal), false, "openclaw-2026.2 section 2" },
    { FROM(2026, 2, 21), FIELD(silent_edit_works), false, "openclaw-2026.2 section 2" },
    { FROM(2026, 2, 21), FIELD(forwarded_from_right), true, "openclaw-2026.2 section 6" },
    { FROM(2026, 2, 21), FIELD(custom_bind), true, "issue 20289, PR 20318; not in 2026.2.19, where it was tried" },
    { FROM(2026, 2, 22), FIELD(signature_window_s), 120, "openclaw-2026.9 section 3.3, seen in 2026.4.25" },
    { FROM(2026, 2, 23), FIELD(origin_same_host), false, "failure-modes row 13, issue 29809" },
    { FROM(2026, 2, 23), FIELD(origins_required), true, "failure-modes row 14, issue 27473" },
    { FROM(2026, 3, 2), FIELD(origin_star), true, "failure-modes row 13, PR 31088" },
    { FROM(2026, 3, 22), FIELD(cidr_v6), true, "src/gateway/net, seen in 2026.3.22 (NVIDIA/NemoClaw PR 740)" },
    { FROM(2026, 3, 22), FIELD(real_ip_by_consent), true, "src/gateway/net, seen in 2026.3.22 (NVIDIA/NemoClaw PR 740)" },
    { FROM(2026, 4, 22), FIELD(forwarded_never_local), true, "failure-modes section 1, issue 71103" },
    { FROM(2026, 4, 23), FIELD(origins_required), false, "issue 29809, its last comment; seen in 2026.4.23" },
    { FROM(2026, 4, 23), FIELD(container_binds_all), true, "PR 61818, seen in 2026.4.23 (PR 42120)" },
    { FROM_BETA(2026, 5, 30, 1), FIELD(sqlite_schema), 1, "openclaw-2026.9 section 2.1" },
    { FROM_BETA(2026, 7, 2, 1), FIELD(pairing_in_sqlite), true, "openclaw-2026.9 section 2.1, PR 103160" },
    { FROM_BETA(2026, 7, 2, 1), FIELD(sqlite_schema), 2, "openclaw-2026.9 section 2.1" },
    { FROM_BETA(2026, 7, 2, 3), FIELD(sqlite_schema), 4, "openclaw-2026.9 section 2.1" },
    { FROM_BETA(2026, 7, 2, 5), FIELD(identity_in_sqlite), true, "openclaw-2026.9 section 2.1, PR 110392, PR 112663" },
    { FROM_BETA(2026, 7, 2, 5), FIELD(sqlite_schema), 6, "openclaw-2026.9 section 2.1" },
    /* 2026.7.33 to 2026.7.35 were made from the line before 2026.7.2-beta.1. */
    { FROM(2026, 7, 33), FIELD(pairing_in_sqlite), false, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 7, 33), FIELD(identity_in_sqlite), false, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 7, 33), FIELD(sqlite_schema), 1, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 8, 1), FIELD(pairing_in_sqlite), true, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 8, 1), FIELD(identity_in_sqlite), true, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 8, 1), FIELD(sqlite_schema), 15, "openclaw-2026.9 section 2.1" },
    { FROM(2026, 8, 1), FIELD(client_env_first), false, "failure-modes section 1, PR 114462" },
    { FROM(2026, 8, 1), FIELD(attribution_required), true, "openclaw-2026.9 section 0 row 6" },
    { FROM(2026, 8, 1), FIELD(client_signs_server_time), true, "openclaw-2026.9 section 0 row 8, PR 116679" },
    { FROM(2026, 8, 1), FIELD(server_reads_remote), true, "openclaw-2026.9 section 3.5, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(remote_reads_others), true, "openclaw-2026.9 section 3.5, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(generated_token_saved), false, "openclaw-2026.9 section 3.5, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(mismatch_named_device), false, "openclaw-2026.9 section 3.1, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(legacy_names), false, "openclaw-2026.9 section 6, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(forwarded_skips_loopback), true, "openclaw-2026.9 section 3.4, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(sentinel_token_refused), true, "openclaw-2026.9 section 4, seen in 2026.9.6" },
    { FROM(2026, 8, 1), FIELD(token_trimmed), true, "src/gateway/credential-planner, seen in 2026.9.6; not in 2026.2.19" },
    { FROM(2026, 8, 1), FIELD(cwd_dotenv_ignored), true, "src/infra/dotenv, seen in 2026.9.6; not in 2026.2.19" },
    { FROM(2026, 9, 6), FIELD(origin_private_host), true, "openclaw-2026.9 section 3.7, seen in 2026.9.6" },
    { FROM(2026, 9, 6), FIELD(sqlite_schema), 18, "openclaw-2026.9 section 2.1" },
};
const size_t dr_rule_row_count = DR_COUNT(dr_rule_rows);

struct dr_release dr_release_newest_known(void)
{
    return dr_rule_rows[DR_COUNT(dr_rule_rows) - 1].from;
}

static void set_field(struct dr_rules *rules, const struct dr_rule_row *row)
{
    char *field = (char *)rules + row->offset;

    if (row->size == sizeof(bool)) {
        bool value = row->value != 0;

        memcpy(field, &value, sizeof(value));
    } else {
        memcpy(field, &row->value, sizeof(row->value));
    }
}

_Static_assert(sizeof(bool) != sizeof(int) && sizeof(unsigned) == sizeof(int), "set_field tells fields apart by their size");

void dr_rules_fill(const struct dr_release *release, struct dr_rules *ret_rules)
{
    struct dr_rules rules = { 0 };

    for (size_t i = 0; i < DR_COUNT(dr_rule_rows); i++)
        if (dr_release_compare(&dr_rule_rows[i].from, release) <= 0)
            set_field(&rules, &dr_rule_rows[i]);
    *ret_rules = rules;
}
