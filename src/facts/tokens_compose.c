#include "facts/tokens_places.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "format/dotenv.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_ENTRIES = 1024, MOST_FOLDERS = 8 };

static bool has_compose_file(struct dr_context *context, const char *folder)
{
    static const char *const names[] = { "docker-compose.yml", "compose.yaml", "compose.yml", "docker-compose.yaml" };
    struct stat st;

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (dr_stat(context->request->root_fd, dr_context_join(context, folder, names[i]), &st) == 0)
            return true;
    return false;
}

/* Compose mounts OPENCLAW_CONFIG_DIR as the state directory; a .env that names another one is of another installation. */
static bool is_of_this_state(struct dr_context *context, const char *dotenv_path, const char *state_dir, const char *home)
{
    struct dr_text_file file;
    struct dr_dotenv dotenv;

    if (dr_text_file_read(context, dotenv_path, &file) < 0 ||
        dr_dotenv_parse(file.bytes, file.length, context->arena, &dotenv) < 0)
        return true; /* said by the reading itself */
    const struct dr_dotenv_entry *entry = dr_dotenv_get(&dotenv, "OPENCLAW_CONFIG_DIR");
    const char *named = entry && entry->value[0] ? entry->value : NULL;

    if (!named)
        return strcmp(state_dir, dr_context_join(context, home, ".openclaw")) == 0;
    if (dr_text_starts_with(named, "~/") || dr_text_starts_with(named, "$HOME/"))
        named = dr_context_join(context, home, strchr(named, '/') + 1);
    return named[0] == '/' && strcmp(dr_context_join(context, "/", named), state_dir) == 0;
}

static bool is_known(const struct dr_token_gathering *gathering, const char *path)
{
    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->places[i].source.path && strcmp(gathering->places[i].source.path, path) == 0 &&
            !gathering->places[i].ignored)
            return true;
    return false;
}

static void look_in(struct dr_token_gathering *gathering, const char *folder)
{
    struct dr_context *context = gathering->context;
    const struct dr_target *target = dr_target(context);
    const char *path = dr_context_join(context, folder, ".env");

    if (is_known(gathering, path) || !has_compose_file(context, folder) ||
        !is_of_this_state(context, path, target->state_dir, target->home))
        return;
    (void)dr_tokens_from_dotenv(gathering, path, DR_PLACE_COMPOSE_DOTENV, false);
}

void dr_tokens_from_compose(struct dr_token_gathering *gathering)
{
    static const char *const prefixes[] = { "openclaw", "clawdbot", "moltbot" };
    struct dr_context *context = gathering->context;
    const char *home = dr_target(context)->home;
    const char *here = context->request->root ? NULL : dr_working_directory(context);
    const struct dirent *entry;
    int folders = 0;
    int fd;

    if (here && strcmp(here, home) != 0)
        look_in(gathering, here);
    look_in(gathering, home);
    if (dr_open(context->request->root_fd, home, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return;
    }
    for (int i = 0; i < MOST_ENTRIES && folders < MOST_FOLDERS && (entry = readdir(dir)); i++)
        for (size_t p = 0; p < DR_COUNT(prefixes); p++)
            if (dr_text_starts_with(entry->d_name, prefixes[p]) &&
                (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)) {
                const char *folder = dr_context_join(context, home, entry->d_name);

                folders++;
                if (!here || strcmp(folder, here) != 0)
                    look_in(gathering, folder);
            }
}
