/*
 * Who listens on the gateway's port; nothing is sent to it. A listener alone does not say whose state it serves: the process must look like OpenClaw, and its
 * own home must be this one. What cannot be looked at (no right to see its descriptors) is "could not tell".
 */
#include "facts/gateway_evidence.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/proc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_SOCKETS = 16 * 1024 * 1024, LISTENING = 10, MOST_PROCESSES = 100 * 1000 };

struct listener {
    unsigned long inode;
    unsigned uid;
};

static bool parse_line(const char *line, unsigned port, struct listener *ret_listener)
{
    unsigned local_port, state, uid;
    unsigned long inode;

    if (sscanf(line, " %*[^:]: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %lu", &local_port, &state, &uid,
               &inode) != 4 ||
        local_port != port || state != LISTENING)
        return false;
    *ret_listener = (struct listener){ .inode = inode, .uid = uid };
    return true;
}

static bool find_in_tables(struct dr_context *context, unsigned port, struct listener *ret_listener)
{
    static const char *const tables[] = { "tcp", "tcp6" };

    for (size_t i = 0; i < DR_COUNT(tables); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_SOCKETS);

        if (dr_read_file(AT_FDCWD, dr_format(context, "%s/net/%s", context->request->proc, tables[i]), &text, NULL) < 0)
            continue;
        for (const char *line = dr_buffer_text(&text); line && *line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (parse_line(line, port, ret_listener))
                return true;
        }
    }
    return false;
}

/* --- the kernel's own answer ------------------------------------------------------------------------------------------ */

/* Asks the kernel (netlink, not the network) for listeners on one port. */
static int ask(int fd, unsigned char family, unsigned port)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = { .nlmsg_len = sizeof(question),
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .request = { .sdiag_family = family,
                     .sdiag_protocol = IPPROTO_TCP,
                     .idiag_states = 1U << LISTENING,
                     .id.idiag_sport = htons((uint16_t)port) },
    };

    return send(fd, &question, sizeof(question), MSG_NOSIGNAL) == (ssize_t)sizeof(question) ? 0 : -errno;
}

/* 1: found; 0: there is none; a negative errno when the kernel does not say. */
static int take_answer(int fd, unsigned port, struct listener *ret_listener)
{
    _Alignas(struct nlmsghdr) char answer[16 * 1024];
    int found = 0;

    for (;;) {
        ssize_t got = recv(fd, answer, sizeof(answer), 0);
        size_t left = got > 0 ? (size_t)got : 0;

        if (got <= 0)
            return got < 0 ? -errno : -EPROTO;
        for (const char *at = answer; left >= sizeof(struct nlmsghdr);) {
            struct nlmsghdr header;
            struct inet_diag_msg message;

            memcpy(&header, at, sizeof(header));
            if (header.nlmsg_type == NLMSG_DONE)
                return found;
            if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof(header) || header.nlmsg_len > left)
                return -EPROTO;
            if (header.nlmsg_len >= sizeof(header) + sizeof(message)) {
                memcpy(&message, at + sizeof(header), sizeof(message));
                if (message.id.idiag_sport == htons((uint16_t)port) && message.idiag_state == LISTENING) {
                    *ret_listener = (struct listener){ .inode = message.idiag_inode, .uid = message.idiag_uid };
                    found = 1;
                }
            }
            size_t step = NLMSG_ALIGN(header.nlmsg_len);

            if (step >= left)
                break;
            at += step;
            left -= step;
        }
    }
}

static int find_by_kernel(unsigned port, struct listener *ret_listener)
{
    static const unsigned char families[] = { AF_INET, AF_INET6 };
    const struct timeval patience = { .tv_sec = 1 };
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int r = 0;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
        return -errno;
    for (size_t i = 0; r == 0 && i < DR_COUNT(families); i++) {
        r = ask(fd, families[i], port);
        if (r == 0)
            r = take_answer(fd, port, ret_listener);
    }
    return r;
}

/* The tables in /proc cost the kernel a walk over every socket (2 ms here); the direct question costs microseconds. */
static bool find_listener(struct dr_context *context, unsigned port, struct listener *ret_listener)
{
    if (strcmp(context->request->proc, "/proc") == 0) {
        int r = find_by_kernel(port, ret_listener);

        if (r >= 0)
            return r > 0;
    }
    return find_in_tables(context, port, ret_listener);
}

static bool holds_socket(const char *descriptors, const char *socket)
{
    _cleanup_closedir_ DIR *dir = opendir(descriptors);
    char target[64];

    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (length <= 0)
            continue;
        target[length] = '\0';
        if (strcmp(target, socket) == 0)
            return true;
    }
    return false;
}

/* The process that holds the listener's socket; 0 when none that we may look at does. */
static long find_process(struct dr_context *context, const struct listener *listener)
{
    _cleanup_closedir_ DIR *dir = opendir(context->request->proc);
    long kept = dr_process_of_socket(context, listener->inode);
    char socket[64];
    const struct dirent *entry;

    if (kept)
        return kept;
    (void)snprintf(socket, sizeof(socket), "socket:[%lu]", listener->inode);
    for (unsigned i = 0; dir && i < MOST_PROCESSES && (entry = readdir(dir)); i++) {
        _cleanup_free_ char *descriptors = NULL;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (asprintf(&descriptors, "%s/%s/fd", context->request->proc, entry->d_name) < 0) {
            descriptors = NULL;
            return 0;
        }
        if (holds_socket(descriptors, socket))
            return strtol(entry->d_name, NULL, 10);
    }
    return 0;
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

static bool serves_another(struct dr_context *context, const struct dr_target *target, long pid)
{
    const char *state = state_of(context, pid);

    return state && !dr_path_is_below(target->state_dir, state);
}

void dr_gateway_from_port(struct dr_context *context, const struct dr_target *target, unsigned port,
                          struct dr_gateway_evidence *ret_evidence)
{
    struct listener listener;
    struct dr_process process;

    *ret_evidence = (struct dr_gateway_evidence){ .state = DR_ABSENT };
    if (!find_listener(context, port, &listener))
        return;
    /* Another user's program: not this state's gateway, unless root runs it. */
    if (listener.uid != target->uid && listener.uid != 0)
        return;
    long pid = find_process(context, &listener);

    if (pid == 0) {
        ret_evidence->state = DR_UNKNOWN;
        ret_evidence->uid = listener.uid;
        ret_evidence->how = dr_format(context, "a program of uid %u listens on port %u, and which one cannot be looked at",
                                      listener.uid, port);
        return;
    }
    if (dr_process_read(context, pid, &process) < 0 || !dr_gateway_looks_like(context, pid, process.title) ||
        serves_another(context, target, pid))
        return;
    *ret_evidence = (struct dr_gateway_evidence){
        .state = DR_KNOWN,
        .pid = pid,
        .uid = process.uid,
        .how = dr_format(context, "process %ld (%s) listens on port %u", pid, process.title, port),
    };
}
