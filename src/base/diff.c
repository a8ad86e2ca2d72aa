#include "base/diff.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>

enum { CONTEXT_LINES = 3, LONGEST_LINE = 160 };

/* The whole lines that neighbouring edits change, as half-open ranges of edits and bytes. */
struct block {
    size_t first_edit, last_edit;
    size_t start, end;
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

/* Where the lines end that this edit changes; `start` is where they begin. */
static size_t changed_until(const char *text, size_t length, const struct dr_span_edit *edit, size_t start)
{
    size_t stop = edit->offset + edit->length;
    bool at_start = edit->offset == start;

    /* An insertion of whole lines between two lines changes neither. */
    if (at_start && edit->length == 0 && edit->text_length > 0 && edit->text[edit->text_length - 1] == '\n')
        return start;
    if (at_start && edit->length > 0 && text[stop - 1] == '\n')
        return stop;
    return line_end(text, length, stop);
}

static struct block next_block(const char *text, size_t length, const struct dr_span_edit *edits, size_t count, size_t first)
{
    struct block block = { .first_edit = first, .last_edit = first, .start = line_start(text, edits[first].offset) };

    for (; block.last_edit < count; block.last_edit++) {
        const struct dr_span_edit *edit = &edits[block.last_edit];
        size_t start = line_start(text, edit->offset);

        if (block.last_edit > first && start > block.end)
            break;
        size_t end = changed_until(text, length, edit, start);

        block.end = end > block.end ? end : block.end;
    }
    return block;
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

struct hunk_text {
    struct dr_buffer lines;
    size_t before, after; /* lines of either side */
};

/* Whole lines that two texts have in common at their beginnings: an insertion at the end of a line changes no line. */
static size_t common_head(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t at = 0;

    while (at < a_length && at < b_length) {
        size_t end = line_end(a, a_length, at);

        if (end > b_length || memcmp(a + at, b + at, end - at) != 0 || a[end - 1] != '\n')
            break;
        at = end;
    }
    return at;
}

static size_t common_tail(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t tail = 0;

    while (tail < a_length && tail < b_length) {
        size_t start = line_start(a, a_length - tail - 1);
        size_t longer = a_length - start;

        if (longer > b_length || memcmp(a + start, b + b_length - longer, longer) != 0 ||
            (longer < b_length && b[b_length - longer - 1] != '\n'))
            break;
        tail = longer;
    }
    return tail;
}

static int append_block(struct hunk_text *hunk, const char *text, const struct dr_span_edit *edits,
                        const struct block *block)
{
    _cleanup_buffer_ struct dr_buffer after = DR_BUFFER(hunk->lines.ceiling);
    size_t change = edits[block->first_edit].offset;
    int r =
        apply_range(text, block->start, block->end, edits + block->first_edit, block->last_edit - block->first_edit, &after);

    if (r < 0)
        return r;
    const char *old = text + block->start;
    size_t old_length = block->end - block->start;
    size_t head = common_head(old, old_length, dr_buffer_text(&after), after.length);
    size_t tail = common_tail(old + head, old_length - head, dr_buffer_text(&after) + head, after.length - head);

    r = append_lines(&hunk->lines, ' ', text, block->start, block->start + head, 0);
    if (r >= 0)
        r = append_lines(&hunk->lines, '-', text, block->start + head, block->end - tail, change);
    if (r >= 0)
        r = append_lines(&hunk->lines, '+', dr_buffer_text(&after), head, after.length - tail, change - block->start);
    if (r >= 0)
        r = append_lines(&hunk->lines, ' ', text, block->end - tail, block->end, 0);
    hunk->before += count_lines(text, block->start, block->end);
    hunk->after += count_lines(dr_buffer_text(&after), 0, after.length);
    return r;
}

static int append_context(struct hunk_text *hunk, const char *text, size_t start, size_t end)
{
    size_t lines = count_lines(text, start, end);

    hunk->before += lines;
    hunk->after += lines;
    return append_lines(&hunk->lines, ' ', text, start, end, 0);
}

/* Blocks that are at most twice the context apart stand in one hunk. `block` is the first and becomes the one after. */
static int append_hunk(struct dr_buffer *diff, const char *text, size_t length, const struct dr_span_edit *edits,
                       size_t count, struct block *block, long *line_shift)
{
    struct hunk_text hunk = { .lines = DR_BUFFER(diff->ceiling) };
    size_t start = lines_back(text, block->start, CONTEXT_LINES);
    long first_line = (long)count_lines(text, 0, start) + 1;
    int r = append_context(&hunk, text, start, block->start);

    for (;;) {
        struct block now = *block;

        if (r >= 0)
            r = append_block(&hunk, text, edits, &now);
        if (now.last_edit < count)
            *block = next_block(text, length, edits, count, now.last_edit);
        else
            block->first_edit = count;
        if (r < 0 || block->first_edit == count || block->start > lines_forward(text, length, now.end, 2 * CONTEXT_LINES)) {
            if (r >= 0)
                r = append_context(&hunk, text, now.end, lines_forward(text, length, now.end, CONTEXT_LINES));
            break;
        }
        r = append_context(&hunk, text, now.end, block->start);
    }
    if (r >= 0)
        r = dr_buffer_appendf(diff, "@@ -%ld,%zu +%ld,%zu @@\n%s", first_line, hunk.before, first_line + *line_shift,
                              hunk.after, dr_buffer_text(&hunk.lines));
    *line_shift += (long)hunk.after - (long)hunk.before;
    dr_buffer_release(&hunk.lines);
    return r;
}

int dr_diff_spans(const char *name, const char *before, size_t length, const struct dr_span_edit *edits, size_t count,
                  struct dr_buffer *diff)
{
    long line_shift = 0;

    if (!edits_fit(length, edits, count))
        return -EINVAL;
    int r = dr_buffer_appendf(diff, "--- %s\n+++ %s\n", name, name);

    struct block block = count > 0 ? next_block(before, length, edits, count, 0) : (struct block){ 0 };

    while (count > 0 && block.first_edit < count && r >= 0)
        r = append_hunk(diff, before, length, edits, count, &block, &line_shift);
    return r;
}
