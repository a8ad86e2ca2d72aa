/* @ID@: what this check asks, and why the answer matters to somebody who cannot connect. */
#include "api/check.h"
#include "api/target.h"

enum { STATE_IS_ROOT };

static const struct dr_problem problems[] = {
    [STATE_IS_ROOT] = {
        .code = "state-is-root",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The state directory is the root folder, {path}.",
        .advice = "Set OPENCLAW_STATE_DIR to a folder of its own.",
    },
};

/* The question itself, apart from looking and reporting: replace it by yours. */
static bool is_root(const char *path)
{
    return path[0] == '/' && path[1] == '\0';
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_target *target = dr_target(context);

    (void)state;
    if (dr_unknown_fact(findings, &target->fact))
        return 0;
    if (target->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there is no state directory");
    if (is_root(target->state_dir))
        (void)dr_report(findings, &problems[STATE_IS_ROOT], &(struct dr_source){ .path = target->state_dir });
    return 0;
}

static const char *const tags[] = { "@AREA@", "offline", NULL };

const struct dr_check @SYMBOL@ = {
    .id = "@ID@",
    .title = "The state directory is a folder of its own",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
