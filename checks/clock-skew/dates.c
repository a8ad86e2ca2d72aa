#include "check.h"

#include "api/devices.h"

#include <string.h>
#include <time.h>

enum { SLACK_DAYS = 31, INSTALL_SLACK_MS = 3600 * 1000 };

#define MS_PER_DAY INT64_C(86400000)

static const char *how_to_set(const struct dr_clock_look *look)
{
    return look->clock->container ? "The clock is that of this container's host. There: timedatectl set-ntp true"
                                  : "sudo timedatectl set-ntp true";
}

/* A release is named after the month it was made in; betas come before it. */
static int64_t made_ms(const struct dr_release *release)
{
    struct tm begin = { .tm_year = release->year - 1900, .tm_mon = release->month - 1, .tm_mday = 1 };

    return (int64_t)timegm(&begin) * 1000 - SLACK_DAYS * MS_PER_DAY;
}

static const struct dr_install *newest_install(const struct dr_installs *installs)
{
    const struct dr_install *newest = NULL;

    for (size_t i = 0; i < installs->count; i++) {
        const struct dr_install *install = &installs->list[i];

        if (install->release_known && (!newest || dr_release_compare(&newest->release, &install->release) < 0))
            newest = install;
    }
    return newest;
}

/* Time servers say that this clock is right: then it was wrong once, and the files are of that time. */
static bool is_confirmed(const struct dr_clock *clock)
{
    return clock->ntp.fact.state == DR_KNOWN && !dr_clock_is_beyond(&clock->ntp.offset, DR_CLOCK_NOTICEABLE_MS);
}

static void report_before_install(struct dr_clock_look *look)
{
    const struct dr_install *newest = newest_install(dr_installs(look->context));
    const struct dr_clock_dated *installed = &look->state->install;
    int64_t now = dr_now_ms(look->context);
    bool impossible = newest && newest->release.year > 0 && now < made_ms(&newest->release);
    const char *proof = NULL;

    if (impossible)
        proof = dr_format(look->context, "OpenClaw %s, which is installed, had not been made then", newest->version);
    else if (!is_confirmed(look->clock) && installed->count > 0 && installed->latest_ms > now + INSTALL_SLACK_MS)
        proof = dr_format(look->context, "OpenClaw was installed on %s",
                          dr_clock_skew_moment(look->context, installed->latest_ms));
    if (!proof)
        return;
    struct dr_finding *finding = dr_clock_skew_report(
        look, DR_BEFORE_INSTALL, &(struct dr_source){ .path = impossible ? newest->package_dir : installed->path });

    dr_finding_text(finding, "now", dr_clock_skew_moment(look->context, now));
    dr_finding_text(finding, "proof", proof);
    dr_finding_word(finding, "how", how_to_set(look));
    if (impossible) {
        dr_finding_confidence(finding, DR_CERTAIN);
        dr_finding_severity(finding, DR_ERROR);
    }
    look->off = true;
    look->worst = impossible ? DR_ERROR : look->worst < DR_WARNING ? DR_WARNING : look->worst;
}

static void report_files(struct dr_clock_look *look)
{
    const struct dr_clock_dated *dated = &look->state->state;
    const struct dr_devices *devices = dr_devices(look->context);
    bool identity = devices->identity.fact.state == DR_KNOWN &&
                    devices->identity.created_ms > dr_now_ms(look->context) + DR_CLOCK_FUTURE_MS;
    int64_t latest =
        identity && devices->identity.created_ms > dated->latest_ms ? devices->identity.created_ms : dated->latest_ms;
    const char *files =
        dated->count == 1 ? "1 file of the state is" : dr_format(look->context, "%zu files of the state are", dated->count);

    if (dated->count == 0 && !identity)
        return;
    struct dr_finding *finding = dr_clock_skew_report(
        look, DR_FROM_FUTURE, dated->path ? &(struct dr_source){ .path = dated->path } : &devices->identity.fact.source);

    dr_finding_text(finding, "what",
                    dated->count == 0 ? "The device key of this host is"
                    : identity        ? dr_format(look->context, "%s, with the device key of this host,", files)
                                      : files);
    dr_finding_word(finding, "they", dated->count > 1 ? "they were" : "it was");
    dr_finding_text(finding, "latest", dr_clock_skew_moment(look->context, latest));
}

static void report_pending(struct dr_clock_look *look)
{
    const struct dr_devices *devices = dr_devices(look->context);
    const struct dr_device *first = NULL;
    int64_t furthest = 0;
    size_t count = 0;

    if (devices->fact.state != DR_KNOWN)
        return; /* pairing-store says why */
    for (size_t i = 0; i < devices->pending_count; i++) {
        int64_t age = dr_pending_age_ms(look->context, &devices->pending[i]);

        if (age >= -DR_CLOCK_FUTURE_MS)
            continue;
        if (count++ == 0)
            first = &devices->pending[i];
        if (age < furthest)
            furthest = age;
    }
    if (!first)
        return;
    struct dr_finding *finding = dr_clock_skew_report(look, DR_NEVER_EXPIRES, &first->source);

    dr_finding_text(finding, "count",
                    count == 1 ? "1 pairing request is" : dr_format(look->context, "%zu pairing requests are", count));
    dr_finding_text(finding, "latest", dr_clock_skew_moment(look->context, dr_now_ms(look->context) - furthest));
}

void dr_clock_skew_dates(struct dr_clock_look *look)
{
    report_before_install(look);
    report_files(look);
    report_pending(look);
}
