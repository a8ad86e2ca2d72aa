/* `explain`: a check, one of its problems, a fixer, or something that OpenClaw said. */
#include "api/check.h"
#include "api/fixer.h"
#include "api/registry.h"
#include "report/explain_messages.h"
#include "report/markdown.h"

#include <string.h>

enum { LABEL = 10, MOST_ROWS = 4, MOST_TEXT = 1 << 16 };

static const struct dr_check *find_check(const char *id, size_t length)
{
    for (size_t i = 0; dr_check_table[i]; i++)
        if (strlen(dr_check_table[i]->id) == length && strncmp(dr_check_table[i]->id, id, length) == 0)
            return dr_check_table[i];
    return NULL;
}

static const struct dr_fixer *find_fixer(const char *id)
{
    for (size_t i = 0; id && dr_fixer_table[i]; i++)
        if (strcmp(dr_fixer_table[i]->id, id) == 0)
            return dr_fixer_table[i];
    return NULL;
}

static const struct dr_problem *find_problem(const struct dr_check *check, const char *code)
{
    for (size_t i = 0; i < check->problem_count; i++)
        if (strcmp(check->problems[i].code, code) == 0)
            return &check->problems[i];
    return NULL;
}

static const char *find_text(const char *id)
{
    for (size_t i = 0; dr_text_table[i].id; i++)
        if (strcmp(dr_text_table[i].id, id) == 0)
            return dr_text_table[i].text;
    return "";
}

static const char *program_of(const struct dr_paper *paper)
{
    return paper->options->program ? paper->options->program : "openclaw-doctor";
}

static void label(struct dr_paper *paper, const char *text)
{
    bool wide = paper->width >= 60;

    dr_paper_line(paper, 0, wide ? LABEL : 2);
    dr_paper_sayf(paper, DR_DIM, "%s:", text);
    if (wide)
        dr_paper_pad(paper, LABEL);
    else
        dr_paper_say(paper, DR_PLAIN, " ");
}

static void row(struct dr_paper *paper, const char *name, const char *text)
{
    label(paper, name);
    dr_paper_say(paper, DR_PLAIN, text);
    dr_paper_end(paper);
}

static void title(struct dr_paper *paper, const char *text)
{
    dr_paper_line(paper, 0, 0);
    dr_paper_say(paper, DR_BOLD, text);
    dr_paper_end(paper);
}

static void say_repair(struct dr_paper *paper, const struct dr_problem *problem)
{
    const struct dr_fixer *fixer = find_fixer(problem->fixer);

    label(paper, "Repair");
    if (!fixer || problem->safety == DR_MANUAL) {
        dr_paper_say(paper, DR_PLAIN, "by hand");
    } else {
        dr_paper_say(paper, problem->safety == DR_SAFE ? DR_GREEN : DR_YELLOW,
                     problem->safety == DR_SAFE ? "safe" : "needs your consent");
        if (problem->why)
            dr_paper_sayf(paper, DR_PLAIN, " (%s)", problem->why);
        dr_paper_sayf(paper, DR_PLAIN, ": %s", fixer->title);
        dr_paper_sayf(paper, DR_DIM, " [%s]", fixer->id);
    }
    dr_paper_end(paper);
}

static void say_follows(struct dr_paper *paper, const struct dr_problem *problem)
{
    if (!problem->follows || !problem->follows->code)
        return;
    label(paper, "Cause");
    dr_paper_say(paper, DR_PLAIN, "follows from");
    for (const struct dr_cause *cause = problem->follows; cause->code; cause++)
        dr_paper_sayf(paper, DR_PLAIN, "%s %s", cause == problem->follows ? "" : ",", cause->code);
    dr_paper_say(paper, DR_PLAIN, " where that is found");
    dr_paper_end(paper);
}

/* "{found_mode}" stands for what is found; a reader sees <found mode>. */
static void say_template(struct dr_paper *paper, const char *text)
{
    _cleanup_buffer_ struct dr_buffer shown = DR_BUFFER(MOST_TEXT);
    int r = 0;

    for (; r == 0 && *text; text++)
        r = dr_buffer_append_byte(&shown, *text == '{' ? '<' : *text == '}' ? '>' : *text);
    if (r < 0 && paper->status == 0)
        paper->status = r;
    dr_paper_say(paper, DR_PLAIN, dr_buffer_text(&shown));
}

static void explain_problem(struct dr_paper *paper, const struct dr_check *check, const struct dr_problem *problem)
{
    const char *text = find_text(check->id);
    const char *start;
    size_t length;

    dr_paper_line(paper, 0, 0);
    dr_paper_sayf(paper, DR_BOLD, "%s/%s", check->id, problem->code);
    dr_paper_sayf(paper, problem->severity == DR_ERROR ? DR_RED : DR_YELLOW, " %s", dr_severity_name(problem->severity));
    dr_paper_end(paper);
    dr_paper_empty(paper);
    label(paper, "Says");
    say_template(paper, problem->message);
    dr_paper_end(paper);
    if (problem->advice) {
        label(paper, "Next");
        say_template(paper, problem->advice);
        dr_paper_end(paper);
    }
    say_repair(paper, problem);
    say_follows(paper, problem);
    dr_paper_empty(paper);
    if (dr_markdown_section(text, problem->code, &start, &length)) {
        const char *body = memchr(start, '\n', length); /* its heading stands above already */

        if (body)
            dr_markdown(paper, body + 1, length - (size_t)(body + 1 - start));
    } else {
        dr_markdown(paper, text, strlen(text));
    }
}

static void say_try(struct dr_paper *paper, const char *words, const char *id)
{
    dr_paper_empty(paper);
    dr_paper_line(paper, 0, 2);
    dr_paper_say(paper, DR_PLAIN, "Try: ");
    dr_paper_sayf(paper, DR_PLAIN, "`%s %s%s`", program_of(paper), words, id);
    dr_paper_end(paper);
}

static void explain_check(struct dr_paper *paper, const struct dr_check *check)
{
    const char *text = find_text(check->id);

    dr_markdown(paper, text, strlen(text));
    say_try(paper, "--only ", check->id);
}

static void explain_fixer(struct dr_paper *paper, const struct dr_fixer *fixer)
{
    const char *text = find_text(fixer->id);
    bool first = true;

    dr_markdown(paper, text, strlen(text));
    dr_paper_empty(paper);
    for (size_t i = 0; dr_check_table[i]; i++)
        for (size_t j = 0; j < dr_check_table[i]->problem_count; j++) {
            const struct dr_problem *problem = &dr_check_table[i]->problems[j];

            if (!problem->fixer || strcmp(problem->fixer, fixer->id) != 0)
                continue;
            if (first)
                label(paper, "Repairs");
            dr_paper_sayf(paper, DR_PLAIN, "%s%s/%s", first ? "" : ", ", dr_check_table[i]->id, problem->code);
            first = false;
        }
    dr_paper_end(paper);
}

/* Puts in how the user calls us. */
static void say_next(struct dr_paper *paper, const char *text)
{
    static const char mark[] = "{doctor}";
    _cleanup_buffer_ struct dr_buffer shown = DR_BUFFER(MOST_TEXT);
    int r = 0;

    while (r == 0 && *text) {
        const char *next = strstr(text, mark);
        size_t length = next ? (size_t)(next - text) : strlen(text);

        r = dr_buffer_append(&shown, text, length);
        text += length;
        if (r == 0 && next) {
            r = dr_buffer_append_text(&shown, program_of(paper));
            text += sizeof(mark) - 1;
        }
    }
    if (r < 0 && paper->status == 0)
        paper->status = r;
    row(paper, "Next", dr_buffer_text(&shown));
}

static void explain_message(struct dr_paper *paper, const struct dr_message *message)
{
    title(paper, message->keys[0]);
    row(paper, "Means", message->means);
    say_next(paper, message->next);
    for (size_t i = 0; i < DR_MOST_CHECKS && message->checks[i]; i++) {
        const struct dr_check *check = find_check(message->checks[i], strlen(message->checks[i]));

        if (!check)
            continue;
        label(paper, i == 0 ? "Check" : "and");
        dr_paper_sayf(paper, DR_PLAIN, "%s (%s)", check->id, check->title);
        dr_paper_end(paper);
    }
    label(paper, "Source");
    dr_paper_say(paper, DR_DIM, message->source);
    dr_paper_end(paper);
}

static int explain_words(struct dr_paper *paper, const char *query)
{
    const struct dr_message *rows[MOST_ROWS];
    int count = dr_message_find(query, rows, MOST_ROWS);

    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    explain_message(paper, rows[0]);
    if (count > 1)
        dr_paper_empty(paper);
    for (int i = 1; i < count; i++) {
        label(paper, i == 1 ? "See also" : "and");
        dr_paper_sayf(paper, DR_PLAIN, "`%s explain \"%s\"`", program_of(paper), rows[i]->keys[0]);
        dr_paper_end(paper);
    }
    return paper->status;
}

int dr_report_explain(const char *query, const struct dr_human_options *options, struct dr_buffer *text)
{
    size_t id = strcspn(query, "/");
    const struct dr_check *check = find_check(query, id);
    const struct dr_problem *problem = check && query[id] == '/' ? find_problem(check, query + id + 1) : NULL;
    const struct dr_fixer *fixer = find_fixer(query);
    struct dr_paper paper;

    dr_paper_begin(&paper, options, text);
    if (problem)
        explain_problem(&paper, check, problem);
    else if (check && query[id] == '\0')
        explain_check(&paper, check);
    else if (check)
        return -ENOENT; /* a check's name with a code that it has not */
    else if (fixer)
        explain_fixer(&paper, fixer);
    else
        return explain_words(&paper, query);
    return paper.status;
}
