#include "engine/look_lines.h"

#include "base/cleanup.h"

#include <string.h>

static void tie_fix(const struct dr_look *look, cJSON *line)
{
    const char *fingerprint = dr_json_text(line, "finding");
    const char *refused = dr_json_text(line, "refused");
    cJSON *finding;

    cJSON_ArrayForEach (finding, look->findings) {
        const char *own = dr_json_text(finding, "fingerprint");
        cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");

        if (!own || !fingerprint || strcmp(own, fingerprint) != 0 || !fix)
            continue;
        cJSON_AddItemToObject(fix, "operations", cJSON_DetachItemFromObjectCaseSensitive(line, "operations"));
        if (refused) {
            (void)cJSON_AddStringToObject(fix, "refused", refused);
            cJSON_ReplaceItemInObjectCaseSensitive(fix, "applicability", cJSON_CreateString("manual"));
        }
    }
}

/* One line of the worker. Its owner changes: into the result, or gone. */
static void take_line(struct dr_look *look, cJSON *line, bool *ended)
{
    static const char *const arrays[] = { "check", "finding", "unknown", "operation", "probe" };
    cJSON *const into[] = { look->checks, look->findings, look->unknowns, look->operations, look->probes };
    const char *type = dr_json_text(line, "type");

    for (size_t i = 0; type && i < DR_COUNT(arrays); i++) {
        if (strcmp(type, arrays[i]) == 0) {
            cJSON_AddItemToArray(into[i], line);
            return;
        }
    }
    if (type && strcmp(type, "target") == 0) {
        cJSON_Delete(look->target);
        look->target = line;
        return;
    }
    if (type && strcmp(type, "fix") == 0)
        tie_fix(look, line);
    *ended = *ended || (type && strcmp(type, "end") == 0);
    cJSON_Delete(line);
}

void dr_look_take_lines(struct dr_look *look, struct dr_buffer *input, bool *ended)
{
    size_t start = 0;

    for (;;) {
        char *newline = input->length > start ? memchr(input->data + start, '\n', input->length - start) : NULL;

        if (!newline)
            break;

        size_t length = (size_t)(newline - (input->data + start));
        cJSON *line = cJSON_ParseWithLength(input->data + start, length);

        if (line)
            take_line(look, line, ended);
        start += length + 1;
    }
    if (start > 0) {
        memmove(input->data, input->data + start, input->length - start);
        input->length -= start;
    }
}

int dr_look_add_check(struct dr_look *look, const struct dr_check *check, const char *status, const char *reason)
{
    cJSON *line = cJSON_CreateObject();
    cJSON *tags = line ? cJSON_AddArrayToObject(line, "tags") : NULL;

    if (!tags || !cJSON_AddItemToArray(look->checks, line)) {
        cJSON_Delete(line);
        return -ENOMEM;
    }
    for (const char *const *tag = check->tags; tag && *tag; tag++)
        if (!cJSON_AddItemToArray(tags, cJSON_CreateString(*tag)))
            return -ENOMEM;
    if (!cJSON_AddStringToObject(line, "type", "check") || !cJSON_AddStringToObject(line, "id", check->id) ||
        !cJSON_AddStringToObject(line, "title", check->title) || !cJSON_AddStringToObject(line, "status", status) ||
        (reason && !cJSON_AddStringToObject(line, "reason", reason)) || !cJSON_AddNumberToObject(line, "durationMs", 0))
        return -ENOMEM;
    return 0;
}

bool dr_look_has_check(const struct dr_look *look, const char *id)
{
    const cJSON *line;

    cJSON_ArrayForEach (line, look->checks) {
        const char *own = dr_json_text(line, "id");

        if (own && strcmp(own, id) == 0)
            return true;
    }
    return false;
}

static int compare_check_lines(const void *left, const void *right)
{
    const char *a = dr_json_text(*(const cJSON *const *)left, "id");
    const char *b = dr_json_text(*(const cJSON *const *)right, "id");

    return strcmp(a ? a : "", b ? b : "");
}

int dr_look_sort_checks(cJSON *checks)
{
    size_t count = (size_t)cJSON_GetArraySize(checks);
    _cleanup_free_ cJSON **all = calloc(count + 1, sizeof(*all));

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        all[i] = cJSON_DetachItemFromArray(checks, 0);
    qsort(all, count, sizeof(*all), compare_check_lines);
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(checks, all[i]);
    return 0;
}
