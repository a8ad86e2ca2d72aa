/* Where a proxy_pass leads: an address, the servers of an upstream block, a socket, or what only a request decides. */
#include "format/nginx_routes.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* One address of one proxy_pass. */
struct target {
    const char *scheme; /* "http", "https", "" in stream */
    const char *authority; /* host and port as spelt, or "unix:/path" */
    const char *uri; /* "" when there is none */
};

/* Where host and port end. "$server:$port$request_uri" has no slash of its own: the variable brings it. */
static size_t authority_length(const char *text)
{
    static const char *const paths[] = { "${request_uri}", "${uri}" };
    size_t length = strcspn(text, "/?#");

    for (size_t i = 0; i < DR_COUNT(paths); i++) {
        const char *found = strstr(text, paths[i]);

        if (found && (size_t)(found - text) < length)
            length = (size_t)(found - text);
    }
    return length;
}

static bool take_apart(struct dr_nginx_model *model, const char *text, bool stream, struct target *ret_target)
{
    const char *scheme_end = strstr(text, "://");
    const char *rest = scheme_end && !stream ? scheme_end + 3 : text;
    size_t length;

    *ret_target = (struct target){ .scheme = "", .uri = "" };
    if (scheme_end && !stream)
        ret_target->scheme = dr_arena_strndup(model->arena, text, (size_t)(scheme_end - text));
    if (dr_text_starts_with(rest, "unix:"))
        length = 5 + strcspn(rest + 5, ":");
    else
        length = stream ? strlen(rest) : authority_length(rest);
    ret_target->authority = dr_arena_strndup(model->arena, rest, length);
    rest += length;
    ret_target->uri = rest + (*rest == ':');
    return ret_target->scheme && ret_target->authority;
}

static bool is_knowable(const char *text)
{
    return !strchr(text, '$');
}

/* Host and port of an authority; an upstream's server without a port means 80, a proxy_pass the port of its scheme. */
static void fill_address(struct dr_nginx_model *model, const char *authority, unsigned default_port, struct dr_route *route)
{
    const char *colon = strrchr(authority, ':');
    struct dr_proxy_url url;

    route->upstream_host = NULL;
    route->upstream_port = 0;
    if (dr_text_starts_with(authority, "unix:"))
        return;
    if (dr_proxy_url_parse(model->arena, authority, strlen(authority), &url)) {
        route->upstream_host = is_knowable(url.host) ? url.host : NULL;
        route->upstream_port = url.port ? url.port : is_knowable(url.host) ? default_port : 0;
    } else if (colon && is_knowable(authority) == false) {
        /* "127.0.0.1:$port" */
        const char *host = dr_arena_strndup(model->arena, authority, (size_t)(colon - authority));

        route->upstream_host = host && is_knowable(host) && *host ? host : NULL;
    }
}

static void add_route(struct dr_nginx_model *model, const struct dr_nginx_place *place, const struct dr_route *sample)
{
    struct dr_nginx_place *kept = dr_arena_alloc(model->arena, sizeof(*kept));
    struct dr_route *route = kept ? dr_proxy_route(model->gathering) : NULL;

    if (!kept)
        model->no_memory = true;
    if (!route)
        return;
    *kept = *place;
    *route = *sample;
    route->place = kept;
}

static bool has_word(const struct dr_nginx_directive *directive, const char *name)
{
    for (size_t i = 2; i < directive->word_count; i++)
        if (strcmp(directive->words[i].text, name) == 0)
            return true;
    return false;
}

/* A server that is `down` gets nothing; one that is a `backup` does, sometimes. */
static void add_servers(struct dr_nginx_model *model, const struct dr_nginx_place *place, const struct dr_route *sample,
                        const struct dr_nginx_directive *upstream)
{
    for (size_t i = 0; i < upstream->child_count; i++) {
        const struct dr_nginx_directive *server = upstream->children[i];
        struct dr_nginx_place here = *place;
        struct dr_route route = *sample;

        if (!dr_nginx_is(server, "server") || server->word_count < 2 || has_word(server, "down"))
            continue;
        here.server = server;
        here.address = dr_nginx_word(server, 1);
        route.upstream_text = here.address;
        fill_address(model, here.address, place->stream ? 0 : 80, &route);
        add_route(model, &here, &route);
    }
}

/* The path that the upstream sees in place of the location's prefix. */
static const char *rewritten(struct dr_nginx_model *model, const struct dr_nginx_scope *scope)
{
    const struct dr_nginx_list *steps = &scope->many[DR_NGINX_STEPS];

    for (size_t i = steps->count; i-- > 0;) {
        const char *to = dr_nginx_word(steps->items[i], 2);
        size_t stem = strcspn(to, "$?");

        /* Without "break" the new path is looked up among the locations again. */
        if (!dr_nginx_is(steps->items[i], "rewrite") || strcmp(dr_nginx_word(steps->items[i], 3), "break") != 0 ||
            to[0] != '/')
            continue;
        return strcmp(to + stem, "$1") == 0 ? dr_arena_strndup(model->arena, to, stem) : to;
    }
    return NULL;
}

static void add_target(struct dr_nginx_model *model, const struct dr_nginx_place *place, const struct dr_route *sample,
                       const struct target *target)
{
    const struct dr_nginx_directive *upstream = dr_nginx_find_upstream(model, target->authority);
    bool tls = strcasecmp(target->scheme, "https") == 0;
    struct dr_route route = *sample;

    route.upstream_tls |= tls;
    if (target->uri[0] == '$')
        route.upstream_path = NULL; /* $request_uri and $uri: as the client asked */
    else if (target->uri[0])
        route.upstream_path = target->uri;
    else if (!place->stream)
        route.upstream_path = rewritten(model, place->scope);
    if (upstream) {
        add_servers(model, place, &route, upstream);
        return;
    }
    fill_address(model, target->authority, place->stream ? 0 : tls ? 443 : 80, &route);
    add_route(model, place, &route);
}

/* $scheme is known where all listens agree. */
static const char *with_scheme(struct dr_nginx_model *model, const struct dr_nginx_entrance *entrance, const char *text)
{
    static const char scheme[] = "${scheme}";

    if (!dr_text_starts_with(text, scheme) || entrance->tls == entrance->plain)
        return text;
    return dr_arena_format(model->arena, "%s%s", entrance->tls ? "https" : "http", text + sizeof(scheme) - 1);
}

void dr_nginx_add_targets(struct dr_nginx_model *model, const struct dr_nginx_place *place,
                          const struct dr_nginx_entrance *entrance, const struct dr_route *sample)
{
    const char *spelt = dr_nginx_word(place->pass, 1);
    const char *const *texts = dr_nginx_alternatives(model, place->scope, spelt);

    for (size_t i = 0; texts && texts[i]; i++) {
        struct dr_nginx_place here = *place;
        struct dr_route route = *sample;
        struct target target;

        here.address = with_scheme(model, entrance, texts[i]);
        route.upstream_text = texts[1] ? here.address : spelt;
        if (here.address && take_apart(model, here.address, place->stream, &target))
            add_target(model, &here, &route, &target);
        else
            model->no_memory = true;
    }
    model->no_memory |= !texts;
}
