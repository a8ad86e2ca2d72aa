#include "facts/proc.h"

#include "base/cleanup.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct dr_arena arena = DR_ARENA(8 * 1024 * 1024);
static const struct dr_request request = { .proc = "/proc" };
static struct dr_context context = { .arena = &arena, .request = &request };

START_TEST(this_process_is_seen)
{
    struct dr_process process;

    ck_assert_int_eq(dr_process_read(&context, getpid(), &process), 0);
    ck_assert_int_eq(process.pid, getpid());
    ck_assert_uint_eq(process.uid, geteuid());
    ck_assert_uint_gt(process.start_ticks, 0);
    ck_assert(strncmp(process.title, "test_proc", 9) == 0);
}
END_TEST

START_TEST(variables_are_those_of_the_start)
{
    const char *value;
    pid_t child = fork();

    if (child == 0) {
        char *const variables[] = { (char[]){ "OTHER=1" }, (char[]){ "TOKEN=abc=def" }, (char[]){ "EMPTY=" }, NULL };

        (void)execle("/bin/sleep", "sleep", "20", (char *)NULL, variables);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    int r = -ENOENT;

    for (int i = 0; i < 1000 && r == -ENOENT; i++) {
        (void)usleep(1000);
        r = dr_process_variable(&context, child, "EMPTY", &value);
    }
    ck_assert_int_eq(r, 0);
    ck_assert_str_eq(value, "");
    ck_assert_int_eq(dr_process_variable(&context, child, "TOKEN", &value), 0);
    ck_assert_str_eq(value, "abc=def");
    ck_assert_int_eq(dr_process_variable(&context, child, "TOKE", &value), -ENOENT);
    ck_assert_int_eq(dr_process_link(&context, child, "exe", &value), 0);
    ck_assert_ptr_nonnull(strstr(value, "/"));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    struct dr_process process;

    ck_assert_int_eq(dr_process_read(&context, child, &process), -ESRCH);
}
END_TEST

/* As in the worker: kept before Landlock, asked for behind it. Here the program is simply gone when it is asked for. */
START_TEST(what_is_kept_can_be_asked_for_later)
{
    struct dr_request later = request;
    struct dr_context keeping = { .arena = &arena, .request = &later };
    char program[] = "/tmp/dr-proc-XXXXXX";
    char path[64], command[256];
    int held = socket(AF_UNIX, SOCK_STREAM, 0);
    struct stat st;
    const char *value = NULL;

    later.uid = geteuid() ? geteuid() : 1001;
    ck_assert_ptr_nonnull(mkdtemp(program));
    (void)snprintf(path, sizeof(path), "%s/openclaw", program);
    (void)snprintf(command, sizeof(command), "cp /bin/sleep %s && chmod 755 %s %s", path, program, path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(fstat(held, &st), 0);
    pid_t child = fork();

    if (child == 0) {
        char *const variables[] = { (char[]){ "TOKEN=kept" }, NULL };

        if (geteuid() == 0 && setresuid(1001, 1001, 1001) < 0)
            _exit(126);
        (void)execle(path, "openclaw", "20", (char *)NULL, variables);
        _exit(127);
    }
    for (int i = 0; i < 200 && !value; i++) {
        (void)usleep(10000);
        keeping.processes = NULL;
        dr_processes_keep(&keeping);
        if (dr_process_variable(&keeping, child, "TOKEN", &value) < 0)
            value = NULL;
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)snprintf(command, sizeof(command), "rm -r %s", program);
    ck_assert_int_eq(system(command), 0);
    value = NULL;
    ck_assert_int_eq(dr_process_variable(&keeping, child, "TOKEN", &value), 0);
    ck_assert_str_eq(value, "kept");
    ck_assert_int_eq(dr_process_of_socket(&keeping, (unsigned long)st.st_ino), child);
    ck_assert_int_eq(dr_process_of_socket(&keeping, 1), 0);
    (void)close(held);
}
END_TEST

static pid_t sleeper(const char *title)
{
    pid_t child = fork();

    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, title);
        for (;;)
            (void)pause();
    }
    return child;
}

/* A web server's workers, started before the gateway, do not take its place. */
START_TEST(many_workers_leave_room)
{
    enum { WORKERS = 40 };
    struct dr_context keeping = { .arena = &arena, .request = &request };
    pid_t children[WORKERS + 1];
    struct dr_process process = { .title = "" };
    const char *value = NULL;

    for (int i = 0; i <= WORKERS; i++)
        children[i] = sleeper(i < WORKERS ? "apache2" : "openclaw-gatewa");
    for (int i = 0; i < 200 && strcmp(process.title, "openclaw-gatewa") != 0; i++) {
        (void)usleep(10000);
        ck_assert_int_eq(dr_process_read(&keeping, children[WORKERS], &process), 0);
    }
    dr_processes_keep(&keeping);
    for (int i = 0; i <= WORKERS; i++) {
        (void)kill(children[i], SIGKILL);
        (void)waitpid(children[i], NULL, 0);
    }
    ck_assert_int_eq(dr_process_variable(&keeping, children[WORKERS], "PATH", &value), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proc");
    TCase *tests = tcase_create("proc");

    tcase_add_test(tests, this_process_is_seen);
    tcase_add_test(tests, variables_are_those_of_the_start);
    tcase_add_test(tests, what_is_kept_can_be_asked_for_later);
    tcase_add_test(tests, many_workers_leave_room);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
