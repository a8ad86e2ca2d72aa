/* nginx stream{}: bytes pass as they are, so that the gateway sees the client's request and this host's address. */
#include "format/nginx_routes.h"

void dr_nginx_stream_server(struct dr_nginx_model *model, const struct dr_nginx_scope *server)
{
    const struct dr_nginx_directive *pass = server->singles[DR_NGINX_PROXY_PASS];
    const struct dr_nginx_directive *timeout = dr_nginx_single(server, DR_NGINX_STREAM_TIMEOUT);
    const struct dr_nginx_directive *protocol = dr_nginx_single(server, DR_NGINX_STREAM_PROTOCOL);
    const struct dr_nginx_place place = { .model = model, .scope = server, .pass = pass, .stream = true };
    struct dr_nginx_entrance entrance;

    if (!pass || !dr_nginx_fill_entrance(model, server, true, &entrance))
        return;
    struct dr_route route = {
        .source = dr_nginx_source(pass),
        .listens = entrance.listens,
        .listen_traits = entrance.traits,
        .names = entrance.names,
        .tls = entrance.tls,
        .path = "/",
        .upstream_tls = dr_nginx_flag(dr_nginx_single(server, DR_NGINX_STREAM_SSL), false),
        .http_version = 11,
        .upgrade = DR_UPGRADE_PASSED,
        .idle_timeout_ms = timeout ? dr_nginx_time(dr_nginx_word(timeout, 1)) : 600000,
        .idle_timeout_source = dr_nginx_source(timeout),
    };

    *model->work = 0;
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        route.headers[i].fate = DR_HEADER_CLIENTS;
    if (dr_nginx_flag(protocol, false))
        route.note =
            "proxy_protocol on: nginx sends a PROXY line ahead of the request, which the gateway does not understand";
    dr_nginx_add_targets(model, &place, &entrance, &route);
}
