/* The walk: what it visits, what it does not enter, how deep it comes, and what it costs. */
#include "facts/tree_walk.h"

#include "base/cleanup.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[] = "/tmp/dr-walk-XXXXXX";

struct seen {
    unsigned entries, folders, deepest, unreadable, parents;
    bool odd_name, link, entered_link, fifo, two_links, closed_passes;
    uint64_t device;
};

static void count(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct seen *seen = state;
    struct stat st;

    (void)context;
    seen->entries++;
    seen->folders += S_ISDIR(entry->identity.mode);
    seen->unreadable += entry->unreadable != NULL;
    seen->parents += entry->parent != NULL && S_ISDIR(entry->parent->mode);
    if (entry->depth > seen->deepest)
        seen->deepest = entry->depth;
    seen->odd_name |= strcmp(entry->name, "new\nline\xff") == 0;
    seen->link |= S_ISLNK(entry->identity.mode);
    seen->fifo |= S_ISFIFO(entry->identity.mode);
    seen->two_links |= S_ISREG(entry->identity.mode) && entry->identity.links == 2;
    if (entry->depth < 100) { /* deeper the tests themselves would be slow, and the path too long for lstat */
        seen->entered_link |= strstr(entry->path, "link/") != NULL;
        seen->closed_passes |= strstr(entry->path, "closed/") != NULL && entry->others_pass;
        ck_assert_int_eq(lstat(entry->path, &st), 0);
        ck_assert_uint_eq(st.st_ino, entry->identity.inode);
        ck_assert_uint_eq(st.st_dev, entry->identity.device);
        ck_assert_str_eq(strrchr(entry->path, '/') + 1, entry->name);
    }
}

static int walk(unsigned deepest, struct seen *ret_seen)
{
    struct dr_walk walk = { .root_fd = AT_FDCWD, .path = folder, .deepest = deepest, .visit = count, .state = ret_seen };

    *ret_seen = (struct seen){ 0 };
    return dr_walk_run(&walk);
}

static void touch(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void set_up(void)
{
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void tear_down(void)
{
    /* The removal is the test's own business, not the program's: a plain rm that knows deep trees. */
    char command[64];

    ck_assert_int_eq(chdir("/"), 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): a fixed text */
}

static unsigned open_descriptors(void)
{
    unsigned found = 0;

    for (int fd = 0; fd < 256; fd++)
        found += fcntl(fd, F_GETFD) >= 0;
    return found;
}

START_TEST(visits_every_kind_and_follows_no_link)
{
    struct seen seen;
    unsigned before = open_descriptors();

    ck_assert_int_eq(mkdir("sub", 0755), 0);
    touch("sub/new\nline\xff");
    ck_assert_int_eq(symlink("/usr", "link"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    touch("one");
    ck_assert_int_eq(link("one", "two"), 0);
    ck_assert_int_eq(mkdir("closed", 0700), 0);
    touch("closed/secret");

    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_uint_eq(seen.entries, 9);
    ck_assert_uint_eq(seen.folders, 3);
    ck_assert_uint_eq(seen.parents, 8);
    ck_assert(seen.odd_name && seen.link && seen.fifo && seen.two_links);
    ck_assert(!seen.entered_link && !seen.closed_passes);
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(stops_at_the_depth_asked_for)
{
    struct seen seen;

    ck_assert_int_eq(mkdir("a", 0755), 0);
    ck_assert_int_eq(mkdir("a/b", 0755), 0);
    touch("a/b/c");
    ck_assert_int_eq(walk(0, &seen), 0);
    ck_assert_uint_eq(seen.entries, 1);
    ck_assert_int_eq(walk(1, &seen), 0);
    ck_assert_uint_eq(seen.entries, 2);
    ck_assert_int_eq(walk(2, &seen), 0);
    ck_assert_uint_eq(seen.entries, 3);
    ck_assert_uint_eq(seen.unreadable, 0);
}
END_TEST

/* Deeper than descriptors last; siblings behind the deep folder must still be met after the way back. */
static void grow(unsigned depth)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (unsigned i = 0; i < depth; i++) {
        ck_assert_int_eq(mkdirat(fd, "deep", 0755), 0);
        if (i % 100 == 0)
            ck_assert_int_eq(mkdirat(fd, "side", 0755), 0);
        int next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(next, 0);
        close(fd);
        fd = next;
    }
    close(fd);
}

START_TEST(comes_a_thousand_deep_with_few_descriptors)
{
    struct rlimit few = { 64, 64 };
    struct seen seen;
    unsigned before = open_descriptors();

    grow(1000);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_uint_eq(seen.deepest, 1000);
    ck_assert_uint_eq(seen.folders, 1000 + 10 + 1);
    ck_assert_uint_eq(seen.unreadable, 0);
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(says_so_where_it_does_not_go_deeper)
{
    struct seen seen;

    grow(DR_WALK_DEEPEST + 200);
    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_uint_eq(seen.deepest, DR_WALK_DEEPEST);
    ck_assert_uint_eq(seen.unreadable, 1);
}
END_TEST

/* Folders many enough for several chunks at each of some levels. */
START_TEST(meets_every_folder_of_a_wide_tree)
{
    struct seen seen;
    char name[64];

    for (unsigned i = 0; i < 2500; i++) {
        (void)snprintf(name, sizeof(name), "a-folder-with-a-rather-long-name-%u", i);
        ck_assert_int_eq(mkdir(name, 0755), 0);
        (void)snprintf(name, sizeof(name), "a-folder-with-a-rather-long-name-%u/f", i);
        touch(name);
    }
    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_uint_eq(seen.entries, 5001);
}
END_TEST

START_TEST(tells_what_cannot_be_entered)
{
    struct seen seen;

    ck_assert_int_eq(mkdir("closed", 0700), 0);
    ck_assert_int_eq(chmod("closed", 0), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(folder, 0755), 0);
        ck_assert_int_eq(setegid(65534), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_uint_eq(seen.entries, 2);
    ck_assert_uint_eq(seen.unreadable, 1);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(does_not_follow_a_root_that_is_a_link)
{
    struct seen seen = { 0 };
    struct dr_walk walk = { .root_fd = AT_FDCWD, .deepest = DR_WALK_WHOLE, .visit = count, .state = &seen };
    char path[64];

    ck_assert_int_eq(symlink("/usr", "link"), 0);
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    walk.path = path;
    ck_assert_int_eq(dr_walk_run(&walk), 0);
    ck_assert_uint_eq(seen.entries, 1);
    ck_assert_uint_eq(seen.unreadable, 1);
    walk.path = "/nonexistent/folder";
    ck_assert_int_eq(dr_walk_run(&walk), -ENOENT);
}
END_TEST

/* An absolute link in the middle of a path means a place below the root, wherever the same name leads outside. */
static void count_only(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    (void)context;
    ck_assert_ptr_null(entry->unreadable);
    ++*(unsigned *)state;
}

START_TEST(stays_inside_the_root)
{
    unsigned seen = 0;
    _cleanup_close_ int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct dr_walk walk = {
        .root_fd = root, .path = "/usr-here/sub", .visit = count_only, .state = &seen, .deepest = DR_WALK_WHOLE
    };

    ck_assert_int_eq(symlink("/usr", "usr-here"), 0);
    ck_assert_int_eq(dr_walk_run(&walk), -ENOENT);
    ck_assert_int_eq(mkdir("usr", 0755), 0);
    ck_assert_int_eq(mkdir("usr/sub", 0755), 0);
    touch("usr/sub/file");
    ck_assert_int_eq(dr_walk_run(&walk), 0);
    ck_assert_uint_eq(seen, 2);
}
END_TEST

START_TEST(visits_a_single_file_with_its_folder)
{
    struct seen seen = { 0 };
    struct dr_walk walk = { .root_fd = AT_FDCWD, .deepest = 1, .visit = count, .state = &seen };
    char path[64];

    touch("config");
    touch("other");
    (void)snprintf(path, sizeof(path), "%s/config", folder);
    walk.path = path;
    ck_assert_int_eq(dr_walk_single(&walk), 0);
    ck_assert_uint_eq(seen.entries, 1);
    ck_assert_uint_eq(seen.parents, 1);
    ck_assert_uint_eq(seen.deepest, 1);
}
END_TEST

START_TEST(leaves_access_times_alone)
{
    struct seen seen;
    struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000001 } };
    struct stat st;

    ck_assert_int_eq(mkdir("sub", 0755), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, "sub", old, 0), 0);
    ck_assert_int_eq(walk(DR_WALK_WHOLE, &seen), 0);
    ck_assert_int_eq(stat("sub", &st), 0);
    ck_assert_int_eq(st.st_atim.tv_sec, 1000000000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tree_walk");
    TCase *tcase = tcase_create("walk");
    SRunner *runner;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, visits_every_kind_and_follows_no_link);
    tcase_add_test(tcase, stops_at_the_depth_asked_for);
    tcase_add_test(tcase, comes_a_thousand_deep_with_few_descriptors);
    tcase_add_test(tcase, says_so_where_it_does_not_go_deeper);
    tcase_add_test(tcase, meets_every_folder_of_a_wide_tree);
    tcase_add_test(tcase, tells_what_cannot_be_entered);
    tcase_add_test(tcase, does_not_follow_a_root_that_is_a_link);
    tcase_add_test(tcase, stays_inside_the_root);
    tcase_add_test(tcase, visits_a_single_file_with_its_folder);
    tcase_add_test(tcase, leaves_access_times_alone);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
