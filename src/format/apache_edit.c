/* Changes of single words and lines as spans, in the style of what stands there. */
#include "base/buffer.h"
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>

#define TEXT_CEILING ((size_t)1 << 16)

static bool can_edit(struct apache_edits *edits, const struct apache_node *node)
{
    if (edits->why_not || edits->error < 0)
        return false;
    if (node->made)
        edits->why_not = dr_arena_format(edits->arena, "line %u of %s is a macro's: change the macro by hand",
                                         node->first_line, node->file->path);
    return !node->made;
}

static void add(struct apache_edits *edits, const struct apache_node *node, size_t offset, size_t length, const char *text)
{
    int r = text ? dr_route_edits_add(edits->arena, edits->edits, node->file, offset, length, text) : -ENOMEM;

    if (r < 0)
        edits->error = r;
}

void apache_edit_word(struct apache_edits *edits, const struct apache_node *node, size_t word, const char *text)
{
    if (!can_edit(edits, node))
        return;
    if (word >= node->word_count || !node->words[word].verbatim) {
        edits->why_not = dr_arena_format(edits->arena, "line %u of %s is made of variables: change it by hand",
                                         node->first_line, node->file->path);
        return;
    }
    const struct apache_word *old = &node->words[word];
    char quote = node->file->bytes[old->offset];

    if (quote == '"' || quote == '\'')
        text = dr_arena_format(edits->arena, "%c%s%c", quote, text, quote);
    add(edits, node, old->offset, old->length, text);
}

void apache_edit_append(struct apache_edits *edits, const struct apache_node *node, const char *text)
{
    if (!can_edit(edits, node) || node->word_count == 0)
        return;
    const struct apache_word *last = &node->words[node->word_count - 1];

    add(edits, node, last->offset + last->length, 0, dr_arena_format(edits->arena, " %s", text));
}

void apache_edit_line(struct apache_edits *edits, const struct apache_node *node, const char *text)
{
    if (can_edit(edits, node))
        add(edits, node, node->begin, node->end - node->begin, text);
}

static size_t line_begin(const struct dr_proxy_file *file, size_t at)
{
    while (at > 0 && file->bytes[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct dr_proxy_file *file, size_t at)
{
    while (at < file->length && file->bytes[at] != '\n')
        at++;
    return at;
}

void apache_edit_delete(struct apache_edits *edits, const struct apache_node *node)
{
    size_t begin, end;

    if (!can_edit(edits, node))
        return;
    begin = line_begin(node->file, node->begin);
    end = line_end(node->file, node->end);
    if (end < node->file->length)
        end++;
    add(edits, node, begin, end - begin, "");
}

/* One step of the file: what a directive stands further in than the section around it; else four blanks. */
static const char *step(struct dr_arena *arena, const struct apache_node *node)
{
    const struct dr_proxy_file *file = node->file;
    const struct apache_node *outer = node->parent;

    if (outer && outer->file == file && outer->section) {
        size_t inner_blanks = node->begin - line_begin(file, node->begin);
        size_t outer_blanks = outer->begin - line_begin(file, outer->begin);

        if (inner_blanks > outer_blanks)
            return dr_arena_strndup(arena, file->bytes + line_begin(file, node->begin), inner_blanks - outer_blanks);
    }
    return "    ";
}

void apache_edit_below(struct apache_edits *edits, const struct apache_node *node, const char *text)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(TEXT_CEILING);
    const struct dr_proxy_file *file = node->file;
    size_t at, begin, blanks;
    bool carriage;
    int r = 0;

    if (!can_edit(edits, node))
        return;
    begin = line_begin(file, node->begin);
    blanks = node->begin - begin;
    at = node->section && node->close_begin ? line_end(file, node->close_begin) : node->end;
    /* A line that ends in CR LF tells how this file ends its lines. */
    size_t end = line_end(file, at);

    carriage = end > 0 && end < file->length && file->bytes[end - 1] == '\r';
    if (at == end && carriage)
        at--;
    while (*text && r >= 0) {
        size_t length = strcspn(text, "\n");
        bool further = *text == '\t';

        r = dr_buffer_appendf(&out, "%s%.*s%s%.*s", carriage ? "\r\n" : "\n", (int)blanks, file->bytes + begin,
                              further ? step(edits->arena, node) : "", (int)(length - further), text + further);
        text += length + (text[length] == '\n');
    }
    if (r < 0)
        edits->error = r;
    else
        add(edits, node, at, 0, dr_arena_strdup(edits->arena, dr_buffer_text(&out)));
}
