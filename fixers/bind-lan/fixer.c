/*
 * gateway.bind becomes "lan": the gateway listens on all addresses of its host or container. Only where it asks everybody for a token or a password
 * already; the authentication itself is not touched.
 */
#include "api/fixer.h"
#include "api/binding.h"
#include "api/config.h"
#include "api/install.h"
#include "api/tokens.h"

#include <errno.h>
#include <string.h>

/* What it will ask for: in the configuration or the gateway's environment, or what a compose file hands to its container. */
static bool asks_for_a_secret(const struct dr_tokens *tokens)
{
    bool password = tokens->auth_mode && strcmp(tokens->auth_mode, "password") == 0;

    if (tokens->fact.state != DR_KNOWN || !tokens->auth_mode || (!password && strcmp(tokens->auth_mode, "token") != 0))
        return false;
    if (tokens->secret_reference || (tokens->server && !(tokens->server->flaws & (DR_FLAW_EMPTY | DR_FLAW_SENTINEL))))
        return true;
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->places[i].kind == DR_PLACE_COMPOSE_DOTENV && tokens->places[i].password == password &&
            !(tokens->places[i].flaws & (DR_FLAW_EMPTY | DR_FLAW_SENTINEL)))
            return true;
    return false;
}

/* Early releases send their own commands to the LAN address then, and refuse that without TLS (failure-modes.md row 35). */
static const char *own_commands(struct dr_context *context)
{
    if (dr_installs(context)->rules->container_binds_all)
        return "";
    return dr_format(context, "; openclaw commands beside it then want --url ws://127.0.0.1:%u and --token",
                     dr_binding(context)->port);
}

static int plan_bind(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_binding *binding = dr_binding(context);
    struct dr_config_edits edits;

    (void)finding;
    if (!asks_for_a_secret(dr_tokens(context))) {
        dr_plan_refuse(
            plan,
            "the gateway has no token or password to ask for; set one first (openclaw doctor --generate-gateway-token)");
        return 0;
    }
    if (binding->configured && strcmp(binding->configured, "loopback") != 0 && strcmp(binding->configured, "auto") != 0) {
        dr_plan_refuse(plan, "gateway.bind is \"%.40s\" by now", binding->configured);
        return 0;
    }
    int r = dr_config_put(context, "gateway.bind", "\"lan\"", &edits);

    if (r < 0) {
        dr_plan_refuse(plan, "%s",
                       r == -EIO ? "there is no configuration that could be edited"
                                 : "gateway.bind cannot be put into the configuration by an edit; write it by hand");
        return r == -ENOMEM ? r : 0;
    }
    struct dr_operation *operation =
        dr_plan_edit_file(plan, edits.file->path, &edits.file->identity, edits.file->sha256, edits.list, edits.count);

    operation->summary = dr_format(context, "set gateway.bind to \"lan\" in %s%s", edits.file->path, own_commands(context));
    operation->while_running = DR_GO_AHEAD;
    operation->restart = "restart the container (docker restart, docker compose restart)";
    return 0;
}

const struct dr_fixer dr_fixer_bind_lan = {
    .id = "bind-lan",
    .title = "Let the gateway listen on all addresses of its container",
    .plan = plan_bind,
};
