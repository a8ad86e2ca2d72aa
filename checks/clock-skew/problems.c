#include "check.h"

static const struct dr_cause from_a_wrong_clock[] = {
    { "clock-skew/local-clock-wrong", DR_ANY_SUBJECT },
    { "clock-skew/gateway-clock-wrong", DR_ANY_SUBJECT },
    { "clock-skew/resume-drift", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};
static const struct dr_cause from_no_keeper[] = {
    { "clock-skew/resume-drift", DR_ANY_SUBJECT },
    { "clock-skew/time-service-off", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};
static const struct dr_cause from_a_clock_behind[] = {
    { "clock-skew/clock-before-install", DR_ANY_SUBJECT },
    { "clock-skew/local-clock-wrong", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};

const struct dr_problem dr_clock_skew_problems[] = {
    [DR_SKEW_BREAKS] = {
        .code = "skew-breaks-signature",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "The clock of the gateway at {url} is {skew} {direction} this host's; up to {window} are allowed. {effect}{side}",
        .advice = "Set the clock right that is wrong: run timedatectl {where} and on the gateway's",
        .follows = from_a_wrong_clock,
    },
    [DR_SKEW_WHOLE_HOUR] = {
        .code = "whole-hour",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "The clock of the gateway at {url} is {skew} {direction} this host's, to the second: one of the two {kind}. "
                   "{effect}{side}",
        .advice = "Compare `date -u` on both; the zone is set with timedatectl set-timezone, the clock itself runs in UTC",
        .follows = from_a_wrong_clock,
    },
    [DR_SKEW_NEAR] = {
        .code = "skew-near-window",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The clock of the gateway at {url} is {skew} {direction} this host's. From {window} on, clients are refused with \"device "
                   "signature expired\"{still}.{side}",
        .advice = "Set the clock right that is wrong: run timedatectl {where} and on the gateway's",
        .follows = from_a_wrong_clock,
    },
    [DR_LOCAL_WRONG] = {
        .code = "local-clock-wrong",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "This host's clock is {offset} {direction}, says {servers}.{kind}{alone}",
        .advice = "{how}",
        .fixer = "time-service-enable",
        .why = "this host's clock is set, which other programs may notice",
        .follows = from_no_keeper,
    },
    [DR_GATEWAY_WRONG] = {
        .code = "gateway-clock-wrong",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "The clock of the gateway at {url} is {offset} {direction}, says {servers}.{kind}{alone} {effect}",
        .advice = "On the gateway's machine: timedatectl set-ntp true (in a container: on the container's host)",
    },
    [DR_SERVICE_OFF] = {
        .code = "time-service-off",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "Nobody keeps this host's clock right: {service} is installed and {state}.",
        .advice = "{how}",
        .fixer = "time-service-enable",
        .why = "it switches a service on, which sets this host's clock; other programs may notice",
    },
    [DR_UNSYNCHRONISED] = {
        .code = "unsynchronised",
        .severity = DR_INFO,
        .confidence = DR_POSSIBLE,
        .message = "The kernel says that nobody keeps this host's clock right{service}.",
        .advice = "{how}",
    },
    [DR_SEVERAL_SERVICES] = {
        .code = "several-time-services",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "{services} both keep this host's clock, and pull it to and fro.",
        .advice = "Leave one of them on: systemctl disable --now {unit}",
    },
    [DR_RESUME_DRIFT] = {
        .code = "resume-drift",
        .severity = DR_INFO,
        .confidence = DR_POSSIBLE,
        .message = "This is {machine}, and its clock is {offset} behind {reference}: it stood still while the machine below it slept.",
        .advice = "{how}",
    },
    [DR_BEFORE_INSTALL] = {
        .code = "clock-before-install",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .message = "This host's clock says {now}, and {proof}. It was set back, or lost its time.",
        .advice = "{how}",
    },
    [DR_FROM_FUTURE] = {
        .code = "file-from-future",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .message = "{what} dated in the future, up to {latest}: the clock was ahead when {they} written, or is behind now.",
        .advice = "Check the clock: timedatectl. What is old is right again once that moment has passed",
        .follows = from_a_clock_behind,
    },
    [DR_NEVER_EXPIRES] = {
        .code = "pending-never-expires",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .message = "{count} dated in the future (up to {latest}) and will not expire until 5 minutes after that.",
        .advice = "Check the clock: timedatectl. Approve what you know, reject the rest: openclaw devices list",
        .follows = from_a_clock_behind,
    },
};
