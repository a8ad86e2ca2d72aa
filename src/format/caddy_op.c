/* Operations on request headers: which header they name, what their value is made of, and what a handshake makes of it. */
#include "format/caddy_internal.h"

#include <string.h>
#include <strings.h>

static bool starts_with(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Deleting takes "*x", "x*" and "*x*". */
bool caddy_op_names(const struct caddy_op *op, const char *header)
{
    const char *field = op->field;
    size_t length = strlen(field), header_length = strlen(header);
    bool front = length > 0 && field[0] == '*', back = length > 1 && field[length - 1] == '*';

    if (op->kind == CADDY_REPLACE && strcmp(field, "*") == 0)
        return true;
    if (op->kind != CADDY_DELETE || (!front && !back))
        return strcasecmp(field, header) == 0;
    if (strcmp(field, "*") == 0)
        return true;
    length -= (size_t)front + back;
    if (length > header_length)
        return false;
    for (size_t at = 0; at + length <= header_length; at++) {
        bool here = strncasecmp(header + at, field + front, length) == 0;

        if (here && (front || at == 0) && (back || at + length == header_length))
            return true;
    }
    return false;
}

/* Does the list of a Connection header hold "upgrade"? */
static bool lists_upgrade(const char *value)
{
    while (*value) {
        value += strspn(value, " \t,");
        size_t length = strcspn(value, " \t,");

        if (length == 7 && strncasecmp(value, "upgrade", 7) == 0)
            return true;
        value += length;
    }
    return false;
}

/* Placeholders whose value the client cannot choose. Host, scheme and method are about the request, but no header is forged by them. */
static bool is_proxys_own(const char *name)
{
    static const char *const own[] = {
        "http.request.remote",
        "http.request.host",
        "http.request.hostport",
        "http.request.scheme",
        "http.request.proto",
        "http.request.port",
        "http.request.local",
        "http.request.tls.",
        "http.reverse_proxy.",
        "http.vars.client_ip", /* v2.7.0; found in headers only when a trusted peer has sent them */
        "env.",
        "system.",
        "time.",
        "http.shutting_down",
        "http.request.uuid",
        "file.",
    };

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (starts_with(name, own[i]))
            return true;
    return false;
}

/* {http.request.header.X} where an earlier request_header has put the proxy's own value, or nothing, in X's place. */
static bool is_replaced(const struct dr_route_header *before, const char *name)
{
    static const char prefix[] = "http.request.header.";

    if (!before || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return false;
    name += sizeof(prefix) - 1;
    int index = dr_route_header_index(name, strcspn(name, "}"));

    return index >= 0 && index != DR_ROUTE_HOST &&
           (before[index].fate == DR_HEADER_SET || before[index].fate == DR_HEADER_ABSENT);
}

void caddy_take_apart(struct dr_arena *arena, const struct dr_route_header *before, const char *text,
                      struct caddy_op_value *ret_value)
{
    static const char prefix[] = "{http.request.header.";
    const char *close = strchr(text, '}');

    *ret_value = (struct caddy_op_value){ 0 };
    if (strncmp(text, prefix, sizeof(prefix) - 1) == 0 && close && close[1] == '\0')
        ret_value->header = dr_arena_strndup(arena, text + sizeof(prefix) - 1, (size_t)(close - text) - sizeof(prefix) + 1);
    for (const char *open; (open = strchr(text, '{')); text = open + 1) {
        if (is_proxys_own(open + 1) || is_replaced(before, open + 1)) {
            ret_value->own = true;
            ret_value->own_last = true;
        } else if (starts_with(open + 1, "http.")) {
            ret_value->others = true;
            ret_value->own_last = false;
        } /* else: nothing that caddy knows; it stays as it is */
    }
}

/* Would a handshake survive this value of Upgrade or Connection? */
enum dr_upgrade caddy_kept_by_value(const struct caddy_op_value *value, int which, const char *text)
{
    if (value->header) {
        bool same = strcasecmp(value->header, which == CADDY_UPGRADE ? "Upgrade" : "Connection") == 0;

        return same ? DR_UPGRADE_PASSED : DR_UPGRADE_UNKNOWN;
    }
    if (value->others || value->own)
        return DR_UPGRADE_UNKNOWN;
    return (which == CADDY_UPGRADE ? strcasecmp(text, "websocket") == 0 : lists_upgrade(text)) ? DR_UPGRADE_PASSED
                                                                                               : DR_UPGRADE_DROPPED;
}

bool caddy_op_spoils(struct dr_arena *arena, const struct caddy_op *op)
{
    static const char *const headers[2] = { "Upgrade", "Connection" };
    struct caddy_op_value value;

    if (op->kind != CADDY_ADD && (caddy_op_names(op, "Sec-WebSocket-Key") || caddy_op_names(op, "Sec-WebSocket-Version")))
        return true;
    caddy_take_apart(arena, NULL, op->value, &value);
    for (int which = 0; which < 2; which++) {
        if (!caddy_op_names(op, headers[which]))
            continue;
        if (op->kind == CADDY_SET ? caddy_kept_by_value(&value, which, op->value) != DR_UPGRADE_PASSED
                                  : op->kind != CADDY_ADD || which == CADDY_UPGRADE)
            return true;
    }
    return false;
}
