#include "api/attribution.h"

#include "api/approach.h"
#include "api/config.h"
#include "api/install.h"
#include "base/cleanup.h"
#include "facts/context.h"

#include <string.h>

enum { MOST_PEERS = 32 };

struct gathering {
    struct dr_context *context;
    struct dr_attribution *attribution;
    struct dr_proxy_peer *peers;
    const struct dr_rules *rules;
};

/* ---- the list ---- */

static int take_list(struct gathering *gathering, const struct dr_config *config)
{
    struct dr_attribution *attribution = gathering->attribution;
    struct dr_config_value list;

    attribution->list_source = (struct dr_source){ .path = config->path, .pointer = "gateway.trustedProxies" };
    if (dr_config_lookup(config, "gateway.trustedProxies", &list) > 0 && list.type == DR_VALUE_ARRAY) {
        attribution->list_set = true;
        attribution->list_source = list.source;
    }
    return dr_trusted_proxies(gathering->context, &attribution->trusted, &attribution->trusted_count,
                              &attribution->fact.reason);
}

static bool is_trusted(const struct gathering *gathering, const struct dr_address *address)
{
    for (size_t i = 0; i < gathering->attribution->trusted_count; i++) {
        struct dr_trust trust;

        dr_trust_read(gathering->rules, gathering->attribution->trusted[i], &trust);
        if (!trust.nothing && trust.subnet.bits > 0 && dr_subnet_has(&trust.subnet, address))
            return true;
    }
    return false;
}

/* ---- routes ---- */

bool dr_route_forwards(const struct dr_route *route)
{
    static const enum dr_route_header_name names[] = { DR_ROUTE_FORWARDED_FOR, DR_ROUTE_FORWARDED_PROTO,
                                                       DR_ROUTE_FORWARDED_HOST, DR_ROUTE_REAL_IP, DR_ROUTE_FORWARDED };

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        enum dr_header_fate fate = route->headers[names[i]].fate;

        if (fate == DR_HEADER_SET || fate == DR_HEADER_APPENDED)
            return true;
    }
    return false;
}

/* ---- peers ---- */

static struct dr_proxy_peer *peer_at(struct gathering *gathering, const struct dr_address *address)
{
    struct dr_attribution *attribution = gathering->attribution;
    char text[DR_ADDRESS_TEXT];

    for (size_t i = 0; i < attribution->peer_count; i++)
        if (memcmp(&gathering->peers[i].address, address, sizeof(*address)) == 0)
            return &gathering->peers[i];
    if (attribution->peer_count == MOST_PEERS)
        return NULL;
    struct dr_proxy_peer *peer = &gathering->peers[attribution->peer_count++];

    peer->address = *address;
    peer->text = dr_strdup(gathering->context, dr_address_text(address, text));
    peer->trusted = is_trusted(gathering, address);
    if (!dr_address_is_private(address))
        peer->not_proposed = "it is a public address; whoever can reach the port can send such headers";
    return peer;
}

static void sure(struct dr_proxy_peer *peer, enum dr_confidence confidence)
{
    if (peer->confidence < confidence)
        peer->confidence = confidence;
}

static void take_meeting(struct gathering *gathering, const struct dr_log *log, const struct dr_log_meeting *meeting)
{
    bool refused = strcmp(meeting->signature->id, "proxy-attribution") == 0;
    bool forwards = strcmp(meeting->signature->id, "closed-before-connect") == 0 && meeting->forwarded;
    bool recent = dr_log_is_recent(gathering->context, meeting->last_ms);
    struct dr_proxy_peer *peer =
        meeting->address.family && (refused || forwards) ? peer_at(gathering, &meeting->address) : NULL;

    if (!peer)
        return;
    peer->evidence |= refused ? DR_PEER_REFUSED : DR_PEER_FORWARDS;
    peer->count += meeting->count;
    if (meeting->last_ms > peer->last_ms)
        peer->last_ms = meeting->last_ms;
    if (refused) {
        peer->refused += meeting->count;
        if (meeting->last_ms > peer->refused_ms)
            peer->refused_ms = meeting->last_ms;
    }
    if (!peer->source.path)
        peer->source.path = log->fact.source.path;
    sure(peer, !recent ? DR_POSSIBLE : refused || dr_address_is_loopback(&meeting->address) ? DR_CERTAIN : DR_LIKELY);
}

static void take_log(struct gathering *gathering)
{
    const struct dr_log *log = dr_log(gathering->context);

    for (size_t i = 0; i < log->meeting_count; i++)
        take_meeting(gathering, log, &log->meetings[i]);
    for (size_t i = 0; i < gathering->attribution->peer_count; i++) {
        struct dr_proxy_peer *peer = &gathering->peers[i];

        peer->how =
            dr_format(gathering->context, "the gateway's log (%zu line%s)", peer->count, peer->count == 1 ? "" : "s");
    }
}

static void take_route(struct gathering *gathering, const struct dr_route *route)
{
    struct dr_context *context = gathering->context;
    struct dr_address addresses[2];
    size_t count = dr_route_peers(context, route, addresses);

    for (size_t i = 0; i < count; i++) {
        struct dr_proxy_peer *peer = peer_at(gathering, &addresses[i]);

        if (!peer || peer->route)
            continue;
        const char *how = dr_format(context, "%s (%s)", dr_proxy_kind_name(route->config->kind), route->source.path);

        peer->how = peer->how ? dr_format(context, "%s, %s", peer->how, how) : how;
        peer->evidence |= DR_PEER_ROUTE;
        peer->route = route;
        peer->source = route->source;
        sure(peer, count == 1 && route->config->pid ? DR_CERTAIN : DR_LIKELY);
    }
}

/* When the configurations of the proxies here were last changed; -1: one of them leads here in a way that does not say from where. */
static int64_t proxies_changed_ms(struct dr_context *context, const struct dr_proxies *proxies)
{
    struct dr_address addresses[2];
    int64_t newest = 0;

    for (size_t i = 0; i < proxies->to_gateway_count; i++) {
        const struct dr_proxy_config *config = proxies->to_gateway[i]->config;

        if (dr_route_peers(context, proxies->to_gateway[i], addresses) == 0)
            return -1;
        for (size_t f = 0; f < config->file_count; f++)
            if (config->files[f]->identity.mtime_ns / 1000000 > newest)
                newest = config->files[f]->identity.mtime_ns / 1000000;
    }
    return newest;
}

/* A loopback address is one of this host's own proxies. Where none asks from there any more, since it was changed, the log is history. */
static void forget_history(struct gathering *gathering, int64_t changed)
{
    for (size_t i = 0; i < gathering->attribution->peer_count; i++) {
        struct dr_proxy_peer *peer = &gathering->peers[i];

        if (!peer->route && dr_address_is_loopback(&peer->address) && peer->last_ms > 0 && peer->last_ms < changed)
            peer->confidence = DR_POSSIBLE;
    }
}

static void gather(struct dr_context *context, struct dr_attribution *attribution)
{
    const struct dr_config *config = dr_config(context);
    struct gathering gathering = { .context = context, .attribution = attribution, .rules = dr_installs(context)->rules };
    const struct dr_proxies *proxies;

    attribution->fact.state = DR_UNKNOWN;
    attribution->fact.source = config->fact.source;
    if (take_list(&gathering, config) < 0)
        return;
    attribution->fact.state = DR_KNOWN;
    gathering.peers = dr_alloc(context, MOST_PEERS * sizeof(*gathering.peers));
    attribution->peers = gathering.peers;
    take_log(&gathering);
    proxies = dr_proxies(context);
    for (size_t i = 0; i < proxies->to_gateway_count; i++)
        if (dr_route_forwards(proxies->to_gateway[i]))
            take_route(&gathering, proxies->to_gateway[i]);
    attribution->proxies_changed_ms = proxies_changed_ms(context, proxies);
    forget_history(&gathering, attribution->proxies_changed_ms);
}

const struct dr_attribution *dr_attribution(struct dr_context *context)
{
    if (!context->attribution) {
        context->attribution = dr_alloc(context, sizeof(*context->attribution));
        gather(context, context->attribution);
    }
    return context->attribution;
}
