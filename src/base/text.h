/*
 * Small text helpers: paths, names for people, safe printing.
 */
#ifndef DR_BASE_TEXT_H
#define DR_BASE_TEXT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* "a" + "b" -> "a/b", without doubling the slash; an absolute `name` replaces `folder`. Caller frees, NULL without memory. */
char *dr_path_join(const char *folder, const char *name);

/* Lexical: collapses "//", "." and ".."; keeps a leading "/". Does not touch the file system. Caller frees. */
char *dr_path_clean(const char *path);

/* True when `path` is `folder` or lies below it (lexically, both clean). */
bool dr_path_is_below(const char *path, const char *folder);

/* `path` with `home` shown as "~". Caller frees. `home` may be NULL. */
char *dr_path_tilde(const char *path, const char *home);

/*
 * Appends text so that it cannot confuse a terminal or a log: control characters, invalid UTF-8 and the
 * line separators become \n, \t, \xNN or \uNNNN.
 */
int dr_text_append_safe(struct dr_buffer *buffer, const char *text, size_t length) DR_MUST_CHECK;

bool dr_text_starts_with(const char *text, const char *prefix);
bool dr_text_ends_with(const char *text, const char *suffix);
bool dr_text_is_utf8(const char *text, size_t length);

/* Length in bytes of the valid UTF-8 sequence at `text`, 0 when it is not valid. */
size_t dr_utf8_length(const char *text, size_t length);

#endif
