#include "report/human.h"

#include <string.h>

enum { MOST_UNKNOWNS = 20 };

/* One reason at one place is one line, however many checks stumbled over it. */
static bool was_said(const cJSON *first, const cJSON *unknown)
{
    const char *reason = dr_json_text(unknown, "reason");
    const char *path = dr_json_text(unknown, "path");

    for (const cJSON *other = first; other && other != unknown; other = other->next) {
        const char *other_reason = dr_json_text(other, "reason");
        const char *other_path = dr_json_text(other, "path");

        if (reason && other_reason && strcmp(reason, other_reason) == 0 &&
            strcmp(path ? path : "", other_path ? other_path : "") == 0)
            return true;
    }
    return false;
}

/* A reason may begin with the short name of the file ("openclaw.json:8:3: ..."): then only the folder stands before it. */
static size_t folder_before(const char *path, const char *reason)
{
    for (const char *slash = strrchr(path, '/'); slash;
         slash = slash > path ? memrchr(path, '/', (size_t)(slash - path)) : NULL) {
        size_t length = strlen(slash + 1);

        if (length > 0 && strncmp(reason, slash + 1, length) == 0 && reason[length] == ':')
            return (size_t)(slash + 1 - path);
    }
    return 0;
}

static void say_place(struct dr_view *view, const cJSON *json, const char *reason)
{
    const char *path = dr_json_text(json, "path");
    size_t folder = path && reason ? folder_before(path, reason) : 0;

    if (!path || (reason && strstr(reason, path)))
        return;
    if (folder > 0) {
        dr_paper_sayf(&view->paper, DR_PLAIN, "%.*s", (int)folder, path);
        return;
    }
    (void)dr_view_place(view, json, NULL);
    dr_paper_say(&view->paper, DR_PLAIN, ": ");
}

static void say_unknown(struct dr_view *view, const cJSON *json, const char *what)
{
    struct dr_paper *paper = &view->paper;
    const char *reason = dr_json_text(json, "reason");

    dr_paper_line(paper, 0, 2);
    dr_paper_sign(paper, DR_SIGN_UNKNOWN);
    dr_paper_say(paper, DR_PLAIN, "Could not tell: ");
    if (what)
        dr_paper_sayf(paper, DR_PLAIN, "\"%s\": ", what);
    say_place(view, json, reason);
    dr_paper_say(paper, DR_PLAIN, reason ? reason : "no reason given");
    dr_paper_end(paper);
}

static bool has_unknown(const cJSON *unknowns, const char *check)
{
    const cJSON *unknown;

    cJSON_ArrayForEach (unknown, unknowns) {
        const char *id = dr_json_text(unknown, "check");

        if (id && check && strcmp(id, check) == 0)
            return true;
    }
    return false;
}

/* A check that ended with an error or ran out of time, or that could not tell without saying more. */
static bool is_unanswered(const cJSON *check, const cJSON *unknowns)
{
    const char *status = dr_json_text(check, "status");

    if (!status)
        return false;
    if (strcmp(status, "error") == 0 || strcmp(status, "timeout") == 0)
        return true;
    return strcmp(status, "unknown") == 0 && !has_unknown(unknowns, dr_json_text(check, "id"));
}

static void say_more(struct dr_view *view)
{
    dr_paper_line(&view->paper, 0, 2);
    dr_paper_say(&view->paper, DR_PLAIN, "More questions got no answer; `--verbose` shows them all.");
    dr_paper_end(&view->paper);
}

unsigned dr_view_unanswered(const struct dr_view *view)
{
    const cJSON *unknowns = cJSON_GetObjectItemCaseSensitive(view->document, "unknowns");
    const cJSON *first = unknowns ? unknowns->child : NULL;
    const cJSON *item;
    unsigned count = 0;

    cJSON_ArrayForEach (item, unknowns) {
        if (count < MOST_UNKNOWNS ? !was_said(first, item) : true)
            count++;
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(view->document, "checks")) {
        if (is_unanswered(item, unknowns))
            count++;
    }
    return count;
}

void dr_view_unknowns(struct dr_view *view)
{
    const cJSON *unknowns = cJSON_GetObjectItemCaseSensitive(view->document, "unknowns");
    const cJSON *first = unknowns ? unknowns->child : NULL;
    const cJSON *item;
    unsigned said = 0;

    cJSON_ArrayForEach (item, unknowns) {
        if (said >= MOST_UNKNOWNS && !view->options->verbose) {
            say_more(view);
            break;
        }
        if (was_said(first, item))
            continue;
        if (said++ == 0)
            dr_paper_empty(&view->paper);
        say_unknown(view, item, NULL);
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(view->document, "checks")) {
        if (!is_unanswered(item, unknowns))
            continue;
        if (said++ == 0)
            dr_paper_empty(&view->paper);
        say_unknown(view, item, dr_json_text(item, "title"));
    }
}

void dr_view_passed(struct dr_view *view)
{
    const cJSON *check;
    unsigned left_out = 0;
    bool first = true;

    cJSON_ArrayForEach (check, cJSON_GetObjectItemCaseSensitive(view->document, "checks")) {
        const char *status = dr_json_text(check, "status");
        const char *title = dr_json_text(check, "title");
        const char *reason = dr_json_text(check, "reason");
        bool passed = status && strcmp(status, "pass") == 0;
        bool aside = status && (strcmp(status, "not_applicable") == 0 || strcmp(status, "skipped") == 0);

        if (!passed && !aside)
            continue;
        if (reason && strcmp(reason, "not selected") == 0) {
            left_out++;
            continue;
        }
        if (first)
            dr_paper_empty(&view->paper);
        first = false;
        dr_paper_line(&view->paper, 0, 2);
        dr_paper_sign(&view->paper, passed ? DR_SIGN_GOOD : DR_SIGN_BULLET);
        dr_paper_say(&view->paper, DR_PLAIN, title ? title : "");
        if (aside)
            dr_paper_sayf(&view->paper, DR_DIM, " (%s%s%s)", status[0] == 's' ? "skipped" : "does not apply",
                          reason ? ": " : "", reason ? reason : "");
        dr_paper_sayf(&view->paper, DR_DIM, " [%s]", dr_json_text(check, "id") ? dr_json_text(check, "id") : "?");
        dr_paper_end(&view->paper);
    }
    if (left_out == 0)
        return;
    dr_paper_line(&view->paper, 0, 2);
    dr_paper_sign(&view->paper, DR_SIGN_BULLET);
    dr_paper_sayf(&view->paper, DR_DIM, "%u check%s not selected", left_out, left_out == 1 ? " was" : "s were");
    dr_paper_end(&view->paper);
}
