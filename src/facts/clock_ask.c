#include "facts/clock_ask.h"

#include "base/cleanup.h"
#include "facts/clock_names.h"
#include "facts/clock_sntp.h"
#include "facts/context.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST_NAME_SERVERS = 2, MOST_OF_A_NAME = 4, DNS_PORT = 53, AFTER_NAME_MS = 1000 };

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct lookup {
    int fd;
    uint16_t id;
    enum dr_dns_type type;
    const struct dr_time_name *name;
};

struct dr_time_round {
    struct dr_context *context;
    int64_t deadline_ms; /* CLOCK_MONOTONIC */
    struct dr_time_server servers[DR_MOST_TIME_SERVERS];
    int fds[DR_MOST_TIME_SERVERS]; /* of the servers; -1: no answer is awaited any more */
    uint64_t nonces[DR_MOST_TIME_SERVERS];
    int64_t sent_ns[DR_MOST_TIME_SERVERS];
    size_t count;
    struct lookup lookups[DR_MOST_LOOKUPS];
    size_t lookup_count;
};

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t monotonic_ms(void)
{
    return nanoseconds(CLOCK_MONOTONIC) / NS_PER_MS;
}

struct dr_time_round *dr_time_round(struct dr_context *context, unsigned timeout_ms)
{
    struct dr_time_round *round = dr_alloc(context, sizeof(*round));

    round->context = context;
    round->deadline_ms = monotonic_ms() + timeout_ms;
    return round;
}

static socklen_t socket_address(const struct dr_address *address, unsigned port, struct sockaddr_storage *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    if (address->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret_address;

        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof(*in6);
}

/* True when the socket's two ends have one address. */
static bool is_own(int fd, const struct dr_address *address)
{
    struct sockaddr_storage local = { 0 };
    socklen_t length = sizeof(local);

    if (getsockname(fd, (struct sockaddr *)&local, &length) < 0)
        return false;
    if (address->family == 4)
        return memcmp(&((const struct sockaddr_in *)&local)->sin_addr, address->bytes, 4) == 0;
    return memcmp(&((const struct sockaddr_in6 *)&local)->sin6_addr, address->bytes, 16) == 0;
}

/* A socket that speaks with one address only, and never waits. */
static int connect_to(const struct dr_address *address, unsigned port, int *ret_fd)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address(address, port, &to);
    _cleanup_close_ int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, length) < 0)
        return -errno;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

static struct dr_time_server *add(struct dr_time_round *round, const struct dr_time_name *name)
{
    if (round->count == DR_MOST_TIME_SERVERS)
        return NULL;
    round->fds[round->count] = -1;
    round->servers[round->count] = (struct dr_time_server){ .name = name->name, .port = name->port, .source = name->source };
    return &round->servers[round->count++];
}

void dr_time_leave(struct dr_time_round *round, const struct dr_time_name *name, enum dr_time_answer answer, const char *why)
{
    struct dr_time_server *server = add(round, name);

    if (!server)
        return;
    server->answer = answer;
    server->why = why;
}

static int send_question(struct dr_time_round *round, size_t index, int fd)
{
    const int yes = 1;
    unsigned char packet[DR_SNTP_BYTES];

    if (getrandom(&round->nonces[index], sizeof(round->nonces[index]), 0) != sizeof(round->nonces[index]))
        return -EIO;
    dr_sntp_question(round->nonces[index], packet);
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes));
    round->sent_ns[index] = nanoseconds(CLOCK_REALTIME);
    return send(fd, packet, sizeof(packet), MSG_NOSIGNAL) == (ssize_t)sizeof(packet) ? 0 : -errno;
}

void dr_time_ask(struct dr_time_round *round, const struct dr_time_name *name, const struct dr_address *address)
{
    char text[DR_ADDRESS_TEXT];
    _cleanup_close_ int fd = -1;
    struct dr_time_server *server = add(round, name);
    size_t index = round->count - 1;

    if (!server)
        return;
    server->address = dr_strdup(round->context, dr_address_text(address, text));
    int r = connect_to(address, name->port, &fd);

    if (r == 0 && is_own(fd, address)) {
        server->why = "it is this host itself";
        return;
    }
    if (r == 0)
        r = send_question(round, index, fd);
    if (r < 0) {
        server->answer = DR_TIME_REFUSED;
        server->why = "no way leads there";
        return;
    }
    server->answer = DR_TIME_SILENT;
    server->why = "it did not answer";
    round->fds[index] = DR_TAKE_FD(fd);
}

/* ---- names ---- */

static void look_up(struct dr_time_round *round, const struct dr_time_name *name, enum dr_dns_type type,
                    const struct dr_address *name_server)
{
    struct lookup *lookup = &round->lookups[round->lookup_count];
    unsigned char packet[DR_DNS_MOST_QUESTION];
    _cleanup_close_ int fd = -1;

    if (round->lookup_count == DR_MOST_LOOKUPS || getrandom(&lookup->id, sizeof(lookup->id), 0) != sizeof(lookup->id))
        return;
    int length = dr_dns_question(name->name, type, lookup->id, packet);

    if (length < 0 || connect_to(name_server, DNS_PORT, &fd) < 0 || send(fd, packet, (size_t)length, MSG_NOSIGNAL) != length)
        return;
    lookup->type = type;
    lookup->name = name;
    lookup->fd = DR_TAKE_FD(fd);
    round->lookup_count++;
}

void dr_time_ask_name(struct dr_time_round *round, const struct dr_time_name *name)
{
    struct dr_address name_servers[MOST_NAME_SERVERS];
    size_t count = dr_dns_servers(round->context, name_servers, MOST_NAME_SERVERS);
    size_t before = round->lookup_count;
    struct dr_time_name *kept = dr_alloc(round->context, sizeof(*kept));

    *kept = *name;
    for (size_t i = 0; i < count; i++) {
        look_up(round, kept, DR_DNS_A, &name_servers[i]);
        look_up(round, kept, DR_DNS_AAAA, &name_servers[i]);
    }
    if (round->lookup_count == before)
        dr_time_leave(round, name, DR_TIME_NOT_RESOLVED, "its name cannot be looked up");
}

static bool is_asked(const struct dr_time_round *round, const struct dr_address *address)
{
    char text[DR_ADDRESS_TEXT];

    (void)dr_address_text(address, text);
    for (size_t i = 0; i < round->count; i++)
        if (round->servers[i].address && strcmp(round->servers[i].address, text) == 0)
            return true;
    return false;
}

static size_t addresses_of(const struct dr_time_round *round, const struct dr_time_name *name)
{
    size_t count = 0;

    for (size_t i = 0; i < round->count; i++)
        count += round->servers[i].name == name->name;
    return count;
}

static void close_lookup(struct lookup *lookup)
{
    (void)close(lookup->fd);
    lookup->fd = -1;
}

static void take_lookup(struct dr_time_round *round, struct lookup *lookup)
{
    unsigned char packet[DR_DNS_MOST_ANSWER];
    struct dr_address list[MOST_OF_A_NAME];
    ssize_t length = recv(lookup->fd, packet, sizeof(packet), MSG_DONTWAIT);
    int found = length < 0 ? 0 : dr_dns_answer(packet, (size_t)length, lookup->type, lookup->id, list, MOST_OF_A_NAME);

    if (found == -EBADMSG || (length < 0 && errno == EAGAIN))
        return;
    close_lookup(lookup);
    /* A name that was known late: its servers get some time too. */
    if (found > 0 && round->deadline_ms < monotonic_ms() + AFTER_NAME_MS)
        round->deadline_ms = monotonic_ms() + AFTER_NAME_MS;
    for (int i = 0; i < found && addresses_of(round, lookup->name) < MOST_OF_A_NAME; i++)
        if (!is_asked(round, &list[i]))
            dr_time_ask(round, lookup->name, &list[i]);
}

/* Names that no lookup gave an address for. */
static void end_lookups(struct dr_time_round *round)
{
    for (size_t i = 0; i < round->lookup_count; i++) {
        struct lookup *lookup = &round->lookups[i];

        if (lookup->fd >= 0)
            close_lookup(lookup);
        if (addresses_of(round, lookup->name) == 0)
            dr_time_leave(round, lookup->name, DR_TIME_NOT_RESOLVED, "its name could not be looked up");
    }
}

/* ---- answers ---- */

/* When the packet came, by the kernel's clock; now, where that clock is not ours (faketime) or was set in between. */
static int64_t arrival_ns(struct msghdr *message, int64_t sent_ns)
{
    int64_t now = nanoseconds(CLOCK_REALTIME);

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct timespec stamp;

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
        int64_t came = (int64_t)stamp.tv_sec * NS_PER_SECOND + stamp.tv_nsec;

        return came >= sent_ns && came <= now ? came : now;
    }
    return now;
}

static void judge(struct dr_time_round *round, size_t index, const unsigned char *packet, size_t length, int64_t received_ns)
{
    struct dr_time_server *server = &round->servers[index];
    struct dr_sntp_answer answer;
    enum dr_sntp_verdict verdict =
        dr_sntp_judge(packet, length, round->nonces[index], round->sent_ns[index], received_ns, &answer);

    server->answer = verdict == DR_SNTP_GOOD ? DR_TIME_ANSWERED : DR_TIME_UNUSABLE;
    server->why = answer.code[0] ? dr_format(round->context, "%s (%s)", answer.why, answer.code) : answer.why;
    server->stratum = answer.stratum;
    server->offset = answer.offset;
    if (verdict == DR_SNTP_NOT_OURS)
        return;
    (void)close(round->fds[index]);
    round->fds[index] = -1;
}

static void take_answer(struct dr_time_round *round, size_t index)
{
    unsigned char packet[DR_SNTP_MOST];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec part = { .iov_base = packet, .iov_len = sizeof(packet) };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t length =
        recvmsg(round->fds[index], &message, MSG_DONTWAIT | MSG_TRUNC); /* its whole length, also where it is cut */

    if (length >= 0) {
        judge(round, index, packet, (size_t)length, arrival_ns(&message, round->sent_ns[index]));
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;
    round->servers[index].answer = DR_TIME_REFUSED;
    round->servers[index].why = errno == ECONNREFUSED ? "no time server listens there" : "no way leads there";
    (void)close(round->fds[index]);
    round->fds[index] = -1;
}

/* Waits for anything to come; takes what came. False when nothing is awaited any more. */
static bool wait_once(struct dr_time_round *round, int64_t left_ms)
{
    struct pollfd polls[DR_MOST_TIME_SERVERS + DR_MOST_LOOKUPS];
    const size_t servers = round->count, lookups = round->lookup_count; /* both may grow below */
    bool awaited = false;

    for (size_t i = 0; i < servers + lookups; i++) {
        polls[i] = (struct pollfd){ .fd = i < servers ? round->fds[i] : round->lookups[i - servers].fd, .events = POLLIN };
        awaited |= polls[i].fd >= 0;
    }
    if (!awaited || (poll(polls, servers + lookups, (int)left_ms) < 0 && errno != EINTR))
        return false;
    for (size_t i = 0; i < servers + lookups; i++) {
        if (polls[i].fd < 0 || !polls[i].revents)
            continue;
        if (i < servers)
            take_answer(round, i);
        else
            take_lookup(round, &round->lookups[i - servers]);
    }
    return true;
}

struct dr_time_server *dr_time_collect(struct dr_time_round *round, size_t *ret_count)
{
    int64_t left;

    do {
        left = round->deadline_ms - monotonic_ms(); /* what has come by now is taken in any case */
    } while (wait_once(round, left < 0 ? 0 : left) && round->deadline_ms > monotonic_ms());
    end_lookups(round);
    for (size_t i = 0; i < round->count; i++)
        if (round->fds[i] >= 0) {
            (void)close(round->fds[i]);
            round->fds[i] = -1;
        }
    *ret_count = round->count;
    return round->servers;
}
