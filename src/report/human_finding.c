#include "report/human.h"

#include <string.h>

/* Beyond these a list helps nobody; --verbose and --json have all. */
enum { MOST_ROOTS = 20, MOST_CONSEQUENCES = 5, MOST_EVIDENCE = 6, MOST_NAME = 64, MOST_HINTS = 4 };

static enum dr_sign sign_of(const cJSON *finding)
{
    const char *severity = dr_json_text(finding, "severity");

    if (severity && strcmp(severity, "warning") == 0)
        return DR_SIGN_WARNING;
    return severity && strcmp(severity, "info") == 0 ? DR_SIGN_NOTE : DR_SIGN_ERROR;
}

static void say_headline(struct dr_view *view, const cJSON *finding)
{
    const char *confidence = dr_json_text(finding, "confidence");
    const char *message = dr_json_text(finding, "message");
    const char *id = dr_json_text(finding, "checkId");
    struct dr_paper *paper = &view->paper;

    dr_paper_empty(paper);
    dr_paper_line(paper, 0, 2);
    dr_paper_sign(paper, sign_of(finding));
    dr_paper_say(paper, DR_BOLD, message ? message : id ? id : "?");
    if (confidence && strcmp(confidence, "certain") != 0)
        dr_paper_sayf(paper, DR_DIM, " (%s)", confidence);
    if (id && !view->options->quiet)
        dr_paper_sayf(paper, DR_DIM, " [%s]", id);
    dr_paper_end(paper);
}

static void say_where(struct dr_view *view, const cJSON *finding)
{
    const char *path = dr_json_text(finding, "path");
    const char *message = dr_json_text(finding, "message");
    bool said = path && message && strstr(message, path) && dr_json_number(finding, "line", 0) < 1;

    if (!path || (said && !dr_json_text(finding, "target")))
        return;
    dr_view_label(view, "Where");
    (void)dr_view_place(view, finding, dr_json_text(finding, "target"));
    dr_paper_end(&view->paper);
}

/* "found_mode" and "foundMode" are names for programs. `words` has room for MOST_NAME bytes. */
static void spell(const char *name, char *words)
{
    size_t used = 0;

    for (; *name && used + 2 < MOST_NAME; name++) {
        if (*name >= 'A' && *name <= 'Z' && used > 0) {
            words[used++] = ' ';
            words[used++] = (char)(*name - 'A' + 'a');
        } else {
            words[used++] = *name == '_' || *name == '-' ? ' ' : *name;
        }
    }
    words[used] = '\0';
}

/* What the sentences already say is not said again. */
static bool is_news(const struct dr_view *view, const cJSON *finding, const cJSON *evidence)
{
    const char *value = dr_json_text(evidence, "value");
    const char *message = dr_json_text(finding, "message");
    const char *path = dr_json_text(finding, "path");
    const char *hint = dr_json_text(finding, "fixHint");

    if (!value || value[0] == '\0')
        return false;
    if (view->options->verbose)
        return true;
    return !(message && strstr(message, value)) && !(hint && strstr(hint, value)) && !(path && strcmp(path, value) == 0);
}

static void say_value(struct dr_view *view, const cJSON *evidence, bool last)
{
    const char *name = dr_json_text(evidence, "name");
    char words[MOST_NAME];

    spell(name ? name : "value", words);
    dr_paper_sayf(&view->paper, DR_PLAIN, "%s: %s%s", words, dr_json_text(evidence, "value"), last ? "" : "; ");
}

static void say_evidence(struct dr_view *view, const cJSON *finding)
{
    const cJSON *due = NULL; /* said when it is known whether another follows */
    const cJSON *evidence;
    unsigned said = 0;

    cJSON_ArrayForEach (evidence, cJSON_GetObjectItemCaseSensitive(finding, "evidence")) {
        if (!is_news(view, finding, evidence))
            continue;
        if (said >= MOST_EVIDENCE && !view->options->verbose)
            break;
        if (said++ == 0)
            dr_view_label(view, "Seen");
        else
            say_value(view, due, false);
        due = evidence;
    }
    if (!due)
        return;
    say_value(view, due, true);
    dr_paper_end(&view->paper);
}

/* "sudo openclaw-doctor --fix": the line above said it already, and the end of the report says it again. */
static bool is_our_fix(const char *hint)
{
    hint += strspn(hint, "`");
    if (strncmp(hint, "sudo ", 5) == 0)
        hint += 5;
    return strncmp(hint, "openclaw-doctor", 15) == 0 && strstr(hint, "--fix");
}

/* Where a command begins that goes on to the end: "Set one: openclaw config set ...". NULL when there is none. */
static const char *command_at_end(const char *hint)
{
    static const char *const starters[] = { "openclaw ", "openclaw-doctor ", "sudo ",  "systemctl ",
                                            "docker ",   "chmod ",           "chown ", "mv " };
    const char *found = NULL;

    for (const char *at = strstr(hint, ": "); at; at = strstr(at + 2, ": "))
        for (size_t i = 0; i < DR_COUNT(starters); i++)
            if (strncmp(at + 2, starters[i], strlen(starters[i])) == 0)
                found = at + 2;
    return found && !strstr(found, ", ") && !strstr(found, ". ") && !strchr(found, '`') ? found : NULL;
}

/* A command that would be wrapped gets a line of its own instead, so that it can be copied. */
static void say_hint(struct dr_view *view, const char *hint)
{
    struct dr_paper *paper = &view->paper;
    const char *command = command_at_end(hint);
    bool fits = paper->column + dr_text_columns(hint, strlen(hint)) <= paper->width;

    if (!command || fits) {
        dr_paper_say(paper, DR_PLAIN, hint);
    } else {
        dr_paper_sayf(paper, DR_PLAIN, "%.*s", (int)(command - hint), hint);
        dr_paper_end(paper);
        dr_paper_line(paper, paper->hang, paper->hang);
        dr_paper_solid(paper, DR_CYAN, command);
    }
    dr_paper_end(paper);
}

static void say_repair(struct dr_view *view, const cJSON *finding)
{
    const cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");
    const char *class = dr_json_text(fix, "applicability");
    const char *title = dr_json_text(fix, "title");
    const char *refused = dr_json_text(fix, "refused");
    const char *why = dr_json_text(fix, "why");
    const char *hint = dr_json_text(finding, "fixHint");
    bool manual = !class || strcmp(class, "manual") == 0 || refused;
    struct dr_paper *paper = &view->paper;

    if (!manual) {
        bool safe = strcmp(class, "safe") == 0;

        dr_view_label(view, "Repair");
        dr_paper_say(paper, safe ? DR_GREEN : DR_YELLOW, safe ? "safe" : "needs your consent");
        if (!safe && why)
            dr_paper_sayf(paper, DR_PLAIN, " (%s)", why);
        dr_paper_sayf(paper, DR_PLAIN, ": %s", title ? title : "`--fix` knows how");
        dr_paper_end(paper);
    } else if (refused || why) {
        dr_view_label(view, "Repair");
        dr_paper_sayf(paper, DR_PLAIN, "%s: %s", dr_view_is_for_root(finding) ? "not by this user" : "not offered here",
                      refused ? refused : why);
        dr_paper_end(paper);
    }
    if (!hint || (!manual && is_our_fix(hint)))
        return;
    dr_view_label(view, manual ? "Next" : "Or");
    say_hint(view, hint);
}

/* Says what follows from `root`; returns the next root or NULL. */
static const cJSON *say_consequences(struct dr_view *view, const cJSON *root)
{
    struct dr_paper *paper = &view->paper;
    const cJSON *finding = root->next;
    unsigned count = 0;

    for (; finding && cJSON_HasObjectItem(finding, "causedBy"); finding = finding->next) {
        const char *message = dr_json_text(finding, "message");

        count++;
        if (count > MOST_CONSEQUENCES && !view->options->verbose)
            continue;
        dr_view_label(view, count == 1 ? "Leads to" : "and to");
        dr_paper_say(paper, DR_PLAIN, message ? message : "");
        dr_paper_end(paper);
    }
    if (count > MOST_CONSEQUENCES && !view->options->verbose) {
        dr_view_label(view, "and to");
        dr_paper_sayf(paper, DR_PLAIN, "%u more; `--verbose` shows them", count - MOST_CONSEQUENCES);
        dr_paper_end(paper);
    }
    return finding;
}

/* Which they are: where nothing else was found, the cause is most likely one of them. */
static void name_hints(struct dr_view *view, const cJSON *below)
{
    const char *before = "";
    unsigned named = 0;
    const cJSON *finding;

    cJSON_ArrayForEach (finding, below) {
        const char *id = dr_json_text(finding, "checkId");

        if (!id || strcmp(id, before) == 0)
            continue;
        if (named == MOST_HINTS) {
            dr_paper_say(&view->paper, DR_DIM, ", ...");
            return;
        }
        if (named > 0)
            dr_paper_say(&view->paper, DR_DIM, ", ");
        dr_paper_solid(&view->paper, DR_DIM, id);
        before = id;
        named++;
    }
}

static void say_hints(struct dr_view *view)
{
    const cJSON *below = cJSON_GetObjectItemCaseSensitive(view->document, "belowThreshold");
    unsigned count = (unsigned)cJSON_GetArraySize(below);
    const cJSON *finding;

    if (count == 0 || view->options->quiet)
        return;
    if (view->options->verbose) {
        cJSON_ArrayForEach (finding, below) {
            say_headline(view, finding);
            say_where(view, finding);
            say_repair(view, finding);
        }
        return;
    }
    dr_paper_empty(&view->paper);
    dr_paper_line(&view->paper, 0, 2);
    dr_paper_sayf(&view->paper, DR_DIM, "%u hint%s below the threshold; `--verbose` shows %s: ", count,
                  count == 1 ? "" : "s", count == 1 ? "it" : "them");
    name_hints(view, below);
    dr_paper_end(&view->paper);
}

void dr_view_findings(struct dr_view *view)
{
    const cJSON *findings = cJSON_GetObjectItemCaseSensitive(view->document, "findings");
    const cJSON *finding = findings ? findings->child : NULL;
    unsigned roots = dr_view_count(view, NULL, "problems");
    unsigned said = 0;

    while (finding && (said < MOST_ROOTS || view->options->verbose)) {
        said++;
        say_headline(view, finding);
        say_where(view, finding);
        if (!view->options->quiet)
            say_evidence(view, finding);
        const cJSON *root = finding;

        finding = say_consequences(view, root);
        say_repair(view, root);
    }
    if (finding && roots > said) {
        dr_paper_empty(&view->paper);
        dr_paper_line(&view->paper, 0, 2);
        dr_paper_sayf(&view->paper, DR_BOLD, "%u more problems; `--verbose` shows them all.", roots - said);
        dr_paper_end(&view->paper);
    }
    say_hints(view);
}
