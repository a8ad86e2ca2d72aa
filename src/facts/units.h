/*
 * The systemd services that run OpenClaw: which unit files and drop-ins exist, what they start and which variables they set.
 * systemctl is not asked: the files are what the next start uses.
 *
 * Order within a service as systemd reads it: the unit, its drop-ins sorted by name, Environment= before EnvironmentFile=, the
 * later value of a name wins. Sources: systemd.exec(5), facts/openclaw-2026.2.md section 11, openclaw-2026.9.md section 6.
 */
#ifndef DR_FACTS_UNITS_H
#define DR_FACTS_UNITS_H

#include "facts/text_file.h"

struct dr_service_variable {
    const char *name;
    const char *value;
    bool from_file; /* an EnvironmentFile=, not the unit itself */
    bool effective; /* no later assignment of the service replaces it */
    bool vendor; /* stands in a file of a package (/usr/lib): not the user's to edit */
    unsigned line;
    uint64_t value_offset, value_length; /* length 0: cannot be edited in place */
    uint64_t line_offset, line_length; /* length 0: the line holds more than this assignment */
    const struct dr_text_file *file;
};

struct dr_service {
    const char *name; /* "openclaw-gateway.service" */
    const char *path; /* of the unit file */
    bool user_manager; /* systemctl --user */
    const char *user; /* User=, NULL when not set */
    const char *const *command; /* the words of ExecStart=, NULL-ended; may be empty */
    const struct dr_service_variable *variables;
    size_t variable_count;
    const char *const *not_read; /* NULL-ended: files of it that could not be read, with why */
    bool ours; /* runs on the target's state directory */
};

struct dr_services {
    struct dr_fact fact; /* DR_KNOWN or DR_ABSENT */
    const struct dr_service *list;
    size_t count;
};

const struct dr_services *dr_services(struct dr_context *context);

/* The value that the service starts with, or NULL. */
const struct dr_service_variable *dr_service_get(const struct dr_service *service, const char *name);

/* What makes a change of its files take effect, as a command. Arena. */
const char *dr_service_restart(struct dr_context *context, const struct dr_service *service);

#endif
