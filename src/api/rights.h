/*
 * What an entry's owner and mode mean for OpenClaw: the judgement that a check and its fixer share, so that a repair changes
 * exactly what was found.
 *
 * Sources: facts/openclaw-2026.2.md §1 and §5, openclaw-2026.9.md §1.1 and §4, failure-modes rows 7, 12, 25, 48, 49, 59.
 * POSIX ACLs are not read: an entry that an ACL alone makes usable is judged by its mode.
 */
#ifndef DR_API_RIGHTS_H
#define DR_API_RIGHTS_H

#include "api/tree.h"

enum dr_ownership {
    DR_OWNER_FINE = 0,
    DR_OWNER_HARMLESS, /* somebody else's, and the gateway's user can do with it what OpenClaw needs */
    DR_OWNER_WRONG, /* somebody else's, and neither its group nor others have what OpenClaw needs */
};

enum dr_ownership dr_ownership_of(struct dr_context *context, const struct dr_entry *entry);

/* Whom a wrong entry is to belong to: the gateway's user; the group of its folder where that is set-group-id. */
void dr_owner_wanted(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_uid, uint32_t *ret_gid);

enum dr_mode_fault {
    DR_MODE_FINE = 0,
    DR_MODE_WRITABLE, /* a file that others can change */
    DR_MODE_READABLE, /* a file with secrets that others can read */
    DR_MODE_SHUT_IN, /* like one of these two, but a closed folder above keeps others away */
    DR_MODE_FOLDER_WRITABLE, /* others can replace what lies in the folder */
    DR_MODE_FOLDER_OPEN, /* the state directory lets others in */
    DR_MODE_TOO_TIGHT, /* its own user lacks what OpenClaw needs */
};

/*
 * `ret_mode` gets the permission bits that it should have: some removed, or for DR_MODE_TOO_TIGHT the owner's added. The group's
 * bits count as others', but for a group that only the gateway's user is in, and where a set-group-id folder shows that sharing is meant
 * (2770 and 660). Only the state directory's tree is judged.
 */
enum dr_mode_fault dr_mode_fault_of(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_mode);

/* False when that mode would take from the gateway's user what the present one gives (a file of root's that others may read). */
bool dr_mode_keeps_use(struct dr_context *context, const struct dr_entry *entry, uint32_t mode);

/*
 * Whether a repair may touch it, and else why not: a folder, or a regular file with one name (a second name could be planted to
 * reach a file elsewhere), on the tree's own mount, with a path that a plan (JSON) can hold.
 */
enum dr_repairable { DR_REPAIRABLE = 0, DR_HARD_LINKED, DR_ODD_NAME, DR_OTHER_MOUNT, DR_NOT_PLAIN };

enum dr_repairable dr_entry_repairable(const struct dr_entry *entry);

/* A device, or a FIFO or folder where OpenClaw expects a file: what it is, in words; else NULL. */
const char *dr_entry_oddity(struct dr_context *context, const struct dr_entry *entry);

/* The path below the state directory ("" for itself, "openclaw.json" for a configuration elsewhere), or NULL outside. Borrowed. */
const char *dr_entry_in_state(struct dr_context *context, const struct dr_entry *entry);

/* Whether everybody can come to that path: each folder above it lets others pass. False when one could not be looked at. */
bool dr_others_reach(struct dr_context *context, const char *path);

/* "alice", or "uid 1001". */
const char *dr_name_of_user(struct dr_context *context, uint32_t uid);

#endif
