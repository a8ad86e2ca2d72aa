#include "api/install.h"

#include "api/config.h"
#include "api/target.h"
#include "facts/context.h"
#include "facts/install_era.h"
#include "facts/install_places.h"
#include "facts/units.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

static const char *config_text(struct dr_context *context, const char *path)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), path, &value) > 0 && value.type == DR_VALUE_STRING ? value.text : NULL;
}

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

/* What a service starts: `node .../dist/index.js gateway`, or a program of OpenClaw itself. */
static void find_in_service(struct dr_context *context, struct dr_install_list *found, const struct dr_service *service)
{
    const char *const *words = service->command;
    const char *found_by = dr_format(context, "unit %s", service->name);
    enum dr_install_kind kind = service->ours ? DR_INSTALL_UNIT : DR_INSTALL_PLACE;

    for (size_t i = 0; words[i]; i++) {
        bool script = dr_text_ends_with(words[i], ".js") || dr_text_ends_with(words[i], ".mjs");

        if (words[i][0] != '/' || (i > 0 && !script))
            continue;
        dr_install_add(context, found, kind, words[i], script && i > 0 ? words[0] : NULL, found_by);
    }
}

static void find_in_services(struct dr_context *context, struct dr_install_list *found)
{
    const struct dr_services *services = dr_services(context);

    for (size_t i = 0; i < services->count; i++)
        find_in_service(context, found, &services->list[i]);
}

/* What the store, the configuration and the service say that last wrote them. */
static bool decide_by_word_of_state(struct dr_context *context, struct dr_installs *installs, const char *state_dir)
{
    const struct dr_services *services = dr_services(context);
    struct dr_release release;

    if (state_dir && dr_release_parse(dr_app_version_of_state(context, state_dir), &release)) {
        decide(installs, &release, false, "app_version of state/openclaw.sqlite");
        return true;
    }
    if (dr_release_parse(config_text(context, "meta.lastTouchedVersion"), &release)) {
        decide(installs, &release, false, "meta.lastTouchedVersion of the configuration");
        return true;
    }
    for (size_t i = 0; i < services->count; i++) {
        const struct dr_service_variable *version = dr_service_get(&services->list[i], "OPENCLAW_SERVICE_VERSION");

        if (services->list[i].ours && version && dr_release_parse(version->value, &release)) {
            decide(installs, &release, false, dr_format(context, "OPENCLAW_SERVICE_VERSION of %s", services->list[i].name));
            return true;
        }
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
        decide_by_word_of_state(context, installs, state_dir) ||
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

    find_in_services(context, found);
    dr_install_find_on_path(context, found);
    dr_install_find_in_places(context, found, target->home);
    decide_release(context, installs, found, target->state_dir);
    installs->list = found->list;
    installs->count = found->count;
    installs->rules = dr_rules_of(context, &installs->release);
    installs->fact.state = DR_KNOWN;
    return installs;
}
