/*
 * What an entry of gateway.trustedProxies matches. Two readers: up to 2026.3.22 OpenClaw compared texts and had a little parser for
 * IPv4 ranges, which took whatever parseInt takes; since then ipaddr.js reads ranges, with every old spelling of IPv4.
 */
#include "facts/locality_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char empty_entry[] = "it is empty";

/* Why a text that is no address matches nothing: for people, so the likeliest mistake first. */
static const char *why_nothing(const char *text)
{
    struct dr_piece whole = dr_piece_of(text), bare = dr_piece_without_port(whole);
    const char *slash = strchr(text, '/');
    bool v6 = strchr(text, ':') != NULL;

    if (strchr(text, '*'))
        return "wildcards are not understood; a range is written 172.17.0.0/16";
    if (bare.length != whole.length)
        return text[0] == '[' && text[whole.length - 1] == ']'
                   ? "an IPv6 address stands without brackets here"
                   : "an address with a port matches nothing: a proxy's port is another one each time";
    if (slash && slash[1] == '\0')
        return "nothing stands after the slash";
    if (slash && strtol(slash + 1, NULL, 10) > (v6 ? 128 : 32))
        return v6 ? "an IPv6 prefix has at most 128 bits" : "an IPv4 prefix has at most 32 bits";
    if (slash)
        return "it is no address range";
    if (strchr(text, '-') && strspn(text, "0123456789.-") == strlen(text))
        return "from-to ranges are not understood; a range is written 172.17.0.0/16";
    for (const char *c = text; *c && !v6; c++)
        if (isalpha((unsigned char)*c))
            return "host names are not looked up; only IP addresses are compared";
    return "it is no IP address";
}

/* parseInt(text, 10), as far as it matters for 0..255. -1: NaN or negative; 1000: more than that. */
static int parse_int(struct dr_piece piece)
{
    int value = 0;
    bool negative = false;

    piece = dr_piece_trim(piece);
    if (piece.length > 0 && (*piece.text == '+' || *piece.text == '-')) {
        negative = *piece.text == '-';
        piece.text++;
        piece.length--;
    }
    if (piece.length == 0 || !isdigit((unsigned char)*piece.text))
        return -1;
    for (size_t i = 0; i < piece.length && isdigit((unsigned char)piece.text[i]) && value < 1000; i++)
        value = value * 10 + piece.text[i] - '0';
    return negative && value > 0 ? -1 : value;
}

static bool old_range(struct dr_piece text, struct dr_subnet *ret_subnet)
{
    struct dr_piece network, prefix = { 0 }, part;
    struct dr_subnet subnet = { .base.family = 4 };
    size_t parts = 0;

    (void)dr_piece_split(&text, '/', &network);
    (void)dr_piece_split(&text, '/', &prefix);
    int bits = parse_int(prefix);

    if (bits < 0 || bits > 32)
        return false;
    while (dr_piece_split(&network, '.', &part)) {
        int value = parse_int(part);

        if (parts == 4 || value < 0 || value > 255)
            return false;
        subnet.base.bytes[parts++] = (unsigned char)value;
    }
    subnet.bits = (unsigned)bits;
    *ret_subnet = subnet;
    return parts == 4;
}

static void read_old(const struct dr_rules *rules, const char *entry, struct dr_piece trimmed, struct dr_trust *trust)
{
    char lower[DR_ADDRESS_TEXT], canonical[DR_ADDRESS_TEXT];
    const char *text = lower;

    if (memchr(trimmed.text, '/', trimmed.length)) {
        if (!rules->cidr_v4)
            trust->nothing = "this release compares single addresses only; ranges came with 2026.2.17";
        else if (!old_range(trimmed, &trust->subnet))
            trust->nothing = memchr(trimmed.text, ':', trimmed.length) ? "this release does not understand IPv6 ranges"
                                                                       : why_nothing(entry);
        return;
    }
    (void)dr_piece_lower(trimmed, lower);
    if (strncmp(text, "::ffff:", 7) == 0)
        text += 7;
    trust->subnet.bits = strchr(text, ':') ? 128 : 32;
    if (!dr_address_parse(text, &trust->subnet.base))
        trust->nothing = why_nothing(lower);
    else if (strcmp(dr_address_text(&trust->subnet.base, canonical), text) != 0)
        trust->nothing = "this release compares IPv6 addresses letter by letter, and this is not the short form";
}

/* The part before the slash, of a range. IPv4 in any spelling that inet_aton takes: "10" is 0.0.0.10. */
static bool new_base(const char *text, struct dr_address *ret_base, bool *ret_mapped, bool *ret_odd)
{
    struct in_addr loose;

    *ret_mapped = strchr(text, ':') != NULL;
    *ret_odd = false;
    if (dr_address_parse(text, ret_base))
        return true;
    if (*ret_mapped || text[0] == '\0' || strspn(text, "0123456789abcdefABCDEFxX.") != strlen(text) ||
        !inet_aton(text, &loose))
        return false;
    *ret_odd = true;
    *ret_base = (struct dr_address){ .family = 4 };
    memcpy(ret_base->bytes, &loose, sizeof(loose));
    return true;
}

static bool new_range(const char *text, const char *slash, struct dr_trust *trust)
{
    char base[DR_ADDRESS_TEXT];
    bool written_v6;
    long bits = strtol(slash + 1, NULL, 10);

    if (slash[1] == '\0' || strspn(slash + 1, "0123456789") != strlen(slash + 1) || bits > 128)
        return false;
    if (!dr_piece_lower((struct dr_piece){ text, (size_t)(slash - text) }, base) ||
        !new_base(base, &trust->subnet.base, &written_v6, &trust->odd))
        return false;
    if (!written_v6 && bits > 32)
        return false;
    if (written_v6 && trust->subnet.base.family == 4) {
        /* The prefix counts from the front of the IPv6 spelling: ::ffff:172.17.0.1/32 is 0.0.0.0/0. */
        trust->odd = bits < 96;
        bits = bits < 96 ? 0 : bits - 96;
    }
    trust->subnet.bits = (unsigned)bits;
    return true;
}

static void read_new(struct dr_piece trimmed, struct dr_trust *trust)
{
    char text[DR_ADDRESS_TEXT];

    (void)dr_piece_lower(trimmed, text);
    const char *slash = strrchr(text, '/');

    if (slash) {
        if (!new_range(text, slash, trust))
            trust->nothing = why_nothing(text);
        return;
    }
    if (text[0] == '[' && text[trimmed.length - 1] == ']') {
        text[trimmed.length - 1] = '\0';
        memmove(text, text + 1, trimmed.length);
    }
    if (!dr_address_parse(text, &trust->subnet.base))
        trust->nothing = why_nothing(text);
    trust->subnet.bits = trust->subnet.base.family == 4 ? 32 : 128;
}

void dr_trust_read(const struct dr_rules *rules, const char *entry, struct dr_trust *ret_trust)
{
    struct dr_trust trust = { 0 };
    struct dr_piece trimmed = dr_piece_trim(dr_piece_of(entry));

    if (trimmed.length == 0)
        trust.nothing = empty_entry;
    else if (trimmed.length >= DR_ADDRESS_TEXT)
        trust.nothing = "it is longer than any address";
    else if (rules->cidr_v6)
        read_new(trimmed, &trust);
    else
        read_old(rules, entry, trimmed, &trust);
    if (trust.nothing)
        trust = (struct dr_trust){ .nothing = trust.nothing };
    *ret_trust = trust;
}

bool dr_trust_matches(const struct dr_rules *rules, const char *entry, const struct dr_address *address)
{
    struct dr_trust trust;

    dr_trust_read(rules, entry, &trust);
    return !trust.nothing && dr_subnet_has(&trust.subnet, address);
}
