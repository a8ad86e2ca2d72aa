#include "format/nginx_routes.h"

#include "format/nginx_headers.h"

#include <string.h>

/* A server{} at work. */
struct walk {
    struct dr_nginx_model *model;
    struct dr_nginx_entrance entrance;
};

/* "location ~ ^/x", "location =/x": the modifier may stand at the pattern (ngx_http_core_location). */
static void fill_path(struct dr_nginx_model *model, const struct dr_nginx_directive *location, struct dr_route *route)
{
    static const char *const modifiers[] = { "=", "^~", "~*", "~" };
    const char *text = dr_nginx_word(location, 1);
    const char *modifier = "";

    for (size_t i = 0; i < DR_COUNT(modifiers) && !*modifier; i++) {
        size_t length = strlen(modifiers[i]);

        if (strncmp(text, modifiers[i], length) != 0 || (location->word_count == 3 && text[length]))
            continue;
        modifier = modifiers[i];
        text = location->word_count == 3 ? dr_nginx_word(location, 2) : text + length;
    }
    if (*text != '@' && (!*modifier || strcmp(modifier, "^~") == 0))
        route->path = text;
    else
        route->pattern = *modifier ? dr_arena_format(model->arena, "%s %s", modifier, text) : text;
}

static const char *condition(struct dr_nginx_model *model, const struct dr_nginx_directive *block)
{
    const char *text = dr_nginx_word(block, 0);

    for (size_t i = 1; i < block->word_count && text; i++)
        text = dr_arena_format(model->arena, "%s %s", text, block->words[i].text);
    return text;
}

/* `if` and limit_except narrow the location that they stand in. */
static void fill_pattern(struct dr_nginx_model *model, const struct dr_nginx_scope *scope, struct dr_route *route)
{
    const struct dr_nginx_scope *location = dr_nginx_around(scope, "location");

    if (location)
        fill_path(model, location->block, route);
    for (; scope && scope != location; scope = scope->outer) {
        const char *place = route->path ? route->path : route->pattern;

        route->pattern =
            dr_arena_format(model->arena, "location %s, %s", place ? place : "?", condition(model, scope->block));
        route->path = NULL;
        model->no_memory |= !route->pattern;
    }
}

static void add_pass(struct walk *walk, const struct dr_nginx_scope *scope)
{
    const struct dr_nginx_directive *pass = scope->singles[DR_NGINX_PROXY_PASS];
    const struct dr_nginx_place place = { .model = walk->model, .scope = scope, .pass = pass };
    struct dr_route route = {
        .source = dr_nginx_source(pass),
        .listens = walk->entrance.listens,
        .listen_traits = walk->entrance.traits,
        .names = walk->entrance.names,
        .any_name = walk->entrance.any_name && walk->entrance.names[0],
        .tls = walk->entrance.tls,
    };

    *walk->model->work = 0;
    fill_pattern(walk->model, scope, &route);
    dr_nginx_fill_request(walk->model, scope, &route);
    dr_nginx_add_targets(walk->model, &place, &walk->entrance, &route);
}

static bool is_level(const struct dr_nginx_directive *block)
{
    static const char *const names[] = { "location", "if", "limit_except" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (block->is_block && block->word_count > 1 && dr_nginx_is(block, names[i]))
            return true;
    return false;
}

/* Recursion is bounded by DR_PROXY_DEPTH, which the tree keeps. */
static void walk_level(struct walk *walk, const struct dr_nginx_scope *scope)
{
    if (!scope)
        return;
    if (scope->singles[DR_NGINX_PROXY_PASS] && dr_nginx_around(scope, "location"))
        add_pass(walk, scope);
    for (size_t i = 0; i < scope->block->child_count && !walk->model->no_memory; i++)
        if (is_level(scope->block->children[i]))
            walk_level(walk, dr_nginx_scope(walk->model, scope, scope->block->children[i]));
}

/* All server{} of an http{}: who takes what no name fits is known only when all were seen. */
static void walk_http(struct dr_nginx_model *model, const struct dr_nginx_scope *http)
{
    size_t most = http->block->child_count, count = 0;
    struct dr_nginx_entrance *entrances = dr_arena_alloc(model->arena, (most + 1) * sizeof(*entrances));
    const struct dr_nginx_scope **servers = dr_arena_alloc(model->arena, (most + 1) * sizeof(*servers));

    model->no_memory |= !entrances || !servers;
    for (size_t i = 0; i < most && !model->no_memory; i++) {
        const struct dr_nginx_directive *child = http->block->children[i];

        if (!child->is_block || !dr_nginx_is(child, "server"))
            continue;
        servers[count] = dr_nginx_scope(model, http, child);
        if (servers[count] && dr_nginx_fill_entrance(model, servers[count], false, &entrances[count]))
            count++;
    }
    model->no_memory = model->no_memory || !dr_nginx_mark_defaults(model, entrances, count);
    for (size_t i = 0; i < count && !model->no_memory; i++) {
        struct walk walk = { .model = model, .entrance = entrances[i] };

        walk_level(&walk, servers[i]);
    }
}

static void walk_stream(struct dr_nginx_model *model, const struct dr_nginx_scope *stream)
{
    for (size_t i = 0; i < stream->block->child_count && !model->no_memory; i++) {
        const struct dr_nginx_directive *child = stream->block->children[i];
        const struct dr_nginx_scope *server =
            child->is_block && dr_nginx_is(child, "server") ? dr_nginx_scope(model, stream, child) : NULL;

        if (server)
            dr_nginx_stream_server(model, server);
    }
}

static void walk_servers(struct dr_nginx_model *whole, const struct dr_nginx_directive *block, bool stream)
{
    /* http and stream each have names of their own. Routes keep the model for their mending. */
    struct dr_nginx_model *model = dr_arena_alloc(whole->arena, sizeof(*model));
    const struct dr_nginx_scope *scope;

    if (!model) {
        whole->no_memory = true;
        return;
    }
    *model = *whole;
    scope = dr_nginx_scope(model, NULL, block);
    dr_nginx_gather_names(model, block);
    if (scope && stream)
        walk_stream(model, scope);
    else if (scope)
        walk_http(model, scope);
    whole->no_memory |= model->no_memory;
    model->gathering = NULL;
}

void dr_nginx_routes(struct dr_nginx_model *model, const struct dr_nginx_directive *root)
{
    bool whole = false;

    for (size_t i = 0; i < root->child_count && !model->no_memory; i++) {
        const struct dr_nginx_directive *child = root->children[i];
        bool stream = dr_nginx_is(child, "stream");

        if (!child->is_block || (!stream && !dr_nginx_is(child, "http")))
            continue;
        walk_servers(model, child, stream);
        whole = true;
    }
    /* A file of sites-available by itself, given with --proxy-config: as if it stood in http{}. */
    if (!whole)
        walk_servers(model, root, false);
}
