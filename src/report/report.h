/*
 * Reports: pure functions from one document to text. A format never changes the exit status.
 *
 * The document is the JSON of docs/report-schema.json: the superset of OpenClaw's lint report (schemaVersion 1). Texts in it are
 * already free of secrets; paths under the home are shown as "~" in every format.
 */
#ifndef DR_REPORT_REPORT_H
#define DR_REPORT_REPORT_H

#include "base/buffer.h"
#include "engine/engine.h"

struct dr_report_run {
    const char *tool_version;
    const char *run_id;
    const char *started_at; /* ISO 8601, UTC */
    const char *mode; /* "look", "fix", "dry-run", "plan", "apply", "undo" */
    bool deterministic; /* leave out times, durations, run ids, pids */
    enum dr_severity severity_min;
    const char *exit_style; /* "lint", "nagios", "health", "fsck" */
    bool exit_zero;
    const cJSON *
        repairs; /* array of {operation, checkId, fixId, status, reason, path, summary, backup, restart, preview, run}, or NULL */
    const char *settled; /* sentence about an earlier interrupted run, or NULL */
    const char *home;
};

struct dr_human_options {
    unsigned width; /* columns, 80 when not a terminal */
    bool colour;
    bool unicode;
    bool verbose; /* a line per healthy check */
    bool quiet;
    bool show_plan; /* with the diffs (dry run, plan) */
    bool asks; /* a repair can ask: there is a terminal, and the user did not say otherwise */
    const char *program; /* how the user called us, for next steps: "openclaw-doctor" or "openclaw doctor" */
};

/* Makes the document; caller owns it. `document.exit.code` is the exit status by architecture.md. */
int dr_report_document(const struct dr_look *look, const struct dr_report_run *run, cJSON **ret_document) DR_MUST_CHECK;

int dr_report_human(const cJSON *document, const struct dr_human_options *options, struct dr_buffer *text) DR_MUST_CHECK;
int dr_report_json(const cJSON *document, struct dr_buffer *text) DR_MUST_CHECK;

/* One document for a run that failed before there was a look: {schemaVersion, ok: false, error: {type, message}, exit}. */
int dr_report_failure(int exit_code, const char *type, const char *message, cJSON **ret_document) DR_MUST_CHECK;

/* Home as "~" in every text of `json`, in place: for what is printed as JSON without a document (undo, history). */
int dr_report_hide_home(cJSON *json, const char *home) DR_MUST_CHECK;

/* The JSON Schema, embedded at build time from docs/report-schema.json. */
const char *dr_report_schema(void);

/* `list` and `explain` for people and as JSON. `query`: check id, id/code, close code or error message. -ENOENT: nothing known. */
int dr_report_list(bool json, const struct dr_human_options *options, struct dr_buffer *text) DR_MUST_CHECK;
int dr_report_explain(const char *query, const struct dr_human_options *options, struct dr_buffer *text) DR_MUST_CHECK;

/* History and undo for people. */
int dr_report_history(const cJSON *history, const struct dr_human_options *options, const char *home,
                      struct dr_buffer *text) DR_MUST_CHECK;
int dr_report_undo(const cJSON *report, const struct dr_human_options *options, const char *home,
                   struct dr_buffer *text) DR_MUST_CHECK;

#endif
