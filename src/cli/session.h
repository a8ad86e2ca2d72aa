/*
 * One start of the program: the options, the world as it was found, and how to speak to the person. The only place with the clock, the
 * environment, and the terminal.
 */
#ifndef DR_CLI_SESSION_H
#define DR_CLI_SESSION_H

#include "cli/options.h"
#include "facts/request.h"
#include "report/exit.h"
#include "report/report.h"

struct dr_session {
    const struct dr_options *options;
    struct dr_request request;
    struct dr_look_options look_options;
    struct dr_human_options human;
    char *working_directory; /* owned */
    int root_fd; /* owned when not AT_FDCWD */
    char run_id[40];
    char started_at[32];
};

int dr_session_begin(const struct dr_options *options, const char *program, struct dr_session *ret_session,
                     struct dr_error *error) DR_MUST_CHECK;
void dr_session_end(struct dr_session *session);

/* What every report of this session has in common; the caller adds mode and repairs. */
struct dr_report_run dr_session_report(const struct dr_session *session, const char *mode);

/*
 * Prints the document to standard output or into --output, as JSON or for people, and returns its exit status. A report that cannot be
 * written is DR_EXIT_NO_REPORT.
 */
int dr_session_print(const struct dr_session *session, const cJSON *document, bool show_plan);

/* The same for a text of its own (list, explain, history). */
int dr_session_print_text(const struct dr_session *session, const struct dr_buffer *text, int exit_code);

/* Words for a failure before there was a look: one document with --json, else one line on standard error. */
int dr_session_fail(const struct dr_options *options, int exit_code, const char *type, const char *message);

#endif
