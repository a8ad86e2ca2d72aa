/*
 * The document: one look, one run and what was repaired, as the JSON of docs/report-schema.json.
 *
 * Every other format is a function of it. Keys that OpenClaw's lint report has keep their name and meaning; `requirement` is the
 * problem's code and `target` the pointer into the file, as its own device checks use them.
 */
#include "report/document_finding.h"
#include "report/document_probes.h"
#include "report/exit.h"
#include "report/order.h"
#include "report/report.h"
#include "report/scrub.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Counts of a run; also what the exit status is made from. */
struct tally {
    unsigned problems, consequences, below;
    unsigned by_severity[DR_ERROR + 1];
    unsigned by_safety[DR_SAFE + 1];
    unsigned corrected;
    struct dr_outcome outcome;
};

static const char *const statuses[] = { "pass", "finding", "unknown", "not_applicable", "error", "timeout", "skipped" };

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; text && i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static unsigned count_status(const cJSON *checks, const char *status)
{
    const cJSON *check;
    unsigned count = 0;

    cJSON_ArrayForEach (check, checks) {
        const char *text = dr_json_text(check, "status");

        if (text && strcmp(text, status) == 0)
            count++;
    }
    return count;
}

static double round_ms(double milliseconds)
{
    return floor(milliseconds * 1000 + 0.5) / 1000;
}

static enum dr_safety safety_of(const cJSON *finding)
{
    const cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");
    const char *name = dr_json_text(fix, "applicability");
    enum dr_safety safety = DR_MANUAL;

    if (name && !dr_json_text(fix, "refused"))
        (void)dr_safety_parse(name, &safety);
    return safety;
}

static void count_root(struct tally *tally, const struct dr_ranked *root)
{
    struct dr_outcome *outcome = &tally->outcome;

    tally->problems++;
    tally->by_severity[root->weight]++;
    tally->by_safety[safety_of(root->finding)]++;
    if (outcome->left++ == 0 || root->weight > outcome->worst)
        outcome->worst = root->weight;
}

/* As OpenClaw does: --severity-min filters the list and sets the threshold. What it hides stands in `belowThreshold`. */
static int add_findings(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run,
                        struct tally *tally)
{
    _cleanup_free_ struct dr_ranked *ranked = NULL;
    size_t count = 0;
    int r = dr_findings_order(look->findings, &ranked, &count);

    if (r < 0)
        return r;
    cJSON *shown = dr_maker_array(maker, document, "findings");
    cJSON *below = dr_maker_array(maker, document, "belowThreshold");

    for (size_t i = 0; i < count; i++) {
        bool root = ranked[i].root == &ranked[i];
        bool counts = (root ? ranked[i].weight : ranked[i].severity) >= run->severity_min;

        dr_maker_append(maker, counts ? shown : below,
                        dr_document_finding(maker, ranked[i].finding, root, look->operations));
        if (!counts)
            tally->below++;
        else if (root)
            count_root(tally, &ranked[i]);
        else
            tally->consequences++;
    }
    return 0;
}

static void add_checks(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run)
{
    static const char *const keys[] = { "id", "title", "tags", "status", "reason" };
    cJSON *checks = dr_maker_array(maker, document, "checks");
    const cJSON *from;

    cJSON_ArrayForEach (from, look->checks) {
        cJSON *check = dr_maker_keep(maker, cJSON_CreateObject());

        for (size_t i = 0; i < DR_COUNT(keys); i++)
            dr_maker_copy(maker, check, keys[i], from);
        if (!run->deterministic && cJSON_HasObjectItem(from, "durationMs"))
            dr_maker_number(maker, check, "durationMs", round_ms(dr_json_number(from, "durationMs", 0)));
        dr_maker_append(maker, checks, check);
    }
}

static void add_unknowns(struct dr_maker *maker, cJSON *document, const struct dr_look *look)
{
    static const char *const keys[] = { "check", "path", "line", "column", "reason" };
    cJSON *unknowns = dr_maker_array(maker, document, "unknowns");
    const cJSON *from;

    cJSON_ArrayForEach (from, look->unknowns) {
        cJSON *unknown = dr_maker_keep(maker, cJSON_CreateObject());

        for (size_t i = 0; i < DR_COUNT(keys); i++)
            dr_maker_copy(maker, unknown, keys[i], from);
        dr_maker_append(maker, unknowns, unknown);
    }
}

static void add_target(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run)
{
    cJSON *target = dr_maker_object(maker, document, "target");
    const cJSON *item;

    cJSON_ArrayForEach (item, look->target) {
        if (strcmp(item->string, "type") != 0)
            dr_maker_copy(maker, target, item->string, look->target);
    }
    if (run->deterministic)
        cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(target, "gateway"), "pid");
}

static void add_run(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run)
{
    cJSON *object = dr_maker_object(maker, document, "run");

    if (!run->deterministic) {
        dr_maker_text(maker, object, "id", run->run_id);
        dr_maker_text(maker, object, "startedAt", run->started_at);
        dr_maker_number(maker, object, "durationMs", round_ms(look->duration_ms));
    }
    dr_maker_text(maker, object, "mode", run->mode);
    dr_maker_text(maker, object, "severityMin", dr_severity_name(run->severity_min));
    dr_maker_bool(maker, object, "deadlineHit", look->deadline_hit);
    dr_maker_text(maker, object, "settled", run->settled);
}

static void add_repairs(struct dr_maker *maker, cJSON *document, const struct dr_report_run *run, struct tally *tally)
{
    static const char *const made[] = { "applied", "verified" };
    static const char *const undone[] = { "failed", "rolled-back", "rolled_back" };
    static const char *const stuck[] = { "stuck" };
    cJSON *repairs = dr_maker_array(maker, document, "repairs");
    const cJSON *from;

    cJSON_ArrayForEach (from, run->repairs) {
        const char *status = dr_json_text(from, "status");
        cJSON *repair = dr_maker_keep(maker, cJSON_Duplicate(from, true));

        if (is_one_of(status, made, DR_COUNT(made)))
            tally->corrected++;
        tally->outcome.rolled_back |= is_one_of(status, undone, DR_COUNT(undone));
        tally->outcome.stuck |= is_one_of(status, stuck, DR_COUNT(stuck));
        dr_maker_append(maker, repairs, repair);
    }
    tally->outcome.corrected = tally->corrected > 0;
}

static void add_summary(struct dr_maker *maker, cJSON *summary, const struct dr_look *look, const struct tally *tally)
{
    dr_maker_number(maker, summary, "problems", tally->problems);
    dr_maker_number(maker, summary, "consequences", tally->consequences);
    dr_maker_number(maker, summary, "belowThreshold", tally->below);
    dr_maker_number(maker, summary, "unknowns", cJSON_GetArraySize(look->unknowns));
    dr_maker_number(maker, summary, "repaired", tally->corrected);
    cJSON *by_severity = dr_maker_object(maker, summary, "bySeverity");

    for (int severity = DR_ERROR; severity >= DR_INFO; severity--)
        dr_maker_number(maker, by_severity, dr_severity_name((enum dr_severity)severity), tally->by_severity[severity]);
    cJSON *by_status = dr_maker_object(maker, summary, "byStatus");

    for (size_t i = 0; i < DR_COUNT(statuses); i++)
        dr_maker_number(maker, by_status, statuses[i], count_status(look->checks, statuses[i]));
    cJSON *fixable = dr_maker_object(maker, summary, "fixable");

    for (int safety = DR_SAFE; safety >= DR_MANUAL; safety--)
        dr_maker_number(maker, fixable, dr_safety_name((enum dr_safety)safety), tally->by_safety[safety]);
}

static void reason_of(const struct dr_look *look, const struct dr_report_run *run, const struct tally *tally, char *reason,
                      size_t size)
{
    const char *why = dr_json_text(look->target, "reason");
    const struct dr_outcome *outcome = &tally->outcome;

    switch (dr_exit_lint(outcome)) {
    case DR_EXIT_STUCK:
        (void)snprintf(reason, size, "a repair failed and could not be rolled back; repairs[] says what to do");
        break;
    case DR_EXIT_ROLLED_BACK:
        (void)snprintf(reason, size, "a repair failed and was rolled back");
        break;
    case DR_EXIT_NO_REPORT:
        (void)snprintf(reason, size, "nothing could be examined%s%.800s", why ? ": " : "", why ? why : "");
        break;
    case DR_EXIT_FINDINGS:
        (void)snprintf(reason, size, "%u problem%s left at or above %s", outcome->left, outcome->left == 1 ? "" : "s",
                       dr_severity_name(run->severity_min));
        break;
    case DR_EXIT_INCOMPLETE:
        (void)snprintf(reason, size, "no problem seen, but some questions got no answer");
        break;
    default:
        (void)snprintf(reason, size, "nothing is left at or above %s", dr_severity_name(run->severity_min));
        break;
    }
}

static void add_exit(struct dr_maker *maker, cJSON *object, const struct dr_look *look, const struct dr_report_run *run,
                     const struct tally *tally)
{
    enum dr_exit_style style = DR_STYLE_LINT;
    char reason[1024];

    (void)dr_exit_style_parse(run->exit_style, &style);
    reason_of(look, run, tally, reason, sizeof(reason));
    dr_maker_text(maker, object, "style", dr_exit_style_name(style));
    dr_maker_number(maker, object, "code", dr_exit_code(&tally->outcome, style, run->exit_zero));
    dr_maker_number(maker, object, "lintCode", dr_exit_lint(&tally->outcome));
    dr_maker_text(maker, object, "reason", reason);
}

/* Was anything looked at, and was every question answered? */
static void judge_look(const struct dr_look *look, struct dr_outcome *outcome)
{
    unsigned skipped = count_status(look->checks, "skipped");
    unsigned all = (unsigned)cJSON_GetArraySize(look->checks);
    const cJSON *exists = cJSON_GetObjectItemCaseSensitive(look->target, "exists");

    outcome->no_report =
        !look->target || all == skipped || (cJSON_IsFalse(exists) && cJSON_GetArraySize(look->findings) == 0);
    outcome->incomplete = look->deadline_hit || cJSON_GetArraySize(look->unknowns) > 0 ||
                          count_status(look->checks, "unknown") > 0 || count_status(look->checks, "error") > 0 ||
                          count_status(look->checks, "timeout") > 0;
}

static void add_head(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run)
{
    int all = cJSON_GetArraySize(look->checks);
    unsigned skipped = count_status(look->checks, "skipped");

    dr_maker_number(maker, document, "schemaVersion", 1);
    dr_maker_text(maker, document, "formatVersion", DR_REPORT_FORMAT);
    dr_maker_bool(maker, document, "ok", false);
    dr_maker_number(maker, document, "checksRun", all - (int)skipped);
    dr_maker_number(maker, document, "checksSkipped", skipped);
    cJSON *tool = dr_maker_object(maker, document, "tool");

    dr_maker_text(maker, tool, "name", "openclaw-doctor");
    dr_maker_text(maker, tool, "version", run->tool_version);
}

static int fill(struct dr_maker *maker, cJSON *document, const struct dr_look *look, const struct dr_report_run *run)
{
    struct tally tally = { 0 };

    judge_look(look, &tally.outcome);
    add_head(maker, document, look, run);
    add_target(maker, document, look, run);
    add_run(maker, document, look, run);
    cJSON *summary = dr_maker_object(maker, document, "summary");
    cJSON *place = dr_maker_object(maker, document, "exit");

    add_checks(maker, document, look, run);
    int r = add_findings(maker, document, look, run, &tally);

    if (r < 0)
        return r;
    add_unknowns(maker, document, look);
    dr_document_probes(maker, document, look->probes, run->deterministic);
    (void)dr_maker_array(maker, document, "suppressed");
    add_repairs(maker, document, run, &tally);
    if (maker->failed)
        return -ENOMEM;
    add_summary(maker, summary, look, &tally);
    add_exit(maker, place, look, run, &tally);
    cJSON_GetObjectItemCaseSensitive(document, "ok")->type =
        dr_exit_lint(&tally.outcome) == DR_EXIT_CLEAN ? cJSON_True : cJSON_False;
    return maker->failed ? -ENOMEM : 0;
}

int dr_report_document(const struct dr_look *look, const struct dr_report_run *run, cJSON **ret_document)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    struct dr_maker maker = { 0 };
    struct dr_scrub scrub = {
        .home = run->home,
        .run_id = run->deterministic ? run->run_id : NULL,
        .hide_pids = run->deterministic,
    };

    if (!document)
        return -ENOMEM;
    int r = fill(&maker, document, look, run);

    if (r < 0 || (r = dr_scrub_json(&scrub, document)) < 0)
        return r;
    *ret_document = DR_TAKE_PTR(document);
    return 0;
}

int dr_report_failure(int exit_code, const char *type, const char *message, cJSON **ret_document)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    struct dr_maker maker = { 0 };

    if (!document)
        return -ENOMEM;
    dr_maker_number(&maker, document, "schemaVersion", 1);
    dr_maker_text(&maker, document, "formatVersion", DR_REPORT_FORMAT);
    dr_maker_bool(&maker, document, "ok", false);
    dr_maker_number(&maker, document, "checksRun", 0);
    dr_maker_number(&maker, document, "checksSkipped", 0);
    (void)dr_maker_array(&maker, document, "findings");
    cJSON *error = dr_maker_object(&maker, document, "error");

    dr_maker_text(&maker, error, "type", type);
    dr_maker_text(&maker, error, "message", message);
    cJSON *place = dr_maker_object(&maker, document, "exit");

    dr_maker_number(&maker, place, "code", exit_code);
    dr_maker_text(&maker, place, "reason", message);
    if (maker.failed)
        return -ENOMEM;
    *ret_document = DR_TAKE_PTR(document);
    return 0;
}
