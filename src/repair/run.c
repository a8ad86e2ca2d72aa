#include "repair/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { ARENA_MOST = 256 * 1024 * 1024, RUN_ID_MOST = 64 };

static bool plain_run_id(const char *id)
{
    size_t length = strlen(id);

    return length > 0 && length <= RUN_ID_MOST && id[0] != '-' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

/* Sorts by time; the random part keeps two runs of one second apart. */
static char *new_run_id(void)
{
    struct timespec now;
    struct tm utc;
    uint32_t chance = 0;
    char when[32];
    char *id = NULL;

    if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &utc) ||
        getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance) ||
        strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc) == 0)
        return NULL;
    return asprintf(&id, "%s%03ldZ-%08x", when, now.tv_nsec / 1000000, chance) < 0 ? NULL : id;
}

static bool now_text(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;

    return gmtime_r(&now, &utc) && strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0;
}

int dr_run_open(const struct dr_repair_target *target, const char *run_id, struct dr_repair_run **ret_run,
                struct dr_error *error)
{
    _cleanup_run_ struct dr_repair_run *run = calloc(1, sizeof(*run));

    if (!run)
        return -ENOMEM;
    run->target = *target;
    run->home = (struct dr_journal_home)DR_JOURNAL_HOME;
    run->journal = (struct dr_journal)DR_JOURNAL;
    run->arena = (struct dr_arena)DR_ARENA(ARENA_MOST);
    if (run_id && !plain_run_id(run_id))
        return dr_error_set(error, -EINVAL, "\"%.64s\" is no run id", run_id);
    run->id = run_id ? strdup(run_id) : new_run_id();
    if (!run->id)
        return -ENOMEM;
    int r = dr_places_open(&run->target, &run->places, error);

    if (r == 0)
        r = dr_journal_home_lock(&run->places, &run->home, error);
    if (r < 0)
        return r;
    *ret_run = DR_TAKE_PTR(run);
    return 0;
}

void dr_run_free(struct dr_repair_run *run)
{
    if (run->journal.dir_fd < 0)
        dr_journal_home_unmake(&run->home);
    dr_journal_release(&run->journal);
    dr_journal_home_release(&run->home);
    dr_places_release(&run->places);
    dr_arena_release(&run->arena);
    free(run->steps);
    free(run->id);
    free(run);
}

static cJSON *begin_line(const struct dr_repair_run *run)
{
    char when[32];
    cJSON *line = dr_journal_line("begin", 0);

    if (line && now_text(when, sizeof(when)) && cJSON_AddStringToObject(line, "run", run->id) &&
        cJSON_AddStringToObject(line, "startedAt", when) &&
        cJSON_AddStringToObject(line, "stateDir", run->target.state_dir) &&
        cJSON_AddStringToObject(line, "tool", run->target.tool_version ? run->target.tool_version : "unknown") &&
        (!run->undoes ||
         (cJSON_AddStringToObject(line, "undoes", run->undoes) && cJSON_AddBoolToObject(line, "force", run->force))))
        return line;
    cJSON_Delete(line);
    return NULL;
}

int dr_run_folder(struct dr_repair_run *run, struct dr_error *error)
{
    int r;

    if (run->journal.dir_fd >= 0)
        return 0;
    r = dr_journal_home_runs(&run->places, &run->home, error);
    if (r < 0)
        return r;
    r = dr_journal_make(&run->home, &run->target, run->id, &run->journal);
    if (r == 0)
        r = dr_journal_add(&run->journal, begin_line(run));
    if (r < 0)
        return dr_error_set(error, r, "the journal %s/%s cannot be written (%s)", run->home.runs_path, run->id,
                            dr_errno_text(r));
    return 0;
}

int dr_run_write_end(struct dr_repair_run *run, const char *state)
{
    return run->journal.dir_fd < 0 ? 0 : dr_journal_end(&run->journal, state);
}

int dr_run_remove_folder(struct dr_repair_run *run)
{
    return run->journal.dir_fd < 0 ? 0 : dr_journal_remove(&run->home, run->id, &run->journal);
}

struct dr_scene dr_run_scene(struct dr_repair_run *run)
{
    return (struct dr_scene){
        .target = &run->target,
        .places = &run->places,
        .home = &run->home,
        .arena = &run->arena,
        .journal = &run->journal,
        .safe = &run->journal,
        .run_id = run->id,
        .earlier = run->steps,
        .earlier_count = run->count,
        .all = run->steps,
        .all_count = run->count,
    };
}

int dr_run_reach(struct dr_repair_run *run, const struct dr_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        const char *path = record->steps[i].path, *slash = path ? strrchr(path, '/') : NULL;

        if (record->steps[i].kind == DR_RUN_COMMAND || !slash)
            continue;
        const char *folder = dr_arena_strndup(&run->arena, path, (size_t)(slash - path));
        int r = folder ? dr_places_add(&run->places, folder) : -ENOMEM;

        if (r < 0)
            return r;
    }
    return 0;
}
