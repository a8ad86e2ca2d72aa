#include "cli/session.h"

#include "cli/output.h"
#include "cli/prompt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

enum { DEFAULT_WIDTH = 80, NARROWEST = 20, WIDEST = 120, MOST_REPORT = 256 * 1024 * 1024 };

static bool speaks_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0] != '\0')
            return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
    }
    return false;
}

static unsigned terminal_width(void)
{
    struct winsize size = { 0 };
    const char *columns = getenv("COLUMNS");
    long wanted = columns ? strtol(columns, NULL, 10) : 0;

    if (wanted <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        wanted = size.ws_col;
    if (wanted <= 0)
        return DEFAULT_WIDTH;
    return wanted < NARROWEST ? NARROWEST : wanted > WIDEST ? WIDEST : (unsigned)wanted;
}

static void begin_human(struct dr_session *session, const char *program)
{
    const struct dr_options *options = session->options;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) && !options->output;
    bool dumb = !term || strcmp(term, "dumb") == 0;

    session->human = (struct dr_human_options){
        .width = terminal || getenv("COLUMNS") ? terminal_width() : DEFAULT_WIDTH,
        .colour = terminal && !dumb && !options->no_color && !(no_color && no_color[0] != '\0'),
        .unicode = speaks_utf8(),
        .verbose = options->verbose,
        .quiet = options->quiet,
        .program = program,
    };
}

static void begin_time(struct dr_session *session)
{
    struct timespec now;
    struct tm utc;
    unsigned random = 0;
    char compact[20];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    session->request.now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(session->started_at, sizeof(session->started_at), "%Y-%m-%dT%H:%M:%SZ", &utc);
    (void)strftime(compact, sizeof(compact), "%Y%m%dT%H%M%SZ", &utc);
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (unsigned)now.tv_nsec;
    /* Milliseconds in between keep the ids of one second in order. */
    (void)snprintf(session->run_id, sizeof(session->run_id), "%.15s%03ldZ-%04x", compact, now.tv_nsec / 1000000,
                   random & 0xffff);
}

static int open_root(struct dr_session *session, struct dr_error *error)
{
    const char *root = session->options->root;

    session->root_fd = AT_FDCWD;
    if (!root)
        return 0;
    session->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (session->root_fd < 0) {
        session->root_fd = AT_FDCWD;
        return dr_error_set(error, -errno, "--root %s: %s", root, dr_errno_text(-errno));
    }
    return 0;
}

int dr_session_begin(const struct dr_options *options, const char *program, struct dr_session *ret_session,
                     struct dr_error *error)
{
    struct dr_session *session = ret_session;

    *session = (struct dr_session){ .options = options, .root_fd = AT_FDCWD };
    begin_human(session, program);
    begin_time(session);

    int r = open_root(session, error);

    if (r < 0)
        return r;
    session->working_directory = options->root ? NULL : getcwd(NULL, 0);
    session->request.root = options->root;
    session->request.root_fd = session->root_fd;
    session->request.state_dir = options->state_dir;
    session->request.config_path = options->config;
    session->request.profile = options->profile;
    session->request.user = options->user;
    session->request.openclaw_version = options->openclaw_version;
    session->request.environment = (const char *const *)environ;
    session->request.working_directory = session->working_directory;
    session->request.proc = "/proc";
    session->request.uid = geteuid();
    session->request.gid = getegid();
    session->request.online = options->online;
    session->request.offline = options->offline;
    session->request.deep = options->deep;
    session->request.gateway_url = options->gateway_url;
    session->request.proxy_configs = options->proxy_configs[0] ? options->proxy_configs : NULL;
    session->request.probe_timeout_ms = options->probe_timeout_ms;
    session->look_options = (struct dr_look_options){
        .selection = {
            .only = options->only[0] ? options->only : NULL,
            .skip = options->skip[0] ? options->skip : NULL,
            .tags = options->tags[0] ? options->tags : NULL,
        },
        .check_timeout_ms = options->check_timeout_ms,
        .total_timeout_ms = options->timeout_ms,
    };
    return 0;
}

void dr_session_end(struct dr_session *session)
{
    free(session->working_directory);
    session->working_directory = NULL;
    if (session->root_fd >= 0)
        (void)close(session->root_fd);
    session->root_fd = AT_FDCWD;
}

struct dr_report_run dr_session_report(const struct dr_session *session, const char *mode)
{
    return (struct dr_report_run){
        .tool_version = DR_VERSION,
        .run_id = session->run_id,
        .started_at = session->started_at,
        .mode = mode,
        .deterministic = session->options->deterministic,
        .severity_min = session->options->severity_min,
        .exit_style = session->options->exit_style,
        .exit_zero = session->options->exit_zero,
    };
}

int dr_session_print_text(const struct dr_session *session, const struct dr_buffer *text, int exit_code)
{
    _cleanup_error_ struct dr_error error = { 0 };
    int r = dr_output_write(session->options->output, dr_buffer_text(text), text->length, &error);

    if (r < 0) {
        (void)fprintf(stderr, "openclaw-doctor: %s\n", dr_error_text(&error));
        return DR_EXIT_NO_REPORT;
    }
    return exit_code;
}

int dr_session_print(const struct dr_session *session, const cJSON *document, bool show_plan)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_REPORT);
    struct dr_human_options human = session->human;
    const cJSON *exit_object = cJSON_GetObjectItemCaseSensitive(document, "exit");
    int exit_code = (int)dr_json_number(exit_object, "code", DR_EXIT_NO_REPORT);

    human.show_plan = show_plan;
    human.asks = dr_prompt_possible(session);

    int r = session->options->json ? dr_report_json(document, &text) : dr_report_human(document, &human, &text);

    if (r < 0) {
        (void)fprintf(stderr, "openclaw-doctor: the report could not be written: %s\n", dr_errno_text(r));
        return DR_EXIT_NO_REPORT;
    }
    return dr_session_print_text(session, &text, exit_code);
}

int dr_session_fail(const struct dr_options *options, int exit_code, const char *type, const char *message)
{
    enum dr_exit_style style = DR_STYLE_LINT;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_REPORT);
    _cleanup_json_ cJSON *document = NULL;

    (void)dr_exit_style_parse(options->exit_style, &style);
    exit_code = dr_exit_failure((enum dr_exit)exit_code, style);
    if (!options->json) {
        (void)fprintf(stderr, "openclaw-doctor: %s\n", message);
        return exit_code;
    }
    if (dr_report_failure(exit_code, type, message, &document) < 0 || dr_report_json(document, &text) < 0)
        return exit_code;
    (void)dr_output_write(options->output, dr_buffer_text(&text), text.length, NULL);
    return exit_code;
}
