/*
 * Renders one recorded run, tests/golden/cases/<name>.json: {look: {target, checks, findings, unknowns, operations}, run: {...}}.
 *
 *   render FILE json|human|narrow|ascii|colour|verbose|quiet|plan
 *
 * A file with {history: [..]} or {undo: {..}} is rendered as the report of those commands, with {explain: "words"} as an explanation.
 *
 * Prints the report and then, for the human ones, nothing else; the exit status is that of the document.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "report/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct format {
    const char *name;
    struct dr_human_options options;
};

static const struct format formats[] = {
    { "human", { .width = 80, .unicode = true } },
    { "narrow", { .width = 40, .unicode = true } },
    { "ascii", { .width = 80 } },
    { "colour", { .width = 80, .unicode = true, .colour = true } },
    { "verbose", { .width = 80, .unicode = true, .verbose = true } },
    { "quiet", { .width = 80, .unicode = true, .quiet = true } },
    { "plan", { .width = 80, .unicode = true, .show_plan = true } },
};

static cJSON *part(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static struct dr_look recorded_look(const cJSON *record)
{
    const cJSON *look = part(record, "look");

    return (struct dr_look){
        .target = part(look, "target"),
        .checks = part(look, "checks"),
        .findings = part(look, "findings"),
        .unknowns = part(look, "unknowns"),
        .operations = part(look, "operations"),
        .probes = part(look, "probes"),
        .duration_ms = dr_json_number(look, "durationMs", 0),
        .deadline_hit = dr_json_true(look, "deadlineHit"),
    };
}

static struct dr_report_run recorded_run(const cJSON *record)
{
    const cJSON *run = part(record, "run");
    enum dr_severity severity_min = DR_WARNING;

    if (dr_json_text(run, "severityMin"))
        (void)dr_severity_parse(dr_json_text(run, "severityMin"), &severity_min);
    return (struct dr_report_run){
        .tool_version = "0.0.0",
        .run_id = dr_json_text(run, "id"),
        .started_at = dr_json_text(run, "startedAt"),
        .mode = dr_json_text(run, "mode"),
        .deterministic = dr_json_true(run, "deterministic"),
        .severity_min = severity_min,
        .exit_style = dr_json_text(run, "exitStyle"),
        .exit_zero = dr_json_true(run, "exitZero"),
        .repairs = part(run, "repairs"),
        .settled = dr_json_text(run, "settled"),
        .home = dr_json_text(run, "home"),
    };
}

/* 1 when the record is something else than a run. */
static int render_other(const cJSON *record, const struct dr_human_options *options, struct dr_buffer *text)
{
    const cJSON *history = part(record, "history");
    const cJSON *undo = part(record, "undo");
    const char *words = dr_json_text(record, "explain");
    int r = 1;

    if (history)
        r = dr_report_history(history, options, "/home/oc", text);
    else if (undo)
        r = dr_report_undo(undo, options, "/home/oc", text);
    else if (words)
        r = dr_report_explain(words, options, text);
    return r;
}

static int render(const cJSON *record, const cJSON *document, const char *name, struct dr_buffer *text)
{
    if (strcmp(name, "json") == 0)
        return dr_report_json(document, text);
    for (size_t i = 0; i < DR_COUNT(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            struct dr_human_options options = formats[i].options;

            options.program = "openclaw-doctor";
            int r = render_other(record, &options, text);

            return r <= 0 ? r : dr_report_human(document, &options, text);
        }
    }
    return -EINVAL;
}

int main(int argc, char **argv)
{
    _cleanup_buffer_ struct dr_buffer bytes = DR_BUFFER(16 << 20);
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(64 << 20);
    _cleanup_json_ cJSON *record = NULL;
    _cleanup_json_ cJSON *document = NULL;

    if (argc != 3 || dr_read_file(AT_FDCWD, argv[1], &bytes, NULL) < 0 ||
        !(record = cJSON_ParseWithOpts(dr_buffer_text(&bytes), NULL, 1))) {
        fprintf(stderr, "usage: render FILE FORMAT (a recorded run as JSON)\n");
        return 99;
    }
    struct dr_look look = recorded_look(record);
    struct dr_report_run run = recorded_run(record);

    if (dr_report_document(&look, &run, &document) < 0 || render(record, document, argv[2], &text) < 0) {
        fprintf(stderr, "render: %s cannot be shown as %s\n", argv[1], argv[2]);
        return 99;
    }
    (void)fwrite(dr_buffer_text(&text), 1, text.length, stdout);
    return (int)dr_json_number(part(document, "exit"), "code", 98);
}
