/*
 * What OpenClaw's close codes, detail codes and error messages mean, in plain words: the table behind `explain MESSAGE`.
 *
 * Each row says where it is known from: "observed" was seen on that release, "source" was read in it, #N is an issue of OpenClaw's
 * tracker. Keys are matched without regard to case and punctuation, see dr_message_find.
 */
#ifndef DR_REPORT_EXPLAIN_MESSAGES_H
#define DR_REPORT_EXPLAIN_MESSAGES_H

#include <stddef.h>

enum { DR_MOST_KEYS = 6, DR_MOST_CHECKS = 4 };

struct dr_message {
    const char *keys[DR_MOST_KEYS]; /* the first is its name; NULL ends */
    const char *means; /* plain words; "{doctor}" is how the user calls this program */
    const char *checks[DR_MOST_CHECKS]; /* ids of checks that look for it, the likeliest first; NULL ends */
    const char *next; /* one line, best a command */
    const char *source;
};

extern const struct dr_message dr_message_table[];
extern const size_t dr_message_count;

/*
 * Rows for a query, the best first. A number finds the row of that code. Other words find rows of which a key stands in the query (a
 * pasted line), the longest key first, or, when there is none, rows in whose key the query stands. Returns how many, at most `most`;
 * -ENOMEM.
 */
int dr_message_find(const char *query, const struct dr_message **ret_rows, size_t most);

#endif
