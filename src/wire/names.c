#include "wire/wire.h"

#include <string.h>

static const char *const severity_names[] = { [DR_INFO] = "info", [DR_WARNING] = "warning", [DR_ERROR] = "error" };
static const char *const confidence_names[] = {
    [DR_POSSIBLE] = "possible", [DR_LIKELY] = "likely", [DR_CERTAIN] = "certain"
};
static const char *const safety_names[] = { [DR_MANUAL] = "manual", [DR_UNSAFE] = "unsafe", [DR_SAFE] = "safe" };
static const char *const kind_names[] = {
    [DR_SET_MODE] = "set-mode",     [DR_SET_OWNER] = "set-owner",     [DR_EDIT_FILE] = "edit-file",
    [DR_WRITE_FILE] = "write-file", [DR_MOVE_ASIDE] = "move-aside",   [DR_MAKE_DIRECTORY] = "make-directory",
    [DR_UPDATE_ROW] = "update-row", [DR_RUN_COMMAND] = "run-command",
};

static const char *const action_names[] = {
    [DR_ROW_SET_TEXT] = "set-text",
    [DR_ROW_SET_JSON] = "set-json",
    [DR_ROW_COPY] = "copy",
    [DR_ROW_DELETE] = "delete",
};

const char *dr_severity_name(enum dr_severity severity)
{
    return severity_names[severity];
}

const char *dr_confidence_name(enum dr_confidence confidence)
{
    return confidence_names[confidence];
}

const char *dr_safety_name(enum dr_safety safety)
{
    return safety_names[safety];
}

const char *dr_operation_kind_name(enum dr_operation_kind kind)
{
    return kind_names[kind];
}

static bool find(const char *const *names, size_t count, const char *text, unsigned *ret_index)
{
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *ret_index = (unsigned)i;
            return true;
        }
    }
    return false;
}

bool dr_severity_parse(const char *text, enum dr_severity *ret_severity)
{
    unsigned index;

    if (!find(severity_names, DR_COUNT(severity_names), text, &index))
        return false;
    *ret_severity = (enum dr_severity)index;
    return true;
}

bool dr_safety_parse(const char *text, enum dr_safety *ret_safety)
{
    unsigned index;

    if (!find(safety_names, DR_COUNT(safety_names), text, &index))
        return false;
    *ret_safety = (enum dr_safety)index;
    return true;
}

bool dr_operation_kind_parse(const char *text, enum dr_operation_kind *ret_kind)
{
    unsigned index;

    if (!find(kind_names, DR_COUNT(kind_names), text, &index))
        return false;
    *ret_kind = (enum dr_operation_kind)index;
    return true;
}

const char *dr_row_action_name(enum dr_row_action action)
{
    return action_names[action];
}

bool dr_row_action_parse(const char *text, enum dr_row_action *ret_action)
{
    unsigned index;

    if (!find(action_names, DR_COUNT(action_names), text, &index))
        return false;
    *ret_action = (enum dr_row_action)index;
    return true;
}

void dr_cleanup_json(cJSON **json)
{
    cJSON_Delete(*json);
}

const char *dr_json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

double dr_json_number(const cJSON *object, const char *name, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool dr_json_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}
