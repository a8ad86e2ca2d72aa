/*
 * Is a clock wrong, whose, and who ought to keep it right? Sources: facts/openclaw-2026.2.md section 7, openclaw-2026.9.md section 0 row 8 and 3.3,
 * failure-modes.md row 17.
 */
#include "check.h"

#include "api/tree.h"

#include <time.h>

enum { NS_PER_MS = 1000000 };

struct dr_finding *dr_clock_skew_report(struct dr_clock_look *look, enum dr_clock_problem problem,
                                        const struct dr_source *subject)
{
    static const struct dr_source nowhere = { 0 };

    return dr_report(look->findings, &dr_clock_skew_problems[problem], subject ? subject : &nowhere);
}

enum dr_severity dr_clock_skew_harm(const struct dr_clock_look *look, const struct dr_clock_offset *offset)
{
    bool harmless = look->rules->client_signs_server_time; /* to this release's clients; older ones may be about */

    if (dr_clock_is_beyond(offset, look->window_ms))
        return harmless ? DR_WARNING : DR_ERROR;
    return dr_clock_is_beyond(offset, look->window_ms / 2) && !harmless ? DR_WARNING : DR_INFO;
}

const char *dr_clock_skew_moment(struct dr_context *context, int64_t ms)
{
    struct tm utc;
    char text[64];
    time_t seconds = (time_t)(ms / 1000);

    if (!gmtime_r(&seconds, &utc) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &utc) == 0)
        return "another age";
    return dr_strdup(context, text);
}

static void note(struct dr_context *context, const struct dr_entry *entry, struct dr_clock_dated *dated)
{
    int64_t changed_ms = entry->identity.mtime_ns / NS_PER_MS;

    if (changed_ms <= dr_now_ms(context) + DR_CLOCK_FUTURE_MS)
        return;
    if (dated->count++ == 0)
        dated->path = dr_strdup(context, entry->path);
    if (changed_ms > dated->latest_ms)
        dated->latest_ms = changed_ms;
}

static void visit(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct dr_clock_state *seen = state;

    if (entry->identity.mode == 0)
        return;
    if (entry->tree == DR_TREE_STATE)
        note(context, entry, &seen->state);
    else if (entry->tree == DR_TREE_INSTALL)
        note(context, entry, &seen->install);
}

/* Nothing was compared: then nothing is said of whether this host's clock is right. */
static int nothing_to_compare(const struct dr_clock_look *look)
{
    const struct dr_clock *clock = look->clock;
    const char *gateway = clock->gateway.why ? clock->gateway.why : "no gateway was asked";

    return dr_not_applicable(look->findings, "there was nothing to compare this host's clock with: %s; %s", gateway,
                             clock->ntp.fact.reason ? clock->ntp.fact.reason : "no time server was asked");
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_installs *installs = dr_installs(context);
    struct dr_clock_look look = {
        .context = context,
        .findings = findings,
        .state = state,
        .clock = dr_clock(context),
        .rules = installs->rules,
        .rules_certain = installs->release_certain,
        .window_ms = (int64_t)installs->rules->signature_window_s * 1000,
    };

    dr_clock_skew_compare(&look);
    dr_clock_skew_dates(&look);
    dr_clock_skew_keeper(&look);
    if (look.clock->ntp.fact.state == DR_UNKNOWN)
        (void)dr_unknown_fact(findings, &look.clock->ntp.fact);
    else if (!look.clock->gateway.endpoint && look.clock->ntp.fact.state != DR_KNOWN && !look.off)
        return nothing_to_compare(&look);
    return 0;
}

static const char *const tags[] = { "clock", "gateway", "network", NULL };

const struct dr_check dr_check_clock_skew = {
    .id = "clock-skew",
    .title = "No clock is found to be wrong",
    .tags = tags,
    .live = true,
    .problems = dr_clock_skew_problems,
    .problem_count = DR_NEVER_EXPIRES + 1,
    .state_size = sizeof(struct dr_clock_state),
    .visit = visit,
    .run = run,
};
