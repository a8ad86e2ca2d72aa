/*
 * Who listens on the gateway's port; nothing is sent to it. A listener alone does not say whose state it serves: the process must look like OpenClaw, and its
 * own home must be this one. What cannot be looked at (no right to see its descriptors) is "could not tell".
 */
#include "facts/gateway_evidence.h"

#include "base/text.h"
#include "facts/proc.h"
#include "facts/socket_owner.h"
#include "facts/sockets.h"

#include <string.h>

struct finding {
    struct dr_socket socket;
    bool found;
};

static void take(const struct dr_socket *socket, void *state)
{
    struct finding *finding = state;

    finding->socket = *socket;
    finding->found = true;
}

/* The state directory that a process would use by its own environment; NULL when that cannot be read. */
static const char *state_of(struct dr_context *context, long pid)
{
    const char *state, *home;

    if (dr_process_variable(context, pid, "OPENCLAW_STATE_DIR", &state) == 0)
        return state;
    if (dr_process_variable(context, pid, "OPENCLAW_HOME", &home) < 0 &&
        dr_process_variable(context, pid, "HOME", &home) < 0)
        return NULL;
    return home;
}

int dr_gateway_serves(struct dr_context *context, const struct dr_target *target, long pid)
{
    const char *state = state_of(context, pid);

    if (!state)
        return -ENODATA;
    return dr_path_is_below(target->state_dir, state);
}

void dr_gateway_from_port(struct dr_context *context, const struct dr_target *target, unsigned port,
                          struct dr_gateway_evidence *ret_evidence)
{
    struct finding listener = { .found = false };
    struct dr_process process;

    *ret_evidence = (struct dr_gateway_evidence){ .state = DR_ABSENT };
    if (dr_sockets_each(context, port, DR_SOCKET_LISTENING, take, &listener) < 0 || !listener.found)
        return;
    /* Another user's program: not this state's gateway, unless root runs it. */
    if (listener.socket.uid != target->uid && listener.socket.uid != 0)
        return;
    long pid = dr_socket_owner(context, listener.socket.inode);

    if (pid == 0) {
        ret_evidence->state = DR_UNKNOWN;
        ret_evidence->uid = listener.socket.uid;
        ret_evidence->how = dr_format(context, "a program of uid %u listens on port %u, and which one cannot be looked at",
                                      listener.socket.uid, port);
        return;
    }
    if (dr_process_read(context, pid, &process) < 0 || !dr_gateway_looks_like(context, pid, process.title) ||
        dr_gateway_serves(context, target, pid) == 0)
        return;
    *ret_evidence = (struct dr_gateway_evidence){
        .state = DR_KNOWN,
        .pid = pid,
        .uid = process.uid,
        .how = dr_format(context, "process %ld (%s) listens on port %u", pid, process.title, port),
    };
}
