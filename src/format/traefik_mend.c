/*
 * The editor. Lines are taken out of a middleware where no other router uses it; what a label or a flag says is left to people. Without a
 * single header left in it the middleware's name is taken out of the router instead.
 */
#include "format/traefik_internal.h"

#include <string.h>
#include <strings.h>

struct mending {
    struct dr_arena *arena;
    const struct dr_route *route;
    const struct traefik_place *place;
    struct dr_route_edits *edits;
    const char *why_not;
    int r;
};

static void refuse(struct mending *mending, const struct traefik_node *node, const char *why)
{
    struct dr_source source;

    if (mending->why_not)
        return;
    dr_traefik_source(node, &source);
    mending->why_not = dr_arena_format(mending->arena, "line %u of %s %s", source.line,
                                       source.path ? source.path : mending->route->config->path, why);
}

static bool edited_already(const struct mending *mending, const struct dr_proxy_file *file, size_t begin)
{
    for (size_t i = 0; i < mending->edits->count; i++)
        if (mending->edits->list[i].file == file && mending->edits->list[i].edit.offset == begin)
            return true;
    return false;
}

static void replace(struct mending *mending, const struct traefik_node *node, size_t begin, size_t end, const char *text)
{
    if (node->fixed)
        refuse(mending, node, "is a label, a flag or an anchor's: change it by hand");
    else if (!edited_already(mending, node->file, begin))
        mending->r = dr_route_edits_add(mending->arena, mending->edits, node->file, begin, end - begin, text);
}

/* The whole lines of a member, when nothing else stands on them. */
static bool lines_of(const struct traefik_node *node, size_t *ret_begin, size_t *ret_end)
{
    const char *bytes = node->file->bytes;
    size_t begin = node->key ? node->key_begin : node->begin, end = node->end;
    bool item = !node->key;

    while (begin > 0 && strchr(" \t", bytes[begin - 1]))
        begin--;
    if (item && begin > 0 && bytes[begin - 1] == '-')
        begin--;
    while (begin > 0 && strchr(" \t", bytes[begin - 1]))
        begin--;
    while (end < node->file->length && strchr(" \t\r", bytes[end]))
        end++;
    if (bytes[end] == '#')
        end += strcspn(bytes + end, "\n");
    *ret_begin = begin;
    *ret_end = end + (bytes[end] == '\n');
    return (begin == 0 || bytes[begin - 1] == '\n') && (bytes[end] == '\n' || bytes[end] == '\0');
}

static void take_lines(struct mending *mending, const struct traefik_node *node)
{
    size_t begin = 0, end = 0;

    if (node->fixed || !node->file || !lines_of(node, &begin, &end))
        refuse(mending, node, "can not be taken out by itself: change it by hand");
    else
        replace(mending, node, begin, end, "");
}

/* --- middlewares ------------------------------------------------------------------------------------------------------------------ */

static bool lists(const struct mending *mending, const struct traefik_node *list, const char *name)
{
    const char *const *names = list ? dr_traefik_list(mending->arena, list) : NULL;
    size_t length = strlen(name);

    for (; names && *names; names++)
        if (strncasecmp(*names, name, length) == 0 && ((*names)[length] == '\0' || (*names)[length] == '@'))
            return true;
    return false;
}

static const struct traefik_node *holder(const struct traefik_model *model, const struct traefik_node *header)
{
    for (size_t i = 0; i < model->root_count; i++) {
        const struct traefik_node *all = dr_traefik_at(model->roots[i].tree, "http.middlewares");

        for (const struct traefik_node *one = all ? all->first : NULL; one; one = one->next) {
            const struct traefik_node *map = dr_traefik_at(one, "headers.customRequestHeaders");

            for (const struct traefik_node *node = map ? map->first : NULL; node; node = node->next)
                if (node == header)
                    return one;
        }
    }
    return NULL;
}

static bool used_below(const struct mending *mending, const struct traefik_node *map, const char *list_path,
                       const char *name)
{
    for (const struct traefik_node *one = map ? map->first : NULL; one; one = one->next)
        if (one != mending->place->router && lists(mending, dr_traefik_at(one, list_path), name))
            return true;
    return false;
}

static bool is_shared(const struct mending *mending, const char *name)
{
    const struct traefik_model *model = mending->place->model;
    bool shared = used_below(mending, dr_traefik_get(model->settings, "entryPoints"), "http.middlewares", name);

    for (size_t i = 0; i < model->root_count; i++) {
        const struct traefik_node *tree = model->roots[i].tree;

        shared = shared || used_below(mending, dr_traefik_at(tree, "http.routers"), "middlewares", name) ||
                 used_below(mending, dr_traefik_at(tree, "http.middlewares"), "chain.middlewares", name);
    }
    return shared;
}

/* The router does without the middleware. */
static void unlist(struct mending *mending, const char *name, const struct traefik_node *header)
{
    const struct traefik_node *list = dr_traefik_get(mending->place->router, "middlewares");

    if (!list || list->type != TRAEFIK_LIST || !lists(mending, list, name)) {
        refuse(mending, header, "stands in a middleware that others use, too");
        return;
    }
    if (list->first == list->last) {
        take_lines(mending, list);
        return;
    }
    for (const struct traefik_node *item = list->first; item; item = item->next)
        if (item->text && strncasecmp(item->text, name, strlen(name)) == 0)
            take_lines(mending, item);
}

static void take_header(struct mending *mending, const struct traefik_node *header)
{
    const struct traefik_node *middleware = holder(mending->place->model, header);
    const struct traefik_node *headers = dr_traefik_get(middleware, "headers");
    const struct traefik_node *map = dr_traefik_get(headers, "customRequestHeaders");

    if (!middleware || !map || header->fixed) {
        refuse(mending, header, "is a label, a flag or an anchor's: change it by hand");
        return;
    }
    bool alone = map->first == map->last;

    if (alone && headers->first == headers->last && middleware->first == middleware->last)
        unlist(mending, middleware->key, header);
    else if (is_shared(mending, middleware->key))
        refuse(mending, header, "stands in a middleware that others use, too");
    else
        take_lines(mending, alone ? map : header);
}

/* --- what is asked for ------------------------------------------------------------------------------------------------------------ */

static void mend_upgrade(struct mending *mending)
{
    const struct traefik_way *way = &mending->place->way;
    static const int needed[] = { DR_ROUTE_UPGRADE, DR_ROUTE_CONNECTION };

    if (mending->route->upgrade == DR_UPGRADE_PASSED)
        return;
    if (!way->lost_node) {
        mending->why_not = mending->route->upgrade_why;
        return;
    }
    take_header(mending, way->lost_node);
    for (size_t i = 0; i < DR_COUNT(needed); i++)
        if (way->decides[needed[i]] && way->decides[needed[i]] != way->lost_node)
            take_header(mending, way->decides[needed[i]]);
}

static bool is_setting(const struct traefik_node *node)
{
    return node->key &&
           (strcasecmp(node->key, "insecure") == 0 || strcasecmp(node->key, "trustedIPs") == 0 ||
            strcasecmp(node->key, "notAppendXForwardedFor") == 0 || strcasecmp(node->key, "passHostHeader") == 0);
}

static void mend_setting(struct mending *mending, const struct traefik_node *node)
{
    if (strcasecmp(node->key, "trustedIPs") == 0)
        refuse(mending, node, "trusts other proxies on purpose: it is theirs to drop what clients make up");
    else
        replace(mending, node, node->begin, node->end, strcasecmp(node->key, "passHostHeader") == 0 ? "true" : "false");
}

static void mend_forward(struct mending *mending)
{
    static const int needed[] = { DR_ROUTE_FORWARDED_FOR, DR_ROUTE_FORWARDED_PROTO, DR_ROUTE_HOST };

    if (!mending->place->model->settings)
        mending->why_not = "the static configuration of Traefik was not read: name it with --proxy-config";
    for (size_t i = 0; i < DR_COUNT(needed); i++) {
        const struct traefik_node *node = mending->place->way.decides[needed[i]];

        if (!node)
            continue;
        if (is_setting(node))
            mend_setting(mending, node);
        else
            take_header(mending, node);
    }
}

/* The whole host of the URL, not a part of some other word in it. */
static bool is_the_host(const struct traefik_node *node, size_t at, size_t length)
{
    const char *bytes = node->file->bytes;
    bool begins = at == node->begin || strchr("/\"'", bytes[at - 1]);
    bool ends = at + length == node->end || strchr(":/\"'?#", bytes[at + length]);

    return begins && ends;
}

static void mend_upstream(struct mending *mending)
{
    static const char *const names[] = { "localhost", "[::1]" };
    const struct traefik_node *server = mending->place->server;
    const char *host = mending->route->upstream_host ? mending->route->upstream_host : "";

    if (strcasecmp(host, "localhost") != 0 && strcmp(host, "::1") != 0)
        return;
    for (size_t i = 0; i < DR_COUNT(names); i++)
        for (size_t at = server->begin; at + strlen(names[i]) <= server->end; at++)
            if (strncasecmp(server->file->bytes + at, names[i], strlen(names[i])) == 0 &&
                is_the_host(server, at, strlen(names[i]))) {
                replace(mending, server, at, at + strlen(names[i]), "127.0.0.1");
                return;
            }
    refuse(mending, server, "spells the address in a way that is not edited here");
}

int dr_traefik_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                    const char **ret_why_not)
{
    struct mending mending = { .arena = arena, .route = route, .place = route->place, .edits = ret_edits };

    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    if (mending.place->tcp && (mends & DR_MEND_FORWARD || route->upgrade == DR_UPGRADE_DROPPED))
        mending.why_not = "a router for TCP hands on bytes and cannot say who asks: make it one for HTTP";
    if ((mends & DR_MEND_UPGRADE) && !mending.place->tcp)
        mend_upgrade(&mending);
    if ((mends & DR_MEND_FORWARD) && !mending.place->tcp)
        mend_forward(&mending);
    if (mends & DR_MEND_UPSTREAM)
        mend_upstream(&mending);
    if (mending.r < 0)
        return mending.r;
    if (mending.why_not) {
        *ret_edits = (struct dr_route_edits){ 0 };
        *ret_why_not = mending.why_not;
        return -ENOTSUP;
    }
    dr_route_edits_finish(ret_edits);
    return 0;
}
