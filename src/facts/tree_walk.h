/*
 * The walk itself: one folder and what lies below it, without a fact in sight.
 *
 * Invariants:
 *   - a folder is opened beneath its parent's descriptor, never through a link and never into another mount;
 *   - memory depends on the depth, not on the number of entries: a folder of 1,000,000 files is streamed;
 *   - at most DR_WALK_OPEN descriptors are held, whatever the depth: above that the upper folders are closed and opened again
 *     through "..", which is compared with what the folder was;
 *   - nothing is written; access times stay (O_NOATIME) wherever the kernel allows it.
 */
#ifndef DR_FACTS_TREE_WALK_H
#define DR_FACTS_TREE_WALK_H

#include "api/tree.h"

enum {
    DR_WALK_OPEN = 32, /* descriptors */
    /* Folders below this are reported as unreadable. Landlock judges an open by every folder above it: depth costs its square. */
    DR_WALK_DEEPEST = 1024,
    DR_WALK_WHOLE = DR_WALK_DEEPEST,
};

struct dr_walk {
    int root_fd; /* --root, or AT_FDCWD */
    const char *path; /* where the walk begins: folder or file, absolute */
    enum dr_tree_kind tree;
    unsigned deepest; /* 0: only the root; DR_WALK_WHOLE: everything */
    dr_visit_function *visit;
    struct dr_context *context; /* handed to visit */
    void *state; /* handed to visit */
};

/*
 * 0 when the walk came to its end (unreadable parts were told to the visitor), -ENOENT when there is nothing at `path`,
 * -ENOMEM. A root that is a link is visited as a link and not followed.
 */
int dr_walk_run(const struct dr_walk *walk);

/* One entry that is no tree: visited with its folder as parent, at depth 1. -ENOENT when it is not there. */
int dr_walk_single(const struct dr_walk *walk);

#endif
