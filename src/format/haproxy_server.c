/* The lines "server", "server-template", "default-server", "dispatch" and "bind" (manual 2.6, section 5). */
#include "format/haproxy_proxy.h"

#include <arpa/inet.h>
#include <string.h>

static size_t first_parameter(const struct haproxy_line *line)
{
    if (dr_haproxy_is(line, 0, "default-server"))
        return 1;
    return dr_haproxy_is(line, 0, "server-template") ? 4 : 3;
}

static void take_parameter(struct haproxy_server *server, const struct haproxy_line *line, const char *word,
                           const char *value)
{
    if (strcmp(word, "ssl") == 0 || strcmp(word, "no-ssl") == 0) {
        server->tls = word[0] == 's';
    } else if (strcmp(word, "proto") == 0) {
        server->proto = value;
        server->proto_line = line;
    } else if (strcmp(word, "alpn") == 0) {
        server->alpn = value;
        server->alpn_line = line;
    } else if (strcmp(word, "ws") == 0) {
        server->ws = value;
    } else if (strcmp(word, "disabled") == 0 || strcmp(word, "enabled") == 0) {
        server->off = word[0] == 'd';
    } else if (strncmp(word, "send-proxy", 10) == 0) {
        server->send_proxy = line;
    } else if (strncmp(word, "no-send-proxy", 13) == 0) {
        server->send_proxy = NULL;
    }
}

static void take_parameters(struct haproxy_server *server, const struct haproxy_line *line)
{
    for (size_t i = first_parameter(line); i < line->count; i++) {
        int arguments = dr_haproxy_server_arguments(line->words[i].text);

        take_parameter(server, line, line->words[i].text, dr_haproxy_word(line, i + 1));
        i += arguments > 0 ? (size_t)arguments : 0;
    }
}

bool dr_haproxy_server(struct haproxy_proxies *proxies, const struct haproxy_proxy *proxy, size_t index,
                       struct haproxy_server *ret_server)
{
    const struct haproxy_line *line = proxy->servers.list[index];
    bool dispatch = dr_haproxy_is(line, 0, "dispatch");

    *ret_server = (struct haproxy_server){ .line = line, .ws = "auto" };
    if (dr_haproxy_is(line, 0, "default-server"))
        return false;
    ret_server->address_word = dispatch ? 1 : dr_haproxy_is(line, 0, "server-template") ? 3 : 2;
    for (size_t i = 0; i < index && !dispatch; i++)
        if (dr_haproxy_is(proxy->servers.list[i], 0, "default-server"))
            take_parameters(ret_server, proxy->servers.list[i]);
    if (!dispatch)
        take_parameters(ret_server, line);
    return dr_haproxy_address(proxies->tree, dr_haproxy_word(line, ret_server->address_word), &ret_server->address);
}

static void check_words(struct haproxy_tree *tree, const struct haproxy_line *line, size_t first,
                        int (*arguments_of)(const char *word))
{
    for (size_t i = first; i < line->count; i++) {
        int arguments = arguments_of(line->words[i].text);

        if (arguments < 0) {
            dr_haproxy_fault(tree, line, i, true, "'%.40s' is no word for a '%s' line", line->words[i].text,
                             line->words[0].text);
            return;
        }
        if (i + (size_t)arguments >= line->count)
            dr_haproxy_fault(tree, line, i, true, "'%.40s' needs a value", line->words[i].text);
        i += (size_t)arguments;
    }
}

static void check_server(struct haproxy_tree *tree, const struct haproxy_line *line)
{
    size_t first = first_parameter(line);
    struct haproxy_address address;

    if (dr_haproxy_is(line, 0, "dispatch")) {
        if (line->count < 2 || !dr_haproxy_address(tree, line->words[1].text, &address))
            dr_haproxy_fault(tree, line, 1, true, "'dispatch' needs an address and a port");
        return;
    }
    if (line->count < first)
        dr_haproxy_fault(tree, line, 0, true, "'%s' needs a name and an address", line->words[0].text);
    else if (first > 1 && !dr_haproxy_address(tree, line->words[first - 1].text, &address))
        dr_haproxy_fault(tree, line, first - 1, true, "'%.60s' is no address", line->words[first - 1].text);
    check_words(tree, line, first, dr_haproxy_server_arguments);
}

void dr_haproxy_check_proxy(struct haproxy_proxies *proxies, const struct haproxy_proxy *proxy)
{
    struct haproxy_bind bind;

    for (size_t i = 0; i < proxy->section->count; i++) {
        const struct haproxy_line *line = &proxy->section->lines[i];

        if (dr_haproxy_is(line, 0, "server") || dr_haproxy_is(line, 0, "server-template") ||
            dr_haproxy_is(line, 0, "default-server") || dr_haproxy_is(line, 0, "dispatch")) {
            check_server(proxies->tree, line);
        } else if (dr_haproxy_is(line, 0, "bind")) {
            if (dr_haproxy_bind(proxies->tree, line, &bind) == -EINVAL)
                dr_haproxy_fault(proxies->tree, line, 1, true, "'%.60s' is no address to bind to", dr_haproxy_word(line, 1));
            check_words(proxies->tree, line, 2, dr_haproxy_bind_arguments);
        }
    }
}

/* --- bind --------------------------------------------------------------------------------------------------------------- */

static const char *show_listen(struct dr_arena *arena, const struct haproxy_address *address, bool both)
{
    unsigned char scratch[16];
    const char *host = address->host[0] != '\0' ? address->host : both ? "::" : "0.0.0.0";
    const char *shape = inet_pton(AF_INET6, host, scratch) == 1 ? "[%s]:%u" : "%s:%u";
    bool six = shape[0] == '[';

    if (address->kind == HAPROXY_UNIX)
        return dr_arena_format(arena, "unix:%s", address->host);
    if (address->kind == HAPROXY_STRANGE)
        return address->host;
    if (address->last_port != address->port)
        return dr_arena_format(arena, six ? "[%s]:%u-%u" : "%s:%u-%u", host, address->port, address->last_port);
    return dr_arena_format(arena, six ? "[%s]:%u" : "%s:%u", host, address->port);
}

static bool has_flag(const struct haproxy_line *line, const char *flag)
{
    for (size_t i = 2; i < line->count; i++) {
        int arguments = dr_haproxy_bind_arguments(line->words[i].text);

        if (dr_haproxy_is(line, i, flag))
            return true;
        i += arguments > 0 ? (size_t)arguments : 0;
    }
    return false;
}

int dr_haproxy_bind(const struct haproxy_tree *tree, const struct haproxy_line *line, struct haproxy_bind *ret_bind)
{
    struct dr_arena *arena = tree->gathering->loader->arena;
    const char *text = dr_haproxy_word(line, 1);
    bool both = has_flag(line, "v4v6") || has_flag(line, "v6only");
    size_t most = 2;

    for (const char *comma = text; (comma = strchr(comma, ',')); comma++)
        most++;
    const char **listens = dr_arena_alloc(arena, most * sizeof(*listens));

    *ret_bind = (struct haproxy_bind){ .tls = has_flag(line, "ssl"),
                                       .accepts_proxy = has_flag(line, "accept-proxy"),
                                       .listens = listens };
    if (!listens)
        return -ENOMEM;
    while (*text) {
        size_t length = strcspn(text, ",");
        struct haproxy_address address;
        const char *one = dr_arena_strndup(arena, text, length);

        if (!one)
            return -ENOMEM;
        text += length + (text[length] == ',');
        if (!dr_haproxy_address(tree, one, &address) || (address.kind == HAPROXY_INET && address.port == 0))
            return -EINVAL;
        listens[ret_bind->count] = show_listen(arena, &address, both);
        if (!listens[ret_bind->count])
            return -ENOMEM;
        ret_bind->port = ++ret_bind->count == 1 && address.port == address.last_port ? address.port : 0;
    }
    return ret_bind->count > 0 ? 0 : -EINVAL;
}
