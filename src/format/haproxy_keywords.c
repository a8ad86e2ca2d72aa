/*
 * Which words HAProxy knows where: from `haproxy -dKall` and the manuals of 2.6 and of later releases up to 3.3. What stands in none of these lists
 * is a slip of the pen or newer than this program.
 */
#include "format/haproxy_tree.h"

#include <string.h>

/* Each word between blanks. */
static const char in_global[] =
    " 51degrees-cache-size 51degrees-data-file 51degrees-property-name-list 51degrees-property-separator "
    "acme.scheduler anonkey busy-polling ca-base chroot close-spread-time cluster-secret cpu-map cpu-policy "
    "cpu-set crt-base daemon default-path description deviceatlas-json-file deviceatlas-log-level "
    "deviceatlas-properties-cookie deviceatlas-separator dns-accept-family expose-deprecated-directives "
    "expose-experimental-directives external-check fd-hard-limit force-cfg-parser-pause gid grace group "
    "h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file "
    "h1-do-not-close-on-insecure-transfer-encoding h2-workaround-bogus-websocket-clients hard-stop-after "
    "harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp http-err-codes http-fail-codes "
    "httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries httpclient.ssl.ca-file "
    "httpclient.ssl.verify httpclient.timeout.connect insecure-fork-wanted insecure-setuid-wanted "
    "issuers-chain-path jwt.decrypt_alg_list key-base limited-quic localpeer log log-send-hostname log-tag "
    "lua-load lua-load-per-thread lua-prepend-path master-worker max-spread-checks max-threads-per-group "
    "maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes maxsessrate maxsslconn maxsslrate maxzlibmem "
    "mworker-max-reloads nbproc nbthread no-memory-trimming no-quic node noepoll noevports nogetaddrinfo "
    "nokqueue noktls nopoll noreuseport nosplice numa-cpu-mapping ocsp-update.disable ocsp-update.httpproxy "
    "ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode pidfile pp2-never-send-local prealloc-fd "
    "presetenv profiling.memory profiling.tasks quick-exit quiet resetenv server-state-base server-state-file "
    "set-dumpable set-var set-var-fmt setenv shm-stats-file shm-stats-file-max-objects spread-checks "
    "ssl-default-bind-ciphers ssl-default-bind-ciphersuites ssl-default-bind-client-sigalgs "
    "ssl-default-bind-curves ssl-default-bind-options ssl-default-bind-sigalgs ssl-default-server-ciphers "
    "ssl-default-server-ciphersuites ssl-default-server-client-sigalgs ssl-default-server-curves "
    "ssl-default-server-options ssl-default-server-sigalgs ssl-dh-param-file ssl-engine ssl-load-extra-del-ext "
    "ssl-load-extra-files ssl-mode-async ssl-passphrase-cmd ssl-propquery ssl-provider ssl-provider-path "
    "ssl-security-level ssl-server-verify ssl-skip-self-issued-ca stats stats-file strict-limits thread-group "
    "thread-groups thread-hard-limit trace traces uid ulimit-n unix-bind unsetenv user uuid "
    "warn-blocked-traffic-after wurfl-cache-size wurfl-data-file wurfl-information-list "
    "wurfl-information-list-separator zero-warning ";

static const char in_proxies[] =
    " acl backlog balance bind bind-process capture clitcpka-cnt clitcpka-idle clitcpka-intvl compression cookie "
    "declare default-server default_backend description disabled dispatch dynamic-cookie-key email-alert enabled "
    "error-log-format errorfile errorfiles errorloc errorloc302 errorloc303 external-check filter "
    "force-be-switch force-persist fullconn guid hash-balance-factor hash-key hash-preserve-affinity hash-type "
    "http-after-response http-check http-error http-request http-response http-reuse http-send-name-header id "
    "ignore-persist load-server-state-from-file log log-format log-format-sd log-steps log-tag "
    "max-keep-alive-queue max-session-srv-conns maxconn mode monitor monitor-uri option persist quic-initial "
    "rate-limit redirect retries retry-on server server-state-file-name server-template source srvtcpka-cnt "
    "srvtcpka-idle srvtcpka-intvl stats stick stick-table tcp-check tcp-request tcp-response timeout transparent "
    "unique-id-format unique-id-header use-fcgi-app use-server use_backend ";

static const char options[] =
    " abortonclose accept-invalid-http-request accept-invalid-http-response "
    "accept-unsafe-violations-in-http-request accept-unsafe-violations-in-http-response allbackups "
    "assume-rfc6587-ntf checkcache clitcpka contstats disable-h2-upgrade dont-parse-log dontlog-normal "
    "dontlognull external-check forwarded forwardfor h1-case-adjust-bogus-client h1-case-adjust-bogus-server "
    "http-buffer-request http-drop-request-trailers http-drop-response-trailers http-ignore-probes "
    "http-keep-alive http-no-delay http-pretend-keepalive http-restrict-req-hdr-names http-server-close "
    "http-use-proxy-header httpchk httpclose httplog httpslog idle-close-on-response independent-streams "
    "ldap-check log-health-checks log-separate-errors logasap mysql-check nolinger originalto persist "
    "pgsql-check prefer-last-server redis-check redispatch smtpchk socket-stats splice-auto splice-request "
    "splice-response spop-check srvtcpka ssl-hello-chk tcp-check tcp-smart-accept tcp-smart-connect tcpka tcplog "
    "transparent use-small-buffers ";

static const char server_alone[] =
    " agent-check allow-0rtt backup check check-reuse-pool check-send-proxy check-ssl check-via-socks4 disabled "
    "enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-agent-check no-backup no-check "
    "no-check-reuse-pool no-check-send-proxy no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy "
    "no-send-proxy-v2 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-sni-auto no-ssl no-ssl-reuse no-sslv3 "
    "no-tfo no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 non-stick renegotiate send-proxy "
    "send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn sni-auto ssl ssl-reuse stick strict-maxconn tfo "
    "tls-tickets ";

static const char server_with_value[] =
    " addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn check-pool-conn-name "
    "check-proto check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter error-limit "
    "fall fastinter guid hash-key id idle-ping init-addr init-state inter interface ktls log-bufsize log-proto "
    "max-reuse maxconn maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up "
    "pool-conn-name pool-low-conn pool-max-conn pool-purge-delay port proto proxy-v2-options quic-cc-algo redir "
    "resolve-net resolve-opts resolve-prefer resolvers rise set-proxy-v2-tlv-fmt shard sigalgs slowstart sni "
    "socks4 source ssl-max-ver ssl-min-ver tcp-ut track usesrc verify verifyhost weight ws ";

static const char bind_alone[] =
    " accept-proxy allow-0rtt defer-accept force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 "
    "generate-certificates no-alpn no-ca-names no-sslv3 no-strict-sni no-tls-tickets no-tlsv10 no-tlsv11 "
    "no-tlsv12 no-tlsv13 prefer-client-ciphers quic-force-retry ssl strict-sni tfo transparent v4v6 v6only ";

static const char bind_with_value[] =
    " accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file cc "
    "ciphers ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe ech "
    "expose-fd gid group guid-prefix id idle-ping interface ktls label level maxconn mode mss name namespace "
    "nice npn ocsp-update process proto quic-cc-algo quic-socket severity-output shards sigalgs ssl-max-ver "
    "ssl-min-ver tcp-ut thread tls-ticket-keys uid user verify ";

static bool stands_in(const char *word, const char *list)
{
    size_t length = strlen(word);

    if (length == 0 || strchr(word, ' '))
        return false;
    for (const char *at = list; (at = strstr(at, word)); at++)
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

bool dr_haproxy_knows(enum haproxy_kind kind, const char *word)
{
    if (kind == HAPROXY_OTHER)
        return true;
    if (kind == HAPROXY_GLOBAL)
        return strncmp(word, "tune.", 5) == 0 || stands_in(word, in_global);
    return stands_in(word, in_proxies);
}

bool dr_haproxy_knows_option(const char *word)
{
    return stands_in(word, options);
}

int dr_haproxy_server_arguments(const char *word)
{
    if (stands_in(word, server_with_value))
        return 1;
    return stands_in(word, server_alone) ? 0 : -1;
}

int dr_haproxy_bind_arguments(const char *word)
{
    if (stands_in(word, bind_with_value))
        return 1;
    return stands_in(word, bind_alone) ? 0 : -1;
}

int dr_haproxy_section_kind(const char *word)
{
    static const struct {
        const char *word;
        enum haproxy_kind kind;
    } kinds[] = {
        { "global", HAPROXY_GLOBAL },        { "defaults", HAPROXY_DEFAULTS }, { "frontend", HAPROXY_FRONTEND },
        { "backend", HAPROXY_BACKEND },      { "listen", HAPROXY_LISTEN },     { "userlist", HAPROXY_OTHER },
        { "peers", HAPROXY_OTHER },          { "resolvers", HAPROXY_OTHER },   { "mailers", HAPROXY_OTHER },
        { "namespace_list", HAPROXY_OTHER }, { "cache", HAPROXY_OTHER },       { "program", HAPROXY_OTHER },
        { "http-errors", HAPROXY_OTHER },    { "fcgi-app", HAPROXY_OTHER },    { "ring", HAPROXY_OTHER },
        { "log-forward", HAPROXY_OTHER },    { "log-profile", HAPROXY_OTHER }, { "crt-store", HAPROXY_OTHER },
        { "traces", HAPROXY_OTHER },         { "acme", HAPROXY_OTHER },
    };

    for (size_t i = 0; i < DR_COUNT(kinds); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return (int)kinds[i].kind;
    return HAPROXY_NO_SECTION;
}
