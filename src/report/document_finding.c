#include "report/document_finding.h"

#include "wire/wire.h"

#include <math.h>

static const cJSON *find_operation(const cJSON *operations, double id)
{
    const cJSON *operation;

    cJSON_ArrayForEach (operation, operations) {
        if (fabs(dr_json_number(operation, "id", -1) - id) < 0.5)
            return operation;
    }
    return NULL;
}

static void add_operation(struct dr_maker *maker, const cJSON *operation, cJSON *edits, cJSON *effects)
{
    static const char *const effect_keys[] = { "kind", "path", "summary", "whileRunning", "restart" };
    cJSON *effect = dr_maker_keep(maker, cJSON_CreateObject());

    dr_maker_number(maker, effect, "operation", dr_json_number(operation, "id", 0));
    for (size_t i = 0; i < DR_COUNT(effect_keys); i++)
        dr_maker_copy(maker, effect, effect_keys[i], operation);
    dr_maker_append(maker, effects, effect);
    if (!dr_json_text(operation, "preview"))
        return;
    cJSON *edit = dr_maker_keep(maker, cJSON_CreateObject());

    dr_maker_number(maker, edit, "operation", dr_json_number(operation, "id", 0));
    dr_maker_copy(maker, edit, "path", operation);
    dr_maker_copy(maker, edit, "preview", operation);
    dr_maker_append(maker, edits, edit);
}

static void add_fix(struct dr_maker *maker, cJSON *out, const cJSON *finding, const cJSON *operations)
{
    static const char *const keys[] = { "id", "title", "applicability", "why", "reversible", "refused" };
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(finding, "fix");
    cJSON *fix = dr_maker_object(maker, out, "fix");
    const cJSON *id;

    for (size_t i = 0; i < DR_COUNT(keys); i++)
        dr_maker_copy(maker, fix, keys[i], from);
    if (!dr_json_text(fix, "applicability"))
        dr_maker_text(maker, fix, "applicability", "manual");
    cJSON *edits = dr_maker_array(maker, fix, "edits");
    cJSON *effects = dr_maker_array(maker, fix, "effects");

    cJSON_ArrayForEach (id, cJSON_GetObjectItemCaseSensitive(from, "operations")) {
        const cJSON *operation = find_operation(operations, cJSON_GetNumberValue(id));

        if (operation)
            add_operation(maker, operation, edits, effects);
    }
}

cJSON *dr_document_finding(struct dr_maker *maker, const cJSON *from, bool root, const cJSON *operations)
{
    static const char *const lint_keys[] = { "checkId", "severity", "message", "path", "line", "column" };
    static const char *const own_keys[] = { "fingerprint", "confidence" };
    cJSON *finding = dr_maker_keep(maker, cJSON_CreateObject());

    for (size_t i = 0; i < DR_COUNT(lint_keys); i++)
        dr_maker_copy(maker, finding, lint_keys[i], from);
    dr_maker_text(maker, finding, "target", dr_json_text(from, "pointer"));
    dr_maker_text(maker, finding, "requirement", dr_json_text(from, "problem"));
    dr_maker_copy(maker, finding, "fixHint", from);
    dr_maker_text(maker, finding, "source", "openclaw-doctor");
    for (size_t i = 0; i < DR_COUNT(own_keys); i++)
        dr_maker_copy(maker, finding, own_keys[i], from);
    if (!root)
        dr_maker_copy(maker, finding, "causedBy", from);
    dr_maker_copy(maker, finding, "evidence", from);
    if (!cJSON_HasObjectItem(finding, "evidence"))
        (void)dr_maker_array(maker, finding, "evidence");
    add_fix(maker, finding, from, operations);
    return finding;
}
