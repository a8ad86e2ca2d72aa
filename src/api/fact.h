/*
 * A fact: something true about the target, or why it could not be had.
 *
 * Every fact struct begins with a `struct dr_fact`. A reader looks at `state` first:
 *   DR_KNOWN    the rest of the struct is filled in
 *   DR_ABSENT   looked, and it is not there (a file that does not exist is an answer)
 *   DR_UNKNOWN  could not tell; `reason` says why in one plain sentence. Never to be read as healthy.
 * Facts are lazy and memoised: the accessor that takes a context works once per run. All pointers inside facts
 * live in the run's arena and are borrowed.
 */
#ifndef DR_API_FACT_H
#define DR_API_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dr_context;

enum dr_fact_state {
    DR_NOT_LOOKED = 0,
    DR_KNOWN,
    DR_ABSENT,
    DR_UNKNOWN,
};

/* Where something stands. `path` is absolute; line and column are 1-based, 0 = none; pointer such as "gateway.auth.token". */
struct dr_source {
    const char *path;
    const char *pointer;
    unsigned line;
    unsigned column;
};

struct dr_fact {
    enum dr_fact_state state;
    const char *reason;
    struct dr_source source;
};

/*
 * Memory of the run: zeroed, never NULL, never freed singly. When the run's ceiling is reached the worker ends and the
 * check at work becomes `error: out of memory`; the other checks go on in a new worker.
 */
void *dr_alloc(struct dr_context *context, size_t size);
char *dr_strdup(struct dr_context *context, const char *text);
char *dr_strndup(struct dr_context *context, const char *text, size_t length);
char *dr_format(struct dr_context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* This moment, milliseconds since 1970, the same for the whole run. */
int64_t dr_now_ms(struct dr_context *context);

#endif
