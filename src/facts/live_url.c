#include "facts/live_url.h"

#include "base/buffer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MOST_URL = 2048, HTTP_PORT = 80, HTTPS_PORT = 443 };

static const struct scheme {
    const char *name;
    bool tls;
} schemes[] = { { "ws://", false }, { "wss://", true }, { "http://", false }, { "https://", true } };

/* "user:password@host": what stands before the last @ is a secret. */
static const char *skip_user(struct dr_context *context, const char *authority, size_t *length)
{
    const char *at = memrchr(authority, '@', *length);
    const char *colon;

    if (!at)
        return authority;
    colon = memchr(authority, ':', (size_t)(at - authority));
    dr_secret_known(context,
                    dr_strndup(context, colon ? colon + 1 : authority, (size_t)(at - (colon ? colon + 1 : authority))));
    *length -= (size_t)(at + 1 - authority);
    return at + 1;
}

static const char *read_port(const char *text, size_t length, unsigned *ret_port)
{
    unsigned port = 0;

    if (length == 0)
        return NULL; /* "host:" is the scheme's own */
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) || i > 4)
            return "its port is no number";
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port == 0 || port > 65535)
        return "its port is none";
    *ret_port = port;
    return NULL;
}

static const char *read_authority(struct dr_context *context, const char *text, size_t length, struct dr_live_url *url)
{
    const char *end, *colon;

    text = skip_user(context, text, &length);
    if (length > 0 && text[0] == '[') {
        end = memchr(text, ']', length);
        if (!end || end == text + 1)
            return "its address in brackets has no end";
        url->host = dr_strndup(context, text + 1, (size_t)(end - text - 1));
        colon = end + 1 < text + length ? end + 1 : NULL;
        if (colon && *colon != ':')
            return "something stands between its address and its port";
    } else {
        colon = memchr(text, ':', length);
        url->host = dr_strndup(context, text, colon ? (size_t)(colon - text) : length);
    }
    if (!*url->host)
        return "it names no host";
    for (const char *at = url->host; *at; at++)
        if ((unsigned char)*at <= ' ' || strchr("\"'<>\\^`{|}%#", *at))
            return "its host has characters that no name has";
    return colon ? read_port(colon + 1, length - (size_t)(colon + 1 - text), &url->port) : NULL;
}

const char *dr_live_url_read(struct dr_context *context, const char *text, struct dr_live_url *ret_url)
{
    const struct scheme *scheme = NULL;
    size_t authority, path;

    *ret_url = (struct dr_live_url){ .path = "/" };
    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < DR_COUNT(schemes) && !scheme; i++)
        if (strncasecmp(text, schemes[i].name, strlen(schemes[i].name)) == 0)
            scheme = &schemes[i];
    if (!scheme)
        return "it does not begin with ws:// or wss://";
    if (strlen(text) > MOST_URL)
        return "it is too long";
    text += strlen(scheme->name);
    ret_url->tls = scheme->tls;
    ret_url->port = scheme->tls ? HTTPS_PORT : HTTP_PORT;
    authority = strcspn(text, "/?# \t\r\n");
    path = strcspn(text + authority, "?# \t\r\n");
    if (path > 0)
        ret_url->path = dr_strndup(context, text + authority, path);
    return read_authority(context, text, authority, ret_url);
}

const char *dr_live_url_text(struct dr_context *context, bool tls, const char *host, unsigned port, const char *path)
{
    const char *bracket = strchr(host, ':') ? "[" : "";
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(4 * MOST_URL);
    int r = 0;

    for (; r == 0 && *path; path++)
        r = isalnum((unsigned char)*path) || strchr("/-._~!$&()*+,;=:@%", *path)
                ? dr_buffer_append_byte(&safe, *path)
                : dr_buffer_appendf(&safe, "%%%02X", (unsigned)(unsigned char)*path);
    if (port == (tls ? HTTPS_PORT : HTTP_PORT))
        return dr_format(context, "%s://%s%s%s%s", tls ? "https" : "http", bracket, host, *bracket ? "]" : "",
                         dr_buffer_text(&safe));
    return dr_format(context, "%s://%s%s%s:%u%s", tls ? "https" : "http", bracket, host, *bracket ? "]" : "", port,
                     dr_buffer_text(&safe));
}
