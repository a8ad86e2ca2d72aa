#include "facts/units.h"

#include "api/target.h"
#include "base/error.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/units_loading.h"

#include <string.h>

void dr_units_not_read(struct dr_unit_loading *loading, const char *path, int code)
{
    if (loading->not_read_count < DR_MOST_NOT_READ)
        loading->not_read[loading->not_read_count++] = dr_format(loading->context, "%s: %s", path, dr_errno_text(code));
}

static void load_unit(struct dr_unit_loading *loading, const char *path, bool vendor)
{
    struct dr_text_file *file = dr_alloc(loading->context, sizeof(*file));
    size_t at = loading->unit_count;
    int r = dr_text_file_read(loading->context, path, file);

    if (r == 0)
        r = dr_unit_parse(file->path, file->bytes, file->length, loading->context->arena, &loading->units[at]);
    if (r == -ENOENT || r == -EINVAL)
        return; /* a unit that is masked (a link to /dev/null) starts nothing */
    if (r < 0) {
        dr_units_not_read(loading, path, r);
        return;
    }
    if (at == 0 && path == loading->place->path && !file->by_link) {
        loading->service->text_sha256 = file->sha256;
        loading->service->identity = file->identity;
    }
    loading->files[at] = file;
    loading->vendor[at] = vendor;
    loading->unit_count++;
}

/* The file that an entry stands in. */
size_t dr_units_file_of(const struct dr_unit_loading *loading, const struct dr_unit_entry *entry)
{
    for (size_t i = 0; i < loading->unit_count; i++)
        if (entry >= loading->units[i].entries && entry < loading->units[i].entries + loading->units[i].count)
            return i;
    return 0;
}

size_t dr_units_entries(const struct dr_unit_loading *loading, const char *section, const char *key,
                        const struct dr_unit_entry *const **ret_entries)
{
    size_t count;

    if (dr_unit_effective(loading->units, loading->unit_count, section, key, loading->context->arena, ret_entries, &count) <
        0)
        return 0;
    return count;
}

static const char *last_value(struct dr_unit_loading *loading, const char *key)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", key, &entries);

    return count ? entries[count - 1]->value : NULL;
}

static void load_command(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", "ExecStart", &entries);
    const struct dr_unit_command *commands = NULL;
    size_t command_count = 0;
    const char **words;

    if (count) {
        size_t file = dr_units_file_of(loading, entries[count - 1]);

        loading->service->command_source =
            (struct dr_source){ .path = loading->files[file]->path, .line = entries[count - 1]->line };
        loading->service->command_in_drop_in = file > 0;
    }
    if (count && dr_unit_commands(entries[count - 1], loading->context->arena, &commands, &command_count) < 0)
        command_count = 0;
    if (command_count == 0) {
        loading->service->command = dr_alloc(loading->context, sizeof(char *));
        return;
    }
    words = dr_alloc(loading->context, (commands[0].count + 1) * sizeof(*words));
    for (size_t i = 0; i < commands[0].count; i++) {
        const struct dr_unit_word *word = &commands[0].words[i];
        const char *expanded = word->specifier ? dr_units_expand(loading, word->text) : word->text;

        words[i] = expanded ? expanded : word->text;
    }
    loading->service->command = words;
}

static const char *value_of(const struct dr_service *service, const char *name, const char *old_name)
{
    const struct dr_service_variable *variable = dr_service_get(service, name);

    if (!variable || variable->value[0] == '\0')
        variable = old_name ? dr_service_get(service, old_name) : NULL;
    return variable && variable->value[0] ? variable->value : NULL;
}

/* The argument of --profile, or of the variable that the installer leaves. */
static const char *profile_of(const struct dr_service *service)
{
    for (size_t i = 0; service->command[i]; i++) {
        if (strcmp(service->command[i], "--profile") == 0)
            return service->command[i + 1];
        if (dr_text_starts_with(service->command[i], "--profile="))
            return service->command[i] + strlen("--profile=");
    }
    return value_of(service, "OPENCLAW_PROFILE", NULL);
}

/* Which state directory the service would use; facts/openclaw-2026.2.md section 10. */
static const char *state_of(struct dr_unit_loading *loading)
{
    struct dr_context *context = loading->context;
    const struct dr_service *service = loading->service;
    const struct dr_target *target = loading->target;
    const char *state = value_of(service, "OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR");
    const char *home = value_of(service, "OPENCLAW_HOME", "HOME");
    const char *profile = profile_of(service);
    const char *owner = service->user ? service->user : "root";
    bool same_user = service->user_manager || (target->user && strcmp(owner, target->user) == 0);

    if (!home)
        home = same_user ? target->home : NULL;
    if (state && state[0] == '~' && home)
        state = dr_context_join(context, home, state[1] == '/' ? state + 2 : ".");
    if (state || !home)
        return state ? dr_context_join(context, "/", state) : NULL;
    if (profile && strcmp(profile, "default") != 0)
        return dr_context_join(context, home, dr_format(context, ".openclaw-%s", profile));
    return target->legacy_place && strcmp(home, target->home) == 0 ? target->state_dir
                                                                   : dr_context_join(context, home, ".openclaw");
}

static bool is_ours(struct dr_unit_loading *loading)
{
    const char *state = state_of(loading);
    const char *real = state ? dr_path_resolve(loading->context, state) : NULL;

    if (!state || !loading->target->state_dir)
        return false;
    return strcmp(state, loading->target->state_dir) == 0 || (real && strcmp(real, loading->target->state_dir) == 0);
}

static void load_service(struct dr_context *context, const struct dr_unit_place *place, struct dr_service *service)
{
    struct dr_unit_loading *loading = dr_alloc(context, sizeof(*loading));

    *loading =
        (struct dr_unit_loading){ .context = context, .target = dr_target(context), .place = place, .service = service };
    loading->variables = dr_alloc(context, DR_MOST_VARIABLES * sizeof(*loading->variables));
    loading->not_read = dr_alloc(context, (DR_MOST_NOT_READ + 1) * sizeof(*loading->not_read));
    loading->gone_files = dr_alloc(context, (DR_MOST_NOT_READ + 1) * sizeof(*loading->gone_files));
    *service = (struct dr_service){
        .name = place->name,
        .path = place->path,
        .user_manager = place->user_manager,
        .vendor = place->vendor,
        .variables = loading->variables,
        .not_read = loading->not_read,
        .gone_files = loading->gone_files,
    };
    load_unit(loading, place->path, place->vendor);
    for (size_t i = 0; i < place->drop_in_count; i++)
        load_unit(loading, place->drop_ins[i], place->drop_in_vendor[i]);
    load_command(loading);
    dr_units_environment(loading);
    service->user = last_value(loading, "User");
    service->ours = is_ours(loading);
    dr_units_describe(loading);
}

const struct dr_services *dr_services(struct dr_context *context)
{
    if (context->services)
        return context->services;

    struct dr_services *services = dr_alloc(context, sizeof(*services));
    struct dr_unit_places *places = dr_alloc(context, sizeof(*places));
    const struct dr_target *target = dr_target(context);

    dr_units_find(context, target->home, target->profile, places);

    struct dr_service *list = dr_alloc(context, (places->count + 1) * sizeof(*list));

    for (size_t i = 0; i < places->count; i++)
        load_service(context, &places->list[i], &list[i]);
    services->list = list;
    services->count = places->count;
    services->fact.state = places->count ? DR_KNOWN : DR_ABSENT;
    context->services = services;
    return services;
}

const struct dr_service_variable *dr_service_get(const struct dr_service *service, const char *name)
{
    for (size_t i = 0; i < service->variable_count; i++)
        if (service->variables[i].effective && strcmp(service->variables[i].name, name) == 0)
            return &service->variables[i];
    return NULL;
}

const struct dr_service *dr_service_at(struct dr_context *context, const char *path)
{
    const struct dr_services *services = dr_services(context);

    for (size_t i = 0; path && i < services->count; i++)
        if (strcmp(services->list[i].path, path) == 0)
            return &services->list[i];
    return NULL;
}

const char *dr_service_restart(struct dr_context *context, const struct dr_service *service)
{
    const char *systemctl = service->user_manager ? "systemctl --user" : "sudo systemctl";

    return dr_format(context, "%s daemon-reload && %s restart %s", systemctl, systemctl, service->name);
}
