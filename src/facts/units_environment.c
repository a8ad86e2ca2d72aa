#include "api/target.h"
#include "base/buffer.h"
#include "facts/install_package.h"
#include "facts/units_loading.h"
#include "format/systemd_env_file.h"

#include <string.h>

/* systemd.unit(5), "Specifiers" */
const char *dr_units_expand(struct dr_unit_loading *loading, const char *text)
{
    const struct dr_target *target = loading->target;
    bool user = loading->service->user_manager;
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(4096);

    for (; *text; text++) {
        const char *with = NULL;

        if (*text != '%') {
            if (dr_buffer_append_byte(&buffer, *text) < 0)
                return NULL;
            continue;
        }
        switch (*++text) {
        case '%':
            with = "%";
            break;
        case 'h':
            with = user ? target->home : "/root";
            break;
        case 'E':
            with = user ? dr_context_join(loading->context, target->home, ".config") : "/etc";
            break;
        case 'S':
            with = user ? dr_context_join(loading->context, target->home, ".local/state") : "/var/lib";
            break;
        case 'n':
            with = loading->service->name;
            break;
        case 'u':
            with = user ? target->user : "root";
            break;
        default:
            return NULL;
        }
        if (!with || dr_buffer_append_text(&buffer, with) < 0)
            return NULL;
    }
    return dr_strdup(loading->context, dr_buffer_text(&buffer));
}

static void add_variable(struct dr_unit_loading *loading, const struct dr_service_variable *variable)
{
    struct dr_service *service = loading->service;

    if (service->variable_count == DR_MOST_VARIABLES)
        return;
    for (size_t i = 0; i < service->variable_count; i++)
        if (strcmp(loading->variables[i].name, variable->name) == 0)
            loading->variables[i].effective = false;
    loading->variables[service->variable_count] = *variable;
    loading->variables[service->variable_count].path = variable->file->path;
    loading->variables[service->variable_count++].effective = true;
}

static void load_environment(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", "Environment", &entries);

    for (size_t i = 0; i < count; i++) {
        const struct dr_unit_assignment *assignments = NULL;
        size_t assignment_count = 0;
        size_t file = dr_units_file_of(loading, entries[i]);

        /* Words that systemd would not take are left out; those in front of them count. */
        if (dr_unit_assignments(entries[i], loading->context->arena, &assignments, &assignment_count) == -ENOMEM)
            return;
        for (size_t a = 0; a < assignment_count; a++) {
            const struct dr_unit_assignment *assignment = &assignments[a];
            const char *value = assignment->specifier ? dr_units_expand(loading, assignment->value) : assignment->value;
            struct dr_service_variable variable = {
                .name = assignment->name,
                .value = value ? value : assignment->value,
                .vendor = loading->vendor[file],
                .line = assignment->line,
                .value_offset = assignment->offset,
                .value_length = assignment->specifier ? 0 : assignment->bytes,
                .line_offset = assignment->alone ? entries[i]->line_offset : 0,
                .line_length = assignment->alone ? entries[i]->line_bytes : 0,
                .file = loading->files[file],
            };

            add_variable(loading, &variable);
        }
    }
}

static void load_environment_file(struct dr_unit_loading *loading, const char *path, bool optional)
{
    struct dr_context *context = loading->context;
    struct dr_text_file *file = dr_alloc(context, sizeof(*file));
    const char *real = dr_units_expand(loading, path);
    struct dr_env_file parsed;
    int r = real ? dr_text_file_read(context, real, file) : -ENOTSUP;

    if (r == -ENOENT && optional)
        return;
    if (r == -ENOENT && loading->gone_count < DR_MOST_NOT_READ)
        loading->gone_files[loading->gone_count++] = real;
    if (r == 0)
        r = dr_env_file_parse(file->bytes, file->length, context->arena, &parsed);
    if (r < 0) {
        dr_units_not_read(loading, path, r);
        return;
    }
    for (size_t i = 0; i < parsed.count; i++) {
        const struct dr_env_file_entry *entry = &parsed.entries[i];
        struct dr_service_variable variable = {
            .name = entry->key,
            .value = entry->value,
            .from_file = true,
            .line = entry->line,
            .value_offset = entry->value_offset,
            .value_length = entry->value_bytes,
            .line_offset = entry->line_offset,
            .line_length = entry->line_bytes,
            .file = file,
        };

        if (!entry->shadowed)
            add_variable(loading, &variable);
    }
}

static void load_environment_files(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", "EnvironmentFile", &entries);

    for (size_t i = 0; i < count; i++) {
        const char *path;
        bool optional;

        if (dr_unit_environment_file(entries[i], loading->context->arena, &path, &optional) == 0)
            load_environment_file(loading, path, optional);
    }
}

/* UnsetEnvironment= is done last: NAME takes any value of it away, NAME=VALUE that value. systemd.exec(5) */
static void unset_environment(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", "UnsetEnvironment", &entries);

    for (size_t i = 0; i < count; i++) {
        const struct dr_unit_word *words = NULL;
        size_t word_count = 0;

        if (dr_unit_words(entries[i], false, loading->context->arena, &words, &word_count) == -ENOMEM)
            return;
        for (size_t w = 0; w < word_count; w++)
            for (size_t v = 0; v < loading->service->variable_count; v++) {
                struct dr_service_variable *variable = &loading->variables[v];
                size_t length = strcspn(words[w].text, "=");
                bool named = strncmp(variable->name, words[w].text, length) == 0 && variable->name[length] == '\0';

                if (named && (words[w].text[length] == '\0' || strcmp(variable->value, words[w].text + length + 1) == 0))
                    variable->effective = false;
            }
    }
}

void dr_units_environment(struct dr_unit_loading *loading)
{
    load_environment(loading);
    load_environment_files(loading);
    unset_environment(loading);
}
