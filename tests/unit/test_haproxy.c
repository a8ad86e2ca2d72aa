/* src/format/haproxy*.h: configurations read as HAProxy reads them, and mended. tests/proxies/haproxy compares with haproxy itself. */
#define SCENE_FORMAT dr_haproxy_format
#define SCENE_MEGABYTES 192
#include "proxy_scene.h"

#include "format/edit.h"
#include "format/haproxy_tree.h"

#include <check.h>
#include <stdio.h>
#include <time.h>

#define HTTP "defaults\n mode http\n timeout client 50s\n timeout server 1m\n"
#define LISTEN(text) HTTP "listen l\n bind :80\n" text " server s 127.0.0.1:18789\n"

enum { ALL = DR_MEND_UPGRADE | DR_MEND_FORWARD | DR_MEND_TIMEOUT | DR_MEND_UPSTREAM | DR_MEND_BUFFERING };

static void look_at(struct scene *scene, const char *text)
{
    look(scene, text, strlen(text));
}

static const struct dr_route *only_route(struct scene *scene, const char *text)
{
    look_at(scene, text);
    ck_assert_msg(scene->config.fault_count == 0, "%s", scene->config.fault_count ? scene->config.faults[0].text : "");
    ck_assert_uint_eq(scene->config.route_count, 1);
    return &scene->config.routes[0];
}

/* --- words -------------------------------------------------------------------------------------------------------------- */

/* Words of a line, each in <>; an error as "!". As `haproxy -c` and its messages show them. */
static const struct {
    const char *line, *shown;
} cuts[] = {
    { "a  b\tc # d", "<a><b><c>" },
    { "  a#b", "<a>" },
    { "a\\ b c\\#d e\\\\f", "<a b><c#d><e\\f>" },
    { "\"a b\" 'c \"d' e\"f g\"h", "<a b><c \"d><ef gh>" },
    { "'a\\x41' \"\\x41\" \\x41 \\q \\1", "<a\\x41><A><A><\\q><\\1>" },
    { "$A \"$V\" \"${V}\" '$V' \"\\$V\" \\$V", "<$A><one two><one two><$V><$V><\\$V>" },
    { "\"${N-a b}\" \"x${N}y\" \"${V-c}\" \"${N-}\" z", "<a b><xy><one two>" },
    { "a \"${V[*]}\" b", "<a><one><two><b>" },
    { "\"${.LINE}\" \"${.SECTION}\" \"${.FILE}\"", "<1><s></etc/proxy/x>" },
    { "a \"\" b", "<a>" },
    { "a b\r", "<a><b>" },
    { "a \\t\\n\\r b", "<a><\t\n\r><b>" },
    { "a\\x00b c", "<a><c>" },
    { "a \"b", "!" },
    { "a 'b", "!" },
    { "a \\x4", "!" },
    { "\"$1\"", "!" },
    { "\"${V\"", "!" },
    { "\"${V[1]}\"", "!" },
    { "\"${.NOSUCH}\"", "!" },
    { "", "" },
};

START_TEST(cuts_words)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct memory memory = { .arena = &arena };
    const struct dr_proxy_loader loader = memory_loader(&memory);
    struct dr_proxy_gathering gathering = { .loader = &loader };
    struct haproxy_variable variable = { .name = "V", .value = "one two" };
    const struct haproxy_tree tree = { .gathering = &gathering, .variables = &variable, .variable_count = 1 };
    const struct dr_proxy_file file = { .path = "/etc/proxy/x", .bytes = cuts[_i].line, .length = strlen(cuts[_i].line) };
    struct haproxy_cutter cutter = { .tree = &tree, .file = &file, .section = "s" };
    struct haproxy_line line = { .file = &file, .number = 1, .bytes = file.length };
    const char *problem;
    size_t at;
    int r = dr_haproxy_cut(&cutter, 0, file.length, &line, &problem, &at);

    dr_buffer_release(&cutter.text);
    ck_assert_int_ge(r, 0);
    if (r > 0)
        ck_assert_int_eq(dr_buffer_append_text(&out, "!"), 0);
    for (size_t i = 0; i < line.count; i++) {
        ck_assert_int_eq(dr_buffer_appendf(&out, "<%s>", line.words[i].text), 0);
        ck_assert_uint_le(line.words[i].offset + line.words[i].bytes, file.length);
    }
    ck_assert_str_eq(dr_buffer_text(&out), cuts[_i].shown);
}
END_TEST

/* As `haproxy -cc` answers; '?' is not knowable, '!' no expression. */
static const struct {
    const char *text;
    char truth;
} conditions[] = {
    { "", '0' },
    { "0", '0' },
    { "1", '1' },
    { "0x10", '1' },
    { "-1", '1' },
    { "!!1", '1' },
    { "! streq(a,b)", '1' },
    { "streq(a,a)", '1' },
    { "streq(a, a)", '0' },
    { "streq(\" a\", a)", '1' },
    { "streq(,)", '1' },
    { "streq(a,)", '0' },
    { "strneq(a,b) && 1", '1' },
    { "1 && 0 || 1", '1' },
    { "(1", '!' },
    { "()", '!' },
    { "streq(a)", '!' },
    { "streq(a,b,c)", '!' },
    { "streq (a,a)", '!' },
    { "foo(1)", '!' },
    { "1 1", '!' },
    { "defined(V)", '1' },
    { "defined(N)", '0' },
    { "defined(HAPROXY_MWORKER)", '?' },
    { "feature(OPENSSL)", '?' },
    { "feature(OPENSSL) && 0", '0' },
    { "feature(OPENSSL) || 1", '1' },
    { "version_atleast(2.4)", '1' },
    { "version_before(2.4)", '0' },
    { "version_atleast(2.6)", '?' },
    { "!version_before(3.0)", '?' },
};

START_TEST(evaluates_conditions)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct memory memory = { .arena = &arena };
    const struct dr_proxy_loader loader = memory_loader(&memory);
    struct dr_proxy_gathering gathering = { .loader = &loader };
    struct haproxy_variable variable = { .name = "V", .value = "" };
    const struct haproxy_tree tree = { .gathering = &gathering, .variables = &variable, .variable_count = 1 };
    enum haproxy_truth truth;
    const char *bad;
    bool fine = dr_haproxy_condition(&tree, conditions[_i].text, &truth, &bad);

    ck_assert_int_eq(fine ? "01?"[truth] : '!', conditions[_i].truth);
}
END_TEST

/* --- routes ------------------------------------------------------------------------------------------------------------- */

/* "listens [names] path|pattern host:port;" of every route. */
static const struct {
    const char *text, *shown;
} leads[] = {
    { LISTEN(""), "0.0.0.0:80 [] / 127.0.0.1:18789;" },
    { HTTP
      "frontend f\n bind *:1,:::2,[::1]:3,127.0.0.1:4-5,/run/x\n bind :6 v4v6\n default_backend b\nbackend b\n"
      " server s localhost:1\n server t ::1:2 backup\n server u [::1]:3\n server v unix@/y\n server w ipv6@::1:4 disabled\n",
      "0.0.0.0:1 [::]:2 [::1]:3 127.0.0.1:4-5 unix:/run/x [::]:6 [] / localhost:1;"
      "0.0.0.0:1 [::]:2 [::1]:3 127.0.0.1:4-5 unix:/run/x [::]:6 [] / ::1:2;"
      "0.0.0.0:1 [::]:2 [::1]:3 127.0.0.1:4-5 unix:/run/x [::]:6 [] / ::1:3;"
      "0.0.0.0:1 [::]:2 [::1]:3 127.0.0.1:4-5 unix:/run/x [::]:6 [] / -:0;" },
    { HTTP "listen l\n bind :8080\n server a 10.0.0.1\n server b 10.0.0.1:+10\n server-template t 1-3 h.example:7\n "
           "dispatch 1.2.3.4:5\n",
      "0.0.0.0:8080 [] / 10.0.0.1:8080;0.0.0.0:8080 [] / 10.0.0.1:8090;0.0.0.0:8080 [] / h.example:7;"
      "0.0.0.0:8080 [] / 1.2.3.4:5;" },
    { HTTP "frontend f\n bind :80\n bind :443 ssl crt x\n http-request redirect scheme https unless { ssl_fc }\n "
           "default_backend b\n"
           "backend b\n server s 127.0.0.1:18789\n",
      "0.0.0.0:443 [] / 127.0.0.1:18789;" },
    { HTTP
      "frontend f\n bind :80\n acl h hdr(host) -i a.example\n acl h req.hdr(Host),lower b.example\n use_backend b if h\n"
      " use_backend b if { path_beg /oc/ } { hdr(host) c.example }\n use_backend b if { path_end .php }\n use_backend b if "
      "!h\n"
      "backend b\n server s h:1\n",
      "0.0.0.0:80 [a.example b.example] / h:1;0.0.0.0:80 [c.example] /oc/ h:1;0.0.0.0:80 [] if { path_end .php } h:1;"
      "0.0.0.0:80 [] if !h h:1;" },
    { HTTP "frontend f\n bind :80\n use_backend %[req.hdr(host),map(x)]\n default_backend c\nbackend b\n server s h:1\n"
           "backend c\n server s h:2\n",
      "0.0.0.0:80 [] use_backend %[req.hdr(host),map(x)] h:1;0.0.0.0:80 [] / h:2;" },
    { HTTP "frontend f\n bind :80\n disabled\n default_backend b\nbackend b\n server s h:1\n", "" },
    { "defaults\n mode tcp\nlisten l\n bind :1\n server s h:2\n", "0.0.0.0:1 [] / h:2;" },
    { "defaults a\n mode http\n default_backend b\ndefaults c from a\n timeout client 1s\nfrontend f from c\n bind :1\n"
      "backend b from a\n server s h:2\n",
      "0.0.0.0:1 [] / h:2;" },
    { "global\n setenv H 10.1.1.1\n presetenv H no\n" HTTP "listen l\n bind :1\n server s \"${H}:7\"\n server t $H:8\n"
      " server u ${NO}1.2.3.4:9\n",
      "0.0.0.0:1 [] / 10.1.1.1:7;0.0.0.0:1 [] / 10.1.1.1:8;0.0.0.0:1 [] / 1.2.3.4:9;" },
    { ".if 0\nlisten x\n bind :9\n server s h:9\n.else\n" LISTEN("") ".endif\n", "0.0.0.0:80 [] / 127.0.0.1:18789;" },
};

START_TEST(finds_where_routes_lead)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buffer_ struct dr_buffer shown = DR_BUFFER(MEGABYTE);

    look_at(&scene, leads[_i].text);
    for (size_t i = 0; i < scene.config.route_count; i++) {
        const struct dr_route *route = &scene.config.routes[i];
        const char *way = route->path ? route->path : route->pattern;

        for (size_t j = 0; route->listens[j]; j++)
            ck_assert_int_eq(dr_buffer_appendf(&shown, "%s ", route->listens[j]), 0);
        for (size_t j = 0; j == 0 || route->names[j - 1]; j++)
            ck_assert_int_eq(dr_buffer_appendf(&shown, "%s%s",
                                               j == 0            ? "["
                                               : route->names[j] ? " "
                                                                 : "] ",
                                               route->names[j] ? route->names[j]
                                               : j == 0        ? "] "
                                                               : ""),
                             0);
        ck_assert_int_eq(dr_buffer_appendf(&shown, "%s %s:%u;", way, route->upstream_host ? route->upstream_host : "-",
                                           route->upstream_port),
                         0);
    }
    ck_assert_str_eq(dr_buffer_text(&shown), leads[_i].shown);
    ck_assert_msg(scene.config.fault_count == 0, "%s", scene.config.fault_count ? scene.config.faults[0].text : "");
}
END_TEST

/* --- headers ------------------------------------------------------------------------------------------------------------ */

/* First letters of the fates: host upgrade connection forwarded-for proto host real-ip forwarded; then the verdict. */
static const struct {
    const char *text, *fates;
    char upgrade;
} fates[] = {
    { LISTEN(""), "cccccccc", 'p' },
    { LISTEN(" option forwardfor\n"), "cccacccc", 'p' },
    { LISTEN(" option forwardfor if-none\n"), "cccacccc", 'p' },
    { LISTEN(" option forwardfor header X-Real-IP\n"), "ccccccac", 'p' },
    { LISTEN(" option forwardfor except 0.0.0.0/0\n"), "cccccccc", 'p' },
    { LISTEN(" option forwardfor\n http-request del-header X-Forwarded-For\n"), "cccscccc", 'p' },
    { LISTEN(" http-request set-header X-Forwarded-For %[src]\n option forwardfor\n"), "cccscccc", 'p' },
    { LISTEN(" http-request set-src hdr(x-ip)\n http-request set-header X-Forwarded-For %[src]\n"), "cccucccc", 'p' },
    { LISTEN(" http-request add-header X-Forwarded-For %[src]\n"), "cccacccc", 'p' },
    { LISTEN(" http-request set-header X-Real-IP %[req.hdr(CF-Connecting-IP)]\n"), "ccccccuc", 'p' },
    { LISTEN(" http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"), "cccccccc", 'p' },
    { LISTEN(" http-request set-header X-Forwarded-Proto http unless { ssl_fc }\n"), "ccccsccc", 'p' },
    { LISTEN(" http-request set-header X-Real-IP a if { src 10.0.0.0/8 }\n"), "ccccccuc", 'p' },
    { LISTEN(" http-request set-header X-Real-IP a if { path_beg /z }\n http-request set-header X-Real-IP b if !{ path_beg "
             "/z }\n"),
      "ccccccsc", 'p' },
    { LISTEN(" http-request del-header x-forwarded- -m beg\n"), "ccc---cc", 'p' },
    { LISTEN(" http-request set-header Host x\n"), "sccccccc", 'p' },
    { LISTEN(" http-request del-header Upgrade\n"), "c-cccccc", 'd' },
    { LISTEN(" http-request set-header Connection close\n"), "ccsccccc", 'd' },
    { LISTEN(" http-request set-header Connection keep-alive\n"), "cc-ccccc", 'd' },
    { LISTEN(" option httpclose\n http-request del-header Connection\n"), "ccsccccc", 'd' },
    { LISTEN(" option httpclose\n"), "cccccccc", 'p' },
    { LISTEN(" http-request set-header Connection Upgrade if { hdr(upgrade) -i websocket }\n"), "ccsccccc", 'p' },
    { LISTEN(" http-request del-header Upgrade if !{ hdr(upgrade) -i websocket }\n"), "cccccccc", 'p' },
    { LISTEN(" http-request del-header Upgrade if { src 10.0.0.0/8 }\n"), "cucccccc", 'u' },
    { LISTEN(" http-request deny if { hdr(upgrade) -m found }\n"), "cccccccc", 'd' },
    { LISTEN(" http-request deny if { src 10.0.0.0/8 }\n"), "cccccccc", 'p' },
    { LISTEN(" http-response del-header Upgrade\n"), "cccccccc", 'd' },
    { LISTEN(" http-request del-header Sec-WebSocket-Key\n"), "cccccccc", 'd' },
    { LISTEN(" http-request allow\n http-request del-header Upgrade\n"), "cccccccc", 'p' },
    { LISTEN(" default-server proto h2\n"), "c--ccccc", 'd' },
    { LISTEN(" default-server send-proxy\n"), "cccccccc", 'd' },
    { HTTP " mode tcp\nlisten l\n bind :1\n http-request del-header Upgrade\n server s h:1\n", "cccccccc", 'p' },
    { "defaults d\n mode http\n http-request del-header Upgrade\n option forwardfor\nfrontend f from d\n bind :1\n"
      " default_backend b\ndefaults e\n mode http\nbackend b\n server s h:1\n",
      "c-cacccc", 'd' },
    { HTTP
      "frontend f\n bind :1\n option forwardfor\n default_backend b\nbackend b\n http-request del-header X-Forwarded-For\n"
      " server s h:1\n",
      "cccscccc", 'p' },
};

START_TEST(follows_headers)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, fates[_i].text);
    char shown[DR_ROUTE_HEADERS + 1] = "";

    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        shown[i] = "u-csa"[route->headers[i].fate];
    ck_assert_int_eq("upd"[route->upgrade], fates[_i].upgrade);
    ck_assert((route->upgrade == DR_UPGRADE_PASSED) == !route->upgrade_why);
    ck_assert_str_eq(shown, fates[_i].fates);
}
END_TEST

static const struct {
    const char *text;
    int64_t ms;
    unsigned line;
} times[] = {
    { LISTEN(""), 50000, 3 },
    { LISTEN(" timeout server 20000us\n"), 20, 7 },
    { LISTEN(" timeout tunnel 1h\n"), 3600000, 7 },
    { LISTEN(" timeout tunnel 0\n"), 50000, 3 },
    { LISTEN(" http-request set-timeout tunnel 2d\n timeout tunnel 1h\n"), 172800000, 7 },
    { LISTEN(" http-request set-timeout tunnel 2d if { src 1.1.1.1 }\n"), -1, 7 },
    { LISTEN(" timeout client 0\n timeout server 0\n"), 0, 8 },
};

START_TEST(finds_idle_timeouts)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, times[_i].text);

    ck_assert_int_eq(route->idle_timeout_ms, times[_i].ms);
    ck_assert_uint_eq(route->idle_timeout_source.line, times[_i].line);
}
END_TEST

START_TEST(knows_versions_and_paths)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route =
        only_route(&scene, HTTP "frontend f\n bind :443 ssl crt x\n use_backend b if { path_beg /oc }\nbackend b\n"
                                " http-request replace-path /oc(/)?(.*) /\\2\n server s h:1 ssl alpn h2,http/1.1\n");

    ck_assert(route->tls && route->upstream_tls && !route->buffers);
    ck_assert_uint_eq(route->http_version, 0);
    ck_assert_int_eq(route->upgrade, DR_UPGRADE_PASSED);
    ck_assert_str_eq(route->upstream_path, "/");
    release(&scene);
    route = only_route(&scene, LISTEN(" default-server proto h2 ws h1\n"));
    ck_assert_uint_eq(route->http_version, 20);
    ck_assert_uint_eq(route->http_version_source.line, 7);
    ck_assert_int_eq(route->upgrade, DR_UPGRADE_PASSED);
    release(&scene);
    look_at(&scene, HTTP "frontend f\n bind :1\n use_backend w if { hdr(upgrade) -i websocket }\n default_backend b\n"
                         "backend b\n server s 127.0.0.1:1\nbackend w\n server s localhost:1\n");
    ck_assert_uint_eq(scene.config.route_count, 2);
    ck_assert_int_eq(scene.config.routes[1].upgrade, DR_UPGRADE_PASSED);
    ck_assert_ptr_nonnull(scene.config.routes[1].note);
}
END_TEST

/* --- faults ------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    unsigned line;
    bool hides;
} faults[] = {
    { "mode http\n", 1, true },
    { HTTP " acl x path \"a\n", 5, true },
    { HTTP " nosuch x\n", 5, true },
    { "global\n nosuch\n", 2, false },
    { "listen\n bind :1\n", 1, true },
    { "listen a from b\n bind :1\n", 1, true },
    { LISTEN("") "listen l\n", 8, true },
    { HTTP "frontend f\n bind :1\n default_backend x\n", 7, true },
    { HTTP "frontend f\n bind :1\n use_backend x if TRUE\n", 7, true },
    { LISTEN(" http-request deny if nosuch\n"), 7, true },
    { LISTEN(" http-request deny if { src 1.1.1.1\n"), 7, true },
    { LISTEN(" http-request set-header A b c\n"), 7, true },
    { LISTEN(" timeout server 1x\n"), 7, true },
    { LISTEN(" server t\n"), 7, true },
    { LISTEN(" server t h:1 nosuch\n"), 7, true },
    { LISTEN(" bind :1 nosuch\n"), 7, true },
    { LISTEN(" no option forwardfor\n"), 7, true },
    { HTTP " http-request deny\n", 5, true },
    { ".endif\n", 1, true },
    { ".if 1\n.else\n.else\n.endif\n", 3, true },
    { ".if 1\n", 1, true },
    { ".if bad(1)\n.endif\n", 1, true },
    { ".if feature(X)\nlisten l\n.endif\n", 1, true },
    { "global\n.if feature(X)\n maxconn 1\n.endif\n", 2, false },
    { "global\n.alert \"x\"\n", 2, false },
    { "global", 1, false },
};

START_TEST(has_one_fault_for_each_cause)
{
    _cleanup_scene_ struct scene scene;

    look_at(&scene, faults[_i].text);
    ck_assert_uint_eq(scene.config.fault_count, 1);
    ck_assert_uint_eq(scene.config.faults[0].source.line, faults[_i].line);
    ck_assert_uint_ge(scene.config.faults[0].source.column, 1);
    ck_assert_str_eq(scene.config.faults[0].source.path, MEMORY_MAIN);
    ck_assert_int_eq(scene.config.faults[0].hides_routes, faults[_i].hides);
}
END_TEST

static char *repeat(const char *before, const char *piece, size_t times_over, const char *after)
{
    size_t head = strlen(before), length = strlen(piece), tail = strlen(after);
    char *text = malloc(head + length * times_over + tail + 1);

    ck_assert_ptr_nonnull(text);
    memcpy(text, before, head);
    for (size_t i = 0; i < times_over; i++)
        memcpy(text + head + i * length, piece, length);
    memcpy(text + head + times_over * length, after, tail + 1);
    return text;
}

static const struct {
    const char *before, *piece, *after;
    size_t times_over, faults, routes;
} huge[] = {
    { LISTEN("") " acl x path ", "a", "\n", 10 * MEGABYTE, 0, 1 },
    { LISTEN("") " acl x path ", "a ", "\n", 5 * MEGABYTE, 1, 1 },
    { LISTEN("") "#", "a", "\n", 10 * MEGABYTE, 0, 1 },
    { LISTEN("") " acl x path '", "a", "\n", 10 * MEGABYTE, 1, 1 },
    { LISTEN(""), ".if 1\n", "", 1023, 1, 1 },
    { LISTEN("") " http-request deny if ", "{ path / } or ", "FALSE\n", 11, 0, 1 },
    { HTTP "frontend f\n bind :1\n default_backend b\n", " http-request set-header X-Real-IP a if { src 1.1.1.1 }\n",
      "backend b\n server s h:1\n", 20000, 0, 1 },
    { HTTP "listen l\n bind :1\n", " server s h:1\n", "", 5000, 1, DR_PROXY_ROUTES },
};

START_TEST(bears_what_is_huge)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_free_ char *text = repeat(huge[_i].before, huge[_i].piece, huge[_i].times_over, huge[_i].after);
    clock_t begin = clock();

    look_at(&scene, text);
    ck_assert_uint_eq(scene.config.fault_count, huge[_i].faults);
    ck_assert_uint_eq(scene.config.route_count, huge[_i].routes);
    ck_assert_int_lt((clock() - begin) / CLOCKS_PER_SEC, 5);
}
END_TEST

START_TEST(says_that_binary_is_no_text)
{
    _cleanup_scene_ struct scene scene;

    look(&scene, "global\n\0\n", 9);
    ck_assert_uint_eq(scene.config.fault_count, 1);
    ck_assert(scene.config.faults[0].hides_routes);
    ck_assert_uint_eq(scene.config.route_count, 0);
}
END_TEST

/* --- mending ------------------------------------------------------------------------------------------------------------ */

/* The file of the route, edited. NULL: it could not be done. */
static char *mended(struct scene *scene, const struct dr_route *route, unsigned mends, size_t *ret_count)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MEGABYTE);
    struct dr_route_edits edits;
    struct dr_edit list[32];
    const char *why_not = NULL;
    int r = dr_haproxy_format.mend(route, mends, &scene->arena, &edits, &why_not);

    if (r == -ENOTSUP) {
        ck_assert_ptr_nonnull(why_not);
        return NULL;
    }
    ck_assert_int_eq(r, 0);
    ck_assert_uint_le(edits.count, DR_COUNT(list));
    for (size_t i = 0; i < edits.count; i++)
        list[i] = edits.list[i].edit;
    const struct dr_proxy_file *file = scene->config.files[0];

    ck_assert_int_eq(dr_edits_apply(file->bytes, file->length, list, edits.count, &text), 0);
    *ret_count = edits.count;
    return dr_buffer_take(&text);
}

#define PROTO " http-request set-header X-Forwarded-Proto http\n"

static const struct {
    const char *before, *after; /* after NULL: it cannot be done */
    unsigned mends;
} mends[] = {
    { LISTEN(""), LISTEN(" http-request set-header X-Forwarded-For %[src]\n" PROTO), DR_MEND_FORWARD },
    { LISTEN(" option forwardfor\n"), LISTEN(" option forwardfor\n http-request del-header X-Forwarded-For\n" PROTO),
      DR_MEND_FORWARD },
    { LISTEN(" http-request add-header X-Forwarded-For %[src]\n" PROTO),
      LISTEN(" http-request add-header X-Forwarded-For %[src]\n http-request set-header X-Forwarded-For %[src]\n" PROTO),
      DR_MEND_FORWARD },
    { LISTEN(" http-request set-header X-Forwarded-For %[src]\n" PROTO " http-request set-header Host x # why\n"),
      LISTEN(" http-request set-header X-Forwarded-For %[src]\n" PROTO), DR_MEND_FORWARD },
    { LISTEN(" http-request allow if { path / }\n http-request add-header X-Forwarded-For a\n" PROTO),
      LISTEN(" http-request set-header X-Forwarded-For %[src]\n http-request set-header X-Forwarded-Proto http\n"
             " http-request allow if { path / }\n http-request add-header X-Forwarded-For a\n"
             " http-request set-header X-Forwarded-For %[src]\n" PROTO PROTO),
      DR_MEND_FORWARD },
    { HTTP "frontend f\n bind :1\n option forwardfor\n default_backend b\nbackend b\n\tserver s h:1\n",
      HTTP "frontend f\n bind :1\n option forwardfor\n default_backend b\nbackend b\n"
           "\thttp-request del-header X-Forwarded-For\n\thttp-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
           "\thttp-request set-header X-Forwarded-Proto http if !{ ssl_fc }\n\tserver s h:1\n",
      DR_MEND_FORWARD },
    { HTTP " mode tcp\nlisten l\n bind :1\n server s h:1\n", NULL, DR_MEND_FORWARD },
    { LISTEN(""), LISTEN(" timeout tunnel 1h\n"), DR_MEND_TIMEOUT },
    { LISTEN(" timeout tunnel \"10s\" # short\n"), LISTEN(" timeout tunnel 1h # short\n"), DR_MEND_TIMEOUT },
    { LISTEN(" timeout server 2m\n option httplog\n"), LISTEN(" timeout server 2m\n timeout tunnel 1h\n option httplog\n"),
      DR_MEND_TIMEOUT },
    { LISTEN(" http-request set-timeout tunnel 10s\n"), LISTEN(" http-request set-timeout tunnel 1h\n"), DR_MEND_TIMEOUT },
    { HTTP " timeout tunnel 5s\nlisten l\n bind :1\n server s h:1\n",
      HTTP " timeout tunnel 5s\nlisten l\n bind :1\n timeout tunnel 1h\n server s h:1\n", DR_MEND_TIMEOUT },
    { LISTEN(" timeout tunnel 2h\n"), LISTEN(" timeout tunnel 2h\n"), DR_MEND_TIMEOUT },
    { HTTP "listen l\n bind :1\n server s localhost:18789 check\n",
      HTTP "listen l\n bind :1\n server s 127.0.0.1:18789 check\n", DR_MEND_UPSTREAM },
    { HTTP "listen l\n bind :1\n server s \"ipv6@::1:18789\"\n", HTTP "listen l\n bind :1\n server s 127.0.0.1:18789\n",
      DR_MEND_UPSTREAM },
    { HTTP "listen l\n bind :1\n server s [::1]\n", HTTP "listen l\n bind :1\n server s 127.0.0.1\n", DR_MEND_UPSTREAM },
    { HTTP "listen l\n bind :1\n server s h:1  proto h2 check\n", HTTP "listen l\n bind :1\n server s h:1 check\n",
      DR_MEND_UPGRADE },
    { LISTEN(" default-server proto h2\n"),
      HTTP "listen l\n bind :80\n default-server proto h2\n server s 127.0.0.1:18789 proto h1\n", DR_MEND_UPGRADE },
    { HTTP "listen l\n bind :1\n server s h:1 ssl alpn h2 send-proxy\n",
      HTTP "listen l\n bind :1\n server s h:1 ssl alpn http/1.1\n", DR_MEND_UPGRADE },
    { LISTEN(" http-request del-header Upgrade\n http-request set-header Connection close # x\n http-response del-header "
             "upgrade\n"),
      LISTEN(""), DR_MEND_UPGRADE },
    { LISTEN(" http-request del-header Upgrade if !{ hdr(upgrade) -i websocket }\n http-request del-header upgrade\n"),
      LISTEN(" http-request del-header Upgrade if !{ hdr(upgrade) -i websocket }\n"), DR_MEND_UPGRADE },
    { LISTEN(" http-request del-header up -m beg\n"), NULL, DR_MEND_UPGRADE },
    { LISTEN(" http-request deny if { hdr(upgrade) -i websocket }\n"), NULL, DR_MEND_UPGRADE },
    { "defaults d\n mode http\n http-request del-header Upgrade\nlisten l from d\n bind :1\n server s h:1\n", NULL,
      DR_MEND_UPGRADE },
    { HTTP "frontend f\n bind :1\n http-request del-header Upgrade\n use_backend b if { path /x }\n default_backend "
           "b\nbackend b\n"
           " server s h:1\n",
      HTTP "frontend f\n bind :1\n use_backend b if { path /x }\n default_backend b\nbackend b\n server s h:1\n",
      DR_MEND_UPGRADE },
    { HTTP "frontend f\n bind :1\n http-request del-header Upgrade\n use_backend b if { path /x }\n default_backend "
           "c\nbackend b\n"
           " server s h:1\nbackend c\n",
      NULL, DR_MEND_UPGRADE },
    { "defaults\r\n  mode http\r\nlisten l\r\n  bind :1\r\n  timeout client 1s\r\n  server s h:1\r\n",
      "defaults\r\n  mode http\r\nlisten l\r\n  bind :1\r\n  timeout client 1s\r\n  timeout tunnel 1h\r\n  server s h:1\r\n",
      DR_MEND_TIMEOUT },
    { HTTP "listen l\n bind :1\n server s h:1\n timeout client 1s",
      HTTP "listen l\n bind :1\n server s h:1\n timeout client 1s\n timeout tunnel 1h\n", DR_MEND_TIMEOUT },
    { HTTP "listen l\n.if 1\n bind :1\n timeout client 1s\n server s h:1\n.endif\n",
      HTTP "listen l\n timeout tunnel 1h\n.if 1\n bind :1\n timeout client 1s\n server s h:1\n.endif\n", DR_MEND_TIMEOUT },
};

START_TEST(mends_in_place)
{
    _cleanup_scene_ struct scene scene, again;
    size_t count = 0, second = 0;

    look_at(&scene, mends[_i].before);
    _cleanup_free_ char *text = mended(&scene, &scene.config.routes[0], mends[_i].mends, &count);

    look_at(&again, text ? text : "");
    if (!mends[_i].after) {
        ck_assert_ptr_null(text);
        return;
    }
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, mends[_i].after);
    ck_assert_uint_eq(again.config.route_count, scene.config.route_count);
    ck_assert_uint_eq(again.config.fault_count, 0);
    _cleanup_free_ char *twice = mended(&again, &again.config.routes[0], mends[_i].mends, &second);

    ck_assert_ptr_nonnull(twice);
    ck_assert_uint_eq(second, 0);
}
END_TEST

START_TEST(mends_all_at_once)
{
    _cleanup_scene_ struct scene scene;
    size_t count = 0;

    look_at(&scene, HTTP
            "frontend f\n bind :443 ssl crt x\n option forwardfor\n http-request del-header Upgrade\n default_backend b\n"
            "backend b\n server s localhost:18789 proto h2\n");
    _cleanup_free_ char *text = mended(&scene, &scene.config.routes[0], ALL, &count);

    ck_assert_ptr_nonnull(text);
    release(&scene);
    const struct dr_route *route = only_route(&scene, text);

    ck_assert_int_eq(route->upgrade, DR_UPGRADE_PASSED);
    ck_assert_uint_eq(route->http_version, 11);
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_SET);
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_PROTO].fate, DR_HEADER_SET);
    ck_assert_int_eq(route->idle_timeout_ms, 3600000);
    ck_assert_str_eq(route->upstream_host, "127.0.0.1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("haproxy");
    TCase *words = tcase_create("words");
    TCase *routes = tcase_create("routes");
    TCase *bad = tcase_create("bad");
    TCase *edits = tcase_create("edits");

    tcase_add_loop_test(words, cuts_words, 0, (int)DR_COUNT(cuts));
    tcase_add_loop_test(words, evaluates_conditions, 0, (int)DR_COUNT(conditions));
    tcase_add_loop_test(routes, finds_where_routes_lead, 0, (int)DR_COUNT(leads));
    tcase_add_loop_test(routes, follows_headers, 0, (int)DR_COUNT(fates));
    tcase_add_loop_test(routes, finds_idle_timeouts, 0, (int)DR_COUNT(times));
    tcase_add_test(routes, knows_versions_and_paths);
    tcase_add_loop_test(bad, has_one_fault_for_each_cause, 0, (int)DR_COUNT(faults));
    tcase_add_loop_test(bad, bears_what_is_huge, 0, (int)DR_COUNT(huge));
    tcase_add_test(bad, says_that_binary_is_no_text);
    tcase_add_loop_test(edits, mends_in_place, 0, (int)DR_COUNT(mends));
    tcase_add_test(edits, mends_all_at_once);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, routes);
    suite_add_tcase(suite, bad);
    suite_add_tcase(suite, edits);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}
