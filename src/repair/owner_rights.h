/*
 * Root acts for a user: with the user's rights on files and no others, so that the kernel itself refuses what the user could not do.
 *
 * User and group of the file system only (setfsuid(2)), and no other groups: descriptors that are open stay, and everything comes back at
 * the end of the scope. A child that is forked meanwhile has them too.
 */
#ifndef DR_REPAIR_OWNER_RIGHTS_H
#define DR_REPAIR_OWNER_RIGHTS_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { DR_MOST_GROUPS = 256 };

struct dr_owner_rights {
    bool taken;
    int uid, gid; /* before */
    int group_count; /* -1: they could not be changed here, and were left */
    gid_t groups[DR_MOST_GROUPS];
};

/* -EPERM when the rights cannot be changed: then nothing may be done. */
int dr_owner_rights_take(uint32_t uid, uint32_t gid, struct dr_owner_rights *rights) DR_MUST_CHECK;
void dr_owner_rights_give_back(struct dr_owner_rights *rights);
#define _cleanup_owner_rights_ _cleanup_(dr_owner_rights_give_back)

#endif
