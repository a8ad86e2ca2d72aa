/*
 * DR_RUN_COMMAND with real programs: nginx tests and reloads a configuration of a scratch folder, and a group that it does not like is
 * taken back byte for byte. What the closed table does not allow, and programs in the wrong hands, are never run.
 */
#include "repair/command.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NGINX "/usr/sbin/nginx"

static char *home, *state, *conf_dir, *conf;
static struct dr_repair_target target;
static const char *allowed[2];

static char *in(const char *folder, const char *name)
{
    char *path = dr_path_join(folder, name);

    ck_assert_ptr_nonnull(path);
    return path;
}

static int shell_status(const char *command)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void shell(const char *command)
{
    ck_assert_msg(shell_status(command) == 0, "%s", command);
}

static const char nginx_conf[] =
    "daemon on;\npid pid;\nerror_log error.log;\nworker_processes 1;\n# keep me\n"
    "events { }\nhttp {\n  access_log off;\n  client_body_temp_path tmp;\n  proxy_temp_path tmp;\n"
    "  fastcgi_temp_path tmp;\n  uwsgi_temp_path tmp;\n  scgi_temp_path tmp;\n"
    "  server { listen unix:sock; location / { return 200 old; } }\n}\n";

static void setup(void)
{
    const char *base = getenv("TMPDIR");

    ck_assert_int_ge(asprintf(&home, "%s/dr-command-XXXXXX", base ? base : "/tmp"), 0);
    ck_assert_ptr_nonnull(mkdtemp(home));
    state = in(home, ".openclaw");
    conf_dir = in(home, "nginx");
    conf = in(conf_dir, "nginx.conf");
    ck_assert_int_eq(setenv("STATE", state, 1), 0);
    ck_assert_int_eq(setenv("HOMEDIR", home, 1), 0);
    ck_assert_int_eq(setenv("CONF", nginx_conf, 1), 0);
    shell("umask 022; mkdir -m 700 $STATE && mkdir $HOMEDIR/nginx && chmod 755 $HOMEDIR &&"
          "printf '%s' \"$CONF\" | sed \"s,unix:sock,unix:$HOMEDIR/nginx/sock,\" > $HOMEDIR/nginx/nginx.conf");
    target = (struct dr_repair_target){
        .root_fd = AT_FDCWD,
        .state_dir = state,
        .home = home,
        .uid = geteuid(),
        .gid = getegid(),
        .tool_version = "test",
        .allowed = allowed,
    };
    allowed[0] = conf_dir;
}

static void teardown(void)
{
    (void)shell_status("test -s $HOMEDIR/nginx/pid && kill $(cat $HOMEDIR/nginx/pid) && sleep 0.1; rm -rf \"$HOMEDIR\"");
    free(conf);
    free(conf_dir);
    free(state);
    free(home);
}

/* --- operations ----------------------------------------------------------------------------------------------------- */

static struct dr_operation run_of(struct dr_command *command)
{
    return (struct dr_operation){ .kind = DR_RUN_COMMAND, .path = command->program, .command = command };
}

static struct dr_edit change;
static char judged_hash[DR_SHA256_HEX];

/* Replaces the first `old` of nginx.conf. */
static struct dr_operation edit_of(const char *old, const char *new)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);
    struct dr_operation op = {
        .kind = DR_EDIT_FILE, .path = conf, .edits = &change, .edit_count = 1, .sha256 = judged_hash
    };

    ck_assert_int_eq(dr_read_file(AT_FDCWD, conf, &text, &op.judged), 0);
    ck_assert_int_eq(dr_sha256_hex(text.data, text.length, judged_hash), 0);
    const char *at = strstr(dr_buffer_text(&text), old);

    ck_assert_ptr_nonnull(at);
    change = (struct dr_edit){
        .offset = (uint64_t)(at - text.data), .length = strlen(old), .text = new, .text_length = strlen(new)
    };
    return op;
}

static char *content(void)
{
    struct dr_buffer text = DR_BUFFER(1 << 20);

    ck_assert_int_eq(dr_read_file(AT_FDCWD, conf, &text, NULL), 0);
    return dr_buffer_take(&text);
}

static char *kept[8];

/* One group. With `then_back` it is rolled back, as after a second look that was not content. */
static int run_group(struct dr_operation *ops, size_t count, struct dr_repair_result *results, bool then_back, int end)
{
    struct dr_repair_run *run = NULL;
    _cleanup_error_ struct dr_error error = { 0 };
    static const unsigned groups[8];
    int r = dr_repair_begin(&target, NULL, &run, NULL, &error);

    ck_assert_msg(r == 0, "%s", dr_error_text(&error));
    for (size_t i = 0; i < count; i++)
        ops[i].id = (unsigned)i + 1;
    r = dr_repair_apply(run, ops, groups, count, results, &error);
    ck_assert_msg(r >= 0, "%s", dr_error_text(&error));
    if (then_back)
        r = dr_repair_roll_back(run, 0, "looked again", results, &error);
    for (size_t i = 0; i < count; i++) {
        free(kept[i]);
        kept[i] = results[i].reason ? strdup(results[i].reason) : NULL;
        results[i].reason = kept[i];
    }
    ck_assert_int_eq(dr_repair_end(run, &error), end);
    return r;
}

static int undo(bool force, char **ret_report)
{
    _cleanup_error_ struct dr_error error = { 0 };
    cJSON *report = NULL;
    int r = dr_repair_undo(&target, NULL, force, &report, &error);

    if (ret_report)
        *ret_report = report ? cJSON_PrintUnformatted(report) : NULL;
    cJSON_Delete(report);
    return r;
}

static struct dr_command nginx(const char *name, unsigned when)
{
    return (struct dr_command){ .name = name, .program = NGINX, .words = { conf, conf_dir }, .when = when };
}

/* What the server answers now. */
static void expect_answer(const char *words)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char answer[1024];
    int length;

    ck_assert_int_lt(snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", conf_dir),
                     (int)sizeof(address.sun_path));
    for (int i = 0; i < 100; i++) { /* a reload takes effect a moment later */
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_gt(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 0);
        length = (int)recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL);
        (void)close(fd);
        answer[length > 0 ? length : 0] = '\0';
        if (strstr(answer, words))
            return;
        (void)usleep(30000);
    }
    ck_abort_msg("%s, not %s", answer, words);
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

START_TEST(every_row_makes_a_command_that_survives_the_wire)
{
    static const char *const fit[] = {
        [DR_WORD_NONE] = NULL,  [DR_WORD_FILE] = "/etc/a b/c",    [DR_WORD_PATH] = "/x",   [DR_WORD_UNIT] = "a@b.service",
        [DR_WORD_USER] = "u-1", [DR_WORD_ADDRESS] = "[::1]:2019", [DR_WORD_NUMBER] = "12",
    };
    const struct dr_command_row *row;

    for (size_t i = 0; (row = dr_command_at(i)); i++) {
        _cleanup_arena_ struct dr_arena arena = DR_ARENA(1 << 16);
        _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(1 << 16), again = DR_BUFFER(1 << 16);
        _cleanup_error_ struct dr_error error = { 0 };
        _cleanup_free_ char *program = NULL;
        struct dr_command command = { .name = row->name, .when = DR_COMMAND_ON_UNDO }, back;

        ck_assert_ptr_eq(dr_command_find(row->name), row);
        ck_assert_int_ge(asprintf(&program, "/x/%.*s", (int)strcspn(row->programs, " "), row->programs), 0);
        command.program = program;
        for (size_t w = 0; w < DR_COMMAND_WORDS; w++)
            command.words[w] = fit[row->words[w]];
        ck_assert_msg(dr_command_check(&command, &error) == 0, "%s: %s", row->name, dr_error_text(&error));
        ck_assert_int_eq(dr_command_line(&command, &line), 0);
        ck_assert_ptr_null(strchr(dr_buffer_text(&line), '{'));
        ck_assert_ptr_null(strchr(dr_buffer_text(&line), '?'));
        ck_assert(row->signal != 0 || row->seconds > 0);

        _cleanup_json_ cJSON *json = dr_command_to_json(&command);

        ck_assert_int_eq(dr_command_from_json(json, program, &arena, &back, &error), 0);
        ck_assert_int_eq(dr_command_line(&back, &again), 0);
        ck_assert_str_eq(dr_buffer_text(&line), dr_buffer_text(&again));
        ck_assert_uint_eq(back.when, DR_COMMAND_ON_UNDO);
    }
}
END_TEST

START_TEST(only_what_the_table_allows_is_a_command)
{
    static const struct dr_command bad[] = {
        { "rm", "/bin/rm", { "/" }, 1 },
        { "nginx-test", "/bin/sh", { "/c" }, 1 },
        { "nginx-test", "nginx", { "/c" }, 1 },
        { "nginx-test", "/usr/../nginx", { "/c" }, 1 },
        { "nginx-test", NGINX, { NULL }, 1 },
        { "nginx-test", NGINX, { NULL, "/c" }, 1 },
        { "nginx-test", NGINX, { "/c", "/d", "/e" }, 1 },
        { "nginx-test", NGINX, { "-g" }, 1 },
        { "nginx-test", NGINX, { "etc/nginx.conf" }, 1 },
        { "nginx-test", NGINX, { "/etc/../x" }, 1 },
        { "nginx-test", NGINX, { "/etc/x\ny" }, 1 },
        { "nginx-test", NGINX, { "/etc/\xff" }, 1 },
        { "nginx-test", NGINX, { "" }, 1 },
        { "nginx-test", NGINX, { "/c" }, 0 },
        { "nginx-test", NGINX, { "/c" }, 4 },
        { "systemctl-restart", "/usr/bin/systemctl", { "--now" }, 1 },
        { "systemctl-restart", "/usr/bin/systemctl", { "a b.service" }, 1 },
        { "systemctl-restart", "/usr/bin/systemctl", { "x.service;y.service" }, 1 },
        { "systemctl-restart", "/usr/bin/systemctl", { "../x.service" }, 1 },
        { "systemctl-restart", "/usr/bin/systemctl", { "sleep.target" }, 1 },
        { "systemctl-restart", "/usr/bin/systemctl", { ".service" }, 1 },
        { "systemctl-daemon-reload", "/usr/bin/systemctl", { "x.service" }, 1 },
        { "linger-enable", "/usr/bin/loginctl", { "-x" }, 1 },
        { "linger-enable", "/usr/bin/loginctl", { "a b" }, 1 },
        { "caddy-reload", "/usr/bin/caddy", { "/c", "example.com:80" }, 1 },
        { "caddy-reload", "/usr/bin/caddy", { "/c", "127.0.0.1:80/x" }, 1 },
        { "caddy-reload", "/usr/bin/caddy", { "/c", "localhost:" }, 1 },
        { "caddy-reload", "/usr/bin/caddy", { "/c", "unix/x" }, 1 },
        { "haproxy-signal", "/usr/sbin/haproxy", { "1" }, 1 },
        { "haproxy-signal", "/usr/sbin/haproxy", { "0", "1" }, 1 },
        { "haproxy-signal", "/usr/sbin/haproxy", { "-1", "1" }, 1 },
    };
    _cleanup_error_ struct dr_error error = { 0 };

    ck_assert_msg(dr_command_check(&bad[_i], &error) == -EINVAL, "%s", bad[_i].name);
    ck_assert_ptr_nonnull(error.text);
}
END_TEST

enum { BAD_COMMANDS = 31 };

START_TEST(a_command_is_shown_as_it_would_be_typed)
{
    static const struct {
        struct dr_command command;
        const char *line;
    } cases[] = {
        { { "nginx-test", NGINX, { "/etc/nginx/nginx.conf" }, 1 }, "/usr/sbin/nginx -t -c /etc/nginx/nginx.conf" },
        { { "nginx-reload", NGINX, { "/a'b/c d", "/p" }, 1 }, "/usr/sbin/nginx -s reload -c '/a'\\''b/c d' -p /p" },
        { { "caddy-reload", "/usr/bin/caddy", { "/c" }, 1 },
          "HOME=/dev/null /usr/bin/caddy reload --config /c --adapter caddyfile" },
        { { "caddy-reload", "/usr/bin/caddy", { "/c", "unix//run/caddy" }, 1 },
          "HOME=/dev/null /usr/bin/caddy reload --config /c --adapter caddyfile --address unix//run/caddy" },
        { { "haproxy-signal", "/usr/sbin/haproxy", { "7", "8" }, 1 }, "kill -USR2 7" },
        { { "gateway-install", "/usr/bin/node", { "/o/openclaw.mjs" }, 1 },
          "/usr/bin/node /o/openclaw.mjs gateway install --force" },
        { { "gateway-install", "/usr/bin/node", { "/o/openclaw.mjs", "/s t" }, 1 },
          "OPENCLAW_STATE_DIR='/s t' /usr/bin/node /o/openclaw.mjs gateway install --force" },
        { { "systemctl-user-restart", "/bin/systemctl", { "openclaw-gateway.service" }, 1 },
          "/bin/systemctl --user restart openclaw-gateway.service" },
    };

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        _cleanup_buffer_ struct dr_buffer line = DR_BUFFER(1 << 16);

        ck_assert_int_eq(dr_command_check(&cases[i].command, NULL), 0);
        ck_assert_int_eq(dr_command_line(&cases[i].command, &line), 0);
        ck_assert_str_eq(dr_buffer_text(&line), cases[i].line);
    }
}
END_TEST

/* --- nginx ----------------------------------------------------------------------------------------------------------- */

START_TEST(an_edit_that_nginx_does_not_like_is_taken_back_byte_for_byte)
{
    _cleanup_free_ char *before = content(), *after = NULL;
    struct dr_command reload_back = nginx("nginx-reload", DR_COMMAND_ON_UNDO), test = nginx("nginx-test", 1),
                      reload = nginx("nginx-reload", 1);
    struct dr_operation ops[] = { run_of(&reload_back), edit_of("return 200 old", "retrun 200 new"), run_of(&test),
                                  run_of(&reload) };
    struct dr_repair_result results[4];

    ck_assert_int_eq(run_group(ops, 4, results, false, 0), 2);
    ck_assert_int_eq(results[0].status, DR_REPAIR_ROLLED_BACK); /* nothing was reloaded, so nothing is: no nginx runs here */
    ck_assert_int_eq(results[1].status, DR_REPAIR_ROLLED_BACK);
    ck_assert_int_eq(results[2].status, DR_REPAIR_FAILED);
    ck_assert_int_eq(results[3].status, DR_REPAIR_REFUSED);
    ck_assert_ptr_nonnull(strstr(results[2].reason, "unknown directive \"retrun\""));
    ck_assert_ptr_nonnull(strstr(results[2].reason, "nginx.conf:14"));
    after = content();
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(undo(false, NULL), -ENOENT);
}
END_TEST

START_TEST(a_reload_goes_there_and_back)
{
    _cleanup_free_ char *before = content(), *after = NULL;
    struct dr_command reload_back = nginx("nginx-reload", DR_COMMAND_ON_UNDO), test = nginx("nginx-test", 1),
                      reload = nginx("nginx-reload", 1);
    struct dr_operation ops[] = { run_of(&reload_back), edit_of("return 200 old", "return 200 new"), run_of(&test),
                                  run_of(&reload) };
    struct dr_repair_result results[4];

    shell(NGINX " -c $HOMEDIR/nginx/nginx.conf -p $HOMEDIR/nginx");
    expect_answer("old");
    ck_assert_msg(run_group(ops, 4, results, false, 0) == 0, "%s", results[2].reason);
    expect_answer("new");
    ck_assert_int_eq(undo(false, NULL), 0);
    after = content();
    ck_assert_str_eq(before, after);
    expect_answer("old");

    ops[1] = edit_of("return 200 old", "return 200 other");
    ck_assert_int_eq(run_group(ops, 4, results, true, 0), 0);
    expect_answer("old");
}
END_TEST

START_TEST(a_signal_reaches_that_process_and_no_other)
{
    char pid[32], ticks[32];
    struct dr_command test = nginx("nginx-test", 1);
    struct dr_command hup = { "nginx-signal", NGINX, { pid, ticks }, DR_COMMAND_FORWARD };
    struct dr_repair_result results[3];

    shell(NGINX " -c $HOMEDIR/nginx/nginx.conf -p $HOMEDIR/nginx &&"
                "cd $HOMEDIR/nginx && cut -d' ' -f22 /proc/$(cat pid)/stat > ticks");
    expect_answer("old");
    for (int i = 0; i < 2; i++) {
        _cleanup_free_ char *path = in(conf_dir, i == 0 ? "pid" : "ticks");
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(100);

        ck_assert_int_eq(dr_read_file(AT_FDCWD, path, &text, NULL), 0);
        (void)snprintf(i == 0 ? pid : ticks, sizeof(pid), "%.*s", (int)strcspn(dr_buffer_text(&text), "\n"),
                       dr_buffer_text(&text));
    }
    struct dr_operation ops[] = { edit_of("return 200 old", "return 200 new"), run_of(&test), run_of(&hup) };

    ck_assert_msg(run_group(ops, 3, results, false, 0) == 0, "%s", results[2].reason);
    expect_answer("new");
    (void)snprintf(ticks, sizeof(ticks), "1");
    ck_assert_int_eq(run_group(&ops[2], 1, results, false, 0), 1);
    ck_assert_ptr_nonnull(strstr(results[0].reason, "another one by now"));
    (void)snprintf(pid, sizeof(pid), "%d", getpid());
    shell("cut -d' ' -f22 /proc/$PPID/stat > $HOMEDIR/ticks");
    ck_assert_int_eq(run_group(&ops[2], 1, results, false, 0), 1);
}
END_TEST

START_TEST(a_reload_that_fails_while_taking_back_says_what_to_type)
{
    _cleanup_free_ char *before = content(), *after = NULL, *report = NULL;
    struct dr_command reload_back = nginx("nginx-reload", DR_COMMAND_ON_UNDO);
    struct dr_operation ops[] = { run_of(&reload_back), edit_of("return 200 old", "return 200 new") };
    struct dr_repair_result results[2];

    /* No nginx runs: the file comes back, the reload cannot be. */
    ck_assert_int_eq(run_group(ops, 2, results, true, -EUCLEAN), 3);
    ck_assert_int_eq(results[0].status, DR_REPAIR_STUCK);
    ck_assert_int_eq(results[1].status, DR_REPAIR_ROLLED_BACK);
    ck_assert_ptr_nonnull(strstr(results[0].reason, "run `/usr/sbin/nginx -s reload -c "));
    ck_assert_ptr_nonnull(strstr(results[0].reason, "by hand"));
    after = content();
    ck_assert_str_eq(before, after);

    /* The next start tries once more, tells, and is done with it. */
    struct dr_repair_run *run;
    _cleanup_free_ char *settled = NULL;

    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, &settled, NULL), 0);
    ck_assert_ptr_nonnull(strstr(settled, "One thing is left to do: run `/usr/sbin/nginx -s reload"));
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);

    ops[1] = edit_of("return 200 old", "return 200 new"); /* what came back is another inode */
    ck_assert_int_eq(run_group(ops, 2, results, false, 0), 0);
    ck_assert_int_eq(undo(false, &report), 0);
    ck_assert_ptr_nonnull(strstr(report, "\"refused\":[{\"kind\":\"run-command\""));
}
END_TEST

/* --- root, in a user's home: what is root's is taken back on root's own word (custody.h) ------------------------------- */

enum { USER = 61001 };

static char *custody;

/* For the shell: root's record of the run, and what root keeps for it. */
#define RECORD "$(find $HOMEDIR/custody -maxdepth 1 -name '*Z-*' ! -name '*.kept')"
#define VAULT "$(find $HOMEDIR/custody -maxdepth 1 -name '*.kept')"

/* A repair of root's nginx for a user's home. */
static void repair_for_user(void)
{
    struct dr_command reload_back = nginx("nginx-reload", DR_COMMAND_ON_UNDO), test = nginx("nginx-test", 1),
                      reload = nginx("nginx-reload", 1);
    struct dr_operation ops[] = { run_of(&reload_back), edit_of("return 200 old", "return 200 new"), run_of(&test),
                                  run_of(&reload) };
    struct dr_repair_result results[4];

    free(custody);
    custody = in(home, "custody");
    target.uid = target.gid = USER;
    target.custody_dir = custody;
    shell("chown 61001:61001 $STATE");
    shell(NGINX " -c $HOMEDIR/nginx/nginx.conf -p $HOMEDIR/nginx");
    ck_assert_msg(run_group(ops, 4, results, false, 0) == 0, "%s", results[2].reason);
    expect_answer("new");
}

START_TEST(root_undoes_what_is_roots)
{
    _cleanup_free_ char *before = content(), *after = NULL, *report = NULL;

    if (geteuid() != 0)
        return;
    repair_for_user();
    shell("test $(stat -c %a%u $HOMEDIR/custody) = 7000 && test $(stat -c %a " RECORD ") = 600 &&"
          "test $(stat -c %a%u " VAULT ") = 7000 && test -f " VAULT
          "/backup/0002 && test ! -e $STATE/openclaw-doctor/runs/*/backup");
    int r = undo(false, &report);

    ck_assert_msg(r == 0 && strstr(report, "\"refused\":[]"), "%s", report);
    after = content();
    ck_assert_str_eq(before, after);
    expect_answer("old");
    shell("test $(ls -d $HOMEDIR/custody/*) = " VAULT); /* no record is left; what was kept stays */
}
END_TEST

/* A folder and a file in it, both root's: gone again when root undoes, left when the journal says another word than root's record. */
static void make_for_user(void)
{
    _cleanup_free_ char *folder = in(home, "nginx/made.d"), *file = in(home, "nginx/made.d/one.conf");
    struct dr_operation ops[] = {
        { .kind = DR_MAKE_DIRECTORY, .path = folder, .mode = 0755 },
        { .kind = DR_WRITE_FILE, .path = file, .content = "one\n", .content_length = 4, .mode = 0644 },
    };
    struct dr_repair_result results[2];

    free(custody);
    custody = in(home, "custody");
    target.uid = target.gid = USER;
    target.custody_dir = custody;
    shell("chown 61001:61001 $STATE");
    ck_assert_msg(run_group(ops, 2, results, false, 0) == 0, "%s", results[0].reason);
    shell("test $(stat -c %u $HOMEDIR/nginx/made.d/one.conf) = 0");
}

START_TEST(root_takes_away_what_it_made)
{
    _cleanup_free_ char *report = NULL;

    if (geteuid() != 0)
        return;
    make_for_user();
    int r = undo(false, &report);

    ck_assert_msg(r == 0 && strstr(report, "\"refused\":[]"), "%s", report);
    shell("test ! -e $HOMEDIR/nginx/made.d");
}
END_TEST

START_TEST(root_takes_nothing_away_on_a_users_word)
{
    _cleanup_free_ char *report = NULL;

    if (geteuid() != 0)
        return;
    make_for_user();
    shell("echo two > $HOMEDIR/nginx/nothing && sed -i 's/made.d.one.conf/nothing/g' "
          "$STATE/openclaw-doctor/runs/*/journal.jsonl");
    (void)undo(true, &report);
    shell("test -e $HOMEDIR/nginx/made.d/one.conf && test -e $HOMEDIR/nginx/nothing");
    ck_assert_msg(!report || !strstr(report, "\"undone\":[{"), "%s", report);
}
END_TEST

/* What a user may do to his journal and what else may go wrong: root's file stays as it is, and is told. */
static const char *const tampered[] = {
    "sed -i 's/return 200/return 201/; s/nginx-reload/nginx-test/' $RUN/journal.jsonl",
    "sed -i '2d' $RUN/journal.jsonl",
    "truncate -s -40 $RUN/journal.jsonl",
    "printf 'evil' > " VAULT "/backup/0002",
    "rm " VAULT "/backup/0002",
    "rm -r " VAULT,
    "chmod 750 " VAULT,
    "chown 61001 " VAULT,
    "mkdir -p $RUN/backup && mv " VAULT "/backup/0002 $RUN/backup/0002",
    "sed -i 's/,\"vault\":true//' $RUN/journal.jsonl",
    "mv $RUN $RUN-other", /* a journal under a name that root has no record of */
    "cp -a $RUN $RUN.x && rm -r $RUN && mv $RUN.x $RUN", /* another folder than the one that root wrote */
    "rm " RECORD,
    ": > " RECORD,
    "truncate -s 20 " RECORD,
    "truncate -s -3 " RECORD " && printf '\n' >> " RECORD, /* its last line is whole, and wrong */
    "printf '12 nothing\n' >> " RECORD,
    "r=" RECORD "; mv $r $HOMEDIR/other && ln -s $HOMEDIR/other $r",
    "chmod 755 $HOMEDIR/custody",
    "chown 61001 $HOMEDIR/custody",
    "chown 61001 " RECORD,
    "sed -i 's/journal 61001/journal 61002/' " RECORD,
};
enum { TAMPERED = 22 };

START_TEST(root_believes_no_journal_but_its_own)
{
    _cleanup_free_ char *before = NULL, *after = NULL, *report = NULL, *command = NULL;

    if (geteuid() != 0)
        return;
    repair_for_user();
    before = content();
    ck_assert_int_ge(asprintf(&command, "RUN=$(echo $STATE/openclaw-doctor/runs/*); %s", tampered[_i]), 0);
    shell(command);
    (void)undo(false, &report);
    after = content();
    ck_assert_msg(strcmp(before, after) == 0, "%s: %s", tampered[_i], report);
    ck_assert_msg(!report || !strstr(report, "\"undone\":[{"), "%s", report);
    expect_answer("new");
}
END_TEST

/* Lines that a user adds can be seen, but make root do nothing: not the undo of a finished run that nobody asked for. */
START_TEST(root_goes_on_with_no_undo_of_a_users)
{
    _cleanup_free_ char *before = NULL, *after = NULL;
    struct dr_repair_run *run = NULL;

    if (geteuid() != 0)
        return;
    repair_for_user();
    before = content();
    shell("cd $STATE/openclaw-doctor/runs && id=$(ls) && mkdir z && chown 61001:61001 z &&"
          "printf '{\"type\":\"begin\",\"run\":\"z\",\"undoes\":\"%s\",\"force\":true}\\n' $id > z/journal.jsonl &&"
          "chown 61001:61001 z/journal.jsonl && chmod 600 z/journal.jsonl && chmod 700 z");
    int r = dr_repair_begin(&target, NULL, &run, NULL, NULL);

    if (r == 0)
        ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    after = content();
    ck_assert_str_eq(before, after);
    expect_answer("new");
}
END_TEST

/* Killed after the last change: the record knows the lines, so what was begun is taken back; a torn record line is as none. */
START_TEST(root_settles_what_is_roots)
{
    _cleanup_free_ char *before = content(), *after = NULL, *settled = NULL;
    struct dr_repair_run *run = NULL;

    if (geteuid() != 0)
        return;
    repair_for_user();
    /* As if killed between "done" of the last step and "applied": both files end where they ended then. */
    shell("cd $STATE/openclaw-doctor/runs/* && n=$(grep -n '\"done\",\"step\":4' journal.jsonl | cut -d: -f1) &&"
          "size=$(head -n $n journal.jsonl | wc -c) && sed -i \"/^$size /q\" " RECORD " &&"
          "grep -q \"^$size \" " RECORD " && printf '99999 ab' >> " RECORD " &&"
          "truncate -s $size journal.jsonl");
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, &settled, NULL), 0);
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    after = content();
    ck_assert_msg(strcmp(before, after) == 0, "%s", settled);
    expect_answer("old");
}
END_TEST

/* Killed after "applied", and root's record has it: a "stuck" that the user adds does not make root take back a step of a repair that is whole. */
START_TEST(root_takes_no_users_word_for_stuck)
{
    _cleanup_free_ char *before = NULL, *after = NULL, *settled = NULL;
    struct dr_repair_run *run = NULL;

    if (geteuid() != 0)
        return;
    repair_for_user();
    before = content();
    shell(
        "cd $STATE/openclaw-doctor/runs/* && n=$(grep -n '\"type\":\"applied\"' journal.jsonl | tail -n 1 | cut -d: -f1) &&"
        "size=$(head -n $n journal.jsonl | wc -c) && sed -i \"/^$size /q\" " RECORD " && grep -q \"^$size \" " RECORD " &&"
        "truncate -s $size journal.jsonl && printf '{\"type\":\"stuck\",\"step\":2}\\n' >> journal.jsonl");
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, &settled, NULL), 0);
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    after = content();
    ck_assert_msg(strcmp(before, after) == 0, "%s", settled);
    ck_assert_msg(settled && strstr(settled, "what it did is kept"), "%s", settled);
    expect_answer("new");
}
END_TEST

/* --- who may be run -------------------------------------------------------------------------------------------------- */

static void not_run(struct dr_command *command, const char *words)
{
    struct dr_operation ops[] = { edit_of("return 200 old", "return 200 new"), run_of(command) };
    _cleanup_free_ char *before = content(), *after = NULL;
    struct dr_repair_result results[2];

    ck_assert_int_eq(run_group(ops, 2, results, false, 0), 1);
    ck_assert_int_eq(results[0].status, DR_REPAIR_ROLLED_BACK);
    ck_assert_int_eq(results[1].status, DR_REPAIR_REFUSED);
    ck_assert_msg(strstr(results[1].reason, words) != NULL, "%s", results[1].reason);
    after = content();
    ck_assert_str_eq(before, after);
}

START_TEST(programs_in_the_wrong_hands_are_not_run)
{
    _cleanup_free_ char *mine = in(home, "bin/nginx"), *none = in(home, "none/nginx");
    struct dr_command test = nginx("nginx-test", 1);

    shell("umask 022; mkdir $HOMEDIR/bin; cp /bin/true $HOMEDIR/bin/nginx");
    test.program = none;
    not_run(&test, "no such file");
    test.program = mine;
    shell("chmod 775 $HOMEDIR/bin/nginx");
    not_run(&test, "somebody else");
    shell("chmod 644 $HOMEDIR/bin/nginx");
    not_run(&test, "no program");
    shell("rm $HOMEDIR/bin/nginx; mkfifo -m 755 $HOMEDIR/bin/nginx");
    not_run(&test, "no program");
    if (geteuid() != 0)
        return;
    shell("rm $HOMEDIR/bin/nginx; cp /bin/true $HOMEDIR/bin/nginx; chown 1001 $HOMEDIR/bin/nginx");
    not_run(&test, "somebody else");
    shell("chown 0 $HOMEDIR/bin/nginx; chown 1001 $HOMEDIR/bin");
    not_run(&test, "not root");
    shell("chown 0 $HOMEDIR/bin; chmod 777 $HOMEDIR/bin");
    not_run(&test, "not root");
    shell("chmod 755 $HOMEDIR/bin; mv $HOMEDIR/bin/nginx $HOMEDIR/true; ln -s ../true $HOMEDIR/bin/nginx");
    shell("chown -h 1001 $HOMEDIR/bin/nginx; chown 1001 $HOMEDIR/nginx");
    not_run(&test, "not root"); /* the configuration's folder */
}
END_TEST

START_TEST(nothing_is_run_below_another_root)
{
    struct dr_command test = nginx("nginx-test", 1);
    struct dr_launch launch = DR_LAUNCH;
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    target.root_fd = root;
    ck_assert_int_eq(dr_command_judge(&target, &test, &launch, &error), -EPERM);
    ck_assert_ptr_nonnull(strstr(dr_error_text(&error), "--root"));
}
END_TEST

/* A shell as "node": what OpenClaw's own command would find around it. */
START_TEST(root_steps_down_for_what_is_the_owners)
{
    _cleanup_free_ char *node = in(home, "bin/node"), *entry = in(home, "openclaw.mjs");
    struct dr_command install = { "gateway-install", node, { entry, state }, DR_COMMAND_FORWARD };
    struct dr_operation op = run_of(&install);
    struct dr_repair_result result;

    if (geteuid() != 0)
        return;
    shell("umask 022; mkdir $HOMEDIR/bin; cp /bin/dash $HOMEDIR/bin/node;"
          "echo 'id -ur > $HOME/.openclaw/who; id -Gr >> $HOME/.openclaw/who; { echo \"$@\"; env; } > $HOME/.openclaw/said;"
          "read line && exit 9; test ! -t 0' > $HOMEDIR/openclaw.mjs;"
          "chown -R 1001:1002 $HOMEDIR");
    target.uid = 1001;
    target.gid = 1002;
    target.user = "claw";
    ck_assert_int_eq(setenv("LD_PRELOAD_X", "leak", 1), 0);
    ck_assert_msg(run_group(&op, 1, &result, false, 0) == 0, "%s", result.reason);
    shell("printf '1001\\n1002\\n' | cmp - $STATE/who && grep -qx 'gateway install --force' $STATE/said &&"
          "grep -qx \"HOME=$HOMEDIR\" $STATE/said && grep -qx USER=claw $STATE/said && ! grep LD_PRELOAD $STATE/said &&"
          "grep -qx \"OPENCLAW_STATE_DIR=$STATE\" $STATE/said");
    /* The reload that a user's journal asks for is not run by root. */
    struct dr_command reload_back = nginx("nginx-reload", DR_COMMAND_ON_UNDO);
    _cleanup_free_ char *moved = in(state, "x"), *report = NULL;

    shell("chown -R 0:0 $HOMEDIR; chown -R 1001:1002 $STATE; mkdir -m 700 $STATE/y; chown 1001 $STATE/y");
    struct dr_operation ops[] = { run_of(&reload_back),
                                  { .kind = DR_MAKE_DIRECTORY, .path = moved, .mode = 0700, .uid = 1001, .gid = 1002 } };
    struct dr_repair_result results[2];

    ck_assert_msg(run_group(ops, 2, results, false, 0) == 0, "%s %s", results[0].reason, results[1].reason);
    ck_assert_int_eq(undo(false, &report), -ESTALE);
    ck_assert_ptr_nonnull(strstr(report, "root runs nothing on its word"));
}
END_TEST

START_TEST(somebody_elses_commands_need_root)
{
    struct dr_command reload = { "systemctl-user-daemon-reload", "/usr/bin/systemctl", { NULL }, DR_COMMAND_FORWARD };
    struct dr_launch launch = DR_LAUNCH;

    if (geteuid() == 0)
        return;
    target.uid = geteuid() + 1;
    ck_assert_int_eq(dr_command_judge(&target, &reload, &launch, NULL), -EPERM);
}
END_TEST

/* --- the child ------------------------------------------------------------------------------------------------------- */

static int sh(const char *script, unsigned seconds, struct dr_buffer *output)
{
    const char *const arguments[] = { "sh", "-c", script, NULL }, *const environment[] = { "PATH=/usr/bin:/bin", NULL };
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;

    ck_assert_int_eq(dr_program_open("/bin/sh", geteuid(), false, &launch.program, NULL), 0);
    return dr_spawn_and_wait(&launch, arguments, environment, seconds, output);
}

START_TEST(a_child_is_watched)
{
    _cleanup_buffer_ struct dr_buffer output = DR_BUFFER(256 * 1024), words = DR_BUFFER(4096);
    char script[300];

    ck_assert_int_eq(sh("yes | head -c 3000000; echo; echo the last line; exit 3", 20, &output), 3);
    ck_assert_uint_lt(output.length, 80 * 1024);
    ck_assert_int_eq(dr_last_words(&output, &words), 0);
    ck_assert_ptr_nonnull(strstr(dr_buffer_text(&words), "the last line"));

    dr_buffer_clear(&output);
    (void)snprintf(script, sizeof(script), "sleep 60 & echo $! > %s/sleeper; sleep 60", home);
    ck_assert_int_eq(sh(script, 1, &output), -ETIMEDOUT);
    shell("sleep 0.1; ! grep -q '^State:.[RSD]' /proc/$(cat $HOMEDIR/sleeper)/status 2> /dev/null");

    /* Something that it leaves behind does not keep us, not even when it never stops talking. */
    ck_assert_int_eq(sh("sleep 5 & exit 0", 4, &output), 0);
    (void)snprintf(script, sizeof(script), "yes & echo $! > %s/talker; exit 0", home);
    ck_assert_int_eq(sh(script, 4, &output), 0);
    shell("kill $(cat $HOMEDIR/talker) 2> /dev/null || true");
    ck_assert_int_eq(sh("kill -9 $$", 4, &output), -EINTR);
    /* Ctrl-C was blocked while we repair; the child gets an ordinary world. */
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    ck_assert_int_eq(sh("kill -TERM $$; exit 0", 4, &output), -EINTR);
    ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
}
END_TEST

/* No terminal of ours to type into, no folder that we happen to be in, and nothing that we have open. */
START_TEST(a_child_gets_nothing_of_ours)
{
    _cleanup_buffer_ struct dr_buffer output = DR_BUFFER(256 * 1024);
    int secret = open("/etc/passwd", O_RDONLY); /* as if inherited: not closed on exec */

    ck_assert_int_ge(secret, 3);
    ck_assert_int_eq(chdir(home), 0);
    ck_assert_int_eq(sh("pwd; cut -d' ' -f6 /proc/$$/stat | sed \"s/^$$\\$/own session/\"; ls -l /proc/self/fd;"
                        "(: < /dev/tty) 2> /dev/null && echo terminal; true",
                        4, &output),
                     0);
    (void)close(secret);
    const char *said = dr_buffer_text(&output);

    ck_assert_msg(dr_text_starts_with(said, "/\nown session\n"), "%s", said);
    ck_assert_msg(!strstr(said, "/etc/passwd") && !strstr(said, "terminal"), "%s", said);
}
END_TEST

/* Root with a user's HOME (`sudo -E`): its programs make nothing there. */
START_TEST(root_takes_no_home_of_a_users)
{
    _cleanup_error_ struct dr_error error = { 0 };
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;
    _cleanup_free_ char *program = in(home, "apachectl");
    struct dr_command test = { "apachectl-test", program, { NULL }, DR_COMMAND_FORWARD };

    if (geteuid() != 0)
        return;
    shell("printf '#!/bin/sh\necho home is $HOME, bus is $DBUS_SESSION_BUS_ADDRESS\nexit 1\n' > $HOMEDIR/apachectl && chmod "
          "755 $HOMEDIR/apachectl &&"
          "mkdir $HOMEDIR/user && chown 61001 $HOMEDIR/user");
    for (int foreign = 0; foreign < 2; foreign++) {
        _cleanup_free_ char *user = in(home, "user"), *expected = NULL;

        ck_assert_int_eq(setenv("HOME", foreign ? user : home, 1), 0);
        ck_assert_int_eq(setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/evil", 1), 0);
        ck_assert_int_ge(
            asprintf(&expected, "home is %s, bus is%s", foreign ? "/root" : home, foreign ? "" : " unix:path=/evil"), 0);
        ck_assert_msg(dr_command_judge(&target, &test, &launch, &error) == 0, "%s", dr_error_text(&error));
        ck_assert_int_eq(dr_command_run(&target, &test, &launch, &error), -DR_COMMAND_FAILED);
        ck_assert_msg(strstr(dr_error_text(&error), expected) && !(foreign && strstr(dr_error_text(&error), "evil")), "%s",
                      dr_error_text(&error));
        dr_launch_release(&launch);
        dr_error_release(&error);
        error = (struct dr_error){ 0 };
    }
}
END_TEST

START_TEST(what_a_program_says_is_safe_to_show)
{
    static const struct {
        const char *said, *shown;
    } cases[] = {
        { "", "" },
        { "\n\n", "" },
        { "one\n", "one" },
        { "a\n\tb\r\n\nc\nd\n", "b\\r; c; d" },
        { "invalid \"Bearer 0123456789abcdef0123456789abcdef\" in /etc/x9/abcdefghijklmnopqrstuvwxyz0123:3",
          "invalid \"Bearer <not shown>\" in /etc/x9/abcdefghijklmnopqrstuvwxyz0123:3" },
        { "\x1b[31mred", "\\x1b[31mred" },
        { "token 0123456789abcdef01234567/abcdefghijklmnop01234567=", "token <not shown>/<not shown>" },
        { "http://127.0.0.1/0123456789abcdef01234567abc", "http://127.0.0.1/<not shown>" },
        { "/etc/conf.d/0123456789abcdef01234567abc.conf:3 0123456789abcdef01234567abc",
          "/etc/conf.d/0123456789abcdef01234567abc.conf:3 <not shown>" },
    };

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        _cleanup_buffer_ struct dr_buffer output = DR_BUFFER(4096), words = DR_BUFFER(4096);

        ck_assert_int_eq(dr_buffer_append_text(&output, cases[i].said), 0);
        ck_assert_int_eq(dr_last_words(&output, &words), 0);
        ck_assert_str_eq(dr_buffer_text(&words), cases[i].shown);
    }
}
END_TEST

START_TEST(a_system_without_systemd_fails_in_words)
{
    struct dr_command reload = { "systemctl-daemon-reload", "/usr/bin/systemctl", { NULL }, DR_COMMAND_FORWARD };
    struct dr_operation ops[] = { edit_of("return 200 old", "return 200 new"), run_of(&reload) };
    struct dr_repair_result results[2];
    struct stat st;

    if (stat("/run/systemd/system", &st) == 0)
        return; /* a systemd runs here */
    int r = run_group(ops, 2, results, false, 0);

    ck_assert_int_eq(r, stat("/usr/bin/systemctl", &st) == 0 ? 2 : 1);
    ck_assert_int_eq(results[0].status, DR_REPAIR_ROLLED_BACK);
    ck_assert_ptr_nonnull(results[1].reason);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair_command");
    TCase *table = tcase_create("table"), *real = tcase_create("real");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(table, every_row_makes_a_command_that_survives_the_wire);
    tcase_add_loop_test(table, only_what_the_table_allows_is_a_command, 0, BAD_COMMANDS);
    tcase_add_test(table, a_command_is_shown_as_it_would_be_typed);
    tcase_add_test(table, what_a_program_says_is_safe_to_show);
    suite_add_tcase(suite, table);
    tcase_add_checked_fixture(real, setup, teardown);
    tcase_add_test(real, an_edit_that_nginx_does_not_like_is_taken_back_byte_for_byte);
    tcase_add_test(real, a_reload_goes_there_and_back);
    tcase_add_test(real, a_signal_reaches_that_process_and_no_other);
    tcase_add_test(real, a_reload_that_fails_while_taking_back_says_what_to_type);
    tcase_add_test(real, root_undoes_what_is_roots);
    tcase_add_test(real, root_takes_away_what_it_made);
    tcase_add_test(real, root_takes_nothing_away_on_a_users_word);
    tcase_add_loop_test(real, root_believes_no_journal_but_its_own, 0, TAMPERED);
    tcase_add_test(real, root_goes_on_with_no_undo_of_a_users);
    tcase_add_test(real, root_settles_what_is_roots);
    tcase_add_test(real, root_takes_no_users_word_for_stuck);
    tcase_add_test(real, programs_in_the_wrong_hands_are_not_run);
    tcase_add_test(real, nothing_is_run_below_another_root);
    tcase_add_test(real, root_steps_down_for_what_is_the_owners);
    tcase_add_test(real, somebody_elses_commands_need_root);
    tcase_add_test(real, a_child_is_watched);
    tcase_add_test(real, a_child_gets_nothing_of_ours);
    tcase_add_test(real, root_takes_no_home_of_a_users);
    tcase_add_test(real, a_system_without_systemd_fails_in_words);
    suite_add_tcase(suite, real);
    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
