/*
 * Giving up the right to write, for good: rule 2 of the house.
 *
 * Three layers, each complete for what it covers, so that an old kernel lacks a layer and not the rule:
 *   - Landlock: no file or folder can be created, written, removed, renamed or truncated (kernel 5.13, what its ABI knows);
 *   - a seccomp filter: no chmod, chown, rename, unlink, link, mkdir, truncate, utime, xattr, mount, exec or fork (threads
 *     are allowed: they are held by the same layers);
 *   - rlimits: no bytes into any file (FSIZE 0), no core, bounded memory and descriptors.
 * Afterwards descriptors that were open before still work (the pipe).
 */
#ifndef DR_ENGINE_SANDBOX_H
#define DR_ENGINE_SANDBOX_H

#include "base/error.h"

#include <stddef.h>

struct dr_sandbox {
    int landlock_abi; /* 0: the kernel has none */
    int seccomp; /* 1: the filter is on */
};

/* Negative errno when a layer that the kernel offers could not be put on: then the worker must not start. */
int dr_sandbox_enter(size_t most_memory, struct dr_sandbox *ret_sandbox, struct dr_error *error) DR_MUST_CHECK;

#endif
