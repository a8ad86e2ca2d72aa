/*
 * Who listens on a TCP port of this host, and who is connected to it: the kernel's own list of sockets (netlink, else /proc/net/tcp
 * and tcp6). Nobody is contacted. The sockets are those of the network that the doctor itself stands in: a gateway inside a container has its own.
 *
 * fact: DR_KNOWN: the list is complete (it may be empty: nobody listens); DR_UNKNOWN: --root, or the kernel does not say.
 * A listener's process is found by its socket (inode to pid); other users' processes can be looked into by root only: pid is then 0
 * and `uid` still tells whose it is.
 *
 * Ownership: everything lives in the run's arena. A command line may hold secrets: those that are spelt as one ("--token X") are
 * known to the run and leave as fingerprints.
 */
#ifndef DR_API_LISTENERS_H
#define DR_API_LISTENERS_H

#include "api/locality.h"

struct dr_listener {
    const char *address; /* "127.0.0.1", "0.0.0.0", "::" */
    struct dr_address number; /* the same */
    unsigned port;
    bool any; /* 0.0.0.0 or ::, all addresses of this host */
    bool v6_only; /* family 6 only: does not take IPv4 connections; meaningful where `any` and the kernel told (netlink) */
    uint32_t uid;
    const char *user; /* name, or "uid 1001" */
    unsigned long inode;
    unsigned waiting; /* connections that the program has not accepted yet: more than a few of them, and it hangs */
    long pid; /* 0: could not be told */
    const char *program; /* "node", "openclaw-gatewa" (title of the process); NULL: not known */
    const char *command_line; /* words joined with spaces, at most 400 bytes; NULL: not known */
    bool is_openclaw; /* by its title or its command line */
    bool ours; /* ... and it serves this state directory (false also where that could not be told: see `ours_known`) */
    bool ours_known;
};

struct dr_listeners {
    struct dr_fact fact;
    unsigned port;
    const struct dr_listener *list; /* at most 64; IPv4 first, each by its number */
    size_t count;
};

const struct dr_listeners *dr_listeners(struct dr_context *context, unsigned port); /* memoised by port */

/* Would a connection to this address of this host meet one of them? NULL: none listens there. */
const struct dr_listener *dr_listener_at(const struct dr_listeners *listeners, const struct dr_address *address);

/* The other ends of the connections that stand on a port of this host, each address once. */
struct dr_peers {
    struct dr_fact fact;
    unsigned port;
    const struct dr_address *list; /* at most 256 */
    const unsigned *connections; /* of each */
    size_t count;
};

const struct dr_peers *dr_peers(struct dr_context *context,
                                unsigned port); /* memoised by port; walks all sockets of the host once */

#endif
