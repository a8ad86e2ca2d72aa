/*
 * One walk over the files of the target, shared by all checks that want owner, mode, size, links or times.
 *
 * Each directory is opened beneath its parent's descriptor (never through a link, never into another mount); memory does not
 * grow with the number of files. Paths are shown, not used to open: a fixer hands `identity` to the plan and the executor
 * judges the descriptor again.
 */
#ifndef DR_API_TREE_H
#define DR_API_TREE_H

#include "api/fact.h"
#include "api/file_state.h"

enum dr_tree_kind {
    DR_TREE_STATE, /* the state directory, the configuration file included where it lies elsewhere */
    DR_TREE_INSTALL, /* the installed package */
    DR_TREE_TEMP, /* /tmp/jiti, /tmp/openclaw*, $TMPDIR/openclaw-<uid> */
    DR_TREE_CACHE, /* ~/.npm */
};

struct dr_entry {
    enum dr_tree_kind tree;
    const char *path; /* absolute; valid during the call only */
    const char *name; /* last component */
    unsigned depth; /* 0: the tree's own root */
    struct dr_file_identity identity;
    bool other_mount; /* a mount point: reported, not entered */
    const char *unreadable; /* a directory that could not be entered: why; else NULL */
};

typedef void dr_visit_function(struct dr_context *context, const struct dr_entry *entry, void *state);

/* Walks again with a visitor of the caller's; for fixers, which need every entry and not a sample. */
int dr_tree_walk(struct dr_context *context, dr_visit_function *visit, void *state);

#endif
