/*
 * What is said in frames: the challenge comes, --deep answers it, and the connection is closed with code 1000.
 */
#include "facts/live_connect.h"
#include "facts/live_socket.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

enum { MOST_MESSAGE = 4 * 1024 * 1024, CLOSE_PATIENCE_MS = 200, NORMAL_CLOSURE = 1000 };

static ssize_t recv_frame(wslay_event_context_ptr frames, uint8_t *bytes, size_t length, int flags, void *client)
{
    struct dr_live_socket *socket = client;
    size_t left = socket->in.length - socket->taken, got;

    (void)flags;
    if (left > 0) { /* came in one piece with the head */
        got = left < length ? left : length;
        memcpy(bytes, socket->in.data + socket->taken, got);
        socket->taken += got;
        return (ssize_t)got;
    }
    got = dr_live_socket_receive(socket, bytes, length);
    if (got == 0) {
        socket->machine.run->wslay.set_error(frames, socket->ended || socket->broken ? WSLAY_ERR_CALLBACK_FAILURE
                                                                                     : WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    return (ssize_t)got;
}

static ssize_t send_frame(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length, int flags, void *client)
{
    struct dr_live_socket *socket = client;
    size_t sent = dr_live_socket_transmit(socket, bytes, length);

    (void)flags;
    if (sent == 0) {
        socket->machine.run->wslay.set_error(frames, socket->ended || socket->broken ? WSLAY_ERR_CALLBACK_FAILURE
                                                                                     : WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    return (ssize_t)sent;
}

static int make_mask(wslay_event_context_ptr frames, uint8_t *bytes, size_t length, void *client)
{
    (void)frames, (void)client;
    return RAND_bytes(bytes, (int)length) == 1 ? 0 : -1;
}

static void say_goodbye(struct dr_live_socket *socket)
{
    if (socket->phase == DR_SOCKET_CLOSING)
        return;
    socket->phase = DR_SOCKET_CLOSING;
    socket->closing_ms = dr_live_now_ms();
    (void)socket->machine.run->wslay.queue_close(socket->frames, NORMAL_CLOSURE, NULL, 0);
}

static void take_challenge(struct dr_live_socket *socket, const cJSON *payload)
{
    const cJSON *ts = cJSON_GetObjectItemCaseSensitive(payload, "ts");
    const cJSON *nonce = cJSON_GetObjectItemCaseSensitive(payload, "nonce");
    struct dr_live_place *place = socket->machine.place;
    struct dr_context *context = socket->machine.run->context;
    const char *request = NULL;

    socket->answer->challenged = true;
    socket->answer->challenged_ms = dr_live_clock_ms();
    socket->answer->challenge_ts_ms = cJSON_IsNumber(ts) ? (int64_t)ts->valuedouble : 0;
    if (place->deep && cJSON_IsString(nonce))
        request = dr_connect_request(context, place, nonce->valuestring, socket->answer->challenge_ts_ms,
                                     socket->answer->challenged_ms, &place->endpoint->deep);
    if (!request) {
        say_goodbye(socket);
        return;
    }
    const struct wslay_event_msg message = { .opcode = WSLAY_TEXT_FRAME,
                                             .msg = (const uint8_t *)request,
                                             .msg_length = strlen(request) };

    socket->deep_sent = socket->machine.run->wslay.queue_msg(socket->frames, &message) == 0;
    place->endpoint->deep.tried = socket->deep_sent;
}

static void take_text(struct dr_live_socket *socket, const char *text)
{
    cJSON *json;
    const cJSON *event;

    if (socket->deep_sent) {
        if (dr_connect_take_answer(socket->machine.run->context, text, &socket->machine.place->endpoint->deep))
            say_goodbye(socket);
        return;
    }
    json = cJSON_Parse(text);
    event = cJSON_GetObjectItemCaseSensitive(json, "event");
    if (cJSON_IsString(event) && strcmp(event->valuestring, "connect.challenge") == 0)
        take_challenge(socket, cJSON_GetObjectItemCaseSensitive(json, "payload"));
    cJSON_Delete(json);
}

static void take_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *message, void *client)
{
    struct dr_live_socket *socket = client;

    (void)frames;
    if (message->opcode == WSLAY_TEXT_FRAME && socket->phase == DR_SOCKET_FRAMES)
        take_text(socket, dr_strndup(socket->machine.run->context, (const char *)message->msg, message->msg_length));
}

/* The closing frame is taken as it comes: wslay calls codes that are younger than itself (1012, 1013) an error and does not hand them on. */
static void take_frame_start(wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_start_arg *start,
                             void *client)
{
    struct dr_live_socket *socket = client;

    (void)frames;
    socket->in_goodbye = start->opcode == WSLAY_CONNECTION_CLOSE;
    if (socket->in_goodbye)
        socket->goodbye_expected = start->payload_length;
}

static void take_frame_chunk(wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_chunk_arg *chunk,
                             void *client)
{
    struct dr_live_socket *socket = client;
    size_t room = sizeof(socket->goodbye) - socket->goodbye_length;

    (void)frames;
    if (!socket->in_goodbye || chunk->data_length > room)
        return;
    memcpy(socket->goodbye + socket->goodbye_length, chunk->data, chunk->data_length);
    socket->goodbye_length += chunk->data_length;
}

static void note_goodbye(struct dr_live_socket *socket)
{
    struct dr_connect_answer *deep = &socket->machine.place->endpoint->deep;

    if (socket->said_goodbye || !socket->in_goodbye || socket->goodbye_length < socket->goodbye_expected)
        return;
    socket->said_goodbye = true;
    if (socket->phase == DR_SOCKET_CLOSING || socket->goodbye_length < 2)
        return;
    socket->answer->close_code = (unsigned)socket->goodbye[0] << 8 | socket->goodbye[1];
    socket->answer->close_reason =
        dr_strndup(socket->machine.run->context, (const char *)socket->goodbye + 2, socket->goodbye_length - 2);
    if (socket->deep_sent) {
        deep->close_code = socket->answer->close_code;
        deep->close_reason = socket->answer->close_reason;
    }
}

const char *dr_live_frames_begin(struct dr_live_socket *socket)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = recv_frame,
                                                            .send_callback = send_frame,
                                                            .genmask_callback = make_mask,
                                                            .on_frame_recv_start_callback = take_frame_start,
                                                            .on_frame_recv_chunk_callback = take_frame_chunk,
                                                            .on_msg_recv_callback = take_message };
    const struct dr_live_run *run = socket->machine.run;

    if (run->no_wslay)
        return run->no_wslay;
    if (run->wslay.context_client_init(&socket->frames, &callbacks, socket) != 0)
        return "libwslay does not start";
    run->wslay.config_set_max_recv_msg_length(socket->frames, MOST_MESSAGE);
    return NULL;
}

bool dr_live_frames_work(struct dr_live_socket *socket)
{
    const struct dr_wslay *wslay = &socket->machine.run->wslay;

    socket->wait_write = false;
    if (wslay->recv(socket->frames) < 0 && !socket->in_goodbye)
        socket->broken = EPROTO;
    note_goodbye(socket);
    (void)wslay->send(socket->frames);
    return socket->ended || socket->broken || socket->said_goodbye ||
           (socket->phase == DR_SOCKET_CLOSING && dr_live_now_ms() - socket->closing_ms > CLOSE_PATIENCE_MS);
}

void dr_live_frames_release(struct dr_live_socket *socket)
{
    if (socket->frames)
        socket->machine.run->wslay.context_free(socket->frames);
    socket->frames = NULL;
}
