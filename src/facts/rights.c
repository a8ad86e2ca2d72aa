#include "api/rights.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/context.h"
#include "facts/users.h"

#include <string.h>
#include <sys/stat.h>

enum { READ = 4, WRITE = 2, PASS = 1, KNOWN_GROUPS = 8 };

/* Groups met so far: etc/group is read once for each. */
struct dr_rights {
    struct known_group {
        uint32_t gid;
        bool has_user; /* the gateway's user is in it */
        bool alone; /* and nobody else */
    } groups[KNOWN_GROUPS];
    size_t count;
};

static const struct known_group *group_of(struct dr_context *context, uint32_t gid)
{
    const struct dr_target *target = dr_target(context);

    if (!context->rights)
        context->rights = dr_alloc(context, sizeof(*context->rights));

    struct dr_rights *rights = context->rights;

    for (size_t i = 0; i < rights->count; i++)
        if (rights->groups[i].gid == gid)
            return &rights->groups[i];

    struct known_group *group = &rights->groups[rights->count < KNOWN_GROUPS ? rights->count++ : KNOWN_GROUPS - 1];

    group->gid = gid;
    group->has_user = gid == target->gid || dr_user_in_group(context, target->uid, gid);
    group->alone = group->has_user && !dr_group_has_others(context, gid, target->uid);
    return group;
}

const char *dr_name_of_user(struct dr_context *context, uint32_t uid)
{
    return dr_user_name(context, uid);
}

/* For an entry of the state directory's tree. */
static const char *place_of(struct dr_context *context, const struct dr_entry *entry)
{
    const char *state_dir = dr_target(context)->state_dir;
    size_t length = strlen(state_dir);

    if (strncmp(entry->path, state_dir, length) != 0 || (entry->path[length] != '/' && entry->path[length] != '\0'))
        return "openclaw.json";
    return entry->path + length + (entry->path[length] == '/');
}

const char *dr_entry_in_state(struct dr_context *context, const struct dr_entry *entry)
{
    return entry->tree == DR_TREE_STATE ? place_of(context, entry) : NULL;
}

bool dr_others_reach(struct dr_context *context, const char *path)
{
    _cleanup_free_ char *folder = dr_path_clean(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;

    for (; slash; slash = strrchr(folder, '/')) {
        struct stat st;

        *slash = '\0';
        if (dr_stat(context->request->root_fd, folder[0] ? folder : "/", &st) < 0 || !(st.st_mode & S_IXOTH))
            return false;
    }
    return folder != NULL;
}

enum dr_repairable dr_entry_repairable(const struct dr_entry *entry)
{
    if (!S_ISREG(entry->identity.mode) && !S_ISDIR(entry->identity.mode))
        return DR_NOT_PLAIN;
    if (entry->other_mount)
        return DR_OTHER_MOUNT;
    if (S_ISREG(entry->identity.mode) && entry->identity.links != 1)
        return DR_HARD_LINKED;
    return dr_text_is_utf8(entry->path, strlen(entry->path)) ? DR_REPAIRABLE : DR_ODD_NAME;
}

const char *dr_entry_oddity(struct dr_context *context, const struct dr_entry *entry)
{
    static const char *const expected[] = { "openclaw.json",         ".env",
                                            "devices/paired.json",   "devices/pending.json",
                                            "identity/device.json",  "identity/device-auth.json",
                                            "state/openclaw.sqlite", NULL };
    uint32_t mode = entry->identity.mode;
    size_t i = 0;

    if (entry->tree != DR_TREE_STATE || mode == 0 || S_ISREG(mode) || S_ISLNK(mode) || S_ISSOCK(mode))
        return NULL;
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    if (S_ISDIR(mode) && entry->depth == 0)
        return NULL;

    const char *place = place_of(context, entry);

    while (expected[i] && strcmp(expected[i], place) != 0)
        i++;
    if (!expected[i])
        return NULL;
    return S_ISDIR(mode) ? "a folder" : "a FIFO (a named pipe)";
}

/* What a name says about a file. `text` is compared with the place below the state directory, or with the name. */
enum where { BELOW, NAME_BEGINS, NAME_ENDS };

struct name_rule {
    enum where where;
    const char *text;
};

static bool rule_fits(const struct name_rule *rule, const char *place, size_t length)
{
    size_t text = strlen(rule->text);

    switch (rule->where) {
    case BELOW:
        return length >= text && memcmp(place, rule->text, text) == 0;
    case NAME_ENDS:
        return length >= text && memcmp(place + length - text, rule->text, text) == 0;
    case NAME_BEGINS: {
        const char *slash = memrchr(place, '/', length);
        const char *name = slash ? slash + 1 : place;

        return strncmp(name, rule->text, text) == 0;
    }
    }
    return false;
}

static bool any_rule_fits(const struct name_rule *rules, size_t count, const char *place)
{
    size_t length = strlen(place);

    for (size_t i = 0; i < count; i++)
        if (rule_fits(&rules[i], place, length))
            return true;
    return false;
}

/* Files that hold keys, tokens or private talk. Backups and left-overs of a write count as what they are copies of. */
static const struct name_rule secret_files[] = {
    { BELOW, "credentials/" },
    { BELOW, "identity/" },
    { BELOW, "devices/" },
    { BELOW, "nodes/" },
    { NAME_BEGINS, "openclaw.json" },
    { NAME_BEGINS, "clawdbot.json" },
    { NAME_BEGINS, "moldbot.json" },
    { NAME_BEGINS, "moltbot.json" },
    { NAME_BEGINS, ".env" },
    { NAME_BEGINS, "auth.json" },
    { NAME_BEGINS, "auth-profiles" },
    { NAME_BEGINS, "exec-approvals.json" },
    { NAME_BEGINS, "sessions.json" },
    { NAME_ENDS, ".key" },
    { NAME_ENDS, ".sqlite" },
    { NAME_ENDS, ".sqlite-wal" },
    { NAME_ENDS, ".sqlite-shm" },
};

/* Files that OpenClaw is known to write in place: without writing they are of no use, even to their owner. */
static const struct name_rule written_in_place[] = {
    { BELOW, "identity/" },       { BELOW, "logs/" },      { NAME_ENDS, ".sqlite" }, { NAME_ENDS, ".sqlite-wal" },
    { NAME_ENDS, ".sqlite-shm" }, { NAME_ENDS, ".jsonl" }, { NAME_ENDS, ".lock" },
};

/* Files that OpenClaw only reads, or replaces by rename, which asks rights of the folder only: somebody else may keep them. */
static const struct name_rule read_suffices[] = {
    { BELOW, "devices/" },   { BELOW, "nodes/" }, { NAME_BEGINS, "openclaw.json" }, { NAME_BEGINS, "clawdbot.json" },
    { NAME_BEGINS, ".env" },
};

/* Temp folders that OpenClaw makes; the temp folder around them is everybody's. */
static const struct name_rule temp_folders[] = {
    { NAME_BEGINS, "jiti" },
    { NAME_BEGINS, "openclaw" },
    { NAME_BEGINS, "node-compile-cache" },
};

/* Code and content that OpenClaw only reads: root may own it. */
static const struct name_rule only_read[] = {
    { BELOW, "extensions/" },    { BELOW, "npm/" },     { BELOW, "skills/" },
    { BELOW, "plugin-skills/" }, { BELOW, "plugins/" }, { BELOW, "plugin-runtime-deps/" },
    { BELOW, "hooks/" },
};

/* The doctor's own folder: its journal and backups are the executor's business. */
static bool is_ours(const char *place)
{
    static const char ours[] = "openclaw-doctor";

    return strncmp(place, ours, sizeof(ours) - 1) == 0 &&
           (place[sizeof(ours) - 1] == '\0' || place[sizeof(ours) - 1] == '/');
}

#define FITS(rules, place) any_rule_fits(rules, DR_COUNT(rules), place)

/*
 * Bits (READ, WRITE, PASS) that OpenClaw needs on the entry; 0: none that we know of. `own`: it belongs to the gateway's user, who
 * may well have taken writing from himself (git does that to its objects).
 */
static unsigned needed(struct dr_context *context, const struct dr_entry *entry, bool own)
{
    bool folder = S_ISDIR(entry->identity.mode);
    const char *place;

    switch (entry->tree) {
    case DR_TREE_INSTALL:
        return folder ? READ | PASS : READ;
    case DR_TREE_CACHE:
        return folder ? READ | WRITE | PASS : READ;
    case DR_TREE_TEMP:
        /* What lies inside may belong to another run; the folder itself is what a start trips over. */
        return folder && entry->depth == 0 && any_rule_fits(temp_folders, DR_COUNT(temp_folders), entry->name)
                   ? READ | WRITE | PASS
                   : 0;
    case DR_TREE_STATE:
        place = place_of(context, entry);
        if (is_ours(place))
            return 0;
        if (FITS(only_read, place))
            return folder ? READ | PASS : READ;
        if (folder)
            return READ | WRITE | PASS;
        return (own ? !FITS(written_in_place, place) : FITS(read_suffices, place)) ? READ : READ | WRITE;
    }
    return 0;
}

static bool is_plain(const struct dr_entry *entry)
{
    return S_ISREG(entry->identity.mode) || S_ISDIR(entry->identity.mode);
}

enum dr_ownership dr_ownership_of(struct dr_context *context, const struct dr_entry *entry)
{
    const struct dr_target *target = dr_target(context);
    const struct dr_file_identity *identity = &entry->identity;

    if (identity->uid == target->uid || target->uid == 0 || !is_plain(entry))
        return DR_OWNER_FINE;

    unsigned given = identity->mode & 7;

    if (group_of(context, identity->gid)->has_user)
        given = identity->mode >> 3 & 7;
    return needed(context, entry, false) & ~given ? DR_OWNER_WRONG : DR_OWNER_HARMLESS;
}

void dr_owner_wanted(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_uid, uint32_t *ret_gid)
{
    const struct dr_target *target = dr_target(context);

    *ret_uid = target->uid;
    *ret_gid = entry->parent && entry->parent->mode & S_ISGID ? entry->parent->gid : target->gid;
}

/* A set-group-id folder, or what lies in one and has its group: sharing with that group is meant. */
static bool group_is_meant(const struct dr_entry *entry)
{
    const struct dr_file_identity *identity = &entry->identity;

    if (S_ISDIR(identity->mode) && identity->mode & S_ISGID)
        return true;
    return entry->parent && entry->parent->mode & S_ISGID && entry->parent->gid == identity->gid;
}

/* The bits of group and others that somebody else than the gateway's user has. */
static uint32_t foreign_bits(struct dr_context *context, const struct dr_entry *entry)
{
    uint32_t bits = entry->identity.mode & 077;

    if (bits & 070 && (group_is_meant(entry) || group_of(context, entry->identity.gid)->alone))
        bits &= 07;
    return bits;
}

/* As OpenClaw itself makes it: nothing for group and others, but for a group that is meant. */
static uint32_t closed(const struct dr_entry *entry)
{
    return entry->identity.mode & 07777 & ~(group_is_meant(entry) ? 07U : 077U);
}

static enum dr_mode_fault folder_fault(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_mode)
{
    uint32_t bits = foreign_bits(context, entry);
    uint32_t mode = entry->identity.mode & 07777;
    uint32_t reached = (entry->others_pass ? bits & 07 : 0) | (entry->group_passes ? bits & 070 : 0);

    if (entry->depth == 0 && bits != 0) {
        *ret_mode = closed(entry);
        return bits & 022 ? DR_MODE_FOLDER_WRITABLE : DR_MODE_FOLDER_OPEN;
    }
    if (reached & 022 && !(mode & S_ISVTX)) {
        *ret_mode = mode & ~(bits & 022);
        return DR_MODE_FOLDER_WRITABLE;
    }
    return DR_MODE_FINE;
}

static enum dr_mode_fault file_fault(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_mode)
{
    uint32_t bits = foreign_bits(context, entry);
    uint32_t reached = (entry->others_pass ? bits & 07 : 0) | (entry->group_passes ? bits & 070 : 0);
    uint32_t mode = entry->identity.mode & 07777;

    if ((bits & 066) == 0)
        return DR_MODE_FINE;
    if (entry->identity.size > 0 && FITS(secret_files, place_of(context, entry))) {
        *ret_mode = closed(entry);
        return reached & 022 ? DR_MODE_WRITABLE : reached & 044 ? DR_MODE_READABLE : DR_MODE_SHUT_IN;
    }
    if (reached & 022) {
        *ret_mode = mode & ~(bits & 022);
        return DR_MODE_WRITABLE;
    }
    return DR_MODE_FINE;
}

bool dr_mode_keeps_use(struct dr_context *context, const struct dr_entry *entry, uint32_t mode)
{
    struct dr_entry changed = *entry;

    changed.identity.mode = (entry->identity.mode & ~07777U) | mode;
    return dr_ownership_of(context, entry) == DR_OWNER_WRONG || dr_ownership_of(context, &changed) != DR_OWNER_WRONG;
}

enum dr_mode_fault dr_mode_fault_of(struct dr_context *context, const struct dr_entry *entry, uint32_t *ret_mode)
{
    const struct dr_target *target = dr_target(context);
    uint32_t mode = entry->identity.mode;

    if (entry->tree != DR_TREE_STATE || !is_plain(entry))
        return DR_MODE_FINE;
    if (mode & 077 && !is_ours(place_of(context, entry))) {
        enum dr_mode_fault fault =
            S_ISDIR(mode) ? folder_fault(context, entry, ret_mode) : file_fault(context, entry, ret_mode);

        if (fault != DR_MODE_FINE)
            return fault;
    }
    if ((mode & (S_ISDIR(mode) ? 0700U : 0600U)) == (S_ISDIR(mode) ? 0700U : 0600U))
        return DR_MODE_FINE;
    if (entry->identity.uid != target->uid || target->uid == 0)
        return DR_MODE_FINE;

    uint32_t lacking = needed(context, entry, true) & ~(mode >> 6);

    if ((lacking & 7) == 0)
        return DR_MODE_FINE;
    *ret_mode = (mode & 07777) | (lacking & 7) << 6;
    return DR_MODE_TOO_TIGHT;
}
