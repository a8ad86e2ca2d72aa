#include "facts/compose.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/proxy_files.h"
#include "facts/text_file.h"
#include "format/compose.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_ENTRIES = 1024, MOST_FOLDERS = 8 };

/* ---- where ---- */

static const char *compose_file(struct dr_context *context, const char *folder)
{
    struct dr_text_file file;
    struct dr_dotenv dotenv;
    struct stat st;

    if (dr_text_file_read(context, dr_context_join(context, folder, ".env"), &file) >= 0 &&
        dr_dotenv_parse(file.bytes, file.length, context->arena, &dotenv) >= 0) {
        const char *named = dr_compose_first_file(context->arena, &dotenv, folder);

        if (named)
            return dr_stat(context->request->root_fd, named, &st) == 0 ? named : NULL;
    }
    for (size_t i = 0; dr_compose_names[i]; i++) {
        const char *path = dr_context_join(context, folder, dr_compose_names[i]);

        if (dr_stat(context->request->root_fd, path, &st) == 0)
            return path;
    }
    return NULL;
}

/* Compose mounts OPENCLAW_CONFIG_DIR as the state directory; a .env that names another one is of another installation. */
static bool is_of_this_state(struct dr_context *context, const char *dotenv_path)
{
    const struct dr_target *target = dr_target(context);
    struct dr_text_file file;
    struct dr_dotenv dotenv;

    if (dr_text_file_read(context, dotenv_path, &file) < 0 ||
        dr_dotenv_parse(file.bytes, file.length, context->arena, &dotenv) < 0)
        return true; /* said by whoever reads it */
    const struct dr_dotenv_entry *entry = dr_dotenv_get(&dotenv, "OPENCLAW_CONFIG_DIR");
    const char *named = entry && entry->value[0] ? entry->value : NULL;

    if (!named)
        return strcmp(target->state_dir, dr_context_join(context, target->home, ".openclaw")) == 0;
    if (dr_text_starts_with(named, "~/") || dr_text_starts_with(named, "$HOME/"))
        named = dr_context_join(context, target->home, strchr(named, '/') + 1);
    return named[0] == '/' && strcmp(dr_context_join(context, "/", named), target->state_dir) == 0;
}

static void look_in(struct dr_context *context, const char *folder, struct dr_compose_place *places, size_t *count)
{
    const char *path = *count < DR_MOST_COMPOSE ? compose_file(context, folder) : NULL;
    const char *dotenv = dr_context_join(context, folder, ".env");

    if (path && is_of_this_state(context, dotenv))
        places[(*count)++] = (struct dr_compose_place){ .folder = folder, .path = path, .dotenv = dotenv };
}

static bool has_known_name(const struct dirent *entry)
{
    static const char *const prefixes[] = { "openclaw", "clawdbot", "moltbot" };

    for (size_t i = 0; i < DR_COUNT(prefixes); i++)
        if (dr_text_starts_with(entry->d_name, prefixes[i]) && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            return true;
    return false;
}

static size_t find_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE])
{
    const char *home = dr_target(context)->home;
    const char *here = context->request->root ? NULL : dr_working_directory(context);
    const struct dirent *entry;
    size_t count = 0;
    int folders = 0;
    int fd;

    if (here && strcmp(here, home) != 0)
        look_in(context, here, places, &count);
    look_in(context, home, places, &count);
    if (dr_open(context->request->root_fd, home, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return count;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return count;
    }
    for (int i = 0; i < MOST_ENTRIES && folders < MOST_FOLDERS && (entry = readdir(dir)); i++)
        if (has_known_name(entry)) {
            const char *folder = dr_context_join(context, home, entry->d_name);

            folders++;
            if (!here || strcmp(folder, here) != 0)
                look_in(context, folder, places, &count);
        }
    return count;
}

/* Asked by several facts, looked for once. */
struct dr_compose_kept {
    struct dr_compose_place places[DR_MOST_COMPOSE];
    size_t count;
};

size_t dr_compose_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE])
{
    struct dr_compose_kept *kept = context->compose;

    if (!kept) {
        kept = dr_alloc(context, sizeof(*kept));
        kept->count = find_places(context, kept->places);
        context->compose = kept;
    }
    memcpy(places, kept->places, kept->count * sizeof(*places));
    return kept->count;
}

/* ---- what it says ---- */

static struct dr_compose_value value_of(const struct compose_text *text, const char *name, const struct dr_source *source)
{
    return (struct dr_compose_value){ .name = name, .text = text->text, .unknown = text->unknown, .source = *source };
}

static struct dr_compose_value flag(const struct compose_service *service, const char *name)
{
    const struct traefik_node *node = NULL;
    struct dr_compose_value value = { .text = dr_compose_flag(service, name, &node) };

    if (!value.text)
        return value;
    dr_traefik_source(node, &value.source);
    value.unknown = strstr(value.text, "${") ? value.text : NULL;
    return value;
}

static struct dr_compose_value variable(struct compose_project *project, const struct compose_service *service,
                                        const char *name)
{
    struct compose_text text;
    struct dr_source source;

    if (!dr_compose_variable(project, service, name, &text, &source))
        return (struct dr_compose_value){ .name = name };
    return value_of(&text, name, &source);
}

static void take_ports(const struct compose_service *service, struct dr_compose *compose)
{
    for (size_t i = 0; i < service->port_count && compose->port_count < DR_MOST_COMPOSE_PORTS; i++) {
        const struct compose_port *port = &service->ports[i];
        struct dr_compose_port *taken = &compose->ports[compose->port_count];

        if (port->udp)
            continue;
        compose->port_count++;
        *taken = (struct dr_compose_port){
            .host = port->host,
            .published = port->published,
            .published_last = port->published_last,
            .target = port->target,
            .target_last = port->target_last,
            .unknown = port->unknown,
        };
        dr_traefik_source(port->node, &taken->source);
    }
}

static void take_secrets(struct compose_project *project, const struct compose_service *service, struct dr_compose *compose)
{
    static const char *const names[] = { "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_TOKEN",
                                         "CLAWDBOT_GATEWAY_PASSWORD" };

    for (size_t i = 0; i < DR_COUNT(names) && compose->secret_count < DR_MOST_COMPOSE_VALUES; i++) {
        struct dr_compose_value value = variable(project, service, names[i]);

        if (value.text && !value.unknown)
            compose->secrets[compose->secret_count++] = value;
    }
}

static void take_subnets(struct compose_project *project, const struct compose_service *service, struct dr_compose *compose)
{
    const struct traefik_node *const *nodes = dr_compose_subnets(project, service);

    for (; nodes && *nodes && compose->subnet_count < DR_MOST_COMPOSE_VALUES; nodes++) {
        struct compose_text text = dr_compose_fill(project, *nodes);
        struct dr_source source;

        dr_traefik_source(*nodes, &source);
        compose->subnets[compose->subnet_count++] = value_of(&text, service->name, &source);
    }
}

static void take_service(struct compose_project *project, const struct compose_service *service, struct dr_compose *compose)
{
    take_ports(service, compose);
    if (!compose->bind.text)
        compose->bind = flag(service, "--bind");
    if (!compose->port.text)
        compose->port = flag(service, "--port");
    if (!compose->port.text)
        compose->port = variable(project, service, "OPENCLAW_GATEWAY_PORT");
    if (!compose->bind_variable.text)
        compose->bind_variable = variable(project, service, "OPENCLAW_GATEWAY_BIND");
    if (service->is_gateway) {
        compose->service = compose->service ? compose->service : service->name;
        compose->host_network = compose->host_network || service->host_network;
    }
    if (service->is_openclaw)
        take_secrets(project, service, compose);
    take_subnets(project, service, compose);
}

/* From the surest on: 0 the gateway, 1 the gateway with a profile that is not switched on, 2 other services of OpenClaw, 3 anything else. */
static unsigned rank(const struct compose_service *service)
{
    if (service->is_gateway)
        return service->optional;
    return service->is_openclaw ? 2 : 3;
}

static void take_services(struct compose_project *project, struct dr_compose *compose)
{
    struct compose_service *list;
    size_t count;
    unsigned best = 3;

    if (dr_compose_services(project, &list, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (rank(&list[i]) < best)
            best = rank(&list[i]);
    for (size_t i = 0; i < count; i++)
        if (rank(&list[i]) == best && !list[i].is_proxy)
            take_service(project, &list[i], compose);
}

int dr_compose_read(struct dr_context *context, const struct dr_compose_place *place, struct dr_compose *ret_compose)
{
    const struct dr_proxy_loader *loader = dr_proxy_loader(context, 0);
    struct dr_proxy_gathering gathering = { .loader = loader };
    struct traefik_model model = { .gathering = &gathering, .arena = context->arena };
    struct compose_project *project = dr_alloc(context, sizeof(*project));
    const struct dr_proxy_file *file;
    int r = loader->load(loader->user, place->path, &file);

    *ret_compose = (struct dr_compose){ .path = place->path };
    if (r == 0)
        r = dr_compose_load(&model, place->path, NULL, project);
    if (r < 0)
        return r;
    take_services(project, ret_compose);
    ret_compose->faults = gathering.faults;
    ret_compose->fault_count = gathering.fault_count;
    return 0;
}

const struct dr_compose *dr_composes(struct dr_context *context, size_t *ret_count)
{
    struct dr_compose_place places[DR_MOST_COMPOSE];

    if (!context->composes) {
        size_t count = dr_compose_places(context, places);

        context->composes = dr_alloc(context, (count + 1) * sizeof(*context->composes));
        for (size_t i = 0; i < count; i++)
            if (dr_compose_read(context, &places[i], &context->composes[context->compose_count]) == 0)
                context->compose_count++;
    }
    *ret_count = context->compose_count;
    return context->composes;
}
