/*
 * The gateway's judgement of a connection. Sources: facts/openclaw-2026.2.md section 6 (isLocalDirectRequest, resolveGatewayClientIp),
 * openclaw-2026.9.md section 3.4 (ingress attribution, pairing locality), and what stands between, by src/facts/release_rules.c.
 */
#include "api/locality.h"

#include "facts/locality_text.h"

#include <string.h>

struct judging {
    const struct dr_rules *rules;
    const struct dr_approach *approach;
    struct dr_address peer;
    bool trusted; /* the peer is in the list */
};

static bool is_trusted(const struct judging *judging, const struct dr_address *address)
{
    for (size_t i = 0; i < judging->approach->trusted_count; i++)
        if (dr_trust_matches(judging->rules, judging->approach->trusted[i], address))
            return true;
    return false;
}

/* An address in a header, with or without a port. False when it is none. */
static bool parse_hop(struct dr_piece hop, struct dr_address *ret_address)
{
    char text[DR_ADDRESS_TEXT];

    return dr_piece_lower(dr_piece_without_port(dr_piece_trim(hop)), text) && dr_address_parse(text, ret_address);
}

/* The old reader takes any text, an address or not. */
static bool text_client(struct dr_piece piece, char client[DR_ADDRESS_TEXT])
{
    char lower[DR_ADDRESS_TEXT];

    piece = dr_piece_without_port(dr_piece_trim(piece));
    if (piece.length == 0)
        return false;
    if (piece.length >= DR_ADDRESS_TEXT)
        piece.length = DR_ADDRESS_TEXT - 1;
    (void)dr_piece_lower(piece, lower);
    size_t mapped = strncmp(lower, "::ffff:", 7) == 0 ? 7 : 0;

    memcpy(client, lower + mapped, strlen(lower + mapped) + 1);
    return true;
}

static bool first_hop(const struct judging *judging, char client[DR_ADDRESS_TEXT])
{
    struct dr_piece rest = dr_piece_of(judging->approach->forwarded_for), first;

    return dr_piece_split(&rest, ',', &first) && text_client(first, client);
}

/* The last hop that is no trusted proxy; what is no address does not count. */
static bool last_stranger(const struct judging *judging, char client[DR_ADDRESS_TEXT])
{
    struct dr_piece rest = dr_piece_of(judging->approach->forwarded_for), hop;
    struct dr_address address, found = { 0 };

    while (dr_piece_split(&rest, ',', &hop))
        if (parse_hop(hop, &address) && !is_trusted(judging, &address) &&
            !(judging->rules->forwarded_skips_loopback && dr_address_is_loopback(&address)))
            found = address;
    return *dr_address_text(&found, client) != '\0';
}

static bool real_ip(const struct judging *judging, char client[DR_ADDRESS_TEXT])
{
    struct dr_piece piece = dr_piece_of(judging->approach->real_ip);
    struct dr_address address;

    if (!judging->rules->real_ip_by_consent)
        return text_client(piece, client);
    if (!judging->approach->allow_real_ip || !parse_hop(piece, &address))
        return false;
    dr_address_text(&address, client);
    return true;
}

static void find_client(const struct judging *judging, char client[DR_ADDRESS_TEXT])
{
    client[0] = '\0';
    if (!judging->trusted)
        dr_address_text(&judging->peer, client);
    else if (!(judging->rules->forwarded_from_right ? last_stranger : first_hop)(judging, client) &&
             !real_ip(judging, client))
        client[0] = '\0';
}

static bool is_loopback_text(const char *client)
{
    struct dr_address address;

    return strncmp(client, "127.", 4) == 0 || (dr_address_parse(client, &address) && dr_address_is_loopback(&address));
}

/* Compared as texts: 127.0.0.2 is not in the list. */
static bool host_is_local(const char *header)
{
    char name[DR_ADDRESS_TEXT];
    size_t length = strlen(dr_host_name(header, name)), tail = strlen(".ts.net");

    return strcmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 || strcmp(name, "::1") == 0 ||
           (length >= tail && strcmp(name + length - tail, ".ts.net") == 0);
}

static bool said(const char *header)
{
    return header && *header;
}

/* Up to 2026.7: everybody may connect; the question is who counts as local. */
static void judge_old(const struct judging *judging, struct dr_locality *locality)
{
    const struct dr_approach *approach = judging->approach;
    bool names_client = said(approach->forwarded_for) || said(approach->real_ip);
    bool forwarded = names_client || said(approach->forwarded_host) ||
                     (judging->rules->forwarded_never_local && approach->forwarded_other);

    find_client(judging, locality->client);
    locality->local = is_loopback_text(locality->client) && host_is_local(approach->host) &&
                      (!forwarded || (judging->trusted && !judging->rules->forwarded_never_local));
    locality->ingress = judging->trusted  ? DR_INGRESS_TRUSTED_PROXY
                        : names_client    ? DR_INGRESS_UNTRUSTED_PROXY
                        : locality->local ? DR_INGRESS_DIRECT_LOCAL
                                          : DR_INGRESS_DIRECT_REMOTE;
    locality->paired_unasked = locality->local;
    if (!locality->local && locality->ingress != DR_INGRESS_UNTRUSTED_PROXY && !is_loopback_text(locality->client))
        memcpy(locality->recorded, locality->client, sizeof(locality->recorded));
}

static enum dr_ingress ingress_of(const struct judging *judging, char client[DR_ADDRESS_TEXT])
{
    const struct dr_approach *approach = judging->approach;
    bool proxied = approach->forwarded_for || approach->real_ip || approach->forwarded_host || approach->forwarded_other ||
                   approach->tailscale;

    if (dr_address_is_loopback(&judging->peer) && !proxied) {
        dr_address_text(&judging->peer, client);
        return DR_INGRESS_DIRECT_LOCAL;
    }
    find_client(judging, client);
    if (judging->trusted)
        return *client && !is_loopback_text(client) ? DR_INGRESS_TRUSTED_PROXY : DR_INGRESS_REFUSED;
    return proxied ? DR_INGRESS_REFUSED : DR_INGRESS_DIRECT_REMOTE;
}

static bool is_loopback_host(const char *name)
{
    struct dr_address address;

    return strcmp(name, "localhost") == 0 || strcmp(name, "localhost.") == 0 ||
           (dr_address_parse(name, &address) && dr_address_is_loopback(&address));
}

static bool is_text(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

/* The published port of a container, opened on the container's own host: http://127.0.0.1:18789 in a browser. */
static bool is_container_browser(const struct judging *judging)
{
    const struct dr_approach *approach = judging->approach;
    char host[DR_ADDRESS_TEXT], origin[DR_ADDRESS_TEXT];

    return is_text(approach->client_id, "openclaw-control-ui") && is_text(approach->client_mode, "webchat") &&
           approach->shared_secret && dr_address_is_private(&judging->peer) &&
           is_loopback_host(dr_host_name(approach->host, host)) &&
           is_loopback_host(dr_origin_host(approach->origin, origin));
}

/*
 * Since 2026.8.1. The two other localities that the release knows (cli_container_local, shared_secret_loopback_local) want a loopback
 * peer without proxy headers, which is direct-local before that question comes up: no connection gets there.
 */
static void judge_new(const struct judging *judging, struct dr_locality *locality)
{
    const struct dr_approach *approach = judging->approach;
    struct dr_piece origin = dr_piece_trim(dr_piece_of(approach->origin));
    bool for_browsers = is_text(approach->client_id, "openclaw-control-ui") || is_text(approach->client_id, "webchat-ui") ||
                        is_text(approach->client_mode, "webchat");

    locality->ingress = ingress_of(judging, locality->client);
    locality->local = locality->ingress == DR_INGRESS_DIRECT_LOCAL ||
                      (locality->ingress == DR_INGRESS_DIRECT_REMOTE && is_container_browser(judging));
    locality->paired_unasked = locality->local && (origin.length == 0 || for_browsers) && !approach->local_not_approved;
    if (locality->ingress == DR_INGRESS_REFUSED)
        locality->client[0] = '\0';
    else if (locality->ingress != DR_INGRESS_DIRECT_LOCAL && !is_loopback_text(locality->client))
        memcpy(locality->recorded, locality->client, sizeof(locality->recorded));
}

void dr_locality_judge(const struct dr_rules *rules, const struct dr_approach *approach, struct dr_locality *ret_locality)
{
    struct judging judging = { .rules = rules, .approach = approach };
    struct dr_locality locality = { 0 };

    if (approach->peer && dr_address_parse(approach->peer, &judging.peer))
        judging.trusted = is_trusted(&judging, &judging.peer);
    (rules->attribution_required ? judge_new : judge_old)(&judging, &locality);
    *ret_locality = locality;
}
