/*
 * Addresses and subnets as numbers. inet_pton reads exactly the canonical forms that OpenClaw's own parser takes for an address (four
 * decimal parts without leading zeros; IPv6 with or without an IPv4 tail).
 */
#include "api/locality.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* "::172.17.0.1" without ffff is read as IPv4, too (ipaddr.js, deprecatedTransitional). */
static bool is_compatible(const char *text)
{
    return strncmp(text, "::", 2) == 0 && strspn(text + 2, "0123456789.") == strlen(text + 2) && strchr(text, '.');
}

bool dr_address_parse(const char *text, struct dr_address *ret_address)
{
    struct dr_address address = { 0 };
    unsigned char bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        address.family = 4;
        memcpy(address.bytes, bytes, 4);
    } else if (inet_pton(AF_INET6, text, bytes) == 1) {
        bool v4 = memcmp(bytes, mapped, sizeof(mapped)) == 0 || is_compatible(text);

        address.family = v4 ? 4 : 6;
        memcpy(address.bytes, v4 ? bytes + sizeof(mapped) : bytes, v4 ? 4 : 16);
    } else {
        return false;
    }
    *ret_address = address;
    return true;
}

const char *dr_address_text(const struct dr_address *address, char buffer[DR_ADDRESS_TEXT])
{
    buffer[0] = '\0';
    if (address->family)
        (void)inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, buffer, DR_ADDRESS_TEXT);
    return buffer;
}

bool dr_subnet_has(const struct dr_subnet *subnet, const struct dr_address *address)
{
    unsigned whole = subnet->bits / 8, rest = subnet->bits % 8;

    if (subnet->base.family == 0 || subnet->base.family != address->family ||
        memcmp(subnet->base.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (subnet->base.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool dr_subnets_overlap(const struct dr_subnet *a, const struct dr_subnet *b)
{
    return a->bits <= b->bits ? dr_subnet_has(a, &b->base) : dr_subnet_has(b, &a->base);
}

static bool in_any(const struct dr_address *address, const struct dr_subnet *subnets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dr_subnet_has(&subnets[i], address))
            return true;
    return false;
}

bool dr_address_is_loopback(const struct dr_address *address)
{
    static const struct dr_subnet loopback[] = {
        { { 4, { 127 } }, 8 },
        { { 6, { [15] = 1 } }, 128 },
    };

    return in_any(address, loopback, sizeof(loopback) / sizeof(loopback[0]));
}

bool dr_address_is_private(const struct dr_address *address)
{
    static const struct dr_subnet private[] = {
        { { 4, { 10 } }, 8 },       { { 4, { 172, 16 } }, 12 }, { { 4, { 192, 168 } }, 16 },   { { 4, { 169, 254 } }, 16 },
        { { 4, { 100, 64 } }, 10 }, { { 6, { 0xfc } }, 7 },     { { 6, { 0xfe, 0x80 } }, 10 }, { { 6, { 0xfe, 0xc0 } }, 10 },
    };

    return dr_address_is_loopback(address) || in_any(address, private, sizeof(private) / sizeof(private[0]));
}
