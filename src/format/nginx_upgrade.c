/* nginx: does a WebSocket handshake reach the upstream as one? */
#include "format/nginx_headers.h"

#include <string.h>
#include <strings.h>

bool dr_nginx_names_upgrade(const char *value)
{
    while (*value) {
        size_t length = strcspn(value, ", \t");

        if (dr_nginx_is_named(value, length, "upgrade"))
            return true;
        value += length;
        value += strspn(value, ", \t");
    }
    return false;
}

/* What a receiver makes of the header: several of one name are joined. NULL: not knowable. */
static const char *joined_value(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *name)
{
    const struct dr_nginx_list *list = dr_nginx_many(scope, DR_NGINX_HEADERS, NULL);
    const char *joined = "";

    for (size_t i = 0; i < list->count && joined; i++) {
        const char *value;

        if (strcasecmp(dr_nginx_word(list->items[i], 1), name) != 0)
            continue;
        value = dr_nginx_evaluate(model, scope, dr_nginx_word(list->items[i], 2), 0);
        if (!value || strlen(joined) > DR_NGINX_LONGEST)
            return NULL;
        if (*value)
            joined = *joined ? dr_arena_format(model->arena, "%s, %s", joined, value) : value;
    }
    return joined;
}

enum dr_nginx_truth dr_nginx_sends_upgrade(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope)
{
    const char *value = joined_value(model, scope, "Upgrade");

    if (!value)
        return DR_NGINX_PERHAPS;
    return strcasecmp(value, "websocket") == 0 ? DR_NGINX_YES : DR_NGINX_NO;
}

enum dr_nginx_truth dr_nginx_sends_connection(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope)
{
    const char *value = joined_value(model, scope, "Connection");

    if (!value)
        return DR_NGINX_PERHAPS;
    return dr_nginx_names_upgrade(value) ? DR_NGINX_YES : DR_NGINX_NO;
}

/* The classic: the header is set further out, and one proxy_set_header at an inner level drops it. NULL: it is set nowhere. */
static const struct dr_nginx_directive *dropped_header(const struct dr_nginx_scope *scope, const char *name,
                                                       const struct dr_nginx_directive **ret_dropper)
{
    const struct dr_nginx_scope *owner;
    const struct dr_nginx_list *list = dr_nginx_many(scope, DR_NGINX_HEADERS, &owner);

    if (!owner)
        return NULL;
    *ret_dropper = list->items[0];
    for (scope = owner->outer; scope; scope = scope->outer)
        if (scope->many[DR_NGINX_HEADERS].count && dr_nginx_header(scope, name, NULL))
            return dr_nginx_header(scope, name, NULL);
    return NULL;
}

static void fill_missing(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *name,
                         const char *missing, struct dr_route *route)
{
    const struct dr_nginx_directive *dropper = NULL;
    const struct dr_nginx_directive *dropped = *name ? dropped_header(scope, name, &dropper) : NULL;
    const char *why;

    route->upgrade_why = missing;
    if (!dropped)
        return;
    why =
        dr_arena_format(model->arena,
                        "proxy_set_header %s in line %u of %s does not count here: a proxy_set_header further in drops all "
                        "that stand further out",
                        name, dropped->line, dropped->file->path);
    route->upgrade_why = why ? why : missing;
    route->upgrade_source = dr_nginx_source(dropper);
}

/* One thing after the other that a handshake needs; the first that is missing is the reason. */
void dr_nginx_fill_upgrade(struct dr_nginx_model *model, const struct dr_nginx_scope *scope, struct dr_route *route)
{
    const struct dr_nginx_directive *pass_headers = dr_nginx_single(scope, DR_NGINX_PASS_HEADERS);
    const struct dr_nginx_directive *upgrade = dr_nginx_header(scope, "Upgrade", NULL);
    const struct dr_nginx_directive *connection = dr_nginx_header(scope, "Connection", NULL);
    const struct dr_nginx_directive *version = dr_nginx_single(scope, DR_NGINX_HTTP_VERSION);
    const struct {
        enum dr_nginx_truth truth;
        const struct dr_nginx_directive *directive;
        const char *header, *missing, *wrong, *unknown;
    } needs[] = {
        { route->http_version == 11 ? DR_NGINX_YES
          : route->http_version     ? DR_NGINX_NO
                                    : DR_NGINX_PERHAPS,
          version, "", "proxy_http_version 1.1 is missing: nginx speaks HTTP/1.0 to the gateway, which knows no upgrade",
          "proxy_http_version is not 1.1: there is no upgrade with that version",
          "proxy_http_version has an unknown value" },
        { dr_nginx_sends_upgrade(model, scope), upgrade, "Upgrade",
          "proxy_set_header Upgrade is missing: nginx drops the client's Upgrade header",
          "proxy_set_header Upgrade gives another value than the client's",
          "the value of proxy_set_header Upgrade depends on something that cannot be worked out" },
        { dr_nginx_sends_connection(model, scope), connection, "Connection",
          "proxy_set_header Connection is missing: nginx sends \"close\" instead of \"upgrade\"",
          "proxy_set_header Connection gives a value without \"upgrade\"",
          "the value of proxy_set_header Connection depends on something that cannot be worked out" },
        { dr_nginx_flag(pass_headers, true) ? DR_NGINX_YES : DR_NGINX_NO, pass_headers, "", "",
          "proxy_pass_request_headers off drops the Sec-WebSocket headers", "" },
    };

    route->upgrade = DR_UPGRADE_PASSED;
    for (size_t i = 0; i < DR_COUNT(needs); i++) {
        bool drops = needs[i].truth == DR_NGINX_NO;

        if (needs[i].truth == DR_NGINX_YES || (!drops && route->upgrade == DR_UPGRADE_UNKNOWN))
            continue;
        route->upgrade = drops ? DR_UPGRADE_DROPPED : DR_UPGRADE_UNKNOWN;
        route->upgrade_why = drops ? needs[i].wrong : needs[i].unknown;
        route->upgrade_source = dr_nginx_source(needs[i].directive);
        if (drops && !needs[i].directive)
            fill_missing(model, scope, needs[i].header, needs[i].missing, route);
        if (drops)
            return;
    }
}
