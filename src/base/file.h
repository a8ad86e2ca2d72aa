/*
 * Reading files that somebody else owns.
 *
 * Every open here is O_CLOEXEC | O_NONBLOCK | O_NOCTTY, does not follow the last component, and is judged by fstat
 * on the opened descriptor: a FIFO, device, socket or directory is -EINVAL, and no read ever blocks.
 * `root_fd` is the directory that stands for "/" (`--root DIR`); AT_FDCWD means the real root. With a root fd, paths
 * are resolved beneath it (openat2 RESOLVE_IN_ROOT), so a link planted inside cannot lead out.
 */
#ifndef DR_BASE_FILE_H
#define DR_BASE_FILE_H

#include "api/file_state.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

void dr_file_identity_from_stat(const struct stat *st, struct dr_file_identity *ret_identity);

/* Same file with the same contents, as far as metadata can tell (device, inode, size, mtime, type). */
bool dr_file_identity_same(const struct dr_file_identity *a, const struct dr_file_identity *b);

/*
 * openat2 under root_fd. `flags` are open(2) flags. The last component is never followed (O_NOFOLLOW is
 * added; -ELOOP for a link). Links in the middle of the path are followed inside the root.
 */
int dr_open(int root_fd, const char *path, int flags, int *ret_fd) DR_MUST_CHECK;

/*
 * The whole of a regular file. -EINVAL: not a regular file; -E2BIG: larger than the buffer's ceiling (checked before
 * reading); -ELOOP: a link; -ENOENT, -EACCES, ... as open(2). `ret_identity` may be NULL. Appends to `buffer`.
 */
int dr_read_file(int root_fd, const char *path, struct dr_buffer *buffer,
                 struct dr_file_identity *ret_identity) DR_MUST_CHECK;
int dr_read_fd(int fd, struct dr_buffer *buffer) DR_MUST_CHECK;

/* lstat under root_fd; mounts nothing. */
int dr_stat(int root_fd, const char *path, struct stat *ret_stat) DR_MUST_CHECK;

/* Where a symbolic link points. Caller frees. -EINVAL when it is no link. */
int dr_read_link(int root_fd, const char *path, char **ret_target) DR_MUST_CHECK;

#endif
