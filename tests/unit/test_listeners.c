/* Who listens and who is connected: by netlink and by the tables, on addresses of both families, with the process behind it. */
#include "api/listeners.h"

#include "base/cleanup.h"
#include "facts/context.h"
#include "facts/socket_owner.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct dr_arena arena = DR_ARENA(16 * 1024 * 1024);
static const char *const environment[] = { "HOME=/nowhere", NULL };
static struct dr_request request;

static void setup(void)
{
    request = (struct dr_request){
        .root_fd = AT_FDCWD, .environment = environment, .proc = "/proc", .uid = geteuid(), .gid = getegid()
    };
}

static struct dr_context *fresh(void)
{
    struct dr_context *context = dr_arena_alloc(&arena, sizeof(*context));

    context->arena = &arena;
    context->request = &request;
    return context;
}

static int listen_on(int family, const char *address, unsigned *port, bool v6_only)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)*port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port) };
    struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t length = family == AF_INET ? sizeof(four) : sizeof(six);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), only = v6_only;

    ck_assert_int_eq(inet_pton(family, address, family == AF_INET ? (void *)&four.sin_addr : (void *)&six.sin6_addr), 1);
    if (family == AF_INET6)
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
    ck_assert_int_eq(bind(fd, any, length), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, any, &length), 0);
    *port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return fd;
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static struct dr_address address(const char *text)
{
    struct dr_address parsed;

    ck_assert(dr_address_parse(text, &parsed));
    return parsed;
}

static const struct dr_listener *at(const struct dr_listeners *listeners, const char *text)
{
    struct dr_address number = address(text);

    return dr_listener_at(listeners, &number);
}

START_TEST(listeners_stand_in_one_order)
{
    static const char *const procs[] = { "/proc", "/proc/." }, *const asked[] = { "127.0.0.3", "127.0.0.1", "127.0.0.4",
                                                                                  "127.0.0.2" };
    unsigned port = 0;
    int fds[DR_COUNT(asked)];

    for (size_t i = 0; i < DR_COUNT(asked); i++)
        fds[i] = listen_on(AF_INET, asked[i], &port, false);
    for (size_t i = 0; i < DR_COUNT(procs); i++) {
        request.proc = procs[i];
        const struct dr_listeners *listeners = dr_listeners(fresh(), port);

        ck_assert_uint_eq(listeners->count, DR_COUNT(asked));
        for (size_t j = 0; j < listeners->count; j++)
            ck_assert_int_eq(listeners->list[j].number.bytes[3], (int)j + 1);
    }
    request.proc = "/proc";
    for (size_t i = 0; i < DR_COUNT(asked); i++)
        (void)close(fds[i]);
}
END_TEST

START_TEST(a_listener_is_told_with_its_process)
{
    static const char *const procs[] = { "/proc", "/proc/." };
    unsigned port = 0;
    int fd = listen_on(AF_INET, "127.0.0.1", &port, false), client = connect_to(port);

    for (size_t i = 0; i < DR_COUNT(procs); i++) {
        request.proc = procs[i];
        const struct dr_listeners *listeners = dr_listeners(fresh(), port);

        ck_assert_int_eq(listeners->fact.state, DR_KNOWN);
        ck_assert_uint_eq(listeners->count, 1);
        ck_assert_str_eq(listeners->list[0].address, "127.0.0.1");
        ck_assert_int_eq(listeners->list[0].pid, getpid());
        ck_assert_uint_eq(listeners->list[0].uid, geteuid());
        ck_assert_ptr_nonnull(strstr(listeners->list[0].command_line, "test_listeners"));
        ck_assert(!listeners->list[0].is_openclaw && !listeners->list[0].ours && listeners->list[0].ours_known);
        ck_assert(!listeners->list[0].any);
        ck_assert_uint_eq(listeners->list[0].waiting, i == 0 ? 1 : 0); /* the tables do not tell */
        ck_assert_ptr_nonnull(at(listeners, "127.0.0.1"));
        ck_assert_ptr_null(at(listeners, "127.0.0.2"));
        ck_assert_ptr_null(at(listeners, "::1"));
    }
    (void)close(client);
    (void)close(fd);
    request.proc = "/proc";
    const struct dr_listeners *none = dr_listeners(fresh(), port);

    ck_assert_int_eq(none->fact.state, DR_KNOWN);
    ck_assert_uint_eq(none->count, 0);
}
END_TEST

START_TEST(both_families_and_exact_addresses)
{
    unsigned port = 0;
    int all = listen_on(AF_INET6, "::", &port, true), four = listen_on(AF_INET, "0.0.0.0", &port, false);
    const struct dr_listeners *listeners = dr_listeners(fresh(), port);

    ck_assert_uint_eq(listeners->count, 2);
    ck_assert_str_eq(at(listeners, "::1")->address, "::");
    ck_assert(at(listeners, "::1")->any && at(listeners, "::1")->v6_only);
    ck_assert_str_eq(at(listeners, "10.1.2.3")->address, "0.0.0.0");
    (void)close(four);
    ck_assert_ptr_null(at(dr_listeners(fresh(), port), "10.1.2.3"));
    (void)close(all);
    all = listen_on(AF_INET6, "::", &port, false);
    ck_assert_str_eq(at(dr_listeners(fresh(), port), "10.1.2.3")->address, "::");
    (void)close(all);
}
END_TEST

START_TEST(peers_are_told_once_each)
{
    unsigned port = 0;
    int fd = listen_on(AF_INET, "127.0.0.1", &port, false), first = connect_to(port), second = connect_to(port);
    const struct dr_peers *peers = dr_peers(fresh(), port);
    char text[DR_ADDRESS_TEXT];

    ck_assert_int_eq(peers->fact.state, DR_KNOWN);
    ck_assert_uint_eq(peers->count, 1);
    ck_assert_str_eq(dr_address_text(&peers->list[0], text), "127.0.0.1");
    ck_assert_uint_eq(peers->connections[0], 2);
    (void)close(first);
    (void)close(second);
    (void)close(fd);
}
END_TEST

START_TEST(the_parent_answers_for_the_sandbox)
{
    unsigned port = 0;
    int fd = listen_on(AF_INET, "127.0.0.1", &port, false), line[2];
    struct dr_context *context = fresh();

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), 0);
    ck_assert_int_eq(dr_socket_owner_answer(line[0], "/proc"), -EAGAIN);
    pid_t pid = fork();

    if (pid == 0) {
        struct dr_parent parent = { .fd = line[1] };

        context->parent = &parent;
        _exit(dr_listeners(context, port)->list[0].pid == getppid() ? 0 : 1);
    }
    int r, status;

    while ((r = dr_socket_owner_answer(line[0], "/proc")) == -EAGAIN)
        (void)usleep(1000);
    ck_assert_int_eq(r, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1); /* the child holds the socket too: either is right */
    ck_assert_int_eq(send(line[1], "x", 1, 0), 1);
    ck_assert_int_lt(dr_socket_owner_answer(line[0], "/proc"), 0);
    (void)close(line[0]);
    (void)close(line[1]);
    (void)close(fd);
}
END_TEST

START_TEST(a_known_process_is_asked_alone)
{
    unsigned port = 0;
    int fd = listen_on(AF_INET, "127.0.0.1", &port, false);
    struct dr_context *context = fresh();
    struct stat st;

    ck_assert_int_eq(fstat(fd, &st), 0);
    unsigned long inode = (unsigned long)st.st_ino;

    ck_assert(dr_socket_is_held_by(context, inode, getpid()));
    ck_assert(!dr_socket_is_held_by(context, inode, 1));
    ck_assert(!dr_socket_is_held_by(context, 0, getpid()));
    ck_assert_int_eq(dr_socket_owner_scan("/proc", inode, getpid()), getpid());
    ck_assert_int_ne(dr_socket_owner_scan("/proc", inode, 1), 0); /* a wrong guess costs time only */
    ck_assert_int_eq(dr_socket_owner_scan("/proc", 1, getpid()), 0);
    (void)close(fd);
}
END_TEST

START_TEST(another_system_cannot_be_seen)
{
    request.root = "/srv/disk";
    ck_assert_int_eq(dr_listeners(fresh(), 1)->fact.state, DR_UNKNOWN);
    ck_assert_int_eq(dr_peers(fresh(), 1)->fact.state, DR_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listeners");
    TCase *all = tcase_create("all");

    tcase_add_test(all, listeners_stand_in_one_order);
    tcase_add_checked_fixture(all, setup, NULL);
    tcase_add_test(all, a_listener_is_told_with_its_process);
    tcase_add_test(all, both_families_and_exact_addresses);
    tcase_add_test(all, peers_are_told_once_each);
    tcase_add_test(all, the_parent_answers_for_the_sandbox);
    tcase_add_test(all, a_known_process_is_asked_alone);
    tcase_add_test(all, another_system_cannot_be_seen);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
