#include "check.h"

#include <string.h>

enum { ENOUGH_TO_BE_SURE = 3 };

static const char *direction(int64_t ms)
{
    return ms < 0 ? "behind" : "ahead of";
}

static const char *where(const struct dr_clock_look *look)
{
    return look->clock->container ? "on this container's host" : "here";
}

/* Which of two clocks to suspect when no time server was asked. */
static const char *side_of(const struct dr_clock_look *look)
{
    const struct dr_clock *clock = look->clock;

    if (clock->ntp.fact.state == DR_KNOWN || clock->gateway.same_host || clock->kernel.fact.state != DR_KNOWN)
        return "";
    return clock->kernel.synchronised ? " This host's clock is kept right, so the gateway's is more likely wrong."
                                      : " Nobody keeps this host's clock right, so it is more likely the wrong one.";
}

static const char *effect_of(const struct dr_clock_look *look)
{
    return look->rules->client_signs_server_time ? "Clients of 2026.8.1 and later do not mind; older ones (a phone, a node) "
                                                   "are refused with \"device signature expired\"."
                                                 : "Clients are refused with \"device signature expired\".";
}

/* What kind of mistake makes an offset like this; NULL: none that is known. */
static const char *kind_of(struct dr_context *context, const struct dr_clock_offset *offset)
{
    int half_hours = dr_clock_half_hours(offset);
    int64_t days = dr_clock_days(offset);

    if (half_hours != 0)
        return dr_format(context, "was set to local time instead of UTC (a zone %s away), or its zone is wrong",
                         dr_clock_span(context, (int64_t)half_hours * 1800 * 1000));
    if (days != 0)
        return dr_format(context, "was set to a date that is wrong by %s", days == 1 || days == -1 ? "a day" : "whole days");
    return NULL;
}

static const char *kind_sentence(struct dr_context *context, const struct dr_clock_offset *offset)
{
    const char *kind = kind_of(context, offset);

    return kind ? dr_format(context, " It %s.", kind) : "";
}

static void describe_gateway(struct dr_clock_look *look, struct dr_finding *finding)
{
    const struct dr_gateway_clock *gateway = &look->clock->gateway;

    dr_finding_text(finding, "url", gateway->endpoint->url);
    dr_finding_text(finding, "measured by", gateway->coarse ? "Date header (whole seconds)" : "connect.challenge");
    dr_finding_number(finding, "skew_ms", gateway->offset.ms);
    dr_finding_number(finding, "error_ms", gateway->offset.error_ms);
    if (!look->rules_certain || !gateway->same_host)
        dr_finding_confidence(finding, DR_LIKELY); /* the window is that of the release that is installed here */
}

static void report_skew(struct dr_clock_look *look)
{
    const struct dr_gateway_clock *gateway = &look->clock->gateway;
    struct dr_context *context = look->context;
    const struct dr_clock_offset *offset = &gateway->offset;
    const char *kind = kind_of(context, offset);
    enum dr_clock_problem problem = DR_SKEW_BREAKS;

    if (!dr_clock_is_beyond(offset, look->window_ms / 2))
        return;
    if (kind)
        problem = DR_SKEW_WHOLE_HOUR;
    else if (!dr_clock_is_beyond(offset, look->window_ms))
        problem = DR_SKEW_NEAR;

    struct dr_finding *finding = dr_clock_skew_report(look, problem, &gateway->endpoint->source);
    enum dr_severity severity = dr_clock_skew_harm(look, offset);

    describe_gateway(look, finding);
    dr_finding_text(finding, "skew", dr_clock_span(context, offset->ms));
    dr_finding_word(finding, "direction", direction(offset->ms));
    dr_finding_word(finding, "window", dr_clock_span(context, look->window_ms));
    dr_finding_word(finding, "effect", effect_of(look));
    dr_finding_word(finding, "side", side_of(look));
    dr_finding_word(finding, "where", where(look));
    dr_finding_word(finding, "kind", kind ? kind : "");
    dr_finding_word(finding, "still", look->rules->client_signs_server_time ? ", those before 2026.8.1" : "");
    dr_finding_severity(finding, severity);
    if (severity > look->worst)
        look->worst = severity;
}

/* ---- against time servers ---- */

static const char *servers_text(struct dr_context *context, const struct dr_ntp *ntp)
{
    const char *first = NULL;

    for (size_t i = 0; i < ntp->count; i++)
        if (ntp->servers[i].agrees && !first)
            first = ntp->servers[i].name;
    if (ntp->agreeing == 1)
        return dr_format(context, "the time server %s", first);
    return dr_format(context, "%s with %zu other time server%s", first, ntp->agreeing - 1, ntp->agreeing == 2 ? "" : "s");
}

static void describe_servers(struct dr_clock_look *look, struct dr_finding *finding, const struct dr_clock_offset *offset)
{
    const struct dr_ntp *ntp = &look->clock->ntp;
    struct dr_context *context = look->context;

    dr_finding_text(finding, "servers", servers_text(context, ntp));
    dr_finding_text(finding, "offset", dr_clock_span(context, offset->ms));
    dr_finding_number(finding, "offset_ms", offset->ms);
    dr_finding_number(finding, "error_ms", offset->error_ms);
    dr_finding_word(finding, "direction", offset->ms > 0 ? "behind" : "ahead");
    dr_finding_word(finding, "kind", kind_sentence(context, offset));
    dr_finding_word(finding, "alone",
                    ntp->agreeing == 1 ? " It is the only one that was asked and answered, so it may be wrong itself." : "");
    dr_finding_confidence(finding, ntp->agreeing >= ENOUGH_TO_BE_SURE ? DR_CERTAIN
                                   : ntp->agreeing > 1                ? DR_LIKELY
                                                                      : DR_POSSIBLE);
}

/* A server alone cannot make more than a warning. */
static enum dr_severity severity_of(const struct dr_clock_look *look, const struct dr_clock_offset *offset)
{
    enum dr_severity severity = dr_clock_skew_harm(look, offset);

    return look->clock->ntp.agreeing == 1 && severity > DR_WARNING ? DR_WARNING : severity;
}

static const struct dr_time_service *running_of(const struct dr_clock *clock)
{
    for (size_t i = 0; i < clock->service_count; i++)
        if (clock->services[i].running == DR_IS_RUNNING)
            return &clock->services[i];
    return NULL;
}

/* chrony can set the clock at once, when it knows the time. The others have to be waited for, and so nothing could be seen of a repair. */
static void advise(const struct dr_clock_look *look, struct dr_finding *finding)
{
    const struct dr_clock *clock = look->clock;
    const struct dr_time_service *running = clock->container ? NULL : running_of(clock);
    bool steps = running && strcmp(running->name, "chrony") == 0;

    dr_finding_word(finding, "how",
                    clock->container ? "The clock is that of this container's host. There: timedatectl set-ntp true"
                    : steps          ? "sudo chronyc makestep"
                    : running        ? dr_format(look->context, "sudo systemctl restart %s", running->unit)
                                     : "sudo timedatectl set-ntp true");
    if (steps && clock->systemd && clock->kernel.synchronised) {
        dr_finding_argument(finding, "unit", running->unit);
        dr_finding_argument(finding, "step", "yes");
    } else {
        dr_finding_restrict(finding, DR_MANUAL,
                            clock->container ? "the clock is that of this container's host"
                                             : "only a chrony that knows the time sets a clock at once");
    }
}

static void report_local(struct dr_clock_look *look)
{
    const struct dr_clock_offset *offset = &look->clock->ntp.offset;

    if (!dr_clock_is_beyond(offset, DR_CLOCK_NOTICEABLE_MS))
        return;
    struct dr_finding *finding = dr_clock_skew_report(look, DR_LOCAL_WRONG, NULL);
    enum dr_severity severity = severity_of(look, offset);

    look->off = true;
    /* What hangs under it must not be worse than it. */
    severity = severity < look->worst ? look->worst : severity;
    look->worst = severity;
    describe_servers(look, finding, offset);
    advise(look, finding);
    dr_finding_severity(finding, severity);
}

static void report_gateway(struct dr_clock_look *look)
{
    const struct dr_gateway_clock *gateway = &look->clock->gateway;
    /* What the servers say, minus what the gateway says. */
    const struct dr_clock_offset offset = {
        .ms = look->clock->ntp.offset.ms - gateway->offset.ms,
        .error_ms = look->clock->ntp.offset.error_ms + gateway->offset.error_ms,
    };

    if (!dr_clock_is_beyond(&offset, look->window_ms / 2) ||
        (gateway->same_host && !dr_clock_is_beyond(&gateway->offset, DR_CLOCK_NOTICEABLE_MS)))
        return; /* one clock, and it is reported as this host's */
    struct dr_finding *finding = dr_clock_skew_report(look, DR_GATEWAY_WRONG, &gateway->endpoint->source);
    enum dr_severity severity = severity_of(look, &offset);

    dr_finding_text(finding, "url", gateway->endpoint->url);
    dr_finding_word(finding, "effect", effect_of(look));
    describe_servers(look, finding, &offset);
    dr_finding_severity(finding, severity < look->worst ? look->worst : severity);
}

void dr_clock_skew_compare(struct dr_clock_look *look)
{
    const struct dr_gateway_clock *gateway = &look->clock->gateway;
    bool measured = gateway->endpoint != NULL, told = look->clock->ntp.fact.state == DR_KNOWN;

    if (measured)
        report_skew(look);
    look->off |= measured && dr_clock_is_beyond(&gateway->offset, DR_CLOCK_NOTICEABLE_MS);
    if (measured && told)
        report_gateway(look);
    if (told)
        report_local(look);
}
