#include "format/haproxy_edit.h"

#include <string.h>

void dr_haproxy_refuse(struct haproxy_editor *editor, const char *text)
{
    if (!editor->why_not)
        editor->why_not = text ? text : "no memory";
}

static void add_edit(struct haproxy_editor *editor, const struct haproxy_line *line, uint64_t offset, uint64_t length,
                     const char *text)
{
    if (editor->r == 0)
        editor->r = dr_route_edits_add(editor->arena, editor->edits, line->file, offset, length, text);
}

/* --- where a new line belongs ------------------------------------------------------------------------------------------- */

/* Lines that HAProxy wants behind http-request rules and timeouts (it warns about another order), and those that people put last. */
static bool comes_late(const struct haproxy_line *line)
{
    static const char *const late[] = { "http-request",   "http-response", "http-after-response",
                                        "redirect",       "use_backend",   "default_backend",
                                        "use-server",     "server",        "server-template",
                                        "default-server", "dispatch" };

    for (size_t i = 0; i < DR_COUNT(late); i++)
        if (dr_haproxy_is(line, 0, late[i]))
            return true;
    return false;
}

static bool same_keyword(const struct haproxy_line *line, const char *text)
{
    size_t length = strcspn(text, " ");
    const char *word = dr_haproxy_word(line, 0);

    return strlen(word) == length && strncmp(word, text, length) == 0;
}

/* The line behind which it goes: a new timeout behind the last one, anything else before the first line that comes late. */
static const struct haproxy_line *anchor_of(const struct haproxy_section *section, const char *text)
{
    const struct haproxy_line *anchor = &section->head;
    bool timeout = strncmp(text, "timeout ", 8) == 0;
    bool late = false;

    for (size_t i = 0; i < section->count; i++) {
        const struct haproxy_line *line = &section->lines[i];

        late = late || comes_late(line);
        /* tcp-request rules must stand before http-request rules. */
        if (line->depth == section->head.depth &&
            (!late || (timeout ? same_keyword(line, text) : dr_haproxy_is(line, 0, "tcp-request"))))
            anchor = line;
        if (timeout && same_keyword(line, text) && line->depth == section->head.depth)
            late = true;
    }
    return anchor;
}

/* Behind a line within ".if": the next line outside of it. NULL: there is none, or it is not in this section. */
static const struct haproxy_line *outside(const struct haproxy_section *section, const struct haproxy_line *line)
{
    for (size_t i = 0; i < section->count; i++)
        if (section->lines[i].offset > line->offset && section->lines[i].depth == section->head.depth)
            return &section->lines[i];
    return NULL;
}

/* --- texts -------------------------------------------------------------------------------------------------------------- */

static size_t indentation(const struct haproxy_line *line)
{
    const char *bytes = line->file->bytes + line->offset;
    size_t length = 0;

    while (length < line->bytes && (bytes[length] == ' ' || bytes[length] == '\t'))
        length++;
    return length;
}

static bool ends_in_cr(const struct haproxy_line *line)
{
    return line->bytes > 0 && line->file->bytes[line->offset + line->bytes - 1] == '\r';
}

void dr_haproxy_add(struct haproxy_editor *editor, const struct haproxy_section *section, const struct haproxy_line *after,
                    const char *text)
{
    const struct haproxy_line *anchor = after ? after : anchor_of(section, text);
    const struct haproxy_line *before = anchor->depth > section->head.depth ? outside(section, anchor) : NULL;
    const struct haproxy_line *model = anchor != &section->head ? anchor : section->count > 0 ? &section->lines[0] : NULL;

    if (anchor->depth > section->head.depth && !before) {
        dr_haproxy_refuse(
            editor,
            dr_arena_format(editor->arena, "line %u stands within '.if': the new line has no safe place", anchor->number));
        return;
    }
    const char *end = ends_in_cr(anchor) ? "\r\n" : "\n";
    int indent = model ? (int)indentation(model) : 4;
    const char *blanks = model ? model->file->bytes + model->offset : "    ";
    uint64_t offset = before ? before->offset : anchor->offset + anchor->bytes + 1;
    bool unended = offset > anchor->file->length;
    const char *whole = dr_arena_format(editor->arena, "%s%.*s%s%s", unended ? "\n" : "", indent, blanks, text, end);

    if (!whole)
        editor->r = -ENOMEM;
    else
        add_edit(editor, anchor, unended ? anchor->file->length : offset, 0, whole);
}

void dr_haproxy_remove_line(struct haproxy_editor *editor, const struct haproxy_line *line)
{
    uint64_t end = line->offset + line->bytes;

    add_edit(editor, line, line->offset, end - line->offset + (end < line->file->length), NULL);
}

static bool is_spelt(struct haproxy_editor *editor, const struct haproxy_line *line, size_t word)
{
    if (word < line->count && line->words[word].bytes > 0)
        return true;
    dr_haproxy_refuse(editor, dr_arena_format(editor->arena, "line %u gets its words from a variable", line->number));
    return false;
}

void dr_haproxy_replace_word(struct haproxy_editor *editor, const struct haproxy_line *line, size_t word, const char *text)
{
    if (!text)
        editor->r = -ENOMEM;
    else if (is_spelt(editor, line, word))
        add_edit(editor, line, line->words[word].offset, line->words[word].bytes, text);
}

void dr_haproxy_remove_words(struct haproxy_editor *editor, const struct haproxy_line *line, size_t from, size_t count)
{
    if (from == 0 || !is_spelt(editor, line, from - 1) || !is_spelt(editor, line, from + count - 1))
        return;
    uint64_t begin = line->words[from - 1].offset + line->words[from - 1].bytes;
    uint64_t end = line->words[from + count - 1].offset + line->words[from + count - 1].bytes;

    add_edit(editor, line, begin, end - begin, NULL);
}

void dr_haproxy_append(struct haproxy_editor *editor, const struct haproxy_line *line, const char *text)
{
    size_t last = line->count - 1;

    if (!text)
        editor->r = -ENOMEM;
    else if (is_spelt(editor, line, last))
        add_edit(editor, line, line->words[last].offset + line->words[last].bytes, 0, text);
}
