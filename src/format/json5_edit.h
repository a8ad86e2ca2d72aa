/*
 * Changing a JSON5 text without touching what stands beside.
 *
 * Every function describes its change as span edits (struct dr_edit) of the parsed text; nothing is applied here (format/edit.h
 * does it in memory, src/repair on the disk). Comments, order, indentation, line ends, quotes and the spelling of everything
 * else stay byte for byte. What is added is written in the style of its neighbours: indentation, keys with or without quotes,
 * white space behind the colon, trailing comma, one line or many. Where the neighbours are plain JSON the result is, too.
 *
 * Each call looks at the document as parsed. To make two changes, apply the first and parse again, or be sure that they lie in
 * different members; edits of one call are sorted and do not overlap.
 *
 * Ownership: texts live in the arena.
 */
#ifndef DR_FORMAT_JSON5_EDIT_H
#define DR_FORMAT_JSON5_EDIT_H

#include "api/operation.h"
#include "format/json5.h"

/*
 * `edits[value]` is exactly the new value (of a text: what stands between its quotes), the other edits are what it needs around
 * it. So a caller who must not hold the value can turn that one edit into a reference (edit.from).
 */
struct dr_json5_change {
    struct dr_edit edits[4];
    size_t count;
    size_t value;
};

/* How a new value is given. */
enum dr_json5_given {
    DR_JSON5_GIVEN_SPELLING, /* JSON, as it shall stand there; checked: -EINVAL when it is no single value */
    DR_JSON5_GIVEN_TEXT, /* the text of a string; escaped here */
};

/*
 * Sets the value at `path` (see dr_json5_at). An existing value is replaced, nothing else changes; a text keeps its quotes. A
 * missing member is added as the last one of its object, with the objects that miss above it. -EINVAL: misspelt path or spelling,
 * or a step that is no object (elements of arrays can be replaced, not added); -ENOMEM.
 */
int dr_json5_put(const struct dr_json5 *document, const char *path, enum dr_json5_given given, const char *value,
                 struct dr_arena *arena, struct dr_json5_change *ret_change) DR_MUST_CHECK;

/* Replaces the value of a node. */
int dr_json5_replace(const struct dr_json5 *document, const struct dr_json5_node *node, enum dr_json5_given given,
                     const char *value, struct dr_arena *arena, struct dr_json5_change *ret_change) DR_MUST_CHECK;

/* Adds a last member to an object (`key`), or a last element to an array (`key` NULL). Does not look for duplicates. */
int dr_json5_add(const struct dr_json5 *document, const struct dr_json5_node *container, const char *key,
                 enum dr_json5_given given, const char *value, struct dr_arena *arena,
                 struct dr_json5_change *ret_change) DR_MUST_CHECK;

/*
 * Removes a member or element with its comma. When it has its lines to itself they go, with comments on them; comments on other
 * lines stay. At most two edits. -EINVAL: the root.
 */
int dr_json5_remove(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_edit ret_edits[2],
                    size_t *ret_count) DR_MUST_CHECK;

/* Brackets of an array become those of an object, or the other way round (`type`). Keys are the caller's. -EINVAL: a scalar. */
int dr_json5_set_brackets(const struct dr_json5 *document, const struct dr_json5_node *node, enum dr_json5_type type,
                          struct dr_edit ret_edits[2]) DR_MUST_CHECK;

/* Puts a key in front of an element, or takes key and colon away from a member. */
int dr_json5_give_key(const struct dr_json5 *document, const struct dr_json5_node *element, const char *key,
                      struct dr_arena *arena, struct dr_edit *ret_edit) DR_MUST_CHECK;
int dr_json5_take_key(const struct dr_json5 *document, const struct dr_json5_node *member,
                      struct dr_edit *ret_edit) DR_MUST_CHECK;

/* A comment above a member or element. One line; -EINVAL: it has a line end, or the end of a comment. */
int dr_json5_comment(const struct dr_json5 *document, const struct dr_json5_node *node, const char *comment,
                     struct dr_arena *arena, struct dr_edit *ret_edit) DR_MUST_CHECK;

/* Puts a member that has its lines to itself into comments, line by line. -ENOTSUP: it shares a line. */
int dr_json5_comment_out(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                         struct dr_edit **ret_edits, size_t *ret_count) DR_MUST_CHECK;

/* `text` spelt for between `quote`s (' or "): escapes what must be escaped. Arena; NULL without memory. */
const char *dr_json5_spell(const char *text, size_t length, char quote, struct dr_arena *arena);

#endif
