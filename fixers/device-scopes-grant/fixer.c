/*
 * Gives this host's own record and its operator token the scopes that its CLI asks for. Both must have them: with the record
 * alone, clients that hold only the device token are refused and throw it away (facts/openclaw-2026.2.md §2).
 */
#include "api/fixer.h"
#include "api/devices.h"
#include "api/json.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SCOPES = 60 };

static const char *const needed[] = { "operator.admin", "operator.approvals", "operator.pairing",
                                      "operator.read",  "operator.write",     NULL };

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The scopes that are there and the needed ones, sorted, each once. */
static const char *const *together(struct dr_context *context, const char *const *have)
{
    const char **list = dr_alloc(context, (MOST_SCOPES + 1) * sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; needed[i]; i++)
        list[count++] = needed[i];
    for (; have && *have && count < MOST_SCOPES; have++)
        if (!dr_scopes_grant(list, *have, true))
            list[count++] = *have;
    qsort(list, count, sizeof(*list), compare);
    return list;
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_devices *devices = dr_devices(context);
    const char *device = dr_finding_get(finding, "device");
    const struct dr_device *record = dr_device_paired(devices, device);
    const struct dr_device_token *token = dr_device_token_of(record, "operator");
    const char *path = devices->paired_file.path;
    const char *why = NULL;
    const struct dr_json_file *file = NULL;
    struct dr_json_edits edits = { 0 };
    struct dr_operation *operation;

    if (devices->pairing_store != DR_STORE_JSON || !record) {
        dr_plan_refuse(plan, "approve the request through OpenClaw instead: openclaw devices approve --latest");
        return 0;
    }
    file = dr_json_load(context, path, &why);
    if (!file ||
        !dr_json_set_list(context, file, (const char *const[]){ device, "scopes", NULL }, together(context, record->scopes),
                          &edits) ||
        (token && !dr_json_set_list(context, file, (const char *const[]){ device, "tokens", "operator", "scopes", NULL },
                                    together(context, token->scopes), &edits))) {
        dr_plan_refuse(plan, "%s cannot be edited: %s", path, why ? why : "the record has no list of scopes");
        return 0;
    }
    operation = dr_plan_edit_file(plan, path, dr_json_state(file), dr_json_sha256(file), edits.list, edits.count);
    operation->summary = "give this host's own record and token the scopes that its CLI asks for";
    operation->while_running = DR_GO_AHEAD; /* the gateway reads the file anew at each connection */
    return 0;
}

const struct dr_fixer dr_fixer_device_scopes_grant = {
    .id = "device-scopes-grant",
    .title = "Give this host's record the scopes that its CLI asks for",
    .plan = plan,
};
