/* Matchers: "*", "/path*", "@name" and what a name stands for (caddyhttp/matchers.go, v2.6.2). */
#include "format/caddy_internal.h"

#include "base/buffer.h"

#include <string.h>

enum { MOST_TEXT = 2000 };

static const char *const known[] = {
    "client_ip" /* v2.7.0 */,
    "expression",
    "file",
    "header",
    "header_regexp",
    "host",
    "method",
    "not",
    "path",
    "path_regexp",
    "protocol",
    "query",
    "tls",
    "vars",
    "vars_regexp",
    "remote_ip",
    "remote_host" /* plugin */
};

void caddy_match_path(struct dr_arena *arena, const char *path, struct caddy_match *ret_match)
{
    size_t length = strlen(path);
    const char *star = strchr(path, '*');

    if (strchr(path, '{') || (star && star[1] != '\0')) {
        ret_match->more = true;
    } else if (star) {
        ret_match->path = dr_arena_strndup(arena, path, length - 1);
        ret_match->all = length <= 1 || strcmp(path, "/*") == 0;
    } else {
        ret_match->exact = path;
    }
}

static int append_words(struct dr_buffer *out, const struct caddy_token *words, size_t count)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < count; i++)
        r = dr_buffer_appendf(out, "%s%s", out->length && out->data[out->length - 1] != ' ' ? " " : "", words[i].text);
    return r;
}

/* "path /a/ *; header X y" */
static const char *spelt(struct caddy_reader *reader, const struct caddy_token *words, size_t count,
                         const struct caddy_line *lines)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MOST_TEXT);
    int r = append_words(&out, words, count);

    for (; r >= 0 && lines; lines = lines->next) {
        if (out.length)
            r = dr_buffer_append_text(&out, "; ");
        if (r >= 0)
            r = append_words(&out, lines->words, lines->count);
        if (r >= 0 && lines->lines)
            r = dr_buffer_append_text(&out, " { ... }");
    }
    /* too long: what fitted is enough to recognise it by */
    return dr_arena_strdup(reader->arena, dr_buffer_text(&out));
}

static bool check_name(struct caddy_reader *reader, const struct caddy_token *word)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], word->text) == 0)
            return true;
    caddy_fault(reader, word, true, "unknown matcher \"%.200s\"", word->text);
    return false;
}

static bool check_arguments(struct caddy_reader *reader, const struct caddy_token *words, size_t count)
{
    const char *name = words[0].text;
    bool wrong = false;

    if (strcmp(name, "header") == 0)
        wrong = count < 2 || (words[1].text[0] == '!' ? count != 2 || !words[1].text[1] : count < 3);
    else if (strcmp(name, "header_regexp") == 0)
        wrong = count < 3;
    else if (strcmp(name, "path_regexp") == 0)
        wrong = count < 2 || count > 3;
    else if (strcmp(name, "protocol") == 0)
        wrong = count < 2;
    for (size_t i = 1; i < count && strcmp(name, "query") == 0; i++)
        wrong = wrong || (words[i].text[0] && !strchr(words[i].text, '='));
    if (wrong)
        caddy_fault(reader, &words[0], true, "the matcher %s does not take these words", name);
    return !wrong;
}

struct gathered {
    const struct caddy_token *path; /* the only one */
    size_t path_count;
    const char **hosts;
    size_t host_count;
    bool more;
};

static void gather(struct caddy_reader *reader, struct gathered *gathered, const struct caddy_token *words, size_t count,
                   bool block)
{
    const char *name = words[0].text;

    if (!check_name(reader, &words[0]) || !check_arguments(reader, words, count))
        return;
    if (block && strcmp(name, "not") != 0 && strcmp(name, "file") != 0 && strcmp(name, "expression") != 0)
        caddy_fault(reader, &words[0], true, "the matcher %s does not take a block", name);
    if (strcmp(name, "path") == 0) {
        gathered->path_count += count - 1;
        if (count > 1)
            gathered->path = &words[1];
    } else if (strcmp(name, "host") == 0) {
        const char **hosts = dr_arena_alloc(reader->arena, (gathered->host_count + count) * sizeof(*hosts));

        if (!hosts)
            return;
        if (gathered->host_count)
            memcpy(hosts, gathered->hosts, gathered->host_count * sizeof(*hosts));
        for (size_t i = 1; i < count; i++)
            hosts[gathered->host_count++] = words[i].text;
        gathered->hosts = hosts; /* ends with NULL: one more than there are words */
    } else {
        gathered->more = true;
    }
}

/* @name path /x/ *    @name { ... }    @name `expression` */
static void read_definition(struct caddy_reader *reader, const struct caddy_line *line, struct caddy_match *match)
{
    struct gathered gathered = { 0 };

    *match = (struct caddy_match){ .text = spelt(reader, line->words + 1, line->count - 1, line->lines) };
    if (line->count > 1 && line->words[1].quote) {
        match->more = true;
        return;
    }
    if (line->count > 1)
        gather(reader, &gathered, line->words + 1, line->count - 1, line->open != NULL);
    else
        for (const struct caddy_line *inner = line->lines; inner; inner = inner->next)
            gather(reader, &gathered, inner->words, inner->count, inner->open != NULL);
    match->more = gathered.more || gathered.path_count > 1;
    match->hosts = gathered.hosts;
    if (gathered.path_count == 1)
        caddy_match_path(reader->arena, gathered.path->text, match);
    match->all = !match->more && !match->hosts && (match->all || gathered.path_count == 0);
}

static const struct caddy_scope *find(const struct caddy_scope *scope, const char *name)
{
    while (scope && strcmp(scope->name->text, name) != 0)
        scope = scope->outer;
    return scope;
}

const struct caddy_scope *caddy_scope(struct caddy_reader *reader, const struct caddy_line *lines,
                                      const struct caddy_scope *outer)
{
    for (; lines; lines = lines->next) {
        struct caddy_scope *scope;

        if (caddy_name(lines)[0] != '@')
            continue;
        if (find(outer, caddy_name(lines))) {
            caddy_fault(reader, &lines->words[0], true, "the matcher %.200s is defined twice", caddy_name(lines));
            continue;
        }
        scope = dr_arena_alloc(reader->arena, sizeof(*scope));
        if (!scope)
            return outer;
        *scope = (struct caddy_scope){ .name = &lines->words[0], .outer = outer };
        read_definition(reader, lines, &scope->match);
        outer = scope;
    }
    return outer;
}

bool caddy_matcher(struct caddy_reader *reader, const struct caddy_scope *scope, const struct caddy_token *word,
                   struct caddy_match *ret_match)
{
    *ret_match = (struct caddy_match){ .text = word->text };
    if (strcmp(word->text, "*") == 0) {
        ret_match->all = true;
        return true;
    }
    if (word->text[0] == '/') {
        caddy_match_path(reader->arena, word->text, ret_match);
        return true;
    }
    if (word->text[0] != '@')
        return false;
    const struct caddy_scope *found = find(scope, word->text);

    if (found) {
        *ret_match = found->match;
    } else {
        caddy_fault(reader, word, true, "the matcher %.200s is not defined", word->text);
        ret_match->more = true;
    }
    return true;
}
