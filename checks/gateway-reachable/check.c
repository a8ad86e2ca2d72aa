/*
 * Does a client meet the gateway where it asks for it? Sources: facts/openclaw-2026.9.md section 3.1 and 3.8, openclaw-2026.2.md section 12.
 */
#include "check.h"

#include "api/config.h"

#include <string.h>

struct dr_finding *dr_gateway_reachable_report(const struct dr_reachable *look, enum dr_reachable_problem problem,
                                               const struct dr_endpoint *endpoint)
{
    static const struct dr_source nowhere = { 0 };
    struct dr_finding *finding =
        dr_report(look->findings, &dr_gateway_reachable_problems[problem], endpoint ? &endpoint->source : &nowhere);

    if (!endpoint)
        return finding;
    dr_finding_text(finding, "url", endpoint->url);
    dr_finding_text(finding, "from", endpoint->from);
    dr_finding_text(finding, "page", dr_reach_name(endpoint->page.reach));
    dr_finding_text(finding, "upgrade", dr_reach_name(endpoint->socket.reach));
    return finding;
}

static bool is_remote(struct dr_context *context)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), "gateway.mode", &value) == 1 && value.text &&
           strcmp(value.text, "remote") == 0;
}

/* In mode remote the question is about another host, and it was not asked. */
static const char *not_asked(const struct dr_reachable *look)
{
    const char *why = NULL;

    for (size_t i = 0; look->remote && i < look->live->count; i++) {
        const struct dr_endpoint *endpoint = &look->live->endpoints[i];

        if (endpoint->kind == DR_AT_GIVEN_URL)
            return NULL;
        if (endpoint->kind == DR_AT_REMOTE_URL && endpoint->socket.reach == DR_REACH_NOT_ASKED)
            why = endpoint->socket.why;
    }
    return why;
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    struct dr_reachable look = {
        .context = context,
        .findings = findings,
        .live = dr_live(context),
        .gateway = dr_gateway(context),
        .remote = is_remote(context),
    };
    const char *why;

    (void)state;
    if (look.live->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "%s", look.live->fact.reason);
    if (dr_unknown_fact(findings, &look.live->fact))
        return 0;
    dr_gateway_reachable_direct(&look);
    for (size_t i = 0; i < look.live->count; i++)
        if (look.live->endpoints[i].kind == DR_AT_REMOTE_URL || look.live->endpoints[i].kind == DR_AT_GIVEN_URL)
            dr_gateway_reachable_url(&look, &look.live->endpoints[i]);
    why = not_asked(&look);
    return why ? dr_not_applicable(findings, "%s", why) : 0;
}

static const char *const tags[] = { "gateway", "network", NULL };

const struct dr_check dr_check_gateway_reachable = {
    .id = "gateway-reachable",
    .title = "The gateway answers where clients ask for it",
    .tags = tags,
    .live = true,
    .problems = dr_gateway_reachable_problems,
    .problem_count = DR_REACHABLE_PROBLEMS,
    .run = run,
};
