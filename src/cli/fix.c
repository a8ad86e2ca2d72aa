#include "cli/fix.h"

#include "base/text.h"
#include "cli/fix_patience.h"
#include "cli/fix_verdict.h"
#include "cli/prompt.h"
#include "repair/command.h"

#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROUNDS = 64, MOST_OPERATION_BYTES = 512 * 1024 * 1024 };

/* One finding that is repaired in this round: its operations stand together in `operations`. */
struct group {
    const cJSON *finding;
    size_t first, count;
};

struct round {
    struct dr_arena arena;
    struct dr_operation *operations;
    unsigned *groups_of; /* per operation */
    struct dr_repair_result *results;
    size_t operation_count;
    struct group *groups;
    size_t group_count;
    unsigned first_group; /* numbers of groups go on over the rounds: the journal knows them by it */
};

struct fixing {
    const struct dr_session *session;
    const struct dr_look *look; /* what this round goes by */
    bool only_first; /* a saved plan: carried out exactly, and nothing else */
    struct dr_look current; /* the newest look; owns what `look` points to after the first round */
    struct dr_repair_place place;
    struct dr_repair_run *run;
    cJSON *repairs;
    cJSON *attempted; /* object: fingerprint -> true */
    bool unsafe_to_all;
    bool quit;
    unsigned next_group;
    char *settled;
    struct dr_error *error;
};

static const cJSON *fix_of(const cJSON *finding)
{
    return cJSON_GetObjectItemCaseSensitive(finding, "fix");
}

static bool is_hint(const struct fixing *fixing, const cJSON *finding)
{
    enum dr_severity severity = DR_ERROR;

    return dr_severity_parse(dr_json_text(finding, "severity"), &severity) &&
           severity < fixing->session->options->severity_min;
}

/*
 * Policy: what is safe goes ahead; what is not is asked one by one, or was consented to by --unsafe. For a mere hint nothing unsafe is done.
 */
static bool decide(struct fixing *fixing, const cJSON *finding)
{
    enum dr_safety safety;

    if (!dr_safety_parse(dr_json_text(fix_of(finding), "applicability"), &safety) || safety == DR_MANUAL)
        return false;
    if (safety == DR_SAFE)
        return true;
    if (is_hint(fixing, finding))
        return false;
    if (fixing->session->options->unsafe || fixing->unsafe_to_all)
        return true;
    if (fixing->quit || !dr_prompt_possible(fixing->session))
        return false;

    enum dr_answer answer = dr_prompt_repair(finding, fixing->look->operations);

    fixing->unsafe_to_all = answer == DR_ANSWER_ALL;
    fixing->quit = answer == DR_ANSWER_QUIT;
    return answer == DR_ANSWER_YES || answer == DR_ANSWER_ALL;
}

static void round_release(struct round *round)
{
    dr_arena_release(&round->arena);
    free(round->operations);
    free(round->groups_of);
    free(round->results);
    free(round->groups);
}

#define _cleanup_round_ _cleanup_(round_release)

static int round_begin(struct round *round, const struct dr_look *look)
{
    size_t operations = (size_t)cJSON_GetArraySize(look->operations) + 1;
    size_t findings = (size_t)cJSON_GetArraySize(look->findings) + 1;

    *round = (struct round){ .arena = DR_ARENA(MOST_OPERATION_BYTES) };
    round->operations = calloc(operations, sizeof(*round->operations));
    round->groups_of = calloc(operations, sizeof(*round->groups_of));
    round->results = calloc(operations, sizeof(*round->results));
    round->groups = calloc(findings, sizeof(*round->groups));
    return round->operations && round->groups_of && round->results && round->groups ? 0 : -ENOMEM;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void keep_path(void *path)
{
    (void)path; /* borrowed from the look */
}

/* A program may be run for several repairs; what is changed, only by one of a round. */
static bool is_changed(const cJSON *operation)
{
    const char *kind = dr_json_text(operation, "kind");

    return !kind || strcmp(kind, dr_operation_kind_name(DR_RUN_COMMAND)) != 0;
}

/* What is taken out of a file must stand there still: it is taken in the next round, when another repair of this one changes that file. */
static bool takes_from(const cJSON *operation, void *const *taken)
{
    const cJSON *edit;

    cJSON_ArrayForEach (edit, cJSON_GetObjectItemCaseSensitive(operation, "edits")) {
        const char *path = dr_json_text(cJSON_GetObjectItemCaseSensitive(edit, "from"), "path");

        if (path && tfind(path, taken, compare_paths))
            return true;
    }
    return false;
}

static bool has_operations(const struct dr_look *look, const char *fingerprint, void *const *taken)
{
    const cJSON *operation;
    bool any = false;

    cJSON_ArrayForEach (operation, look->operations) {
        const char *own = dr_json_text(operation, "finding");
        const char *path = dr_json_text(operation, "path");

        if (!own || strcmp(own, fingerprint) != 0)
            continue;
        /* Another repair of this round already changes the file: it is looked at anew in the next round. */
        if (!path || (is_changed(operation) && tfind(path, taken, compare_paths)) || takes_from(operation, taken))
            return false;
        any = true;
    }
    return any;
}

static int add_group(struct fixing *fixing, struct round *round, const cJSON *finding, void **taken)
{
    const char *fingerprint = dr_json_text(finding, "fingerprint");
    struct group *group = &round->groups[round->group_count];
    const cJSON *operation;

    *group = (struct group){ .finding = finding, .first = round->operation_count };
    cJSON_ArrayForEach (operation, fixing->look->operations) {
        const char *own = dr_json_text(operation, "finding");
        size_t slot = round->operation_count;

        if (!own || strcmp(own, fingerprint) != 0)
            continue;
        int r = dr_operation_from_json(operation, &round->arena, &round->operations[slot], fixing->error);

        if (r < 0)
            return r;
        round->groups_of[slot] = round->first_group + (unsigned)round->group_count;
        round->operation_count++;
        if (is_changed(operation) && !tsearch(dr_json_text(operation, "path"), taken, compare_paths))
            return -ENOMEM;
    }
    group->count = round->operation_count - group->first;
    round->group_count++;
    if (!cJSON_AddTrueToObject(fixing->attempted, fingerprint))
        return -ENOMEM;
    return 0;
}

static int choose(struct fixing *fixing, struct round *round)
{
    const cJSON *finding;
    void *taken = NULL;
    int r = 0;

    cJSON_ArrayForEach (finding, fixing->look->findings) {
        const char *fingerprint = dr_json_text(finding, "fingerprint");

        if (!fingerprint || cJSON_GetObjectItemCaseSensitive(finding, "causedBy") ||
            cJSON_GetObjectItemCaseSensitive(fixing->attempted, fingerprint) ||
            !has_operations(fixing->look, fingerprint, &taken) || !decide(fixing, finding))
            continue;
        r = add_group(fixing, round, finding, &taken);
        if (r < 0)
            break;
    }
    tdestroy(taken, keep_path);
    return r;
}

static int copy_text(cJSON *to, const char *name, const char *text)
{
    return !text || cJSON_AddStringToObject(to, name, text) ? 0 : -ENOMEM;
}

/* One entry of the report's `repairs` per operation. */
static int record(struct fixing *fixing, const struct round *round, const struct group *group)
{
    for (size_t i = group->first; i < group->first + group->count; i++) {
        const struct dr_operation *operation = &round->operations[i];
        const struct dr_repair_result *result = &round->results[i];
        cJSON *entry = cJSON_CreateObject();

        if (!entry || !cJSON_AddItemToArray(fixing->repairs, entry)) {
            cJSON_Delete(entry);
            return -ENOMEM;
        }
        if (!cJSON_AddNumberToObject(entry, "operation", operation->id) ||
            copy_text(entry, "kind", dr_operation_kind_name(operation->kind)) < 0 ||
            copy_text(entry, "finding", dr_json_text(group->finding, "fingerprint")) < 0 ||
            copy_text(entry, "checkId", dr_json_text(group->finding, "checkId")) < 0 ||
            copy_text(entry, "fixId", dr_json_text(fix_of(group->finding), "id")) < 0 ||
            copy_text(entry, "status", dr_repair_status_name(result->status)) < 0 ||
            copy_text(entry, "reason", result->reason) < 0 || copy_text(entry, "path", operation->path) < 0 ||
            copy_text(entry, "summary", operation->summary) < 0 || copy_text(entry, "preview", operation->preview) < 0 ||
            copy_text(entry, "restart", operation->restart) < 0 || copy_text(entry, "backup", result->backup) < 0 ||
            copy_text(entry, "run", fixing->session->run_id) < 0)
            return -ENOMEM;
    }
    return 0;
}

static void set_status(const struct round *round, const struct group *group, enum dr_repair_status status)
{
    for (size_t i = group->first; i < group->first + group->count; i++)
        if (round->results[i].status == DR_REPAIR_APPLIED)
            round->results[i].status = status;
}

static bool was_applied(const struct round *round, const struct group *group)
{
    return group->count > 0 && round->results[group->first].status == DR_REPAIR_APPLIED;
}

static int judge(struct fixing *fixing, struct round *round, const struct dr_look *after, bool *ret_rolled_back)
{
    for (size_t i = 0; i < round->group_count; i++) {
        const struct group *group = &round->groups[i];
        const char *why = was_applied(round, group) ? dr_fix_verdict(fixing->look, after, group->finding) : NULL;
        int r = 0;

        if (why) {
            r = dr_repair_roll_back(fixing->run, round->first_group + (unsigned)i, why, round->results, fixing->error);
            *ret_rolled_back = true;
        } else {
            set_status(round, group, DR_REPAIR_VERIFIED);
        }
        if (r >= 0)
            r = record(fixing, round, group);
        if (r < 0)
            return r;
    }
    return 0;
}

static int look_again(const struct fixing *fixing, struct dr_look *ret_look)
{
    struct dr_look_options options = fixing->session->look_options;
    struct dr_request request = fixing->session->request;

    options.want_plan = true;
    return dr_look_run(&request, &options, ret_look, fixing->error);
}

static void take_look(struct fixing *fixing, struct dr_look *look)
{
    dr_look_release(&fixing->current);
    fixing->current = *look;
    *look = (struct dr_look){ 0 };
    fixing->look = &fixing->current;
}

/* --- patience ------------------------------------------------------------------------------------------------------------ */

static bool gateway_runs(const struct dr_look *look)
{
    const char *state = dr_json_text(cJSON_GetObjectItemCaseSensitive(look->target, "gateway"), "state");

    return state && strcmp(state, "running") == 0;
}

static struct dr_patience patience_for(const struct fixing *fixing, const struct round *round)
{
    bool running = gateway_runs(fixing->look) && !fixing->session->options->offline;

    return dr_patience_for(round->operations, round->results, round->operation_count,
                           running ? dr_json_text(fixing->look->target, "configPath") : NULL);
}

static bool is_content(const struct fixing *fixing, const struct round *round, const struct dr_look *after)
{
    for (size_t i = 0; i < round->group_count; i++)
        if (was_applied(round, &round->groups[i]) && dr_fix_verdict(fixing->look, after, round->groups[i].finding))
            return false;
    return !dr_fix_has_new_error(fixing->look, after);
}

static int look_with_patience(struct fixing *fixing, const struct round *round, struct dr_look *ret_look)
{
    const struct dr_patience patience = patience_for(fixing, round);
    unsigned waited = patience.first;
    bool was_content = false;

    dr_patience_wait(patience.first);
    for (;;) {
        int r = look_again(fixing, ret_look);
        bool content = r >= 0 && is_content(fixing, round, ret_look);
        bool sure = content && (was_content || patience.steady == 0);
        unsigned next = content ? patience.steady : patience.again;

        /* When it comes late, it is not believed at once either. */
        if (r < 0 || sure || (!content && waited >= patience.most))
            return r;
        was_content = content;
        waited += next + (unsigned)ret_look->duration_ms;
        dr_look_release(ret_look);
        dr_patience_wait(next);
    }
}

/* What could not be looked at afterwards is not known to have helped: it is taken back. */
static int look_again_or_take_back(struct fixing *fixing, struct round *round, struct dr_look *ret_look)
{
    int r = look_with_patience(fixing, round, ret_look);

    if (r >= 0)
        return 0;
    for (size_t i = 0; i < round->group_count; i++)
        if (was_applied(round, &round->groups[i]) && dr_repair_roll_back(fixing->run, round->first_group + (unsigned)i,
                                                                         "could not look again", round->results, NULL) != 0)
            return dr_error_set(
                fixing->error, -EUCLEAN,
                "could not look again after the repair, nor take all of it back; the next start tries again");
    return r;
}

/* 1: something was done, another round may find more. 0: nothing left to do. */
static int one_round(struct fixing *fixing)
{
    _cleanup_round_ struct round round = { 0 };
    _cleanup_look_ struct dr_look after = { 0 };
    bool rolled_back = false;
    int r = round_begin(&round, fixing->look);

    round.first_group = fixing->next_group;
    if (r >= 0)
        r = choose(fixing, &round);
    fixing->next_group += (unsigned)round.group_count;
    if (r < 0 || round.group_count == 0)
        return r;
    if (!fixing->run)
        r = dr_repair_begin(&fixing->place.target, fixing->session->run_id, &fixing->run, &fixing->settled, fixing->error);
    if (r >= 0)
        r = dr_repair_apply(fixing->run, round.operations, round.groups_of, round.operation_count, round.results,
                            fixing->error);
    if (r >= 0)
        r = look_again_or_take_back(fixing, &round, &after);
    if (r >= 0)
        r = judge(fixing, &round, &after, &rolled_back);
    if (r >= 0 && rolled_back) {
        dr_look_release(&after);
        r = look_again(fixing, &after);
    }
    if (r < 0)
        return r;
    take_look(fixing, &after);
    return 1;
}

/* A run that was killed leaves a half-repaired home: it is settled before anything is judged. */
static int settle(struct fixing *fixing)
{
    _cleanup_free_ char *interrupted = NULL;
    _cleanup_look_ struct dr_look fresh = { 0 };
    int r = dr_repair_interrupted(&fixing->place.target, &interrupted);

    if (r <= 0)
        return r == -ENOENT ? 0 : r;
    r = dr_repair_begin(&fixing->place.target, fixing->session->run_id, &fixing->run, &fixing->settled, fixing->error);
    if (r < 0 || fixing->only_first)
        return r;
    r = look_again(fixing, &fresh);
    if (r >= 0)
        take_look(fixing, &fresh);
    return r;
}

static int all_rounds(struct fixing *fixing)
{
    int most = fixing->only_first ? 1 : MOST_ROUNDS;
    int r = settle(fixing);

    for (int i = 0; i < most && r >= 0; i++) {
        r = one_round(fixing);
        if (r <= 0)
            break;
    }
    /* Nothing was done at all: the report still wants a look of its own. */
    if (r >= 0 && !fixing->current.checks) {
        _cleanup_look_ struct dr_look fresh = { 0 };

        r = look_again(fixing, &fresh);
        if (r >= 0)
            take_look(fixing, &fresh);
    }
    if (fixing->run) {
        _cleanup_error_ struct dr_error why = { 0 };
        int ended = dr_repair_end(fixing->run, &why);

        fixing->run = NULL;
        /* What could not be taken back is told with its repair, and by the exit status. */
        if (r >= 0 && ended < 0 && ended != -EUCLEAN)
            r = dr_error_set(fixing->error, ended, "%s", dr_error_text(&why));
    }
    return r;
}

/* Root carries out a saved plan: could somebody else have written it? */
static int judge_plan_file(const struct dr_session *session, struct dr_repair_target *target)
{
    const char *path = session->options->operand;
    _cleanup_free_ char *absolute = path && path[0] != '/' ? dr_path_join(session->working_directory, path) : NULL;

    if (path && path[0] != '/' && !absolute)
        return -ENOMEM;
    target->plan_of_user = geteuid() == 0 && (!path || dr_path_in_roots_hands(absolute ? absolute : path, NULL) < 0);
    return 0;
}

int dr_fix_run(const struct dr_session *session, const struct dr_look *first, bool only_first, struct dr_look *ret_last,
               cJSON **ret_repairs, char **ret_settled, struct dr_error *error)
{
    struct fixing fixing = { .session = session, .look = first, .only_first = only_first, .error = error };
    int r = dr_fix_place(session, first, &fixing.place, error);

    fixing.repairs = cJSON_CreateArray();
    fixing.attempted = cJSON_CreateObject();
    if (r >= 0 && only_first)
        r = judge_plan_file(session, &fixing.place.target);
    if (r >= 0 && (!fixing.repairs || !fixing.attempted))
        r = dr_error_set(error, -ENOMEM, "out of memory");
    if (r >= 0)
        r = all_rounds(&fixing);
    dr_fix_place_release(&fixing.place);
    cJSON_Delete(fixing.attempted);
    if (r < 0) {
        cJSON_Delete(fixing.repairs);
        dr_look_release(&fixing.current);
        free(fixing.settled);
        return r;
    }
    *ret_last = fixing.current;
    *ret_repairs = fixing.repairs;
    *ret_settled = fixing.settled;
    return 0;
}
