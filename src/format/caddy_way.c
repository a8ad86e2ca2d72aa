/* What a request on its way to a reverse_proxy must look like, and what became of its path. And the routes at the end of the way. */
#include "format/caddy_internal.h"

#include <string.h>

static const char *join(struct dr_arena *arena, const char *a, const char *b)
{
    return a && *a ? dr_arena_format(arena, "%s, %s", a, b) : b;
}

static void narrow(struct dr_arena *arena, struct caddy_way *way, const char *path, const char *text)
{
    size_t seen = strlen(way->seen), length = strlen(path);

    if (way->rewritten) {
        way->pattern = join(arena, way->pattern, text);
    } else if (way->partly && strcmp(way->seen, "/") == 0 && strcmp(way->path, "/") == 0 &&
               strncmp(path, way->partly, strlen(way->partly)) == 0) {
        /* Who asked for this path was sent elsewhere: only who asked for the prefix twice gets here. */
        const char *twice = dr_arena_format(arena, "%s%s", way->partly_stripped, path);

        way->path = twice ? twice : way->path;
        way->seen = path;
    } else if (strncmp(path, way->seen, seen) == 0) {
        const char *longer = dr_arena_format(arena, "%s%s", way->path, path + seen);

        way->path = longer ? longer : way->path;
        way->seen = path;
    } else if (strncmp(way->seen, path, length) != 0) {
        /* "/x" and "/y/": nobody gets here, but that is for the site's owner to find */
        way->pattern = join(arena, way->pattern, text);
    }
}

void caddy_way_match(struct dr_arena *arena, struct caddy_way *way, const struct caddy_match *match)
{
    if (match->all)
        return;
    struct caddy_matched *matched = dr_arena_alloc(arena, sizeof(*matched));

    if (matched) {
        *matched = (struct caddy_matched){ .text = match->text, .rewrites = way->rewrites, .outer = way->matched };
        way->matched = matched;
    }
    if (match->hosts)
        way->names = match->hosts;
    if (match->path && strcmp(match->path, "/") != 0)
        narrow(arena, way, match->path, match->text);
    if (match->exact) {
        narrow(arena, way, match->exact, match->text);
        way->exact = true;
    }
    if (match->more)
        way->pattern = join(arena, way->pattern, match->text);
}

void caddy_way_strip(struct dr_arena *arena, struct caddy_way *way, const char *prefix)
{
    size_t length;

    if (prefix && prefix[0] != '/')
        prefix = dr_arena_format(arena, "/%s", prefix);
    if (!prefix)
        return;
    length = strlen(prefix);
    way->rewrites++;
    if (strncmp(way->seen, prefix, length) == 0)
        way->seen += length;
    /* else: only a part of the requests begins with it; the others stay as they are */
}

void caddy_way_rewrite(struct dr_arena *arena, struct caddy_way *way, const char *target)
{
    const char *text = caddy_expand(arena, target);
    const char *brace = text ? strchr(text, '{') : NULL;

    if (!text)
        return;
    way->rewrites++;
    if (brace && (strcmp(brace, "{http.request.uri}") == 0 || strcmp(brace, "{http.request.uri.path}") == 0) &&
        !way->rewritten) {
        const char *front = dr_arena_strndup(arena, text, (size_t)(brace - text));
        bool doubled = front && front[0] && front[strlen(front) - 1] == '/' && way->seen[0] == '/';
        const char *seen = front ? dr_arena_format(arena, "%s%s", front, way->seen + doubled) : NULL;

        if (seen)
            way->seen = seen;
        return;
    }
    way->rewritten = target;
}

static const char *pattern_of(struct dr_arena *arena, const struct caddy_way *way)
{
    if (way->exact)
        return join(arena, way->pattern, way->path);
    if (!way->pattern || strcmp(way->path, "/") == 0)
        return way->pattern;
    return dr_arena_format(arena, "%s*, %s", way->path, way->pattern);
}

static bool speaks_tls(const struct caddy_proxy *proxy, unsigned port)
{
    const struct caddy_line *except =
        proxy->tls_part && proxy->transport ? caddy_find(proxy->transport->lines, "tls_except_ports") : NULL;
    int64_t number;

    for (size_t i = 1; except && i < except->count; i++)
        if (caddy_integer(except->words[i].text, &number) && number == port)
            return false;
    return proxy->tls;
}

static void note_reach(const struct caddy_way *way, const struct caddy_proxy *proxy)
{
    for (const struct caddy_op *op = way->ops; op; op = op->next) {
        if (!op->reach)
            continue;
        if (op->reach->first && op->reach->first != proxy->line)
            op->reach->more = true;
        op->reach->first = proxy->line;
    }
}

static void add_route(struct caddy_reader *reader, const struct caddy_way *way, const struct caddy_proxy *proxy,
                      const struct caddy_upstream *upstream, unsigned port)
{
    struct dr_arena *arena = reader->arena;
    struct dr_route *route = dr_proxy_route(&reader->gathering);
    struct caddy_route_place *place = route ? dr_arena_alloc(arena, sizeof(*place)) : NULL;

    if (!place)
        return;
    *place = (struct caddy_route_place){ .proxy = proxy, .upstream = upstream, .entry = way->entry, .ops = way->ops };
    route->source = proxy->source;
    route->listens = way->entry->listens;
    route->names = way->names;
    route->tls = way->entry->tls;
    route->pattern = pattern_of(arena, way);
    route->path = route->pattern ? NULL : way->path;
    route->upstream_text = upstream->text;
    route->upstream_host = upstream->host;
    route->upstream_port = port;
    route->upstream_tls = speaks_tls(proxy, port);
    route->upstream_path = way->rewritten                      ? way->rewritten
                           : strcmp(way->seen, way->path) == 0 ? NULL
                           : way->seen[0]                      ? way->seen
                                                               : "/";
    route->place = place;
    caddy_fates(reader, way, proxy, route, place->defaults);
}

void caddy_routes(struct caddy_reader *reader, const struct caddy_way *way, const struct caddy_proxy *proxy)
{
    note_reach(way, proxy);
    for (size_t i = 0; i < proxy->upstream_count; i++) {
        const struct caddy_upstream *upstream = &proxy->upstreams[i];

        for (unsigned port = upstream->first_port; port <= upstream->last_port; port++) /* a range is v2.6.3's */
            add_route(reader, way, proxy, upstream, port);
    }
    if (proxy->dynamic) {
        struct caddy_upstream *upstream = dr_arena_alloc(reader->arena, sizeof(*upstream));

        if (!upstream)
            return;
        *upstream =
            (struct caddy_upstream){ .text = dr_arena_format(reader->arena, "dynamic %s", proxy->dynamic->words[1].text),
                                     .scheme = "",
                                     .dynamic = true };
        add_route(reader, way, proxy, upstream, 0);
    }
}
