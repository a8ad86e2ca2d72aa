/*
 * gateway.auth.mode "none", or no mode at all that OpenClaw knows, becomes "token". Where no token is set, the executor makes one: 48 random hex
 * digits, as OpenClaw itself does; it stands in no plan.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/tokens.h"

#include <errno.h>
#include <string.h>

/* The configuration's own token: a text with something in it, or a reference to a secret store. */
static bool has_token(struct dr_context *context)
{
    struct dr_config_value token;
    int r = dr_config_lookup(dr_config(context), "gateway.auth.token", &token);

    return r == -ENODATA || (r > 0 && (token.type != DR_VALUE_STRING || (token.text && *token.text)));
}

/* The mode's own text, and behind it a member for the token. */
static void set_mode(struct dr_context *context, const struct dr_config_value *mode, bool with_token, struct dr_plan *plan)
{
    static const char before[] = "\"token\", \"token\": \"", word[] = "\"token\"";
    const struct dr_config_file *file = mode->file;
    uint64_t end = mode->offset + mode->length;
    struct dr_edit edits[] = {
        { .offset = mode->offset,
          .length = mode->length,
          .text = with_token ? before : word,
          .text_length = with_token ? sizeof(before) - 1 : sizeof(word) - 1 },
        { .offset = end, .from.kind = DR_NEW_TOKEN },
        { .offset = end, .text = "\"", .text_length = 1 },
    };
    struct dr_operation *operation =
        dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, edits, with_token ? 3 : 1);

    operation->summary =
        dr_format(context, "set gateway.auth.mode to \"token\"%s in %s", with_token ? " with a new token" : "", file->path);
    operation->while_running = DR_GO_AHEAD;
    operation->restart = "openclaw gateway restart";
}

static int plan_mode(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    struct dr_config_value mode, token;
    int there = dr_config_lookup(dr_config(context), "gateway.auth.token", &token);

    (void)finding;
    if (dr_config_lookup(dr_config(context), "gateway.auth.mode", &mode) <= 0 || mode.type != DR_VALUE_STRING) {
        dr_plan_refuse(plan, "gateway.auth.mode is not there any more");
        return 0;
    }
    if (strcmp(mode.text, "token") == 0) {
        dr_plan_refuse(plan, "the mode is \"token\" by now");
        return 0;
    }
    bool needed = !has_token(context) && !dr_tokens(context)->server;

    if (needed && there != 0) {
        dr_plan_refuse(plan, "gateway.auth.token stands there empty; put a token in first");
        return 0;
    }
    set_mode(context, &mode, needed, plan);
    return 0;
}

const struct dr_fixer dr_fixer_auth_mode_token = {
    .id = "auth-mode-token",
    .title = "Let the gateway ask for a token",
    .plan = plan_mode,
};
