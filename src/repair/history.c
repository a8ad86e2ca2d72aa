/* What was repaired, read from the journals. Changes nothing. */
#include "repair/run.h"

#include <string.h>

enum { LOOKED_AT = 4 };

struct looker {
    struct dr_places places;
    struct dr_journal_home home;
    char **names;
};

static void release(struct looker *looker)
{
    dr_names_free(&looker->names);
    dr_journal_home_release(&looker->home);
    dr_places_release(&looker->places);
}

static int look(const struct dr_repair_target *target, struct looker *looker, struct dr_error *error)
{
    looker->home = (struct dr_journal_home)DR_JOURNAL_HOME;
    int r = dr_places_open(target, &looker->places, error);

    if (r == 0)
        r = dr_journal_home_look(&looker->places, &looker->home, error);
    return r == 0 ? dr_journal_runs(&looker->home, &looker->names) : r;
}

static const char *const step_states[] = {
    [DR_STEP_INTENT] = "begun",
    [DR_STEP_DONE] = "applied",
    [DR_STEP_REVERTED] = "rolled-back",
};

static bool add_step(cJSON *list, const struct dr_step *step)
{
    cJSON *json = cJSON_CreateObject();

    if (json && cJSON_AddStringToObject(json, "kind", dr_operation_kind_name(step->kind)) &&
        cJSON_AddStringToObject(json, "path", step->path) &&
        (!step->summary || cJSON_AddStringToObject(json, "summary", step->summary)) &&
        cJSON_AddStringToObject(json, "state", step_states[step->state]) && cJSON_AddItemToArray(list, json))
        return true;
    cJSON_Delete(json);
    return false;
}

static cJSON *tell(const struct dr_record *record)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json && cJSON_AddStringToObject(json, "run", record->run) &&
              (!record->started_at || cJSON_AddStringToObject(json, "startedAt", record->started_at)) &&
              cJSON_AddStringToObject(json, "state", dr_record_state(record)) &&
              (!record->undoes || cJSON_AddStringToObject(json, "undoes", record->undoes)) &&
              (!record->undone_by || cJSON_AddStringToObject(json, "undoneBy", record->undone_by));
    cJSON *steps = ok ? cJSON_AddArrayToObject(json, "operations") : NULL;

    ok = steps != NULL;
    for (size_t i = 0; ok && i < record->count; i++)
        ok = add_step(steps, &record->steps[i]);
    if (ok)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static int tell_all(struct looker *looker, cJSON *history, struct dr_error *error)
{
    for (char **name = looker->names; *name; name++) {
        _cleanup_record_ struct dr_record record = { 0 };
        int r = dr_record_read(&looker->home, *name, &record, error);

        if (r == -ENOTDIR || (r == 0 && !record.begun))
            continue;
        if (r < 0)
            return r;
        cJSON *json = tell(&record);

        if (!json || !cJSON_AddItemToArray(history, json)) {
            cJSON_Delete(json);
            return -ENOMEM;
        }
    }
    return 0;
}

int dr_repair_history(const struct dr_repair_target *target, cJSON **ret_history, struct dr_error *error)
{
    _cleanup_(release) struct looker looker = { 0 };
    cJSON *history = cJSON_CreateArray();
    int r = history ? look(target, &looker, error) : -ENOMEM;

    if (r == 0)
        r = tell_all(&looker, history, error);
    if (r < 0) {
        cJSON_Delete(history);
        return r;
    }
    *ret_history = history;
    return 0;
}

int dr_repair_interrupted(const struct dr_repair_target *target, char **ret_run_id)
{
    _cleanup_(release) struct looker looker = { 0 };
    int r = look(target, &looker, NULL);

    if (r < 0)
        return r;
    /* A repair that is at work now is not an interrupted one. Only the newest runs: the start of each later one settled all before. */
    if (looker.names[0] == NULL || dr_journal_home_busy(&looker.home) > 0)
        return 0;
    for (size_t i = 0; i < LOOKED_AT && looker.names[i]; i++) {
        _cleanup_record_ struct dr_record record = { 0 };

        r = dr_record_read(&looker.home, looker.names[i], &record, NULL);
        if (r < 0 || record.ended)
            continue;
        *ret_run_id = strdup(looker.names[i]);
        return *ret_run_id ? 1 : -ENOMEM;
    }
    return 0;
}
