/* The block of reverse_proxy: upstreams, transport, header_up (reverseproxy/caddyfile.go, v2.6.2, and what later releases added). */
#include "format/caddy_internal.h"

#include <string.h>

#define ROW(name_, least_, most_, block_, value_)                                                 \
    {                                                                                             \
        .name = (name_), .least = (least_), .most = (most_), .block = (block_), .value = (value_) \
    }

static const struct caddy_rule rules[] = {
    ROW("to", 1, 99, false, CADDY_ANY),
    ROW("dynamic", 1, 99, true, CADDY_ANY),
    ROW("lb_policy", 1, 99, true, CADDY_ANY),
    ROW("lb_retries", 1, 1, false, CADDY_INTEGER),
    ROW("lb_try_duration", 1, 1, false, CADDY_DURATION),
    ROW("lb_try_interval", 1, 1, false, CADDY_DURATION),
    ROW("lb_retry_match", 0, 99, true, CADDY_ANY),
    ROW("health_uri", 1, 1, false, CADDY_ANY),
    ROW("health_path", 1, 1, false, CADDY_ANY),
    ROW("health_port", 1, 1, false, CADDY_INTEGER),
    ROW("health_headers", 0, 0, true, CADDY_ANY),
    ROW("health_interval", 1, 1, false, CADDY_DURATION),
    ROW("health_timeout", 1, 1, false, CADDY_DURATION),
    ROW("health_status", 1, 1, false, CADDY_ANY),
    ROW("health_body", 1, 1, false, CADDY_ANY),
    ROW("max_fails", 1, 1, false, CADDY_INTEGER),
    ROW("fail_duration", 1, 1, false, CADDY_DURATION),
    ROW("unhealthy_request_count", 1, 1, false, CADDY_INTEGER),
    ROW("unhealthy_status", 1, 99, false, CADDY_ANY),
    ROW("unhealthy_latency", 1, 1, false, CADDY_DURATION),
    ROW("flush_interval", 1, 1, false, CADDY_ANY),
    ROW("buffer_requests", 0, 0, false, CADDY_ANY),
    ROW("buffer_responses", 0, 0, false, CADDY_ANY),
    ROW("max_buffer_size", 1, 1, false, CADDY_SIZE),
    ROW("trusted_proxies", 0, 99, false, CADDY_ANY),
    ROW("header_up", 1, 3, false, CADDY_ANY),
    ROW("header_down", 1, 3, false, CADDY_ANY),
    ROW("method", 1, 1, false, CADDY_ANY),
    ROW("rewrite", 1, 1, false, CADDY_ANY),
    ROW("transport", 1, 1, true, CADDY_ANY),
    ROW("handle_response", 0, 1, true, CADDY_ANY),
    ROW("replace_status", 1, 2, false, CADDY_ANY),
    /* later releases */
    ROW("request_buffers", 1, 1, false, CADDY_ANY), /* v2.7.0, instead of buffer_requests */
    ROW("response_buffers", 1, 1, false, CADDY_ANY),
    ROW("stream_timeout", 1, 1, false, CADDY_DURATION), /* v2.7.0 */
    ROW("stream_close_delay", 1, 1, false, CADDY_DURATION),
    ROW("verbose_logs", 0, 0, false, CADDY_ANY),
    ROW("health_upstream", 1, 1, false, CADDY_ANY),
    ROW("health_method", 1, 1, false, CADDY_ANY),
    ROW("health_request_body", 1, 1, false, CADDY_ANY),
    ROW("health_follow_redirects", 0, 0, false, CADDY_ANY),
    ROW("health_passes", 1, 1, false, CADDY_INTEGER),
    ROW("health_fails", 1, 1, false, CADDY_INTEGER),
};

static const struct caddy_rule transport_rules[] = {
    ROW("read_buffer", 1, 1, false, CADDY_SIZE),
    ROW("write_buffer", 1, 1, false, CADDY_SIZE),
    ROW("read_timeout", 1, 1, false, CADDY_DURATION),
    ROW("write_timeout", 1, 1, false, CADDY_DURATION),
    ROW("max_response_header", 1, 1, false, CADDY_SIZE),
    ROW("dial_timeout", 1, 1, false, CADDY_DURATION),
    ROW("dial_fallback_delay", 1, 1, false, CADDY_DURATION),
    ROW("response_header_timeout", 1, 1, false, CADDY_DURATION),
    ROW("expect_continue_timeout", 1, 1, false, CADDY_DURATION),
    ROW("resolvers", 1, 99, false, CADDY_ANY),
    ROW("tls", 0, 0, false, CADDY_ANY),
    ROW("tls_client_auth", 1, 2, false, CADDY_ANY),
    ROW("tls_insecure_skip_verify", 0, 0, false, CADDY_ANY),
    ROW("tls_timeout", 1, 1, false, CADDY_DURATION),
    ROW("tls_trusted_ca_certs", 1, 99, false, CADDY_ANY),
    ROW("tls_server_name", 1, 1, false, CADDY_ANY),
    ROW("tls_renegotiation", 1, 1, false, CADDY_ANY),
    ROW("tls_except_ports", 1, 99, false, CADDY_ANY),
    ROW("keepalive", 1, 1, false, CADDY_ANY),
    ROW("keepalive_interval", 1, 1, false, CADDY_DURATION),
    ROW("keepalive_idle_conns", 1, 1, false, CADDY_INTEGER),
    ROW("keepalive_idle_conns_per_host", 1, 1, false, CADDY_INTEGER),
    ROW("versions", 1, 99, false, CADDY_ANY),
    ROW("compression", 0, 1, false, CADDY_ANY),
    ROW("max_conns_per_host", 1, 1, false, CADDY_INTEGER),
    /* later releases */
    ROW("local_address", 1, 1, false, CADDY_ANY),
    ROW("proxy_protocol", 1, 1, false, CADDY_ANY),
    ROW("forward_proxy_url", 1, 1, false, CADDY_ANY),
    ROW("network_proxy", 1, 99, true, CADDY_ANY),
    ROW("tls_curves", 1, 99, false, CADDY_ANY),
    ROW("tls_trust_pool", 1, 99, true, CADDY_ANY),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool caddy_proxy_upstream(struct caddy_reader *reader, struct caddy_proxy *proxy, const char *text,
                          const struct caddy_token *token)
{
    struct caddy_upstream upstream;
    const char *why = NULL;

    if (!caddy_parse_upstream(reader->arena, text, &upstream, &why)) {
        caddy_fault(reader, token, true, "\"%.200s\" cannot be an upstream: %s", text, why);
        return false;
    }
    upstream.token = token;
    if (proxy->upstream_count > 0) {
        const char *scheme = proxy->upstreams[proxy->upstream_count - 1].scheme;

        if (scheme[0] && strcmp(scheme, upstream.scheme) != 0)
            caddy_fault(reader, token, true, "\"%.200s\": all upstreams must have the same scheme, here %s://", text,
                        scheme);
    }
    struct caddy_upstream *grown =
        dr_arena_grow(reader->arena, proxy->upstreams, proxy->upstream_count, sizeof(*grown), &proxy->upstream_room);

    if (!grown) {
        reader->failed = true;
        return false;
    }
    proxy->upstreams = grown;
    grown[proxy->upstream_count++] = upstream;
    return true;
}

bool caddy_read_op(struct caddy_reader *reader, const struct caddy_line *line, const struct caddy_token *words, size_t count,
                   struct caddy_op *ret_op)
{
    const char *field = words[0].text;
    const char *value = count > 1 ? words[1].text : "";

    *ret_op = (struct caddy_op){ .line = line, .source = caddy_source(&line->words[0]), .spelt = value };
    if (field[0] == '?') {
        caddy_fault(reader, &words[0], true, "\"?\" is for headers of answers only");
        return false;
    }
    ret_op->kind = field[0] == '+'                 ? CADDY_ADD
                   : field[0] == '-'               ? CADDY_DELETE
                   : count > 2 && words[2].text[0] ? CADDY_REPLACE
                                                   : CADDY_SET;
    ret_op->field = field + (field[0] == '+' || field[0] == '-');
    ret_op->value = caddy_expand(reader->arena, value);
    return ret_op->value != NULL;
}

static void read_header_up(struct caddy_reader *reader, const struct caddy_line *line, struct caddy_proxy *proxy)
{
    struct caddy_op *op = dr_arena_alloc(reader->arena, sizeof(*op));

    if (!op) {
        reader->failed = true;
        return;
    }
    if (!caddy_read_op(reader, line, line->words + 1, line->count - 1, op))
        return;
    *proxy->last_up = op;
    proxy->last_up = &op->next;
}

/* A deadline for each read (read_timeout) or for the whole stream (stream_timeout): of each the last line counts, of both the shorter one. */
static void read_timeout(const struct caddy_line *lines, const char *name, struct caddy_proxy *proxy)
{
    const struct caddy_line *line = NULL;
    int64_t ms = 0;

    for (; lines; lines = lines->next)
        if (strcmp(caddy_name(lines), name) == 0 && lines->count == 2)
            line = lines;
    if (!line || !caddy_duration(line->words[1].text, &ms) || ms <= 0 || (proxy->timeout_ms && proxy->timeout_ms <= ms))
        return;
    proxy->timeout_ms = ms;
    proxy->timeout = line;
    proxy->timeout_source = caddy_source(&line->words[0]);
}

static void read_versions(const struct caddy_line *line, struct caddy_proxy *proxy)
{
    proxy->versions = line;
    proxy->versions_source = caddy_source(&line->words[0]);
    proxy->versions_h2c = proxy->versions_other = false;
    for (size_t i = 1; i < line->count; i++) {
        const char *version = line->words[i].text;

        proxy->versions_h2c = proxy->versions_h2c || strcmp(version, "h2c") == 0;
        proxy->versions_other = proxy->versions_other ||
                                (strcmp(version, "1.1") != 0 && strcmp(version, "2") != 0 && strcmp(version, "h2c") != 0);
    }
}

static void read_transport(struct caddy_reader *reader, const struct caddy_line *line, struct caddy_proxy *proxy)
{
    if (proxy->transport) {
        caddy_fault(reader, &line->words[0], true, "transport stands twice in one reverse_proxy");
        return;
    }
    proxy->transport = line;
    proxy->transport_name = line->words[1].text;
    if (strcmp(proxy->transport_name, "http") != 0)
        return;
    for (const struct caddy_line *inner = line->lines; inner; inner = inner->next) {
        const char *name = caddy_name(inner);

        if (!caddy_check(reader, inner, 0, transport_rules, COUNT(transport_rules), "option of the http transport"))
            continue;
        if (strcmp(name, "versions") == 0)
            read_versions(inner, proxy);
        else if (strncmp(name, "tls", 3) == 0)
            proxy->tls = true;
        if (strcmp(name, "tls_except_ports") == 0)
            proxy->tls_part = true;
    }
}

static void read_line(struct caddy_reader *reader, const struct caddy_line *line, struct caddy_proxy *proxy)
{
    const char *name = caddy_name(line);
    int64_t number;

    if (name[0] == '@')
        return; /* matchers for answers */
    if (!caddy_check(reader, line, 0, rules, COUNT(rules), "option of reverse_proxy"))
        return;
    if (strcmp(name, "to") == 0) {
        for (size_t i = 1; i < line->count; i++)
            (void)caddy_proxy_upstream(reader, proxy, line->words[i].text, &line->words[i]);
    } else if (strcmp(name, "dynamic") == 0) {
        proxy->dynamic = line;
    } else if (strcmp(name, "header_up") == 0) {
        read_header_up(reader, line, proxy);
    } else if (strcmp(name, "transport") == 0) {
        read_transport(reader, line, proxy);
    } else if (strcmp(name, "buffer_responses") == 0 || strcmp(name, "response_buffers") == 0) {
        proxy->buffers = line;
        proxy->buffers_responses = true;
        proxy->buffers_source = caddy_source(&line->words[0]);
    } else if (strcmp(name, "trusted_proxies") == 0 && line->count > 1) {
        proxy->trusted = line;
        proxy->trusts = true;
        proxy->trusted_source = caddy_source(&line->words[0]);
    } else if (strcmp(name, "method") == 0) {
        proxy->method = line;
        proxy->method_name = line->words[1].text;
        proxy->method_source = caddy_source(&line->words[0]);
    } else if (strcmp(name, "rewrite") == 0) {
        proxy->rewrite = line->words[1].text;
    } else if (strcmp(name, "flush_interval") == 0 && !caddy_integer(line->words[1].text, &number) &&
               !caddy_duration(line->words[1].text, &number)) {
        caddy_fault(reader, &line->words[1], true, "flush_interval: \"%.200s\" is no time", line->words[1].text);
    }
}

bool caddy_read_proxy(struct caddy_reader *reader, const struct caddy_line *line, size_t first_word,
                      struct caddy_proxy *proxy)
{
    *proxy = (struct caddy_proxy){ .line = line, .source = caddy_source(&line->words[0]), .transport_name = "http" };
    proxy->last_up = &proxy->ups;
    for (size_t i = first_word; i < line->count; i++)
        (void)caddy_proxy_upstream(reader, proxy, line->words[i].text, &line->words[i]);
    for (const struct caddy_line *inner = line->lines; inner; inner = inner->next)
        read_line(reader, inner, proxy);
    read_timeout(line->lines, "stream_timeout", proxy);
    if (proxy->transport)
        read_timeout(proxy->transport->lines, "read_timeout", proxy);
    const char *scheme = proxy->upstream_count ? proxy->upstreams[proxy->upstream_count - 1].scheme : "";

    if (strcmp(scheme, "http") == 0 && proxy->tls)
        caddy_fault(reader, &line->words[0], true, "the upstream is http:// but the transport speaks TLS");
    if (strcmp(scheme, "https") == 0)
        proxy->tls = true;
    if (strcmp(scheme, "h2c") == 0) {
        proxy->versions_h2c = true;
        proxy->versions = NULL;
        proxy->versions_source = caddy_source(proxy->upstreams[proxy->upstream_count - 1].token);
    }
    return !reader->failed;
}
