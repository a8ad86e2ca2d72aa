#include "engine/plan.h"

#include "api/config.h"

#include <errno.h>

struct dr_operation *dr_plan_edit_config(struct dr_plan *plan, const struct dr_config_edits *edits)
{
    const struct dr_config_file *file = edits->file;
    struct dr_operation *operation =
        dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, edits->list, edits->count);

    operation->while_running = DR_GO_AHEAD;
    return operation;
}

static const char *joined(struct dr_context *context, const char *const *texts, size_t count)
{
    const char *all = texts[0];

    for (size_t i = 1; i < count; i++)
        all = dr_format(context, "%s, %s", all, texts[i]);
    return all;
}

struct dr_operation *dr_plan_append_config(struct dr_plan *plan, const char *path, const char *const *texts, size_t count)
{
    struct dr_config_edits edits;
    int r = dr_config_append_all(plan->context, path, texts, count, &edits);
    const char *all = joined(plan->context, texts, count);

    if (r == -EIO)
        dr_plan_refuse(plan, "there is no configuration that could be edited");
    else if (r == -ENOTSUP)
        dr_plan_refuse(plan, "%s is not a plain list in one file; add %s by hand", path, all);
    else if (r < 0)
        dr_plan_refuse(plan, "%s cannot be put into %s by an edit; add it by hand", all, path);
    if (r < 0)
        return NULL;
    struct dr_operation *operation = dr_plan_edit_config(plan, &edits);

    operation->summary = dr_format(plan->context, "put %s into %s in %s", all, path, edits.file->path);
    return operation;
}
