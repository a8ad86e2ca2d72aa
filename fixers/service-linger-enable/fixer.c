/* The services of the gateway's user run without a login. */
#include "api/fixer.h"

#include "api/services.h"
#include "api/target.h"

static void run(struct dr_plan *plan, const char *name, const char *program, const char *user, unsigned when)
{
    (void)dr_plan_run_command(plan,
                              &(struct dr_command){ .name = name, .program = program, .words = { user }, .when = when });
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_systemd *systemd = dr_systemd(context);
    const struct dr_target *target = dr_target(context);

    (void)finding;
    if (target->root)
        dr_plan_refuse(plan, "a service can only be changed on the system that it runs on");
    else if (systemd->fact.state != DR_KNOWN || !systemd->loginctl)
        dr_plan_refuse(plan, "systemd's logind does not run here");
    else if (!target->as_root && target->running_uid != target->uid)
        dr_plan_refuse(plan, "only %s or root may do that", target->user);
    else {
        run(plan, "linger-disable", systemd->loginctl, target->user, DR_COMMAND_ON_UNDO);
        run(plan, "linger-enable", systemd->loginctl, target->user, DR_COMMAND_FORWARD);
    }
    return 0;
}

const struct dr_fixer dr_fixer_service_linger_enable = {
    .id = "service-linger-enable",
    .title = "Let the user's services run without a login",
    .plan = plan,
};
