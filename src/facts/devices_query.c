/* Questions about the devices fact that more than one module asks. */
#include "api/devices.h"
#include "base/buffer.h"
#include "base/hash.h"

#include <string.h>

enum { LONGEST_LIST = 2000 };

const struct dr_device *dr_device_paired(const struct dr_devices *devices, const char *device_id)
{
    for (size_t i = 0; device_id && i < devices->paired_count; i++) {
        const struct dr_device *device = &devices->paired[i];

        if (device->store_key && strcmp(device->store_key, device_id) == 0)
            return device;
    }
    return NULL;
}

const struct dr_device_token *dr_device_token_of(const struct dr_device *device, const char *role)
{
    for (size_t i = 0; device && role && i < device->token_count; i++)
        if (strcmp(device->tokens[i].role, role) == 0)
            return &device->tokens[i];
    return NULL;
}

static bool holds(const char *const *list, const char *word)
{
    for (; list && *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

bool dr_scopes_grant(const char *const *have, const char *scope, bool literal)
{
    if (holds(have, scope))
        return true;
    if (literal)
        return false;
    if (strncmp(scope, "operator.", 9) == 0 && holds(have, "operator.admin"))
        return true;
    return strcmp(scope, "operator.read") == 0 && holds(have, "operator.write");
}

const char *dr_scopes_lack(const char *const *have, const char *const *want, bool literal)
{
    for (; want && *want; want++)
        if (!dr_scopes_grant(have, *want, literal))
            return *want;
    return NULL;
}

const char *dr_scopes_text(struct dr_context *context, const char *const *scopes)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(LONGEST_LIST);
    int r = 0;

    if (!scopes || !*scopes)
        return "none";
    for (; *scopes && r == 0; scopes++)
        r = dr_buffer_appendf(&text, "%s%s", text.length > 0 ? ", " : "", *scopes);
    return dr_strdup(context, r == 0 ? dr_buffer_text(&text) : "many");
}

int64_t dr_pending_age_ms(struct dr_context *context, const struct dr_device *pending)
{
    return dr_now_ms(context) - (pending->refreshed_ms > pending->ts_ms ? pending->refreshed_ms : pending->ts_ms);
}

const char *dr_text_sha256(struct dr_context *context, const char *text)
{
    char hex[DR_SHA256_HEX];

    return dr_sha256_hex(text, strlen(text), hex) < 0 ? NULL : dr_strdup(context, hex);
}
