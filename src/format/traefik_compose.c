/*
 * A compose file: labels of every service (as a list of "a=b", or as a map), and what Traefik itself is started with: flags in
 * `command`, a configuration file that is mounted into it, or TRAEFIK_... in `environment` (the first of file, flags, environment counts:
 * doc.traefik.io, "Configuration Introduction"). "$$" stands for "$"; ${NAME:-default} is its default, or what this process has.
 */
#include "format/traefik_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *filled(struct traefik_model *model, const char *text)
{
    const struct dr_proxy_loader *loader = model->gathering->loader;
    const char *out = "", *dollar;

    if (!text || strlen(text) > 4096)
        return text;
    while ((dollar = strchr(text, '$'))) {
        out = dr_arena_format(model->arena, "%s%.*s", out, (int)(dollar - text), text);
        const char *close = dollar[1] == '{' ? strchr(dollar, '}') : NULL;

        if (close) {
            const char *name = dr_arena_strndup(model->arena, dollar + 2, strcspn(dollar + 2, ":-}?"));
            const char *value = name ? loader->environment(loader->user, name) : NULL;
            const char *otherwise = strstr(dollar, "-");

            if (!value && otherwise && otherwise < close)
                value = dr_arena_strndup(model->arena, otherwise + 1, (size_t)(close - otherwise - 1));
            out = dr_arena_format(model->arena, "%s%s", out, value ? value : "");
            text = close + 1;
        } else {
            out = dr_arena_format(model->arena, "%s$", out);
            text = dollar + 1 + (dollar[1] == '$');
        }
        if (!out)
            return NULL;
    }
    return *out ? dr_arena_format(model->arena, "%s%s", out, text) : text;
}

static void put(struct traefik_model *model, struct traefik_node *tree, const struct traefik_node *node, const char *key,
                size_t length, const char *value)
{
    struct traefik_node made = *node;

    made.type = TRAEFIK_SCALAR;
    made.text = filled(model, value);
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

/* `command` in one text: words by blanks. */
static struct traefik_node *words_of(struct traefik_model *model, const struct traefik_node *command)
{
    struct traefik_node *list;

    if (!command || command->type != TRAEFIK_SCALAR)
        return (struct traefik_node *)(uintptr_t)command;
    list = dr_traefik_node(model->arena, TRAEFIK_LIST, command->file, command->begin, command->end);
    for (const char *at = command->text; list && *(at += strspn(at, " \t\r\n"));) {
        size_t length = strcspn(at, " \t\r\n");
        struct traefik_node *word =
            dr_traefik_node(model->arena, TRAEFIK_SCALAR, command->file, command->begin, command->end);

        if (!word || !(word->text = dr_arena_strndup(model->arena, at, length)))
            break;
        dr_traefik_append(list, word);
        at += length;
    }
    return list;
}

/* --- ports --------------------------------------------------------------------------------------------------------------------- */

static unsigned number(const char *text)
{
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;

    return value < 65536 ? (unsigned)value : 0;
}

/* [HOST:][PUBLISHED:]TARGET[/protocol], or a map. */
static struct traefik_port port_of(struct traefik_model *model, const struct traefik_node *node)
{
    struct traefik_port port = { .host = "" };
    char *text = node->text ? dr_arena_strdup(model->arena, filled(model, node->text)) : NULL, *colon;

    if (!text) {
        const char *host = dr_traefik_text(dr_traefik_get(node, "host_ip"));

        port.host = host ? host : "";
        port.published = number(dr_traefik_text(dr_traefik_get(node, "published")));
        port.target = number(dr_traefik_text(dr_traefik_get(node, "target")));
        return port;
    }
    colon = strrchr(text, ':');
    port.target = number(colon ? colon + 1 : text);
    if (!colon)
        return port;
    *colon = '\0';
    colon = strrchr(text, ':');
    port.published = number(colon ? colon + 1 : text);
    if (colon) {
        *colon = '\0';
        port.host = text;
    }
    return port;
}

static void take_ports(struct traefik_model *model, const struct traefik_node *service)
{
    const struct traefik_node *ports = dr_traefik_get(service, "ports");

    for (const struct traefik_node *node = ports ? ports->first : NULL; node && model->port_count < 256; node = node->next) {
        struct traefik_port *grown =
            dr_arena_grow(model->arena, model->ports, model->port_count, sizeof(*grown), &model->port_room);

        if (!grown) {
            model->no_memory = true;
            return;
        }
        model->ports = grown;
        grown[model->port_count++] = port_of(model, node);
    }
}

static const char *exposed(struct traefik_model *model, const struct traefik_node *service)
{
    const struct traefik_node *ports = dr_traefik_get(service, "ports"), *expose = dr_traefik_get(service, "expose");

    if (expose && expose->first && expose->first->text)
        return filled(model, expose->first->text);
    if (!ports || !ports->first)
        return NULL;
    unsigned target = port_of(model, ports->first).target;

    return target ? dr_arena_format(model->arena, "%u", target) : NULL;
}

/* --- Traefik itself -------------------------------------------------------------------------------------------------------------- */

static bool is_traefik(const struct traefik_node *service)
{
    const char *image = dr_traefik_text(dr_traefik_get(service, "image"));
    const char *slash = image ? strrchr(image, '/') : NULL;

    return image && strncmp(slash ? slash + 1 : image, "traefik", strlen("traefik")) == 0;
}

/* Where a path of the container lies on this host, by its volumes ("./a:/b:ro"). */
static const char *mounted(struct traefik_model *model, const struct traefik_node *service, const char *folder,
                           const char *path)
{
    const struct traefik_node *volumes = dr_traefik_get(service, "volumes");

    for (const struct traefik_node *node = volumes ? volumes->first : NULL; node; node = node->next) {
        const char *text = filled(model, node->text), *colon = text ? strchr(text, ':') : NULL;
        size_t length = colon ? strcspn(colon + 1, ":") : 0;

        if (!colon || length == 0 || (text[0] != '/' && text[0] != '.') || strncmp(path, colon + 1, length) != 0 ||
            (path[length] != '\0' && path[length] != '/'))
            continue;
        return text[0] == '/' ? dr_arena_format(model->arena, "%.*s%s", (int)(colon - text), text, path + length)
                              : dr_arena_format(model->arena, "%s/%.*s%s", folder, (int)(colon - text), text, path + length);
    }
    return NULL;
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
    dr_proxy_fault(model->gathering, &source, true, "%s is in the container of Traefik, and no volume says where it lies",
                   path);
    node->type = TRAEFIK_NULL;
}

static void read_traefik(struct traefik_model *model, const struct traefik_node *service, const char *folder)
{
    struct traefik_node *flags = tree_of(model, words_of(model, dr_traefik_get(service, "command")), "--");
    const struct traefik_node *named = dr_traefik_get(flags, "configFile");
    struct dr_source source;

    dr_traefik_source(service, &source);
    model->settings = settings_file(model, service, folder, dr_traefik_text(named), &source);
    if (!model->settings && !named)
        model->settings = flags ? flags : environment_tree(model, dr_traefik_get(service, "environment"));
    if (!model->settings && !named)
        model->settings = dr_traefik_node(model->arena, TRAEFIK_MAP, service->file, service->begin, service->end);
    take_ports(model, service);
    map_provider(model, service, folder, "providers.file.directory");
    map_provider(model, service, folder, "providers.file.filename");
    dr_traefik_providers(model, folder);
}

static bool is_enabled(const struct traefik_model *model, const struct traefik_node *labels)
{
    const struct traefik_node *by_default = dr_traefik_at(model->settings, "providers.docker.exposedByDefault");

    return dr_traefik_true(dr_traefik_get(labels, "enable"), dr_traefik_true(by_default, true));
}

void dr_traefik_compose(struct traefik_model *model, const struct traefik_node *tree, const char *path)
{
    const struct traefik_node *services = dr_traefik_get(tree, "services");
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? dr_arena_strndup(model->arena, path, (size_t)(slash - path)) : ".";

    model->in_compose = true;
    for (const struct traefik_node *service = services->first; service && folder && !model->settings;
         service = service->next)
        if (is_traefik(service))
            read_traefik(model, service, folder);
    for (const struct traefik_node *service = services->first; service; service = service->next) {
        struct traefik_node *labels = tree_of(model, dr_traefik_get(service, "labels"), "traefik.");

        if (labels && service->key && is_enabled(model, labels) && (!is_traefik(service) || dr_traefik_get(labels, "http")))
            dr_traefik_add_root(model, labels, service->key, exposed(model, service));
    }
}
