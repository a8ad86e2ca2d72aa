/*
 * Mode, owner and extended attributes, through descriptors that were judged.
 *
 * The set-user-id and set-group-id bits of a file are never given back: chown clears them, and what a journal says must not
 * be a way to get them.
 */
#ifndef DR_REPAIR_ATTRIBUTES_H
#define DR_REPAIR_ATTRIBUTES_H

#include "base/cleanup.h"

#include <stdint.h>
#include <sys/stat.h>

/* The permission bits that may be set on a thing of that type. */
uint32_t dr_settable_mode(uint32_t type, uint32_t mode);

/* `fd` may be O_PATH. `type`: st_mode of the thing. */
int dr_fd_set_mode(int fd, uint32_t type, uint32_t mode) DR_MUST_CHECK;
int dr_fd_set_owner(int fd, uint32_t uid, uint32_t gid) DR_MUST_CHECK;

/* Owner, then mode: common bits of both modes first, so that at no moment the new owner has what only the old one should. */
int dr_fd_set_perms(int fd, const struct stat *now, uint32_t mode, uint32_t uid, uint32_t gid) DR_MUST_CHECK;

/* Copies all extended attributes (ACLs too) but those that give privileges. `to` was opened for writing. */
int dr_fd_copy_xattrs(int from, int to) DR_MUST_CHECK;

#endif
