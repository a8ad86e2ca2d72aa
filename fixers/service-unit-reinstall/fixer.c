/*
 * Lets OpenClaw write its unit anew, as `openclaw gateway install --force`, by the user whose service it is. The command reloads
 * systemd and restarts the gateway itself. The old unit is kept, and put back by undo.
 */
#include "api/fixer.h"

#include "api/install.h"
#include "api/services.h"
#include "api/target.h"

#include <string.h>

/* What the command line is; else any other that is whole. */
static const struct dr_install *choose(struct dr_context *context)
{
    const struct dr_installs *installs = dr_installs(context);
    const struct dr_install *any = NULL;

    for (size_t i = 0; i < installs->count; i++) {
        const struct dr_install *install = &installs->list[i];

        if (!install->node_path || !install->package_dir)
            continue;
        if (strcmp(install->found_by, "PATH") == 0)
            return install;
        any = any ? any : install;
    }
    return any;
}

static const char *hindrance(struct dr_context *context, const struct dr_service *service)
{
    const char *out_of_reach = service ? dr_service_out_of_reach(context, service) : "the service is not there any more";

    if (out_of_reach)
        return out_of_reach;
    if (!service->user_manager)
        return dr_format(context, "OpenClaw writes services of a user only; %s has to be edited by hand", service->path);
    if (strcmp(service->name, "openclaw-gateway.service") != 0)
        return dr_format(context,
                         "OpenClaw would write another unit beside %s; for a profile: openclaw --profile NAME gateway "
                         "install --force",
                         service->name);
    if (service->command_in_drop_in)
        return dr_format(context, "its command stands in %s, which an installation does not change",
                         service->command_source.path);
    return NULL;
}

static void run(struct dr_plan *plan, const char *name, const char *program, unsigned when)
{
    (void)dr_plan_run_command(plan, &(struct dr_command){ .name = name, .program = program, .when = when });
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_service *service = dr_service_at(context, dr_finding_get(finding, "service"));
    const struct dr_target *target = dr_target(context);
    const struct dr_install *install = choose(context);
    const char *why = hindrance(context, service);

    if (!why && !install)
        why = "no whole OpenClaw with its Node was found to do it with";
    if (why) {
        dr_plan_refuse(plan, "%s", why);
        return 0;
    }
    const char *state_dir = target->home && strcmp(target->state_dir, dr_format(context, "%s/.openclaw", target->home)) == 0
                                ? NULL
                                : target->state_dir;
    struct dr_command command = {
        .name = "gateway-install",
        .program = install->node_path,
        .words = { dr_format(context, "%s/openclaw.mjs", install->package_dir), state_dir },
        .when = DR_COMMAND_FORWARD,
    };

    run(plan, "systemctl-user-daemon-reload", dr_systemd(context)->systemctl, DR_COMMAND_ON_UNDO);
    if (service->text_sha256)
        (void)dr_plan_keep_file(plan, service->path, &service->identity, service->text_sha256);
    (void)dr_plan_run_command(plan, &command);
    return 0;
}

const struct dr_fixer dr_fixer_service_unit_reinstall = {
    .id = "service-unit-reinstall",
    .title = "Let OpenClaw write its service unit anew",
    .plan = plan,
};
