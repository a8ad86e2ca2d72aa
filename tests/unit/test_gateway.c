/* Is a gateway at work? Lock files, POSIX locks and the port, each alive, dead and somebody else's. */
#include "api/gateway.h"

#include "base/cleanup.h"
#include "facts/context.h"
#include "facts/gateway_evidence.h"
#include "facts/proc.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct dr_arena arena = DR_ARENA(8 * 1024 * 1024);
static char *home, *state, *home_variable, *temp_variable, *port_variable;
static const char *environment[4];
static struct dr_request request;

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *pattern, ...)
{
    char *out = NULL;
    va_list arguments;

    va_start(arguments, pattern);
    ck_assert_int_ge(vasprintf(&out, pattern, arguments), 0);
    va_end(arguments);
    return out;
}

static void setup(void)
{
    home = strdup("/tmp/dr-gateway-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    state = format("%s/.openclaw", home);
    home_variable = format("HOME=%s", home);
    temp_variable = format("TMPDIR=%s/tmp", home);
    port_variable = format("OPENCLAW_GATEWAY_PORT=%u", 1U);
    environment[0] = home_variable;
    environment[1] = temp_variable;
    environment[2] = port_variable;
    request = (struct dr_request){
        .root_fd = AT_FDCWD,
        .environment = environment,
        .proc = "/proc",
        .uid = geteuid(),
        .gid = getegid(),
    };
    _cleanup_free_ char *config = format("%s/openclaw.json", state);

    ck_assert_int_eq(mkdir(state, 0700), 0);
    int fd = open(config, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_eq(write(fd, "{}", 2), 2);
    ck_assert_int_eq(close(fd), 0);
}

static void teardown(void)
{
    _cleanup_free_ char *command = format("rm -rf '%s'", home);

    ck_assert_int_eq(system(command), 0);
}

static const struct dr_gateway *ask(void)
{
    struct dr_context *context = dr_arena_alloc(&arena, sizeof(*context));

    context->arena = &arena;
    context->request = &request;
    return dr_gateway(context);
}

static uint64_t start_of(pid_t pid)
{
    struct dr_context context = { .arena = &arena, .request = &request };
    struct dr_process process;

    ck_assert_int_eq(dr_process_read(&context, pid, &process), 0);
    return process.start_ticks;
}

static char *folder_in(const char *base)
{
    char *folder = format("%s/openclaw-%u", base, geteuid());

    (void)mkdir(base, 0755);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    return folder;
}

static void write_lock(const char *folder, const char *name, long pid, uint64_t start, const char *config)
{
    _cleanup_free_ char *path = format("%s/", folder), *full = NULL;
    FILE *file;

    ck_assert_int_ge(asprintf(&full, "%s%s", path, name), 0);
    file = fopen(full, "we");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "{\"pid\":%ld,\"configPath\":\"%s\",\"startTime\":%llu,\"port\":4711}\n  \t\t  ", pid, config,
                  (unsigned long long)start);
    ck_assert_int_eq(fclose(file), 0);
}

static char *state_folder(void)
{
    _cleanup_free_ char *base = format("%s/tmp", state);

    return folder_in(base);
}

START_TEST(nothing_is_there)
{
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_ABSENT);
    ck_assert_ptr_null(gateway->stale_lock);
    ck_assert_uint_eq(gateway->port, 1);
}
END_TEST

START_TEST(a_live_lock_is_a_gateway)
{
    _cleanup_free_ char *folder = state_folder();

    write_lock(folder, "gateway.state.lock", getpid(), start_of(getpid()), "/else");
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_KNOWN);
    ck_assert_int_eq(gateway->pid, getpid());
    ck_assert_uint_eq(gateway->uid, geteuid());
    ck_assert_uint_eq(gateway->port, 4711);
    ck_assert_ptr_nonnull(strstr(gateway->how, "lives since the same moment"));
}
END_TEST

START_TEST(a_reused_pid_is_no_gateway)
{
    _cleanup_free_ char *folder = state_folder();

    write_lock(folder, "gateway.state.lock", getpid(), start_of(getpid()) + 1, "/else");
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_ABSENT);
    ck_assert_ptr_nonnull(strstr(gateway->stale_lock, "gateway.state.lock"));
}
END_TEST

START_TEST(a_dead_pid_is_no_gateway)
{
    _cleanup_free_ char *folder = state_folder();
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    write_lock(folder, "gateway.0011aabb.lock", pid, 5, "/else");
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_ABSENT);
    ck_assert_ptr_nonnull(gateway->stale_lock);
}
END_TEST

START_TEST(in_the_temp_folder_only_a_lock_of_this_configuration_counts)
{
    _cleanup_free_ char *temp = format("%s/tmp", home), *folder = folder_in(temp),
                        *config = format("%s/openclaw.json", state);

    write_lock(folder, "gateway.00000000.lock", getpid(), start_of(getpid()), "/another/openclaw.json");
    ck_assert_int_eq(ask()->fact.state, DR_ABSENT);
    write_lock(folder, "gateway.11111111.lock", getpid(), start_of(getpid()), config);
    ck_assert_int_eq(ask()->fact.state, DR_KNOWN);
}
END_TEST

START_TEST(junk_is_not_believed)
{
    _cleanup_free_ char *folder = state_folder(), *path = format("%s/gateway.state.lock", folder),
                        *pipe = format("%s/gateway.1.lock", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_eq(write(fd, "{\"pid\":\"x\"}", 11), 11);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_int_eq(ask()->fact.state, DR_ABSENT);
}
END_TEST

START_TEST(another_machines_lock_cannot_be_judged)
{
    _cleanup_free_ char *folder = state_folder();

    request.root = home;
    request.root_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    request.state_dir = "/.openclaw";
    ck_assert_int_eq(ask()->fact.state, DR_ABSENT);
    write_lock(folder, "gateway.state.lock", getpid(), start_of(getpid()), "/else");
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(gateway->fact.reason, "its own machine"));
    ck_assert_int_eq(close(request.root_fd), 0);
}
END_TEST

/* A child that does something until it is killed. */
static pid_t child_that(void (*does)(void))
{
    int ready[2];
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        does();
        (void)!write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    return pid;
}

static void end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void hold_lock(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512 };
    _cleanup_free_ char *path = format("%s/tmp/openclaw-%u/gateway.state.lock.sqlite", state, geteuid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0)
        _exit(1);
}

START_TEST(a_held_posix_lock_is_a_gateway)
{
    free(state_folder());
    pid_t pid = child_that(hold_lock);
    const struct dr_gateway *gateway = ask();

    ck_assert_int_eq(gateway->fact.state, DR_KNOWN);
    ck_assert_int_eq(gateway->pid, pid);
    end(pid);
    ck_assert_int_eq(ask()->fact.state, DR_ABSENT);
}
END_TEST

static unsigned listening_port;
static int listening = -1;

static unsigned listen_somewhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);

    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static void be_openclaw(void)
{
    (void)prctl(PR_SET_NAME, "openclaw-gateway");
}

START_TEST(who_listens_on_the_port_must_be_openclaw_and_serve_this_home)
{
    struct dr_context context = { .arena = &arena, .request = &request };
    struct dr_target target = { .state_dir = state, .uid = geteuid() };
    struct dr_gateway_evidence evidence;

    listening_port = listen_somewhere();
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, DR_ABSENT); /* we do not look like OpenClaw */
    pid_t pid = child_that(be_openclaw);

    ck_assert_int_eq(close(listening), 0);
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, DR_ABSENT); /* HOME of this test is another one */
    target.state_dir = getenv("HOME");
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, DR_KNOWN);
    ck_assert_int_eq(evidence.pid, pid);
    request.proc = "/proc/."; /* the way by the tables says the same */
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, DR_KNOWN);
    request.proc = "/proc";
    target.uid = geteuid() + 77;
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, geteuid() == 0 ? DR_KNOWN : DR_ABSENT);
    end(pid);
    dr_gateway_from_port(&context, &target, listening_port, &evidence);
    ck_assert_int_eq(evidence.state, DR_ABSENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gateway");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, nothing_is_there);
    tcase_add_test(all, a_live_lock_is_a_gateway);
    tcase_add_test(all, a_reused_pid_is_no_gateway);
    tcase_add_test(all, a_dead_pid_is_no_gateway);
    tcase_add_test(all, in_the_temp_folder_only_a_lock_of_this_configuration_counts);
    tcase_add_test(all, junk_is_not_believed);
    tcase_add_test(all, another_machines_lock_cannot_be_judged);
    tcase_add_test(all, a_held_posix_lock_is_a_gateway);
    tcase_add_test(all, who_listens_on_the_port_must_be_openclaw_and_serve_this_home);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
