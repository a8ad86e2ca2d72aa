/*
 * Who takes which request: rewriting rules of the server first, then the ProxyPass of the last <Location> that matches, then the list of
 * ProxyPass in order, the main server's in front of the virtual host's; "!" ends the search.
 */
#include "format/apache_taker.h"

#include <errno.h>
#include <string.h>

/* --- gathering -------------------------------------------------------------------------------------------------------------- */

static int add_taker(struct apache_takers *takers, struct apache_taker **list, size_t *count, size_t *room,
                     struct apache_taker taker)
{
    struct apache_taker *grown = dr_arena_grow(takers->reader->arena, *list, *count, sizeof(*grown), room);

    if (!grown)
        return -ENOMEM;
    *list = grown;
    grown[(*count)++] = taker;
    return 0;
}

static int add_point(struct apache_takers *takers, const char *path, const struct apache_node *pass)
{
    struct apache_point *grown =
        dr_arena_grow(takers->reader->arena, takers->points, takers->point_count, sizeof(*grown), &takers->point_room);

    if (!grown)
        return -ENOMEM;
    takers->points = grown;
    grown[takers->point_count++] = (struct apache_point){ .path = path, .pass = pass };
    return 0;
}

/* Directives that make a difference to what is handed on. */
static bool says_something(const struct apache_node *section)
{
    static const char *const names[] = { "RequestHeader",  "ProxyPreserveHost", "ProxyAddHeaders",
                                         "SetEnv",         "UnsetEnv",          "SetEnvIf",
                                         "SetEnvIfNoCase", "ProxyPass",         "SSLProxyEngine" };

    for (const struct apache_node *node = section->first; node; node = node->next)
        for (size_t i = 0; i < DR_COUNT(names); i++)
            if (apache_is(node, names[i]))
                return true;
    return false;
}

static const struct apache_node *pass_in(const struct apache_node *section)
{
    const struct apache_node *last = NULL;

    for (const struct apache_node *node = section->first; node; node = node->next)
        if (apache_is(node, "ProxyPass") || apache_is(node, "ProxyPassMatch"))
            last = node;
    return last;
}

static int add_location(struct apache_takers *takers, const struct apache_server *server, const struct apache_node *section)
{
    const char *regex = apache_section_regex(section);
    const struct apache_node *pass = pass_in(section);
    int r = 0;

    /* ProxyPass in <Location ~ x> is compared with "x" itself: never the same. */
    if (pass && regex && !apache_is(section, "<LocationMatch") && apache_is(pass, "ProxyPass"))
        return 0;
    if (pass)
        r = add_taker(takers, &takers->locations, &takers->location_count, &takers->location_room,
                      (struct apache_taker){ .node = pass,
                                             .section = section,
                                             .path = regex ? regex : apache_arg(section, 0),
                                             .regex = regex != NULL,
                                             .target = apache_arg(pass, 0),
                                             .inherited = server != takers->server });
    if (r >= 0 && !regex && says_something(section) &&
        strcspn(apache_arg(section, 0), "*?[") == strlen(apache_arg(section, 0)))
        r = add_point(takers, apache_arg(section, 0), NULL);
    return r;
}

int apache_takers_gather(struct apache_takers *takers, const struct apache_server *server)
{
    int r = 0;

    if (!apache_spend(takers->reader, server->pass_count + server->section_count * 8))
        return 0;
    for (size_t i = 0; i < server->pass_count && r >= 0; i++) {
        const struct apache_pass *pass = &server->passes[i];

        r = add_taker(takers, &takers->passes, &takers->pass_count, &takers->pass_room,
                      (struct apache_taker){ .node = pass->node,
                                             .path = pass->path,
                                             .regex = pass->regex,
                                             .target_word = pass->target_word,
                                             .target = pass->target,
                                             .inherited = server != takers->server });
        if (r >= 0 && !pass->regex)
            r = add_point(takers, pass->path, pass->node);
    }
    for (size_t i = 0; i < server->section_count && r >= 0; i++)
        if (apache_is(server->sections[i], "<Location") || apache_is(server->sections[i], "<LocationMatch"))
            r = add_location(takers, server, server->sections[i]);
    return r;
}

/* --- who takes it --------------------------------------------------------------------------------------------------------- */

enum apache_cover apache_rule_covers(const struct apache_rule *rule, const char *path)
{
    enum apache_cover cover = apache_regex_covers(rule->pattern, path);

    if (!rule->negated)
        return cover;
    return cover == APACHE_SOME ? cover : cover == APACHE_ALL ? APACHE_NONE : APACHE_ALL;
}

bool apache_takers_find(const struct apache_takers *takers, const char *path, struct apache_taker *ret_taker)
{
    if (!apache_spend(takers->reader, (takers->rules.count + takers->location_count + takers->pass_count) * 4))
        return false;
    for (size_t i = 0; i < takers->rules.count; i++) {
        const struct apache_rule *rule = &takers->rules.list[i];

        if (!rule->always && !rule->others)
            continue;
        if (apache_rule_covers(rule, path) != APACHE_ALL)
            continue;
        if (rule->proxies) {
            *ret_taker = apache_rule_taker(rule);
            return true;
        }
        if (rule->ends && rule->always)
            return false;
    }
    for (size_t i = takers->location_count; i > 0; i--) {
        const struct apache_taker *taker = &takers->locations[i - 1];

        if (apache_location_covers(taker->section, path) == APACHE_ALL) {
            *ret_taker = *taker;
            return strcmp(taker->target, "!") != 0;
        }
    }
    for (size_t i = 0; i < takers->pass_count; i++) {
        const struct apache_taker *taker = &takers->passes[i];

        if ((taker->regex ? apache_regex_covers(taker->path, path) : apache_alias_covers(taker->path, path)) == APACHE_ALL) {
            *ret_taker = *taker;
            return strcmp(taker->target, "!") != 0;
        }
    }
    return false;
}
