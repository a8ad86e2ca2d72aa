/* Clocks: arithmetic over made-up answers, packets of good and bad time servers, names, configurations of time services. */
#include "api/clock.h"

#include "base/cleanup.h"
#include "facts/clock.h"
#include "facts/clock_ask.h"
#include "facts/clock_host.h"
#include "facts/clock_names.h"
#include "facts/clock_service.h"
#include "facts/clock_sntp.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct dr_arena arena = DR_ARENA(16 * 1024 * 1024);
static char home[64];
static const char *environment[2];
static struct dr_request request;

static struct dr_context *new_context(void)
{
    struct dr_context *context = dr_arena_alloc(&arena, sizeof(*context));

    context->arena = &arena;
    context->request = &request;
    return context;
}

static void setup(void)
{
    static char variable[96];

    (void)snprintf(home, sizeof(home), "/tmp/dr-clock-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    (void)snprintf(variable, sizeof(variable), "HOME=%s", home);
    environment[0] = variable;
    request = (struct dr_request){ .root_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC),
                                   .environment = environment,
                                   .proc = home,
                                   .uid = geteuid(),
                                   .gid = getegid() };
    ck_assert_int_ge(request.root_fd, 0);
}

static void teardown(void)
{
    _cleanup_free_ char *command = NULL;

    (void)close(request.root_fd);
    ck_assert_int_ge(asprintf(&command, "rm -rf '%s'", home), 0);
    ck_assert_int_eq(system(command), 0);
}

/* `path` below the scratch root; folders are made. */
static void write_file(const char *path, const char *text)
{
    _cleanup_free_ char *command = NULL, *whole = NULL;

    ck_assert_int_ge(asprintf(&whole, "%s%s", home, path), 0);
    ck_assert_int_ge(asprintf(&command, "mkdir -p \"$(dirname '%s')\"", whole), 0);
    ck_assert_int_eq(system(command), 0);
    FILE *file = fopen(whole, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* ---- against a gateway ---- */

static const int64_t now = INT64_C(1795867200000);

/* An endpoint whose gateway is `ahead` of us, and whose answers take `there` and `back` milliseconds. */
static struct dr_endpoint gateway_ahead(int64_t ahead, int64_t there, int64_t back)
{
    return (struct dr_endpoint){
        .url = "http://127.0.0.1:18789/",
        .page = { .reach = DR_REACH_ANSWERED,
                  .control_ui = true,
                  .asked_ms = now,
                  .answered_ms = now + there + back,
                  .date_ms = (now + there + ahead) / 1000 * 1000 },
        .socket = { .reach = DR_REACH_ANSWERED,
                    .challenged = true,
                    .asked_ms = now,
                    .challenged_ms = now + there + back,
                    .challenge_ts_ms = now + there + ahead },
    };
}

START_TEST(a_challenge_tells_within_half_of_the_round_trip)
{
    static const int64_t offsets[] = { 0, 1, -1, 119000, -130000, 599000, -601000, 3600000, -86400000, 86400000 };
    static const int64_t ways[][2] = { { 0, 0 }, { 1, 1 }, { 0, 900 }, { 900, 0 }, { 300, 20 } };

    for (size_t i = 0; i < DR_COUNT(offsets); i++)
        for (size_t j = 0; j < DR_COUNT(ways); j++) {
            struct dr_endpoint endpoint = gateway_ahead(offsets[i], ways[j][0], ways[j][1]);
            struct dr_clock_offset offset;
            bool coarse;

            ck_assert(dr_clock_of_endpoint(&endpoint, &offset, &coarse));
            ck_assert(!coarse);
            ck_assert_int_le(offset.ms - offset.error_ms, offsets[i]);
            ck_assert_int_ge(offset.ms + offset.error_ms, offsets[i]);
            ck_assert_int_le(offset.error_ms, (ways[j][0] + ways[j][1]) / 2 + 1);
        }
}
END_TEST

START_TEST(a_date_tells_within_half_a_second)
{
    for (int64_t ahead = -2500; ahead <= 2500; ahead += 70) {
        struct dr_endpoint endpoint = gateway_ahead(ahead, 10, 30);
        struct dr_clock_offset offset;
        bool coarse;

        endpoint.socket.challenged = false;
        ck_assert(dr_clock_of_endpoint(&endpoint, &offset, &coarse));
        ck_assert(coarse);
        ck_assert_int_le(offset.ms - offset.error_ms, ahead);
        ck_assert_int_ge(offset.ms + offset.error_ms, ahead);
        ck_assert_int_le(offset.error_ms, 521);
    }
}
END_TEST

START_TEST(a_date_that_may_be_a_proxys_does_not_count)
{
    struct dr_endpoint endpoint = gateway_ahead(5000, 1, 1);
    struct dr_clock_offset offset;
    bool coarse;

    endpoint.socket.challenged = false;
    endpoint.page.server = "nginx";
    ck_assert(!dr_clock_of_endpoint(&endpoint, &offset, &coarse));
    endpoint.page.server = NULL;
    endpoint.kind = DR_AT_PROXY;
    ck_assert(!dr_clock_of_endpoint(&endpoint, &offset, &coarse));
    endpoint.socket.challenged = true; /* the challenge is the gateway's own, through whatever it came */
    ck_assert(dr_clock_of_endpoint(&endpoint, &offset, &coarse));
    ck_assert(!coarse);
    endpoint.kind = DR_AT_LOOPBACK4;
    endpoint.socket.challenged = false;
    endpoint.page.control_ui = false; /* somebody else's page */
    ck_assert(!dr_clock_of_endpoint(&endpoint, &offset, &coarse));
    endpoint.healthz.is_probe_answer = true;
    ck_assert(dr_clock_of_endpoint(&endpoint, &offset, &coarse));
    endpoint.page.answered_ms = endpoint.page.asked_ms - 1; /* our clock was set back in between */
    ck_assert(!dr_clock_of_endpoint(&endpoint, &offset, &coarse));
}
END_TEST

START_TEST(the_clock_that_is_off_most_is_told)
{
    struct dr_endpoint endpoints[] = { gateway_ahead(2, 1, 1), gateway_ahead(-700000, 5, 5), gateway_ahead(3000, 1, 1) };
    struct dr_gateway_clock clock;

    endpoints[1].kind = DR_AT_REMOTE_URL;
    dr_clock_of_endpoints(endpoints, DR_COUNT(endpoints), &clock);
    ck_assert_ptr_eq(clock.endpoint, &endpoints[1]);
    ck_assert(!clock.same_host);
    dr_clock_of_endpoints(endpoints, 1, &clock);
    ck_assert(clock.same_host);
    endpoints[0] = gateway_ahead(-700000, 200, 600); /* the same clock, measured worse */
    dr_clock_of_endpoints(endpoints, 2, &clock);
    ck_assert_ptr_eq(clock.endpoint, &endpoints[1]);
    dr_clock_of_endpoints(endpoints, 0, &clock);
    ck_assert_ptr_null(clock.endpoint);
    ck_assert_ptr_nonnull(clock.why);
}
END_TEST

static struct dr_clock_offset off(int64_t ms, int64_t error_ms)
{
    return (struct dr_clock_offset){ ms, error_ms };
}

START_TEST(whole_hours_are_named)
{
    static const struct {
        int64_t ms, error_ms;
        int half_hours;
        int64_t days;
    } rows[] = {
        { 0, 1, 0, 0 },
        { 3600000, 1, 2, 0 },
        { -3600000, 1, -2, 0 },
        { 5400000 + 4900, 1, 3, 0 },
        { 5400000 - 5100, 1, 0, 0 },
        { 3600000, 6000, 0, 0 }, /* the bound is too wide to say */
        { 900000, 1, 0, 0 },
        { 599000, 1, 0, 0 },
        { -601000, 1, 0, 0 },
        { INT64_C(14) * 3600000, 500, 28, 0 },
        { INT64_C(15) * 3600000, 500, 0, 0 }, /* no zone is that far away */
        { 86400000, 1, 0, 1 },
        { -3 * INT64_C(86400000) + 2000, 1, 0, -3 },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        struct dr_clock_offset offset = off(rows[i].ms, rows[i].error_ms);

        ck_assert_msg(dr_clock_half_hours(&offset) == rows[i].half_hours, "row %zu: %d", i, dr_clock_half_hours(&offset));
        ck_assert_int_eq(dr_clock_days(&offset), rows[i].days);
    }
}
END_TEST

START_TEST(a_bound_is_taken_away_first)
{
    struct dr_clock_offset offset = off(-120400, 500);

    ck_assert(!dr_clock_is_beyond(&offset, 120000));
    ck_assert(dr_clock_is_beyond(&offset, 119000));
    offset.ms = 120600;
    ck_assert(dr_clock_is_beyond(&offset, 120000));
}
END_TEST

START_TEST(spans_are_short)
{
    struct dr_context *context = new_context();
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = { { 0, "0 ms" },       { -130, "130 ms" },       { 1000, "1 s" },     { 1499, "1 s" },
                 { 119700, "2 min" }, { 663000, "11 min 3 s" }, { -3600000, "1 h" }, { 5400000, "1 h 30 min" },
                 { 86400000, "1 d" }, { 90000000, "1 d 1 h" } };

    for (size_t i = 0; i < DR_COUNT(rows); i++)
        ck_assert_str_eq(dr_clock_span(context, rows[i].ms), rows[i].text);
}
END_TEST

/* ---- time servers among each other ---- */

static struct dr_time_server says(int64_t ms, int64_t error_ms)
{
    return (struct dr_time_server){ .name = "t", .answer = DR_TIME_ANSWERED, .offset = { ms, error_ms } };
}

START_TEST(most_servers_are_believed_and_a_liar_is_not)
{
    struct dr_time_server servers[] = { says(10, 20), says(3600000, 5), says(-5, 30), says(12, 4) };
    struct dr_ntp ntp = { 0 };

    dr_clock_agree(servers, DR_COUNT(servers), &ntp);
    ck_assert_uint_eq(ntp.answered, 4);
    ck_assert_uint_eq(ntp.agreeing, 3);
    ck_assert(!ntp.contradict);
    ck_assert(servers[0].agrees && !servers[1].agrees && servers[2].agrees && servers[3].agrees);
    ck_assert_int_ge(ntp.offset.ms, 8);
    ck_assert_int_le(ntp.offset.ms, 16);
    ck_assert_int_le(ntp.offset.error_ms, 5);
}
END_TEST

START_TEST(two_that_contradict_each_other_are_not_believed)
{
    struct dr_time_server servers[] = { says(0, 20), says(3600000, 20), says(0, 1) };
    struct dr_ntp ntp = { 0 };

    servers[2].answer = DR_TIME_UNUSABLE;
    dr_clock_agree(servers, DR_COUNT(servers), &ntp);
    ck_assert_uint_eq(ntp.answered, 2);
    ck_assert(ntp.contradict);
    ck_assert(!servers[0].agrees && !servers[1].agrees);
    dr_clock_agree(servers, 1, &ntp);
    ck_assert(!ntp.contradict);
    ck_assert_uint_eq(ntp.agreeing, 1);
    dr_clock_agree(servers + 2, 1, &ntp);
    ck_assert_uint_eq(ntp.answered, 0);
    ck_assert(!ntp.contradict);
}
END_TEST

/* ---- one packet ---- */

#define NONCE UINT64_C(0x0123456789abcdef)
#define NS_PER_MS INT64_C(1000000)

static void put(unsigned char *packet, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        packet[at + i] = (unsigned char)(value >> (8 * (size - 1 - i)));
}

static uint64_t stamp_of(int64_t ms)
{
    return (uint64_t)(ms / 1000 + INT64_C(2208988800)) << 32 | ((uint64_t)(ms % 1000) << 32) / 1000;
}

/* What a good server says that is `ahead` of us; the packet takes 40 ms there and 20 back. */
static void good_answer(unsigned char packet[DR_SNTP_BYTES], int64_t ahead)
{
    memset(packet, 0, DR_SNTP_BYTES);
    packet[0] = 0 << 6 | 4 << 3 | 4;
    packet[1] = 2;
    put(packet, 4, 0x0800, 4); /* root delay 31 ms */
    put(packet, 8, 0x0400, 4); /* root dispersion 16 ms */
    put(packet, 24, NONCE, 8);
    put(packet, 32, stamp_of(now + 40 + ahead), 8);
    put(packet, 40, stamp_of(now + 41 + ahead), 8);
}

static enum dr_sntp_verdict verdict_of(const unsigned char *packet, size_t length, struct dr_sntp_answer *answer)
{
    return dr_sntp_judge(packet, length, NONCE, now * NS_PER_MS, (now + 61) * NS_PER_MS, answer);
}

START_TEST(a_question_says_nothing_about_us)
{
    unsigned char packet[DR_SNTP_BYTES], expected[DR_SNTP_BYTES] = { 0x23 };

    put(expected, 40, NONCE, 8);
    dr_sntp_question(NONCE, packet);
    ck_assert_mem_eq(packet, expected, DR_SNTP_BYTES);
}
END_TEST

START_TEST(a_good_answer_tells_the_offset)
{
    static const int64_t offsets[] = { 0, -1, 250, 3600000, -86400000, INT64_C(1795867200000) /* our clock says 1970 */ };
    unsigned char packet[DR_SNTP_BYTES];
    struct dr_sntp_answer answer;

    for (size_t i = 0; i < DR_COUNT(offsets); i++) {
        good_answer(packet, offsets[i]);
        ck_assert_int_eq(verdict_of(packet, DR_SNTP_BYTES, &answer), DR_SNTP_GOOD);
        ck_assert_int_le(answer.offset.ms - answer.offset.error_ms, offsets[i]);
        ck_assert_int_ge(answer.offset.ms + answer.offset.error_ms, offsets[i]);
        ck_assert_int_le(answer.offset.error_ms, 65);
        ck_assert_uint_eq(answer.stratum, 2);
    }
}
END_TEST

START_TEST(after_2036_seconds_begin_anew)
{
    unsigned char packet[DR_SNTP_BYTES];
    struct dr_sntp_answer answer;
    const int64_t later = INT64_C(2208988800000); /* 2040 */

    good_answer(packet, 0);
    put(packet, 32, stamp_of(later), 8);
    put(packet, 40, stamp_of(later), 8);
    ck_assert_int_eq(verdict_of(packet, DR_SNTP_BYTES, &answer), DR_SNTP_GOOD);
    ck_assert_int_ge(answer.offset.ms, later - now - 100);
    ck_assert_int_le(answer.offset.ms, later - now + 100);
}
END_TEST

START_TEST(bad_answers_are_refused)
{
    static const struct {
        size_t at, size;
        uint64_t value;
        enum dr_sntp_verdict verdict;
        const char *why;
    } rows[] = {
        { 0, 1, 4 << 3 | 3, DR_SNTP_NOT_OURS, "no answer" }, /* our own question, sent back */
        { 0, 1, 4 << 3 | 5, DR_SNTP_NOT_OURS, "no answer" }, /* a broadcast */
        { 24, 8, NONCE + 1, DR_SNTP_NOT_OURS, "no answer" },
        { 24, 8, 0, DR_SNTP_NOT_OURS, "no answer" },
        { 0, 1, 7 << 3 | 4, DR_SNTP_BAD, "version" },
        { 0, 1, 0 << 3 | 4, DR_SNTP_BAD, "version" },
        { 0, 1, 3 << 6 | 4 << 3 | 4, DR_SNTP_BAD, "not set" },
        { 1, 1, 16, DR_SNTP_BAD, "not set" },
        { 1, 1, 255, DR_SNTP_BAD, "not set" },
        { 1, 1, 0, DR_SNTP_BAD, "not to be asked" },
        { 40, 8, 0, DR_SNTP_BAD, "no time" },
        { 32, 8, 0, DR_SNTP_BAD, "no time" },
        { 8, 4, 0x00040000, DR_SNTP_BAD, "not sure" },
        { 4, 4, 0xffffffff, DR_SNTP_BAD, "not sure" },
        { 40, 8, 0xffffffffffffffff, DR_SNTP_BAD, "contradict" },
        { 40, 8, 1, DR_SNTP_BAD, "contradict" },
        { 32, 8, 0xffffffffffffffff, DR_SNTP_BAD, "contradict" },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        unsigned char packet[DR_SNTP_BYTES];
        struct dr_sntp_answer answer;

        good_answer(packet, 0);
        put(packet, rows[i].at, rows[i].value, rows[i].size);
        ck_assert_msg(verdict_of(packet, DR_SNTP_BYTES, &answer) == rows[i].verdict, "row %zu", i);
        ck_assert_msg(strstr(answer.why, rows[i].why) != NULL, "row %zu: %s", i, answer.why);
    }
}
END_TEST

START_TEST(a_kiss_is_named)
{
    unsigned char packet[DR_SNTP_BYTES];
    struct dr_sntp_answer answer;

    good_answer(packet, 0);
    packet[1] = 0;
    memcpy(packet + 12, "RATE", 4);
    ck_assert_int_eq(verdict_of(packet, DR_SNTP_BYTES, &answer), DR_SNTP_BAD);
    ck_assert_str_eq(answer.code, "RATE");
    memcpy(packet + 12, "\x1b[1m", 4); /* goes nowhere near a terminal */
    ck_assert_int_eq(verdict_of(packet, DR_SNTP_BYTES, &answer), DR_SNTP_BAD);
    ck_assert_str_eq(answer.code, "");
}
END_TEST

START_TEST(short_packets_are_no_answers)
{
    unsigned char packet[DR_SNTP_BYTES];
    struct dr_sntp_answer answer;

    good_answer(packet, 0);
    for (size_t length = 0; length < DR_SNTP_BYTES; length++)
        ck_assert_int_eq(verdict_of(packet, length, &answer), DR_SNTP_NOT_OURS);
}
END_TEST

/* ---- names ---- */

START_TEST(names_are_asked_for_and_answers_understood)
{
    unsigned char packet[DR_DNS_MOST_QUESTION], answer[DR_DNS_MOST_ANSWER];
    struct dr_address list[4];
    char text[DR_ADDRESS_TEXT];
    int length = dr_dns_question("a.ntp.org", DR_DNS_A, 0x1234, packet);

    ck_assert_int_eq(length, 12 + 11 + 4);
    ck_assert_mem_eq(packet + 12, "\1a\3ntp\3org\0\0\1\0\1", 15);
    memcpy(answer, packet, (size_t)length);
    answer[2] |= 0x80;
    answer[7] = 2;
    /* A CNAME, then an address. */
    memcpy(answer + length, "\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0e\xc0\x0e\0\1\0\1\0\0\0\1\0\4\xc0\0\2\x07", 30);
    size_t whole = (size_t)length + 30;

    ck_assert_int_eq(dr_dns_answer(answer, whole, DR_DNS_A, 0x1234, list, 4), 1);
    ck_assert_str_eq(dr_address_text(&list[0], text), "192.0.2.7");
    ck_assert_int_eq(dr_dns_answer(answer, whole, DR_DNS_A, 0x1235, list, 4), -EBADMSG);
    ck_assert_int_eq(dr_dns_answer(answer, whole, DR_DNS_AAAA, 0x1234, list, 4), -EBADMSG);
    for (size_t cut = 0; cut < whole; cut++)
        ck_assert_int_le(dr_dns_answer(answer, cut, DR_DNS_A, 0x1234, list, 4), 0);
    answer[2] &= 0x7f;
    ck_assert_int_eq(dr_dns_answer(answer, whole, DR_DNS_A, 0x1234, list, 4), -EBADMSG);
}
END_TEST

START_TEST(names_that_are_none_are_not_asked_for)
{
    unsigned char packet[DR_DNS_MOST_QUESTION];
    char name[400];

    ck_assert_int_lt(dr_dns_question("", DR_DNS_A, 1, packet), 0);
    ck_assert_int_lt(dr_dns_question("a..b", DR_DNS_A, 1, packet), 0);
    memset(name, 'a', sizeof(name));
    name[64] = '\0';
    ck_assert_int_lt(dr_dns_question(name, DR_DNS_A, 1, packet), 0);
    name[63] = '\0';
    ck_assert_int_gt(dr_dns_question(name, DR_DNS_A, 1, packet), 0);
    for (size_t i = 0; i < 254; i++)
        name[i] = i % 2 ? '.' : 'a';
    name[254] = '\0';
    ck_assert_int_lt(dr_dns_question(name, DR_DNS_A, 1, packet), 0);
    name[253] = '\0';
    ck_assert_int_gt(dr_dns_question(name, DR_DNS_A, 1, packet), 0);
}
END_TEST

START_TEST(hosts_and_name_servers_are_read)
{
    struct dr_context *context = new_context();
    struct dr_address list[2];
    char text[DR_ADDRESS_TEXT];

    ck_assert_uint_eq(dr_dns_servers(context, list, 2), 0);
    write_file("/etc/resolv.conf",
               "# none\nsearch lan\nnameserver 192.0.2.53\nnameserver not-an-address\nnameserver fd00::1\n"
               "nameserver 192.0.2.54\n");
    write_file("/etc/hosts", "127.0.0.1 localhost\n10.1.2.3\ttime.lan Time # 10.9.9.9 time\n");
    ck_assert_uint_eq(dr_dns_servers(context, list, 2), 2);
    ck_assert_str_eq(dr_address_text(&list[1], text), "fd00::1");
    ck_assert_uint_eq(dr_hosts_lookup(context, "time", list, 2), 1);
    ck_assert_str_eq(dr_address_text(&list[0], text), "10.1.2.3");
    ck_assert_uint_eq(dr_hosts_lookup(context, "other", list, 2), 0);
}
END_TEST

/* ---- who keeps the clock ---- */

static void expect_names(const char *expected)
{
    struct dr_context *context = new_context();
    size_t count = 0;
    const struct dr_time_name *names = dr_clock_configured(context, &count);
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = names[i].port == 123 ? dr_format(context, "%s%s ", text, names[i].name)
                                    : dr_format(context, "%s%s:%u ", text, names[i].name, names[i].port);
    ck_assert_str_eq(text, expected);
}

START_TEST(servers_of_timesyncd)
{
    expect_names("");
    write_file("/etc/systemd/timesyncd.conf",
               "[Time]\n#NTP=commented\nNTP=a.lan b.lan\nFallbackNTP=never\n[Other]\nNTP=other\n");
    expect_names("a.lan b.lan ");
    write_file("/etc/systemd/timesyncd.conf.d/10.conf", "[Time]\nNTP=\nNTP=c.lan\n");
    write_file("/etc/systemd/timesyncd.conf.d/20.conf.bak", "[Time]\nNTP=d.lan\n");
    expect_names("c.lan ");
    write_file("/run/systemd/netif/state", "OPER_STATE=routable\nNTP=10.0.0.1 c.lan 10.0.0.2\nDOMAINS=\n");
    expect_names("c.lan 10.0.0.1 10.0.0.2 ");
}
END_TEST

START_TEST(servers_of_chrony)
{
    write_file("/etc/chrony/chrony.conf",
               "# pool no\n! server no\npool 2.debian.pool.ntp.org iburst\nServer 10.0.0.7 iburst port 1123\n"
               "peer\nconfdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp /etc/chrony/sources.d\n"
               "include /etc/chrony/more/*.inc\ninclude /etc/chrony/chrony.conf\ndriftfile server\n");
    write_file("/etc/chrony/conf.d/a.conf", "server in-conf.d\n");
    write_file("/etc/chrony/conf.d/a.sources", "server not-in-conf.d\n");
    write_file("/etc/chrony/sources.d/lan.sources", "server in-sources.d\n");
    write_file("/etc/chrony/more/x.inc", "server in-more\n");
    write_file("/etc/chrony/more/x.not", "server not-in-more\n");
    expect_names("2.debian.pool.ntp.org 10.0.0.7:1123 in-conf.d in-sources.d in-more ");
}
END_TEST

START_TEST(servers_of_ntpd_and_openntpd)
{
    write_file("/etc/ntpsec/ntp.conf",
               "tos maxclock 11\npool 0.pool iburst\nserver 127.127.28.0\nincludefile /etc/ntpsec/own\n");
    write_file("/etc/ntpsec/own", "server own.lan\n");
    write_file("/etc/openntpd/ntpd.conf", "servers many.lan\nconstraints from \"https://x/\"\nsensor *\n");
    expect_names("0.pool own.lan many.lan ");
}
END_TEST

START_TEST(hostile_configurations_end)
{
    char text[8192];

    memset(text, 's', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    write_file("/etc/chrony.conf", text);
    write_file("/etc/ntp.conf",
               "server\nserver a port 99999999999999999999\nserver b port -1\ninclude relative\ninclude /\ninclude /*\n");
    expect_names("a b ");
}
END_TEST

static const struct dr_clock *services_here(void)
{
    struct dr_context *context = new_context();
    struct dr_clock *clock = dr_arena_alloc(&arena, sizeof(*clock));

    dr_clock_services(context, clock);
    return clock;
}

START_TEST(services_are_found_by_their_files)
{
    _cleanup_free_ char *link = NULL;
    const struct dr_clock *clock = services_here();

    ck_assert_uint_eq(clock->service_count, 0);
    ck_assert(!clock->systemd);
    write_file("/usr/sbin/chronyd", "");
    write_file("/usr/lib/systemd/system/chrony.service", "");
    write_file("/usr/lib/systemd/systemd-timesyncd", "");
    write_file("/run/systemd/system/x", "");
    write_file("/etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service", "");
    write_file("/sys/fs/cgroup/system.slice/systemd-timesyncd.service/cgroup.procs", "412\n");
    write_file("/sys/fs/cgroup/system.slice/chrony.service/cgroup.procs", "");
    ck_assert_int_ge(asprintf(&link, "%s/etc/systemd/system/chrony.service", home), 0);
    ck_assert_int_eq(symlink("/dev/null", link), 0);
    clock = services_here();
    ck_assert_uint_eq(clock->service_count, 2);
    ck_assert(clock->systemd);
    ck_assert_str_eq(clock->services[0].name, "systemd-timesyncd");
    ck_assert(clock->services[0].enabled && !clock->services[0].masked);
    ck_assert_int_eq(clock->services[0].running, DR_IS_RUNNING);
    ck_assert_str_eq(clock->services[1].unit, "chrony.service");
    ck_assert(!clock->services[1].enabled && clock->services[1].masked);
    ck_assert_int_eq(clock->services[1].running, DR_NOT_RUNNING);
}
END_TEST

START_TEST(without_systemd_processes_tell)
{
    write_file("/usr/sbin/chronyd", "");
    ck_assert_int_eq(services_here()->services[0].running, DR_RUNNING_UNKNOWN); /* no /proc here */
    write_file("/1/comm", "init\n");
    ck_assert_int_eq(services_here()->services[0].running, DR_NOT_RUNNING);
    write_file("/90/comm", "chronyd\n");
    write_file("/90/status", "Name:\tchronyd\nNSpid:\t90\t7\nUid:\t0\n"); /* in a container of its own */
    ck_assert_int_eq(services_here()->services[0].running, DR_NOT_RUNNING);
    write_file("/90/status", "Name:\tchronyd\nNSpid:\t90\nUid:\t0\n");
    ck_assert_int_eq(services_here()->services[0].running, DR_IS_RUNNING);
    write_file("/90/comm", "chronyd-restric\n");
    ck_assert_int_eq(services_here()->services[0].running, DR_NOT_RUNNING);
}
END_TEST

static void date_file(const char *path, time_t seconds)
{
    const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    _cleanup_free_ char *whole = NULL;

    write_file(path, "");
    ck_assert_int_ge(asprintf(&whole, "%s%s", home, path), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, whole, times, 0), 0);
}

/* timesyncd makes this file when it first starts, dated like itself. */
START_TEST(a_file_as_old_as_the_program_is_no_synchronisation)
{
    const char *program = "/usr/lib/systemd/systemd-timesyncd", *clock = "/var/lib/systemd/timesync/clock";

    date_file(program, 1700000000);
    ck_assert_int_eq(services_here()->services[0].synced_ms, 0);
    date_file(clock, 1700000000);
    ck_assert_int_eq(services_here()->services[0].synced_ms, 0);
    date_file(clock, 1700000060);
    ck_assert_int_eq(services_here()->services[0].synced_ms, 1700000060000);
}
END_TEST

/* ---- the machine ---- */

static struct dr_clock *host_here(void)
{
    struct dr_clock *clock = dr_arena_alloc(&arena, sizeof(*clock));

    dr_clock_host(new_context(), clock);
    return clock;
}

START_TEST(the_machine_is_known_by_its_files)
{
    _cleanup_free_ char *seconds = NULL;
    struct dr_clock *clock = host_here();

    ck_assert(!clock->wsl && !clock->machine && !clock->rtc_known && !clock->container);
    ck_assert_int_ge(clock->suspended_ms, 0);
    ck_assert_int_ne(clock->kernel.fact.state, DR_ABSENT);
    ck_assert_int_ge(asprintf(&seconds, "%lld\n", (long long)time(NULL) + 700), 0);
    write_file("/sys/class/rtc/rtc0/since_epoch", seconds);
    write_file("/sys/class/dmi/id/sys_vendor", "LENOVO\n");
    clock = host_here();
    ck_assert(!clock->machine && !clock->rtc_known); /* on hardware it is not asked */
    write_file("/sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n");
    write_file("/sys/class/dmi/id/product_name", "Virtual Machine\n");
    clock = host_here();
    ck_assert_str_eq(clock->machine, "Hyper-V");
    ck_assert(clock->rtc_known);
    ck_assert_int_ge(clock->rtc_offset_ms, 698000);
    ck_assert_int_le(clock->rtc_offset_ms, 701000);
    write_file("/sys/class/dmi/id/product_name", "Surface Book\n");
    write_file("/proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2\n");
    clock = host_here();
    ck_assert(clock->wsl && clock->rtc_known && !clock->machine);
    write_file("/sys/class/rtc/rtc0/since_epoch", "-5\n");
    ck_assert(!host_here()->rtc_known);
    write_file("/.dockerenv", "");
    ck_assert(host_here()->container);
    request.root = home;
    clock = host_here();
    ck_assert(!clock->container && !clock->wsl);
    ck_assert_int_eq(clock->suspended_ms, -1);
    ck_assert_int_eq(clock->kernel.fact.state, DR_ABSENT);
}
END_TEST

/* ---- asking ---- */

START_TEST(this_host_is_not_asked_for_its_own_time)
{
    struct dr_context *context = new_context();
    struct dr_time_round *round = dr_time_round(context, 200);
    const struct dr_time_name name = { .name = "self", .port = 9 };
    const struct dr_address loopback = { 4, { 127, 0, 0, 1 } };
    size_t count = 0;

    dr_time_ask(round, &name, &loopback);
    dr_time_leave(round, &name, DR_TIME_NOT_ASKED, "because");
    const struct dr_time_server *servers = dr_time_collect(round, &count);

    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(servers[0].answer, DR_TIME_NOT_ASKED);
    ck_assert(strstr(servers[0].why, "itself") != NULL);
    ck_assert_str_eq(servers[1].why, "because");
}
END_TEST

START_TEST(nobody_is_asked_offline)
{
    struct dr_context *context = new_context();

    write_file("/etc/chrony.conf", "server 127.0.0.9\nserver 192.0.2.1\nserver nowhere.example\n");
    request.offline = true;
    ck_assert_int_eq(dr_clock(context)->ntp.fact.state, DR_ABSENT);
    ck_assert_uint_eq(dr_clock(context)->ntp.count, 0);
    request.offline = false;
    context = new_context();
    ck_assert_int_eq(dr_clock(context)->ntp.fact.state, DR_ABSENT);
    ck_assert_uint_eq(dr_clock(context)->ntp.count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(dr_clock(context)->ntp.servers[i].answer, DR_TIME_NOT_ASKED);
    request.root = home;
    context = new_context();
    ck_assert_int_eq(dr_clock(context)->kernel.fact.state, DR_ABSENT);
    ck_assert_int_eq(dr_clock(context)->ntp.fact.state, DR_ABSENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tests = tcase_create("clock");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_challenge_tells_within_half_of_the_round_trip);
    tcase_add_test(tests, a_date_tells_within_half_a_second);
    tcase_add_test(tests, a_date_that_may_be_a_proxys_does_not_count);
    tcase_add_test(tests, the_clock_that_is_off_most_is_told);
    tcase_add_test(tests, whole_hours_are_named);
    tcase_add_test(tests, a_bound_is_taken_away_first);
    tcase_add_test(tests, spans_are_short);
    tcase_add_test(tests, most_servers_are_believed_and_a_liar_is_not);
    tcase_add_test(tests, two_that_contradict_each_other_are_not_believed);
    tcase_add_test(tests, a_question_says_nothing_about_us);
    tcase_add_test(tests, a_good_answer_tells_the_offset);
    tcase_add_test(tests, after_2036_seconds_begin_anew);
    tcase_add_test(tests, bad_answers_are_refused);
    tcase_add_test(tests, a_kiss_is_named);
    tcase_add_test(tests, short_packets_are_no_answers);
    tcase_add_test(tests, names_are_asked_for_and_answers_understood);
    tcase_add_test(tests, names_that_are_none_are_not_asked_for);
    tcase_add_test(tests, hosts_and_name_servers_are_read);
    tcase_add_test(tests, servers_of_timesyncd);
    tcase_add_test(tests, servers_of_chrony);
    tcase_add_test(tests, servers_of_ntpd_and_openntpd);
    tcase_add_test(tests, hostile_configurations_end);
    tcase_add_test(tests, services_are_found_by_their_files);
    tcase_add_test(tests, without_systemd_processes_tell);
    tcase_add_test(tests, a_file_as_old_as_the_program_is_no_synchronisation);
    tcase_add_test(tests, the_machine_is_known_by_its_files);
    tcase_add_test(tests, this_host_is_not_asked_for_its_own_time);
    tcase_add_test(tests, nobody_is_asked_offline);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
