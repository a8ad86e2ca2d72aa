/* The global options: the block without an address. And the order of directives, which `order` changes. */
#include "format/caddy_internal.h"

#include <stdlib.h>
#include <string.h>

/* httpcaddyfile/directives.go; behind each other as in v2.10.0, which moved none of those that v2.6.2 knows. */
static const char *const default_order[] = {
    "tracing",
    "map",
    "vars",
    "fs",
    "root",
    "log_append",
    "log_skip",
    "skip_log",
    "log_name",
    "header",
    "copy_response_headers",
    "request_body",
    "redir",
    "method",
    "rewrite",
    "uri",
    "try_files",
    "basicauth",
    "basic_auth",
    "forward_auth",
    "request_header",
    "encode",
    "push",
    "intercept",
    "templates",
    "invoke",
    "handle",
    "handle_path",
    "route",
    "abort",
    "error",
    "copy_response",
    "respond",
    "metrics",
    "reverse_proxy",
    "php_fastcgi",
    "file_server",
    "acme_server",
};

#define ROW(name_, least_, most_, block_)                                      \
    {                                                                          \
        .name = (name_), .least = (least_), .most = (most_), .block = (block_) \
    }

static const struct caddy_rule options_known[] = {
    ROW("debug", 0, 99, true),
    { .name = "http_port", .least = 1, .most = 1, .value = CADDY_INTEGER },
    { .name = "https_port", .least = 1, .most = 1, .value = CADDY_INTEGER },
    ROW("default_bind", 1, 99, true),
    { .name = "grace_period", .least = 1, .most = 99, .value = CADDY_DURATION },
    { .name = "shutdown_delay", .least = 1, .most = 99, .value = CADDY_DURATION },
    ROW("default_sni", 1, 1, false),
    ROW("order", 2, 3, false),
    ROW("storage", 1, 99, true),
    { .name = "storage_clean_interval", .least = 1, .most = 99, .value = CADDY_DURATION },
    { .name = "renew_interval", .least = 1, .most = 99, .value = CADDY_DURATION },
    { .name = "ocsp_interval", .least = 1, .most = 99, .value = CADDY_DURATION },
    ROW("acme_ca", 1, 1, false),
    ROW("acme_ca_root", 1, 1, false),
    ROW("acme_dns", 0, 99, true),
    ROW("acme_eab", 0, 0, true),
    ROW("cert_issuer", 1, 99, true),
    ROW("skip_install_trust", 0, 99, true),
    ROW("email", 0, 1, false),
    ROW("admin", 0, 1, true),
    ROW("on_demand_tls", 0, 0, true),
    ROW("local_certs", 0, 99, true),
    ROW("key_type", 1, 1, false),
    ROW("auto_https", 1, 99, false),
    ROW("servers", 0, 1, true),
    ROW("ocsp_stapling", 1, 1, false),
    ROW("log", 0, 1, true),
    ROW("preferred_chains", 0, 99, true),
    ROW("pki", 0, 99, true),
    /* later releases */
    ROW("events", 0, 99, true),
    ROW("persist_config", 0, 99, true),
    ROW("fallback_sni", 1, 1, false),
    ROW("cert_lifetime", 1, 1, false),
    ROW("storage_check", 0, 99, true),
    ROW("dns", 0, 99, true),
    ROW("ech", 0, 99, true),
    ROW("filesystem", 0, 99, true),
    ROW("metrics", 0, 99, true),
    ROW("tls_resolvers", 0, 99, true),
    ROW("renewal_window_ratio", 0, 99, true),
};

static const struct caddy_rule servers_known[] = {
    ROW("listener_wrappers", 0, 0, true),
    ROW("timeouts", 0, 0, true),
    { .name = "keepalive_interval", .least = 1, .most = 1, .value = CADDY_DURATION },
    { .name = "max_header_size", .least = 1, .most = 1, .value = CADDY_SIZE },
    ROW("log_credentials", 0, 0, false),
    ROW("protocols", 0, 99, false),
    ROW("strict_sni_host", 0, 1, false),
    ROW("metrics", 0, 0, false),
    ROW("protocol", 0, 0, true),
    /* later releases */
    ROW("name", 1, 1, false),
    ROW("trusted_proxies", 1, 99, true), /* v2.6.3 */
    ROW("trusted_proxies_strict", 0, 0, false), /* v2.8.0 */
    ROW("trusted_proxies_unix", 0, 0, false),
    ROW("client_ip_headers", 1, 99, false), /* v2.7.0 */
    ROW("enable_full_duplex", 0, 0, false),
    ROW("trace", 0, 0, false),
    ROW("0rtt", 0, 1, false),
    ROW("packet_conn_wrappers", 0, 99, true),
    ROW("keepalive_idle", 1, 1, false),
    ROW("keepalive_count", 1, 1, false),
};

bool caddy_check(struct caddy_reader *reader, const struct caddy_line *line, size_t skip, const struct caddy_rule *rules,
                 size_t count, const char *what)
{
    const struct caddy_rule *rule = NULL;
    size_t words = line->count - 1 - skip;
    const char *first = words ? line->words[1 + skip].text : "";
    int64_t number;

    for (size_t i = 0; i < count && !rule; i++)
        if (strcmp(rules[i].name, caddy_name(line)) == 0)
            rule = &rules[i];
    if (!rule) {
        caddy_fault(reader, &line->words[0], true, "unknown %s \"%.200s\"", what, caddy_name(line));
        return false;
    }
    if (words < rule->least || (rule->most != 99 && words > rule->most)) {
        caddy_fault(reader, &line->words[0], true, "%s: %s words behind it", rule->name,
                    words < rule->least ? "too few" : "too many");
        return false;
    }
    if (line->open && !rule->block) {
        caddy_fault(reader, line->open, true, "%s does not take a block", rule->name);
        return false;
    }
    if ((rule->value == CADDY_INTEGER && !caddy_integer(first, &number)) ||
        (rule->value == CADDY_DURATION && !caddy_duration(first, &number)) ||
        (rule->value == CADDY_SIZE && !caddy_size(first))) {
        caddy_fault(reader, &line->words[1 + skip], true, "%s: \"%.200s\" is no %s", rule->name, first,
                    rule->value == CADDY_INTEGER    ? "whole number"
                    : rule->value == CADDY_DURATION ? "time"
                                                    : "size");
        return false;
    }
    return true;
}

static size_t place_of(const struct caddy_options *options, const char *name)
{
    size_t i = 0;

    while (i < options->order_count && strcmp(options->order[i], name) != 0)
        i++;
    return i;
}

size_t caddy_order(const struct caddy_reader *reader, const char *directive)
{
    size_t place = place_of(&reader->options, directive);

    return place < reader->options.order_count ? place : SIZE_MAX;
}

/* order <directive> first | last | before <other> | after <other> */
static void change_order(struct caddy_reader *reader, const struct caddy_line *line)
{
    struct caddy_options *options = &reader->options;
    const char *name = line->words[1].text, *where = line->words[2].text;
    const char *other = line->count > 3 ? line->words[3].text : NULL;
    bool beside = strcmp(where, "before") == 0 || strcmp(where, "after") == 0;

    if (beside != (other != NULL) || (!beside && strcmp(where, "first") != 0 && strcmp(where, "last") != 0)) {
        caddy_fault(reader, &line->words[2], true, "order: \"first\", \"last\", \"before X\" or \"after X\" was expected");
        return;
    }
    size_t from = place_of(options, name);

    if (from == options->order_count) {
        const char **grown = dr_arena_alloc(reader->arena, (options->order_count + 1) * sizeof(*grown));

        if (!grown)
            return;
        memcpy(grown, options->order, options->order_count * sizeof(*grown));
        options->order = grown;
    } else {
        options->order_count--;
        memmove(options->order + from, options->order + from + 1, (options->order_count - from) * sizeof(*options->order));
    }
    size_t to = strcmp(where, "first") == 0 ? 0 : options->order_count;

    if (other && place_of(options, other) < options->order_count)
        to = place_of(options, other) + (strcmp(where, "after") == 0);
    memmove(options->order + to + 1, options->order + to, (options->order_count - to) * sizeof(*options->order));
    options->order[to] = name;
    options->order_count++;
}

static const char *const *texts_of(struct caddy_reader *reader, const struct caddy_line *line)
{
    const char **texts = dr_arena_alloc(reader->arena, line->count * sizeof(*texts));

    for (size_t i = 1; texts && i < line->count; i++)
        texts[i - 1] = line->words[i].text;
    return texts;
}

static void read_option(struct caddy_reader *reader, const struct caddy_line *line)
{
    struct caddy_options *options = &reader->options;
    const char *name = caddy_name(line);
    int64_t number = 0;

    if (!caddy_check(reader, line, 0, options_known, sizeof(options_known) / sizeof(options_known[0]), "global option"))
        return;
    if (strcmp(name, "http_port") == 0 && caddy_integer(line->words[1].text, &number))
        options->http_port = (unsigned)number;
    else if (strcmp(name, "https_port") == 0 && caddy_integer(line->words[1].text, &number))
        options->https_port = (unsigned)number;
    else if (strcmp(name, "default_bind") == 0)
        options->default_bind = texts_of(reader, line);
    else if (strcmp(name, "default_sni") == 0)
        options->default_sni = line->words[1].text[0] != '\0';
    else if (strcmp(name, "order") == 0)
        change_order(reader, line);
    else if (strcmp(name, "auto_https") == 0)
        options->auto_https = strcmp(line->words[1].text, "off") == 0 ? CADDY_AUTO_OFF : CADDY_AUTO_OTHER;
    else if (strcmp(name, "servers") == 0)
        for (const struct caddy_line *inner = line->lines; inner; inner = inner->next)
            (void)caddy_check(reader, inner, 0, servers_known, sizeof(servers_known) / sizeof(servers_known[0]),
                              "option of servers");
    if (strcmp(name, "auto_https") == 0) {
        static const char *const values[] = { "off", "disable_redirects", "disable_certs", "ignore_loaded_certs",
                                              "prefer_wildcard" /* v2.9.0 */ };

        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
            if (strcmp(values[i], line->words[1].text) == 0)
                return;
        caddy_fault(reader, &line->words[1], true, "auto_https: \"%.200s\" is none of its values", line->words[1].text);
    }
}

void caddy_read_options(struct caddy_reader *reader, const struct caddy_block *block)
{
    struct caddy_options *options = &reader->options;

    *options = (struct caddy_options){ .http_port = 80, .https_port = 443 };
    options->order = dr_arena_alloc(reader->arena, sizeof(default_order));
    if (!options->order) {
        reader->failed = true;
        return;
    }
    memcpy(options->order, default_order, sizeof(default_order));
    options->order_count = sizeof(default_order) / sizeof(default_order[0]);
    if (!block)
        return;
    options->lines = block->lines;
    for (const struct caddy_line *line = block->lines; line; line = line->next)
        read_option(reader, line);
}

const struct caddy_line *caddy_servers(const struct caddy_options *options, const char *const *addresses)
{
    const struct caddy_line *best = NULL;

    for (const struct caddy_line *line = options->lines; line; line = line->next) {
        if (strcmp(caddy_name(line), "servers") != 0)
            continue;
        bool counts = line->count == 1 && !best;

        for (size_t i = 0; line->count > 1 && addresses && addresses[i]; i++)
            counts = counts || strcmp(addresses[i], line->words[1].text) == 0;
        if (counts)
            best = line;
    }
    return best;
}
