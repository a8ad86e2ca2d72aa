#include "report/human.h"

#include "base/text.h"

#include <string.h>

enum { NARROW = 60, LABEL = 10, INDENT = 2, DEVICE_ID = 64 };

unsigned dr_view_count(const struct dr_view *view, const char *group, const char *name)
{
    const cJSON *object = group ? cJSON_GetObjectItemCaseSensitive(view->summary, group) : view->summary;
    double number = dr_json_number(object, name, 0);

    return number > 0 && number < 1e9 ? (unsigned)number : 0;
}

bool dr_view_is(const struct dr_view *view, const char *mode)
{
    return view->mode && strcmp(view->mode, mode) == 0;
}

void dr_view_label(struct dr_view *view, const char *label)
{
    struct dr_paper *paper = &view->paper;

    if (paper->width < NARROW) {
        dr_paper_line(paper, INDENT, INDENT + 2);
        dr_paper_sayf(paper, DR_DIM, "%s: ", label);
        return;
    }
    dr_paper_line(paper, INDENT, INDENT + LABEL);
    dr_paper_sayf(paper, DR_DIM, "%s:", label);
    dr_paper_pad(paper, INDENT + LABEL);
}

bool dr_view_place(struct dr_view *view, const cJSON *json, const char *pointer)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);
    const char *path = dr_json_text(json, "path");
    double line = dr_json_number(json, "line", 0);
    double column = dr_json_number(json, "column", 0);
    int r;

    if (!path)
        return false;
    r = dr_buffer_append_text(&text, path);
    if (r == 0 && line > 0)
        r = dr_buffer_appendf(&text, ":%.0f", line);
    if (r == 0 && line > 0 && column > 0)
        r = dr_buffer_appendf(&text, ":%.0f", column);
    if (r < 0 && view->paper.status == 0)
        view->paper.status = r;
    dr_paper_solid(&view->paper, DR_BOLD, dr_buffer_text(&text));
    if (pointer && strlen(pointer) == DEVICE_ID && strspn(pointer, "0123456789abcdef") == DEVICE_ID)
        dr_paper_sayf(&view->paper, DR_PLAIN, " (%.8s...)", pointer); /* enough to know a device by */
    else if (pointer)
        dr_paper_sayf(&view->paper, DR_PLAIN, " (%s)", pointer);
    return true;
}

bool dr_view_is_for_root(const cJSON *finding)
{
    const cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");
    const char *class = dr_json_text(fix, "applicability");
    const char *hint = dr_json_text(finding, "fixHint");
    bool manual = !class || strcmp(class, "manual") == 0 || dr_json_text(fix, "refused");

    return manual && dr_json_text(fix, "id") && hint && dr_text_starts_with(hint, "sudo ") && strstr(hint, " --fix");
}

static unsigned count_for_root(const struct dr_view *view)
{
    const cJSON *finding;
    unsigned count = 0;

    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(view->document, "findings")) {
        if (!cJSON_HasObjectItem(finding, "causedBy") && dr_view_is_for_root(finding))
            count++;
    }
    return count;
}

static const char *plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

/* "3 problems: 1 can be repaired safely, 2 must be repaired by hand." */
static void say_problems(struct dr_view *view, enum dr_ink ink, unsigned problems, const char *found)
{
    static const struct {
        const char *one, *all, *some;
    } classes[] = {
        { "it can be repaired safely", "all can be repaired safely", "can be repaired safely" },
        { "its repair needs your consent", "each repair needs your consent", "with your consent" },
        { "root can repair it", "root can repair them", "by root" },
        { "it has to be repaired by hand", "all have to be repaired by hand", "by hand" },
    };
    unsigned for_root = count_for_root(view);
    unsigned counts[] = { dr_view_count(view, "fixable", "safe"), dr_view_count(view, "fixable", "unsafe"), for_root,
                          dr_view_count(view, "fixable", "manual") - for_root };
    struct dr_paper *paper = &view->paper;
    bool first = true;

    dr_paper_sayf(paper, ink, "%u problem%s%s", problems, plural(problems), found);
    for (size_t i = 0; i < DR_COUNT(classes); i++) {
        unsigned count = counts[i];

        if (count == problems) {
            dr_paper_sayf(paper, ink, "; %s", problems == 1 ? classes[i].one : classes[i].all);
            break;
        }
        if (count > 0)
            dr_paper_sayf(paper, ink, "%s %u %s", first ? ":" : ",", count, classes[i].some);
        first = first && count == 0;
    }
    dr_paper_say(paper, ink, ".");
}

static void say_repairs(struct dr_view *view)
{
    const struct dr_repair_count *count = &view->repairs;
    struct dr_paper *paper = &view->paper;

    if (count->stuck > 0)
        dr_paper_say(paper, DR_RED, "A repair failed and could not be taken back. Read on before you start OpenClaw. ");
    else if (count->undone > 0)
        dr_paper_say(paper, DR_RED, "A repair failed and was taken back: everything is as it was before it. ");
    if (count->made > 0)
        dr_paper_sayf(paper, DR_GREEN, "%u change%s made and checked. ", count->made, plural(count->made));
    else if (count->stuck == 0 && count->undone == 0)
        dr_paper_say(paper, DR_YELLOW, "Nothing was changed. ");
    if (count->refused > 0)
        dr_paper_sayf(paper, DR_YELLOW, "%u change%s not made. ", count->refused, count->refused == 1 ? " was" : "s were");
}

/* The line that stands alone: what is the matter, and can it be helped. */
static void say_verdict(struct dr_view *view)
{
    unsigned problems = dr_view_count(view, NULL, "problems");
    unsigned errors = dr_view_count(view, "bySeverity", "error");
    unsigned passed = dr_view_count(view, "byStatus", "pass");
    unsigned open = dr_view_unanswered(view);
    bool repaired = dr_view_is(view, "fix") || dr_view_is(view, "apply");
    struct dr_paper *paper = &view->paper;
    const char *found = repaired ? " left" : " found";

    dr_paper_line(paper, 0, 0);
    if (repaired)
        say_repairs(view);
    if (problems > 0)
        say_problems(view, errors > 0 ? DR_RED : DR_YELLOW, problems, found);
    else if (open > 0)
        dr_paper_sayf(paper, DR_YELLOW, "Could not tell: %u question%s got no answer. In the rest, no problem %s.", open,
                      plural(open), repaired ? "is left" : "was found");
    else
        dr_paper_sayf(paper, DR_GREEN, "No problem %s; %u check%s passed.", repaired ? "is left" : "found", passed,
                      plural(passed));
    if (problems > 0 && open > 0)
        dr_paper_sayf(paper, DR_YELLOW, " %u question%s got no answer.", open, plural(open));
    dr_paper_end(paper);
}

static void say_target(struct dr_view *view)
{
    const cJSON *release = cJSON_GetObjectItemCaseSensitive(view->target, "release");
    const cJSON *gateway = cJSON_GetObjectItemCaseSensitive(view->target, "gateway");
    const char *state_dir = dr_json_text(view->target, "stateDir");
    const char *version = dr_json_text(release, "version");
    const char *state = dr_json_text(gateway, "state");
    const char *user = dr_json_text(view->target, "user");
    struct dr_paper *paper = &view->paper;

    if (!state_dir)
        return;
    dr_paper_line(paper, 0, 2);
    dr_paper_say(paper, DR_DIM, "Looked at ");
    dr_paper_solid(paper, DR_DIM, state_dir);
    if (user)
        dr_paper_sayf(paper, DR_DIM, " of %s", user);
    if (version && dr_json_true(release, "known"))
        dr_paper_sayf(paper, DR_DIM, ", OpenClaw %s%s", version, dr_json_true(release, "certain") ? "" : " (a guess)");
    else if (version)
        dr_paper_sayf(paper, DR_DIM, ", by the rules of OpenClaw %s (no release was found)", version);
    else
        dr_paper_say(paper, DR_DIM, ", OpenClaw's release is not known");
    if (state && strcmp(state, "unknown") != 0)
        dr_paper_sayf(paper, DR_DIM, ", gateway %s", state);
    else
        dr_paper_say(paper, DR_DIM, ", could not tell whether a gateway runs");
    dr_paper_say(paper, DR_DIM, ".");
    dr_paper_end(paper);
}

static void count_repairs(struct dr_view *view)
{
    const cJSON *repair;

    cJSON_ArrayForEach (repair, cJSON_GetObjectItemCaseSensitive(view->document, "repairs")) {
        const char *status = dr_json_text(repair, "status");

        if (!status)
            continue;
        if (strcmp(status, "verified") == 0 || strcmp(status, "applied") == 0)
            view->repairs.made++;
        else if (strcmp(status, "refused") == 0)
            view->repairs.refused++;
        else if (strcmp(status, "stuck") == 0)
            view->repairs.stuck++;
        else if (strcmp(status, "failed") == 0 || dr_text_starts_with(status, "rolled"))
            view->repairs.undone++;
        else
            view->repairs.planned++;
    }
}

/* There is no report behind this document: one line, and where more is said. */
static bool say_failure(struct dr_view *view)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(view->document, "error");
    const cJSON *exit = cJSON_GetObjectItemCaseSensitive(view->document, "exit");
    bool nothing = dr_json_number(exit, "lintCode", 0) > 1.5 && dr_json_number(exit, "lintCode", 0) < 2.5;
    struct dr_paper *paper = &view->paper;
    const char *why = dr_json_text(view->target, "reason");
    const char *reason = error ? dr_json_text(error, "message") : why ? why : dr_json_text(exit, "reason");

    if (!error && !nothing)
        return false;
    dr_paper_line(paper, 0, 2);
    if (error)
        dr_paper_say(paper, DR_RED, "openclaw-doctor: ");
    else
        dr_paper_say(paper, DR_RED, "Could not look: ");
    dr_paper_say(paper, DR_PLAIN, reason ? reason : "nothing could be examined");
    dr_paper_end(paper);
    return true;
}

static void say_note(struct dr_view *view)
{
    const char *settled = dr_json_text(cJSON_GetObjectItemCaseSensitive(view->document, "run"), "settled");

    if (!settled)
        return;
    dr_paper_line(&view->paper, 0, 2);
    dr_paper_say(&view->paper, DR_YELLOW, settled);
    dr_paper_end(&view->paper);
}

int dr_report_human(const cJSON *document, const struct dr_human_options *options, struct dr_buffer *text)
{
    struct dr_view view = {
        .document = document,
        .summary = cJSON_GetObjectItemCaseSensitive(document, "summary"),
        .target = cJSON_GetObjectItemCaseSensitive(document, "target"),
        .mode = dr_json_text(cJSON_GetObjectItemCaseSensitive(document, "run"), "mode"),
        .options = options,
    };

    dr_paper_begin(&view.paper, options, text);
    count_repairs(&view);
    if (say_failure(&view)) {
        dr_view_unknowns(&view);
        if (!options->quiet)
            dr_view_next(&view);
        return view.paper.status;
    }
    if (options->quiet && dr_json_true(document, "ok") &&
        cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "repairs")) == 0)
        return 0;
    say_verdict(&view);
    if (!options->quiet)
        say_target(&view);
    say_note(&view);
    dr_view_findings(&view);
    if (options->show_plan)
        dr_view_plan(&view);
    dr_view_repairs(&view);
    dr_view_unknowns(&view);
    if (options->verbose && !options->quiet) {
        dr_view_passed(&view);
        dr_view_probes(&view);
    }
    if (!options->quiet)
        dr_view_next(&view);
    return view.paper.status;
}
