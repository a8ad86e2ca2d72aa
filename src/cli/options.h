/*
 * The words on the command line. Parsing only: nothing is looked at or done here.
 */
#ifndef DR_CLI_OPTIONS_H
#define DR_CLI_OPTIONS_H

#include "base/error.h"
#include "facts/request.h"
#include "wire/wire.h"

enum dr_cli_command {
    DR_COMMAND_LOOK = 0,
    DR_COMMAND_FIX,
    DR_COMMAND_PLAN,
    DR_COMMAND_APPLY,
    DR_COMMAND_UNDO,
    DR_COMMAND_HISTORY,
    DR_COMMAND_LIST,
    DR_COMMAND_EXPLAIN,
    DR_COMMAND_HELP,
    DR_COMMAND_VERSION,
    DR_COMMAND_SCHEMA,
};

enum { DR_MOST_WORDS = 64 };

/* Strings are borrowed from argv. */
struct dr_options {
    enum dr_cli_command command;
    const char *operand; /* file, run, id */
    bool json;
    bool dry_run;
    bool yes;
    bool unsafe;
    bool force;
    bool non_interactive;
    bool quiet;
    bool verbose;
    bool no_color;
    bool deterministic;
    bool exit_zero;
    bool detailed_exit;
    enum dr_severity severity_min;
    const char *exit_style;
    const char *output; /* -o */
    const char *state_dir, *config, *profile, *root, *user, *openclaw_version, *journal_dir;
    const char *only[DR_MOST_WORDS + 1], *skip[DR_MOST_WORDS + 1], *tags[DR_MOST_WORDS + 1];
    unsigned timeout_ms; /* for all checks together */
    unsigned check_timeout_ms;
    unsigned probe_timeout_ms;
    bool online, offline;
    enum dr_deep deep;
    const char *gateway_url;
    const char *proxy_configs[DR_MOST_WORDS + 1];
};

/* -EINVAL with one sentence for anything that is not a known word or does not go together. */
int dr_options_parse(int argc, char **argv, struct dr_options *ret_options, struct dr_error *error) DR_MUST_CHECK;

/* The help text. Static. */
const char *dr_options_help(void);

#endif
