#include "facts/identity_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* The DER around an Ed25519 key is constant (RFC 8410); behind it stand the 32 bytes. */
static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
static const uint8_t pkcs8[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };

enum { MOST_DER = 128 };

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Both alphabets; white space is skipped, padding ends it. Returns the count of bytes, or -1. */
static int decode(const char *text, size_t length, uint8_t *ret_bytes, size_t room)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t count = 0;

    for (size_t i = 0; i < length && text[i] != '='; i++) {
        int value = value_of(text[i]);

        if (text[i] == '\n' || text[i] == '\r' || text[i] == ' ' || text[i] == '\t')
            continue;
        if (value < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (count == room)
            return -1;
        ret_bytes[count++] = (uint8_t)(bits >> have);
    }
    return (int)count;
}

bool dr_key_from_raw(const char *text, uint8_t ret_key[DR_KEY_BYTES])
{
    uint8_t bytes[DR_KEY_BYTES];

    if (decode(text, strlen(text), bytes, sizeof(bytes)) != DR_KEY_BYTES)
        return false;
    memcpy(ret_key, bytes, sizeof(bytes));
    return true;
}

struct pem_words {
    const char *begin, *end;
    const char *no_pem, *no_base64, *no_key;
};

static const char *from_pem(const char *pem, const struct pem_words *words, const uint8_t *wrapper, size_t wrapper_length,
                            uint8_t ret_key[DR_KEY_BYTES])
{
    uint8_t der[MOST_DER];
    const char *begin = strstr(pem, words->begin);
    const char *end = begin ? strstr(begin, words->end) : NULL;
    const char *why = NULL;

    if (!end)
        return words->no_pem;
    begin += strlen(words->begin);
    int length = decode(begin, (size_t)(end - begin), der, sizeof(der));

    if (length < 0)
        why = words->no_base64;
    else if ((size_t)length != wrapper_length + DR_KEY_BYTES || memcmp(der, wrapper, wrapper_length) != 0)
        why = words->no_key;
    else
        memcpy(ret_key, der + wrapper_length, DR_KEY_BYTES);
    OPENSSL_cleanse(der, sizeof(der));
    return why;
}

const char *dr_key_from_public_pem(const char *pem, uint8_t ret_key[DR_KEY_BYTES])
{
    static const struct pem_words words = {
        "-----BEGIN PUBLIC KEY-----",           "-----END PUBLIC KEY-----",         "the public key is no PEM text",
        "the public key's PEM text is damaged", "the public key is no Ed25519 key",
    };

    return from_pem(pem, &words, spki, sizeof(spki), ret_key);
}

const char *dr_key_from_private_pem(const char *pem, uint8_t ret_seed[DR_KEY_BYTES])
{
    static const struct pem_words words = {
        "-----BEGIN PRIVATE KEY-----",           "-----END PRIVATE KEY-----",         "the private key is no PEM text",
        "the private key's PEM text is damaged", "the private key is no Ed25519 key",
    };

    return from_pem(pem, &words, pkcs8, sizeof(pkcs8), ret_seed);
}

int dr_key_id(const uint8_t key[DR_KEY_BYTES], char ret_id[DR_SHA256_HEX])
{
    return dr_sha256_hex(key, DR_KEY_BYTES, ret_id);
}

int dr_key_matches(const uint8_t seed[DR_KEY_BYTES], const uint8_t key[DR_KEY_BYTES], bool *ret_matches)
{
    uint8_t derived[DR_KEY_BYTES];
    size_t length = sizeof(derived);
    int r = -EIO;

    /* The system's openssl.cnf is none of our business; tables of every cipher, digest and error text take time and are not used. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                                  OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                              NULL);
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, DR_KEY_BYTES);

    if (pair && EVP_PKEY_get_raw_public_key(pair, derived, &length) == 1 && length == DR_KEY_BYTES) {
        *ret_matches = memcmp(derived, key, DR_KEY_BYTES) == 0;
        r = 0;
    }
    EVP_PKEY_free(pair);
    return r;
}
