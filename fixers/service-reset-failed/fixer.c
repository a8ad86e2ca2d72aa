/* Forgets that the service failed too often, and starts it. */
#include "api/fixer.h"

#include "api/services.h"

static void run(struct dr_context *context, const struct dr_service *service, const char *verb, struct dr_plan *plan)
{
    struct dr_command command = {
        .name = dr_format(context, "systemctl-%s%s", service->user_manager ? "user-" : "", verb),
        .program = dr_systemd(context)->systemctl,
        .words = { service->name },
        .when = DR_COMMAND_FORWARD,
    };

    (void)dr_plan_run_command(plan, &command);
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_service *service = dr_service_at(context, dr_finding_get(finding, "service"));
    const char *why = service ? dr_service_out_of_reach(context, service) : "the service is not there any more";

    if (why) {
        dr_plan_refuse(plan, "%s", why);
        return 0;
    }
    run(context, service, "reset-failed", plan);
    run(context, service, "start", plan);
    return 0;
}

const struct dr_fixer dr_fixer_service_reset_failed = {
    .id = "service-reset-failed",
    .title = "Start the service again",
    .plan = plan,
};
