/* Who may be contacted: this host, unless the user says otherwise. */
#include "facts/live_probe.h"

#include "api/network.h"
#include "base/file.h"
#include "facts/listening.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_HOSTS = 1024 * 1024, REFUSAL_MS = 20 };

/* Is `name` one of the names in a line of hosts(5), "address name name # comment"? */
static bool line_names(const char *line, size_t length, const char *name)
{
    size_t name_length = strlen(name);

    for (size_t at = 0; at < length && line[at] != '#';) {
        size_t start = at;

        while (at < length && !isspace((unsigned char)line[at]) && line[at] != '#')
            at++;
        if (start > 0 && at - start == name_length && strncasecmp(line + start, name, name_length) == 0)
            return true;
        while (at < length && isspace((unsigned char)line[at]))
            at++;
    }
    return false;
}

static const char *from_hosts(struct dr_context *context, const char *name)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_HOSTS);

    if (dr_read_file(context->request->root_fd, "/etc/hosts", &text, NULL) < 0)
        return NULL;
    for (const char *line = dr_buffer_text(&text); *line;) {
        size_t length = strcspn(line, "\n");

        if (line_names(line, length, name)) {
            const char *address = dr_strndup(context, line, strcspn(line, " \t"));
            struct dr_address parsed;

            if (dr_address_parse(address, &parsed))
                return address;
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

const char *dr_live_local_name(struct dr_context *context, const char *name)
{
    size_t length = strlen(name);
    const char *found = from_hosts(context, name);

    if (found)
        return found;
    if (strcasecmp(name, "localhost") == 0 || (length > 10 && strcasecmp(name + length - 10, ".localhost") == 0))
        return "127.0.0.1";
    return NULL;
}

static socklen_t socket_address(const struct dr_address *address, unsigned port, struct sockaddr_storage *ret_address)
{
    if (address->family == 4) {
        struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

        memcpy(&four.sin_addr, address->bytes, 4);
        memcpy(ret_address, &four, sizeof(four));
        return sizeof(four);
    }
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

    memcpy(&six.sin6_addr, address->bytes, 16);
    memcpy(ret_address, &six, sizeof(six));
    return sizeof(six);
}

/* 0: somebody answers after all; else a negative errno of the connection. This host answers itself at once, or a packet filter drops it. */
static int try_once(const struct dr_address *address, unsigned port)
{
    struct sockaddr_storage to = { 0 };
    socklen_t length = socket_address(address, port, &to);
    _cleanup_close_ int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    socklen_t error_length = sizeof(error);

    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&to, length) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;

    struct pollfd wait = { .fd = fd, .events = POLLOUT };

    if (poll(&wait, 1, REFUSAL_MS) != 1)
        return -ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_length) < 0 ? -errno : -error;
}

bool dr_live_nobody_listens(struct dr_context *context, const struct dr_address *address, unsigned port,
                            enum dr_reach *ret_reach, const char **ret_why)
{
    if (dr_listening_at(context, address, port) != 0)
        return false;
    switch (try_once(address, port)) {
    case -ECONNREFUSED:
        *ret_reach = DR_REACH_REFUSED;
        *ret_why = "nobody listens there, says the kernel, and a connection is refused";
        return true;
    case -EADDRNOTAVAIL:
    case -ENETUNREACH:
    case -EAFNOSUPPORT:
        *ret_reach = DR_REACH_NO_ROUTE;
        *ret_why = address->family == 6 ? "this host has no IPv6" : "this host has no such address";
        return true;
    default:
        return false; /* something else than a listener answers (a packet filter leads on), or drops: ask */
    }
}
