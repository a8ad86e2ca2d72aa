/* The networks of a host, from tables as the kernel writes them. */
#include "api/network.h"

#include "base/cleanup.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct dr_arena arena = DR_ARENA(8 * 1024 * 1024);
static char home[64];
static const char *environment[2];
static struct dr_request request;

static void write_file(const char *name, const char *text)
{
    _cleanup_free_ char *path = NULL;

    ck_assert_int_ge(asprintf(&path, "%s/%s", home, name), 0);
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    static char variable[96], folder[96];

    (void)snprintf(home, sizeof(home), "/tmp/dr-network-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    (void)snprintf(folder, sizeof(folder), "%s/net", home);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    (void)snprintf(variable, sizeof(variable), "HOME=%s", home);
    environment[0] = variable;
    request = (struct dr_request){
        .root_fd = AT_FDCWD, .environment = environment, .proc = home, .uid = geteuid(), .gid = getegid()
    };
}

static void teardown(void)
{
    _cleanup_free_ char *command = NULL;

    ck_assert_int_ge(asprintf(&command, "rm -rf '%s'", home), 0);
    ck_assert_int_eq(system(command), 0);
}

static const struct dr_network *ask(void)
{
    struct dr_context *context = dr_arena_alloc(&arena, sizeof(*context));

    context->arena = &arena;
    context->request = &request;
    return dr_network(context);
}

static const char head[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

static void expect_network(const struct dr_network *network, size_t index, const char *interface, const char *base,
                           unsigned bits)
{
    char text[DR_ADDRESS_TEXT];

    ck_assert_uint_lt(index, network->count);
    ck_assert_str_eq(network->list[index].interface, interface);
    ck_assert_str_eq(dr_address_text(&network->list[index].subnet.base, text), base);
    ck_assert_uint_eq(network->list[index].subnet.bits, bits);
}

START_TEST(routes_without_a_gateway_are_networks)
{
    _cleanup_free_ char *text = NULL;

    ck_assert_int_ge(asprintf(&text, "%s%s", head,
                              "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                              "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                              "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                              "br-0123456789ab\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                              "down0\t0000000A\t00000000\t0000\t0\t0\t0\t000000FF\t0\t0\t0\n"
                              "nonsense\n"),
                     0);
    write_file("net/route", text);
    write_file("net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n"
                               "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
                               "fd000000000000000000000000000002 04 40 00 82     eth0\n");
    const struct dr_network *network = ask();

    ck_assert_int_eq(network->fact.state, DR_KNOWN);
    ck_assert_uint_eq(network->count, 4);
    expect_network(network, 0, "eth0", "192.168.1.0", 24);
    expect_network(network, 1, "docker0", "172.17.0.0", 16);
    expect_network(network, 2, "br-0123456789ab", "172.18.0.0", 16);
    expect_network(network, 3, "eth0", "fd00::2", 64);
    ck_assert(network->list[1].containers && network->list[2].containers);
}
END_TEST

START_TEST(without_ipv6_the_rest_is_known)
{
    write_file("net/route", head);
    const struct dr_network *network = ask();

    ck_assert_int_eq(network->fact.state, DR_KNOWN);
    ck_assert_uint_eq(network->count, 0);
}
END_TEST

START_TEST(another_system_cannot_be_seen)
{
    request.root = "/srv/other";
    write_file("net/route", head);
    const struct dr_network *network = ask();

    ck_assert_int_eq(network->fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(network->fact.reason, "--root"));
}
END_TEST

START_TEST(garbage_is_no_network)
{
    write_file("net/route", "\n\n\xff\xfe eth0\neth0\tZZ\t00\t0001\neth0 1\n");
    write_file("net/if_inet6", "0001\n\n00000000000000000000000000000001\nxyz 1 2 3 4 5\n");
    ck_assert_uint_eq(ask()->count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, routes_without_a_gateway_are_networks);
    tcase_add_test(all, without_ipv6_the_rest_is_known);
    tcase_add_test(all, another_system_cannot_be_seen);
    tcase_add_test(all, garbage_is_no_network);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
