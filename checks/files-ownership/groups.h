/* Wrong entries by the top-level folder that they lie in: `sudo openclaw ...` leaves one file or a whole tree behind. */
#ifndef FILES_OWNERSHIP_GROUPS_H
#define FILES_OWNERSHIP_GROUPS_H

#include "api/rights.h"

enum { MOST_GROUPS = 8, MOST_SAMPLES = 3 };

struct group {
    enum dr_tree_kind tree;
    const char *top; /* path of the top-level entry (arena) */
    const char *samples[MOST_SAMPLES]; /* paths (arena) */
    size_t count;
    size_t folders;
    uint32_t owner; /* of the first */
    bool top_is_folder;
    bool top_is_wrong; /* the top-level entry itself, and so everything below it */
};

struct groups {
    struct group list[MOST_GROUPS + 1]; /* the last: of more than MOST_GROUPS, which are then told as one */
    size_t count;
    bool many;
};

void groups_add(struct dr_context *context, struct groups *groups, const struct dr_entry *entry);

#endif
