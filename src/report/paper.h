/*
 * Paper: text in lines of a given width, in ink of a few colours.
 *
 * Errors stick: after the first one nothing more is written, and `status` holds it (0, -ENOMEM, -E2BIG). So a renderer reads as a
 * list of sentences and asks once at the end.
 *
 * Words are never broken, and a solid piece (a path, a command) is never wrapped inside: a line that is too long is the lesser
 * evil against a command that cannot be copied. Every text goes through dr_text_append_safe first.
 */
#ifndef DR_REPORT_PAPER_H
#define DR_REPORT_PAPER_H

#include "base/buffer.h"
#include "report/report.h"

enum dr_ink { DR_PLAIN = 0, DR_BOLD, DR_DIM, DR_RED, DR_YELLOW, DR_GREEN, DR_CYAN };

enum dr_sign {
    DR_SIGN_ERROR = 0,
    DR_SIGN_WARNING,
    DR_SIGN_NOTE,
    DR_SIGN_GOOD,
    DR_SIGN_UNKNOWN,
    DR_SIGN_BULLET,
    DR_SIGN_UNDONE
};

struct dr_paper {
    struct dr_buffer *text; /* borrowed */
    const struct dr_human_options *options; /* borrowed */
    unsigned width;
    unsigned column;
    unsigned hang; /* where wrapped lines begin */
    enum dr_ink ink;
    bool space_due;
    int status;
};

void dr_paper_begin(struct dr_paper *paper, const struct dr_human_options *options, struct dr_buffer *text);

/* Starts a line at `indent`; what is wrapped continues at `hang`. */
void dr_paper_line(struct dr_paper *paper, unsigned indent, unsigned hang);
void dr_paper_end(struct dr_paper *paper);
void dr_paper_empty(struct dr_paper *paper);

/* Words, wrapped; what stands in `backticks` is one solid piece. A space between two calls stands only where one of the texts has it, at its end or start. */
void dr_paper_say(struct dr_paper *paper, enum dr_ink ink, const char *text);
void dr_paper_sayf(struct dr_paper *paper, enum dr_ink ink, const char *format, ...) DR_PRINTF(3, 4);

/* One piece that is never broken. */
void dr_paper_solid(struct dr_paper *paper, enum dr_ink ink, const char *text);

/* The sign of its own colour. */
void dr_paper_sign(struct dr_paper *paper, enum dr_sign sign);

/* Spaces up to a column. */
void dr_paper_pad(struct dr_paper *paper, unsigned column);

/* Lines as they are (a diff, code), each indented, none wrapped; + and - in colour when `diff`. */
void dr_paper_lines(struct dr_paper *paper, unsigned indent, const char *text, bool diff);

/* What a step or operation {path, summary, kind} does: its summary, with the path before it when the summary does not name it. */
void dr_paper_step(struct dr_paper *paper, enum dr_ink ink, const cJSON *step);

/* Columns that a text takes on a terminal. */
unsigned dr_text_columns(const char *text, size_t length);

#endif
