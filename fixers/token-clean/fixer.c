/*
 * Deletes the characters that do not belong to a token: white space around it, invisible characters, quotes that became part of it.
 * Every byte that stays is not touched.
 */
#include "api/fixer.h"
#include "api/tokens.h"

#include <string.h>

/* The bytes of the value that `clean` has not. `clean` is what is left of the value, in the same order. */
static size_t deletions(const struct dr_token_place *place, struct dr_edit *edits)
{
    const char *kept = place->clean;
    size_t count = 0;
    bool deleting = false;

    for (uint64_t i = 0; i < place->value_length; i++) {
        if (*kept != '\0' && place->value[i] == *kept) {
            kept++;
            deleting = false;
            continue;
        }
        if (!deleting)
            edits[count++] = (struct dr_edit){ .offset = place->value_offset + i };
        edits[count - 1].length++;
        deleting = true;
    }
    return count;
}

static int plan_clean(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_token_place *place =
        dr_token_at(dr_tokens(context), dr_finding_get(finding, "path"), dr_finding_get(finding, "variable"));

    if (!place || place->not_editable) {
        dr_plan_refuse(plan, "%s", place ? place->not_editable : "the place is not there any more");
        return 0;
    }
    if (strlen(place->value) != place->value_length) {
        dr_plan_refuse(plan, "the value is not written verbatim in its file");
        return 0;
    }
    if (place->clean[0] == '\0') {
        dr_plan_refuse(plan, "nothing of the value would be left");
        return 0;
    }
    struct dr_edit *edits = dr_alloc(context, place->value_length * sizeof(*edits));
    size_t count = deletions(place, edits);

    if (count == 0) {
        dr_plan_refuse(plan, "there is nothing to remove any more");
        return 0;
    }
    struct dr_operation *operation =
        dr_plan_edit_file(plan, place->source.path, &place->identity, place->sha256, edits, count);

    operation->summary = dr_format(context, "remove what does not belong to %s in %s", place->variable, place->source.path);
    operation->while_running = DR_GO_AHEAD;
    operation->restart = place->restart;
    return 0;
}

const struct dr_fixer dr_fixer_token_clean = {
    .id = "token-clean",
    .title = "Remove white space, quotes and invisible characters from the token",
    .plan = plan_clean,
};
