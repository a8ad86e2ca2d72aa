/*
 * Gives entries back to the gateway's user: those that files-ownership found, judged again by the same function, one by one. Folders and
 * files with one name only; links, devices and other mounts are never in the plan.
 */
#include "api/fixer.h"
#include "api/rights.h"
#include "api/target.h"

#include <stdlib.h>
#include <string.h>

struct restore {
    const struct dr_target *target;
    struct dr_plan *plan;
    const char *below;
    bool full;
};

static bool lies_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* What must be started anew to see that its files are back: a gateway that had stopped over them. */
static const char *restart_for(const char *place)
{
    static const char *const needed[] = { "", "openclaw.json", "state" };

    for (size_t i = 0; place && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (strcmp(place, needed[i]) == 0)
            return "openclaw gateway restart";
    return NULL;
}

static void visit(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct restore *restore = state;
    uint32_t uid, gid;

    if (!lies_below(entry->path, restore->below) || !entry->identity.mode || dr_entry_repairable(entry) != DR_REPAIRABLE ||
        dr_ownership_of(context, entry) != DR_OWNER_WRONG)
        return;
    if (dr_plan_room(restore->plan) == 0) {
        restore->full = true;
        return;
    }
    dr_owner_wanted(context, entry, &uid, &gid);

    struct dr_operation *operation = dr_plan_set_owner(restore->plan, entry->path, &entry->identity, uid, gid);

    operation->summary = dr_format(context, "give it to %s (now %s)", dr_name_of_user(context, uid),
                                   dr_name_of_user(context, entry->identity.uid));
    operation->while_running = DR_GO_AHEAD;
    operation->restart = restart_for(dr_entry_in_state(context, entry));
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const char *below = dr_finding_get(finding, "below");
    const char *tree = dr_finding_get(finding, "tree");
    struct restore restore = { .target = dr_target(context), .plan = plan, .below = below };

    if (!below || !tree)
        return 0;
    if (!restore.target->as_root) {
        dr_plan_refuse(plan, "only root can change owners: run it with sudo");
        return 0;
    }
    int r = dr_tree_walk_whole(context, (enum dr_tree_kind)strtol(tree, NULL, 10), visit, &restore);

    if (restore.full)
        dr_plan_refuse(plan, "these are more files than one plan holds; as root: chown -Rh %u:%u %s", restore.target->uid,
                       restore.target->gid, below);
    return r;
}

const struct dr_fixer dr_fixer_owner_restore = {
    .id = "owner-restore",
    .title = "Give the files back to the user who runs the gateway",
    .plan = plan,
};
