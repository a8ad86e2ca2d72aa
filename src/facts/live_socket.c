/*
 * The WebSocket side of a place: libcurl makes the connection (CURLOPT_CONNECT_ONLY: TCP and TLS as for any client), the handshake is written here, and
 * wslay reads and writes the frames. It waits for connect.challenge, says `connect` only with --deep, and closes with code 1000.
 */
#include "facts/live_socket.h"

#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { MOST_HEAD = 32 * 1024, MOST_INPUT = 64 * 1024, KEY_BYTES = 16 };

static void finish(struct dr_live_socket *socket)
{
    struct dr_socket_answer *answer = socket->answer;

    if (socket->certificate.why && answer->reach == DR_REACH_ANSWERED) {
        answer->reach = socket->certificate.reach;
        answer->why = socket->certificate.why;
    }
    dr_live_machine_done(&socket->machine);
}

static void fail(struct dr_live_socket *socket, enum dr_reach reach, const char *why)
{
    socket->answer->reach = reach;
    socket->answer->why = why;
    finish(socket);
}

/* --- the connection ----------------------------------------------------------------------------------------------------- */

size_t dr_live_socket_receive(struct dr_live_socket *socket, void *bytes, size_t length)
{
    size_t got = 0;
    CURLcode code;

    if (socket->ended || socket->broken)
        return 0;
    code = socket->machine.run->curl.easy_recv(socket->machine.easy, bytes, length, &got);
    if (code == CURLE_AGAIN)
        return 0;
    if (code != CURLE_OK)
        socket->broken = ECONNRESET;
    else if (got == 0)
        socket->ended = true;
    return code == CURLE_OK ? got : 0;
}

size_t dr_live_socket_transmit(struct dr_live_socket *socket, const void *bytes, size_t length)
{
    size_t sent = 0;
    CURLcode code;

    if (socket->ended || socket->broken)
        return 0;
    code = socket->machine.run->curl.easy_send(socket->machine.easy, bytes, length, &sent);
    if (code == CURLE_AGAIN) {
        socket->wait_write = true;
        return 0;
    }
    if (code != CURLE_OK)
        socket->broken = ECONNRESET;
    return code == CURLE_OK ? sent : 0;
}

/* --- the handshake ------------------------------------------------------------------------------------------------------ */

static int write_request(struct dr_live_socket *socket)
{
    const struct dr_live_place *place = socket->machine.place;
    const char *bracket = strchr(place->host, ':') ? "[" : "";
    bool default_port = place->port == (socket->machine.tls ? 443 : 80);
    unsigned char nonce[KEY_BYTES];
    int r;

    if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
        return -EIO;
    (void)EVP_EncodeBlock((unsigned char *)socket->key, nonce, sizeof(nonce));
    r = dr_buffer_appendf(&socket->out, "GET %s HTTP/1.1\r\nHost: %s%s%s", place->path, bracket, place->host,
                          *bracket ? "]" : "");
    if (r == 0 && !default_port)
        r = dr_buffer_appendf(&socket->out, ":%u", place->port);
    if (r == 0)
        r = dr_buffer_appendf(&socket->out,
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                              "Sec-WebSocket-Version: 13\r\nUser-Agent: openclaw-doctor/%s\r\n\r\n",
                              socket->key, DR_VERSION);
    return r;
}

/* RFC 6455 section 4.2.2: what the server must make of our key. */
static bool accepts(const struct dr_live_socket *socket, const char *head)
{
    static const char salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char joined[DR_SOCKET_KEY + sizeof(salt)], expected[64];
    unsigned char digest[DR_SHA1_BYTES];
    const char *line = strcasestr(head, "\r\nsec-websocket-accept:");

    (void)snprintf(joined, sizeof(joined), "%s%s", socket->key, salt);
    if (!line || dr_sha1(joined, strlen(joined), digest) < 0)
        return false;
    (void)EVP_EncodeBlock((unsigned char *)expected, digest, sizeof(digest));
    line += strlen("\r\nsec-websocket-accept:");
    line += strspn(line, " \t");
    return strncmp(line, expected, strlen(expected)) == 0;
}

static void read_refusal(struct dr_live_socket *socket)
{
    const char *body = dr_buffer_text(&socket->in) + socket->taken;

    socket->answer->control_ui = dr_live_is_control_ui(body);
    socket->answer->error_type = dr_live_error_type(socket->machine.run->context, body);
    finish(socket);
}

/* "HTTP/1.1 101 ..." */
static bool read_status(const char *head, unsigned *ret_status)
{
    return sscanf(head, "HTTP/%*1u.%*1u %3u", ret_status) == 1;
}

static void take_head(struct dr_live_socket *socket, char *end)
{
    struct dr_socket_answer *answer = socket->answer;

    *end = '\0';
    socket->taken = (size_t)(end - socket->in.data) + 4;
    answer->round_trip_ms = dr_live_now_ms() - socket->asked_ms;
    if (!read_status(socket->in.data, &answer->status)) {
        fail(socket, DR_REACH_NOT_HTTP, "what answers there does not speak HTTP");
        return;
    }
    answer->reach = DR_REACH_ANSWERED;
    if (answer->status != 101) {
        socket->phase = DR_SOCKET_REFUSAL;
        return;
    }
    if (!accepts(socket, socket->in.data)) {
        fail(socket, DR_REACH_FAILED, "the upgrade was granted with an answer that does not fit the question");
        return;
    }
    const char *why = dr_live_frames_begin(socket);

    if (why)
        fail(socket, DR_REACH_ANSWERED, why);
    else
        socket->phase = DR_SOCKET_FRAMES;
}

/* The page is small, or its head suffices; its end is known by its length, its last chunk, or the connection's end. */
static bool refusal_is_whole(const struct dr_live_socket *socket)
{
    const char *head = socket->in.data;
    const char *length = strcasestr(head, "\r\ncontent-length:");
    size_t have = socket->in.length - socket->taken;

    if (socket->ended || socket->broken || have >= MOST_HEAD)
        return true;
    if (length)
        return have >= strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    return have >= 5 && memcmp(socket->in.data + socket->in.length - 5, "0\r\n\r\n", 5) == 0;
}

static void read_plain(struct dr_live_socket *socket)
{
    char bytes[4096];
    size_t got;
    char *end;

    while (socket->in.length < MOST_INPUT - sizeof(bytes) &&
           (got = dr_live_socket_receive(socket, bytes, sizeof(bytes))) > 0)
        if (dr_buffer_append(&socket->in, bytes, got) < 0)
            break;
    if (socket->phase == DR_SOCKET_HEAD && socket->in.length > 0) {
        /* The head is text; the body behind it may hold NULs. */
        end = memmem(socket->in.data, socket->in.length, "\r\n\r\n", 4);
        if (!end && socket->in.length >= MOST_HEAD) {
            fail(socket, DR_REACH_FAILED, "the head of the answer is too large");
        } else if (end) {
            take_head(socket, end);
        } else if (socket->in.length >= 5 && memcmp(socket->in.data, "HTTP/", 5) != 0) {
            fail(socket, DR_REACH_NOT_HTTP, "what answers there does not speak HTTP");
            return;
        }
    }
    if (socket->machine.done)
        return;
    if (socket->phase == DR_SOCKET_REFUSAL && refusal_is_whole(socket))
        read_refusal(socket);
    else if (socket->phase == DR_SOCKET_HEAD && (socket->broken || socket->ended))
        fail(socket, socket->broken ? DR_REACH_RESET : DR_REACH_CLOSED,
             socket->broken ? "the connection was accepted and then cut (reset)"
                            : "the connection was accepted and then closed without an answer");
}

static void send_request(struct dr_live_socket *socket)
{
    socket->wait_write = false;
    while (socket->sent < socket->out.length) {
        size_t sent = dr_live_socket_transmit(socket, socket->out.data + socket->sent, socket->out.length - socket->sent);

        if (sent == 0)
            break;
        socket->sent += sent;
    }
    if (socket->sent == socket->out.length || socket->broken)
        socket->phase = DR_SOCKET_HEAD;
}

static void step(struct dr_live_machine *machine)
{
    struct dr_live_socket *socket = (struct dr_live_socket *)machine;

    if (socket->phase == DR_SOCKET_ASKING)
        send_request(socket);
    if (socket->phase == DR_SOCKET_HEAD || socket->phase == DR_SOCKET_REFUSAL)
        read_plain(socket);
    if (!machine->done && (socket->phase == DR_SOCKET_FRAMES || socket->phase == DR_SOCKET_CLOSING))
        if (dr_live_frames_work(socket))
            finish(socket);
}

static void wants(struct dr_live_machine *machine, struct curl_waitfd *ret_wait)
{
    const struct dr_live_socket *socket = (struct dr_live_socket *)machine;

    ret_wait->fd = socket->fd;
    ret_wait->events = socket->phase == DR_SOCKET_CONNECTING ? 0
                       : socket->wait_write || (socket->frames && machine->run->wslay.want_write(socket->frames))
                           ? CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT
                           : CURL_WAIT_POLLIN;
}

/* The connection stands, or did not come about. The handle stays in the multi handle: easy_send finds its connection there. */
static void ended(struct dr_live_machine *machine, CURLcode code)
{
    struct dr_live_socket *socket = (struct dr_live_socket *)machine;

    if (code == CURLE_OK && machine->run->curl.easy_getinfo(machine->easy, CURLINFO_ACTIVESOCKET, &socket->fd) == CURLE_OK &&
        socket->fd != CURL_SOCKET_BAD && write_request(socket) == 0) {
        socket->phase = DR_SOCKET_ASKING;
        socket->asked_ms = dr_live_now_ms();
        socket->answer->asked_ms = dr_live_clock_ms();
        step(machine);
        return;
    }
    struct dr_live_failure failure = dr_live_failure_of(machine, code == CURLE_OK ? CURLE_RECV_ERROR : code);

    if (!machine->unverified && dr_live_certificate_is_bad(failure.reach)) {
        socket->certificate = failure;
        machine->unverified = true;
        dr_live_machine_stop(machine);
        if (dr_live_machine_prepare(machine, NULL) == 0 && dr_live_machine_go(machine) == 0)
            return;
    }
    if (socket->certificate.why)
        failure = socket->certificate;
    fail(socket, failure.reach, failure.why);
}

static void late(struct dr_live_machine *machine)
{
    struct dr_live_socket *socket = (struct dr_live_socket *)machine;
    struct dr_live_failure failure;

    if (socket->phase == DR_SOCKET_CONNECTING) {
        failure = dr_live_failure_late(machine);
        fail(socket, failure.reach, failure.why);
    } else if (socket->phase == DR_SOCKET_HEAD || socket->phase == DR_SOCKET_ASKING) {
        fail(socket, DR_REACH_TIMED_OUT,
             dr_format(machine->run->context, "the connection is accepted, and no answer to the upgrade came in %u ms",
                       machine->run->timeout_ms));
    } else if (socket->phase == DR_SOCKET_REFUSAL) {
        read_refusal(socket);
    } else {
        if (socket->phase == DR_SOCKET_FRAMES && !socket->answer->challenged)
            socket->answer->why =
                dr_format(machine->run->context, "upgraded, and no challenge came in %u ms", machine->run->timeout_ms);
        finish(socket);
    }
}

static void release(struct dr_live_machine *machine)
{
    struct dr_live_socket *socket = (struct dr_live_socket *)machine;

    dr_live_frames_release(socket);
    dr_buffer_release(&socket->in);
    dr_buffer_release(&socket->out);
}

void dr_live_socket_start(struct dr_live_run *run, struct dr_live_place *place)
{
    struct dr_live_socket *socket = (struct dr_live_socket *)dr_live_machine_new(run, place, sizeof(*socket));
    struct dr_live_machine *machine = &socket->machine;

    socket->answer = &place->endpoint->socket;
    socket->in = (struct dr_buffer)DR_BUFFER(MOST_INPUT);
    socket->out = (struct dr_buffer)DR_BUFFER(MOST_HEAD);
    socket->fd = CURL_SOCKET_BAD;
    machine->ended = ended;
    machine->late = late;
    machine->step = step;
    machine->wants = wants;
    machine->release = release;
    if (dr_live_machine_prepare(machine, NULL) < 0 ||
        run->curl.easy_setopt(machine->easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK || dr_live_machine_go(machine) < 0)
        fail(socket, DR_REACH_FAILED, "libcurl does not take the request");
}
