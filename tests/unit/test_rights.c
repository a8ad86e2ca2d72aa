/* What owner and mode mean: one row for each rule, against a target whose user is 1001 (group 1001, also in group 50). */
#include "api/rights.h"
#include "api/target.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { DIR_ = S_IFDIR, FILE_ = S_IFREG };

static struct dr_target target = {
    .fact = { .state = DR_KNOWN },
    .home = "/home/oc",
    .state_dir = "/home/oc/.openclaw",
    .config_path = "/home/oc/.openclaw/openclaw.json",
    .state_dir_from = "~/.openclaw",
    .uid = 1001,
    .gid = 1001,
    .user = "oc",
};

static char root[] = "/tmp/dr-rights-XXXXXX";
static struct dr_arena arena = DR_ARENA(1024 * 1024);
static struct dr_request request;
static struct dr_context context;

static void write_text(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
    ck_assert_int_eq(mkdir("etc", 0755), 0);
    write_text("etc/passwd",
               "root:x:0:0:r:/root:/bin/sh\noc:x:1001:1001:o:/home/oc:/bin/sh\nbob:x:1002:60:b:/home/bob:/bin/sh\n");
    write_text("etc/group", "root:x:0:\noc:x:1001:\nteam:x:50:oc,bob\nbobs:x:60:oc\nsolo:x:70:oc\n");
    request = (struct dr_request){ .root = root, .root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) };
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target };
}

static void tear_down(void)
{
    close(request.root_fd);
    (void)unlink("etc/passwd");
    (void)unlink("etc/group");
    (void)rmdir("etc");
    (void)rmdir(root);
}

struct row {
    const char *place; /* below the state directory */
    uint32_t type, mode, uid, gid;
    enum dr_tree_kind tree;
    int wanted; /* dr_ownership or dr_mode_fault */
    uint32_t wanted_mode;
    uint32_t parent_mode; /* 0: 0755 */
    bool closed; /* neither group nor others come there */
};

static struct dr_entry entry_of(const struct row *row, struct dr_file_identity *parent)
{
    struct dr_entry entry = { .tree = row->tree, .group_passes = !row->closed, .others_pass = !row->closed };

    entry.path = row->place[0] ? dr_format(&context, "/home/oc/.openclaw/%s", row->place) : "/home/oc/.openclaw";
    entry.name = strrchr(entry.path, '/') + 1;
    for (const char *c = row->place; *c; c++)
        entry.depth += *c == '/';
    entry.depth += row->place[0] != '\0' && row->tree == DR_TREE_STATE;
    entry.identity =
        (struct dr_file_identity){ .mode = row->type | row->mode, .uid = row->uid, .gid = row->gid, .links = 1, .size = 10 };
    *parent = (struct dr_file_identity){ .mode = DIR_ | (row->parent_mode ? row->parent_mode : 0755), .gid = row->gid };
    entry.parent = entry.depth > 0 ? parent : NULL;
    return entry;
}

static const struct row owners[] = {
    { "devices", DIR_, 0755, 1001, 1001, DR_TREE_STATE, DR_OWNER_FINE, 0, 0, false },
    { "devices", DIR_, 0755, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "devices", DIR_, 0777, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "devices", DIR_, 0770, 0, 50, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "devices", DIR_, 0770, 0, 51, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "devices", DIR_, 0707, 0, 50, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false }, /* the group's bits count, not others' */
    { "", DIR_, 0700, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "openclaw.json", FILE_, 0600, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "openclaw.json", FILE_, 0644, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "openclaw.json", FILE_, 0640, 0, 1001, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "identity/device.json", FILE_, 0644, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false }, /* written in place */
    { "state/openclaw.sqlite-wal", FILE_, 0644, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "update-check.json", FILE_, 0644, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "update-check.json", FILE_, 0666, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "devices/paired.json", FILE_, 0644, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false }, /* replaced by rename */
    { "extensions/a", DIR_, 0755, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "extensions/a", DIR_, 0700, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "link", S_IFLNK, 0777, 0, 0, DR_TREE_STATE, DR_OWNER_FINE, 0, 0, false },
    { "pipe", S_IFIFO, 0600, 0, 0, DR_TREE_STATE, DR_OWNER_FINE, 0, 0, false },
    { "openclaw-doctor", DIR_, 0700, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "openclaw-doctor/runs", DIR_, 0700, 0, 0, DR_TREE_STATE, DR_OWNER_HARMLESS, 0, 0, false },
    { "openclaw-doctors", DIR_, 0700, 0, 0, DR_TREE_STATE, DR_OWNER_WRONG, 0, 0, false },
    { "x", DIR_, 0755, 0, 0, DR_TREE_INSTALL, DR_OWNER_HARMLESS, 0, 0, false },
    { "x", DIR_, 0700, 0, 0, DR_TREE_INSTALL, DR_OWNER_WRONG, 0, 0, false },
    { "x", DIR_, 0755, 0, 0, DR_TREE_CACHE, DR_OWNER_WRONG, 0, 0, false },
    { "jiti", DIR_, 0755, 0, 0, DR_TREE_TEMP, DR_OWNER_WRONG, 0, 0, false },
    { "tmp", DIR_, 0755, 0, 0, DR_TREE_TEMP, DR_OWNER_HARMLESS, 0, 0, false }, /* the temp folder itself */
    { "jiti/y", DIR_, 0700, 0, 0, DR_TREE_TEMP, DR_OWNER_HARMLESS, 0, 0, false }, /* inside: another run's own */
};

START_TEST(judges_owners)
{
    const struct row *row = &owners[_i];
    struct dr_file_identity parent;
    struct dr_entry entry = entry_of(row, &parent);

    ck_assert_msg(dr_ownership_of(&context, &entry) == (enum dr_ownership)row->wanted, "row %d (%s %o)", _i, row->place,
                  row->mode);
}
END_TEST

static const struct row modes[] = {
    { "openclaw.json", FILE_, 0600, 1001, 1001, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw.json", FILE_, 0644, 1001, 1001, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "openclaw.json", FILE_, 0644, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "openclaw.json", FILE_, 0640, 1001, 1001, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw.json", FILE_, 0640, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "openclaw.json", FILE_, 0640, 1001, 60, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false }, /* bob's primary group */
    { "openclaw.json", FILE_, 0660, 1001, 70, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false }, /* nobody but oc is in it */
    { "openclaw.json", FILE_, 0660, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 02770, false }, /* meant */
    { "openclaw.json", FILE_, 0664, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0660, 02770, false },
    { "openclaw.json", FILE_, 0646, 1001, 50, DR_TREE_STATE, DR_MODE_WRITABLE, 0600, 0, false },
    { "openclaw.json", FILE_, 0644, 1001, 50, DR_TREE_STATE, DR_MODE_SHUT_IN, 0600, 0, true },
    { "openclaw.json.bak.2", FILE_, 0604, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "credentials/a/b/c", FILE_, 0604, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "agents/main/agent/auth-profiles.json", FILE_, 0604, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "state/openclaw.sqlite-wal", FILE_, 0644, 1001, 50, DR_TREE_STATE, DR_MODE_READABLE, 0600, 0, false },
    { "cron/jobs.json", FILE_, 0644, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "cron/jobs.json", FILE_, 0666, 1001, 50, DR_TREE_STATE, DR_MODE_WRITABLE, 0644, 0, false },
    { "cron/jobs.json", FILE_, 0666, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, true },
    { "", DIR_, 0700, 1001, 1001, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "", DIR_, 0755, 1001, 1001, DR_TREE_STATE, DR_MODE_FOLDER_OPEN, 0700, 0, false },
    { "", DIR_, 0750, 1001, 1001, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "", DIR_, 02770, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "", DIR_, 02775, 1001, 50, DR_TREE_STATE, DR_MODE_FOLDER_OPEN, 02770, 0, false },
    { "", DIR_, 0777, 1001, 50, DR_TREE_STATE, DR_MODE_FOLDER_WRITABLE, 0700, 0, false },
    { "devices", DIR_, 0755, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "devices", DIR_, 0777, 1001, 50, DR_TREE_STATE, DR_MODE_FOLDER_WRITABLE, 0755, 0, false },
    { "tmp", DIR_, 01777, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw.json", FILE_, 0200, 1001, 50, DR_TREE_STATE, DR_MODE_TOO_TIGHT, 0600, 0, false },
    { "openclaw.json", FILE_, 0400, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw.json", FILE_, 0000, 0, 0, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false }, /* an owner's matter */
    { "workspace/.git/objects/aa/bb", FILE_, 0444, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "identity/device.json", FILE_, 0400, 1001, 50, DR_TREE_STATE, DR_MODE_TOO_TIGHT, 0600, 0, false },
    { "devices", DIR_, 0500, 1001, 50, DR_TREE_STATE, DR_MODE_TOO_TIGHT, 0700, 0, false },
    { "extensions/a", DIR_, 0500, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw-doctor/runs/1/backup/0001", FILE_, 0644, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
    { "openclaw.json", FILE_, 0666, 1001, 50, DR_TREE_CACHE, DR_MODE_FINE, 0, 0, false },
    { "link.key", S_IFLNK, 0777, 1001, 50, DR_TREE_STATE, DR_MODE_FINE, 0, 0, false },
};

START_TEST(judges_modes)
{
    const struct row *row = &modes[_i];
    struct dr_file_identity parent;
    struct dr_entry entry = entry_of(row, &parent);
    uint32_t mode = 0;

    ck_assert_msg(dr_mode_fault_of(&context, &entry, &mode) == (enum dr_mode_fault)row->wanted, "row %d (%s %o): %d", _i,
                  row->place, row->mode, (int)dr_mode_fault_of(&context, &entry, &mode));
    ck_assert_msg(mode == row->wanted_mode, "row %d (%s %o): mode %o", _i, row->place, row->mode, mode);
}
END_TEST

START_TEST(keeps_what_the_user_needs)
{
    struct row row = { "openclaw.json", FILE_, 0644, 0, 0, DR_TREE_STATE, 0, 0, 0, false };
    struct dr_file_identity parent;
    struct dr_entry entry = entry_of(&row, &parent);

    ck_assert(!dr_mode_keeps_use(&context, &entry, 0600));
    ck_assert(dr_mode_keeps_use(&context, &entry, 0604));
    entry.identity.uid = 1001;
    ck_assert(dr_mode_keeps_use(&context, &entry, 0600));
}
END_TEST

START_TEST(knows_what_a_repair_must_not_touch)
{
    struct row row = { "openclaw.json", FILE_, 0644, 0, 0, DR_TREE_STATE, 0, 0, 0, false };
    struct dr_file_identity parent;
    struct dr_entry entry = entry_of(&row, &parent);

    ck_assert_int_eq(dr_entry_repairable(&entry), DR_REPAIRABLE);
    ck_assert_ptr_null(dr_entry_oddity(&context, &entry));
    entry.identity.links = 2;
    ck_assert_int_eq(dr_entry_repairable(&entry), DR_HARD_LINKED);
    entry.identity.links = 1;
    entry.other_mount = true;
    ck_assert_int_eq(dr_entry_repairable(&entry), DR_OTHER_MOUNT);
    entry.identity.mode = S_IFCHR | 0600;
    ck_assert_int_eq(dr_entry_repairable(&entry), DR_NOT_PLAIN);
    ck_assert_str_eq(dr_entry_oddity(&context, &entry), "a device");
    entry.identity.mode = S_IFIFO | 0600;
    ck_assert_str_eq(dr_entry_oddity(&context, &entry), "a FIFO (a named pipe)");
    entry.identity.mode = DIR_ | 0700;
    ck_assert_str_eq(dr_entry_oddity(&context, &entry), "a folder");
    row.place = "odd\xff";
    entry = entry_of(&row, &parent);
    ck_assert_int_eq(dr_entry_repairable(&entry), DR_ODD_NAME);
    entry.identity.mode = S_IFIFO | 0600;
    ck_assert_ptr_null(dr_entry_oddity(&context, &entry)); /* a FIFO of the user's own */
}
END_TEST

START_TEST(a_configuration_elsewhere_counts_as_one)
{
    struct dr_entry entry = { .tree = DR_TREE_STATE, .path = "/etc/oc/my.json5", .depth = 1, .others_pass = true };
    uint32_t mode;

    entry.identity = (struct dr_file_identity){ .mode = FILE_ | 0604, .uid = 1001, .gid = 1001, .links = 1, .size = 2 };
    ck_assert_str_eq(dr_entry_in_state(&context, &entry), "openclaw.json");
    ck_assert_int_eq(dr_mode_fault_of(&context, &entry, &mode), DR_MODE_READABLE);
    entry.tree = DR_TREE_TEMP;
    ck_assert_ptr_null(dr_entry_in_state(&context, &entry));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rights");
    TCase *tcase = tcase_create("rights");
    SRunner *runner;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, judges_owners, 0, (int)DR_COUNT(owners));
    tcase_add_loop_test(tcase, judges_modes, 0, (int)DR_COUNT(modes));
    tcase_add_test(tcase, keeps_what_the_user_needs);
    tcase_add_test(tcase, knows_what_a_repair_must_not_touch);
    tcase_add_test(tcase, a_configuration_elsewhere_counts_as_one);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
