#include "report/exit.h"

#include <stddef.h>
#include <string.h>

enum { NAGIOS_OK = 0, NAGIOS_WARNING = 1, NAGIOS_CRITICAL = 2, NAGIOS_UNKNOWN = 3 };
enum { FSCK_CORRECTED = 1, FSCK_LEFT = 4, FSCK_OPERATIONAL = 8, FSCK_USAGE = 16, FSCK_CANCELLED = 32 };

static const char *const style_names[] = {
    [DR_STYLE_LINT] = "lint",
    [DR_STYLE_NAGIOS] = "nagios",
    [DR_STYLE_HEALTH] = "health",
    [DR_STYLE_FSCK] = "fsck",
};

bool dr_exit_style_parse(const char *text, enum dr_exit_style *ret_style)
{
    if (!text) {
        *ret_style = DR_STYLE_LINT;
        return true;
    }
    for (enum dr_exit_style style = DR_STYLE_LINT; style <= DR_STYLE_FSCK; style++)
        if (strcmp(text, style_names[style]) == 0) {
            *ret_style = style;
            return true;
        }
    return false;
}

const char *dr_exit_style_name(enum dr_exit_style style)
{
    return style_names[style];
}

enum dr_exit dr_exit_lint(const struct dr_outcome *outcome)
{
    if (outcome->stuck)
        return DR_EXIT_STUCK;
    if (outcome->rolled_back)
        return DR_EXIT_ROLLED_BACK;
    if (outcome->no_report)
        return DR_EXIT_NO_REPORT;
    if (outcome->left > 0)
        return DR_EXIT_FINDINGS;
    return outcome->incomplete ? DR_EXIT_INCOMPLETE : DR_EXIT_CLEAN;
}

static int nagios(const struct dr_outcome *outcome)
{
    switch (dr_exit_lint(outcome)) {
    case DR_EXIT_CLEAN:
        return NAGIOS_OK;
    case DR_EXIT_FINDINGS:
        return outcome->worst == DR_ERROR ? NAGIOS_CRITICAL : NAGIOS_WARNING;
    case DR_EXIT_ROLLED_BACK:
    case DR_EXIT_STUCK:
        return NAGIOS_CRITICAL;
    default:
        return NAGIOS_UNKNOWN;
    }
}

static int fsck(const struct dr_outcome *outcome)
{
    int bits = 0;

    if (outcome->corrected)
        bits |= FSCK_CORRECTED;
    if (outcome->left > 0)
        bits |= FSCK_LEFT;
    if (outcome->no_report || outcome->incomplete || outcome->rolled_back || outcome->stuck)
        bits |= FSCK_OPERATIONAL;
    return bits;
}

int dr_exit_code(const struct dr_outcome *outcome, enum dr_exit_style style, bool zero)
{
    enum dr_exit lint = dr_exit_lint(outcome);

    if (zero && lint != DR_EXIT_NO_REPORT)
        return 0;
    switch (style) {
    case DR_STYLE_NAGIOS:
        return nagios(outcome);
    case DR_STYLE_HEALTH:
        return lint == DR_EXIT_CLEAN ? 0 : 1;
    case DR_STYLE_FSCK:
        return fsck(outcome);
    case DR_STYLE_LINT:
        break;
    }
    return (int)lint;
}

int dr_exit_failure(enum dr_exit lint, enum dr_exit_style style)
{
    bool cancelled = lint == DR_EXIT_INTERRUPTED || lint == DR_EXIT_TERMINATED;

    switch (style) {
    case DR_STYLE_NAGIOS:
        return NAGIOS_UNKNOWN;
    case DR_STYLE_HEALTH:
        return 1;
    case DR_STYLE_FSCK:
        return cancelled ? FSCK_CANCELLED : lint == DR_EXIT_USAGE ? FSCK_USAGE : FSCK_OPERATIONAL;
    case DR_STYLE_LINT:
        break;
    }
    return (int)lint;
}
