#include "facts/live_connect.h"

#include "api/install.h"
#include "api/tokens.h"
#include "facts/live_identity.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { OLDEST_PROTOCOL = 3, NEWEST_PROTOCOL = 4, MOST_SCOPES = 64 };

static const char request_id[] = "openclaw-doctor";

/* What the CLI of these releases asks for. */
static const char *const cli_scopes[] = { "operator.admin", "operator.approvals", "operator.pairing",
                                          "operator.read",  "operator.write",     NULL };

/* A client drops white space around its token; the gateway does so since 2026.8.1. */
static const char *as_client_sends(const struct dr_token_place *place)
{
    return place->clean && !(place->flaws & (DR_FLAW_QUOTES | DR_FLAW_INVISIBLE)) ? place->clean : place->value;
}

static const char *as_server_takes(struct dr_context *context, const struct dr_token_place *place)
{
    return dr_installs(context)->rules->token_trimmed ? as_client_sends(place) : place->value;
}

/* NULL: `ret_secret` (NULL: none is needed) may be sent; else why it is not. */
static const char *choose_secret(struct dr_context *context, const struct dr_token_place **ret_secret)
{
    const struct dr_tokens *tokens = dr_tokens(context);

    *ret_secret = NULL;
    if (tokens->fact.state != DR_KNOWN)
        return "the configuration could not be read, so nobody knows which token is right";
    if (tokens->auth_mode && strcmp(tokens->auth_mode, "none") == 0)
        return NULL;
    if (tokens->auth_mode && strcmp(tokens->auth_mode, "trusted-proxy") == 0)
        return "auth.mode is trusted-proxy: the proxy says who the user is";
    if (tokens->secret_reference || !tokens->server)
        return "which token or password the gateway accepts cannot be told from here";
    if (!tokens->client)
        return "a local client has no token or password to send";
    if (tokens->client->password != tokens->server->password ||
        strcmp(as_client_sends(tokens->client), as_server_takes(context, tokens->server)) != 0)
        return "a local client would send another token than the gateway accepts (see token-mismatch), and wrong ones are "
               "counted";
    *ret_secret = tokens->client;
    return NULL;
}

static bool add_list(cJSON *object, const char *name, const char *const *list)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);

    for (; array && list && *list; list++)
        if (!cJSON_AddItemToArray(array, cJSON_CreateString(*list)))
            return false;
    return array != NULL;
}

static bool add_client(struct dr_context *context, cJSON *params, const struct dr_signer *signer)
{
    const struct dr_installs *installs = dr_installs(context);
    cJSON *client = cJSON_AddObjectToObject(params, "client");

    return client && cJSON_AddStringToObject(client, "id", signer ? signer->client_id : "cli") &&
           cJSON_AddStringToObject(client, "mode", signer ? signer->client_mode : "cli") &&
           cJSON_AddStringToObject(client, "version",
                                   installs->release.year > 0 ? dr_release_text(context, &installs->release) : DR_VERSION) &&
           cJSON_AddStringToObject(client, "platform", signer ? signer->platform : "linux") &&
           (!signer || !*signer->device_family || cJSON_AddStringToObject(client, "deviceFamily", signer->device_family));
}

static bool add_params(struct dr_context *context, cJSON *params, const struct dr_token_place *secret,
                       const struct dr_signer *signer)
{
    if (!cJSON_AddNumberToObject(params, "minProtocol", OLDEST_PROTOCOL) ||
        !cJSON_AddNumberToObject(params, "maxProtocol", NEWEST_PROTOCOL) || !add_client(context, params, signer) ||
        !cJSON_AddStringToObject(params, "role", "operator") ||
        !add_list(params, "scopes", signer ? signer->scopes : cli_scopes))
        return false;
    if (!secret)
        return true;

    cJSON *auth = cJSON_AddObjectToObject(params, "auth");

    return auth && cJSON_AddStringToObject(auth, secret->password ? "password" : "token", as_client_sends(secret));
}

static bool add_device(cJSON *params, const struct dr_signer *signer, const struct dr_signature *signature)
{
    cJSON *device = cJSON_AddObjectToObject(params, "device");

    return device && cJSON_AddStringToObject(device, "id", signer->device_id) &&
           cJSON_AddStringToObject(device, "publicKey", signer->public_key) &&
           cJSON_AddStringToObject(device, "signature", signature->text) &&
           cJSON_AddNumberToObject(device, "signedAt", (double)signature->signed_at_ms) &&
           cJSON_AddStringToObject(device, "nonce", signature->nonce);
}

static const char *build(struct dr_context *context, const struct dr_token_place *secret, const struct dr_signer *signer,
                         const struct dr_signature *signature)
{
    cJSON *json = cJSON_CreateObject();
    const char *kept = NULL;
    char *text = NULL;
    cJSON *params;

    if (json && cJSON_AddStringToObject(json, "type", "req") && cJSON_AddStringToObject(json, "id", request_id) &&
        cJSON_AddStringToObject(json, "method", "connect") && (params = cJSON_AddObjectToObject(json, "params")) &&
        add_params(context, params, secret, signer) && (!signer || add_device(params, signer, signature)))
        text = cJSON_PrintUnformatted(json);
    if (text)
        kept = dr_strdup(context, text);
    cJSON_free(text);
    cJSON_Delete(json);
    return kept;
}

const char *dr_connect_request(struct dr_context *context, const struct dr_live_place *place, const char *nonce,
                               int64_t ts_ms, int64_t now_ms, struct dr_connect_answer *answer)
{
    const struct dr_token_place *secret;
    struct dr_signature signature = { .nonce = nonce };
    struct dr_signer signer;
    bool by_identity = context->request->deep == DR_DEEP_IDENTITY;
    const char *request;

    (void)place;
    answer->not_tried_why = choose_secret(context, &secret);
    if (answer->not_tried_why)
        return NULL;
    if (by_identity) {
        answer->not_tried_why = dr_live_signer(context, &signer);
        if (answer->not_tried_why)
            return NULL;
        signature.signed_at_ms = dr_installs(context)->rules->client_signs_server_time ? ts_ms : now_ms;
        answer->not_tried_why =
            dr_live_sign(context, &signer, secret && !secret->password ? as_client_sends(secret) : "", &signature);
        if (answer->not_tried_why)
            return NULL;
    }
    request = build(context, secret, by_identity ? &signer : NULL, &signature);
    if (!request)
        answer->not_tried_why = "out of memory";
    return request;
}

static const char *text_at(struct dr_context *context, const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(item) ? dr_strndup(context, item->valuestring, strnlen(item->valuestring, 500)) : NULL;
}

static const char *const *texts_at(struct dr_context *context, const cJSON *object, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name);
    const char **texts = dr_alloc(context, (MOST_SCOPES + 1) * sizeof(*texts));
    const cJSON *item;
    size_t count = 0;

    cJSON_ArrayForEach (item, list)
        if (cJSON_IsString(item) && count < MOST_SCOPES)
            texts[count++] = dr_strdup(context, item->valuestring);
    return texts;
}

static void take_hello(struct dr_context *context, const cJSON *payload, struct dr_connect_answer *answer)
{
    const cJSON *protocol = cJSON_GetObjectItemCaseSensitive(payload, "protocol");
    const cJSON *auth = cJSON_GetObjectItemCaseSensitive(payload, "auth");

    answer->ok = true;
    answer->protocol = cJSON_IsNumber(protocol) ? (unsigned)protocol->valueint : 0;
    answer->server_version = text_at(context, cJSON_GetObjectItemCaseSensitive(payload, "server"), "version");
    answer->method = text_at(context, auth, "method");
    answer->scopes = texts_at(context, auth, "scopes");
    dr_secret_known(context, text_at(context, auth, "deviceToken"));
}

bool dr_connect_take_answer(struct dr_context *context, const char *message, struct dr_connect_answer *answer)
{
    cJSON *json = cJSON_Parse(message);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    bool is_answer = cJSON_IsString(id) && strcmp(id->valuestring, request_id) == 0;

    if (is_answer && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "ok"))) {
        take_hello(context, cJSON_GetObjectItemCaseSensitive(json, "payload"), answer);
    } else if (is_answer) {
        answer->code = text_at(context, error, "code");
        answer->message = text_at(context, error, "message");
        answer->detail_code = text_at(context, cJSON_GetObjectItemCaseSensitive(error, "details"), "code");
    }
    cJSON_Delete(json);
    return is_answer;
}
