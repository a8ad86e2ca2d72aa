/*
 * The worker and its parent: a check that crashes, hangs, eats memory or tries to write costs its own line and nothing else.
 *
 * The tables of the registry are this test's own: checks that misbehave on purpose.
 */
#include "api/fixer.h"
#include "api/listeners.h"
#include "api/registry.h"
#include "api/target.h"
#include "engine/engine.h"

#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *const tags[] = { "test", NULL };

enum { WRONG, FOLLOWS };

static const struct dr_cause causes[] = { { .code = "test-finds/wrong", .relation = DR_BELOW_SUBJECT }, { .code = NULL } };

static const struct dr_problem problems[] = {
    [WRONG] = { .code = "wrong",
                .severity = DR_ERROR,
                .confidence = DR_CERTAIN,
                .safety = DR_SAFE,
                .message = "{path} says {what}",
                .advice = "mend {path}",
                .fixer = "test-fix" },
    [FOLLOWS] = { .code = "follows",
                  .severity = DR_WARNING,
                  .confidence = DR_LIKELY,
                  .message = "follows",
                  .follows = causes },
};

static int run_crash(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)context, (void)state, (void)findings;
    (void)raise(SIGSEGV);
    return 0;
}

static int run_hang(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)context, (void)state, (void)findings;
    while (pause() < 0)
        ;
    return 0;
}

static int run_greedy(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)state, (void)findings;
    for (volatile bool more = true; more;)
        memset(dr_alloc(context, 1 << 20), 1, 1 << 20);
    return 0;
}

static int run_fine(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)context, (void)state, (void)findings;
    return 0;
}

static int run_cannot(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)context, (void)state, (void)findings;
    return -EACCES;
}

static int run_does_not_apply(struct dr_context *context, void *state, struct dr_findings *findings)
{
    (void)context, (void)state;
    return dr_not_applicable(findings, "not on a %s", "Tuesday");
}

static int run_finds(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_source below = { .path = "/tmp/a/b" };
    const struct dr_source above = { .path = "/tmp/a" };
    struct dr_finding *finding;

    (void)context, (void)state;
    (void)dr_report(findings, &problems[FOLLOWS], &below);
    finding = dr_report(findings, &problems[WRONG], &above);
    dr_finding_text(finding, "what", "line\nbreak");
    dr_finding_secret(finding, "token", "a-secret-of-some-length");
    dr_finding_text(finding, "leak", "has a-secret-of-some-length in it");
    return 0;
}

/* Each way to change the world; every one that works is a defect. */
static int run_writes(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const char *state_dir = dr_target(context)->state_dir;
    const char *file = dr_format(context, "%s/file", state_dir);
    const char *other = dr_format(context, "%s/other", state_dir);
    unsigned worked = 0;
    int fd;

    (void)state;
    fd = open(file, O_WRONLY);
    worked |= fd >= 0 && write(fd, "x", 1) == 1 ? 1u : 0;
    worked |= open(other, O_CREAT | O_WRONLY, 0600) >= 0 ? 2u : 0;
    worked |= chmod(file, 0777) == 0 ? 4u : 0;
    worked |= chown(file, 12345, 12345) == 0 ? 8u : 0;
    worked |= rename(file, other) == 0 ? 16u : 0;
    worked |= unlink(file) == 0 ? 32u : 0;
    worked |= truncate(file, 0) == 0 ? 64u : 0;
    worked |= mkdir(other, 0700) == 0 ? 128u : 0;
    worked |= utimensat(AT_FDCWD, file, NULL, 0) == 0 ? 256u : 0;
    worked |= open(file, O_RDONLY | O_TRUNC) >= 0 ? 512u : 0;
    worked |= fork() >= 0 ? 1024u : 0;
    if (worked)
        dr_finding_number(dr_report(findings, &problems[WRONG], NULL), "what", worked);
    return 0;
}

static void *in_thread(void *result)
{
    struct dr_context *context = ((void **)result)[0];
    const char *file = dr_format(context, "%s/file", dr_target(context)->state_dir);

    ((void **)result)[1] = chmod(file, 0777) == 0 || open(file, O_WRONLY) >= 0 || fork() >= 0 ? result : NULL;
    return result;
}

/* libcurl resolves names in a thread. It can be started, and is held as its process is. */
static int run_threads(struct dr_context *context, void *state, struct dr_findings *findings)
{
    void *shared[2] = { context, shared };
    pthread_t thread;

    (void)state;
    if (pthread_create(&thread, NULL, in_thread, shared) != 0)
        dr_finding_text(dr_report(findings, &problems[WRONG], NULL), "what", "no thread");
    else if (pthread_join(thread, NULL) != 0 || shared[1])
        dr_finding_text(dr_report(findings, &problems[WRONG], NULL), "what", "a thread that may write");
    return 0;
}

static unsigned listening_port;

/* Who listens is found although other processes cannot be looked into: the parent tells. */
static int run_listens(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_listeners *listeners = dr_listeners(context, listening_port);

    (void)state;
    if (listeners->fact.state != DR_KNOWN || listeners->count != 1 || listeners->list[0].pid != getppid())
        dr_finding_text(dr_report(findings, &problems[WRONG], NULL), "what", "not found");
    return 0;
}

#define TEST_CHECK(name, text)                                                                                           \
    static const struct dr_check check_##name = {                                                                        \
        .id = text, .title = "title of " text, .tags = tags, .problems = problems, .problem_count = 2, .run = run_##name \
    }

TEST_CHECK(cannot, "test-cannot");
TEST_CHECK(crash, "test-crash");
TEST_CHECK(does_not_apply, "test-does-not-apply");
TEST_CHECK(finds, "test-finds");
TEST_CHECK(fine, "test-fine");
TEST_CHECK(greedy, "test-greedy");
TEST_CHECK(hang, "test-hang");
TEST_CHECK(listens, "test-listens");
TEST_CHECK(threads, "test-threads");
TEST_CHECK(writes, "test-writes");

static int plan_crashes(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    (void)context, (void)finding, (void)plan;
    abort();
}

static const struct dr_fixer fixer = { .id = "test-fix", .title = "Mends", .plan = plan_crashes };

const struct dr_check *const dr_check_table[] = { &check_cannot,  &check_crash,  &check_does_not_apply,
                                                  &check_finds,   &check_fine,   &check_greedy,
                                                  &check_hang,    &check_writes, &check_threads,
                                                  &check_listens, NULL };
const struct dr_fixer *const dr_fixer_table[] = { &fixer, NULL };
const struct dr_text dr_text_table[] = { { NULL, NULL } };

static char *home;
static char *state_variable;

static void make_home(void)
{
    char template[] = "/tmp/dr-worker-XXXXXX";
    char *file = NULL;

    home = strdup(mkdtemp(template));
    ck_assert_int_gt(asprintf(&state_variable, "OPENCLAW_STATE_DIR=%s", home), 0);
    ck_assert_int_gt(asprintf(&file, "%s/file", home), 0);

    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "contents", 8), 8);
    (void)close(fd);
    free(file);
}

static void drop_home(void)
{
    char *file = NULL;

    ck_assert_int_gt(asprintf(&file, "%s/file", home), 0);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(home), 0);
    free(file);
    free(home);
    free(state_variable);
}

static void look(const char *const *only, bool want_plan, struct dr_look *ret_look)
{
    const char *const environment[] = { "HOME=/nonexistent", state_variable, NULL };
    const struct dr_request request = {
        .root_fd = AT_FDCWD, .environment = environment, .proc = "/proc", .uid = geteuid(), .gid = getegid(), .now_ms = 1
    };
    const struct dr_look_options options = {
        .selection = { .only = only }, .want_plan = want_plan, .check_timeout_ms = 3000, .total_timeout_ms = 40000
    };
    struct dr_error error = { 0 };

    ck_assert_msg(dr_look_run(&request, &options, ret_look, &error) == 0, "%s", dr_error_text(&error));
}

static const cJSON *line_of(const struct dr_look *found, const char *id)
{
    const cJSON *line;

    cJSON_ArrayForEach (line, found->checks)
        if (strcmp(dr_json_text(line, "id"), id) == 0)
            return line;
    ck_abort_msg("no line for %s", id);
}

static void assert_status(const struct dr_look *found, const char *id, const char *status, const char *reason)
{
    const cJSON *line = line_of(found, id);

    ck_assert_str_eq(dr_json_text(line, "status"), status);
    if (reason)
        ck_assert_ptr_nonnull(strstr(dr_json_text(line, "reason"), reason));
}

START_TEST(each_failure_costs_its_own_check_only)
{
    _cleanup_look_ struct dr_look found = { 0 };

    look(NULL, false, &found);
#ifdef DR_SANITIZED /* the sanitizer catches the signal and exits */
    assert_status(&found, "test-crash", "error", "before it was done");
#else
    assert_status(&found, "test-crash", "error", "invalid memory access");
#endif
    assert_status(&found, "test-greedy", "error", "memory");
    assert_status(&found, "test-hang", "timeout", "too long");
    assert_status(&found, "test-cannot", "unknown", "permission denied");
    assert_status(&found, "test-does-not-apply", "not_applicable", "Tuesday");
    assert_status(&found, "test-finds", "finding", NULL);
    assert_status(&found, "test-fine", "pass", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(found.checks), 10);
}
END_TEST

START_TEST(the_worker_cannot_change_anything)
{
    static const char *const only[] = { "test-writes", NULL };
    _cleanup_look_ struct dr_look found = { 0 };

    look(only, false, &found);
    assert_status(&found, "test-writes", "pass", NULL);
    assert_status(&found, "test-fine", "skipped", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(found.findings), 0);
}
END_TEST

START_TEST(a_thread_can_be_started_and_is_held_too)
{
    static const char *const only[] = { "test-threads", NULL };
    _cleanup_look_ struct dr_look found = { 0 };

    look(only, false, &found);
    assert_status(&found, "test-threads", "pass", NULL);
}
END_TEST

START_TEST(the_parent_tells_who_holds_a_socket)
{
    static const char *const only[] = { "test-listens", NULL };
    _cleanup_look_ struct dr_look found = { 0 };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    listening_port = ntohs(address.sin_port);
    look(only, false, &found);
    assert_status(&found, "test-listens", "pass", NULL);
    (void)close(fd);
}
END_TEST

START_TEST(consequences_follow_their_cause_and_secrets_stay)
{
    static const char *const only[] = { "test-finds", NULL };
    _cleanup_look_ struct dr_look found = { 0 };

    look(only, false, &found);

    const cJSON *first = cJSON_GetArrayItem(found.findings, 0);
    const cJSON *second = cJSON_GetArrayItem(found.findings, 1);
    char *text = cJSON_PrintUnformatted(found.findings);

    ck_assert_str_eq(dr_json_text(first, "checkId"), "test-finds/wrong");
    ck_assert_str_eq(dr_json_text(first, "message"), "/tmp/a says line\\nbreak");
    ck_assert_str_eq(dr_json_text(second, "causedBy"), dr_json_text(first, "fingerprint"));
    ck_assert_ptr_null(strstr(text, "a-secret-of-some-length"));
    ck_assert_ptr_nonnull(strstr(text, "has <fp:"));
    free(text);
}
END_TEST

START_TEST(a_fixer_that_crashes_makes_the_finding_manual)
{
    static const char *const only[] = { "test-finds", NULL };
    _cleanup_look_ struct dr_look found = { 0 };

    look(only, true, &found);

    const cJSON *fix = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(found.findings, 0), "fix");

    ck_assert_str_eq(dr_json_text(fix, "applicability"), "manual");
    ck_assert_ptr_nonnull(strstr(dr_json_text(fix, "refused"), "stopped working"));
    ck_assert_int_eq(cJSON_GetArraySize(found.operations), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *cases = tcase_create("worker");

    tcase_add_checked_fixture(cases, make_home, drop_home);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, each_failure_costs_its_own_check_only);
    tcase_add_test(cases, the_worker_cannot_change_anything);
    tcase_add_test(cases, a_thread_can_be_started_and_is_held_too);
    tcase_add_test(cases, the_parent_tells_who_holds_a_socket);
    tcase_add_test(cases, consequences_follow_their_cause_and_secrets_stay);
    tcase_add_test(cases, a_fixer_that_crashes_makes_the_finding_manual);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
