#include "repair/owner_rights.h"

#include <errno.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <unistd.h>

int dr_owner_rights_take(uint32_t uid, uint32_t gid, struct dr_owner_rights *rights)
{
    const gid_t only = gid;

    rights->group_count = getgroups(DR_MOST_GROUPS, rights->groups);
    if (rights->group_count < 0)
        return -EPERM;
    /* A user namespace may deny it: there the groups that are left give no rights outside of it. */
    if (setgroups(1, &only) < 0)
        rights->group_count = -1;
    rights->gid = setfsgid(gid);
    rights->uid = setfsuid(uid);
    rights->taken = true;
    /* These calls answer the old value whether or not they did anything; an impossible one asks. */
    if ((uint32_t)setfsuid((uid_t)-1) == uid && (uint32_t)setfsgid((gid_t)-1) == gid)
        return 0;
    dr_owner_rights_give_back(rights);
    return -EPERM;
}

void dr_owner_rights_give_back(struct dr_owner_rights *rights)
{
    int saved = errno;

    if (rights->taken) {
        (void)setfsuid((uid_t)rights->uid);
        (void)setfsgid((gid_t)rights->gid);
        if (rights->group_count >= 0)
            (void)setgroups((size_t)rights->group_count, rights->groups);
    }
    rights->taken = false;
    errno = saved;
}
