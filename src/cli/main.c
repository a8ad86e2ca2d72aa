/*
 * openclaw-doctor: finds out why OpenClaw cannot connect, pair or start, and
 * repairs it.
 */
#include "cli/as_openclaw.h"
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The words that the person typed, so that the next step works when it is copied. */
static const char *typed_name(bool as_openclaw)
{
    bool sudo = geteuid() == 0 && getenv("SUDO_USER");

    if (as_openclaw)
        return sudo ? "sudo openclaw doctor" : "openclaw doctor";
    return sudo ? "sudo openclaw-doctor" : "openclaw-doctor";
}

static int command(const struct dr_session *session)
{
    switch (session->options->command) {
    case DR_COMMAND_LOOK:
        return dr_command_look(session);
    case DR_COMMAND_FIX:
        return dr_command_fix(session);
    case DR_COMMAND_PLAN:
        return dr_command_plan(session);
    case DR_COMMAND_APPLY:
        return dr_command_apply(session);
    case DR_COMMAND_UNDO:
        return dr_command_undo(session);
    case DR_COMMAND_HISTORY:
        return dr_command_history(session);
    case DR_COMMAND_LIST:
        return dr_command_list(session);
    case DR_COMMAND_EXPLAIN:
        return dr_command_explain(session);
    case DR_COMMAND_HELP:
    case DR_COMMAND_VERSION:
    case DR_COMMAND_SCHEMA:
        break;
    }
    return DR_EXIT_USAGE;
}

/* Words that need no OpenClaw at all. */
static bool answer_at_once(const struct dr_options *options)
{
    const char *text = options->command == DR_COMMAND_HELP      ? dr_options_help()
                       : options->command == DR_COMMAND_SCHEMA  ? dr_report_schema()
                       : options->command == DR_COMMAND_VERSION ? "openclaw-doctor " DR_VERSION "\n"
                                                                : NULL;

    if (!text)
        return false;
    (void)fputs(text, stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct dr_options options = { 0 };
    struct dr_session session;
    _cleanup_error_ struct dr_error error = { 0 };

    const char *program = typed_name(false);

    if (argc > 0 && dr_as_openclaw(argv[0])) {
        if (argc < 2 || strcmp(argv[1], "doctor") != 0)
            return dr_hand_on(argv, &error) < 0
                       ? dr_session_fail(&options, DR_EXIT_NO_REPORT, "runtime_error", dr_error_text(&error))
                       : 0;
        argc--;
        argv++;
        program = typed_name(true);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of the write, not a reason to die within a repair */
    if (dr_options_parse(argc, argv, &options, &error) < 0)
        return dr_session_fail(&options, DR_EXIT_USAGE, "usage", dr_error_text(&error));
    if (answer_at_once(&options))
        return fflush(stdout) == 0 ? 0 : DR_EXIT_NO_REPORT;

    int r = dr_session_begin(&options, program, &session, &error);
    int exit_code =
        r < 0 ? dr_session_fail(&options, DR_EXIT_NO_REPORT, "runtime_error", dr_error_text(&error)) : command(&session);

    dr_session_end(&session);
    return exit_code;
}
