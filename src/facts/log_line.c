/*
 * A line such as
 *   {"0":...,"2":"closed before connect conn=... remote=127.0.0.1 fwd=203.0.113.9 origin=n/a host=127.0.0.1:18789 ua=...",...,"time":"..."}
 *   2026-11-28T14:36:54.378Z [ws] closed before connect conn=... remote=127.0.0.1 fwd=n/a origin=n/a host=... code=1008 reason=...
 * Only what is an address, an origin or a host by its spelling is taken.
 */
#include "facts/log_internal.h"

#include <ctype.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

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

void dr_log_line_fields(const char *line, size_t length, size_t address_at, struct dr_log_fields *ret_fields)
{
    const char *value = NULL;
    size_t n = 0;

    *ret_fields = (struct dr_log_fields){ 0 };
    if (address_at) {
        value = line + address_at;
        while (address_at + n < length && (isxdigit((unsigned char)value[n]) || value[n] == '.' || value[n] == ':'))
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

/* Days since 1970-01-01 of a date of the Gregorian calendar (timegm asks for the time zone's lock each time). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool has_shape(const char *text, const char *shape, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i])
            return false;
    return true;
}

/* "2026-11-28T14:36:54.378Z", also with +01:00 instead of Z. 0: it is none. */
static int64_t time_at(const char *text, size_t length)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd", fraction[] = ".ddd", zone[] = "dd:dd";
    size_t at = sizeof(shape) - 1;

    if (length < at || !has_shape(text, shape, at))
        return 0;
    int64_t seconds =
        ((days_of(number_at(text, 4), number_at(text + 5, 2), number_at(text + 8, 2)) * 24 + number_at(text + 11, 2)) * 60 +
         number_at(text + 14, 2)) *
            60 +
        number_at(text + 17, 2);
    int64_t ms = seconds * 1000;

    if (length >= at + sizeof(fraction) - 1 && has_shape(text + at, fraction, sizeof(fraction) - 1)) {
        ms += number_at(text + at + 1, 3);
        at += sizeof(fraction) - 1;
    }
    if (length >= at + sizeof(zone) && (text[at] == '+' || text[at] == '-') &&
        has_shape(text + at + 1, zone, sizeof(zone) - 1)) {
        int64_t east = ((int64_t)number_at(text + at + 1, 2) * 60 + number_at(text + at + 4, 2)) * 60000;

        ms -= text[at] == '+' ? east : -east;
    }
    return ms;
}

int64_t dr_log_line_time(const char *line, size_t length)
{
    static const char name[] = "},\"time\":\""; /* behind "_meta"; in what a client said quotes are escaped */
    const char *found;

    if (length > 0 && line[0] != '{')
        return time_at(line, length);
    found = memmem(line, length, name, sizeof(name) - 1);
    if (!found)
        return 0;
    found += sizeof(name) - 1;
    return time_at(found, length - (size_t)(found - line));
}
