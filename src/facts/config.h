/*
 * Loading the configuration (see api/config.h) without a context: for the accessor and for tests.
 *
 * config.c         one load from start to end, and the accessor of the run
 * config_file.c    reading and parsing one file; reasons with file, line and column
 * config_include.c $include and merging
 * config_env.c     ${NAME}
 * config_value.c   lookup and walking
 */
#ifndef DR_FACTS_CONFIG_H
#define DR_FACTS_CONFIG_H

#include "api/config.h"
#include "base/arena.h"
#include "format/json5.h"

#define DR_CONFIG_CEILING ((size_t)16 << 20) /* one file */
#define DR_CONFIG_TOTAL_CEILING ((size_t)64 << 20) /* all files */

enum {
    DR_CONFIG_FILES = 256, /* files read, the configuration itself included */
    DR_CONFIG_INCLUDES = 4096, /* $include entries resolved; the same file may be included many times */
    DR_CONFIG_DEPTH = 10, /* includes inside includes, as in OpenClaw */
    DR_CONFIG_SLOTS = 1000000, /* members that merging may make */
    DR_CONFIG_MISSING_KEPT = 100 /* entries of `missing` */
};

/* Where OpenClaw would take a variable from, apart from the configuration itself. NULL: not set. */
struct dr_config_environment {
    const char *(*get)(void *data, const char *name);
    void *data;
};

/*
 * Loads `path` (absolute, beneath `root_fd`). What cannot be read or understood becomes the fact's state; the only errors are
 * -ENOMEM. All memory is the arena's; lookups allocate there, too.
 */
int dr_config_load(int root_fd, const char *path, const struct dr_config_environment *environment, struct dr_arena *arena,
                   struct dr_config *ret_config) DR_MUST_CHECK;

#endif
