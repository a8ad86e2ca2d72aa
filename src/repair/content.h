/*
 * Contents of files: copies into the journal, and new contents that appear all at once.
 *
 * New contents are written to a temporary file in the same folder, whose name is known beforehand (the journal names it, so
 * that a killed run's left-over can be removed), and renamed when they are safe on disk.
 */
#ifndef DR_REPAIR_CONTENT_H
#define DR_REPAIR_CONTENT_H

#include "repair/place.h"

#include <stddef.h>

/* The largest file that is edited or restored from memory. */
enum { DR_CONTENT_MOST = 64 * 1024 * 1024 };

/* Who owns the new file and what may be done with it. `times` NULL: now. */
struct dr_new_file {
    const char *temp; /* name in the place's folder */
    const void *bytes;
    size_t length;
    uint32_t mode, uid, gid;
    int like; /* descriptor whose extended attributes are copied, or -1 */
    const struct timespec *mtime;
};

/* Over the file that is there; -ESTALE when the name no longer leads to `place->fd`. The folder is synced. */
int dr_content_replace(const struct dr_place *place, const struct dr_new_file *file) DR_MUST_CHECK;

/* Where nothing is; -EEXIST when something is. */
int dr_content_create(const struct dr_place *place, const struct dr_new_file *file) DR_MUST_CHECK;

/* Removes a left-over temporary file (or empty folder) of that name; nothing there is success. */
int dr_content_drop_temp(const struct dr_place *place, const char *temp) DR_MUST_CHECK;

/* Rename that never replaces. */
int dr_rename_new(int from_dir, const char *from, int to_dir, const char *to) DR_MUST_CHECK;

int dr_write_all(int fd, const void *bytes, size_t length) DR_MUST_CHECK;

#endif
