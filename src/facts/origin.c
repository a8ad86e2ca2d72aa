#include "api/origin.h"

#include "api/locality.h"
#include "facts/locality_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* An origin in its parts. */
struct parsed {
    char scheme[32];
    char host[DR_ORIGIN_TEXT]; /* with brackets */
    char port[8]; /* "": the scheme's own */
    bool port_written; /* also where it is the scheme's own */
    bool more; /* something stands behind: a slash, a path */
    bool only_slash; /* ... and it is one slash */
};

static const char *own_port(const char *scheme)
{
    static const char *const ports[][2] = { { "http", "80" }, { "https", "443" }, { "ws", "80" }, { "wss", "443" } };

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (strcmp(scheme, ports[i][0]) == 0)
            return ports[i][1];
    return "";
}

static size_t lower_copy(char *out, size_t room, const char *text, size_t length)
{
    if (length >= room)
        return 0;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[length] = '\0';
    return length;
}

static bool is_host_text(const char *host)
{
    return *host && strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_[]:") == strlen(host);
}

/* host[:port] up to `end`. */
static bool parse_authority(const char *text, const char *end, struct parsed *parsed)
{
    const char *bracket = *text == '[' ? memchr(text, ']', (size_t)(end - text)) : NULL;
    const char *colon = memchr(bracket ? bracket : text, ':', (size_t)(end - (bracket ? bracket : text)));
    const char *host_end = colon ? colon : end;

    if (!lower_copy(parsed->host, sizeof(parsed->host), text, (size_t)(host_end - text)) || !is_host_text(parsed->host))
        return false;
    if (!colon)
        return true;
    size_t length = (size_t)(end - colon - 1);

    if (length == 0 || !lower_copy(parsed->port, sizeof(parsed->port), colon + 1, length) ||
        strspn(parsed->port, "0123456789") != length)
        return false;
    parsed->port_written = true;
    if (strcmp(parsed->port, own_port(parsed->scheme)) == 0)
        parsed->port[0] = '\0';
    return true;
}

static bool parse(const char *text, struct parsed *ret_parsed)
{
    struct dr_piece piece = dr_piece_trim(dr_piece_of(text));
    const char *end = piece.text + piece.length;
    const char *slashes = memmem(piece.text, piece.length, "://", 3);

    *ret_parsed = (struct parsed){ 0 };
    if (!slashes || !isalpha((unsigned char)*piece.text) ||
        !lower_copy(ret_parsed->scheme, sizeof(ret_parsed->scheme), piece.text, (size_t)(slashes - piece.text)))
        return false;
    const char *host = slashes + 3;
    size_t length = 0;

    while (host + length < end && !strchr("/?#\\", host[length]))
        length++;
    ret_parsed->more = host + length < end;
    ret_parsed->only_slash = host + length + 1 == end && host[length] == '/';
    return parse_authority(host, host + length, ret_parsed);
}

static void spell(const struct parsed *parsed, char origin[DR_ORIGIN_TEXT])
{
    size_t scheme = strlen(parsed->scheme), host = strlen(parsed->host), port = strlen(parsed->port);

    origin[0] = '\0';
    if (scheme + 3 + host + 1 + port >= DR_ORIGIN_TEXT)
        return;
    memcpy(origin, parsed->scheme, scheme);
    memcpy(origin + scheme, "://", 3);
    memcpy(origin + scheme + 3, parsed->host, host);
    if (port) {
        origin[scheme + 3 + host] = ':';
        memcpy(origin + scheme + 4 + host, parsed->port, port);
    }
    origin[scheme + 3 + host + (port ? port + 1 : 0)] = '\0';
}

bool dr_origin_normal(const char *text, char ret_origin[DR_ORIGIN_TEXT])
{
    struct parsed parsed;

    ret_origin[0] = '\0';
    if (parse(text, &parsed))
        spell(&parsed, ret_origin);
    return *ret_origin != '\0';
}

/* ---- an entry ---- */

static const char *why_nothing(const struct parsed *parsed)
{
    if (strchr(parsed->host, '*'))
        return "wildcards inside are not understood";
    if (parsed->only_slash)
        return "a browser sends no slash at the end";
    if (parsed->more)
        return "a browser sends no path, only scheme, host and port";
    if (parsed->port_written && !parsed->port[0])
        return "a browser leaves out the port that the scheme has anyway";
    return NULL;
}

void dr_origin_entry_read(const struct dr_rules *rules, const char *entry, struct dr_origin_entry *ret_entry)
{
    struct dr_piece piece = dr_piece_trim(dr_piece_of(entry));
    struct parsed parsed;

    *ret_entry = (struct dr_origin_entry){ 0 };
    if (piece.length == 1 && *piece.text == '*') {
        ret_entry->everyone = rules->origin_star;
        ret_entry->nothing = rules->origin_star ? NULL : "\"*\" is understood from 2026.3.2 on";
        return;
    }
    if (piece.length == 0)
        ret_entry->nothing = "it is empty";
    else if (memchr(piece.text, '*', piece.length))
        ret_entry->nothing = "wildcards inside are not understood";
    else if (!memmem(piece.text, piece.length, "://", 3))
        ret_entry->nothing = "the scheme is missing: https:// or http:// belongs in front";
    else if (!parse(entry, &parsed))
        ret_entry->nothing = "it is no origin";
    if (ret_entry->nothing)
        return;
    ret_entry->nothing = why_nothing(&parsed);
    spell(&parsed, ret_entry->origin);
}

/* ---- a request ---- */

/* Blanks and case do not count; nothing else is forgiven. */
static bool entry_is(const char *entry, const char *origin)
{
    struct dr_piece piece = dr_piece_trim(dr_piece_of(entry));

    return piece.length == strlen(origin) && strncasecmp(piece.text, origin, piece.length) == 0;
}

static bool listed(const struct dr_rules *rules, const struct dr_origin_ask *ask, const char *origin)
{
    for (size_t i = 0; i < ask->allowed_count; i++)
        if (entry_is(ask->allowed[i], origin) || (rules->origin_star && entry_is(ask->allowed[i], "*")))
            return true;
    return false;
}

/* Host and port as the URL has them: https://gw:443 has the host "gw". */
static bool same_host(const struct parsed *parsed, const char *host)
{
    size_t length = strlen(parsed->host);

    if (strncasecmp(host, parsed->host, length) != 0)
        return false;
    return parsed->port[0] ? host[length] == ':' && strcmp(host + length + 1, parsed->port) == 0 : host[length] == '\0';
}

static bool is_loopback_name(const char *name)
{
    struct dr_address address;

    return strcmp(name, "localhost") == 0 || (dr_address_parse(name, &address) && dr_address_is_loopback(&address));
}

static bool ends_with(const char *name, const char *tail)
{
    size_t length = strlen(name), tail_length = strlen(tail);

    return length >= tail_length && strcmp(name + length - tail_length, tail) == 0;
}

/* 2026.9.6: the page came from the gateway's own address, and that is one of a private network. */
static bool is_private_host(const char *name, bool direct_local)
{
    struct dr_address address;

    if (is_loopback_name(name))
        return direct_local;
    if (dr_address_parse(name, &address))
        return dr_address_is_private(&address);
    return ends_with(name, ".local") || ends_with(name, ".ts.net");
}

bool dr_origin_allowed(const struct dr_rules *rules, const struct dr_origin_ask *ask)
{
    char origin[DR_ORIGIN_TEXT], host_name[DR_ADDRESS_TEXT], origin_name[DR_ADDRESS_TEXT];
    const char *host = ask->host ? ask->host : "";
    struct parsed parsed;

    if (!ask->origin || !parse(ask->origin, &parsed) || (parsed.more && !parsed.only_slash && !rules->origin_same_host))
        return false;
    spell(&parsed, origin);
    dr_host_name(host, host_name);
    dr_host_name(parsed.host, origin_name);
    if (listed(rules, ask, origin))
        return true;
    if (same_host(&parsed, host) && (rules->origin_same_host || ask->host_fallback ||
                                     (rules->origin_private_host && is_private_host(host_name, ask->direct_local))))
        return true;
    return is_loopback_name(origin_name) && (rules->origin_same_host ? is_loopback_name(host_name) : ask->direct_local);
}
