#include "engine/causes.h"

#include "api/check.h"
#include "api/registry.h"
#include "base/text.h"
#include "wire/wire.h"

#include <string.h>

static const struct dr_problem *problem_of(const cJSON *finding)
{
    const char *id = dr_json_text(finding, "check");
    const char *code = dr_json_text(finding, "problem");

    for (const struct dr_check *const *check = dr_check_table; id && code && *check; check++) {
        if (strcmp((*check)->id, id) != 0)
            continue;
        for (size_t i = 0; i < (*check)->problem_count; i++)
            if (strcmp((*check)->problems[i].code, code) == 0)
                return &(*check)->problems[i];
    }
    return NULL;
}

static bool related(enum dr_relation relation, const cJSON *cause, const cJSON *finding)
{
    const char *above = dr_json_text(cause, "path");
    const char *path = dr_json_text(finding, "path");

    switch (relation) {
    case DR_ANY_SUBJECT:
        return true;
    case DR_SAME_SUBJECT:
        return above && path && strcmp(above, path) == 0;
    case DR_BELOW_SUBJECT:
        return above && path && dr_path_is_below(path, above);
    }
    return false;
}

static const cJSON *find_cause(const cJSON *findings, const cJSON *finding)
{
    const struct dr_problem *problem = problem_of(finding);
    const cJSON *candidate;

    for (const struct dr_cause *cause = problem ? problem->follows : NULL; cause && cause->code; cause++) {
        cJSON_ArrayForEach (candidate, findings) {
            const char *id = dr_json_text(candidate, "checkId");

            if (candidate != finding && id && strcmp(id, cause->code) == 0 && related(cause->relation, candidate, finding))
                return candidate;
        }
    }
    return NULL;
}

/* True when `from` is reached by following causes from `finding`: linking them would make a circle. */
static bool leads_to(const cJSON *findings, const cJSON *finding, const cJSON *from)
{
    int steps = cJSON_GetArraySize(findings);

    while (finding && steps-- > 0) {
        const char *cause = dr_json_text(finding, "causedBy");
        const cJSON *candidate;
        const cJSON *next = NULL;

        if (finding == from)
            return true;
        cJSON_ArrayForEach (candidate, findings) {
            const char *fingerprint = dr_json_text(candidate, "fingerprint");

            if (cause && fingerprint && strcmp(fingerprint, cause) == 0)
                next = candidate;
        }
        finding = next;
    }
    return false;
}

static int rank_of(const cJSON *finding)
{
    enum dr_severity severity = DR_INFO;

    (void)dr_severity_parse(dr_json_text(finding, "severity"), &severity);
    return (int)severity;
}

static int compare_text(const cJSON *a, const cJSON *b, const char *name)
{
    const char *left = dr_json_text(a, name);
    const char *right = dr_json_text(b, name);

    return strcmp(left ? left : "", right ? right : "");
}

static int compare(const void *left, const void *right)
{
    const cJSON *a = *(const cJSON *const *)left;
    const cJSON *b = *(const cJSON *const *)right;
    int order = rank_of(b) - rank_of(a);

    if (order == 0)
        order = compare_text(a, b, "checkId");
    if (order == 0)
        order = compare_text(a, b, "path");
    if (order == 0)
        order = compare_text(a, b, "pointer");
    return order != 0 ? order : compare_text(a, b, "fingerprint");
}

static void take_with_consequences(cJSON **all, size_t count, size_t index, cJSON *sorted)
{
    cJSON *finding = all[index];
    const char *fingerprint = dr_json_text(finding, "fingerprint");

    all[index] = NULL;
    cJSON_AddItemToArray(sorted, finding);
    for (size_t i = 0; i < count; i++) {
        const char *cause = all[i] ? dr_json_text(all[i], "causedBy") : NULL;

        if (cause && fingerprint && strcmp(cause, fingerprint) == 0)
            take_with_consequences(all, count, i, sorted);
    }
}

static int sort(cJSON *findings)
{
    size_t count = (size_t)cJSON_GetArraySize(findings);
    _cleanup_free_ cJSON **all = calloc(count + 1, sizeof(*all));

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        all[i] = cJSON_DetachItemFromArray(findings, 0);
    qsort(all, count, sizeof(*all), compare);
    /* Roots in order, each followed by what hangs under it; what is left could only be a broken link. */
    for (size_t i = 0; i < count; i++)
        if (all[i] && !cJSON_GetObjectItemCaseSensitive(all[i], "causedBy"))
            take_with_consequences(all, count, i, findings);
    for (size_t i = 0; i < count; i++)
        if (all[i])
            cJSON_AddItemToArray(findings, all[i]);
    return 0;
}

int dr_causes_link(cJSON *findings)
{
    cJSON *finding;

    cJSON_ArrayForEach (finding, findings) {
        const cJSON *cause = find_cause(findings, finding);

        if (cause && !leads_to(findings, cause, finding) &&
            !cJSON_AddStringToObject(finding, "causedBy", dr_json_text(cause, "fingerprint")))
            return -ENOMEM;
    }
    return sort(findings);
}
