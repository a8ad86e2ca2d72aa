/*
 * How a container is laid out: what an editor must know to write in its style.
 */
#ifndef DR_FORMAT_JSON5_LAYOUT_H
#define DR_FORMAT_JSON5_LAYOUT_H

#include "format/json5_internal.h"

/* A span of the source. */
struct dr_json5_span {
    size_t start;
    size_t end;
};

struct dr_json5_layout {
    const struct dr_json5_node *last; /* the last child; NULL when there is none */
    struct dr_json5_span inner; /* between the brackets */
    size_t comma; /* offset of the comma behind `last`, 0 when there is none */
    size_t add_at; /* where new text goes: behind `last`, its comma, and comments on their line */
    bool behind_line_comment; /* a // comment stands in front of add_at: what follows needs a line of its own */
    bool many_lines; /* children stand on lines of their own */
    struct dr_json5_span indent; /* white space in front of the children, or of the container's line when it has none */
    bool indent_is_outer; /* the latter: one unit more is wanted */
    struct dr_json5_span unit; /* one step of indentation; empty when the document shows none */
    bool one_line_inside; /* of containers without children: no line end between the brackets */
    struct dr_json5_span gap; /* white space behind commas, of containers in one line */
    bool gap_known;
    struct dr_json5_span colon; /* from key to value: ":" or ": "; empty when unknown */
    char key_quote; /* of new keys; 0: none where the key is an identifier */
    const char *line_end; /* of the document; static */
};

void dr_json5_layout(const struct dr_json5 *document, const struct dr_json5_node *container,
                     struct dr_json5_layout *ret_layout);

/* Where a member or element begins: its key, or its value. */
size_t dr_json5_item_start(const struct dr_json5_node *node);

/* The comma behind a value, over white space and comments; 0 when there is none. */
size_t dr_json5_comma_behind(const struct dr_json5 *document, const struct dr_json5_node *node);

/*
 * Behind spaces, tabs and comments that stay on the line of `at`. *ret_line_comment: the last of them is a // comment.
 */
size_t dr_json5_skip_on_line(const struct dr_json5 *document, size_t at, bool *ret_line_comment);

/* Start of the line that `at` is on; and whether a line ends at `at` (or the text), with the length of that end. */
size_t dr_json5_line_start(const struct dr_json5 *document, size_t at);
bool dr_json5_is_line_end(const struct dr_json5 *document, size_t at, size_t *ret_length);

/* True when nothing but spaces and tabs stands between the line's start and `at`. */
bool dr_json5_begins_line(const struct dr_json5 *document, size_t at);

#endif
