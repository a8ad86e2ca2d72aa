/*
 * Where the state is and whose it is. The order of places is OpenClaw's own (facts/openclaw-2026.2.md §10,
 * openclaw-2026.9.md §6); the options of the command line stand before it.
 */
#include "api/target.h"

#include "api/release.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/users.h"

#include <fcntl.h>
#include <string.h>

enum { MOST_LINKS = 8 };

static const char *const state_names[] = { ".openclaw", ".clawdbot", ".moldbot", ".moltbot" };
static const char *const config_names[] = { "openclaw.json", "clawdbot.json", "moldbot.json", "moltbot.json" };

static const char *join(struct dr_context *context, const char *folder, const char *name)
{
    _cleanup_free_ char *joined = dr_path_join(folder, name);
    _cleanup_free_ char *clean = joined ? dr_path_clean(joined) : NULL;

    return dr_strdup(context, clean ? clean : joined);
}

static bool exists(struct dr_context *context, const char *path, struct stat *ret_stat)
{
    return dr_stat(context->request->root_fd, path, ret_stat) == 0;
}

static bool is_folder(struct dr_context *context, const char *path)
{
    struct stat st;

    return exists(context, path, &st) && (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
}

/* Old names are read until OpenClaw 2026.4; newer releases ignore them (facts/openclaw-2026.9.md §6). */
static bool reads_legacy_names(struct dr_context *context)
{
    struct dr_release asked;

    if (!context->request->openclaw_version || !dr_release_parse(context->request->openclaw_version, &asked))
        return true;

    const struct dr_rules *rules = dr_rules_of(context, &asked);

    return rules && rules->legacy_names;
}

static const char *variable(struct dr_context *context, const char *name, const char *legacy, const char **ret_name)
{
    const char *value = dr_environment(context, name);

    if (value && value[0] != '\0') {
        *ret_name = name;
        return value;
    }
    value = legacy && reads_legacy_names(context) ? dr_environment(context, legacy) : NULL;
    if (value && value[0] != '\0') {
        *ret_name = legacy;
        return value;
    }
    return NULL;
}

/* A value such as "~/x" or "x", as OpenClaw resolves it. */
static const char *absolute(struct dr_context *context, const struct dr_target *target, const char *path)
{
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
        return join(context, target->home, path[1] ? path + 2 : ".");
    if (path[0] == '/')
        return join(context, "/", path + 1);
    return join(context, dr_working_directory(context) ? dr_working_directory(context) : "/", path);
}

static bool has_state(struct dr_context *context, const char *home)
{
    for (size_t i = 0; i < DR_COUNT(state_names); i++)
        if (is_folder(context, join(context, home, state_names[i])))
            return true;
    return false;
}

/* As root, HOME may be root's own: then the person behind sudo, or the user of the container image, is meant. */
static const char *home_behind_root(struct dr_context *context)
{
    const char *sudo_user = dr_environment(context, "SUDO_USER");
    struct dr_user user;

    if (sudo_user && dr_user_by_name(context, sudo_user, &user) > 0 && has_state(context, user.home))
        return user.home;
    return has_state(context, "/home/node") ? "/home/node" : NULL;
}

static const char *find_home(struct dr_context *context, const struct dr_user *asked)
{
    const char *name;
    const char *home = variable(context, "OPENCLAW_HOME", NULL, &name);
    struct dr_user user;

    if (home)
        return home;
    if (asked && asked->home && has_state(context, asked->home))
        return asked->home;
    home = dr_environment(context, "HOME");
    if ((!home || home[0] != '/') && dr_user_by_uid(context, context->request->uid, &user) > 0)
        home = user.home;
    if (!home || home[0] != '/')
        home = "/";
    if (context->request->uid == 0 && !has_state(context, home)) {
        const char *behind = home_behind_root(context);

        if (behind)
            return behind;
    }
    return home;
}

/*
 * Somebody's link must lead into a folder of the same somebody when it is root who looks: else `ln -s /etc ~/.openclaw` would make
 * /etc the state to be repaired.
 */
static bool link_may_lead(struct dr_context *context, const char *path, const char *leads_to)
{
    struct stat link;
    struct stat behind;

    if (context->request->uid != 0 || dr_stat(context->request->root_fd, path, &link) < 0 || link.st_uid == 0)
        return true;
    return dr_stat(context->request->root_fd, leads_to, &behind) < 0 || behind.st_uid == link.st_uid;
}

/* The folder itself may be a link (a bigger disk, or the one that the renaming of 2026.1 left): shown as where it leads. */
static const char *follow_links(struct dr_context *context, const char *path)
{
    for (int i = 0; i < MOST_LINKS; i++) {
        _cleanup_free_ char *leads_to = NULL;

        if (dr_read_link(context->request->root_fd, path, &leads_to) < 0)
            return path;

        const char *next = join(context, join(context, path, ".."), leads_to);

        if (!link_may_lead(context, path, next))
            return path;
        path = next;
    }
    return path;
}

static void find_state_dir(struct dr_context *context, struct dr_target *target)
{
    const struct dr_request *request = context->request;
    const char *name = NULL;
    const char *value = variable(context, "OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR", &name);
    bool profile = target->profile != NULL;

    if (request->state_dir) {
        target->state_dir = absolute(context, target, request->state_dir);
        target->state_dir_from = "--state-dir";
    } else if (profile) {
        target->state_dir = join(context, target->home, dr_format(context, ".openclaw-%s", target->profile));
        target->state_dir_from = "--profile";
    } else if (value) {
        target->state_dir = absolute(context, target, value);
        target->state_dir_from = name;
        target->legacy_place = strcmp(name, "CLAWDBOT_STATE_DIR") == 0;
    } else {
        size_t names = reads_legacy_names(context) ? DR_COUNT(state_names) : 1;
        size_t found = 0;

        for (size_t i = 0; i < names && found == 0; i++)
            if (is_folder(context, join(context, target->home, state_names[i])))
                found = i + 1;
        found = found ? found - 1 : 0;
        target->state_dir = join(context, target->home, state_names[found]);
        target->state_dir_from = dr_format(context, "~/%s", state_names[found]);
        target->legacy_place = found > 0;
    }
    target->state_dir = follow_links(context, target->state_dir);
}

/* Where no place is named: the first of ~/.openclaw, ~/.clawdbot, ... that holds a configuration under any of its names. */
static const char *first_config(struct dr_context *context, const struct dr_target *target, bool anywhere)
{
    struct stat st;
    size_t names = reads_legacy_names(context) ? DR_COUNT(config_names) : 1;

    for (size_t i = 0; i < names; i++) {
        const char *path = join(context, target->state_dir, config_names[i]);

        if (exists(context, path, &st))
            return path;
    }
    for (size_t s = 0; anywhere && s < names; s++) {
        for (size_t i = 0; i < names; i++) {
            const char *path = join(context, join(context, target->home, state_names[s]), config_names[i]);

            if (exists(context, path, &st))
                return path;
        }
    }
    return join(context, target->state_dir, config_names[0]);
}

static void find_config(struct dr_context *context, struct dr_target *target)
{
    const char *name = NULL;
    const char *value = variable(context, "OPENCLAW_CONFIG_PATH", "CLAWDBOT_CONFIG_PATH", &name);

    if (context->request->config_path) {
        target->config_path = absolute(context, target, context->request->config_path);
        target->config_from = "--config";
    } else if (value && !context->request->state_dir && !target->profile) {
        target->config_path = absolute(context, target, value);
        target->config_from = name;
    } else {
        bool named = target->state_dir_from[0] != '~';

        target->config_path = first_config(context, target, !named);
        target->config_from = "state directory";
    }
}

static void set_user(struct dr_context *context, struct dr_target *target, uint32_t uid, uint32_t gid, const char *from,
                     bool certain)
{
    struct dr_user user;
    bool known = dr_user_by_uid(context, uid, &user) > 0;

    target->uid = uid;
    target->gid = known ? user.gid : gid;
    target->user = known ? user.name : dr_format(context, "uid %u", uid);
    target->user_from = from;
    target->user_certain = certain;
}

/*
 * Whom the state should belong to. The state directory itself may have been taken over by root (`sudo openclaw update`), so the
 * owner of the folder around it counts more than its own.
 */
static void find_user(struct dr_context *context, struct dr_target *target, const struct dr_user *asked)
{
    struct stat around = { 0 };
    struct stat state = { 0 };
    const char *parent = join(context, target->state_dir, "..");
    bool have_parent = exists(context, parent, &around);
    bool have_state = exists(context, target->state_dir, &state);

    if (asked)
        set_user(context, target, asked->uid, asked->gid, "--user", true);
    else if (have_parent && around.st_uid != 0 && dr_path_is_below(target->state_dir, target->home))
        set_user(context, target, around.st_uid, around.st_gid, dr_format(context, "owner of %s", parent), true);
    else if (have_state && state.st_uid != 0)
        set_user(context, target, state.st_uid, state.st_gid, dr_format(context, "owner of %s", target->state_dir), true);
    else if (have_parent && around.st_uid != 0)
        set_user(context, target, around.st_uid, around.st_gid, dr_format(context, "owner of %s", parent), false);
    else if (context->request->uid != 0)
        set_user(context, target, context->request->uid, context->request->gid, "the user who runs the doctor", false);
    else
        set_user(context, target, 0, 0, "everything around it belongs to root", false);
}

static int asked_user(struct dr_context *context, struct dr_user *ret_user)
{
    const char *text = context->request->user;
    char *end;

    if (!text)
        return 0;

    int r = dr_user_by_name(context, text, ret_user);

    if (r != 0)
        return r;
    unsigned long uid = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || uid > UINT32_MAX)
        return -ENOENT;
    if (dr_user_by_uid(context, (uint32_t)uid, ret_user) > 0)
        return 1;
    *ret_user = (struct dr_user){
        .name = dr_format(context, "uid %lu", uid), .uid = (uint32_t)uid, .gid = (uint32_t)uid, .home = NULL
    };
    return 1;
}

/* "/docker/", "/kubepods/", "cri-containerd-0123", "containerd/0123", "lxc" as a word: in the control groups of process 1. */
static bool has_containers_group(const char *text)
{
    static const char *const marks[] = { "/docker/", "/kubepods/", "/kubepods.", "cri-containerd-", "containerd/", "/lxc" };

    for (size_t i = 0; i < DR_COUNT(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return false;
}

/* As OpenClaw itself tells since 2026.4.23 (src/infra/container-environment); that it also takes Fly's machines for containers is left out. */
static bool in_container(struct dr_context *context)
{
    _cleanup_buffer_ struct dr_buffer groups = DR_BUFFER((size_t)64 * 1024);
    struct stat st;

    if (exists(context, "/.dockerenv", &st) || exists(context, "/run/.containerenv", &st))
        return true;
    return !context->request->root &&
           dr_read_file(AT_FDCWD, dr_format(context, "%s/1/cgroup", context->request->proc), &groups, NULL) == 0 &&
           has_containers_group(dr_buffer_text(&groups));
}

static const char *places_looked(struct dr_context *context, const struct dr_target *target)
{
    if (target->state_dir_from[0] == '~')
        return dr_format(context,
                         "there is no OpenClaw state in %s: no .openclaw folder (nor .clawdbot, .moldbot, .moltbot); --user "
                         "NAME or --state-dir DIR "
                         "looks elsewhere",
                         target->home);
    return dr_format(context, "%s does not exist (from %s)", target->state_dir, target->state_dir_from);
}

static void judge_state_dir(struct dr_context *context, struct dr_target *target)
{
    struct stat st;
    int r = dr_stat(context->request->root_fd, target->state_dir, &st);

    target->fact.source.path = target->state_dir;
    if (r == -ENOENT || r == -ENOTDIR) {
        target->fact.state = DR_ABSENT;
        target->fact.reason = places_looked(context, target);
    } else if (r < 0) {
        target->fact.state = DR_UNKNOWN;
        target->fact.reason = dr_format(context, "%s: %s", target->state_dir, dr_errno_text(r));
    } else if (!S_ISDIR(st.st_mode)) {
        target->fact.state = DR_UNKNOWN;
        target->fact.reason = dr_format(context, "%s is not a folder", target->state_dir);
    } else {
        target->fact.state = DR_KNOWN;
    }
}

static void load(struct dr_context *context, struct dr_target *target)
{
    const struct dr_request *request = context->request;
    struct dr_user user = { 0 };
    int asked = asked_user(context, &user);
    const char *name;
    const char *openclaw_home = variable(context, "OPENCLAW_HOME", NULL, &name);

    target->root = request->root;
    target->running_uid = request->uid;
    target->as_root = request->uid == 0;
    target->in_container = in_container(context);
    target->profile = request->profile && strcmp(request->profile, "default") != 0 ? request->profile : NULL;
    target->home = join(context, "/", find_home(context, asked > 0 ? &user : NULL));
    target->home_nested = openclaw_home && dr_text_ends_with(target->home, "/.openclaw");
    find_state_dir(context, target);
    find_config(context, target);
    find_user(context, target, asked > 0 ? &user : NULL);
    if (asked < 0) {
        target->fact.state = DR_UNKNOWN;
        target->fact.reason = dr_format(context, "--user %s: %s", request->user,
                                        asked == -ENOENT ? "no such user in /etc/passwd" : dr_errno_text(asked));
        return;
    }
    judge_state_dir(context, target);
}

const struct dr_target *dr_target(struct dr_context *context)
{
    if (!context->target) {
        context->target = dr_alloc(context, sizeof(*context->target));
        load(context, context->target);
    }
    return context->target;
}
