/* api/log.h: what a gateway's log says. The lines are those of real gateways of 2026.2.19 and 2026.9.6, shortened. */
#include "base/buffer.h"
#include "facts/config.h"
#include "facts/log_internal.h"

#include "api/target.h"

#define HOME_MEGABYTES 64
#include "home_folder.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct dr_request request;
static struct dr_target target;
static struct dr_config config;
static struct dr_context context;

#define JSON_REFUSED                                                                                                        \
    "{\"0\":\"{\\\"subsystem\\\":\\\"gateway/ws\\\"}\",\"1\":{\"cause\":\"origin-mismatch\",\"host\":\"127.0.0.1:23220\","  \
    "\"origin\":\"https://gw.example.com\",\"reason\":\"origin not allowed\"},\"2\":\"closed before connect conn=5d7bd093 " \
    "remote=127.0.0.1 fwd=203.0.113.9 origin=https://gw.example.com host=127.0.0.1:23220 ua=n/a code=1006 reason=n/a\","    \
    "\"_meta\":{\"date\":\"2026-11-28T14:36:54.377Z\"},\"time\":\"2026-11-28T14:36:54.378Z\"}"
#define JSON_ATTRIBUTION                                                                                                 \
    "{\"0\":\"{\\\"subsystem\\\":\\\"gateway\\\"}\",\"1\":\"gateway: observed unattributable proxy-shaped traffic from " \
    "172.18.0.5; Gateway-authenticated routes reject "                                                                   \
    "it\",\"_meta\":{},\"time\":\"2026-11-28T15:39:11.426+01:00\",\"hostname\":\"vm\","                                  \
    "\"message\":\"gateway: observed unattributable proxy-shaped traffic from 172.18.0.5; Gateway-authenticated\"}"
#define PLAIN_PAIRING                                                                                                \
    "2026-11-21T01:31:53.026Z [ws] closed before connect conn=6c6aac39 remote=::ffff:172.17.0.1 fwd=n/a origin=n/a " \
    "host=gw.example.com:18789 ua=n/a code=1008 reason=pairing required"
#define PLAIN_UNTRUSTED \
    "2026-11-21T01:31:52.900Z [ws] Proxy headers detected from untrusted address. Connection will not be treated as local."

static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(in_home(name), 0700), 0);
}

static const char *no_variable(void *data, const char *name)
{
    (void)data;
    (void)name;
    return NULL;
}

static void set_up(void)
{
    struct dr_config_environment environment = { .get = no_variable };
    static const char *const nothing[] = { NULL };

    make_home();
    request = (struct dr_request){ .root = home, .proc = "/proc", .environment = nothing };
    request.root_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    target = (struct dr_target){ .home = "/home/u", .state_dir = "/home/u/.openclaw", .uid = geteuid() };
    ck_assert_int_eq(dr_config_load(request.root_fd, "/none.json", &environment, &arena, &config), 0);
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target, .config = &config };
    make_folder("tmp");
    make_folder("tmp/openclaw");
}

static void tear_down(void)
{
    (void)close(request.root_fd);
    remove_home();
}

/* ---- needles ---- */

START_TEST(needles_are_found_as_memmem_finds_them)
{
    static const char *const texts[] = { "abcabcab", "bcabcabc", "aaaaaaaa", "abcaaaaab", "ccccccccccc" };
    static struct dr_needles needles;
    char bytes[4000];
    unsigned seed = 7;

    ck_assert_int_eq(dr_needles_prepare(&needles, texts, DR_COUNT(texts)), 0);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1103515245U + 12345U;
        bytes[i] = (char)("aaabbc"[(seed >> 16) % 6]);
    }
    memcpy(bytes + sizeof(bytes) - 9, texts[3], 9);
    memcpy(bytes + 100, texts[0], 8);
    size_t expected[DR_COUNT(texts)] = { 0 }, found[DR_COUNT(texts)] = { 0 };

    for (size_t i = 0; i < sizeof(bytes); i++)
        for (size_t n = 0; n < DR_COUNT(texts); n++) {
            size_t length = strlen(texts[n]);

            /* Of several that begin at one place one is told. */
            if (length <= sizeof(bytes) - i && memcmp(bytes + i, texts[n], length) == 0) {
                expected[n]++;
                break;
            }
        }
    size_t at = 0, total = 0;
    int number;

    for (size_t from = 0; (number = dr_needles_find(&needles, bytes, sizeof(bytes), from, &at)) >= 0; from = at + 1) {
        ck_assert_int_eq(memcmp(bytes + at, texts[number], strlen(texts[number])), 0);
        found[number]++;
        total++;
    }
    ck_assert_uint_eq(total, expected[0] + expected[1] + expected[2] + expected[3] + expected[4]);
    ck_assert_uint_ge(found[3], 1);
}
END_TEST

START_TEST(every_signature_is_found_at_any_place)
{
    static struct dr_needles needles;
    const char *texts[DR_NEEDLES_MOST];

    ck_assert_uint_le(dr_log_signature_count, DR_NEEDLES_MOST);
    for (size_t i = 0; i < dr_log_signature_count; i++)
        texts[i] = dr_log_signatures[i].needle;
    ck_assert_int_eq(dr_needles_prepare(&needles, texts, dr_log_signature_count), 0);
    for (size_t i = 0; i < dr_log_signature_count; i++) {
        size_t length = strlen(texts[i]), at = 0;

        for (size_t before = 0; before < 40; before++) {
            char bytes[256];

            memset(bytes, 'e', sizeof(bytes));
            memcpy(bytes + before, texts[i], length);
            ck_assert_int_eq(dr_needles_find(&needles, bytes, before + length, 0, &at), (int)i);
            ck_assert_uint_eq(at, before);
        }
    }
    ck_assert_int_eq(dr_needles_prepare(&needles, (const char *const[]){ "short" }, 1), -EINVAL);
}
END_TEST

/* ---- lines ---- */

static const struct {
    const char *line;
    int64_t time;
    const char *peer, *origin, *host;
    bool forwarded;
} lines[] = {
    { JSON_REFUSED, 1795876614378, "127.0.0.1", "https://gw.example.com", "127.0.0.1:23220", true },
    { JSON_ATTRIBUTION, 1795876751426, "172.18.0.5", "", "", false },
    { PLAIN_PAIRING, 1795224713026, "::ffff:172.17.0.1", "", "gw.example.com:18789", false },
    { PLAIN_UNTRUSTED, 1795224712900, "", "", "", false },
    { "2026-11-21T01:31:53 remote=fd00::9 fwd=198.51.100.1,127.0.0.1 origin=http://[fd00::9]:18789 host=[fd00::9]:18789",
      1795224713000, "fd00::9", "http://[fd00::9]:18789", "[fd00::9]:18789", true },
    /* Whoever connects chooses these. */
    { "x remote=not-an-address origin=https://user:secret@gw.example.com host=gw.example.com/?token=secret", 0, "", "", "",
      false },
    { "x remote=127.0.0.1 origin=https://gw.example.com/chat?token=secret host=gw\x1b[31m", 0, "127.0.0.1",
      "https://gw.example.com", "", false },
    { "x notremote=127.0.0.1 origin=https://gw.example.com?token=secret", 0, "", "", "", false },
    { "x origin=null host=", 0, "", "", "", false },
    { "{\"message\":\"a \\\"time\\\":\\\"2020-01-01T00:00:00.000Z\\\"\"}", 0, "", "", "", false },
    { "202X-11-21T01:31:53.026Z", 0, "", "", "", false },
    { "2026-11-21T01:3", 0, "", "", "", false },
    { "{},\"time\":\"2026-11", 0, "", "", "", false },
    { "", 0, "", "", "", false },
};

START_TEST(lines_tell_time_and_who)
{
    const char *line = lines[_i].line;
    static const char needle[] = "traffic from ";
    const char *found = strstr(line, needle);
    struct dr_log_fields fields;

    ck_assert_int_eq(dr_log_line_time(line, strlen(line)), lines[_i].time);
    dr_log_line_fields(line, strlen(line), found ? (size_t)(found - line) + strlen(needle) : 0, &fields);
    ck_assert_str_eq(fields.peer, lines[_i].peer);
    ck_assert_str_eq(fields.origin, lines[_i].origin);
    ck_assert_str_eq(fields.host, lines[_i].host);
    ck_assert_int_eq(fields.forwarded, lines[_i].forwarded);
    ck_assert_int_eq(fields.address.family != 0, *lines[_i].peer != '\0');
}
END_TEST

/* ---- one pass ---- */

struct tally {
    size_t count;
    size_t longest;
};

static void tally_seen(void *data, uint64_t signatures, const char *line, size_t length, size_t address_at)
{
    struct tally *tally = data;

    ck_assert_uint_le(address_at, length);
    ck_assert_ptr_null(memchr(line, '\n', length));
    tally->count += (size_t)__builtin_popcountll(signatures);
    if (length > tally->longest)
        tally->longest = length;
}

static struct tally scan(const char *before, size_t repeat, const char *line, size_t lines_count, uint64_t from)
{
    static struct dr_needles needles;
    static char piece[DR_LOG_PIECE];
    struct tally tally = { 0 };
    int fd = memfd_create("log", MFD_CLOEXEC);
    FILE *file = fdopen(fd, "w");

    for (size_t i = 0; i < repeat; i++)
        ck_assert_int_ge(fputs(before, file), 0);
    for (size_t i = 0; i < lines_count; i++)
        ck_assert_int_ge(fprintf(file, "%s%s", line, i + 1 < lines_count ? "\n" : ""), 0);
    ck_assert_int_eq(fflush(file), 0);
    ck_assert_int_eq(dr_needles_prepare(&needles, (const char *const[]){ "pairing required", "origin not allowed" }, 2), 0);
    ck_assert_int_eq(dr_log_scan(fd, from, piece, &needles, tally_seen, &tally), 0);
    ck_assert_int_eq(fclose(file), 0);
    return tally;
}

START_TEST(a_large_file_is_read_in_pieces)
{
    ck_assert_uint_eq(scan("", 0, "it says pairing required here", 50000, 0).count, 50000);
    ck_assert_uint_eq(scan("", 0, "pairing required twice: pairing required", 7, 0).count, 7);
    ck_assert_uint_eq(scan("", 0, "pairing required and origin not allowed", 7, 0).count, 14);
    ck_assert_uint_eq(scan("", 0, "", 0, 0).count, 0);
    /* The line that the tail cuts is left out. */
    ck_assert_uint_eq(scan("", 0, "pairing required", 10, 1).count, 9);
    ck_assert_uint_eq(scan("", 0, "pairing required", 1, 1).count, 0);
    /* One line without an end, larger than a piece, and a good one behind it. */
    ck_assert_uint_eq(scan("xxxxxxxxxx", 100000, "\npairing required", 1, 0).count, 1);
    ck_assert_uint_eq(scan("xxxxxxxxxx", 100000, "\npairing required", 1, 5).count, 1);
    ck_assert_uint_le(scan("xxxxxxx pairing required", 100000, "", 0, 0).longest, DR_LOG_PIECE);
}
END_TEST

/* ---- which files ---- */

START_TEST(the_log_of_the_day_is_found_and_counted)
{
    write_file("tmp/openclaw/openclaw-2026-11-28.log",
               PLAIN_UNTRUSTED "\n" JSON_REFUSED "\n" JSON_REFUSED "\n" JSON_ATTRIBUTION "\n" PLAIN_PAIRING "\n");
    write_file("tmp/openclaw/other.log", PLAIN_UNTRUSTED "\n");

    const struct dr_log *log = dr_log(&context);

    ck_assert_int_eq(log->fact.state, DR_KNOWN);
    ck_assert_uint_eq(log->file_count, 1);
    ck_assert_str_eq(log->files[0].path, "/tmp/openclaw/openclaw-2026-11-28.log");
    ck_assert_ptr_null(log->files[0].why_not);
    ck_assert_uint_eq(dr_log_find(log, "proxy-untrusted")->count, 1);
    ck_assert_uint_eq(dr_log_find(log, "origin-refused")->count, 2);
    ck_assert_uint_eq(dr_log_find(log, "closed-before-connect")->count, 3);
    ck_assert_int_eq(dr_log_find(log, "closed-before-connect")->first_ms, 1795224713026);
    ck_assert_int_eq(dr_log_find(log, "closed-before-connect")->last_ms, 1795876614378);
    ck_assert_ptr_null(dr_log_find(log, "disk-full"));
    size_t forwarded = 0, attributed = 0;

    for (size_t i = 0; i < log->meeting_count; i++) {
        const struct dr_log_meeting *meeting = &log->meetings[i];

        forwarded += meeting->forwarded ? meeting->count : 0;
        attributed += strcmp(meeting->signature->id, "proxy-attribution") == 0 && strcmp(meeting->peer, "172.18.0.5") == 0;
    }
    ck_assert_uint_eq(forwarded, 4); /* two lines, two signatures */
    ck_assert_uint_eq(attributed, 1);
}
END_TEST

START_TEST(no_log_is_an_answer)
{
    ck_assert_int_eq(dr_log(&context)->fact.state, DR_ABSENT);
    ck_assert_ptr_nonnull(strstr(dr_log(&context)->fact.reason, "/tmp/openclaw"));
    ck_assert_ptr_null(dr_log_find(dr_log(&context), "origin-refused"));
}
END_TEST

START_TEST(another_users_log_is_not_ours)
{
    write_file("tmp/openclaw/openclaw-2026-11-28.log", PLAIN_UNTRUSTED "\n");
    target.uid = geteuid() + 1;
    ck_assert_int_eq(dr_log(&context)->fact.state, DR_ABSENT);
}
END_TEST

START_TEST(a_log_that_cannot_be_read_is_unknown)
{
    ck_assert_int_eq(symlink("/dev/null", in_home("tmp/openclaw/openclaw-2026-11-28.log")), 0);

    const struct dr_log *log = dr_log(&context);

    ck_assert_int_eq(log->fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(log->fact.reason, "is a link"));
}
END_TEST

START_TEST(the_configured_file_wins_and_supervisors_logs_are_read)
{
    struct dr_config_environment environment = { .get = no_variable };

    write_file("tmp/openclaw/openclaw-2026-11-28.log", PLAIN_UNTRUSTED "\n");
    make_folder("home");
    make_folder("home/u");
    make_folder("home/u/.openclaw");
    make_folder("home/u/.openclaw/logs");
    write_file("home/u/mine.log", JSON_ATTRIBUTION "\n");
    write_file("home/u/.openclaw/logs/gateway.log", PLAIN_PAIRING "\n");
    write_file("openclaw.json", "{logging: {file: '~/mine.log'}}");
    ck_assert_int_eq(dr_config_load(request.root_fd, "/openclaw.json", &environment, &arena, &config), 0);

    const struct dr_log *log = dr_log(&context);

    ck_assert_int_eq(log->fact.state, DR_KNOWN);
    ck_assert_uint_eq(log->file_count, 2);
    ck_assert_ptr_nonnull(dr_log_find(log, "proxy-attribution"));
    ck_assert_ptr_nonnull(dr_log_find(log, "pairing-required"));
    ck_assert_ptr_null(dr_log_find(log, "proxy-untrusted"));
}
END_TEST

START_TEST(the_table_of_meetings_is_bounded)
{
    FILE *file = fopen(in_home("tmp/openclaw/openclaw-2026-11-28.log"), "we");

    for (unsigned i = 0; i < 1000; i++)
        ck_assert_int_gt(fprintf(file, "closed before connect conn=%u remote=10.0.%u.%u fwd=n/a\n", i, i / 256, i % 256), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_uint_eq(dr_log(&context)->meeting_count, 256);
    ck_assert(dr_log(&context)->meetings_cut);
    ck_assert_uint_eq(dr_log_find(dr_log(&context), "closed-before-connect")->count, 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *cases = tcase_create("log");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, needles_are_found_as_memmem_finds_them);
    tcase_add_test(cases, every_signature_is_found_at_any_place);
    tcase_add_loop_test(cases, lines_tell_time_and_who, 0, (int)DR_COUNT(lines));
    tcase_add_test(cases, a_large_file_is_read_in_pieces);
    tcase_add_test(cases, the_log_of_the_day_is_found_and_counted);
    tcase_add_test(cases, no_log_is_an_answer);
    tcase_add_test(cases, another_users_log_is_not_ours);
    tcase_add_test(cases, a_log_that_cannot_be_read_is_unknown);
    tcase_add_test(cases, the_configured_file_wins_and_supervisors_logs_are_read);
    tcase_add_test(cases, the_table_of_meetings_is_bounded);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
