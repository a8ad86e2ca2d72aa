/*
 * Installed releases of OpenClaw and Node, found on disk without running them (PATH, global and local prefixes, units' ExecStart).
 *
 * `release` is the one that the target is judged by, in this order: --openclaw-version, the running gateway's or unit's
 * install, the install on PATH, what the state says of itself (schema_meta.app_version, meta.lastTouchedVersion, unit
 * OPENCLAW_SERVICE_VERSION), and last the era that the store's shape shows (certain = false).
 */
#ifndef DR_API_INSTALL_H
#define DR_API_INSTALL_H

#include "api/release.h"

struct dr_install {
    const char *package_dir; /* folder with package.json */
    const char *version;
    struct dr_release release;
    bool release_known;
    const char *found_by; /* "PATH", "unit openclaw-gateway.service", "/usr/lib/node_modules" ... */
    const char *node_path; /* Node that would run it, or NULL */
    const char *node_version; /* from its package.json or include/node/node_version.h; NULL when not known */
};

struct dr_installs {
    struct dr_fact fact;
    const struct dr_install *list;
    size_t count;
    struct dr_release release;
    bool release_known; /* false: nothing says which release; rules are those of the era */
    bool release_certain;
    const char *release_from; /* "--openclaw-version", "install on PATH", ... */
    const struct dr_rules *rules; /* never NULL when the fact is known */
};

const struct dr_installs *dr_installs(struct dr_context *context);

#endif
