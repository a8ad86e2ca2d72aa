/*
 * nginx: what a request looks like to the upstream (ngx_http_proxy_module.c, ngx_http_proxy_create_request).
 *
 * What no proxy_set_header names: Host is $proxy_host, Connection is close, Upgrade is dropped, every other header passes as the client sent it
 * unless proxy_pass_request_headers is off. A header whose value is empty is dropped.
 *
 * HTTP to the upstream is taken for 1.0 where proxy_http_version is not given, as in every release up to 1.29.6 (Debian 12 has 1.22.1).
 * From 1.29.7 on it is 1.1 and Connection is not sent; Upgrade is dropped all the same, so that the verdict about WebSocket is the same.
 */
#ifndef DR_FORMAT_NGINX_HEADERS_H
#define DR_FORMAT_NGINX_HEADERS_H

#include "format/nginx_scope.h"

/* Fills http_version, headers, upgrade, idle_timeout_ms and buffers of a route that leaves from `scope`. */
void dr_nginx_fill_request(struct dr_nginx_model *model, const struct dr_nginx_scope *scope, struct dr_route *route);

/* The proxy_set_header that gives a header its value in `scope`; NULL: none. *ret_count (may be NULL): how many do. */
const struct dr_nginx_directive *dr_nginx_header(const struct dr_nginx_scope *scope, const char *name, size_t *ret_count);

/* Whether Connection and Upgrade arrive as a WebSocket handshake needs them. */
enum dr_nginx_truth { DR_NGINX_NO, DR_NGINX_YES, DR_NGINX_PERHAPS };
enum dr_nginx_truth dr_nginx_sends_upgrade(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope);
enum dr_nginx_truth dr_nginx_sends_connection(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope);

/* True for the client's address and nothing else: $remote_addr, $realip_remote_addr, $proxy_protocol_addr, or a variable set to one of these. */
bool dr_nginx_is_client_address(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text);

/* The verdict about WebSocket, once http_version is known (nginx_upgrade.c). */
void dr_nginx_fill_upgrade(struct dr_nginx_model *model, const struct dr_nginx_scope *scope, struct dr_route *route);

/* Does a Connection header's value name "upgrade"? */
bool dr_nginx_names_upgrade(const char *value);

#endif
