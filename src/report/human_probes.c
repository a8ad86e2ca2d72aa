/* --verbose: what was asked of the network and what came, each place with the command that asks the same. */
#include "report/human.h"

#include <math.h>
#include <string.h>

static bool is(const cJSON *probe, const char *name, const char *text)
{
    const char *own = dr_json_text(probe, name);

    return own && strcmp(own, text) == 0;
}

static void say_answer(struct dr_view *view, const cJSON *probe)
{
    struct dr_paper *paper = &view->paper;
    const char *reach = dr_json_text(probe, "reach");
    const char *why = dr_json_text(probe, "why");
    double status = dr_json_number(probe, "status", 0);
    double time = dr_json_number(probe, "firstByteMs", 0);
    const cJSON *offset = cJSON_GetObjectItemCaseSensitive(probe, "offsetMs");

    if (status > 0)
        dr_paper_sayf(paper, DR_PLAIN, " HTTP %d", (int)status);
    if (is(probe, "reach", "answered") && is(probe, "request", "connect"))
        dr_paper_say(paper, DR_PLAIN, dr_json_true(probe, "ok") ? " hello-ok" : " refused");
    else if (!is(probe, "reach", "answered"))
        dr_paper_sayf(paper, DR_PLAIN, " %s", reach ? reach : "?");
    if (dr_json_text(probe, "errorType"))
        dr_paper_sayf(paper, DR_PLAIN, ", %s", dr_json_text(probe, "errorType"));
    if (dr_json_text(probe, "detailCode"))
        dr_paper_sayf(paper, DR_PLAIN, ", %s", dr_json_text(probe, "detailCode"));
    if (dr_json_true(probe, "controlUi"))
        dr_paper_say(paper, DR_PLAIN, ", the Control UI");
    if (dr_json_text(probe, "failing"))
        dr_paper_sayf(paper, DR_PLAIN, ", not ready: %s", dr_json_text(probe, "failing"));
    if (dr_json_true(probe, "challenged"))
        dr_paper_say(paper, DR_PLAIN, ", challenged");
    if (dr_json_number(probe, "closeCode", 0) > 0)
        dr_paper_sayf(paper, DR_PLAIN, ", closed with %d %s", (int)dr_json_number(probe, "closeCode", 0),
                      dr_json_text(probe, "closeReason") ? dr_json_text(probe, "closeReason") : "");
    if (offset)
        dr_paper_sayf(paper, DR_PLAIN, " this clock is %.0f ms %s, give or take %.0f ms", fabs(offset->valuedouble),
                      offset->valuedouble > 0 ? "behind" : "ahead", dr_json_number(probe, "errorMs", 0));
    if (time > 0)
        dr_paper_sayf(paper, DR_DIM, " after %.1f ms", time);
    if (why)
        dr_paper_sayf(paper, DR_DIM, " (%s)", why);
}

static void say_probe(struct dr_view *view, const cJSON *probe)
{
    struct dr_paper *paper = &view->paper;
    const char *command = dr_json_text(probe, "curl") ? dr_json_text(probe, "curl") : dr_json_text(probe, "command");
    const char *url = dr_json_text(probe, "url");

    if (is(probe, "request", "page") || is(probe, "request", "sntp")) {
        dr_paper_line(paper, 0, 2);
        dr_paper_sign(paper, DR_SIGN_BULLET);
        dr_paper_say(paper, DR_PLAIN, "Asked ");
        dr_paper_solid(paper, DR_PLAIN, url ? url : "?");
        if (dr_json_text(probe, "from"))
            dr_paper_sayf(paper, DR_DIM, " (%s)", dr_json_text(probe, "from"));
        dr_paper_end(paper);
    }
    dr_paper_line(paper, 4, 6);
    dr_paper_sayf(paper, DR_PLAIN, "%s:", dr_json_text(probe, "request"));
    say_answer(view, probe);
    dr_paper_end(paper);
    if (!command || is(probe, "reach", "not-asked"))
        return;
    dr_paper_line(paper, 6, 8);
    dr_paper_solid(paper, DR_DIM, command);
    dr_paper_end(paper);
}

/* Refused, or not asked, as the page was: said once. */
static bool says_the_same(const cJSON *page, const cJSON *probe)
{
    const char *reach = dr_json_text(page, "reach");
    bool follows = is(probe, "request", "healthz") || is(probe, "request", "readyz");

    return reach && !is(probe, "reach", "answered") && dr_json_number(probe, "status", 0) < 1 &&
           !is(probe, "request", "connect") && (is(probe, "reach", reach) || (follows && is(probe, "reach", "not-asked")));
}

void dr_view_probes(struct dr_view *view)
{
    const cJSON *probes = cJSON_GetObjectItemCaseSensitive(view->document, "probes");
    const cJSON *probe, *page = NULL;

    if (cJSON_GetArraySize(probes) > 0)
        dr_paper_empty(&view->paper);
    cJSON_ArrayForEach (probe, probes) {
        if (is(probe, "request", "page"))
            page = probe;
        if (page == probe || is(probe, "request", "sntp") || !says_the_same(page, probe))
            say_probe(view, probe);
    }
}
