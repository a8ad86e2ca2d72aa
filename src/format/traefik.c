/*
 * Traefik: which files there are. The main file may be a static configuration (entry points, and a file provider that names the others), a dynamic
 * one, or a compose file. Source: doc.traefik.io, "File provider" and "Configuration Introduction".
 */
#include "format/traefik_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), end = strlen(ending);

    return length >= end && strcasecmp(text + length - end, ending) == 0;
}

/* Without such a name: a heading in brackets at the beginning of a line, or "key = value", is TOML. */
static bool is_toml(const struct dr_proxy_file *file)
{
    const char *at = file->bytes;

    if (ends_with(file->path, ".toml") || ends_with(file->path, ".yml") || ends_with(file->path, ".yaml"))
        return ends_with(file->path, ".toml");
    while (*at == '#' || *at == '\n' || *at == ' ' || *at == '\r') {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    size_t key = strcspn(at, "=:\n");

    return *at == '[' || at[key] == '=';
}

struct traefik_node *dr_traefik_file(struct traefik_model *model, const struct dr_proxy_file *file)
{
    return is_toml(file) ? dr_traefik_toml(model, file) : dr_traefik_yaml(model, file);
}

void dr_traefik_add_root(struct traefik_model *model, struct traefik_node *tree, const char *service, const char *port)
{
    struct traefik_root *grown =
        dr_arena_grow(model->arena, model->roots, model->root_count, sizeof(*grown), &model->root_room);

    if (!grown) {
        model->no_memory = true;
        return;
    }
    model->roots = grown;
    grown[model->root_count++] = (struct traefik_root){ .tree = tree, .service = service, .port = port };
}

struct traefik_node *dr_traefik_named(const struct traefik_model *model, const struct traefik_root *near,
                                      const char *protocol, const char *kind, const char *name,
                                      const struct traefik_root **ret_root)
{
    const char *at = strchr(name, '@');
    char *plain = dr_arena_strndup(model->arena, name, at ? (size_t)(at - name) : strlen(name));
    struct traefik_node *found = NULL;

    *ret_root = near;
    if (plain && near)
        found = dr_traefik_get(dr_traefik_get(dr_traefik_get(near->tree, protocol), kind), plain);
    for (size_t i = 0; plain && !found && i < model->root_count; i++) {
        *ret_root = &model->roots[i];
        found = dr_traefik_get(dr_traefik_get(dr_traefik_get(model->roots[i].tree, protocol), kind), plain);
    }
    return found;
}

/* Files of the file provider go through Go's templates first: what they give is not known here. */
static bool check_template(struct traefik_model *model, const struct dr_proxy_file *file)
{
    const char *at = memmem(file->bytes, file->length, "{{", 2);
    struct dr_source source;

    if (!at)
        return false;
    dr_proxy_position(file, (size_t)(at - file->bytes), &source);
    dr_proxy_unknowable(model->gathering, &source, "a template ({{ ... }}): what Traefik makes of it is not known");
    return true;
}

/* Before its template is filled in a file may be no YAML at all: that is no fault of its own. */
static struct traefik_node *dynamic_tree(struct traefik_model *model, const struct dr_proxy_file *file)
{
    bool template = check_template(model, file);
    size_t before = model->gathering->fault_count;
    struct traefik_node *tree = dr_traefik_file(model, file);

    if (template && !tree)
        model->gathering->fault_count = before;
    return tree;
}

static void read_dynamic(struct traefik_model *model, const char *path, const struct dr_source *from)
{
    const struct dr_proxy_file *file = dr_proxy_load(model->gathering, path, from);

    for (size_t i = 0; file && i < model->root_count; i++)
        if (model->roots[i].tree->file == file)
            return;
    struct traefik_node *tree = file ? dynamic_tree(model, file) : NULL;

    if (tree)
        dr_traefik_add_root(model, tree, NULL, NULL);
}

/* As os.ReadDir sorts names, folder by folder: "/" is before any other byte. */
static int compare_paths(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;

    while (*a && *a == *b) {
        a++;
        b++;
    }
    int first = *a == '/' ? 1 : (unsigned char)*a + (*a ? 1 : 0), second = *b == '/' ? 1 : (unsigned char)*b + (*b ? 1 : 0);

    return first - second;
}

/*
 * All of a folder and of the folders in it, in the order of their names: of two routers, services or middlewares of one name the first counts
 * (pkg/provider/file, loadFileConfigFromDirectory). Names that begin with a dot are left out, where Traefik would read them.
 */
static void read_folder(struct traefik_model *model, const char *folder, const struct dr_source *from, unsigned depth)
{
    static const char *const endings[] = { "*.yml", "*.yaml", "*.toml" };
    const struct dr_proxy_loader *loader = model->gathering->loader;
    const char **list = dr_arena_alloc(model->arena, DR_PROXY_FILES * sizeof(*list));
    const char *const *paths;
    size_t count = 0;

    for (unsigned level = 0; list && level <= depth; level++) {
        for (size_t i = 0; i < DR_COUNT(endings); i++) {
            const char *pattern = dr_arena_format(model->arena, "%s/%s", folder, endings[i]);

            if (!pattern || loader->expand(loader->user, pattern, &paths) < 0)
                return;
            for (; *paths && count < DR_PROXY_FILES; paths++)
                list[count++] = *paths;
        }
        folder = dr_arena_format(model->arena, "%s/*", folder);
    }
    if (count > 0)
        qsort(list, count, sizeof(*list), compare_paths);
    for (size_t i = 0; i < count && model->gathering->file_count < DR_PROXY_FILES; i++)
        read_dynamic(model, list[i], from);
}

void dr_traefik_providers(struct traefik_model *model, const char *folder)
{
    enum { LEVELS = 4 }; /* of folders in folders */
    const struct traefik_node *file = dr_traefik_at(model->settings, "providers.file.filename");
    const struct traefik_node *directory = dr_traefik_at(model->settings, "providers.file.directory");
    const struct traefik_node *named = dr_traefik_text(directory) ? directory : file;
    const char *path = dr_traefik_text(named);
    struct dr_source source;

    if (!path || !*path)
        return;
    dr_traefik_source(named, &source);
    path = *path == '/' ? path : dr_arena_format(model->arena, "%s/%s", folder, path);
    if (!path)
        model->no_memory = true;
    else if (named == directory)
        read_folder(model, path, &source, LEVELS);
    else
        read_dynamic(model, path, &source);
}

static bool is_compose(const struct traefik_node *tree)
{
    const struct traefik_node *services = dr_traefik_get(tree, "services");

    return services && services->type == TRAEFIK_MAP && !dr_traefik_get(tree, "http") &&
           !dr_traefik_get(tree, "entryPoints") && !dr_traefik_get(tree, "providers");
}

static bool is_static(const struct traefik_node *tree)
{
    return dr_traefik_get(tree, "entryPoints") || dr_traefik_get(tree, "providers");
}

static const char *folder_of(struct traefik_model *model, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? dr_arena_strndup(model->arena, path, (size_t)(slash - path)) : ".";
}

static void read_main(struct traefik_model *model, const char *path, const char *prefix)
{
    const struct dr_proxy_file *file = dr_proxy_load(model->gathering, path, NULL);
    struct traefik_node *tree = file ? dr_traefik_file(model, file) : NULL;
    const char *folder = prefix ? prefix : folder_of(model, path);

    if (!tree)
        return;
    if (!folder) {
        model->no_memory = true;
    } else if (is_compose(tree)) {
        dr_traefik_compose(model, tree, path);
    } else {
        model->settings = is_static(tree) ? tree : NULL;
        if (dr_traefik_get(tree, "http") || dr_traefik_get(tree, "tcp")) {
            (void)check_template(model, file);
            dr_traefik_add_root(model, tree, NULL, NULL);
        }
        dr_traefik_providers(model, folder);
    }
}

static int read_config(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                       struct dr_proxy_config *ret_config)
{
    struct dr_proxy_gathering gathering = { .loader = loader };
    struct traefik_model *model = dr_arena_alloc(loader->arena, sizeof(*model));

    if (!model)
        return -ENOMEM;
    *model = (struct traefik_model){ .gathering = &gathering, .arena = loader->arena };
    *ret_config = (struct dr_proxy_config){ .kind = DR_PROXY_TRAEFIK, .path = path, .tree = model };
    read_main(model, path, prefix);
    dr_traefik_routes(model);
    if (model->no_memory)
        return -ENOMEM;
    model->gathering = NULL;
    return dr_proxy_gathered(&gathering, ret_config);
}

const struct dr_proxy_format dr_traefik_format = {
    .kind = DR_PROXY_TRAEFIK,
    .read = read_config,
    .mend = dr_traefik_mend,
};
