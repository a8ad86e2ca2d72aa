/*
 * Where the state is and whose: each row is one machine (files below a scratch root), one environment, one command line.
 * Sources: facts/openclaw-2026.2.md §10 (observed), openclaw-2026.9.md §6.
 */
#include "api/target.h"
#include "base/arena.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/dr-target-XXXXXX";
static int root_fd = -1;

enum { MOST = 6 };

/* "path/" is a folder, "path@to" a link, else a file; "path=uid" sets the owner (as root only). */
static const struct {
    const char *what;
    const char *files[MOST];
    const char *environment[MOST];
    struct dr_request request;
    const char *state_dir, *config_path, *from;
    enum dr_fact_state state;
    long uid; /* -1: not asked */
    bool needs_root;
} machines[] = {
    { .what = "the usual place",
      .files = { "/home/oc/.openclaw/", "/home/oc/.openclaw/openclaw.json" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "OPENCLAW_STATE_DIR",
      .files = { "/data/", "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc", "OPENCLAW_STATE_DIR=/data" },
      .state_dir = "/data",
      .config_path = "/data/openclaw.json",
      .from = "OPENCLAW_STATE_DIR",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "OPENCLAW_CONFIG_PATH does not move the state",
      .files = { "/home/oc/.openclaw/", "/etc/oc.json" },
      .environment = { "HOME=/home/oc", "OPENCLAW_CONFIG_PATH=/etc/oc.json" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/etc/oc.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "OPENCLAW_HOME before HOME",
      .files = { "/srv/.openclaw/", "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc", "OPENCLAW_HOME=/srv" },
      .state_dir = "/srv/.openclaw",
      .config_path = "/srv/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "the option before the environment; OPENCLAW_CONFIG_PATH is of another state then",
      .files = { "/a/", "/b/" },
      .environment = { "HOME=/home/oc", "OPENCLAW_STATE_DIR=/b", "OPENCLAW_CONFIG_PATH=/b/openclaw.json" },
      .request = { .state_dir = "/a" },
      .state_dir = "/a",
      .config_path = "/a/openclaw.json",
      .from = "--state-dir",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "a profile",
      .files = { "/home/oc/.openclaw-work/", "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc" },
      .request = { .profile = "work" },
      .state_dir = "/home/oc/.openclaw-work",
      .config_path = "/home/oc/.openclaw-work/openclaw.json",
      .from = "--profile",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "the default profile has no suffix",
      .files = { "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc" },
      .request = { .profile = "default" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "an old name",
      .files = { "/home/oc/.clawdbot/", "/home/oc/.clawdbot/clawdbot.json" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.clawdbot",
      .config_path = "/home/oc/.clawdbot/clawdbot.json",
      .from = "~/.clawdbot",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "the configuration still under the old name while the state has moved",
      .files = { "/home/oc/.openclaw/", "/home/oc/.clawdbot/clawdbot.json" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.clawdbot/clawdbot.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "2026.9.6 does not read old names",
      .files = { "/home/oc/.clawdbot/", "/home/oc/.clawdbot/clawdbot.json" },
      .environment = { "HOME=/home/oc", "CLAWDBOT_STATE_DIR=/home/oc/.clawdbot" },
      .request = { .openclaw_version = "2026.9.6" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_ABSENT,
      .uid = -1 },
    { .what = "2026.2.19 does",
      .files = { "/old/" },
      .environment = { "HOME=/home/oc", "CLAWDBOT_STATE_DIR=/old" },
      .request = { .openclaw_version = "2026.2.19" },
      .state_dir = "/old",
      .config_path = "/old/openclaw.json",
      .from = "CLAWDBOT_STATE_DIR",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "the state is a link to a bigger disk",
      .files = { "/disk/oc/", "/home/oc/.openclaw@../../disk/oc" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/disk/oc",
      .config_path = "/disk/oc/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = -1 },
    { .what = "nothing there",
      .files = { "/home/oc/" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_ABSENT,
      .uid = -1 },
    { .what = "a file where the folder belongs",
      .files = { "/home/oc/.openclaw" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_UNKNOWN,
      .uid = -1 },
    { .what = "no such user",
      .files = { "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc" },
      .request = { .user = "nobody-here" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_UNKNOWN,
      .uid = -1 },
    { .what = "a user by number who has no entry",
      .files = { "/home/oc/.openclaw/" },
      .environment = { "HOME=/home/oc" },
      .request = { .user = "4711" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = 4711 },
    { .what = "root took the state over: it belongs to the owner of the home",
      .files = { "/home/oc/=1001", "/home/oc/.openclaw/=0" },
      .environment = { "HOME=/home/oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = 1001,
      .needs_root = true },
    { .what = "sudo: the state of the person behind it",
      .files = { "/root/", "/home/oc/=1001", "/home/oc/.openclaw/=1001", "/etc/passwd" },
      .environment = { "HOME=/root", "SUDO_USER=oc" },
      .state_dir = "/home/oc/.openclaw",
      .config_path = "/home/oc/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = 1001,
      .needs_root = true },
    { .what = "docker exec -u root: the image's user",
      .files = { "/root/", "/home/node/=1000", "/home/node/.openclaw/=0" },
      .environment = { "HOME=/root" },
      .state_dir = "/home/node/.openclaw",
      .config_path = "/home/node/.openclaw/openclaw.json",
      .from = "~/.openclaw",
      .state = DR_KNOWN,
      .uid = 1000,
      .needs_root = true },
    { .what = "a volume outside of any home",
      .files = { "/data/oc/=1000" },
      .environment = { "HOME=/root", "OPENCLAW_STATE_DIR=/data/oc" },
      .state_dir = "/data/oc",
      .config_path = "/data/oc/openclaw.json",
      .from = "OPENCLAW_STATE_DIR",
      .state = DR_KNOWN,
      .uid = 1000,
      .needs_root = true },
};

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdirat(root_fd, path + 1, 0755);
        *slash = '/';
    }
}

static void make(const char *description)
{
    char *path = strdup(description);
    char *owner = strchr(path, '=');
    char *link = strchr(path, '@');

    if (owner)
        *owner++ = '\0';
    if (link)
        *link++ = '\0';
    make_parents(path);
    if (link) {
        ck_assert_int_eq(symlinkat(link, root_fd, path + 1), 0);
    } else if (path[strlen(path) - 1] != '/') {
        int fd = openat(root_fd, path + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        if (strcmp(path, "/etc/passwd") == 0)
            ck_assert_int_gt(dprintf(fd, "root:x:0:0::/root:/bin/sh\noc:x:1001:1001::/home/oc:/bin/sh\n"), 0);
        (void)close(fd);
    }
    if (owner) {
        uid_t uid = (uid_t)strtoul(owner, NULL, 10);

        path[strlen(path) - 1] = '\0';
        ck_assert_int_eq(fchownat(root_fd, path + 1, uid, uid, AT_SYMLINK_NOFOLLOW), 0);
    }
    free(path);
}

static void enter(void)
{
    ck_assert_ptr_nonnull(mkdtemp(root));
    root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root_fd, 0);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void leave(void)
{
    (void)close(root_fd);
    ck_assert_int_eq(nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS), 0);
}

START_TEST(the_state_and_its_owner_are_found)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1 << 20);
    struct dr_request request = machines[_i].request;
    struct dr_context context = { .arena = &arena, .request = &request };

    if (machines[_i].needs_root && geteuid() != 0)
        return;
    for (size_t i = 0; i < MOST && machines[_i].files[i]; i++)
        make(machines[_i].files[i]);
    request.root = root;
    request.root_fd = root_fd;
    request.environment = machines[_i].environment;
    request.proc = "/proc";
    request.uid = geteuid();

    const struct dr_target *target = dr_target(&context);

    ck_assert_msg(strcmp(target->state_dir, machines[_i].state_dir) == 0, "%s: %s", machines[_i].what, target->state_dir);
    ck_assert_msg(strcmp(target->config_path, machines[_i].config_path) == 0, "%s: %s", machines[_i].what,
                  target->config_path);
    ck_assert_msg(strcmp(target->state_dir_from, machines[_i].from) == 0, "%s: %s", machines[_i].what,
                  target->state_dir_from);
    ck_assert_msg(target->fact.state == machines[_i].state, "%s: %d", machines[_i].what, (int)target->fact.state);
    ck_assert_msg(target->fact.state == DR_KNOWN || target->fact.reason, "%s: no reason", machines[_i].what);
    if (machines[_i].uid >= 0)
        ck_assert_msg(target->uid == machines[_i].uid, "%s: uid %u", machines[_i].what, target->uid);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target");
    TCase *cases = tcase_create("machines");

    tcase_add_checked_fixture(cases, enter, leave);
    tcase_add_loop_test(cases, the_state_and_its_owner_are_found, 0, (int)DR_COUNT(machines));
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
