/* Did a repair help? Every combination of: finding, its own check, its "could not tell", and what other checks say. */
#include "cli/fix_verdict.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MINE "mine" /* the check of the repaired finding, which is "f" at /home/a */
#define ITS_OWN                             \
    {                                       \
        MINE, "f", "error", "/home/a", NULL \
    }

struct said_finding {
    const char *check, *fingerprint, *severity, *path, *cause;
};

struct said_unknown {
    const char *check, *path, *reason;
};

/* What a look says. Statuses: of the check `mine` and of the check `other`. */
struct said {
    const char *mine, *other;
    struct said_finding findings[6];
    struct said_unknown unknowns[4];
};

struct situation {
    const char *name;
    struct said before, after;
    const char *verdict; /* a word of it; NULL: it helped */
};

#define STILL "still there"
#define BLIND "could not tell"
#define WORSE "something else worse"

static const struct situation situations[] = {
    /* --- the finding, and its check's own word --- */
    { "gone", { "finding", "pass", { ITS_OWN }, { { 0 } } }, { "pass", "pass", { { 0 } }, { { 0 } } }, NULL },
    { "kept", { "finding", "pass", { ITS_OWN }, { { 0 } } }, { "finding", "pass", { ITS_OWN }, { { 0 } } }, STILL },
    { "kept, and an old unknown is gone",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      STILL },
    { "gone, another of the same check stays",
      { "finding", "pass", { ITS_OWN, { MINE, "g", "error", "/home/g", NULL } }, { { 0 } } },
      { "finding", "pass", { { MINE, "g", "error", "/home/g", NULL } }, { { 0 } } },
      NULL },
    { "its check crashes", { "finding", "pass", { ITS_OWN }, { { 0 } } }, { "error", "pass", { { 0 } }, { { 0 } } }, BLIND },
    { "its check hangs", { "finding", "pass", { ITS_OWN }, { { 0 } } }, { "timeout", "pass", { { 0 } }, { { 0 } } }, BLIND },
    { "its check does not apply any more",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "not_applicable", "pass", { { 0 } }, { { 0 } } },
      BLIND },
    { "the rest of its check did not apply before either",
      { "not_applicable", "pass", { ITS_OWN }, { { 0 } } },
      { "not_applicable", "pass", { { 0 } }, { { 0 } } },
      NULL },
    { "the rest of its check did not apply, and now it crashes",
      { "not_applicable", "pass", { ITS_OWN }, { { 0 } } },
      { "error", "pass", { { 0 } }, { { 0 } } },
      BLIND },
    { "its check says nothing at all",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { NULL, "pass", { { 0 } }, { { 0 } } },
      BLIND },
    { "unknown, without a word of what",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "unknown", "pass", { { 0 } }, { { 0 } } },
      BLIND },

    /* --- its check's unknowns: old, new, moved, more --- */
    { "only the old unknown is left",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/b", "too large" } } },
      NULL },
    { "only old unknowns are left, without a path",
      { "finding", "pass", { ITS_OWN }, { { MINE, NULL, "no answer" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, NULL, "no answer" } } },
      NULL },
    { "the old unknown, its numbers differ",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "line 9: odd" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/b", "line 12: odd" } } },
      NULL },
    { "a new unknown at the repaired file",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/a", "cannot be read" } } },
      BLIND },
    { "a new unknown beside the old one",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/b", "too large" }, { MINE, "/home/c", "too large" } } },
      BLIND },
    { "the old unknown twice",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "line 9: odd" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/b", "line 9: odd" }, { MINE, "/home/b", "line 10: odd" } } },
      BLIND },
    { "another reason at the same file",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/b", "not JSON" } } },
      BLIND },
    { "a new unknown hidden by another finding",
      { "finding", "pass", { ITS_OWN, { MINE, "g", "error", "/home/g", NULL } }, { { 0 } } },
      { "finding", "pass", { { MINE, "g", "error", "/home/g", NULL } }, { { MINE, "/home/a", "not JSON" } } },
      BLIND },
    { "the same words of another check are not its own",
      { "finding", "unknown", { ITS_OWN }, { { "other", "/home/a", "cannot be read" } } },
      { "unknown",
        "unknown",
        { { 0 } },
        { { "other", "/home/a", "cannot be read" }, { MINE, "/home/a", "cannot be read" } } },
      BLIND },
    { "a folder was opened, what is in it is closed",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/a", "cannot be looked into" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/a/in", "cannot be looked into" } } },
      NULL },
    { "a folder beside it is closed now",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/a", "cannot be looked into" } } },
      { "unknown", "pass", { { 0 } }, { { MINE, "/home/ab", "cannot be looked into" } } },
      BLIND },

    /* --- other checks --- */
    { "another check's old unknown stays",
      { "finding", "unknown", { ITS_OWN }, { { "other", "/home/a", "cannot be read" } } },
      { "pass", "unknown", { { 0 } }, { { "other", "/home/a", "cannot be read" } } },
      NULL },
    { "another check cannot read the repaired file any more",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "pass", "unknown", { { 0 } }, { { "other", "/home/a", "not JSON" } } },
      WORSE },
    { "another check cannot tell about something else",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "pass", "unknown", { { 0 } }, { { "other", "/home/b", "no answer" } } },
      NULL },
    { "another check could not read the repaired file before either, and says it differently",
      { "finding", "unknown", { ITS_OWN }, { { "other", "/home/a", "cannot be read" } } },
      { "pass", "unknown", { { 0 } }, { { "other", "/home/a", "not JSON" } } },
      NULL },
    { "another check had nothing to do with it before",
      { "finding", "not_applicable", { ITS_OWN }, { { 0 } } },
      { "pass", "unknown", { { 0 } }, { { "other", "/home/a", "not JSON" } } },
      NULL },
    { "a new error for an old one",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      WORSE },
    { "a new error, and two old ones gone",
      { "finding", "finding", { ITS_OWN, { "other", "o", "error", "/home/o", NULL } }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      NULL },
    { "a new error, and the second old one only hidden",
      { "finding", "finding", { ITS_OWN, { "third", "o", "error", "/home/o", NULL } }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { "third", "/home/o", "no answer" } } },
      WORSE },
    { "a new warning",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "warning", "/home/b", NULL } }, { { 0 } } },
      NULL },
    { "a warning that is an error now",
      { "finding", "finding", { ITS_OWN, { "other", "n", "warning", "/home/b", NULL } }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      WORSE },
    { "an error that follows from another is that one's",
      { "finding", "pass", { ITS_OWN }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", "x" } }, { { 0 } } },
      NULL },
    { "what followed from it stays, on its own now",
      { "finding", "finding", { ITS_OWN, { "other", "n", "error", "/home/b", "f" } }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      NULL },
    { "an error where nobody could look before",
      { "finding", "unknown", { ITS_OWN }, { { "other", "/home/a", "cannot be read" } } },
      { "pass", "finding", { { "other", "n", "error", "/home/a", NULL } }, { { 0 } } },
      NULL },
    { "an error in a folder that was opened",
      { "finding",
        "finding",
        { ITS_OWN, { "other", "w", "warning", "/etc", NULL } },
        { { "other", "/home/a", "cannot be read" } } },
      { "pass",
        "finding",
        { { "other", "w", "warning", "/etc", NULL }, { "other", "n", "error", "/home/a/in", NULL } },
        { { 0 } } },
      NULL },
    { "an error of a check that was not asked before",
      { "finding", "skipped", { ITS_OWN }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      NULL },
    { "an error of a check that had nothing to do before",
      { "finding", "not_applicable", { ITS_OWN }, { { 0 } } },
      { "pass", "finding", { { "other", "n", "error", "/home/b", NULL } }, { { 0 } } },
      WORSE },
    { "an old unknown of its own does not excuse another's new error",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "unknown", "finding", { { "other", "n", "error", "/home/c", NULL } }, { { MINE, "/home/b", "too large" } } },
      WORSE },
    { "an old unknown of its own does not excuse that another check went blind",
      { "finding", "pass", { ITS_OWN }, { { MINE, "/home/b", "too large" } } },
      { "unknown", "unknown", { { 0 } }, { { MINE, "/home/b", "too large" }, { "other", "/home/a", "not JSON" } } },
      WORSE },
};

static void put(cJSON *object, const char *name, const char *text)
{
    ck_assert(!text || cJSON_AddStringToObject(object, name, text));
}

static cJSON *add(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    ck_assert(object && cJSON_AddItemToArray(array, object));
    return object;
}

static void add_check(cJSON *checks, const char *id, const char *status)
{
    cJSON *check = status ? add(checks) : NULL;

    if (check) {
        put(check, "id", id);
        put(check, "status", status);
    }
}

static struct dr_look look_of(const struct said *said)
{
    struct dr_look look = { .checks = cJSON_CreateArray(),
                            .findings = cJSON_CreateArray(),
                            .unknowns = cJSON_CreateArray(),
                            .operations = cJSON_CreateArray() };

    add_check(look.checks, MINE, said->mine);
    add_check(look.checks, "other", said->other);
    add_check(look.checks, "third", "finding");
    for (const struct said_finding *one = said->findings; one->check; one++) {
        cJSON *finding = add(look.findings);

        put(finding, "check", one->check);
        put(finding, "fingerprint", one->fingerprint);
        put(finding, "severity", one->severity);
        put(finding, "path", one->path);
        put(finding, "causedBy", one->cause);
    }
    for (const struct said_unknown *one = said->unknowns; one->check; one++) {
        cJSON *unknown = add(look.unknowns);

        put(unknown, "check", one->check);
        put(unknown, "path", one->path);
        put(unknown, "reason", one->reason);
    }
    cJSON *operation = add(look.operations);

    put(operation, "finding", "f");
    put(operation, "path", "/home/a");
    return look;
}

START_TEST(test_situation)
{
    const struct situation *situation = &situations[_i];
    _cleanup_look_ struct dr_look before = look_of(&situation->before), after = look_of(&situation->after);
    const char *verdict = dr_fix_verdict(&before, &after, cJSON_GetArrayItem(before.findings, 0));

    ck_assert_msg(situation->verdict ? verdict && strstr(verdict, situation->verdict) : !verdict, "%s: %s", situation->name,
                  verdict ? verdict : "it helped");
}

/* Whatever else a look says: a repair whose finding stands is never kept, and one never helps whose check is silent. */
START_TEST(test_never_kept)
{
    static const char *const statuses[] = { "pass",    "finding",        "unknown", "error",
                                            "timeout", "not_applicable", "skipped", NULL };

    for (size_t mine = 0; mine < DR_COUNT(statuses); mine++)
        for (size_t other = 0; other < DR_COUNT(statuses); other++)
            for (unsigned bits = 0; bits < 16; bits++) {
                struct said was = { "finding", "pass", { ITS_OWN }, { { 0 } } },
                            is = { statuses[mine], statuses[other], { { 0 } }, { { 0 } } };
                size_t findings = 0, unknowns = 0;

                if (bits & 1)
                    is.findings[findings++] = (struct said_finding)ITS_OWN;
                if (bits & 2)
                    is.findings[findings++] = (struct said_finding){ "other", "n", "error", "/home/b", NULL };
                if (bits & 4)
                    is.unknowns[unknowns++] = (struct said_unknown){ MINE, "/home/b", "odd" };
                if (bits & 8)
                    is.unknowns[unknowns++] = (struct said_unknown){ "other", "/home/a", "odd" };
                _cleanup_look_ struct dr_look before = look_of(&was), after = look_of(&is);
                const char *verdict = dr_fix_verdict(&before, &after, cJSON_GetArrayItem(before.findings, 0));
                bool answered =
                    statuses[mine] && (strcmp(statuses[mine], "pass") == 0 || strcmp(statuses[mine], "finding") == 0);

                /* Nothing was unknown before: each unknown of its own, and the other's at the repaired file, is new. */
                ck_assert_int_eq(verdict == NULL, answered && bits == 0);
            }
}

int main(void)
{
    Suite *suite = suite_create("fix verdict");
    TCase *all = tcase_create("situations");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(all, test_situation, 0, (int)DR_COUNT(situations));
    tcase_add_test(all, test_never_kept);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
