/*
 * Small configuration files of one directive per line, its words separated by white space: /etc/hosts, resolv.conf, chrony.conf, ntp.conf.
 */
#ifndef DR_FACTS_CLOCK_LINES_H
#define DR_FACTS_CLOCK_LINES_H

#include "facts/context.h"

enum { DR_LINE_WORDS = 32 };

struct dr_line {
    const char *path; /* as asked for */
    unsigned number;
    const char *words[DR_LINE_WORDS]; /* arena; at least one; the rest of a longer line is dropped */
    size_t count;
};

/*
 * Calls `take` for each line that has a word. A word that begins with one of `comments` ends the line. 0, or why the file could not be read
 * (negative errno; files above 1 MiB are -E2BIG). Links are followed, inside the root.
 */
int dr_lines_read(struct dr_context *context, const char *path, const char *comments,
                  void (*take)(void *state, const struct dr_line *line), void *state);

/* The names in a folder that end with `suffix`, sorted, as paths (arena, NULL-ended, at most 64). NULL when there is none. */
const char *const *dr_folder_files(struct dr_context *context, const char *folder, const char *suffix);

#endif
