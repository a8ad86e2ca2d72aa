/*
 * Other routes of the same server: WebSockets of OpenClaw go to one path, the base path ("/" unless gateway.controlUi.basePath says otherwise). A
 * route beside the one that takes them (files of the page that are cached apart, an API) needs no upgrade.
 */
#include "check.h"

#include <string.h>
#include <strings.h>

static bool share_text(const char *const *some, const char *const *others)
{
    for (; some && *some; some++)
        for (const char *const *other = others; other && *other; other++)
            if (strcasecmp(*some, *other) == 0)
                return true;
    return false;
}

static bool has_names(const struct dr_route *route)
{
    return route->names && route->names[0];
}

static bool same_server(const struct dr_route *a, const struct dr_route *b)
{
    return a->config == b->config && share_text(a->listens, b->listens) &&
           (has_names(a) ? share_text(a->names, b->names) : !has_names(b));
}

/* "/" takes all, "/claw/" what is at and below it; a path of its own without a slash ("/claw") is not told apart from a beginning. */
static bool takes(const struct dr_route *route, const char *base)
{
    size_t length = route->path ? strlen(route->path) : 0;

    if (length > 0 && route->path[length - 1] == '/')
        length--;
    return route->path && strncmp(route->path, base, length) == 0;
}

/*
 * A regular expression or an exact path that cannot be the base path, so that it takes no sockets away from the route that has them. Only what
 * is plain: letters that have to be there, nothing optional around them.
 */
static bool is_deeper(const char *pattern, const char *base)
{
    static const char *const doubtful[] = { "(?!", ")?", ")*", "|)", "(|", "?$", "*$" };
    bool regex = pattern[0] == '~' || pattern[0] == '^';
    bool letters = false;

    if (pattern[0] == '=')
        return strcmp(pattern + 1 + strspn(pattern + 1, " "), *base ? base : "/") != 0;
    if (!regex || *base)
        return false;
    for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++)
        if (strstr(pattern, doubtful[i]))
            return false;
    for (const char *at = pattern + 1; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');

        letters |= letter && at[-1] != '\\' && at[1] != '*' && at[1] != '?';
    }
    return letters;
}

static const struct dr_route *main_route(const struct dr_proxy_judging *judging, const struct dr_route *than)
{
    const struct dr_proxies *proxies = dr_proxies(judging->context);

    for (size_t i = 0; i < proxies->to_gateway_count; i++) {
        const struct dr_route *route = proxies->to_gateway[i];

        if (route != than && takes(route, judging->base) && same_server(route, than))
            return route;
    }
    return NULL;
}

void dr_proxy_find_sibling(struct dr_proxy_judging *judging)
{
    const struct dr_route *route = judging->route;
    bool beside = route->pattern && !route->path ? is_deeper(route->pattern, judging->base) : !takes(route, judging->base);
    const struct dr_route *sibling = beside ? main_route(judging, route) : NULL;
    const struct dr_endpoint *through = sibling ? dr_proxy_endpoint(judging->live, sibling) : NULL;

    judging->beside = sibling;
    judging->without_sockets = sibling && (sibling->upgrade == DR_UPGRADE_PASSED || (through && through->socket.challenged));
}
