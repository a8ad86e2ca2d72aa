/*
 * What a report does not say: where the home is, and, with --deterministic, anything that two runs differ in.
 *
 * Every text of a document is rewritten in place: the home becomes "~" wherever it stands as a path of its own, also in messages
 * and previews; with `run_id` set, that id becomes "RUN"; with `hide_pids`, "pid 4711" becomes "pid N".
 */
#ifndef DR_REPORT_SCRUB_H
#define DR_REPORT_SCRUB_H

#include "base/buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct dr_scrub {
    const char *home; /* NULL, "" and "/" hide nothing */
    const char *run_id; /* NULL: leave it */
    bool hide_pids;
};

/* Appends `text`, rewritten. */
int dr_scrub_text(const struct dr_scrub *scrub, const char *text, struct dr_buffer *buffer) DR_MUST_CHECK;

/* Rewrites every text below `json`. -ENOMEM, -E2BIG (a text above 16 MiB); then some texts are not rewritten: throw it away. */
int dr_scrub_json(const struct dr_scrub *scrub, cJSON *json) DR_MUST_CHECK;

#endif
