/*
 * Caddy's own JSON (caddy.json, autosave.json): apps.http.servers.*.routes, read into the same model. Read only: whoever runs caddy
 * from JSON makes it by a program or through the API, and an edit of the file would be lost.
 */
#include "format/caddy_json.h"

#include <stdlib.h>
#include <string.h>

typedef const struct dr_json5_node node;

static void walk_routes(struct caddy_json *json, node *routes, struct caddy_way *way, unsigned depth);

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

static const char *const *texts_of(struct caddy_json *json, node *array)
{
    size_t count = array && array->type == DR_JSON5_ARRAY ? dr_json5_count(array) : 0, at = 0;
    const char **texts = dr_arena_alloc(json->arena, (count + 1) * sizeof(*texts));

    if (!texts || count == 0)
        return texts;
    for (node *item = dr_json5_first(array); item; item = dr_json5_next(item)) {
        const char *text = caddy_json_text(json, item);

        if (text)
            texts[at++] = text;
    }
    return texts;
}

/* --- matchers -------------------------------------------------------------------------------------------------------------- */

static void read_set(struct caddy_json *json, node *set, struct caddy_match *match)
{
    for (node *one = dr_json5_first(set); one; one = dr_json5_next(one)) {
        if (dr_json5_key_is(&json->document, one, "host")) {
            match->hosts = texts_of(json, one);
        } else if (dr_json5_key_is(&json->document, one, "path") && dr_json5_count(one) == 1) {
            const char *path = caddy_json_text(json, dr_json5_first(one));

            if (path)
                caddy_match_path(json->arena, path, match);
        } else {
            match->more = true;
        }
    }
    match->all = !match->more && !match->hosts && (match->all || (!match->path && !match->exact));
}

static void read_match(struct caddy_json *json, node *sets, struct caddy_match *match)
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

/* --- routes ---------------------------------------------------------------------------------------------------------------- */

static void add_to_way(void *user, struct caddy_op *op)
{
    struct caddy_way *way = user;

    op->next = way->ops;
    way->ops = op;
}

static void read_rewrite(struct caddy_json *json, node *handler, struct caddy_way *way)
{
    const char *prefix = caddy_json_member_text(json, handler, "strip_path_prefix"),
               *uri = caddy_json_member_text(json, handler, "uri");

    if (prefix)
        caddy_way_strip(json->arena, way, prefix);
    if (uri)
        caddy_way_rewrite(json->arena, way, uri);
    if (caddy_json_member(json, handler, "strip_path_suffix") || caddy_json_member(json, handler, "uri_substring") ||
        caddy_json_member(json, handler, "path_regexp"))
        way->rewritten = "rewrite";
}

static void read_handler(struct caddy_json *json, node *handler, struct caddy_way *way, unsigned depth)
{
    const char *kind = caddy_json_member_text(json, handler, "handler");

    if (!kind)
        return;
    if (strcmp(kind, "subroute") == 0)
        walk_routes(json, caddy_json_member(json, handler, "routes"), way, depth + 1);
    else if (strcmp(kind, "reverse_proxy") == 0)
        caddy_json_proxy(json, handler, way);
    else if (strcmp(kind, "rewrite") == 0)
        read_rewrite(json, handler, way);
    else if (strcmp(kind, "headers") == 0 && caddy_json_member(json, handler, "request"))
        caddy_json_ops(json, caddy_json_member(json, handler, "request"), add_to_way, way);
}

static void walk_routes(struct caddy_json *json, node *routes, struct caddy_way *way, unsigned depth)
{
    if (!routes || routes->type != DR_JSON5_ARRAY || depth > DR_PROXY_DEPTH || json->reader->failed)
        return;
    for (node *route = dr_json5_first(routes); route; route = dr_json5_next(route)) {
        struct caddy_way inner = *way;
        struct caddy_match match;
        node *handlers = caddy_json_member(json, route, "handle");

        read_match(json, caddy_json_member(json, route, "match"), &match);
        caddy_way_match(json->arena, &inner, &match);
        for (node *handler = handlers ? dr_json5_first(handlers) : NULL; handler; handler = dr_json5_next(handler))
            read_handler(json, handler, &inner, depth);
        if (match.all) {
            /* what it did is done for the routes behind it, too */
            *way = inner;
        } else if (inner.ops != way->ops) {
            struct caddy_op *copy = caddy_json_op(json, inner.ops->kind, inner.ops->field, inner.ops->value, route);

            if (copy) {
                copy->maybe = true;
                add_to_way(way, copy);
            }
        }
    }
}

/* --- servers --------------------------------------------------------------------------------------------------------------- */

/* Does a host matcher of the outermost routes name something? That is what turns automatic HTTPS on. */
static bool names_hosts(struct caddy_json *json, node *routes)
{
    for (node *route = routes ? dr_json5_first(routes) : NULL; route; route = dr_json5_next(route)) {
        node *sets = caddy_json_member(json, route, "match");

        for (node *set = sets ? dr_json5_first(sets) : NULL; set; set = dr_json5_next(set))
            if (caddy_json_member(json, set, "host"))
                return true;
    }
    return false;
}

static unsigned option_port(const struct caddy_json *json, node *http, const char *key, unsigned otherwise)
{
    int64_t port = 0;
    node *value = caddy_json_member(json, http, key);

    return value && dr_json5_integer(&json->document, value, &port) == 0 && port > 0 && port < 65536 ? (unsigned)port
                                                                                                     : otherwise;
}

static void add_listen(struct caddy_json *json, struct caddy_entry *entry, const char *address, const char **listens,
                       size_t *at)
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

static void read_server(struct caddy_json *json, node *http, node *server)
{
    static const char *const any[] = { NULL };
    node *listen = caddy_json_member(json, server, "listen"), *routes = caddy_json_member(json, server, "routes");
    node *policies = caddy_json_member(json, server, "tls_connection_policies");
    node *automatic = caddy_json_member(json, server, "automatic_https");
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
    bool off = caddy_json_is_set(json, caddy_json_member(json, automatic, "disable"));
    unsigned http_port = option_port(json, http, "http_port", 80), https_port = option_port(json, http, "https_port", 443);

    entry->tls = policies || (!off && entry->port != http_port && (entry->port == https_port || names_hosts(json, routes)));
    struct caddy_way way = { .entry = entry, .names = any, .path = "/", .seen = "/" };

    if (caddy_json_member(json, server, "trusted_proxies"))
        json->reader->options.trusts = true;
    walk_routes(json, routes, &way, 0);
    json->reader->options.trusts = false;
}

void caddy_read_json(struct caddy_reader *reader, const struct dr_proxy_file *file)
{
    struct caddy_json json = { .reader = reader, .arena = reader->arena, .file = file };
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
    node *admin = caddy_json_member(&json, json.document.root, "admin");

    reader->admin = caddy_json_is_set(&json, caddy_json_member(&json, admin, "disabled"))
                        ? ""
                        : caddy_json_member_text(&json, admin, "listen");
    node *http = dr_json5_at(&json.document, "apps.http"), *servers = caddy_json_member(&json, http, "servers");

    for (node *server = servers ? dr_json5_first(servers) : NULL; server; server = dr_json5_next(server))
        read_server(&json, http, server);
}
