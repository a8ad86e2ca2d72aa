/* Does systemd run here, and the user's own; may it run without a login. From files only. */
#include "api/services.h"

#include "api/target.h"
#include "base/error.h"
#include "base/file.h"
#include "facts/context.h"

#include <string.h>

static const char *program(struct dr_context *context, const char *name)
{
    static const char *const folders[] = { "/usr/bin", "/bin", "/run/current-system/sw/bin" };

    for (size_t i = 0; i < DR_COUNT(folders); i++) {
        const char *path = dr_format(context, "%s/%s", folders[i], name);
        struct stat st;

        if (dr_stat(context->request->root_fd, path, &st) == 0 && !S_ISDIR(st.st_mode))
            return path;
    }
    return NULL;
}

static struct dr_fact presence(struct dr_context *context, const char *path)
{
    struct dr_fact fact = { .source.path = path };
    struct stat st;
    int r = dr_stat(context->request->root_fd, path, &st);

    fact.state = r == 0 ? DR_KNOWN : r == -ENOENT || r == -ENOTDIR ? DR_ABSENT : DR_UNKNOWN;
    fact.reason = r < 0 ? dr_format(context, "%s: %s", path, dr_errno_text(r)) : NULL;
    return fact;
}

static struct dr_fact unknown(const char *reason)
{
    return (struct dr_fact){ .state = DR_UNKNOWN, .reason = reason };
}

static bool has_name(const struct dr_target *target)
{
    return target->user && target->user[0] && !strchr(target->user, ' ') && !strchr(target->user, '/');
}

const struct dr_systemd *dr_systemd(struct dr_context *context)
{
    if (context->systemd)
        return context->systemd;

    struct dr_systemd *systemd = dr_alloc(context, sizeof(*systemd));
    const struct dr_target *target = dr_target(context);

    systemd->systemctl = program(context, "systemctl");
    systemd->loginctl = program(context, "loginctl");
    /* sd_booted(3) */
    systemd->fact = presence(context, "/run/systemd/system");
    if (target->root) {
        systemd->fact = unknown("another system's files are looked at");
        systemd->user_manager = systemd->fact;
    } else {
        systemd->user_manager = presence(context, dr_format(context, "/run/user/%u/systemd/private", target->uid));
    }
    /* logind, login/logind-user.c: an empty file of the user's name. */
    systemd->linger = has_name(target) ? presence(context, dr_format(context, "/var/lib/systemd/linger/%s", target->user))
                                       : unknown("the user of the gateway has no name here");
    context->systemd = systemd;
    return systemd;
}
