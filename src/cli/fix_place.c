#include "base/text.h"
#include "cli/fix.h"

#include <stdio.h>
#include <string.h>

static void allow(struct dr_repair_place *place, const char *folder)
{
    size_t count = 0;

    while (place->allowed[count])
        count++;
    /* "/" would allow everything. */
    if (folder && folder[0] == '/' && folder[1] != '\0' && count + 1 < DR_COUNT(place->allowed))
        place->allowed[count] = folder;
}

static bool is_stopped(const cJSON *target)
{
    const char *state = dr_json_text(cJSON_GetObjectItemCaseSensitive(target, "gateway"), "state");

    return state && strcmp(state, "stopped") == 0;
}

int dr_fix_place(const struct dr_session *session, const struct dr_look *look, struct dr_repair_place *ret_place,
                 struct dr_error *error)
{
    const char *config = dr_json_text(look->target, "configPath");
    const char *slash = config ? strrchr(config, '/') : NULL;
    const cJSON *install, *folder;

    *ret_place = (struct dr_repair_place){
        .target = {
            .root_fd = session->root_fd,
            .state_dir = dr_json_text(look->target, "stateDir"),
            .home = dr_json_text(look->target, "home"),
            .user = dr_json_text(look->target, "user"),
            .custody_dir = "/var/lib/openclaw-doctor",
            .journal_dir = session->options->journal_dir,
            .uid = (uint32_t)dr_json_number(look->target, "uid", 0),
            .gid = (uint32_t)dr_json_number(look->target, "gid", 0),
            .gateway_running = !is_stopped(look->target), /* "could not tell" is not "stopped" */
            .tool_version = DR_VERSION,
        },
    };
    if (!ret_place->target.state_dir)
        return dr_error_set(error, -ENOENT, "there is no state directory to repair");
    if (slash && slash != config) {
        ret_place->config_folder = strndup(config, (size_t)(slash - config));
        if (!ret_place->config_folder)
            return dr_error_set(error, -ENOMEM, "out of memory");
        allow(ret_place, ret_place->config_folder);
    }
    allow(ret_place, ret_place->target.home);
    allow(ret_place, session->working_directory);
    allow(ret_place, getenv("TMPDIR"));
    allow(ret_place, "/tmp");
    allow(ret_place, "/etc/systemd/system");
    cJSON_ArrayForEach (install, cJSON_GetObjectItemCaseSensitive(look->target, "installs"))
        allow(ret_place, dr_json_text(install, "path"));
    /* Where the reverse proxies' configuration lies. Mostly root's: then only root may write there anyway. */
    cJSON_ArrayForEach (folder, cJSON_GetObjectItemCaseSensitive(look->target, "proxyFolders"))
        allow(ret_place, cJSON_GetStringValue(folder));
    ret_place->target.allowed = ret_place->allowed;
    return 0;
}

void dr_fix_place_release(struct dr_repair_place *place)
{
    free(place->config_folder);
    place->config_folder = NULL;
}
