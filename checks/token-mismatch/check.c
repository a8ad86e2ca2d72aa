/*
 * Do all places that hold the gateway token agree with the one that the gateway accepts? Sources: facts/openclaw-2026.2.md section 3,
 * openclaw-2026.9.md section 3.5; failure-modes rows 1, 4, 23, 34, 39.
 */
#include "api/check.h"
#include "api/install.h"
#include "api/tokens.h"

#include <string.h>

enum problem {
    ENV_SHADOWS_CONFIG,
    DOTENV_SHADOWS_CONFIG,
    UNIT_TOKEN_DIFFERS,
    COMPOSE_ENV_DIFFERS,
    RUNNING_GATEWAY_DIFFERS,
    REMOTE_DIFFERS,
    CLIENT_HAS_NONE,
    SERVER_HAS_NONE,
    REFERENCE_UNSET,
};

static const struct dr_cause after_unit[] = { { "token-mismatch/unit-token-differs", DR_ANY_SUBJECT },
                                              { NULL, DR_SAME_SUBJECT } };

static const struct dr_problem problems[] = {
    [ENV_SHADOWS_CONFIG] = {
        .code = "env-shadows-config",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "{variable} in this shell's environment differs from {accepted_as}, which the gateway accepts. {effect}",
        .advice = "Run `unset {variable}` and remove it from the shell's start files (~/.profile, ~/.bashrc); then try again.",
    },
    [DOTENV_SHADOWS_CONFIG] = {
        .code = "dotenv-shadows-config",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{variable} in {file} differs from {accepted_as}, which the gateway accepts. {effect}",
        .advice = "Give that line the accepted value, or remove it.",
        .fixer = "token-align",
    },
    [UNIT_TOKEN_DIFFERS] = {
        .code = "unit-token-differs",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{variable} of the service {service} ({file}) differs from {accepted_as}, which the gateway accepts. {effect}",
        .advice = "Correct the line, then run: {restart}",
        .fixer = "token-align",
        .why = "the service takes the new value only when it is restarted, which ends its connections",
    },
    [COMPOSE_ENV_DIFFERS] = {
        .code = "compose-env-differs",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{variable} in {file}, which compose hands to the containers, differs from {accepted_as}, which the gateway "
                   "accepts. {effect}",
        .advice = "Correct the line, then run `docker compose up -d` in that folder.",
        .fixer = "token-align",
        .why = "the containers take the new value only when they are created anew",
    },
    [RUNNING_GATEWAY_DIFFERS] = {
        .code = "running-gateway-differs",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The running gateway was started with another {variable} than {accepted_as} says. {effect}",
        .advice = "Restart the gateway: openclaw gateway restart",
        .follows = after_unit,
    },
    [REMOTE_DIFFERS] = {
        .code = "remote-differs",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "{variable} differs from {accepted_as}. gateway.mode is local, so local commands do not use it.",
        .advice = "Nothing to do; remove gateway.remote when no other gateway is meant.",
    },
    [CLIENT_HAS_NONE] = {
        .code = "client-has-none",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .message = "The gateway has its {kind} from {accepted_as} ({file}); openclaw commands in this shell have none, and depend on a "
                   "device token of an earlier pairing.",
        .advice = "Put it where both look: `openclaw config set gateway.auth.{kind} ...`",
    },
    [SERVER_HAS_NONE] = {
        .code = "server-has-none",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "No gateway {kind} is set anywhere. {effect}",
        .advice = "Set one: openclaw config set gateway.auth.{kind} \"$(openssl rand -hex 24)\"",
        .fixer = "token-renew",
        .why = "every other client needs the new token",
    },
    [REFERENCE_UNSET] = {
        .code = "reference-unset",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "gateway.auth takes its {kind} from ${{name}}, which nothing sets that the gateway starts with: it refuses to "
                   "start (Missing env var \"{name}\").",
        .advice = "Put {name}=... into ~/.openclaw/.env (mode 0600), or the value itself into the configuration.",
    },
};

struct comparing {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_tokens *tokens;
    const struct dr_installs *installs;
    bool password;
};

static const char *kind_of(const struct comparing *comparing)
{
    return comparing->password ? "password" : "token";
}

/* The words that the user sees. */
static const char *symptom(const struct comparing *comparing)
{
    const struct dr_rules *rules = comparing->installs->rules;

    if (comparing->password)
        return "\"unauthorized: gateway password mismatch\"";
    if (rules->mismatch_named_device)
        return "\"unauthorized: device token mismatch (rotate/reissue device token)\" (it is the gateway token that is "
               "wrong)";
    return rules->client_env_first
               ? "\"unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)\""
               : "\"unauthorized: gateway token mismatch (use this gateway's gateway.auth.token or pair the device)\"";
}

static void describe_accepted(struct dr_finding *finding, const struct dr_token_place *accepted)
{
    dr_finding_text(finding, "accepted_as", accepted->variable);
    if (accepted->source.path)
        dr_finding_path(finding, "accepted_in", accepted->source.path);
    dr_finding_secret(finding, "accepted", accepted->value);
}

static struct dr_finding *report(const struct comparing *comparing, enum problem problem, const struct dr_token_place *place)
{
    struct dr_finding *finding = dr_report(comparing->findings, &problems[problem], &place->source);

    dr_finding_text(finding, "variable", place->variable);
    if (place->source.path) {
        dr_finding_path(finding, "file", place->source.path);
        dr_finding_argument(finding, "path", place->source.path);
    }
    dr_finding_argument(finding, "variable", place->variable);
    dr_finding_secret(finding, "value", place->value);
    describe_accepted(finding, comparing->tokens->server);
    if (place->service)
        dr_finding_text(finding, "service", place->service);
    if (place->restart)
        dr_finding_text(finding, "restart", place->restart);
    return finding;
}

/* Values that only differ in white space and the like are token-hygiene's to report. */
static bool differs(const struct comparing *comparing, const struct dr_token_place *place)
{
    return !(place->flaws & DR_FLAW_EMPTY) && strcmp(place->clean, comparing->tokens->server->clean) != 0;
}

/* Who sends this value, and what it comes to. Nobody: the finding is for information. */
static void say_effect(const struct comparing *comparing, struct dr_finding *finding, const char *who)
{
    const struct dr_installs *installs = comparing->installs;

    if (who) {
        dr_finding_text(finding, "effect", dr_format(comparing->context, "%s and get %s.", who, symptom(comparing)));
        return;
    }
    dr_finding_severity(finding, DR_INFO);
    dr_finding_argument(finding, "harmless", "yes"); /* a secret is not written to one more place without need */
    if (installs->rules->client_env_first)
        dr_finding_text(finding, "effect", "Another place hides it today.");
    else
        dr_finding_text(
            finding, "effect",
            dr_format(comparing->context,
                      "OpenClaw %s prefers the configuration, so local commands are not affected; node hosts and "
                      "OPENCLAW_GATEWAY_URL still use it.",
                      dr_release_text(comparing->context, &installs->release)));
}

static const char *sender(const struct comparing *comparing, const struct dr_token_place *place)
{
    if (place == comparing->tokens->client)
        return "openclaw commands started here send it";
    return place == comparing->tokens->service ? "Programs that the gateway starts (agents, cron) send it" : NULL;
}

static void compare_unit(const struct comparing *comparing, const struct dr_token_place *place)
{
    /* It counts from the next start on, whatever the running gateway has. */
    bool used = comparing->installs->rules->client_env_first || place == comparing->tokens->service;

    say_effect(comparing, report(comparing, UNIT_TOKEN_DIFFERS, place),
               used ? "Programs that the gateway starts (agents, cron) send it" : NULL);
}

static void compare_compose(const struct comparing *comparing, const struct dr_token_place *place)
{
    /* Which token a container accepts is known only when it stands in the mounted configuration. */
    if (comparing->tokens->server->kind != DR_PLACE_CONFIG_AUTH)
        return;
    say_effect(comparing, report(comparing, COMPOSE_ENV_DIFFERS, place),
               comparing->installs->rules->client_env_first ? "openclaw commands in the containers send it" : NULL);
}

static void compare(const struct comparing *comparing, const struct dr_token_place *place)
{
    switch (place->kind) {
    case DR_PLACE_ENVIRONMENT:
        say_effect(comparing, report(comparing, ENV_SHADOWS_CONFIG, place), sender(comparing, place));
        break;
    case DR_PLACE_STATE_DOTENV:
    case DR_PLACE_CWD_DOTENV:
    case DR_PLACE_GATEWAY_DOTENV:
        say_effect(comparing, report(comparing, DOTENV_SHADOWS_CONFIG, place), sender(comparing, place));
        break;
    case DR_PLACE_UNIT:
    case DR_PLACE_UNIT_FILE:
        compare_unit(comparing, place);
        break;
    case DR_PLACE_COMPOSE_DOTENV:
        compare_compose(comparing, place);
        break;
    case DR_PLACE_RUNNING:
        say_effect(comparing, report(comparing, RUNNING_GATEWAY_DIFFERS, place), sender(comparing, place));
        break;
    case DR_PLACE_CONFIG_REMOTE:
        (void)report(comparing, REMOTE_DIFFERS, place);
        break;
    case DR_PLACE_CONFIG_AUTH:
    case DR_PLACE_CONFIG_HOOKS:
    case DR_PLACE_KINDS:
        break;
    }
}

static void compare_all(const struct comparing *comparing)
{
    const struct dr_tokens *tokens = comparing->tokens;

    for (size_t i = 0; i < tokens->count; i++) {
        const struct dr_token_place *place = &tokens->places[i];

        if (place != tokens->server && place->password == comparing->password && !place->ignored &&
            differs(comparing, place))
            compare(comparing, place);
    }
    if (!tokens->client) {
        struct dr_finding *finding = dr_report(comparing->findings, &problems[CLIENT_HAS_NONE], &tokens->server->source);

        dr_finding_text(finding, "kind", kind_of(comparing));
        describe_accepted(finding, tokens->server);
        dr_finding_text(finding, "file", tokens->server->source.path ? tokens->server->source.path : "the environment");
    }
}

/* A container's gateway has the value that compose gives it, wherever it runs. */
static bool compose_has_one(const struct comparing *comparing)
{
    const struct dr_tokens *tokens = comparing->tokens;

    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->places[i].kind == DR_PLACE_COMPOSE_DOTENV && tokens->places[i].password == comparing->password &&
            !(tokens->places[i].flaws & DR_FLAW_EMPTY))
            return true;
    return false;
}

static void report_none(const struct comparing *comparing)
{
    const struct dr_tokens *tokens = comparing->tokens;
    const struct dr_source *config = &tokens->config;
    struct dr_finding *finding;

    if (tokens->reference_unset) {
        finding = dr_report(comparing->findings, &problems[REFERENCE_UNSET], config);
        dr_finding_text(finding, "name", tokens->reference_unset);
        dr_finding_text(finding, "kind", kind_of(comparing));
        return;
    }
    if (compose_has_one(comparing) || tokens->secret_reference)
        return;
    finding = dr_report(comparing->findings, &problems[SERVER_HAS_NONE], config);
    dr_finding_text(finding, "kind", kind_of(comparing));
    dr_finding_argument(finding, "variable", "gateway.auth.token");
    if (comparing->password)
        dr_finding_text(finding, "effect", "gateway.auth.mode is password, so the gateway does not start.");
    else if (comparing->installs->rules->generated_token_saved)
        dr_finding_text(finding, "effect",
                        "The gateway makes one at its next start and writes it into the configuration; clients "
                        "elsewhere do not have it.");
    else
        dr_finding_text(finding, "effect", "The gateway makes one for each run, so every client loses it at each restart.");
    if (comparing->password)
        dr_finding_restrict(finding, DR_MANUAL, "a password is for its owner to choose");
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_tokens *tokens = dr_tokens(context);
    struct comparing comparing = {
        .context = context,
        .findings = findings,
        .tokens = tokens,
        .installs = dr_installs(context),
    };

    (void)state;
    for (size_t i = 0; i < tokens->not_read_count; i++)
        dr_could_not_tell(findings, &tokens->not_read[i].source, "%s", tokens->not_read[i].reason);
    if (dr_unknown_fact(findings, &tokens->fact))
        return 0;
    if (tokens->no_config)
        return dr_not_applicable(findings, "there is no configuration yet");
    if (tokens->mode && strcmp(tokens->mode, "remote") == 0)
        return dr_not_applicable(findings, "gateway.mode is remote: the gateway that accepts the token is on another host");
    comparing.password = strcmp(tokens->auth_mode, "password") == 0;
    if (!comparing.password && strcmp(tokens->auth_mode, "token") != 0)
        return dr_not_applicable(findings, "gateway.auth.mode is %s: no token is asked for", tokens->auth_mode);
    if (tokens->server)
        compare_all(&comparing);
    else
        report_none(&comparing);
    return 0;
}

static const char *const tags[] = { "tokens", "offline", NULL };

const struct dr_check dr_check_token_mismatch = {
    .id = "token-mismatch",
    .title = "All places hold the token that the gateway accepts",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
