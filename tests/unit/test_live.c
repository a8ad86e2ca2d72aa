/*
 * The probes against small servers of this test's own, each with one fault, forked and on loopback. What real gateways and real TLS say is shown by
 * tests/real/scenario_reachable.py.
 */
#include "api/live.h"
#include "api/network.h"

#include "base/cleanup.h"
#include "facts/context.h"
#include "facts/live.h"
#include "facts/live_connect.h"
#include "facts/live_probe.h"
#include "facts/live_url.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct dr_arena arena = DR_ARENA(64 * 1024 * 1024);
static char *home, *home_variable, *port_variable;
static const char *environment[3];
static struct dr_request request;
static pid_t server;

enum { TIMEOUT_MS = 400, PATIENCE_MS = 10000 /* for what does come, also under valgrind */ };

static void setup(void)
{
    home = strdup("/tmp/dr-live-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    ck_assert_int_gt(asprintf(&home_variable, "HOME=%s", home), 0);
    _cleanup_free_ char *state = NULL, *config = NULL;

    ck_assert_int_gt(asprintf(&state, "%s/.openclaw", home), 0);
    ck_assert_int_gt(asprintf(&config, "%s/openclaw.json", state), 0);
    ck_assert_int_eq(mkdir(state, 0700), 0);
    int fd = open(config, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char text[] = "{gateway:{auth:{mode:'token',token:'the-token-of-this-test'}}}";

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    request = (struct dr_request){ .root_fd = AT_FDCWD,
                                   .environment = environment,
                                   .proc = "/proc",
                                   .uid = geteuid(),
                                   .gid = getegid(),
                                   .openclaw_version = "2026.9.6",
                                   .probe_timeout_ms = TIMEOUT_MS };
    environment[0] = home_variable;
}

static void teardown(void)
{
    _cleanup_free_ char *command = NULL;

    if (server > 0) {
        (void)kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
    }
    server = 0;
    ck_assert_int_gt(asprintf(&command, "rm -rf '%s'", home), 0);
    ck_assert_int_eq(system(command), 0);
    free(home);
    free(home_variable);
    free(port_variable);
    home = home_variable = port_variable = NULL;
    environment[0] = environment[1] = NULL;
}

static struct dr_context *fresh(void)
{
    struct dr_context *context = dr_arena_alloc(&arena, sizeof(*context));

    context->arena = &arena;
    context->request = &request;
    return context;
}

/* --- servers ------------------------------------------------------------------------------------------------------------- */

typedef void answer_with(int fd, const char *asked);

static void say(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

static void serve(int fd, answer_with *answer)
{
    char asked[8192];
    ssize_t got;

    while ((got = read(fd, asked, sizeof(asked) - 1)) > 0) {
        asked[got] = '\0';
        answer(fd, asked);
    }
    _exit(0);
}

/* A server that hands each request to `answer`; `backlog` below 0: listens and never accepts. Returns its port. */
static unsigned start_server(answer_with *answer, bool accepts)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int fd = accepts ? accept(listener, NULL, NULL) : pause();

            if (fd >= 0 && fork() == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve(fd, answer);
            }
            (void)close(fd);
        }
    }
    (void)close(listener);
    ck_assert_int_gt(asprintf(&port_variable, "OPENCLAW_GATEWAY_PORT=%u", ntohs(address.sin_port)), 0);
    environment[1] = port_variable;
    return ntohs(address.sin_port);
}

static const struct dr_endpoint *ask(void)
{
    const struct dr_live *live = dr_live(fresh());

    ck_assert_int_eq(live->fact.state, DR_KNOWN);
    ck_assert_uint_ge(live->count, 2);
    ck_assert_int_eq(live->endpoints[0].kind, DR_AT_LOOPBACK4);
    return &live->endpoints[0];
}

static const struct dr_endpoint *ask_server(answer_with *answer)
{
    (void)start_server(answer, true);
    return ask();
}

static bool is_upgrade(const char *asked)
{
    return strcasestr(asked, "upgrade: websocket") != NULL;
}

static void frame(int fd, unsigned char opcode, const void *bytes, size_t length)
{
    unsigned char head[4] = { (unsigned char)(0x80 | opcode), (unsigned char)length };
    size_t size = 2;

    if (length > 125) {
        head[1] = 126;
        head[2] = (unsigned char)(length >> 8);
        head[3] = (unsigned char)length;
        size = 4;
    }
    (void)!write(fd, head, size);
    (void)!write(fd, bytes, length);
}

static void grant_upgrade(int fd, const char *asked, bool rightly)
{
    char joined[128], accept[64];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    const char *key = strcasestr(asked, "sec-websocket-key: ") + strlen("sec-websocket-key: ");

    (void)snprintf(joined, sizeof(joined), "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(key, "\r"), key);
    (void)EVP_Digest(joined, strlen(joined), digest, &length, EVP_sha1(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, (int)length);
    (void)dprintf(
        fd,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        rightly ? accept : "bm9uc2Vuc2U=");
}

static const char challenge[] =
    "{\"type\":\"event\",\"event\":\"connect.challenge\",\"payload\":{\"nonce\":\"n-1\",\"ts\":1795878651646}}";

static void page(int fd, const char *asked, const char *body)
{
    const char *probe = strstr(asked, "GET /healthz")  ? "{\"ok\":true,\"status\":\"live\"}"
                        : strstr(asked, "GET /readyz") ? "{\"ready\":false,\"failing\":[\"channels\",\"cron\"]}"
                                                       : body;

    (void)dprintf(
        fd, "HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 15:00:00 GMT\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
        probe == body ? "text/html" : "application/json", strlen(probe), probe);
}

static const char control_ui[] = "<!doctype html><html><head><title>OpenClaw Control</title></head></html>";

static void gateway(int fd, const char *asked)
{
    if (!is_upgrade(asked)) {
        if (strncmp(asked, "GET ", 4) == 0)
            page(fd, asked, control_ui);
        else
            frame(fd, 8, "\x03\xe8", 2); /* the client's closing is answered */
        return;
    }
    grant_upgrade(fd, asked, true);
    frame(fd, 1, challenge, strlen(challenge));
}

START_TEST(a_gateway_answers)
{
    request.probe_timeout_ms = PATIENCE_MS;
    const struct dr_endpoint *endpoint = ask_server(gateway);
    const struct dr_answer *answer = &endpoint->page;

    ck_assert_int_eq(answer->reach, DR_REACH_ANSWERED);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert(answer->control_ui && answer->connected);
    ck_assert_str_eq(answer->content_type, "text/html");
    ck_assert_int_eq(answer->date_ms, 1795878000000);
    ck_assert_str_eq(answer->peer, "127.0.0.1");
    ck_assert(answer->first_byte_ms >= answer->connect_ms && answer->connect_ms > 0);
    ck_assert_int_le(answer->asked_ms, answer->answered_ms);
    ck_assert_int_le(dr_live_clock_ms() - answer->answered_ms, 5000);
    ck_assert(endpoint->healthz.is_probe_answer && endpoint->healthz.truth);
    ck_assert(endpoint->readyz.is_probe_answer && !endpoint->readyz.truth);
    ck_assert_str_eq(endpoint->readyz.failing, "channels, cron");
    ck_assert_uint_eq(endpoint->socket.status, 101);
    ck_assert(endpoint->socket.challenged);
    ck_assert_int_eq(endpoint->socket.challenge_ts_ms, 1795878651646);
    ck_assert_int_le(endpoint->socket.asked_ms, endpoint->socket.challenged_ms);
    ck_assert(!endpoint->deep.tried && strstr(endpoint->deep.not_tried_why, "--deep"));
    ck_assert_ptr_nonnull(strstr(endpoint->curl, endpoint->url));
}
END_TEST

static void resets(int fd, const char *asked)
{
    const struct linger linger = { .l_onoff = 1 };

    (void)asked;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    _exit(0);
}

static void closes(int fd, const char *asked)
{
    (void)fd, (void)asked;
    _exit(0);
}

static void says_nothing(int fd, const char *asked)
{
    (void)fd, (void)asked;
}

static void garbage(int fd, const char *asked)
{
    (void)asked;
    say(fd, "220 mail.example.com ESMTP\r\n\r\n");
    _exit(0);
}

static void page_only(int fd, const char *asked)
{
    page(fd, asked, control_ui);
}

static void attribution(int fd, const char *asked)
{
    static const char body[] = "{\"error\":{\"type\":\"proxy_attribution_required\",\"message\":\"no\"}}";

    (void)asked;
    (void)dprintf(fd,
                  "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
                  strlen(body), body);
}

static void drips(int fd, const char *asked)
{
    (void)asked;
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<title>OpenClaw Control</title>");
    for (;;) {
        (void)usleep(20000);
        say(fd, "x");
    }
}

static void endless_head(int fd, const char *asked)
{
    (void)asked;
    say(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 4000; i++)
        say(fd, "X-Header: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
    _exit(0);
}

static void endless_page(int fd, const char *asked)
{
    (void)asked;
    say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>OpenClaw Control</title>");
    for (;;)
        if (write(fd, asked, strlen(asked)) < 0)
            _exit(0);
}

static void false_upgrade(int fd, const char *asked)
{
    if (is_upgrade(asked))
        grant_upgrade(fd, asked, false);
    else
        page(fd, asked, "<h1>Something</h1>");
}

static void starting(int fd, const char *asked)
{
    static const char reason[] = "\x03\xf5gateway starting"; /* 1013 */

    if (!is_upgrade(asked)) {
        (void)dprintf(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    grant_upgrade(fd, asked, true);
    frame(fd, 8, reason, strlen(reason));
}

static void upgraded_and_silent(int fd, const char *asked)
{
    if (is_upgrade(asked))
        grant_upgrade(fd, asked, true);
    else if (strncmp(asked, "GET ", 4) == 0)
        page(fd, asked, control_ui);
}

static void upgraded_and_garbage(int fd, const char *asked)
{
    if (is_upgrade(asked)) {
        grant_upgrade(fd, asked, true);
        say(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff not a frame");
    } else if (strncmp(asked, "GET ", 4) == 0) {
        page(fd, asked, control_ui);
    }
}

/* What each fault is told as. `status` 0: none. */
static const struct fault {
    answer_with *answer;
    enum dr_reach page, socket;
    unsigned status, socket_status;
    bool page_is_ui, socket_is_ui;
} faults[] = {
    { resets, DR_REACH_RESET, DR_REACH_RESET, 0, 0, false, false },
    { closes, DR_REACH_CLOSED, DR_REACH_CLOSED, 0, 0, false, false },
    { says_nothing, DR_REACH_TIMED_OUT, DR_REACH_TIMED_OUT, 0, 0, false, false },
    { garbage, DR_REACH_NOT_HTTP, DR_REACH_NOT_HTTP, 0, 0, false, false },
    { page_only, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 200, 200, true, true },
    { attribution, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 403, 403, false, false },
    { drips, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 200, 200, true, true },
    { endless_head, DR_REACH_FAILED, DR_REACH_FAILED, 0, 0, false, false },
    { endless_page, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 200, 200, true, true },
    { false_upgrade, DR_REACH_ANSWERED, DR_REACH_FAILED, 200, 101, false, false },
    { starting, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 503, 101, false, false },
    { upgraded_and_silent, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 200, 101, true, false },
    { upgraded_and_garbage, DR_REACH_ANSWERED, DR_REACH_ANSWERED, 200, 101, true, false },
};

START_TEST(each_fault_is_told_apart)
{
    const struct fault *fault = &faults[_i];
    double began = dr_live_now_ms();
    const struct dr_endpoint *endpoint = ask_server(fault->answer);
    double took = dr_live_now_ms() - began;

    ck_assert_msg(endpoint->page.reach == fault->page, "page: %s (%s)", dr_reach_name(endpoint->page.reach),
                  endpoint->page.why);
    ck_assert_msg(endpoint->socket.reach == fault->socket, "upgrade: %s (%s)", dr_reach_name(endpoint->socket.reach),
                  endpoint->socket.why);
    ck_assert_uint_eq(endpoint->page.status, fault->status);
    ck_assert_uint_eq(endpoint->socket.status, fault->socket_status);
    ck_assert(endpoint->page.control_ui == fault->page_is_ui && endpoint->socket.control_ui == fault->socket_is_ui);
    ck_assert(!endpoint->socket.challenged);
    if (endpoint->page.reach != DR_REACH_ANSWERED)
        ck_assert_ptr_nonnull(endpoint->page.why);
    if (fault->answer == attribution) {
        ck_assert_str_eq(endpoint->page.error_type, "proxy_attribution_required");
        ck_assert_str_eq(endpoint->socket.error_type, "proxy_attribution_required");
    }
    if (fault->answer == starting) {
        ck_assert_uint_eq(endpoint->socket.close_code, 1013);
        ck_assert_str_eq(endpoint->socket.close_reason, "gateway starting");
    }
    if (fault->answer == says_nothing)
        ck_assert(endpoint->page.connected);
    ck_assert_msg(took < TIMEOUT_MS + 1500, "%.0f ms", took); /* one timeout for all, and a slow machine */
}
END_TEST

START_TEST(nobody_listens_is_told_without_libcurl)
{
    (void)start_server(gateway, true);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    server = 0;
    struct dr_context *context = fresh();
    const struct dr_live *live = dr_live(context);
    const struct dr_live_run *run = (const void *)((const char *)live - offsetof(struct dr_live_run, live));

    for (size_t i = 0; i < live->count; i++) {
        ck_assert(live->endpoints[i].page.reach == DR_REACH_REFUSED || live->endpoints[i].page.reach == DR_REACH_NO_ROUTE);
        ck_assert_ptr_nonnull(live->endpoints[i].page.why);
        ck_assert(live->endpoints[i].socket.reach == live->endpoints[i].page.reach);
    }
    ck_assert(!run->curl.easy_init);
    ck_assert_ptr_null(live->gateway);
}
END_TEST

START_TEST(nobody_is_asked_offline_or_elsewhere)
{
    request.offline = true;
    ck_assert_int_eq(dr_live(fresh())->fact.state, DR_ABSENT);
    request.offline = false;
    request.root = home;
    ck_assert_int_eq(dr_live(fresh())->fact.state, DR_ABSENT);
}
END_TEST

START_TEST(a_program_that_never_accepts_times_out)
{
    (void)start_server(gateway, false);
    const struct dr_endpoint *endpoint = ask();

    ck_assert_int_eq(endpoint->page.reach, DR_REACH_TIMED_OUT);
    ck_assert(endpoint->page.connected); /* by the kernel */
    ck_assert_int_eq(endpoint->socket.reach, DR_REACH_TIMED_OUT);
}
END_TEST

static void deep_gateway(int fd, const char *asked)
{
    static const char answer[] =
        "{\"type\":\"res\",\"id\":\"openclaw-doctor\",\"ok\":true,\"payload\":{\"type\":\"hello-ok\",\"protocol\":4,"
        "\"server\":{\"version\":\"2026.9.6\"},\"auth\":{\"method\":\"token\",\"scopes\":[\"operator.read\"]}}}";

    if (strncmp(asked, "GET ", 4) == 0)
        gateway(fd, asked);
    else if ((asked[0] & 0x0f) == 1)
        frame(fd, 1, answer, strlen(answer));
    else
        frame(fd, 8, "\x03\xe8", 2);
}

START_TEST(deep_connects_with_the_right_token_only)
{
    request.deep = DR_DEEP_TOKEN;
    request.probe_timeout_ms = PATIENCE_MS;
    const struct dr_endpoint *endpoint = ask_server(deep_gateway);

    ck_assert(endpoint->deep.tried && endpoint->deep.ok);
    ck_assert_uint_eq(endpoint->deep.protocol, 4);
    ck_assert_str_eq(endpoint->deep.server_version, "2026.9.6");
    ck_assert_str_eq(endpoint->deep.scopes[0], "operator.read");
    request.openclaw_version = "2026.2.19"; /* whose clients prefer the environment */
    environment[0] = "OPENCLAW_GATEWAY_TOKEN=another-token-altogether";
    char *state = NULL;

    ck_assert_int_gt(asprintf(&state, "%s/.openclaw", home), 0);
    request.state_dir = state;
    endpoint = ask();
    ck_assert(endpoint->socket.challenged && !endpoint->deep.tried);
    ck_assert_ptr_nonnull(strstr(endpoint->deep.not_tried_why, "another token"));
    free(state);
}
END_TEST

START_TEST(a_connect_request_is_what_the_protocol_wants)
{
    struct dr_context *context = fresh();
    struct dr_connect_answer answer = { 0 };
    const struct dr_live_place place = { .host = "127.0.0.1" };

    request.deep = DR_DEEP_TOKEN;
    const char *text = dr_connect_request(context, &place, "n", 1, 2, &answer);

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "\"minProtocol\":3,\"maxProtocol\":4"));
    ck_assert_ptr_nonnull(strstr(text, "\"id\":\"cli\",\"mode\":\"cli\""));
    ck_assert_ptr_nonnull(strstr(text, "\"token\":\"the-token-of-this-test\""));
    ck_assert_ptr_null(strstr(text, "\"device\"")); /* so no pairing request comes of it */
    ck_assert(!dr_connect_take_answer(context, "{\"type\":\"event\"}", &answer));
    ck_assert(!dr_connect_take_answer(context, "nonsense", &answer));
    ck_assert(dr_connect_take_answer(
        context,
        "{\"type\":\"res\",\"id\":\"openclaw-doctor\",\"ok\":false,\"error\":{\"code\":\"NOT_PAIRED\","
        "\"message\":\"pairing required\",\"details\":{\"code\":\"PAIRING_REQUIRED\"}}}",
        &answer));
    ck_assert(!answer.ok);
    ck_assert_str_eq(answer.code, "NOT_PAIRED");
    ck_assert_str_eq(answer.detail_code, "PAIRING_REQUIRED");
    request.deep = DR_DEEP_IDENTITY;
    ck_assert_ptr_null(dr_connect_request(context, &place, "n", 1, 2, &answer));
    ck_assert_ptr_nonnull(strstr(answer.not_tried_why, "no identity"));
}
END_TEST

START_TEST(urls_are_read_without_their_secrets)
{
    static const struct {
        const char *text, *shown, *why;
    } cases[] = {
        { "ws://gw.example.com:18789", "http://gw.example.com:18789/", NULL },
        { "wss://gw.example.com", "https://gw.example.com/", NULL },
        { " WSS://user:a-secret@GW:443/claw?token=a-secret#a-secret ", "https://GW/claw", NULL },
        { "http://[::1]:80/x y", "http://[::1]/x", NULL },
        { "https://[fd00::2]", "https://[fd00::2]/", NULL },
        { "ws://host:/a'b", "http://host/a%27b", NULL },
        { "gw.example.com", NULL, "begin" },
        { "ws://", NULL, "host" },
        { "ws://host:0", NULL, "port" },
        { "ws://host:65536", NULL, "port" },
        { "ws://host:1a", NULL, "port" },
        { "ws://[::1", NULL, "end" },
        { "ws://[::1]x", NULL, "between" },
        { "ws://a b", "http://a/", NULL },
        { "ws://a\"b", NULL, "characters" },
    };
    struct dr_context *context = fresh();

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        struct dr_live_url url;
        const char *why = dr_live_url_read(context, cases[i].text, &url);

        ck_assert_msg((why == NULL) == (cases[i].why == NULL), "%s: %s", cases[i].text, why);
        if (why)
            ck_assert_msg(strstr(why, cases[i].why), "%s: %s", cases[i].text, why);
        else
            ck_assert_str_eq(dr_live_url_text(context, url.tls, url.host, url.port, url.path), cases[i].shown);
    }
}
END_TEST

START_TEST(other_hosts_are_asked_with_consent_only)
{
    struct dr_context *context = fresh();
    struct dr_live_places places = { .count = 0 };
    struct dr_address address;

    environment[1] = "OPENCLAW_GATEWAY_PORT=19";
    request.gateway_url = NULL;
    ck_assert(dr_address_parse("127.0.0.1", &address) && dr_address_is_own(context, &address));
    ck_assert(dr_address_parse("203.0.113.9", &address) && !dr_address_is_own(context, &address));
    ck_assert_str_eq(dr_live_local_name(context, "x.localhost"), "127.0.0.1");
    ck_assert_ptr_null(dr_live_local_name(context, "gw.example.invalid"));
    dr_live_find_places(context, &places);
    for (size_t i = 0; i < places.count; i++)
        ck_assert(!places.list[i].anybody);
}
END_TEST

static const struct dr_endpoint *find(const struct dr_live_places *places, const char *url)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->endpoints[i].url, url) == 0)
            return &places->endpoints[i];
    ck_abort_msg("no place %s", url);
}

static bool has_own_address(int family)
{
    const struct dr_network *network = dr_network(fresh());

    for (size_t i = 0; i < network->own_count; i++)
        if (network->own[i].family == family)
            return true;
    return false;
}

START_TEST(a_route_is_asked_where_its_proxy_listens)
{
    static const char *const everywhere[] = { "0.0.0.0:443", "[::]:443", "unix:/run/x.sock", NULL };
    static const char *const here[] = { "127.0.0.1:8080", NULL };
    static const char *const away[] = { "203.0.113.9:80", NULL };
    static const char *const names[] = { "*.example.com", "gw.example.com", NULL };
    static const char *const any[] = { NULL };
    const struct dr_proxy_config config = { .kind = DR_PROXY_NGINX, .path = "/etc/nginx/nginx.conf" };
    const struct dr_route tls = { .config = &config, .listens = everywhere, .names = names, .path = "/claw/", .tls = true };
    const struct dr_route plain = { .config = &config, .listens = here, .names = any, .path = "/" };
    const struct dr_route other = { .config = &config, .listens = away, .names = any, .path = "/" };
    const struct dr_route pattern = { .config = &config, .listens = here, .names = any, .pattern = "~ ^/x" };
    const struct dr_route *const routes[] = { &tls, &plain, &other, &pattern, &plain };
    struct dr_live_places places = { .count = 0 };
    const struct dr_endpoint *endpoint;

    dr_live_find_proxy_places(fresh(), routes, DR_COUNT(routes), &places);
    ck_assert_uint_eq(places.count, 4); /* one for each family; the pattern's is the plain one's */
    endpoint = find(&places, "https://gw.example.com/claw/");
    ck_assert(endpoint->route == &tls && endpoint->tls && endpoint->kind == DR_AT_PROXY);
    /* Over loopback it would forward a client on loopback: only where there is no other address. */
    ck_assert(endpoint->over_loopback == (strstr(endpoint->curl, "--connect-to '::127.0.0.1:443'") != NULL));
    ck_assert(!endpoint->over_loopback || !has_own_address(4));
    ck_assert_int_eq(find(&places, "http://203.0.113.9/")->page.reach, DR_REACH_NOT_ASKED);
    ck_assert_ptr_nonnull(find(&places, "http://203.0.113.9/")->page.why);
    ck_assert(find(&places, "http://127.0.0.1:8080/")->route == &plain);
}
END_TEST

START_TEST(each_address_is_asked_in_its_own_way)
{
    static const char *const listens[] = { "127.0.0.1:80", "127.0.0.1:443", "127.0.0.1:8080", NULL };
    static const struct dr_listen_traits traits[] = { { .tls = false }, { .tls = true }, { .proxy_protocol = true } };
    static const char *const names[] = { "gw.example.com", NULL };
    const struct dr_proxy_config config = { .kind = DR_PROXY_NGINX, .path = "/etc/nginx/nginx.conf" };
    const struct dr_route route = {
        .config = &config, .listens = listens, .listen_traits = traits, .names = names, .path = "/", .tls = true
    };
    const struct dr_route *const routes[] = { &route };
    struct dr_live_places places = { .count = 0 };

    dr_live_find_proxy_places(fresh(), routes, 1, &places);
    ck_assert_uint_eq(places.count, 3);
    ck_assert(!find(&places, "http://gw.example.com/")->tls && find(&places, "https://gw.example.com/")->tls);
    ck_assert_int_eq(find(&places, "http://gw.example.com:8080/")->socket.reach, DR_REACH_NOT_ASKED);
    ck_assert_ptr_nonnull(strstr(find(&places, "http://gw.example.com:8080/")->socket.why, "PROXY"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("live");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_gateway_answers);
    tcase_add_loop_test(all, each_fault_is_told_apart, 0, (int)DR_COUNT(faults));
    tcase_add_test(all, nobody_listens_is_told_without_libcurl);
    tcase_add_test(all, nobody_is_asked_offline_or_elsewhere);
    tcase_add_test(all, a_program_that_never_accepts_times_out);
    tcase_add_test(all, deep_connects_with_the_right_token_only);
    tcase_add_test(all, a_connect_request_is_what_the_protocol_wants);
    tcase_add_test(all, urls_are_read_without_their_secrets);
    tcase_add_test(all, other_hosts_are_asked_with_consent_only);
    tcase_add_test(all, a_route_is_asked_where_its_proxy_listens);
    tcase_add_test(all, each_address_is_asked_in_its_own_way);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
