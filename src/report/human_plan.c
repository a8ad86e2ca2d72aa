#include "report/human.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* A plan of a thousand owners is one thought; --verbose and --json have each. */
enum { MOST_ALIKE = 10, MOST_OPERATION = 1000000, MOST_SHOWN = 64 };

struct shown {
    bool *seen; /* by the number of the operation */
    const char *paths[MOST_SHOWN]; /* of edits, each with its preview */
    const char *previews[MOST_SHOWN];
    size_t count;
};

static bool is_number(const cJSON *json, const char *name, double number)
{
    return fabs(dr_json_number(json, name, -1) - number) < 0.5;
}

/* Two findings may share one operation; it is made, and shown, once. `seen` has a place for each number up to MOST_OPERATION. */
static bool is_new(bool *seen, const cJSON *effect)
{
    double number = dr_json_number(effect, "operation", -1);

    if (number < 0 || number >= MOST_OPERATION)
        return true;
    bool before = seen[(size_t)number];

    seen[(size_t)number] = true;
    return !before;
}

static const char *kind_of(const cJSON *effect)
{
    const char *kind = dr_json_text(effect, "kind");

    return kind ? kind : "";
}

static bool sets_attributes(const cJSON *effect)
{
    return strcmp(kind_of(effect), "set-owner") == 0 || strcmp(kind_of(effect), "set-mode") == 0;
}

static const char *preview_of(const cJSON *fix, double operation)
{
    const cJSON *edit;

    cJSON_ArrayForEach (edit, cJSON_GetObjectItemCaseSensitive(fix, "edits")) {
        if (is_number(edit, "operation", operation))
            return dr_json_text(edit, "preview");
    }
    return NULL;
}

static void say_gateway(struct dr_view *view, const cJSON *effect)
{
    const cJSON *gateway = cJSON_GetObjectItemCaseSensitive(view->target, "gateway");
    const char *state = dr_json_text(gateway, "state");
    const char *while_running = dr_json_text(effect, "whileRunning");
    const char *restart = dr_json_text(effect, "restart");
    bool waits = while_running && strcmp(while_running, "wait-for-stop") == 0;
    struct dr_paper *paper = &view->paper;

    if (waits && !(state && strcmp(state, "stopped") == 0)) {
        dr_view_label(view, "Waits");
        dr_paper_say(paper, DR_YELLOW,
                     state && strcmp(state, "running") == 0 ? "the gateway is running; this is only done while it is stopped"
                                                            : "this is only done when no gateway runs on this state");
        dr_paper_end(paper);
    }
    if (restart) {
        dr_view_label(view, "After it");
        dr_paper_solid(paper, DR_CYAN, restart);
        dr_paper_end(paper);
    }
}

static void say_operation(struct dr_view *view, const cJSON *fix, const cJSON *effect, unsigned number)
{
    const char *class = dr_json_text(fix, "applicability");
    const char *preview = preview_of(fix, dr_json_number(effect, "operation", -1));
    bool safe = class && strcmp(class, "safe") == 0;
    bool brief = sets_attributes(effect) && dr_json_text(effect, "summary"); /* which says all of it */
    struct dr_paper *paper = &view->paper;

    if (!sets_attributes(effect) || number == 1)
        dr_paper_empty(paper);
    dr_paper_line(paper, 0, 3);
    dr_paper_sayf(paper, DR_BOLD, "%u. ", number);
    dr_paper_say(paper, safe ? DR_GREEN : DR_YELLOW, safe ? "safe: " : "needs your consent: ");
    dr_paper_step(paper, DR_PLAIN, effect);
    dr_paper_end(paper);
    say_gateway(view, effect);
    if (preview && !brief)
        dr_paper_lines(paper, 4, preview, true);
}

static void say_plan_title(struct dr_view *view, const char *text)
{
    dr_paper_empty(&view->paper);
    dr_paper_line(&view->paper, 0, 0);
    dr_paper_say(&view->paper, DR_BOLD, text);
    dr_paper_end(&view->paper);
}

static void say_left_out(struct dr_view *view, unsigned count, const char *alike)
{
    if (count == 0)
        return;
    dr_paper_line(&view->paper, 3, 3);
    dr_paper_sayf(&view->paper, DR_BOLD, "and %u more %s; `--verbose` shows each", count, alike);
    dr_paper_end(&view->paper);
}

/* Findings with one cause may each plan the very same edit; the first that is made cures all. */
static bool is_shown(struct shown *shown, const cJSON *fix, const cJSON *effect)
{
    const char *preview = preview_of(fix, dr_json_number(effect, "operation", -1));
    const char *path = dr_json_text(effect, "path");

    if (!preview || !path)
        return false;
    for (size_t i = 0; i < shown->count; i++)
        if (strcmp(shown->paths[i], path) == 0 && strcmp(shown->previews[i], preview) == 0)
            return true;
    if (shown->count < MOST_SHOWN) {
        shown->paths[shown->count] = path;
        shown->previews[shown->count++] = preview;
    }
    return false;
}

/* The operations of one finding. */
static void say_operations(struct dr_view *view, const cJSON *fix, struct shown *shown, unsigned *number)
{
    const cJSON *effect;
    unsigned alike = 0;
    unsigned left_out = 0;

    cJSON_ArrayForEach (effect, cJSON_GetObjectItemCaseSensitive(fix, "effects")) {
        if (!is_new(shown->seen, effect) || is_shown(shown, fix, effect))
            continue;
        if ((*number)++ == 0)
            say_plan_title(view, "The plan. Nothing has been changed yet.");
        if (sets_attributes(effect) && alike++ >= MOST_ALIKE && !view->options->verbose)
            left_out++;
        else
            say_operation(view, fix, effect, *number);
    }
    say_left_out(view, left_out, "of this kind");
}

void dr_view_plan(struct dr_view *view)
{
    _cleanup_free_ bool *seen = calloc(MOST_OPERATION, sizeof(*seen));
    struct shown shown = { .seen = seen };
    const cJSON *finding;
    unsigned number = 0;

    if (!seen) {
        view->paper.status = -ENOMEM;
        return;
    }
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(view->document, "findings")) {
        say_operations(view, cJSON_GetObjectItemCaseSensitive(finding, "fix"), &shown, &number);
    }
    /* What --fix would do for hints is part of the plan too: it changes nothing that it did not show. */
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(view->document, "belowThreshold")) {
        say_operations(view, cJSON_GetObjectItemCaseSensitive(finding, "fix"), &shown, &number);
    }
    if (number == 0)
        say_plan_title(view, "The plan: nothing to do. Nothing has been changed.");
}

struct status_words {
    const char *status;
    enum dr_sign sign;
    const char *words;
};

static const struct status_words *words_for(const char *status)
{
    static const struct status_words words[] = {
        { "verified", DR_SIGN_GOOD, "done; looked again, and the problem is gone" },
        { "applied", DR_SIGN_GOOD, "done; not looked at again yet" },
        { "refused", DR_SIGN_WARNING, "not done, nothing was written" },
        { "failed", DR_SIGN_UNDONE, "failed and taken back; it is as it was" },
        { "rolled-back", DR_SIGN_UNDONE, "taken back; it is as it was" },
        { "rolled_back", DR_SIGN_UNDONE, "taken back; it is as it was" },
        { "stuck", DR_SIGN_ERROR, "failed, and taking it back failed too" },
        { "planned", DR_SIGN_BULLET, "planned, not done" },
    };

    for (size_t i = 0; status && i < DR_COUNT(words); i++)
        if (strcmp(words[i].status, status) == 0)
            return &words[i];
    return &words[DR_COUNT(words) - 1];
}

static void say_repair(struct dr_view *view, const cJSON *repair)
{
    const struct status_words *words = words_for(dr_json_text(repair, "status"));
    const char *reason = dr_json_text(repair, "reason");
    const char *backup = dr_json_text(repair, "backup");
    bool bad = words->sign == DR_SIGN_ERROR;
    struct dr_paper *paper = &view->paper;

    dr_paper_line(paper, 0, 2);
    dr_paper_sign(paper, words->sign);
    dr_paper_step(paper, DR_BOLD, repair);
    dr_paper_sayf(paper, DR_PLAIN, ": %s", words->words);
    dr_paper_end(paper);
    if (reason) {
        dr_view_label(view, bad ? "Do this" : words->sign == DR_SIGN_GOOD ? "But" : "Because");
        dr_paper_say(paper, DR_PLAIN, reason);
        dr_paper_end(paper);
    }
    if (backup && (bad || view->options->verbose)) {
        dr_view_label(view, "Backup");
        dr_paper_solid(paper, DR_BOLD, backup);
        dr_paper_end(paper);
    }
}

/* All backups of a run stand in one folder. */
static void say_backups(struct dr_view *view, const cJSON *repairs)
{
    _cleanup_buffer_ struct dr_buffer folder = DR_BUFFER(1 << 20);
    const cJSON *repair;

    cJSON_ArrayForEach (repair, repairs) {
        const char *backup = dr_json_text(repair, "backup");
        const char *slash = backup ? strrchr(backup, '/') : NULL;

        if (!slash)
            continue;
        if (dr_buffer_append(&folder, backup, (size_t)(slash - backup)) < 0)
            return;
        dr_paper_line(&view->paper, 0, 2);
        dr_paper_say(&view->paper, DR_PLAIN, "What was there before is kept in ");
        dr_paper_solid(&view->paper, DR_BOLD, dr_buffer_text(&folder));
        dr_paper_end(&view->paper);
        return;
    }
}

static bool is_alike(const cJSON *a, const cJSON *b)
{
    static const char *const keys[] = { "checkId", "status", "reason", "fixId" };

    for (size_t i = 0; a && b && i < DR_COUNT(keys); i++) {
        const char *left = dr_json_text(a, keys[i]);
        const char *right = dr_json_text(b, keys[i]);

        if (strcmp(left ? left : "", right ? right : "") != 0)
            return false;
    }
    return a && b;
}

void dr_view_repairs(struct dr_view *view)
{
    const cJSON *repairs = cJSON_GetObjectItemCaseSensitive(view->document, "repairs");
    const cJSON *repair;
    unsigned alike = 0;

    if (cJSON_GetArraySize(repairs) == 0 || view->options->show_plan)
        return;
    dr_paper_empty(&view->paper);
    cJSON_ArrayForEach (repair, repairs) {
        bool same = repair != repairs->child && is_alike(repair, repair->prev);

        if (!same && alike > MOST_ALIKE && !view->options->verbose)
            say_left_out(view, alike - MOST_ALIKE, "like it");
        alike = same ? alike + 1 : 1;
        if (alike <= MOST_ALIKE || view->options->verbose)
            say_repair(view, repair);
    }
    if (alike > MOST_ALIKE && !view->options->verbose)
        say_left_out(view, alike - MOST_ALIKE, "like it");
    say_backups(view, repairs);
}
