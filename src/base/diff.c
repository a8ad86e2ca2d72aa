#include "base/diff.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>

enum { CONTEXT_LINES = 3, LONGEST_LINE = 160 };

/* A group of edits whose surroundings touch, as half-open byte ranges of whole lines. */
struct hunk {
    size_t first_edit, last_edit; /* half-open */
    size_t start, end; /* of the lines that change */
    size_t shown_start, shown_end; /* with context */
};

static bool edits_fit(size_t length, const struct dr_span_edit *edits, size_t count)
{
    uint64_t free_from = 0;

    for (size_t i = 0; i < count; i++) {
        if (edits[i].offset < free_from || edits[i].offset > length || edits[i].length > length - edits[i].offset)
            return false;
        free_from = edits[i].offset + edits[i].length;
    }
    return true;
}

static int apply_range(const char *before, size_t start, size_t end, const struct dr_span_edit *edits, size_t count,
                       struct dr_buffer *after)
{
    size_t at = start;
    int r;

    for (size_t i = 0; i < count; i++) {
        r = dr_buffer_append(after, before + at, edits[i].offset - at);
        if (r >= 0 && edits[i].text_length > 0)
            r = dr_buffer_append(after, edits[i].text, edits[i].text_length);
        if (r < 0)
            return r;
        at = edits[i].offset + edits[i].length;
    }
    return dr_buffer_append(after, before + at, end - at);
}

int dr_spans_apply(const char *before, size_t length, const struct dr_span_edit *edits, size_t count,
                   struct dr_buffer *after)
{
    if (!edits_fit(length, edits, count))
        return -EINVAL;
    return apply_range(before, 0, length, edits, count, after);
}

static size_t line_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const char *text, size_t length, size_t at)
{
    const char *newline = memchr(text + at, '\n', length - at);

    return newline ? (size_t)(newline - text) + 1 : length;
}

static size_t lines_back(const char *text, size_t at, int lines)
{
    while (lines-- > 0 && at > 0)
        at = line_start(text, at - 1);
    return at;
}

static size_t lines_forward(const char *text, size_t length, size_t at, int lines)
{
    while (lines-- > 0 && at < length)
        at = line_end(text, length, at);
    return at;
}

static size_t count_lines(const char *text, size_t start, size_t end)
{
    size_t lines = 0;

    while (start < end) {
        start = line_end(text, end, start);
        lines++;
    }
    return lines;
}

static struct hunk next_hunk(const char *text, size_t length, const struct dr_span_edit *edits, size_t count, size_t first)
{
    struct hunk hunk = { .first_edit = first, .last_edit = first };

    hunk.start = line_start(text, edits[first].offset);
    while (hunk.last_edit < count) {
        const struct dr_span_edit *edit = &edits[hunk.last_edit];
        size_t start = line_start(text, edit->offset);

        if (hunk.last_edit > first && start > lines_forward(text, length, hunk.end, 2 * CONTEXT_LINES))
            break;
        /* An insertion at the start of a line, of whole lines, changes no existing line. */
        bool whole_lines =
            edit->length == 0 && edit->offset == start && edit->text_length > 0 && edit->text[edit->text_length - 1] == '\n';

        bool ends_with_line = edit->length > 0 && edit->offset == start && text[edit->offset + edit->length - 1] == '\n';

        if (whole_lines)
            hunk.end = hunk.last_edit > first && hunk.end > start ? hunk.end : start;
        else if (ends_with_line)
            hunk.end = edit->offset + edit->length;
        else
            hunk.end = line_end(text, length, edit->offset + edit->length);
        hunk.last_edit++;
    }
    hunk.shown_start = lines_back(text, hunk.start, CONTEXT_LINES);
    hunk.shown_end = lines_forward(text, length, hunk.end, CONTEXT_LINES);
    return hunk;
}

/* Long lines: what differs from the other side is what matters, so the window starts a little before `change`. */
static int append_line(struct dr_buffer *diff, char mark, const char *line, size_t length, size_t change)
{
    bool newline = length > 0 && line[length - 1] == '\n';
    size_t shown = newline ? length - 1 : length;
    size_t from = shown > LONGEST_LINE && change > LONGEST_LINE / 2 ? change - LONGEST_LINE / 2 : 0;
    size_t window = shown - from > LONGEST_LINE ? LONGEST_LINE : shown - from;
    int r = dr_buffer_append_byte(diff, mark);

    if (r >= 0 && from > 0)
        r = dr_buffer_append_text(diff, "...");
    if (r >= 0)
        r = dr_text_append_safe(diff, line + from, window);
    if (r >= 0 && from + window < shown)
        r = dr_buffer_append_text(diff, "...");
    if (r >= 0)
        r = dr_buffer_append_text(diff, newline ? "\n" : "\n\\ No newline at end of file\n");
    return r;
}

static int append_lines(struct dr_buffer *diff, char mark, const char *text, size_t start, size_t end, size_t change)
{
    while (start < end) {
        size_t stop = line_end(text, end, start);
        size_t column = change > start && change < stop ? change - start : 0;
        int r = append_line(diff, mark, text + start, stop - start, column);

        if (r < 0)
            return r;
        start = stop;
    }
    return 0;
}

static int append_hunk(struct dr_buffer *diff, const char *text, const struct dr_span_edit *edits, const struct hunk *hunk,
                       long *line_shift)
{
    _cleanup_buffer_ struct dr_buffer after = DR_BUFFER(diff->ceiling);
    size_t edit_count = hunk->last_edit - hunk->first_edit;
    int r = apply_range(text, hunk->start, hunk->end, edits + hunk->first_edit, edit_count, &after);

    if (r < 0)
        return r;

    size_t before_context = count_lines(text, hunk->shown_start, hunk->start);
    size_t after_context = count_lines(text, hunk->end, hunk->shown_end);
    size_t old_lines = count_lines(text, hunk->start, hunk->end);
    size_t new_lines = count_lines(dr_buffer_text(&after), 0, after.length);
    size_t first_line = count_lines(text, 0, hunk->shown_start) + 1;
    size_t change = edits[hunk->first_edit].offset;

    r = dr_buffer_appendf(diff, "@@ -%zu,%zu +%ld,%zu @@\n", first_line, before_context + old_lines + after_context,
                          (long)first_line + *line_shift, before_context + new_lines + after_context);
    *line_shift += (long)new_lines - (long)old_lines;
    if (r >= 0)
        r = append_lines(diff, ' ', text, hunk->shown_start, hunk->start, 0);
    if (r >= 0)
        r = append_lines(diff, '-', text, hunk->start, hunk->end, change);
    if (r >= 0)
        r = append_lines(diff, '+', dr_buffer_text(&after), 0, after.length, change - hunk->start);
    if (r >= 0)
        r = append_lines(diff, ' ', text, hunk->end, hunk->shown_end, 0);
    return r;
}

int dr_diff_spans(const char *name, const char *before, size_t length, const struct dr_span_edit *edits, size_t count,
                  struct dr_buffer *diff)
{
    long line_shift = 0;

    if (!edits_fit(length, edits, count))
        return -EINVAL;
    int r = dr_buffer_appendf(diff, "--- %s\n+++ %s\n", name, name);

    for (size_t i = 0; i < count && r >= 0;) {
        struct hunk hunk = next_hunk(before, length, edits, count, i);

        r = append_hunk(diff, before, edits, &hunk, &line_shift);
        i = hunk.last_edit;
    }
    return r;
}
