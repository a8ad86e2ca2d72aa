/*
 * The tables in /proc cost the kernel a walk over every socket (2 ms on a quiet machine); the direct question about listeners costs
 * microseconds. Formats: linux/inet_diag.h, and tcp4_seq_show() of the kernel's net/ipv4/tcp_ipv4.c.
 */
#include "facts/sockets.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_TABLE = 16 * 1024 * 1024, ANSWER = 32 * 1024, MOST_MESSAGES = 1000 * 1000 };

struct visiting {
    dr_socket_visit *visit;
    void *visitor;
    unsigned port, state;
};

static struct dr_address address_of(unsigned char family, const void *bytes)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    struct dr_address address = { .family = 4 };
    const unsigned char *from = bytes;

    if (family == AF_INET) {
        memcpy(address.bytes, from, 4);
    } else if (memcmp(from, mapped, sizeof(mapped)) == 0) {
        memcpy(address.bytes, from + sizeof(mapped), 4);
    } else {
        address.family = 6;
        memcpy(address.bytes, from, 16);
    }
    return address;
}

/* --- netlink ---------------------------------------------------------------------------------------------------------- */

static int ask(int fd, unsigned char family, const struct visiting *visiting)
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
                     .idiag_states = 1U << visiting->state,
                     .id.idiag_sport = htons((uint16_t)visiting->port) },
    };

    return send(fd, &question, sizeof(question), MSG_NOSIGNAL) == (ssize_t)sizeof(question) ? 0 : -errno;
}

static bool says_v6_only(const char *attributes, size_t length)
{
    while (length >= sizeof(struct rtattr)) {
        struct rtattr attribute;

        memcpy(&attribute, attributes, sizeof(attribute));
        if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > length)
            return false;
        if (attribute.rta_type == INET_DIAG_SKV6ONLY && attribute.rta_len > sizeof(attribute))
            return attributes[sizeof(attribute)] != 0;
        size_t step = RTA_ALIGN(attribute.rta_len);

        if (step >= length)
            return false;
        attributes += step;
        length -= step;
    }
    return false;
}

static void take_message(const struct visiting *visiting, const char *payload, size_t length)
{
    struct inet_diag_msg message;

    if (length < sizeof(message))
        return;
    memcpy(&message, payload, sizeof(message));
    unsigned port = ntohs(message.id.idiag_sport);

    if ((visiting->port != 0 && port != visiting->port) || message.idiag_state != visiting->state)
        return;

    struct dr_socket socket = {
        .local = address_of(message.idiag_family, message.id.idiag_src),
        .remote = address_of(message.idiag_family, message.id.idiag_dst),
        .local_port = port,
        .state = message.idiag_state,
        .uid = message.idiag_uid,
        .inode = message.idiag_inode,
    };

    if (socket.state == DR_SOCKET_LISTENING) {
        socket.waiting = message.idiag_rqueue;
        socket.v6_only = says_v6_only(payload + sizeof(message), length - sizeof(message));
    }
    visiting->visit(&socket, visiting->visitor);
}

/* 1: the answer is complete; 0: there is more; a negative errno when the kernel does not say. */
static int take_part(const struct visiting *visiting, const char *at, size_t left)
{
    while (left >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr header;

        memcpy(&header, at, sizeof(header));
        if (header.nlmsg_type == NLMSG_DONE)
            return 1;
        if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof(header) || header.nlmsg_len > left)
            return -EPROTO;
        take_message(visiting, at + sizeof(header), header.nlmsg_len - sizeof(header));

        size_t step = NLMSG_ALIGN(header.nlmsg_len);

        if (step >= left)
            return 0;
        at += step;
        left -= step;
    }
    return 0;
}

static int take_answer(int fd, const struct visiting *visiting)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER];

    for (unsigned i = 0; i < MOST_MESSAGES; i++) {
        ssize_t got = recv(fd, answer, sizeof(answer), 0);

        if (got <= 0)
            return got < 0 ? -errno : -EPROTO;

        int r = take_part(visiting, answer, (size_t)got);

        if (r != 0)
            return r < 0 ? r : 0;
    }
    return -E2BIG;
}

static int each_by_kernel(const struct visiting *visiting)
{
    static const unsigned char families[] = { AF_INET, AF_INET6 };
    const struct timeval patience = { .tv_sec = 1 };
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int r = 0;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
        return -errno;
    for (size_t i = 0; r == 0 && i < DR_COUNT(families); i++) {
        r = ask(fd, families[i], visiting);
        if (r == 0)
            r = take_answer(fd, visiting);
        if (r == -ENOENT && families[i] == AF_INET6)
            r = 0; /* a kernel without IPv6 */
    }
    return r;
}

/* --- /proc/net ---------------------------------------------------------------------------------------------------------- */

/* Words of 32 bits as the kernel holds them, in hex. */
static bool hex_address(const char *digits, struct dr_address *ret_address)
{
    unsigned char bytes[16];
    size_t words = strlen(digits) / 8;

    if (words != 1 && words != 4)
        return false;
    for (size_t i = 0; i < words; i++) {
        unsigned word;

        if (sscanf(digits + 8 * i, "%8x", &word) != 1)
            return false;
        memcpy(bytes + 4 * i, &word, 4);
    }
    *ret_address = address_of(words == 1 ? AF_INET : AF_INET6, bytes);
    return true;
}

static void take_line(const struct visiting *visiting, const char *line)
{
    char local[33], remote[33];
    struct dr_socket socket = { 0 };

    if (sscanf(line, " %*[^:]: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %lu", local, &socket.local_port,
               remote, &socket.state, &socket.uid, &socket.inode) == 6 &&
        (visiting->port == 0 || socket.local_port == visiting->port) && socket.state == visiting->state &&
        hex_address(local, &socket.local) && hex_address(remote, &socket.remote))
        visiting->visit(&socket, visiting->visitor);
}

static int each_in_tables(struct dr_context *context, const struct visiting *visiting)
{
    static const char *const tables[] = { "tcp", "tcp6" };
    int result = -ENOENT;

    for (size_t i = 0; i < DR_COUNT(tables); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TABLE);
        int r = dr_read_file(AT_FDCWD, dr_format(context, "%s/net/%s", context->request->proc, tables[i]), &text, NULL);

        if (r == -ENOENT)
            continue; /* tcp6 is absent where IPv6 is switched off */
        if (r < 0)
            return r;
        result = 0;
        for (const char *line = dr_buffer_text(&text); line && *line; line = strchr(line, '\n')) {
            line += *line == '\n';
            take_line(visiting, line);
        }
    }
    return result;
}

int dr_sockets_each(struct dr_context *context, unsigned port, unsigned state, dr_socket_visit *visit, void *visitor)
{
    const struct visiting visiting = { .visit = visit, .visitor = visitor, .port = port, .state = state };

    if (context->request->proc && strcmp(context->request->proc, "/proc") == 0 && each_by_kernel(&visiting) == 0)
        return 0;
    return each_in_tables(context, &visiting);
}
