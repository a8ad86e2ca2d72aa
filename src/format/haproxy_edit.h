/*
 * Edits of lines of a HAProxy configuration, in the style of their neighbours (haproxy_edit.c; for haproxy_mend.c only).
 */
#ifndef DR_FORMAT_HAPROXY_EDIT_H
#define DR_FORMAT_HAPROXY_EDIT_H

#include "format/haproxy_route.h"

struct haproxy_editor {
    struct dr_arena *arena;
    struct dr_route_edits *edits;
    const char *why_not; /* the first thing that no edit can do; NULL: none */
    int r; /* -ENOMEM sticks */
};

/* Cannot be done. `text` is in the arena or static. */
void dr_haproxy_refuse(struct haproxy_editor *editor, const char *text);

/* A whole new line of the section, without indentation and line end, behind `after` (a line of the section; NULL: where such a line belongs). */
void dr_haproxy_add(struct haproxy_editor *editor, const struct haproxy_section *section, const struct haproxy_line *after,
                    const char *text);
void dr_haproxy_remove_line(struct haproxy_editor *editor, const struct haproxy_line *line);
void dr_haproxy_replace_word(struct haproxy_editor *editor, const struct haproxy_line *line, size_t word, const char *text);
/* Words [from, from + count) and the blanks before them. */
void dr_haproxy_remove_words(struct haproxy_editor *editor, const struct haproxy_line *line, size_t from, size_t count);
/* Behind the last word: " proto h1". */
void dr_haproxy_append(struct haproxy_editor *editor, const struct haproxy_line *line, const char *text);

#endif
