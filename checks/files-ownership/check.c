/*
 * Can the gateway's user use the files? After `sudo openclaw update` some or all of them belong to root, and what OpenClaw says
 * then ("Missing config", close 1000 without a reason, exit 78) names neither the file nor the owner.
 */
#include "api/check.h"
#include "api/rights.h"
#include "api/target.h"
#include "groups.h"

#include <string.h>
#include <sys/stat.h>

enum {
    WRONG_OWNER,
    CONTAINER_UID,
    TEMP_WRONG_OWNER,
    NPM_CACHE_WRONG_OWNER,
    INSTALL_UNREADABLE,
    HARD_LINK,
    ODD_NAME,
    MOUNT_WRONG_OWNER,
    FOREIGN_OWNER,
};

#define UNUSABLE "{what} to {owner}, so {user}, who runs the gateway, cannot use {them}: {effect}."

static const struct dr_problem problems[] = {
    [WRONG_OWNER] = {
        .code = "wrong-owner",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = UNUSABLE,
        .advice = "{command}",
        .fixer = "owner-restore",
    },
    [CONTAINER_UID] = {
        .code = "container-uid",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = UNUSABLE " In a container this is the owner of the mounted volume.",
        .advice = "On the host: sudo chown -R {uid}:{gid} <the folder that is mounted at {path}>",
        .fixer = "owner-restore",
        .why = "the folder may be shared with the host, where {uid} is another user",
    },
    [TEMP_WRONG_OWNER] = {
        .code = "temp-wrong-owner",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = UNUSABLE,
        .advice = "{command}",
        .fixer = "owner-restore",
        .why = "a gateway of another user may be using this folder",
    },
    [NPM_CACHE_WRONG_OWNER] = {
        .code = "npm-cache-wrong-owner",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = UNUSABLE,
        .advice = "{command}",
        .fixer = "owner-restore",
    },
    [INSTALL_UNREADABLE] = {
        .code = "install-unreadable",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = UNUSABLE,
        .advice = "sudo chmod -R a+rX {path}",
    },
    [HARD_LINK] = {
        .code = "hard-link",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{what} to {owner} and {have} a second name (hard link) somewhere. The doctor does not change such files: the "
                   "other name may be anybody's.",
        .advice = "Find the other name: sudo find / -xdev -samefile {path}",
    },
    [ODD_NAME] = {
        .code = "odd-name",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{what} to {owner} and {have} a name that is not valid UTF-8, which a plan cannot hold.",
        .advice = "sudo chown -h {uid}:{gid} the file, by tab completion of its name",
    },
    [MOUNT_WRONG_OWNER] = {
        .code = "mount-wrong-owner",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = UNUSABLE " It is a mounted volume, and the doctor changes nothing on other mounts.",
        .advice = "Where the volume comes from: sudo chown -R {uid}:{gid} <its folder>",
    },
    [FOREIGN_OWNER] = {
        .code = "foreign-owner",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{what} to {owner}; {user}, who runs the gateway, can still use {them}.",
        .advice = "Nothing needs to be done.",
    },
};

/* What no longer works when the top-level entry of that name cannot be used. */
static const struct effect {
    const char *name;
    enum dr_severity severity;
    const char *whole; /* the entry itself */
    const char *inside; /* only files in it; NULL: the same */
} effects[] = {
    { "", DR_ERROR, "the gateway does not start (\"Missing config\", or EACCES)", NULL },
    { "openclaw.json", DR_ERROR, "the gateway does not start", NULL },
    { "devices", DR_ERROR, "every connect ends with close 1000 and no reason",
      "OpenClaw takes them as empty and overwrites them, and all pairings are lost" },
    { "identity", DR_ERROR, "every openclaw command ends with EACCES", NULL },
    { "state", DR_ERROR, "the gateway stops with exit 78", NULL },
    { "agents", DR_ERROR, "agents cannot keep their sessions", NULL },
    { "credentials", DR_ERROR, "channels and models cannot log in", NULL },
    { ".env", DR_ERROR, "the tokens and keys in it are not loaded", NULL },
    { NULL, DR_WARNING, "what OpenClaw keeps there cannot be read or renewed", NULL },
};

/* Top-level names by which a state directory is known as one. */
static const char *const familiar[] = { "openclaw.json", "clawdbot.json", "devices", "identity", "state",
                                        "agents",        "credentials",   "cron",    "workspace" };

struct looked {
    struct groups wrong;
    struct group left[DR_NOT_PLAIN]; /* wrong, and not to be touched: by enum dr_repairable */
    struct group harmless;
    struct dr_unlooked unlooked;
    size_t familiar_names;
};

static void sample(struct dr_context *context, struct group *group, const struct dr_entry *entry)
{
    group->folders += S_ISDIR(entry->identity.mode);
    if (group->count++ > 0)
        return;
    group->top = dr_strdup(context, entry->path);
    group->owner = entry->identity.uid;
}

static void visit(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct looked *looked = state;
    enum dr_ownership ownership = entry->identity.mode ? dr_ownership_of(context, entry) : DR_OWNER_FINE;

    if (entry->depth == 1 && entry->tree == DR_TREE_STATE)
        for (size_t i = 0; i < sizeof(familiar) / sizeof(familiar[0]); i++)
            looked->familiar_names += strcmp(entry->name, familiar[i]) == 0;
    if (ownership == DR_OWNER_WRONG) {
        enum dr_repairable repairable = dr_entry_repairable(entry);

        if (repairable == DR_REPAIRABLE)
            groups_add(context, &looked->wrong, entry);
        else if (repairable < DR_NOT_PLAIN)
            sample(context, &looked->left[repairable], entry);
    } else if (ownership == DR_OWNER_HARMLESS && entry->tree == DR_TREE_STATE) {
        sample(context, &looked->harmless, entry);
    }
    /* What cannot be entered because of its owner is told by that finding; temp folders and caches are told only when found wrong. */
    if (!entry->unreadable || ownership == DR_OWNER_WRONG || entry->tree == DR_TREE_TEMP || entry->tree == DR_TREE_CACHE)
        return;
    dr_unlooked_note(context, &looked->unlooked, entry);
}

static const struct effect *effect_of(const char *name)
{
    const struct effect *effect = effects;

    while (effect->name && strcmp(effect->name, name) != 0)
        effect++;
    return effect;
}

static const char *user_argument(struct dr_context *context, const struct dr_target *target)
{
    return strncmp(target->user, "uid ", 4) == 0 ? dr_format(context, "%u", target->uid) : target->user;
}

/* The command that repairs: as root, on this state, for this user. */
static const char *command(struct dr_context *context, const struct dr_target *target)
{
    const char *place = target->state_dir_from[0] == '~' ? "" : dr_format(context, " --state-dir %s", target->state_dir);
    const char *root = target->root ? dr_format(context, " --root %s", target->root) : "";
    const char *user = target->user_certain ? "" : dr_format(context, " --user %s", user_argument(context, target));

    return dr_format(context, "%sopenclaw-doctor --fix%s%s%s", target->as_root ? "" : "sudo ", place, root, user);
}

static void describe(struct dr_context *context, struct dr_finding *finding, const struct group *group)
{
    const struct dr_target *target = dr_target(context);
    const char *thing = group->folders == 1 ? "This folder belongs" : "This file belongs";
    const char *things = group->folders == 0 ? "files" : group->folders == group->count ? "folders" : "files and folders";

    dr_finding_word(finding, "what",
                    group->count == 1 ? thing : dr_format(context, "%zu %s here belong", group->count, things));
    dr_finding_word(finding, "them", group->count == 1 ? "it" : "them");
    dr_finding_word(finding, "have", group->count == 1 ? "has" : "have");
    dr_finding_text(finding, "owner", dr_name_of_user(context, group->owner));
    dr_finding_text(finding, "user", target->user);
    dr_finding_number(finding, "uid", target->uid);
    dr_finding_number(finding, "gid", target->gid);
    dr_finding_number(finding, "count", (long long)group->count);
    dr_finding_word(finding, "command", command(context, target));
    for (size_t i = 0; i < MOST_SAMPLES && i < group->count && group->samples[i]; i++)
        dr_finding_path(finding, "entry", group->samples[i]);
}

/* Why the doctor cannot, or should not without a word, give these back. */
static void restrict_repair(struct dr_context *context, struct dr_finding *finding, const struct group *group,
                            const struct looked *looked)
{
    const struct dr_target *target = dr_target(context);

    if (!target->as_root)
        dr_finding_restrict(finding, DR_MANUAL,
                            dr_format(context, "only root can change owners: %s", command(context, target)));
    else if (group->tree == DR_TREE_STATE && looked->familiar_names == 0)
        dr_finding_restrict(finding, DR_MANUAL,
                            "this folder holds nothing of OpenClaw's: is it really the state directory?");
    else if (!target->user_certain) {
        dr_finding_restrict(finding, DR_UNSAFE,
                            dr_format(context, "it is not certain that %s runs the gateway (%s); --user NAME says who does",
                                      target->user, target->user_from));
        dr_finding_confidence(finding, DR_LIKELY);
    }
}

static bool in_volume(const struct dr_target *target, const struct group *group)
{
    return group->tree == DR_TREE_STATE && target->uid == 1000 &&
           (target->in_container || strncmp(target->state_dir, "/home/node/", 11) == 0);
}

static int row_of(const struct dr_target *target, const struct group *group)
{
    switch (group->tree) {
    case DR_TREE_STATE:
        return in_volume(target, group) ? CONTAINER_UID : WRONG_OWNER;
    case DR_TREE_TEMP:
        return TEMP_WRONG_OWNER;
    case DR_TREE_CACHE:
        return NPM_CACHE_WRONG_OWNER;
    case DR_TREE_INSTALL:
        return INSTALL_UNREADABLE;
    }
    return WRONG_OWNER;
}

static void state_effect(struct dr_context *context, struct dr_finding *finding, const struct group *group)
{
    const char *state_dir = dr_target(context)->state_dir;
    size_t length = strlen(state_dir);
    bool below = strncmp(group->top, state_dir, length) == 0;
    const char *name = !below ? "openclaw.json" : group->top + length + (group->top[length] == '/');
    const struct effect *effect = effect_of(name);

    dr_finding_severity(finding, effect->severity);
    dr_finding_word(finding, "effect", !group->top_is_wrong && effect->inside ? effect->inside : effect->whole);
}

static void report_group(struct dr_context *context, struct dr_findings *findings, const struct group *group,
                         const struct looked *looked)
{
    static const char *const tree_effects[] = {
        [DR_TREE_TEMP] = "plugins and commands that keep files there are slow or fail with EACCES",
        [DR_TREE_CACHE] = "npm ends with \"Your cache folder contains root-owned files\", and plugins are missing",
        [DR_TREE_INSTALL] = "the gateway cannot be started",
    };
    const struct dr_target *target = dr_target(context);
    const char *path = group->count == 1 ? group->samples[0] : group->top;
    struct dr_finding *finding = dr_report(findings, &problems[row_of(target, group)], &(struct dr_source){ .path = path });

    if (group->tree == DR_TREE_STATE)
        state_effect(context, finding, group);
    else
        dr_finding_word(finding, "effect", tree_effects[group->tree]);
    /* OpenClaw goes to another folder by itself when this one is not its own. */
    if (group->tree == DR_TREE_TEMP && strcmp(group->top, "/tmp/openclaw") == 0)
        dr_finding_severity(finding, DR_INFO);
    describe(context, finding, group);
    restrict_repair(context, finding, group, looked);
    dr_finding_argument(finding, "below", group->top);
    dr_finding_argument(finding, "tree", dr_format(context, "%d", (int)group->tree));
}

static const int row_of_left[] = {
    [DR_HARD_LINKED] = HARD_LINK,
    [DR_ODD_NAME] = ODD_NAME,
    [DR_OTHER_MOUNT] = MOUNT_WRONG_OWNER,
};

/* Apart from what is repaired: a finding that a repair cannot end would make the repair look useless, and be taken back. */
static void report_left(struct dr_context *context, struct dr_findings *findings, int row, const struct group *group)
{
    struct dr_finding *finding = dr_report(findings, &problems[row], &(struct dr_source){ .path = group->top });

    dr_finding_word(finding, "effect", "what OpenClaw keeps there cannot be read or renewed");
    describe(context, finding, group);
}

/* Many top-level entries are wrong: that is one finding, about the whole state directory. */
static void merge(struct dr_context *context, struct groups *groups)
{
    struct group whole = { .tree = DR_TREE_STATE, .top = dr_target(context)->state_dir, .top_is_folder = true };
    size_t kept = 0;
    bool root_is_wrong = false;

    for (size_t i = 0; i < groups->count; i++)
        root_is_wrong |= groups->list[i].tree == DR_TREE_STATE && strcmp(groups->list[i].top, whole.top) == 0;
    if (!groups->many && !root_is_wrong)
        return;
    for (size_t i = 0; i <= MOST_GROUPS; i++) {
        const struct group *group = &groups->list[i];

        if (!group->top || group->count == 0)
            continue;
        if (group->tree != DR_TREE_STATE) {
            groups->list[kept++] = *group;
            continue;
        }
        if (whole.count == 0) {
            memcpy(whole.samples, group->samples, sizeof(whole.samples));
            whole.owner = group->owner;
        }
        whole.count += group->count;
        whole.folders += group->folders;
    }
    whole.top_is_wrong = root_is_wrong;
    groups->list[kept++] = whole;
    groups->count = kept;
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_target *target = dr_target(context);
    struct looked *looked = state;

    if (dr_unknown_fact(findings, &target->fact))
        return 0;
    if (target->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there is no state directory");
    merge(context, &looked->wrong);
    for (size_t i = 0; i < looked->wrong.count; i++)
        report_group(context, findings, &looked->wrong.list[i], looked);
    for (size_t i = 0; i < DR_NOT_PLAIN; i++)
        if (looked->left[i].count > 0)
            report_left(context, findings, row_of_left[i], &looked->left[i]);
    if (looked->harmless.count > 0)
        describe(context, dr_report(findings, &problems[FOREIGN_OWNER], &(struct dr_source){ .path = looked->harmless.top }),
                 &looked->harmless);
    dr_unlooked_tell(findings, &looked->unlooked, target->state_dir);
    return 0;
}

static const char *const tags[] = { "files", "offline", NULL };

const struct dr_check dr_check_files_ownership = {
    .id = "files-ownership",
    .title = "Files can be used by the user who runs the gateway",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .state_size = sizeof(struct looked),
    .visit = visit,
    .run = run,
};
