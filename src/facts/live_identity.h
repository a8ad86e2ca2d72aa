/*
 * --deep=identity: this home's own device, and its signature under a connect request (facts/openclaw-2026.2.md section 12: v2 payload;
 * openclaw-2026.9.md section 3.3: v3 payload).
 *
 * Only a device that is paired already is used, with the scopes, client and platform that were approved: anything else would make a
 * pairing request. The private key never leaves these functions.
 */
#ifndef DR_FACTS_LIVE_IDENTITY_H
#define DR_FACTS_LIVE_IDENTITY_H

#include "facts/context.h"

struct dr_signer {
    const char *device_id, *public_key; /* raw, base64url */
    const char *client_id, *client_mode, *platform, *device_family; /* "" where the record has none */
    const char *const *scopes; /* approved ones of role operator, in the order they are sent */
    const struct dr_identity_keys *keys;
};

struct dr_signature {
    const char *nonce;
    int64_t signed_at_ms;
    const char *text; /* base64url */
};

/* NULL, or why this home's identity cannot be used without making a pairing request. */
const char *dr_live_signer(struct dr_context *context, struct dr_signer *ret_signer);

/* Fills in `text` from `nonce` and `signed_at_ms`. NULL, or why it cannot be signed. `token`: as sent in auth.token, "" for none. */
const char *dr_live_sign(struct dr_context *context, const struct dr_signer *signer, const char *token,
                         struct dr_signature *signature);

#endif
