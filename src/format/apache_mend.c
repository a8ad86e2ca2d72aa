/*
 * What is to be changed so that a route is right.
 *
 * X-Forwarded-For: what the client sent is taken away (RequestHeader unset) and mod_proxy puts its address there. Setting it by mod_headers
 * with ProxyAddHeaders Off looks alike and is not: a client that sends "Connection: X-Forwarded-For" makes mod_proxy drop it.
 *
 * Parameters (upgrade=, timeout=) go to the directive that made the worker, as others' are ignored. What has no worker of its own
 * (RewriteRule) gets one: <Proxy "ws://..."> ProxySet ... </Proxy>.
 */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Members of one balancer share everything. */
static bool same_upstream(const struct dr_route *left, const struct dr_route *right)
{
    const struct apache_place *a = left->place, *b = right->place;

    if (a->member && b->member && a->node == b->node)
        return true;
    return left->upstream_host && right->upstream_host && apache_same_host(left->upstream_host, right->upstream_host) &&
           left->upstream_port == right->upstream_port;
}

static bool holds_for(const struct apache_place *place, const struct apache_node *node)
{
    for (size_t i = 0; i < place->scope.count; i++)
        if (place->scope.effects[i].node == node)
            return true;
    return false;
}

/* A directive holds for routes to this upstream only. */
static bool is_ours_alone(const struct apache_mending *mending, const struct apache_node *node)
{
    const struct dr_proxy_config *config = mending->route->config;

    for (size_t i = 0; i < config->route_count; i++)
        if (!same_upstream(mending->route, &config->routes[i]) && holds_for(config->routes[i].place, node))
            return false;
    return true;
}

static bool is_in(const struct apache_node *node, const char *section)
{
    for (node = node->parent; node; node = node->parent)
        if (node->section && apache_is(node, section))
            return true;
    return false;
}

/* Does a directive that holds come behind what is added at the route's own place? */
static bool is_later(const struct apache_mending *mending, const struct apache_effect *effect)
{
    const struct apache_place *place = mending->place;

    if (effect->maybe || is_in(effect->node, "<LocationMatch"))
        return true;
    if (is_in(effect->node, "<Location"))
        return effect->node->parent != place->section;
    return !place->section && is_in(effect->node, "<Proxy");
}

/* --- upgrade ---------------------------------------------------------------------------------------------------------------- */

static bool sets_old_version(const struct apache_node *node, size_t *ret_word)
{
    static const char name[] = "force-proxy-request-1.0";
    bool browser = strncasecmp(node->name, "BrowserMatch", 12) == 0;

    if (!browser && strncasecmp(node->name, "SetEnv", 6) != 0)
        return false;
    for (size_t i = apache_is(node, "SetEnv") ? 0 : browser ? 1 : 2; i < node->word_count; i++) {
        if (strncasecmp(apache_arg(node, i), name, strlen(name)) != 0)
            continue;
        *ret_word = i;
        return true;
    }
    return false;
}

static void mend_version(struct apache_mending *mending)
{
    const struct apache_scope *scope = &mending->after.scope;
    bool unset = false;
    size_t word = 0;

    for (size_t i = 0; i < scope->count; i++) {
        const struct apache_node *node = scope->effects[i].node;

        if (!sets_old_version(node, &word))
            continue;
        if (is_ours_alone(mending, node)) {
            size_t first = apache_is(node, "SetEnv") ? 0 : strncasecmp(node->name, "Browser", 7) == 0 ? 1 : 2;

            if (apache_is(node, "SetEnv") || node->word_count == first + 1)
                apache_edit_delete(&mending->out, node);
            else
                apache_cannot(mending, "force-proxy-request-1.0 is set together with other variables: take it out by hand");
        } else if (apache_is(node, "SetEnv") && !is_later(mending, &scope->effects[i])) {
            unset = true;
        } else {
            apache_cannot(mending, "force-proxy-request-1.0 is set for other requests too: take it away by hand");
        }
    }
    if (unset)
        apache_mend_add(mending, &mending->lines, "\n", "UnsetEnv force-proxy-request-1.0");
}

static void mend_upgrade(struct apache_mending *mending, bool wanted)
{
    struct apache_verdict verdicts[APACHE_OBSTACLES];
    const struct apache_effect *effect = apache_last_request_header(&mending->after.scope, DR_ROUTE_UPGRADE);

    /* Asked for or not: moving the upstream takes nothing away. */
    if (mending->route->upgrade == DR_UPGRADE_PASSED ? !mending->moved : !wanted)
        return;
    apache_obstacles(&mending->facts, &mending->after, verdicts);
    if (verdicts[APACHE_OBSTACLE_MODULE].upgrade != DR_UPGRADE_PASSED)
        apache_cannot(mending, verdicts[APACHE_OBSTACLE_MODULE].why);
    if (mending->place->handshake_elsewhere)
        apache_cannot(mending,
                      "a RewriteRule hands the handshakes of this path to another upstream: decide by hand which is right");
    if (verdicts[APACHE_OBSTACLE_HEADER].upgrade != DR_UPGRADE_PASSED) {
        if (effect && !effect->maybe && is_ours_alone(mending, effect->node))
            apache_edit_delete(&mending->out, effect->node);
        else
            apache_cannot(mending,
                          "RequestHeader changes Upgrade for other upstreams or for some requests: change it by hand");
    }
    if (verdicts[APACHE_OBSTACLE_VERSION].upgrade != DR_UPGRADE_PASSED)
        mend_version(mending);
    if (verdicts[APACHE_OBSTACLE_WORKER].upgrade != DR_UPGRADE_PASSED)
        apache_mend_worker(mending, "upgrade", "upgrade=websocket");
}

static void mend_timeout(struct apache_mending *mending, bool wanted)
{
    struct dr_route after = { .idle_timeout_ms = -1 };

    apache_silence(&mending->after, &after);
    if (after.idle_timeout_ms == 0 || after.idle_timeout_ms >= APACHE_LONG_ENOUGH_MS)
        return;
    if (wanted || (mending->moved && after.idle_timeout_ms < mending->route->idle_timeout_ms))
        apache_mend_worker(mending, "timeout", "timeout=3600");
}

/* --- what is forwarded ---------------------------------------------------------------------------------------------------- */

/* A line that must have the last word. `old`: the directive that has it now, or NULL. */
static void put_line(struct apache_mending *mending, const struct apache_effect *old, const char *line)
{
    if (old && !old->maybe && is_ours_alone(mending, old->node))
        apache_edit_line(&mending->out, old->node, line);
    else if (old && is_later(mending, old))
        apache_cannot(mending,
                      dr_arena_format(mending->out.arena,
                                      "%s in line %u of %s says otherwise, for other requests too: change it by hand",
                                      old->node->name, old->node->first_line, old->node->file->path));
    else
        apache_mend_add(mending, &mending->lines, "\n", line);
}

static void put_switch(struct apache_mending *mending, const char *name, bool wanted_otherwise)
{
    const struct apache_scope *scope = &mending->after.scope;
    const struct apache_effect *old = NULL;

    for (size_t i = 0; i < scope->count; i++)
        if (apache_is(scope->effects[i].node, name))
            old = &scope->effects[i];
    if (old ? !old->maybe && strcasecmp(apache_arg(old->node, 0), "on") == 0 : wanted_otherwise)
        return;
    put_line(mending, old, dr_arena_format(mending->out.arena, "%s On", old ? old->node->name : name));
}

static bool is_address(const struct dr_route_header *header)
{
    return header->fate == DR_HEADER_SET && (!header->value || strstr(header->value, "%{REMOTE_ADDR}"));
}

static void mend_forward(struct apache_mending *mending)
{
    const struct apache_scope *scope = &mending->after.scope;
    bool address = is_address(&mending->headers[DR_ROUTE_FORWARDED_FOR]);
    bool proto = mending->headers[DR_ROUTE_FORWARDED_PROTO].fate == DR_HEADER_SET;

    if (!(address && proto) && !apache_has_module(mending->place->tree->reader, "headers_module"))
        apache_cannot(mending, "mod_headers is not loaded: a2enmod headers");
    if (mending->headers[DR_ROUTE_HOST].fate != DR_HEADER_CLIENTS) {
        if (apache_last_request_header(scope, DR_ROUTE_HOST))
            apache_cannot(mending, "RequestHeader changes Host: change it by hand");
        put_switch(mending, "ProxyPreserveHost", false);
    }
    if (!address) {
        if (apache_believes_everybody(mending->place->server))
            apache_cannot(mending,
                          "RemoteIPHeader believes everybody: name the proxies that may say so with RemoteIPTrustedProxy");
        put_line(mending, apache_last_request_header(scope, DR_ROUTE_FORWARDED_FOR), "RequestHeader unset X-Forwarded-For");
        put_switch(mending, "ProxyAddHeaders", true);
    }
    if (!proto)
        put_line(mending, apache_last_request_header(scope, DR_ROUTE_FORWARDED_PROTO),
                 "RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"");
}

/* All routes that a line below this route's directive would hold for lead to the same upstream. */
static bool is_alone_here(const struct apache_mending *mending)
{
    const struct apache_place *place = mending->place;
    const struct dr_proxy_config *config = mending->route->config;
    bool all = place->inherited || !place->server->main;

    for (size_t i = 0; i < config->route_count; i++) {
        const struct apache_place *other = config->routes[i].place;

        if ((all || other->server == place->server) && !same_upstream(mending->route, &config->routes[i]))
            return false;
    }
    return true;
}

static const char *in_proxy(struct apache_mending *mending, const char *url)
{
    struct dr_arena *arena = mending->out.arena;
    const char *moved = apache_moved_url(mending, url), *begin = moved ? strstr(moved, "://") : NULL;
    const char *lines = mending->lines;
    const char *text =
        begin ? dr_arena_format(arena, "<Proxy \"%.*s/*\">", (int)(begin + 3 + strcspn(begin + 3, "/") - moved), moved)
              : NULL;

    while (text && *lines) {
        size_t length = strcspn(lines, "\n");

        text = dr_arena_format(arena, "%s\n\t%.*s", text, (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
    return text ? dr_arena_format(arena, "%s\n</Proxy>", text) : NULL;
}

/* New lines stand in the Location of the route, or below its directive when nobody else is there; else in a section of the upstream. */
static void put_lines(struct apache_mending *mending)
{
    const struct apache_place *place = mending->place;

    if (!mending->lines)
        return;
    if (place->section || is_alone_here(mending)) {
        apache_edit_below(&mending->out, place->node, mending->lines);
        return;
    }
    const char *text = in_proxy(mending, place->member ? place->proxy_url : place->url);

    if (text && !place->member && strcmp(place->url, place->handshake_url) != 0) {
        const char *other = in_proxy(mending, place->handshake_url);

        text = other ? dr_arena_format(mending->out.arena, "%s\n%s", text, other) : NULL;
    }
    if (text)
        apache_edit_below(&mending->out, place->node, text);
    else
        mending->out.error = -ENOMEM;
}

int apache_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                const char **ret_why_not)
{
    const struct apache_place *place = route->place;
    struct apache_mending mending = {
        .out = { .arena = arena, .edits = ret_edits },
        .route = route,
        .place = place,
        .after = *place,
        .facts = { .reader = place->tree->reader, .server = place->server, .scope = &place->scope, .path = place->path },
    };

    *ret_edits = (struct dr_route_edits){ 0 };
    memcpy(mending.headers, route->headers, sizeof(mending.headers));
    if (mends & DR_MEND_UPSTREAM)
        apache_mend_upstream(&mending);
    mend_upgrade(&mending, mends & DR_MEND_UPGRADE);
    mend_timeout(&mending, mends & DR_MEND_TIMEOUT);
    if (mends & DR_MEND_FORWARD)
        mend_forward(&mending);
    /* mod_proxy_http flushes whenever the upstream pauses: route->buffers is never true, and there is nothing to mend. */
    apache_mend_section(&mending);
    put_lines(&mending);
    if (mending.out.error < 0)
        return mending.out.error;
    if (mending.out.why_not) {
        *ret_edits = (struct dr_route_edits){ 0 };
        *ret_why_not = mending.out.why_not;
        return -ENOTSUP;
    }
    dr_route_edits_finish(ret_edits);
    return 0;
}
