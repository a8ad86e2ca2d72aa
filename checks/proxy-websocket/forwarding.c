/*
 * The route's headers, put through the gateway's own rules (api/locality.h): an honest client from outside, and one that claims to be
 * local. Nothing is judged by the look of a header alone.
 */
#include "check.h"

#include "api/approach.h"

static bool speaks_for_clients(const struct dr_route *route)
{
    enum dr_header_fate fate = route->headers[DR_ROUTE_FORWARDED_FOR].fate;

    return fate == DR_HEADER_SET || fate == DR_HEADER_APPENDED;
}

static const char *spelt(const struct dr_proxy_judging *judging)
{
    switch (judging->route->headers[DR_ROUTE_FORWARDED_FOR].fate) {
    case DR_HEADER_ABSENT:
        return "it takes X-Forwarded-For away";
    case DR_HEADER_CLIENTS:
        return "it sets no X-Forwarded-For, and passes on whatever a client makes up";
    case DR_HEADER_UNKNOWN:
    case DR_HEADER_SET:
    case DR_HEADER_APPENDED:
        break;
    }
    return "X-Forwarded-For is not set";
}

/* An honest client: who is it to the gateway? */
static void judge_honest(struct dr_proxy_judging *judging, const struct dr_locality *honest)
{
    const char *spelling = spelt(judging);

    if (speaks_for_clients(judging->route))
        return;
    if (honest->paired_unasked)
        dr_proxy_found(
            judging, DR_PROXY_NOT_FORWARDED, DR_MEND_FORWARD,
            dr_format(judging->context,
                      "%s, so everybody who comes through it looks like this host itself, and a new device is paired "
                      "without anybody being asked",
                      spelling));
    else if (honest->ingress == DR_INGRESS_REFUSED)
        dr_proxy_found(
            judging, DR_PROXY_NOT_FORWARDED, DR_MEND_FORWARD,
            dr_format(judging->context,
                      "%s, so nobody is left to be the client, and the gateway refuses every request with HTTP 403 "
                      "proxy_attribution_required",
                      spelling));
    else {
        dr_proxy_found(judging, DR_PROXY_NOT_FORWARDED, DR_MEND_FORWARD,
                       dr_format(judging->context, "%s, so all clients look alike to the gateway", spelling));
        judging->severity[DR_PROXY_NOT_FORWARDED] = honest->ingress == DR_INGRESS_TRUSTED_PROXY ? DR_WARNING : DR_INFO;
    }
}

/* One that sends the headers of a local client. */
static void judge_liar(struct dr_proxy_judging *judging, const struct dr_locality *honest, const struct dr_locality *liar)
{
    if (!liar->paired_unasked || honest->paired_unasked)
        return;
    dr_proxy_found(
        judging, DR_PROXY_SPOOFABLE, DR_MEND_FORWARD,
        "who sends X-Forwarded-For: 127.0.0.1 counts as local, and a new device is paired without anybody being asked");
    if (judging->route->headers[DR_ROUTE_FORWARDED_FOR].source.path)
        judging->where[DR_PROXY_SPOOFABLE] = &judging->route->headers[DR_ROUTE_FORWARDED_FOR].source;
}

void dr_proxy_judge_forwarding(struct dr_proxy_judging *judging)
{
    struct dr_approach approach;
    struct dr_locality honest, liar;
    struct dr_address peers[2];
    const char *why;

    if (dr_route_approach(judging->context, judging->route, DR_CLAIMS_NOTHING, &approach, &why) < 0) {
        /* An upstream on another host, as seen from here: nothing to say. A header that cannot be told is said. */
        if (dr_route_peers(judging->context, judging->route, peers) > 0)
            dr_could_not_tell(judging->findings, &judging->route->source, "whom the gateway takes the clients for: %s", why);
        return;
    }
    dr_locality_judge(judging->rules, &approach, &honest);
    /* Files of the page, without an upgrade: nobody connects or is paired there, but requests may be refused. */
    if (judging->without_sockets && judging->route->upgrade == DR_UPGRADE_DROPPED && honest.ingress != DR_INGRESS_REFUSED)
        return;
    judge_honest(judging, &honest);
    if (dr_route_approach(judging->context, judging->route, DR_CLAIMS_LOCAL, &approach, &why) < 0)
        return;
    dr_locality_judge(judging->rules, &approach, &liar);
    judge_liar(judging, &honest, &liar);
}
