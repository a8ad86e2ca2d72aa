/* What a service leads to and whether it runs, as systemd's own files tell it. */
#include "api/services.h"

#include "api/target.h"
#include "base/cleanup.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/dr-services-XXXXXX";
static struct dr_arena arena;
static struct dr_request request;
static struct dr_target target;
static struct dr_context context;

static void sh(const char *command)
{
    ck_assert_int_eq(setenv("ROOT", root, 1), 0);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void put(const char *path, const char *text)
{
    char full[512];

    ck_assert_int_eq(setenv("TO", path, 1), 0);
    sh("mkdir -p \"$(dirname \"$ROOT$TO\")\"");
    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    FILE *stream = fopen(full, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

/* A new look at the same files. */
static void forget(void)
{
    dr_arena_release(&arena);
    arena = (struct dr_arena)DR_ARENA(16 * 1024 * 1024);
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target };
}

#define UNIT "/home/oc/.config/systemd/user/openclaw-gateway.service"

static void begin(void)
{
    static const char *const environment[] = { NULL };

    (void)memcpy(root + strlen(root) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(root));
    request = (struct dr_request){ .root = root, .environment = environment, .proc = "/proc" };
    request.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    target = (struct dr_target){ .fact.state = DR_KNOWN,
                                 .home = "/home/oc",
                                 .state_dir = "/home/oc/.openclaw",
                                 .user = "oc",
                                 .uid = 1001,
                                 .running_uid = 1001 };
    forget();
    put(UNIT, "[Unit]\nDescription=OpenClaw Gateway (v2026.2.19, profile x)\n[Service]\nRestart=always\n"
              "ExecStart=/opt/node --max-old-space-size=512 /opt/openclaw/dist/index.js gateway --port=19001\n"
              "[Install]\nWantedBy=default.target\nRequiredBy=other.target\n");
    put("/opt/node", "");
    put("/opt/openclaw/package.json", "{ \"name\": \"openclaw\", \"version\": \"2026.9.6\" }");
    put("/opt/openclaw/dist/index.js", "");
}

static void end(void)
{
    (void)close(request.root_fd);
    dr_arena_release(&arena);
    sh("rm -rf \"$ROOT\"");
}

static const struct dr_service *only(void)
{
    forget();
    ck_assert_uint_eq(dr_services(&context)->count, 1);
    return &dr_services(&context)->list[0];
}

START_TEST(a_unit_says_what_it_is)
{
    const struct dr_service *service = only();

    ck_assert(service->gateway && service->ours && service->restarts && !service->masked && !service->command_in_drop_in);
    ck_assert_str_eq(service->version, "2026.2.19");
    ck_assert_uint_eq(service->port, 19001);
    ck_assert_str_eq(service->wanted_by[0], "default.target.wants");
    ck_assert_str_eq(service->wanted_by[1], "other.target.requires");
    ck_assert_ptr_null(service->wanted_by[2]);
    ck_assert_str_eq(service->command_source.path, UNIT);
    ck_assert_uint_eq(service->command_source.line, 5);
    ck_assert_ptr_nonnull(service->text_sha256);

    put(UNIT ".d/a.conf", "[Service]\nExecStart=\nExecStart=/opt/node /opt/openclaw/dist/index.js gateway --port x\n"
                          "Environment=CLAWDBOT_GATEWAY_PORT=65536 OPENCLAW_GATEWAY_PORT=19002\nRestart=no\n");
    service = only();
    ck_assert(service->command_in_drop_in && !service->restarts);
    ck_assert_uint_eq(service->port, 19002);
    ck_assert_str_eq(service->port_source.path, UNIT ".d/a.conf");
}
END_TEST

START_TEST(what_is_unset_is_not_set)
{
    put(UNIT ".d/a.conf", "[Service]\nEnvironment=A=1 B=2 C=3 AB=4\nEnvironmentFile=/env\n");
    put(UNIT ".d/b.conf", "[Service]\nUnsetEnvironment=A B=other C=3 F\n");
    put("/env", "F=5\n");
    const struct dr_service *service = only();

    ck_assert_ptr_null(dr_service_get(service, "A"));
    ck_assert_str_eq(dr_service_get(service, "B")->value, "2");
    ck_assert_ptr_null(dr_service_get(service, "C"));
    ck_assert_str_eq(dr_service_get(service, "AB")->value, "4");
    ck_assert_ptr_null(dr_service_get(service, "F"));
    /* An empty assignment forgets what came before. */
    put(UNIT ".d/c.conf", "[Service]\nUnsetEnvironment=\n");
    ck_assert_ptr_nonnull(dr_service_get(only(), "A"));
}
END_TEST

START_TEST(the_command_leads_somewhere)
{
    struct dr_service_state state = dr_service_state(&context, only());

    ck_assert_int_eq(state.program.state, DR_KNOWN);
    ck_assert_int_eq(state.entry.state, DR_KNOWN);
    ck_assert_str_eq(state.entry.source.path, "/opt/openclaw/dist/index.js");
    ck_assert_str_eq(state.package_version, "2026.9.6");
    ck_assert_str_eq(state.drop_in_folder, UNIT ".d");
    ck_assert(!state.drop_in_folder_there && state.drop_in_parent_there);

    sh("rm \"$ROOT/opt/openclaw/dist/index.js\"; ln -s nowhere \"$ROOT/opt/openclaw/dist/index.js\"; rm \"$ROOT/opt/node\"");
    state = dr_service_state(&context, only());
    ck_assert_int_eq(state.program.state, DR_ABSENT);
    ck_assert_int_eq(state.entry.state, DR_ABSENT);

    /* A relative file, or one behind an option that takes a value: not looked for. */
    put(UNIT ".d/a.conf", "[Service]\nExecStart=\nExecStart=/opt/node -r /x /opt/y gateway\n");
    ck_assert_int_eq(dr_service_state(&context, only()).entry.state, DR_NOT_LOOKED);
}
END_TEST

START_TEST(what_node_loads_first)
{
    static const struct {
        const char *options;
        enum dr_fact_state state;
    } cases[] = {
        { "", DR_NOT_LOOKED },
        { "--require /gone.js", DR_ABSENT },
        { "--require=/gone.js", DR_ABSENT },
        { "-r /gone.js", DR_ABSENT },
        { "--import /gone.js --inspect", DR_ABSENT },
        { "--require /opt/node", DR_NOT_LOOKED },
        { "--require /opt/node -r /gone.js", DR_ABSENT },
        { "--require module-name", DR_NOT_LOOKED },
        { "--max-old-space-size=/gone.js", DR_NOT_LOOKED },
    };

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        char text[200];

        (void)snprintf(text, sizeof(text), "[Service]\nEnvironment=\"NODE_OPTIONS=%s\"\n", cases[i].options);
        put(UNIT ".d/a.conf", text);
        ck_assert_msg(dr_service_state(&context, only()).preload.state == cases[i].state, "%s", cases[i].options);
    }
}
END_TEST

START_TEST(who_wants_it)
{
    ck_assert_int_eq(dr_service_state(&context, only()).enabled.state, DR_ABSENT);
    sh("mkdir -p \"$ROOT/etc/systemd/user/other.target.requires\" && ln -s x "
       "\"$ROOT/etc/systemd/user/other.target.requires/openclaw-gateway.service\"");
    ck_assert_int_eq(dr_service_state(&context, only()).enabled.state, DR_KNOWN);
    put(UNIT, "[Service]\nExecStart=/opt/node gateway\n");
    ck_assert_int_eq(dr_service_state(&context, only()).enabled.state, DR_NOT_LOOKED);
    sh("rm \"$ROOT" UNIT "\" && ln -s /dev/null \"$ROOT" UNIT "\"");
    ck_assert(only()->masked);
}
END_TEST

START_TEST(whether_it_runs)
{
    ck_assert_int_eq(dr_service_state(&context, only()).running.state, DR_UNKNOWN);
    put("/run/systemd/system/x", "");
    ck_assert_int_eq(dr_service_state(&context, only()).running.state, DR_UNKNOWN); /* the user's own does not run */
    put("/run/user/1001/systemd/private", "");
    ck_assert_int_eq(dr_service_state(&context, only()).running.state, DR_UNKNOWN); /* no folder of units */
    put("/run/user/1001/systemd/units/invocation:dbus.socket", "");
    ck_assert_int_eq(dr_service_state(&context, only()).running.state, DR_ABSENT);
    sh("ln -s 0123456789abcdef \"$ROOT/run/user/1001/systemd/units/invocation:openclaw-gateway.service\"");
    ck_assert_int_eq(dr_service_state(&context, only()).running.state, DR_KNOWN);
}
END_TEST

START_TEST(what_stands_in_the_way_of_a_repair)
{
    const struct dr_service *service = only();

    ck_assert_str_eq(dr_service_out_of_reach(&context, service), "systemd does not run here");
    put("/run/systemd/system/x", "");
    service = only();
    ck_assert_str_eq(dr_service_out_of_reach(&context, service), "systemctl is not installed");
    put("/usr/bin/systemctl", "");
    service = only();
    ck_assert_ptr_nonnull(strstr(dr_service_out_of_reach(&context, service), "sudo loginctl enable-linger oc"));
    put("/run/user/1001/systemd/private", "");
    ck_assert_ptr_null(dr_service_out_of_reach(&context, (service = only())));
    target.running_uid = 1002;
    ck_assert_ptr_nonnull(strstr(dr_service_out_of_reach(&context, (service = only())), "only root"));
    target.as_root = true;
    ck_assert_ptr_null(dr_service_out_of_reach(&context, (service = only())));
    target.root = root;
    ck_assert_ptr_nonnull(strstr(dr_service_out_of_reach(&context, (service = only())), "the system that it runs on"));
}
END_TEST

START_TEST(lingering)
{
    ck_assert_int_eq(dr_systemd(&context)->linger.state, DR_ABSENT);
    put("/var/lib/systemd/linger/oc", "");
    forget();
    ck_assert_int_eq(dr_systemd(&context)->linger.state, DR_KNOWN);
    target.user = "uid 1001";
    forget();
    ck_assert_int_eq(dr_systemd(&context)->linger.state, DR_UNKNOWN);
}
END_TEST

START_TEST(old_units_that_hold_a_token)
{
    put(UNIT ".bak", "[Service]\nEnvironment=PATH=/bin OPENCLAW_GATEWAY_TOKEN=tok-OLD-0123456789\n");
    put("/home/oc/.config/systemd/user/clawdbot-gateway.service.bak", "[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=\n");
    put("/home/oc/.config/systemd/user/other.service.bak", "[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=x\n");
    const struct dr_service_backups *backups = dr_service_backups(&context);

    ck_assert_uint_eq(backups->count, 1);
    ck_assert_str_eq(backups->list[0].path, UNIT ".bak");
    ck_assert_str_eq(backups->list[0].value, "tok-OLD-0123456789");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("services");
    TCase *test_case = tcase_create("services");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(test_case, begin, end);
    tcase_add_test(test_case, a_unit_says_what_it_is);
    tcase_add_test(test_case, what_is_unset_is_not_set);
    tcase_add_test(test_case, the_command_leads_somewhere);
    tcase_add_test(test_case, what_node_loads_first);
    tcase_add_test(test_case, who_wants_it);
    tcase_add_test(test_case, whether_it_runs);
    tcase_add_test(test_case, what_stands_in_the_way_of_a_repair);
    tcase_add_test(test_case, lingering);
    tcase_add_test(test_case, old_units_that_hold_a_token);
    suite_add_tcase(suite, test_case);
    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
