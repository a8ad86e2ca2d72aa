/* mod_macro: <Macro name $a %b> ... </Macro> and Use. A macro's text is replaced before anything else is made of it. */
#include "base/buffer.h"
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define BODY_CEILING ((size_t)4 << 20)

static struct apache_macro *find(struct apache_reader *reader, const char *name)
{
    for (struct apache_macro *macro = reader->macros; macro && apache_spend(reader, 1); macro = macro->next)
        if (strcasecmp(macro->name, name) == 0)
            return macro;
    return NULL;
}

static void take_words(struct apache_reader *reader, const struct apache_line *line, struct apache_word **ret_words,
                       size_t *ret_count)
{
    struct apache_word word;
    size_t at = 0, room = 0;

    *ret_words = NULL;
    *ret_count = 0;
    while (apache_word_next(reader->arena, line, &at, &word)) {
        struct apache_word *grown = dr_arena_grow(reader->arena, *ret_words, *ret_count, sizeof(*grown), &room);

        if (!grown) {
            reader->no_memory = true;
            return;
        }
        *ret_words = grown;
        grown[(*ret_count)++] = word;
    }
}

/* Lines up to the </Macro> that belongs to it, each joined and trimmed. 0: it is not there. */
static int take_body(struct apache_reader *reader, struct apache_source *source, struct dr_buffer *body)
{
    struct apache_line line;
    unsigned depth = 1;
    int r;

    while ((r = apache_line_next(reader->arena, source, &line)) > 0) {
        if (strncasecmp(line.text, "</Macro>", 8) == 0 && --depth == 0)
            return 1;
        if (strncasecmp(line.text, "<Macro", 6) == 0 && strchr(" \t>", line.text[6]))
            depth++;
        r = dr_buffer_append(body, line.text, line.length);
        if (r >= 0)
            r = dr_buffer_append_byte(body, '\n');
        if (r < 0)
            return r;
    }
    return r;
}

void apache_macro_define(struct apache_reader *reader, struct apache_source *source, const struct apache_line *line)
{
    _cleanup_buffer_ struct dr_buffer body = DR_BUFFER(BODY_CEILING);
    struct apache_macro *macro = dr_arena_alloc(reader->arena, sizeof(*macro));
    struct apache_line inner = *line;
    const char *end = strrchr(line->text, '>');
    struct apache_word *words;
    struct dr_source from;
    size_t count;

    apache_line_source(source, line, &from);
    if (end)
        inner.length = (size_t)(end - line->text);
    inner.text = dr_arena_strndup(reader->arena, line->text, inner.length);
    if (!macro || !inner.text) {
        reader->no_memory = true;
        return;
    }
    take_words(reader, &inner, &words, &count);
    int r = take_body(reader, source, &body);

    if (r <= 0 || count < 2) {
        dr_proxy_fault(&reader->gathering, &from, true,
                       r == 0 ? "<Macro> is not closed" : "<Macro> has no name or is too large");
        return;
    }
    /* httpd lets a second definition stand for the first, with a warning. */
    *macro = (struct apache_macro){
        .name = words[1].text,
        .arguments = words + 2,
        .argument_count = count - 2,
        .body = dr_arena_strndup(reader->arena, dr_buffer_text(&body), body.length),
        .body_length = body.length,
        .next = reader->macros,
    };
    reader->no_memory |= !macro->body;
    reader->macros = macro;
}

void apache_macro_forget(struct apache_reader *reader, const char *name)
{
    struct apache_macro *macro = find(reader, name);

    if (macro)
        macro->name = "";
}

/* The argument that stands at `text`: the longest one. -1: none. */
static int argument_at(const struct apache_macro *macro, const char *text)
{
    int best = -1;
    size_t longest = 0;

    for (size_t i = 0; i < macro->argument_count; i++) {
        size_t length = strlen(macro->arguments[i].text);

        if (length > longest && strncmp(text, macro->arguments[i].text, length) == 0) {
            best = (int)i;
            longest = length;
        }
    }
    return best;
}

static int expand(const struct apache_macro *macro, const struct apache_word *values, struct dr_buffer *text)
{
    for (size_t i = 0; i < macro->body_length;) {
        int argument = argument_at(macro, macro->body + i);
        int r;

        if (argument < 0) {
            r = dr_buffer_append_byte(text, macro->body[i++]);
        } else {
            r = dr_buffer_append_text(text, values[argument].text);
            i += strlen(macro->arguments[argument].text);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

void apache_macro_use(struct apache_reader *reader, const struct apache_source *source, const struct apache_line *line,
                      struct apache_node *parent)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(BODY_CEILING);
    struct apache_word *words;
    struct dr_source from;
    size_t count;

    apache_line_source(source, line, &from);
    take_words(reader, line, &words, &count);

    struct apache_macro *macro = count > 1 ? find(reader, words[1].text) : NULL;

    if (!macro || macro->argument_count != count - 2) {
        dr_proxy_fault(&reader->gathering, &from, true,
                       macro ? "Use %s: another number of arguments" : "Use %s: no such macro",
                       count > 1 ? words[1].text : "");
        return;
    }
    if (macro->used_now || reader->macro_depth == APACHE_MACROS || expand(macro, words + 2, &text) < 0) {
        dr_proxy_fault(&reader->gathering, &from, true,
                       macro->used_now ? "macro %s uses itself" : "macro %s becomes too large or lies too deep",
                       macro->name);
        return;
    }
    const char *bytes = dr_arena_strndup(reader->arena, dr_buffer_text(&text), text.length);
    struct apache_source made = { .file = source->file, .bytes = bytes, .length = text.length, .use = line };

    if (!bytes) {
        reader->no_memory = true;
        return;
    }
    macro->used_now = true;
    reader->macro_depth++;
    apache_read_source(reader, &made, parent);
    reader->macro_depth--;
    macro->used_now = false;
}
