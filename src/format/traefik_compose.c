/*
 * A compose file, read as Compose reads it (format/compose.h): labels of every service (as a list of "a=b", or as a map), and what Traefik
 * itself is started with: flags in `command`, a configuration file that is mounted into it, or TRAEFIK_... in `environment` (the first of file,
 * flags, environment counts: doc.traefik.io, "Configuration Introduction").
 */
#include "format/compose.h"

#include <string.h>
#include <strings.h>

static void put(struct traefik_model *model, struct traefik_node *tree, const struct traefik_node *node, const char *key,
                size_t length, const char *value)
{
    struct traefik_node made = *node;

    struct compose_text text = { .text = value };

    if (!node->filled)
        text = dr_compose_fill_text(model->compose, node->file, value);
    /* A host that is not known is a pattern of its own (traefik_rule.c); everything else would be guessed. */
    if (text.unknown && (length < 5 || strncasecmp(key + length - 5, ".rule", 5) != 0)) {
        struct dr_source source;

        dr_traefik_source(node, &source);
        dr_proxy_unknowable(model->gathering, &source, "\"%.*s\" needs ${%s}, and no .env sets it", (int)length, key,
                            text.unknown);
        return;
    }
    made.type = TRAEFIK_SCALAR;
    made.text = text.text;
    made.fixed = true;
    made.first = made.last = NULL;
    made.key_begin = node->key ? node->key_begin : node->begin;
    if (made.text)
        (void)dr_traefik_put(model->arena, tree, key, length, &made);
}

/* One "a=b" or "a: b". A flag without a value is true. */
static void take_word(struct traefik_model *model, struct traefik_node *tree, const struct traefik_node *node,
                      const char *prefix)
{
    const char *key = node->key ? node->key : node->text;
    size_t length = key ? node->key ? strlen(key) : strcspn(key, "=") : 0;
    const char *value = node->key ? node->text : key && key[length] == '=' ? key + length + 1 : "true";

    if (!key || strncasecmp(key, prefix, strlen(prefix)) != 0 || length <= strlen(prefix))
        return;
    put(model, tree, node, key + strlen(prefix), length - strlen(prefix), value ? value : "");
}

static struct traefik_node *tree_of(struct traefik_model *model, const struct traefik_node *list, const char *prefix)
{
    struct traefik_node *tree = NULL;
    unsigned count = 0;

    if (!list || (list->type != TRAEFIK_LIST && list->type != TRAEFIK_MAP))
        return NULL;
    for (const struct traefik_node *node = list->first; node && ++count < TRAEFIK_LABELS; node = node->next) {
        const char *key = node->key ? node->key : node->text;

        if (!key || strncasecmp(key, prefix, strlen(prefix)) != 0)
            continue;
        if (!tree)
            tree = dr_traefik_node(model->arena, TRAEFIK_MAP, list->file, list->begin, list->end);
        if (!tree) {
            model->no_memory = true;
            return NULL;
        }
        tree->key = list->key;
        tree->key_begin = list->key_begin;
        take_word(model, tree, node, prefix);
    }
    return tree;
}

/* Entrypoint and command as a list of flags; their variables are filled in. */
static struct traefik_node *flags_of(struct traefik_model *model, const struct compose_service *service)
{
    struct traefik_node *list =
        dr_traefik_node(model->arena, TRAEFIK_LIST, service->node->file, service->node->begin, service->node->end);

    for (size_t i = 0; list && service->words[i]; i++) {
        const struct traefik_node *from = service->word_nodes[i];
        struct traefik_node *word = dr_traefik_node(model->arena, TRAEFIK_SCALAR, from->file, from->begin, from->end);

        if (!word)
            break;
        word->text = service->words[i];
        word->filled = true;
        dr_traefik_append(list, word);
    }
    model->no_memory = model->no_memory || !list;
    return list;
}

/* --- ports --------------------------------------------------------------------------------------------------------------------- */

static void take_port(struct traefik_model *model, const struct compose_port *port, unsigned step)
{
    struct traefik_port *grown =
        dr_arena_grow(model->arena, model->ports, model->port_count, sizeof(*grown), &model->port_room);

    if (!grown) {
        model->no_memory = true;
        return;
    }
    model->ports = grown;
    grown[model->port_count++] = (struct traefik_port){
        .host = port->host,
        .published = port->published ? port->published + step : 0,
        .target = port->target + step,
    };
}

static void take_ports(struct traefik_model *model, const struct compose_service *service)
{
    for (size_t i = 0; i < service->port_count; i++)
        for (unsigned step = 0; service->ports[i].target + step <= service->ports[i].target_last; step++)
            if (model->port_count < 256 && !service->ports[i].unknown && !service->ports[i].udp)
                take_port(model, &service->ports[i], step);
}

static const char *exposed(struct traefik_model *model, const struct compose_service *service)
{
    const struct traefik_node *expose = dr_traefik_get(service->node, "expose");

    if (expose && expose->first && expose->first->text)
        return dr_compose_fill(model->compose, expose->first).text;
    if (service->port_count == 0 || service->ports[0].unknown)
        return NULL;
    return dr_arena_format(model->arena, "%u", service->ports[0].target);
}

/* --- Traefik itself -------------------------------------------------------------------------------------------------------------- */

static bool is_traefik(const struct traefik_model *model, const struct compose_service *service)
{
    const char *image = dr_compose_fill(model->compose, dr_traefik_get(service->node, "image")).text;
    const char *slash = strrchr(image, '/');

    return strncmp(slash ? slash + 1 : image, "traefik", strlen("traefik")) == 0;
}

/* One volume, "./a:/b:ro" or { source: ./a, target: /b }: `path` on this host, NULL: it does not lie there. */
static const char *through_volume(struct traefik_model *model, const struct traefik_node *volume, const char *folder,
                                  const char *path)
{
    bool is_map = volume->type == TRAEFIK_MAP;
    const char *text = dr_compose_fill(model->compose, is_map ? dr_traefik_get(volume, "source") : volume).text;
    const char *colon = is_map ? NULL : strchr(text, ':');
    const char *target = is_map  ? dr_compose_fill(model->compose, dr_traefik_get(volume, "target")).text
                         : colon ? colon + 1
                                 : "";
    size_t source_length = colon ? (size_t)(colon - text) : strlen(text), length = strcspn(target, ":");

    if (length == 0 || (text[0] != '/' && text[0] != '.') || strncmp(path, target, length) != 0 ||
        (path[length] != '\0' && path[length] != '/'))
        return NULL;
    return text[0] == '/' ? dr_arena_format(model->arena, "%.*s%s", (int)source_length, text, path + length)
                          : dr_arena_format(model->arena, "%s/%.*s%s", folder, (int)source_length, text, path + length);
}

static const char *mounted(struct traefik_model *model, const struct traefik_node *service, const char *folder,
                           const char *path)
{
    const struct traefik_node *volumes = dr_traefik_get(service, "volumes");
    const char *found = NULL;

    for (const struct traefik_node *node = volumes ? volumes->first : NULL; node && !found; node = node->next)
        found = through_volume(model, node, folder, path);
    return found;
}

static struct traefik_node *settings_file(struct traefik_model *model, const struct traefik_node *service,
                                          const char *folder, const char *named, const struct dr_source *from)
{
    const char *const places[] = { named, "/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml",
                                   "/etc/traefik/traefik.toml" };

    for (size_t i = 0; i < DR_COUNT(places); i++) {
        const char *path = places[i] ? mounted(model, service, folder, places[i]) : NULL;
        const struct dr_proxy_file *file;

        if (!path || (i > 0 && named) ||
            model->gathering->loader->load(model->gathering->loader->user, path, &file) == -ENOENT)
            continue;
        file = dr_proxy_load(model->gathering, path, from);
        return file ? dr_traefik_file(model, file) : NULL;
    }
    return NULL;
}

/* TRAEFIK_ENTRYPOINTS_WEB_ADDRESS: dots for the lines. */
static struct traefik_node *environment_tree(struct traefik_model *model, const struct traefik_node *list)
{
    struct traefik_node *tree = NULL;

    for (const struct traefik_node *node = list ? list->first : NULL; node; node = node->next) {
        struct traefik_node one = *node;
        char *text = dr_arena_strdup(model->arena, node->key ? node->key : node->text ? node->text : "");

        for (char *at = text; at && *at && *at != '='; at++)
            *at = *at == '_' ? '.' : *at;
        if (!text || strncasecmp(text, "TRAEFIK.", 8) != 0)
            continue;
        if (node->key)
            one.key = text;
        else
            one.text = text;
        tree = tree ? tree : dr_traefik_node(model->arena, TRAEFIK_MAP, list->file, list->begin, list->end);
        if (tree)
            take_word(model, tree, &one, "TRAEFIK.");
    }
    return tree;
}

/* The file provider's paths are the container's. */
static void map_provider(struct traefik_model *model, const struct traefik_node *service, const char *folder,
                         const char *which)
{
    struct traefik_node *node = dr_traefik_at(model->settings, which);
    const char *path = dr_traefik_text(node), *here = path ? mounted(model, service, folder, path) : NULL;
    struct dr_source source;

    if (!path)
        return;
    if (here) {
        node->text = here;
        return;
    }
    dr_traefik_source(node, &source);
    dr_proxy_unknowable(model->gathering, &source, "%s is in the container of Traefik, and no volume says where it lies",
                        path);
    node->type = TRAEFIK_NULL;
}

static void read_traefik(struct traefik_model *model, const struct compose_service *compose, const char *folder)
{
    const struct traefik_node *service = compose->node;
    struct traefik_node *flags = tree_of(model, flags_of(model, compose), "--");
    const struct traefik_node *named = dr_traefik_get(flags, "configFile");
    struct dr_source source;

    dr_traefik_source(service, &source);
    model->settings = settings_file(model, service, folder, dr_traefik_text(named), &source);
    if (!model->settings && !named)
        model->settings =
            flags ? flags : environment_tree(model, dr_compose_flat(model->compose, dr_traefik_get(service, "environment")));
    if (!model->settings && !named)
        model->settings = dr_traefik_node(model->arena, TRAEFIK_MAP, service->file, service->begin, service->end);
    take_ports(model, compose);
    map_provider(model, service, folder, "providers.file.directory");
    map_provider(model, service, folder, "providers.file.filename");
    dr_traefik_providers(model, folder);
}

static bool is_enabled(const struct traefik_model *model, const struct traefik_node *labels)
{
    const struct traefik_node *by_default = dr_traefik_at(model->settings, "providers.docker.exposedByDefault");

    return dr_traefik_true(dr_traefik_get(labels, "enable"), dr_traefik_true(by_default, true));
}

static void add_labels(struct traefik_model *model, const struct compose_service *service)
{
    struct traefik_node *list = dr_compose_flat(model->compose, dr_traefik_get(service->node, "labels"));
    struct traefik_node *labels = tree_of(model, list, "traefik.");

    if (labels && is_enabled(model, labels) &&
        (!is_traefik(model, service) || dr_traefik_get(labels, "http") || dr_traefik_get(labels, "tcp")))
        dr_traefik_add_root(model, labels, service->name, exposed(model, service));
    /* A container in the host's network has no address of its own (pkg/provider/docker, getIPAddress). */
    if (service->host_network && model->root_count > 0 && model->roots[model->root_count - 1].tree == labels)
        model->roots[model->root_count - 1].host = "host.docker.internal";
}

void dr_traefik_compose(struct traefik_model *model, struct traefik_node *tree, const char *path)
{
    struct compose_project *project = dr_arena_alloc(model->arena, sizeof(*project));
    struct compose_service *services;
    size_t count;

    model->in_compose = true;
    model->compose = project;
    if (!project || dr_compose_load(model, path, tree, project) < 0 || dr_compose_services(project, &services, &count) < 0) {
        model->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !model->settings; i++)
        if (is_traefik(model, &services[i]))
            read_traefik(model, &services[i], project->main->folder);
    for (size_t i = 0; i < count; i++)
        add_labels(model, &services[i]);
}
