/* What is known of nginx's directives, so that a missing ';' or '{' is seen where it is missing and not where the file ends. */
#include "format/nginx_tree.h"

#include "base/text.h"

#include <string.h>

/* Blocks that hold keys and values, not directives. */
static bool holds_data(const struct dr_nginx_directive *block)
{
    static const char *const names[] = { "map", "geo", "types", "split_clients", "charset_map", "match" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (block->is_block && dr_nginx_is(block, names[i]))
            return true;
    return false;
}

/* Directives that are known never to be a block: a '{' behind one means that a ';' is missing. */
static bool is_simple(const char *name)
{
    static const char *const stems[] = { "proxy_",     "ssl_",        "fastcgi_", "uwsgi_",     "scgi_",
                                         "client_",    "map_hash_",   "server_",  "keepalive",  "variables_hash_",
                                         "worker_",    "gzip",        "error_",   "auth_basic", "access_",
                                         "add_header", "types_hash_", "pid",      "user",       "load_module" };
    static const char *const names[] = { "include", "listen",         "server_name",     "set",   "rewrite",  "return",
                                         "root",    "index",          "try_files",       "alias", "resolver", "allow",
                                         "deny",    "real_ip_header", "set_real_ip_from" };

    for (size_t i = 0; i < DR_COUNT(stems); i++)
        if (dr_text_starts_with(name, stems[i]))
            return !dr_text_ends_with(name, "_by_lua_block");
    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Directives that are known to be a block always; `server` is none in an upstream. */
static bool is_container(const char *name, const struct dr_nginx_directive *parent)
{
    static const char *const names[] = { "http", "events",       "stream", "server", "location", "upstream",
                                         "if",   "limit_except", "map",    "geo",    "types" };

    if (dr_nginx_is(parent, "upstream"))
        return false;
    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* How many words the directives have that routes are made of; nginx refuses others. 0: not known. */
static size_t words_of(const char *name)
{
    static const struct {
        const char *name;
        size_t words;
    } known[] = {
        { "proxy_pass", 2 },
        { "proxy_http_version", 2 },
        { "proxy_set_header", 3 },
        { "proxy_read_timeout", 2 },
        { "proxy_send_timeout", 2 },
        { "proxy_buffering", 2 },
        { "set", 3 },
        { "include", 2 },
        { "proxy_pass_request_headers", 2 },
        { "set_real_ip_from", 2 },
        { "real_ip_header", 2 },
        { "proxy_timeout", 2 },
    };

    for (size_t i = 0; i < DR_COUNT(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].words;
    return 0;
}

const char *dr_nginx_what_is_wrong(const struct dr_nginx_lexer *lexer, const struct dr_nginx_directive *parent,
                                   bool is_block)
{
    const char *name = lexer->words[0].text;
    size_t words = is_block ? 0 : words_of(name);

    if (holds_data(parent))
        return is_block ? "unexpected '{': there are no blocks in here" : NULL;
    if (is_block && (is_simple(name) || (dr_nginx_is(parent, "upstream") && strcmp(name, "server") == 0)))
        return dr_arena_format(lexer->arena, "';' is missing behind \"%s\": a '{' follows", name);
    if (!is_block && is_container(name, parent))
        return dr_arena_format(lexer->arena, "\"%s\" has no '{'", name);
    if (words && dr_text_starts_with(name, "proxy_") && strcmp(name, "proxy_pass") != 0 &&
        (dr_nginx_is(parent, "if") || dr_nginx_is(parent, "limit_except")))
        return dr_arena_format(lexer->arena, "\"%s\" is not allowed in \"%s\"", name, parent->words[0].text);
    if (words && words != lexer->word_count)
        return dr_arena_format(lexer->arena, "\"%s\" has %zu arguments, it takes %zu", name, lexer->word_count - 1,
                               words - 1);
    return NULL;
}
