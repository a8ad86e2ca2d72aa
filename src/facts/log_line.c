/*
 * A line such as
 *   {"0":...,"2":"closed before connect conn=... remote=127.0.0.1 fwd=203.0.113.9 origin=n/a host=127.0.0.1:18789 ua=...",...,"time":"..."}
 *   2026-11-28T14:36:54.378Z [ws] closed before connect conn=... remote=127.0.0.1 fwd=n/a origin=n/a host=... code=1008 reason=...
 * Only what is an address, an origin or a host by its spelling is taken.
 */
#include "facts/log_internal.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

static const char digits[] = "0123456789";

/* The value behind `name` ("remote="), which begins the line or stands behind a blank or quote. Length 0: none. */
static size_t value_of(const char *line, size_t length, const char *name, const char **ret_value)
{
    size_t name_length = strlen(name);
    const char *end = line + length;

    for (const char *at = line; (at = memmem(at, (size_t)(end - at), name, name_length)); at += name_length) {
        if (at > line && at[-1] != ' ' && at[-1] != '"')
            continue;
        const char *value = at + name_length;
        const char *stop = value;

        while (stop < end && *stop != ' ' && *stop != '"' && *stop != '\\')
            stop++;
        *ret_value = value;
        return (size_t)(stop - value);
    }
    return 0;
}

static void take_address(const char *value, size_t length, struct dr_log_fields *fields)
{
    if (length == 0 || length >= sizeof(fields->peer))
        return;
    memcpy(fields->peer, value, length);
    fields->peer[length] = '\0';
    if (dr_address_parse(fields->peer, &fields->address))
        return;
    fields->peer[0] = '\0';
    fields->address.family = 0;
}

static size_t host_length(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && (isalnum((unsigned char)text[i]) || strchr(".-:[]_", text[i])))
        i++;
    return i;
}

/* A name or address with or without a port, and nothing else. */
static void take_host(const char *value, size_t length, char host[256])
{
    if (length == 0 || length > 255 || host_length(value, length) != length)
        return;
    memcpy(host, value, length);
    host[length] = '\0';
}

/* scheme://host[:port]; what a path or query would add is cut off, and with a user's name in front it is none. */
static void take_origin(const char *value, size_t length, char origin[256])
{
    static const char slashes[] = "://";
    const char *colon = memmem(value, length, slashes, sizeof(slashes) - 1);
    size_t scheme = colon ? (size_t)(colon - value) : 0;
    size_t start = scheme + sizeof(slashes) - 1;

    if (scheme == 0 || host_length(value, scheme) != scheme)
        return;
    size_t whole = start + host_length(value + start, length - start);

    if (whole == start || whole > 255 || (whole < length && value[whole] != '/'))
        return;
    memcpy(origin, value, whole);
    origin[whole] = '\0';
}

void dr_log_line_fields(const char *line, size_t length, size_t needle_end, struct dr_log_fields *ret_fields)
{
    static const char behind[] = " from ";
    const char *value = NULL;
    size_t n;

    *ret_fields = (struct dr_log_fields){ 0 };
    if (needle_end >= sizeof(behind) - 1 &&
        memcmp(line + needle_end - (sizeof(behind) - 1), behind, sizeof(behind) - 1) == 0) {
        value = line + needle_end;
        for (n = 0; needle_end + n < length && (isxdigit((unsigned char)value[n]) || value[n] == '.' || value[n] == ':');)
            n++;
        take_address(value, n, ret_fields);
    }
    n = value_of(line, length, "remote=", &value);
    if (n > 0 && !ret_fields->peer[0])
        take_address(value, n, ret_fields);
    n = value_of(line, length, "fwd=", &value);
    ret_fields->forwarded = n > 0 && !(n == 3 && memcmp(value, "n/a", 3) == 0);
    n = value_of(line, length, "origin=", &value);
    if (n > 0)
        take_origin(value, n, ret_fields->origin);
    n = value_of(line, length, "host=", &value);
    if (n > 0)
        take_host(value, n, ret_fields->host);
}

/* ---- time ---- */

static int number_at(const char *text, size_t count)
{
    int number = 0;

    for (size_t i = 0; i < count; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

/* "2026-11-28T14:36:54.378Z", also with +01:00 instead of Z. 0: it is none. */
static int64_t time_at(const char *text, size_t length)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    const size_t least = 19, with_fraction = 23;
    size_t at = least;
    int64_t ms;

    for (size_t i = 0; i < with_fraction; i++)
        if (i >= length || (shape[i] == 'd' ? !strchr(digits, text[i]) || !text[i] : text[i] != shape[i])) {
            if (i < least)
                return 0;
            break;
        } else if (i + 1 == with_fraction) {
            at = with_fraction;
        }
    struct tm tm = {
        .tm_year = number_at(text, 4) - 1900,
        .tm_mon = number_at(text + 5, 2) - 1,
        .tm_mday = number_at(text + 8, 2),
        .tm_hour = number_at(text + 11, 2),
        .tm_min = number_at(text + 14, 2),
        .tm_sec = number_at(text + 17, 2),
    };

    ms = (int64_t)timegm(&tm) * 1000 + (at == with_fraction ? number_at(text + 20, 3) : 0);
    if (at + 6 <= length && (text[at] == '+' || text[at] == '-') && isdigit((unsigned char)text[at + 1]) &&
        isdigit((unsigned char)text[at + 2]) && isdigit((unsigned char)text[at + 4]) &&
        isdigit((unsigned char)text[at + 5])) {
        int64_t east = ((int64_t)number_at(text + at + 1, 2) * 60 + number_at(text + at + 4, 2)) * 60000;

        ms -= text[at] == '+' ? east : -east;
    }
    return ms;
}

int64_t dr_log_line_time(const char *line, size_t length)
{
    static const char *const names[] = { "\"time\":\"", "\"date\":\"" };

    if (length > 0 && line[0] != '{')
        return time_at(line, length);
    for (size_t i = 0; i < DR_COUNT(names); i++) {
        size_t name_length = strlen(names[i]);

        /* OpenClaw writes it last: search from the end, where no client's text stands. */
        for (size_t at = length; at-- > name_length;)
            if (line[at] == '"' && memcmp(line + at + 1 - name_length, names[i], name_length) == 0)
                return time_at(line + at + 1, length - at - 1);
    }
    return 0;
}
