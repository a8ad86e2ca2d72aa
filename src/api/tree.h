/*
 * One walk over the files of the target, shared by all checks that want owner, mode, size, links or times.
 *
 * Each directory is opened beneath its parent's descriptor (never through a link, never into another mount); memory does not
 * grow with the number of files. Paths are shown, not used to open: a fixer hands `identity` to the plan and the executor
 * judges the descriptor again.
 *
 * How far the walk goes: the state directory wholly; temp folders one level deep; the npm cache three levels; an install one
 * level. What lies deeper there is not looked at unless a caller asks for the whole tree (dr_tree_walk_whole).
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
    struct dr_file_identity identity; /* mode 0: nothing could be learned but the name, `unreadable` says why */
    const struct dr_file_identity *parent; /* the folder it lies in; NULL at depth 0 */
    bool group_passes; /* every folder from the tree's root down to here lets its group (or everyone) pass */
    bool others_pass; /* ... lets everyone pass */
    bool other_mount; /* a mount point: reported, not entered */
    const char *unreadable; /* why it could not be entered, listed to its end, or judged; else NULL */
};

typedef void dr_visit_function(struct dr_context *context, const struct dr_entry *entry, void *state);

/*
 * Walks all trees with a visitor. The engine calls it once for all checks together; fixers, which need every entry and not a
 * sample, call it again. A folder is visited before what it holds; the order of entries is that of the file system.
 * Entries that vanish during the walk are left out, and so are trees that do not exist. 0 or -ENOMEM.
 */
int dr_tree_walk(struct dr_context *context, dr_visit_function *visit, void *state);

/* The same over the trees of one kind, to their last entry. */
int dr_tree_walk_whole(struct dr_context *context, enum dr_tree_kind kind, dr_visit_function *visit, void *state);

/* What a visitor met and could not look into: the first five by name. All zero at the beginning. */
enum { DR_UNLOOKED_NAMED = 5 };

struct dr_findings;
struct dr_unlooked {
    const char *paths[DR_UNLOOKED_NAMED];
    const char *reasons[DR_UNLOOKED_NAMED];
    size_t count;
};

/* Takes an entry with `unreadable`; and says of all of them that they could not be told, those without a name as a number in `folder`. */
void dr_unlooked_note(struct dr_context *context, struct dr_unlooked *unlooked, const struct dr_entry *entry);
void dr_unlooked_tell(struct dr_findings *findings, const struct dr_unlooked *unlooked, const char *folder);

#endif
