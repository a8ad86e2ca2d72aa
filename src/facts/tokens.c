/*
 * Which of the places wins. The order of each release is source, not guess: resolveGatewayAuth and resolveGatewayCredentials of
 * 2026.2.19, createGatewayCredentialPlan and resolveLocalGatewayCredentials of 2026.9.6 (facts/openclaw-2026.2.md section 3,
 * openclaw-2026.9.md section 3.5).
 */
#include "api/tokens.h"

#include "api/config.h"
#include "api/install.h"
#include "api/operation.h"
#include "base/cleanup.h"
#include "facts/tokens_places.h"

#include <string.h>

/* Whose environment is meant. */
enum whose { SHELL, GATEWAY };

struct judging {
    const struct dr_token_gathering *gathering;
    const struct dr_rules *rules;
    bool password; /* looks for passwords, else tokens */
};

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

static const struct dr_token_place *first_of(const struct judging *judging, enum dr_token_place_kind kind,
                                             const char *variable)
{
    const struct dr_token_gathering *gathering = judging->gathering;

    for (size_t i = 0; i < gathering->count; i++) {
        const struct dr_token_place *place = &gathering->places[i];

        if (place->kind == kind && place->password == judging->password && !place->ignored &&
            (!variable || strcmp(place->variable, variable) == 0))
            return place;
    }
    return NULL;
}

static const struct dr_token_place *first_set(const struct judging *judging, const enum dr_token_place_kind *kinds,
                                              size_t count, const char *variable)
{
    for (size_t i = 0; i < count; i++) {
        const struct dr_token_place *place = first_of(judging, kinds[i], variable);

        /* A variable that is set to nothing hides those behind it, and counts as not set. */
        if (place)
            return is_blank(place->value) ? NULL : place;
    }
    return NULL;
}

static const struct dr_token_place *variable_of(const struct judging *judging, enum whose whose, const char *variable)
{
    static const enum dr_token_place_kind shell[] = { DR_PLACE_ENVIRONMENT, DR_PLACE_CWD_DOTENV, DR_PLACE_STATE_DOTENV,
                                                      DR_PLACE_GATEWAY_DOTENV };
    static const enum dr_token_place_kind running[] = { DR_PLACE_RUNNING, DR_PLACE_STATE_DOTENV, DR_PLACE_GATEWAY_DOTENV };
    static const enum dr_token_place_kind unit[] = { DR_PLACE_UNIT_FILE, DR_PLACE_UNIT, DR_PLACE_STATE_DOTENV,
                                                     DR_PLACE_GATEWAY_DOTENV };

    if (whose == GATEWAY && judging->gathering->running)
        return first_set(judging, running, DR_COUNT(running), variable);
    if (whose == GATEWAY && judging->gathering->unit)
        return first_set(judging, unit, DR_COUNT(unit), variable);
    /* No service: a gateway would be started from this shell. */
    return first_set(judging, shell, DR_COUNT(shell), variable);
}

static const struct dr_token_place *environment_of(const struct judging *judging, enum whose whose, bool client)
{
    const char *name = judging->password ? "OPENCLAW_GATEWAY_PASSWORD" : "OPENCLAW_GATEWAY_TOKEN";
    const char *old_name = judging->password ? "CLAWDBOT_GATEWAY_PASSWORD" : "CLAWDBOT_GATEWAY_TOKEN";
    const struct dr_token_place *place = variable_of(judging, whose, name);

    /* The server never read the old name. */
    return place || !client || !judging->rules->legacy_names ? place : variable_of(judging, whose, old_name);
}

/* A value of the configuration; from ${NAME} it is what that environment has. */
static const struct dr_token_place *configured(const struct judging *judging, enum whose whose,
                                               enum dr_token_place_kind kind)
{
    const struct dr_token_place *place = first_of(judging, kind, NULL);

    if (place && place->from_env) {
        const struct dr_token_place *there = variable_of(judging, whose, place->from_env);

        if (there)
            return there;
    }
    return place && !is_blank(place->value) ? place : NULL;
}

static const struct dr_token_place *server_of(const struct judging *judging)
{
    const struct dr_token_place *place = configured(judging, GATEWAY, DR_PLACE_CONFIG_AUTH);

    /* Until 2026.8.1 a blank text in the configuration hides the environment. */
    if (place || (!judging->rules->server_reads_remote && first_of(judging, DR_PLACE_CONFIG_AUTH, NULL)))
        return place;
    place = environment_of(judging, GATEWAY, false);
    if (place || !judging->rules->server_reads_remote)
        return place;
    return configured(judging, GATEWAY, DR_PLACE_CONFIG_REMOTE);
}

static const struct dr_token_place *local_client(const struct judging *judging, enum whose whose)
{
    const struct dr_token_place *environment = environment_of(judging, whose, true);
    const struct dr_token_place *config = configured(judging, whose, DR_PLACE_CONFIG_AUTH);
    const struct dr_token_place *first = judging->rules->client_env_first ? environment : config;

    if (first)
        return first;
    first = judging->rules->client_env_first ? config : environment;
    if (first || judging->rules->client_env_first)
        return first;
    return configured(judging, whose, DR_PLACE_CONFIG_REMOTE);
}

static const struct dr_token_place *remote_client(const struct judging *judging, enum whose whose)
{
    const struct dr_token_place *environment = environment_of(judging, whose, true);
    const struct dr_token_place *remote = configured(judging, whose, DR_PLACE_CONFIG_REMOTE);

    if (judging->password)
        return environment ? environment : remote;
    if (remote || !judging->rules->remote_reads_others)
        return remote;
    return environment ? environment : configured(judging, whose, DR_PLACE_CONFIG_AUTH);
}

static const char *config_text(struct dr_context *context, const char *path)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), path, &value) > 0 && value.type == DR_VALUE_STRING ? value.text : NULL;
}

/* Flag > configuration > a password is there > token. The flag of a running gateway is not known. */
static const char *auth_mode_of(struct dr_context *context, const struct judging *judging)
{
    struct judging passwords = *judging;
    const char *mode = config_text(context, "gateway.auth.mode");

    passwords.password = true;
    if (mode && mode[0])
        return mode;
    return server_of(&passwords) ? "password" : "token";
}

/* gateway.auth says ${NAME}, and nothing that the gateway starts with sets it. */
static const char *unset_reference(struct dr_context *context, const struct judging *judging)
{
    const char *path = judging->password ? "gateway.auth.password" : "gateway.auth.token";
    struct dr_config_value value;

    if (dr_config_lookup(dr_config(context), path, &value) != -ENODATA || !value.from_env)
        return NULL;
    return variable_of(judging, GATEWAY, value.from_env) ? NULL : value.from_env;
}

/* gateway.auth.token, or the innermost part of it that is there. */
static struct dr_source auth_source(struct dr_context *context)
{
    static const char *const paths[] = { "gateway.auth.token", "gateway.auth", "gateway" };
    const struct dr_config *config = dr_config(context);
    struct dr_config_value value;

    for (size_t i = 0; i < DR_COUNT(paths); i++) {
        int r = dr_config_lookup(config, paths[i], &value);

        if (r > 0 || r == -ENODATA)
            return value.source;
    }
    return (struct dr_source){ .path = config->path };
}

static bool is_secret_reference(struct dr_context *context, const struct judging *judging)
{
    const char *path = judging->password ? "gateway.auth.password" : "gateway.auth.token";
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), path, &value) > 0 && value.type == DR_VALUE_OBJECT;
}

static void judge(struct dr_context *context, const struct dr_token_gathering *gathering, struct dr_tokens *tokens)
{
    struct judging judging = { .gathering = gathering, .rules = gathering->rules };

    tokens->mode = config_text(context, "gateway.mode");
    tokens->auth_mode = auth_mode_of(context, &judging);
    judging.password = strcmp(tokens->auth_mode, "password") == 0;
    tokens->config = auth_source(context);
    tokens->no_config = dr_config(context)->fact.state == DR_ABSENT;
    tokens->secret_reference = is_secret_reference(context, &judging);
    if (tokens->mode && strcmp(tokens->mode, "remote") == 0) {
        tokens->client = remote_client(&judging, SHELL);
        return;
    }
    tokens->client = local_client(&judging, SHELL);
    tokens->reference_unset = unset_reference(context, &judging);
    if (strcmp(tokens->auth_mode, "token") != 0 && !judging.password)
        return;
    tokens->server = server_of(&judging);
    if (gathering->running || gathering->unit)
        tokens->service = local_client(&judging, GATEWAY);
}

const struct dr_tokens *dr_tokens(struct dr_context *context)
{
    if (context->tokens)
        return context->tokens;

    struct dr_tokens *tokens = dr_alloc(context, sizeof(*tokens));
    struct dr_token_gathering gathering = {
        .context = context,
        .rules = dr_installs(context)->rules,
        .places = dr_alloc(context, DR_MOST_TOKEN_PLACES * sizeof(struct dr_token_place)),
        .not_read = dr_alloc(context, DR_MOST_TOKEN_UNREAD * sizeof(struct dr_token_unread)),
    };
    const struct dr_config *config = dr_config(context);

    dr_tokens_from_config(&gathering);
    dr_tokens_from_environment(&gathering);
    dr_tokens_from_dotenvs(&gathering);
    dr_tokens_from_services(&gathering);
    dr_tokens_from_compose(&gathering);
    dr_tokens_from_gateway(&gathering);
    tokens->places = gathering.places;
    tokens->count = gathering.count;
    tokens->not_read = gathering.not_read;
    tokens->not_read_count = gathering.not_read_count;
    if (config->fact.state == DR_UNKNOWN) {
        tokens->fact = config->fact;
    } else {
        tokens->fact.state = DR_KNOWN;
        judge(context, &gathering, tokens);
    }
    context->tokens = tokens;
    return tokens;
}

const struct dr_token_place *dr_token_at(const struct dr_tokens *tokens, const char *path, const char *variable)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct dr_token_place *place = &tokens->places[i];
        bool same_path = path && place->source.path ? strcmp(path, place->source.path) == 0 : path == place->source.path;

        if (same_path && !place->ignored && strcmp(place->variable, variable) == 0)
            return place;
    }
    return NULL;
}

const char *dr_token_not_copyable(const struct dr_token_place *from)
{
    /* Neither JSON, dotenv nor systemd sees anything in these but themselves. */
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=:@,";

    if (!from->sha256 || from->kind == DR_PLACE_RUNNING)
        return "the accepted value does not stand in a file";
    if (from->value_length == 0)
        return "the accepted value is not written verbatim in its file";
    return from->value[strspn(from->value, plain)] == '\0' ? NULL : "the accepted value has characters that need quoting";
}

void dr_token_copy(const struct dr_token_place *from, const struct dr_token_place *to, struct dr_edit *ret_edit)
{
    *ret_edit = (struct dr_edit){
        .offset = to->value_offset,
        .length = to->value_length,
        .from = {
            .kind = DR_FROM_FILE,
            .path = from->source.path,
            .sha256 = from->sha256,
            .offset = from->value_offset,
            .length = from->value_length,
        },
    };
}
