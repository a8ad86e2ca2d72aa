#include "api/install.h"

#include "api/target.h"
#include "base/cleanup.h"
#include "facts/context.h"
#include "facts/install_node.h"
#include "facts/install_package.h"

#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The tests hand the context its target; nothing else of src/facts/target.c is wanted here. */
__attribute__((weak)) const struct dr_target *dr_target(struct dr_context *asking)
{
    return asking->target;
}

/* One scratch root per test, used as --root: paths inside are as on a real machine. */
static char root[] = "/tmp/dr-install-XXXXXX";
static struct dr_arena arena;
static struct dr_request request;
static struct dr_target target;
static struct dr_context context;
static const char *environment[2];

static void put(const char *path, const char *text)
{
    char command[1024];
    char file[512];

    (void)snprintf(file, sizeof(file), "%s%s", root, path);
    (void)snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", file);
    ck_assert_int_eq(system(command), 0);
    FILE *stream = fopen(file, "w");

    ck_assert_ptr_nonnull(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
}

static void put_link(const char *path, const char *to)
{
    char file[512];

    put(path, "");
    (void)snprintf(file, sizeof(file), "%s%s", root, path);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(symlink(to, file), 0);
}

static void put_package(const char *folder, const char *version)
{
    char path[512];
    char json[512];

    (void)snprintf(path, sizeof(path), "%s/package.json", folder);
    (void)snprintf(json, sizeof(json),
                   "{\n  \"openclaw\": {\"version\": \"9.9.9\"},\n  \"name\": \"openclaw\",\n  \"version\": \"%s\"\n}\n",
                   version);
    put(path, json);
    (void)snprintf(path, sizeof(path), "%s/openclaw.mjs", folder);
    put(path, "#!/usr/bin/env node\n");
    (void)snprintf(path, sizeof(path), "%s/dist/index.js", folder);
    put(path, "");
}

static void begin(void)
{
    (void)strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    arena = (struct dr_arena)DR_ARENA(8 * 1024 * 1024);
    environment[0] = "HOME=/home/oc";
    request = (struct dr_request){ .root = root, .environment = environment, .proc = "/proc" };
    request.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(request.root_fd, 0);
    target =
        (struct dr_target){ .fact.state = DR_KNOWN, .root = root, .home = "/home/oc", .state_dir = "/home/oc/.openclaw" };
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

static const struct dr_install *only_install(void)
{
    const struct dr_installs *installs = dr_installs(&context);

    ck_assert_int_eq(installs->fact.state, DR_KNOWN);
    ck_assert_uint_eq(installs->count, 1);
    return &installs->list[0];
}

START_TEST(a_link_on_path_leads_to_its_package)
{
    put_package("/usr/lib/node_modules/openclaw", "2026.9.6");
    put_link("/usr/bin/openclaw", "../lib/node_modules/openclaw/openclaw.mjs");
    put("/usr/bin/node", "");
    put("/usr/include/node/node_version.h",
        "#define NODE_MAJOR_VERSION 24\n#define NODE_MINOR_VERSION 21\n#define NODE_PATCH_VERSION 0\n");

    const struct dr_install *install = only_install();

    ck_assert_str_eq(install->package_dir, "/usr/lib/node_modules/openclaw");
    ck_assert_str_eq(install->version, "2026.9.6");
    ck_assert_str_eq(install->found_by, "PATH");
    ck_assert_str_eq(install->node_version, "24.21.0");
    ck_assert(context.installs->release_known && context.installs->release_certain);
    ck_assert_str_eq(context.installs->release_from, "install on PATH");
    ck_assert(context.installs->rules->pairing_in_sqlite);
}
END_TEST

START_TEST(a_link_through_a_linked_folder_is_resolved)
{
    put_package("/opt/tools/lib/node_modules/openclaw", "2026.2.19");
    put_link("/opt/tools/bin/openclaw", "../lib/node_modules/openclaw/openclaw.mjs");
    put_link("/usr/local/bin", "/opt/tools/bin");
    ck_assert_str_eq(only_install()->package_dir, "/opt/tools/lib/node_modules/openclaw");
}
END_TEST

START_TEST(a_pnpm_wrapper_is_read)
{
    put_package("/home/oc/.local/share/pnpm/global/5/.pnpm/openclaw@2026.9.2/node_modules/openclaw", "2026.9.2");
    put_link("/home/oc/.local/share/pnpm/global/5/node_modules/openclaw",
             "../.pnpm/openclaw@2026.9.2/node_modules/openclaw");
    put("/usr/local/bin/openclaw",
        "#!/bin/sh\nbasedir=$(dirname \"$(echo \"$0\" | sed -e 's,\\\\,/,g')\")\n"
        "exec node \"$basedir/../../../home/oc/.local/share/pnpm/global/5/node_modules/openclaw/openclaw.mjs\" \"$@\"\n");
    ck_assert_str_eq(only_install()->package_dir,
                     "/home/oc/.local/share/pnpm/global/5/.pnpm/openclaw@2026.9.2/node_modules/openclaw");
}
END_TEST

START_TEST(version_managers_are_looked_through)
{
    put_package("/home/oc/.nvm/versions/node/v22.23.1/lib/node_modules/openclaw", "2026.2.21");
    put("/home/oc/.nvm/versions/node/v22.23.1/bin/node", "");
    put("/home/oc/.nvm/versions/node/v24.1.0/bin/node", "");

    const struct dr_install *install = only_install();

    ck_assert_str_eq(install->version, "2026.2.21");
    ck_assert_str_eq(install->node_path, "/home/oc/.nvm/versions/node/v22.23.1/bin/node");
    ck_assert_str_eq(install->node_version, "22.23.1");
    ck_assert(!context.installs->release_certain);
}
END_TEST

START_TEST(split_installs_are_all_listed_and_path_decides)
{
    put_package("/usr/lib/node_modules/openclaw", "2026.2.19");
    put_package("/home/oc/.npm-global/lib/node_modules/openclaw", "2026.9.6");
    put_link("/usr/bin/openclaw", "/usr/lib/node_modules/openclaw/openclaw.mjs");

    const struct dr_installs *installs = dr_installs(&context);

    ck_assert_uint_eq(installs->count, 2);
    ck_assert_int_eq(installs->release.month, 2);
    ck_assert_str_eq(installs->list[1].version, "2026.9.6");
}
END_TEST

START_TEST(the_option_wins)
{
    put_package("/usr/lib/node_modules/openclaw", "2026.2.19");
    put_link("/usr/bin/openclaw", "/usr/lib/node_modules/openclaw/openclaw.mjs");
    request.openclaw_version = "2026.9.6";
    ck_assert_int_eq(dr_installs(&context)->release.month, 9);
    ck_assert_str_eq(context.installs->release_from, "--openclaw-version");
}
END_TEST

START_TEST(foreign_programs_of_that_name_are_no_install)
{
    put("/usr/bin/openclaw", "#!/bin/sh\nexec /usr/bin/true openclaw\n");
    put("/usr/lib/node_modules/openclaw/package.json", "{\"name\":\"other\",\"version\":\"1.0.0\"}");
    put("/usr/local/lib/node_modules/openclaw/package.json", "{\"name\":");
    put_link("/usr/local/bin/openclaw", "openclaw");

    const struct dr_installs *installs = dr_installs(&context);

    ck_assert_uint_eq(installs->count, 0);
    ck_assert(!installs->release_known);
    ck_assert_ptr_nonnull(installs->rules);
}
END_TEST

START_TEST(a_link_cannot_lead_out_of_the_root)
{
    put_link("/usr/bin/openclaw", "../../../../../../../../etc/passwd");
    ck_assert_ptr_null(dr_path_resolve(&context, "/usr/bin/openclaw"));
    ck_assert_uint_eq(dr_installs(&context)->count, 0);
}
END_TEST

/* 100 bytes of a database header with the schema number at 60. */
static void put_database(unsigned char schema)
{
    char file[512];
    unsigned char header[100] = "SQLite format 3";

    header[63] = schema;
    put("/home/oc/.openclaw/state/openclaw.sqlite", "");
    (void)snprintf(file, sizeof(file), "%s/home/oc/.openclaw/state/openclaw.sqlite", root);
    FILE *stream = fopen(file, "w");

    ck_assert_uint_eq(fwrite(header, 1, sizeof(header), stream), sizeof(header));
    (void)fclose(stream);
}

static void check_era(int month, int patch)
{
    const struct dr_installs *installs = dr_installs(&context);

    ck_assert(!installs->release_known && !installs->release_certain);
    ck_assert_int_eq(installs->release.month, month);
    ck_assert_int_eq(installs->release.patch, patch);
}

START_TEST(the_store_says_who_opened_it_last)
{
    static const char sql[] = "PRAGMA user_version = 15; CREATE TABLE schema_meta (meta_key TEXT, app_version TEXT);"
                              "INSERT INTO schema_meta VALUES ('other', '2026.1.1'), ('primary', '2026.8.2');";
    char file[512];
    sqlite3 *db = NULL;

    put("/home/oc/.openclaw/state/x", "");
    (void)snprintf(file, sizeof(file), "%s/home/oc/.openclaw/state/openclaw.sqlite", root);
    ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);

    const struct dr_installs *installs = dr_installs(&context);

    ck_assert(installs->release_known && !installs->release_certain);
    ck_assert_int_eq(installs->release.month, 8);
    ck_assert_int_eq(installs->release.patch, 2);
}
END_TEST

START_TEST(the_schema_shows_the_era)
{
    put("/home/oc/.openclaw/devices/paired.json", "{}");
    put_database(15);
    check_era(8, 1);
}
END_TEST

START_TEST(an_early_database_beside_json_is_the_json_era)
{
    put("/home/oc/.openclaw/devices/paired.json", "{}");
    put_database(1);
    check_era(2, 19);
}
END_TEST

START_TEST(json_files_show_their_era)
{
    put("/home/oc/.openclaw/devices/paired.json", "{\"a\":{\"approvedScopes\":[]}}");
    check_era(2, 21);
}
END_TEST

START_TEST(last_good_shows_a_later_era)
{
    put("/home/oc/.openclaw/devices/paired.json", "{}");
    put("/home/oc/.openclaw/openclaw.json.last-good", "{}");
    check_era(4, 25);
}
END_TEST

START_TEST(an_empty_home_is_judged_by_the_newest)
{
    check_era(9, 6);
}
END_TEST

START_TEST(node_of_npm_tells_its_version)
{
    put("/srv/n/node_modules/node/package.json", "{\"name\":\"node\",\"version\":\"24.21.0\"}");
    put("/srv/n/node_modules/node/bin/node", "");
    put_link("/usr/bin/node", "/srv/n/node_modules/node/bin/node");
    put("/opt/plain/bin/node", "");
    ck_assert_str_eq(dr_node_version(&context, "/usr/bin/node"), "24.21.0");
    ck_assert_ptr_null(dr_node_version(&context, "/opt/plain/bin/node"));
    ck_assert_ptr_null(dr_node_version(&context, "/opt/missing/bin/node"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("install");
    TCase *tests = tcase_create("install");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_link_on_path_leads_to_its_package);
    tcase_add_test(tests, a_link_through_a_linked_folder_is_resolved);
    tcase_add_test(tests, a_pnpm_wrapper_is_read);
    tcase_add_test(tests, version_managers_are_looked_through);
    tcase_add_test(tests, split_installs_are_all_listed_and_path_decides);
    tcase_add_test(tests, the_option_wins);
    tcase_add_test(tests, foreign_programs_of_that_name_are_no_install);
    tcase_add_test(tests, a_link_cannot_lead_out_of_the_root);
    tcase_add_test(tests, the_store_says_who_opened_it_last);
    tcase_add_test(tests, the_schema_shows_the_era);
    tcase_add_test(tests, an_early_database_beside_json_is_the_json_era);
    tcase_add_test(tests, json_files_show_their_era);
    tcase_add_test(tests, last_good_shows_a_later_era);
    tcase_add_test(tests, an_empty_home_is_judged_by_the_newest);
    tcase_add_test(tests, node_of_npm_tells_its_version);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
