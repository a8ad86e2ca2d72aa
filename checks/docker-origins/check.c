/*
 * May the pages that people open talk to the gateway? The list as the installed release reads it (api/origin.h), against the origins that were
 * refused in the log and those that proxies give their clients. Sources: facts/openclaw-2026.9.md section 3.7, failure-modes.md rows 13, 14.
 */
#include "check.h"

#include <string.h>

enum problem { MISSING, NEVER_MATCHES, NOT_ALLOWED, STRANGE };

#define LETS_A_PAGE_IN "it lets web pages of that origin talk to the gateway, with the rights of whoever has them open"

/* A proxy that hides the Host header makes its own name a foreign one: with the header back, nothing has to be allowed. */
static const struct dr_cause from_host[] = {
    { "proxy-websocket/not-forwarded", DR_ANY_SUBJECT },
    { "proxy-websocket/host-replaced", DR_ANY_SUBJECT },
    { NULL, DR_ANY_SUBJECT },
};

static const struct dr_problem problems[] = {
    [MISSING] = {
        .code = "origins-missing",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "The gateway does not start: it is to listen on more than loopback ({mode}), and this release then wants "
                   "gateway.controlUi.allowedOrigins.",
        .advice = "Put the origins that the Control UI is opened under there: {origins}.",
        .fixer = "origin-add",
        .why = LETS_A_PAGE_IN,
    },
    [NEVER_MATCHES] = {
        .code = "entry-never-matches",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "\"{entry}\" in gateway.controlUi.allowedOrigins matches no browser: {why}.",
        .advice = "Write {meant}, as a browser sends it.",
        .fixer = "origin-correct",
        .why = LETS_A_PAGE_IN,
    },
    [NOT_ALLOWED] = {
        .code = "origin-not-allowed",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "Pages from {origins} may not talk to the gateway ({how}): \"origin not allowed\". {near}",
        .advice = "Put exactly that into gateway.controlUi.allowedOrigins.",
        .fixer = "origin-add",
        .why = LETS_A_PAGE_IN,
        .follows = from_host,
    },
    [STRANGE] = {
        .code = "origin-strange",
        .severity = DR_INFO,
        .confidence = DR_POSSIBLE,
        .message = "The gateway refused pages from {origins} ({how}). Nothing here says that they are this gateway's own. {near}",
        .advice = "If you open the Control UI there, put exactly that into gateway.controlUi.allowedOrigins; else leave it.",
    },
};

/* ---- entries ---- */

static void judge_entry(struct dr_origins *origins, const struct dr_config_value *value)
{
    struct dr_origin_entry entry;

    dr_origin_entry_read(origins->rules, value->text, &entry);
    if (!entry.nothing)
        return;
    struct dr_finding *finding = dr_report(origins->findings, &problems[NEVER_MATCHES], &value->source);

    dr_finding_text(finding, "entry", dr_format(origins->context, "%.100s", value->text));
    dr_finding_text(finding, "why", entry.nothing);
    dr_finding_word(finding, "meant",
                    entry.origin[0] ? dr_format(origins->context, "%s", entry.origin) : "scheme, host and port");
    dr_finding_argument(finding, "pointer", value->source.pointer);
    dr_finding_argument(finding, "entry", value->text);
    dr_finding_argument(finding, "origin", entry.origin);
    if (!entry.origin[0] || strchr(entry.origin, '*'))
        dr_finding_restrict(finding, DR_MANUAL, NULL);
    else if (origins->meant_count < DR_MOST_ORIGINS)
        origins->meant[origins->meant_count++] = dr_strdup(origins->context, entry.origin);
}

static void read_list(struct dr_origins *origins, const struct dr_config *config)
{
    struct dr_config_value list, value;

    origins->source = (struct dr_source){ .path = config->path, .pointer = "gateway.controlUi.allowedOrigins" };
    if (dr_config_lookup(config, "gateway.controlUi.allowedOrigins", &list) <= 0 || list.type != DR_VALUE_ARRAY)
        return;
    origins->source = list.source;
    for (bool more = dr_config_first(config, &list, &value); more; more = dr_config_next(config, &value, &value)) {
        if (origins->allowed_count == DR_MOST_ORIGINS) {
            dr_could_not_tell(origins->findings, &value.source, "only the first %d entries were judged", DR_MOST_ORIGINS);
            return;
        }
        if (value.missing_env)
            dr_could_not_tell(origins->findings, &value.source,
                              "an entry of gateway.controlUi.allowedOrigins needs ${%s}, which is not set", value.from_env);
        else if (value.type == DR_VALUE_STRING) {
            origins->allowed[origins->allowed_count++] = value.text;
            judge_entry(origins, &value);
        }
    }
}

/* ---- the list as a whole ---- */

static bool is_empty(const struct dr_origins *origins)
{
    for (size_t i = 0; i < origins->allowed_count; i++)
        if (origins->allowed[i][strspn(origins->allowed[i], " \t")])
            return false;
    return true;
}

static void judge_missing(const struct dr_origins *origins)
{
    const struct dr_binding *binding = origins->binding;

    if (!origins->rules->origins_required || binding->meant == DR_BIND_LOOPBACK || origins->host_fallback ||
        !is_empty(origins))
        return;
    struct dr_finding *finding = dr_report(origins->findings, &problems[MISSING], &origins->source);
    const char *loopback = dr_origins_of_loopback(origins);

    dr_finding_text(finding, "mode", dr_format(origins->context, "%s: %.40s", binding->mode_from, binding->mode));
    dr_finding_text(finding, "origins", loopback);
    dr_finding_argument(finding, "origins", loopback);
}

/* ---- origins that browsers have ---- */

static const char *host_of(const char *origin)
{
    const char *slashes = strstr(origin, "://");

    return slashes ? slashes + 3 : origin;
}

/* An entry for the same host that differs in scheme or port: the likeliest mistake, so it is named. */
static const char *near_text(const struct dr_origins *origins, const char *origin)
{
    size_t name = strcspn(host_of(origin), ":");

    for (size_t i = 0; i < origins->allowed_count; i++) {
        char entry[DR_ORIGIN_TEXT];

        if (!dr_origin_normal(origins->allowed[i], entry) || strcmp(entry, origin) == 0 ||
            strcspn(host_of(entry), ":") != name || strncmp(host_of(entry), host_of(origin), name) != 0)
            continue;
        bool scheme = strncmp(entry, origin, strcspn(origin, ":") + 1) != 0;

        return dr_format(origins->context, "The list has %s: another %s.", entry, scheme ? "scheme" : "port");
    }
    return "";
}

static void report(const struct dr_origins *origins, enum problem problem, const struct dr_wanted *list, size_t count,
                   size_t refused)
{
    const char *named = "", *how = NULL, *near = "";

    for (size_t i = 0; i < count; i++) {
        named = dr_format(origins->context, "%s%s%s", named, i ? ", " : "", list[i].origin);
        how = how && strcmp(how, list[i].how) != 0 ? dr_format(origins->context, "%s; %s", how, list[i].how) : list[i].how;
        if (!*near)
            near = near_text(origins, list[i].origin);
    }
    if (count == 0)
        return;
    struct dr_finding *finding = dr_report(origins->findings, &problems[problem], &origins->source);
    /* A list that is there takes the place of the one that the gateway makes for itself. */
    bool own_list = is_empty(origins) && !origins->rules->origin_same_host && origins->binding->meant != DR_BIND_LOOPBACK;

    if (refused > 0 && problem == NOT_ALLOWED) {
        dr_finding_severity(finding, DR_ERROR);
        dr_finding_confidence(finding, DR_CERTAIN);
    }
    dr_finding_text(finding, "origins", named);
    dr_finding_text(finding, "how", how);
    dr_finding_word(finding, "near", near);
    dr_finding_argument(finding, "origins",
                        own_list ? dr_format(origins->context, "%s, %s", dr_origins_of_loopback(origins), named) : named);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_config *config = dr_config(context);
    struct dr_origins *origins = dr_alloc(context, sizeof(*origins));
    struct dr_wanted_list wanted;

    (void)state;
    if (dr_unknown_fact(findings, &config->fact))
        return 0;
    if (!dr_config_flag(config, "gateway.controlUi.enabled", true))
        return dr_not_applicable(findings, "gateway.controlUi.enabled is false");
    *origins = (struct dr_origins){
        .context = context,
        .findings = findings,
        .rules = dr_installs(context)->rules,
        .binding = dr_binding(context),
        .host_fallback = dr_config_flag(config, "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback", false),
    };
    read_list(origins, config);
    judge_missing(origins);
    dr_origins_find_wanted(origins, &wanted);
    report(origins, NOT_ALLOWED, wanted.known, wanted.known_count, wanted.refused);
    report(origins, STRANGE, wanted.strange, wanted.strange_count, 0);
    return 0;
}

static const char *const tags[] = { "docker", "gateway", "proxy", "offline", NULL };

const struct dr_check dr_check_docker_origins = {
    .id = "docker-origins",
    .title = "The pages that people open may talk to the gateway",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
