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
    look_at_enabled(context, service, &state.enabled);
    look_at_running(context, service, &state.running);
    return state;
}
