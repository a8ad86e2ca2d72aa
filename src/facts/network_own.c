#include "facts/network_own.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

static bool take(const struct sockaddr *from, struct dr_address *ret_address)
{
    *ret_address = (struct dr_address){ 0 };
    if (from && from->sa_family == AF_INET) {
        ret_address->family = 4;
        memcpy(ret_address->bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else if (from && from->sa_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;

        ret_address->family = IN6_IS_ADDR_LINKLOCAL(address) ? 0 : 6;
        memcpy(ret_address->bytes, address, 16);
    }
    return ret_address->family != 0 && !dr_address_is_loopback(ret_address);
}

void dr_network_own(struct dr_context *context, struct dr_network *network)
{
    struct ifaddrs *first = NULL;

    if (strcmp(context->request->proc, "/proc") != 0 || getifaddrs(&first) < 0)
        return;
    struct dr_address *list = dr_alloc(context, DR_MOST_OWN * sizeof(*list));

    for (const struct ifaddrs *one = first; one && network->own_count < DR_MOST_OWN; one = one->ifa_next)
        if (take(one->ifa_addr, &list[network->own_count]))
            network->own_count++;
    network->own = list;
    freeifaddrs(first);
}
