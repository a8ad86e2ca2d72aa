#include "api/approach.h"
#include "api/gateway.h"
#include "api/listeners.h"
#include "api/network.h"

#include <string.h>
#include <strings.h>

static const struct dr_address loopback4 = { 4, { 127, 0, 0, 1 } };
static const struct dr_address loopback6 = { 6, { [15] = 1 } };

/* "localhost" is ::1, too, where the gateway listens there. Where that cannot be told (nobody listens now), it is not claimed. */
static bool listens_on_v6(struct dr_context *context)
{
    const struct dr_listeners *listeners = dr_listeners(context, dr_gateway(context)->port);

    return listeners->fact.state == DR_KNOWN && dr_listener_at(listeners, &loopback6);
}

size_t dr_route_peers(struct dr_context *context, const struct dr_route *route, struct dr_address ret_peers[2])
{
    struct dr_address address;

    if (!route->upstream_host)
        return 0;
    if (strcasecmp(route->upstream_host, "localhost") == 0) {
        ret_peers[0] = loopback4;
        ret_peers[1] = loopback6;
        return listens_on_v6(context) ? 2 : 1;
    }
    if (!dr_address_parse(route->upstream_host, &address))
        return 0;
    /* Who connects to "any address" connects over loopback; who connects to an address of his own host has that address himself. */
    if (strcmp(route->upstream_host, "0.0.0.0") == 0)
        address = loopback4;
    else if (strcmp(route->upstream_host, "::") == 0)
        address = loopback6;
    else if (dr_address_is_loopback(&address) && address.family == 4)
        address = loopback4;
    else if (!dr_address_is_own(context, &address))
        return 0;
    ret_peers[0] = address;
    return 1;
}
