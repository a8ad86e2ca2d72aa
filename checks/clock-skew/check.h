/* What the parts of clock-skew share: what was found out so far, and what is said in the same words everywhere. */
#ifndef DR_CHECK_CLOCK_SKEW_H
#define DR_CHECK_CLOCK_SKEW_H

#include "api/check.h"
#include "api/clock.h"
#include "api/install.h"

enum { DR_CLOCK_NOTICEABLE_MS = 5000, DR_CLOCK_FUTURE_MS = 60000 };

enum dr_clock_problem {
    DR_SKEW_BREAKS,
    DR_SKEW_WHOLE_HOUR,
    DR_SKEW_NEAR,
    DR_LOCAL_WRONG,
    DR_GATEWAY_WRONG,
    DR_SERVICE_OFF,
    DR_UNSYNCHRONISED,
    DR_SEVERAL_SERVICES,
    DR_RESUME_DRIFT,
    DR_BEFORE_INSTALL,
    DR_FROM_FUTURE,
    DR_NEVER_EXPIRES,
};

extern const struct dr_problem dr_clock_skew_problems[];

/* Entries of one kind of tree that are dated in the future. */
struct dr_clock_dated {
    size_t count;
    const char *path; /* the first of them */
    int64_t latest_ms;
};

struct dr_clock_state {
    struct dr_clock_dated state, install;
};

struct dr_clock_look {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_clock_state *state;
    const struct dr_clock *clock;
    const struct dr_rules *rules;
    bool rules_certain;
    int64_t window_ms;
    enum dr_severity worst; /* of what a wrong clock does here; DR_INFO: nothing */
    bool off; /* some clock is off by more than a few seconds */
};

struct dr_finding *dr_clock_skew_report(struct dr_clock_look *look, enum dr_clock_problem problem,
                                        const struct dr_source *subject);

/* How much harm a clock does that is off by this much. */
enum dr_severity dr_clock_skew_harm(const struct dr_clock_look *look, const struct dr_clock_offset *offset);

/* "2026-11-28 14:03 UTC" */
const char *dr_clock_skew_moment(struct dr_context *context, int64_t ms);

/* skew.c: this host, the gateway and the time servers against each other. */
void dr_clock_skew_compare(struct dr_clock_look *look);

/* keeper.c: who keeps this host's clock right. */
void dr_clock_skew_keeper(struct dr_clock_look *look);

/* dates.c: what is dated in the future. */
void dr_clock_skew_dates(struct dr_clock_look *look);

#endif
