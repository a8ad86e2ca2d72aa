#include "format/compose.h"

#include <errno.h>
#include <string.h>

/* compose-go, cli/options.go: DefaultFileNames, DefaultOverrideFileNames. */
const char *const dr_compose_names[] = { "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", NULL };
static const char *const override_names[] = { "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
                                              "docker-compose.override.yaml" };

struct loading {
    struct compose_project *project;
    const struct compose_scope *scope;
    unsigned depth;
};

static const char *folder_of(struct compose_project *project, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? dr_arena_strndup(project->model->arena, path, (size_t)(slash - path)) : ".";

    project->model->no_memory = project->model->no_memory || !folder;
    return folder ? folder : ".";
}

static const char *below(struct compose_project *project, const char *folder, const char *path)
{
    const char *made = path;

    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (*path != '/')
        made = dr_arena_format(project->model->arena, "%s/%s", folder, path);
    project->model->no_memory = project->model->no_memory || !made;
    return made ? made : path;
}

static void fault(struct compose_project *project, const struct traefik_node *node, const char *text)
{
    struct dr_source source;

    dr_traefik_source(node, &source);
    dr_proxy_fault(project->model->gathering, &source, true, "%s", text);
}

static void unknowable(struct compose_project *project, const struct traefik_node *node, const char *text)
{
    struct dr_source source;

    dr_traefik_source(node, &source);
    dr_proxy_unknowable(project->model->gathering, &source, "%s", text);
}

/* --- files -------------------------------------------------------------------------------------------------------------------- */

static bool is_there(struct compose_project *project, const char *path)
{
    const struct dr_proxy_loader *loader = project->model->gathering->loader;
    const struct dr_proxy_file *file;

    return loader->load(loader->user, path, &file) != -ENOENT;
}

static struct compose_scope *new_scope(struct compose_project *project, const char *folder, const char *dotenv,
                                       const struct compose_scope *outer)
{
    const struct dr_proxy_loader *loader = project->model->gathering->loader;
    struct compose_scope *scope =
        project->scope_count < COMPOSE_SCOPES ? dr_arena_alloc(project->model->arena, sizeof(*scope)) : NULL;
    const struct dr_proxy_file *file;

    if (!scope)
        return NULL;
    project->scope_count++;
    scope->folder = folder;
    scope->outer = outer;
    if (loader->load(loader->user, dotenv ? dotenv : below(project, folder, ".env"), &file) == 0)
        scope->has_dotenv = dr_dotenv_parse(file->bytes, file->length, project->model->arena, &scope->dotenv) == 0;
    return scope;
}

static struct compose_file *keep_file(struct loading *loading, const struct dr_proxy_file *file, struct traefik_node *tree)
{
    struct compose_project *project = loading->project;
    struct compose_file *kept;

    for (size_t i = 0; i < project->file_count; i++)
        if (project->files[i].file == file)
            return &project->files[i];
    if (project->file_count == COMPOSE_FILES)
        return NULL;
    kept = &project->files[project->file_count++];
    *kept = (struct compose_file){ .file = file, .scope = loading->scope, .tree = tree };
    if (tree)
        return kept;
    kept->tree = dr_traefik_yaml(project->model, file);
    if (kept->tree && kept->tree->type != TRAEFIK_MAP) {
        const struct dr_source source = { .path = file->path, .line = 1, .column = 1 };

        if (kept->tree->type != TRAEFIK_NULL)
            dr_proxy_fault(project->model->gathering, &source, true, "it is no compose file: it holds no keys");
        kept->tree = NULL;
    }
    return kept;
}

static struct traefik_node *tree_at(struct loading *loading, const char *path, const struct traefik_node *from)
{
    struct dr_source source;

    dr_traefik_source(from, &source);
    const struct dr_proxy_file *file = dr_proxy_load(loading->project->model->gathering, path, from ? &source : NULL);
    const struct compose_file *kept = file ? keep_file(loading, file, NULL) : NULL;

    if (file && !kept)
        fault(loading->project, from, "more files than one project may have");
    return kept ? kept->tree : NULL;
}

/* --- extends ------------------------------------------------------------------------------------------------------------------ */

static struct traefik_node *service_in(struct loading *loading, struct traefik_node *tree, const char *name);

/* "extends: name", "extends: { file: x, service: y }". */
static struct traefik_node *extended(struct loading *loading, struct traefik_node *tree, struct traefik_node *service)
{
    struct compose_project *project = loading->project;
    struct traefik_node *extends = dr_traefik_get(service, "extends"), *base;
    const struct traefik_node *named =
        extends && extends->type == TRAEFIK_MAP ? dr_traefik_get(extends, "service") : extends;
    const struct traefik_node *file = dr_traefik_get(extends, "file");
    struct compose_text name = dr_compose_fill(project, named), path = dr_compose_fill(project, file);

    if (!extends)
        return service;
    if (++loading->depth > COMPOSE_DEPTH) {
        fault(project, extends, "'extends' goes too deep, or round in a circle");
        loading->depth--;
        return service;
    }
    if (name.unknown || path.unknown || strstr(path.text, "://")) {
        unknowable(project, extends, "'extends' leads where nothing can be read from here");
        tree = NULL;
    } else if (file) {
        tree = tree_at(loading, below(project, folder_of(project, file->file->path), path.text), extends);
    }
    base = tree ? service_in(loading, tree, name.text) : NULL;
    if (tree && !base)
        fault(project, extends, "'extends' names a service that is not there");
    loading->depth--;
    return dr_compose_merge(project, base, service, "services.*");
}

static struct traefik_node *service_in(struct loading *loading, struct traefik_node *tree, const char *name)
{
    struct traefik_node *services = dr_compose_flat(loading->project, dr_traefik_get(tree, "services"));

    for (struct traefik_node *service = services ? services->first : NULL; service; service = service->next)
        if (service->key && strcmp(service->key, name) == 0)
            return service->type == TRAEFIK_MAP ? extended(loading, tree, service) : NULL;
    return NULL;
}

/* All services of one file, with what they extend. */
static struct traefik_node *services_of(struct loading *loading, struct traefik_node *tree)
{
    struct compose_project *project = loading->project;
    struct traefik_node *services = dr_compose_flat(project, dr_traefik_get(tree, "services"));
    struct traefik_node *made;
    unsigned count = 0;

    if (!services || services->type != TRAEFIK_MAP)
        return NULL;
    made = dr_traefik_node(project->model->arena, TRAEFIK_MAP, services->file, services->begin, services->end);
    for (struct traefik_node *service = services->first; made && service; service = service->next) {
        struct traefik_node *whole =
            service->type == TRAEFIK_MAP ? extended(loading, tree, dr_compose_flat(project, service)) : NULL;
        struct traefik_node *copy = whole ? dr_arena_alloc(project->model->arena, sizeof(*copy)) : NULL;

        if (!copy)
            continue;
        if (++count > COMPOSE_SERVICES) {
            fault(project, service, "more services than can be looked at");
            break;
        }
        *copy = *whole;
        copy->next = NULL;
        copy->key = service->key;
        copy->key_begin = service->key_begin;
        dr_traefik_append(made, copy);
    }
    project->model->no_memory = project->model->no_memory || !made;
    return made;
}

/* --- include ------------------------------------------------------------------------------------------------------------------ */

static void add_file(struct loading *loading, const char *path, const struct traefik_node *from, struct traefik_node *tree);

static void include_paths(struct loading *loading, const struct traefik_node *paths, const char *folder)
{
    struct compose_project *project = loading->project;
    const struct traefik_node *item = paths->type == TRAEFIK_LIST ? paths->first : paths;

    for (; item; item = paths->type == TRAEFIK_LIST ? item->next : NULL) {
        struct compose_text path = dr_compose_fill(project, item);

        if (path.unknown || !*path.text || strstr(path.text, "://"))
            unknowable(project, item, "'include' leads where nothing can be read from here");
        else
            add_file(loading, below(project, folder, path.text), item, NULL);
    }
}

/* "- path", or "- { path: ..., project_directory: ..., env_file: ... }": each its own project, with its own .env. */
static void include_one(struct loading *loading, const struct traefik_node *item)
{
    struct compose_project *project = loading->project;
    const struct traefik_node *paths = item->type == TRAEFIK_MAP ? dr_traefik_get(item, "path") : item;
    const struct traefik_node *first = paths && paths->type == TRAEFIK_LIST ? paths->first : paths;
    const struct traefik_node *directory = dr_traefik_get(item, "project_directory"),
                              *env = dr_traefik_get(item, "env_file");
    const char *here = folder_of(project, item->file->path);
    struct loading inner = { .project = project, .depth = loading->depth + 1 };

    if (!first)
        return;
    env = env && env->type == TRAEFIK_LIST ? env->first : env;
    const char *folder = directory ? below(project, here, dr_compose_fill(project, directory).text)
                                   : folder_of(project, below(project, here, dr_compose_fill(project, first).text));

    inner.scope =
        new_scope(project, folder, env ? below(project, here, dr_compose_fill(project, env).text) : NULL, loading->scope);
    if (inner.depth > COMPOSE_DEPTH || !inner.scope)
        fault(project, item, "'include' goes too deep, or round in a circle");
    else
        include_paths(&inner, paths, here);
}

static void add_file(struct loading *loading, const char *path, const struct traefik_node *from, struct traefik_node *tree)
{
    struct compose_project *project = loading->project;
    struct traefik_node *include;

    tree = tree ? tree : tree_at(loading, path, from);
    if (!tree)
        return;
    include = dr_traefik_get(tree, "include");
    for (const struct traefik_node *item = include ? include->first : NULL; item; item = item->next)
        include_one(loading, item);
    project->services = dr_compose_merge(project, project->services, services_of(loading, tree), "services");
    project->networks =
        dr_compose_merge(project, project->networks, dr_compose_flat(project, dr_traefik_get(tree, "networks")), "networks");
}

/* --- the project -------------------------------------------------------------------------------------------------------------- */

const char *dr_compose_first_file(struct dr_arena *arena, const struct dr_dotenv *dotenv, const char *folder)
{
    const struct dr_dotenv_entry *files = dr_dotenv_get(dotenv, "COMPOSE_FILE");
    size_t length = files ? strcspn(files->value, ":") : 0;

    if (length == 0)
        return NULL;
    return files->value[0] == '/' ? dr_arena_strndup(arena, files->value, length)
                                  : dr_arena_format(arena, "%s/%.*s", folder, (int)length, files->value);
}

static bool is_default(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (const char *const *one = dr_compose_names; *one; one++)
        if (strcmp(*one, name) == 0)
            return true;
    return false;
}

/* What COMPOSE_FILE names behind `path`. False: `path` is none of its files. */
static bool add_named(struct loading *loading, const char *path)
{
    struct compose_project *project = loading->project;
    const struct compose_scope *scope = loading->scope;
    const struct dr_dotenv_entry *files = scope->has_dotenv ? dr_dotenv_get(&scope->dotenv, "COMPOSE_FILE") : NULL;
    const char *first = files ? dr_compose_first_file(project->model->arena, &scope->dotenv, scope->folder) : NULL;
    const char *at = files ? files->value + strcspn(files->value, ":") : "";

    if (!first || strcmp(first, path) != 0)
        return false;
    for (unsigned count = 0; *at == ':' && count < COMPOSE_FILES; count++) {
        size_t length = strcspn(at + 1, ":");
        const char *one = dr_arena_strndup(project->model->arena, at + 1, length);

        if (one && *one)
            add_file(loading, below(project, scope->folder, one), NULL, NULL);
        at += length + 1;
    }
    return true;
}

static struct traefik_node *empty_map(struct compose_project *project)
{
    struct traefik_node *map = dr_traefik_node(project->model->arena, TRAEFIK_MAP, NULL, 0, 0);

    project->model->no_memory = project->model->no_memory || !map;
    return map;
}

int dr_compose_load(struct traefik_model *model, const char *path, struct traefik_node *tree,
                    struct compose_project *ret_project)
{
    struct compose_project *project = ret_project;
    struct loading loading = { .project = project };

    *project = (struct compose_project){ .model = model };
    project->main = loading.scope = new_scope(project, folder_of(project, path), NULL, NULL);
    if (!loading.scope)
        return -ENOMEM;
    if (tree && tree->file)
        (void)keep_file(&loading, tree->file, tree);
    add_file(&loading, path, NULL, tree);
    if (!add_named(&loading, path) && is_default(path))
        for (size_t i = 0; i < DR_COUNT(override_names); i++) {
            const char *over = below(project, loading.scope->folder, override_names[i]);

            if (is_there(project, over)) {
                add_file(&loading, over, NULL, NULL);
                break;
            }
        }
    if (project->node_count > COMPOSE_NODES || project->compared >= COMPOSE_COMPARED)
        dr_proxy_fault(model->gathering, &(struct dr_source){ .path = path }, true,
                       "what these files make together is too large: not all of it was read");
    project->services = project->services && project->services->type == TRAEFIK_MAP ? project->services : empty_map(project);
    project->networks = project->networks && project->networks->type == TRAEFIK_MAP ? project->networks : empty_map(project);
    return model->no_memory ? -ENOMEM : 0;
}
