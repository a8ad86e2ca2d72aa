/*
 * Is each token or password a value that both sides read alike, and a secret at all? Sources: facts/failure-modes.md rows 32 and 69,
 * openclaw-2026.9.md section 4; 2026.2.19 compares its own token untrimmed with what clients trimmed (resolveGatewayAuth,
 * resolveGatewayCredentials).
 */
#include "api/check.h"
#include "api/config.h"
#include "api/install.h"
#include "api/tokens.h"

#include <string.h>

enum problem { WHITE_SPACE, INVISIBLE_CHARACTERS, KEPT_QUOTES, SENTINEL, EMPTY, REUSED_FOR_HOOKS };

static const struct dr_problem problems[] = {
    [WHITE_SPACE] = {
        .code = "white-space",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{variable} in {where} has white space around it. {effect}",
        .advice = "Remove the white space around the value.",
        .fixer = "token-clean",
    },
    [INVISIBLE_CHARACTERS] = {
        .code = "invisible-characters",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{variable} in {where} holds characters that nobody sees (control or zero-width characters). {effect}",
        .advice = "Remove them, or paste the value again from its origin as plain text.",
        .fixer = "token-clean",
    },
    [KEPT_QUOTES] = {
        .code = "kept-quotes",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_SAFE,
        .message = "The quotes around {variable} in {where} are part of its value. {effect}",
        .advice = "Remove the inner quotes.",
        .fixer = "token-clean",
    },
    [SENTINEL] = {
        .code = "sentinel",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{variable} in {where} is no secret, but a placeholder that a program or an example left there. {effect}",
        .advice = "Put a new token there: openssl rand -hex 24",
        .fixer = "token-renew",
        .why = "every client needs the new token",
    },
    [EMPTY] = {
        .code = "empty",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "{variable} in {where} is set to nothing. {effect}",
        .advice = "Give it a value, or remove it.",
    },
    [REUSED_FOR_HOOKS] = {
        .code = "reused-for-hooks",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "hooks.token is the same as the gateway's own {kind}: whoever may send a hook may do everything. {effect}",
        .advice = "Give hooks.token a value of its own: openssl rand -hex 24",
        .fixer = "token-renew",
        .why = "everyone who sends hooks needs the new hooks.token",
    },
};

struct judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_tokens *tokens;
    const struct dr_rules *rules;
};

static struct dr_finding *report(const struct judging *judging, enum problem problem, const struct dr_token_place *place)
{
    struct dr_finding *finding = dr_report(judging->findings, &problems[problem], &place->source);

    dr_finding_text(finding, "variable", place->variable);
    dr_finding_argument(finding, "variable", place->variable);
    if (place->kind == DR_PLACE_RUNNING) {
        dr_finding_text(finding, "where", "the environment of the running gateway");
    } else if (place->source.path) {
        dr_finding_path(finding, "where", place->source.path);
        dr_finding_argument(finding, "path", place->source.path);
    } else {
        dr_finding_text(finding, "where", "this shell's environment");
    }
    if (!(place->flaws & DR_FLAW_EMPTY))
        dr_finding_secret(finding, "value", place->value);
    /* The row speaks of the value alone; what it takes to make a change count is the place's. */
    if (place->restart)
        dr_finding_restrict(finding, DR_UNSAFE,
                            dr_format(judging->context, "the service must be restarted: %s", place->restart));
    else if (place->kind == DR_PLACE_CONFIG_AUTH)
        dr_finding_restrict(finding, DR_UNSAFE, "a running gateway takes the new value at once, and ends other connections");
    if (place->not_editable)
        dr_finding_restrict(finding, DR_MANUAL, place->not_editable);
    return finding;
}

/* What does no harm is not changed either. */
static void call_harmless(struct dr_finding *finding)
{
    dr_finding_severity(finding, DR_INFO);
    dr_finding_restrict(finding, DR_MANUAL, "it does no harm as things are");
}

static bool is_used(const struct judging *judging, const struct dr_token_place *place)
{
    const struct dr_tokens *tokens = judging->tokens;

    return place == tokens->server || place == tokens->client || place == tokens->service;
}

/* Both ends read the same place: then what stands there is odd, but the same for both. */
static bool both_ends(const struct judging *judging, const struct dr_token_place *place)
{
    return place == judging->tokens->server && place == judging->tokens->client;
}

static void judge_space(const struct judging *judging, const struct dr_token_place *place)
{
    struct dr_finding *finding = report(judging, WHITE_SPACE, place);

    if (!judging->rules->token_trimmed && place == judging->tokens->server && place->kind != DR_PLACE_CONFIG_HOOKS) {
        dr_finding_text(finding, "effect",
                        "The gateway compares it as it stands, while clients send it without: nobody gets in.");
        return;
    }
    call_harmless(finding);
    dr_finding_text(finding, "effect", "OpenClaw drops it here; other programs may not.");
}

static void judge_characters(const struct judging *judging, enum problem problem, const struct dr_token_place *place)
{
    struct dr_finding *finding = report(judging, problem, place);
    const struct dr_token_place *server = judging->tokens->server;

    if (server && place != server && is_used(judging, place) && strcmp(place->clean, server->clean) == 0) {
        dr_finding_severity(finding, DR_ERROR);
        dr_finding_text(finding, "effect", "Without them it would be the value that the gateway accepts.");
    } else if (both_ends(judging, place)) {
        dr_finding_text(finding, "effect", "Who copies the value by eye or by hand to another client cannot get in.");
    } else {
        dr_finding_text(finding, "effect", "It does not match a value that was typed or pasted elsewhere.");
    }
}

static void judge_sentinel(const struct judging *judging, const struct dr_token_place *place)
{
    struct dr_finding *finding = report(judging, SENTINEL, place);

    if (place->kind == DR_PLACE_CONFIG_HOOKS || place == judging->tokens->server) {
        dr_finding_text(finding, "effect",
                        judging->rules->sentinel_token_refused && place->kind != DR_PLACE_CONFIG_HOOKS
                            ? "The gateway refuses to start with it."
                            : "Anyone can guess it.");
        return;
    }
    if (!is_used(judging, place))
        dr_finding_severity(finding, DR_WARNING);
    dr_finding_text(finding, "effect", "It is not the value that a gateway accepts.");
}

static void judge_empty(const struct judging *judging, const struct dr_token_place *place)
{
    struct dr_finding *finding = report(judging, EMPTY, place);

    if (place->kind != DR_PLACE_CONFIG_AUTH)
        dr_finding_severity(finding, DR_INFO);
    dr_finding_text(finding, "effect",
                    place->kind == DR_PLACE_CONFIG_AUTH && !judging->rules->server_reads_remote
                        ? "It hides the value of the environment, and the gateway makes a new one."
                        : "It counts as not set, and hides places that would be read after it.");
}

static void judge(const struct judging *judging, const struct dr_token_place *place)
{
    if (place->flaws & DR_FLAW_EMPTY) {
        judge_empty(judging, place);
        return;
    }
    if (place->flaws & DR_FLAW_SENTINEL) {
        judge_sentinel(judging, place);
        return;
    }
    if (place->flaws & DR_FLAW_SPACE)
        judge_space(judging, place);
    if (place->flaws & DR_FLAW_QUOTES)
        judge_characters(judging, KEPT_QUOTES, place);
    if (place->flaws & DR_FLAW_INVISIBLE)
        judge_characters(judging, INVISIBLE_CHARACTERS, place);
}

static void compare_hooks(const struct judging *judging, const struct dr_token_place *place)
{
    const struct dr_token_place *server = judging->tokens->server;
    bool enabled = dr_config_flag(dr_config(judging->context), "hooks.enabled", false);
    struct dr_finding *finding;

    if (!server || (place->flaws & DR_FLAW_EMPTY) || strcmp(place->clean, server->clean) != 0)
        return;
    finding = report(judging, REUSED_FOR_HOOKS, place);
    dr_finding_text(finding, "kind", server->password ? "password" : "token");
    if (!enabled)
        call_harmless(finding);
    else if (judging->rules->token_trimmed)
        dr_finding_severity(finding, DR_WARNING);
    dr_finding_text(finding, "effect",
                    !enabled ? "Hooks are not enabled."
                    : judging->rules->token_trimmed
                        ? "The gateway starts, with a warning."
                        : "The gateway refuses to start: \"hooks.token must not match gateway auth token\".");
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_tokens *tokens = dr_tokens(context);
    struct judging judging = {
        .context = context,
        .findings = findings,
        .tokens = tokens,
        .rules = dr_installs(context)->rules,
    };

    (void)state;
    for (size_t i = 0; i < tokens->count; i++) {
        const struct dr_token_place *place = &tokens->places[i];

        /* The configuration that takes ${NAME} has the flaws of NAME, which is judged where it stands. */
        if (place->ignored || (place->kind == DR_PLACE_RUNNING && !is_used(&judging, place)) ||
            (place->from_env && place->kind == DR_PLACE_CONFIG_AUTH))
            continue;
        judge(&judging, place);
        if (place->kind == DR_PLACE_CONFIG_HOOKS)
            compare_hooks(&judging, place);
    }
    for (size_t i = 0; i < tokens->not_read_count; i++)
        dr_could_not_tell(findings, &tokens->not_read[i].source, "%s", tokens->not_read[i].reason);
    (void)dr_unknown_fact(findings, &tokens->fact);
    return 0;
}

static const char *const tags[] = { "tokens", "offline", NULL };

const struct dr_check dr_check_token_hygiene = {
    .id = "token-hygiene",
    .title = "Tokens are clean, secret, and used for one purpose",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
