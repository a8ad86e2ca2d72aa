/* Addresses of "bind" and "server" (manual 2.6, section 11; haproxy 2.6: str2sa_range). */
#include "format/haproxy_proxy.h"

#include <stdlib.h>
#include <string.h>

static bool is_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* $NAME and ${NAME}: in an address these count without quotes, too. NULL without memory. */
static char *expand(const struct haproxy_tree *tree, const char *text)
{
    struct dr_arena *arena = tree->gathering->loader->arena;
    char *out = dr_arena_strdup(arena, text);
    char *dollar = out ? strchr(out, '$') : NULL;

    /* Each round takes one dollar of the spelling away: what a value holds is not looked at again. */
    while (dollar) {
        const char *name = dollar + 1 + (dollar[1] == '{');
        size_t length = 0;

        while (is_name(name[length]))
            length++;
        const char *rest = name + length + (dollar[1] == '{' && name[length] == '}');
        const char *key = dr_arena_strndup(arena, name, length);
        const char *value = key ? dr_haproxy_variable(tree, key) : NULL;
        size_t done = (size_t)(dollar - out) + (value ? strlen(value) : 0);

        out = dr_arena_format(arena, "%.*s%s%s", (int)(dollar - out), out, value ? value : "", rest);
        dollar = out ? strchr(out + done, '$') : NULL;
    }
    return out;
}

static bool take_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    return true;
}

static bool take_port(const char *text, struct haproxy_address *address)
{
    char *end;
    long port;

    if (*text == '+' || *text == '-') {
        address->offset = true;
        address->minus = *text == '-';
        text++;
    }
    if (*text < '0' || *text > '9')
        return false;
    port = strtol(text, &end, 10);
    if (port > 65535)
        return false;
    address->port = address->last_port = (unsigned)port;
    if (*end == '-' && !address->offset) {
        port = strtol(end + 1, &end, 10);
        if (port < (long)address->port || port > 65535)
            return false;
        address->last_port = (unsigned)port;
    }
    return true;
}

/* The last ':' or ']' decides: "::1:18789" is port 18789 of "::1", "[::1]" has none. */
static bool take_inet(struct dr_arena *arena, const char *text, struct haproxy_address *address)
{
    size_t length = strlen(text);
    size_t at = length;

    while (at > 0 && text[at - 1] != ':' && text[at - 1] != ']')
        at--;
    if (at > 0 && text[at - 1] == ':') {
        if (text[at] != '\0' && !take_port(text + at, address))
            return false;
        length = at - 1;
    }
    if (address->port == 0)
        address->offset = true;
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    address->host = length == 1 && text[0] == '*' ? "" : dr_arena_strndup(arena, text, length);
    return address->host && strcmp(address->host, ":") != 0;
}

bool dr_haproxy_address(const struct haproxy_tree *tree, const char *text, struct haproxy_address *ret_address)
{
    struct dr_arena *arena = tree->gathering->loader->arena;
    const char *at = expand(tree, text);

    *ret_address = (struct haproxy_address){ .kind = HAPROXY_INET, .host = "" };
    if (!at || *at == '\0')
        return false;
    (void)take_prefix(&at, "stream+");
    if (take_prefix(&at, "abns@") || take_prefix(&at, "abnsz@")) {
        ret_address->kind = HAPROXY_UNIX;
        ret_address->host = dr_arena_format(arena, "@%s", at);
        return ret_address->host != NULL;
    }
    if (take_prefix(&at, "unix@") || *at == '/') {
        ret_address->kind = HAPROXY_UNIX;
        ret_address->host = at;
        return true;
    }
    if (take_prefix(&at, "fd@") || take_prefix(&at, "sockpair@") || take_prefix(&at, "udp") || take_prefix(&at, "dgram+") ||
        take_prefix(&at, "quic") || take_prefix(&at, "rhttp@") || take_prefix(&at, "mptcp")) {
        ret_address->kind = HAPROXY_STRANGE;
        ret_address->host = text;
        return true;
    }
    if (!take_prefix(&at, "ipv4@") && !take_prefix(&at, "tcp4@") && !take_prefix(&at, "ipv6@") && !take_prefix(&at, "tcp6@"))
        (void)take_prefix(&at, "tcp@");
    return take_inet(arena, at, ret_address);
}
