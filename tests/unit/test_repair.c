/* Each kind of operation: made, journalled, undone to the same bytes, modes and owners; and refused when the world moved. */
#include "repair/repair.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char *home, *state;
static struct dr_repair_target target;
static const char *allowed[2];

/* --- a home of its own for each test -------------------------------------------------------------------------------- */

static char *in(const char *folder, const char *name)
{
    char *path = dr_path_join(folder, name);

    ck_assert_ptr_nonnull(path);
    return path;
}

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void shell(const char *command)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static void setup(void)
{
    const char *base = getenv("TMPDIR");

    ck_assert_int_ge(asprintf(&home, "%s/dr-repair-XXXXXX", base ? base : "/tmp"), 0);
    ck_assert_ptr_nonnull(mkdtemp(home));
    state = in(home, ".openclaw");
    ck_assert_int_eq(setenv("STATE", state, 1), 0);
    ck_assert_int_eq(setenv("HOMEDIR", home, 1), 0);
    shell("umask 022; mkdir -m 700 $STATE $STATE/devices && printf '{ \"a\": 1, // keep\\n \"b\": 2 }\\n' > "
          "$STATE/openclaw.json &&"
          "printf '[]' > $STATE/devices/paired.json && printf '{}' > $STATE/devices/pending.json &&"
          "touch -d 2026-01-02T03:04:05Z $STATE/*.json $STATE/devices/*.json");
    target = (struct dr_repair_target){
        .root_fd = AT_FDCWD,
        .state_dir = state,
        .home = home,
        .uid = geteuid(),
        .gid = getegid(),
        .tool_version = "test",
        .allowed = allowed,
    };
    allowed[0] = NULL;
}

static void teardown(void)
{
    shell("chmod -R u+rwX \"$HOMEDIR\"; rm -rf \"$HOMEDIR\"");
    free(state);
    free(home);
}

/* All that must come back: names, types, modes, owners, bytes; without the doctor's own folder. */
static char *picture(void)
{
    _cleanup_free_ char *out = in(home, "../dr-picture-XXXXXX");
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);
    int fd = mkstemp(out);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setenv("OUT", out, 1), 0);
    shell("cd \"$STATE\" && find . -path ./openclaw-doctor -prune -o -printf '%p %M %U:%G %l ' "
          "\\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort > \"$OUT\"");
    ck_assert_int_eq(dr_read_fd(fd, &text), 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(unlink(out), 0);
    return dr_buffer_take(&text);
}

/* --- operations ----------------------------------------------------------------------------------------------------- */

static struct dr_operation operation(enum dr_operation_kind kind, const char *path)
{
    struct dr_operation op = { .id = 1, .kind = kind, .path = path, .uid = geteuid(), .gid = getegid() };
    struct stat st;

    if (lstat(path, &st) == 0)
        dr_file_identity_from_stat(&st, &op.judged);
    return op;
}

static const char *hash_of(const char *path)
{
    static char hex[4][DR_SHA256_HEX];
    static unsigned next;
    char *hash = hex[next++ % 4];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dr_sha256_fd(fd, hash), 0);
    ck_assert_int_eq(close(fd), 0);
    return hash;
}

static void expect_text(const char *path, const char *text)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(1 << 20);

    ck_assert_int_eq(dr_read_file(AT_FDCWD, path, &buffer, NULL), 0);
    ck_assert_str_eq(dr_buffer_text(&buffer), text);
}

/* Texts of a result are the run's, which ends before they are looked at. */
static char *keep(char **kept, const char *text)
{
    free(*kept);
    *kept = text ? strdup(text) : NULL;
    return *kept;
}

static int run_all(const struct dr_operation *ops, const unsigned *groups, size_t count, struct dr_repair_result *results)
{
    struct dr_repair_run *run = NULL;
    struct dr_error error = { 0 };
    static char *kept[8][2];
    int r = dr_repair_begin(&target, NULL, &run, NULL, &error);

    ck_assert_msg(r == 0, "%s", dr_error_text(&error));
    r = dr_repair_apply(run, ops, groups, count, results, &error);
    ck_assert_msg(r >= 0, "%s", dr_error_text(&error));
    for (size_t i = 0; i < count; i++) {
        results[i].reason = keep(&kept[i][0], results[i].reason);
        results[i].backup = keep(&kept[i][1], results[i].backup);
    }
    ck_assert_int_eq(dr_repair_end(run, &error), 0);
    dr_error_release(&error);
    return r;
}

static int run_one(const struct dr_operation *op, struct dr_repair_result *result)
{
    static const unsigned group;

    return run_all(op, &group, 1, result);
}

static int undo(bool force, char **ret_report)
{
    struct dr_error error = { 0 };
    cJSON *report = NULL;
    int r = dr_repair_undo(&target, NULL, force, &report, &error);

    if (ret_report)
        *ret_report = report ? cJSON_PrintUnformatted(report) : NULL;
    cJSON_Delete(report);
    dr_error_release(&error);
    return r;
}

/* Applies, expects success, undoes, and expects the home as it was. */
static void there_and_back(const struct dr_operation *op)
{
    _cleanup_free_ char *before = picture();
    struct dr_repair_result result;
    int r = run_one(op, &result);

    ck_assert_msg(r == 0, "%s: %s", dr_repair_status_name(result.status), result.reason);
    ck_assert_int_eq(result.status, DR_REPAIR_APPLIED);

    _cleanup_free_ char *after = picture();

    ck_assert_str_ne(before, after);
    r = undo(false, NULL);
    ck_assert_int_eq(r, 0);

    _cleanup_free_ char *again = picture();

    ck_assert_str_eq(before, again);
    ck_assert_int_eq(undo(false, NULL), -ENOENT);
}

static void refused(const struct dr_operation *op, const char *words)
{
    _cleanup_free_ char *before = picture();
    struct dr_repair_result result;

    ck_assert_int_eq(run_one(op, &result), 1);
    ck_assert_int_eq(result.status, DR_REPAIR_REFUSED);
    ck_assert_msg(strstr(result.reason, words) != NULL, "%s", result.reason);

    _cleanup_free_ char *after = picture();

    ck_assert_str_eq(before, after);
}

/* --- there and back -------------------------------------------------------------------------------------------------- */

START_TEST(mode_is_set_and_put_back)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation op = operation(DR_SET_MODE, path);

    op.mode = 0600;
    there_and_back(&op);
}
END_TEST

START_TEST(mode_of_the_state_directory_itself)
{
    shell("chmod 755 $STATE");
    struct dr_operation op = operation(DR_SET_MODE, state);

    op.mode = 0700;
    there_and_back(&op);
}
END_TEST

START_TEST(owner_is_set_and_put_back_and_the_mode_stays)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct stat st;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chmod(path, 0640), 0);
    struct dr_operation op = operation(DR_SET_OWNER, path);
    struct dr_repair_result result;

    op.uid = op.gid = 1001;
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 1001);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_int_eq(undo(false, NULL), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(set_user_id_is_never_given_back)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_repair_result result;
    struct stat st;

    ck_assert_int_eq(chmod(path, 04755), 0);
    struct dr_operation op = operation(DR_SET_MODE, path);

    op.mode = 04700;
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(undo(false, NULL), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

START_TEST(edit_changes_only_its_bytes_and_comes_back_with_its_time)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation op = operation(DR_EDIT_FILE, path);
    struct dr_edit edits[] = { { .offset = 7, .length = 1, .text = "42", .text_length = 2 },
                               { .offset = 18, .length = 0, .text = "\t", .text_length = 1 } };
    struct dr_repair_result result;
    struct stat before, after;

    ck_assert_int_eq(chmod(path, 0640), 0);
    op.sha256 = hash_of(path);
    op.edits = edits;
    op.edit_count = 2;
    ck_assert_int_eq(stat(path, &before), 0);
    ck_assert_int_eq(run_one(&op, &result), 0);
    expect_text(path, "{ \"a\": 42, // keep\n\t \"b\": 2 }\n");
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_uint_eq(after.st_mode, before.st_mode);
    ck_assert_int_eq(undo(false, NULL), 0);
    expect_text(path, "{ \"a\": 1, // keep\n \"b\": 2 }\n");
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    ck_assert_uint_eq(after.st_mode, before.st_mode);
}
END_TEST

START_TEST(edit_keeps_extended_attributes_both_ways)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_edit edit = { .offset = 7, .length = 1, .text = "3", .text_length = 1 };
    struct dr_repair_result result;
    char value[8] = "";

    if (setxattr(path, "user.note", "mine", 4, 0) < 0)
        return; /* a file system without them */
    struct dr_operation op = operation(DR_EDIT_FILE, path);

    op.sha256 = hash_of(path);
    op.edits = &edit;
    op.edit_count = 1;
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(getxattr(path, "user.note", value, sizeof(value)), 4);
    ck_assert_mem_eq(value, "mine", 4);
    ck_assert_int_eq(undo(false, NULL), 0);
    ck_assert_int_eq(getxattr(path, "user.note", value, sizeof(value)), 4);
}
END_TEST

START_TEST(edit_takes_a_secret_from_another_file)
{
    _cleanup_free_ char *path = in(state, "openclaw.json"), *env = in(state, ".env");
    struct dr_operation op = operation(DR_EDIT_FILE, path);
    struct dr_repair_result result;

    put(env, "OPENCLAW_GATEWAY_TOKEN=abc-123\n", 0600);
    struct dr_edit edit = { .offset = 7,
                            .length = 1,
                            .from = {
                                .kind = DR_FROM_FILE, .path = env, .sha256 = hash_of(env), .offset = 23, .length = 7 } };

    op.sha256 = hash_of(path);
    op.edits = &edit;
    op.edit_count = 1;
    ck_assert_int_eq(run_one(&op, &result), 0);
    expect_text(path, "{ \"a\": abc-123, // keep\n \"b\": 2 }\n");
    ck_assert_int_eq(undo(false, NULL), 0);
    put(env, "OPENCLAW_GATEWAY_TOKEN=abc\"12\n", 0600);
    edit.from.sha256 = hash_of(env);
    edit.from.length = 6;
    op.judged = operation(DR_EDIT_FILE, path).judged;
    refused(&op, "quoting");
    put(env, "changed\n", 0600);
    refused(&op, "changed since");
}
END_TEST

START_TEST(new_token_is_made_once_and_is_in_no_journal)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation op = operation(DR_EDIT_FILE, path);
    struct dr_edit edits[] = { { .offset = 7, .length = 1, .from = { .kind = DR_NEW_TOKEN } },
                               { .offset = 24, .length = 1, .from = { .kind = DR_NEW_TOKEN } } };
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(4096);
    struct dr_repair_result result;

    op.sha256 = hash_of(path);
    op.edits = edits;
    op.edit_count = 2;
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, path, &text, NULL), 0);
    ck_assert_uint_eq(text.length, 28 + 2 * 47);
    ck_assert_uint_eq(strspn(text.data + 7, "0123456789abcdef"), 48);
    ck_assert_mem_eq(text.data + 7, text.data + 24 + 47, 48);
    _cleanup_free_ char *token = strndup(text.data + 7, 48);

    ck_assert_int_eq(setenv("TOKEN", token, 1), 0);
    shell("! grep -rq \"$TOKEN\" $STATE/openclaw-doctor");
}
END_TEST

START_TEST(file_is_written_and_taken_away_again)
{
    _cleanup_free_ char *path = in(state, "devices/new.json");
    struct dr_operation op = operation(DR_WRITE_FILE, path);

    op.content = "{}\n";
    op.content_length = 3;
    op.mode = 0600;
    there_and_back(&op);
    put(path, "theirs", 0600);
    refused(&op, "there by now");
}
END_TEST

START_TEST(directory_is_made_and_removed_again)
{
    _cleanup_free_ char *path = in(state, "identity");
    struct dr_operation op = operation(DR_MAKE_DIRECTORY, path);

    op.mode = 0700;
    there_and_back(&op);
}
END_TEST

START_TEST(file_moves_aside_and_back)
{
    _cleanup_free_ char *path = in(state, "devices/paired.json");
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);

    op.sha256 = hash_of(path);
    there_and_back(&op);
}
END_TEST

START_TEST(directory_moves_aside_and_back)
{
    _cleanup_free_ char *path = in(state, "devices");
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);

    there_and_back(&op);
}
END_TEST

START_TEST(journal_elsewhere_moves_aside_in_the_same_folder)
{
    _cleanup_free_ char *path = in(state, "devices/paired.json");
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);
    char journal[] = "/dev/shm/dr-journal-XXXXXX";

    if (!mkdtemp(journal))
        return; /* no other file system here */
    target.journal_dir = journal;
    there_and_back(&op);
    ck_assert_int_eq(setenv("JOURNAL", journal, 1), 0);
    shell("test -n \"$(ls $JOURNAL)\" && rm -rf $JOURNAL");
}
END_TEST

/* --- rows ------------------------------------------------------------------------------------------------------------ */

static char *database(void)
{
    char *path = in(state, "state.sqlite");
    sqlite3 *db;
    int on = 1;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "PRAGMA journal_mode=wal; PRAGMA user_version=18;"
                                  "CREATE TABLE paired(id TEXT PRIMARY KEY, tokens TEXT, n INTEGER, x BLOB) STRICT;"
                                  "CREATE TABLE mine(id TEXT, role TEXT, token TEXT, PRIMARY KEY(id, role)) STRICT;"
                                  "INSERT INTO paired VALUES('d1', '{\"operator\":{\"token\":\"right\"}}', 7, x'0001ff');"
                                  "INSERT INTO mine VALUES('d1', 'operator', 'wrong');",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    ck_assert_int_eq(chmod(path, 0600), 0);
    return path;
}

/* The first column of the query's rows, joined by commas. */
static char *ask(const char *path, const char *sql)
{
    sqlite3_stmt *statement;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(4096);
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(statement, 0);

        ck_assert_int_eq(dr_buffer_appendf(&text, "%s,", value ? value : "NULL"), 0);
    }
    ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return dr_buffer_take(&text);
}

static void expect_row(const char *path, const char *sql, const char *expected)
{
    _cleanup_free_ char *got = ask(path, sql);

    ck_assert_str_eq(got, expected);
}

static struct dr_row_change copy_token = {
    .table = "mine",
    .key = { { "id", "d1" }, { "role", "operator" } },
    .action = DR_ROW_COPY,
    .column = "token",
    .json_path = "$.operator.token",
    .from_table = "paired",
    .from_key = { { "id", "d1" } },
    .from_column = "tokens",
    .schema_version = 18,
};

START_TEST(row_takes_another_rows_value_and_the_exact_bytes_come_back)
{
    _cleanup_free_ char *path = database(), *before = picture();
    struct dr_operation op = operation(DR_UPDATE_ROW, path);
    struct dr_repair_result result;
    char expect[DR_SHA256_HEX];

    ck_assert_int_eq(dr_sha256_hex("wrong", 5, expect), 0);
    copy_token.expect_sha256 = expect;
    op.row = &copy_token;
    int r = run_one(&op, &result);

    ck_assert_msg(r == 0, "%s", result.reason);
    _cleanup_free_ char *image = picture();

    ck_assert_str_ne(before, image);
    ck_assert_int_eq(undo(false, NULL), 0);
    _cleanup_free_ char *after = picture();

    ck_assert_str_eq(before, after);
    expect_row(path, "SELECT token FROM mine", "wrong,");
    copy_token.expect_sha256 = hash_of(path);
    op.judged = operation(DR_UPDATE_ROW, path).judged;
    ck_assert_int_eq(run_one(&op, &result), 1);
    ck_assert_ptr_nonnull(strstr(result.reason, "row changed"));
}
END_TEST

START_TEST(row_alone_comes_back_when_others_wrote_since)
{
    _cleanup_free_ char *path = database();
    struct dr_operation op = operation(DR_UPDATE_ROW, path);
    struct dr_repair_result result;
    sqlite3 *db;

    copy_token.expect_sha256 = NULL;
    op.row = &copy_token;
    ck_assert_int_eq(run_one(&op, &result), 0);
    expect_row(path, "SELECT token FROM mine", "right,");
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "INSERT INTO mine VALUES('d2','node','t2')", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    ck_assert_int_eq(undo(false, NULL), 0);
    expect_row(path, "SELECT token FROM mine ORDER BY id", "wrong,t2,");
}
END_TEST

START_TEST(deleted_row_comes_back_with_every_type_while_a_reader_has_it_open)
{
    _cleanup_free_ char *path = database();
    struct dr_operation op = operation(DR_UPDATE_ROW, path);
    struct dr_row_change row = {
        .table = "paired", .key = { { "id", "d1" } }, .action = DR_ROW_DELETE, .schema_version = 18
    };
    struct dr_repair_result result;

    op.row = &row;
    target.gateway_running = true;
    ck_assert_int_eq(run_one(&op, &result), 0);
    expect_row(path, "SELECT count(*) FROM paired", "0,");
    ck_assert_int_eq(undo(false, NULL), 0);
    expect_row(path, "SELECT id || n || hex(x) || typeof(x) || tokens FROM paired",
               "d170001FFblob{\"operator\":{\"token\":\"right\"}},");
}
END_TEST

START_TEST(json_value_is_set_and_an_unknown_schema_is_not_written)
{
    _cleanup_free_ char *path = database();
    struct dr_operation op = operation(DR_UPDATE_ROW, path);
    struct dr_row_change row = { .table = "paired",
                                 .key = { { "id", "d1" } },
                                 .action = DR_ROW_SET_JSON,
                                 .column = "tokens",
                                 .json_path = "$.operator.scopes",
                                 .text = "[\"a\"]",
                                 .schema_version = 18 };
    struct dr_repair_result result;
    sqlite3 *db;

    op.row = &row;
    int r = run_one(&op, &result);

    ck_assert_msg(r == 0, "%s", result.reason);
    expect_row(path, "SELECT tokens FROM paired", "{\"operator\":{\"token\":\"right\",\"scopes\":[\"a\"]}},");
    ck_assert_int_eq(undo(false, NULL), 0);
    row.schema_version = 17;
    op.judged = operation(DR_UPDATE_ROW, path).judged;
    ck_assert_int_eq(run_one(&op, &result), 1);
    ck_assert_ptr_nonnull(strstr(result.reason, "schema changed"));
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    row.schema_version = 99;
    ck_assert_int_eq(run_one(&op, &result), 1);
    ck_assert_ptr_nonnull(strstr(result.reason, "newer than this doctor knows"));
}
END_TEST

START_TEST(root_leaves_the_databases_files_to_their_owner)
{
    _cleanup_free_ char *path = database(), *wal = in(state, "state.sqlite-wal");
    struct dr_repair_result result;
    struct stat st;

    if (geteuid() != 0)
        return;
    shell("sqlite3=$STATE/state.sqlite; chmod 711 $HOMEDIR; rm -f $sqlite3-wal $sqlite3-shm; chown -R 1001:1001 $STATE");
    free(path);
    path = database(); /* made anew by root, with sidecars */
    shell("rm -f $STATE/state.sqlite-shm; chown -R 1001:1001 $STATE");
    struct dr_operation op = operation(DR_UPDATE_ROW, path);

    target.uid = target.gid = 1001;
    op.row = &copy_token;
    copy_token.expect_sha256 = NULL;
    int r = run_one(&op, &result);

    ck_assert_msg(r == 0, "%s", result.reason);
    ck_assert_int_eq(geteuid(), 0);
    ck_assert_int_eq(stat(wal, &st), 0);
    ck_assert_uint_eq(st.st_uid, 1001);
    shell("test -z \"$(find $STATE ! -uid 1001)\"");
    ck_assert_int_eq(undo(false, NULL), 0);
    shell("test -z \"$(find $STATE ! -uid 1001)\"; test ! -e $STATE/state.sqlite-shm");
}
END_TEST

/* --- refusals --------------------------------------------------------------------------------------------------------- */

START_TEST(what_is_no_longer_as_judged_is_refused)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation edit = operation(DR_EDIT_FILE, path), mode = operation(DR_SET_MODE, path);
    struct dr_edit change = { .offset = 0, .length = 1, .text = "x", .text_length = 1 };

    edit.sha256 = hash_of(path);
    edit.edits = &change;
    edit.edit_count = 1;
    put(path, "{ \"a\": 1, // kept\n \"b\": 2 }\n", 0644);
    refused(&edit, "changed since");
    ck_assert_int_eq(chmod(path, 0666), 0);
    mode.mode = 0600;
    refused(&mode, "changed since");
    shell("cp -p $STATE/openclaw.json $STATE/x && mv $STATE/x $STATE/openclaw.json && chmod 644 $STATE/openclaw.json");
    refused(&mode, "changed since");
    ck_assert_int_eq(unlink(path), 0);
    refused(&mode, "gone");
}
END_TEST

START_TEST(links_and_other_names_are_refused)
{
    _cleanup_free_ char *link = in(state, "link"), *below = in(state, "dirlink/paired.json"), *outside = in(home, "outside"),
                        *up = in(state, "../outside"), *hard = in(state, "hard");
    struct dr_operation op;

    put(outside, "precious", 0644);
    shell("ln -s ../outside $STATE/link; ln -s devices $STATE/dirlink; ln $HOMEDIR/outside $STATE/hard");
    op = operation(DR_SET_MODE, link);
    op.mode = 0600;
    refused(&op, "symbolic link");
    op = operation(DR_SET_MODE, below);
    op.mode = 0600;
    refused(&op, "symbolic link");
    op = operation(DR_SET_MODE, outside);
    op.mode = 0600;
    refused(&op, "not below");
    op.path = up;
    refused(&op, "not below");
    op = operation(DR_SET_MODE, hard);
    op.mode = 0600;
    refused(&op, "hard link");
    expect_text(outside, "precious");
    shell("test \"$(stat -c %a $HOMEDIR/outside)\" = 644");
}
END_TEST

START_TEST(allowed_folders_are_allowed_and_nothing_else)
{
    _cleanup_free_ char *folder = in(home, "units"), *path = in(home, "units/a.service");
    struct dr_repair_result result;

    shell("mkdir -m 700 $HOMEDIR/units && echo x > $HOMEDIR/units/a.service && chmod 644 $HOMEDIR/units/a.service");
    struct dr_operation op = operation(DR_SET_MODE, path);

    op.mode = 0600;
    refused(&op, "not below");
    allowed[0] = folder;
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(undo(false, NULL), 0);
}
END_TEST

START_TEST(root_does_not_follow_somebody_elses_link_to_the_state)
{
    _cleanup_free_ char *link = in(home, "theirs/state");
    struct dr_repair_run *run;
    _cleanup_error_ struct dr_error error = { 0 };

    if (geteuid() != 0)
        return;
    shell("mkdir $HOMEDIR/theirs && ln -s $STATE $HOMEDIR/theirs/state && chown -h 1001 $HOMEDIR/theirs/state");
    target.state_dir = link;
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, NULL, &error), -EPERM);
    ck_assert_ptr_nonnull(strstr(dr_error_text(&error), "somebody else"));
    shell("test ! -e $STATE/openclaw-doctor; chown 1001 $STATE");
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, NULL, &error), 0);
    ck_assert_int_eq(dr_repair_end(run, &error), 0);
}
END_TEST

START_TEST(a_running_gateway_makes_some_repairs_wait)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation op = operation(DR_SET_MODE, path);

    op.mode = 0600;
    op.while_running = DR_WAIT_FOR_STOP;
    target.gateway_running = true;
    refused(&op, "stop");
    target.gateway_running = false;
    there_and_back(&op);
}
END_TEST

START_TEST(a_group_stands_or_falls_together)
{
    _cleanup_free_ char *config = in(state, "openclaw.json"), *paired = in(state, "devices/paired.json"),
                        *pending = in(state, "devices/pending.json"), *gone = in(state, "gone");
    struct dr_operation ops[4] = { operation(DR_SET_MODE, config), operation(DR_MOVE_ASIDE, paired),
                                   operation(DR_MOVE_ASIDE, gone), operation(DR_SET_MODE, pending) };
    const unsigned groups[4] = { 1, 2, 2, 3 };
    struct dr_repair_result results[4];
    struct stat st;

    ops[0].mode = ops[3].mode = 0600;
    for (unsigned i = 0; i < 4; i++)
        ops[i].id = i + 1;
    ck_assert_int_eq(run_all(ops, groups, 4, results), 1);
    ck_assert_int_eq(results[0].status, DR_REPAIR_APPLIED);
    ck_assert_int_eq(results[1].status, DR_REPAIR_ROLLED_BACK);
    ck_assert_int_eq(results[2].status, DR_REPAIR_REFUSED);
    ck_assert_int_eq(results[3].status, DR_REPAIR_APPLIED);
    expect_text(paired, "[]");
    ck_assert_int_eq(stat(pending, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* --- journal ----------------------------------------------------------------------------------------------------------- */

START_TEST(undo_refuses_what_changed_since_and_keeps_it_when_forced)
{
    _cleanup_free_ char *path = in(state, "devices/paired.json"), *report = NULL, *forced = NULL;
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);
    struct dr_repair_result result;

    ck_assert_int_eq(run_one(&op, &result), 0);
    put(path, "{\"new\":1}", 0600);
    ck_assert_int_eq(undo(false, &report), -ESTALE);
    ck_assert_ptr_nonnull(strstr(report, "something new is in its place"));
    expect_text(path, "{\"new\":1}");
    ck_assert_int_eq(undo(true, &forced), 0);
    expect_text(path, "[]");
    shell("grep -rq '\"new\":1' $STATE/openclaw-doctor");
}
END_TEST

START_TEST(nothing_to_do_leaves_nothing_behind)
{
    _cleanup_free_ char *path = in(state, "gone");
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);
    struct dr_repair_run *run;
    struct dr_repair_result result;

    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, NULL, NULL), 0);
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    shell("test ! -e $STATE/openclaw-doctor");
    ck_assert_int_eq(run_one(&op, &result), 1);
    shell("test -z \"$(ls $STATE/openclaw-doctor/runs)\"");
}
END_TEST

START_TEST(one_doctor_at_a_time)
{
    struct dr_repair_run *run, *second;
    _cleanup_error_ struct dr_error error = { 0 };
    char pid[32];

    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, NULL, NULL), 0);
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &second, NULL, &error), -EBUSY);
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    ck_assert_ptr_nonnull(strstr(dr_error_text(&error), pid));
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, NULL, NULL), 0);
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
}
END_TEST

START_TEST(history_tells_what_was_done_and_undone)
{
    _cleanup_free_ char *path = in(state, "openclaw.json"), *text = NULL;
    struct dr_operation op = operation(DR_SET_MODE, path);
    struct dr_repair_result result;
    cJSON *history = NULL;

    op.mode = 0600;
    op.summary = "close it";
    ck_assert_int_eq(run_one(&op, &result), 0);
    ck_assert_int_eq(undo(false, NULL), 0);
    ck_assert_int_eq(dr_repair_history(&target, &history, NULL), 0);
    ck_assert_int_eq(cJSON_GetArraySize(history), 2);
    ck_assert_str_eq(dr_json_text(cJSON_GetArrayItem(history, 1), "state"), "undone");
    ck_assert_ptr_nonnull(dr_json_text(cJSON_GetArrayItem(history, 0), "undoes"));
    text = cJSON_PrintUnformatted(history);
    ck_assert_ptr_nonnull(strstr(text, "close it"));
    const char *undo_run = dr_json_text(cJSON_GetArrayItem(history, 0), "run");
    _cleanup_error_ struct dr_error error = { 0 };
    cJSON *report = NULL;

    ck_assert_int_eq(dr_repair_undo(&target, undo_run, false, &report, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(dr_error_text(&error), "is an undo itself"));
    cJSON_Delete(history);
}
END_TEST

START_TEST(rolled_back_in_the_run)
{
    _cleanup_free_ char *path = in(state, "openclaw.json"), *before = picture();
    struct dr_operation op = operation(DR_SET_MODE, path);
    const unsigned group = 4;
    struct dr_repair_result result;
    struct dr_repair_run *run;

    op.mode = 0600;
    ck_assert_int_eq(dr_repair_begin(&target, "run-a", &run, NULL, NULL), 0);
    ck_assert_str_eq(dr_repair_run_id(run), "run-a");
    ck_assert_int_eq(dr_repair_apply(run, &op, &group, 1, &result, NULL), 0);
    ck_assert_int_eq(dr_repair_roll_back(run, 5, "other", &result, NULL), 0);
    ck_assert_int_eq(result.status, DR_REPAIR_APPLIED);
    ck_assert_int_eq(dr_repair_roll_back(run, 4, "did not help", &result, NULL), 0);
    ck_assert_int_eq(result.status, DR_REPAIR_ROLLED_BACK);
    ck_assert_str_eq(result.reason, "did not help");
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    _cleanup_free_ char *after = picture();

    ck_assert_str_eq(before, after);
    ck_assert_int_eq(undo(false, NULL), -ENOENT);
}
END_TEST

/* A process that dies with a run open. `apply` false: after the intent only, by a journal cut short. */
START_TEST(a_killed_run_is_settled_by_the_next_start)
{
    _cleanup_free_ char *path = in(state, "devices/paired.json"), *before = picture();
    struct dr_operation op = operation(DR_MOVE_ASIDE, path);
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        const unsigned group = 0;
        struct dr_repair_result result;
        struct dr_repair_run *run;

        if (dr_repair_begin(&target, "killed", &run, NULL, NULL) == 0 &&
            dr_repair_apply(run, &op, &group, 1, &result, NULL) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    _cleanup_free_ char *found = NULL, *settled = NULL;

    ck_assert_int_eq(dr_repair_interrupted(&target, &found), 1);
    ck_assert_str_eq(found, "killed");
    /* As if it had died before its last line: a torn "applied", and no "done". */
    shell("cd $STATE/openclaw-doctor/runs/killed && grep -v -e applied -e done journal.jsonl > j && printf "
          "'{\"type\":\"don' >> j && "
          "mv j journal.jsonl");
    struct dr_repair_run *run;

    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, &settled, NULL), 0);
    ck_assert_ptr_nonnull(strstr(settled, "1 of its changes were taken back"));
    ck_assert_int_eq(dr_repair_end(run, NULL), 0);
    _cleanup_free_ char *after = picture();

    ck_assert_str_eq(before, after);
    free(found);
    found = NULL;
    ck_assert_int_eq(dr_repair_interrupted(&target, &found), 0);
}
END_TEST

/* A user's journal is no way to make root do what the user cannot. */
static void forge(const char *intent)
{
    shell("mkdir -p -m 700 $STATE/openclaw-doctor/runs/forged/backup");
    _cleanup_free_ char *path = in(state, "openclaw-doctor/runs/forged/journal.jsonl"), *text = NULL;

    ck_assert_int_ge(asprintf(&text, "{\"type\":\"begin\",\"run\":\"forged\"}\n%s\n", intent), 0);
    put(path, text, 0600);
    shell("chown -R 1001:1001 $STATE");
}

static void settle_forged(const char *words)
{
    _cleanup_free_ char *settled = NULL;
    _cleanup_error_ struct dr_error error = { 0 };
    struct dr_repair_run *run;

    target.uid = target.gid = 1001;
    ck_assert_int_eq(dr_repair_begin(&target, NULL, &run, &settled, &error), 0);
    ck_assert_msg(settled && strstr(settled, words), "%s", settled);
    ck_assert_int_eq(dr_repair_end(run, &error), 0);
}

START_TEST(root_obeys_no_users_journal_outside_of_the_state)
{
    _cleanup_free_ char *folder = in(home, "units"), *path = in(home, "units/a.service"), *intent = NULL;
    struct stat st;

    if (geteuid() != 0)
        return;
    shell("mkdir -m 755 $HOMEDIR/units && echo x > $HOMEDIR/units/a.service && chmod 644 $HOMEDIR/units/a.service");
    ck_assert_int_ge(
        asprintf(&intent,
                 "{\"type\":\"intent\",\"step\":1,\"operation\":1,\"group\":0,\"kind\":\"set-mode\",\"path\":\"%s\","
                 "\"before\":{\"exists\":true,\"mode\":33206,\"uid\":0,\"gid\":0,\"device\":\"1\",\"inode\":\"1\","
                 "\"mtimeNs\":\"0\"},"
                 "\"after\":{\"exists\":true,\"mode\":33188,\"uid\":0,\"gid\":0,\"device\":\"1\",\"inode\":\"1\","
                 "\"mtimeNs\":\"0\"}}",
                 path),
        0);
    allowed[0] = folder;
    forge(intent);
    settle_forged("left as it is");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0644);
}
END_TEST

START_TEST(root_copies_no_secret_that_a_forged_backup_points_to)
{
    _cleanup_free_ char *path = in(state, "openclaw.json"), *secret = in(home, "secret"), *intent = NULL;

    if (geteuid() != 0)
        return;
    put(secret, "root's own", 0600);
    ck_assert_int_ge(
        asprintf(&intent,
                 "{\"type\":\"intent\",\"step\":1,\"operation\":1,\"group\":0,\"kind\":\"edit-file\",\"path\":\"%s\","
                 "\"before\":{\"exists\":true,\"sha256\":\"%s\"},\"after\":{\"exists\":true,\"sha256\":\"%s\"},"
                 "\"backup\":\"backup/0001\",\"temp\":\".openclaw-doctor-forged-0001\"}",
                 path, hash_of(secret), hash_of(path)),
        0);
    forge(intent);
    shell("ln -s $HOMEDIR/secret $STATE/openclaw-doctor/runs/forged/backup/0001");
    settle_forged("left as it is");
    expect_text(path, "{ \"a\": 1, // keep\n \"b\": 2 }\n");
}
END_TEST

START_TEST(the_journal_is_its_owners_alone)
{
    _cleanup_free_ char *path = in(state, "openclaw.json");
    struct dr_operation op = operation(DR_EDIT_FILE, path);
    struct dr_edit edit = { .offset = 7, .length = 1, .text = "3", .text_length = 1 };
    struct dr_repair_result result;

    op.sha256 = hash_of(path);
    op.edits = &edit;
    op.edit_count = 1;
    if (geteuid() == 0)
        target.uid = target.gid = 1001;
    ck_assert_int_eq(run_one(&op, &result), 0);
    shell("cd $STATE/openclaw-doctor && test -z \"$(find . -type d ! -perm 700)\" && test -z \"$(find . -type f ! -perm "
          "600)\"");
    if (geteuid() == 0)
        shell("cd $STATE/openclaw-doctor && test -z \"$(find . ! -uid 1001)\"");
    ck_assert_ptr_nonnull(result.backup);
    expect_text(result.backup, "{ \"a\": 1, // keep\n \"b\": 2 }\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, mode_is_set_and_put_back);
    tcase_add_test(all, mode_of_the_state_directory_itself);
    tcase_add_test(all, owner_is_set_and_put_back_and_the_mode_stays);
    tcase_add_test(all, set_user_id_is_never_given_back);
    tcase_add_test(all, edit_changes_only_its_bytes_and_comes_back_with_its_time);
    tcase_add_test(all, edit_keeps_extended_attributes_both_ways);
    tcase_add_test(all, edit_takes_a_secret_from_another_file);
    tcase_add_test(all, new_token_is_made_once_and_is_in_no_journal);
    tcase_add_test(all, file_is_written_and_taken_away_again);
    tcase_add_test(all, directory_is_made_and_removed_again);
    tcase_add_test(all, file_moves_aside_and_back);
    tcase_add_test(all, directory_moves_aside_and_back);
    tcase_add_test(all, journal_elsewhere_moves_aside_in_the_same_folder);
    tcase_add_test(all, row_takes_another_rows_value_and_the_exact_bytes_come_back);
    tcase_add_test(all, row_alone_comes_back_when_others_wrote_since);
    tcase_add_test(all, deleted_row_comes_back_with_every_type_while_a_reader_has_it_open);
    tcase_add_test(all, json_value_is_set_and_an_unknown_schema_is_not_written);
    tcase_add_test(all, root_leaves_the_databases_files_to_their_owner);
    tcase_add_test(all, what_is_no_longer_as_judged_is_refused);
    tcase_add_test(all, links_and_other_names_are_refused);
    tcase_add_test(all, allowed_folders_are_allowed_and_nothing_else);
    tcase_add_test(all, root_does_not_follow_somebody_elses_link_to_the_state);
    tcase_add_test(all, a_running_gateway_makes_some_repairs_wait);
    tcase_add_test(all, a_group_stands_or_falls_together);
    tcase_add_test(all, undo_refuses_what_changed_since_and_keeps_it_when_forced);
    tcase_add_test(all, nothing_to_do_leaves_nothing_behind);
    tcase_add_test(all, one_doctor_at_a_time);
    tcase_add_test(all, history_tells_what_was_done_and_undone);
    tcase_add_test(all, rolled_back_in_the_run);
    tcase_add_test(all, a_killed_run_is_settled_by_the_next_start);
    tcase_add_test(all, root_obeys_no_users_journal_outside_of_the_state);
    tcase_add_test(all, root_copies_no_secret_that_a_forged_backup_points_to);
    tcase_add_test(all, the_journal_is_its_owners_alone);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
