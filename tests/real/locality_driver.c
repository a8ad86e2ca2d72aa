/*
 * dr_locality_judge for tests/real/scenario_locality.py: one JSON object per line in, one per line out.
 * In: release, peer, forwarded_for, real_ip, forwarded_host, forwarded_other, tailscale, host, origin, client_id, client_mode,
 * shared_secret, trusted, allow_real_ip, local_not_approved. Out: ingress, local, paired_unasked, client, recorded.
 */
#include "api/locality.h"

#include "base/cleanup.h"
#include "facts/release.h"
#include "wire/wire.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TRUSTED = 32 };

static bool judge(const cJSON *line, struct dr_locality *ret_locality)
{
    const char *trusted[MOST_TRUSTED];
    struct dr_release release;
    struct dr_rules rules;
    const cJSON *entry;
    struct dr_approach approach = {
        .peer = dr_json_text(line, "peer"),
        .forwarded_for = dr_json_text(line, "forwarded_for"),
        .real_ip = dr_json_text(line, "real_ip"),
        .forwarded_host = dr_json_text(line, "forwarded_host"),
        .forwarded_other = dr_json_true(line, "forwarded_other"),
        .tailscale = dr_json_true(line, "tailscale"),
        .host = dr_json_text(line, "host"),
        .origin = dr_json_text(line, "origin"),
        .client_id = dr_json_text(line, "client_id"),
        .client_mode = dr_json_text(line, "client_mode"),
        .shared_secret = dr_json_true(line, "shared_secret"),
        .trusted = trusted,
        .allow_real_ip = dr_json_true(line, "allow_real_ip"),
        .local_not_approved = dr_json_true(line, "local_not_approved"),
    };

    if (!dr_release_parse(dr_json_text(line, "release"), &release))
        return false;
    cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(line, "trusted")) {
        if (approach.trusted_count == MOST_TRUSTED)
            return false;
        trusted[approach.trusted_count++] = cJSON_GetStringValue(entry);
    }
    dr_rules_fill(&release, &rules);
    dr_locality_judge(&rules, &approach, ret_locality);
    return true;
}

int main(void)
{
    static const char *const ingress[] = { "direct-local", "direct-remote", "trusted-proxy", "untrusted-proxy", "refused" };
    _cleanup_free_ char *input = NULL;
    size_t size = 0;

    while (getline(&input, &size, stdin) > 0) {
        struct dr_locality locality;
        cJSON *line = cJSON_Parse(input), *out = cJSON_CreateObject();

        if (!line || !out || !judge(line, &locality)) {
            (void)fprintf(stderr, "locality_driver: cannot read %s", input);
            return EXIT_FAILURE;
        }
        cJSON_AddStringToObject(out, "ingress", ingress[locality.ingress]);
        cJSON_AddBoolToObject(out, "local", locality.local);
        cJSON_AddBoolToObject(out, "paired_unasked", locality.paired_unasked);
        cJSON_AddStringToObject(out, "client", locality.client);
        cJSON_AddStringToObject(out, "recorded", locality.recorded);
        char *printed = cJSON_PrintUnformatted(out);

        if (printed)
            (void)puts(printed);
        free(printed);
        cJSON_Delete(out);
        cJSON_Delete(line);
    }
    return EXIT_SUCCESS;
}
