#include "facts/live_identity.h"

#include "api/devices.h"
#include "api/install.h"
#include "facts/identity_key.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

enum { SIGNATURE_BYTES = 64 };

/* RFC 4648 section 5, without padding. */
static const char *base64url(struct dr_context *context, const uint8_t *bytes, size_t length)
{
    char *text = dr_alloc(context, 4 * ((length + 2) / 3) + 1);
    int written = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);

    for (int i = 0; i < written; i++)
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    text[strcspn(text, "=")] = '\0';
    return text;
}

static bool has_role(const struct dr_device *device, const char *role)
{
    for (const char *const *have = device->roles; have && *have; have++)
        if (strcmp(*have, role) == 0)
            return true;
    return device->role && strcmp(device->role, role) == 0;
}

/* What the device's token grants: asking for more would be an upgrade, and make a request. */
static const char *const *granted_scopes(const struct dr_device *device)
{
    const struct dr_device_token *token = dr_device_token_of(device, "operator");

    if (!token || token->revoked_ms > 0)
        return NULL;
    return token->scopes;
}

const char *dr_live_signer(struct dr_context *context, struct dr_signer *ret_signer)
{
    const struct dr_devices *devices = dr_devices(context);
    const struct dr_identity *identity = &devices->identity;
    const struct dr_device *device;

    if (devices->fact.state != DR_KNOWN || identity->fact.state != DR_KNOWN || !identity->keys || !identity->private_matches)
        return "this home has no identity that can sign (see identity-key)";
    device = dr_device_paired(devices, identity->public_key_id);
    if (!device)
        return "this home's identity is not paired in this store: connecting with it would make a pairing request";
    if (!has_role(device, "operator") || !granted_scopes(device))
        return "this home's identity holds no operator token: connecting with it would make a pairing request";
    *ret_signer = (struct dr_signer){
        .device_id = identity->public_key_id,
        .public_key = base64url(context, identity->keys->public_key, DR_KEY_BYTES),
        .client_id = device->client_id ? device->client_id : "cli",
        .client_mode = device->client_mode ? device->client_mode : "cli",
        .platform = device->platform ? device->platform : "linux",
        .device_family = device->device_family ? device->device_family : "",
        .scopes = granted_scopes(device),
        .keys = identity->keys,
    };
    return NULL;
}

static const char *joined(struct dr_context *context, const char *const *list)
{
    const char *text = "";

    for (; list && *list; list++)
        text = *text ? dr_format(context, "%s,%s", text, *list) : *list;
    return text;
}

static const char *lower_trimmed(struct dr_context *context, const char *text)
{
    size_t length;
    char *copy;

    text += strspn(text, " \t\r\n");
    length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    copy = dr_strndup(context, text, length);
    for (size_t i = 0; i < length; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return copy;
}

static const char *payload_of(struct dr_context *context, const struct dr_signer *signer, const char *token,
                              const struct dr_signature *signature)
{
    bool with_metadata = dr_installs(context)->rules->client_signs_server_time; /* v3 came no later; v2 is read by all */
    const char *common = dr_format(
        context, "%s|%s|%s|%s|operator|%s|%lld|%s|%s", with_metadata ? "v3" : "v2", signer->device_id, signer->client_id,
        signer->client_mode, joined(context, signer->scopes), (long long)signature->signed_at_ms, token, signature->nonce);

    return with_metadata ? dr_format(context, "%s|%s|%s", common, lower_trimmed(context, signer->platform),
                                     lower_trimmed(context, signer->device_family))
                         : common;
}

const char *dr_live_sign(struct dr_context *context, const struct dr_signer *signer, const char *token,
                         struct dr_signature *signature)
{
    const char *payload = payload_of(context, signer, token, signature);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, signer->keys->seed, DR_KEY_BYTES);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t bytes[SIGNATURE_BYTES];
    size_t length = sizeof(bytes);
    bool is_signed = key && digest && EVP_DigestSignInit(digest, NULL, NULL, NULL, key) == 1 &&
                     EVP_DigestSign(digest, bytes, &length, (const unsigned char *)payload, strlen(payload)) == 1;

    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(key);
    if (!is_signed)
        return "libcrypto cannot sign with this home's key";
    signature->text = base64url(context, bytes, length);
    return NULL;
}
