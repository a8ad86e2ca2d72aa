#include "format/caddy_json.h"

#include <string.h>

typedef const struct dr_json5_node node;

static void add_to_proxy(void *user, struct caddy_op *op)
{
    struct caddy_proxy *proxy = user;

    *proxy->last_up = op;
    proxy->last_up = &op->next;
}

/* Durations are numbers of nanoseconds or texts. */
static int64_t duration_of(struct caddy_json *json, node *value)
{
    const char *text = caddy_json_text(json, value);
    int64_t ms = 0, number = 0;

    if (text)
        return caddy_duration(text, &ms) ? ms : 0;
    return value && dr_json5_integer(&json->document, value, &number) == 0 ? number / 1000000 : 0;
}

static void note_timeout(struct caddy_json *json, node *value, struct caddy_proxy *proxy)
{
    int64_t ms = duration_of(json, value);

    if (ms <= 0 || (proxy->timeout_ms && proxy->timeout_ms <= ms))
        return;
    proxy->timeout_ms = ms;
    proxy->timeout_source = caddy_json_source(json, value);
}

static void read_transport(struct caddy_json *json, node *transport, struct caddy_proxy *proxy)
{
    node *versions = caddy_json_member(json, transport, "versions");
    const char *protocol = caddy_json_member_text(json, transport, "protocol");

    proxy->transport_name = protocol ? protocol : "http";
    proxy->tls = caddy_json_member(json, transport, "tls") != NULL;
    note_timeout(json, caddy_json_member(json, transport, "read_timeout"), proxy);
    for (node *one = versions ? dr_json5_first(versions) : NULL; one; one = dr_json5_next(one)) {
        bool h2c = dr_json5_text_is(&json->document, one, "h2c");

        proxy->versions_h2c = proxy->versions_h2c || h2c;
        proxy->versions_other = proxy->versions_other || (!h2c && !dr_json5_text_is(&json->document, one, "1.1") &&
                                                          !dr_json5_text_is(&json->document, one, "2"));
        proxy->versions_source = caddy_json_source(json, versions);
    }
}

static void read_buffers(struct caddy_json *json, node *handler, struct caddy_proxy *proxy)
{
    static const char *const keys[] = { "buffer_responses", "response_buffers" };

    for (size_t i = 0; i < 2; i++) {
        node *value = caddy_json_member(json, handler, keys[i]);

        if (!caddy_json_is_set(json, value))
            continue;
        proxy->buffers_responses = true;
        proxy->buffers_source = caddy_json_source(json, value);
    }
}

void caddy_json_proxy(struct caddy_json *json, node *handler, struct caddy_way *way)
{
    struct caddy_proxy *proxy = dr_arena_alloc(json->arena, sizeof(*proxy));
    node *upstreams = caddy_json_member(json, handler, "upstreams"),
         *trusted = caddy_json_member(json, handler, "trusted_proxies");
    node *request = caddy_json_member(json, caddy_json_member(json, handler, "headers"), "request"),
         *rewrite = caddy_json_member(json, handler, "rewrite");
    struct caddy_way narrowed = *way;
    const char *target = caddy_json_member_text(json, rewrite, "uri");

    if (!proxy) {
        json->reader->failed = true;
        return;
    }
    *proxy = (struct caddy_proxy){ .source = caddy_json_source(json, handler), .transport_name = "http" };
    proxy->last_up = &proxy->ups;
    for (node *one = upstreams ? dr_json5_first(upstreams) : NULL; one; one = dr_json5_next(one)) {
        const char *dial = caddy_json_member_text(json, one, "dial");
        struct dr_source source = caddy_json_source(json, one);

        if (dial && strstr(dial, "://"))
            dr_proxy_fault(&json->reader->gathering, &source, true, "\"dial\" takes an address, no URL");
        else if (dial)
            (void)caddy_proxy_upstream(json->reader, proxy, dial, NULL);
    }
    if (request)
        caddy_json_ops(json, request, add_to_proxy, proxy);
    if (caddy_json_member(json, handler, "transport"))
        read_transport(json, caddy_json_member(json, handler, "transport"), proxy);
    note_timeout(json, caddy_json_member(json, handler, "stream_timeout"), proxy);
    read_buffers(json, handler, proxy);
    proxy->trusts = trusted && trusted->type == DR_JSON5_ARRAY && dr_json5_count(trusted) > 0;
    proxy->trusted_source = trusted ? caddy_json_source(json, trusted) : (struct dr_source){ 0 };
    proxy->method_name = caddy_json_member_text(json, rewrite, "method");
    proxy->method_source = rewrite ? caddy_json_source(json, rewrite) : (struct dr_source){ 0 };
    if (target)
        caddy_way_rewrite(json->arena, &narrowed, target);
    caddy_routes(json->reader, &narrowed, proxy);
}
