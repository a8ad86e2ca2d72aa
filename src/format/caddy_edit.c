/* Edits of a Caddyfile in its own style: lines out, lines in, words changed. Comments and everything else stay byte for byte. */
#include "format/caddy_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void caddy_refuse(struct caddy_mending *mending, const char *why)
{
    if (mending->error == 0)
        mending->why_not = why;
    if (mending->error == 0)
        mending->error = -ENOTSUP;
}

static void edit(struct caddy_mending *mending, const struct dr_proxy_file *file, uint64_t offset, uint64_t length,
                 const char *text)
{
    for (size_t i = 0; i < mending->edits.count; i++) {
        const struct dr_route_edit *known = &mending->edits.list[i];

        if (known->file == file && known->edit.offset == offset && known->edit.length == length && length > 0)
            return;
    }
    if (!text || dr_route_edits_add(mending->arena, &mending->edits, file, offset, length, text) < 0)
        mending->error = -ENOMEM;
}

uint64_t caddy_line_end(const struct caddy_line *line)
{
    return (line->close ? line->close : &line->words[line->count - 1])->end;
}

static bool of_one_file(const struct caddy_line *line)
{
    const struct dr_proxy_file *file = line->words[0].file;

    return line->words[line->count - 1].file == file &&
           (!line->close || (line->close->file == file && line->open->file == file));
}

static const char *line_end_of(const struct dr_proxy_file *file)
{
    const char *newline = memchr(file->bytes, '\n', file->length);

    return newline && newline > file->bytes && newline[-1] == '\r' ? "\r\n" : "\n";
}

void caddy_remove_line(struct caddy_mending *mending, const struct caddy_line *line)
{
    const struct dr_proxy_file *file = line->words[0].file;
    uint64_t begin = line->words[0].offset, end = caddy_line_end(line);
    const char *bytes = file->bytes;

    if (!of_one_file(line) || begin >= end || end > file->length) {
        caddy_refuse(mending, "the line is put together from several files");
        return;
    }
    uint64_t line_begin = begin, line_end = end;

    while (line_begin > 0 && (bytes[line_begin - 1] == ' ' || bytes[line_begin - 1] == '\t'))
        line_begin--;
    while (line_end < file->length && (bytes[line_end] == ' ' || bytes[line_end] == '\t' || bytes[line_end] == '\r'))
        line_end++;
    if ((line_begin == 0 || bytes[line_begin - 1] == '\n') && line_end < file->length && bytes[line_end] == '\n') {
        begin = line_begin;
        end = line_end + 1;
    }
    /* A file must not become empty: v2.6.2 refuses to import such a one. */
    edit(mending, file, begin, end - begin, begin == 0 && end == file->length ? line_end_of(file) : "");
}

void caddy_replace_text(struct caddy_mending *mending, const struct caddy_token *token, uint64_t at, uint64_t length,
                        const char *text)
{
    if (!token->place.verbatim) {
        caddy_refuse(mending, "the value is put together from a variable or from arguments of an import");
        return;
    }
    edit(mending, token->place.file, token->place.text_offset + at, length, text);
}

void caddy_add_line(struct caddy_mending *mending, const char *text)
{
    mending->added = mending->added ? dr_arena_format(mending->arena, "%s\n%s", mending->added, text) : text;
    if (!mending->added)
        mending->error = -ENOMEM;
}

/* --- adding lines ------------------------------------------------------------------------------------------------------------ */

static const char *indentation(struct caddy_mending *mending, const struct caddy_token *token)
{
    uint64_t begin = token->offset, end;

    while (begin > 0 && token->file->bytes[begin - 1] != '\n')
        begin--;
    end = begin;
    while (end < token->offset && (token->file->bytes[end] == ' ' || token->file->bytes[end] == '\t'))
        end++;
    return dr_arena_strndup(mending->arena, token->file->bytes + begin, end - begin);
}

/* One step deeper, as the lines around it do it. */
static const char *deeper(struct caddy_mending *mending, const char *indent)
{
    size_t length = indent ? strlen(indent) : 0;
    bool blanks = length > 0 && indent[0] == ' ';

    return dr_arena_format(mending->arena, "%s%s", indent ? indent : "", blanks ? (length % 4 == 0 ? "    " : "  ") : "\t");
}

static const char *indented(struct caddy_mending *mending, const char *indent, const char *line_end)
{
    const char *text = "", *at = mending->added;

    while (text && at && *at) {
        size_t length = strcspn(at, "\n");

        text = dr_arena_format(mending->arena, "%s%s%.*s%s", text, indent, (int)length, at, line_end);
        at += length + (at[length] == '\n');
    }
    return text;
}

void caddy_put_added(struct caddy_mending *mending)
{
    const struct caddy_line *line = mending->proxy->line;
    const struct dr_proxy_file *file = line->words[0].file;
    const char *line_end = line_end_of(file), *outer = indentation(mending, &line->words[0]), *inner;

    if (!mending->added || mending->error < 0)
        return;
    if (!of_one_file(line)) {
        caddy_refuse(mending, "reverse_proxy is put together from several files");
        return;
    }
    if (!line->open) {
        inner = deeper(mending, outer);
        edit(mending, file, caddy_line_end(line), 0,
             dr_arena_format(mending->arena, " {%s%s%s}", line_end, indented(mending, inner, line_end), outer));
        return;
    }
    uint64_t at = line->close->offset;
    const char *close_indent = indentation(mending, line->close);

    if (!close_indent || !outer) {
        mending->error = -ENOMEM;
        return;
    }
    inner = line->lines && line->lines->words[0].file == file ? indentation(mending, &line->lines->words[0])
                                                              : deeper(mending, close_indent);
    at -= strlen(close_indent);
    if (at > 0 && file->bytes[at - 1] != '\n') {
        caddy_refuse(mending, "the closing brace does not stand on a line of its own");
        return;
    }
    edit(mending, file, at, 0, indented(mending, inner, line_end));
}
