#include "engine/worker.h"

#include "api/fixer.h"
#include "api/registry.h"
#include "api/target.h"
#include "api/tree.h"
#include "base/text.h"
#include "engine/emit.h"
#include "engine/sandbox.h"
#include "engine/select.h"
#include "facts/clock.h"
#include "facts/live.h"
#include "facts/proc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { VISITS_BETWEEN_PUMPS = 512, MOST_ARENA = 192 * 1024 * 1024, MOST_MEMORY = 512 * 1024 * 1024 };

/* One check at work. */
struct run {
    const struct dr_check *check;
    int index;
    void *state;
    struct dr_findings findings;
};

struct look {
    const struct dr_worker *worker;
    struct dr_context *context;
    struct dr_emitter emitter;
    struct run *runs;
    size_t count;
    int walk; /* result of the shared walk */
    size_t visited; /* entries of it */
};

int64_t dr_monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double monotonic_exact_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

static void at_work(struct dr_progress *progress, enum dr_stage stage, int check)
{
    atomic_store(&progress->check, check);
    atomic_store(&progress->since_ms, dr_monotonic_ms());
    atomic_store(&progress->stage, stage);
}

static void out_of_memory(void)
{
    _exit(DR_EXIT_OUT_OF_MEMORY);
}

static void visit_all(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct look *look = state;

    if (++look->visited % VISITS_BETWEEN_PUMPS == 0)
        dr_live_pump(context);

    for (size_t i = 0; i < look->count; i++) {
        struct run *run = &look->runs[i];

        if (!run->check->visit)
            continue;
        atomic_store(&look->worker->progress->check, run->index);
        run->check->visit(context, entry, run->state);
        atomic_store(&look->worker->progress->check, -1);
    }
}

static bool anybody_visits(const struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        if (look->runs[i].check->visit)
            return true;
    return false;
}

/* Nobody is asked for the time in vain. */
static bool anybody_wants_clocks(const struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        for (const char *const *tag = look->runs[i].check->tags; *tag; tag++)
            if (strcmp(*tag, "clock") == 0)
                return true;
    return false;
}

static const char *status_of(const struct run *run, int result, const char **ret_reason)
{
    const struct dr_findings *findings = &run->findings;

    *ret_reason = NULL;
    if (result == 1 && findings->not_applicable) {
        *ret_reason = findings->not_applicable;
        return "not_applicable";
    }
    if (result < 0)
        *ret_reason = findings->unknowns ? findings->unknowns->reason : dr_errno_text(result);
    else if (findings->unknowns)
        *ret_reason = findings->unknowns->reason;
    if (findings->first)
        return "finding";
    return *ret_reason ? "unknown" : "pass";
}

static void run_check(struct look *look, struct run *run)
{
    const struct dr_selection *selection = &look->worker->options->selection;
    double start = monotonic_exact_ms();
    const char *reason;

    at_work(look->worker->progress, DR_STAGE_CHECK, run->index);

    int result =
        run->check->visit && look->walk < 0 ? look->walk : run->check->run(look->context, run->state, &run->findings);

    if (run->check->visit && look->walk < 0)
        dr_could_not_tell(&run->findings, &(struct dr_source){ .path = dr_target(look->context)->state_dir },
                          "the files could not be walked: %s", dr_errno_text(look->walk));
    else if (result < 0 && !run->findings.unknowns)
        dr_could_not_tell(&run->findings, NULL, "%s", dr_errno_text(result));
    if (run->findings.overflow)
        dr_could_not_tell(&run->findings, NULL, "more than %d findings; the first are shown", DR_MOST_FINDINGS);
    dr_findings_seal(&run->findings);
    for (const struct dr_finding *finding = run->findings.first; finding; finding = finding->next)
        if (dr_selection_takes_problem(selection, run->check, finding->problem->code))
            dr_emit_finding(&look->emitter, finding);
    for (const struct dr_unknown *unknown = run->findings.unknowns; unknown; unknown = unknown->next)
        dr_emit_unknown(&look->emitter, run->check, unknown);

    const char *status = status_of(run, result, &reason);

    dr_emit_check(&look->emitter, run->check, status, reason, monotonic_exact_ms() - start);
}

/* Those that ask the probes come last: the probes work meanwhile. */
static void run_checks(struct look *look, bool live)
{
    for (size_t i = 0; i < look->count; i++) {
        if (look->runs[i].check->live != live)
            continue;
        run_check(look, &look->runs[i]);
        dr_live_pump(look->context);
    }
}

static bool anybody_asks_live(const struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        if (look->runs[i].check->live)
            return true;
    return false;
}

static bool is_listed(const char *const *list, const char *text)
{
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static size_t plan_finding(struct look *look, const struct run *run, const struct dr_finding *finding, size_t taken)
{
    struct dr_plan plan;

    dr_plan_init(&plan, look->context, finding, taken);
    (void)snprintf(look->worker->progress->finding, sizeof(look->worker->progress->finding), "%s", finding->fingerprint);
    at_work(look->worker->progress, DR_STAGE_FIX, run->index);
    for (const struct dr_fixer *const *fixer = dr_fixer_table; *fixer; fixer++) {
        if (strcmp((*fixer)->id, finding->problem->fixer) != 0)
            continue;
        if (is_listed(look->worker->skip_fix, finding->fingerprint)) {
            dr_plan_refuse(&plan, "the repair could not be planned: %s stopped working", (*fixer)->id);
            break;
        }
        int r = (*fixer)->plan(look->context, finding, &plan);

        if (r < 0 && !plan.refused)
            dr_plan_refuse(&plan, "the repair could not be planned: %s", dr_errno_text(r));
        else if (plan.count == 0 && !plan.refused)
            dr_plan_refuse(&plan, "nothing is left to change");
    }
    dr_plan_finish(&plan);
    dr_emit_plan(&look->emitter, &plan);
    return plan.count;
}

static void plan_all(struct look *look)
{
    const struct dr_selection *selection = &look->worker->options->selection;
    size_t taken = 0;

    for (size_t i = 0; i < look->count; i++) {
        const struct run *run = &look->runs[i];

        for (const struct dr_finding *finding = run->findings.first; finding; finding = finding->next)
            if (finding->problem->fixer && finding->safety != DR_MANUAL &&
                dr_selection_takes_problem(selection, run->check, finding->problem->code))
                taken += plan_finding(look, run, finding, taken);
    }
}

static void begin_runs(struct look *look)
{
    size_t total = 0;

    while (dr_check_table[total])
        total++;
    look->runs = dr_alloc(look->context, (total + 1) * sizeof(*look->runs));
    for (size_t i = 0; i < total; i++) {
        if (!look->worker->runs[i])
            continue;

        struct run *run = &look->runs[look->count++];

        run->check = dr_check_table[i];
        run->index = (int)i;
        run->state = dr_alloc(look->context, run->check->state_size + 1);
        dr_findings_init(&run->findings, look->context, run->check);
    }
}

void dr_worker_run(const struct dr_worker *worker)
{
    struct dr_arena arena = DR_ARENA(MOST_ARENA);
    struct dr_context context = {
        .arena = &arena, .request = worker->request, .out_of_memory = out_of_memory, .parent = &worker->parent
    };
    struct look look = { .worker = worker, .context = &context, .emitter = { .context = &context, .out = worker->out } };
    struct dr_sandbox sandbox = { 0 };
    struct dr_error error = { 0 };

    at_work(worker->progress, DR_STAGE_START, -1);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    dr_processes_keep(&context);
    if (dr_sandbox_enter(MOST_MEMORY, &sandbox, &error) < 0)
        _exit(DR_EXIT_NO_SANDBOX);
    begin_runs(&look);
    if (dr_target(&context)->fact.state == DR_KNOWN) {
        at_work(worker->progress, DR_STAGE_WALK, -1);
        if (anybody_wants_clocks(&look))
            dr_clock_start(&context);
        if (anybody_asks_live(&look))
            dr_live_start(&context);
        if (anybody_visits(&look))
            look.walk = dr_tree_walk(&context, visit_all, &look);
        run_checks(&look, false);
        if (anybody_asks_live(&look)) {
            at_work(worker->progress, DR_STAGE_LIVE, -1);
            (void)dr_live(&context);
            run_checks(&look, true);
        }
        if (worker->options->want_plan)
            plan_all(&look);
    }
    at_work(worker->progress, DR_STAGE_START, -1);
    dr_emit_target(&look.emitter);
    dr_emit_probes(&look.emitter, dr_live_started(&context));
    dr_emit_time_servers(&look.emitter, dr_clock_started(&context));
    dr_emit_end(&look.emitter);
    at_work(worker->progress, DR_STAGE_END, -1);
    _exit(0);
}
