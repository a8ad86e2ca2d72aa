/*
 * Caddy's own JSON (caddy.json, autosave.json): apps.http.servers.*.routes, read into the same model. Read only: whoever runs caddy
 * from JSON makes it by a program or through the API, and an edit of the file would be lost.
 */
#include "format/caddy_internal.h"

#include "format/json5.h"

#include <stdlib.h>
#include <string.h>

struct json {
    struct caddy_reader *reader;
    struct dr_arena *arena;
    const struct dr_proxy_file *file;
    struct dr_json5 document;
};

typedef const struct dr_json5_node node;

static void walk_routes(struct json *json, node *routes, struct caddy_way *way, unsigned depth);

bool caddy_is_json(const struct dr_proxy_file *file)
{
    size_t at = file->length >= 3 && memcmp(file->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (at < file->length && strchr(" \t\r\n", file->bytes[at]))
        at++;
    if (at >= file->length || file->bytes[at] != '{')
        return false;
    at++;
    while (at < file->length && strchr(" \t\r\n", file->bytes[at]))
        at++;
    /* A Caddyfile's global options never begin with a quoted word, and "{}" is no Caddyfile. */
    return at < file->length && (file->bytes[at] == '"' || (file->bytes[at] == '}' && at + 2 >= file->length));
}

static node *member(const struct json *json, node *object, const char *key)
{
    return dr_json5_member(&json->document, object, key);
}

static const char *text_of(struct json *json, node *value)
{
    const char *text = NULL;

    if (!value || value->type != DR_JSON5_STRING || dr_json5_text(&json->document, value, json->arena, &text, NULL) < 0)
        return NULL;
    return text;
}

static const char *member_text(struct json *json, node *object, const char *key)
{
    return text_of(json, member(json, object, key));
}

static struct dr_source source_of(const struct json *json, node *value)
{
    struct dr_json5_position position = dr_json5_position(&json->document, value->offset);

    return (struct dr_source){ .path = json->file->path, .line = position.line, .column = position.column };
}

static const char *const *texts_of(struct json *json, node *array)
{
    size_t count = array && array->type == DR_JSON5_ARRAY ? dr_json5_count(array) : 0, at = 0;
    const char **texts = dr_arena_alloc(json->arena, (count + 1) * sizeof(*texts));

    if (!texts || count == 0)
        return texts;
    for (node *item = dr_json5_first(array); item; item = dr_json5_next(item)) {
        const char *text = text_of(json, item);

        if (text)
            texts[at++] = text;
    }
    return texts;
}

/* --- matchers -------------------------------------------------------------------------------------------------------------- */

static void read_set(struct json *json, node *set, struct caddy_match *match)
{
    for (node *one = dr_json5_first(set); one; one = dr_json5_next(one)) {
        if (dr_json5_key_is(&json->document, one, "host")) {
            match->hosts = texts_of(json, one);
        } else if (dr_json5_key_is(&json->document, one, "path") && dr_json5_count(one) == 1) {
            const char *path = text_of(json, dr_json5_first(one));

            if (path)
                caddy_match_path(json->arena, path, match);
        } else {
            match->more = true;
        }
    }
    match->all = !match->more && !match->hosts && (match->all || (!match->path && !match->exact));
}

static void read_match(struct json *json, node *sets, struct caddy_match *match)
{
    *match = (struct caddy_match){ .all = true };
    if (!sets || sets->type != DR_JSON5_ARRAY || dr_json5_count(sets) == 0)
        return;
    *match = (struct caddy_match){ .text = dr_arena_strndup(json->arena, json->file->bytes + sets->offset,
                                                            sets->length < 200 ? sets->length : 200) };
    if (dr_json5_count(sets) == 1 && dr_json5_first(sets)->type == DR_JSON5_OBJECT)
        read_set(json, dr_json5_first(sets), match);
    else
        match->more = true;
}

/* --- handlers -------------------------------------------------------------------------------------------------------------- */

static struct caddy_op *new_op(struct json *json, enum caddy_op_kind kind, const char *field, const char *value, node *at)
{
    struct caddy_op *op = dr_arena_alloc(json->arena, sizeof(*op));

    if (!op || !field || !value) {
        json->reader->failed = true;
        return NULL;
    }
    *op = (struct caddy_op){
        .kind = kind, .field = field, .value = value, .spelt = value, .source = source_of(json, at), .match = { .all = true }
    };
    return op;
}

/* headers.request: {add, set, delete, replace}, in that order. Calls `each` with every operation. */
static void read_ops(struct json *json, node *request, void (*each)(void *user, struct caddy_op *op), void *user)
{
    static const struct {
        const char *key;
        enum caddy_op_kind kind;
    } kinds[] = { { "add", CADDY_ADD }, { "set", CADDY_SET }, { "delete", CADDY_DELETE }, { "replace", CADDY_REPLACE } };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        node *group = member(json, request, kinds[i].key);

        for (node *one = group ? dr_json5_first(group) : NULL; one; one = dr_json5_next(one)) {
            const char *field = NULL, *value = "";

            if (kinds[i].kind == CADDY_DELETE)
                field = text_of(json, one);
            else
                (void)!dr_json5_key(&json->document, one, json->arena, &field, NULL);
            if (one->type == DR_JSON5_ARRAY && dr_json5_first(one) && dr_json5_first(one)->type == DR_JSON5_STRING)
                value = text_of(json, dr_json5_first(one));
            struct caddy_op *op = field ? new_op(json, kinds[i].kind, field, value, one) : NULL;

            if (op)
                each(user, op);
        }
    }
}

static void add_to_way(void *user, struct caddy_op *op)
{
    struct caddy_way *way = user;

    op->next = way->ops;
    way->ops = op;
}

static void add_to_proxy(void *user, struct caddy_op *op)
{
    struct caddy_proxy *proxy = user;

    *proxy->last_up = op;
    proxy->last_up = &op->next;
}

/* Durations are numbers of nanoseconds or texts. */
static int64_t duration_of(struct json *json, node *value)
{
    const char *text = text_of(json, value);
    int64_t ms = 0, number = 0;

    if (text)
        return caddy_duration(text, &ms) ? ms : 0;
    return value && dr_json5_integer(&json->document, value, &number) == 0 ? number / 1000000 : 0;
}

static void note_timeout(struct json *json, node *value, struct caddy_proxy *proxy)
{
    int64_t ms = duration_of(json, value);

    if (ms <= 0 || (proxy->timeout_ms && proxy->timeout_ms <= ms))
        return;
    proxy->timeout_ms = ms;
    proxy->timeout_source = source_of(json, value);
}

static void read_transport(struct json *json, node *transport, struct caddy_proxy *proxy)
{
    node *versions = member(json, transport, "versions");
    const char *protocol = member_text(json, transport, "protocol");

    proxy->transport_name = protocol ? protocol : "http";
    proxy->tls = member(json, transport, "tls") != NULL;
    note_timeout(json, member(json, transport, "read_timeout"), proxy);
    for (node *one = versions ? dr_json5_first(versions) : NULL; one; one = dr_json5_next(one)) {
        bool h2c = dr_json5_text_is(&json->document, one, "h2c");

        proxy->versions_h2c = proxy->versions_h2c || h2c;
        proxy->versions_other = proxy->versions_other || (!h2c && !dr_json5_text_is(&json->document, one, "1.1") &&
                                                          !dr_json5_text_is(&json->document, one, "2"));
        proxy->versions_source = source_of(json, versions);
    }
}

static bool is_set(const struct json *json, node *value)
{
    bool yes = false;
    int64_t number = 0;

    if (!value)
        return false;
    if (dr_json5_boolean(&json->document, value, &yes) == 0)
        return yes;
    return dr_json5_integer(&json->document, value, &number) == 0 && number != 0;
}

static void read_buffers(struct json *json, node *handler, struct caddy_proxy *proxy)
{
    static const char *const keys[] = { "buffer_responses", "response_buffers" };

    for (size_t i = 0; i < 2; i++) {
        node *value = member(json, handler, keys[i]);

        if (!is_set(json, value))
            continue;
        proxy->buffers_responses = true;
        proxy->buffers_source = source_of(json, value);
    }
}

static void read_proxy(struct json *json, node *handler, struct caddy_way *way)
{
    struct caddy_proxy *proxy = dr_arena_alloc(json->arena, sizeof(*proxy));
    node *upstreams = member(json, handler, "upstreams"), *trusted = member(json, handler, "trusted_proxies");
    node *request = member(json, member(json, handler, "headers"), "request"), *rewrite = member(json, handler, "rewrite");
    struct caddy_way narrowed = *way;
    const char *target = member_text(json, rewrite, "uri");

    if (!proxy) {
        json->reader->failed = true;
        return;
    }
    *proxy = (struct caddy_proxy){ .source = source_of(json, handler), .transport_name = "http" };
    proxy->last_up = &proxy->ups;
    for (node *one = upstreams ? dr_json5_first(upstreams) : NULL; one; one = dr_json5_next(one)) {
        const char *dial = member_text(json, one, "dial");
        struct dr_source source = source_of(json, one);

        if (dial && strstr(dial, "://"))
            dr_proxy_fault(&json->reader->gathering, &source, true, "\"dial\" takes an address, no URL");
        else if (dial)
            (void)caddy_proxy_upstream(json->reader, proxy, dial, NULL);
    }
    if (request)
        read_ops(json, request, add_to_proxy, proxy);
    if (member(json, handler, "transport"))
        read_transport(json, member(json, handler, "transport"), proxy);
    note_timeout(json, member(json, handler, "stream_timeout"), proxy);
    read_buffers(json, handler, proxy);
    proxy->trusts = trusted && trusted->type == DR_JSON5_ARRAY && dr_json5_count(trusted) > 0;
    proxy->trusted_source = trusted ? source_of(json, trusted) : (struct dr_source){ 0 };
    proxy->method_name = member_text(json, rewrite, "method");
    proxy->method_source = rewrite ? source_of(json, rewrite) : (struct dr_source){ 0 };
    if (target)
        caddy_way_rewrite(json->arena, &narrowed, target);
    caddy_routes(json->reader, &narrowed, proxy);
}

static void read_rewrite(struct json *json, node *handler, struct caddy_way *way)
{
    const char *prefix = member_text(json, handler, "strip_path_prefix"), *uri = member_text(json, handler, "uri");

    if (prefix)
        caddy_way_strip(json->arena, way, prefix);
    if (uri)
        caddy_way_rewrite(json->arena, way, uri);
    if (member(json, handler, "strip_path_suffix") || member(json, handler, "uri_substring") ||
        member(json, handler, "path_regexp"))
        way->rewritten = "rewrite";
}

static void read_handler(struct json *json, node *handler, struct caddy_way *way, unsigned depth)
{
    const char *kind = member_text(json, handler, "handler");

    if (!kind)
        return;
    if (strcmp(kind, "subroute") == 0)
        walk_routes(json, member(json, handler, "routes"), way, depth + 1);
    else if (strcmp(kind, "reverse_proxy") == 0)
        read_proxy(json, handler, way);
    else if (strcmp(kind, "rewrite") == 0)
        read_rewrite(json, handler, way);
    else if (strcmp(kind, "headers") == 0 && member(json, handler, "request"))
        read_ops(json, member(json, handler, "request"), add_to_way, way);
}

static void walk_routes(struct json *json, node *routes, struct caddy_way *way, unsigned depth)
{
    if (!routes || routes->type != DR_JSON5_ARRAY || depth > DR_PROXY_DEPTH || json->reader->failed)
        return;
    for (node *route = dr_json5_first(routes); route; route = dr_json5_next(route)) {
        struct caddy_way inner = *way;
        struct caddy_match match;
        node *handlers = member(json, route, "handle");

        read_match(json, member(json, route, "match"), &match);
        caddy_way_match(json->arena, &inner, &match);
        for (node *handler = handlers ? dr_json5_first(handlers) : NULL; handler; handler = dr_json5_next(handler))
            read_handler(json, handler, &inner, depth);
        if (match.all) {
            /* what it did is done for the routes behind it, too */
            *way = inner;
        } else if (inner.ops != way->ops) {
            struct caddy_op *copy = new_op(json, inner.ops->kind, inner.ops->field, inner.ops->value, route);

            if (copy) {
                copy->maybe = true;
                add_to_way(way, copy);
            }
        }
    }
}

/* --- servers --------------------------------------------------------------------------------------------------------------- */

/* Does a host matcher of the outermost routes name something? That is what turns automatic HTTPS on. */
static bool names_hosts(struct json *json, node *routes)
{
    for (node *route = routes ? dr_json5_first(routes) : NULL; route; route = dr_json5_next(route)) {
        node *sets = member(json, route, "match");

        for (node *set = sets ? dr_json5_first(sets) : NULL; set; set = dr_json5_next(set))
            if (member(json, set, "host"))
                return true;
    }
    return false;
}

static unsigned option_port(const struct json *json, node *http, const char *key, unsigned otherwise)
{
    int64_t port = 0;
    node *value = member(json, http, key);

    return value && dr_json5_integer(&json->document, value, &port) == 0 && port > 0 && port < 65536 ? (unsigned)port
                                                                                                     : otherwise;
}

static void add_listen(struct json *json, struct caddy_entry *entry, const char *address, const char **listens, size_t *at)
{
    const char *slash = strchr(address, '/'), *colon = strrchr(address, ':');
    const char *host = slash ? slash + 1 : address;

    if (strncmp(address, "unix/", 5) == 0) {
        listens[(*at)++] = dr_arena_format(json->arena, "unix:%s", host);
        return;
    }
    if (!colon || colon < host)
        return;
    entry->port = (unsigned)strtoul(colon + 1, NULL, 10);
    if (colon == host) {
        listens[(*at)++] = dr_arena_format(json->arena, "0.0.0.0%s", colon);
        listens[(*at)++] = dr_arena_format(json->arena, "[::]%s", colon);
    } else {
        listens[(*at)++] = host;
    }
}

static void read_server(struct json *json, node *http, node *server)
{
    static const char *const any[] = { NULL };
    node *listen = member(json, server, "listen"), *routes = member(json, server, "routes");
    node *policies = member(json, server, "tls_connection_policies");
    node *automatic = member(json, server, "automatic_https");
    struct caddy_entry *entry = dr_arena_alloc(json->arena, sizeof(*entry));
    size_t count = listen && listen->type == DR_JSON5_ARRAY ? dr_json5_count(listen) : 0, at = 0;
    const char **listens = dr_arena_alloc(json->arena, (2 * count + 1) * sizeof(*listens));

    if (!entry || !listens) {
        json->reader->failed = true;
        return;
    }
    *entry = (struct caddy_entry){
        .addresses = texts_of(json, listen), .listens = listens, .names = any, .path = "", .options = &json->reader->options
    };
    for (size_t i = 0; entry->addresses && entry->addresses[i]; i++)
        add_listen(json, entry, entry->addresses[i], listens, &at);
    bool off = is_set(json, member(json, automatic, "disable"));
    unsigned http_port = option_port(json, http, "http_port", 80), https_port = option_port(json, http, "https_port", 443);

    entry->tls = policies || (!off && entry->port != http_port && (entry->port == https_port || names_hosts(json, routes)));
    struct caddy_way way = { .entry = entry, .names = any, .path = "/", .seen = "/" };

    if (member(json, server, "trusted_proxies"))
        json->reader->options.trusts = true;
    walk_routes(json, routes, &way, 0);
    json->reader->options.trusts = false;
}

void caddy_read_json(struct caddy_reader *reader, const struct dr_proxy_file *file)
{
    struct json json = { .reader = reader, .arena = reader->arena, .file = file };
    struct dr_json5_error error;
    int r = dr_json5_parse(file->bytes, file->length, DR_JSON5_STRICT, reader->arena, &json.document, &error);

    if (r == -ENOMEM) {
        reader->failed = true;
        return;
    }
    if (r < 0) {
        struct dr_source source = { .path = file->path, .line = error.position.line, .column = error.position.column };

        dr_proxy_fault(&reader->gathering, &source, true, "no JSON: %s", r == -EBADMSG ? error.reason : "too large");
        return;
    }
    node *admin = member(&json, json.document.root, "admin");

    reader->admin = is_set(&json, member(&json, admin, "disabled")) ? "" : member_text(&json, admin, "listen");
    node *http = dr_json5_at(&json.document, "apps.http"), *servers = member(&json, http, "servers");

    for (node *server = servers ? dr_json5_first(servers) : NULL; server; server = dr_json5_next(server))
        read_server(&json, http, server);
}
