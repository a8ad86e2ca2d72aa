/* Modules under both of their names, and the conditions that are decided while httpd reads. */
#include "format/apache_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where neither the Debian package nor the upstream source calls the file mod_<name>.c. */
static const struct apache_module odd_names[] = {
    { "mpm_event_module", "event.c" },
    { "mpm_worker_module", "worker.c" },
    { "mpm_prefork_module", "prefork.c" },
    { "ldap_module", "util_ldap.c" },
};

/* In the program itself, as Debian builds it (apache2 -l). */
static const struct apache_module static_modules[] = {
    { "core_module", "core.c" },
    { "so_module", "mod_so.c" },
    { "watchdog_module", "mod_watchdog.c" },
    { "http_module", "http_core.c" },
    { "log_config_module", "mod_log_config.c" },
    { "logio_module", "mod_logio.c" },
    { "version_module", "mod_version.c" },
    { "unixd_module", "mod_unixd.c" },
};

/* httpd 2.4 of Debian 12: what <IfVersion> is decided by. The reader runs no program. */
static const long version[3] = { 2, 4, 71 };

/* Whose directives <IfDirective> asks for, by their beginnings. */
static const struct {
    const char *prefix;
    const char *module;
} owners[] = {
    { "Proxy", "proxy_module" },
    { "BalancerMember", "proxy_module" },
    { "Rewrite", "rewrite_module" },
    { "RequestHeader", "headers_module" },
    { "Header", "headers_module" },
    { "SSL", "ssl_module" },
    { "RemoteIP", "remoteip_module" },
    { "SetEnvIf", "setenvif_module" },
    { "BrowserMatch", "setenvif_module" },
    { "SetEnv", "env_module" },
    { "Use", "macro_module" },
    { "Macro", "macro_module" },
};

static void add(struct apache_reader *reader, const char *symbol, const char *source)
{
    struct apache_module *grown =
        dr_arena_grow(reader->arena, reader->modules, reader->module_count, sizeof(*grown), &reader->module_room);

    if (!grown || !symbol || !source) {
        reader->no_memory = true;
        return;
    }
    reader->modules = grown;
    grown[reader->module_count++] = (struct apache_module){ .symbol = symbol, .source = source };
}

void apache_modules_static(struct apache_reader *reader)
{
    for (size_t i = 0; i < DR_COUNT(static_modules); i++)
        add(reader, static_modules[i].symbol, static_modules[i].source);
}

void apache_module_load(struct apache_reader *reader, const char *symbol, const char *path)
{
    const char *name = strrchr(path, '/');

    reader->loads_modules = true;
    if (apache_has_module(reader, symbol))
        return;
    for (size_t i = 0; i < DR_COUNT(odd_names); i++) {
        if (strcmp(odd_names[i].symbol, symbol) == 0) {
            add(reader, odd_names[i].symbol, odd_names[i].source);
            return;
        }
    }
    name = name ? name + 1 : path;
    if (strncmp(name, "lib", 3) == 0)
        add(reader, symbol, dr_arena_format(reader->arena, "mod_%.*s.c", (int)strcspn(name + 3, "."), name + 3));
    else
        add(reader, symbol, dr_arena_format(reader->arena, "%.*s.c", (int)strcspn(name, "."), name));
}

bool apache_has_module(const struct apache_reader *reader, const char *name)
{
    if (reader->fragment)
        return true;
    if (!apache_spend(reader, reader->module_count))
        return false;
    for (size_t i = 0; i < reader->module_count; i++)
        if (strcmp(reader->modules[i].symbol, name) == 0 || strcmp(reader->modules[i].source, name) == 0)
            return true;
    return false;
}

/* --- conditions ----------------------------------------------------------------------------------------------------------- */

static int if_module(struct apache_reader *reader, const char *argument)
{
    return apache_has_module(reader, argument);
}

static int if_define(struct apache_reader *reader, const char *argument)
{
    return apache_is_defined(reader, argument);
}

static int if_file(struct apache_reader *reader, const char *argument)
{
    const struct dr_proxy_file *file = NULL;
    const char *path = apache_root_relative(reader, argument);
    int r = path ? reader->gathering.loader->load(reader->gathering.loader->user, path, &file) : -ENOMEM;

    return r == -ENOENT || r == -ENOTDIR ? 0 : r == -EACCES || r == -ENOMEM ? -2 : 1;
}

static int if_directive(struct apache_reader *reader, const char *argument)
{
    argument += *argument == '<';
    for (size_t i = 0; i < DR_COUNT(owners); i++)
        if (strncasecmp(argument, owners[i].prefix, strlen(owners[i].prefix)) == 0)
            return apache_has_module(reader, owners[i].module);
    return -2;
}

static int compare_version(const char *text)
{
    for (int i = 0; i < 3; i++) {
        char *end;
        long wanted = strtol(text, &end, 10);

        if (end == text)
            wanted = 0;
        if (version[i] != wanted)
            return version[i] < wanted ? -1 : 1;
        text = *end == '.' ? end + 1 : end;
    }
    return 0;
}

/* <IfVersion [!]operator version>: one word is "=". Regular expressions are not decided. */
static int if_version(const struct apache_word *words, size_t count)
{
    const char *operator= count> 1 ? words[0].text : "=";
    const char *wanted = count > 1 ? words[1].text : count > 0 ? words[0].text : "";
    bool negated = *operator== '!';
    int compared, holds;

    operator+= negated;
    if (wanted[0] == '/' || strcmp(operator, "~") == 0)
        return -2;
    compared = compare_version(wanted);
    if (strcmp(operator, "=") == 0 || strcmp(operator, "==") == 0)
        holds = compared == 0;
    else if (strcmp(operator, ">") == 0)
        holds = compared > 0;
    else if (strcmp(operator, ">=") == 0)
        holds = compared >= 0;
    else if (strcmp(operator, "<") == 0)
        holds = compared < 0;
    else if (strcmp(operator, "<=") == 0)
        holds = compared <= 0;
    else
        return -2;
    return negated ? !holds : holds;
}

int apache_condition(struct apache_reader *reader, const char *name, const struct apache_word *words, size_t count)
{
    static const struct {
        const char *name;
        int (*decide)(struct apache_reader *reader, const char *argument);
    } conditions[] = {
        { "<IfModule", if_module },       { "<IfDefine", if_define },     { "<IfFile", if_file },
        { "<IfDirective", if_directive }, { "<IfSection", if_directive },
    };

    if (strcasecmp(name, "<IfVersion") == 0)
        return if_version(words, count);
    for (size_t i = 0; i < DR_COUNT(conditions); i++) {
        if (strcasecmp(name, conditions[i].name) != 0)
            continue;

        const char *argument = count > 0 ? words[0].text : "";
        bool negated = *argument == '!';
        int holds = conditions[i].decide(reader, argument + negated);

        return holds < 0 || !negated ? holds : !holds;
    }
    return -1;
}
