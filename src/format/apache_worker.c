/*
 * Workers: where the parameters of ProxyPass really hold.
 *
 * A worker has the URL of the directive that made it. A ProxyPass whose URL begins with the URL of a worker that its server has
 * already shares that one, and its own parameters are ignored (AH01146). A request is carried out by the worker with the longest URL that
 * its own begins with, of the main server's and the virtual host's together; of two equal ones the main server's.
 */
#include "format/apache_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *apache_worker_url(struct dr_arena *arena, const char *url)
{
    const char *bar = strncasecmp(url, "unix:", 5) == 0 ? strchr(url, '|') : NULL;
    char *copy = dr_arena_strdup(arena, bar ? bar + 1 : url);
    char *path = copy ? strstr(copy, "://") : NULL;

    if (!path)
        return copy;
    path += 3;
    path += strcspn(path, "/");
    for (char *at = copy; at < path; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

static size_t host_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : strlen(url);
}

enum kinds { KIND_PREFIX = 1 << 0, KIND_MATCH = 1 << 1, KIND_BOTH = KIND_PREFIX | KIND_MATCH };

/* The length of "$1$2" at the beginning of a text. */
static size_t references(const char *text)
{
    size_t length = 0;

    while (text[length] == '$' && text[length + 1] >= '0' && text[length + 1] <= '9')
        length += 2;
    return length;
}

/* ap_proxy_strcmp_ematch: the URL begins with the pattern. What follows a reference may be found anywhere behind it. */
static bool matches(const char *url, const char *pattern)
{
    bool anywhere = false;

    while (*pattern) {
        size_t skip = references(pattern), literal = 1;

        if (skip > 0) {
            pattern += skip;
            anywhere = true;
            continue;
        }
        while (pattern[literal] && references(pattern + literal) == 0)
            literal++;
        while (anywhere && *url && strncmp(url, pattern, literal) != 0)
            url++;
        if (strncmp(url, pattern, literal) != 0)
            return false;
        url += literal;
        pattern += literal;
        anywhere = false;
    }
    return true;
}

static struct apache_worker *longest(struct apache_worker *workers, size_t count, const char *url, enum kinds kinds,
                                     size_t *best_length)
{
    struct apache_worker *best = NULL;
    size_t least = host_length(url), all = strlen(url);

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(workers[i].url);

        if (length > all || length < least || length <= *best_length ||
            !(kinds & (workers[i].match ? KIND_MATCH : KIND_PREFIX)))
            continue;
        if (workers[i].match ? !matches(url, workers[i].url) : strncmp(url, workers[i].url, length) != 0)
            continue;
        best = &workers[i];
        *best_length = length;
    }
    return best;
}

static struct apache_worker *find_or_make(struct apache_reader *reader, struct apache_worker **workers, size_t *count,
                                          size_t *room, const char *spelt, const struct apache_node *node, enum kinds kinds,
                                          bool *ret_shared)
{
    const char *url = apache_worker_url(reader->arena, spelt);
    size_t length = 0;
    struct apache_worker *found =
        url && apache_spend(reader, *count) ? longest(*workers, *count, url, kinds, &length) : NULL;

    *ret_shared = found != NULL;
    if (found || !url)
        return found;
    found = dr_arena_grow(reader->arena, *workers, *count, sizeof(*found), room);
    if (!found)
        return NULL;
    *workers = found;
    found += (*count)++;
    *found = (struct apache_worker){ .url = url, .match = kinds == KIND_MATCH, .node = node, .timeout = -1 };
    return found;
}

static void set_parameter(struct apache_worker *worker, const struct apache_node *node, const char *word)
{
    const char *value = strchr(word, '=');
    size_t length = value ? (size_t)(value++ - word) : 0;

    if (length == 7 && strncasecmp(word, "timeout", 7) == 0) {
        /* Whole seconds: atoi, so "5000ms" are 5000 seconds. */
        worker->timeout = strtol(value, NULL, 10);
        worker->timeout_node = node;
    } else if (length == 7 && strncasecmp(word, "upgrade", 7) == 0) {
        worker->upgrade = value;
        worker->upgrade_node = node;
    } else if (length == 12 && strncasecmp(word, "flushpackets", 12) == 0) {
        worker->flush = strcasecmp(value, "on") == 0;
    }
}

static void set_parameters(struct apache_worker *worker, const struct apache_node *node, size_t word)
{
    for (; word < node->word_count; word++)
        set_parameter(worker, node, apache_arg(node, word));
}

static bool is_balancer(const char *url)
{
    return strncasecmp(url, "balancer://", 11) == 0;
}

/* Its index, or balancer_count. */
static size_t balancer_index(const struct apache_server *server, const char *url)
{
    size_t length = host_length(url), i = 0;

    while (i < server->balancer_count &&
           (strlen(server->balancers[i].name) != length || strncasecmp(server->balancers[i].name, url, length) != 0))
        i++;
    return i;
}

static struct apache_balancer *balancer(struct apache_reader *reader, struct apache_server *server, const char *url)
{
    size_t index = balancer_index(server, url);
    struct apache_balancer *found;

    if (index < server->balancer_count)
        return &server->balancers[index];
    found = dr_arena_grow(reader->arena, server->balancers, server->balancer_count, sizeof(*found), &server->balancer_room);
    if (!found)
        return NULL;
    server->balancers = found;
    found += server->balancer_count++;
    *found = (struct apache_balancer){ .name = dr_arena_strndup(reader->arena, url, host_length(url)) };
    return found->name ? found : NULL;
}

static int add_member(struct apache_reader *reader, struct apache_server *server, const char *name,
                      const struct apache_node *node, size_t word)
{
    struct apache_balancer *to = balancer(reader, server, name);
    bool shared;
    struct apache_worker *member = to ? find_or_make(reader, &to->members, &to->member_count, &to->member_room,
                                                     apache_arg(node, word), node, KIND_BOTH, &shared)
                                      : NULL;

    if (!member)
        return -ENOMEM;
    if (!shared)
        set_parameters(member, node, word + 1);
    return 0;
}

static int add_worker(struct apache_reader *reader, struct apache_server *server, const struct apache_node *node,
                      size_t word, enum kinds kinds)
{
    const char *url = apache_arg(node, word);
    bool shared;
    struct apache_worker *worker;

    if (is_balancer(url))
        return balancer(reader, server, url) ? 0 : -ENOMEM;
    if (!strstr(url, "://"))
        return 0;
    worker = find_or_make(reader, &server->workers, &server->worker_count, &server->worker_room, url, node, kinds, &shared);
    if (!worker)
        return -ENOMEM;
    if (!shared || kinds == KIND_BOTH)
        set_parameters(worker, node, word + 1);
    return 0;
}

/* ProxySet and BalancerMember mean the section that they stand in, else their first word. */
static int add_setting(struct apache_reader *reader, struct apache_server *server, const struct apache_node *section,
                       const struct apache_node *node)
{
    bool inside = section && strncasecmp(section->name, "<Proxy", 6) == 0;
    const char *name = inside ? apache_arg(section, apache_section_word(section)) : apache_arg(node, 0);
    size_t word = inside ? 0 : 1;

    if (apache_is(node, "BalancerMember"))
        return is_balancer(name) ? add_member(reader, server, name, node, word) : 0;
    if (is_balancer(name) || !strstr(name, "://"))
        return 0;

    bool shared;
    struct apache_worker *worker =
        find_or_make(reader, &server->workers, &server->worker_count, &server->worker_room, name, node, KIND_BOTH, &shared);

    if (!worker)
        return -ENOMEM;
    set_parameters(worker, node, word);
    return 0;
}

static int walk(struct apache_reader *reader, struct apache_server *server, const struct apache_node *parent,
                const struct apache_node *section)
{
    int r = 0;

    for (const struct apache_node *node = parent->first; node && r >= 0; node = node->next) {
        bool match = apache_is(node, "ProxyPassMatch") || (section && apache_is(section, "<LocationMatch"));
        size_t tilde = strcmp(apache_arg(node, 0), "~") == 0 ? 1 : 0;

        if (apache_is(node, "<VirtualHost"))
            continue;
        if (apache_is(node, "ProxyPassMatch") || apache_is(node, "ProxyPass"))
            r = add_worker(reader, server, node, (section ? 0 : 1) + tilde, match || tilde ? KIND_MATCH : KIND_PREFIX);
        else if (apache_is(node, "ProxySet") || apache_is(node, "BalancerMember"))
            r = add_setting(reader, server, section, node);
        if (apache_is(node, "<Proxy") && node->word_count > 1 && strcmp(apache_arg(node, 0), "~") != 0)
            r = add_worker(reader, server, node, 0, KIND_BOTH);
        if (r >= 0 && node->section)
            r = walk(reader, server, node, apache_is(node, "<Limit") || apache_is(node, "<LimitExcept") ? section : node);
    }
    return r;
}

int apache_workers(struct apache_reader *reader, struct apache_server *server)
{
    return walk(reader, server, server->node ? server->node : reader->root, NULL);
}

const struct apache_worker *apache_worker_for(const struct apache_server *server, const char *url)
{
    size_t length = 0;
    const struct apache_worker *best =
        server->main ? longest(server->main->workers, server->main->worker_count, url, KIND_BOTH, &length) : NULL;
    const struct apache_worker *own = longest(server->workers, server->worker_count, url, KIND_BOTH, &length);

    return own ? own : best;
}

const struct apache_balancer *apache_balancer_for(const struct apache_server *server, const char *url)
{
    size_t index = server->main ? balancer_index(server->main, url) : 0;

    if (server->main && index < server->main->balancer_count)
        return &server->main->balancers[index];
    index = balancer_index(server, url);
    return index < server->balancer_count ? &server->balancers[index] : NULL;
}
