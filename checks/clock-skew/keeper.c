#include "check.h"

/* How far this host's clock is behind what is known best, and what that is; false: it is not known to be behind. */
static bool is_behind(const struct dr_clock_look *look, struct dr_clock_offset *ret_offset, const char **ret_reference)
{
    const struct dr_clock *clock = look->clock;

    if (clock->ntp.fact.state == DR_KNOWN) {
        *ret_offset = clock->ntp.offset;
        *ret_reference = "the time servers";
    } else if (clock->rtc_known) {
        *ret_offset = (struct dr_clock_offset){ clock->rtc_offset_ms, 1000 };
        *ret_reference = "the clock of the machine below";
    } else if (clock->gateway.endpoint && !clock->gateway.same_host) {
        *ret_offset = clock->gateway.offset;
        *ret_reference = "the gateway";
    } else {
        return false;
    }
    /* A machine's clock may well run in local time. */
    return ret_offset->ms > 0 && dr_clock_is_beyond(ret_offset, DR_CLOCK_NOTICEABLE_MS) &&
           dr_clock_half_hours(ret_offset) == 0 && dr_clock_days(ret_offset) == 0;
}

static void report_resume(struct dr_clock_look *look)
{
    const struct dr_clock *clock = look->clock;
    struct dr_clock_offset offset;
    const char *reference;

    if (clock->container || (!clock->wsl && !clock->machine) || !is_behind(look, &offset, &reference))
        return;
    /* The clock below may be off by itself; only far behind does it look like sleep. */
    if (!clock->wsl && clock->ntp.fact.state != DR_KNOWN && !dr_clock_is_beyond(&offset, look->window_ms / 2))
        return;
    struct dr_finding *finding = dr_clock_skew_report(look, DR_RESUME_DRIFT, NULL);
    enum dr_severity severity = dr_clock_skew_harm(look, &offset);

    dr_finding_text(finding, "machine",
                    clock->wsl ? "Windows Subsystem for Linux"
                               : dr_format(look->context, "a virtual machine (%s)", clock->machine));
    dr_finding_text(finding, "offset", dr_clock_span(look->context, offset.ms));
    dr_finding_number(finding, "offset_ms", offset.ms);
    dr_finding_text(finding, "reference", reference);
    dr_finding_word(
        finding, "how",
        clock->wsl
            ? "sudo hwclock -s, or in Windows: wsl --shutdown"
            : "Switch a time service on: sudo timedatectl set-ntp true; and the time sync of the virtual machine's tools");
    if (clock->wsl)
        dr_finding_confidence(finding, DR_LIKELY);
    dr_finding_severity(finding, severity < look->worst ? look->worst : severity);
    look->worst = severity > look->worst ? severity : look->worst;
    look->off = true;
}

/* ---- services ---- */

static void report_several(struct dr_clock_look *look)
{
    const struct dr_clock *clock = look->clock;
    const char *names = NULL, *unit = NULL;

    for (size_t i = 0; i < clock->service_count; i++) {
        const struct dr_time_service *service = &clock->services[i];

        if (service->running != DR_IS_RUNNING)
            continue;
        unit = names ? service->unit : NULL;
        names = names ? dr_format(look->context, "%s and %s", names, service->name) : service->name;
    }
    if (!unit)
        return;
    struct dr_finding *finding = dr_clock_skew_report(look, DR_SEVERAL_SERVICES, NULL);

    dr_finding_text(finding, "services", names);
    dr_finding_text(finding, "unit", unit);
}

/* The service to switch on: the one that is enabled, else the first that may be started. */
static const struct dr_time_service *best_of(const struct dr_clock *clock)
{
    const struct dr_time_service *best = NULL;

    for (size_t i = 0; i < clock->service_count; i++) {
        const struct dr_time_service *service = &clock->services[i];

        if (service->enabled)
            return service;
        if (!best || (best->masked && !service->masked))
            best = service;
    }
    return best;
}

static const struct dr_time_service *running_of(const struct dr_clock *clock)
{
    for (size_t i = 0; i < clock->service_count; i++)
        if (clock->services[i].running == DR_IS_RUNNING)
            return &clock->services[i];
    return NULL;
}

static bool cannot_tell_running(const struct dr_clock *clock)
{
    for (size_t i = 0; i < clock->service_count; i++)
        if (clock->services[i].running == DR_RUNNING_UNKNOWN)
            return true;
    return false;
}

static enum dr_severity severity_of(const struct dr_clock_look *look)
{
    return look->off && look->worst < DR_WARNING ? DR_WARNING : look->worst;
}

static void report_off(struct dr_clock_look *look, const struct dr_time_service *service)
{
    struct dr_finding *finding = dr_clock_skew_report(look, DR_SERVICE_OFF, NULL);

    dr_finding_text(finding, "service", service->name);
    dr_finding_text(finding, "unit", service->unit);
    dr_finding_word(finding, "state",
                    service->masked    ? "masked, so that it never starts"
                    : service->enabled ? "not at work"
                                       : "switched off");
    dr_finding_word(finding, "how",
                    !look->clock->systemd ? dr_format(look->context, "Start %s with the system", service->program)
                    : service->masked
                        ? dr_format(look->context, "sudo systemctl unmask %s && sudo systemctl enable --now %s",
                                    service->unit, service->unit)
                        : dr_format(look->context, "sudo systemctl enable --now %s", service->unit));
    dr_finding_argument(finding, "unit", service->unit);
    if (service->masked || !look->clock->systemd)
        dr_finding_restrict(finding, DR_MANUAL,
                            service->masked ? "somebody masked it on purpose" : "systemd does not start it here");
    dr_finding_severity(finding, severity_of(look));
}

/* The kernel's word alone: a virtual machine's tools may keep the clock right without telling it. */
static void report_unsynchronised(struct dr_clock_look *look, const struct dr_time_service *running)
{
    struct dr_finding *finding = dr_clock_skew_report(look, DR_UNSYNCHRONISED, NULL);
    const char *since = running && running->synced_ms ? dr_format(look->context, ", last on %s",
                                                                  dr_clock_skew_moment(look->context, running->synced_ms))
                                                      : "";

    dr_finding_text(finding, "service",
                    running ? dr_format(look->context, ": %s is at work and does not hear the time%s", running->name, since)
                    : look->clock->service_count == 0 ? ", and no time service is installed"
                                                      : "");
    dr_finding_word(finding, "how",
                    running
                        ? dr_format(look->context, "See why: journalctl -u %s", running->unit)
                        : "Switch a time service on: sudo timedatectl set-ntp true (Debian: apt install systemd-timesyncd)");
    dr_finding_severity(finding, severity_of(look));
}

void dr_clock_skew_keeper(struct dr_clock_look *look)
{
    const struct dr_clock *clock = look->clock;
    const struct dr_time_service *running = running_of(clock), *best = best_of(clock);

    report_resume(look);
    if (clock->kernel.fact.state == DR_ABSENT && best && !best->enabled)
        report_off(look, best); /* another system's files: what they will start is all that can be seen */
    if (clock->container || clock->kernel.fact.state != DR_KNOWN)
        return; /* whoever keeps it right is not to be seen from here */
    report_several(look);
    if (clock->kernel.synchronised)
        return;
    if (best && !running && !cannot_tell_running(clock))
        report_off(look, best);
    else
        report_unsynchronised(look, running);
}
