/* Every rule of "local", one row each, with where it is written. What is marked O was seen with a real gateway. */
#include "api/locality.h"

#include "base/cleanup.h"
#include "facts/locality_text.h"
#include "facts/release.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct dr_rules rules_of(const char *text)
{
    struct dr_release release;
    struct dr_rules rules;

    ck_assert_msg(dr_release_parse(text, &release), "%s", text);
    dr_rules_fill(&release, &rules);
    return rules;
}

static const struct {
    const char *release;
    const char *entry;
    const char *address;
    bool matches;
    const char *source;
} entry_rows[] = {
    { "2026.2.19", "172.17.0.1", "172.17.0.1", true, "2026.2 §6 O" },
    { "2026.2.19", " 172.17.0.1 ", "172.17.0.1", true, "2026.2 §6 O" },
    { "2026.2.19", "::ffff:172.17.0.1", "172.17.0.1", true, "2026.2 §6 O" },
    { "2026.2.19", "::FFFF:172.17.0.1", "::ffff:172.17.0.1", true, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.1/32", "172.17.0.1", true, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.0/16", "172.17.9.9", true, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.0/16", "172.18.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.16.0.0/12", "172.31.255.254", true, "2026.2 §6 O" },
    { "2026.2.19", "172.16.0.0/12", "172.32.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "0.0.0.0/0", "203.0.113.9", true, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.0/16abc", "172.17.0.1", true, "2026.2 §6 O (parseInt)" },
    { "2026.2.19", "172.17.0.0/16/24", "172.17.200.1", true, "net.ts split" },
    { "2026.2.19", "172.17.0.0/ 16", "172.17.0.1", true, "net.ts parseInt" },
    { "2026.2.19", "172.17x.0.0/16", "172.17.0.1", true, "net.ts parseInt" },
    { "2026.2.19", "172.17.0.0/33", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.0/-1", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.1/", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0/16", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.0.0/16", "172.17.0.1", false, "net.ts length" },
    { "2026.2.19", "256.17.0.0/0", "172.17.0.1", false, "net.ts range" },
    { "2026.2.19", "localhost", "127.0.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.1:8080", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.*", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "172.17.0.1-172.17.0.9", "172.17.0.1", false, "2026.2 §6 O" },
    { "2026.2.19", "", "127.0.0.1", false, "net.ts" },
    { "2026.2.19", "fd00::1", "fd00::1", true, "2026.2 §6 O" },
    { "2026.2.19", "FD00::1", "fd00::1", true, "2026.2 §6 O" },
    { "2026.2.19", "fd00:0::1", "fd00::1", false, "2026.2 §6 (textual)" },
    { "2026.2.19", "fd00::/8", "fd00::1", false, "2026.2 §6 O" },
    { "2026.2.19", "::1/128", "::1", false, "2026.2 §6 O" },
    { "2026.2.19", "::1", "::1", true, "2026.2 §6 O" },
    { "2026.2.19", "[::1]", "::1", false, "net.ts normalizeIp" },
    { "2026.2.19", "::ffff:ac11:1", "172.17.0.1", false, "net.ts normalizeIp" },
    { "2026.2.19", "::/0", "172.17.0.1", false, "net.ts" },
    { "2026.2.12", "172.17.0.1", "172.17.0.1", true, "2026.2 §6" },
    { "2026.2.12", "172.17.0.0/16", "172.17.0.1", false, "2026.2 §6 (no CIDR before .17)" },
    { "2026.2.12", "172.17.0.1/32", "172.17.0.1", false, "2026.2 §6 (no CIDR before .17)" },
    { "2026.2.17", "172.17.0.0/16", "172.17.0.1", true, "2026.2 §6" },
    { "2026.9.6", "172.17.0.1", "172.17.0.1", true, "2026.9 §3.7" },
    { "2026.9.6", "::ffff:172.17.0.1", "172.17.0.1", true, "2026.9 §3.7" },
    { "2026.9.6", "::ffff:ac11:1", "172.17.0.1", true, "ip.ts" },
    { "2026.9.6", "172.17.0.0/16", "::ffff:172.17.0.1", true, "2026.9 §3.7" },
    { "2026.9.6", "172.17.0.0/016", "172.17.0.1", true, "ip.ts" },
    { "2026.9.6", "172.17.0.0/16abc", "172.17.0.1", false, "ip.ts" },
    { "2026.9.6", "10.0.0.0/33", "10.0.0.1", false, "2026.9 §0.9 O" },
    { "2026.9.6", "not-an-ip", "10.0.0.1", false, "2026.9 §0.9 O" },
    { "2026.9.6", "0.0.0.0/0", "203.0.113.9", true, "2026.9 §3.7 O" },
    { "2026.9.6", "0.0.0.0/0", "fd00::1", false, "ip.ts" },
    { "2026.9.6", "::/0", "fd00::1", true, "ip.ts" },
    { "2026.9.6", "::/0", "172.17.0.1", false, "ip.ts" },
    { "2026.9.6", "fd00::/8", "fd00::1", true, "2026.9 §3.7" },
    { "2026.9.6", "fd00:0:0::1", "fd00::1", true, "ip.ts" },
    { "2026.9.6", "[::1]", "::1", true, "ip.ts" },
    { "2026.9.6", "[fd00::]/8", "fd00::1", false, "ip.ts parseCIDR" },
    { "2026.9.6", "fd00::/129", "fd00::1", false, "ip.ts" },
    { "2026.9.6", "172.17.0.1:8080", "172.17.0.1", false, "ip.ts" },
    { "2026.9.6", "localhost", "127.0.0.1", false, "2026.9 §3.7" },
    { "2026.9.6", "172.017.0.1", "172.17.0.1", false, "ip.ts canonical" },
    { "2026.9.6", "192.168.1/24", "192.168.1.5", false, "ipaddr.js: 192.168.0.1/24" },
    { "2026.9.6", "192.168.1/24", "192.168.0.5", true, "ipaddr.js" },
    { "2026.9.6", "10/8", "10.0.0.1", false, "ipaddr.js: 0.0.0.10/8" },
    { "2026.9.6", "172.17.0.0 /16", "172.17.0.1", false, "ipaddr.js" },
    { "2026.9.6", "::ffff:172.17.0.0/112", "172.17.9.9", true, "ip.ts" },
    { "2026.9.6", "::ffff:172.17.0.0/112", "172.18.0.1", false, "ip.ts" },
    { "2026.9.6", "::ffff:172.17.0.1/32", "203.0.113.9", true, "ip.ts: a prefix below 96 is all of IPv4" },
};

START_TEST(entries_match_what_the_release_says)
{
    struct dr_rules rules = rules_of(entry_rows[_i].release);
    struct dr_address address;

    ck_assert(dr_address_parse(entry_rows[_i].address, &address));
    ck_assert_msg(dr_trust_matches(&rules, entry_rows[_i].entry, &address) == entry_rows[_i].matches, "%s: '%s' and %s (%s)",
                  entry_rows[_i].release, entry_rows[_i].entry, entry_rows[_i].address, entry_rows[_i].source);
}
END_TEST

START_TEST(what_matches_nothing_has_a_reason)
{
    static const struct {
        const char *release, *entry, *why;
    } rows[] = {
        { "2026.9.6", "10.0.0.0/33", "at most 32" },
        { "2026.9.6", "fd00::/200", "at most 128" },
        { "2026.9.6", "proxy.lan", "host names" },
        { "2026.9.6", "localhost", "host names" },
        { "2026.9.6", "10.0.0.1:80", "with a port" },
        { "2026.2.19", "[::1]:80", "with a port" },
        { "2026.2.19", "[::1]", "without brackets" },
        { "2026.9.6", "10.0.*", "wildcards" },
        { "2026.9.6", "10.0.0.1-9", "from-to" },
        { "2026.9.6", "10.0.0.0/", "after the slash" },
        { "2026.9.6", "10.0.0", "no IP address" },
        { "2026.2.19", "fd00::/8", "IPv6 ranges" },
        { "2026.2.19", "fd00:0::1", "short form" },
        { "2026.2.12", "10.0.0.0/8", "2026.2.17" },
        { "2026.2.19", " ", "empty" },
        { "2026.9.6", "12345678901234567890123456789012345678901234567890123456789012345678", "longer" },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        struct dr_rules rules = rules_of(rows[i].release);
        struct dr_trust trust;

        dr_trust_read(&rules, rows[i].entry, &trust);
        ck_assert_msg(trust.nothing && strstr(trust.nothing, rows[i].why), "%s: %s: %s", rows[i].release, rows[i].entry,
                      trust.nothing);
    }
}
END_TEST

START_TEST(what_is_not_what_it_seems_is_odd)
{
    static const struct {
        const char *entry, *really;
        unsigned bits;
        bool odd;
    } rows[] = {
        { "192.168.1/24", "192.168.0.1", 24, true },   { "10/8", "0.0.0.10", 8, true },
        { "::ffff:10.0.0.1/32", "10.0.0.1", 0, true }, { "::ffff:10.0.0.0/104", "10.0.0.0", 8, false },
        { "10.0.0.0/8", "10.0.0.0", 8, false },        { "fd00::/8", "fd00::", 8, false },
    };
    struct dr_rules rules = rules_of("2026.9.6");

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        struct dr_trust trust;
        char text[DR_ADDRESS_TEXT];

        dr_trust_read(&rules, rows[i].entry, &trust);
        ck_assert_str_eq(dr_address_text(&trust.subnet.base, text), rows[i].really);
        ck_assert_uint_eq(trust.subnet.bits, rows[i].bits);
        ck_assert_msg(trust.odd == rows[i].odd, "%s", rows[i].entry);
    }
}
END_TEST

#define LOOPBACK_LIST      \
    {                      \
        "127.0.0.1", "::1" \
    }
#define LOCAL true, true
#define REMOTE false, false

static const struct {
    const char *source;
    const char *release;
    struct dr_approach approach;
    const char *list[3];
    enum dr_ingress ingress;
    bool local, unasked;
    const char *client, *recorded;
} rows[] = {
    { "2026.2 §6 direct",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "127.0.0.1:18789" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.2 §6 direct over IPv6",
      "2026.2.19",
      { .peer = "::1", .host = "[::1]:18789" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "::1",
      "" },
    { "2026.2 §6 mapped peer",
      "2026.2.19",
      { .peer = "::ffff:127.0.0.1", .host = "localhost" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.2 §6 XFF untrusted",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "127.0.0.1:1", .forwarded_for = "203.0.113.9" },
      { 0 },
      DR_INGRESS_UNTRUSTED_PROXY,
      REMOTE,
      "127.0.0.1",
      "" },
    { "2026.2 §6 foreign Host",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "gw.example.com" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "127.0.0.1",
      "" },
    { "2026.2 §6 host.docker.internal",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "host.docker.internal:18789" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "127.0.0.1",
      "" },
    { "2026.2 §6 .ts.net",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "Box.Tail1.TS.net" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.2 §6 X-Forwarded-Host only",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_host = "gw.example.com" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "127.0.0.1",
      "" },
    { "2026.2 §6 trusted, XFF",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_for = "203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.2 §6 first entry counts",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_for = "198.51.100.1:99, 203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "198.51.100.1",
      "198.51.100.1" },
    { "2026.2 §6 X-Real-IP after XFF",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost:1", .real_ip = "203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.2 §6 loopback trusted, direct CLI",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "127.0.0.1:1" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "",
      "" },
    { "2026.2 §6 XFF=127.0.0.1 through a trusted proxy (hole)",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_for = "127.0.0.1" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.2 §6 the same is shut in .21",
      "2026.2.21",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_for = "127.0.0.1" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "",
      "" },
    { "2026.2 §6 .21 from the right",
      "2026.2.21",
      { .peer = "127.0.0.1", .host = "localhost:1", .forwarded_for = "127.0.0.1, 203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.2 §6 nginx without Host and XFF lines",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "127.0.0.1:18789" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.2 §6 Docker bridge",
      "2026.2.19",
      { .peer = "172.17.0.1", .host = "localhost:18789" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "172.17.0.1",
      "172.17.0.1" },
    { "2026.2 §6 text is taken as it is",
      "2026.2.19",
      { .peer = "127.0.0.1", .host = "localhost", .forwarded_for = "Unknown" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "unknown",
      "unknown" },
    { "issue 71103: a forwarding header through a trusted proxy, before",
      "2026.4.21",
      { .peer = "127.0.0.1", .host = "localhost:1", .real_ip = "127.0.0.1", .allow_real_ip = true },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      LOCAL,
      "127.0.0.1",
      "" },
    { "issue 71103: ... and after",
      "2026.4.22",
      { .peer = "127.0.0.1", .host = "localhost:1", .real_ip = "127.0.0.1", .allow_real_ip = true },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "127.0.0.1",
      "" },
    { "2026.9 §3.4 (2)",
      "2026.9.6",
      { .peer = "127.0.0.1", .host = "gw.example.com" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.9 §3.4 (2) before trustedProxies",
      "2026.9.6",
      { .peer = "127.0.0.1", .host = "localhost" },
      LOOPBACK_LIST,
      DR_INGRESS_DIRECT_LOCAL,
      LOCAL,
      "127.0.0.1",
      "" },
    { "2026.9 §3.4 (3)",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.9 §3.4 (3) rightmost",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "198.51.100.1, 203.0.113.9, 127.0.0.1" },
      { "127.0.0.1" },
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.9 §3.4 (3) X-Real-IP wants consent",
      "2026.9.6",
      { .peer = "127.0.0.1", .real_ip = "203.0.113.9" },
      LOOPBACK_LIST,
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (3) allowRealIpFallback",
      "2026.9.6",
      { .peer = "127.0.0.1", .real_ip = "203.0.113.9", .allow_real_ip = true },
      LOOPBACK_LIST,
      DR_INGRESS_TRUSTED_PROXY,
      REMOTE,
      "203.0.113.9",
      "203.0.113.9" },
    { "2026.9 §3.7 XFF=127.0.0.1",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "127.0.0.1" },
      LOOPBACK_LIST,
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.7 0.0.0.0/0",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "203.0.113.9" },
      { "0.0.0.0/0" },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (4)",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "203.0.113.9" },
      { 0 },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (4) empty header",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_for = "" },
      { 0 },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (4) Forwarded",
      "2026.9.6",
      { .peer = "127.0.0.1", .forwarded_other = true },
      { 0 },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (2) Tailscale headers",
      "2026.9.6",
      { .peer = "127.0.0.1", .tailscale = true },
      { 0 },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 (5)",
      "2026.9.6",
      { .peer = "172.17.0.1", .host = "127.0.0.1:18789" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "172.17.0.1",
      "172.17.0.1" },
    { "2026.9 §3.4 a LAN client in the list, no header",
      "2026.9.6",
      { .peer = "192.168.1.7" },
      { "192.168.1.0/24" },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "failure-modes 8: proxy and client in one range",
      "2026.9.6",
      { .peer = "192.168.1.2", .forwarded_for = "192.168.1.7" },
      { "192.168.1.0/24" },
      DR_INGRESS_REFUSED,
      REMOTE,
      "",
      "" },
    { "2026.9 §3.4 browser_container_local",
      "2026.9.6",
      { .peer = "172.17.0.1",
        .host = "127.0.0.1:18789",
        .origin = "http://127.0.0.1:18789",
        .client_id = "openclaw-control-ui",
        .client_mode = "webchat",
        .shared_secret = true },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      LOCAL,
      "172.17.0.1",
      "172.17.0.1" },
    { "... not without the token",
      "2026.9.6",
      { .peer = "172.17.0.1",
        .host = "127.0.0.1:18789",
        .origin = "http://127.0.0.1:18789",
        .client_id = "openclaw-control-ui",
        .client_mode = "webchat" },
      { 0 },
      DR_INGRESS_DIRECT_REMOTE,
      REMOTE,
      "172.17.0.1",
      "172.17.0.1" },
    { "2026.9 §3.2 autoApproveLocal: false",
      "2026.9.6",
      { .peer = "127.0.0.1", .local_not_approved = true },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      true,
      false,
      "127.0.0.1",
      "" },
    { "2026.9 §3.4 an Origin disqualifies all but the Control UI",
      "2026.9.6",
      { .peer = "127.0.0.1", .origin = "http://localhost:5173", .client_id = "cli", .client_mode = "cli" },
      { 0 },
      DR_INGRESS_DIRECT_LOCAL,
      true,
      false,
      "127.0.0.1",
      "" },
};

START_TEST(connections_are_judged_as_the_release_does)
{
    struct dr_rules rules = rules_of(rows[_i].release);
    struct dr_approach approach = rows[_i].approach;
    struct dr_locality locality;

    approach.trusted = rows[_i].list;
    while (approach.trusted_count < DR_COUNT(rows[_i].list) && rows[_i].list[approach.trusted_count])
        approach.trusted_count++;
    dr_locality_judge(&rules, &approach, &locality);
    ck_assert_msg(locality.ingress == rows[_i].ingress, "%s: %d", rows[_i].source, (int)locality.ingress);
    ck_assert_msg(locality.local == rows[_i].local && locality.paired_unasked == rows[_i].unasked, "%s", rows[_i].source);
    ck_assert_msg(strcmp(locality.client, rows[_i].client) == 0, "%s: %s", rows[_i].source, locality.client);
    ck_assert_msg(strcmp(locality.recorded, rows[_i].recorded) == 0, "%s: %s", rows[_i].source, locality.recorded);
}
END_TEST

START_TEST(subnets_overlap_when_one_holds_the_other)
{
    struct dr_subnet wide = { { 4, { 10 } }, 8 }, narrow = { { 4, { 10, 1, 2 } }, 24 }, other = { { 4, { 11 } }, 24 },
                     all = { { 4, { 0 } }, 0 }, six = { { 6, { 10 } }, 8 };

    ck_assert(dr_subnets_overlap(&wide, &narrow) && dr_subnets_overlap(&narrow, &wide));
    ck_assert(!dr_subnets_overlap(&wide, &other) && !dr_subnets_overlap(&wide, &six));
    ck_assert(dr_subnets_overlap(&all, &other));
}
END_TEST

START_TEST(hosts_and_origins_are_taken_apart)
{
    char buffer[DR_ADDRESS_TEXT];

    ck_assert_str_eq(dr_host_name(" LocalHost:80 ", buffer), "localhost");
    ck_assert_str_eq(dr_host_name("[::1]:80", buffer), "::1");
    ck_assert_str_eq(dr_host_name("::1", buffer), "::1");
    ck_assert_str_eq(dr_host_name(NULL, buffer), "");
    ck_assert_str_eq(dr_origin_host("http://[::1]:80", buffer), "::1");
    ck_assert_str_eq(dr_origin_host("https://a@B.example:1/x", buffer), "b.example");
    ck_assert_str_eq(dr_origin_host("null", buffer), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("locality");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, entries_match_what_the_release_says, 0, DR_COUNT(entry_rows));
    tcase_add_test(all, what_matches_nothing_has_a_reason);
    tcase_add_test(all, what_is_not_what_it_seems_is_odd);
    tcase_add_loop_test(all, connections_are_judged_as_the_release_does, 0, DR_COUNT(rows));
    tcase_add_test(all, subnets_overlap_when_one_holds_the_other);
    tcase_add_test(all, hosts_and_origins_are_taken_apart);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
