/*
 * The target: whose OpenClaw state is looked at, and where it is.
 *
 * Rules (facts/openclaw-2026.2.md §10, openclaw-2026.9.md §6): OPENCLAW_CONFIG_PATH > OPENCLAW_STATE_DIR/openclaw.json > home;
 * OPENCLAW_HOME > HOME; --profile X is ~/.openclaw-X; legacy ~/.clawdbot, ~/.moldbot, ~/.moltbot and CLAWDBOT_* only for
 * releases that still read them. The options --state-dir, --config, --profile, --user and --root win over the environment.
 *
 * All paths are as the gateway sees them; with --root DIR they are resolved below DIR.
 */
#ifndef DR_API_TARGET_H
#define DR_API_TARGET_H

#include "api/fact.h"

struct dr_target {
    struct dr_fact fact; /* DR_ABSENT: no state directory; reason says where was looked */
    const char *root; /* --root DIR, or NULL */
    const char *home;
    const char *state_dir;
    const char *config_path;
    const char *profile; /* NULL for the default */
    const char *state_dir_from; /* "OPENCLAW_STATE_DIR", "--state-dir", "~/.openclaw", ... */
    const char *config_from;
    bool legacy_place; /* state or configuration under an old name */
    bool home_nested; /* OPENCLAW_HOME points into a state directory */

    uint32_t uid, gid; /* the user whom the state should belong to (the gateway's user) */
    const char *user; /* name, or "uid 1001" */
    const char *user_from; /* why: "--user", "owner of /home/oc", "running gateway (pid 7)", "unit User=" ... */
    bool user_certain; /* false: best guess, repairs of ownership need consent */

    uint32_t running_uid; /* who runs the doctor */
    bool as_root;
    bool in_container;
};

const struct dr_target *dr_target(struct dr_context *context);

/* The value of an environment variable as OpenClaw would see it in this process, or NULL. Borrowed. */
const char *dr_environment(struct dr_context *context, const char *name);

/* The folder that the doctor was started in (for ./.env), or NULL. */
const char *dr_working_directory(struct dr_context *context);

#endif
