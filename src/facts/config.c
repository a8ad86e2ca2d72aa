#include "facts/config.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/config_internal.h"
#include "facts/context.h"
#include "format/dotenv.h"

#include <fcntl.h>
#include <string.h>

#define DOTENV_CEILING ((size_t)1 << 20)

/* ---- loading ---- */

/* "/." at the end: the folder itself may be reached through a link, as OpenClaw allows. */
static int open_folder(struct dr_config_state *state)
{
    _cleanup_free_ char *path = dr_path_join(state->folder, ".");

    return path ? dr_open(state->root_fd, path, O_PATH | O_DIRECTORY, &state->folder_fd) : -ENOMEM;
}

static int prepare(struct dr_config_state *state, const char *path)
{
    _cleanup_free_ char *clean = dr_path_clean(path);

    if (!clean)
        return -ENOMEM;

    const char *slash = strrchr(clean, '/');
    size_t length = slash && slash > clean ? (size_t)(slash - clean) : slash ? 1 : 0;

    state->path = dr_arena_strdup(state->arena, clean);
    state->folder = dr_arena_strndup(state->arena, clean, length);
    return state->path && state->folder ? 0 : -ENOMEM;
}

static int list_duplicates(const struct dr_config_state *state, struct dr_config *config)
{
    struct dr_config_duplicate *list;
    size_t count = 0;

    for (size_t i = 0; i < state->doc_count; i++)
        count += state->docs[i]->json.duplicates_kept;
    list = dr_arena_alloc(state->arena, count * sizeof(*list));
    if (!list)
        return -ENOMEM;
    config->duplicates = list;
    for (size_t i = 0; i < state->doc_count; i++) {
        const struct dr_config_doc *doc = state->docs[i];

        for (size_t j = 0; j < doc->json.duplicates_kept; j++) {
            const struct dr_json5_duplicate *one = &doc->json.duplicates[j];
            struct dr_json5_position first = dr_json5_position(&doc->json, one->first->key_offset);
            struct dr_json5_position second = dr_json5_position(&doc->json, one->second->key_offset);
            const char *pointer = dr_json5_path(&doc->json, one->second, state->arena);

            *list++ = (struct dr_config_duplicate){
                .first = { doc->file.path, pointer, first.line, first.column },
                .second = { doc->file.path, pointer, second.line, second.column },
            };
        }
    }
    config->duplicate_count = count;
    return 0;
}

static int list_files(const struct dr_config_state *state, struct dr_config *config)
{
    const struct dr_config_file **files =
        dr_arena_alloc(state->arena, (state->doc_count + 1) * sizeof(const struct dr_config_file *));

    if (!files)
        return -ENOMEM;
    for (size_t i = 0; i < state->doc_count; i++)
        files[i] = &state->docs[i]->file;
    config->files = files;
    config->file_count = state->doc_count;
    return 0;
}

/* -EBADMSG: config->fact says why not. */
static int resolve(struct dr_config_state *state, struct dr_config *config)
{
    struct dr_config_doc *doc;
    int r = dr_config_read(state, state->path, NULL, NULL, &doc);

    if (r < 0)
        return r;
    if (doc->has_include && open_folder(state) < 0)
        return dr_config_fail(state, doc, doc->json.root, "its folder cannot be opened to read what it includes");
    r = dr_config_resolve_includes(state);
    if (r < 0)
        return r;

    enum dr_value_type type = dr_config_cell_type(state->root);

    if (type != DR_VALUE_OBJECT)
        return dr_config_fail(state, state->root.doc, state->root.node, "%s %s where an object belongs",
                              type == DR_VALUE_ARRAY ? "an" : "a",
                              dr_json5_type_name((enum dr_json5_type)state->root.node->type));
    r = dr_config_collect_defaults(state);
    return r < 0 ? r : dr_config_find_missing(state, config);
}

int dr_config_load(int root_fd, const char *path, const struct dr_config_environment *environment, struct dr_arena *arena,
                   struct dr_config *ret_config)
{
    struct dr_config_state *state = dr_arena_alloc(arena, sizeof(*state));
    struct dr_config config = { .fact.state = DR_KNOWN };
    int r;

    if (!state)
        return -ENOMEM;
    state->root_fd = root_fd;
    state->folder_fd = -1;
    state->arena = arena;
    state->fact = &config.fact;
    if (environment)
        state->environment = *environment;
    r = prepare(state, path);
    if (r < 0)
        return r;
    config.fact.source.path = state->path;
    config.path = state->path;
    config.details = state;
    r = resolve(state, &config);
    dr_cleanup_close(&state->folder_fd);
    state->folder_fd = -1;
    state->fact = NULL;
    if (r < 0 && r != -EBADMSG)
        return r;
    r = list_files(state, &config);
    if (r >= 0)
        r = list_duplicates(state, &config);
    if (r >= 0)
        *ret_config = config;
    return r;
}

/* ---- the run's configuration ---- */

/* The gateway's environment as far as it can be had: this process, then the state directory's .env. */
struct surroundings {
    struct dr_context *context;
    struct dr_dotenv dotenv;
    bool has_dotenv;
};

static const char *get_variable(void *data, const char *name)
{
    const struct surroundings *around = data;
    const char *value = dr_environment(around->context, name);
    const struct dr_dotenv_entry *entry;

    if (value)
        return value;
    entry = around->has_dotenv ? dr_dotenv_get(&around->dotenv, name) : NULL;
    return entry ? entry->value : NULL;
}

static void read_dotenv(struct surroundings *around, const struct dr_target *target)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(DOTENV_CEILING);
    struct dr_context *context = around->context;
    const char *path = dr_format(context, "%s/.env", target->state_dir);

    /* An unreadable .env is the tokens' fact to report; here its variables are just not known. */
    if (dr_read_file(context->request->root_fd, path, &buffer, NULL) < 0)
        return;

    char *bytes = dr_strndup(context, dr_buffer_text(&buffer), buffer.length);

    around->has_dotenv = dr_dotenv_parse(bytes, buffer.length, context->arena, &around->dotenv) >= 0;
}

const struct dr_config *dr_config(struct dr_context *context)
{
    if (context->config)
        return context->config;

    const struct dr_target *target = dr_target(context);
    struct surroundings *around = dr_alloc(context, sizeof(*around));
    struct dr_config *config = dr_alloc(context, sizeof(*config));
    struct dr_config_environment environment = { .get = get_variable, .data = around };

    context->config = config;
    if (!target->config_path) {
        config->fact = target->fact;
        if (config->fact.state == DR_KNOWN)
            config->fact.state = DR_UNKNOWN;
        return config;
    }
    around->context = context;
    if (target->state_dir)
        read_dotenv(around, target);
    if (dr_config_load(context->request->root_fd, target->config_path, &environment, context->arena, config) < 0) {
        if (context->out_of_memory)
            context->out_of_memory();
        abort();
    }
    return config;
}
