/*
 * dr_origin_allowed for tests/real/scenario_evidence.py: one JSON object per line in, one per line out.
 * In: release, origin, host, direct_local, allowed, host_fallback. Out: allowed.
 */
#include "api/origin.h"

#include "base/cleanup.h"
#include "facts/release.h"
#include "wire/wire.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_ENTRIES = 32 };

static bool judge(const cJSON *line, bool *ret_allowed)
{
    const char *allowed[MOST_ENTRIES];
    struct dr_release release;
    struct dr_rules rules;
    const cJSON *entry;
    struct dr_origin_ask ask = {
        .origin = dr_json_text(line, "origin"),
        .host = dr_json_text(line, "host"),
        .direct_local = dr_json_true(line, "direct_local"),
        .host_fallback = dr_json_true(line, "host_fallback"),
        .allowed = allowed,
    };

    if (!dr_release_parse(dr_json_text(line, "release"), &release))
        return false;
    cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(line, "allowed")) {
        if (ask.allowed_count == MOST_ENTRIES)
            return false;
        allowed[ask.allowed_count++] = cJSON_GetStringValue(entry);
    }
    dr_rules_fill(&release, &rules);
    *ret_allowed = dr_origin_allowed(&rules, &ask);
    return true;
}

int main(void)
{
    _cleanup_free_ char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        cJSON *json = cJSON_Parse(line);
        bool allowed = false;
        bool good = json && judge(json, &allowed);

        cJSON_Delete(json);
        if (!good)
            return EXIT_FAILURE;
        (void)printf("{\"allowed\": %s}\n", allowed ? "true" : "false");
    }
    return EXIT_SUCCESS;
}
