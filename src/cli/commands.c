#include "cli/commands.h"

#include "cli/fix.h"
#include "cli/plan_file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TEXT = 64 * 1024 * 1024, EXIT_CHANGES = 2, EXIT_FAILED = 1 };

static int fail(const struct dr_session *session, const struct dr_error *error)
{
    return dr_session_fail(session->options, DR_EXIT_NO_REPORT, "runtime_error", dr_error_text(error));
}

static int look(const struct dr_session *session, bool want_plan, struct dr_look *ret_look, struct dr_error *error)
{
    struct dr_look_options options = session->look_options;

    options.want_plan = want_plan;
    int r = dr_look_run(&session->request, &options, ret_look, error);

    if (r < 0)
        return r;
    if (ret_look->target && !dr_json_true(ret_look->target, "exists")) {
        const char *reason = dr_json_text(ret_look->target, "reason");

        r = dr_error_set(error, -ENOENT, "%s", reason ? reason : "there is no OpenClaw state here");
        dr_look_release(ret_look);
    }
    return r;
}

static int print(const struct dr_session *session, const struct dr_look *look, const struct dr_report_run *run,
                 bool show_plan)
{
    _cleanup_json_ cJSON *document = NULL;
    int r = dr_report_document(look, run, &document);

    if (r < 0)
        return dr_session_fail(session->options, DR_EXIT_NO_REPORT, "runtime_error", dr_errno_text(r));
    return dr_session_print(session, document, show_plan);
}

/* A sentence when a repair was killed half-way; the look says so first. Caller frees. */
static char *interrupted_sentence(const struct dr_session *session, const struct dr_look *look)
{
    struct dr_repair_place place;
    _cleanup_free_ char *run = NULL;
    char *sentence = NULL;

    if (dr_fix_place(session, look, &place, NULL) < 0)
        return NULL;
    if (dr_repair_interrupted(&place.target, &run) > 0 &&
        asprintf(&sentence, "A repair (run %s) was interrupted; \"%s --fix\" settles it before anything else.", run,
                 session->human.program) < 0)
        sentence = NULL;
    dr_fix_place_release(&place);
    return sentence;
}

int dr_command_look(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look found = { 0 };
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_report_run run = dr_session_report(session, "look");

    /* The JSON report carries the edits; for people the plan is shown on request only. */
    if (look(session, session->options->json, &found, &error) < 0)
        return fail(session, &error);

    _cleanup_free_ char *sentence = interrupted_sentence(session, &found);

    run.settled = sentence;
    run.home = dr_json_text(found.target, "home");
    return print(session, &found, &run, false);
}

static sigset_t quiet_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

/* Interrupted: the journal is settled first, then the program ends as the signal asked. */
static int pending_exit(int exit_code)
{
    sigset_t pending;

    if (sigpending(&pending) < 0)
        return exit_code;
    if (sigismember(&pending, SIGINT) == 1)
        return 128 + SIGINT;
    if (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1)
        return 128 + SIGTERM;
    return exit_code;
}

static int repair_and_print(const struct dr_session *session, const struct dr_look *first, bool only_first, const char *mode)
{
    _cleanup_look_ struct dr_look last = { 0 };
    _cleanup_json_ cJSON *repairs = NULL;
    _cleanup_free_ char *settled = NULL;
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_report_run run = dr_session_report(session, mode);
    sigset_t quiet = quiet_signals();

    (void)sigprocmask(SIG_BLOCK, &quiet, NULL);
    if (dr_fix_run(session, first, only_first, &last, &repairs, &settled, &error) < 0)
        return pending_exit(fail(session, &error));
    run.repairs = repairs;
    run.settled = settled;
    run.home = dr_json_text(last.target, "home");
    return pending_exit(print(session, &last, &run, false));
}

int dr_command_fix(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look found = { 0 };
    _cleanup_error_ struct dr_error error = { 0 };

    if (look(session, true, &found, &error) < 0)
        return fail(session, &error);
    if (session->options->dry_run) {
        struct dr_report_run run = dr_session_report(session, "dry-run");
        _cleanup_free_ char *sentence = interrupted_sentence(session, &found);

        run.settled = sentence;
        run.home = dr_json_text(found.target, "home");
        return print(session, &found, &run, true);
    }
    return repair_and_print(session, &found, false, "fix");
}

static int save_plan(const struct dr_session *session, const struct dr_look *found, struct dr_error *error)
{
    _cleanup_json_ cJSON *plan = NULL;
    int r = dr_plan_file_make(session, found, &plan);
    _cleanup_free_ char *text = r < 0 ? NULL : cJSON_Print(plan);
    _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(MOST_TEXT * 4UL);

    if (!text || dr_buffer_appendf(&line, "%s\n", text) < 0)
        return dr_error_set(error, -ENOMEM, "out of memory");
    r = dr_session_print_text(session, &line, 0);
    return r == 0 ? 0 : dr_error_set(error, -EIO, "the plan could not be written");
}

static bool plans_something(const struct dr_look *found)
{
    return cJSON_GetArraySize(found->operations) > 0;
}

int dr_command_plan(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look found = { 0 };
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_report_run run = dr_session_report(session, "plan");
    int exit_code = 0;

    if (look(session, true, &found, &error) < 0)
        return session->options->detailed_exit ? (void)fail(session, &error), EXIT_FAILED : fail(session, &error);
    if (session->options->output || session->options->json) {
        if (save_plan(session, &found, &error) < 0)
            return session->options->detailed_exit ? EXIT_FAILED : DR_EXIT_NO_REPORT;
        if (session->options->output && !session->options->json)
            (void)printf("The plan is in %s. Carry it out with: %s apply %s\n", session->options->output,
                         session->human.program, session->options->output);
    } else {
        run.home = dr_json_text(found.target, "home");
        exit_code = print(session, &found, &run, true);
    }
    if (session->options->detailed_exit)
        return exit_code == DR_EXIT_NO_REPORT ? EXIT_FAILED : plans_something(&found) ? EXIT_CHANGES : 0;
    return exit_code;
}

int dr_command_apply(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look present = { 0 };
    _cleanup_look_ struct dr_look planned = { 0 };
    _cleanup_error_ struct dr_error error = { 0 };

    if (look(session, false, &present, &error) < 0 ||
        dr_plan_file_read(session->options->operand, &present, &planned, &error) < 0)
        return fail(session, &error);
    if (session->options->dry_run) {
        struct dr_report_run run = dr_session_report(session, "dry-run");

        run.home = dr_json_text(present.target, "home");
        return print(session, &planned, &run, true);
    }
    return repair_and_print(session, &planned, true, "apply");
}

/* The place of the journal without a look's findings: only the target is asked for. */
static int find_place(const struct dr_session *session, struct dr_look *ret_look, struct dr_repair_place *ret_place,
                      struct dr_error *error)
{
    static const char *const nothing[] = { "-", NULL };
    struct dr_look_options options = session->look_options;

    options.selection = (struct dr_selection){ .only = nothing };
    int r = dr_look_run(&session->request, &options, ret_look, error);

    return r < 0 ? r : dr_fix_place(session, ret_look, ret_place, error);
}

static int print_json_or(const struct dr_session *session, const cJSON *json, struct dr_buffer *human, int exit_code)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);

    if (!session->options->json)
        return dr_session_print_text(session, human, exit_code);
    if (dr_report_json(json, &text) < 0)
        return DR_EXIT_NO_REPORT;
    return dr_session_print_text(session, &text, exit_code);
}

/* The files are back, but what has to be run then could not be: the report says what to type. */
static bool lacks_command(const cJSON *report)
{
    const cJSON *step;

    cJSON_ArrayForEach (step, cJSON_GetObjectItemCaseSensitive(report, "refused")) {
        const char *kind = dr_json_text(step, "kind");

        if (kind && strcmp(kind, dr_operation_kind_name(DR_RUN_COMMAND)) == 0)
            return true;
    }
    return false;
}

int dr_command_undo(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look found = { 0 };
    _cleanup_json_ cJSON *report = NULL;
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    struct dr_repair_place place = { 0 };
    sigset_t quiet = quiet_signals();
    int exit_code;

    (void)sigprocmask(SIG_BLOCK, &quiet, NULL);

    int r = find_place(session, &found, &place, &error);

    if (r >= 0)
        r = dr_repair_undo(&place.target, session->options->operand, session->options->force, &report, &error);
    /* -ESTALE brings a report: what was changed since, and that nothing was touched. */
    if (r < 0 && !(r == -ESTALE && report))
        exit_code = fail(session, &error);
    else if (dr_report_undo(report, &session->human, place.target.home, &text) < 0 ||
             dr_report_hide_home(report, place.target.home) < 0)
        exit_code = DR_EXIT_NO_REPORT;
    else
        exit_code = print_json_or(session, report, &text, r < 0 ? EXIT_FAILED : lacks_command(report) ? DR_EXIT_STUCK : 0);
    dr_fix_place_release(&place);
    return pending_exit(exit_code);
}

int dr_command_history(const struct dr_session *session)
{
    _cleanup_look_ struct dr_look found = { 0 };
    _cleanup_json_ cJSON *history = NULL;
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    struct dr_repair_place place = { 0 };
    int exit_code;

    if (find_place(session, &found, &place, &error) < 0 || dr_repair_history(&place.target, &history, &error) < 0)
        exit_code = fail(session, &error);
    else if (dr_report_history(history, &session->human, place.target.home, &text) < 0 ||
             dr_report_hide_home(history, place.target.home) < 0)
        exit_code = DR_EXIT_NO_REPORT;
    else
        exit_code = print_json_or(session, history, &text, 0);
    dr_fix_place_release(&place);
    return exit_code;
}

int dr_command_list(const struct dr_session *session)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    int r = dr_report_list(session->options->json, &session->human, &text);

    return r < 0 ? DR_EXIT_NO_REPORT : dr_session_print_text(session, &text, 0);
}

int dr_command_explain(const struct dr_session *session)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    _cleanup_error_ struct dr_error error = { 0 };
    int r = dr_report_explain(session->options->operand, &session->human, &text);

    if (r == -ENOENT) {
        (void)dr_error_set(&error, r, "nothing is known about \"%s\"; \"%s list\" names all checks",
                           session->options->operand, session->human.program);
        return dr_session_fail(session->options, DR_EXIT_USAGE, "usage", dr_error_text(&error));
    }
    return r < 0 ? DR_EXIT_NO_REPORT : dr_session_print_text(session, &text, 0);
}
