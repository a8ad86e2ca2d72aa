/*
 * What becomes of a request between entry point and server.
 *
 * Entry points (pkg/middlewares/forwardedheaders, 2.x and 3.x): unless forwardedHeaders.insecure is set or the peer is one of trustedIPs,
 * all X-Forwarded-* and X-Real-Ip of the client are dropped; then each that is missing is set. The address of the peer is put behind
 * X-Forwarded-For when the request is handed over (pkg/server/service/proxy.go, Go's httputil.ReverseProxy). `Forwarded` stays as it came.
 * Upgrade and Connection are kept for a handshake, by both.
 *
 * Middlewares run in their order, those of the entry point first. headers.customRequestHeaders (pkg/middlewares/headers/header.go): a text
 * sets, an empty one drops; "Host" with a text sets the Host, and without one does nothing to it.
 * passHostHeader: pkg/server/service/proxy.go; true unless said otherwise.
 */
#include "format/traefik_internal.h"

#include <string.h>
#include <strings.h>

enum traefik_trust dr_traefik_trust(const struct traefik_node *entry, const struct traefik_node **ret_node)
{
    const struct traefik_node *insecure = dr_traefik_at(entry, "forwardedHeaders.insecure");
    const struct traefik_node *ips = dr_traefik_at(entry, "forwardedHeaders.trustedIPs");

    *ret_node = NULL;
    if (dr_traefik_true(insecure, false)) {
        *ret_node = insecure;
        return TRAEFIK_TRUST_ALL;
    }
    if (ips && (ips->first || (ips->text && *ips->text))) {
        *ret_node = ips;
        return TRAEFIK_TRUST_SOME;
    }
    return TRAEFIK_TRUST_NOBODY;
}

static void set_fate(struct traefik_way *way, int index, enum dr_header_fate fate, const char *value,
                     const struct traefik_node *node)
{
    way->headers[index] = (struct dr_route_header){ .fate = fate, .value = value };
    way->decides[index] = node;
    dr_traefik_source(node, &way->headers[index].source);
}

void dr_traefik_begin_way(const struct traefik_model *model, const struct traefik_node *entry, struct traefik_way *way)
{
    static const int forwarded[] = { DR_ROUTE_FORWARDED_FOR, DR_ROUTE_FORWARDED_PROTO, DR_ROUTE_FORWARDED_HOST,
                                     DR_ROUTE_REAL_IP };
    const struct traefik_node *node = NULL;
    enum traefik_trust trust = model->settings ? dr_traefik_trust(entry, &node) : TRAEFIK_TRUST_UNKNOWN;
    bool append = !dr_traefik_true(dr_traefik_at(entry, "forwardedHeaders.notAppendXForwardedFor"), false);

    *way = (struct traefik_way){ 0 };
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        set_fate(way, i, DR_HEADER_CLIENTS, NULL, NULL);
    for (size_t i = 0; i < DR_COUNT(forwarded); i++)
        set_fate(way, forwarded[i],
                 trust == TRAEFIK_TRUST_UNKNOWN  ? DR_HEADER_UNKNOWN
                 : trust == TRAEFIK_TRUST_NOBODY ? DR_HEADER_SET
                                                 : DR_HEADER_CLIENTS,
                 NULL, node);
    if (trust == TRAEFIK_TRUST_SOME || trust == TRAEFIK_TRUST_ALL)
        set_fate(way, DR_ROUTE_FORWARDED_FOR, append ? DR_HEADER_APPENDED : DR_HEADER_CLIENTS, NULL, node);
    else if (trust == TRAEFIK_TRUST_NOBODY && !append)
        set_fate(way, DR_ROUTE_FORWARDED_FOR, DR_HEADER_ABSENT, NULL,
                 dr_traefik_at(entry, "forwardedHeaders.notAppendXForwardedFor"));
}

/* --- headers ---------------------------------------------------------------------------------------------------------------- */

/* Does the list of tokens hold one? "keep-alive, Upgrade" */
static bool has_token(const char *list, const char *token)
{
    size_t length = strlen(token);

    while (*list) {
        list += strspn(list, ", \t");
        size_t here = strcspn(list, ", \t");

        if (here == length && strncasecmp(list, token, length) == 0)
            return true;
        list += here;
    }
    return false;
}

static void lose(struct traefik_model *model, struct traefik_way *way, const struct traefik_node *node, const char *what)
{
    if (way->lost)
        return;
    way->lost = dr_arena_format(model->arena, "customRequestHeaders %s %s", what, node->key);
    way->lost_node = node;
}

static void custom_header(struct traefik_model *model, const struct traefik_node *node, struct traefik_way *way)
{
    const char *value = node->type == TRAEFIK_NULL ? "" : node->text;
    int index = dr_route_header_index(node->key, strlen(node->key));

    if (!value)
        return;
    if (strcasecmp(node->key, "Sec-WebSocket-Key") == 0 || strcasecmp(node->key, "Sec-WebSocket-Version") == 0)
        lose(model, way, node, *value ? "replaces" : "drops");
    if (index < 0)
        return;
    if (*value == '\0') {
        if (index == DR_ROUTE_UPGRADE || index == DR_ROUTE_CONNECTION)
            lose(model, way, node, "drops");
        /* the peer's address is added later, whatever was dropped */
        if (index == DR_ROUTE_FORWARDED_FOR)
            set_fate(way, index, way->headers[index].fate == DR_HEADER_UNKNOWN ? DR_HEADER_UNKNOWN : DR_HEADER_SET, NULL,
                     NULL);
        else if (index != DR_ROUTE_HOST)
            set_fate(way, index, DR_HEADER_ABSENT, NULL, node);
        return;
    }
    if ((index == DR_ROUTE_UPGRADE && strcasecmp(value, "websocket") != 0) ||
        (index == DR_ROUTE_CONNECTION && !has_token(value, "upgrade")))
        lose(model, way, node, "replaces");
    set_fate(way, index, DR_HEADER_SET, value, node);
}

static void custom_headers(struct traefik_model *model, const struct traefik_node *map, struct traefik_way *way)
{
    for (const struct traefik_node *node = map ? map->first : NULL; node; node = node->next) {
        if (node->key && strcmp(node->key, "<<") == 0)
            way->doubt = "a merge key (\"<<\") in customRequestHeaders";
        else if (node->key)
            custom_header(model, node, way);
    }
}

/* --- paths ------------------------------------------------------------------------------------------------------------------ */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void strip(struct traefik_model *model, const struct traefik_node *prefixes, const char *path,
                  struct traefik_way *way)
{
    const char *now = way->path ? way->path : path;
    const char *const *list = dr_traefik_list(model->arena, prefixes);

    for (; list && *list; list++) {
        if (!starts_with(now, *list))
            continue;
        now += strlen(*list);
        way->path = *now == '/' ? now : dr_arena_format(model->arena, "/%s", now);
        return;
    }
}

/* "^/x/(.*)" or "^/x(.*)" by "/y$1": what people write. Everything else is only mentioned. */
static bool replace_regex(struct traefik_model *model, const char *regex, const char *by, const char *path,
                          struct traefik_way *way)
{
    const char *now = way->path ? way->path : path, *group = regex ? strstr(regex, "(.*)") : NULL;
    const char *mark = by ? strstr(by, "$1") : NULL;

    if (!group || !mark || mark[2] != '\0' || regex[0] != '^' || (group[4] != '\0' && strcmp(group + 4, "$") != 0) ||
        regex + strcspn(regex, "(.*+?[\\{|") != group)
        return false;
    size_t literal = (size_t)(group - regex - 1);

    if (strncmp(now, regex + 1, literal) == 0)
        way->path = dr_arena_format(model->arena, "%.*s%s", (int)(mark - by), by, now + literal);
    return true;
}

static void apply_path(struct traefik_model *model, const struct traefik_node *middleware, const char *path,
                       struct traefik_way *way)
{
    const struct traefik_node *regex = dr_traefik_get(middleware, "replacePathRegex");
    const char *add = dr_traefik_text(dr_traefik_at(middleware, "addPrefix.prefix"));
    const char *replace = dr_traefik_text(dr_traefik_at(middleware, "replacePath.path"));

    if (dr_traefik_get(middleware, "stripPrefixRegex"))
        way->note = "stripPrefixRegex changes the path that the gateway gets to see";
    strip(model, dr_traefik_at(middleware, "stripPrefix.prefixes"), path, way);
    if (add)
        way->path = dr_arena_format(model->arena, "%s%s", add, way->path ? way->path : path);
    if (replace)
        way->path = replace;
    if (regex && !replace_regex(model, dr_traefik_text(dr_traefik_get(regex, "regex")),
                                dr_traefik_text(dr_traefik_get(regex, "replacement")), path, way))
        way->note = "replacePathRegex changes the path that the gateway gets to see";
}

/* --- middlewares ------------------------------------------------------------------------------------------------------------ */

static void apply_one(struct traefik_model *model, const struct traefik_root *root, const struct traefik_node *middleware,
                      const char *path, struct traefik_way *way, unsigned depth)
{
    const struct traefik_node *headers = dr_traefik_at(middleware, "headers.customRequestHeaders");
    const struct traefik_node *auth = dr_traefik_at(middleware, "forwardAuth.authResponseHeaders");
    const char *const *taken = dr_traefik_list(model->arena, auth);

    custom_headers(model, headers, way);
    for (; taken && *taken; taken++) {
        int index = dr_route_header_index(*taken, strlen(*taken));

        if (index >= 0)
            set_fate(way, index, DR_HEADER_UNKNOWN, NULL, auth);
    }
    apply_path(model, middleware, path, way);
    way->buffers = way->buffers || dr_traefik_get(middleware, "buffering");
    if (dr_traefik_get(middleware, "plugin")) {
        way->doubt = "a plugin is one of its middlewares, and a plugin may change any header";
        for (int i = 0; i < DR_ROUTE_HEADERS; i++)
            set_fate(way, i, DR_HEADER_UNKNOWN, NULL, middleware);
    }
    dr_traefik_apply(model, root, dr_traefik_at(middleware, "chain.middlewares"), path, way, depth + 1);
}

void dr_traefik_apply(struct traefik_model *model, const struct traefik_root *root, const struct traefik_node *middlewares,
                      const char *path, struct traefik_way *way, unsigned depth)
{
    const char *const *names = middlewares ? dr_traefik_list(model->arena, middlewares) : NULL;

    for (; names && *names; names++) {
        const struct traefik_root *home;
        const struct traefik_node *middleware =
            depth < TRAEFIK_CHAIN ? dr_traefik_named(model, root, "http", "middlewares", *names, &home) : NULL;

        if (middleware) {
            apply_one(model, home, middleware, path ? path : "/", way, depth);
            continue;
        }
        way->doubt = dr_arena_format(model->arena, "the middleware \"%s\" was not found in what was read", *names);
        for (int i = 0; i < DR_ROUTE_HEADERS; i++)
            set_fate(way, i, DR_HEADER_UNKNOWN, NULL, middlewares);
    }
}
