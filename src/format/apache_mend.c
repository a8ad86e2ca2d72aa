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

#define LONG_ENOUGH_MS ((int64_t)3600 * 1000)
#define LOOPBACK "127.0.0.1"

struct mending {
    struct apache_edits out;
    const struct dr_route *route;
    const struct apache_place *place;
    struct apache_facts facts;
    bool moved; /* the upstream's host was changed */
    struct apache_place after; /* `place` with the worker and the URLs that it has then */
    const char *settings; /* for a worker that has to be made: "upgrade=websocket timeout=3600" */
    const char *lines; /* new lines for the place of the route */
};

static void cannot(struct mending *mending, const char *why)
{
    if (!mending->out.why_not)
        mending->out.why_not = why;
}

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
static bool is_ours_alone(const struct mending *mending, const struct apache_node *node)
{
    const struct dr_proxy_config *config = mending->route->config;

    for (size_t i = 0; i < config->route_count; i++)
        if (!same_upstream(mending->route, &config->routes[i]) && holds_for(config->routes[i].place, node))
            return false;
    return true;
}

static void add_text(struct mending *mending, const char **list, const char *separator, const char *text)
{
    *list = *list ? dr_arena_format(mending->out.arena, "%s%s%s", *list, separator, text) : text;
    if (!*list)
        mending->out.error = -ENOMEM;
}

/* --- upstream --------------------------------------------------------------------------------------------------------------- */

/* Is it spelt so that it may mean ::1? */
static bool is_doubtful(const char *host)
{
    return host && (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0);
}

/* The host in a spelling such as http://localhost:1/ becomes 127.0.0.1. False: it does not name this upstream, or not so. */
static bool move_word(struct mending *mending, const struct apache_node *node, size_t word, bool needed)
{
    const char *text = apache_arg(node, word), *begin = strstr(text, "://");
    struct dr_proxy_url url = { 0 };
    const char *moved;

    if (!begin || !dr_proxy_url_parse(mending->out.arena, text, strcspn(text, "$%*"), &url) || !is_doubtful(url.host) ||
        (url.port != 0 && url.port != mending->route->upstream_port))
        return false;
    if (!needed && (node->made || !node->words[word].verbatim))
        return false;
    begin += 3;
    moved = dr_arena_format(mending->out.arena, "%.*s%s%s", (int)(begin - text), text, LOOPBACK,
                            begin + strlen(url.host) + (*begin == '[' ? 2 : 0));
    apache_edit_word(&mending->out, node, word, moved);
    return true;
}

/* What else names the upstream by its URL and would no longer fit: ProxyPassReverse and <Proxy> of the same server. */
static void move_companions(struct mending *mending)
{
    const struct apache_place *place = mending->place;
    const struct apache_node *parent = place->node->parent;

    for (const struct apache_node *node = parent->first; node; node = node->next)
        if (apache_is(node, "ProxyPassReverse"))
            (void)move_word(mending, node, node->word_count > 1 ? 1 : 0, false);
        else if (apache_is(node, "ProxySet") && node->word_count > 1)
            (void)move_word(mending, node, 0, false);
    for (size_t i = 0; i < place->server->section_count; i++) {
        const struct apache_node *section = place->server->sections[i];

        if (apache_is(section, "<Proxy") && apache_proxy_covers(section, place->url) == APACHE_ALL)
            (void)move_word(mending, section, apache_section_word(section), false);
    }
}

/* A URL of this route, with the host that it has after the edit. */
static const char *moved_url(struct mending *mending, const char *url)
{
    const char *begin = strstr(url, "://");
    size_t host = begin ? strcspn(begin + 3, "/") : 0;
    const char *port = begin ? begin + 3 + host : NULL;

    if (!mending->moved || !begin || strncasecmp(url, "balancer:", 9) == 0)
        return url;
    while (port > begin + 3 && *port != ':' && *port != ']')
        port--;
    return dr_arena_format(mending->out.arena, "%.*s" LOOPBACK "%s", (int)(begin + 3 - url), url,
                           *port == ':' ? port : begin + 3 + host);
}

/* Is the worker of this route made by a directive that was moved along with it? */
static bool moves_along(const struct apache_place *place, const struct apache_worker *worker)
{
    const struct apache_node *own = place->member ? place->member : place->node;
    const struct apache_node *maker = worker ? worker->node : NULL;

    if (!maker)
        return false;
    return maker == own || apache_is(maker, "<Proxy") || (maker->parent && apache_is(maker->parent, "<Proxy"));
}

/*
 * With another host it may be another worker: one that is there already when the server made it earlier, or when it fits better; else a
 * new one.
 */
static const struct apache_worker *after_move(struct mending *mending, const struct apache_worker *old,
                                              const struct apache_worker *found)
{
    const struct apache_place *place = &mending->after;
    const struct apache_server *main = place->server->main;
    bool by_rule = place->handshake || place->is_rule;

    if (found && found != old) {
        const char *own =
            apache_worker_url(mending->out.arena, moved_url(mending, apache_arg(place->node, place->target_word)));
        bool of_main = main && found >= main->workers && found < main->workers + main->worker_count;
        bool of_same = !main || of_main == place->inherited;
        size_t length = own ? strlen(own) : 0;
        bool fits = of_main ? strlen(found->url) >= length : strlen(found->url) > length;

        if (by_rule || (of_same && (!old || found->match == old->match) ? !old || found < old : fits))
            return found;
    }
    return moves_along(place, old) ? old : NULL;
}

static void change_workers(struct mending *mending)
{
    struct apache_place *after = &mending->after;
    struct apache_place found;

    after->handshake_url = moved_url(mending, after->handshake_url);
    after->url = moved_url(mending, after->url);
    if (!after->handshake_url || !after->url || (after->member && !after->handshake))
        return;
    found = *after;
    apache_choose_workers(&found);
    after->worker = after_move(mending, after->worker, found.worker);
    after->deep_worker = after_move(mending, after->deep_worker, found.deep_worker);
}

static void mend_upstream(struct mending *mending)
{
    const struct apache_place *place = mending->place;

    if (place->handshake)
        mending->moved = move_word(mending, place->handshake->node, 1, true);
    if (is_doubtful(mending->route->upstream_host)) {
        mending->moved = move_word(mending, place->member ? place->member : place->node, place->target_word, true);
        if (!mending->moved)
            cannot(mending, "the upstream is not spelt in one piece: change it by hand");
    }
    if (!mending->moved)
        return;
    move_companions(mending);
    change_workers(mending);
}

/* --- the worker ----------------------------------------------------------------------------------------------------------- */

/* The word "name=..." of a directive, or its word_count. */
static size_t find_parameter(const struct apache_node *node, const char *name)
{
    size_t length = strlen(name), i = 0;

    while (i < node->word_count &&
           (strncasecmp(apache_arg(node, i), name, length) != 0 || apache_arg(node, i)[length] != '='))
        i++;
    return i;
}

/* name=value where one worker is made; NULL: where this route's own directive makes one. */
static void set_worker(struct mending *mending, const struct apache_worker *worker, const char *name, const char *text)
{
    const struct apache_place *place = &mending->after;
    const struct apache_node *maker = worker ? worker->node : place->member ? place->member : place->node;
    /* A value that ProxySet gives elsewhere comes later and wins. */
    const struct apache_node *setter = !worker                   ? NULL
                                       : strcmp(name, "timeout") ? worker->upgrade_node
                                                                 : worker->timeout_node;

    for (int i = 0; i < 2; i++) {
        const struct apache_node *node = i ? setter : maker;
        size_t word = node ? find_parameter(node, name) : 0;

        if (node && word < node->word_count) {
            apache_edit_word(&mending->out, node, word, text);
            return;
        }
    }
    apache_edit_append(&mending->out, maker, text);
}

static bool is_right(const struct mending *mending, const struct apache_worker *worker, const char *name)
{
    struct apache_place place = mending->after;
    struct apache_verdict verdicts[APACHE_OBSTACLES];
    struct dr_route silence = { 0 };

    place.worker = place.deep_worker = worker;
    if (strcmp(name, "upgrade") == 0) {
        apache_obstacles(&mending->facts, &place, verdicts);
        return verdicts[APACHE_OBSTACLE_WORKER].upgrade == DR_UPGRADE_PASSED;
    }
    apache_silence(&place, &silence);
    return silence.idle_timeout_ms == 0 || silence.idle_timeout_ms >= LONG_ENOUGH_MS;
}

/*
 * Both workers of a route. What has none of its own gets one in a section: the rules, and the shortest path of a ProxyPassMatch, whose
 * worker httpd does not use for it.
 */
static void set_parameter(struct mending *mending, const char *name, const char *text)
{
    const struct apache_place *place = &mending->after;
    bool by_rule = place->handshake || (place->is_rule && !place->member);
    bool match = place->deep_worker && place->deep_worker->match && !place->worker;
    bool exact_right = is_right(mending, place->worker, name), deep_right = is_right(mending, place->deep_worker, name);

    if (!exact_right && (place->worker || !(by_rule || match)))
        set_worker(mending, place->worker, name, text);
    else if (!exact_right)
        add_text(mending, &mending->settings, " ", text);
    if (!deep_right && place->deep_worker != place->worker)
        set_worker(mending, place->deep_worker, name, text);
}

/* The section that makes a worker for a rule; it cannot stand in a Location. */
static void make_worker(struct mending *mending)
{
    const struct apache_place *place = mending->place;
    const struct apache_node *below = place->handshake ? place->handshake->node : place->node;
    const char *url = mending->after.handshake_url;

    if (!mending->settings || !url)
        return;
    while (below->parent && below->parent->section && !apache_is(below->parent, "<VirtualHost"))
        below = below->parent;
    apache_edit_below(
        &mending->out, below,
        dr_arena_format(mending->out.arena, "<Proxy \"%s\">\n\tProxySet %s\n</Proxy>", url, mending->settings));
}

static bool is_in(const struct apache_node *node, const char *section)
{
    for (node = node->parent; node; node = node->parent)
        if (node->section && apache_is(node, section))
            return true;
    return false;
}

/* Does a directive that holds come behind what is added at the route's own place? */
static bool is_later(const struct mending *mending, const struct apache_effect *effect)
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

static void mend_version(struct mending *mending)
{
    const struct apache_scope *scope = &mending->place->scope;
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
                cannot(mending, "force-proxy-request-1.0 is set together with other variables: take it out by hand");
        } else if (apache_is(node, "SetEnv") && !is_later(mending, &scope->effects[i])) {
            unset = true;
        } else {
            cannot(mending, "force-proxy-request-1.0 is set for other requests too: take it away by hand");
        }
    }
    if (unset)
        add_text(mending, &mending->lines, "\n", "UnsetEnv force-proxy-request-1.0");
}

static void mend_upgrade(struct mending *mending, bool wanted)
{
    struct apache_verdict verdicts[APACHE_OBSTACLES];
    const struct apache_effect *effect = apache_last_request_header(&mending->place->scope, DR_ROUTE_UPGRADE);

    apache_obstacles(&mending->facts, &mending->after, verdicts);
    /* Asked for or not: moving the upstream takes nothing away. */
    if (mending->moved && mending->route->upgrade == DR_UPGRADE_PASSED &&
        verdicts[APACHE_OBSTACLE_WORKER].upgrade != DR_UPGRADE_PASSED)
        set_parameter(mending, "upgrade", "upgrade=websocket");
    if (!wanted || mending->route->upgrade == DR_UPGRADE_PASSED)
        return;
    if (verdicts[APACHE_OBSTACLE_MODULE].upgrade != DR_UPGRADE_PASSED)
        cannot(mending, verdicts[APACHE_OBSTACLE_MODULE].why);
    if (mending->place->handshake_elsewhere)
        cannot(mending,
               "a RewriteRule hands the handshakes of this path to another upstream: decide by hand which is right");
    if (verdicts[APACHE_OBSTACLE_HEADER].upgrade != DR_UPGRADE_PASSED) {
        if (effect && !effect->maybe && is_ours_alone(mending, effect->node))
            apache_edit_delete(&mending->out, effect->node);
        else
            cannot(mending, "RequestHeader changes Upgrade for other upstreams or for some requests: change it by hand");
    }
    if (verdicts[APACHE_OBSTACLE_VERSION].upgrade != DR_UPGRADE_PASSED)
        mend_version(mending);
    if (verdicts[APACHE_OBSTACLE_WORKER].upgrade != DR_UPGRADE_PASSED)
        set_parameter(mending, "upgrade", "upgrade=websocket");
}

static void mend_timeout(struct mending *mending, bool wanted)
{
    struct dr_route after = { .idle_timeout_ms = -1 };

    apache_silence(&mending->after, &after);
    if (after.idle_timeout_ms == 0 || after.idle_timeout_ms >= LONG_ENOUGH_MS)
        return;
    if (wanted || (mending->moved && after.idle_timeout_ms < mending->route->idle_timeout_ms))
        set_parameter(mending, "timeout", "timeout=3600");
}

/* --- what is forwarded ---------------------------------------------------------------------------------------------------- */

/* A line that must have the last word. `old`: the directive that has it now, or NULL. */
static void put_line(struct mending *mending, const struct apache_effect *old, const char *line)
{
    if (old && !old->maybe && is_ours_alone(mending, old->node))
        apache_edit_line(&mending->out, old->node, line);
    else if (old && is_later(mending, old))
        cannot(mending, dr_arena_format(mending->out.arena,
                                        "%s in line %u of %s says otherwise, for other requests too: change it by hand",
                                        old->node->name, old->node->first_line, old->node->file->path));
    else
        add_text(mending, &mending->lines, "\n", line);
}

static void put_switch(struct mending *mending, const char *name, bool wanted_otherwise)
{
    const struct apache_scope *scope = &mending->place->scope;
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

static void mend_forward(struct mending *mending)
{
    const struct dr_route *route = mending->route;
    const struct apache_scope *scope = &mending->place->scope;
    bool address = is_address(&route->headers[DR_ROUTE_FORWARDED_FOR]);
    bool proto = route->headers[DR_ROUTE_FORWARDED_PROTO].fate == DR_HEADER_SET;

    if (!(address && proto) && !apache_has_module(mending->place->tree->reader, "headers_module"))
        cannot(mending, "mod_headers is not loaded: a2enmod headers");
    if (route->headers[DR_ROUTE_HOST].fate != DR_HEADER_CLIENTS) {
        if (apache_last_request_header(scope, DR_ROUTE_HOST))
            cannot(mending, "RequestHeader changes Host: change it by hand");
        put_switch(mending, "ProxyPreserveHost", false);
    }
    if (!address) {
        if (apache_believes_everybody(mending->place->server))
            cannot(mending, "RemoteIPHeader believes everybody: name the proxies that may say so with RemoteIPTrustedProxy");
        put_line(mending, apache_last_request_header(scope, DR_ROUTE_FORWARDED_FOR), "RequestHeader unset X-Forwarded-For");
        put_switch(mending, "ProxyAddHeaders", true);
    }
    if (!proto)
        put_line(mending, apache_last_request_header(scope, DR_ROUTE_FORWARDED_PROTO),
                 "RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"");
}

/* All routes that a line below this route's directive would hold for lead to the same upstream. */
static bool is_alone_here(const struct mending *mending)
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

static const char *in_proxy(struct mending *mending, const char *url)
{
    struct dr_arena *arena = mending->out.arena;
    const char *moved = moved_url(mending, url), *begin = moved ? strstr(moved, "://") : NULL;
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
static void put_lines(struct mending *mending)
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
    struct mending mending = {
        .out = { .arena = arena, .edits = ret_edits },
        .route = route,
        .place = place,
        .after = *place,
        .facts = { .reader = place->tree->reader, .server = place->server, .scope = &place->scope, .path = place->path },
    };

    *ret_edits = (struct dr_route_edits){ 0 };
    if (mends & DR_MEND_UPSTREAM)
        mend_upstream(&mending);
    mend_upgrade(&mending, mends & DR_MEND_UPGRADE);
    mend_timeout(&mending, mends & DR_MEND_TIMEOUT);
    if (mends & DR_MEND_FORWARD)
        mend_forward(&mending);
    /* mod_proxy_http flushes whenever the upstream pauses: route->buffers is never true, and there is nothing to mend. */
    make_worker(&mending);
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
