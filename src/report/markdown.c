#include "report/markdown.h"

#include <string.h>

enum { MOST_BLOCK = 1 << 20, MOST_INDENT = 40 };

enum block { NO_BLOCK = 0, PARAGRAPH, ITEM };

struct reader {
    struct dr_paper *paper;
    struct dr_buffer text; /* of the block that is being gathered */
    enum block block;
    unsigned indent; /* of a list item */
    unsigned base; /* of all below a second heading, as in a manual page */
    bool fenced;
    bool printed; /* something stands above */
    bool gap; /* an empty line is due before what comes next */
};

static bool append(struct reader *reader, const char *text, size_t length)
{
    int r = dr_buffer_append(&reader->text, text, length);

    if (r < 0 && reader->paper->status == 0)
        reader->paper->status = r;
    return r == 0;
}

/* "[text](address)" -> its length, or 0. */
static size_t link_at(const char *at, const char *end, size_t *ret_text)
{
    const char *close = memchr(at, ']', (size_t)(end - at));
    const char *stop;

    if (*at != '[' || !close || close + 1 >= end || close[1] != '(')
        return 0;
    stop = memchr(close, ')', (size_t)(end - close));
    *ret_text = (size_t)(close - at) - 1;
    return stop ? (size_t)(stop - at) + 1 : 0;
}

/* The address of a page is worth showing; the place of a file beside this one is not. */
static void append_link(struct reader *reader, const char *at, size_t words, size_t link)
{
    const char *address = at + words + 3;
    size_t length = link - words - 4;

    append(reader, at + 1, words);
    if (memmem(address, length, "://", 3)) {
        append(reader, " (", 2);
        append(reader, address, length);
        append(reader, ")", 1);
    }
}

/* Appends a line without the marks of emphasis, links spelled out. */
static void append_inline(struct reader *reader, const char *at, size_t length)
{
    const char *end = at + length;
    bool code = false;

    while (at < end) {
        size_t words = 0;
        size_t link = code ? 0 : link_at(at, end, &words);

        if (link > 0) {
            append_link(reader, at, words, link);
            at += link;
        } else if (!code && end - at >= 2 && at[0] == '*' && at[1] == '*') {
            at += 2;
        } else {
            code = *at == '`' ? !code : code;
            append(reader, at++, 1);
        }
    }
}

static void before_block(struct reader *reader)
{
    if (reader->printed && reader->gap)
        dr_paper_empty(reader->paper);
    reader->printed = true;
    reader->gap = false;
}

static void flush(struct reader *reader)
{
    bool item = reader->block == ITEM;

    if (reader->block == NO_BLOCK)
        return;
    before_block(reader);
    unsigned indent = reader->base + (item ? reader->indent : 0);

    dr_paper_line(reader->paper, indent, item ? indent + 2 : indent);
    if (item)
        dr_paper_sign(reader->paper, DR_SIGN_BULLET);
    dr_paper_say(reader->paper, DR_PLAIN, dr_buffer_text(&reader->text));
    dr_paper_end(reader->paper);
    dr_buffer_clear(&reader->text);
    reader->block = NO_BLOCK;
}

static void start(struct reader *reader, enum block block, unsigned indent)
{
    flush(reader);
    reader->block = block;
    reader->indent = indent;
}

static void heading(struct reader *reader, const char *line, size_t length)
{
    size_t marks = strspn(line, "# ");

    flush(reader);
    reader->base = line[1] == '#' ? 2 : 0;
    reader->gap = true;
    before_block(reader);
    append_inline(reader, line + marks, length > marks ? length - marks : 0);
    dr_paper_line(reader->paper, 0, 0);
    dr_paper_say(reader->paper, DR_BOLD, dr_buffer_text(&reader->text));
    dr_paper_end(reader->paper);
    dr_buffer_clear(&reader->text);
}

static void code_line(struct reader *reader, const char *line, size_t length)
{
    append(reader, length > 0 ? line : "", length);
    append(reader, "\n", 1);
    dr_paper_lines(reader->paper, reader->base + 4, dr_buffer_text(&reader->text), false);
    dr_buffer_clear(&reader->text);
}

static bool is_rule(const char *line, size_t length)
{
    return strspn(line, "|-: ") >= length;
}

/* "| a | b | c |" -> "a: b; c" */
static void table_row(struct reader *reader, const char *line, size_t length)
{
    const char *end = line + length;
    unsigned cell = 0;

    if (is_rule(line, length)) { /* the row above it was the heading; the cells speak for themselves */
        dr_buffer_clear(&reader->text);
        reader->block = NO_BLOCK;
        return;
    }
    start(reader, ITEM, 0);
    while (line < end) {
        const char *bar;

        line += strspn(line, "| ");
        if (line >= end)
            break;
        bar = memchr(line, '|', (size_t)(end - line));
        size_t width = (size_t)((bar ? bar : end) - line);

        while (width > 0 && line[width - 1] == ' ')
            width--;
        if (cell > 0)
            append(reader, cell == 1 ? ": " : "; ", 2);
        append_inline(reader, line, width);
        cell++;
        line = bar ? bar : end;
    }
}

static size_t item_mark(const char *line)
{
    size_t digits = strspn(line, "0123456789");

    if ((line[0] == '-' || line[0] == '*') && line[1] == ' ')
        return 2;
    return digits > 0 && digits < 3 && line[digits] == '.' && line[digits + 1] == ' ' ? digits + 2 : 0;
}

static void read_line(struct reader *reader, const char *line, size_t length)
{
    size_t blanks = strspn(line, " ");
    size_t mark;

    if (blanks > length)
        blanks = length;
    if (length - blanks >= 3 && strncmp(line + blanks, "```", 3) == 0) {
        flush(reader);
        if (!reader->fenced)
            before_block(reader);
        reader->fenced = !reader->fenced;
    } else if (reader->fenced) {
        code_line(reader, line, length);
    } else if (length == blanks) {
        flush(reader);
        reader->gap = true;
    } else if (line[0] == '#') {
        heading(reader, line, length);
    } else if (line[0] == '|') {
        table_row(reader, line, length);
    } else if ((mark = item_mark(line + blanks)) > 0) {
        start(reader, ITEM, blanks > MOST_INDENT ? MOST_INDENT : (unsigned)blanks);
        append_inline(reader, line + blanks + mark, length - blanks - mark);
    } else {
        if (reader->block == NO_BLOCK)
            reader->block = PARAGRAPH;
        else
            append(reader, " ", 1);
        append_inline(reader, line + blanks, length - blanks);
    }
}

void dr_markdown(struct dr_paper *paper, const char *text, size_t length)
{
    struct reader reader = { .paper = paper, .text = DR_BUFFER(MOST_BLOCK) };
    const char *end = text + length;

    while (text < end && paper->status == 0) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t width = (size_t)((stop ? stop : end) - text);

        read_line(&reader, text, width);
        text += width + (stop ? 1 : 0);
    }
    flush(&reader);
    dr_buffer_release(&reader.text);
}

/* "## `code`" at the start of a line; 0 when the line is no heading, else its level. */
static unsigned heading_level(const char *line)
{
    size_t marks = strspn(line, "#");

    return marks > 0 && line[marks] == ' ' ? (unsigned)marks : 0;
}

static bool is_titled(const char *line, const char *title)
{
    size_t length = strlen(title);

    line += strspn(line, "#");
    line += strspn(line, " `");
    return strncmp(line, title, length) == 0 && strspn(line + length, "` ") == strcspn(line + length, "\n");
}

bool dr_markdown_section(const char *text, const char *title, const char **ret_start, size_t *ret_length)
{
    const char *begin = NULL;
    unsigned level = 0;

    for (const char *line = text; *line;) {
        unsigned here = heading_level(line);
        size_t length = strcspn(line, "\n");

        if (begin && here > 0 && here <= level) {
            *ret_start = begin;
            *ret_length = (size_t)(line - begin);
            return true;
        }
        if (!begin && here > 0 && is_titled(line, title)) {
            begin = line;
            level = here;
        }
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    if (!begin)
        return false;
    *ret_start = begin;
    *ret_length = strlen(begin);
    return true;
}
