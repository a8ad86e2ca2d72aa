/*
 * The kernel's list of TCP sockets of one local port: netlink (sock_diag) where request->proc is the real /proc, else the tables in
 * <proc>/net. Nothing is sent to the network.
 */
#ifndef DR_FACTS_SOCKETS_H
#define DR_FACTS_SOCKETS_H

#include "api/locality.h"
#include "facts/context.h"

enum { DR_SOCKET_ESTABLISHED = 1, DR_SOCKET_LISTENING = 10 }; /* enum of net/tcp_states.h */

struct dr_socket {
    struct dr_address local, remote;
    unsigned local_port, state;
    unsigned waiting; /* listening: connections that nobody accepted yet; 0 where the source does not tell */
    uint32_t uid;
    unsigned long inode;
    bool v6_only; /* listening, family 6; false where the source does not tell */
};

typedef void dr_socket_visit(const struct dr_socket *socket, void *state);

/* Calls `visit` for each socket on `port` (0: any) in `state`. 0, or a negative errno when neither source tells. */
int dr_sockets_each(struct dr_context *context, unsigned port, unsigned state, dr_socket_visit *visit, void *visitor);

#endif
