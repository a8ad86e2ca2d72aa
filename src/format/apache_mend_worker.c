/* Mending: the upstream's host, and the parameters of workers. */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define LOOPBACK "127.0.0.1"

void apache_cannot(struct apache_mending *mending, const char *why)
{
    if (!mending->out.why_not)
        mending->out.why_not = why;
}

void apache_mend_add(struct apache_mending *mending, const char **list, const char *separator, const char *text)
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
static bool move_word(struct apache_mending *mending, const struct apache_node *node, size_t word, bool needed)
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
static void move_companions(struct apache_mending *mending)
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
const char *apache_moved_url(struct apache_mending *mending, const char *url)
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
static const struct apache_worker *after_move(struct apache_mending *mending, const struct apache_worker *old,
                                              const struct apache_worker *found)
{
    const struct apache_place *place = &mending->after;
    const struct apache_server *main = place->server->main;
    bool by_rule = place->handshake || place->is_rule;

    if (found && found != old) {
        const char *own =
            apache_worker_url(mending->out.arena, apache_moved_url(mending, apache_arg(place->node, place->target_word)));
        bool of_main =
            main && main->worker_count > 0 && found >= main->workers && found < main->workers + main->worker_count;
        bool of_same = !main || of_main == place->inherited;
        size_t length = own ? strlen(own) : 0;
        bool fits = of_main ? strlen(found->url) >= length : strlen(found->url) > length;

        if (by_rule || (of_same && (!old || found->match == old->match) ? !old || found < old : fits))
            return found;
    }
    return moves_along(place, old) ? old : NULL;
}

static void change_workers(struct apache_mending *mending)
{
    struct apache_place *after = &mending->after;
    struct apache_place found;

    after->handshake_url = apache_moved_url(mending, after->handshake_url);
    after->url = apache_moved_url(mending, after->url);
    if (!after->handshake_url || !after->url || (after->member && !after->handshake))
        return;
    found = *after;
    apache_choose_workers(&found);
    after->worker = after_move(mending, after->worker, found.worker);
    after->deep_worker = after_move(mending, after->deep_worker, found.deep_worker);
}

/* Other sections may be for the new URL. */
static void change_scope(struct apache_mending *mending)
{
    struct apache_place *after = &mending->after;
    const char *url = apache_moved_url(mending, after->proxy_url);

    if (!url || strcmp(url, after->proxy_url) == 0)
        return;
    if (apache_scope(after->tree->reader, after->server, after->path, url, after->proxy_url, &after->scope) < 0)
        mending->out.error = -ENOMEM;
    after->proxy_url = url;
    mending->facts.scope = &after->scope;
    apache_headers(&mending->facts, mending->headers);
}

void apache_mend_upstream(struct apache_mending *mending)
{
    const struct apache_place *place = mending->place;

    if (place->handshake)
        mending->moved = move_word(mending, place->handshake->node, 1, true);
    if (is_doubtful(mending->route->upstream_host)) {
        mending->moved = move_word(mending, place->member ? place->member : place->node, place->target_word, true);
        if (!mending->moved)
            apache_cannot(mending, "the upstream is not spelt in one piece: change it by hand");
    }
    if (!mending->moved)
        return;
    move_companions(mending);
    change_scope(mending);
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
static void set_worker(struct apache_mending *mending, const struct apache_worker *worker, const char *name,
                       const char *text)
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

static bool is_right(const struct apache_mending *mending, const struct apache_worker *worker, const char *name)
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
    return silence.idle_timeout_ms == 0 || silence.idle_timeout_ms >= APACHE_LONG_ENOUGH_MS;
}

/*
 * Both workers of a route. What has none of its own gets one in a section: the rules, and the shortest path of a ProxyPassMatch, whose
 * worker httpd does not use for it.
 */
void apache_mend_worker(struct apache_mending *mending, const char *name, const char *text)
{
    const struct apache_place *place = &mending->after;
    bool by_rule = place->handshake || (place->is_rule && !place->member);
    bool match =
        !place->member && !place->is_rule && place->takes_regex && strchr(apache_arg(place->node, place->target_word), '$');
    bool exact_right = is_right(mending, place->worker, name), deep_right = is_right(mending, place->deep_worker, name);

    if (!exact_right && (place->worker || !(by_rule || match)))
        set_worker(mending, place->worker, name, text);
    else if (!exact_right)
        apache_mend_add(mending, &mending->settings, " ", text);
    if (!deep_right && (place->deep_worker != place->worker || (match && !place->worker)))
        set_worker(mending, place->deep_worker, name, text);
}

/* The section that makes a worker for a rule; it cannot stand in a Location. */
void apache_mend_section(struct apache_mending *mending)
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
