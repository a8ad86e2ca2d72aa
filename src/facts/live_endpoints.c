/* Where a client might try to reach the gateway, and which of these places may be asked. */
#include "facts/live_probe.h"

#include "api/config.h"
#include "api/gateway.h"
#include "api/network.h"
#include "api/proxy.h"
#include "api/tokens.h"
#include "base/buffer.h"
#include "facts/live_url.h"

#include <errno.h>
#include <string.h>

void dr_live_settle(struct dr_endpoint *endpoint, enum dr_reach reach, const char *why)
{
    endpoint->page = endpoint->healthz = endpoint->readyz = (struct dr_answer){
        .reach = reach, .why = why, .connect_ms = -1, .tls_ms = -1, .first_byte_ms = -1, .total_ms = -1
    };
    endpoint->socket = (struct dr_socket_answer){ .reach = reach, .why = why };
    if (!endpoint->deep.not_tried_why)
        endpoint->deep.not_tried_why = why;
}

struct dr_live_place *dr_live_add_place(struct dr_context *context, struct dr_live_places *places,
                                        enum dr_endpoint_kind kind, const struct dr_live_place *like, const char *from)
{
    if (places->count == DR_MOST_PLACES)
        return NULL;
    if (!places->endpoints)
        places->endpoints = dr_alloc(context, DR_MOST_PLACES * sizeof(*places->endpoints));

    struct dr_live_place *place = &places->list[places->count];
    struct dr_endpoint *endpoint = &places->endpoints[places->count++];

    *place = *like;
    place->endpoint = endpoint;
    endpoint->kind = kind;
    endpoint->host = place->host;
    endpoint->port = place->port;
    endpoint->tls = place->tls;
    endpoint->from = from;
    endpoint->url = dr_live_url_text(context, place->tls, place->host, place->port, place->path);
    endpoint->healthz.why = endpoint->readyz.why = NULL;
    endpoint->deep.not_tried_why = context->request->deep == DR_DEEP_NOT ? "not asked for (--deep)" : NULL;
    dr_live_write_curl(context, place);
    return place;
}

/* Asks nobody where the kernel says that nobody is there. */
static void settle_if_nobody_listens(struct dr_context *context, const struct dr_live_place *place, const char *address)
{
    struct dr_address number;
    enum dr_reach reach;
    const char *why;

    if (dr_address_parse(address, &number) && dr_address_is_own(context, &number) &&
        dr_live_nobody_listens(context, &number, place->port, &reach, &why))
        dr_live_settle(place->endpoint, reach, why);
}

/* --- direct ------------------------------------------------------------------------------------------------------------- */

static bool gateway_speaks_tls(struct dr_context *context)
{
    struct dr_config_value value;

    return dr_config_lookup(dr_config(context), "gateway.tls.enabled", &value) == 1 && value.type == DR_VALUE_BOOLEAN &&
           value.truth;
}

static void add_direct(struct dr_context *context, struct dr_live_places *places, enum dr_endpoint_kind kind,
                       const char *address, unsigned port, const char *from)
{
    const struct dr_live_place like = { .host = address,
                                        .port = port,
                                        .tls = gateway_speaks_tls(context),
                                        .path = "/",
                                        .connect_to = address,
                                        .deep = context->request->deep != DR_DEEP_NOT && kind == DR_AT_LOOPBACK4 };
    struct dr_live_place *place = dr_live_add_place(context, places, kind, &like, from);

    if (!place)
        return;
    if (kind != DR_AT_LOOPBACK4 && context->request->deep != DR_DEEP_NOT)
        place->endpoint->deep.not_tried_why = "asked at 127.0.0.1 only";
    settle_if_nobody_listens(context, place, address);
}

static void add_own(struct dr_context *context, struct dr_live_places *places, unsigned port, const char *from)
{
    const struct dr_network *network = dr_network(context);

    for (size_t i = 0; i < network->own_count && i < DR_MOST_OWN_PLACES; i++) {
        char text[DR_ADDRESS_TEXT];

        add_direct(context, places, DR_AT_OWN_ADDRESS, dr_strdup(context, dr_address_text(&network->own[i], text)), port,
                   from);
    }
}

/* --- by URL ------------------------------------------------------------------------------------------------------------- */

static bool is_loopback_name(const char *address)
{
    struct dr_address number;

    return address && dr_address_parse(address, &number) && dr_address_is_loopback(&number);
}

/* Who is named in a URL: an address, a name that this host knows itself, or a name that somebody has to be asked about. */
static void judge_host(struct dr_context *context, struct dr_live_place *place)
{
    struct dr_address number;
    const char *known = dr_address_parse(place->host, &number) ? place->host : dr_live_local_name(context, place->host);

    place->connect_to = known;
    if (place->anybody)
        return;
    if (!known)
        dr_live_settle(place->endpoint, DR_REACH_NOT_ASKED,
                       dr_format(context, "%s is not known to this host itself; --online asks there", place->host));
    else if (dr_address_parse(known, &number) && !dr_address_is_own(context, &number))
        dr_live_settle(place->endpoint, DR_REACH_NOT_ASKED,
                       dr_format(context, "%s is another host; --online asks there", place->host));
}

/* The token goes to this host only: elsewhere it is not known whose gateway it is, or it would go in the clear. */
static void judge_deep(struct dr_context *context, struct dr_live_place *place)
{
    if (context->request->deep == DR_DEEP_NOT)
        return;
    if (is_loopback_name(place->connect_to) && place->port == dr_gateway(context)->port)
        place->endpoint->deep.not_tried_why = "asked at 127.0.0.1 only";
    else
        place->endpoint->deep.not_tried_why = "which token the gateway there accepts is not known here";
}

static void add_url(struct dr_context *context, struct dr_live_places *places, enum dr_endpoint_kind kind, const char *text,
                    const char *from, const struct dr_source *source)
{
    struct dr_live_place like = { .anybody = kind == DR_AT_GIVEN_URL || context->request->online };
    struct dr_live_url url;
    const char *why = dr_live_url_read(context, text, &url);
    struct dr_live_place *place;

    like.host = why ? "?" : url.host;
    like.port = why ? 0 : url.port;
    like.path = why ? "/" : url.path;
    like.tls = !why && url.tls;
    place = dr_live_add_place(context, places, kind, &like, from);
    if (!place)
        return;
    place->endpoint->source = *source;
    if (why) {
        place->endpoint->url = from;
        place->endpoint->curl = place->endpoint->curl_upgrade = NULL;
        place->endpoint->curl_healthz = place->endpoint->curl_readyz = NULL;
        dr_live_settle(place->endpoint, DR_REACH_FAILED, why);
        return;
    }
    judge_host(context, place);
    /* What the place is connected to is known only now. */
    dr_live_write_curl(context, place);
    judge_deep(context, place);
    if (place->connect_to && place->endpoint->page.reach == DR_REACH_NOT_ASKED && !place->endpoint->page.why)
        settle_if_nobody_listens(context, place, place->connect_to);
}

static void add_remote(struct dr_context *context, struct dr_live_places *places)
{
    struct dr_config_value value;

    if (dr_config_lookup(dr_config(context), "gateway.remote.url", &value) == 1 && value.text && *value.text)
        add_url(context, places, DR_AT_REMOTE_URL, value.text, "gateway.remote.url", &value.source);
}

void dr_live_find_places(struct dr_context *context, struct dr_live_places *places)
{
    const struct dr_gateway *gateway = dr_gateway(context);
    const char *given = context->request->gateway_url;
    const struct dr_proxies *proxies;

    if (gateway->port > 0) {
        const char *from = gateway->port_from ? gateway->port_from : "the gateway's port";

        add_direct(context, places, DR_AT_LOOPBACK4, "127.0.0.1", gateway->port, from);
        add_direct(context, places, DR_AT_LOOPBACK6, "::1", gateway->port, from);
        add_own(context, places, gateway->port, from);
    }
    add_remote(context, places);
    if (given)
        add_url(context, places, DR_AT_GIVEN_URL, given, "--gateway-url", &(struct dr_source){ .path = NULL });
    proxies = dr_proxies(context);
    dr_live_find_proxy_places(context, proxies->to_gateway, proxies->to_gateway_count, places);
}
