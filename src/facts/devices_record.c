/* What both stores share: records, tokens, keys. */
#include "api/devices.h"
#include "facts/devices_store.h"
#include "facts/identity_key.h"

#include <openssl/crypto.h>
#include <string.h>

struct dr_device *dr_device_list_add(struct dr_context *context, struct dr_device_list *list)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        struct dr_device *grown = dr_alloc(context, room * sizeof(*grown));

        if (list->count > 0)
            memcpy(grown, list->list, list->count * sizeof(*grown));
        list->list = grown;
        list->room = room;
    }
    return &list->list[list->count++];
}

void dr_device_malformed(struct dr_context *context, struct dr_device *device, const char *words)
{
    if (!device->malformed)
        device->malformed = dr_strdup(context, words);
}

/* What OpenClaw needs to use a record at all (2026.9.6 skips others at its import, facts/openclaw-2026.9.md §2.3). */
static const char *missing_part(const struct dr_device *device, bool pending)
{
    if (!device->device_id)
        return "no deviceId";
    if (!device->public_key)
        return "no publicKey";
    if (pending)
        return device->ts_ms == 0 ? "no ts" : NULL;
    if (device->created_ms == 0)
        return "no createdAtMs";
    return device->approved_ms == 0 ? "no approvedAtMs" : NULL;
}

void dr_device_complete(struct dr_context *context, struct dr_device *device, bool pending)
{
    uint8_t key[DR_KEY_BYTES];
    char id[DR_SHA256_HEX];
    const char *missing = missing_part(device, pending);

    if (device->public_key && dr_key_from_raw(device->public_key, key) && dr_key_id(key, id) == 0)
        device->public_key_id =
            device->device_id && strcmp(id, device->device_id) == 0 ? device->device_id : dr_strdup(context, id);
    else if (device->public_key)
        dr_device_malformed(context, device, "publicKey is no Ed25519 key");
    if (missing)
        dr_device_malformed(context, device, missing);
    for (size_t i = 0; i < device->token_count; i++)
        dr_secret_known(context, device->tokens[i].token);
}

/* The line between BEGIN and END is the secret; around it PEM may be spelt with real or with escaped line ends. */
static void key_body_known(struct dr_context *context, const char *pem)
{
    const char *body = strstr(pem, "-----\n");
    const char *end = body ? strstr(body + 6, "-----END") : NULL;

    if (!end)
        return;
    for (const char *line = body + 6; line < end; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");

        if (line + length <= end)
            dr_secret_known(context, dr_strndup(context, line, length));
    }
}

void dr_identity_judge(struct dr_context *context, struct dr_identity *identity, const char *public_pem,
                       const char *private_pem)
{
    uint8_t key[DR_KEY_BYTES];
    uint8_t seed[DR_KEY_BYTES];
    char id[DR_SHA256_HEX];
    const char *why_public = public_pem ? dr_key_from_public_pem(public_pem, key) : "there is no public key";
    const char *why_private = private_pem ? dr_key_from_private_pem(private_pem, seed) : "there is no private key";

    if (private_pem)
        key_body_known(context, private_pem);
    if (!why_public && dr_key_id(key, id) == 0)
        identity->public_key_id = dr_strdup(context, id);
    if (!why_public && !why_private && dr_key_matches(seed, key, &identity->private_matches) < 0)
        why_private = "libcrypto cannot load the private key";
    if (!why_public && !why_private && context->request->deep == DR_DEEP_IDENTITY) {
        struct dr_identity_keys *keys = dr_alloc(context, sizeof(*keys));

        memcpy(keys->public_key, key, sizeof(key));
        memcpy(keys->seed, seed, sizeof(seed));
        identity->keys = keys;
    }
    OPENSSL_cleanse(seed, sizeof(seed));
    identity->key_problem = why_public ? why_public : why_private;
}
