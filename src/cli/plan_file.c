#include "cli/plan_file.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

enum { PLAN_VERSION = 1, MOST_PLAN = 256 * 1024 * 1024 };

static int add_copy(cJSON *plan, const char *name, const cJSON *value)
{
    cJSON *copy = cJSON_Duplicate(value, true);

    if (!copy || !cJSON_AddItemToObject(plan, name, copy)) {
        cJSON_Delete(copy);
        return -ENOMEM;
    }
    return 0;
}

int dr_plan_file_make(const struct dr_session *session, const struct dr_look *look, cJSON **ret_plan)
{
    _cleanup_json_ cJSON *plan = cJSON_CreateObject();

    if (!plan || !cJSON_AddNumberToObject(plan, "planVersion", PLAN_VERSION) ||
        !cJSON_AddStringToObject(plan, "toolVersion", DR_VERSION) ||
        (!session->options->deterministic && !cJSON_AddStringToObject(plan, "createdAt", session->started_at)) ||
        add_copy(plan, "target", look->target) < 0 || add_copy(plan, "checks", look->checks) < 0 ||
        add_copy(plan, "findings", look->findings) < 0 || add_copy(plan, "operations", look->operations) < 0)
        return -ENOMEM;
    *ret_plan = plan;
    plan = NULL;
    return 0;
}

static int check_objects(const cJSON *plan, const char *name, const char *path, struct dr_error *error)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(plan, name);
    const cJSON *item;

    if (!cJSON_IsArray(array))
        return dr_error_set(error, -EINVAL, "%s: \"%s\" is missing; this is no plan of openclaw-doctor", path, name);
    cJSON_ArrayForEach (item, array)
        if (!cJSON_IsObject(item))
            return dr_error_set(error, -EINVAL, "%s: \"%s\" holds something that is no object", path, name);
    return 0;
}

static int check_target(const cJSON *plan, const struct dr_look *present, const char *path, struct dr_error *error)
{
    static const char *const same[] = { "stateDir", "configPath" };
    const cJSON *target = cJSON_GetObjectItemCaseSensitive(plan, "target");

    for (size_t i = 0; i < DR_COUNT(same); i++) {
        const char *planned = dr_json_text(target, same[i]);
        const char *here = dr_json_text(present->target, same[i]);

        if (!planned || !here || strcmp(planned, here) != 0)
            return dr_error_set(error, -EXDEV, "%s: the plan is for %s, not for %s", path, planned ? planned : "nothing",
                                here ? here : "this place");
    }
    return 0;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++)
        if (*text == '\n')
            line++;
    return line;
}

int dr_plan_file_read(const char *path, const struct dr_look *present, struct dr_look *ret_look, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_PLAN);
    const char *end = NULL;
    int r = dr_read_file(AT_FDCWD, path, &text, NULL);

    if (r < 0)
        return dr_error_set(error, r, "%s: %s", path, dr_errno_text(r));

    _cleanup_json_ cJSON *plan = cJSON_ParseWithLengthOpts(dr_buffer_text(&text), text.length + 1, &end, true);

    if (!plan)
        return dr_error_set(error, -EINVAL, "%s:%u: not valid JSON", path,
                            line_of(dr_buffer_text(&text), end ? end : dr_buffer_text(&text)));
    if (dr_json_number(plan, "planVersion", 0) != PLAN_VERSION)
        return dr_error_set(error, -EINVAL,
                            "%s: not a plan of version %d; make a new one with \"openclaw-doctor plan -o FILE\"", path,
                            PLAN_VERSION);
    if ((r = check_objects(plan, "findings", path, error)) < 0 || (r = check_objects(plan, "operations", path, error)) < 0 ||
        (r = check_objects(plan, "checks", path, error)) < 0 || (r = check_target(plan, present, path, error)) < 0)
        return r;
    *ret_look = (struct dr_look){
        /* Where to write and whether a gateway runs is what is true now, not what the file says. */
        .target = cJSON_Duplicate(present->target, true),
        .checks = cJSON_DetachItemFromObjectCaseSensitive(plan, "checks"),
        .findings = cJSON_DetachItemFromObjectCaseSensitive(plan, "findings"),
        .operations = cJSON_DetachItemFromObjectCaseSensitive(plan, "operations"),
        /* What cannot be told today is not the repair's doing, whatever could be told when the plan was made. */
        .unknowns = cJSON_Duplicate(present->unknowns, true),
    };
    if (!ret_look->target || !ret_look->unknowns)
        return dr_error_set(error, -ENOMEM, "out of memory");
    return 0;
}
