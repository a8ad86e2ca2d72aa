#include "base/hash.h"

#include <openssl/evp.h>
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

int dr_sha256_hex(const void *bytes, size_t length, char ret_hex[DR_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (EVP_Digest(length > 0 ? bytes : "", length, digest, &size, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    to_hex(digest, size, ret_hex);
    return 0;
}

static void free_digest(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

int dr_sha256_fd(int fd, char ret_hex[DR_SHA256_HEX])
{
    _cleanup_(free_digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
    _cleanup_free_ char *chunk = malloc(64 * 1024);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    off_t offset = 0;

    if (!context || !chunk || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    for (;;) {
        ssize_t got = pread(fd, chunk, 64 * 1024, offset);

        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        if (EVP_DigestUpdate(context, chunk, (size_t)got) != 1)
            return -EIO;
        offset += got;
    }
    if (EVP_DigestFinal_ex(context, digest, &size) != 1)
        return -EIO;
    to_hex(digest, size, ret_hex);
    return 0;
}

void dr_fingerprint(const char *secret, size_t length, char ret_fingerprint[DR_FINGERPRINT])
{
    char hex[DR_SHA256_HEX];

    if (dr_sha256_hex(secret, length, hex) < 0)
        memcpy(hex, "????????", 9);
    (void)snprintf(ret_fingerprint, DR_FINGERPRINT, "fp:%.8s", hex);
}
