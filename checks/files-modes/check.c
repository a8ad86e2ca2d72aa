/*
 * Can others read the secrets, change what OpenClaw believes, or does its own user lack rights? A group that is meant to share
 * (set-group-id folders, 2770 and 660) is left alone.
 */
#include "api/check.h"
#include "api/rights.h"
#include "api/target.h"

#include <string.h>
#include <sys/stat.h>

enum { MOST_UNREADABLE = 5, MOST_SAMPLES = 3 };

enum {
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    SHUT_IN,
    DIR_OPEN,
    DIR_WRITABLE,
    TOO_TIGHT,
    TEMP_CLOSED,
};

static const struct dr_problem problems[] = {
    [OPEN_TO_OTHERS] = {
        .code = "open-to-others",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{what} keys, tokens or private talk, and other users of this machine can read {them} (mode {mode}).",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [WRITABLE_BY_OTHERS] = {
        .code = "writable-by-others",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "Other users of this machine can change {these} (mode {mode}), and so what the gateway does.",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [SHUT_IN] = {
        .code = "shut-in",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{what} secrets and would be open to others (mode {mode}); only the closed folder above keeps them out.",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [DIR_OPEN] = {
        .code = "dir-open",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "Other users of this machine can look into the state directory (mode {mode}). OpenClaw makes it 0700.",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [DIR_WRITABLE] = {
        .code = "dir-writable",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "Other users of this machine can replace what lies in {these} (mode {mode}).",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [TOO_TIGHT] = {
        .code = "too-tight",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{user}, who runs the gateway, owns {these} but may not use {them} (mode {mode}).",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [TEMP_CLOSED] = {
        .code = "temp-closed",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The temp folder {path} has mode {mode}, not 1777: other programs and services cannot use it. Some OpenClaw "
                   "releases do this when they install a skill.",
        .advice = "sudo chmod 1777 {path}",
    },
};

static const int row_of_fault[] = {
    [DR_MODE_WRITABLE] = WRITABLE_BY_OTHERS,  [DR_MODE_READABLE] = OPEN_TO_OTHERS, [DR_MODE_SHUT_IN] = SHUT_IN,
    [DR_MODE_FOLDER_WRITABLE] = DIR_WRITABLE, [DR_MODE_FOLDER_OPEN] = DIR_OPEN,    [DR_MODE_TOO_TIGHT] = TOO_TIGHT,
};

/* All entries with the same fault are one finding. */
struct found {
    const char *samples[MOST_SAMPLES]; /* paths (arena) */
    size_t count;
    size_t ours; /* of them: belong to whoever runs the doctor */
    size_t repairable;
    uint32_t mode; /* of the first */
};

struct looked {
    struct found found[DR_MODE_TOO_TIGHT + 1];
    const char *temp; /* a temp folder that is closed */
    uint32_t temp_mode;
    const char *unreadable[MOST_UNREADABLE];
    const char *unreadable_why[MOST_UNREADABLE];
    size_t unreadable_count;
};

static void note_unreadable(struct dr_context *context, struct looked *looked, const struct dr_entry *entry)
{
    if (looked->unreadable_count < MOST_UNREADABLE) {
        looked->unreadable[looked->unreadable_count] = dr_strdup(context, entry->path);
        looked->unreadable_why[looked->unreadable_count] = entry->unreadable;
    }
    looked->unreadable_count++;
}

static void visit(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct looked *looked = state;
    uint32_t mode = 0;

    if (entry->tree == DR_TREE_TEMP && strcmp(entry->path, "/tmp") == 0 && (entry->identity.mode & 07777) != 01777 &&
        S_ISDIR(entry->identity.mode)) {
        looked->temp = dr_strdup(context, entry->path);
        looked->temp_mode = entry->identity.mode & 07777;
    }
    if (entry->tree != DR_TREE_STATE)
        return;

    enum dr_mode_fault fault = entry->identity.mode ? dr_mode_fault_of(context, entry, &mode) : DR_MODE_FINE;

    if (entry->unreadable && fault != DR_MODE_TOO_TIGHT)
        note_unreadable(context, looked, entry);
    if (fault == DR_MODE_FINE)
        return;

    struct found *found = &looked->found[fault];

    if (found->count < MOST_SAMPLES)
        found->samples[found->count] = dr_strdup(context, entry->path);
    if (found->count++ == 0)
        found->mode = entry->identity.mode & 07777;
    found->ours += entry->identity.uid == dr_target(context)->running_uid;
    found->repairable += dr_entry_repairable(entry) && dr_mode_keeps_use(context, entry, mode);
}

static const char *command(struct dr_context *context, const struct found *found)
{
    const struct dr_target *target = dr_target(context);
    const char *place = target->state_dir_from[0] == '~' ? "" : dr_format(context, " --state-dir %s", target->state_dir);
    const char *root = target->root ? dr_format(context, " --root %s", target->root) : "";

    return dr_format(context, "%sopenclaw-doctor --fix%s%s", target->as_root || found->ours == found->count ? "" : "sudo ",
                     place, root);
}

static void describe(struct dr_context *context, struct dr_finding *finding, const struct found *found, bool folders)
{
    bool one = found->count == 1;

    dr_finding_text(finding, "what", one ? "This file holds" : dr_format(context, "%zu files hold", found->count));
    dr_finding_text(finding, "them", one ? "it" : "them");
    if (one)
        dr_finding_text(finding, "these", folders ? "this folder" : "this file");
    else
        dr_finding_text(finding, "these", dr_format(context, "%zu %s", found->count, folders ? "folders" : "files"));
    dr_finding_text(finding, "mode", dr_format(context, "%04o", found->mode));
    dr_finding_text(finding, "user", dr_target(context)->user);
    dr_finding_number(finding, "count", (long long)found->count);
    dr_finding_text(finding, "command", command(context, found));
    for (size_t i = 0; i < MOST_SAMPLES && i < found->count; i++)
        dr_finding_path(finding, "entry", found->samples[i]);
}

static void report(struct dr_context *context, struct dr_findings *findings, enum dr_mode_fault fault,
                   const struct found *found)
{
    const struct dr_target *target = dr_target(context);
    struct dr_finding *finding =
        dr_report(findings, &problems[row_of_fault[fault]], &(struct dr_source){ .path = found->samples[0] });

    describe(context, finding, found, fault == DR_MODE_FOLDER_WRITABLE || fault == DR_MODE_FOLDER_OPEN);
    if (!target->as_root && found->ours == 0)
        dr_finding_restrict(finding, DR_MANUAL,
                            dr_format(context, "only its owner or root can change it: %s", command(context, found)));
    else if (found->repairable == 0)
        dr_finding_restrict(finding, DR_MANUAL,
                            "a closer mode would lock out the gateway's user, or it has a second name (hard link), or "
                            "lies on another mount");
    dr_finding_argument(finding, "fault", dr_format(context, "%d", (int)fault));
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_target *target = dr_target(context);
    const struct looked *looked = state;

    if (dr_unknown_fact(findings, &target->fact))
        return 0;
    if (target->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there is no state directory");
    for (int fault = DR_MODE_WRITABLE; fault <= DR_MODE_TOO_TIGHT; fault++)
        if (looked->found[fault].count > 0)
            report(context, findings, (enum dr_mode_fault)fault, &looked->found[fault]);
    if (looked->temp) {
        struct dr_finding *finding =
            dr_report(findings, &problems[TEMP_CLOSED], &(struct dr_source){ .path = looked->temp });

        dr_finding_text(finding, "mode", dr_format(context, "%04o", looked->temp_mode));
    }
    for (size_t i = 0; i < looked->unreadable_count && i < MOST_UNREADABLE; i++)
        dr_could_not_tell(findings, &(struct dr_source){ .path = looked->unreadable[i] }, "cannot be looked into: %s",
                          looked->unreadable_why[i]);
    if (looked->unreadable_count > MOST_UNREADABLE)
        dr_could_not_tell(findings, &(struct dr_source){ .path = target->state_dir },
                          "%zu more entries cannot be looked into", looked->unreadable_count - MOST_UNREADABLE);
    return 0;
}

static const char *const tags[] = { "files", "security", "offline", NULL };

const struct dr_check dr_check_files_modes = {
    .id = "files-modes",
    .title = "Secrets are closed to others, and open to the gateway's user",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .state_size = sizeof(struct looked),
    .visit = visit,
    .run = run,
};
