/*
 * How HAProxy is started where it does not run: ExecStart of haproxy.service with its drop-ins, variables from Environment= and
 * EnvironmentFile= (Debian: CONFIG and EXTRAOPTS in /etc/default/haproxy; Fedora: CFGDIR as a second "-f"), else, without a unit,
 * /etc/default/haproxy as Debian's init script takes it. Sources: haproxy(1), systemd.service(5), "Command lines"; both packages.
 */
#include "facts/proxies.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/proxy_files.h"
#include "facts/text_file.h"
#include "format/systemd_env_file.h"
#include "format/systemd_unit.h"

#include <string.h>

enum { MOST_FILES = 64, MOST_UNITS = 33, MOST_WORDS = 256 };

const char *const *dr_haproxy_files(struct dr_context *context, const char *const *words)
{
    const char **list = dr_alloc(context, (MOST_FILES + 1) * sizeof(*list));
    bool rest = false;
    size_t count = 0;

    for (size_t i = words[0] ? 1 : 0; words[i] && count < MOST_FILES; i++) {
        if (rest) {
            list[count++] = words[i];
        } else if (strcmp(words[i], "--") == 0) {
            rest = true;
        } else if (strcmp(words[i], "-f") == 0 && words[i + 1]) {
            list[count++] = words[++i];
        }
    }
    return list;
}

struct reading {
    struct dr_context *context;
    struct dr_unit units[MOST_UNITS];
    size_t count;
    const char *words[MOST_WORDS + 1];
    size_t word_count;
};

static bool add_unit(struct reading *reading, const char *path)
{
    struct dr_context *context = reading->context;
    struct dr_text_file file;

    if (reading->count == MOST_UNITS || dr_text_file_read(context, path, &file) < 0 ||
        dr_unit_parse(path, file.bytes, file.length, context->arena, &reading->units[reading->count]) < 0)
        return false;
    reading->count++;
    return true;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Of all folders together, by their names; of equal names the first folder's. */
static void add_drop_ins(struct reading *reading, const char *const *folders)
{
    const struct dr_proxy_loader *loader = dr_proxy_loader(reading->context, 0);
    const char *sorted[MOST_UNITS];
    size_t count = 0;

    for (; *folders; folders++) {
        const char *const *paths;

        if (loader->expand(loader->user, dr_format(reading->context, "%s/haproxy.service.d/*.conf", *folders), &paths) < 0)
            continue;
        for (; *paths && count < MOST_UNITS; paths++) {
            size_t at = 0;

            while (at < count && strcmp(name_of(sorted[at]), name_of(*paths)) < 0)
                at++;
            if (at < count && strcmp(name_of(sorted[at]), name_of(*paths)) == 0)
                continue;
            memmove(&sorted[at + 1], &sorted[at], (count - at) * sizeof(sorted[0]));
            sorted[at] = *paths;
            count++;
        }
    }
    for (size_t i = 0; i < count; i++)
        (void)add_unit(reading, sorted[i]);
}

static const struct dr_unit_entry *const *entries(struct reading *reading, const char *key, size_t *ret_count)
{
    const struct dr_unit_entry *const *list;

    *ret_count = 0;
    if (dr_unit_effective(reading->units, reading->count, "Service", key, reading->context->arena, &list, ret_count) < 0)
        *ret_count = 0;
    return list;
}

static const char *from_file(struct dr_context *context, const char *path, const char *name)
{
    struct dr_text_file file;
    struct dr_env_file env;

    if (dr_text_file_read(context, path, &file) < 0 || dr_env_file_parse(file.bytes, file.length, context->arena, &env) < 0)
        return NULL;
    const struct dr_env_file_entry *entry = dr_env_file_get(&env, name);

    return entry ? entry->value : NULL;
}

/* A file's value goes before that of Environment=; of several the last counts. */
static const char *variable(struct reading *reading, const char *name)
{
    struct dr_arena *arena = reading->context->arena;
    const char *value = NULL, *path;
    bool optional;
    size_t count;
    const struct dr_unit_entry *const *list = entries(reading, "Environment", &count);

    for (size_t i = 0; i < count; i++) {
        const struct dr_unit_assignment *set;
        size_t sets = 0;

        if (dr_unit_assignments(list[i], arena, &set, &sets) < 0)
            continue;
        for (size_t s = 0; s < sets; s++)
            if (strcmp(set[s].name, name) == 0)
                value = set[s].value;
    }
    list = entries(reading, "EnvironmentFile", &count);
    for (size_t i = 0; i < count; i++) {
        const char *found =
            dr_unit_environment_file(list[i], arena, &path, &optional) == 0 ? from_file(reading->context, path, name) : NULL;

        value = found ? found : value;
    }
    return value ? value : "";
}

static void add_word(struct reading *reading, const char *word)
{
    if (reading->word_count < MOST_WORDS)
        reading->words[reading->word_count++] = word;
}

static void add_split(struct reading *reading, const char *text)
{
    for (size_t length; *(text += strspn(text, " \t\r\n")); text += length) {
        length = strcspn(text, " \t\r\n");
        add_word(reading, dr_strndup(reading->context, text, length));
    }
}

/* "$NAME" as a word of its own is cut at blanks; "${NAME}" stays one word. */
static void take_word(struct reading *reading, const char *text)
{
    const char *dollar = strstr(text, "${"), *close = dollar ? strchr(dollar, '}') : NULL;

    if (text[0] == '$' && text[1] != '{' && text[1] != '$') {
        add_split(reading, variable(reading, text + 1));
    } else if (close) {
        const char *value = variable(reading, dr_strndup(reading->context, dollar + 2, (size_t)(close - dollar) - 2));

        add_word(reading, dr_format(reading->context, "%.*s%s%s", (int)(dollar - text), text, value, close + 1));
    } else {
        add_word(reading, text);
    }
}

static const char *const *from_unit(struct reading *reading)
{
    size_t count, commands = 0;
    const struct dr_unit_entry *const *list = entries(reading, "ExecStart", &count);
    const struct dr_unit_command *command;

    if (count == 0 || dr_unit_commands(list[count - 1], reading->context->arena, &command, &commands) < 0 || commands == 0)
        return NULL;
    for (size_t i = 0; i < command->count; i++)
        take_word(reading, command->words[i].text);
    return dr_haproxy_files(reading->context, reading->words);
}

static const char *const *from_defaults(struct reading *reading)
{
    static const char path[] = "/etc/default/haproxy";
    struct dr_context *context = reading->context;
    const char *config = from_file(context, path, "CONFIG"), *options = from_file(context, path, "EXTRAOPTS");

    if (!config && !options)
        return NULL;
    add_word(reading, "haproxy");
    add_word(reading, "-f");
    add_word(reading, config ? config : "/etc/haproxy/haproxy.cfg");
    add_split(reading, options ? options : "");
    return dr_haproxy_files(context, reading->words);
}

const char *const *dr_haproxy_service_files(struct dr_context *context, const char **ret_from)
{
    static const char *const folders[] = { "/etc/systemd/system",     "/run/systemd/system", "/usr/local/lib/systemd/system",
                                           "/usr/lib/systemd/system", "/lib/systemd/system", NULL };
    struct reading *reading = dr_alloc(context, sizeof(*reading));

    reading->context = context;
    *ret_from = "haproxy.service";
    for (size_t i = 0; folders[i] && reading->count == 0; i++)
        (void)add_unit(reading, dr_format(context, "%s/haproxy.service", folders[i]));
    if (reading->count > 0) {
        add_drop_ins(reading, folders);
        return from_unit(reading);
    }
    *ret_from = "/etc/default/haproxy";
    return from_defaults(reading);
}
