#include "format/apache_open.h"

#include <string.h>
#include <strings.h>

struct apache_node *apache_open_node(struct apache_open *open)
{
    for (unsigned i = open->depth; i > 0; i--)
        if (open->frames[i - 1].node)
            return open->frames[i - 1].node;
    return open->parent;
}

void apache_open_push(struct apache_open *open, const char *name, struct apache_node *node, const struct apache_line *line)
{
    struct dr_source source;

    apache_line_source(open->source, line, &source);
    if (open->depth == DR_PROXY_DEPTH) {
        if (open->skipped++ == 0)
            dr_proxy_fault(&open->reader->gathering, &source, true,
                           "more than %d sections in one another; not read any deeper", DR_PROXY_DEPTH);
        return;
    }
    open->frames[open->depth++] = (struct apache_frame){ .name = name, .node = node, .source = source };
}

void apache_open_close(struct apache_open *open, const char *name, const struct apache_line *line)
{
    struct dr_source source;
    unsigned at = open->depth;
    size_t length = strlen(name) - 2;

    if (open->skipped > 0) {
        open->skipped--;
        return;
    }
    apache_line_source(open->source, line, &source);
    if (length == 0 || name[length + 1] != '>') {
        dr_proxy_fault(&open->reader->gathering, &source, true, "%s: '>' is missing", name);
        return;
    }
    length--;
    while (at > 0 && (strlen(open->frames[at - 1].name) != length + 1 ||
                      strncasecmp(open->frames[at - 1].name + 1, name + 2, length) != 0))
        at--;
    if (at == 0) {
        dr_proxy_fault(&open->reader->gathering, &source, true, "%s closes nothing: %s%s%s", name,
                       open->depth ? open->frames[open->depth - 1].name : "no section", open->depth ? "> is" : " is",
                       " open here");
        return;
    }
    if (at < open->depth) {
        const struct apache_frame *inner = &open->frames[open->depth - 1];

        dr_proxy_fault(&open->reader->gathering, &inner->source, true, "%s> is not closed: %s comes first, in line %u",
                       inner->name, name, source.line);
    }
    struct apache_node *node = open->frames[at - 1].node;

    if (node)
        node->close_begin = line->begin;
    open->depth = at - 1;
}

/* "</Location>" closes "<Location". */
static bool closes(const char *text, const char *name)
{
    size_t length = strlen(name) - 1;

    return strncasecmp(text + 2, name + 1, length) == 0 && (text[2 + length] == '>' || text[2 + length] == '\0');
}

/* ap_soak_end_container */
void apache_open_skip(struct apache_open *open, const char *name, const struct apache_line *begin)
{
    struct apache_reader *reader = open->reader;
    struct dr_source source;
    struct apache_line line;
    struct apache_word word;
    const char *names[DR_PROXY_DEPTH];
    unsigned depth = 0;

    apache_line_source(open->source, begin, &source);
    names[depth++] = name;
    while (depth > 0) {
        int r = apache_line_next(reader->arena, open->source, &line);
        size_t at = 0;

        if (r > 0)
            r = apache_line_resolve(reader, &line) < 0 ? -ENOMEM : 1;
        reader->no_memory |= r < 0;
        if (r <= 0) {
            dr_proxy_fault(&reader->gathering, &source, true, "%s> is not closed", names[depth - 1]);
            return;
        }
        if (line.text[0] != '<' || !apache_word_next(reader->arena, &line, &at, &word))
            continue;

        size_t length = strlen(word.text);
        bool closed = length > 1 && word.text[length - 1] == '>';

        if (word.text[1] != '/') {
            if (depth == DR_PROXY_DEPTH) {
                dr_proxy_fault(&reader->gathering, &source, true,
                               "more than %d sections in one another; not read any further", DR_PROXY_DEPTH);
                reader->stopped = true;
                return;
            }
            names[depth++] = dr_arena_strndup(reader->arena, word.text, at >= line.length && closed ? length - 1 : length);
            continue;
        }
        unsigned found = depth;

        while (found > 0 && !closes(word.text, names[found - 1]))
            found--;
        if (found < depth) {
            apache_line_source(open->source, &line, &source);
            dr_proxy_fault(&reader->gathering, &source, true, "%s where </%s> was expected", word.text,
                           names[depth - 1] + 1);
        }
        depth = found > 0 ? found - 1 : depth - 1;
    }
}
