/*
 * SHA-256 (libcrypto) and fingerprints of secrets.
 *
 * A fingerprint is the only form in which a token, key or code may leave the program: "fp:" and the first
 * 8 hex digits of its SHA-256. Equal secrets have equal fingerprints; the secret cannot be read from it.
 */
#ifndef DR_BASE_HASH_H
#define DR_BASE_HASH_H

#include "base/cleanup.h"

#include <stddef.h>

enum { DR_SHA256_HEX = 65, DR_SHA1_BYTES = 20, DR_FINGERPRINT = 12 };

int dr_sha256_hex(const void *bytes, size_t length, char ret_hex[DR_SHA256_HEX]) DR_MUST_CHECK;

/* SHA-256 of everything that can be read from `fd`, from its start (pread), in constant memory. */
int dr_sha256_fd(int fd, char ret_hex[DR_SHA256_HEX]) DR_MUST_CHECK;

/* For protocols that prescribe it (RFC 6455), nothing else. */
int dr_sha1(const void *bytes, size_t length, unsigned char ret_digest[DR_SHA1_BYTES]) DR_MUST_CHECK;

void dr_fingerprint(const char *secret, size_t length, char ret_fingerprint[DR_FINGERPRINT]);

#endif
