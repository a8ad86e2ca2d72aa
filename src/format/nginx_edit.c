#include "format/nginx_edit.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void dr_nginx_anchor(struct dr_nginx_editor *editor, const struct dr_nginx_directive *inner)
{
    const struct dr_nginx_directive *child = inner;

    while (child->parent != editor->block)
        child = child->parent;
    editor->anchor = dr_nginx_in_text(editor->block, child);
    editor->in_front = child != inner;
}

void dr_nginx_change(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive, size_t offset,
                     size_t length, const char *text)
{
    struct dr_nginx_change *grown =
        dr_arena_grow(editor->arena, editor->changes, editor->change_count, sizeof(*grown), &editor->change_room);

    if (!grown) {
        editor->no_memory = true;
        return;
    }
    editor->changes = grown;
    grown[editor->change_count++] = (struct dr_nginx_change){ directive, offset, length, text };
}

void dr_nginx_change_word(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive, size_t word,
                          const char *text)
{
    dr_nginx_change(editor, directive, directive->words[word].offset, directive->words[word].bytes, text);
}

void dr_nginx_take_out(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive)
{
    dr_nginx_change(editor, directive, directive->offset, directive->end - directive->offset, NULL);
}

void dr_nginx_add(struct dr_nginx_editor *editor, const char *text)
{
    const char **grown =
        dr_arena_grow(editor->arena, editor->added, editor->added_count, sizeof(*grown), &editor->added_room);

    if (!grown || !text) {
        editor->no_memory = true;
        return;
    }
    editor->added = grown;
    grown[editor->added_count++] = text;
}

const char *dr_nginx_spelling(struct dr_arena *arena, const struct dr_nginx_directive *directive, const char *last)
{
    const char *text = "";

    for (size_t i = 0; i < directive->word_count && text; i++) {
        const struct dr_nginx_word *word = &directive->words[i];
        const char *space = i ? " " : "";

        if (last && i + 1 == directive->word_count)
            text = dr_arena_format(arena, "%s%s%s", text, space, last);
        else
            text = dr_arena_format(arena, "%s%s%.*s", text, space, (int)word->bytes, directive->file->bytes + word->offset);
    }
    return text ? dr_arena_format(arena, "%s;", text) : NULL;
}

/* --- style ------------------------------------------------------------------------------------------------------------- */

static const char *line_end(const struct dr_proxy_file *file)
{
    const char *end = memchr(file->bytes, '\n', file->length);

    return end && end > file->bytes && end[-1] == '\r' ? "\r\n" : "\n";
}

/* Does nothing but white space stand in front of it on its line? */
static bool begins_line(const struct dr_nginx_directive *directive)
{
    for (size_t i = directive->line_begin; i < directive->offset; i++)
        if (!is_blank(directive->file->bytes[i]))
            return false;
    return true;
}

/* Where the line ends on which `at` stands, if only white space and a comment follow; else SIZE_MAX. */
static size_t rest_of_line(const struct dr_proxy_file *file, size_t at)
{
    size_t end;

    while (at < file->length && is_blank(file->bytes[at]))
        at++;
    if (at < file->length && file->bytes[at] == '#')
        while (at < file->length && file->bytes[at] != '\n')
            at++;
    if (at < file->length && file->bytes[at] != '\n')
        return SIZE_MAX;
    for (end = at; end > 0 && file->bytes[end - 1] == '\r';)
        end--;
    return end;
}

/* What new lines beside the anchor begin with. */
static const char *indentation(struct dr_arena *arena, const struct dr_nginx_directive *anchor)
{
    const char *line = anchor->file->bytes + anchor->line_begin;
    size_t length = strspn(line, " \t");
    bool tab = memchr(line, '\t', length) != NULL;

    if (begins_line(anchor))
        return dr_arena_strndup(arena, line, anchor->offset - anchor->line_begin);
    return dr_arena_format(arena, "%.*s%s", (int)length, line, tab ? "\t" : "    ");
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

static int write_added(struct dr_nginx_editor *editor, struct dr_route_edits *edits)
{
    const struct dr_nginx_directive *anchor = editor->anchor;
    const char *indent = indentation(editor->arena, anchor);
    const char *end = line_end(anchor->file);
    size_t rest = editor->in_front ? SIZE_MAX : rest_of_line(anchor->file, anchor->end);
    bool lines = editor->in_front ? begins_line(anchor) : rest != SIZE_MAX;
    size_t offset = editor->in_front ? anchor->offset : rest != SIZE_MAX ? rest : anchor->end;
    const char *text = "";

    for (size_t i = 0; i < editor->added_count && text && indent; i++) {
        const char *one = editor->added[i];

        if (editor->in_front)
            text = lines ? dr_arena_format(editor->arena, "%s%s%s%s", text, one, end, indent)
                         : dr_arena_format(editor->arena, "%s%s ", text, one);
        else
            text = lines ? dr_arena_format(editor->arena, "%s%s%s%s", text, end, indent, one)
                         : dr_arena_format(editor->arena, "%s %s", text, one);
    }
    return text && indent ? dr_route_edits_add(editor->arena, edits, anchor->file, offset, 0, text) : -ENOMEM;
}

/* Taken out: with its line where it has one to itself, else with the white space in front of it. */
static int write_take_out(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive,
                          struct dr_route_edits *edits)
{
    const struct dr_proxy_file *file = directive->file;
    size_t begin = directive->offset, end = directive->end;

    if (begins_line(directive) && rest_of_line(file, end) == end && end < file->length) {
        begin = directive->line_begin;
        end += file->bytes[end] == '\r' ? 2 : 1;
    } else {
        while (begin > directive->line_begin && is_blank(file->bytes[begin - 1]))
            begin--;
    }
    return dr_route_edits_add(editor->arena, edits, file, begin, end - begin, "");
}

/* The bytes of a directive with the changes in it; "" when it is taken out. */
static const char *changed_bytes(const struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive)
{
    const char *bytes = directive->file->bytes;

    for (size_t i = 0; i < editor->change_count; i++) {
        const struct dr_nginx_change *change = &editor->changes[i];
        size_t behind = change->offset + change->length;

        if (change->directive != directive)
            continue;
        if (!change->text)
            return "";
        return dr_arena_format(editor->arena, "%.*s%s%.*s", (int)(change->offset - directive->offset),
                               bytes + directive->offset, change->text, (int)(directive->end - behind), bytes + behind);
    }
    return dr_arena_strndup(editor->arena, bytes + directive->offset, directive->end - directive->offset);
}

/* The include directive gives way to what it brought. */
static int write_inlined(struct dr_nginx_editor *editor, const struct dr_nginx_directive *include,
                         struct dr_route_edits *edits)
{
    const char *indent = indentation(editor->arena, include);
    bool lines = begins_line(include) && rest_of_line(include->file, include->end) != SIZE_MAX;
    const char *end = line_end(include->file);
    const char *text = NULL;

    for (size_t i = 0; i < editor->block->child_count; i++) {
        const struct dr_nginx_directive *child = editor->block->children[i];
        const char *one;

        if (child == include || dr_nginx_is(child, "include") || dr_nginx_in_text(editor->block, child) != include)
            continue;
        one = changed_bytes(editor, child);
        if (!one || !indent)
            return -ENOMEM;
        if (!*one)
            continue;
        text = !text   ? one
               : lines ? dr_arena_format(editor->arena, "%s%s%s%s", text, end, indent, one)
                       : dr_arena_format(editor->arena, "%s %s", text, one);
        if (!text)
            return -ENOMEM;
    }
    return dr_route_edits_add(editor->arena, edits, include->file, include->offset, include->end - include->offset,
                              text ? text : "");
}

static bool is_first_through(const struct dr_nginx_editor *editor, size_t index, const struct dr_nginx_directive *include)
{
    for (size_t i = 0; i < index; i++)
        if (dr_nginx_in_text(editor->block, editor->changes[i].directive) == include)
            return false;
    return true;
}

int dr_nginx_write(struct dr_nginx_editor *editor, struct dr_route_edits *edits)
{
    int r = editor->no_memory ? -ENOMEM : 0;

    for (size_t i = 0; i < editor->change_count && r >= 0; i++) {
        const struct dr_nginx_change *change = &editor->changes[i];
        const struct dr_nginx_directive *there = dr_nginx_in_text(editor->block, change->directive);

        if (there == change->directive && change->text)
            r = dr_route_edits_add(editor->arena, edits, there->file, change->offset, change->length, change->text);
        else if (there == change->directive)
            r = write_take_out(editor, there, edits);
        else if (is_first_through(editor, i, there))
            r = write_inlined(editor, there, edits);
    }
    if (r >= 0 && editor->added_count)
        r = write_added(editor, edits);
    return r;
}
