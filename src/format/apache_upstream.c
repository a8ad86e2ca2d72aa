/* Where a directive leads to: host, port, path and URL of what is asked for there. */
#include "format/apache_internal.h"

#include <string.h>
#include <strings.h>

struct apache_taker apache_rule_taker(const struct apache_rule *rule)
{
    return (struct apache_taker){ .node = rule->node,
                                  .section = rule->section,
                                  .rule = rule,
                                  .path = rule->pattern,
                                  .regex = true,
                                  .target_word = 1,
                                  .target = rule->target };
}

/* The path of the upstream that a request for `point` asks for; NULL: not knowable. */
const char *apache_seen_path(struct dr_arena *arena, const struct apache_taker *taker, const char *point,
                             const char *target_path)
{
    const char *rest = "";
    const char *beginning;

    if (taker->rule && taker->section)
        return NULL;
    if (!taker->regex) {
        size_t length = strlen(taker->path);

        if (strncmp(point, taker->path, length) == 0)
            rest = point + length;
        return dr_arena_format(arena, "%s%s", target_path, rest);
    }
    if (!apache_regex_prefix(arena, taker->path, &beginning))
        return NULL;
    if (!strchr(taker->target, '$') && !strstr(taker->target, "%{REQUEST_URI}"))
        /* ProxyPassMatch puts the whole path behind; a rule does not. */
        return taker->rule ? (*target_path ? target_path : "/") : dr_arena_format(arena, "%s%s", target_path, point);
    if (strstr(taker->target, "%{REQUEST_URI}"))
        return dr_arena_format(arena, "%s%s", target_path, point);

    size_t group = strcspn(taker->path + (*taker->path == '^'), "(");

    if (!strchr(taker->path, '('))
        return NULL;
    if (taker->path[(*taker->path == '^') + group - (group > 0)] == '?')
        group = group >= 2 ? group - 1 : 0;
    return dr_arena_format(arena, "%s%s", target_path, strlen(point) > group ? point + group : "");
}

static unsigned default_port(const char *scheme)
{
    return strcmp(scheme, "http") == 0 || strcmp(scheme, "ws") == 0     ? 80
           : strcmp(scheme, "https") == 0 || strcmp(scheme, "wss") == 0 ? 443
                                                                        : 0;
}

void apache_set_upstream(struct dr_arena *arena, struct dr_route *route, const struct apache_taker *taker, const char *spelt,
                         const char *point)
{
    const char *bar = strncasecmp(spelt, "unix:", 5) == 0 ? strchr(spelt, '|') : NULL;
    const char *plain = bar ? bar + 1 : spelt;
    struct dr_proxy_url url = { .scheme = "", .path = "" };
    bool understood = dr_proxy_url_parse(arena, plain, strcspn(plain, "$%"), &url);
    const char *seen;

    route->upstream_text = spelt;
    route->upstream_tls = strcmp(url.scheme, "https") == 0 || strcmp(url.scheme, "wss") == 0;
    if (understood && !bar) {
        route->upstream_host = url.host;
        route->upstream_port = url.port ? url.port : default_port(url.scheme);
    }
    seen = apache_seen_path(arena, taker, point, url.path);
    route->upstream_path = seen && *seen == '\0' ? "/" : seen;
    if (seen && strcmp(route->upstream_path, point) == 0)
        route->upstream_path = NULL;
}

/* This host has several names. */
static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "127.0.0.1") == 0;
}

bool apache_same_host(const char *left, const char *right)
{
    return strcasecmp(left, right) == 0 || (is_loopback(left) && is_loopback(right));
}

bool apache_same_upstream(struct dr_arena *arena, const char *left, const char *right)
{
    struct dr_proxy_url a = { 0 }, b = { 0 };

    return dr_proxy_url_parse(arena, left, strcspn(left, "$%"), &a) &&
           dr_proxy_url_parse(arena, right, strcspn(right, "$%"), &b) && apache_same_host(a.host, b.host) &&
           (a.port ? a.port : default_port(a.scheme)) == (b.port ? b.port : default_port(b.scheme));
}

/* What is asked for always has a path. */
const char *apache_with_path(struct dr_arena *arena, const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;

    return host && !strchr(host + 3, '/') ? dr_arena_format(arena, "%s/", url) : url;
}

/* The URL that is asked for when somebody asks for the route's own path; without "$1" where that is not known. */
const char *apache_request_url(const struct apache_place *place, const char *target, const char *seen)
{
    struct dr_arena *arena = place->tree->reader->arena;
    const char *url = apache_worker_url(arena, target);
    const char *host = url ? strstr(url, "://") : NULL;

    if (host && seen)
        return apache_with_path(
            arena, dr_arena_format(arena, "%.*s%s", (int)(host + 3 + strcspn(host + 3, "/$%") - url), url, seen));
    return url ? apache_with_path(arena, dr_arena_strndup(arena, url, strcspn(url, "$%"))) : NULL;
}

/* For handshakes that a rule takes. */
const char *apache_rule_url(const struct apache_place *place, const struct apache_rule *rule)
{
    const struct apache_taker taker = apache_rule_taker(rule);
    struct dr_proxy_url url = { .path = "" };

    (void)dr_proxy_url_parse(place->tree->reader->arena, rule->target, strcspn(rule->target, "$%"), &url);
    return apache_request_url(place, rule->target,
                              apache_seen_path(place->tree->reader->arena, &taker, place->path, url.path));
}
