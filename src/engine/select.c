#include "engine/select.h"

#include "api/registry.h"

#include <string.h>

/* "files-modes" names the check; "files-modes/open-to-others" one problem of it. */
static bool names_check(const char *wanted, const struct dr_check *check)
{
    size_t length = strlen(check->id);

    return strncmp(wanted, check->id, length) == 0 && (wanted[length] == '\0' || wanted[length] == '/');
}

static bool has_tag(const struct dr_check *check, const char *tag)
{
    for (const char *const *own = check->tags; own && *own; own++)
        if (strcmp(*own, tag) == 0)
            return true;
    return false;
}

bool dr_selection_takes_check(const struct dr_selection *selection, const struct dr_check *check)
{
    bool taken = !selection->only && !selection->tags;

    for (const char *const *only = selection->only; only && *only; only++)
        taken = taken || names_check(*only, check);
    for (const char *const *tag = selection->tags; tag && *tag; tag++)
        taken = taken || has_tag(check, *tag);
    for (const char *const *skip = selection->skip; skip && *skip; skip++)
        if (strcmp(*skip, check->id) == 0 || has_tag(check, *skip))
            return false;
    return taken;
}

bool dr_selection_takes_problem(const struct dr_selection *selection, const struct dr_check *check, const char *code)
{
    bool narrowed = false;
    bool taken = false;

    for (const char *const *only = selection->only; only && *only; only++) {
        const char *slash = strchr(*only, '/');

        if (!names_check(*only, check))
            continue;
        narrowed = narrowed || slash;
        taken = taken || !slash || strcmp(slash + 1, code) == 0;
    }
    for (const char *const *skip = selection->skip; skip && *skip; skip++) {
        const char *slash = strchr(*skip, '/');

        if (slash && names_check(*skip, check) && strcmp(slash + 1, code) == 0)
            return false;
    }
    return !narrowed || taken;
}

bool dr_selection_knows(const char *id_or_code)
{
    const char *slash = strchr(id_or_code, '/');

    for (const struct dr_check *const *check = dr_check_table; *check; check++) {
        if (!names_check(id_or_code, *check))
            continue;
        for (size_t i = 0; slash && i < (*check)->problem_count; i++)
            if (strcmp((*check)->problems[i].code, slash + 1) == 0)
                return true;
        if (!slash)
            return true;
    }
    return false;
}

bool dr_selection_knows_tag(const char *tag)
{
    for (const struct dr_check *const *check = dr_check_table; *check; check++)
        if (has_tag(*check, tag))
            return true;
    return false;
}
