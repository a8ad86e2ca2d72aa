/*
 * What one service says (docs.docker.com/reference/compose-file/services/): ports in short and long form, command and entrypoint as text or
 * list, environment as map or list, env_file, network_mode, networks, profiles.
 */
#include "format/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- ports -------------------------------------------------------------------------------------------------------------------- */

/* "80", "80-90"; nothing is 0. */
static bool range(const char *text, unsigned *ret_first, unsigned *ret_last)
{
    char *end;
    unsigned long first = strtoul(text, &end, 10), last = first;

    if (end != text && *end == '-')
        last = strtoul(end + 1, &end, 10);
    if (*end != '\0' || first > 65535 || last > 65535 || last < first)
        return *ret_first = *ret_last = 0, *text == '\0';
    *ret_first = (unsigned)first;
    *ret_last = (unsigned)last;
    return true;
}

static const char *plain_host(struct dr_arena *arena, const char *text, size_t length)
{
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    const char *made = dr_arena_strndup(arena, text, length);

    return made ? made : "";
}

/* [HOST:][PUBLISHED:]TARGET[/protocol] */
static bool take_short(struct dr_arena *arena, const char *text, struct compose_port *port)
{
    const char *slash = strchr(text, '/');
    char *front = dr_arena_strndup(arena, text, slash ? (size_t)(slash - text) : strlen(text));
    char *last = front ? strrchr(front, ':') : NULL, *before;

    port->udp = slash && strcasecmp(slash + 1, "tcp") != 0;
    if (!front || !range(last ? last + 1 : front, &port->target, &port->target_last))
        return false;
    if (!last)
        return true;
    *last = '\0';
    before = strrchr(front, ':');
    if (before)
        port->host = plain_host(arena, front, (size_t)(before - front));
    return range(before ? before + 1 : front, &port->published, &port->published_last);
}

static const char *member_text(const struct compose_project *project, const struct traefik_node *map, const char *key,
                               struct compose_port *port)
{
    struct compose_text text = dr_compose_fill(project, dr_traefik_get(map, key));

    port->unknown = port->unknown ? port->unknown : text.unknown;
    return text.text;
}

static bool take_long(struct compose_project *project, const struct traefik_node *map, struct compose_port *port)
{
    const char *protocol = member_text(project, map, "protocol", port);
    const char *host = member_text(project, map, "host_ip", port);

    port->udp = *protocol && strcasecmp(protocol, "tcp") != 0;
    port->host = plain_host(project->model->arena, host, strlen(host));
    return range(member_text(project, map, "target", port), &port->target, &port->target_last) &&
           range(member_text(project, map, "published", port), &port->published, &port->published_last);
}

static bool is_known(const struct compose_service *service, const struct compose_port *port)
{
    for (size_t i = 0; i < service->port_count; i++) {
        const struct compose_port *other = &service->ports[i];

        if (other->target == port->target && other->target_last == port->target_last &&
            other->published == port->published && other->published_last == port->published_last &&
            other->udp == port->udp && !other->unknown && !port->unknown && strcmp(other->host, port->host) == 0)
            return true;
    }
    return false;
}

static void take_ports(struct compose_project *project, struct compose_service *service)
{
    const struct traefik_node *ports = dr_traefik_get(service->node, "ports");

    for (const struct traefik_node *node = ports ? ports->first : NULL; node && service->port_count < COMPOSE_PORTS;
         node = node->next) {
        struct compose_port port = { .host = "", .node = node };
        bool good;

        if (node->type == TRAEFIK_MAP) {
            good = take_long(project, node, &port);
        } else {
            struct compose_text text = dr_compose_fill(project, node);

            port.unknown = text.unknown;
            good = take_short(project->model->arena, text.text, &port);
        }
        if ((good && port.target && !is_known(service, &port)) || port.unknown)
            service->ports[service->port_count++] = port;
    }
}

/* --- words -------------------------------------------------------------------------------------------------------------------- */

struct words {
    struct dr_arena *arena;
    const char **list;
    const struct traefik_node **nodes;
    size_t count, room, node_room;
    bool no_memory;
};

static void add_word(struct words *words, const char *text, const struct traefik_node *node)
{
    const char **list = dr_arena_grow(words->arena, words->list, words->count + 1, sizeof(*list), &words->room);
    const struct traefik_node **nodes =
        dr_arena_grow(words->arena, words->nodes, words->count + 1, sizeof(*nodes), &words->node_room);

    if (!list || !nodes || !text) {
        words->no_memory = true;
        return;
    }
    words->list = list;
    words->nodes = nodes;
    nodes[words->count] = node;
    list[words->count++] = text;
    list[words->count] = NULL;
}

/* As a shell cuts it, without its variables: quotes keep blanks, a backslash takes the next byte. */
static void split(struct words *words, const char *text, const struct traefik_node *node)
{
    char *out = dr_arena_alloc(words->arena, strlen(text) + 1);
    char quote = '\0';

    for (words->no_memory = words->no_memory || !out; out && words->count < 4096;) {
        char *begin = out;

        text += strspn(text, " \t\r\n");
        if (*text == '\0')
            return;
        for (; *text && (quote || !strchr(" \t\r\n", *text)); text++) {
            if (*text == quote)
                quote = '\0';
            else if (!quote && (*text == '"' || *text == '\''))
                quote = *text;
            else if (*text == '\\' && quote != '\'' && text[1])
                *out++ = *++text;
            else
                *out++ = *text;
        }
        add_word(words, dr_arena_strndup(words->arena, begin, (size_t)(out - begin)), node);
    }
}

static void take_words(struct compose_project *project, struct compose_service *service, struct words *words,
                       const char *key)
{
    const struct traefik_node *value = dr_traefik_get(service->node, key);
    const struct traefik_node *item = value && value->type == TRAEFIK_LIST ? value->first : value;

    for (; item; item = value->type == TRAEFIK_LIST ? item->next : NULL) {
        struct compose_text text = dr_compose_fill(project, item);

        if (text.unknown)
            service->words_unknown = text.unknown;
        if (*text.text == '\0' && value->type == TRAEFIK_LIST)
            add_word(words, "", item);
        else
            split(words, text.text, item);
    }
}

const char *dr_compose_flag(const struct compose_service *service, const char *name, const struct traefik_node **ret_node)
{
    size_t length = strlen(name);

    for (size_t i = 0; service->words[i]; i++) {
        if (strncmp(service->words[i], name, length) != 0)
            continue;
        *ret_node = service->word_nodes[i];
        if (service->words[i][length] == '=')
            return service->words[i] + length + 1;
        if (service->words[i][length] == '\0') {
            *ret_node = service->words[i + 1] ? service->word_nodes[i + 1] : *ret_node;
            return service->words[i + 1] ? service->words[i + 1] : "";
        }
    }
    return NULL;
}

/* --- environment -------------------------------------------------------------------------------------------------------------- */

/* "A=b" or "A" in a list, "A: b" in a map; of several the last. */
static bool in_environment(struct compose_project *project, const struct traefik_node *list, const char *name,
                           struct compose_text *ret_value, struct dr_source *ret_source)
{
    size_t length = strlen(name);
    const struct traefik_node *found = NULL;
    const char *text = NULL;

    for (const struct traefik_node *node = list ? list->first : NULL; node; node = node->next) {
        if (node->key ? strcmp(node->key, name) != 0
                      : !node->text || strncmp(node->text, name, length) != 0 ||
                            (node->text[length] != '=' && node->text[length] != '\0'))
            continue;
        found = node;
        text = node->key            ? node->type == TRAEFIK_SCALAR ? node->text : NULL
               : node->text[length] ? node->text + length + 1
                                    : NULL;
    }
    if (!found)
        return false;
    if (!text) /* handed on from where Compose was started, or from the .env */
        text = dr_arena_format(project->model->arena, "${%s}", name);
    *ret_value = dr_compose_fill_text(project, found->file, text);
    dr_traefik_source(found, ret_source);
    return true;
}

static bool in_file(struct compose_project *project, const struct traefik_node *item, const char *name,
                    struct compose_text *ret_value, struct dr_source *ret_source)
{
    const struct dr_proxy_loader *loader = project->model->gathering->loader;
    struct compose_text path = dr_compose_fill(project, item->type == TRAEFIK_MAP ? dr_traefik_get(item, "path") : item);
    const struct dr_proxy_file *file;
    const struct dr_dotenv_entry *entry;
    struct dr_dotenv dotenv;
    const char *full = path.text;

    while (strncmp(full, "./", 2) == 0)
        full += 2;
    if (*full != '/')
        full = dr_arena_format(project->model->arena, "%s/%s", project->main->folder, full);
    if (path.unknown || !*path.text || !full || loader->load(loader->user, full, &file) < 0 ||
        dr_dotenv_parse(file->bytes, file->length, project->model->arena, &dotenv) < 0)
        return false;
    entry = dr_dotenv_get(&dotenv, name);
    if (!entry)
        return false;
    *ret_value = entry->quote == '\'' ? (struct compose_text){ .text = entry->value }
                                      : dr_compose_fill_text(project, item->file, entry->value);
    *ret_source = (struct dr_source){ .path = file->path, .line = entry->line, .column = entry->column };
    return true;
}

bool dr_compose_variable(struct compose_project *project, const struct compose_service *service, const char *name,
                         struct compose_text *ret_value, struct dr_source *ret_source)
{
    struct traefik_node *list = dr_traefik_get(service->node, "environment");
    const struct traefik_node *files = dr_traefik_get(service->node, "env_file");
    const struct traefik_node *item = files && files->type == TRAEFIK_LIST ? files->first : files;
    bool found = false;

    if (in_environment(project, dr_compose_flat(project, list), name, ret_value, ret_source))
        return true;
    for (unsigned count = 0; item && count < COMPOSE_FILES; count++) {
        found = in_file(project, item, name, ret_value, ret_source) || found;
        item = files->type == TRAEFIK_LIST ? item->next : NULL;
    }
    return found;
}

/* --- networks ----------------------------------------------------------------------------------------------------------------- */

static void add_subnets(struct compose_project *project, const char *name, const struct traefik_node **list, size_t *count,
                        size_t most)
{
    const struct traefik_node *network = NULL, *config;

    for (struct traefik_node *node = project->networks->first; node; node = node->next)
        if (node->key && strcmp(node->key, name) == 0)
            network = dr_compose_flat(project, node);
    config = dr_traefik_at(network, "ipam.config");
    for (const struct traefik_node *one = config ? config->first : NULL; one && *count < most; one = one->next)
        if (dr_traefik_text(dr_traefik_get(one, "subnet")))
            list[(*count)++] = dr_traefik_get(one, "subnet");
}

const struct traefik_node *const *dr_compose_subnets(struct compose_project *project, const struct compose_service *service)
{
    enum { MOST = 32 };
    struct traefik_node *networks = dr_compose_flat(project, dr_traefik_get(service->node, "networks"));
    const struct traefik_node **list = dr_arena_alloc(project->model->arena, (MOST + 1) * sizeof(*list));
    size_t count = 0;

    if (!list || service->host_network || service->other_network)
        return list;
    if (!networks || !networks->first)
        add_subnets(project, "default", list, &count, MOST);
    for (const struct traefik_node *node = networks ? networks->first : NULL; node && count < MOST; node = node->next)
        if (node->key || node->text)
            add_subnets(project, node->key ? node->key : node->text, list, &count, MOST);
    return list;
}

/* --- whose it is -------------------------------------------------------------------------------------------------------------- */

static const char *const our_names[] = { "openclaw", "clawdbot", "moltbot" };

static bool is_ours(const char *text)
{
    for (size_t i = 0; i < DR_COUNT(our_names); i++)
        if (strcasestr(text, our_names[i]))
            return true;
    return false;
}

/* The last part of an image's name, behind registry and owner. */
static const char *last_part(const char *image)
{
    const char *slash = strrchr(image, '/');

    return slash ? slash + 1 : image;
}

static bool is_proxy_image(const char *image)
{
    static const char *const names[] = { "nginx", "caddy", "haproxy", "httpd", "traefik", "swag", "openresty" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strncasecmp(last_part(image), names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static bool has_our_variables(struct compose_project *project, const struct compose_service *service)
{
    const struct traefik_node *list = dr_compose_flat(project, dr_traefik_get(service->node, "environment"));

    for (const struct traefik_node *node = list ? list->first : NULL; node; node = node->next) {
        const char *name = node->key ? node->key : node->text ? node->text : "";

        for (size_t i = 0; i < DR_COUNT(our_names); i++)
            if (strncasecmp(name, our_names[i], strlen(our_names[i])) == 0 && name[strlen(our_names[i])] == '_')
                return true;
    }
    return false;
}

static void judge(struct compose_project *project, struct compose_service *service, const char *image)
{
    bool gateway = strcasestr(service->name, "gateway") != NULL, ours = false;

    for (size_t i = 0; service->words[i]; i++) {
        gateway = gateway || strcmp(service->words[i], "gateway") == 0;
        ours = ours || is_ours(service->words[i]);
    }
    service->is_proxy = is_proxy_image(image);
    service->is_openclaw = !service->is_proxy && (ours || is_ours(service->name) || is_ours(last_part(image)) ||
                                                  has_our_variables(project, service));
    service->is_gateway = service->is_openclaw && (gateway || !service->words[0]);
}

static bool is_optional(const struct compose_project *project, const struct traefik_node *service)
{
    const struct dr_dotenv_entry *entry =
        project->main->has_dotenv ? dr_dotenv_get(&project->main->dotenv, "COMPOSE_PROFILES") : NULL;
    const char *const *wanted = dr_traefik_list(project->model->arena, dr_traefik_get(service, "profiles"));
    size_t length;

    if (!wanted || !*wanted)
        return false;
    for (; *wanted; wanted++)
        for (const char *at = entry ? entry->value : ""; *at; at += length + (at[length] == ',')) {
            length = strcspn(at, ",");
            if ((length == 1 && *at == '*') || (strlen(*wanted) == length && strncmp(at, *wanted, length) == 0))
                return false;
        }
    return true;
}

static bool read_service(struct compose_project *project, struct traefik_node *node, struct compose_service *service)
{
    struct words words = { .arena = project->model->arena };
    const char *mode;

    service->node = dr_compose_flat(project, node);
    service->name = node->key;
    words.list = dr_arena_grow(words.arena, NULL, 0, sizeof(*words.list), &words.room);
    words.nodes = dr_arena_grow(words.arena, NULL, 0, sizeof(struct traefik_node *), &words.node_room);
    if (!words.list || !words.nodes)
        return false;
    words.list[0] = NULL;
    take_words(project, service, &words, "entrypoint");
    take_words(project, service, &words, "command");
    service->words = words.list;
    service->word_nodes = words.nodes;
    mode = dr_compose_fill(project, dr_traefik_get(service->node, "network_mode")).text;
    service->host_network = strcmp(mode, "host") == 0;
    service->other_network = strcmp(mode, "none") == 0 || strchr(mode, ':');
    service->optional = is_optional(project, service->node);
    if (!service->host_network && !service->other_network)
        take_ports(project, service);
    judge(project, service, dr_compose_fill(project, dr_traefik_get(service->node, "image")).text);
    return !words.no_memory;
}

int dr_compose_services(struct compose_project *project, struct compose_service **ret_list, size_t *ret_count)
{
    size_t count = 0;
    const struct traefik_node *node;

    for (node = project->services->first; node; node = node->next)
        count++;
    *ret_list = dr_arena_alloc(project->model->arena, (count + 1) * sizeof(**ret_list));
    *ret_count = 0;
    if (!*ret_list)
        return -ENOMEM;
    for (struct traefik_node *one = project->services->first; one; one = one->next) {
        if (!one->key || one->type != TRAEFIK_MAP)
            continue;
        if (!read_service(project, one, &(*ret_list)[*ret_count]))
            return -ENOMEM;
        ++*ret_count;
    }
    return 0;
}
