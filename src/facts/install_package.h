/*
 * Packages on disk: what a package.json says, and which package an executable belongs to. Nothing is run; every read is small and
 * beneath the request's root.
 */
#ifndef DR_FACTS_INSTALL_PACKAGE_H
#define DR_FACTS_INSTALL_PACKAGE_H

#include "facts/context.h"

struct dr_package {
    const char *folder;
    const char *name;
    const char *version; /* NULL when package.json names none in its first 16 KiB */
};

/* True for "openclaw" and the names that it had before. */
bool dr_package_is_openclaw(const char *name);

/* Negative errno when there is no package.json that can be read, -EINVAL when it names no package. */
int dr_package_read(struct dr_context *context, const char *folder, struct dr_package *ret_package);

/*
 * The OpenClaw package that running `executable` would start: links are followed, so are the shell wrappers of npm, pnpm and bun.
 * -ENOENT when it leads to none.
 */
int dr_package_of(struct dr_context *context, const char *executable, struct dr_package *ret_package);

/* The file that `path` leads to, after at most 8 links, with the folders on the way resolved. NULL when there is none. */
const char *dr_path_resolve(struct dr_context *context, const char *path);

/* At most `most` first bytes of a regular file, NUL-terminated, in the run's arena. Negative errno. */
int dr_read_head(struct dr_context *context, const char *path, size_t most, char **ret_text, size_t *ret_length);

/* Arena copies of base's path helpers. */
const char *dr_context_join(struct dr_context *context, const char *folder, const char *name);
const char *dr_parent(struct dr_context *context, const char *path);

#endif
