/* Lets a time service that is installed do its work. The clock itself is never set from here. */
#include "api/fixer.h"
#include "api/clock.h"
#include "api/target.h"

#include <string.h>

static const struct dr_time_service *service_of(const struct dr_clock *clock, const char *unit)
{
    for (size_t i = 0; unit && i < clock->service_count; i++)
        if (strcmp(clock->services[i].unit, unit) == 0)
            return &clock->services[i];
    return NULL;
}

static void run(struct dr_plan *plan, const char *name, const char *program, const char *unit, unsigned when)
{
    (void)dr_plan_run_command(plan,
                              &(struct dr_command){ .name = name, .program = program, .words = { unit }, .when = when });
}

/* Taken back last step first: what was switched on is switched off again. What was enabled before stays so. */
static void plan_start(struct dr_plan *plan, const struct dr_clock *clock, const struct dr_time_service *service)
{
    if (service->enabled) {
        run(plan, "systemctl-start", clock->systemctl, service->unit, DR_COMMAND_FORWARD);
        return;
    }
    run(plan, "systemctl-disable", clock->systemctl, service->unit, DR_COMMAND_ON_UNDO);
    run(plan, "systemctl-enable", clock->systemctl, service->unit, DR_COMMAND_FORWARD);
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_clock *clock = dr_clock(context);
    const char *step = dr_finding_get(finding, "step");
    const struct dr_time_service *service = service_of(clock, dr_finding_get(finding, "unit"));

    if (clock->container || !clock->systemd || !service || service->masked) {
        dr_plan_refuse(plan, "%s",
                       clock->container ? "the clock is that of the container's host" : "systemd does not start it here");
        return 0;
    }
    if (!dr_target(context)->as_root) {
        dr_plan_refuse(plan, "only root may do that: run it with sudo");
        return 0;
    }
    if (step && service->control)
        run(plan, "chrony-step", service->control, NULL, DR_COMMAND_FORWARD);
    else if (!step && clock->systemctl)
        plan_start(plan, clock, service);
    else
        dr_plan_refuse(plan, "%s is not installed", step ? "chronyc" : "systemctl");
    return 0;
}

const struct dr_fixer dr_fixer_time_service_enable = {
    .id = "time-service-enable",
    .title = "Let the time service keep this host's clock",
    .plan = plan,
};
