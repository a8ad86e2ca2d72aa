/*
 * What was asked for: the part of the command line that facts depend on, and the world that OpenClaw would see.
 *
 * Filled by cli before the worker starts, read-only afterwards. All strings are borrowed and outlive the run.
 */
#ifndef DR_FACTS_REQUEST_H
#define DR_FACTS_REQUEST_H

#include "api/fact.h"

/* How far a probe goes: read the challenge only; connect with the shared token; connect signed with this home's own identity. */
enum dr_deep { DR_DEEP_NOT = 0, DR_DEEP_TOKEN, DR_DEEP_IDENTITY };

enum { DR_PROBE_TIMEOUT_MS = 3000 };

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
    bool online; /* --online: other hosts may be contacted */
    bool offline; /* --offline: nobody is contacted */
    enum dr_deep deep; /* --deep */
    const char *gateway_url; /* --gateway-url, or NULL */
    const char *const *proxy_configs; /* --proxy-config, NULL-ended; NULL: only what is found on this host */
    unsigned probe_timeout_ms; /* --probe-timeout: for each probe; 0: the default */
    int64_t now_ms;
};

#endif
