#include "facts/tokens_places.h"

#include "api/config.h"
#include "api/target.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "facts/install_package.h"
#include "facts/tokens_flaws.h"
#include "facts/units.h"
#include "format/dotenv.h"

#include <string.h>

const struct dr_token_variable dr_token_variables[] = {
    { "OPENCLAW_GATEWAY_TOKEN", false, false },
    { "OPENCLAW_GATEWAY_PASSWORD", true, false },
    { "CLAWDBOT_GATEWAY_TOKEN", false, true },
    { "CLAWDBOT_GATEWAY_PASSWORD", true, true },
};
const size_t dr_token_variable_count = DR_COUNT(dr_token_variables);

struct dr_token_place *dr_token_add(struct dr_token_gathering *gathering, const struct dr_token_place *place)
{
    if (gathering->count == DR_MOST_TOKEN_PLACES)
        return NULL;
    dr_secret_known(gathering->context, place->value);
    gathering->places[gathering->count] = *place;
    dr_token_judge_value(gathering->context, &gathering->places[gathering->count]);
    dr_secret_known(gathering->context, gathering->places[gathering->count].clean);
    return &gathering->places[gathering->count++];
}

void dr_token_unread(struct dr_token_gathering *gathering, const struct dr_source *source, const char *reason)
{
    if (gathering->not_read_count == DR_MOST_TOKEN_UNREAD)
        return;
    gathering->not_read[gathering->not_read_count++] = (struct dr_token_unread){ *source, reason };
}

bool dr_token_is_read(const struct dr_token_gathering *gathering, const struct dr_token_variable *variable)
{
    return !variable->legacy || gathering->rules->legacy_names;
}

static const struct dr_token_variable *variable_named(const struct dr_token_gathering *gathering, const char *name)
{
    for (size_t i = 0; i < dr_token_variable_count; i++)
        if (dr_token_is_read(gathering, &dr_token_variables[i]) && strcmp(dr_token_variables[i].name, name) == 0)
            return &dr_token_variables[i];
    return NULL;
}

static const char *const links_stay = "it is reached over a symbolic link";
static const char *const not_verbatim = "its value is written with escapes, or is empty";

/* A value in the configuration that is not a plain text. */
static void not_plain(struct dr_token_gathering *gathering, const char *path, const struct dr_config_value *value, int r)
{
    const char *reason = NULL;

    if (r == -ENODATA)
        reason = dr_format(gathering->context, "%s is ${%s}, which is not set here", path,
                           value->from_env ? value->from_env : "…");
    else if (value->type == DR_VALUE_OBJECT)
        reason = dr_format(gathering->context, "%s is a reference to a secret store, which is not read", path);
    if (reason)
        dr_token_unread(gathering, &value->source, reason);
}

void dr_tokens_from_config(struct dr_token_gathering *gathering)
{
    static const struct {
        const char *path;
        enum dr_token_place_kind kind;
        bool password;
    } rows[] = {
        { "gateway.auth.token", DR_PLACE_CONFIG_AUTH, false },
        { "gateway.auth.password", DR_PLACE_CONFIG_AUTH, true },
        { "gateway.remote.token", DR_PLACE_CONFIG_REMOTE, false },
        { "gateway.remote.password", DR_PLACE_CONFIG_REMOTE, true },
        { "hooks.token", DR_PLACE_CONFIG_HOOKS, false },
    };
    const struct dr_config *config = dr_config(gathering->context);

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        struct dr_config_value value;
        int r = dr_config_lookup(config, rows[i].path, &value);

        if (r == -EIO || r == 0)
            continue;
        if (r < 0 || value.type != DR_VALUE_STRING) {
            not_plain(gathering, rows[i].path, &value, r);
            continue;
        }
        struct dr_token_place place = {
            .kind = rows[i].kind,
            .variable = rows[i].path,
            .password = rows[i].password,
            .value = value.text,
            .from_env = value.from_env,
            .source = value.source,
            .value_offset = value.inner_offset,
            .value_length = value.inner_length,
            .identity = value.file->identity,
            .sha256 = value.file->sha256,
            .not_editable = value.from_env ? dr_format(gathering->context, "it takes its value from ${%s}", value.from_env)
                            : value.inner_length ? NULL
                                                 : not_verbatim,
        };

        dr_token_add(gathering, &place);
    }
}

void dr_tokens_from_environment(struct dr_token_gathering *gathering)
{
    if (gathering->context->request->root)
        return; /* the environment of this process is not that of a mounted system */
    for (size_t i = 0; i < dr_token_variable_count; i++) {
        const struct dr_token_variable *variable = &dr_token_variables[i];
        const char *value =
            dr_token_is_read(gathering, variable) ? dr_environment(gathering->context, variable->name) : NULL;
        struct dr_token_place place = {
            .kind = DR_PLACE_ENVIRONMENT,
            .variable = variable->name,
            .password = variable->password,
            .value = value,
            .source.pointer = variable->name,
            .not_editable = "it belongs to this shell, which only its owner can change",
        };

        if (value)
            dr_token_add(gathering, &place);
    }
}

static void add_dotenv_entry(struct dr_token_gathering *gathering, const struct dr_text_file *file,
                             const struct dr_dotenv_entry *entry, enum dr_token_place_kind kind, bool ignored)
{
    const struct dr_token_variable *variable = variable_named(gathering, entry->key);

    if (!variable || entry->shadowed)
        return;
    struct dr_token_place place = {
        .kind = kind,
        .variable = variable->name,
        .password = variable->password,
        .value = entry->value,
        .source = { .path = file->path, .pointer = variable->name, .line = entry->line, .column = entry->column },
        .value_offset = entry->verbatim ? entry->inner_offset : 0,
        .value_length = entry->verbatim ? entry->inner_bytes : 0,
        .line_offset = entry->line_offset,
        .line_length = entry->line_bytes,
        .identity = file->identity,
        .sha256 = file->sha256,
        .not_editable = file->by_link                           ? links_stay
                        : entry->verbatim && entry->inner_bytes ? NULL
                                                                : not_verbatim,
        .ignored = ignored,
    };

    dr_token_add(gathering, &place);
}

bool dr_tokens_from_dotenv(struct dr_token_gathering *gathering, const char *path, enum dr_token_place_kind kind,
                           bool ignored)
{
    struct dr_context *context = gathering->context;
    struct dr_source source = { .path = path };
    struct dr_text_file file;
    struct dr_dotenv dotenv;
    int r = dr_text_file_read(context, path, &file);

    if (r == -ENOENT || r == -ENOTDIR)
        return false;
    if (r == 0)
        r = dr_dotenv_parse(file.bytes, file.length, context->arena, &dotenv);
    if (r < 0) {
        dr_token_unread(gathering, &source, dr_errno_text(r));
        return false;
    }
    for (size_t i = 0; i < dotenv.count; i++)
        add_dotenv_entry(gathering, &file, &dotenv.entries[i], kind, ignored);
    return true;
}

/* In the order in which OpenClaw reads them; what is set already stays. */
void dr_tokens_from_dotenvs(struct dr_token_gathering *gathering)
{
    struct dr_context *context = gathering->context;
    const struct dr_target *target = dr_target(context);
    const char *here = context->request->root ? NULL : dr_working_directory(context);

    if (here && strcmp(here, target->state_dir) != 0)
        (void)dr_tokens_from_dotenv(gathering, dr_context_join(context, here, ".env"), DR_PLACE_CWD_DOTENV,
                                    gathering->rules->cwd_dotenv_ignored);
    (void)dr_tokens_from_dotenv(gathering, dr_context_join(context, target->state_dir, ".env"), DR_PLACE_STATE_DOTENV,
                                false);
    /* Read by the releases that ignore the working directory's (src/infra/dotenv-global). */
    if (gathering->rules->cwd_dotenv_ignored)
        (void)dr_tokens_from_dotenv(gathering, dr_context_join(context, target->home, ".config/openclaw/gateway.env"),
                                    DR_PLACE_GATEWAY_DOTENV, false);
}

static void add_service_variable(struct dr_token_gathering *gathering, const struct dr_service *service,
                                 const struct dr_service_variable *set)
{
    const struct dr_token_variable *variable = variable_named(gathering, set->name);

    if (!variable)
        return;
    struct dr_token_place place = {
        .kind = set->from_file ? DR_PLACE_UNIT_FILE : DR_PLACE_UNIT,
        .variable = variable->name,
        .password = variable->password,
        .value = set->value,
        .source = { .path = set->file->path, .pointer = variable->name, .line = set->line, .column = 1 },
        .value_offset = set->value_offset,
        .value_length = set->value_length,
        .line_offset = set->line_offset,
        .line_length = set->line_length,
        .identity = set->file->identity,
        .sha256 = set->file->sha256,
        .not_editable = set->vendor          ? "the file belongs to a package; a drop-in would be the place to change it"
                        : set->file->by_link ? links_stay
                        : set->value_length  ? NULL
                                             : not_verbatim,
        .service = service->name,
        .restart = dr_service_restart(gathering->context, service),
        .ignored = !set->effective,
    };

    dr_token_add(gathering, &place);
}

void dr_tokens_from_services(struct dr_token_gathering *gathering)
{
    const struct dr_services *services = dr_services(gathering->context);

    for (size_t i = 0; i < services->count; i++) {
        const struct dr_service *service = &services->list[i];

        if (!service->ours)
            continue;
        gathering->unit = true;
        for (size_t v = 0; v < service->variable_count; v++)
            add_service_variable(gathering, service, &service->variables[v]);
        for (size_t n = 0; service->not_read[n]; n++) {
            struct dr_source source = { .path = service->path };

            dr_token_unread(gathering, &source, service->not_read[n]);
        }
    }
}
