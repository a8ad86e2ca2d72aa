/*
 * Gives the losing place the value that the gateway accepts. The value travels as a reference to the file that holds it: no plan and
 * no journal has the secret. Where the other value does no harm, nothing is written: a secret belongs in as few places as can be.
 */
#include "api/fixer.h"
#include "api/tokens.h"

static int plan_align(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_tokens *tokens = dr_tokens(context);
    const struct dr_token_place *accepted = tokens->server;
    const struct dr_token_place *place =
        dr_token_at(tokens, dr_finding_get(finding, "path"), dr_finding_get(finding, "variable"));
    const char *why = NULL;

    if (!accepted || !place || place == accepted)
        why = "the place is not there any more";
    else if (dr_finding_get(finding, "harmless"))
        why = "it does no harm today; take the line out by hand when nothing needs it";
    else
        why = place->not_editable ? place->not_editable : dr_token_not_copyable(accepted);
    if (why) {
        dr_plan_refuse(plan, "%s", why);
        return 0;
    }
    struct dr_edit edit;

    dr_token_copy(accepted, place, &edit);

    struct dr_operation *operation = dr_plan_edit_file(plan, place->source.path, &place->identity, place->sha256, &edit, 1);

    operation->summary =
        dr_format(context, "give %s in %s the value of %s", place->variable, place->source.path, accepted->variable);
    operation->while_running = DR_GO_AHEAD;
    operation->restart = place->kind == DR_PLACE_COMPOSE_DOTENV ? "docker compose up -d" : place->restart;
    return 0;
}

const struct dr_fixer dr_fixer_token_align = {
    .id = "token-align",
    .title = "Give the place the value that the gateway accepts",
    .plan = plan_align,
};
