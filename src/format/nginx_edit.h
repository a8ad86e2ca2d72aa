/*
 * nginx: writing into one block, in the style of what stands there.
 *
 * What is changed in the block's own text is changed in place. What came into the block through an include is not changed there, as others may
 * include the same file: the include directive gives way to what it brought, with the change. New directives go behind (or in front
 * of) `anchor`, with its indentation and line end; on its line where the block stands on one line.
 */
#ifndef DR_FORMAT_NGINX_EDIT_H
#define DR_FORMAT_NGINX_EDIT_H

#include "format/nginx_tree.h"

struct dr_nginx_change {
    const struct dr_nginx_directive *directive; /* a child of the block */
    size_t offset; /* bytes of it that are replaced; in its file */
    size_t length;
    const char *text; /* NULL: the directive is taken out as a whole */
};

/* Zero it, then set arena and block. */
struct dr_nginx_editor {
    struct dr_arena *arena;
    const struct dr_nginx_directive *block;
    const struct dr_nginx_directive *anchor; /* in the block's own text */
    bool in_front;
    struct dr_nginx_change *changes;
    size_t change_count, change_room;
    const char **added; /* whole directives with their ';' */
    size_t added_count, added_room;
    bool no_memory;
};

/* The place beside `inner`, a directive that stands somewhere in the block. */
void dr_nginx_anchor(struct dr_nginx_editor *editor, const struct dr_nginx_directive *inner);

void dr_nginx_change(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive, size_t offset,
                     size_t length, const char *text);
void dr_nginx_change_word(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive, size_t word,
                          const char *text);
void dr_nginx_take_out(struct dr_nginx_editor *editor, const struct dr_nginx_directive *directive);
void dr_nginx_add(struct dr_nginx_editor *editor, const char *text);

/* A directive as it is spelt, one space between its words; the last word replaced where `last` is not NULL. */
const char *dr_nginx_spelling(struct dr_arena *arena, const struct dr_nginx_directive *directive, const char *last);

/* 0 or -ENOMEM. */
int dr_nginx_write(struct dr_nginx_editor *editor, struct dr_route_edits *edits);

#endif
