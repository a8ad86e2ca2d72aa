/*
 * What to type next: whole commands that work as they stand, each with what it does.
 */
#include "report/human.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MOST_COMMAND = 1 << 16, MOST_RESTARTS = 8, MOST_COMMANDS = 16, COMMAND_INDENT = 2, PURPOSE_INDENT = 6, GAP = 3 };

int dr_shell_word(struct dr_buffer *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    int r = 0;

    if (dr_text_starts_with(word, "~/") || strcmp(word, "~") == 0) {
        size_t length = word[1] == '/' ? 2 : 1;

        r = dr_buffer_append(text, word, length);
        word += length;
        if (r < 0 || *word == '\0')
            return r;
    }
    if (*word != '\0' && word[strspn(word, plain)] == '\0')
        return dr_buffer_append_text(text, word);
    r = dr_buffer_append_byte(text, '\'');
    for (; r == 0 && *word; word++)
        r = *word == '\'' ? dr_buffer_append_text(text, "'\\''") : dr_buffer_append_byte(text, *word);
    return r < 0 ? r : dr_buffer_append_byte(text, '\'');
}

/* Commands are gathered first, so that what they do stands in one column where that fits. */
struct advice {
    struct dr_view *view;
    char *commands[MOST_COMMANDS];
    const char *purposes[MOST_COMMANDS];
    struct dr_buffer fix_purpose;
    size_t count;
};

static void release_advice(struct advice *advice)
{
    for (size_t i = 0; i < advice->count; i++)
        free(advice->commands[i]);
    dr_buffer_release(&advice->fix_purpose);
}

static void fail(struct advice *advice, int status)
{
    if (status < 0 && advice->view->paper.status == 0)
        advice->view->paper.status = status;
}

static void add_command(struct advice *advice, const char *command, const char *purpose)
{
    if (advice->count == MOST_COMMANDS)
        return;
    advice->commands[advice->count] = strdup(command);
    if (!advice->commands[advice->count]) {
        fail(advice, -ENOMEM);
        return;
    }
    advice->purposes[advice->count++] = purpose;
}

static unsigned columns_of(const char *text)
{
    return dr_text_columns(text, strlen(text));
}

static void print_advice(struct advice *advice)
{
    struct dr_paper *paper = &advice->view->paper;
    unsigned command = 0;
    unsigned purpose = 0;

    for (size_t i = 0; i < advice->count; i++) {
        unsigned one = columns_of(advice->commands[i]);
        unsigned two = columns_of(advice->purposes[i]);

        command = one > command ? one : command;
        purpose = two > purpose ? two : purpose;
    }
    bool beside = COMMAND_INDENT + command + GAP + purpose <= paper->width;

    for (size_t i = 0; i < advice->count; i++) {
        dr_paper_line(paper, COMMAND_INDENT, PURPOSE_INDENT);
        dr_paper_solid(paper, DR_CYAN, advice->commands[i]);
        if (beside) {
            dr_paper_pad(paper, COMMAND_INDENT + command + GAP);
        } else {
            dr_paper_end(paper);
            dr_paper_line(paper, PURPOSE_INDENT, PURPOSE_INDENT);
        }
        dr_paper_say(paper, DR_DIM, advice->purposes[i]);
        dr_paper_end(paper);
    }
}

static int append_option(struct dr_buffer *text, const char *option, const char *value)
{
    int r = dr_buffer_appendf(text, " %s ", option);

    return r < 0 ? r : dr_shell_word(text, value);
}

static bool came_from(const cJSON *target, const char *name, const char *option)
{
    const char *from = dr_json_text(target, name);

    return from && strcmp(from, option) == 0;
}

/* The options that make the next command look at the same home as this one did. */
static int append_selection(struct dr_buffer *text, const cJSON *target, bool sudo)
{
    const char *root = dr_json_text(target, "root");
    const char *profile = dr_json_text(target, "profile");
    const char *state_dir = dr_json_text(target, "stateDir");
    const char *config = dr_json_text(target, "configPath");
    const char *user = dr_json_text(target, "user");
    bool by_option = came_from(target, "stateDirFrom", "--state-dir");
    int r = 0;

    if (root)
        r = append_option(text, "--root", root);
    if (r == 0 && state_dir && (by_option || (sudo && came_from(target, "stateDirFrom", "OPENCLAW_STATE_DIR"))))
        r = append_option(text, "--state-dir", state_dir);
    else if (r == 0 && profile)
        r = append_option(text, "--profile", profile);
    if (r == 0 && config && came_from(target, "configFrom", "--config"))
        r = append_option(text, "--config", config);
    if (r == 0 && user && (came_from(target, "userFrom", "--user") || sudo) && !strchr(user, ' '))
        r = append_option(text, "--user", user);
    return r;
}

/* `words` begin with a space, or are none. */
static void say_command(struct advice *advice, bool sudo, const char *words, const char *purpose)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_COMMAND);
    const struct dr_view *view = advice->view;
    const char *program = view->options->program ? view->options->program : "openclaw-doctor";
    int r = dr_buffer_appendf(&text, "%s%s%s", sudo ? "sudo " : "", program, words);

    if (r == 0)
        r = append_selection(&text, view->target, sudo);
    fail(advice, r);
    add_command(advice, dr_buffer_text(&text), purpose);
}

/* Only root gives files to another user. */
static bool needs_root(const struct dr_view *view)
{
    const cJSON *finding;
    const cJSON *effect;

    if (dr_json_true(view->target, "asRoot"))
        return false;
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(view->document, "findings")) {
        const cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");

        cJSON_ArrayForEach (effect, cJSON_GetObjectItemCaseSensitive(fix, "effects")) {
            const char *kind = dr_json_text(effect, "kind");

            if (kind && strcmp(kind, "set-owner") == 0)
                return true;
        }
    }
    return false;
}

static bool waits_for_root(const struct dr_view *view)
{
    const cJSON *finding;

    if (dr_json_true(view->target, "asRoot"))
        return false;
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(view->document, "findings")) {
        if (dr_view_is_for_root(finding))
            return true;
    }
    return false;
}

static bool was_denied(const struct dr_view *view)
{
    const cJSON *unknown;

    if (dr_json_true(view->target, "asRoot"))
        return false;
    cJSON_ArrayForEach (unknown, cJSON_GetObjectItemCaseSensitive(view->document, "unknowns")) {
        const char *reason = dr_json_text(unknown, "reason");

        if (reason && (strstr(reason, "ermission denied") || strstr(reason, "EACCES")))
            return true;
    }
    return false;
}

static bool repeats(const cJSON *repairs, const cJSON *until, const char *restart)
{
    const cJSON *repair;

    cJSON_ArrayForEach (repair, repairs) {
        const char *other = dr_json_text(repair, "restart");

        if (repair == until)
            return false;
        if (other && strcmp(other, restart) == 0)
            return true;
    }
    return false;
}

static bool was_made(const cJSON *repair)
{
    const char *status = dr_json_text(repair, "status");

    return status && (strcmp(status, "verified") == 0 || strcmp(status, "applied") == 0);
}

static void say_after_repair(struct advice *advice)
{
    const cJSON *repairs = cJSON_GetObjectItemCaseSensitive(advice->view->document, "repairs");
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_COMMAND);
    const char *run = NULL;
    const cJSON *repair;
    unsigned said = 0;
    bool whole = true;

    cJSON_ArrayForEach (repair, repairs) {
        const char *restart = dr_json_text(repair, "restart");

        if (!was_made(repair))
            continue;
        whole &= !dr_json_text(repair, "reason"); /* of a change that was made: it will not be taken back */
        run = dr_json_text(repair, "run") ? dr_json_text(repair, "run") : run;
        if (restart && said < MOST_RESTARTS && !repeats(repairs, repair, restart)) {
            add_command(advice, restart, "so that what was changed takes effect");
            said++;
        }
    }
    if (advice->view->repairs.made == 0)
        return;
    fail(advice, run ? append_option(&words, "undo", run) : dr_buffer_append_text(&words, " undo"));
    say_command(advice, false, dr_buffer_text(&words),
                whole ? "takes all of it back" : "takes it back, as far as that can be done");
}

/* What was asked for with a lower threshold is left alone by a repair with the usual one. */
static void say_repair(struct advice *advice, bool sudo, const char *how, const char *purpose)
{
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(advice->view->document, "run");
    const char *least = dr_json_text(run, "severityMin");
    bool hints = least && strcmp(least, "info") == 0;
    char words[64];

    (void)snprintf(words, sizeof(words), " --fix%s%s", how, hints ? " --severity-min info" : "");
    say_command(advice, sudo, words, purpose);
}

static void say_fix(struct advice *advice, unsigned safe, unsigned unsafe)
{
    struct dr_buffer *purpose = &advice->fix_purpose;
    bool sudo = needs_root(advice->view);
    /* The same command again would leave the same ones out again. */
    bool was_silent = dr_view_is(advice->view, "fix") && !advice->view->options->asks && unsafe > 0;
    int r = 0;

    if (was_silent)
        r = dr_buffer_appendf(purpose, "also makes the %u that need%s your consent; `undo` takes all back", unsafe,
                              unsafe == 1 ? "s" : "");
    else if (safe > 0)
        r = dr_buffer_appendf(purpose, "makes %u safe repair%s; `undo` takes %s back", safe, safe == 1 ? "" : "s",
                              safe == 1 ? "it" : "them");
    if (r == 0 && unsafe > 0 && !was_silent)
        r = dr_buffer_appendf(purpose, "%sasks you about %u repair%s", safe > 0 ? ", and " : "", unsafe,
                              unsafe == 1 ? "" : "s");
    fail(advice, r);
    if (!advice->view->options->show_plan)
        say_repair(advice, sudo, " --dry-run", "shows every change, makes none");
    say_repair(advice, sudo, was_silent ? " --yes --unsafe" : "", dr_buffer_text(purpose));
}

static void say_explain(struct advice *advice, const char *id)
{
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_COMMAND);
    const char *program = advice->view->options->program;

    fail(advice, dr_buffer_appendf(&words, "%s explain %s", program ? program : "openclaw-doctor", id));
    add_command(advice, dr_buffer_text(&words), "says more about the first one");
}

void dr_view_next(struct dr_view *view)
{
    const cJSON *findings = cJSON_GetObjectItemCaseSensitive(view->document, "findings");
    const char *first = findings && findings->child ? dr_json_text(findings->child, "checkId") : NULL;
    unsigned safe = dr_view_count(view, "fixable", "safe");
    unsigned unsafe = dr_view_count(view, "fixable", "unsafe");
    __attribute__((cleanup(release_advice))) struct advice advice = { .view = view, .fix_purpose = DR_BUFFER(4096) };

    say_after_repair(&advice);
    if (was_denied(view))
        say_command(&advice, true, "", "looks again, and may read what you may not");
    if (safe + unsafe > 0)
        say_fix(&advice, safe, unsafe);
    if (waits_for_root(view)) {
        say_repair(&advice, true, " --dry-run", "shows what root would change, changes nothing");
        say_repair(&advice, true, "", "repairs what only root may");
    }
    if (first)
        say_explain(&advice, first);
    if (advice.count == 0 && cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(view->document, "unknowns")) > 0)
        say_command(&advice, false, "", "looks again, when what could not be told is mended");
    if (advice.count == 0)
        return;
    dr_paper_empty(&view->paper);
    dr_paper_line(&view->paper, 0, 0);
    dr_paper_say(&view->paper, DR_BOLD, "What to type next");
    dr_paper_end(&view->paper);
    print_advice(&advice);
}
