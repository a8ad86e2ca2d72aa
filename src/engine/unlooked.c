#include "api/finding.h"
#include "api/tree.h"

void dr_unlooked_note(struct dr_context *context, struct dr_unlooked *unlooked, const struct dr_entry *entry)
{
    if (unlooked->count < DR_UNLOOKED_NAMED) {
        unlooked->paths[unlooked->count] = dr_strdup(context, entry->path);
        unlooked->reasons[unlooked->count] = entry->unreadable;
    }
    unlooked->count++;
}

void dr_unlooked_tell(struct dr_findings *findings, const struct dr_unlooked *unlooked, const char *folder)
{
    for (size_t i = 0; i < unlooked->count && i < DR_UNLOOKED_NAMED; i++)
        dr_could_not_tell(findings, &(struct dr_source){ .path = unlooked->paths[i] }, "cannot be looked into: %s",
                          unlooked->reasons[i]);
    if (unlooked->count > DR_UNLOOKED_NAMED)
        dr_could_not_tell(findings, &(struct dr_source){ .path = folder }, "%zu more entries cannot be looked into",
                          unlooked->count - DR_UNLOOKED_NAMED);
}
