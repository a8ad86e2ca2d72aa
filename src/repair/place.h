/*
 * Where the executor may write, and how it gets there.
 *
 * A base is a folder in which operations may write: the state directory and the folders in `allowed`. Its own path is walked
 * once, component by component; links above it are followed, but when root walks over a link that somebody else made, the
 * folder behind it must belong to that somebody (else a user could lead root into /etc). The state directory itself may
 * be such a link; an allowed folder may not. Below a base nothing is followed: no link, no mount, no "..".
 *
 * A place is one name below a base, held by descriptors: everything that happens to it goes through these.
 */
#ifndef DR_REPAIR_PLACE_H
#define DR_REPAIR_PLACE_H

#include "base/error.h"
#include "repair/repair.h"

#include <stdbool.h>
#include <sys/stat.h>

struct dr_base {
    const char *path; /* borrowed, clean */
    int fd; /* O_PATH directory; -1 until it is needed */
    bool state;
};

struct dr_places {
    const struct dr_repair_target *target; /* borrowed */
    struct dr_base *bases; /* owned; the first is the state directory, already open */
    size_t count;
    /* What a journal on disk says is only obeyed where its owner could have done it without us. */
    bool journal_of_user;
};

/* Walks to a base and fills in its fd. -EPERM: root met somebody's link that leads to somebody else's folder. */
int dr_base_open(const struct dr_repair_target *target, struct dr_base *base) DR_MUST_CHECK;

int dr_places_open(const struct dr_repair_target *target, struct dr_places *ret_places,
                   struct dr_error *error) DR_MUST_CHECK;
void dr_places_release(struct dr_places *places);

/*
 * Makes a folder a base, when it lies in none yet: where a journal says that a change was made, it may be taken back, whatever folders today's
 * command line allows. Whether the journal is believed there is another question (journal_of_user). `folder` is clean and stays the caller's.
 */
int dr_places_add(struct dr_places *places, const char *folder) DR_MUST_CHECK;

struct dr_place {
    int dir_fd; /* O_PATH of the folder that holds it; -1: the place is a base itself */
    int fd; /* O_PATH of the thing, never a link; -1: there is nothing of that name */
    char *name; /* owned; NULL when the place is a base itself */
    struct stat st; /* of fd */
};

#define DR_PLACE               \
    {                          \
        .dir_fd = -1, .fd = -1 \
    }
void dr_place_release(struct dr_place *place);
#define _cleanup_place_ _cleanup_(dr_place_release)

/*
 * Opens the place. A missing thing is success with fd -1; a missing folder is -ENOENT. -EPERM: not below a base, or in the
 * doctor's own folder; -ELOOP: a link in the way; -EXDEV: another mount.
 */
int dr_place_find(const struct dr_places *places, const char *path, struct dr_place *ret_place,
                  struct dr_error *error) DR_MUST_CHECK;

/* Does the base that holds the path belong to the owner of the state? False when that cannot be told. */
bool dr_places_is_owners(const struct dr_places *places, const char *path);

/* Looks again whether `name` is still the inode that `fd` holds. -ESTALE when not. */
int dr_place_still(const struct dr_place *place) DR_MUST_CHECK;

/* fsync of the folder that holds the place (of the folder itself for a base). */
int dr_place_sync_folder(const struct dr_place *place) DR_MUST_CHECK;
int dr_sync_folder(int dir_fd) DR_MUST_CHECK;

/* openat2 below dir_fd that follows nothing and leaves no mount. `path` relative, without "..". */
int dr_open_below(int dir_fd, const char *path, int flags, int *ret_fd) DR_MUST_CHECK;

/* Reading or writing a file that an O_PATH descriptor holds. -EINVAL for anything but a regular file. */
int dr_reopen(const struct dr_place *place, int flags, int *ret_fd) DR_MUST_CHECK;

#endif
