/* Two services that run a gateway on one state directory, or on one port. */
#include "check.h"

#include <string.h>

/* Would it be started, or is it? What cannot be told counts: it may be. */
static bool is_live(struct dr_context *context, const struct dr_service *service)
{
    if (!service->gateway || service->masked || !service->command[0])
        return false;
    struct dr_service_state state = dr_service_state(context, service);

    return state.enabled.state != DR_ABSENT || state.running.state == DR_KNOWN;
}

static const char *conflict(struct dr_context *context, const struct dr_service *one, const struct dr_service *two)
{
    if (!one->ours && !two->ours)
        return NULL;
    if (one->ours && two->ours)
        return "on this state directory";
    return one->port != 0 && one->port == two->port ? dr_format(context, "on port %u", one->port) : NULL;
}

static const char *whose(const struct dr_service *service)
{
    return service->user_manager ? "of the user" : "of the system";
}

void dr_service_unit_together(struct dr_context *context, struct dr_findings *findings)
{
    const struct dr_services *services = dr_services(context);

    for (size_t i = 0; i < services->count; i++)
        for (size_t k = i + 1; k < services->count; k++) {
            const struct dr_service *first = &services->list[i], *second = &services->list[k];
            const char *on = conflict(context, first, second);
            struct dr_unit_look look = { .context = context, .findings = findings, .service = second };

            if (!on || !is_live(context, first) || !is_live(context, second))
                continue;
            struct dr_finding *finding = dr_service_unit_report(&look, DR_UNIT_SEVERAL, NULL);

            dr_finding_text(finding, "other", dr_format(context, "%s (%s)", first->name, whose(first)));
            dr_finding_text(finding, "on", on);
        }
}
