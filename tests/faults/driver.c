/*
 * The executor alone, for the fault tests: what the doctor does with a plan, without the look before and after it.
 *
 * driver STATE apply PLAN   begin, apply the operations of PLAN (JSON array, each with "group"), end
 * driver STATE settle       begin and end: settles what a killed run left
 * driver STATE undo [force] undoes the newest run
 *
 * In the environment, for root on another user's home: DR_FAULTS_UID the owner, DR_FAULTS_CUSTODY the folder of root's records,
 * DR_FAULTS_ALLOWED one more folder in which operations may write.
 *
 * Exit status: what dr_repair_apply answers (0..3), 9 when it could not be done at all.
 */
#include "base/file.h"
#include "repair/repair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OPERATIONS = 64, CANNOT = 9 };

static int fail(const struct dr_error *error)
{
    (void)fprintf(stderr, "%s\n", dr_error_text(error));
    return CANNOT;
}

static int load(const char *path, struct dr_arena *arena, struct dr_operation *operations, unsigned *groups, size_t *count,
                struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);
    const cJSON *item;
    int r = dr_read_file(AT_FDCWD, path, &text, NULL);
    _cleanup_json_ cJSON *plan = r < 0 ? NULL : cJSON_Parse(dr_buffer_text(&text));

    cJSON_ArrayForEach (item, plan) {
        if (*count == MOST_OPERATIONS)
            return dr_error_set(error, -E2BIG, "the plan is too long");
        r = dr_operation_from_json(item, arena, &operations[*count], error);
        if (r < 0)
            return r;
        groups[(*count)++] = (unsigned)dr_json_number(item, "group", 0);
    }
    return r < 0 || !plan ? dr_error_set(error, -EINVAL, "%s is no plan", path) : 0;
}

static int settle(const struct dr_repair_target *target, struct dr_error *error)
{
    struct dr_repair_run *run;
    _cleanup_free_ char *settled = NULL;

    if (dr_repair_begin(target, NULL, &run, &settled, error) < 0)
        return fail(error);
    if (settled)
        (void)fprintf(stderr, "%s\n", settled);
    return dr_repair_end(run, error) < 0 ? fail(error) : 0;
}

static int apply(const struct dr_repair_target *target, const char *plan, struct dr_error *error)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1 << 22);
    struct dr_operation operations[MOST_OPERATIONS];
    struct dr_repair_result results[MOST_OPERATIONS];
    unsigned groups[MOST_OPERATIONS];
    struct dr_repair_run *run;
    size_t count = 0;

    if (load(plan, &arena, operations, groups, &count, error) < 0 || dr_repair_begin(target, NULL, &run, NULL, error) < 0)
        return fail(error);
    int r = dr_repair_apply(run, operations, groups, count, results, error);

    if (r < 0)
        (void)fail(error);
    for (size_t i = 0; r >= 0 && i < count; i++)
        (void)fprintf(stderr, "%s: %s\n", dr_repair_status_name(results[i].status),
                      results[i].reason ? results[i].reason : "well");
    if (dr_repair_end(run, error) < 0)
        (void)fail(error);
    return r < 0 ? CANNOT : r;
}

static int undo(const struct dr_repair_target *target, bool force, struct dr_error *error)
{
    _cleanup_json_ cJSON *report = NULL;
    int r = dr_repair_undo(target, NULL, force, &report, error);
    _cleanup_free_ char *text = report ? cJSON_PrintUnformatted(report) : NULL;

    if (text)
        (void)fprintf(stderr, "%s\n", text);
    return r < 0 ? fail(error) : 0;
}

static void take_environment(struct dr_repair_target *target)
{
    static const char *allowed[2];
    const char *uid = getenv("DR_FAULTS_UID");

    if (uid)
        target->uid = target->gid = (uint32_t)strtoul(uid, NULL, 10);
    target->custody_dir = getenv("DR_FAULTS_CUSTODY");
    allowed[0] = getenv("DR_FAULTS_ALLOWED");
    if (allowed[0])
        target->allowed = allowed;
}

int main(int argc, char **argv)
{
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_repair_target target = { .root_fd = AT_FDCWD, .uid = geteuid(), .gid = getegid(), .tool_version = "faults" };

    if (argc < 3)
        return 64;
    target.state_dir = argv[1];
    take_environment(&target);
    if (strcmp(argv[2], "apply") == 0 && argc == 4)
        return apply(&target, argv[3], &error);
    if (strcmp(argv[2], "settle") == 0)
        return settle(&target, &error);
    if (strcmp(argv[2], "undo") == 0)
        return undo(&target, argc > 3, &error);
    return 64;
}
