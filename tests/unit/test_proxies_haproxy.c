/* facts/proxies.h: with which files HAProxy is started, by its command line, its unit, and the files that the unit takes its variables from. */
#include "facts/proxies.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/dr-haproxy-XXXXXX";
static struct dr_arena arena = DR_ARENA((size_t)64 << 20);
static struct dr_request request;
static struct dr_context context;

#define UNIT "etc/systemd/system/haproxy.service"
#define DROP_IN "etc/systemd/system/haproxy.service.d/"
#define DEFAULTS "etc/default/haproxy"

static const char *const folders[] = { "etc", "etc/default", "etc/systemd", "etc/systemd/system", DROP_IN };
static const char *const files[] = { UNIT, DROP_IN "10-a.conf", DROP_IN "20-b.conf", DEFAULTS };

static const char *in_root(const char *name)
{
    return dr_arena_format(&arena, "%s/%s", root, name);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(root));
    for (size_t i = 0; i < DR_COUNT(folders); i++)
        ck_assert_int_eq(mkdir(in_root(folders[i]), 0755), 0);
    request = (struct dr_request){ .root = root, .root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), .proc = "/proc" };
    context = (struct dr_context){ .arena = &arena, .request = &request };
}

static void tear_down(void)
{
    for (size_t i = 0; i < DR_COUNT(files); i++)
        (void)unlink(in_root(files[i]));
    for (size_t i = DR_COUNT(folders); i > 0; i--)
        (void)rmdir(in_root(folders[i - 1]));
    (void)close(request.root_fd);
    (void)rmdir(root);
    dr_arena_release(&arena);
}

static const char *joined(const char *const *list)
{
    const char *text = "";

    for (; list && *list; list++)
        text = dr_arena_format(&arena, "%s%s%s", text, *text ? " " : "", *list);
    return list ? text : "-";
}

static const struct {
    const char *texts[4], *list;
} services[] = {
    /* Debian */
    { { "[Service]\nEnvironmentFile=-/etc/default/haproxy\nEnvironment=\"CONFIG=/etc/haproxy/haproxy.cfg\" \"EXTRAOPTS=-S "
        "/x\"\n"
        "ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -p /run/x $EXTRAOPTS\n",
        NULL, NULL, "EXTRAOPTS=\"-S /x -f /etc/haproxy/conf.d -f /etc/b.cfg\"\n" },
      "/etc/haproxy/haproxy.cfg /etc/haproxy/conf.d /etc/b.cfg" },
    { { "[Service]\nEnvironmentFile=-/etc/default/haproxy\nEnvironment=CONFIG=/a.cfg\nExecStart=/usr/sbin/haproxy -Ws -f "
        "$CONFIG $EXTRAOPTS\n",
        NULL, NULL, "CONFIG=/b.cfg\n" },
      "/b.cfg" },
    /* Fedora */
    { { "[Service]\nEnvironment=\"CONFIG=/etc/haproxy/haproxy.cfg\" \"CFGDIR=/etc/haproxy/conf.d\"\n"
        "ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -f ${CFGDIR} -p /run/x $OPTIONS\n" },
      "/etc/haproxy/haproxy.cfg /etc/haproxy/conf.d" },
    /* drop-ins, the later one last */
    { { "[Service]\nExecStart=/usr/sbin/haproxy -f /a.cfg\n",
        "[Service]\nExecStart=\nExecStart=/usr/sbin/haproxy -f /b.cfg\n",
        "[Service]\nExecStart=\nExecStart=/usr/sbin/haproxy -f /c.cfg -W -- /d.cfg /e\n" },
      "/c.cfg /d.cfg /e" },
    /* the init script */
    { { NULL, NULL, NULL, "EXTRAOPTS=\"-f /etc/haproxy/more.cfg\"\n" }, "/etc/haproxy/haproxy.cfg /etc/haproxy/more.cfg" },
    { { NULL, NULL, NULL, "# nothing\n" }, "-" },
    { { NULL }, "-" },
};

START_TEST(services_say_their_files)
{
    const char *from;

    for (size_t i = 0; i < DR_COUNT(files); i++) {
        FILE *file = services[_i].texts[i] ? fopen(in_root(files[i]), "we") : NULL;

        if (!file)
            continue;
        ck_assert_int_ge(fputs(services[_i].texts[i], file), 0);
        ck_assert_int_eq(fclose(file), 0);
    }
    ck_assert_str_eq(joined(dr_haproxy_service_files(&context, &from)), services[_i].list);
}
END_TEST

START_TEST(command_lines)
{
    const char *const words[] = { "haproxy", "-W", "-f", "a", "-p", "/x", "-f", "b", "--", "c", "d", NULL };
    const char *const bad[] = { "haproxy", "-f", NULL };

    ck_assert_str_eq(joined(dr_haproxy_files(&context, words)), "a b c d");
    ck_assert_str_eq(joined(dr_haproxy_files(&context, bad)), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxies-haproxy");
    TCase *cases = tcase_create("proxies-haproxy");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, services_say_their_files, 0, (int)DR_COUNT(services));
    tcase_add_test(cases, command_lines);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
