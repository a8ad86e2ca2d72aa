/*
 * Looking at one name of a folder, and opening a folder for listing: no link is followed, no file system is mounted, and the access time
 * stays where the kernel lets us leave it.
 */
#ifndef DR_FACTS_TREE_LOOK_H
#define DR_FACTS_TREE_LOOK_H

#include "api/operation.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What one statx tells. Overlay and btrfs give one mount several device numbers: where the kernel knows, the mount counts. */
struct dr_seen {
    struct dr_file_identity identity;
    uint64_t mount; /* 0: kernel before 5.8 */
    bool mount_root;
};

/* Who opens, and what was learnt of the kernel while doing so. */
struct dr_looker {
    uid_t uid;
    bool no_openat2;
};

/* `name` "": the descriptor itself. Negative errno. */
int dr_look_at(int fd, const char *name, struct dr_seen *ret_seen);

bool dr_look_same(const struct dr_file_identity *a, const struct dr_file_identity *b);

/*
 * Opens a folder for listing; `owner` is what was seen of it and decides whether the kernel allows us to leave its access time alone. A
 * descriptor, the caller's to close; -ESTALE: another folder has come in its place; -EXDEV: another file system; or a negative errno.
 */
int dr_look_open(struct dr_looker *looker, int fd, const char *name, const struct dr_file_identity *owner);

#endif
