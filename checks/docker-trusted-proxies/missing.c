/*
 * Addresses that speak for others and stand in no entry. The evidence is that of api/attribution.h; what an untrusted proxy means to a
 * release is facts/openclaw-2026.2.md section 6 and openclaw-2026.9.md section 3.7.
 */
#include "check.h"

#include <string.h>

enum { MOST_NAMED = 8 };

bool dr_trusted_is_missing(const struct dr_proxy_peer *peer)
{
    return !peer->trusted && peer->confidence >= DR_LIKELY;
}

bool dr_trusted_among_containers(const struct dr_network *network, const struct dr_address *address)
{
    for (size_t i = 0; i < network->count; i++)
        if (network->list[i].containers && dr_subnet_has(&network->list[i].subnet, address))
            return true;
    return false;
}

/* ---- too wide ---- */

static bool others_have(const struct dr_rules *rules, const struct dr_attribution *attribution, const char *entry,
                        const struct dr_address *address)
{
    for (size_t i = 0; i < attribution->trusted_count; i++) {
        struct dr_trust trust;

        dr_trust_read(rules, attribution->trusted[i], &trust);
        if (strcmp(attribution->trusted[i], entry) != 0 && !trust.nothing && trust.subnet.bits > 0 &&
            dr_subnet_has(&trust.subnet, address))
            return true;
    }
    return false;
}

struct dr_narrowed dr_trusted_narrow(const struct dr_rules *rules, const struct dr_attribution *attribution,
                                     const char *entry)
{
    struct dr_narrowed narrowed = { 0 };
    size_t inside = 0, elsewhere = 0;

    for (size_t i = 0; i < attribution->peer_count; i++) {
        const struct dr_proxy_peer *peer = &attribution->peers[i];

        /* Who stands in the list and was refused may be a plain client: that alone is no evidence of a proxy. */
        if (!(peer->evidence & (DR_PEER_ROUTE | DR_PEER_FORWARDS)) || peer->confidence < DR_LIKELY)
            continue;
        if (others_have(rules, attribution, entry, &peer->address)) {
            elsewhere++;
        } else if (dr_trust_matches(rules, entry, &peer->address)) {
            inside++;
            narrowed.peer = peer;
        }
    }
    narrowed.clear = inside == 1 || (inside == 0 && elsewhere > 0);
    if (!narrowed.clear)
        narrowed.peer = NULL;
    return narrowed;
}

/* ---- missing ---- */

static const char *effect_of(struct dr_context *context, bool loopback)
{
    if (dr_installs(context)->rules->attribution_required)
        return "Everything that comes through it is refused with HTTP 403 proxy_attribution_required.";
    return loopback ? "All who come through it look alike and count as remote; the log says \"Proxy headers detected from "
                      "untrusted address\"."
                    : "All who come through it look alike to the gateway; its log says \"Proxy headers detected from "
                      "untrusted address\".";
}

void dr_trusted_report_missing(struct dr_context *context, struct dr_findings *findings, const struct dr_problem *problem,
                               const struct dr_attribution *attribution, bool public, const struct dr_proxy_peer *but)
{
    const char *named = "", *how = NULL;
    enum dr_confidence confidence = DR_POSSIBLE;
    bool loopback = false;
    size_t count = 0;

    for (size_t i = 0; i < attribution->peer_count && count < MOST_NAMED; i++) {
        const struct dr_proxy_peer *peer = &attribution->peers[i];

        if (!dr_trusted_is_missing(peer) || peer == but || public != (peer->not_proposed != NULL))
            continue;
        named = dr_format(context, "%s%s%s", named, count++ ? ", " : "", peer->text);
        how = how && strcmp(how, peer->how) != 0 ? dr_format(context, "%s; %s", how, peer->how) : peer->how;
        loopback |= dr_address_is_loopback(&peer->address);
        if (peer->confidence > confidence)
            confidence = peer->confidence;
    }
    if (count == 0)
        return;
    struct dr_finding *finding = dr_report(findings, problem, &attribution->list_source);

    if (problem->severity == DR_ERROR && !dr_installs(context)->rules->attribution_required)
        dr_finding_severity(finding, DR_WARNING);
    dr_finding_confidence(finding, confidence);
    dr_finding_text(finding, "peers", named);
    dr_finding_text(finding, "how", how);
    dr_finding_word(finding, "speak", count == 1 ? "speaks" : "speak");
    dr_finding_word(finding, "it", count == 1 ? "it" : "them");
    dr_finding_word(finding, "that", count == 1 ? "this address" : "these addresses");
    dr_finding_word(finding, "effect", effect_of(context, loopback));
    dr_finding_argument(finding, "addresses", named);
}
