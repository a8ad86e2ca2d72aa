/*
 * Puts a new token where there is none, or where a placeholder or a reused one stands. The executor makes it: 48 random hex digits, as
 * OpenClaw's own.
 */
#include "api/fixer.h"
#include "api/config.h"
#include "api/tokens.h"

#include <string.h>

static const struct dr_edit new_token = { .from.kind = DR_NEW_TOKEN };

static void finish(struct dr_context *context, struct dr_operation *operation, const struct dr_token_place *place,
                   const char *variable)
{
    operation->summary = dr_format(context, "put a new token into %s; give it to every client that uses it", variable);
    operation->while_running = DR_GO_AHEAD;
    operation->restart = place ? place->restart : NULL;
}

/* A placeholder in a place that clients read: there the accepted value belongs, not another new one. */
static void copy_accepted(struct dr_context *context, const struct dr_token_place *place,
                          const struct dr_token_place *accepted, struct dr_plan *plan)
{
    const char *why = dr_token_not_copyable(accepted);
    struct dr_edit edit;

    if (why || (accepted->flaws & DR_FLAW_SENTINEL)) {
        dr_plan_refuse(plan, "%s", why ? why : "the gateway's own value is a placeholder; that one comes first");
        return;
    }
    dr_token_copy(accepted, place, &edit);

    struct dr_operation *operation = dr_plan_edit_file(plan, place->source.path, &place->identity, place->sha256, &edit, 1);

    operation->summary =
        dr_format(context, "give %s in %s the value of %s", place->variable, place->source.path, accepted->variable);
    operation->while_running = DR_GO_AHEAD;
    operation->restart = place->restart;
}

static void renew_place(struct dr_context *context, const struct dr_tokens *tokens, const struct dr_token_place *place,
                        struct dr_plan *plan)
{
    bool own = place->kind == DR_PLACE_CONFIG_HOOKS || place->kind == DR_PLACE_CONFIG_AUTH || place == tokens->server;
    struct dr_edit edit = new_token;

    if (place->not_editable) {
        dr_plan_refuse(plan, "%s", place->not_editable);
        return;
    }
    if (place->password) {
        dr_plan_refuse(plan, "a password is for its owner to choose");
        return;
    }
    if (!own) {
        if (tokens->server)
            copy_accepted(context, place, tokens->server, plan);
        else
            dr_plan_refuse(plan, "the token that the other gateway accepts is not known here");
        return;
    }
    edit.offset = place->value_offset;
    edit.length = place->value_length;
    finish(context, dr_plan_edit_file(plan, place->source.path, &place->identity, place->sha256, &edit, 1), place,
           place->variable);
}

/* White space behind the opening bracket, so that a new first member looks like its neighbours. */
static const char *indent_of(struct dr_context *context, const struct dr_config_value *object)
{
    const char *inside = object->file->bytes + object->offset + 1;

    return dr_strndup(context, inside, strspn(inside, " \t\r\n"));
}

/* Inserts `before`, the new token and `after` as the first member of an object. */
static void insert_member(struct dr_context *context, const struct dr_config_value *object, const char *before,
                          const char *after, struct dr_plan *plan)
{
    const struct dr_config *config = dr_config(context);
    const struct dr_config_file *file = object->file;
    struct dr_config_value child;
    bool empty = !dr_config_first(config, object, &child);
    const char *front = dr_format(context, "%s%s", empty ? "" : indent_of(context, object), before);
    const char *back = dr_format(context, "%s%s", after, empty ? "" : ",");
    uint64_t at = object->offset + 1;
    struct dr_edit edits[] = {
        { .offset = at, .text = front, .text_length = strlen(front) },
        { .offset = at, .from.kind = DR_NEW_TOKEN },
        { .offset = at, .text = back, .text_length = strlen(back) },
    };

    finish(context, dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, edits, 3), NULL,
           "gateway.auth.token");
}

static void replace_value(struct dr_context *context, const struct dr_config_value *value, struct dr_plan *plan)
{
    const struct dr_config_file *file = value->file;
    uint64_t end = value->offset + value->length;
    struct dr_edit edits[] = {
        { .offset = value->offset, .length = value->length, .text = "\"", .text_length = 1 },
        { .offset = end, .from.kind = DR_NEW_TOKEN },
        { .offset = end, .text = "\"", .text_length = 1 },
    };

    finish(context, dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, edits, 3), NULL,
           "gateway.auth.token");
}

/* There is no gateway.auth.token: it is put into the innermost object that is there. */
static void add_token(struct dr_context *context, struct dr_plan *plan)
{
    static const struct {
        const char *path, *before, *after;
    } rows[] = {
        { "gateway.auth", "\"token\": \"", "\"" },
        { "gateway", "\"auth\": { \"mode\": \"token\", \"token\": \"", "\" }" },
        { "", "\"gateway\": { \"auth\": { \"mode\": \"token\", \"token\": \"", "\" } }" },
    };
    const struct dr_config *config = dr_config(context);
    struct dr_config_value value;
    int there = dr_config_lookup(config, "gateway.auth.token", &value);

    if (there > 0 && (value.type == DR_VALUE_STRING || value.type == DR_VALUE_NULL)) {
        replace_value(context, &value, plan);
        return;
    }
    for (size_t i = 0; there == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        int r = dr_config_lookup(config, rows[i].path, &value);

        if (r > 0 && value.type == DR_VALUE_OBJECT && value.file) {
            insert_member(context, &value, rows[i].before, rows[i].after, plan);
            return;
        }
        if (r != 0)
            break;
    }
    dr_plan_refuse(plan, "gateway.auth is not written in a way that a token can be added to");
}

static int plan_renew(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_tokens *tokens = dr_tokens(context);
    const char *path = dr_finding_get(finding, "path");
    const struct dr_token_place *place;

    if (!path) {
        if (tokens->fact.state == DR_KNOWN && !tokens->server)
            add_token(context, plan);
        else
            dr_plan_refuse(plan, "a token is set by now");
        return 0;
    }
    place = dr_token_at(tokens, path, dr_finding_get(finding, "variable"));
    if (place)
        renew_place(context, tokens, place, plan);
    else
        dr_plan_refuse(plan, "the place is not there any more");
    return 0;
}

const struct dr_fixer dr_fixer_token_renew = {
    .id = "token-renew",
    .title = "Put a new token in its place",
    .plan = plan_renew,
};
