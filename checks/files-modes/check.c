/*
 * Can others read the secrets, change what OpenClaw believes, or does its own user lack rights? A group that is meant to share
 * (set-group-id folders, 2770 and 660) is left alone.
 */
#include "api/check.h"
#include "api/rights.h"
#include "api/target.h"
#include "api/tokens.h"

#include <string.h>
#include <sys/stat.h>

enum { MOST_SAMPLES = 3 };

enum {
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    SHUT_IN,
    DIR_OPEN,
    DIR_WRITABLE,
    TOO_TIGHT,
    TOKEN_FILE_OPEN,
    LEFT_OPEN,
    NOT_A_FILE,
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
    [TOKEN_FILE_OPEN] = {
        .code = "token-file-open",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{path} holds {variable}, and other users of this machine can read it (mode {mode}).",
        .advice = "{command}",
        .fixer = "mode-tighten",
    },
    [LEFT_OPEN] = {
        .code = "left-open",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "Others can read or change {these}, or {user} may not (mode {mode}), and the doctor leaves {them}: {reason}.",
        .advice = "Look at {path} and set its mode by hand.",
    },
    [NOT_A_FILE] = {
        .code = "not-a-file",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{path} is {kind}. OpenClaw expects a file there; reading it may hang or never end.",
        .advice = "Find out who put it there, then move it away: mv {path} {path}.odd",
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
    uint32_t mode; /* of the first */
};

struct looked {
    struct found found[DR_MODE_TOO_TIGHT + 1]; /* what a repair can set right */
    struct found left; /* what it cannot */
    const char *reason; /* why not, of the first */
    struct found odd;
    const char *kind; /* what the first odd one is */
    const char *temp; /* a temp folder that is closed */
    uint32_t temp_mode;
    struct dr_unlooked unlooked;
};

/* Why this doctor cannot set the mode, or NULL. */
static const char *hindrance(struct dr_context *context, const struct dr_entry *entry, uint32_t mode)
{
    static const char *const reasons[] = {
        [DR_HARD_LINKED] = "it has a second name (hard link), which may be anybody's",
        [DR_ODD_NAME] = "its name is not valid UTF-8",
        [DR_OTHER_MOUNT] = "it lies on another mount",
        [DR_NOT_PLAIN] = "it is no plain file",
    };
    const struct dr_target *target = dr_target(context);
    enum dr_repairable repairable = dr_entry_repairable(entry);

    if (repairable != DR_REPAIRABLE)
        return reasons[repairable];
    if (!dr_mode_keeps_use(context, entry, mode))
        return dr_format(context, "it belongs to %s, and closing it would lock %s out",
                         dr_name_of_user(context, entry->identity.uid), target->user);
    if (!target->as_root && entry->identity.uid != target->running_uid)
        return dr_format(context, "it belongs to %s; as root: sudo openclaw-doctor --fix",
                         dr_name_of_user(context, entry->identity.uid));
    return NULL;
}

static void add(struct dr_context *context, struct found *found, const struct dr_entry *entry)
{
    if (found->count < MOST_SAMPLES)
        found->samples[found->count] = dr_strdup(context, entry->path);
    if (found->count++ == 0)
        found->mode = entry->identity.mode & 07777;
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
    const char *oddity = dr_entry_oddity(context, entry);

    if (oddity) {
        add(context, &looked->odd, entry);
        looked->kind = looked->kind ? looked->kind : oddity;
    }
    if (entry->unreadable && fault != DR_MODE_TOO_TIGHT)
        dr_unlooked_note(context, &looked->unlooked, entry);
    if (fault == DR_MODE_FINE)
        return;

    const char *reason = hindrance(context, entry, mode);

    if (!reason) {
        add(context, &looked->found[fault], entry);
    } else if (fault != DR_MODE_SHUT_IN) {
        add(context, &looked->left, entry);
        looked->reason = looked->reason ? looked->reason : reason;
    }
}

static const char *command(struct dr_context *context)
{
    const struct dr_target *target = dr_target(context);
    const char *place = target->state_dir_from[0] == '~' ? "" : dr_format(context, " --state-dir %s", target->state_dir);
    const char *root = target->root ? dr_format(context, " --root %s", target->root) : "";

    return dr_format(context, "openclaw-doctor --fix%s%s", place, root);
}

static void describe(struct dr_context *context, struct dr_finding *finding, const struct found *found, bool folders)
{
    bool one = found->count == 1;

    dr_finding_word(finding, "what", one ? "This file holds" : dr_format(context, "%zu files hold", found->count));
    dr_finding_word(finding, "them", one ? "it" : "them");
    if (one)
        dr_finding_word(finding, "these", folders ? "this folder" : "this file");
    else
        dr_finding_word(finding, "these", dr_format(context, "%zu %s", found->count, folders ? "folders" : "files"));
    dr_finding_text(finding, "mode", dr_format(context, "%04o", found->mode));
    dr_finding_word(finding, "user", dr_target(context)->user);
    if (!one)
        dr_finding_number(finding, "count", (long long)found->count);
    dr_finding_word(finding, "command", command(context));
    for (size_t i = 0; i < MOST_SAMPLES && i < found->count; i++)
        dr_finding_path(finding, "entry", found->samples[i]);
}

static struct dr_finding *report(struct dr_context *context, struct dr_findings *findings, int row,
                                 const struct found *found)
{
    struct dr_finding *finding = dr_report(findings, &problems[row], &(struct dr_source){ .path = found->samples[0] });

    describe(context, finding, found, row == DIR_WRITABLE || row == DIR_OPEN);
    return finding;
}

static void report_faults(struct dr_context *context, struct dr_findings *findings, const struct looked *looked)
{
    for (int fault = DR_MODE_WRITABLE; fault <= DR_MODE_TOO_TIGHT; fault++)
        if (looked->found[fault].count > 0)
            dr_finding_argument(report(context, findings, row_of_fault[fault], &looked->found[fault]), "fault",
                                dr_format(context, "%d", fault));
    if (looked->left.count > 0)
        dr_finding_text(report(context, findings, LEFT_OPEN, &looked->left), "reason", looked->reason);
    if (looked->odd.count > 0)
        dr_finding_text(report(context, findings, NOT_A_FILE, &looked->odd), "kind", looked->kind);
}

static bool lies_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* A token in a unit, an environment file or a .env outside the state directory, where others can read it. Each file once. */
static bool is_open(struct dr_context *context, const struct dr_tokens *tokens, size_t index)
{
    const struct dr_token_place *place = &tokens->places[index];
    const struct dr_target *target = dr_target(context);

    if (!place->source.path || !S_ISREG(place->identity.mode) || !(place->identity.mode & S_IROTH) || !place->value[0] ||
        lies_below(place->source.path, target->state_dir) || strcmp(place->source.path, target->config_path) == 0)
        return false;
    for (size_t i = 0; i < index; i++)
        if (tokens->places[i].source.path && strcmp(tokens->places[i].source.path, place->source.path) == 0)
            return false;
    return dr_others_reach(context, place->source.path);
}

static void report_token_files(struct dr_context *context, struct dr_findings *findings)
{
    const struct dr_tokens *tokens = dr_tokens(context);
    const struct dr_target *target = dr_target(context);

    for (size_t i = 0; i < tokens->count; i++) {
        const struct dr_token_place *place = &tokens->places[i];

        if (!is_open(context, tokens, i))
            continue;
        struct dr_finding *finding = dr_report(findings, &problems[TOKEN_FILE_OPEN], &place->source);

        dr_finding_text(finding, "variable", place->variable);
        dr_finding_text(finding, "mode", dr_format(context, "%04o", place->identity.mode & 07777));
        dr_finding_text(finding, "command", command(context));
        dr_finding_argument(finding, "path", place->source.path);
        if (!target->as_root && place->identity.uid != target->running_uid)
            dr_finding_restrict(finding, DR_MANUAL,
                                dr_format(context, "it belongs to %s; as root: sudo openclaw-doctor --fix",
                                          dr_name_of_user(context, place->identity.uid)));
        else if (place->identity.links != 1)
            dr_finding_restrict(finding, DR_MANUAL, "it has a second name (hard link), which may be anybody's");
    }
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_target *target = dr_target(context);
    const struct looked *looked = state;

    if (dr_unknown_fact(findings, &target->fact))
        return 0;
    if (target->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there is no state directory");
    report_faults(context, findings, looked);
    report_token_files(context, findings);
    if (looked->temp) {
        struct dr_finding *finding =
            dr_report(findings, &problems[TEMP_CLOSED], &(struct dr_source){ .path = looked->temp });

        dr_finding_text(finding, "mode", dr_format(context, "%04o", looked->temp_mode));
    }
    dr_unlooked_tell(findings, &looked->unlooked, target->state_dir);
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
