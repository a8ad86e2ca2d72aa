#include "api/install.h"

#include "api/target.h"
#include "facts/context.h"
#include "facts/install_era.h"
#include "facts/install_places.h"

#include <errno.h>

static void decide(struct dr_installs *installs, const struct dr_release *release, bool certain, const char *from)
{
    installs->release = *release;
    installs->release_known = true;
    installs->release_certain = certain;
    installs->release_from = from;
}

/* The first install of the kind whose package.json says its version. */
static bool decide_by_install(struct dr_context *context, struct dr_installs *installs, const struct dr_install_list *found,
                              enum dr_install_kind kind, bool certain)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct dr_install *install = &found->list[i];

        if (found->kind[i] != kind || !install->release_known)
            continue;
        decide(installs, &install->release, certain,
               kind == DR_INSTALL_PATH ? "install on PATH" : dr_format(context, "install of %s", install->found_by));
        return true;
    }
    return false;
}

/* The order of evidence of api/install.h. */
static void decide_release(struct dr_context *context, struct dr_installs *installs, const struct dr_install_list *found,
                           const char *state_dir)
{
    const char *given = context->request->openclaw_version;
    const char *shown_by;
    struct dr_release release;

    if (given && dr_release_parse(given, &release)) {
        decide(installs, &release, true, "--openclaw-version");
        return;
    }
    if (decide_by_install(context, installs, found, DR_INSTALL_UNIT, true) ||
        decide_by_install(context, installs, found, DR_INSTALL_PATH, true) ||
        decide_by_install(context, installs, found, DR_INSTALL_PLACE, false))
        return;
    installs->release = dr_era_of_state(context, state_dir, &shown_by);
    installs->release_from = dr_format(context, "shape of the state (%s)", shown_by);
}

const struct dr_installs *dr_installs(struct dr_context *context)
{
    static const struct dr_release unknown = { 2026, 9, 6, 0 };

    if (context->installs)
        return context->installs;

    struct dr_installs *installs = dr_alloc(context, sizeof(*installs));
    struct dr_install_list *found = dr_alloc(context, sizeof(*found));

    /* Another fact may ask for the rules while this one is at work: it gets those of the newest release, never NULL. */
    installs->rules = dr_rules_of(context, &unknown);
    context->installs = installs;

    const struct dr_target *target = dr_target(context);

    dr_install_find_on_path(context, found);
    dr_install_find_in_places(context, found, target->home);
    decide_release(context, installs, found, target->state_dir);
    installs->list = found->list;
    installs->count = found->count;
    installs->rules = dr_rules_of(context, &installs->release);
    installs->fact.state = DR_KNOWN;
    return installs;
}
