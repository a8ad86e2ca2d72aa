/*
 * The WebSocket machine: live_socket.c makes the connection and the handshake, live_frames.c speaks in frames afterwards.
 */
#ifndef DR_FACTS_LIVE_SOCKET_H
#define DR_FACTS_LIVE_SOCKET_H

#include "facts/live_probe.h"

enum { DR_MOST_CONTROL = 125, DR_SOCKET_KEY = 32 };

enum dr_socket_phase {
    DR_SOCKET_CONNECTING,
    DR_SOCKET_ASKING,
    DR_SOCKET_HEAD,
    DR_SOCKET_REFUSAL,
    DR_SOCKET_FRAMES,
    DR_SOCKET_CLOSING
};

struct dr_live_socket {
    struct dr_live_machine machine;
    struct dr_socket_answer *answer;
    enum dr_socket_phase phase;
    struct dr_buffer out; /* the request, as far as it is not sent */
    size_t sent;
    struct dr_buffer in; /* head and, without an upgrade, the page */
    size_t taken; /* of `in`, by the frames */
    char key[DR_SOCKET_KEY];
    wslay_event_context_ptr frames;
    curl_socket_t fd;
    double asked_ms, closing_ms;
    int broken; /* errno of the connection; 0: it stands */
    bool ended; /* the other end closed it */
    bool wait_write;
    bool deep_sent;
    unsigned char goodbye[DR_MOST_CONTROL]; /* payload of its closing frame: code and reason */
    size_t goodbye_length, goodbye_expected;
    bool in_goodbye, said_goodbye;
    struct dr_live_failure certificate;
};

/* Bytes received or sent; 0: none now (or never again: `ended`, `broken`). */
size_t dr_live_socket_receive(struct dr_live_socket *socket, void *bytes, size_t length);
size_t dr_live_socket_transmit(struct dr_live_socket *socket, const void *bytes, size_t length);

/* The upgrade was granted. NULL, or why frames cannot be spoken. */
const char *dr_live_frames_begin(struct dr_live_socket *socket);

/* Reads and writes what can be. True: there is nothing more to come. */
bool dr_live_frames_work(struct dr_live_socket *socket);

void dr_live_frames_release(struct dr_live_socket *socket);

#endif
