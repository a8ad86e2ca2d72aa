/* The live proof: the same handshake direct and through the proxy, side by side. */
#include "check.h"

#include <string.h>

enum { SWITCHING = 101, FORBIDDEN = 403, BAD_GATEWAY = 502, UNAVAILABLE = 503, GATEWAY_TIMEOUT = 504 };

bool dr_proxy_live_works(const struct dr_proxy_judging *judging)
{
    return judging->through && judging->through->socket.challenged;
}

const char *dr_proxy_live_text(struct dr_context *context, const struct dr_endpoint *endpoint)
{
    const struct dr_socket_answer *socket = &endpoint->socket;

    if (socket->challenged)
        return dr_format(context, "upgraded, connect.challenge came");
    if (socket->status > 0) /* also behind a certificate that is not good: that is another matter */
        return dr_format(context, "HTTP %u%s%s", socket->status,
                         socket->control_ui ? ", the page instead of an upgrade" : "",
                         socket->error_type ? dr_format(context, ", %s", socket->error_type) : "");
    return socket->why ? socket->why : dr_reach_name(socket->reach);
}

static bool is_redirect(unsigned status)
{
    return status >= 300 && status < 400;
}

static bool never_came_there(enum dr_reach reach)
{
    return reach == DR_REACH_REFUSED || reach == DR_REACH_NO_ROUTE;
}

/* 401 and 403 of the proxy itself, a login page, a redirect to https: the proxy's own policy, no fault of the route. */
static bool is_policy(const struct dr_socket_answer *socket)
{
    return is_redirect(socket->status) || socket->status == 401 || socket->status == FORBIDDEN || socket->status == 429;
}

void dr_proxy_judge_live(struct dr_proxy_judging *judging)
{
    const struct dr_endpoint *through = judging->through;

    if (judging->without_sockets || !through || through->socket.reach == DR_REACH_NOT_ASKED)
        return;
    const struct dr_socket_answer *socket = &through->socket;
    const char *seen = dr_proxy_live_text(judging->context, through);

    if (never_came_there(socket->reach)) {
        dr_proxy_found(judging, DR_PROXY_DOWN, 0, dr_format(judging->context, "%s: %s", through->url, seen));
        if (!judging->live->gateway) /* where neither runs, both may be off on purpose */
            judging->severity[DR_PROXY_DOWN] = DR_INFO;
        return;
    }
    if (!judging->live->gateway || socket->challenged || is_policy(socket))
        return;
    if (judging->found[DR_PROXY_UPGRADE_DROPPED] || judging->found[DR_PROXY_HTTP_VERSION]) {
        judging->confidence[DR_PROXY_UPGRADE_DROPPED] = judging->confidence[DR_PROXY_HTTP_VERSION] = DR_CERTAIN;
        return;
    }
    if (socket->status == BAD_GATEWAY || socket->status == UNAVAILABLE || socket->status == GATEWAY_TIMEOUT) {
        dr_proxy_found(judging, DR_PROXY_UPSTREAM_UNREACHABLE, 0, dr_format(judging->context, "it answers %s", seen));
        judging->confidence[DR_PROXY_UPSTREAM_UNREACHABLE] = DR_CERTAIN;
    } else {
        dr_proxy_found(judging, DR_PROXY_FAILS_LIVE, 0,
                       dr_format(judging->context, "%s%s", socket->reach == DR_REACH_ANSWERED ? "it answers " : "", seen));
    }
}
