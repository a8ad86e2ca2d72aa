/* The Caddyfile reader's entry: a file in, routes out. The parts are named in caddy_internal.h. */
#include "format/caddy_internal.h"

#include "base/buffer.h"

#include <stdarg.h>
#include <string.h>

enum { MOST_STEPS = 200000 };

struct dr_source caddy_source(const struct caddy_token *token)
{
    return (struct dr_source){ .path = token->place.file->path, .line = token->place.line, .column = token->place.column };
}

static void DR_PRINTF(4, 0)
    fault(struct caddy_reader *reader, const struct caddy_token *token, bool hides, const char *format, va_list arguments)
{
    struct dr_source source = token ? caddy_source(token) : (struct dr_source){ 0 };
    const char *text = dr_arena_vformat(reader->arena, format, arguments);
    const struct dr_proxy_gathering *gathering = &reader->gathering;

    /* A site with several addresses is walked through more than once. */
    for (size_t i = 0; text && i < gathering->fault_count; i++)
        if (gathering->faults[i].source.line == source.line && gathering->faults[i].source.column == source.column &&
            gathering->faults[i].source.path == source.path && strcmp(gathering->faults[i].text, text) == 0)
            return;
    dr_proxy_fault(&reader->gathering, token ? &source : NULL, hides, "%s", text ? text : "out of memory");
}

void caddy_fault(struct caddy_reader *reader, const struct caddy_token *token, bool hides, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fault(reader, token, hides, format, arguments);
    va_end(arguments);
}

bool caddy_stop(struct caddy_reader *reader, const struct caddy_token *token, const char *format, ...)
{
    va_list arguments;

    if (!reader->stopped) {
        va_start(arguments, format);
        fault(reader, token, true, format, arguments);
        va_end(arguments);
    }
    reader->stopped = true;
    return false;
}

/* {host} and so on (httpcaddyfile/httptype.go); those with a name of their own, {header.X}, keep it. */
const char *caddy_expand(struct dr_arena *arena, const char *text)
{
    static const struct {
        const char *from, *to;
    } shorthands[] = {
        { "{host}", "{http.request.host}" },
        { "{hostport}", "{http.request.hostport}" },
        { "{port}", "{http.request.port}" },
        { "{method}", "{http.request.method}" },
        { "{path}", "{http.request.uri.path}" },
        { "{query}", "{http.request.uri.query}" },
        { "{remote}", "{http.request.remote}" },
        { "{remote_host}", "{http.request.remote.host}" },
        { "{remote_port}", "{http.request.remote.port}" },
        { "{scheme}", "{http.request.scheme}" },
        { "{uri}", "{http.request.uri}" },
        { "{dir}", "{http.request.uri.path.dir}" },
        { "{file}", "{http.request.uri.path.file}" },
        { "{client_ip}", "{http.vars.client_ip}" }, /* v2.7.0 */
        { "{upstream_hostport}", "{http.reverse_proxy.upstream.hostport}" },
        { "{header.", "{http.request.header." },
        { "{cookie.", "{http.request.cookie." },
        { "{labels.", "{http.request.host.labels." },
        { "{path.", "{http.request.uri.path." },
        { "{query.", "{http.request.uri.query." },
        { "{re.", "{http.regexp." },
        { "{vars.", "{http.vars." },
        { "{rp.", "{http.reverse_proxy." },
        { "{tls_", "{http.request.tls." },
    };
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(DR_PROXY_FILE_CEILING);

    if (!strchr(text, '{'))
        return text;
    while (*text) {
        const char *from = "", *to = "";

        for (size_t i = 0; *text == '{' && i < DR_COUNT(shorthands) && !*from; i++) {
            if (strncmp(text, shorthands[i].from, strlen(shorthands[i].from)) != 0)
                continue;
            from = shorthands[i].from;
            to = shorthands[i].to;
        }
        int r = *from ? dr_buffer_append_text(&out, to) : dr_buffer_append_byte(&out, *text);

        if (r < 0)
            return NULL;
        text += *from ? strlen(from) : 1;
    }
    return dr_arena_strdup(arena, dr_buffer_text(&out));
}

static bool is_named_route(const struct caddy_block *block)
{
    return block->key_count == 1 && strncmp(block->keys[0].text, "&(", 2) == 0; /* v2.7.0 */
}

/* Where `caddy reload` finds the running one. */
static const char *admin_of(const struct caddy_options *options)
{
    const struct caddy_line *line = caddy_find(options->lines, "admin");

    if (!line || line->count < 2)
        return NULL;
    return strcmp(line->words[1].text, "off") == 0 ? "" : line->words[1].text;
}

/* Sites only: without the global options and named routes. */
static void read_sites(struct caddy_reader *reader)
{
    size_t count = 0;

    for (struct caddy_block *block = reader->blocks; block; block = block->next)
        count++;
    const struct caddy_block **sites = dr_arena_alloc(reader->arena, (count + 1) * sizeof(*sites));
    struct caddy_entry **entries = dr_arena_alloc(reader->arena, (count + 1) * sizeof(*entries));

    if (!sites || !entries) {
        reader->failed = true;
        return;
    }
    count = 0;
    for (struct caddy_block *block = reader->blocks; block; block = block->next) {
        if (block->key_count == 0 && block != reader->blocks && block->token_count > 0)
            caddy_fault(reader, &block->tokens[0], true,
                        "a block without an address holds global options and must be the first");
        else if (block->key_count > 0 && block->keys[0].text[0] == '@')
            caddy_fault(reader, &block->keys[0], true, "a matcher must stand inside of a site");
        else if (block->key_count > 0 && !is_named_route(block))
            sites[count++] = block;
    }
    caddy_site_entries(reader, sites, count, entries);
    for (size_t i = 0; i < count && !reader->failed; i++)
        caddy_walk_site(reader, sites[i], entries[i]);
}

static void read_caddyfile(struct caddy_reader *reader, const struct dr_proxy_file *file, const char *asked)
{
    (void)caddy_parse(reader, file, asked);
    if (reader->failed)
        return;
    for (struct caddy_block *block = reader->blocks; block; block = block->next) {
        bool ok;

        block->lines = caddy_lines(reader, block->tokens, block->token_count, &ok);
    }
    caddy_read_options(reader, reader->blocks && reader->blocks->key_count == 0 ? reader->blocks : NULL);
    reader->admin = admin_of(&reader->options);
    if (!reader->failed)
        read_sites(reader);
}

static int caddy_read(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                      struct dr_proxy_config *ret_config)
{
    struct caddy_reader *reader = dr_arena_alloc(loader->arena, sizeof(*reader)); /* stays: routes point at its options */

    (void)prefix; /* caddy knows no such thing: an import starts from the file that it stands in */
    if (!reader)
        return -ENOMEM;
    *reader = (struct caddy_reader){
        .loader = loader, .arena = loader->arena, .gathering = { .loader = loader }, .steps_left = MOST_STEPS
    };
    reader->last_block = &reader->blocks;
    *ret_config = (struct dr_proxy_config){ .kind = DR_PROXY_CADDY, .path = path };
    const struct dr_proxy_file *file = dr_proxy_load(&reader->gathering, path, NULL);

    if (file && caddy_is_json(file))
        caddy_read_json(reader, file);
    else if (file)
        read_caddyfile(reader, file, path);
    if (reader->failed)
        return -ENOMEM;
    ret_config->admin = reader->admin;
    return dr_proxy_gathered(&reader->gathering, ret_config);
}

const struct dr_proxy_format dr_caddy_format = { .kind = DR_PROXY_CADDY, .read = caddy_read, .mend = caddy_mend };
