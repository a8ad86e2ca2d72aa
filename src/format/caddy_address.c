/* Addresses: of sites (httpcaddyfile/addresses.go) and of upstreams (reverseproxy/addresses.go), both v2.6.2. */
#include "format/caddy_internal.h"

#include <ctype.h>
#include <string.h>

enum { MOST_ADDRESS = 4096 }; /* caddy reads no more of it */

/* "host:port" as Go's net.SplitHostPort takes it apart; false: it is none. Writes into `text`. */
static bool split_host_port(char *text, const char **ret_host, const char **ret_port)
{
    char *colon = strrchr(text, ':');
    char *close = strchr(text, ']');

    if (!colon)
        return false;
    if (text[0] == '[') {
        if (!close || colon != close + 1)
            return false;
        *close = '\0';
        *colon = '\0';
        *ret_host = text + 1;
        *ret_port = colon + 1;
        return !strchr(text + 1, '[');
    }
    if (strchr(text, ':') != colon || strchr(text, '[') || close)
        return false;
    *colon = '\0';
    *ret_host = text;
    *ret_port = colon + 1;
    return true;
}

/* Lower case, but for what stands in braces. */
static char *lower(struct dr_arena *arena, const char *text)
{
    char *copy = dr_arena_strdup(arena, text);
    bool inside = false;

    for (char *at = copy; at && *at; at++) {
        inside = *at == '{' || (inside && *at != '}');
        if (!inside)
            *at = (char)tolower((unsigned char)*at);
    }
    return copy;
}

bool caddy_parse_address(struct dr_arena *arena, const char *text, struct caddy_address *ret_address, const char **ret_why)
{
    char *copy = dr_arena_strdup(arena, text);
    char *scheme_end = copy ? strstr(copy, "://") : NULL;
    char *rest = copy, *slash, *whole;
    int64_t port;

    *ret_address = (struct caddy_address){ .scheme = "", .host = "", .port = "", .path = "" };
    *ret_why = "out of memory";
    if (!copy)
        return false;
    if (strlen(text) > MOST_ADDRESS) {
        *ret_why = "it is too long";
        return false;
    }
    if (scheme_end) {
        *scheme_end = '\0';
        ret_address->scheme = lower(arena, copy);
        rest = scheme_end + 3;
    }
    slash = strchr(rest, '/');
    if (slash) {
        ret_address->path = dr_arena_strdup(arena, slash);
        *slash = '\0';
    }
    whole = dr_arena_strdup(arena, rest);
    if (!whole || !ret_address->path || !ret_address->scheme)
        return false;
    if (!split_host_port(rest, &ret_address->host, &ret_address->port)) {
        size_t length = strlen(whole);

        /* "[::1]" is a host without a port */
        ret_address->port = "";
        if (length > 1 && whole[0] == '[' && whole[length - 1] == ']' && !strchr(whole + 1, '[')) {
            whole[length - 1] = '\0';
            whole++;
        }
        ret_address->host = whole;
    }
    ret_address->host = lower(arena, ret_address->host);
    if (!ret_address->host)
        return false;
    if (ret_address->port[0] && (!caddy_integer(ret_address->port, &port) || port < 0 || port > 65535)) {
        *ret_why = "its port is no port number";
        return false;
    }
    return true;
}

/* 18789 or 8001-8006. */
static void read_ports(const char *text, struct caddy_upstream *upstream)
{
    size_t digits = strspn(text, "0123456789");
    unsigned first = 0, last = 0;

    for (size_t i = 0; i < digits && digits <= 5; i++)
        first = first * 10 + (unsigned)(text[i] - '0');
    last = first;
    if (text[digits] == '-') {
        const char *end = text + digits + 1;

        last = 0;
        for (size_t i = 0; end[i] >= '0' && end[i] <= '9' && i < 5; i++)
            last = last * 10 + (unsigned)(end[i] - '0');
        digits = strlen(text);
    }
    if (text[digits] != '\0' || first == 0 || last < first || last > 65535 || last - first > CADDY_PORT_RANGE)
        return;
    upstream->first_port = first;
    upstream->last_port = last;
}

static void make_lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool parse_url(char *copy, struct caddy_upstream *upstream, const char **ret_why)
{
    static const struct {
        const char *scheme, *wrong_port, *port;
    } schemes[] = { { "http", "443", "80" }, { "https", "80", "443" }, { "h2c", "443", "80" } };
    char *end = strstr(copy, "://");
    const char *host, *port = "";
    char *rest = end + 3;

    *end = '\0';
    make_lower(copy);
    upstream->scheme = copy;
    if (strchr(rest, '{')) {
        *ret_why = "a placeholder cannot stand in an upstream with a scheme";
        return false;
    }
    if (rest[strcspn(rest, "/?#")]) {
        *ret_why = "an upstream is a scheme, a host and a port, without a path";
        return false;
    }
    if (!split_host_port(rest, &host, &port)) {
        size_t length = strlen(rest);

        if (strchr(rest, ':') && rest[0] != '[') {
            *ret_why = "its address is none";
            return false;
        }
        if (length > 1 && rest[0] == '[' && rest[length - 1] == ']') {
            rest[length - 1] = '\0';
            rest++;
        }
        host = rest;
        port = "";
    }
    if (port[strspn(port, "0123456789")]) {
        *ret_why = "its port is no port number";
        return false;
    }
    upstream->host = host;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strcmp(schemes[i].scheme, upstream->scheme) != 0)
            continue;
        if (strcmp(port, schemes[i].wrong_port) == 0) {
            *ret_why = "its port is that of another scheme";
            return false;
        }
        if (!port[0])
            port = schemes[i].port;
    }
    read_ports(port, upstream);
    return true;
}

/* "host:port", "[::1]", "tcp/host:port". 0: nothing of it can be told; -ENOMEM. */
static int parse_dial(struct dr_arena *arena, char *text, struct caddy_upstream *upstream)
{
    char *slash = strchr(text, '/');
    const char *host, *port = "";

    if (slash) {
        *slash = '\0';
        make_lower(text);
        if (strcmp(text, "unix+h2c") == 0)
            upstream->scheme = "h2c";
        /* another network than TCP; or a path behind a port, which no dial understands */
        if (strncmp(text, "tcp", 3) != 0)
            return 0;
        text = slash + 1;
    }
    char *whole = dr_arena_strdup(arena, text);

    if (!whole)
        return -ENOMEM;
    if (!split_host_port(text, &host, &port)) {
        size_t length = strlen(whole);

        if (length > 1 && whole[0] == '[' && whole[length - 1] == ']') {
            whole[length - 1] = '\0';
            whole++;
        }
        host = whole;
        port = "";
    }
    if (strchr(host, '{') || strchr(port, '{')) {
        upstream->dynamic = true;
        return 0;
    }
    upstream->host = host;
    read_ports(port[0] ? port : "80", upstream);
    return 1;
}

bool caddy_parse_upstream(struct dr_arena *arena, const char *text, struct caddy_upstream *ret_upstream,
                          const char **ret_why)
{
    bool srv = strncmp(text, "srv+", 4) == 0;
    char *copy = dr_arena_strdup(arena, text + (srv ? 4 : 0));
    int r = 1;

    *ret_upstream = (struct caddy_upstream){ .text = text, .scheme = "", .dynamic = srv };
    *ret_why = "out of memory";
    if (!copy)
        return false;
    if (!strstr(copy, "://"))
        r = parse_dial(arena, copy, ret_upstream);
    else if (!parse_url(copy, ret_upstream, ret_why))
        return false;
    if (r <= 0)
        return r == 0;
    if (ret_upstream->dynamic) {
        ret_upstream->host = NULL;
        ret_upstream->first_port = ret_upstream->last_port = 0;
    } else if (ret_upstream->host[0] == '\0') {
        ret_upstream->host = "localhost"; /* Go dials the local host then */
    }
    return true;
}
