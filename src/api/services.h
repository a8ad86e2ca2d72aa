/*
 * The systemd services that run OpenClaw: which unit files and drop-ins exist, what they start, which variables they set, and what
 * the files say of their state. systemctl is not asked: the files are what the next start uses, and a bus may not be there at all.
 *
 * Order within a service as systemd reads it: the unit, its drop-ins sorted by name, Environment= before EnvironmentFile=, the
 * later value of a name wins, UnsetEnvironment= last of all. Sources: systemd.exec(5), systemd.unit(5), facts/openclaw-2026.2.md
 * section 11, openclaw-2026.9.md section 6.
 */
#ifndef DR_API_SERVICES_H
#define DR_API_SERVICES_H

#include "api/fact.h"
#include "api/file_state.h"

struct dr_text_file; /* facts/text_file.h */

struct dr_service_variable {
    const char *name;
    const char *value; /* may be a secret */
    bool from_file; /* an EnvironmentFile=, not the unit itself */
    bool effective; /* no later assignment of the service replaces it, and no UnsetEnvironment= takes it away */
    bool vendor; /* stands in a file of a package (/usr/lib): not the user's to edit */
    const char *path; /* of the file */
    unsigned line;
    uint64_t value_offset, value_length; /* length 0: cannot be edited in place */
    uint64_t line_offset, line_length; /* length 0: the line holds more than this assignment */
    const struct dr_text_file *file;
};

struct dr_service {
    const char *name; /* "openclaw-gateway.service" */
    const char *path; /* of the unit file */
    bool user_manager; /* systemctl --user */
    bool vendor; /* the unit file belongs to a package */
    const char *user; /* User=, NULL when not set */
    const char *const *command; /* the words of ExecStart=, NULL-ended; may be empty */
    struct dr_source command_source; /* where ExecStart= stands */
    bool command_in_drop_in;
    const struct dr_service_variable *variables;
    size_t variable_count;
    const char *const *not_read; /* NULL-ended: files of it that could not be read, with why */
    const char *const
        *gone_files; /* NULL-ended: EnvironmentFile= without "-" that is not there: the service does not start */
    const char
        *version; /* the release that wrote the unit: OPENCLAW_SERVICE_VERSION, or "(v…)" of the description; or NULL */
    const char *const *wanted_by; /* NULL-ended words of WantedBy= and RequiredBy= */
    bool restarts; /* Restart=always or on-failure ...: systemd starts it again when it fails */
    bool ours; /* runs on the target's state directory */
    bool gateway; /* runs a gateway, not a node host or something else */
    bool masked; /* a link to /dev/null: cannot be started */
    unsigned port; /* --port, else OPENCLAW_GATEWAY_PORT; 0 when neither says */
    struct dr_source port_source;
    const char
        *text_sha256; /* of the unit file, with `identity`; NULL when it could not be read or is reached over a link */
    struct dr_file_identity identity;
};

struct dr_services {
    struct dr_fact fact; /* DR_KNOWN or DR_ABSENT */
    const struct dr_service *list;
    size_t count;
};

const struct dr_services *dr_services(struct dr_context *context);

/* The value that the service starts with, or NULL. */
const struct dr_service_variable *dr_service_get(const struct dr_service *service, const char *name);

/* The service of that unit file; NULL when there is none (any more). */
const struct dr_service *dr_service_at(struct dr_context *context, const char *path);

/* What makes a change of its files take effect, as a command. Arena. */
const char *dr_service_restart(struct dr_context *context, const struct dr_service *service);

/* What the command leads to, and what systemd's own files say of the service. */
struct dr_service_state {
    struct dr_fact program; /* of ExecStart; DR_ABSENT: gone. source.path is the program */
    struct dr_fact
        entry; /* OpenClaw's own file that Node is given; DR_NOT_LOOKED when the command names none by an absolute path */
    const char *package_dir; /* the OpenClaw that it starts; NULL when none was found */
    const char *package_version;
    struct dr_fact
        enabled; /* DR_ABSENT: nothing wants it, so that it is not started by itself; DR_NOT_LOOKED: it has no [Install] */
    struct dr_fact
        preload; /* DR_ABSENT: NODE_OPTIONS loads a file first that is not there, and Node ends; else DR_NOT_LOOKED */
    const char *drop_in_folder; /* where the user's own drop-ins belong */
    bool drop_in_folder_there;
    bool drop_in_parent_there;
    struct dr_fact running; /* DR_ABSENT: its manager runs and it does not; DR_UNKNOWN: cannot be seen from here */
};

struct dr_service_state dr_service_state(struct dr_context *context, const struct dr_service *service);

/*
 * NULL when systemd can be told about the service from here, else why not in words: no systemd, the user's own does not run, root is
 * needed, services are left to somebody else (OPENCLAW_SERVICE_REPAIR_POLICY=external).
 */
const char *dr_service_out_of_reach(struct dr_context *context, const struct dr_service *service);

/* A copy of an old unit that OpenClaw or somebody left beside it, and that holds a token or password. */
struct dr_service_backup {
    const char *path;
    const char *variable;
    const char *value; /* a secret */
    struct dr_file_identity identity;
    bool by_link;
};

struct dr_service_backups {
    const struct dr_service_backup *list; /* one per file: its first secret */
    size_t count;
};

const struct dr_service_backups *dr_service_backups(struct dr_context *context);

/* fact: DR_KNOWN: systemd runs this system; DR_ABSENT: it does not; DR_UNKNOWN: --root, another system's files are looked at. */
struct dr_systemd {
    struct dr_fact fact;
    struct dr_fact
        user_manager; /* the target user's own systemd: DR_KNOWN runs, DR_ABSENT does not, DR_UNKNOWN cannot be seen */
    struct dr_fact linger; /* DR_KNOWN: on (source.path is its file); DR_ABSENT: off; DR_UNKNOWN */
    const char *systemctl; /* the programs, or NULL */
    const char *loginctl;
};

const struct dr_systemd *dr_systemd(struct dr_context *context);

#endif
