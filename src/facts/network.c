/* /proc/net/route has the IPv4 networks (numbers as the kernel holds them, in hex), /proc/net/if_inet6 the IPv6 addresses. */
#include "api/network.h"

#include "api/target.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "facts/compose.h"
#include "facts/network_own.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_NETWORKS = 256,
    MOST_TEXT = 4 * 1024 * 1024,
    FLAG_UP = 1,
    FLAG_GATEWAY = 2,
    SCOPE_LINK = 0x20,
    SCOPE_HOST = 0x10
};

struct gathering {
    struct dr_context *context;
    struct dr_interface_network *list;
    size_t count;
    bool in_container;
};

static bool is_bridge_name(const char *name)
{
    return strcmp(name, "docker0") == 0 || strncmp(name, "podman", 6) == 0 || strncmp(name, "cni-podman", 10) == 0 ||
           (strncmp(name, "br-", 3) == 0 && strlen(name) == 15 && strspn(name + 3, "0123456789abcdef") == 12);
}

static void add(struct gathering *gathering, const char *interface, const struct dr_subnet *subnet)
{
    if (gathering->count == MOST_NETWORKS || strcmp(interface, "lo") == 0)
        return;
    gathering->list[gathering->count++] = (struct dr_interface_network){
        .interface = dr_strdup(gathering->context, interface),
        .subnet = *subnet,
        .containers = gathering->in_container || is_bridge_name(interface),
    };
}

static void take_route(struct gathering *gathering, const char *line)
{
    char interface[32];
    unsigned destination, flags, mask;
    struct dr_subnet subnet = { .base.family = 4 };

    if (sscanf(line, "%31s %x %*x %x %*d %*d %*d %x", interface, &destination, &flags, &mask) != 4 || !(flags & FLAG_UP) ||
        (flags & FLAG_GATEWAY) || mask == 0)
        return;
    memcpy(subnet.base.bytes, &destination, 4);
    subnet.bits = (unsigned)__builtin_popcount(mask);
    add(gathering, interface, &subnet);
}

static void take_inet6(struct gathering *gathering, const char *line)
{
    char digits[33], interface[32];
    unsigned bits, scope;
    struct dr_subnet subnet = { .base.family = 6 };

    if (sscanf(line, "%32[0-9a-f] %*x %x %x %*x %31s", digits, &bits, &scope, interface) != 4 || strlen(digits) != 32 ||
        bits > 128 || scope == SCOPE_LINK || scope == SCOPE_HOST)
        return;
    for (size_t i = 0; i < sizeof(subnet.base.bytes); i++) {
        unsigned byte = 0;

        (void)sscanf(digits + 2 * i, "%2x", &byte);
        subnet.base.bytes[i] = (unsigned char)byte;
    }
    subnet.bits = bits;
    add(gathering, interface, &subnet);
}

static int read_table(struct gathering *gathering, const char *name, void (*take)(struct gathering *, const char *))
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    int r = dr_read_file(AT_FDCWD, dr_format(gathering->context, "%s/net/%s", gathering->context->request->proc, name),
                         &text, NULL);

    if (r < 0)
        return r;
    for (const char *line = dr_buffer_text(&text); line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        take(gathering, line);
    }
    return 0;
}

/* "172.30.0.0/24" */
static bool subnet_of(struct dr_context *context, const char *text, struct dr_subnet *subnet)
{
    const char *slash = strchr(text, '/');
    char *end;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : 0;

    if (!slash || end == slash + 1 || *end != '\0' ||
        !dr_address_parse(dr_strndup(context, text, (size_t)(slash - text)), &subnet->base) ||
        bits > (subnet->base.family == 4 ? 32 : 128))
        return false;
    subnet->bits = (unsigned)bits;
    return true;
}

static void gather_declared(struct dr_context *context, struct dr_network *network)
{
    size_t count;
    const struct dr_compose *composes = dr_composes(context, &count);
    struct dr_declared_network *list = dr_alloc(context, (count * DR_MOST_COMPOSE_VALUES + 1) * sizeof(*list));

    network->declared = list;
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < composes[i].subnet_count; s++) {
            struct dr_declared_network *one = &list[network->declared_count];

            one->source = composes[i].subnets[s].source;
            if (!composes[i].subnets[s].unknown && subnet_of(context, composes[i].subnets[s].text, &one->subnet))
                network->declared_count++;
        }
}

static void gather(struct dr_context *context, struct dr_network *network)
{
    struct gathering gathering = { .context = context, .in_container = dr_target(context)->in_container };

    gather_declared(context, network);
    if (context->request->root) {
        network->fact.reason = "the network of another system cannot be seen from here (--root)";
        return;
    }
    gathering.list = dr_alloc(context, MOST_NETWORKS * sizeof(*gathering.list));
    int r = read_table(&gathering, "route", take_route);

    if (r == 0)
        r = read_table(&gathering, "if_inet6", take_inet6);
    if (r < 0 && r != -ENOENT) { /* if_inet6 is absent where IPv6 is switched off */
        network->fact.reason = dr_format(context, "%s/net cannot be read: %s", context->request->proc, strerror(-r));
        return;
    }
    network->fact.state = DR_KNOWN;
    network->list = gathering.list;
    network->count = gathering.count;
    for (size_t i = 0; i < network->count; i++)
        network->has_containers |= network->list[i].containers;
    dr_network_own(context, network);
}

const struct dr_network *dr_network(struct dr_context *context)
{
    if (!context->network) {
        context->network = dr_alloc(context, sizeof(*context->network));
        context->network->fact.state = DR_UNKNOWN;
        gather(context, context->network);
    }
    return context->network;
}

bool dr_address_is_own(struct dr_context *context, const struct dr_address *address)
{
    const struct dr_network *network = dr_network(context);

    if (dr_address_is_loopback(address))
        return true;
    for (size_t i = 0; i < network->own_count; i++)
        if (memcmp(&network->own[i], address, sizeof(*address)) == 0)
            return true;
    return false;
}
