/*
 * What each entry of gateway.trustedProxies means to the installed release, and to the networks that this host stands in. Sources:
 * facts/openclaw-2026.2.md section 6, openclaw-2026.9.md section 3.4 and 3.7, failure-modes.md rows 8, 40 and 54.
 */
#include "check.h"

#include <string.h>

enum { MOST_ENTRIES = 256, MOST_NAMED = 4 };

enum problem { MATCHES_NOTHING, MISREAD, EVERYONE, TOO_WIDE, BRIDGE_MOVED, LOOPBACK_NOT_LOCAL, PEER_MISSING, PEER_PUBLIC };

#define CHANGES_TRUST "it changes the list of who is trusted, and a running gateway may restart itself to take it in"

static const struct dr_problem problems[] = {
    [MATCHES_NOTHING] = {
        .code = "entry-matches-nothing",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "gateway.trustedProxies has {count} that {match} nothing, and OpenClaw does not say so: {entries}.",
        .advice = "Write the proxy's IP address there, as the gateway sees it, or take the entry out.",
        .fixer = "trust-entry-remove",
        .why = CHANGES_TRUST,
    },
    [MISREAD] = {
        .code = "entry-misread",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "gateway.trustedProxies has {count} that this release reads otherwise than written: {entries}.",
        .advice = "Write all four numbers of the address, such as 192.168.1.0/24.",
    },
    [EVERYONE] = {
        .code = "trusts-everyone",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "gateway.trustedProxies trusts everyone: {entries}. {effect}",
        .advice = "List the address of your proxy and nothing else, such as 127.0.0.1 for one on the same host.",
        .fixer = "trust-entry-remove",
        .why = CHANGES_TRUST,
    },
    [TOO_WIDE] = {
        .code = "range-too-wide",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "gateway.trustedProxies trusts more than a proxy: {entries}. {effect}",
        .advice = "Narrow it to the proxy's own address{instead}.",
        .fixer = "trust-entry-narrow",
        .why = CHANGES_TRUST,
    },
    [BRIDGE_MOVED] = {
        .code = "bridge-moved",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "gateway.trustedProxies has {count} in no network that this host stands in: {entries}. Docker may have given its "
                   "bridge another address; now there are {networks}.",
        .advice = "Put the proxy's address of today there{instead}, or pin the subnet in the compose file.",
        .fixer = "trust-entry-narrow",
        .why = CHANGES_TRUST,
    },
    [LOOPBACK_NOT_LOCAL] = {
        .code = "loopback-not-local",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "gateway.trustedProxies trusts {entries}: with this release a client on this host that comes without a proxy counts "
                   "as remote, and a new one must be approved.",
        .advice = "That is right where a proxy runs on this host; else take it out. Approve with: openclaw devices approve --latest",
    },
    [PEER_MISSING] = {
        .code = "peer-missing",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{peers} {speak} to this gateway for others, and gateway.trustedProxies does not name {it} ({how}). {effect}",
        .advice = "Put exactly {that} there.",
        .fixer = "trust-entry-add",
        .why = "from then on the gateway believes what comes from there about its clients; before 2026.8.1, with 127.0.0.1 or ::1 in the list, "
               "new devices of this host's own command line wait for approval, too",
    },
    [PEER_PUBLIC] = {
        .code = "stranger-forwards",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .message = "{peers} {speak} to this gateway like a proxy, from a public address, and gateway.trustedProxies does not name {it} ({how}).",
        .advice = "If that is your proxy, list it; else somebody tries to pass for another, and the firewall should keep him out.",
    },
};

/* The entries with one trouble. */
struct troubled {
    const char *named; /* texts of the first few, joined */
    size_t count;
    struct dr_source source; /* of the first */
    const char *entry; /* the first */
    enum dr_severity severity;
};

struct judging {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_rules *rules;
    const struct dr_network *network;
    const struct dr_attribution *attribution;
    struct troubled troubled[LOOPBACK_NOT_LOCAL + 1];
    const struct dr_proxy_peer *moved_to; /* the address that an entry of an old bridge is to be replaced by */
    bool wants_network;
};

static void trouble(struct judging *judging, enum problem problem, const struct dr_config_value *value,
                    enum dr_severity severity, const char *remark)
{
    struct troubled *troubled = &judging->troubled[problem];

    if (troubled->count++ == 0) {
        troubled->source = value->source;
        troubled->entry = value->text;
        troubled->named = "";
    }
    if (severity > troubled->severity)
        troubled->severity = severity;
    if (troubled->count > MOST_NAMED)
        return;
    troubled->named = dr_format(judging->context, "%s%s\"%.60s\"%s%s%s", troubled->named, troubled->count > 1 ? ", " : "",
                                value->text, *remark ? " (" : "", remark, *remark ? ")" : "");
}

static const char *subnet_text(struct dr_context *context, const struct dr_subnet *subnet)
{
    struct dr_subnet network = *subnet;
    char text[DR_ADDRESS_TEXT];

    for (unsigned bit = subnet->bits; bit < sizeof(network.base.bytes) * 8; bit++)
        network.base.bytes[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
    return dr_format(context, "%s/%u", dr_address_text(&network.base, text), subnet->bits);
}

static bool is_one_address(const struct dr_subnet *subnet)
{
    return subnet->bits == (subnet->base.family == 4 ? 32 : 128);
}

static bool holds(const struct dr_subnet *outer, const struct dr_subnet *inner)
{
    return outer->bits <= inner->bits && dr_subnet_has(outer, &inner->base);
}

/* Whole blocks of private addresses: whoever has one of these, it is not one proxy. */
static const char *private_block(const struct dr_subnet *subnet)
{
    static const struct {
        struct dr_subnet block;
        const char *name;
    } blocks[] = {
        { { { 4, { 10 } }, 8 }, "all of 10.0.0.0/8" },
        { { { 4, { 172, 16 } }, 12 }, "all of 172.16.0.0/12" },
        { { { 4, { 192, 168 } }, 16 }, "all of 192.168.0.0/16" },
        { { { 4, { 100, 64 } }, 10 }, "all of 100.64.0.0/10, where Tailscale's clients are" },
        { { { 6, { 0xfc } }, 7 }, "all private IPv6 addresses" },
        { { { 6, { 0xfd } }, 8 }, "all private IPv6 addresses" },
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (holds(subnet, &blocks[i].block))
            return blocks[i].name;
    return NULL;
}

/* Are clients inside the list refused, as a probe through a trusted proxy met it, or the log since the list was changed? */
static bool clients_are_refused(const struct judging *judging)
{
    const struct dr_live *live = dr_live(judging->context);
    const struct dr_config *config = dr_config(judging->context);

    for (size_t i = 0; live->fact.state == DR_KNOWN && i < live->count; i++) {
        const char *type = live->endpoints[i].socket.error_type;

        if (live->endpoints[i].route && !live->endpoints[i].over_loopback && type &&
            strcmp(type, "proxy_attribution_required") == 0)
            return true;
    }
    for (size_t i = 0; i < judging->attribution->peer_count; i++) {
        const struct dr_proxy_peer *peer = &judging->attribution->peers[i];

        if (peer->trusted && (peer->evidence & DR_PEER_REFUSED) && config->file_count > 0 &&
            peer->last_ms > config->files[0]->identity.mtime_ns / 1000000)
            return true;
    }
    return false;
}

/*
 * A whole network of containers may hold nothing but proxies. And until 2026.8 nothing comes of it where the gateway listens on loopback only:
 * who is in the range cannot ask it directly.
 */
static enum dr_severity weight_of(const struct judging *judging, const struct dr_interface_network *network)
{
    if (!judging->rules->attribution_required)
        return network->containers || dr_binding(judging->context)->reach == DR_BIND_LOOPBACK ? DR_INFO : DR_WARNING;
    return network->containers && !clients_are_refused(judging) ? DR_INFO : DR_WARNING;
}

/* A network that a compose file pins is one of containers, whether it is up or not. */
static bool judge_declared_width(struct judging *judging, const struct dr_config_value *value,
                                 const struct dr_subnet *subnet)
{
    for (size_t i = 0; i < judging->network->declared_count; i++) {
        const struct dr_declared_network *declared = &judging->network->declared[i];
        bool weighs = judging->rules->attribution_required && clients_are_refused(judging);

        if (is_one_address(&declared->subnet) || !holds(subnet, &declared->subnet))
            continue;
        trouble(
            judging, TOO_WIDE, value, weighs ? DR_WARNING : DR_INFO,
            dr_format(judging->context, "the whole network of %s, line %u", declared->source.path, declared->source.line));
        return true;
    }
    return false;
}

static bool judge_width(struct judging *judging, const struct dr_config_value *value, const struct dr_subnet *subnet)
{
    const char *block = private_block(subnet);

    if (block) {
        trouble(judging, TOO_WIDE, value, DR_WARNING, block);
        return true;
    }
    for (size_t i = 0; i < judging->network->count; i++) {
        const struct dr_interface_network *network = &judging->network->list[i];

        if (is_one_address(&network->subnet) || !holds(subnet, &network->subnet))
            continue;
        trouble(judging, TOO_WIDE, value, weight_of(judging, network),
                dr_format(judging->context, "the whole network of %s", network->interface));
        return true;
    }
    return judge_declared_width(judging, value, subnet);
}

/* The log has seen a proxy there, and none elsewhere since: it is reached over a router. */
static bool is_alive(const struct judging *judging, const struct dr_subnet *subnet)
{
    const struct dr_attribution *attribution = judging->attribution;
    int64_t here = -1, elsewhere = -1;

    for (size_t i = 0; i < attribution->peer_count; i++) {
        const struct dr_proxy_peer *peer = &attribution->peers[i];
        int64_t *last = dr_subnet_has(subnet, &peer->address) ? &here : dr_trusted_is_missing(peer) ? &elsewhere : NULL;

        if (last && peer->count > 0 && peer->last_ms > *last)
            *last = peer->last_ms;
    }
    return here >= 0 && here >= elsewhere;
}

/* A private address where no interface leads, while there are container networks: the bridge had it once. */
static void judge_place(struct judging *judging, const struct dr_config_value *value, const struct dr_subnet *subnet)
{
    static const struct dr_subnet docker = { { 4, { 172, 16 } }, 12 };

    if (subnet->base.family != 4 || subnet->bits < 16 || !dr_address_is_private(&subnet->base) ||
        dr_address_is_loopback(&subnet->base))
        return;
    for (size_t i = 0; i < judging->network->declared_count; i++)
        if (dr_subnets_overlap(subnet, &judging->network->declared[i].subnet))
            return;
    judging->wants_network = true;
    if ((!judging->network->has_containers && judging->network->declared_count == 0) || is_alive(judging, subnet))
        return;
    for (size_t i = 0; i < judging->network->count; i++)
        if (dr_subnets_overlap(subnet, &judging->network->list[i].subnet))
            return;
    trouble(judging, BRIDGE_MOVED, value, dr_subnet_has(&docker, &subnet->base) ? DR_WARNING : DR_INFO, "");
}

static bool trusts_loopback(const struct dr_subnet *subnet)
{
    static const struct dr_address loopback[] = { { 4, { 127, 0, 0, 1 } }, { 6, { [15] = 1 } } };

    return dr_subnet_has(subnet, &loopback[0]) || dr_subnet_has(subnet, &loopback[1]);
}

static void judge(struct judging *judging, const struct dr_config_value *value)
{
    struct dr_trust trust;

    dr_trust_read(judging->rules, value->text, &trust);
    if (trust.nothing) {
        trouble(judging, MATCHES_NOTHING, value, DR_WARNING, trust.nothing);
        return;
    }
    if (trust.subnet.bits == 0) {
        trouble(judging, EVERYONE, value, DR_ERROR,
                trust.odd                       ? "an IPv6 prefix below 96 is all of IPv4"
                : trust.subnet.base.family == 4 ? "all of IPv4"
                                                : "all of IPv6");
        return;
    }
    if (trust.odd) {
        trouble(judging, MISREAD, value, DR_WARNING,
                dr_format(judging->context, "it is %s", subnet_text(judging->context, &trust.subnet)));
        return;
    }
    if (!judge_width(judging, value, &trust.subnet))
        judge_place(judging, value, &trust.subnet);
    if (!judging->rules->attribution_required && trusts_loopback(&trust.subnet))
        trouble(judging, LOOPBACK_NOT_LOCAL, value, DR_INFO, "");
}

/* What a list that is too wide does, with this release. */
static const char *effect_of(const struct judging *judging)
{
    if (judging->rules->attribution_required)
        return "A client inside it is taken for a proxy too: nobody is left to be the client, and the request is refused "
               "with HTTP 403 "
               "proxy_attribution_required.";
    if (!judging->rules->forwarded_from_right)
        return "Everyone inside it may claim any address, also 127.0.0.1: then he counts as local and is paired unasked.";
    return "Everyone inside it may claim to speak for any address.";
}

static const char *networks_of(const struct judging *judging)
{
    const char *text = "";
    size_t named = 0;

    for (size_t i = 0; i < judging->network->count && named < MOST_NAMED; i++)
        if (judging->network->list[i].containers && judging->network->list[i].subnet.base.family == 4)
            text = dr_format(judging->context, "%s%s%s on %s", text, named++ ? ", " : "",
                             subnet_text(judging->context, &judging->network->list[i].subnet),
                             judging->network->list[i].interface);
    for (size_t i = 0; i < judging->network->declared_count && named < MOST_NAMED; i++)
        text = dr_format(judging->context, "%s%s%s in %s", text, named++ ? ", " : "",
                         subnet_text(judging->context, &judging->network->declared[i].subnet),
                         judging->network->declared[i].source.path);
    return *text ? text : "other ones";
}

/* What the repair puts in the entry's place. It can do so where there is one entry, and evidence says what belongs there. */
static void report_instead(struct judging *judging, struct dr_finding *finding, enum problem problem)
{
    const struct troubled *troubled = &judging->troubled[problem];
    const struct dr_attribution *attribution = judging->attribution;
    struct dr_narrowed narrowed = { 0 };

    if (problem == BRIDGE_MOVED && judging->moved_to)
        narrowed = (struct dr_narrowed){ .clear = true, .peer = judging->moved_to };
    else if (problem == TOO_WIDE && troubled->count == 1)
        narrowed = dr_trusted_narrow(judging->rules, attribution, troubled->entry);
    if (!narrowed.clear)
        dr_finding_restrict(finding, DR_MANUAL, NULL);
    dr_finding_word(finding, "instead",
                    narrowed.peer
                        ? dr_format(judging->context, ", which is %s (%s)", narrowed.peer->text, narrowed.peer->how)
                    : narrowed.clear ? ", which stands in the list already"
                                     : "");
    dr_finding_argument(finding, "pointer", troubled->source.pointer);
    dr_finding_argument(finding, "entry", troubled->entry);
    dr_finding_argument(finding, "address", narrowed.peer ? narrowed.peer->text : "");
}

static void report(struct judging *judging, enum problem problem)
{
    const struct troubled *troubled = &judging->troubled[problem];

    if (troubled->count == 0)
        return;
    struct dr_finding *finding = dr_report(judging->findings, &problems[problem], &troubled->source);
    const char *more =
        troubled->count > MOST_NAMED ? dr_format(judging->context, " and %zu more", troubled->count - MOST_NAMED) : "";

    dr_finding_severity(finding, troubled->severity);
    dr_finding_text(finding, "entries", dr_format(judging->context, "%s%s", troubled->named, more));
    dr_finding_word(finding, "count",
                    troubled->count == 1 ? "an entry" : dr_format(judging->context, "%zu entries", troubled->count));
    dr_finding_word(finding, "match", troubled->count == 1 ? "matches" : "match");
    if (problem == EVERYONE || problem == TOO_WIDE)
        dr_finding_text(finding, "effect", effect_of(judging));
    if (problem == BRIDGE_MOVED)
        dr_finding_text(finding, "networks", networks_of(judging));
    if (problem == BRIDGE_MOVED || problem == TOO_WIDE)
        report_instead(judging, finding, problem);
}

static void judge_list(struct judging *judging, const struct dr_config *config, const struct dr_config_value *list)
{
    struct dr_config_value value;
    size_t seen = 0;

    for (bool more = dr_config_first(config, list, &value); more; more = dr_config_next(config, &value, &value)) {
        if (++seen > MOST_ENTRIES) {
            dr_could_not_tell(judging->findings, &value.source,
                              "only the first %d entries of gateway.trustedProxies were judged", MOST_ENTRIES);
            return;
        }
        if (value.missing_env)
            dr_could_not_tell(judging->findings, &value.source,
                              "an entry of gateway.trustedProxies needs ${%s}, which is not set", value.from_env);
        else if (value.type == DR_VALUE_STRING)
            judge(judging, &value);
    }
}

/* One entry of an old bridge, and one address in a network of containers that speaks like a proxy: that is where it went. */
static void find_moved(struct judging *judging)
{
    const struct dr_attribution *attribution = judging->attribution;
    const struct dr_proxy_peer *found = NULL;
    size_t count = 0;

    if (judging->troubled[BRIDGE_MOVED].count != 1)
        return;
    for (size_t i = 0; i < attribution->peer_count; i++) {
        const struct dr_proxy_peer *peer = &attribution->peers[i];

        if (!dr_trusted_is_missing(peer) || peer->not_proposed ||
            !dr_trusted_among_containers(judging->network, &peer->address))
            continue;
        found = peer;
        count++;
    }
    if (count == 1)
        judging->moved_to = found;
}

static void report_missing(struct judging *judging)
{
    static const enum problem kinds[] = { PEER_MISSING, PEER_PUBLIC };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        dr_trusted_report_missing(judging->context, judging->findings, &problems[kinds[i]], judging->attribution,
                                  kinds[i] == PEER_PUBLIC, judging->moved_to);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_config *config = dr_config(context);
    struct judging judging = { .context = context, .findings = findings, .rules = dr_installs(context)->rules };
    struct dr_config_value list;

    (void)state;
    if (dr_unknown_fact(findings, &config->fact))
        return 0;
    bool has_list = dr_config_lookup(config, "gateway.trustedProxies", &list) > 0 && list.type == DR_VALUE_ARRAY;

    judging.attribution = dr_attribution(context);
    if (!has_list && judging.attribution->peer_count == 0)
        return dr_not_applicable(findings, "gateway.trustedProxies is not set, and no proxy is known to ask this gateway");
    judging.network = dr_network(context);
    if (has_list)
        judge_list(&judging, config, &list);
    find_moved(&judging);
    for (enum problem problem = MATCHES_NOTHING; problem <= LOOPBACK_NOT_LOCAL; problem++)
        report(&judging, problem);
    report_missing(&judging);
    if (judging.wants_network)
        (void)dr_unknown_fact(findings, &judging.network->fact);
    return 0;
}

static const char *const tags[] = { "docker", "proxy", "offline", NULL };

const struct dr_check dr_check_docker_trusted_proxies = {
    .id = "docker-trusted-proxies",
    .title = "Trusted proxies are what they are meant to be",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .live = true,
    .run = run,
};
