/* facts/compose.h: what of a compose file matters here. */
#include "facts/compose.h"

#define HOME_MEGABYTES 16
#include "home_folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dr_request request;
static struct dr_context context;

static void set_up(void)
{
    make_home();
    request = (struct dr_request){ .root_fd = AT_FDCWD, .proc = "/proc" };
    context = (struct dr_context){ .arena = &arena, .request = &request };
}

static const struct {
    const char *text, *dotenv, *ports, *bind;
} files[] = {
    { "services:\n  gw:\n    ports:\n      - \"18789:18789\"\n      - 127.0.0.1:9000:80/tcp # web\n    command: "
      "[\"gateway\", \"--bind\", \"lan\"]\n",
      "", ":18789>18789 127.0.0.1:9000>80", "lan" },
    { "services:\n  gw:\n    ports:\n    - '${OPENCLAW_GATEWAY_PORT:-18789}:18789'\n    environment:\n      - 1:2\n    "
      "command:\n      - --bind\n"
      "      - ${OPENCLAW_GATEWAY_BIND:-lan}\n",
      "OPENCLAW_GATEWAY_PORT=9000\n", ":9000>18789", "lan" },
    { "services:\n  gw:\n    ports:\n      - target: 18789\n        published: \"8080\"\n        host_ip: 127.0.0.1\n      "
      "- target: 80\n    restart: always\n",
      "", "127.0.0.1:8080>18789 :0>80", NULL },
    { "services:\n  gw:\n    # ports:\n    #   - 1:1\n    # command: --bind lan\n    command: node gateway --bind=loopback "
      "--port 1\n",
      "", "", "loopback" },
    { "services:\r\n  gw:\r\n    ports:\r\n      - \"[::1]:18789:18789\"\r\n", "", "::1:18789>18789", NULL },
    { "services:\n  gw:\n    ports:\n      - 18789\n", "", ":0>18789", NULL },
    { "services:\n  gw:\n    ports:\n      - 18789/udp\n      - 127.0.0.1::18789\n", "", "127.0.0.1:0>18789", NULL },
    { "services:\n  gw:\n    network_mode: host\n    ports: [\"1:1\"]\n", "", "", NULL },
    { "ports:", "", "", NULL },
    { "    ports:\n      -", "", "", NULL },
    { "\tports:\n\t\t- 1:1\n--bind", "", "", NULL },
    { "", "", "", NULL },
};

START_TEST(ports_and_bind_are_read)
{
    const struct dr_compose_place place = { .folder = home, .path = in_home("compose.yml"), .dotenv = in_home(".env") };
    struct dr_compose compose;
    const char *ports = "";

    write_file("compose.yml", files[_i].text);
    write_file(".env", files[_i].dotenv);
    ck_assert_int_eq(dr_compose_read(&context, &place, &compose), 0);
    for (size_t i = 0; i < compose.port_count; i++)
        ports = dr_arena_format(&arena, "%s%s%s:%u>%u", ports, i ? " " : "", compose.ports[i].host,
                                compose.ports[i].published, compose.ports[i].target);
    ck_assert_str_eq(ports, files[_i].ports);
    ck_assert_pstr_eq(compose.bind.text, files[_i].bind);
}
END_TEST

START_TEST(many_ports_are_bounded)
{
    const struct dr_compose_place place = { .folder = home, .path = in_home("compose.yml"), .dotenv = in_home(".env") };
    struct dr_compose compose;
    char text[4096] = "services:\n gw:\n  ports:\n";

    for (size_t i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "  - 1:%zu\n", i + 1);
    write_file("compose.yml", text);
    ck_assert_int_eq(dr_compose_read(&context, &place, &compose), 0);
    ck_assert_uint_eq(compose.port_count, DR_MOST_COMPOSE_PORTS);
    ck_assert_uint_eq(compose.ports[1].source.line, 5);
    ck_assert_int_lt(
        dr_compose_read(&context, &(struct dr_compose_place){ .path = in_home("none"), .dotenv = "" }, &compose), 0);
}
END_TEST

START_TEST(one_gateway_among_others)
{
    static const char text[] = "services:\n"
                               "  web:\n    image: nginx\n    ports: [\"18789:18789\"]\n"
                               "  db:\n    image: postgres\n    ports: [\"5432:5432\"]\n"
                               "  cli:\n    image: ghcr.io/openclaw/openclaw\n    entrypoint: [node, dist/index.js]\n"
                               "    network_mode: \"service:gw\"\n    ports: [\"1:1\"]\n"
                               "  gw:\n    image: ghcr.io/openclaw/openclaw:latest\n"
                               "    command: [node, dist/index.js, gateway, --bind, \"${WHO}\", --port, \"19000\"]\n"
                               "    ports: [\"18000-18010:19000-19010\"]\n    env_file: gw.env\n"
                               "    environment:\n      - OPENCLAW_GATEWAY_TOKEN=abcdefgh\n"
                               "    networks: [inner]\n"
                               "networks:\n  inner:\n    ipam:\n      config:\n        - subnet: 172.31.5.0/24\n"
                               "  outer:\n    ipam:\n      config: [{subnet: 172.31.6.0/24}]\n";
    const struct dr_compose_place place = { .folder = home, .path = in_home("compose.yml"), .dotenv = in_home(".env") };
    struct dr_compose compose;

    write_file("compose.yml", text);
    write_file("gw.env", "OPENCLAW_GATEWAY_BIND=lan\n");
    ck_assert_int_eq(dr_compose_read(&context, &place, &compose), 0);
    ck_assert_str_eq(compose.service, "gw");
    ck_assert_uint_eq(compose.port_count, 1);
    ck_assert_uint_eq(compose.ports[0].target_last, 19010);
    ck_assert_str_eq(compose.port.text, "19000");
    ck_assert_str_eq(compose.bind.unknown, "${WHO}");
    ck_assert_str_eq(compose.bind_variable.text, "lan");
    ck_assert_str_eq(compose.bind_variable.source.path, in_home("gw.env"));
    ck_assert_uint_eq(compose.secret_count, 1);
    ck_assert_uint_eq(compose.secrets[0].source.line, 19);
    ck_assert_uint_eq(compose.subnet_count, 1);
    ck_assert_str_eq(compose.subnets[0].text, "172.31.5.0/24");
    (void)unlink(in_home("gw.env"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compose");
    TCase *cases = tcase_create("compose");

    tcase_add_checked_fixture(cases, set_up, remove_home);
    tcase_add_loop_test(cases, ports_and_bind_are_read, 0, (int)DR_COUNT(files));
    tcase_add_test(cases, many_ports_are_bounded);
    tcase_add_test(cases, one_gateway_among_others);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
