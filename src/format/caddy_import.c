/* What `import` puts in place: a snippet, a file, or the files that a pattern names; with {args.0} and {args[0]} filled. */
#include "format/caddy_internal.h"

#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct importing {
    struct caddy_reader *reader;
    const struct caddy_token *words;
    size_t count;
    const struct caddy_token *block;
    size_t block_count;
    const char *from; /* node of the import graph */
    struct caddy_token *out;
    size_t out_count, room;
};

static bool out_of_memory(struct caddy_reader *reader)
{
    reader->failed = true;
    return false;
}

static bool reaches(const struct caddy_reader *reader, const char *from, const char *to, unsigned depth)
{
    if (strcmp(from, to) == 0)
        return true;
    for (const struct caddy_edge *edge = reader->edges; edge && depth < DR_PROXY_DEPTH; edge = edge->next)
        if (strcmp(edge->from, from) == 0 && reaches(reader, edge->to, to, depth + 1))
            return true;
    return false;
}

/* Notes that `from` imports `to`. A cycle is an error of caddy's, whether it would end or not. */
static bool note_edge(struct importing *importing, const char *to)
{
    struct caddy_reader *reader = importing->reader;

    for (const struct caddy_edge *edge = reader->edges; edge; edge = edge->next)
        if (strcmp(edge->from, importing->from) == 0 && strcmp(edge->to, to) == 0)
            return true;
    if (reaches(reader, to, importing->from, 0))
        return caddy_stop(reader, &importing->words[0], "import loop: \"%.200s\" is imported from within itself",
                          importing->words[1].text);
    struct caddy_edge *edge = dr_arena_alloc(reader->arena, sizeof(*edge));

    if (!edge)
        return out_of_memory(reader);
    *edge = (struct caddy_edge){ .from = importing->from, .to = to, .next = reader->edges };
    reader->edges = edge;
    return true;
}

static const char *node_name(struct dr_arena *arena, const struct dr_proxy_file *file, const char *snippet)
{
    return snippet ? dr_arena_format(arena, "%s:%s", file->path, snippet) : file->path;
}

/* "{args.N}" or "{args[N]}" at `text`: its length and N; 0: something else. */
static size_t argument_at(const char *text, size_t *ret_index)
{
    static const struct {
        const char *open, *close;
    } forms[] = { { "{args.", "}" }, { "{args[", "]}" } };

    for (size_t i = 0; i < DR_COUNT(forms); i++) {
        size_t open = strlen(forms[i].open), digits;

        if (strncmp(text, forms[i].open, open) != 0)
            continue;
        digits = strspn(text + open, "0123456789");
        if (digits == 0 || digits > 4 || strncmp(text + open + digits, forms[i].close, strlen(forms[i].close)) != 0)
            continue;
        *ret_index = strtoul(text + open, NULL, 10);
        return open + digits + strlen(forms[i].close);
    }
    return 0;
}

/*
 * caddy's replacer: known placeholders are filled, others stay; a backslash in front of a brace goes away as soon as the text
 * holds a '{'.
 */
static bool fill(struct importing *importing, struct caddy_token *token)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(DR_PROXY_FILE_CEILING);
    const char *text = token->text;
    size_t index, length = argument_at(text, &index);

    if (!strchr(text, '{'))
        return true;
    if (length == strlen(text) &&
        index + 2 < importing->count) { /* nothing but the argument: it can be edited where it stands */
        const struct caddy_token *argument = &importing->words[index + 2];

        token->text = argument->text;
        token->place = argument->place;
        token->breaks = argument->breaks;
        return true;
    }
    for (const char *at = text; *at;) {
        bool escaped = at > text && at[-1] == '\\' && (*at == '{' || *at == '}');

        if (escaped && out.length > 0)
            out.length--;
        length = *at == '{' && !escaped ? argument_at(at, &index) : 0;
        int r = length && index + 2 < importing->count ? dr_buffer_append_text(&out, importing->words[index + 2].text)
                                                       : dr_buffer_append(&out, at, length ? length : 1);

        if (r < 0)
            return out_of_memory(importing->reader);
        at += length ? length : 1;
    }
    if (strcmp(text, dr_buffer_text(&out)) == 0)
        return true;
    token->text = dr_arena_strdup(importing->reader->arena, dr_buffer_text(&out));
    token->place.verbatim = false;
    token->breaks = 0;
    for (const char *at = token->text; at && *at; at++)
        token->breaks += *at == '\n';
    return token->text || out_of_memory(importing->reader);
}

static bool add(struct importing *importing, const struct caddy_token *tokens, size_t count, bool filled)
{
    struct caddy_reader *reader = importing->reader;

    for (size_t i = 0; i < count; i++) {
        if (++reader->tokens_made > CADDY_TOKENS)
            return caddy_stop(reader, &importing->words[0], "more than %d words; this import was not carried out",
                              CADDY_TOKENS);
        if (filled && strcmp(tokens[i].text, "{block}") == 0) { /* v2.9.0 */
            if (!add(importing, importing->block, importing->block_count, false))
                return false;
            continue;
        }
        struct caddy_token *grown =
            dr_arena_grow(reader->arena, importing->out, importing->out_count, sizeof(*grown), &importing->room);

        if (!grown)
            return out_of_memory(reader);
        importing->out = grown;
        struct caddy_token *token = &grown[importing->out_count++];

        *token = tokens[i];
        token->imported = true;
        if (filled && !fill(importing, token))
            return false;
    }
    return true;
}

static bool add_file(struct importing *importing, const char *path)
{
    struct caddy_reader *reader = importing->reader;
    struct dr_source source = caddy_source(&importing->words[0]);
    const struct dr_proxy_file *file = dr_proxy_load(&reader->gathering, path, &source);
    const struct caddy_token *tokens;
    size_t count;

    if (!file) {
        reader->stopped = true;
        return false;
    }
    return note_edge(importing, file->path) && caddy_tokenize(reader, file, path, &tokens, &count) &&
           add(importing, tokens, count, true);
}

static char *absolute(struct caddy_reader *reader, const struct caddy_token *word)
{
    const char *path = word->asked, *slash = strrchr(path, '/');
    _cleanup_free_ char *folder = strndup(path, slash ? (size_t)(slash - path) + (slash == path) : 0);
    _cleanup_free_ char *joined = folder ? dr_path_join(folder, word->text) : NULL;
    _cleanup_free_ char *clean = joined ? dr_path_clean(joined) : NULL;

    return clean ? dr_arena_strdup(reader->arena, clean) : NULL;
}

static size_t occurrences(const char *text, char c)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == c;
    return count;
}

static bool add_files(struct importing *importing)
{
    struct caddy_reader *reader = importing->reader;
    const struct caddy_token *word = &importing->words[1];
    char *path = absolute(reader, word);
    const char *const *found = NULL;

    if (!path)
        return out_of_memory(reader);
    if (occurrences(path, '*') > 1 || occurrences(path, '?') > 1 || (strchr(path, '[') && strchr(path, ']')))
        return caddy_stop(reader, word, "a pattern of import may hold one '*' only: %.200s", path);
    if (!path[strcspn(path, "*?[]")])
        return add_file(importing, path);
    int r = reader->loader->expand(reader->loader->user, path, &found);

    if (r < 0)
        return caddy_stop(reader, word, "the files that %.200s names could not be listed", path);
    for (size_t i = 0; found && found[i]; i++)
        if (!add_file(importing, found[i]))
            return false;
    return true;
}

bool caddy_import(struct caddy_reader *reader, const struct caddy_token *words, size_t count,
                  const struct caddy_token *block, size_t block_count, const struct caddy_token **ret_tokens,
                  size_t *ret_count)
{
    struct importing importing = {
        .reader = reader, .words = words, .count = count, .block = block, .block_count = block_count
    };
    const struct caddy_snippet *snippet = NULL;
    bool ok;

    if (count < 2 || words[1].text[0] == '\0')
        return caddy_stop(reader, &words[0], "import without the name of a snippet or file");
    const struct caddy_token *last = &words[count - 1];

    importing.from = node_name(reader->arena, last->file, last->snippet);
    if (!importing.from)
        return out_of_memory(reader);
    for (const struct caddy_snippet *known = reader->snippets; known && !snippet; known = known->next)
        if (strcmp(known->name, words[1].text) == 0)
            snippet = known;
    if (snippet && snippet->count > 0) {
        const char *node = node_name(reader->arena, snippet->tokens[0].file, snippet->name);

        ok = node ? note_edge(&importing, node) && add(&importing, snippet->tokens, snippet->count, true)
                  : out_of_memory(reader);
    } else {
        ok = snippet || add_files(&importing);
    }
    *ret_tokens = importing.out;
    *ret_count = importing.out_count;
    return ok;
}
