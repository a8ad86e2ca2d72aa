/* Words of a line, and faults at them. */
#include "format/haproxy_tree.h"

#include <stdarg.h>
#include <string.h>

const char *dr_haproxy_word(const struct haproxy_line *line, size_t index)
{
    return index < line->count ? line->words[index].text : "";
}

bool dr_haproxy_is(const struct haproxy_line *line, size_t index, const char *word)
{
    return strcmp(dr_haproxy_word(line, index), word) == 0;
}

struct dr_source dr_haproxy_source(const struct haproxy_line *line, size_t word)
{
    uint64_t at = word < line->count ? line->words[word].offset : line->offset;

    return (struct dr_source){ .path = line->file->path, .line = line->number, .column = (unsigned)(at - line->offset) + 1 };
}

const char *dr_haproxy_join(struct dr_arena *arena, const struct haproxy_line *line, size_t from, size_t to)
{
    size_t length = 1;

    if (to > line->count)
        to = line->count;
    for (size_t i = from; i < to; i++)
        length += strlen(line->words[i].text) + 1;

    char *text = dr_arena_alloc(arena, length);
    size_t at = 0;

    if (!text)
        return "";
    for (size_t i = from; i < to; i++) {
        size_t piece = strlen(line->words[i].text);

        if (at > 0)
            text[at++] = ' ';
        memcpy(text + at, line->words[i].text, piece);
        at += piece;
    }
    return text;
}

void dr_haproxy_fault(struct haproxy_tree *tree, const struct haproxy_line *line, size_t word, bool hides_routes,
                      const char *format, ...)
{
    const struct dr_source source = dr_haproxy_source(line, word);
    va_list arguments;

    va_start(arguments, format);
    const char *text = dr_arena_vformat(tree->gathering->loader->arena, format, arguments);

    va_end(arguments);
    /* Settings of "defaults" are met again with each proxy. */
    for (size_t i = 0; text && i < tree->gathering->fault_count; i++) {
        const struct dr_proxy_fault *known = &tree->gathering->faults[i];

        if (known->source.line == source.line && known->source.path == source.path && strcmp(known->text, text) == 0)
            return;
    }
    dr_proxy_fault(tree->gathering, &source, hides_routes, "%s", text ? text : "out of memory");
}
