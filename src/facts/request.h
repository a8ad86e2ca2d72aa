/*
 * What was asked for: the part of the command line that facts depend on, and the world that OpenClaw would see.
 *
 * Filled by cli before the worker starts, read-only afterwards. All strings are borrowed and outlive the run.
 */
#ifndef DR_FACTS_REQUEST_H
#define DR_FACTS_REQUEST_H

#include "api/fact.h"

struct dr_request {
    const char *root; /* --root, or NULL */
    int root_fd; /* O_PATH directory of --root, or AT_FDCWD */
    const char *state_dir; /* --state-dir */
    const char *config_path; /* --config */
    const char *profile; /* --profile */
    const char *user; /* --user: name or uid */
    const char *openclaw_version; /* --openclaw-version */
    const char *const *environment; /* NAME=VALUE, NULL-ended */
    const char *working_directory; /* NULL when it cannot be had */
    const char *proc; /* "/proc"; tests point elsewhere */
    uint32_t uid, gid; /* who runs the doctor (effective) */
    int64_t now_ms;
};

#endif
