/*
 * The networks that this host, or this container, stands in: read from /proc/net, nobody is contacted.
 *
 * fact: DR_UNKNOWN with --root (another system's network cannot be seen from here) or where /proc/net cannot be read.
 */
#ifndef DR_API_NETWORK_H
#define DR_API_NETWORK_H

#include "api/locality.h"

struct dr_interface_network {
    const char *interface;
    struct dr_subnet subnet; /* what is reached without a gateway */
    bool containers; /* a bridge of Docker or Podman (docker0, br-<12 hex digits>, podman0 ...), or we are in a container */
};

/* A subnet that a compose file pins a network of the gateway's service to, whether it is up or not. */
struct dr_declared_network {
    struct dr_subnet subnet;
    struct dr_source source;
};

struct dr_network {
    struct dr_fact fact;
    const struct dr_interface_network *list; /* loopback is left out; at most 256 are kept */
    size_t count;
    bool has_containers; /* one of them has `containers` */
    const struct dr_address *own; /* addresses of this host's interfaces, loopback and link-local left out; at most 64 */
    size_t own_count;
    const struct dr_declared_network *declared; /* from compose files, also where `fact` is DR_UNKNOWN */
    size_t declared_count;
};

const struct dr_network *dr_network(struct dr_context *context);

/* Loopback, or an address of one of this host's interfaces. */
bool dr_address_is_own(struct dr_context *context, const struct dr_address *address);

#endif
