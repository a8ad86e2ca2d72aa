#include "report/paper.h"

#include "base/text.h"

#include <string.h>

enum { NARROWEST = 20, MOST_PIECE = 1 << 20 };

static const char *const ink_codes[] = {
    [DR_PLAIN] = "",         [DR_BOLD] = "\033[1m",      [DR_DIM] = "\033[2m",
    [DR_RED] = "\033[1;31m", [DR_YELLOW] = "\033[1;33m", [DR_GREEN] = "\033[32m",
    [DR_CYAN] = "\033[36m",
};

static const struct {
    const char *unicode, *ascii;
    enum dr_ink ink;
} signs[] = {
    [DR_SIGN_ERROR] = { "✗", "x", DR_RED },      [DR_SIGN_WARNING] = { "!", "!", DR_YELLOW },
    [DR_SIGN_NOTE] = { "i", "i", DR_CYAN },      [DR_SIGN_GOOD] = { "✓", "+", DR_GREEN },
    [DR_SIGN_UNKNOWN] = { "?", "?", DR_YELLOW }, [DR_SIGN_BULLET] = { "•", "-", DR_PLAIN },
    [DR_SIGN_UNDONE] = { "↩", "<", DR_YELLOW },
};

void dr_paper_begin(struct dr_paper *paper, const struct dr_human_options *options, struct dr_buffer *text)
{
    *paper = (struct dr_paper){
        .text = text,
        .options = options,
        .width = options->width < NARROWEST ? NARROWEST : options->width,
    };
}

static void put(struct dr_paper *paper, const char *bytes, size_t length)
{
    if (paper->status == 0)
        paper->status = dr_buffer_append(paper->text, bytes, length);
}

static void set_ink(struct dr_paper *paper, enum dr_ink ink)
{
    if (!paper->options->colour || ink == paper->ink)
        return;
    if (paper->ink != DR_PLAIN)
        put(paper, "\033[0m", 4);
    put(paper, ink_codes[ink], strlen(ink_codes[ink]));
    paper->ink = ink;
}

static void spaces(struct dr_paper *paper, unsigned count)
{
    for (; count > 0; count--) {
        put(paper, " ", 1);
        paper->column++;
    }
}

void dr_paper_line(struct dr_paper *paper, unsigned indent, unsigned hang)
{
    paper->column = 0;
    paper->hang = hang;
    paper->space_due = false;
    spaces(paper, indent);
}

void dr_paper_end(struct dr_paper *paper)
{
    set_ink(paper, DR_PLAIN);
    put(paper, "\n", 1);
    paper->column = 0;
    paper->space_due = false;
}

void dr_paper_empty(struct dr_paper *paper)
{
    dr_paper_end(paper);
}

void dr_paper_pad(struct dr_paper *paper, unsigned column)
{
    paper->space_due = false;
    if (paper->column < column) {
        set_ink(paper, DR_PLAIN);
        spaces(paper, column - paper->column);
    }
}

/* Places one unbreakable piece of safe text. */
static void place(struct dr_paper *paper, enum dr_ink ink, const char *piece, size_t length)
{
    unsigned columns = dr_text_columns(piece, length);
    unsigned gap = paper->space_due ? 1 : 0;

    if (gap == 1 && paper->column > paper->hang && paper->column + gap + columns > paper->width) {
        dr_paper_end(paper);
        spaces(paper, paper->hang);
        gap = 0;
    }
    if (gap == 1) {
        if (ink != paper->ink)
            set_ink(paper, DR_PLAIN);
        spaces(paper, 1);
    }
    paper->space_due = false;
    set_ink(paper, ink);
    put(paper, piece, length);
    paper->column += columns;
}

void dr_paper_solid(struct dr_paper *paper, enum dr_ink ink, const char *text)
{
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_PIECE);

    if (paper->status < 0)
        return;
    paper->status = dr_text_append_safe(&safe, text, strlen(text));
    if (paper->status == 0 && safe.length > 0)
        place(paper, ink, safe.data, safe.length);
}

void dr_paper_say(struct dr_paper *paper, enum dr_ink ink, const char *text)
{
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_PIECE);

    if (paper->status < 0)
        return;
    paper->status = dr_text_append_safe(&safe, text, strlen(text));
    const char *at = dr_buffer_text(&safe);

    while (paper->status == 0 && *at) {
        const char *quoted_end = *at == '`' ? strchr(at + 1, '`') : NULL;
        size_t word = quoted_end ? 0 : strcspn(at, " ");

        if (quoted_end) {
            bool marks = !paper->options->colour; /* in colour the colour says it */

            word = (size_t)(quoted_end - at) + 1;
            place(paper, DR_CYAN, at + (marks ? 0 : 1), word - (marks ? 0 : 2));
            at += word;
        } else if (word > 0) {
            place(paper, ink, at, word);
            at += word;
        }
        if (*at == ' ') {
            paper->space_due = true;
            at += strspn(at, " ");
        }
    }
}

void dr_paper_sayf(struct dr_paper *paper, enum dr_ink ink, const char *format, ...)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_PIECE);
    va_list arguments;

    if (paper->status < 0)
        return;
    va_start(arguments, format);
    paper->status = dr_buffer_vappendf(&text, format, arguments);
    va_end(arguments);
    dr_paper_say(paper, ink, dr_buffer_text(&text));
}

void dr_paper_sign(struct dr_paper *paper, enum dr_sign sign)
{
    const char *text = paper->options->unicode ? signs[sign].unicode : signs[sign].ascii;

    place(paper, signs[sign].ink, text, strlen(text));
    paper->space_due = true;
}

static enum dr_ink diff_ink(const char *line)
{
    if (dr_text_starts_with(line, "+++") || dr_text_starts_with(line, "---"))
        return DR_BOLD;
    return line[0] == '+' ? DR_GREEN : line[0] == '-' ? DR_RED : line[0] == '@' ? DR_CYAN : DR_PLAIN;
}

/* A leading tab stays what it is in a file; on paper it is four columns. */
static void append_untabbed(struct dr_paper *paper, struct dr_buffer *safe, const char *line, size_t length)
{
    for (size_t i = 0; i < length && paper->status == 0; i++) {
        if (line[i] == '\t') {
            paper->status = dr_buffer_append_text(safe, "    ");
        } else {
            size_t plain = 0;

            while (i + plain < length && line[i + plain] != '\t')
                plain++;
            paper->status = dr_text_append_safe(safe, line + i, plain);
            i += plain - 1;
        }
    }
}

void dr_paper_lines(struct dr_paper *paper, unsigned indent, const char *text, bool diff)
{
    while (*text && paper->status == 0) {
        _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_PIECE);
        size_t length = strcspn(text, "\n");

        append_untabbed(paper, &safe, text, length);
        dr_paper_line(paper, length > 0 ? indent : 0, indent);
        if (safe.length > 0)
            place(paper, diff ? diff_ink(text) : DR_PLAIN, safe.data, safe.length);
        dr_paper_end(paper);
        text += length;
        if (*text == '\n')
            text++;
    }
}

void dr_paper_step(struct dr_paper *paper, enum dr_ink ink, const cJSON *step)
{
    const char *summary = dr_json_text(step, "summary");
    const char *kind = dr_json_text(step, "kind");
    const char *path = dr_json_text(step, "path");
    const char *words = summary ? summary : kind ? kind : "change";

    if (path && !strstr(words, path)) {
        dr_paper_solid(paper, ink, path);
        dr_paper_say(paper, ink, ": ");
    }
    dr_paper_say(paper, ink, words);
}
