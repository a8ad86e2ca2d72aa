#include "cli/fix_verdict.h"

#include <string.h>

static const cJSON *find_by(const cJSON *array, const char *name, const char *value)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, array) {
        const char *own = dr_json_text(item, name);

        if (own && value && strcmp(own, value) == 0)
            return item;
    }
    return NULL;
}

static bool looked_well(const struct dr_look *look, const char *check)
{
    const char *status = dr_json_text(find_by(look->checks, "id", check), "status");

    return status && (strcmp(status, "pass") == 0 || strcmp(status, "finding") == 0);
}

/* An error of its own: what follows from another is that one's doing. */
static bool is_root_error(const cJSON *finding)
{
    const char *severity = dr_json_text(finding, "severity");

    return severity && strcmp(severity, "error") == 0 && !cJSON_GetObjectItemCaseSensitive(finding, "causedBy");
}

static unsigned count_errors(const struct dr_look *look)
{
    const cJSON *finding;
    unsigned count = 0;

    cJSON_ArrayForEach (finding, look->findings) {
        if (is_root_error(finding))
            count++;
    }
    return count;
}

bool dr_fix_has_new_error(const struct dr_look *before, const struct dr_look *after)
{
    const cJSON *finding;

    cJSON_ArrayForEach (finding, after->findings) {
        if (is_root_error(finding) && !find_by(before->findings, "fingerprint", dr_json_text(finding, "fingerprint")))
            return true;
    }
    return false;
}

const char *dr_fix_verdict(const struct dr_look *before, const struct dr_look *after, const cJSON *finding)
{
    const char *check = dr_json_text(finding, "check");

    if (find_by(after->findings, "fingerprint", dr_json_text(finding, "fingerprint")))
        return "looked again: the problem is still there";
    if (looked_well(before, check) && !looked_well(after, check))
        return "looked again: could not tell any more";
    if (dr_fix_has_new_error(before, after) && count_errors(after) >= count_errors(before))
        return "looked again: it made something else worse";
    return NULL;
}
