/* `list`: every check with its problems, every fixer. */
#include "api/check.h"
#include "api/fixer.h"
#include "api/registry.h"
#include "report/maker.h"
#include "report/paper.h"

#include <string.h>

static void add_problem(struct dr_maker *maker, cJSON *problems, const struct dr_check *check,
                        const struct dr_problem *problem)
{
    cJSON *object = dr_maker_keep(maker, cJSON_CreateObject());
    _cleanup_buffer_ struct dr_buffer id = DR_BUFFER(4096);
    cJSON *follows;

    if (dr_buffer_appendf(&id, "%s/%s", check->id, problem->code) < 0)
        maker->failed = true;
    dr_maker_text(maker, object, "checkId", dr_buffer_text(&id));
    dr_maker_text(maker, object, "code", problem->code);
    dr_maker_text(maker, object, "severity", dr_severity_name(problem->severity));
    dr_maker_text(maker, object, "confidence", dr_confidence_name(problem->confidence));
    dr_maker_text(maker, object, "safety", dr_safety_name(problem->safety));
    dr_maker_text(maker, object, "fixer", problem->fixer);
    dr_maker_text(maker, object, "why", problem->why);
    dr_maker_text(maker, object, "message", problem->message);
    dr_maker_text(maker, object, "advice", problem->advice);
    follows = dr_maker_array(maker, object, "follows");
    for (const struct dr_cause *cause = problem->follows; cause && cause->code; cause++)
        dr_maker_append(maker, follows, cJSON_CreateString(cause->code));
    dr_maker_append(maker, problems, object);
}

static void add_check(struct dr_maker *maker, cJSON *checks, const struct dr_check *check)
{
    cJSON *object = dr_maker_keep(maker, cJSON_CreateObject());
    cJSON *tags, *problems;

    dr_maker_text(maker, object, "id", check->id);
    dr_maker_text(maker, object, "title", check->title);
    tags = dr_maker_array(maker, object, "tags");
    for (const char *const *tag = check->tags; tag && *tag; tag++)
        dr_maker_append(maker, tags, cJSON_CreateString(*tag));
    problems = dr_maker_array(maker, object, "problems");
    for (size_t i = 0; i < check->problem_count; i++)
        add_problem(maker, problems, check, &check->problems[i]);
    dr_maker_append(maker, checks, object);
}

static int list_json(struct dr_buffer *text)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    struct dr_maker maker = { .failed = !document };
    cJSON *checks, *fixers;

    dr_maker_text(&maker, document, "formatVersion", DR_REPORT_FORMAT);
    checks = dr_maker_array(&maker, document, "checks");
    for (size_t i = 0; dr_check_table[i]; i++)
        add_check(&maker, checks, dr_check_table[i]);
    fixers = dr_maker_array(&maker, document, "fixers");
    for (size_t i = 0; dr_fixer_table[i]; i++) {
        cJSON *object = dr_maker_keep(&maker, cJSON_CreateObject());

        dr_maker_text(&maker, object, "id", dr_fixer_table[i]->id);
        dr_maker_text(&maker, object, "title", dr_fixer_table[i]->title);
        dr_maker_append(&maker, fixers, object);
    }
    return maker.failed ? -ENOMEM : dr_report_json(document, text);
}

static void say_problem(struct dr_paper *paper, const struct dr_problem *problem, unsigned column)
{
    static const char *const repairs[] = { "by hand", "repair with your consent", "safe repair" };
    static const enum dr_ink inks[] = { DR_PLAIN, DR_YELLOW, DR_RED };
    unsigned safety = problem->fixer ? problem->safety : DR_MANUAL;

    dr_paper_line(paper, 4, 8);
    dr_paper_solid(paper, DR_PLAIN, problem->code);
    dr_paper_pad(paper, 4 + column + 2);
    dr_paper_say(paper, inks[problem->severity], dr_severity_name(problem->severity));
    dr_paper_sayf(paper, DR_PLAIN, ", %s", repairs[safety]);
    if (problem->fixer)
        dr_paper_sayf(paper, DR_DIM, " (%s)", problem->fixer);
    dr_paper_end(paper);
}

static unsigned widest_code(const struct dr_check *check)
{
    size_t widest = 0;

    for (size_t i = 0; i < check->problem_count; i++) {
        size_t length = strlen(check->problems[i].code);

        widest = length > widest ? length : widest;
    }
    return widest > 40 ? 40 : (unsigned)widest;
}

static int list_human(const struct dr_human_options *options, struct dr_buffer *text)
{
    const char *program = options->program ? options->program : "openclaw-doctor";
    struct dr_paper paper;

    dr_paper_begin(&paper, options, text);
    for (size_t i = 0; dr_check_table[i]; i++) {
        const struct dr_check *check = dr_check_table[i];

        dr_paper_line(&paper, 0, 2);
        dr_paper_solid(&paper, DR_BOLD, check->id);
        dr_paper_sayf(&paper, DR_PLAIN, ": %s", check->title);
        if (check->tags && check->tags[0])
            dr_paper_say(&paper, DR_DIM, " [");
        for (const char *const *tag = check->tags; tag && *tag; tag++)
            dr_paper_sayf(&paper, DR_DIM, "%s%s", tag == check->tags ? "" : ", ", *tag);
        if (check->tags && check->tags[0])
            dr_paper_say(&paper, DR_DIM, "]");
        dr_paper_end(&paper);
        for (size_t j = 0; j < check->problem_count; j++)
            say_problem(&paper, &check->problems[j], widest_code(check));
    }
    dr_paper_empty(&paper);
    dr_paper_line(&paper, 0, 2);
    dr_paper_sayf(&paper, DR_DIM, "`%s explain ID` says more, for a check, a problem (ID/CODE) or a message of OpenClaw.",
                  program);
    dr_paper_end(&paper);
    return paper.status;
}

int dr_report_list(bool json, const struct dr_human_options *options, struct dr_buffer *text)
{
    return json ? list_json(text) : list_human(options, text);
}
