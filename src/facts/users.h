/*
 * Users and groups of the target, read from its own etc/passwd and etc/group (below --root), not from this machine's name service: the
 * doctor must answer in a container, on a mounted disk and as a static program. A user who is not in the file is "uid N".
 */
#ifndef DR_FACTS_USERS_H
#define DR_FACTS_USERS_H

#include "facts/context.h"

struct dr_user {
    const char *name; /* arena */
    uint32_t uid, gid;
    const char *home; /* arena */
};

/* 1 found, 0 no such user, negative errno when the file could not be read. */
int dr_user_by_uid(struct dr_context *context, uint32_t uid, struct dr_user *ret_user);
int dr_user_by_name(struct dr_context *context, const char *name, struct dr_user *ret_user);

/* The name, or "uid N" (arena). Never NULL. */
const char *dr_user_name(struct dr_context *context, uint32_t uid);
const char *dr_group_name(struct dr_context *context, uint32_t gid);

/* Whether the user belongs to the group, as primary or by etc/group. False when that could not be read. */
bool dr_user_in_group(struct dr_context *context, uint32_t uid, uint32_t gid);

/* Whether somebody else than `uid` is in the group. True when that could not be read. */
bool dr_group_has_others(struct dr_context *context, uint32_t gid, uint32_t uid);

#endif
