/*
 * Ed25519 keys of a device, as OpenClaw stores them: PEM (SPKI, PKCS8) for its own, raw base64url for others.
 *
 * A device id is the lower-case hex SHA-256 of the 32 raw bytes of the public key.
 */
#ifndef DR_FACTS_IDENTITY_KEY_H
#define DR_FACTS_IDENTITY_KEY_H

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum { DR_KEY_BYTES = 32 };

/* What struct dr_identity points to with --deep=identity. */
struct dr_identity_keys {
    uint8_t public_key[DR_KEY_BYTES];
    uint8_t seed[DR_KEY_BYTES]; /* the private key: never leaves the worker */
};

/* NULL, or static words why the text is no such key. */
const char *dr_key_from_public_pem(const char *pem, uint8_t ret_key[DR_KEY_BYTES]);
const char *dr_key_from_private_pem(const char *pem, uint8_t ret_seed[DR_KEY_BYTES]);

/* base64url or base64, padded or not. False when it is not 32 bytes. */
bool dr_key_from_raw(const char *text, uint8_t ret_key[DR_KEY_BYTES]);

int dr_key_id(const uint8_t key[DR_KEY_BYTES], char ret_id[DR_SHA256_HEX]) DR_MUST_CHECK;

/* 0 and whether the private key's public half is `key`; negative errno when libcrypto fails. */
int dr_key_matches(const uint8_t seed[DR_KEY_BYTES], const uint8_t key[DR_KEY_BYTES], bool *ret_matches) DR_MUST_CHECK;

#endif
