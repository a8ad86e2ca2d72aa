/* The main server and its virtual hosts: addresses, names, TLS, and their directives outside and inside of sections. */
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

bool apache_push(struct dr_arena *arena, const struct apache_node ***list, size_t *count, size_t *room,
                 const struct apache_node *node)
{
    const struct apache_node **grown = dr_arena_grow(arena, *list, *count, sizeof(*grown), room);

    if (!grown)
        return false;
    grown[(*count)++] = node;
    *list = grown;
    return true;
}

const struct apache_node *apache_server_directive(const struct apache_server *server, const char *name)
{
    for (; server && apache_spend(server->reader, server->plain_count); server = server->main)
        for (size_t i = server->plain_count; i > 0; i--)
            if (apache_is(server->plain[i - 1], name))
                return server->plain[i - 1];
    return NULL;
}

/* Sections that only narrow down who may do something: what else stands in them holds for all. */
static bool is_transparent(const struct apache_node *node)
{
    return apache_is(node, "<Limit") || apache_is(node, "<LimitExcept");
}

static int gather(struct apache_reader *reader, struct apache_server *server, const struct apache_node *parent)
{
    for (const struct apache_node *node = parent->first; node; node = node->next) {
        bool kept = true;

        if (apache_is(node, "<VirtualHost"))
            continue;
        if (is_transparent(node) && parent == node->parent) {
            int r = gather(reader, server, node);

            if (r < 0)
                return r;
        } else if (node->section) {
            kept = apache_push(reader->arena, &server->sections, &server->section_count, &server->section_room, node);
        } else {
            kept = apache_push(reader->arena, &server->plain, &server->plain_count, &server->plain_room, node);
        }
        if (!kept)
            return -ENOMEM;
    }
    return 0;
}

static int gather_passes(struct apache_reader *reader, struct apache_server *server)
{
    for (size_t i = 0; i < server->plain_count; i++) {
        const struct apache_node *node = server->plain[i];
        bool match = apache_is(node, "ProxyPassMatch");

        if (!match && !apache_is(node, "ProxyPass"))
            continue;

        size_t word = strcmp(apache_arg(node, 0), "~") == 0 ? 1 : 0;
        struct apache_pass *grown =
            dr_arena_grow(reader->arena, server->passes, server->pass_count, sizeof(*grown), &server->pass_room);

        if (!grown)
            return -ENOMEM;
        server->passes = grown;
        grown[server->pass_count++] = (struct apache_pass){
            .node = node,
            .path = apache_arg(node, word),
            .regex = match || word > 0,
            .target_word = word + 1,
            .target = apache_arg(node, word + 1),
        };
    }
    return 0;
}

/* --- addresses -------------------------------------------------------------------------------------------------------------- */

/* "80", "*:80", "1.2.3.4:80", "[::1]:80", "name". `host` "": any. `port` "": any. */
struct address {
    const char *host;
    const char *port;
};

static struct address take_address(struct dr_arena *arena, const char *text)
{
    const char *colon = text[0] == '[' ? strchr(text, ']') : text;
    struct address address = { "", "" };

    colon = colon ? strrchr(colon, ':') : NULL;
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        address.port = text;
        return address;
    }
    if (colon)
        address.port = strcmp(colon + 1, "*") == 0 ? "" : colon + 1;
    address.host = dr_arena_strndup(arena, text, colon ? (size_t)(colon - text) : strlen(text));
    if (!address.host || strcmp(address.host, "*") == 0 || strcasecmp(address.host, "_default_") == 0)
        address.host = "";
    return address;
}

static bool is_any(const char *host)
{
    return *host == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0;
}

/* What arrives at a Listen can be meant for an address of a virtual host. */
static bool meet(struct address listen, struct address own)
{
    return (*own.port == '\0' || strcmp(own.port, listen.port) == 0) &&
           (is_any(own.host) || is_any(listen.host) || strcasecmp(own.host, listen.host) == 0);
}

/* A text and the NULL behind all. */
static bool add_text(const struct apache_reader *reader, const char ***list, size_t *count, size_t *room, const char *text)
{
    for (size_t i = 0; i < *count && apache_spend(reader, 1); i++)
        if (text && strcmp((*list)[i], text) == 0)
            return true;
    for (size_t more = 0; text && more < 2; more++) {
        const char **grown = dr_arena_grow(reader->arena, *list, *count + more, sizeof(*grown), room);

        if (!grown)
            return false;
        *list = grown;
        grown[*count + more] = more ? NULL : text;
    }
    *count += text != NULL;
    return text != NULL;
}

struct texts {
    const char **list;
    size_t count, room;
};

/* A wildcard Listen of Linux takes both families on one socket. */
static bool add_address(const struct apache_reader *reader, struct texts *to, struct address address)
{
    const char *port = *address.port ? address.port : "80";

    if (*address.host)
        return add_text(reader, &to->list, &to->count, &to->room,
                        dr_arena_format(reader->arena, "%s:%s", address.host, port));
    return add_text(reader, &to->list, &to->count, &to->room, dr_arena_format(reader->arena, "0.0.0.0:%s", port)) &&
           add_text(reader, &to->list, &to->count, &to->room, dr_arena_format(reader->arena, "[::]:%s", port));
}

static bool add_listens(const struct apache_reader *reader, const struct apache_server *main, struct address own,
                        struct texts *to)
{
    struct dr_arena *arena = reader->arena;
    bool found = false;

    for (size_t i = 0; i < main->plain_count && apache_spend(reader, 1); i++) {
        if (!apache_is(main->plain[i], "Listen"))
            continue;

        struct address listen = take_address(arena, apache_arg(main->plain[i], 0));

        if (!meet(listen, own))
            continue;
        found = true;
        if (*own.host && !is_any(own.host))
            listen.host = own.host;
        if (!add_address(reader, to, listen))
            return false;
    }
    /* A file of its own, without the Listen that belongs to it. */
    return found || add_address(reader, to, own);
}

/* The main server gets what no virtual host takes whole. */
static bool main_listens(const struct apache_reader *reader, const struct apache_tree *tree, struct texts *to)
{
    struct dr_arena *arena = reader->arena;
    const struct apache_server *main = &tree->servers[0];

    for (size_t i = 0; i < main->plain_count; i++) {
        struct address listen = take_address(arena, apache_arg(main->plain[i], 0));
        bool taken = !apache_is(main->plain[i], "Listen");

        for (size_t j = 1; !taken && j < tree->server_count && apache_spend(reader, 8); j++) {
            const struct apache_node *node = tree->servers[j].node;

            for (size_t k = 0; k < node->word_count && apache_spend(reader, 24); k++) {
                struct address own = take_address(arena, apache_arg(node, k));

                taken |= meet(listen, own) && (is_any(own.host) || strcasecmp(own.host, listen.host) == 0);
            }
        }
        if (!taken && !add_address(reader, to, listen))
            return false;
    }
    return true;
}

static bool has_address(const struct apache_reader *reader, const struct apache_server *server, struct address address)
{
    for (size_t i = 0; i < server->node->word_count && apache_spend(reader, 8); i++) {
        struct address own = take_address(reader->arena, apache_arg(server->node, i));

        if (strcasecmp(own.host, address.host) == 0 && strcmp(own.port, address.port) == 0)
            return true;
    }
    return false;
}

/* Of virtual hosts with one address the first takes what no name fits (httpd.apache.org/docs/2.4/vhosts/details.html). */
static bool is_first(const struct apache_reader *reader, const struct apache_tree *tree, size_t index)
{
    const struct apache_server *server = &tree->servers[index];

    for (size_t i = 0; server->node && i < server->node->word_count; i++) {
        struct address own = take_address(reader->arena, apache_arg(server->node, i));
        bool before = false;

        for (size_t j = 1; j < index && !before && apache_spend(reader, 8); j++)
            before = has_address(reader, &tree->servers[j], own);
        if (!before)
            return true;
    }
    return false;
}

static int name_server(struct apache_reader *reader, const struct apache_tree *tree, struct apache_server *server)
{
    struct texts listens = { 0 }, names = { 0 };
    const struct apache_server *main = &tree->servers[0];

    for (size_t i = 0; server->node && i < server->node->word_count; i++)
        if (!add_listens(reader, main, take_address(reader->arena, apache_arg(server->node, i)), &listens))
            return -ENOMEM;
    if (!server->node && !main_listens(reader, tree, &listens))
        return -ENOMEM;
    for (size_t i = 0; i < server->plain_count; i++) {
        const struct apache_node *node = server->plain[i];
        bool alias = apache_is(node, "ServerAlias");

        if (!alias && !apache_is(node, "ServerName"))
            continue;
        for (size_t j = 0; j < (alias ? node->word_count : node->word_count > 0); j++) {
            const char *name = apache_arg(node, j);
            const char *scheme = strstr(name, "://");

            name = scheme ? scheme + 3 : name;
            if (!add_text(reader, &names.list, &names.count, &names.room,
                          dr_arena_strndup(reader->arena, name, alias ? strlen(name) : strcspn(name, ":"))))
                return -ENOMEM;
        }
    }
    server->listens = listens.list;
    server->names = names.list;
    server->reachable =
        server->node || listens.count > 0 || (tree->server_count == 1 && !apache_server_directive(main, "Listen"));
    return 0;
}

/* SSLEngine decides; without it, a certificate and a Listen that speaks https (443 does by itself). */
static bool speaks_tls(const struct apache_reader *reader, const struct apache_server *server)
{
    const struct apache_node *engine = apache_server_directive(server, "SSLEngine");
    const struct apache_server *main = server->main ? server->main : server;

    if (!apache_has_module(reader, "ssl_module"))
        return false;
    if (engine)
        return strcasecmp(apache_arg(engine, 0), "off") != 0;
    if (!apache_server_directive(server, "SSLCertificateFile"))
        return false;
    for (const char *const *listen = server->listens; listen && *listen; listen++) {
        const char *port = strrchr(*listen, ':');

        if (port && strcmp(port, ":443") == 0)
            return true;
        for (size_t i = 0; port && i < main->plain_count; i++) {
            const struct apache_node *node = main->plain[i];
            size_t length = strlen(apache_arg(node, 0));

            if (apache_is(node, "Listen") && strcasecmp(apache_arg(node, 1), "https") == 0 && length + 1 >= strlen(port) &&
                strcmp(apache_arg(node, 0) + length - strlen(port) + 1, port + 1) == 0)
                return true;
        }
    }
    return false;
}

int apache_servers(struct apache_reader *reader, struct apache_tree *tree)
{
    const struct apache_node *node = NULL;
    size_t count = 1;

    for (node = reader->root->first; node; node = node->next)
        count += apache_is(node, "<VirtualHost");
    tree->servers = dr_arena_alloc(reader->arena, count * sizeof(*tree->servers));
    if (!tree->servers)
        return -ENOMEM;
    tree->servers[0].reader = reader;
    tree->server_count = 1;
    for (node = reader->root->first; node; node = node->next)
        if (apache_is(node, "<VirtualHost"))
            tree->servers[tree->server_count++] =
                (struct apache_server){ .reader = reader, .node = node, .main = &tree->servers[0] };
    for (size_t i = 0; i < tree->server_count; i++) {
        struct apache_server *server = &tree->servers[i];
        int r = gather(reader, server, server->node ? server->node : reader->root);

        if (r >= 0)
            r = gather_passes(reader, server);
        if (r >= 0)
            r = apache_workers(reader, server);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < tree->server_count; i++) {
        int r = name_server(reader, tree, &tree->servers[i]);

        if (r < 0)
            return r;
        tree->servers[i].any_name = is_first(reader, tree, i);
        tree->servers[i].tls = speaks_tls(reader, &tree->servers[i]);
    }
    return 0;
}
