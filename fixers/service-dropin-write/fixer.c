/*
 * A drop-in of the user's own beside the unit: spares loopback from the proxy, or takes the token out of the service's environment (the
 * gateway then reads it from the configuration). The unit itself stays as its installer wrote it.
 */
#include "api/fixer.h"

#include "api/services.h"
#include "api/target.h"

#include <string.h>

enum { FILE_MODE = 0644, FOLDER_MODE = 0755 };

static const char *value_of(const struct dr_service *service, const char *name)
{
    const struct dr_service_variable *variable = dr_service_get(service, name);

    return variable ? variable->value : NULL;
}

static bool has_item(const char *list, const char *item)
{
    size_t length = strlen(item);

    for (; *list; list += strspn(list, ", \t")) {
        size_t one = strcspn(list, ", \t");

        if (one == length && strncmp(list, item, length) == 0)
            return true;
        list += one;
    }
    return false;
}

/* What is there, and what misses. NULL: it holds what cannot stand in a unit as it is. */
static const char *spare_loopback(struct dr_context *context, const char *list)
{
    static const char *const items[] = { "127.0.0.1", "localhost", "::1" };

    list = list ? list : "";
    if (strspn(list, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:*/_-[] ") != strlen(list))
        return NULL;
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (!has_item(list, items[i]))
            list = dr_format(context, "%s%s%s", list, list[0] ? "," : "", items[i]);
    return list;
}

static const char *proxy_text(struct dr_context *context, const struct dr_service *service, struct dr_plan *plan)
{
    const struct dr_service_variable *upper = dr_service_get(service, "NO_PROXY"),
                                     *lower = dr_service_get(service, "no_proxy");
    const char *old = value_of(service, lower ? "no_proxy" : "NO_PROXY");
    const char *list = spare_loopback(context, old);

    if ((upper && upper->from_file) || (lower && lower->from_file)) {
        const char *path = (lower && lower->from_file ? lower : upper)->path;

        dr_plan_refuse(plan, "NO_PROXY comes from %s, which counts more than a drop-in: add 127.0.0.1,localhost,::1 there",
                       path);
    } else if (!list) {
        dr_plan_refuse(plan, "NO_PROXY holds characters that mean something in a unit; add 127.0.0.1 to it by hand");
    } else {
        return dr_format(context,
                         "# openclaw-doctor: what is on this machine is not asked for through the proxy.\n[Service]\n"
                         "Environment=\"NO_PROXY=%s\"\nEnvironment=\"no_proxy=%s\"\n",
                         list, list);
    }
    return NULL;
}

static const char *token_text(struct dr_context *context)
{
    return dr_format(context, "# openclaw-doctor: the gateway takes its token from the configuration.\n[Service]\n"
                              "UnsetEnvironment=OPENCLAW_GATEWAY_TOKEN\n");
}

static const char *row(struct dr_context *context, const struct dr_service *service, const char *verb)
{
    return dr_format(context, "systemctl-%s%s", service->user_manager ? "user-" : "", verb);
}

static void write_drop_in(struct dr_context *context, const struct dr_service *service, const char *what, const char *text,
                          struct dr_plan *plan)
{
    const struct dr_service_state state = dr_service_state(context, service);
    const struct dr_target *target = dr_target(context);
    uint32_t uid = service->user_manager ? target->uid : 0, gid = service->user_manager ? target->gid : 0;
    const char *path = dr_format(context, "%s/50-openclaw-doctor-%s.conf", state.drop_in_folder, what);
    struct dr_command reload = {
        .name = row(context, service, "daemon-reload"),
        .program = dr_systemd(context)->systemctl,
        .when = DR_COMMAND_ON_UNDO,
    };

    if (!state.drop_in_parent_there) {
        dr_plan_refuse(plan, "there is no folder for %s", state.drop_in_folder);
        return;
    }
    (void)dr_plan_run_command(plan, &reload);
    if (!state.drop_in_folder_there)
        (void)dr_plan_make_directory(plan, state.drop_in_folder, FOLDER_MODE, uid, gid);
    struct dr_operation *operation = dr_plan_write_file(plan, path, text, strlen(text), FILE_MODE, uid, gid);

    operation->summary = dr_format(context, "add the drop-in %s", path);
    operation->while_running = DR_GO_AHEAD;
    operation->restart =
        dr_format(context, "%s restart %s", service->user_manager ? "systemctl --user" : "sudo systemctl", service->name);
    reload.when = DR_COMMAND_FORWARD;
    (void)dr_plan_run_command(plan, &reload);
}

static int plan(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_service *service = dr_service_at(context, dr_finding_get(finding, "service"));
    const char *what = dr_finding_get(finding, "what");
    const char *why = service && what ? dr_service_out_of_reach(context, service) : "the service is not there any more";

    if (why) {
        dr_plan_refuse(plan, "%s", why);
        return 0;
    }
    const char *text = strcmp(what, "proxy") == 0 ? proxy_text(context, service, plan) : token_text(context);

    if (text)
        write_drop_in(context, service, what, text, plan);
    return 0;
}

const struct dr_fixer dr_fixer_service_dropin_write = {
    .id = "service-dropin-write",
    .title = "Add a drop-in to the service",
    .plan = plan,
};
