/* `history` and `undo` for people. */
#include "base/text.h"
#include "report/paper.h"
#include "report/scrub.h"

#include <string.h>

enum { MOST_STEPS = 10, MOST_SUMMARY = 1 << 20 };

static int scrubbed(const cJSON *json, const char *home, cJSON **ret_copy)
{
    struct dr_scrub scrub = { .home = home };
    cJSON *copy = cJSON_Duplicate(json, true);
    int r = copy ? dr_scrub_json(&scrub, copy) : -ENOMEM;

    if (r < 0) {
        cJSON_Delete(copy);
        return r;
    }
    *ret_copy = copy;
    return 0;
}

static void say_steps(struct dr_paper *paper, const cJSON *steps)
{
    const cJSON *step;
    int said = 0;

    cJSON_ArrayForEach (step, steps) {
        const char *state = dr_json_text(step, "state");

        if (said++ >= MOST_STEPS && !paper->options->verbose)
            continue;
        dr_paper_line(paper, 2, 4);
        dr_paper_sign(paper, DR_SIGN_BULLET);
        dr_paper_step(paper, DR_PLAIN, step);
        if (state && strcmp(state, "applied") != 0)
            dr_paper_sayf(paper, DR_YELLOW, " (%s)", state);
        dr_paper_end(paper);
    }
    if (said > MOST_STEPS && !paper->options->verbose) {
        dr_paper_line(paper, 2, 4);
        dr_paper_sayf(paper, DR_DIM, "and %d more; `--verbose` shows them", said - MOST_STEPS);
        dr_paper_end(paper);
    }
}

static void say_run(struct dr_paper *paper, const cJSON *run)
{
    static const struct {
        const char *state, *words;
        enum dr_ink ink;
    } states[] = {
        { "kept", "kept", DR_GREEN },
        { "undone", "undone", DR_DIM },
        { "rolled-back", "rolled back: it left nothing behind", DR_YELLOW },
        { "interrupted", "interrupted: the next repair settles it first", DR_RED },
    };
    const char *state = dr_json_text(run, "state");
    const char *undoes = dr_json_text(run, "undoes");
    const char *by = dr_json_text(run, "undoneBy");
    const char *id = dr_json_text(run, "run");
    const char *started = dr_json_text(run, "startedAt");
    size_t i = 0;

    while (i < DR_COUNT(states) && !(state && strcmp(state, states[i].state) == 0))
        i++;
    dr_paper_line(paper, 0, 2);
    dr_paper_solid(paper, DR_BOLD, id ? id : "?");
    dr_paper_say(paper, DR_PLAIN, " ");
    if (undoes)
        dr_paper_sayf(paper, DR_DIM, "took back %s", undoes);
    else if (i < DR_COUNT(states))
        dr_paper_say(paper, states[i].ink, states[i].words);
    else
        dr_paper_say(paper, DR_YELLOW, state ? state : "unknown");
    if (by)
        dr_paper_sayf(paper, DR_DIM, " by %s", by);
    if (started)
        dr_paper_sayf(paper, DR_DIM, " (%s)", started);
    dr_paper_end(paper);
    say_steps(paper, cJSON_GetObjectItemCaseSensitive(run, "operations"));
}

static const char *newest_kept(const cJSON *history)
{
    const cJSON *run;

    cJSON_ArrayForEach (run, history) {
        const char *state = dr_json_text(run, "state");

        if (state && strcmp(state, "kept") == 0 && !dr_json_text(run, "undoes"))
            return dr_json_text(run, "run");
    }
    return NULL;
}

static void say_command(struct dr_paper *paper, const char *intro, const char *words, const char *more)
{
    const char *program = paper->options->program ? paper->options->program : "openclaw-doctor";

    dr_paper_empty(paper);
    dr_paper_line(paper, 0, 2);
    dr_paper_sayf(paper, DR_PLAIN, "%s: `%s %s%s%s`", intro, program, words, more ? " " : "", more ? more : "");
    dr_paper_end(paper);
}

int dr_report_history(const cJSON *history, const struct dr_human_options *options, const char *home, struct dr_buffer *text)
{
    _cleanup_json_ cJSON *copy = NULL;
    struct dr_paper paper;
    const cJSON *run;
    int r = scrubbed(history, home, &copy);

    if (r < 0)
        return r;
    dr_paper_begin(&paper, options, text);
    if (cJSON_GetArraySize(copy) == 0) {
        dr_paper_line(&paper, 0, 0);
        dr_paper_say(&paper, DR_PLAIN, "Nothing was ever repaired here.");
        dr_paper_end(&paper);
    }
    cJSON_ArrayForEach (run, copy) {
        say_run(&paper, run);
    }
    if (newest_kept(copy))
        say_command(&paper, "To take the newest back", "undo", newest_kept(copy));
    return paper.status;
}

static void say_refused(struct dr_paper *paper, const cJSON *refused)
{
    const cJSON *step;

    cJSON_ArrayForEach (step, refused) {
        const char *reason = dr_json_text(step, "reason");

        dr_paper_line(paper, 0, 2);
        dr_paper_sign(paper, DR_SIGN_WARNING);
        dr_paper_step(paper, DR_PLAIN, step);
        dr_paper_sayf(paper, DR_YELLOW, ": %s", reason ? reason : "it is no longer what the repair left behind");
        dr_paper_end(paper);
    }
}

int dr_report_undo(const cJSON *report, const struct dr_human_options *options, const char *home, struct dr_buffer *text)
{
    _cleanup_json_ cJSON *copy = NULL;
    const cJSON *undone, *refused, *step;
    const char *run, *settled;
    struct dr_paper paper;
    int r = scrubbed(report, home, &copy);

    if (r < 0)
        return r;
    undone = cJSON_GetObjectItemCaseSensitive(copy, "undone");
    refused = cJSON_GetObjectItemCaseSensitive(copy, "refused");
    run = dr_json_text(copy, "run");
    settled = dr_json_text(copy, "settled");
    dr_paper_begin(&paper, options, text);
    if (settled) {
        dr_paper_line(&paper, 0, 0);
        dr_paper_say(&paper, DR_YELLOW, settled);
        dr_paper_end(&paper);
    }
    dr_paper_line(&paper, 0, 0);
    if (cJSON_GetArraySize(undone) == 0)
        dr_paper_sayf(&paper, DR_YELLOW, "Nothing was undone%s",
                      cJSON_GetArraySize(refused) > 0 ? ": something has changed since the repair." : ".");
    else
        dr_paper_sayf(&paper, DR_GREEN, "%d change%s of run %s taken back.", cJSON_GetArraySize(undone),
                      cJSON_GetArraySize(undone) == 1 ? "" : "s", run ? run : "?");
    dr_paper_end(&paper);
    cJSON_ArrayForEach (step, undone) {
        dr_paper_line(&paper, 0, 2);
        dr_paper_sign(&paper, DR_SIGN_UNDONE);
        dr_paper_step(&paper, DR_PLAIN, step);
        dr_paper_end(&paper);
    }
    say_refused(&paper, refused);
    if (cJSON_GetArraySize(undone) == 0 && cJSON_GetArraySize(refused) > 0)
        say_command(&paper, "To take back what still can be", "undo --force", run);
    return paper.status;
}
