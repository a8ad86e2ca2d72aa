/*
 * The check clock-skew and the fixer time-service-enable over made-up clocks: each problem, its healthy neighbour, how bad and how sure. What the
 * facts make of a real world stands in test_clock.c and tests/real/scenario_clock.py.
 */
#include "api/check.h"
#include "api/clock.h"
#include "api/devices.h"
#include "api/fixer.h"
#include "api/install.h"
#include "api/registry.h"
#include "api/target.h"
#include "api/tree.h"

#include "base/cleanup.h"
#include "engine/finding.h"
#include "engine/plan.h"
#include "facts/context.h"
#include "facts/release.h"
#include "wire/commands.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct dr_arena arena = DR_ARENA(16 * 1024 * 1024);
static const int64_t now = INT64_C(1795867200000);
static const char *const environment[] = { NULL };
static const struct dr_request request = { .environment = environment, .proc = "/proc", .now_ms = INT64_C(1795867200000) };

/* A made-up world, healthy until a test changes it, and what the check says of it. */
static struct dr_context *context;
static struct dr_clock *world;
static struct dr_endpoint endpoint;
static struct dr_time_server servers[4];
static struct dr_time_service services[2];
static struct dr_findings findings;
static int result;

static const struct dr_check *the_check(void)
{
    for (size_t i = 0; dr_check_table[i]; i++)
        if (strcmp(dr_check_table[i]->id, "clock-skew") == 0)
            return dr_check_table[i];
    ck_abort_msg("no check clock-skew");
}

static void use_release(int year, int month, int patch)
{
    struct dr_rules *rules = dr_arena_alloc(&arena, sizeof(*rules));

    context->installs->release = (struct dr_release){ year, month, patch, 0 };
    dr_rules_fill(&context->installs->release, rules);
    context->installs->rules = rules;
}

static void setup(void)
{
    context = dr_arena_alloc(&arena, sizeof(*context));
    *context = (struct dr_context){ .arena = &arena, .request = &request };
    world = dr_arena_alloc(&arena, sizeof(*world));
    context->clock = world;
    context->installs = dr_arena_alloc(&arena, sizeof(*context->installs));
    context->devices = dr_arena_alloc(&arena, sizeof(*context->devices));
    context->target = dr_arena_alloc(&arena, sizeof(*context->target));
    context->target->fact.state = DR_KNOWN;
    context->target->as_root = true;
    context->installs->fact.state = DR_KNOWN;
    context->installs->release_known = context->installs->release_certain = true;
    use_release(2026, 2, 19);
    context->devices->fact.state = DR_KNOWN;
    context->devices->identity.fact.state = DR_ABSENT;
    endpoint = (struct dr_endpoint){ .url = "http://127.0.0.1:18789/" };
    memset(servers, 0, sizeof(servers));
    memset(services, 0, sizeof(services));
    services[0] = (struct dr_time_service){ .name = "systemd-timesyncd",
                                            .unit = "systemd-timesyncd.service",
                                            .program = "/usr/lib/systemd/systemd-timesyncd",
                                            .enabled = true,
                                            .running = DR_IS_RUNNING };
    services[1] = (struct dr_time_service){ .name = "chrony",
                                            .unit = "chrony.service",
                                            .program = "/usr/sbin/chronyd",
                                            .control = "/usr/bin/chronyc",
                                            .enabled = true,
                                            .running = DR_IS_RUNNING };
    *world = (struct dr_clock){ .gateway = { .endpoint = &endpoint, .offset = { 0, 2 }, .same_host = true },
                                .ntp = { .fact = { .state = DR_ABSENT, .reason = "nobody was to be asked" } },
                                .kernel = { .fact = { .state = DR_KNOWN }, .synchronised = true },
                                .services = services,
                                .service_count = 1,
                                .systemd = true,
                                .systemctl = "/usr/bin/systemctl",
                                .suspended_ms = 0 };
}

static void look_with(void *state)
{
    const struct dr_check *check = the_check();

    dr_findings_init(&findings, context, check);
    result = check->run(context, state, &findings);
    dr_findings_seal(&findings);
}

static void look(void)
{
    look_with(dr_arena_alloc(&arena, the_check()->state_size));
}

static const char *codes(void)
{
    static char text[512];
    static const char *const severities[] = { "info", "warning", "error" };

    text[0] = '\0';
    for (const struct dr_finding *finding = findings.first; finding; finding = finding->next) {
        size_t used = strlen(text);

        (void)snprintf(text + used, sizeof(text) - used, "%s%s:%s", used ? " " : "", finding->problem->code,
                       severities[finding->severity]);
        /* Whatever is said, it is said in full. */
        ck_assert_ptr_null(strchr(dr_finding_expand(finding, finding->problem->message), '{'));
        ck_assert_ptr_null(strchr(dr_finding_expand(finding, finding->problem->advice), '{'));
    }
    return text;
}

static const struct dr_finding *found(const char *code)
{
    for (const struct dr_finding *finding = findings.first; finding; finding = finding->next)
        if (strcmp(finding->problem->code, code) == 0)
            return finding;
    ck_abort_msg("%s is not among: %s", code, codes());
}

static const char *said(const char *code)
{
    return dr_finding_expand(found(code), found(code)->problem->message);
}

static const char *advised(const char *code)
{
    return dr_finding_expand(found(code), found(code)->problem->advice);
}

static void expect_said(const char *code, const char *text)
{
    ck_assert_msg(strstr(said(code), text) != NULL, "'%s' does not stand in: %s", text, said(code));
}

static void time_servers(size_t count, const int64_t *offsets)
{
    for (size_t i = 0; i < count; i++)
        servers[i] = (struct dr_time_server){ .name = "time.lan", .answer = DR_TIME_ANSWERED, .offset = { offsets[i], 10 } };
    world->ntp = (struct dr_ntp){ .fact = { .state = DR_KNOWN }, .servers = servers, .count = count };
    dr_clock_agree(servers, count, &world->ntp);
    if (world->ntp.contradict) {
        world->ntp.fact.state = DR_UNKNOWN;
        world->ntp.fact.reason = "the time servers contradict each other";
    }
}

START_TEST(a_healthy_world_has_no_finding)
{
    look();
    ck_assert_str_eq(codes(), "");
    ck_assert_int_eq(result, 0);
    time_servers(3, (const int64_t[]){ 4, -3, 0 });
    look();
    ck_assert_str_eq(codes(), "");
    use_release(2026, 9, 6);
    look();
    ck_assert_str_eq(codes(), "");
}
END_TEST

START_TEST(without_a_comparison_nothing_is_claimed)
{
    world->gateway = (struct dr_gateway_clock){ .why = "no gateway answered with its time" };
    look();
    ck_assert_str_eq(codes(), "");
    ck_assert_int_eq(result, 1);
    ck_assert(strstr(findings.not_applicable, "nothing to compare") != NULL);
}
END_TEST

START_TEST(the_window_is_that_of_the_release)
{
    static const struct {
        int release[3];
        int64_t skew_ms;
        const char *codes;
    } rows[] = {
        { { 2026, 2, 19 }, 119000, "" },
        { { 2026, 2, 19 }, 299000, "" },
        { { 2026, 2, 19 }, -301000, "skew-near-window:warning" },
        { { 2026, 2, 19 }, 599000, "skew-near-window:warning" },
        { { 2026, 2, 19 }, 600001, "skew-near-window:warning" }, /* within the bound of the measurement */
        { { 2026, 2, 19 }, -601000, "skew-breaks-signature:error" },
        { { 2026, 2, 21 }, 130000, "" },
        { { 2026, 4, 25 }, 59000, "" },
        { { 2026, 4, 25 }, 61000, "skew-near-window:warning" },
        { { 2026, 4, 25 }, 119000, "skew-near-window:warning" },
        { { 2026, 4, 25 }, 130000, "skew-breaks-signature:error" },
        { { 2026, 9, 6 }, -61000, "skew-near-window:info" },
        { { 2026, 9, 6 }, 130000, "skew-breaks-signature:warning" },
        { { 2026, 9, 6 }, 601000, "skew-breaks-signature:warning" },
        { { 2026, 2, 19 }, 3600000, "whole-hour:error" },
        { { 2026, 2, 19 }, -5400000, "whole-hour:error" },
        { { 2026, 9, 6 }, -3602000, "whole-hour:warning" },
        { { 2026, 9, 6 }, 86400000, "whole-hour:warning" },
        { { 2026, 2, 19 }, 3500000, "skew-breaks-signature:error" },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        use_release(rows[i].release[0], rows[i].release[1], rows[i].release[2]);
        world->gateway.offset.ms = rows[i].skew_ms;
        look();
        ck_assert_msg(strcmp(codes(), rows[i].codes) == 0, "row %zu: %s", i, codes());
    }
}
END_TEST

START_TEST(skew_is_said_with_its_side)
{
    world->gateway.offset.ms = 3600000;
    look();
    expect_said("whole-hour", "is 1 h ahead of this host's, to the second");
    expect_said("whole-hour", "one of the two was set to local time instead of UTC (a zone 1 h away)");
    world->gateway.offset.ms = -700000;
    world->gateway.same_host = false;
    look();
    expect_said("skew-breaks-signature", "is 11 min 40 s behind this host's; up to 10 min are allowed");
    expect_said("skew-breaks-signature", "the gateway's is more likely wrong");
    ck_assert_int_eq(found("skew-breaks-signature")->confidence, DR_LIKELY); /* the gateway's release is not known */
    world->kernel.synchronised = false;
    look();
    expect_said("skew-breaks-signature", "it is more likely the wrong one");
    world->gateway.same_host = true;
    look();
    ck_assert_int_eq(found("skew-breaks-signature")->confidence, DR_CERTAIN);
    world->container = true;
    look();
    ck_assert(strstr(advised("skew-breaks-signature"), "on this container's host") != NULL);
}
END_TEST

START_TEST(time_servers_say_which_clock_is_wrong)
{
    /* Ours is 11 minutes behind, the gateway elsewhere is right. */
    world->gateway.same_host = false;
    world->gateway.offset.ms = 660000;
    time_servers(3, (const int64_t[]){ 660003, 659990, 660001 });
    look();
    ck_assert_str_eq(codes(), "skew-breaks-signature:error local-clock-wrong:error");
    expect_said("local-clock-wrong", "is 11 min behind");
    ck_assert_int_eq(found("local-clock-wrong")->confidence, DR_CERTAIN);
    /* Ours is right. */
    time_servers(3, (const int64_t[]){ 3, -10, 1 });
    look();
    ck_assert_str_eq(codes(), "skew-breaks-signature:error gateway-clock-wrong:error");
    expect_said("gateway-clock-wrong", "is 11 min ahead");
    /* Both are wrong by the same hour. */
    world->gateway.offset.ms = 0;
    time_servers(2, (const int64_t[]){ -3600000, -3600004 });
    look();
    ck_assert_str_eq(codes(), "gateway-clock-wrong:error local-clock-wrong:error");
    expect_said("local-clock-wrong", "is 1 h ahead");
    expect_said("local-clock-wrong", "It was set to local time instead of UTC (a zone 1 h away)");
    ck_assert_int_eq(found("local-clock-wrong")->confidence, DR_LIKELY);
    /* One clock is reported once. */
    world->gateway.same_host = true;
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:error");
    /* Small errors do no harm. */
    time_servers(2, (const int64_t[]){ 9000, 9004 });
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:info");
    time_servers(2, (const int64_t[]){ 4000, 4004 });
    look();
    ck_assert_str_eq(codes(), "");
}
END_TEST

START_TEST(a_server_alone_proves_nothing)
{
    time_servers(1, (const int64_t[]){ 86400000 });
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:warning");
    ck_assert_int_eq(found("local-clock-wrong")->confidence, DR_POSSIBLE);
    expect_said("local-clock-wrong", "may be wrong itself");
    time_servers(4, (const int64_t[]){ 1, 86400000, 2, 0 });
    look();
    ck_assert_str_eq(codes(), "");
}
END_TEST

START_TEST(servers_that_contradict_each_other_are_said_and_not_believed)
{
    time_servers(2, (const int64_t[]){ 0, 3600000 });
    look();
    ck_assert_str_eq(codes(), "");
    ck_assert_ptr_nonnull(findings.unknowns);
    ck_assert(strstr(findings.unknowns->reason, "contradict") != NULL);
}
END_TEST

START_TEST(nobody_keeps_the_clock)
{
    world->kernel.synchronised = false;
    services[0].running = DR_NOT_RUNNING;
    look();
    ck_assert_str_eq(codes(), "time-service-off:info");
    expect_said("time-service-off", "installed and not at work");
    services[0].enabled = false;
    look();
    expect_said("time-service-off", "switched off");
    ck_assert_str_eq(advised("time-service-off"), "sudo systemctl enable --now systemd-timesyncd.service");
    services[0].masked = true;
    look();
    expect_said("time-service-off", "masked");
    ck_assert_int_eq(found("time-service-off")->safety, DR_MANUAL);
    world->service_count = 0;
    look();
    ck_assert_str_eq(codes(), "unsynchronised:info");
    expect_said("unsynchronised", "no time service is installed");
    world->service_count = 1;
    services[0].running = DR_IS_RUNNING;
    services[0].synced_ms = now;
    look();
    ck_assert_str_eq(codes(), "unsynchronised:info");
    expect_said("unsynchronised", "systemd-timesyncd is at work and does not hear the time, last on 2026-11-28");
    services[0].running = DR_RUNNING_UNKNOWN;
    look();
    ck_assert_str_eq(codes(), "unsynchronised:info");
    /* In a container nothing of this is to be seen. */
    world->container = true;
    look();
    ck_assert_str_eq(codes(), "");
    world->container = false;
    world->kernel.fact.state = DR_UNKNOWN;
    look();
    ck_assert_str_eq(codes(), "");
}
END_TEST

START_TEST(it_matters_when_a_clock_is_off)
{
    world->kernel.synchronised = false;
    services[0].running = DR_NOT_RUNNING;
    time_servers(2, (const int64_t[]){ 700000, 700000 });
    look();
    ck_assert_str_eq(codes(),
                     "local-clock-wrong:error time-service-off:error"); /* the root is as bad as what hangs under it */
    ck_assert_int_eq(found("local-clock-wrong")->safety, DR_MANUAL);
    ck_assert_int_eq(found("time-service-off")->safety, DR_UNSAFE);
    time_servers(2, (const int64_t[]){ 9000, 9000 });
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:info time-service-off:warning");
}
END_TEST

START_TEST(two_services_pull_at_one_clock)
{
    world->service_count = 2;
    look();
    ck_assert_str_eq(codes(), "several-time-services:warning");
    expect_said("several-time-services", "systemd-timesyncd and chrony both keep");
    ck_assert_str_eq(advised("several-time-services"), "Leave one of them on: systemctl disable --now chrony.service");
    services[1].running = DR_NOT_RUNNING;
    look();
    ck_assert_str_eq(codes(), "");
}
END_TEST

START_TEST(a_machine_that_slept)
{
    world->wsl = true;
    world->rtc_known = true;
    world->rtc_offset_ms = 700000;
    look();
    ck_assert_str_eq(codes(), "resume-drift:error");
    expect_said("resume-drift", "Windows Subsystem for Linux, and its clock is 11 min 40 s behind");
    ck_assert_int_eq(found("resume-drift")->confidence, DR_LIKELY);
    ck_assert(strstr(advised("resume-drift"), "wsl --shutdown") != NULL);
    world->rtc_offset_ms = 3600000; /* in local time */
    look();
    ck_assert_str_eq(codes(), "");
    world->rtc_offset_ms = -700000; /* ahead: that is not sleep */
    look();
    ck_assert_str_eq(codes(), "");
    world->wsl = false;
    world->machine = "QEMU";
    world->rtc_offset_ms = 60000;
    look();
    ck_assert_str_eq(codes(), ""); /* that machine's clock may be off by itself */
    time_servers(2, (const int64_t[]){ 700000, 700000 });
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:error resume-drift:error");
    time_servers(2, (const int64_t[]){ 0, 0 });
    world->rtc_offset_ms = 700000;
    look();
    ck_assert_str_eq(codes(), ""); /* time servers know better than the machine's clock */
    world->machine = NULL;
    time_servers(2, (const int64_t[]){ 700000, 700000 });
    look();
    ck_assert_str_eq(codes(), "local-clock-wrong:error");
}
END_TEST

static void install(int year, int month)
{
    struct dr_install *list = dr_arena_alloc(&arena, sizeof(*list));

    list[0] = (struct dr_install){ .package_dir = "/usr/lib/node_modules/openclaw",
                                   .version = "2026.x",
                                   .release = { year, month, 1, 0 },
                                   .release_known = true };
    context->installs->list = list;
    context->installs->count = 1;
}

START_TEST(a_clock_from_before_the_install)
{
    install(2026, 12); /* betas are made early */
    look();
    ck_assert_str_eq(codes(), "");
    install(2027, 2);
    look();
    ck_assert_str_eq(codes(), "clock-before-install:error");
    ck_assert_int_eq(found("clock-before-install")->confidence, DR_CERTAIN);
    expect_said("clock-before-install", "This host's clock says 2026-11-28 12:00 UTC, and OpenClaw 2026.x");
    time_servers(3, (const int64_t[]){ 0, 0, 0 });
    look();
    ck_assert_str_eq(codes(), "clock-before-install:error");
}
END_TEST

static void visit(void *state, enum dr_tree_kind tree, const char *path, int64_t changed_ms)
{
    const struct dr_entry entry = {
        .tree = tree, .path = path, .name = path, .identity = { .mode = 0100600, .mtime_ns = changed_ms * 1000000 }
    };

    the_check()->visit(context, &entry, state);
}

START_TEST(files_of_the_future)
{
    void *state = dr_arena_alloc(&arena, the_check()->state_size);

    visit(state, DR_TREE_STATE, "/s/now", now);
    visit(state, DR_TREE_STATE, "/s/soon", now + 59000);
    visit(state, DR_TREE_TEMP, "/tmp/x", now + 99999999);
    visit(state, DR_TREE_INSTALL, "/i/x", now + 59000);
    look_with(state);
    ck_assert_str_eq(codes(), "");
    visit(state, DR_TREE_STATE, "/s/a", now + 3600000);
    visit(state, DR_TREE_STATE, "/s/b", now + 7200000);
    look_with(state);
    ck_assert_str_eq(codes(), "file-from-future:info");
    expect_said("file-from-future", "2 files of the state are dated in the future, up to 2026-11-28 14:00 UTC");
    ck_assert_str_eq(found("file-from-future")->subject.path, "/s/a");
    visit(state, DR_TREE_INSTALL, "/i/package.json", now + 7200000);
    look_with(state);
    ck_assert_str_eq(codes(), "clock-before-install:warning file-from-future:info");
    expect_said("clock-before-install", "OpenClaw was installed on 2026-11-28 14:00 UTC");
    time_servers(2, (const int64_t[]){ 0, 0 }); /* the clock is right now */
    look_with(state);
    ck_assert_str_eq(codes(), "file-from-future:info");
}
END_TEST

START_TEST(records_of_the_future)
{
    struct dr_device *pending = dr_arena_alloc(&arena, 2 * sizeof(*pending));

    context->devices->identity = (struct dr_identity){ .fact = { .state = DR_KNOWN }, .created_ms = now + 3600000 };
    pending[0].ts_ms = now - 1000;
    pending[1].ts_ms = now + 30000;
    context->devices->pending = pending;
    context->devices->pending_count = 2;
    look();
    ck_assert_str_eq(codes(), "file-from-future:info");
    expect_said("file-from-future", "The device key of this host is dated in the future, up to 2026-11-28 13:00 UTC");
    context->devices->identity.created_ms = now;
    pending[1].ts_ms = now + 86400000;
    look();
    ck_assert_str_eq(codes(), "pending-never-expires:info");
    expect_said("pending-never-expires", "1 pairing request is dated in the future (up to 2026-11-29 12:00 UTC)");
}
END_TEST

/* ---- the repair ---- */

static const char *planned(const char *code)
{
    static char text[256];
    struct dr_plan plan;

    look();
    for (size_t i = 0; dr_fixer_table[i]; i++) {
        if (strcmp(dr_fixer_table[i]->id, "time-service-enable") != 0)
            continue;
        dr_plan_init(&plan, context, found(code), 0);
        ck_assert_int_eq(dr_fixer_table[i]->plan(context, found(code), &plan), 0);
        if (plan.refused)
            return plan.refused;
        text[0] = '\0';
        for (const struct dr_planned *step = plan.first; step; step = step->next) {
            size_t used = strlen(text);
            const struct dr_command *command = step->operation.command;

            (void)snprintf(text + used, sizeof(text) - used, "%s%s %s%s%s", used ? "; " : "", command->name,
                           command->program, command->words[0] ? " " : "", command->words[0] ? command->words[0] : "");
        }
        return text;
    }
    ck_abort_msg("no fixer");
}

START_TEST(a_service_is_switched_on)
{
    world->kernel.synchronised = false;
    services[0].running = DR_NOT_RUNNING;
    ck_assert_str_eq(planned("time-service-off"), "systemctl-start /usr/bin/systemctl systemd-timesyncd.service");
    services[0].enabled = false;
    ck_assert_str_eq(planned("time-service-off"), "systemctl-disable /usr/bin/systemctl systemd-timesyncd.service; "
                                                  "systemctl-enable /usr/bin/systemctl systemd-timesyncd.service");
    context->target->as_root = false;
    ck_assert(strstr(planned("time-service-off"), "only root") != NULL);
    context->target->as_root = true;
    world->systemctl = NULL;
    ck_assert(strstr(planned("time-service-off"), "systemctl is not installed") != NULL);
}
END_TEST

START_TEST(chrony_steps_the_clock)
{
    services[0] = services[1];
    time_servers(2, (const int64_t[]){ 700000, 700000 });
    ck_assert_str_eq(planned("local-clock-wrong"), "chrony-step /usr/bin/chronyc");
    ck_assert_str_eq(advised("local-clock-wrong"), "sudo chronyc makestep");
    world->kernel.synchronised = false; /* chrony does not know the time itself */
    look();
    ck_assert_int_eq(found("local-clock-wrong")->safety, DR_MANUAL);
    world->container = true;
    look();
    ck_assert(strstr(advised("local-clock-wrong"), "container's host") != NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock-skew");
    TCase *tests = tcase_create("clock-skew");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_healthy_world_has_no_finding);
    tcase_add_test(tests, without_a_comparison_nothing_is_claimed);
    tcase_add_test(tests, the_window_is_that_of_the_release);
    tcase_add_test(tests, skew_is_said_with_its_side);
    tcase_add_test(tests, time_servers_say_which_clock_is_wrong);
    tcase_add_test(tests, a_server_alone_proves_nothing);
    tcase_add_test(tests, servers_that_contradict_each_other_are_said_and_not_believed);
    tcase_add_test(tests, nobody_keeps_the_clock);
    tcase_add_test(tests, it_matters_when_a_clock_is_off);
    tcase_add_test(tests, two_services_pull_at_one_clock);
    tcase_add_test(tests, a_machine_that_slept);
    tcase_add_test(tests, a_clock_from_before_the_install);
    tcase_add_test(tests, files_of_the_future);
    tcase_add_test(tests, records_of_the_future);
    tcase_add_test(tests, a_service_is_switched_on);
    tcase_add_test(tests, chrony_steps_the_clock);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
