#include "api/binding.h"

#include "api/config.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/target.h"
#include "base/cleanup.h"
#include "facts/compose.h"
#include "facts/units.h"

#include <string.h>

enum { DEFAULT_PORT = 18789 };

struct gathering {
    struct dr_context *context;
    struct dr_binding *binding;
};

static const char *text_at(struct dr_context *context, const char *path, struct dr_config_value *value)
{
    return dr_config_lookup(dr_config(context), path, value) > 0 && value->type == DR_VALUE_STRING ? value->text : NULL;
}

static void take(struct gathering *gathering, const char *mode, const char *from, const struct dr_source *source)
{
    struct dr_binding *binding = gathering->binding;

    if (binding->mode)
        return;
    binding->mode = mode;
    binding->mode_from = from;
    binding->source = *source;
}

/* The word behind --bind in a command line that is one text. */
static const char *word_behind_bind(struct dr_context *context, const char *line)
{
    const char *at = line ? strstr(line, "--bind") : NULL;
    const char *word = at ? at + strlen("--bind") : NULL;

    if (!word || (*word != ' ' && *word != '='))
        return NULL;
    word++;
    return dr_strndup(context, word, strcspn(word, " "));
}

/* ---- the running gateway ---- */

static void take_running(struct gathering *gathering)
{
    struct dr_context *context = gathering->context;
    struct dr_binding *binding = gathering->binding;
    const struct dr_listeners *listeners = dr_listeners(context, binding->port);
    long pid = dr_gateway(context)->pid;

    for (size_t i = 0; i < listeners->count; i++) {
        const struct dr_listener *listener = &listeners->list[i];
        enum dr_bind_reach reach = listener->any                               ? DR_BIND_ALL
                                   : dr_address_is_loopback(&listener->number) ? DR_BIND_LOOPBACK
                                                                               : DR_BIND_ADDRESS;

        if (!(listener->is_openclaw || (pid && listener->pid == pid)) || (listener->ours_known && !listener->ours))
            continue;
        binding->running = true;
        if (reach > binding->reach)
            binding->reach = reach;
        binding->listens = dr_format(context, "%s%s%s%s%s:%u", binding->listens ? binding->listens : "",
                                     binding->listens ? ", " : "", listener->number.family == 6 ? "[" : "",
                                     listener->address, listener->number.family == 6 ? "]" : "", listener->port);
        const char *word = word_behind_bind(context, listener->command_line);

        if (word)
            take(gathering, word, dr_format(context, "--bind of the running gateway (pid %ld)", listener->pid),
                 &(struct dr_source){ .path = dr_config(context)->path });
    }
}

/* ---- what starts it ---- */

static void take_units(struct gathering *gathering)
{
    const struct dr_services *services = dr_services(gathering->context);

    for (size_t i = 0; i < services->count; i++) {
        const struct dr_service *service = &services->list[i];

        for (const char *const *word = service->command; service->ours && word && *word; word++) {
            const char *value = strcmp(*word, "--bind") == 0        ? word[1]
                                : strncmp(*word, "--bind=", 7) == 0 ? *word + 7
                                                                    : NULL;

            if (value)
                take(gathering, value, dr_format(gathering->context, "--bind in %s", service->name),
                     &(struct dr_source){ .path = service->path });
        }
    }
}

static void take_compose(struct gathering *gathering)
{
    struct dr_context *context = gathering->context;
    struct dr_binding *binding = gathering->binding;
    struct dr_compose_place places[DR_MOST_COMPOSE];
    size_t count = dr_compose_places(context, places);
    struct dr_published *published = dr_alloc(context, (size_t)DR_MOST_COMPOSE * DR_MOST_COMPOSE_PORTS * sizeof(*published));

    binding->published = published;
    for (size_t i = 0; i < count; i++) {
        struct dr_compose compose;

        if (dr_compose_read(context, &places[i], &compose) < 0)
            continue;
        if (compose.bind)
            take(gathering, compose.bind, dr_format(context, "--bind in %s", compose.path),
                 &(struct dr_source){ .path = compose.path, .line = compose.bind_line });
        for (size_t p = 0; p < compose.port_count; p++)
            if (compose.ports[p].target == binding->port || compose.ports[p].target == DEFAULT_PORT)
                published[binding->published_count++] = (struct dr_published){
                    .path = compose.path,
                    .line = compose.ports[p].line,
                    .host = compose.ports[p].host,
                    .port = compose.ports[p].published,
                };
    }
}

/* ---- what it amounts to ---- */

static bool in_container(const struct gathering *gathering)
{
    return dr_target(gathering->context)->in_container || gathering->binding->published_count > 0;
}

static void take_configured(struct gathering *gathering)
{
    struct dr_context *context = gathering->context;
    struct dr_binding *binding = gathering->binding;
    const struct dr_rules *rules = dr_installs(context)->rules;
    struct dr_config_value value;

    binding->custom_host = text_at(context, "gateway.customBindHost", &value);
    binding->configured = text_at(context, "gateway.bind", &value);
    if (binding->configured) {
        binding->configured_source = value.source;
        take(gathering, binding->configured, "gateway.bind", &value.source);
    }
    bool all = rules->container_binds_all && in_container(gathering);

    take(gathering, all ? "auto" : "loopback", all ? "the default in a container" : "the default",
         &(struct dr_source){ .path = dr_config(context)->path });
}

static enum dr_bind_reach reach_of(const struct gathering *gathering, const char *mode)
{
    const struct dr_binding *binding = gathering->binding;
    const struct dr_rules *rules = dr_installs(gathering->context)->rules;
    struct dr_address custom;

    if (strcmp(mode, "lan") == 0)
        return DR_BIND_ALL;
    if (strcmp(mode, "auto") == 0)
        return rules->container_binds_all && in_container(gathering) ? DR_BIND_ALL : DR_BIND_LOOPBACK;
    if (strcmp(mode, "tailnet") == 0)
        return DR_BIND_ADDRESS;
    if (strcmp(mode, "custom") != 0 || !binding->custom_host || !dr_address_parse(binding->custom_host, &custom))
        return DR_BIND_LOOPBACK;
    if (strcmp(binding->custom_host, "0.0.0.0") == 0)
        return DR_BIND_ALL;
    return dr_address_is_loopback(&custom) ? DR_BIND_LOOPBACK : DR_BIND_ADDRESS;
}

static bool is_mode(const char *mode)
{
    static const char *const modes[] = { "auto", "lan", "loopback", "custom", "tailnet" };

    for (size_t i = 0; i < DR_COUNT(modes); i++)
        if (strcmp(modes[i], mode) == 0)
            return true;
    return false;
}

static void gather(struct dr_context *context, struct dr_binding *binding)
{
    struct gathering gathering = { .context = context, .binding = binding };
    const char *variable = dr_environment(context, "OPENCLAW_GATEWAY_BIND");
    const struct dr_config *config = dr_config(context);

    binding->fact = config->fact;
    if (config->fact.state == DR_UNKNOWN)
        return;
    binding->fact = (struct dr_fact){ .state = DR_KNOWN };
    binding->port = dr_gateway(context)->port ? dr_gateway(context)->port : DEFAULT_PORT;
    take_running(&gathering);
    take_units(&gathering);
    take_compose(&gathering);
    bool handed_on = binding->mode != NULL;

    take_configured(&gathering);
    binding->mode_known = is_mode(binding->mode);
    binding->meant = reach_of(&gathering, binding->mode);
    if (!binding->running)
        binding->reach = binding->meant;
    /* A running gateway hides its command line: what it listens on says whether --bind reached it. */
    if (variable && *variable && !handed_on && strcmp(variable, binding->mode) != 0 &&
        (!is_mode(variable) || reach_of(&gathering, variable) != binding->reach))
        binding->unread = variable;
}

const struct dr_binding *dr_binding(struct dr_context *context)
{
    if (!context->binding) {
        context->binding = dr_alloc(context, sizeof(*context->binding));
        gather(context, context->binding);
    }
    return context->binding;
}
