/* src/format/caddy*.c: Caddyfiles read as caddy reads them, and mended. tests/proxies/caddy compares with caddy itself. */
#define SCENE_FORMAT dr_caddy_format
#define SCENE_MEGABYTES 512
#define SCENE_ENVIRONMENT environment
static const char *environment(void *user, const char *name);
#include "proxy_scene.h"

#include "base/buffer.h"
#include "format/edit.h"

#include <string.h>

#define IN_PROXY(text) ":8080 {\n\treverse_proxy 127.0.0.1:18789 {\n" text "\n\t}\n}\n"

enum { ALL = DR_MEND_UPGRADE | DR_MEND_FORWARD | DR_MEND_TIMEOUT | DR_MEND_UPSTREAM | DR_MEND_BUFFERING };

static const char *environment(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "UP") == 0 ? "127.0.0.1:18789" : strcmp(name, "LINES") == 0 ? "a\nb" : NULL;
}

static const struct dr_route *only_route(struct scene *scene, const char *text)
{
    look(scene, text, strlen(text));
    ck_assert_msg(scene->config.fault_count == 0, "%s: %s", text,
                  scene->config.fault_count ? scene->config.faults[0].text : "");
    ck_assert_uint_eq(scene->config.route_count, 1);
    return &scene->config.routes[0];
}

static int show_list(struct dr_buffer *out, const char *const *list)
{
    int r = 0;

    for (size_t i = 0; list[i] && r >= 0; i++)
        r = dr_buffer_appendf(out, "%s%s", i ? "," : "", list[i]);
    return r;
}

/* --- where routes lead ------------------------------------------------------------------------------------------------------ */

/* "listens names path|pattern > upstream+upstream path" of every route; "tls " in front when clients speak it. */
static const struct {
    const char *text, *shown;
} leads[] = {
    { "example.com\nreverse_proxy localhost:18789\n", "tls 0.0.0.0:443,[::]:443 example.com / > localhost:18789\n" },
    { ":8080 {\n\treverse_proxy 127.0.0.1:18789\n}\n", "0.0.0.0:8080,[::]:8080  / > 127.0.0.1:18789\n" },
    { "http://a.b, https://a.b {\n\treverse_proxy h\n}\n",
      "tls 0.0.0.0:443,[::]:443 a.b / > h:80\n0.0.0.0:80,[::]:80 a.b / > h:80\n" },
    { "{\n\thttp_port 8080\n\thttps_port 8443\n}\nlocalhost,\nhttp://x {\n\treverse_proxy h:1\n}\n",
      "0.0.0.0:8080,[::]:8080 x / > h:1\ntls 0.0.0.0:8443,[::]:8443 localhost / > h:1\n" },
    { "{\n\tauto_https off\n}\n:443 {\n\treverse_proxy h:1\n}\n127.0.0.1:9 {\n\treverse_proxy h:2\n}\n",
      "0.0.0.0:443,[::]:443  / > h:1\ntls 0.0.0.0:9,[::]:9 127.0.0.1 / > h:2\n" },
    { ":9000 {\n\ttls a.pem a.key\n\tbind 127.0.0.1 unix//run/x\n\treverse_proxy [::1]:1\n}\n",
      "tls 127.0.0.1:9000,unix:/run/x  / > ::1:1\n" },
    { ":1 {\n\thandle_path /openclaw/* {\n\t\treverse_proxy h:1\n\t}\n}\n", "0.0.0.0:1,[::]:1  /openclaw/ > h:1+/\n" },
    { ":1 {\n\thandle /a* {\n\t\turi strip_prefix /a\n\t\treverse_proxy /a/b/* h:1\n\t\treverse_proxy /b/* h:2\n\t}\n}\n",
      "0.0.0.0:1,[::]:1  /a/a/b/ > h:1+/a/b/\n0.0.0.0:1,[::]:1  /a/b/ > h:2+/b/\n" },
    { ":1 {\n\trewrite * /x{uri}\n\treverse_proxy h:1\n}\n", "0.0.0.0:1,[::]:1  / > h:1+/x/\n" },
    { ":1 {\n\t@ws {\n\t\theader Connection *Upgrade*\n\t\theader Upgrade websocket\n\t}\n\treverse_proxy @ws h:1\n}\n",
      "0.0.0.0:1,[::]:1  header Connection *Upgrade*; header Upgrade websocket > h:1\n" },
    { ":1 {\n\t@a host x.y\n\treverse_proxy @a h:1 h:2\n\treverse_proxy /exact h:3\n}\n",
      "0.0.0.0:1,[::]:1 x.y / > h:1\n0.0.0.0:1,[::]:1 x.y / > h:2\n0.0.0.0:1,[::]:1  /exact > h:3\n" },
    { ":1 {\n\treverse_proxy {$UP} {$NO:h}:7\n}\n", "0.0.0.0:1,[::]:1  / > 127.0.0.1:18789\n0.0.0.0:1,[::]:1  / > h:7\n" },
    { "(p) {\n\treverse_proxy {args.0} {args[1]}\n}\n:1 {\n\timport p h:1 h:2\n}\n",
      "0.0.0.0:1,[::]:1  / > h:1\n0.0.0.0:1,[::]:1  / > h:2\n" },
    { "import *.site\n=== b.site\n:2 {\n\treverse_proxy h:2\n}\n=== a.site\n:1 {\n\timport sub/up h\n}\n=== "
      "sub/up\nreverse_proxy {args.0}:1\n",
      "0.0.0.0:1,[::]:1  / > h:1\n0.0.0.0:2,[::]:2  / > h:2\n" },
    { "&(up) {\n\treverse_proxy h:1\n}\n:1 {\n\tinvoke up\n}\n", "0.0.0.0:1,[::]:1  / > h:1\n" },
    { ":1 {\n\treverse_proxy unix//run/x {up}:1 srv+h {\n\t\tdynamic srv x\n\t}\n}\n",
      "0.0.0.0:1,[::]:1  / > ?:0\n0.0.0.0:1,[::]:1  / > ?:0\n0.0.0.0:1,[::]:1  / > ?:0\n0.0.0.0:1,[::]:1  / > ?:0\n" },
    { ":1 {\n\treverse_proxy h:8001-8003\n}\n",
      "0.0.0.0:1,[::]:1  / > h:8001\n0.0.0.0:1,[::]:1  / > h:8002\n0.0.0.0:1,[::]:1  / > h:8003\n" },
    /* Neighbours with one matcher are one route; in `route` they are not. */
    { ":1 {\n\turi /a/* strip_prefix /a\n\treverse_proxy /a/* h:1\n}\n", "0.0.0.0:1,[::]:1  /a/ > h:1+/\n" },
    { ":1 {\n\troute {\n\t\turi /a/* strip_prefix /a\n\t\treverse_proxy /a/* h:1\n\t}\n}\n",
      "0.0.0.0:1,[::]:1  /a/a/ > h:1+/a/\n" },
    /* words */
    { "\xef\xbb\xbf:1 { # comment\r\n\treverse_proxy \\\r\n\t\t\"h:1\" `h:2` # h:3\r\n}\r\n",
      "0.0.0.0:1,[::]:1  / > h:1\n0.0.0.0:1,[::]:1  / > h:2\n" },
    { ":1 {\n\trespond <<END\n\t\t} {\n\tEND\n\treverse_proxy h#1:1\n}\n", "0.0.0.0:1,[::]:1  / > h#1:1\n" },
    { ":1 {\n\trespond \"a \\\"b\\\" }\n{\"\n\treverse_proxy h:1\n}\n", "0.0.0.0:1,[::]:1  / > h:1\n" },
    /* JSON */
    { "{\"apps\": {\"http\": {\"servers\": {\"s\": {\"listen\": [\":443\"], \"routes\": [{\"match\": [{\"host\": [\"a.b\"], "
      "\"path\": [\"/x/*\"]}],"
      " \"handle\": [{\"handler\": \"subroute\", \"routes\": [{\"handle\": [{\"handler\": \"rewrite\", "
      "\"strip_path_prefix\": \"/x\"},"
      " {\"handler\": \"reverse_proxy\", \"upstreams\": [{\"dial\": \"h:1\"}]}]}]}]}]}}}}}",
      "tls 0.0.0.0:443,[::]:443 a.b /x/ > h:1+/\n" },
};

START_TEST(finds_routes)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);

    look(&scene, leads[_i].text, strlen(leads[_i].text));
    ck_assert_msg(scene.config.fault_count == 0, "%s\n%s", leads[_i].text,
                  scene.config.fault_count ? scene.config.faults[0].text : "");
    for (size_t i = 0; i < scene.config.route_count; i++) {
        const struct dr_route *route = &scene.config.routes[i];

        ck_assert_int_eq(dr_buffer_append_text(&out, route->tls ? "tls " : ""), 0);
        ck_assert_int_eq(show_list(&out, route->listens), 0);
        ck_assert_int_eq(dr_buffer_append_text(&out, " "), 0);
        ck_assert_int_eq(show_list(&out, route->names), 0);
        ck_assert_int_eq(dr_buffer_appendf(&out, " %s > %s:%u", route->path ? route->path : route->pattern,
                                           route->upstream_host ? route->upstream_host : "?", route->upstream_port),
                         0);
        ck_assert_int_eq(dr_buffer_appendf(&out, "%s%s\n", route->upstream_path ? "+" : "",
                                           route->upstream_path ? route->upstream_path : ""),
                         0);
    }
    ck_assert_str_eq(dr_buffer_text(&out), leads[_i].shown);
}
END_TEST

/* --- what arrives -------------------------------------------------------------------------------------------------------------- */

/* Host, Upgrade, Connection, X-Forwarded-For, -Proto, -Host, X-Real-IP, Forwarded: - absent, c client's, s set, a appended, ? unknown. */
static const struct {
    const char *text, *fates;
    enum dr_upgrade upgrade;
} arrives[] = {
    { IN_PROXY(""), "cccssscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up -Upgrade"),
      "c-csssc"
      "c",
      DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\theader_up -connection"), "cc-ssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\theader_up Connection close"), "ccsssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\theader_up Connection {>Connection}"), "ccsssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\theader_up Connection {header.Connection}\n\t\theader_up Upgrade {header.Upgrade}"), "cccssscc",
      DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up Connection \"keep-alive, Upgrade\"\n\t\theader_up Upgrade websocket"),
      "csssss"
      "cc",
      DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up Upgrade {re.x.1}"), "c?cssscc", DR_UPGRADE_UNKNOWN },
    { IN_PROXY("\t\theader_up -Sec-WebSocket-*"), "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\theader_up -X-*"), "ccc----c", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up Host {upstream_hostport}\n\t\theader_up X-Real-IP {remote_host}"),
      "scc"
      "ssssc",
      DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up Host {host}"), "sccssscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up Host {hostport}"), "cccssscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up X-Forwarded-For {header.X-Forwarded-For}"), "ccccsscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up X-Forwarded-For \"{header.X-Forwarded-For}, {remote_host}\""), "cccasscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up X-Forwarded-For ^(.*)$ $1"), "ccc?sscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\theader_up +X-Real-IP x"), "cccsssac", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\ttrusted_proxies private_ranges"), "cccaaacc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\ttrusted_proxies private_ranges\n\t\theader_up X-Forwarded-For {remote_host}"), "cccsaacc",
      DR_UPGRADE_PASSED },
    { "{\n\tservers {\n\t\ttrusted_proxies static private_ranges\n\t}\n}\n" IN_PROXY(""), "cccaaacc", DR_UPGRADE_PASSED },
    { "{\n\tservers :9 {\n\t\ttrusted_proxies static private_ranges\n\t}\n}\n" IN_PROXY(""), "cccssscc", DR_UPGRADE_PASSED },
    { ":1 {\n\trequest_header -X-Forwarded-For\n\treverse_proxy h {\n\t\ttrusted_proxies 10.0.0.0/8\n\t}\n}\n", "cccsaacc",
      DR_UPGRADE_PASSED },
    { ":1 {\n\treverse_proxy h\n\trequest_header -Upgrade\n}\n", "c--ssscc", DR_UPGRADE_DROPPED },
    { ":1 {\n\troute {\n\t\treverse_proxy h\n\t\trequest_header -Upgrade\n\t}\n}\n", "cccssscc", DR_UPGRADE_PASSED },
    { ":1 {\n\trequest_header /x/* -Upgrade\n\treverse_proxy /y/* h\n}\n", "cccssscc", DR_UPGRADE_PASSED },
    { ":1 {\n\trequest_header /x/* -Upgrade\n\treverse_proxy h\n}\n", "c??ssscc", DR_UPGRADE_UNKNOWN },
    /* of several handles a request passes one; what an unfinished one did may have been done */
    { ":1 {\n\thandle /x/* {\n\t\trequest_header -Upgrade\n\t}\n\thandle {\n\t\treverse_proxy h\n\t}\n}\n", "cccssscc",
      DR_UPGRADE_PASSED },
    { ":1 {\n\thandle {\n\t\trequest_header -Upgrade\n\t}\n\treverse_proxy h\n}\n", "c??ssscc", DR_UPGRADE_UNKNOWN },
    { ":1 {\n\trequest_header -Connection\n\treverse_proxy h {\n\t\theader_up Connection {header.Connection}\n\t}\n}\n",
      "c--ssscc", DR_UPGRADE_DROPPED },
    { ":1 {\n\treverse_proxy https://h\n}\n", "?ccssscc", DR_UPGRADE_PASSED },
    { IN_PROXY("\t\ttransport http {\n\t\t\tversions h2c 2\n\t\t}"), "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\ttransport http {\n\t\t\tversions 1.1 2\n\t\t}"), "cccssscc", DR_UPGRADE_PASSED },
    { ":1 {\n\treverse_proxy h2c://h\n}\n", "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\tbuffer_responses"), "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\tresponse_buffers 4KiB"), "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\tmethod POST"), "cccssscc", DR_UPGRADE_DROPPED },
    { IN_PROXY("\t\ttransport fastcgi"), "cccssscc", DR_UPGRADE_DROPPED },
    { "{\n\tservers {\n\t\tprotocols h2\n\t}\n}\n" IN_PROXY(""), "cccssscc", DR_UPGRADE_DROPPED },
};

START_TEST(knows_what_arrives)
{
    static const char signs[] = "?-csa";
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, arrives[_i].text);
    char fates[DR_ROUTE_HEADERS + 1] = { 0 };

    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        fates[i] = signs[route->headers[i].fate];
    ck_assert_msg(strcmp(fates, arrives[_i].fates) == 0 && route->upgrade == arrives[_i].upgrade, "%s\n%s %d",
                  arrives[_i].text, fates, (int)route->upgrade);
    ck_assert(route->upgrade == DR_UPGRADE_PASSED || route->upgrade_why);
}
END_TEST

START_TEST(knows_times_and_versions)
{
    static const struct {
        const char *text;
        unsigned version;
        int64_t idle;
        unsigned idle_line;
    } rows[] = {
        { IN_PROXY(""), 11, 0, 0 },
        { IN_PROXY("\t\tstream_timeout 1m\n\t\ttransport http {\n\t\t\tread_timeout 90s\n\t\t}"), 11, 60000, 3 },
        { IN_PROXY("\t\ttransport http {\n\t\t\tread_timeout 1d\n\t\t\tread_timeout 1.5s\n\t\t}"), 11, 1500, 5 },
        { IN_PROXY("\t\ttransport http {\n\t\t\tversions h2c\n\t\t}"), 20, 0, 0 },
        { IN_PROXY("\t\ttransport http {\n\t\t\tversions 3\n\t\t}"), 0, 0, 0 },
        { ":1 {\n\treverse_proxy https://h {\n\t\ttransport http {\n\t\t\tversions h2c 2\n\t\t}\n\t}\n}\n", 11, 0, 0 },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        _cleanup_scene_ struct scene scene;
        const struct dr_route *route = only_route(&scene, rows[i].text);

        ck_assert_msg(route->http_version == rows[i].version && route->idle_timeout_ms == rows[i].idle &&
                          route->idle_timeout_source.line == rows[i].idle_line,
                      "%s: %u %ld", rows[i].text, route->http_version, (long)route->idle_timeout_ms);
    }
}
END_TEST

/* --- faults ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text, *part; /* of the fault's words */
    unsigned line;
} faults[] = {
    { "\n:1 {\n\treverse_proxy h {\n", "never closed", 3 },
    { ":1 {\n}\n}\n", "brace", 3 },
    { ":1 {\n\thandle { respond x }\n}\n", "nothing may follow", 2 },
    { ":1 {\n\thandle_path /x {}\n}\n", "'{}'", 2 },
    { "a{\n}\n", "blank is missing", 1 },
    { "a,b {\n}\n", "blank is missing", 1 },
    { "a,\n{\n}\n", "another address", 2 },
    { "a:70000 {\n}\n", "port", 1 },
    { "http://a:443 {\n}\n", "contradict", 1 },
    { "http://a:7 {\n}\nhttps://b:7 {\n}\n", "share the listener", 3 },
    { "a {\n}\na {\n}\n", "two sites", 3 },
    { ":1 {\n}\n{\n\tdebug\n}\n", "must be the first", 4 },
    { "{\n\tnonsense\n}\n", "global option", 2 },
    { "(a) {\n}\n(a) {\n}\n", "twice", 3 },
    { "(a) {\n\timport b\n}\n(b) {\n\timport a\n}\n:1 {\n\timport a\n}\n", "import loop", 5 },
    { "import main.conf\n", "import loop", 1 },
    { "import none\n", "could not be read", 1 },
    { "import */*\n", "one '*' only", 1 },
    { ":1 {\n\tfoo\n}\n", "unknown directive", 2 },
    { ":1 {\n\treverse_proxy @x h\n}\n", "not defined", 2 },
    { ":1 {\n\t@x path /\n\t@x path /\n}\n", "twice", 3 },
    { ":1 {\n\t@x pfad /\n}\n", "unknown matcher", 2 },
    { ":1 {\n\treverse_proxy http://h/\n}\n", "without a path", 2 },
    { ":1 {\n\treverse_proxy http://h https://h\n}\n", "same scheme", 2 },
    { ":1 {\n\treverse_proxy h {\n\t\tlb_try_duration soon\n\t}\n}\n", "no time", 3 },
    { ":1 {\n\treverse_proxy h {\n\t\theader_up\n\t}\n}\n", "too few", 3 },
    { ":1 {\n\treverse_proxy {$UNSET_AND_NO_DEFAULT}\n}\n", "UNSET_AND_NO_DEFAULT", 2 },
    { ":1 {\n\thandle {\n\t\tbind ::1\n\t}\n}\n", "inside of another", 3 },
    { ":1 {\n\trespond <<EOF\n\t\tx\n}\n", "never ends", 2 },
    { "{\"apps\": \n oh}", "no JSON", 2 },
};

START_TEST(says_what_is_wrong)
{
    _cleanup_scene_ struct scene scene;

    look(&scene, faults[_i].text, strlen(faults[_i].text));
    ck_assert_msg(scene.config.fault_count == 1, "%s: %zu", faults[_i].text, scene.config.fault_count);
    ck_assert_msg(strstr(scene.config.faults[0].text, faults[_i].part) != NULL, "%s: %s", faults[_i].text,
                  scene.config.faults[0].text);
    ck_assert_msg(scene.config.faults[0].source.line == faults[_i].line, "%s: line %u", faults[_i].text,
                  scene.config.faults[0].source.line);
    ck_assert(scene.config.faults[0].hides_routes);
}
END_TEST

START_TEST(the_rest_goes_on)
{
    static const char text[] = ":1 {\n\tfoo\n\treverse_proxy h:1\n}\n:2 {\n\treverse_proxy h:2\n}\n";
    _cleanup_scene_ struct scene scene;

    look(&scene, text, strlen(text));
    ck_assert_uint_eq(scene.config.fault_count, 1);
    ck_assert_uint_eq(scene.config.route_count, 2);
}
END_TEST

/* A text of 10 MB in pieces of `unit`; under the sanitizers, which make this hundreds of times slower, of 1 MB. */
#ifdef DR_SANITIZED
enum { MUCH = MEGABYTE };
#else
enum { MUCH = 10 * MEGABYTE };
#endif

static void look_at_many(const char *unit, size_t faults_expected)
{
    _cleanup_scene_ struct scene scene;
    size_t length = strlen(unit), count = MUCH / length;
    char *text = malloc(length * count + 1);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, unit, length);
    text[length * count] = '\0';
    look(&scene, text, length * count);
    ck_assert_uint_eq(scene.config.fault_count, faults_expected);
    ck_assert(scene.config.faults[0].source.path != NULL);
    free(text);
}

START_TEST(survives_too_much)
{
    look_at_many("x", 1);
    look_at_many("a ", 1);
    look_at_many("a {\n", 1);
    look_at_many("a {\n}\n", 1);
    look_at_many("{$A:b}", 1);
    look_at_many("\"", 1);
}
END_TEST

/* --- mending ----------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *mended; /* NULL: refused */
    unsigned mends;
} mendings[] = {
    { IN_PROXY("\t\theader_up -Upgrade\n\t\tflush_interval -1"), IN_PROXY("\t\tflush_interval -1"), DR_MEND_UPGRADE },
    { IN_PROXY("\t\theader_up Connection close # ours\n"), IN_PROXY("\t\t # ours\n"), DR_MEND_UPGRADE },
    { IN_PROXY("\t\ttransport http {\n\t\t\tversions h2c 2\n\t\t\tkeepalive off\n\t\t}"),
      IN_PROXY("\t\ttransport http {\n\t\t\tkeepalive off\n\t\t}"), DR_MEND_UPGRADE },
    { ":1 {\n\treverse_proxy h2c://h:1 h2c://h:2\n}\n", ":1 {\n\treverse_proxy http://h:1 http://h:2\n}\n",
      DR_MEND_UPGRADE },
    { IN_PROXY("\t\tbuffer_responses"), IN_PROXY(""), DR_MEND_BUFFERING },
    { ":1 {\n\trequest_header -Upgrade\n\treverse_proxy h\n}\n", ":1 {\n\treverse_proxy h\n}\n", DR_MEND_UPGRADE },
    { ":1 {\n\trequest_header -Upgrade\n\treverse_proxy /a/* h\n\treverse_proxy h\n}\n", NULL, DR_MEND_UPGRADE },
    { ":1 {\n\treverse_proxy h {\n\t\ttransport fastcgi\n\t}\n}\n", NULL, DR_MEND_UPGRADE },
    { ":1 {\n\treverse_proxy localhost:18789 # here\n}\n", ":1 {\n\treverse_proxy 127.0.0.1:18789 # here\n}\n",
      DR_MEND_UPSTREAM },
    { ":1\nreverse_proxy http://[::1]:2\n", ":1\nreverse_proxy http://127.0.0.1:2\n", DR_MEND_UPSTREAM },
    { ":1\nreverse_proxy \"::1\" :3\n", ":1\nreverse_proxy \"127.0.0.1\" :3\n", DR_MEND_UPSTREAM },
    { ":1\nreverse_proxy {$NO:localhost:1}\n", ":1\nreverse_proxy {$NO:127.0.0.1:1}\n", DR_MEND_UPSTREAM },
    { ":1\nreverse_proxy localhost:{$NO:1}\n", NULL, DR_MEND_UPSTREAM },
    { "(p) {\n\treverse_proxy {args.0}\n}\n:1 {\n\timport p localhost:1\n}\n:2 {\n\timport p localhost:2\n}\n",
      "(p) {\n\treverse_proxy {args.0}\n}\n:1 {\n\timport p 127.0.0.1:1\n}\n:2 {\n\timport p localhost:2\n}\n",
      DR_MEND_UPSTREAM },
    { IN_PROXY("\t\ttransport http {\n\t\t\tread_timeout 30s\n\t\t}\n\t\tstream_timeout 2h"),
      IN_PROXY("\t\ttransport http {\n\t\t\tread_timeout 1h\n\t\t}\n\t\tstream_timeout 2h"), DR_MEND_TIMEOUT },
    { IN_PROXY("\t\theader_up -X-Forwarded-*\n\t\theader_up Host x"), IN_PROXY(""), DR_MEND_FORWARD },
    { IN_PROXY("\t\ttrusted_proxies private_ranges"),
      ":8080 {\n\treverse_proxy 127.0.0.1:18789 {\n\t\ttrusted_proxies private_ranges\n\t\theader_up X-Forwarded-For "
      "{remote_host}\n\t}\n}\n",
      DR_MEND_FORWARD },
    { "{\n  servers {\n    trusted_proxies static private_ranges\n  }\n}\n:1 {\n  reverse_proxy h\n}\n",
      "{\n  servers {\n    trusted_proxies static private_ranges\n  }\n}\n:1 {\n  reverse_proxy h {\n    header_up "
      "X-Forwarded-For {remote_host}\n  }\n}\n",
      DR_MEND_FORWARD },
    { ":1 {\r\n\treverse_proxy https://h\r\n}\r\n",
      ":1 {\r\n\treverse_proxy https://h {\r\n\t\theader_up Host {hostport}\r\n\t}\r\n}\r\n", DR_MEND_FORWARD },
    /* a snippet: when all its uses want it */
    { "(h) {\n\theader_up -Upgrade\n}\n:1 {\n\treverse_proxy h {\n\t\timport h\n\t}\n}\n:2 {\n\treverse_proxy h "
      "{\n\t\timport h\n\t}\n}\n",
      "(h) {\n}\n:1 {\n\treverse_proxy h {\n\t\timport h\n\t}\n}\n:2 {\n\treverse_proxy h {\n\t\timport h\n\t}\n}\n",
      DR_MEND_UPGRADE },
    { "(h) {\n\theader_up -Upgrade\n}\n:1 {\n\treverse_proxy h {\n\t\timport h\n\t}\n}\n:2 {\n\treverse_proxy other "
      "{\n\t\timport h\n\t}\n}\n",
      NULL, DR_MEND_UPGRADE },
    { "{\"apps\": {\"http\": {\"servers\": {\"s\": {\"listen\": [\":1\"], \"routes\": [{\"handle\": [{\"handler\": "
      "\"reverse_proxy\", \"upstreams\":"
      " [{\"dial\": \"localhost:1\"}]}]}]}}}}}",
      NULL, DR_MEND_UPSTREAM },
};

static void apply(const struct scene *scene, const struct dr_route_edits *edits, struct dr_buffer *out)
{
    struct dr_edit list[16];

    ck_assert_uint_le(edits->count, DR_COUNT(list));
    for (size_t i = 0; i < edits->count; i++)
        list[i] = edits->list[i].edit;
    ck_assert_int_eq(dr_edits_apply(scene->memory.files[0].bytes, scene->memory.files[0].length, list, edits->count, out),
                     0);
}

START_TEST(mends)
{
    _cleanup_scene_ struct scene scene, again;
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct dr_route_edits edits;
    const char *why_not = NULL;

    look(&scene, mendings[_i].text, strlen(mendings[_i].text));
    look(&again, ":1\n", 3);
    ck_assert_uint_eq(scene.config.fault_count, 0);
    int r = dr_caddy_format.mend(&scene.config.routes[0], mendings[_i].mends, &scene.arena, &edits, &why_not);

    if (!mendings[_i].mended) {
        ck_assert_int_eq(r, -ENOTSUP);
        ck_assert_ptr_nonnull(why_not);
        return;
    }
    ck_assert_msg(r == 0, "%s: %d %s", mendings[_i].text, r, why_not);
    apply(&scene, &edits, &out);
    /* IN_PROXY("") has an empty line of its own */
    if (strcmp(mendings[_i].mended, IN_PROXY("")) != 0)
        ck_assert_str_eq(dr_buffer_text(&out), mendings[_i].mended);
    release(&again);
    look(&again, dr_buffer_text(&out), out.length);
    ck_assert_uint_eq(again.config.fault_count, 0);
    ck_assert_uint_eq(again.config.route_count, scene.config.route_count);
    ck_assert_int_eq(dr_caddy_format.mend(&again.config.routes[0], mendings[_i].mends, &again.arena, &edits, &why_not), 0);
    ck_assert_uint_eq(edits.count, 0);
}
END_TEST

START_TEST(right_ones_stay)
{
    static const char *const texts[] = {
        IN_PROXY(""),
        IN_PROXY("\t\theader_up X-Forwarded-For {remote_host}\n\t\theader_up X-Real-IP {remote_host}\n\t\theader_up Host "
                 "{hostport}"),
        "example.com\nreverse_proxy 127.0.0.1:18789\n",
        ("example.com {\n\treverse_proxy 127.0.0.1:18789 {\n\t\theader_up Host {host}\n\t\theader_up X-Forwarded-Proto "
         "https\n\t}\n}\n"),
    };

    for (size_t i = 0; i < DR_COUNT(texts); i++) {
        _cleanup_scene_ struct scene scene;
        const struct dr_route *route = only_route(&scene, texts[i]);
        struct dr_route_edits edits;
        const char *why_not;

        ck_assert_int_eq(dr_caddy_format.mend(route, ALL, &scene.arena, &edits, &why_not), 0);
        ck_assert_msg(edits.count == 0, "%s", texts[i]);
    }
}
END_TEST

START_TEST(knows_the_admin_address)
{
    static const struct {
        const char *text, *admin;
    } rows[] = {
        { ":1\n", NULL },
        { "{\n\tadmin off\n}\n:1\n", "" },
        { "{\n\tadmin localhost:2020\n}\n:1\n", "localhost:2020" },
        { "{\"admin\": {\"disabled\": true}}", "" },
        { "{\"admin\": {\"listen\": \"unix//run/caddy\"}}", "unix//run/caddy" },
    };

    for (size_t i = 0; i < DR_COUNT(rows); i++) {
        _cleanup_scene_ struct scene scene;

        look(&scene, rows[i].text, strlen(rows[i].text));
        ck_assert_uint_eq(scene.config.fault_count, 0);
        ck_assert_pstr_eq(scene.config.admin, rows[i].admin);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("caddy");
    TCase *all = tcase_create("caddy");

    tcase_add_loop_test(all, finds_routes, 0, (int)DR_COUNT(leads));
    tcase_add_loop_test(all, knows_what_arrives, 0, (int)DR_COUNT(arrives));
    tcase_add_test(all, knows_times_and_versions);
    tcase_add_loop_test(all, says_what_is_wrong, 0, (int)DR_COUNT(faults));
    tcase_add_test(all, the_rest_goes_on);
    tcase_add_test(all, survives_too_much);
    tcase_add_loop_test(all, mends, 0, (int)DR_COUNT(mendings));
    tcase_add_test(all, right_ones_stay);
    tcase_add_test(all, knows_the_admin_address);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
