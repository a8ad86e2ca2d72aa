#include "format/nginx_headers.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Where a fate is being worked out. */
struct question {
    const struct dr_nginx_model *model;
    const struct dr_nginx_scope *scope;
    enum dr_route_header_name header;
};

static const char *const own_variables[DR_ROUTE_HEADERS] = {
    [DR_ROUTE_HOST] = "http_host",
    [DR_ROUTE_UPGRADE] = "http_upgrade",
    [DR_ROUTE_CONNECTION] = "http_connection",
    [DR_ROUTE_FORWARDED_FOR] = "http_x_forwarded_for",
    [DR_ROUTE_FORWARDED_PROTO] = "http_x_forwarded_proto",
    [DR_ROUTE_FORWARDED_HOST] = "http_x_forwarded_host",
    [DR_ROUTE_REAL_IP] = "http_x_real_ip",
    [DR_ROUTE_FORWARDED] = "http_forwarded",
};

/* Values that nginx itself knows. A "*" at the end stands for any rest. */
static const char *const proxys_own[] = {
    "remote_addr",
    "remote_port",
    "binary_remote_addr",
    "realip_remote_*",
    "scheme",
    "https",
    "host",
    "server_*",
    "proxy_host",
    "proxy_port",
    "hostname",
    "ssl_*",
    "connection",
    "connection_requests",
    "request_id",
    "msec",
    "pid",
    "time_*",
    "request_*",
    "uri",
    "document_uri",
    "document_root",
    "remote_user",
    "nginx_version",
    "tcpinfo_*",
    "is_args",
    "args",
    "query_string",
    "http_host",
    "protocol",
    "proxy_protocol_*",
    "upstream_*",
    "limit_rate",
    "status",
};

static bool is_proxys_own(const char *text, size_t length)
{
    for (size_t i = 0; i < DR_COUNT(proxys_own); i++) {
        size_t stem = strcspn(proxys_own[i], "*");
        bool open = proxys_own[i][stem] == '*';

        if ((open ? length >= stem : length == stem) && strncasecmp(text, proxys_own[i], stem) == 0)
            return true;
    }
    return false;
}

/* set_real_ip_from 0.0.0.0/0 lets every client say what $remote_addr is. */
static bool anyone_names_address(const struct dr_nginx_scope *scope)
{
    const struct dr_nginx_list *list = dr_nginx_many(scope, DR_NGINX_REAL_IPS, NULL);

    for (size_t i = 0; i < list->count; i++)
        if (dr_text_ends_with(dr_nginx_word(list->items[i], 1), "/0"))
            return true;
    return false;
}

static enum dr_header_fate fate_of_text(const struct question *question, const char *text, unsigned depth);

/* Two that stand beside each other in one value. */
static enum dr_header_fate beside(const struct question *question, enum dr_header_fate a, enum dr_header_fate b)
{
    if (a == DR_HEADER_ABSENT || b == DR_HEADER_ABSENT)
        return a == DR_HEADER_ABSENT ? b : a;
    if (a == DR_HEADER_UNKNOWN || b == DR_HEADER_UNKNOWN)
        return DR_HEADER_UNKNOWN;
    if (a == b && a != DR_HEADER_CLIENTS)
        return a;
    /* "$host:$server_port" is the client's host still. */
    return question->header == DR_ROUTE_HOST ? DR_HEADER_CLIENTS : DR_HEADER_APPENDED;
}

/* Each value of a map by itself. They differ: only with the client's own header as the key can more be said. */
static enum dr_header_fate fate_of_map(const struct question *question, const struct dr_nginx_directive *map, unsigned depth)
{
    const char *key;
    size_t key_length = 0;
    bool seen[DR_HEADER_APPENDED + 1] = { false };
    bool has_default = false;
    struct dr_nginx_entry entry;
    int kinds = 0;

    for (size_t i = 0; i < map->child_count; i++) {
        if (!dr_nginx_entry(map, i, &entry))
            continue;
        seen[fate_of_text(question, entry.value, depth + 1)] = true;
        has_default |= entry.kind == DR_NGINX_DEFAULT;
    }
    seen[DR_HEADER_ABSENT] |= !has_default;
    for (size_t i = 0; i < DR_COUNT(seen); i++)
        kinds += seen[i];
    for (int fate = 0; fate < (int)DR_COUNT(seen); fate++)
        if (kinds == 1 && seen[fate])
            return (enum dr_header_fate)fate;
    key = dr_nginx_sole_variable(dr_nginx_word(map, 1), &key_length);
    if (seen[DR_HEADER_UNKNOWN] || !key || !dr_nginx_is_named(key, key_length, own_variables[question->header]))
        return DR_HEADER_UNKNOWN;
    return seen[DR_HEADER_APPENDED] ? DR_HEADER_APPENDED : seen[DR_HEADER_CLIENTS] ? DR_HEADER_CLIENTS : DR_HEADER_SET;
}

static enum dr_header_fate fate_of_variable(const struct question *question, const char *name, size_t length, unsigned depth)
{
    const struct dr_nginx_directive *map;
    const char *value = NULL;

    if (depth >= DR_NGINX_NESTING || !dr_nginx_spend(question->model, 0))
        return DR_HEADER_UNKNOWN;
    if (dr_nginx_is_named(name, length, own_variables[question->header]))
        return DR_HEADER_CLIENTS;
    if (question->header == DR_ROUTE_HOST && dr_nginx_is_named(name, length, "host"))
        return DR_HEADER_CLIENTS;
    if (dr_nginx_is_named(name, length, "proxy_add_x_forwarded_for"))
        return DR_HEADER_APPENDED;
    switch (dr_nginx_find_set(question->model, question->scope, name, length, depth, &value)) {
    case DR_NGINX_SET:
        return fate_of_text(question, value, depth + 1);
    case DR_NGINX_SET_MAYBE:
        return DR_HEADER_UNKNOWN;
    case DR_NGINX_NOT_SET:
        break;
    }
    map = dr_nginx_find_map(question->model, name, length);
    if (map && !dr_nginx_spend(question->model, map->child_count))
        return DR_HEADER_UNKNOWN;
    if (map)
        return fate_of_map(question, map, depth);
    if (dr_nginx_is_named(name, length, "remote_addr") && anyone_names_address(question->scope))
        return DR_HEADER_UNKNOWN;
    return is_proxys_own(name, length) ? DR_HEADER_SET : DR_HEADER_UNKNOWN;
}

static enum dr_header_fate fate_of_text(const struct question *question, const char *text, unsigned depth)
{
    enum dr_header_fate fate = DR_HEADER_ABSENT;
    struct dr_nginx_piece piece;

    while (dr_nginx_piece(&text, &piece))
        fate = beside(question, fate,
                      piece.variable ? fate_of_variable(question, piece.text, piece.length, depth) : DR_HEADER_SET);
    return fate;
}

const struct dr_nginx_directive *dr_nginx_header(const struct dr_nginx_scope *scope, const char *name, size_t *ret_count)
{
    const struct dr_nginx_list *list = dr_nginx_many(scope, DR_NGINX_HEADERS, NULL);
    const struct dr_nginx_directive *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(dr_nginx_word(list->items[i], 1), name) != 0)
            continue;
        count++;
        if (!found)
            found = list->items[i];
    }
    if (ret_count)
        *ret_count = count;
    return found;
}

static enum dr_header_fate default_fate(const struct dr_nginx_scope *scope, enum dr_route_header_name header)
{
    if (header == DR_ROUTE_HOST || header == DR_ROUTE_CONNECTION)
        return DR_HEADER_SET;
    if (header == DR_ROUTE_UPGRADE || !dr_nginx_flag(dr_nginx_single(scope, DR_NGINX_PASS_HEADERS), true))
        return DR_HEADER_ABSENT;
    return DR_HEADER_CLIENTS;
}

static void fill_header(const struct question *question, struct dr_route_header *header)
{
    const struct dr_nginx_list *list = dr_nginx_many(question->scope, DR_NGINX_HEADERS, NULL);
    bool said = false;

    *header = (struct dr_route_header){ .fate = DR_HEADER_ABSENT };
    for (size_t i = 0; i < list->count; i++) {
        const struct dr_nginx_directive *directive = list->items[i];

        if (strcasecmp(dr_nginx_word(directive, 1), dr_route_header_text(question->header)) != 0)
            continue;
        /* Two of one name are two headers, which the receiver joins. */
        header->fate = beside(question, header->fate, fate_of_text(question, dr_nginx_word(directive, 2), 0));
        /* But there is only one Host in a request: what becomes of two is the receiver's own affair. */
        if (said && question->header == DR_ROUTE_HOST)
            header->fate = DR_HEADER_UNKNOWN;
        if (said)
            continue;
        said = true;
        header->value = dr_nginx_word(directive, 2);
        header->source = dr_nginx_source(directive);
    }
    if (!said)
        header->fate = default_fate(question->scope, question->header);
    for (const struct dr_nginx_scope *scope = question->scope; scope; scope = scope->outer)
        if (header->fate != DR_HEADER_ABSENT && header->fate != DR_HEADER_SET && scope->many[DR_NGINX_MEDDLERS].count)
            header->fate = DR_HEADER_UNKNOWN;
}

bool dr_nginx_is_client_address(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text)
{
    for (unsigned depth = 0; depth < DR_NGINX_NESTING; depth++) {
        size_t length = 0;
        const char *name = dr_nginx_sole_variable(text, &length);

        if (!name)
            return false;
        if (dr_nginx_is_named(name, length, "remote_addr"))
            return !anyone_names_address(scope);
        if (dr_nginx_is_named(name, length, "realip_remote_addr") || dr_nginx_is_named(name, length, "proxy_protocol_addr"))
            return true;
        if (dr_nginx_find_set(model, scope, name, length, depth, &text) != DR_NGINX_SET)
            return false;
    }
    return false;
}

static unsigned http_version(const struct dr_nginx_directive *directive)
{
    static const struct {
        const char *text;
        unsigned version;
    } versions[] = { { "1.0", 10 }, { "1.1", 11 }, { "2", 20 } };

    if (!directive)
        return 10;
    for (size_t i = 0; i < DR_COUNT(versions); i++)
        if (strcmp(dr_nginx_word(directive, 1), versions[i].text) == 0)
            return versions[i].version;
    return 0;
}

static const char *real_ip_note(struct dr_nginx_model *model, const struct dr_nginx_scope *scope)
{
    const struct dr_nginx_list *list = dr_nginx_many(scope, DR_NGINX_REAL_IPS, NULL);
    const struct dr_nginx_directive *header = dr_nginx_single(scope, DR_NGINX_REAL_IP_HEADER);

    if (list->count == 0)
        return NULL;
    return dr_arena_format(model->arena, "set_real_ip_from: $remote_addr is what %s says when it comes from %s%s",
                           header ? dr_nginx_word(header, 1) : "X-Real-IP", dr_nginx_word(list->items[0], 1),
                           list->count > 1 ? " or others" : "");
}

void dr_nginx_fill_request(struct dr_nginx_model *model, const struct dr_nginx_scope *scope, struct dr_route *route)
{
    const struct dr_nginx_directive *version = dr_nginx_single(scope, DR_NGINX_HTTP_VERSION);
    const struct dr_nginx_directive *timeout = dr_nginx_single(scope, DR_NGINX_READ_TIMEOUT);

    route->http_version = http_version(version);
    route->http_version_source = dr_nginx_source(version);
    for (int i = 0; i < DR_ROUTE_HEADERS; i++) {
        const struct question question = { .model = model, .scope = scope, .header = (enum dr_route_header_name)i };

        fill_header(&question, &route->headers[i]);
    }
    dr_nginx_fill_upgrade(model, scope, route);
    route->idle_timeout_ms = timeout ? dr_nginx_time(dr_nginx_word(timeout, 1)) : 60000;
    /* 0 would mean "never" here; nginx gives up at once. */
    route->idle_timeout_ms += route->idle_timeout_ms == 0;
    route->idle_timeout_source = dr_nginx_source(timeout);
    route->buffers = dr_nginx_flag(dr_nginx_single(scope, DR_NGINX_BUFFERING), true);
    route->note = real_ip_note(model, scope);
}
