/* RewriteRule ... [P], and what its conditions ask for. */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* [P,L], [NC]: is one of the flags there? */
static bool has_flag(const char *flags, const char *name, const char *long_name)
{
    if (*flags != '[')
        return false;
    for (const char *at = flags + 1; *at && *at != ']'; at += *at == ',') {
        size_t blanks = strspn(at, " ");
        size_t length = strcspn(at + blanks, ",]=");

        at += blanks;
        if ((strlen(name) == length && strncasecmp(at, name, length) == 0) ||
            (strlen(long_name) == length && strncasecmp(at, long_name, length) == 0))
            return true;
        at += strcspn(at, ",]");
    }
    return false;
}

/* What a condition says: nothing that is known here, or one of these. */
enum asks { ASKS_OTHER, ASKS_HANDSHAKE, ASKS_NO_HANDSHAKE, ASKS_NEVER, ASKS_NOTHING };

static const char *without_anchors(const char *pattern, size_t *ret_length)
{
    size_t length;

    pattern += *pattern == '=' || *pattern == '^';
    length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '$')
        length--;
    *ret_length = length;
    return pattern;
}

static enum asks condition_asks(const struct apache_node *node, bool tls)
{
    static const char *const headers[][2] = { { "%{HTTP:Upgrade}", "websocket" }, { "%{HTTP:Connection}", "Upgrade" } };
    const char *test = apache_arg(node, 0), *pattern = apache_arg(node, 1), *flags = apache_arg(node, 2);
    bool negated = *pattern == '!', ignore_case = has_flag(flags, "NC", "nocase");
    size_t length;

    if (has_flag(flags, "OR", "ornext"))
        return ASKS_OTHER;
    pattern = without_anchors(pattern + negated, &length);
    for (size_t i = 0; i < DR_COUNT(headers); i++) {
        if (strcasecmp(test, headers[i][0]) != 0)
            continue;
        /* Browsers say "websocket" and "Upgrade". */
        if (strlen(headers[i][1]) != length ||
            (ignore_case ? strncasecmp(pattern, headers[i][1], length) : strncmp(pattern, headers[i][1], length)) != 0)
            return ASKS_OTHER;
        return negated ? ASKS_NO_HANDSHAKE : ASKS_HANDSHAKE;
    }
    if (strcasecmp(test, "%{HTTPS}") == 0 &&
        ((length == 2 && strncasecmp(pattern, "on", 2) == 0) || (length == 3 && strncasecmp(pattern, "off", 3) == 0)))
        return (length == 2) == (tls != negated) ? ASKS_NOTHING : ASKS_NEVER;
    return ASKS_OTHER;
}

/* False: the rule is never met. */
static bool weigh(struct apache_rule *rule, bool tls)
{
    size_t handshakes = 0, contrary = 0, other = 0;

    for (size_t i = 0; i < rule->condition_count; i++) {
        switch (condition_asks(rule->conditions[i], tls)) {
        case ASKS_NEVER:
            return false;
        case ASKS_HANDSHAKE:
            handshakes++;
            break;
        case ASKS_NO_HANDSHAKE:
            contrary++;
            break;
        case ASKS_OTHER:
            other++;
            break;
        case ASKS_NOTHING:
            break;
        }
    }
    rule->always = handshakes + contrary + other == 0;
    rule->handshakes = handshakes > 0 && contrary + other == 0;
    rule->others = contrary > 0 && handshakes + other == 0;
    return true;
}

struct gathering {
    const struct apache_reader *reader;
    struct apache_rules *rules;
    const struct apache_node *section;
    const struct apache_node **conditions;
    size_t condition_count, condition_room;
    bool tls;
};

static int add_rule(struct gathering *to, const struct apache_node *node)
{
    const char *pattern = apache_arg(node, 0), *flags = apache_arg(node, 2);
    struct apache_rule rule = {
        .node = node,
        .section = to->section,
        .conditions = to->conditions,
        .condition_count = to->condition_count,
        .negated = *pattern == '!',
        .pattern = pattern + (*pattern == '!'),
        .target = apache_arg(node, 1),
        .proxies = has_flag(flags, "P", "proxy"),
        .ends = has_flag(flags, "R", "redirect") || has_flag(flags, "F", "forbidden") || has_flag(flags, "G", "gone"),
    };

    to->conditions = NULL;
    to->condition_count = to->condition_room = 0;
    if (!weigh(&rule, to->tls))
        return 0;

    struct apache_rule *grown =
        dr_arena_grow(to->reader->arena, to->rules->list, to->rules->count, sizeof(*grown), &to->rules->room);

    if (!grown)
        return -ENOMEM;
    to->rules->list = grown;
    grown[to->rules->count++] = rule;
    return 0;
}

static int take(struct gathering *to, const struct apache_node *node)
{
    if (apache_is(node, "RewriteCond"))
        return apache_push(to->reader->arena, &to->conditions, &to->condition_count, &to->condition_room, node) ? 0
                                                                                                                : -ENOMEM;
    return apache_is(node, "RewriteRule") ? add_rule(to, node) : 0;
}

/* RewriteEngine goes down to virtual hosts, whatever the manual says; the rules do not. */
static bool is_on(const struct apache_server *server)
{
    const struct apache_node *node = apache_server_directive(server, "RewriteEngine");

    return node && strcasecmp(apache_arg(node, 0), "on") == 0;
}

static bool has_option(const struct apache_server *server, const char *option)
{
    for (size_t i = 0; i < server->plain_count; i++)
        for (size_t j = 0; apache_is(server->plain[i], "RewriteOptions") && j < server->plain[i]->word_count; j++)
            if (strcasecmp(apache_arg(server->plain[i], j), option) == 0)
                return true;
    return false;
}

static int take_all(struct gathering *to, const struct apache_server *server)
{
    int r = 0;

    for (size_t i = 0; i < server->plain_count && r >= 0; i++)
        r = take(to, server->plain[i]);
    return r;
}

int apache_rules(const struct apache_reader *reader, const struct apache_server *server, struct apache_rules *ret_rules)
{
    struct gathering to = { .reader = reader, .rules = ret_rules, .tls = server->tls };
    const struct apache_server *main = server->main;
    bool down = main && !has_option(server, "IgnoreInherit");
    bool before = main && (has_option(server, "InheritBefore") || (down && has_option(main, "InheritDownBefore")));
    bool behind = main && !before && (has_option(server, "Inherit") || (down && has_option(main, "InheritDown")));
    int r = 0;

    *ret_rules = (struct apache_rules){ 0 };
    if (!apache_has_module(reader, "rewrite_module") || !is_on(server))
        return 0;
    if (before)
        r = take_all(&to, main);
    if (r >= 0)
        r = take_all(&to, server);
    return r >= 0 && behind ? take_all(&to, main) : r;
}

int apache_section_rules(const struct apache_reader *reader, const struct apache_node *section, bool tls,
                         struct apache_rules *ret_rules)
{
    struct gathering to = { .reader = reader, .rules = ret_rules, .section = section, .tls = tls };
    bool on = false;
    int r = 0;

    *ret_rules = (struct apache_rules){ 0 };
    if (!apache_has_module(reader, "rewrite_module"))
        return 0;
    for (const struct apache_node *node = section->first; node; node = node->next)
        if (apache_is(node, "RewriteEngine"))
            on = strcasecmp(apache_arg(node, 0), "on") == 0;
    for (const struct apache_node *node = section->first; on && node && r >= 0; node = node->next)
        r = take(&to, node);
    return r;
}
