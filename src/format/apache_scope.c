/*
 * Which directives hold for a request that is handed on, in the order in which httpd merges them:
 * main server, virtual host, <Proxy> by the upstream's URL, <Location> by the path, <If>; of each first the main server's, then the
 * virtual host's, in the order of the files. <Directory> and <Files> are not looked at for such requests.
 */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct collecting {
    const struct apache_reader *reader;
    const char *path, *url, *before;
    struct apache_scope *scope;
    struct apache_scope conditions; /* <If> and its kin, met on the way; they come last */
};

static int add(struct collecting *to, struct apache_scope *scope, const struct apache_node *node, bool maybe)
{
    struct apache_effect *grown =
        dr_arena_grow(to->reader->arena, scope->effects, scope->count, sizeof(*grown), &scope->room);

    if (!grown)
        return -ENOMEM;
    scope->effects = grown;
    grown[scope->count++] = (struct apache_effect){ .node = node, .maybe = maybe };
    return 0;
}

static bool is_condition(const struct apache_node *node)
{
    return apache_is(node, "<If") || apache_is(node, "<ElseIf") || apache_is(node, "<Else");
}

static int add_children(struct collecting *to, struct apache_scope *scope, const struct apache_node *section, bool maybe,
                        unsigned depth)
{
    int r = 0;

    for (const struct apache_node *node = section->first; node && r >= 0 && depth < DR_PROXY_DEPTH; node = node->next) {
        if (!apache_spend(to->reader, 8))
            return 0;
        if (!node->section)
            r = add(to, scope, node, maybe);
        else if (is_condition(node))
            r = add_children(to, &to->conditions, node, true, depth + 1);
        else if (apache_is(node, "<Limit") || apache_is(node, "<LimitExcept"))
            r = add_children(to, scope, node, maybe, depth + 1);
    }
    return r;
}

enum kind { KIND_PROXY, KIND_LOCATION, KIND_IF };

static enum apache_cover covers(const struct collecting *to, enum kind kind, const struct apache_node *section)
{
    if (kind == KIND_PROXY && (apache_is(section, "<Proxy") || apache_is(section, "<ProxyMatch")))
        return to->before && apache_proxy_covers(section, to->before) == APACHE_ALL ? APACHE_ALL
                                                                                    : apache_proxy_covers(section, to->url);
    if (kind == KIND_LOCATION && (apache_is(section, "<Location") || apache_is(section, "<LocationMatch")))
        return apache_location_covers(section, to->path);
    return kind == KIND_IF && is_condition(section) ? APACHE_SOME : APACHE_NONE;
}

static int add_sections(struct collecting *to, const struct apache_server *server, enum kind kind)
{
    if (!apache_spend(to->reader, server->section_count * 4))
        return 0;
    for (size_t i = 0; i < server->section_count; i++) {
        enum apache_cover cover = covers(to, kind, server->sections[i]);
        int r = cover == APACHE_NONE ? 0 : add_children(to, to->scope, server->sections[i], cover == APACHE_SOME, 0);

        if (r < 0)
            return r;
    }
    return 0;
}

int apache_scope(const struct apache_reader *reader, const struct apache_server *server, const char *path, const char *url,
                 const char *before, struct apache_scope *ret_scope)
{
    struct collecting to = { .reader = reader, .path = path, .url = url, .before = before, .scope = ret_scope };
    const struct apache_server *levels[2] = { server->main ? server->main : server, server->main ? server : NULL };
    int r = 0;

    *ret_scope = (struct apache_scope){ 0 };
    for (int level = 0; level < 2 && levels[level] && apache_spend(reader, levels[level]->plain_count * 8); level++)
        for (size_t i = 0; i < levels[level]->plain_count && r >= 0; i++)
            r = add(&to, ret_scope, levels[level]->plain[i], false);
    for (enum kind kind = KIND_PROXY; kind <= KIND_IF; kind++)
        for (int level = 0; level < 2 && levels[level] && r >= 0; level++)
            r = add_sections(&to, levels[level], kind);
    for (size_t i = 0; i < to.conditions.count && r >= 0; i++)
        r = add(&to, ret_scope, to.conditions.effects[i].node, true);
    return r;
}

const struct apache_node *apache_scope_last(const struct apache_scope *scope, const char *name, bool *ret_maybe)
{
    *ret_maybe = false;
    for (size_t i = scope->count; i > 0; i--) {
        const struct apache_effect *effect = &scope->effects[i - 1];

        if (!apache_is(effect->node, name))
            continue;
        *ret_maybe |= effect->maybe;
        if (!effect->maybe)
            return effect->node;
    }
    return NULL;
}
