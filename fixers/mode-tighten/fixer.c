/*
 * Takes from group and others what they should not have; where the owner's own bits are missing, adds those and no others. The same
 * function that found the entries judges each again.
 */
#include "api/fixer.h"
#include "api/rights.h"
#include "api/target.h"
#include "api/tokens.h"

#include <stdlib.h>
#include <string.h>

struct tighten {
    struct dr_plan *plan;
    enum dr_mode_fault fault;
    bool full;
};

static void visit(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct tighten *tighten = state;
    const struct dr_target *target = dr_target(context);
    uint32_t mode = 0;

    if (!entry->identity.mode || dr_entry_repairable(entry) != DR_REPAIRABLE ||
        dr_mode_fault_of(context, entry, &mode) != tighten->fault || !dr_mode_keeps_use(context, entry, mode))
        return;
    if (!target->as_root && entry->identity.uid != target->running_uid)
        return;
    if (dr_plan_room(tighten->plan) == 0) {
        tighten->full = true;
        return;
    }
    struct dr_operation *operation = dr_plan_set_mode(tighten->plan, entry->path, &entry->identity, mode);

    operation->summary = dr_format(context, "mode %04o instead of %04o", mode, entry->identity.mode & 07777);
    operation->while_running = DR_GO_AHEAD;
}

/* A file outside the state directory that holds a token: others lose their rights, a group (docker, say) keeps its own. */
static void close_token_file(struct dr_context *context, const char *path, struct dr_plan *plan)
{
    const struct dr_tokens *tokens = dr_tokens(context);

    for (size_t i = 0; i < tokens->count; i++) {
        const struct dr_token_place *place = &tokens->places[i];

        if (!place->source.path || strcmp(place->source.path, path) != 0)
            continue;
        uint32_t mode = place->identity.mode & 07777;
        struct dr_operation *operation = dr_plan_set_mode(plan, path, &place->identity, mode & ~07U);

        operation->summary = dr_format(context, "mode %04o instead of %04o", mode & ~07U, mode);
        operation->while_running = DR_GO_AHEAD;
        return;
    }
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *fault = dr_finding_get(finding, "fault");
    const char *path = dr_finding_get(finding, "path");
    struct tighten tighten = { .plan = plan };

    if (path)
        close_token_file(context, path, plan);
    if (!fault)
        return 0;
    tighten.fault = (enum dr_mode_fault)strtol(fault, NULL, 10);

    int r = dr_tree_walk_whole(context, DR_TREE_STATE, visit, &tighten);

    if (tighten.full)
        dr_plan_refuse(plan, "these are more files than one plan holds; repair them with: chmod -R go-rwx %s",
                       dr_target(context)->state_dir);
    return r;
}

const struct dr_fixer dr_fixer_mode_tighten = {
    .id = "mode-tighten",
    .title = "Close files to others",
    .plan = plan,
};
