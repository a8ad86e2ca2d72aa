/*
 * What a service's command leads to, and what the files that systemd itself keeps say of it. No bus is asked: it may not be there, and
 * the sandbox lets nobody talk to it.
 *
 * A running unit has a link "invocation:<name>" in the manager's folder units/ (systemd, core/unit.c, unit_export_invocation_id), of the system in
 * /run/systemd, of a user in $XDG_RUNTIME_DIR/systemd. It goes when the unit ends, for whatever reason: failed and stopped look alike.
 */
#include "api/services.h"

#include "api/target.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/units_find.h"

#include <string.h>

static void say(struct dr_fact *fact, enum dr_fact_state state, const char *path, const char *reason)
{
    *fact = (struct dr_fact){ .state = state, .reason = reason, .source.path = path };
}

/* Is there something behind that path, over links as well? */
static void look_at(struct dr_context *context, const char *path, struct dr_fact *fact)
{
    struct stat st;
    int r = dr_stat(context->request->root_fd, path, &st);

    if (r == 0 && S_ISLNK(st.st_mode) && !dr_path_resolve(context, path))
        r = -ENOENT; /* a link to nothing */
    if (r == 0)
        say(fact, DR_KNOWN, path, NULL);
    else if (r == -ENOENT || r == -ENOTDIR)
        say(fact, DR_ABSENT, path, dr_errno_text(r));
    else
        say(fact, DR_UNKNOWN, path, dr_format(context, "%s: %s", path, dr_errno_text(r)));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_node(const char *program)
{
    static const char *const names[] = { "node", "nodejs", "bun" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcmp(base_name(program), names[i]) == 0)
            return true;
    return false;
}

/* Node's first argument that is no option. Options that take the next word as their value end the search. */
static const char *entry_of(const char *const *command)
{
    if (!command[0] || !is_node(command[0]))
        return NULL;
    for (size_t i = 1; command[i]; i++) {
        if (command[i][0] == '/')
            return command[i];
        if (command[i][0] != '-' || strcmp(command[i], "-r") == 0 || strcmp(command[i], "--require") == 0 ||
            strcmp(command[i], "--import") == 0)
            return NULL;
    }
    return NULL;
}

static void look_at_enabled(struct dr_context *context, const struct dr_service *service, struct dr_fact *fact)
{
    const char *link = NULL;
    int r = service->wanted_by[0] ? dr_units_wanted(context, dr_target(context)->home, service->name, service->user_manager,
                                                    service->wanted_by, &link)
                                  : -EINVAL;

    if (r == -EINVAL)
        *fact = (struct dr_fact){ 0 };
    else if (r < 0)
        say(fact, DR_UNKNOWN, service->path, dr_errno_text(r));
    else
        say(fact, r > 0 ? DR_KNOWN : DR_ABSENT, link, NULL);
}

static void look_at_running(struct dr_context *context, const struct dr_service *service, struct dr_fact *fact)
{
    const struct dr_systemd *systemd = dr_systemd(context);
    const struct dr_fact *manager = service->user_manager ? &systemd->user_manager : &systemd->fact;
    struct stat st;

    if (manager->state != DR_KNOWN) {
        say(fact, DR_UNKNOWN, NULL, "its systemd does not run, or cannot be seen from here");
        return;
    }
    const char *folder = service->user_manager ? dr_format(context, "/run/user/%u/systemd/units", dr_target(context)->uid)
                                               : "/run/systemd/units";
    int r = dr_stat(context->request->root_fd, folder, &st);

    if (r < 0) {
        say(fact, DR_UNKNOWN, folder, dr_errno_text(r));
        return;
    }
    const char *link = dr_format(context, "%s/invocation:%s", folder, service->name);

    r = dr_stat(context->request->root_fd, link, &st);
    say(fact, r == 0 ? DR_KNOWN : r == -ENOENT ? DR_ABSENT : DR_UNKNOWN, link, r < 0 ? dr_errno_text(r) : NULL);
}

/* The first file that NODE_OPTIONS has Node load before anything else, and that is not there. */
static void look_at_preload(struct dr_context *context, const struct dr_service *service, struct dr_fact *fact)
{
    static const char *const options[] = { "--require", "-r", "--import" };
    const struct dr_service_variable *variable = dr_service_get(service, "NODE_OPTIONS");
    bool is_file = false;

    for (const char *at = variable ? variable->value : ""; *at && fact->state != DR_ABSENT; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        const char *word = dr_strndup(context, at, length);

        for (size_t i = 0; i < DR_COUNT(options); i++)
            if (dr_text_starts_with(word, options[i]) && word[strlen(options[i])] == '=') {
                is_file = true;
                word += strlen(options[i]) + 1;
                break;
            }
        if (is_file && word[0] == '/')
            look_at(context, word, fact);
        is_file = false;
        for (size_t i = 0; i < DR_COUNT(options); i++)
            is_file |= strcmp(word, options[i]) == 0;
        at += length;
    }
    if (fact->state != DR_ABSENT)
        *fact = (struct dr_fact){ 0 };
}

static bool is_folder(struct dr_context *context, const char *path)
{
    struct stat st;

    return dr_stat(context->request->root_fd, path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void look_at_drop_ins(struct dr_context *context, const struct dr_service *service, struct dr_service_state *state)
{
    const char *home = dr_target(context)->home;
    const char *folder =
        service->user_manager ? dr_context_join(context, home ? home : "/", ".config/systemd/user") : "/etc/systemd/system";

    state->drop_in_folder = dr_format(context, "%s/%s.d", folder, service->name);
    state->drop_in_folder_there = is_folder(context, state->drop_in_folder);
    state->drop_in_parent_there = is_folder(context, folder);
}

const char *dr_service_out_of_reach(struct dr_context *context, const struct dr_service *service)
{
    const struct dr_target *target = dr_target(context);
    const struct dr_systemd *systemd = dr_systemd(context);
    const char *policy = dr_environment(context, "OPENCLAW_SERVICE_REPAIR_POLICY");

    if (target->root)
        return "a service can only be changed on the system that it runs on";
    if (policy && strcmp(policy, "external") == 0)
        return "OPENCLAW_SERVICE_REPAIR_POLICY=external leaves services to somebody else";
    if (systemd->fact.state != DR_KNOWN)
        return "systemd does not run here";
    if (!systemd->systemctl)
        return "systemctl is not installed";
    if (!target->as_root && (!service->user_manager || target->running_uid != target->uid))
        return "only root may do that: run it with sudo";
    if (service->user_manager && systemd->user_manager.state != DR_KNOWN)
        return dr_format(context, "the systemd of %s does not run; log in as %s, or: sudo loginctl enable-linger %s",
                         target->user, target->user, target->user);
    return NULL;
}

struct dr_service_state dr_service_state(struct dr_context *context, const struct dr_service *service)
{
    struct dr_service_state state = { 0 };
    const char *program = service->command[0];
    const char *entry = entry_of(service->command);
    struct dr_package package;

    if (program && program[0] == '/')
        look_at(context, program, &state.program);
    if (entry)
        look_at(context, entry, &state.entry);
    if (program && dr_package_of(context, entry ? entry : program, &package) == 0) {
        state.package_dir = package.folder;
        state.package_version = package.version;
    }
    look_at_preload(context, service, &state.preload);
    look_at_drop_ins(context, service, &state);
    look_at_enabled(context, service, &state.enabled);
    look_at_running(context, service, &state.running);
    return state;
}
