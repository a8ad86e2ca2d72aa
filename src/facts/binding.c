#include "api/binding.h"

#include "api/config.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/target.h"
#include "base/cleanup.h"
#include "facts/compose.h"
#include "facts/units.h"

#include <stdlib.h>
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

static void say_doubt(struct gathering *gathering, const struct dr_source *source, const char *text)
{
    struct dr_binding_doubt *list = (struct dr_binding_doubt *)(uintptr_t)gathering->binding->doubts;

    if (gathering->binding->doubt_count < DR_MOST_COMPOSE)
        list[gathering->binding->doubt_count++] = (struct dr_binding_doubt){ .source = *source, .text = text };
}

static void doubt(struct gathering *gathering, const struct dr_source *source, const char *what, const char *variable)
{
    say_doubt(
        gathering, source,
        dr_format(gathering->context, "%s takes %.60s from where Compose is started, and no .env sets it", what, variable));
}

static void take_published(struct gathering *gathering, const struct dr_compose *compose, unsigned inside)
{
    struct dr_published *list = (struct dr_published *)(uintptr_t)gathering->binding->published;

    for (size_t p = 0; p < compose->port_count; p++) {
        const struct dr_compose_port *port = &compose->ports[p];
        bool ours = (port->target <= inside && inside <= port->target_last) ||
                    (port->target <= DEFAULT_PORT && DEFAULT_PORT <= port->target_last);
        bool in_step = port->published_last - port->published == port->target_last - port->target;

        if (port->unknown)
            doubt(gathering, &port->source, "a published port", port->unknown);
        else if (ours)
            list[gathering->binding->published_count++] = (struct dr_published){
                .path = port->source.path,
                .line = port->source.line,
                .host = port->host,
                .port = port->published && in_step && inside >= port->target && inside <= port->target_last
                            ? port->published + (inside - port->target)
                            : port->published,
            };
    }
}

static void take_variable(struct gathering *gathering, const struct dr_compose *compose)
{
    const struct dr_compose_value *value = &compose->bind_variable;

    if (!value->text || value->unknown || !*value->text || compose->bind.text || gathering->binding->unread)
        return;
    gathering->binding->unread = value->text;
    gathering->binding->unread_source = value->source;
}

static void take_one_compose(struct gathering *gathering, const struct dr_compose *compose)
{
    struct dr_binding *binding = gathering->binding;
    struct dr_proxy_fault *faults = (struct dr_proxy_fault *)(uintptr_t)binding->faults;
    const char *word = compose->bind.text;
    unsigned long inside = compose->port.text && !compose->port.unknown ? strtoul(compose->port.text, NULL, 10) : 0;

    for (size_t i = 0; i < compose->fault_count; i++)
        if (compose->faults[i].unknowable)
            say_doubt(gathering, &compose->faults[i].source, compose->faults[i].text);
    for (size_t i = 0; i < compose->fault_count; i++)
        if (!compose->faults[i].unknowable) {
            faults[binding->fault_count++] = compose->faults[i];
            break;
        }
    if (compose->service && !binding->container)
        binding->container = compose->service;
    if (word && compose->bind.unknown && !binding->mode) {
        binding->mode_unknown = true;
        doubt(gathering, &compose->bind.source, "--bind", compose->bind.unknown);
    }
    if (word)
        take(gathering, word, dr_format(gathering->context, "--bind in %s", compose->bind.source.path),
             &compose->bind.source);
    take_variable(gathering, compose);
    take_published(gathering, compose, inside > 0 && inside < 65536 ? (unsigned)inside : binding->port);
}

static void take_compose(struct gathering *gathering)
{
    struct dr_context *context = gathering->context;
    struct dr_binding *binding = gathering->binding;
    size_t count;
    const struct dr_compose *composes = dr_composes(context, &count);

    binding->published = dr_alloc(context, (size_t)DR_MOST_COMPOSE * DR_MOST_COMPOSE_PORTS * sizeof(struct dr_published));
    binding->doubts = dr_alloc(context, DR_MOST_COMPOSE * sizeof(struct dr_binding_doubt));
    binding->faults = dr_alloc(context, DR_MOST_COMPOSE * sizeof(struct dr_proxy_fault));
    for (size_t i = 0; i < count; i++)
        take_one_compose(gathering, &composes[i]);
}

/* ---- what it amounts to ---- */

static bool in_container(const struct gathering *gathering)
{
    return dr_target(gathering->context)->in_container || gathering->binding->published_count > 0 ||
           gathering->binding->container;
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
        (!is_mode(variable) || reach_of(&gathering, variable) != binding->reach)) {
        binding->unread = variable;
        binding->unread_source = (struct dr_source){ 0 };
    }
    if (binding->unread && strcmp(binding->unread, binding->mode) == 0)
        binding->unread = NULL;
}

const struct dr_binding *dr_binding(struct dr_context *context)
{
    if (!context->binding) {
        context->binding = dr_alloc(context, sizeof(*context->binding));
        gather(context, context->binding);
    }
    return context->binding;
}
