#ifndef DR_CHECK_SERVICE_UNIT_H
#define DR_CHECK_SERVICE_UNIT_H

#include "api/check.h"
#include "api/config.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/services.h"
#include "api/target.h"

enum dr_unit_problem {
    DR_UNIT_PROGRAM_GONE,
    DR_UNIT_ENTRY_GONE,
    DR_UNIT_ENVIRONMENT_FILE_GONE,
    DR_UNIT_PRELOAD_GONE,
    DR_UNIT_MASKED,
    DR_UNIT_SEVERAL,
    DR_UNIT_NOT_ENABLED,
    DR_UNIT_NOT_RUNNING,
    DR_UNIT_LINGER_OFF,
    DR_UNIT_OTHER_RELEASE,
    DR_UNIT_OLDER,
    DR_UNIT_PORT_DIFFERS,
    DR_UNIT_PROXY_CAPTURED,
    DR_UNIT_DEBUGGER,
    DR_UNIT_TOKEN_IN_UNIT,
    DR_UNIT_BACKUP_TOKEN,
    DR_UNIT_COMMAND_OVERRIDDEN,
    DR_UNIT_PROBLEMS
};

extern const struct dr_problem dr_service_unit_problems[DR_UNIT_PROBLEMS];

struct dr_unit_look {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_service *service;
    struct dr_service_state state;
};

/* A finding about the service; the templates' "unit", "systemctl" and "path" are filled in, and so are the fixers' arguments. */
struct dr_finding *dr_service_unit_report(struct dr_unit_look *look, enum dr_unit_problem problem,
                                          const struct dr_source *subject);

/* environment.c: what the service's variables do. */
void dr_service_unit_environment(struct dr_unit_look *look);

/* together.c: services against each other. */
void dr_service_unit_together(struct dr_context *context, struct dr_findings *findings);

#endif
