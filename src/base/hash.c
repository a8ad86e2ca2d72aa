/*
 * The plain functions, as OpenSSL 1.1.1 has them: EVP first fills its tables of every algorithm and reads the system's openssl.cnf, 1.5 ms for the
 * first digest of a process.
 */
#define OPENSSL_API_COMPAT 10101
#include "base/hash.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static void to_hex(const unsigned char *digest, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * length] = '\0';
}

static int finish(SHA256_CTX *context, char *hex)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (SHA256_Final(digest, context) != 1)
        return -EIO;
    to_hex(digest, sizeof(digest), hex);
    return 0;
}

int dr_sha256_hex(const void *bytes, size_t length, char ret_hex[DR_SHA256_HEX])
{
    SHA256_CTX context;

    if (SHA256_Init(&context) != 1 || SHA256_Update(&context, length > 0 ? bytes : "", length) != 1)
        return -EIO;
    return finish(&context, ret_hex);
}

int dr_sha256_fd(int fd, char ret_hex[DR_SHA256_HEX])
{
    _cleanup_free_ char *chunk = malloc(64 * 1024);
    SHA256_CTX context;
    off_t offset = 0;

    if (!chunk)
        return -ENOMEM;
    if (SHA256_Init(&context) != 1)
        return -EIO;
    for (;;) {
        ssize_t got = pread(fd, chunk, 64 * 1024, offset);

        if (got < 0)
            return -errno;
        if (got == 0)
            return finish(&context, ret_hex);
        if (SHA256_Update(&context, chunk, (size_t)got) != 1)
            return -EIO;
        offset += got;
    }
}

int dr_sha1(const void *bytes, size_t length, unsigned char ret_digest[DR_SHA1_BYTES])
{
    SHA_CTX context;

    return SHA1_Init(&context) == 1 && SHA1_Update(&context, bytes, length) == 1 && SHA1_Final(ret_digest, &context) == 1
               ? 0
               : -EIO;
}

void dr_fingerprint(const char *secret, size_t length, char ret_fingerprint[DR_FINGERPRINT])
{
    char hex[DR_SHA256_HEX];

    if (dr_sha256_hex(secret, length, hex) < 0)
        memcpy(hex, "????????", 9);
    (void)snprintf(ret_fingerprint, DR_FINGERPRINT, "fp:%.8s", hex);
}
