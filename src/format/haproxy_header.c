/* Which headers a rule means, and what its value makes of them. */
#include "format/haproxy_request.h"

#include <string.h>
#include <strings.h>

int dr_haproxy_header_of(const char *name)
{
    int index = dr_route_header_index(name, strlen(name));

    if (index >= 0)
        return index;
    if (strcasecmp(name, "Sec-WebSocket-Key") == 0)
        return HAPROXY_WS_KEY;
    return strcasecmp(name, "Sec-WebSocket-Version") == 0 ? HAPROXY_WS_VERSION : -1;
}

static const char *const header_names[HAPROXY_HEADERS] = {
    [DR_ROUTE_HOST] = "host",
    [DR_ROUTE_UPGRADE] = "upgrade",
    [DR_ROUTE_CONNECTION] = "connection",
    [DR_ROUTE_FORWARDED_FOR] = "x-forwarded-for",
    [DR_ROUTE_FORWARDED_PROTO] = "x-forwarded-proto",
    [DR_ROUTE_FORWARDED_HOST] = "x-forwarded-host",
    [DR_ROUTE_REAL_IP] = "x-real-ip",
    [DR_ROUTE_FORWARDED] = "forwarded",
    [HAPROXY_WS_KEY] = "sec-websocket-key",
    [HAPROXY_WS_VERSION] = "sec-websocket-version",
};

const char *dr_haproxy_header_name(int header)
{
    return header_names[header];
}

/* Does "del-header PATTERN [-m METHOD]" mean this header? Of regular expressions only plain ones are followed. */
enum haproxy_truth dr_haproxy_names_header(const struct haproxy_line *line, const char *header)
{
    const char *pattern = dr_haproxy_word(line, 2);
    const char *method = dr_haproxy_is(line, 3, "-m") ? dr_haproxy_word(line, 4) : "str";
    size_t length = strlen(pattern), have = strlen(header);
    bool begins = pattern[0] == '^';
    bool ends = length > 0 && pattern[length - 1] == '$';

    if (strcmp(method, "str") == 0)
        return strcasecmp(pattern, header) == 0 ? HAPROXY_TRUE : HAPROXY_FALSE;
    if (strcmp(method, "reg") == 0) {
        const char *plain = pattern + begins;
        size_t size = length - begins - (ends && length > begins);

        if (strcspn(plain, "\\.[](){}*+?|") < size)
            return HAPROXY_UNKNOWN;
        pattern = plain;
        length = size;
        method = begins && ends ? "all" : begins ? "beg" : ends ? "end" : "sub";
    }
    if (strcmp(method, "all") == 0)
        return length == have && strncasecmp(pattern, header, have) == 0 ? HAPROXY_TRUE : HAPROXY_FALSE;
    if (strcmp(method, "beg") == 0)
        return length <= have && strncasecmp(pattern, header, length) == 0 ? HAPROXY_TRUE : HAPROXY_FALSE;
    if (strcmp(method, "end") == 0)
        return length <= have && strncasecmp(pattern, header + have - length, length) == 0 ? HAPROXY_TRUE : HAPROXY_FALSE;
    for (size_t i = 0; strcmp(method, "sub") == 0 && i + length <= have; i++)
        if (strncasecmp(pattern, header + i, length) == 0)
            return HAPROXY_TRUE;
    return strcmp(method, "sub") == 0 ? HAPROXY_FALSE : HAPROXY_UNKNOWN;
}

/* What a value takes from the request: the same header, another one that the client could send, or neither. */
static void look_at_value(const char *value, int header, bool *ret_self, bool *ret_other)
{
    *ret_self = *ret_other = strstr(value, "var(") != NULL && strstr(value, "%[");
    *ret_self = false;
    for (const char *at = value; (at = strstr(at, "hdr")); at++) {
        const char *open = at + strcspn(at, "(]");
        size_t length = *open == '(' ? strcspn(open + 1, ",)") : 0;
        bool self = length == strlen(header_names[header]) && strncasecmp(open + 1, header_names[header], length) == 0;
        bool host = length == 4 && strncasecmp(open + 1, "host", 4) == 0 && header == DR_ROUTE_FORWARDED_HOST;

        if (*open != '(')
            continue;
        *ret_self = *ret_self || self;
        *ret_other = *ret_other || (!self && !host);
    }
}

static bool is_only_itself(const char *value)
{
    size_t length = strlen(value);

    return strncmp(value, "%[", 2) == 0 && length > 2 && strchr(value, ']') == value + length - 1;
}

enum dr_header_fate dr_haproxy_added_to(enum dr_header_fate before)
{
    if (before == DR_HEADER_ABSENT)
        return DR_HEADER_SET;
    return before == DR_HEADER_CLIENTS ? DR_HEADER_APPENDED : before;
}

enum dr_header_fate dr_haproxy_fate_of_value(const struct haproxy_request *request, int header, enum dr_header_fate before,
                                             const char *value, bool adds)
{
    bool self, other;

    look_at_value(value, header, &self, &other);
    if (other || (request->source_from_client && strstr(value, "src")))
        return DR_HEADER_UNKNOWN;
    if (self && before == DR_HEADER_APPENDED)
        return DR_HEADER_UNKNOWN; /* req.hdr() is the last value only */
    if (self && is_only_itself(value))
        return before;
    return self || adds ? dr_haproxy_added_to(before) : DR_HEADER_SET;
}
