/*
 * Words that go with a negative errno.
 *
 * Libraries do not print. A function that can fail in a way worth explaining takes a `struct dr_error *`
 * (may be NULL) and fills it with one plain sentence. The struct owns `text`.
 */
#ifndef DR_BASE_ERROR_H
#define DR_BASE_ERROR_H

#include "base/cleanup.h"

struct dr_error {
    int code; /* negative errno, 0 when nothing failed */
    char *text; /* owned; NULL when nothing failed or memory ran out */
};

void dr_error_release(struct dr_error *error);
#define _cleanup_error_ _cleanup_(dr_error_release)

/* Replaces what `error` holds (when not NULL) and returns `code`, so that callers can `return dr_error_set(...)`. */
int dr_error_set(struct dr_error *error, int code, const char *format, ...) DR_PRINTF(3, 4);

/* The sentence, or the errno's own words. Borrowed; valid until `error` changes. */
const char *dr_error_text(const struct dr_error *error);

/* Plain words for a negative errno, such as "permission denied". Static. */
const char *dr_errno_text(int code);

#endif
