/* Reading a database that somebody else writes: what is seen, what is refused, and that nothing beside it changes. */
#include "base/file.h"
#include "facts/sqlite_read.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[64];
static char database[128], live[128];

static void run(sqlite3 *db, const char *sql)
{
    char *words = NULL;

    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &words) == SQLITE_OK, "%s: %s", sql, words);
}

static void copy(const char *from, const char *to)
{
    _cleanup_buffer_ struct dr_buffer bytes = DR_BUFFER(16 << 20);
    FILE *file = fopen(to, "wbe");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, from, &bytes, NULL), 0);
    ck_assert_uint_eq(fwrite(dr_buffer_text(&bytes), 1, bytes.length, file), bytes.length);
    ck_assert_int_eq(fclose(file), 0);
}

static void copy_set(void)
{
    char from[192], to[192];

    copy(live, database);
    (void)snprintf(from, sizeof(from), "%s-wal", live);
    (void)snprintf(to, sizeof(to), "%s-wal", database);
    copy(from, to);
}

/* A database as a gateway leaves it: one row checkpointed, one only in the log. The connection stays open (no clean-up). */
static sqlite3 *write_live(void)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(live, &db), SQLITE_OK);
    run(db, "PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; PRAGMA user_version=18;"
            "CREATE TABLE t(a TEXT); INSERT INTO t VALUES('old'); PRAGMA wal_checkpoint(TRUNCATE);"
            "INSERT INTO t VALUES('new'); PRAGMA user_version=17;");
    return db;
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/dr-sqlite-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(database, sizeof(database), "%s/copy.sqlite", folder);
    (void)snprintf(live, sizeof(live), "%s/live.sqlite", folder);
}

static void teardown(void)
{
    pid_t child = fork();

    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(child, NULL, 0);
}

static int append_cell(void *text, int count, char **values, char **names)
{
    (void)names;
    ck_assert_int_eq(count, 1);
    (void)strcat(text, values[0]);
    (void)strcat(text, " ");
    return 0;
}

static const char *rows(struct dr_sqlite *sqlite, const char *sql)
{
    static char text[256];

    text[0] = '\0';
    ck_assert_msg(sqlite3_exec(sqlite->db, sql, append_cell, text, NULL) == SQLITE_OK, "%s", dr_sqlite_words(sqlite));
    return text;
}

static void listing(char text[1024])
{
    const char *names[] = { "", "/copy.sqlite", "/copy.sqlite-wal", "/copy.sqlite-shm", "/copy.sqlite-journal" };
    size_t at = 0;

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        char path[128];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        if (lstat(path, &st) == 0)
            at += (size_t)snprintf(text + at, 1024 - at, "%s %lu %ld %ld.%09ld %ld.%09ld\n", names[i], st.st_ino,
                                   (long)st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_ctim.tv_sec,
                                   st.st_ctim.tv_nsec);
    }
}

START_TEST(rows_only_in_the_log_are_seen_and_nothing_changes)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;
    char before[1024] = "", after[1024] = "";

    copy_set();
    listing(before);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), 0);
    ck_assert_str_eq(rows(&sqlite, "SELECT a FROM t ORDER BY rowid"), "old new ");
    ck_assert_str_eq(rows(&sqlite, "PRAGMA integrity_check"), "ok ");
    ck_assert_int_eq(sqlite.user_version, 17);
    ck_assert_uint_gt(sqlite.wal.frames, 0);
    ck_assert(dr_sqlite_still_same(&sqlite, AT_FDCWD, database));
    dr_sqlite_close(&sqlite);
    listing(after);
    ck_assert_str_eq(before, after);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(without_the_log_the_row_would_be_missing)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;

    copy(live, database);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), 0);
    ck_assert_str_eq(rows(&sqlite, "SELECT a FROM t ORDER BY rowid"), "old ");
    ck_assert_int_eq(sqlite.user_version, 18);
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(a_transaction_that_was_cut_off_never_happened)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;
    char log[192];
    struct stat st;

    run(writer, "INSERT INTO t VALUES('third')");
    copy_set();
    (void)snprintf(log, sizeof(log), "%s-wal", database);
    ck_assert_int_eq(stat(log, &st), 0);
    ck_assert_int_eq(truncate(log, st.st_size - 1), 0);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), 0);
    ck_assert_str_eq(rows(&sqlite, "SELECT a FROM t ORDER BY rowid"), "old new ");
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(a_writer_at_work_is_noticed)
{
    static const char *const work[] = { "INSERT INTO t VALUES('x')", "PRAGMA wal_checkpoint(TRUNCATE)",
                                        "PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES('y')" };
    sqlite3 *writer = write_live();

    for (size_t i = 0; i < DR_COUNT(work); i++) {
        struct dr_sqlite sqlite;

        ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, live, NULL), 0);
        ck_assert(dr_sqlite_still_same(&sqlite, AT_FDCWD, live));
        run(writer, work[i]);
        ck_assert_msg(!dr_sqlite_still_same(&sqlite, AT_FDCWD, live), "not noticed: %s", work[i]);
        dr_sqlite_close(&sqlite);
    }
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(the_writer_is_not_in_the_way_and_we_are_not_in_its)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;

    run(writer, "BEGIN IMMEDIATE; INSERT INTO t VALUES('uncommitted')");
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, live, NULL), 0);
    ck_assert_str_eq(rows(&sqlite, "SELECT a FROM t ORDER BY rowid"), "old new ");
    run(writer, "COMMIT");
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(what_is_no_database_is_said_to_be_none)
{
    struct dr_sqlite sqlite;
    _cleanup_error_ struct dr_error error = { 0 };
    FILE *file = fopen(database, "we");

    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 500; i++)
        (void)fputs("no database ", file);
    (void)fclose(file);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, &error), -EBADMSG);
    ck_assert_str_eq(dr_error_text(&error), "file is not a database");
    ck_assert_uint_eq(sqlite.identity.size, 6000);
    dr_sqlite_close(&sqlite);

    ck_assert_int_eq(truncate(database, 0), 0);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), -EBADMSG);
    dr_sqlite_close(&sqlite);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, "/tmp/dr-there-is-no-such-file", NULL), -ENOENT);
    dr_sqlite_close(&sqlite);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, folder, NULL), -EINVAL);
    dr_sqlite_close(&sqlite);
}
END_TEST

START_TEST(a_hot_journal_is_not_read_past)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;
    char journal[192];

    copy(live, database);
    (void)snprintf(journal, sizeof(journal), "%s-journal", database);
    FILE *file = fopen(journal, "we");

    ck_assert_ptr_nonnull(file);
    (void)fputs("\xd9\xd5\x05\xf9", file);
    (void)fclose(file);
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), -EBUSY);
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(it_cannot_write)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;

    copy_set();
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), 0);
    ck_assert_int_ne(sqlite3_exec(sqlite.db, "INSERT INTO t VALUES('z')", NULL, NULL, NULL), SQLITE_OK);
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

START_TEST(a_query_without_end_ends)
{
    sqlite3 *writer = write_live();
    struct dr_sqlite sqlite;

    copy_set();
    ck_assert_int_eq(dr_sqlite_open(&sqlite, AT_FDCWD, database, NULL), 0);
    dr_sqlite_allow_ms(&sqlite, 20);
    ck_assert_int_eq(sqlite3_exec(sqlite.db,
                                  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c",
                                  NULL, NULL, NULL) &
                         0xff,
                     SQLITE_INTERRUPT);
    dr_sqlite_close(&sqlite);
    (void)sqlite3_close(writer);
}
END_TEST

/* Moves amounts between two rows on pages of their own, with checkpoints in between, until it is killed. */
static void write_for_ever(void)
{
    sqlite3 *db;

    if (sqlite3_open(live, &db) != SQLITE_OK)
        _exit(1);
    (void)sqlite3_exec(db, "PRAGMA wal_autocheckpoint=7", NULL, NULL, NULL);
    for (;;) {
        (void)sqlite3_exec(db,
                           "BEGIN IMMEDIATE; UPDATE m SET n = n + 1, filler = randomblob(3000) WHERE id = 1;"
                           "UPDATE m SET n = n - 1, filler = randomblob(3000) WHERE id = 50; COMMIT",
                           NULL, NULL, NULL);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
    }
}

/* One look at the live database. False: a writer was noticed. */
static bool sum_is_whole(void)
{
    struct dr_sqlite sqlite;
    char sum[64] = "";
    int r = dr_sqlite_open(&sqlite, AT_FDCWD, live, NULL);

    if (r == 0)
        r = sqlite3_exec(sqlite.db, "SELECT sum(n) FROM m", append_cell, sum, NULL);
    bool same = dr_sqlite_still_same(&sqlite, AT_FDCWD, live);

    dr_sqlite_close(&sqlite);
    if (same)
        ck_assert_msg(r == 0 && strcmp(sum, "0 ") == 0, "a mixture was taken for whole: %d, sum %s", r, sum);
    return same;
}

START_TEST(what_is_taken_for_whole_is_whole_while_somebody_writes)
{
    sqlite3 *writer = write_live();
    unsigned whole = 0, noticed = 0;

    run(writer, "CREATE TABLE m(id INTEGER PRIMARY KEY, n INTEGER, filler BLOB);"
                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 50)"
                " INSERT INTO m SELECT x, 0, randomblob(3000) FROM c");
    pid_t child = fork();

    if (child == 0)
        write_for_ever();
    for (int i = 0; i < 3000; i++) {
        if (sum_is_whole())
            whole++;
        else
            noticed++;
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)sqlite3_close(writer);
    ck_assert_uint_gt(whole, 0);
    ck_assert_uint_gt(noticed, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqlite_read");
    TCase *tests = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rows_only_in_the_log_are_seen_and_nothing_changes);
    tcase_add_test(tests, without_the_log_the_row_would_be_missing);
    tcase_add_test(tests, a_transaction_that_was_cut_off_never_happened);
    tcase_add_test(tests, a_writer_at_work_is_noticed);
    tcase_add_test(tests, the_writer_is_not_in_the_way_and_we_are_not_in_its);
    tcase_add_test(tests, what_is_no_database_is_said_to_be_none);
    tcase_add_test(tests, a_hot_journal_is_not_read_past);
    tcase_add_test(tests, it_cannot_write);
    tcase_add_test(tests, a_query_without_end_ends);
    tcase_add_test(tests, what_is_taken_for_whole_is_whole_while_somebody_writes);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
