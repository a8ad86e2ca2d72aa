#include "facts/units.h"

#include "api/install.h"
#include "api/target.h"
#include "base/cleanup.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scratch folder is the root: paths inside are as on a real machine. */
static char root[] = "/tmp/dr-units-XXXXXX";
static struct dr_arena arena;
static struct dr_request request;
static struct dr_target target;
static struct dr_context context;

static void put(const char *path, const char *text)
{
    char command[1024];

    (void)snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s%s')\"", root, path);
    ck_assert_int_eq(system(command), 0);
    (void)snprintf(command, sizeof(command), "%s%s", root, path);
    FILE *stream = fopen(command, "w");

    ck_assert_ptr_nonnull(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
}

static void begin(void)
{
    static const char *const environment[] = { NULL };

    (void)memcpy(root + strlen(root) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(root));
    arena = (struct dr_arena)DR_ARENA(16 * 1024 * 1024);
    request = (struct dr_request){ .root = root, .environment = environment, .proc = "/proc" };
    request.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    target =
        (struct dr_target){ .fact.state = DR_KNOWN, .home = "/home/oc", .state_dir = "/home/oc/.openclaw", .user = "oc" };
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target };
}

static void end(void)
{
    char command[128];

    (void)close(request.root_fd);
    dr_arena_release(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

#define USER_UNIT "/home/oc/.config/systemd/user/openclaw-gateway.service"

static const struct dr_service *only_service(void)
{
    const struct dr_services *services = dr_services(&context);

    ck_assert_int_eq(services->fact.state, DR_KNOWN);
    ck_assert_uint_eq(services->count, 1);
    return &services->list[0];
}

static const char *value(const struct dr_service *service, const char *name)
{
    const struct dr_service_variable *variable = dr_service_get(service, name);

    return variable ? variable->value : NULL;
}

/* As `openclaw gateway install` of 2026.2.19 writes it (captures, svc-systemd-unit). */
START_TEST(the_unit_of_the_installer_is_read)
{
    put(USER_UNIT, "[Unit]\nDescription=OpenClaw Gateway (v2026.2.19)\n\n[Service]\n"
                   "ExecStart=\"/opt/node/bin/node\" \"/opt/oc/node_modules/openclaw/dist/index.js\" gateway --port 28702\n"
                   "Environment=\"HOME=/home/oc\"\n"
                   "Environment=OPENCLAW_GATEWAY_TOKEN=tok-AAAA-0123456789abcdef\n"
                   "Environment=OPENCLAW_SERVICE_VERSION=2026.2.19\n");

    const struct dr_service *service = only_service();
    const struct dr_service_variable *token = dr_service_get(service, "OPENCLAW_GATEWAY_TOKEN");

    ck_assert(service->ours && service->user_manager);
    ck_assert_str_eq(service->command[0], "/opt/node/bin/node");
    ck_assert_str_eq(service->command[2], "gateway");
    ck_assert_str_eq(token->value, "tok-AAAA-0123456789abcdef");
    ck_assert_uint_eq(token->line, 7);
    ck_assert_uint_eq(token->value_length, strlen(token->value));
    ck_assert_int_eq(memcmp(token->file->bytes + token->value_offset, token->value, token->value_length), 0);
    ck_assert_str_eq(dr_service_restart(&context, service),
                     "systemctl --user daemon-reload && systemctl --user restart openclaw-gateway.service");
}
END_TEST

START_TEST(drop_ins_come_later_and_in_order)
{
    put(USER_UNIT, "[Service]\nExecStart=/bin/x\nEnvironment=A=unit B=unit C=unit\n");
    put(USER_UNIT ".d/20-b.conf", "[Service]\nEnvironment=B=twenty\nEnvironment=A=twenty\n");
    put(USER_UNIT ".d/10-a.conf", "[Service]\nEnvironment=A=ten\n");
    put(USER_UNIT ".d/ignored.txt", "[Service]\nEnvironment=A=no\n");
    put("/etc/systemd/user/openclaw-gateway.service.d/30-etc.conf", "[Service]\nEnvironment=C=etc\n");

    const struct dr_service *service = only_service();

    ck_assert_str_eq(value(service, "A"), "twenty");
    ck_assert_str_eq(value(service, "B"), "twenty");
    ck_assert_str_eq(value(service, "C"), "etc");
}
END_TEST

START_TEST(an_empty_assignment_forgets)
{
    put(USER_UNIT, "[Service]\nEnvironment=A=unit\n");
    put(USER_UNIT ".d/10.conf", "[Service]\nEnvironment=\n");
    ck_assert_ptr_null(value(only_service(), "A"));
}
END_TEST

START_TEST(environment_files_win_over_the_unit)
{
    put(USER_UNIT, "[Service]\nEnvironmentFile=-%h/.config/oc.env\nEnvironmentFile=-%h/missing\nEnvironment=A=unit\n");
    put("/home/oc/.config/oc.env", "A=\"file\"\nB=2\n");

    const struct dr_service *service = only_service();
    const struct dr_service_variable *variable = dr_service_get(service, "A");

    ck_assert_str_eq(variable->value, "file");
    ck_assert(variable->from_file);
    ck_assert_str_eq(variable->file->path, "/home/oc/.config/oc.env");
    ck_assert_ptr_null(service->not_read[0]);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
    put(USER_UNIT, "[Service]\nEnvironmentFile=%h/missing\nEnvironmentFile=/etc/%i.env\n");

    const struct dr_service *service = only_service();

    ck_assert_ptr_nonnull(service->not_read[0]);
    ck_assert_ptr_nonnull(service->not_read[1]);
    ck_assert_ptr_null(service->not_read[2]);
}
END_TEST

START_TEST(services_of_other_states_are_not_ours)
{
    put(USER_UNIT, "[Service]\nEnvironment=OPENCLAW_STATE_DIR=/srv/other\n");
    put("/home/oc/.config/systemd/user/openclaw-gateway-work.service",
        "[Service]\nExecStart=/usr/bin/openclaw --profile work gateway\n");
    put("/etc/systemd/system/openclaw.service", "[Service]\nUser=oc\nExecStart=/usr/bin/openclaw gateway\n");
    put("/etc/systemd/system/openclaw-gateway.service", "[Service]\nExecStart=/usr/bin/openclaw gateway\n");

    const struct dr_services *services = dr_services(&context);

    ck_assert_uint_eq(services->count, 4);
    for (size_t i = 0; i < services->count; i++)
        ck_assert_msg(services->list[i].ours ==
                          (strcmp(services->list[i].path, "/etc/systemd/system/openclaw.service") == 0),
                      "%s", services->list[i].path);
}
END_TEST

START_TEST(a_profile_has_its_own_service)
{
    target.profile = "work";
    target.state_dir = "/home/oc/.openclaw-work";
    put("/home/oc/.config/systemd/user/openclaw-gateway-work.service", "[Service]\nEnvironment=OPENCLAW_PROFILE=work\n");
    ck_assert(only_service()->ours);
}
END_TEST

START_TEST(the_service_shows_the_install)
{
    put("/opt/oc/node_modules/openclaw/package.json", "{\"name\":\"openclaw\",\"version\":\"2026.4.25\"}");
    put("/opt/oc/node_modules/openclaw/dist/index.js", "");
    put("/opt/n/node_modules/node/package.json", "{\"name\":\"node\",\"version\":\"22.23.1\"}");
    put("/opt/n/node_modules/node/bin/node", "");
    put(USER_UNIT,
        "[Service]\nExecStart=/opt/n/node_modules/node/bin/node /opt/oc/node_modules/openclaw/dist/index.js gateway\n");

    const struct dr_installs *installs = dr_installs(&context);

    ck_assert_uint_eq(installs->count, 1);
    ck_assert_str_eq(installs->list[0].found_by, "unit openclaw-gateway.service");
    ck_assert_str_eq(installs->list[0].node_version, "22.23.1");
    ck_assert(installs->release_certain);
    ck_assert_int_eq(installs->release.month, 4);
}
END_TEST

START_TEST(the_service_version_is_better_than_a_guess)
{
    put(USER_UNIT, "[Service]\nEnvironment=OPENCLAW_SERVICE_VERSION=2026.2.21\n");

    const struct dr_installs *installs = dr_installs(&context);

    ck_assert(installs->release_known && !installs->release_certain);
    ck_assert_int_eq(installs->release.patch, 21);
}
END_TEST

START_TEST(no_unit_is_an_answer)
{
    ck_assert_int_eq(dr_services(&context)->fact.state, DR_ABSENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("units");
    TCase *tests = tcase_create("units");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, the_unit_of_the_installer_is_read);
    tcase_add_test(tests, drop_ins_come_later_and_in_order);
    tcase_add_test(tests, an_empty_assignment_forgets);
    tcase_add_test(tests, environment_files_win_over_the_unit);
    tcase_add_test(tests, what_cannot_be_read_is_said);
    tcase_add_test(tests, services_of_other_states_are_not_ours);
    tcase_add_test(tests, a_profile_has_its_own_service);
    tcase_add_test(tests, the_service_shows_the_install);
    tcase_add_test(tests, the_service_version_is_better_than_a_guess);
    tcase_add_test(tests, no_unit_is_an_answer);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
