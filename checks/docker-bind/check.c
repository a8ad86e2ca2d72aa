/*
 * Does the gateway listen where it is asked? gateway.bind, --bind, the default of the release, the published port. Sources: api/binding.h;
 * exit status and texts of a refused start: real gateways of 2026.2.19 (exit 1) and 2026.9.6 (exit 78).
 */
#include "api/check.h"
#include "api/binding.h"
#include "api/config.h"
#include "api/install.h"
#include "api/target.h"
#include "api/tokens.h"

#include <string.h>

enum problem {
    BEHIND_PORT,
    CONTAINER_LOOPBACK,
    VARIABLE_UNREAD,
    WITHOUT_AUTH,
    UNKNOWN_MODE,
    CUSTOM_MISSING,
    CUSTOM_REFUSED,
    OVERRIDDEN,
    COMPOSE_UNREADABLE,
    NOT_TAKEN_IN
};

#define OPENS_IT \
    "whoever reaches the container's network, or the port that it publishes, can then knock; the token is what stops him"

static const struct dr_problem problems[] = {
    [BEHIND_PORT] = {
        .code = "loopback-behind-port",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{published} is published, but the gateway in the container listens on loopback only ({mode}): whoever connects is cut off "
                   "at once (connection reset, empty reply).",
        .advice = "Start it with --bind lan, publish the port as 127.0.0.1:{port}:{port}, and set a token.",
        .fixer = "bind-lan",
        .why = OPENS_IT,
    },
    [CONTAINER_LOOPBACK] = {
        .code = "container-loopback",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "The gateway listens inside this container only ({listens}; {mode}); a published port does not reach it.",
        .advice = "If others are to reach it, start it with --bind lan and set a token; a container that shares the network needs nothing.",
        .fixer = "bind-lan",
        .why = OPENS_IT,
    },
    [VARIABLE_UNREAD] = {
        .code = "variable-unread",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .message = "OPENCLAW_GATEWAY_BIND is \"{variable}\", and OpenClaw does not read it. Compose files hand it on as --bind; nothing here "
                   "does. What counts is {mode}.",
        .advice = "Set gateway.bind, or start the gateway with --bind {variable}.",
    },
    [WITHOUT_AUTH] = {
        .code = "bind-without-auth",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "The gateway does not start: it is to listen on more than loopback ({mode}) without authentication ({auth}). It says "
                   "\"Refusing to bind gateway to {bind} without auth\" and ends with status {status}.",
        .advice = "Set gateway.auth.mode to \"token\" and a token, or gateway.bind to \"loopback\".",
        .fixer = "auth-mode-token",
        .why = "clients need the token from then on, and those that connect without one are locked out",
    },
    [UNKNOWN_MODE] = {
        .code = "bind-unknown",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "\"{bind}\" is no way to bind ({from}): the gateway refuses to start.",
        .advice = "Write loopback, lan, tailnet or auto{custom}.",
    },
    [CUSTOM_MISSING] = {
        .code = "custom-host-missing",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "gateway.bind is \"custom\", and gateway.customBindHost {is}: the gateway refuses to start.",
        .advice = "Write the IPv4 address to listen on into gateway.customBindHost, or set gateway.bind to loopback or lan.",
    },
    [CUSTOM_REFUSED] = {
        .code = "custom-refused",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "The gateway does not start: OpenClaw {release} does not know gateway.customBindHost (\"Unrecognized key\"), and does not "
                   "take gateway.bind \"custom\" without it.",
        .advice = "Set gateway.bind to loopback, lan or tailnet and take gateway.customBindHost out, or update OpenClaw to 2026.2.21 or later.",
    },
    [OVERRIDDEN] = {
        .code = "bind-overridden",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "gateway.bind is \"{configured}\", but {mode} counts.",
        .advice = "Keep one of the two.",
    },
    [NOT_TAKEN_IN] = {
        .code = "bind-not-taken-in",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The gateway still listens on loopback only ({listens}); it was started before {mode} was written.",
        .advice = "Restart it: docker restart, docker compose restart, or openclaw gateway restart.",
    },
    [COMPOSE_UNREADABLE] = {
        .code = "compose-unreadable",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The compose file could not be read as Compose reads it: {trouble}.",
        .advice = "Run `docker compose config` in its folder; it names the line, too.",
    },
};

struct judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_binding *binding;
};

/* The configuration, or the release's default, decides: an edit of gateway.bind helps, where the gateway then starts and asks for a secret. */
static bool can_open(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;
    const struct dr_tokens *tokens = dr_tokens(judging->context);
    const struct dr_rules *rules = dr_installs(judging->context)->rules;
    struct dr_config_value origins;
    bool by_word = binding->configured ? strcmp(binding->configured, binding->mode) != 0
                                       : strcmp(binding->mode_from, "the default") != 0;

    if (by_word || (strcmp(binding->mode, "loopback") != 0 && strcmp(binding->mode, "auto") != 0))
        return false;
    if (rules->origins_required &&
        dr_config_lookup(dr_config(judging->context), "gateway.controlUi.allowedOrigins", &origins) <= 0)
        return false;
    return tokens->fact.state == DR_KNOWN && tokens->auth_mode &&
           (strcmp(tokens->auth_mode, "token") == 0 || strcmp(tokens->auth_mode, "password") == 0);
}

static struct dr_finding *tell(const struct judging *judging, enum problem problem, const struct dr_source *subject)
{
    const struct dr_binding *binding = judging->binding;
    struct dr_finding *finding = dr_report(judging->findings, &problems[problem], subject);

    dr_finding_text(finding, "mode", dr_format(judging->context, "%s: %.40s", binding->mode_from, binding->mode));
    return finding;
}

/* ---- it does not start ---- */

static void judge_mode(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;
    const struct dr_installs *installs = dr_installs(judging->context);
    struct dr_address address;

    if (binding->mode_unknown)
        return;
    if (!binding->mode_known) {
        struct dr_finding *finding = tell(judging, UNKNOWN_MODE, &binding->source);

        dr_finding_text(finding, "bind", dr_format(judging->context, "%.40s", binding->mode));
        dr_finding_text(finding, "from", binding->mode_from);
        dr_finding_word(finding, "custom",
                        installs->rules->custom_bind ? ", or custom; an address goes into gateway.customBindHost" : "");
    } else if (!installs->rules->custom_bind && installs->release_known &&
               (strcmp(binding->mode, "custom") == 0 || binding->custom_host)) {
        struct dr_finding *finding = tell(judging, CUSTOM_REFUSED, &binding->source);

        dr_finding_text(finding, "release", dr_release_text(judging->context, &installs->release));
    } else if (strcmp(binding->mode, "custom") == 0 &&
               (!binding->custom_host || !dr_address_parse(binding->custom_host, &address) || address.family != 4)) {
        struct dr_finding *finding = tell(judging, CUSTOM_MISSING, &binding->source);

        dr_finding_text(finding, "is", binding->custom_host ? "is no IPv4 address" : "is not set");
    }
}

/* NULL: there is some authentication. */
static const char *no_auth(const struct dr_tokens *tokens)
{
    if (strcmp(tokens->auth_mode, "none") == 0)
        return "gateway.auth.mode is \"none\"";
    if (strcmp(tokens->auth_mode, "password") == 0 && !tokens->server && !tokens->secret_reference)
        return "gateway.auth.mode is \"password\", and there is none";
    return NULL;
}

static void judge_auth(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;
    const struct dr_tokens *tokens = dr_tokens(judging->context);
    const char *why;

    if (binding->meant == DR_BIND_LOOPBACK || !binding->mode_known || tokens->fact.state != DR_KNOWN || !tokens->auth_mode)
        return;
    why = no_auth(tokens);
    if (!why)
        return;
    struct dr_finding *finding = tell(judging, WITHOUT_AUTH, &tokens->config);

    if (strcmp(tokens->auth_mode, "none") != 0)
        dr_finding_restrict(finding, DR_MANUAL, NULL);
    dr_finding_text(finding, "auth", why);
    dr_finding_text(finding, "bind", binding->mode);
    dr_finding_number(finding, "status", dr_installs(judging->context)->rules->attribution_required ? 78 : 1);
}

/* ---- it is not reached ---- */

static void judge_port(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;
    bool container = dr_target(judging->context)->in_container;

    if (binding->reach != DR_BIND_LOOPBACK || !binding->mode_known)
        return;
    if (binding->running && binding->meant == DR_BIND_ALL) {
        struct dr_finding *finding = tell(judging, NOT_TAKEN_IN, &binding->source);

        dr_finding_text(finding, "listens", binding->listens);
        return;
    }
    /* Beside a compose file we stand on the host: a gateway that we see on its port is not the one in the container. */
    if (binding->published_count > 0 && (container || !binding->running)) {
        const struct dr_published *published = &binding->published[0];
        struct dr_finding *finding =
            tell(judging, BEHIND_PORT, &(struct dr_source){ .path = published->path, .line = published->line });

        dr_finding_text(finding, "published",
                        dr_format(judging->context, "Port %u", published->port ? published->port : binding->port));
        dr_finding_number(finding, "port", binding->port);
        if (!can_open(judging))
            dr_finding_restrict(finding, DR_MANUAL, NULL);
    } else if (container && binding->running) {
        struct dr_finding *finding = tell(judging, CONTAINER_LOOPBACK, &binding->source);

        dr_finding_text(finding, "listens", binding->listens);
        if (!can_open(judging))
            dr_finding_restrict(finding, DR_MANUAL, NULL);
    }
}

static void judge_words(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;

    if (binding->unread) {
        const struct dr_source *subject = binding->unread_source.path ? &binding->unread_source : &binding->source;
        struct dr_finding *finding = tell(judging, VARIABLE_UNREAD, subject);

        dr_finding_text(finding, "variable", dr_format(judging->context, "%.40s", binding->unread));
    }
    if (binding->configured && strcmp(binding->configured, binding->mode) != 0) {
        struct dr_finding *finding = tell(judging, OVERRIDDEN, &binding->configured_source);

        dr_finding_text(finding, "configured", dr_format(judging->context, "%.40s", binding->configured));
    }
}

/* What compose files leave open, and what in them could not be read. */
static void judge_compose(const struct judging *judging)
{
    const struct dr_binding *binding = judging->binding;

    for (size_t i = 0; i < binding->fault_count; i++) {
        struct dr_finding *finding = dr_report(judging->findings, &problems[COMPOSE_UNREADABLE], &binding->faults[i].source);

        dr_finding_text(finding, "trouble", dr_format(judging->context, "%.200s", binding->faults[i].text));
    }
    for (size_t i = 0; i < binding->doubt_count; i++)
        dr_could_not_tell(judging->findings, &binding->doubts[i].source, "%s", binding->doubts[i].text);
}

static bool is_remote(struct dr_context *context)
{
    const char *mode = dr_tokens(context)->mode;

    return mode && strcmp(mode, "remote") == 0;
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    struct judging judging = { .context = context, .findings = findings, .binding = dr_binding(context) };

    (void)state;
    if (dr_unknown_fact(findings, &judging.binding->fact))
        return 0;
    if (is_remote(context))
        return dr_not_applicable(findings, "gateway.mode is remote: the gateway runs elsewhere");
    judge_mode(&judging);
    judge_auth(&judging);
    judge_port(&judging);
    judge_words(&judging);
    judge_compose(&judging);
    return 0;
}

static const char *const tags[] = { "docker", "gateway", "offline", NULL };

const struct dr_check dr_check_docker_bind = {
    .id = "docker-bind",
    .title = "The gateway listens where it is asked",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
