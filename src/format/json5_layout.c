#include "format/json5_layout.h"

#include <string.h>

size_t dr_json5_item_start(const struct dr_json5_node *node)
{
    return node->key_length ? node->key_offset : node->offset;
}

static size_t item_end(const struct dr_json5_node *node)
{
    return (size_t)node->offset + node->length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_line_break(char c)
{
    return c == '\n' || c == '\r';
}

size_t dr_json5_line_start(const struct dr_json5 *document, size_t at)
{
    size_t first = document->has_bom ? 3 : 0;

    while (at > first && document->bytes[at - 1] != '\n' && document->bytes[at - 1] != '\r')
        at--;
    return at;
}

bool dr_json5_is_line_end(const struct dr_json5 *document, size_t at, size_t *ret_length)
{
    *ret_length = 0;
    if (at == document->length)
        return true;
    if (document->bytes[at] != '\n' && document->bytes[at] != '\r')
        return false;
    *ret_length = document->bytes[at] == '\r' && at + 1 < document->length && document->bytes[at + 1] == '\n' ? 2 : 1;
    return true;
}

static size_t skip_blanks(const struct dr_json5 *document, size_t at)
{
    while (at < document->length && is_blank(document->bytes[at]))
        at++;
    return at;
}

bool dr_json5_begins_line(const struct dr_json5 *document, size_t at)
{
    return skip_blanks(document, dr_json5_line_start(document, at)) >= at;
}

/* The end of the comment at `at` when it lies on one line; else `at`. */
static size_t comment_on_line(const struct dr_json5 *document, size_t at, bool *ret_line_comment)
{
    const char *bytes = document->bytes;
    size_t end = at;

    if (document->length - at < 2 || bytes[at] != '/' || (bytes[at + 1] != '/' && bytes[at + 1] != '*'))
        return at;
    *ret_line_comment = bytes[at + 1] == '/';
    for (end = at + 2; end < document->length && bytes[end] != '\n' && bytes[end] != '\r'; end++)
        if (!*ret_line_comment && bytes[end - 1] == '*' && bytes[end] == '/' && end > at + 2)
            return end + 1;
    if (!*ret_line_comment)
        return at;
    /* U+2028 and U+2029 end a // comment, but no line: leave such a comment alone. */
    if (memmem(bytes + at, end - at, "\xe2\x80\xa8", 3) || memmem(bytes + at, end - at, "\xe2\x80\xa9", 3)) {
        *ret_line_comment = false;
        return at;
    }
    return end;
}

size_t dr_json5_skip_on_line(const struct dr_json5 *document, size_t at, bool *ret_line_comment)
{
    *ret_line_comment = false;
    for (;;) {
        size_t blank = skip_blanks(document, at);
        bool line_comment = false;
        size_t end = blank < document->length ? comment_on_line(document, blank, &line_comment) : blank;

        if (end == blank)
            return at;
        *ret_line_comment = line_comment;
        at = end;
        if (line_comment)
            return at;
    }
}

size_t dr_json5_comma_behind(const struct dr_json5 *document, const struct dr_json5_node *node)
{
    size_t at = dr_json5_skip_blank(document->bytes, document->length, item_end(node), false);

    return at < document->length && document->bytes[at] == ',' ? at : 0;
}

/* The file's line ends: those of its first line. */
static const char *line_end_of(const struct dr_json5 *document)
{
    const char *end = document->length ? memchr(document->bytes, '\n', document->length) : NULL;

    if (end)
        return end > document->bytes && end[-1] == '\r' ? "\r\n" : "\n";
    return document->length && memchr(document->bytes, '\r', document->length) ? "\r" : "\n";
}

static bool has_line_end(const struct dr_json5 *document, size_t start, size_t end)
{
    return end > start &&
           (memchr(document->bytes + start, '\n', end - start) || memchr(document->bytes + start, '\r', end - start));
}

static struct dr_json5_span blanks_at_line(const struct dr_json5 *document, size_t at)
{
    size_t start = dr_json5_line_start(document, at);
    size_t end = skip_blanks(document, start);

    return (struct dr_json5_span){ start, end < at ? end : at };
}

/* One step of indentation: the first child of the outermost containers that begins a line shows it. */
static struct dr_json5_span indent_unit(const struct dr_json5 *document)
{
    for (size_t i = 1; i < document->node_count && i < 1000; i++) {
        const struct dr_json5_node *node = &document->root[i];
        const struct dr_json5_node *parent = dr_json5_parent(node);
        size_t start = dr_json5_item_start(node);

        if (!dr_json5_begins_line(document, start))
            continue;

        struct dr_json5_span outer = blanks_at_line(document, dr_json5_item_start(parent));
        struct dr_json5_span inner = blanks_at_line(document, start);
        size_t step = outer.end - outer.start;

        if (inner.end - inner.start > step)
            return (struct dr_json5_span){ inner.start + step, inner.end };
    }
    return (struct dr_json5_span){ 0 };
}

static const struct dr_json5_node *last_child(const struct dr_json5_node *container, const struct dr_json5_node **ret_before)
{
    const struct dr_json5_node *last = NULL;

    *ret_before = NULL;
    for (const struct dr_json5_node *child = dr_json5_first(container); child; child = dr_json5_next(child)) {
        *ret_before = last;
        last = child;
    }
    return last;
}

static void lay_out_empty(const struct dr_json5 *document, const struct dr_json5_node *container,
                          struct dr_json5_layout *layout)
{
    size_t at = layout->inner.end;

    /* Behind the last comment: white space at its end is all that can follow. */
    while (at > layout->inner.start && (is_blank(document->bytes[at - 1]) || is_line_break(document->bytes[at - 1])))
        at--;
    layout->add_at = at;
    layout->behind_line_comment = at > layout->inner.start;
    layout->one_line_inside = !has_line_end(document, layout->inner.start, layout->inner.end);
    layout->many_lines =
        has_line_end(document, document->root->offset, (size_t)document->root->offset + document->root->length);
    layout->indent = blanks_at_line(document, dr_json5_item_start(container));
    layout->indent_is_outer = true;
}

static void lay_out_children(const struct dr_json5 *document, const struct dr_json5_node *container,
                             const struct dr_json5_node *before, struct dr_json5_layout *layout)
{
    const struct dr_json5_node *last = layout->last;
    size_t start = dr_json5_item_start(last);
    size_t behind = before ? item_end(before) : layout->inner.start;

    layout->many_lines = dr_json5_begins_line(document, start) && has_line_end(document, behind, start);
    layout->comma = dr_json5_comma_behind(document, last);
    layout->add_at =
        dr_json5_skip_on_line(document, layout->comma ? layout->comma + 1 : item_end(last), &layout->behind_line_comment);
    if (layout->many_lines) {
        layout->indent = blanks_at_line(document, start);
    } else {
        layout->indent = blanks_at_line(document, dr_json5_item_start(container));
        layout->indent_is_outer = true;
    }
    if (before) {
        size_t comma = dr_json5_comma_behind(document, before);

        layout->gap_known = comma && skip_blanks(document, comma + 1) == start;
        if (layout->gap_known)
            layout->gap = (struct dr_json5_span){ comma + 1, start };
    } else if (last->key_length && document->bytes[last->offset - 1] == ':') {
        layout->gap_known = true; /* {a:1} is written without white space */
    }
}

static void find_key_style(const struct dr_json5 *document, const struct dr_json5_node *container,
                           struct dr_json5_layout *layout)
{
    const struct dr_json5_node *sample = layout->last && layout->last->key_length ? layout->last : NULL;

    /* An empty object looks at its own key, then at the document's first one. */
    if (!sample && container->key_length)
        sample = container;
    for (size_t i = 1; !sample && i < document->node_count && i < 1000; i++)
        if (document->root[i].key_length)
            sample = &document->root[i];
    layout->key_quote = '"';
    if (!sample)
        return;

    char first = document->bytes[sample->key_offset];
    size_t colon = (size_t)sample->key_offset + sample->key_length;

    layout->key_quote = first == '"' || first == '\'' ? first : 0;
    if (document->bytes[colon] == ':' && skip_blanks(document, colon + 1) == sample->offset)
        layout->colon = (struct dr_json5_span){ colon, sample->offset };
}

void dr_json5_layout(const struct dr_json5 *document, const struct dr_json5_node *container,
                     struct dr_json5_layout *ret_layout)
{
    const struct dr_json5_node *before;
    struct dr_json5_layout layout = {
        .inner = { (size_t)container->offset + 1, (size_t)container->offset + container->length - 1 },
        .line_end = line_end_of(document),
    };

    layout.last = last_child(container, &before);
    layout.unit = indent_unit(document);
    if (layout.last)
        lay_out_children(document, container, before, &layout);
    else
        lay_out_empty(document, container, &layout);
    find_key_style(document, container, &layout);
    *ret_layout = layout;
}
