/* What a unit says of itself: who wrote it, which port, what wants it, whether it is a gateway at all. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/units_loading.h"

#include <string.h>

enum { MOST_WANTED = 16, MOST_PORT = 65535 };

static const char *effective(const struct dr_service *service, const char *name)
{
    const struct dr_service_variable *variable = dr_service_get(service, name);

    return variable && variable->value[0] ? variable->value : NULL;
}

/* "OpenClaw Gateway (v2026.2.19)", as `openclaw gateway install` writes it. */
static const char *version_of(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    const char *said = effective(loading->service, "OPENCLAW_SERVICE_VERSION");
    size_t count = said ? 0 : dr_units_entries(loading, "Unit", "Description", &entries);
    const char *open = count ? strstr(entries[count - 1]->value, "(v") : NULL;

    return open ? dr_strndup(loading->context, open + 2, strcspn(open + 2, ", )")) : said;
}

static unsigned port_number(const char *text)
{
    unsigned port = 0;

    for (; text && *text >= '0' && *text <= '9' && port <= MOST_PORT; text++)
        port = port * 10 + (unsigned)(*text - '0');
    return text && *text == '\0' && port <= MOST_PORT ? port : 0;
}

static void describe_port(struct dr_service *service)
{
    static const char *const variables[] = { "OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT" };

    for (size_t i = 0; service->command[i]; i++) {
        const char *word = service->command[i];

        if (strcmp(word, "--port") == 0)
            service->port = port_number(service->command[i + 1]);
        else if (dr_text_starts_with(word, "--port="))
            service->port = port_number(word + strlen("--port="));
    }
    service->port_source = service->command_source;
    for (size_t i = 0; i < DR_COUNT(variables) && service->port == 0; i++) {
        const struct dr_service_variable *variable = dr_service_get(service, variables[i]);

        if (!variable)
            continue;
        service->port = port_number(variable->value);
        service->port_source = (struct dr_source){ .path = variable->path, .line = variable->line };
    }
}

static const char *const *wanted_by(struct dr_unit_loading *loading)
{
    static const char *const keys[] = { "WantedBy", "RequiredBy" };
    const char **wanted = dr_alloc(loading->context, (MOST_WANTED + 1) * sizeof(*wanted));
    size_t found = 0;

    for (size_t k = 0; k < DR_COUNT(keys); k++) {
        const struct dr_unit_entry *const *entries = NULL;
        size_t count = dr_units_entries(loading, "Install", keys[k], &entries);

        for (size_t i = 0; i < count; i++) {
            const struct dr_unit_word *words = NULL;
            size_t word_count = 0;

            if (dr_unit_words(entries[i], true, loading->context->arena, &words, &word_count) < 0)
                continue;
            for (size_t w = 0; w < word_count && found < MOST_WANTED; w++)
                wanted[found++] = dr_format(loading->context, "%s.%s", words[w].text, k == 0 ? "wants" : "requires");
        }
    }
    return wanted;
}

static bool restarts(struct dr_unit_loading *loading)
{
    const struct dr_unit_entry *const *entries = NULL;
    size_t count = dr_units_entries(loading, "Service", "Restart", &entries);

    return count && strcmp(entries[count - 1]->value, "no") != 0;
}

static bool is_gateway(const struct dr_service *service)
{
    const char *kind = effective(service, "OPENCLAW_SERVICE_KIND");

    if (kind)
        return strcmp(kind, "gateway") == 0;
    for (size_t i = 0; service->command[i]; i++)
        if (strcmp(service->command[i], "gateway") == 0)
            return true;
    return strstr(service->name, "gateway") != NULL;
}

static bool is_masked(struct dr_context *context, const char *path)
{
    _cleanup_free_ char *target = NULL;

    return dr_read_link(context->request->root_fd, path, &target) == 0 && strcmp(target, "/dev/null") == 0;
}

void dr_units_describe(struct dr_unit_loading *loading)
{
    struct dr_service *service = loading->service;

    service->version = version_of(loading);
    service->wanted_by = wanted_by(loading);
    service->restarts = restarts(loading);
    service->gateway = is_gateway(service);
    service->masked = is_masked(loading->context, service->path);
    describe_port(service);
}
