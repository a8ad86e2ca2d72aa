/* Which trees are walked, how deep, and that nothing is met twice. */
#include "api/install.h"
#include "api/target.h"
#include "api/tree.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const made[] = {
    "home/",
    "home/oc/",
    "home/oc/.openclaw/",
    "home/oc/.openclaw/devices/",
    "home/oc/.openclaw/devices/paired.json",
    "home/oc/.openclaw/npm/",
    "home/oc/.openclaw/npm/openclaw/",
    "home/oc/.openclaw/npm/openclaw/package.json",
    "home/oc/.npm/",
    "home/oc/.npm/_cacache/",
    "home/oc/.npm/_cacache/index-v5/",
    "home/oc/.npm/_cacache/index-v5/aa/",
    "home/oc/.npm/_cacache/index-v5/aa/bb",
    "etc/",
    "etc/oc/",
    "etc/oc/my.json",
    "etc/oc/other.json",
    "opt/",
    "opt/openclaw/",
    "opt/openclaw/dist/",
    "opt/openclaw/dist/index.js",
    "tmp/",
    "tmp/other",
    "tmp/jiti/",
    "tmp/jiti/cache/",
    "tmp/jiti/cache/x.cjs",
    "tmp/openclaw/",
    "tmp/openclaw/today.log",
    "tmp/openclaw-1001/",
    "tmp/openclaw-1002/",
    "var/",
    "var/tmp/",
    "var/tmp/jiti/",
};

static const char *const looked_at[] = {
    /* state: wholly, and the configuration where it lies */
    "0 /home/oc/.openclaw",
    "0 /home/oc/.openclaw/devices",
    "0 /home/oc/.openclaw/devices/paired.json",
    "0 /home/oc/.openclaw/npm",
    "0 /home/oc/.openclaw/npm/openclaw",
    "0 /home/oc/.openclaw/npm/openclaw/package.json",
    "0 /etc/oc/my.json",
    /* installs: one level; the one below the state directory was met already */
    "1 /opt/openclaw",
    "1 /opt/openclaw/dist",
    /* temp: the folder itself, and OpenClaw's own one level */
    "2 /tmp",
    "2 /tmp/jiti",
    "2 /tmp/jiti/cache",
    "2 /tmp/openclaw-1001",
    "2 /tmp/openclaw",
    "2 /tmp/openclaw/today.log",
    "2 /var/tmp",
    "2 /var/tmp/jiti",
    /* cache: three levels */
    "3 /home/oc/.npm",
    "3 /home/oc/.npm/_cacache",
    "3 /home/oc/.npm/_cacache/index-v5",
    "3 /home/oc/.npm/_cacache/index-v5/aa",
};

static char root[] = "/tmp/dr-tree-XXXXXX";
static struct dr_arena arena = DR_ARENA(1024 * 1024);
static struct dr_request request;
static struct dr_context context;
static struct dr_target target = {
    .fact = { .state = DR_KNOWN },
    .home = "/home/oc",
    .state_dir = "/home/oc/.openclaw",
    .config_path = "/etc/oc/my.json",
    .uid = 1001,
};
static const struct dr_install installed[] = {
    { .package_dir = "/opt/openclaw" },
    { .package_dir = "/home/oc/.openclaw/npm/openclaw" },
    { .package_dir = "/opt/gone" },
};
static struct dr_installs installs = { .fact = { .state = DR_KNOWN }, .list = installed, .count = DR_COUNT(installed) };

static void set_up(void)
{
    static const char *const environment[] = { "TMPDIR=/var//tmp/", NULL };

    ck_assert_ptr_nonnull(mkdtemp(root));
    request = (struct dr_request){ .root = root, .environment = environment };
    request.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < DR_COUNT(made); i++) {
        if (made[i][strlen(made[i]) - 1] == '/') {
            ck_assert_int_eq(mkdirat(request.root_fd, made[i], 0755), 0);
        } else {
            int fd = openat(request.root_fd, made[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

            ck_assert_int_ge(fd, 0);
            close(fd);
        }
    }
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target, .installs = &installs };
}

static void tear_down(void)
{
    for (size_t i = DR_COUNT(made); i-- > 0;)
        (void)unlinkat(request.root_fd, made[i], made[i][strlen(made[i]) - 1] == '/' ? AT_REMOVEDIR : 0);
    (void)unlinkat(AT_FDCWD, root, AT_REMOVEDIR);
    close(request.root_fd);
}

struct met {
    const char *list[64];
    size_t count;
};

static void meet(struct dr_context *unused, const struct dr_entry *entry, void *state)
{
    struct met *met = state;

    (void)unused;
    ck_assert_uint_lt(met->count, DR_COUNT(met->list));
    ck_assert_ptr_null(entry->unreadable);
    met->list[met->count++] = dr_format(&context, "%d %s", (int)entry->tree, entry->path);
}

static bool is_in(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

START_TEST(meets_these_and_no_others)
{
    struct met met = { .count = 0 };

    ck_assert_int_eq(dr_tree_walk(&context, meet, &met), 0);
    for (size_t i = 0; i < DR_COUNT(looked_at); i++)
        ck_assert_msg(is_in(looked_at[i], met.list, met.count), "not met: %s", looked_at[i]);
    for (size_t i = 0; i < met.count; i++)
        ck_assert_msg(is_in(met.list[i], looked_at, DR_COUNT(looked_at)), "should not be met: %s", met.list[i]);
    ck_assert_uint_eq(met.count, DR_COUNT(looked_at)); /* none of them twice */
}
END_TEST

START_TEST(a_whole_walk_goes_to_the_end)
{
    struct met met = { .count = 0 };

    ck_assert_int_eq(dr_tree_walk_whole(&context, DR_TREE_CACHE, meet, &met), 0);
    ck_assert_uint_eq(met.count, 5);
    ck_assert(is_in("3 /home/oc/.npm/_cacache/index-v5/aa/bb", met.list, met.count));
    met.count = 0;
    ck_assert_int_eq(dr_tree_walk_whole(&context, DR_TREE_TEMP, meet, &met), 0);
    ck_assert(is_in("2 /tmp/jiti/cache/x.cjs", met.list, met.count));
    ck_assert(!is_in("2 /tmp/other", met.list, met.count)); /* the temp folder is everybody's */
}
END_TEST

START_TEST(without_a_state_directory_there_is_nothing_to_walk)
{
    struct met met = { .count = 0 };
    struct dr_target none = { .fact = { .state = DR_ABSENT } };

    context.target = &none;
    ck_assert_int_eq(dr_tree_walk(&context, meet, &met), 0);
    ck_assert_int_eq(dr_tree_walk_whole(&context, DR_TREE_STATE, meet, &met), 0);
    ck_assert_uint_eq(met.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tree");
    TCase *tcase = tcase_create("trees");
    SRunner *runner;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, meets_these_and_no_others);
    tcase_add_test(tcase, a_whole_walk_goes_to_the_end);
    tcase_add_test(tcase, without_a_state_directory_there_is_nothing_to_walk);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
