/*
 * A small text file as a fact: its bytes and what it was when it was read, so that an edit of it can be judged again.
 */
#ifndef DR_FACTS_TEXT_FILE_H
#define DR_FACTS_TEXT_FILE_H

#include "api/file_state.h"
#include "facts/context.h"

enum { DR_TEXT_FILE_MOST = 1024 * 1024 }; /* as much as OpenClaw itself reads of a .env */

struct dr_text_file {
    const char *path; /* where it really is */
    const char *bytes; /* NUL-terminated, may hold NULs */
    size_t length;
    struct dr_file_identity identity;
    const char *sha256;
    bool by_link; /* `path` was reached over a link: read, but not to be edited */
};

/* 0; -ENOENT and the like; -EINVAL: no regular file; -E2BIG. All in the arena. */
int dr_text_file_read(struct dr_context *context, const char *path, struct dr_text_file *ret_file);

#endif
