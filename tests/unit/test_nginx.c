/* src/format/nginx*.h: configurations read as nginx reads them, and mended. tests/proxies/nginx compares with nginx itself. */
#define SCENE_FORMAT dr_nginx_format
#define SCENE_MEGABYTES 192
#include "proxy_scene.h"

#include "format/edit.h"
#include "format/nginx_scope.h"

#include <check.h>
#include <stdio.h>
#include <time.h>

#define IN_LOCATION(text) "http { server { location / { proxy_pass http://127.0.0.1:18789; " text " } } }"

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

/* --- where routes lead -------------------------------------------------------------------------------------------------- */

/* "path|pattern host:port+upstream path" of every route. */
static const struct {
    const char *text, *shown;
} leads[] = {
    { "http { server { location / { proxy_pass http://127.0.0.1:18789; } } }", "/ 127.0.0.1:18789;" },
    { "http { server { location /a/ { proxy_pass https://[::1]/; } } }", "/a/ ::1:443+/;" },
    { "http { server { location = /x { proxy_pass http://h; } } }", "= /x h:80;" },
    { "http { server { location ^~ /x { proxy_pass http://h; } } }", "/x h:80;" },
    { "http { server { location ~* ^/x { proxy_pass http://h; } } }", "~* ^/x h:80;" },
    { "http { server { location ~^/x { proxy_pass http://h; } } }", "~ ^/x h:80;" },
    { "http { server { location @n { proxy_pass http://h; } } }", "@n h:80;" },
    { "http { server { location /a { location /a/b { proxy_pass http://h; } } } }", "/a/b h:80;" },
    { "http { server { location /a { if ($x = y) { proxy_pass http://h; } } } }", "location /a, if ($x = y) h:80;" },
    { "http { server { location /a { limit_except GET { proxy_pass http://h:1; } } } }",
      "location /a, limit_except GET h:1;" },
    { "http { server { location /a { proxy_pass http://unix:/run/s:/b; } } }", "/a -:0+/b;" },
    { "http { upstream U { server a; server b:2 backup; server c:3 down; server unix:/s; include s.conf; }"
      " server { location / { proxy_pass http://u; } } }\n=== s.conf\nserver [::1]:4;\n",
      "/ a:80;/ b:2;/ -:0;/ ::1:4;" },
    { "http { server { set $h 10.0.0.1; location / { set $p 7; proxy_pass http://$h:$p; } } }", "/ 10.0.0.1:7;" },
    { "http { server { set $h a; location / { set $h b; proxy_pass http://$h; } } }", "/ b:80;" },
    { "http { server { location / { set $h b; location /c { proxy_pass http://$h; } } } }", "/c -:0;" },
    { "http { server { location / { set $h a; if ($arg_x) { set $h b; } proxy_pass http://$h; } } }", "/ -:0;" },
    { "http { map $arg_x $h { a one:1; default two:2; } server { location / { proxy_pass http://$h; } } }",
      "/ one:1;/ two:2;" },
    { "http { server { location / { proxy_pass http://$host:18789; } } }", "/ -:18789;" },
    { "http { server { listen 1 ssl; location / { proxy_pass $scheme://h; } } }", "/ h:443;" },
    { "http { server { location /o/ { rewrite ^/o/(.*)$ /$1 break; proxy_pass http://h; } } }", "/o/ h:80+/;" },
    /* Nginx Proxy Manager writes it like this. */
    { "http { server { set $scheme_ http; set $server \"127.0.0.1\"; set $port 18789; location / { include p; } } }\n"
      "=== p\nproxy_pass $scheme_://$server:$port$request_uri;\n",
      "/ 127.0.0.1:18789;" },
    { "http { server { location / { proxy_pass http://h:1/sub$request_uri; } } }", "/ h:1+/sub${request_uri};" },
    { "http { server { location / { fastcgi_pass h:1; } location /g { grpc_pass grpc://h; } } }", "" },
    { "stream { upstream s { server a:1; server b:2; } server { listen 1; proxy_pass s; } }", "/ a:1;/ b:2;" },
    { "stream { server { listen 1; proxy_pass 127.0.0.1:18789; } }", "/ 127.0.0.1:18789;" },
    { "server { location / { proxy_pass http://h; } }", "/ h:80;" },
    { "http { include sites/*.conf; }\n=== sites/b.conf\nserver { location /b { proxy_pass http://b; } }\n"
      "=== sites/a.conf\nserver { location /a { include pass.conf; } }\n=== pass.conf\nproxy_pass http://a;\n",
      "/a a:80;/b b:80;" },
    { "http { server { location / { content_by_lua_block { s = '}' -- }\n t = {[[}]]} } } "
      "location /a { proxy_pass http://a; } } }",
      "/a a:80;" },
};

START_TEST(finds_where_routes_lead)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buffer_ struct dr_buffer shown = DR_BUFFER(MEGABYTE);

    look_at(&scene, leads[_i].text);
    for (size_t i = 0; i < scene.config.route_count; i++) {
        const struct dr_route *route = &scene.config.routes[i];

        ck_assert_int_eq(dr_buffer_appendf(&shown, "%s %s:%u%s%s;", route->path ? route->path : route->pattern,
                                           route->upstream_host ? route->upstream_host : "-", route->upstream_port,
                                           route->upstream_path ? "+" : "",
                                           route->upstream_path ? route->upstream_path : ""),
                         0);
    }
    ck_assert_str_eq(dr_buffer_text(&shown), leads[_i].shown);
    ck_assert_uint_eq(scene.config.fault_count, 0);
}
END_TEST

static const struct {
    const char *server, *shown;
} entrances[] = {
    { "", "0.0.0.0:80" },
    { "listen 8080; listen [::]:8080 ipv6only=on; server_name a.example *.b \"\" _;",
      "0.0.0.0:8080 [::]:8080 = a.example *.b" },
    { "listen *:443 ssl; listen 127.0.0.1; listen [::1]; listen unix:/run/s;",
      "0.0.0.0:443 127.0.0.1:80 [::1]:80 unix:/run/s tls" },
    { "listen localhost:81; ssl on;", "localhost:81 tls" },
};

START_TEST(finds_how_clients_come_in)
{
    _cleanup_scene_ struct scene scene;
    char text[512], shown[512] = "";
    size_t at = 0;

    (void)snprintf(text, sizeof(text), "http { server { %s location / { proxy_pass http://h; } } }", entrances[_i].server);

    const struct dr_route *route = only_route(&scene, text);

    for (size_t i = 0; route->listens[i]; i++)
        at += (size_t)snprintf(shown + at, sizeof(shown) - at, "%s%s", i ? " " : "", route->listens[i]);
    for (size_t i = 0; route->names[i]; i++)
        at += (size_t)snprintf(shown + at, sizeof(shown) - at, "%s %s", i ? "" : " =", route->names[i]);
    (void)snprintf(shown + at, sizeof(shown) - at, "%s", route->tls ? " tls" : "");
    ck_assert_str_eq(shown, entrances[_i].shown);
}
END_TEST

/* --- what the gateway sees ------------------------------------------------------------------------------------------------ */

/* Fates in the order of enum dr_route_header_name: ? unknown, - absent, c client's, s set, a appended. */
static const struct {
    const char *text, *fates;
} fates[] = {
    { IN_LOCATION(""), "s-sccccc" },
    { IN_LOCATION("proxy_pass_request_headers off;"), "s-s-----" },
    { IN_LOCATION("include p;") "\n=== p\nproxy_set_header Host $http_host;\nproxy_set_header X-Real-IP $remote_addr;\n"
                                "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
                                "proxy_set_header X-Forwarded-Proto $scheme;\n",
      "c-sascsc" },
    { IN_LOCATION("proxy_set_header x-forwarded-for \"\"; proxy_set_header X-Real-IP 10.0.0.1;"), "s-s-ccsc" },
    { IN_LOCATION("proxy_set_header X-Forwarded-For $http_x_forwarded_for;"), "s-sccccc" },
    { IN_LOCATION("proxy_set_header X-Forwarded-For \"$remote_addr, ${http_x_forwarded_for}\";"), "s-sacccc" },
    { IN_LOCATION("proxy_set_header X-Forwarded-For $http_cf_connecting_ip;"), "s-s?cccc" },
    { IN_LOCATION("proxy_set_header Host $host:$server_port; proxy_set_header X-Forwarded-Host $host;"), "c-sccscc" },
    { IN_LOCATION("proxy_set_header Host gateway; proxy_set_header Upgrade $http_upgrade;"), "scsccccc" },
    { IN_LOCATION("proxy_set_header Forwarded for=$remote_addr; proxy_set_header X-Real-IP $unknown;"), "s-sccc?s" },
    { "http { proxy_set_header X-Real-IP $remote_addr; server { proxy_set_header Host $host; location / {"
      " proxy_pass http://h; } } }",
      "c-sccccc" },
    { "http { proxy_set_header X-Real-IP $remote_addr; server { location / { if ($x) { proxy_pass http://h; } } } }",
      "s-scccsc" },
    { "http { map $http_x_forwarded_proto $p { default $http_x_forwarded_proto; '' $scheme; } server { location / {"
      " proxy_set_header X-Forwarded-Proto $p; proxy_pass http://h; } } }",
      "s-sccccc" },
    { "http { map $arg_x $p { default $http_x_real_ip; a $remote_addr; } server { location / {"
      " proxy_set_header X-Real-IP $p; proxy_pass http://h; } } }",
      "s-sccc?c" },
    { "http { set_real_ip_from 10.0.0.0/8; server { location / { proxy_set_header X-Real-IP $remote_addr;"
      " proxy_pass http://h; } } }",
      "s-scccsc" },
    { "http { set_real_ip_from 0.0.0.0/0; server { location / { proxy_set_header X-Real-IP $remote_addr;"
      " proxy_pass http://h; } } }",
      "s-sccc?c" },
    { "http { server { location / { access_by_lua_block { ngx.req.set_header('X-Real-IP', '1') } proxy_pass http://h; } } }",
      "s-s?????" },
    { "stream { server { listen 1; proxy_pass h:1; } }", "cccccccc" },
};

/* For each route: "*" when it takes any name, then each address: "s" with TLS, "p" behind a PROXY line. */
static const struct {
    const char *text, *shown;
} ways_in[] = {
    { "http { server { listen 80; server_name a; LOC } }", "*-;" },
    { "http { server { listen 80; server_name a; LOC } server { listen 80; server_name b; LOC } }", "*-;-;" },
    { "http { server { listen 80; server_name a; LOC } server { listen 80 default_server; server_name b; LOC } }", "-;*-;" },
    { "http { server { listen 80; server_name a; LOC } server { listen 127.0.0.1:80; server_name b; LOC } }", "*-;*-;" },
    { "http { server { listen 80; listen 443 ssl; server_name a; LOC } server { listen 443 ssl; server_name b; LOC } }",
      "*-s;s;" },
    { "http { server { listen 80; LOC } }", "-;" },
    { "http { server { listen 8080 proxy_protocol; listen 8443 ssl proxy_protocol; server_name a; LOC } }", "*pps;" },
};

START_TEST(tells_entrances_apart)
{
    _cleanup_scene_ struct scene scene = { .arena = { 0 } };
    char text[1024] = "", shown[128] = "";
    const char *from = ways_in[_i].text;

    for (const char *at; (at = strstr(from, "LOC")); from = at + 3) {
        strncat(text, from, (size_t)(at - from));
        strcat(text, "location / { proxy_pass http://127.0.0.1:18789; }");
    }
    strcat(text, from);
    look_at(&scene, text);
    for (size_t i = 0; i < scene.config.route_count; i++) {
        const struct dr_route *route = &scene.config.routes[i];

        strcat(shown, route->any_name ? "*" : "");
        for (size_t j = 0; route->listens[j]; j++) {
            const struct dr_listen_traits *traits = &route->listen_traits[j];

            strcat(shown, traits->proxy_protocol ? "p" : "");
            strcat(shown, traits->tls ? "s" : traits->proxy_protocol ? "" : "-");
        }
        strcat(shown, ";");
    }
    ck_assert_str_eq(shown, ways_in[_i].shown);
}
END_TEST

START_TEST(tells_what_becomes_of_headers)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, fates[_i].text);
    char shown[DR_ROUTE_HEADERS + 1] = "";

    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        shown[i] = "?-csa"[route->headers[i].fate];
    ck_assert_str_eq(shown, fates[_i].fates);
}
END_TEST

#define SHAKES "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "

static const struct {
    const char *text;
    enum dr_upgrade upgrade;
    unsigned line; /* of what drops it */
} upgrades[] = {
    { IN_LOCATION(""), DR_UPGRADE_DROPPED, 0 },
    { IN_LOCATION(SHAKES "proxy_set_header Connection upgrade;"), DR_UPGRADE_PASSED, 0 },
    { IN_LOCATION(SHAKES "proxy_set_header Connection \"keep-alive, Upgrade\";"), DR_UPGRADE_PASSED, 0 },
    { IN_LOCATION(SHAKES "proxy_set_header Connection $http_connection;"), DR_UPGRADE_PASSED, 0 },
    { IN_LOCATION(SHAKES), DR_UPGRADE_DROPPED, 0 },
    { IN_LOCATION(SHAKES "\nproxy_set_header Connection \"\";"), DR_UPGRADE_DROPPED, 2 },
    { IN_LOCATION(SHAKES "\nproxy_set_header Connection $some;"), DR_UPGRADE_UNKNOWN, 2 },
    { IN_LOCATION(SHAKES "proxy_set_header Connection upgrade;\nproxy_pass_request_headers off;"), DR_UPGRADE_DROPPED, 2 },
    { IN_LOCATION("\nproxy_http_version 1.0; proxy_set_header Upgrade $http_upgrade;"), DR_UPGRADE_DROPPED, 2 },
    { IN_LOCATION("\nproxy_http_version 2; proxy_set_header Upgrade websocket;"), DR_UPGRADE_DROPPED, 2 },
    { IN_LOCATION("proxy_http_version 1.1; proxy_set_header Connection upgrade;"), DR_UPGRADE_DROPPED, 0 },
    { IN_LOCATION(SHAKES "set $c close; if ($http_upgrade) { set $c upgrade; } proxy_set_header Connection $c;"),
      DR_UPGRADE_PASSED, 0 },
    { IN_LOCATION(SHAKES
                  "set $c close; if ( $http_upgrade != websocket ) { set $c upgrade; } proxy_set_header Connection $c;"),
      DR_UPGRADE_DROPPED, 1 },
    { IN_LOCATION(SHAKES "set $c close; if ($arg_x) { set $c upgrade; } proxy_set_header Connection $c;"),
      DR_UPGRADE_UNKNOWN, 1 },
    { "http { map $http_upgrade $c { default upgrade; '' close; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_PASSED, 0 },
    { "http { map $http_upgrade $c { '' close; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_DROPPED, 1 },
    { "http { map $http_upgrade $c { ~*WebSocket$ upgrade; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_PASSED, 0 },
    { "http { map $http_upgrade $c { ~*(web|sub)socket upgrade; default close; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_UNKNOWN, 1 },
    { "http { map $http_upgrade $c { hostnames; .websocket.org x; default upgrade; '' close; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_UNKNOWN, 1 },
    { "http { map $http_upgrade $c { default upgrade; \\default close; hostnames; volatile; } server { " SHAKES
      "proxy_set_header Connection $c; location / { proxy_pass http://h; } } }",
      DR_UPGRADE_PASSED, 0 },
    /* The classic: one proxy_set_header in the location drops those of the server. */
    { "http { server { " SHAKES "proxy_set_header Connection upgrade; location / {\nproxy_set_header Host $host;"
      " proxy_pass http://h; } } }",
      DR_UPGRADE_DROPPED, 2 },
    { "stream { server { listen 1; proxy_pass h:1; } }", DR_UPGRADE_PASSED, 0 },
};

START_TEST(tells_whether_a_handshake_passes)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, upgrades[_i].text);

    ck_assert_int_eq(route->upgrade, upgrades[_i].upgrade);
    ck_assert_uint_eq(route->upgrade_source.line, upgrades[_i].line);
    ck_assert(route->upgrade == DR_UPGRADE_PASSED || route->upgrade_why);
}
END_TEST

static const struct {
    const char *text;
    int64_t ms;
} times[] = {
    { "60s", 60000 },    { "90", 90000 },       { "1h30m", 5400000 }, { "1h 30m", 5400000 },  { "500ms", 500 },
    { "7d", 604800000 }, { "1y", 31536000000 }, { "1M", 2592000000 }, { "2w", 1209600000 },   { "", -1 },
    { "x", -1 },         { "5q", -1 },          { "-1", -1 },         { "99999999999s", -1 }, { "1m30", 90000 },
};

START_TEST(reads_times)
{
    ck_assert_int_eq(dr_nginx_time(times[_i].text), times[_i].ms);
}
END_TEST

START_TEST(inherits_single_directives_one_by_one)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route =
        only_route(&scene, "http { proxy_read_timeout 5m; proxy_buffering off;\nserver { proxy_http_version 1.1;\n"
                           "location / { proxy_read_timeout 1h;\nproxy_pass http://h; } } }");

    ck_assert_int_eq(route->idle_timeout_ms, 3600000);
    ck_assert_uint_eq(route->idle_timeout_source.line, 3);
    ck_assert_uint_eq(route->idle_timeout_source.column, 14);
    ck_assert_uint_eq(route->http_version, 11);
    ck_assert_uint_eq(route->http_version_source.line, 2);
    ck_assert(!route->buffers);
    ck_assert_uint_eq(route->source.line, 4);
    ck_assert_str_eq(route->source.path, MEMORY_MAIN);
}
END_TEST

START_TEST(notes_what_else_decides_who_the_client_is)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route =
        only_route(&scene, "stream { server { listen 1; proxy_pass h:1; proxy_protocol on; proxy_timeout 1h; } }");

    ck_assert_ptr_nonnull(strstr(route->note, "proxy_protocol"));
    ck_assert_int_eq(route->idle_timeout_ms, 3600000);
}
END_TEST

/* --- bad input ------------------------------------------------------------------------------------------------------------ */

/* Exactly one fault, its line, and how many routes are found all the same. */
static const struct {
    const char *text;
    unsigned line;
    const char *words;
    size_t routes;
} faults[] = {
    { "http {\n server {\n location / { proxy_pass http://h; }\n", 4, "opened at line 2", 1 },
    { "http {\n} }\n", 2, "unexpected '}'", 0 },
    { "events {}\n;", 2, "unexpected ';'", 0 },
    { "a \"b\"c;", 1, "unexpected 'c' behind a quoted word", 0 },
    { "http {\n server_name \"x;\n}\n", 4, "the file ends", 0 },
    { "http {\n server {\n listen 80\n location / { proxy_pass http://h; } } }", 4, "';' is missing behind \"listen\"", 0 },
    { "http { map $a $b {\n c { d e; } } }", 2, "unexpected '{'", 0 },
    { "http { server;\n }", 1, "has no '{'", 0 },
    { "http { server { location / { if ($a) {\nproxy_set_header A b; } } } }", 2, "not allowed in \"if\"", 0 },
    { "http { server { location / {\nproxy_set_header A; } } }", 2, "has 1 arguments", 0 },
    { "include a.conf;\nhttp { server { location / { proxy_pass http://h; } } }\n=== a.conf\n\ninclude main.conf;\n", 2,
      "loop", 1 },
    { "\ninclude no.conf;\nhttp { server { location / { proxy_pass http://h; } } }", 2, "no.conf could not be read", 1 },
    { "include a.conf;\nhttp { server { location / { proxy_pass http://h; } } }\n=== a.conf\nx y\n", 2, "the file ends", 1 },
    { "\xef\xbb\xbfhttp { server { location / { proxy_pass http://h; } } }", 1, "byte order mark", 1 },
    { "http { access_by_lua_block {\n '}'\n", 3, "Lua", 0 },
};

START_TEST(makes_one_fault_of_one_cause)
{
    _cleanup_scene_ struct scene scene;

    look_at(&scene, faults[_i].text);
    ck_assert_uint_eq(scene.config.fault_count, 1);

    const struct dr_proxy_fault *fault = &scene.config.faults[0];

    ck_assert_msg(strstr(fault->text, faults[_i].words) != NULL, "%s", fault->text);
    ck_assert_uint_eq(fault->source.line, faults[_i].line);
    ck_assert(fault->hides_routes);
    ck_assert_uint_eq(scene.config.route_count, faults[_i].routes);
}
END_TEST

/* 10 MB in one line: `unit` again and again. One fault, and quickly. */
static const char *const floods[] = { "x",          "a b; ", "a{", "a{b c;}", "\"", "# ", "$", "\\", "include main.conf; ",
                                      "set $a $a; " };

START_TEST(bears_ten_megabytes_of_one_line)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_free_ char *text = malloc(10 * MEGABYTE);
    const char *unit = floods[_i];
    size_t length = strlen(unit);
    struct timespec begin, end;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < 10 * MEGABYTE; i++)
        text[i] = unit[i % length];
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    look(&scene, text, 10 * MEGABYTE);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    ck_assert_uint_ge(scene.config.fault_count, 1);
    ck_assert_uint_le(scene.config.fault_count, strstr(unit, "include") ? DR_PROXY_FAULTS : 1);
    ck_assert_uint_eq(scene.config.faults[0].source.line, 1);
    ck_assert_int_lt(end.tv_sec - begin.tv_sec, 5);
}
END_TEST

START_TEST(bears_a_binary_file)
{
    _cleanup_scene_ struct scene scene;
    static const char text[] = "http {\0 }";

    look(&scene, text, sizeof(text) - 1);
    ck_assert_uint_eq(scene.config.fault_count, 1);
    ck_assert_ptr_nonnull(strstr(scene.config.faults[0].text, "NUL"));
    ck_assert_str_eq(scene.config.faults[0].source.path, MEMORY_MAIN);
}
END_TEST

START_TEST(bears_many_routes)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(10 * MEGABYTE);
    int r = dr_buffer_append_text(&text, "http { ");

    for (int i = 0; i < 10000; i++)
        r |= dr_buffer_appendf(&text, "server { listen %d; location / { proxy_pass http://h:%d; } } ", i, i);
    r |= dr_buffer_append_text(&text, "}");
    ck_assert_int_eq(r, 0);
    look_at(&scene, dr_buffer_text(&text));
    ck_assert_uint_eq(scene.config.route_count, DR_PROXY_ROUTES);
    ck_assert_uint_ge(scene.config.fault_count, 1);
}
END_TEST

/* --- mending -------------------------------------------------------------------------------------------------------------- */

/* The files after mending the first route, as one text. */
static const struct {
    unsigned mends;
    const char *text, *mended;
} mended[] = {
    { DR_MEND_UPGRADE, IN_LOCATION(""),
      "http { server { location / { proxy_pass http://127.0.0.1:18789; proxy_http_version 1.1;"
      " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";  } } }" },
    { DR_MEND_UPGRADE, "http {\n\tserver {\n\t\tlocation / {\n\t\t\tproxy_pass http://h; # the gateway\n\t\t}\n\t}\n}\n",
      "http {\n\tserver {\n\t\tlocation / {\n\t\t\tproxy_pass http://h; # the gateway\n\t\t\tproxy_http_version 1.1;\n"
      "\t\t\tproxy_set_header Upgrade $http_upgrade;\n\t\t\tproxy_set_header Connection \"upgrade\";\n\t\t}\n\t}\n}\n" },
    { DR_MEND_TIMEOUT, "http { server { location / {\r\n  proxy_pass http://h;\r\n} } }",
      "http { server { location / {\r\n  proxy_pass http://h;\r\n  proxy_read_timeout 3600s;\r\n"
      "  proxy_send_timeout 3600s;\r\n} } }" },
    /* What the server gave must be said again, or it is lost. */
    { DR_MEND_UPGRADE,
      "http { server { proxy_set_header Host \"$host\"; proxy_set_header Connection close;\nlocation / {\n"
      "    proxy_pass http://h;\n} } }",
      "http { server { proxy_set_header Host \"$host\"; proxy_set_header Connection close;\nlocation / {\n"
      "    proxy_pass http://h;\n    proxy_http_version 1.1;\n    proxy_set_header Host \"$host\";\n"
      "    proxy_set_header Connection \"upgrade\";\n    proxy_set_header Upgrade $http_upgrade;\n} } }" },
    { DR_MEND_UPGRADE,
      "http { map $http_upgrade $cu { default upgrade; '' close; } server { location / { proxy_http_version 1.0;"
      " proxy_set_header Connection ''; proxy_set_header Upgrade $http_upgrade; proxy_pass http://h; } } }",
      "http { map $http_upgrade $cu { default upgrade; '' close; } server { location / { proxy_http_version 1.1;"
      " proxy_set_header Connection $cu; proxy_set_header Upgrade $http_upgrade; proxy_pass http://h; } } }" },
    /* An included file may belong to others: it gives way to a copy of what it brought. */
    { DR_MEND_FORWARD,
      "http { server { location / {\n    include params;\n    proxy_pass http://h;\n} } }\n"
      "=== params\n# shared\nproxy_set_header Host $host;\nproxy_set_header X-Real-IP \"$proxy_add_x_forwarded_for\";\n"
      "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n",
      "http { server { location / {\n    proxy_set_header Host $host;\n    proxy_set_header X-Real-IP $remote_addr;\n"
      "    proxy_set_header X-Forwarded-For $remote_addr;\n    proxy_pass http://h;\n"
      "    proxy_set_header X-Forwarded-Proto $scheme;\n} } }\n"
      "=== params\n# shared\nproxy_set_header Host $host;\nproxy_set_header X-Real-IP \"$proxy_add_x_forwarded_for\";\n"
      "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n" },
    { DR_MEND_FORWARD, "http { set_real_ip_from ::/0; server { location / { proxy_pass http://h; } } }",
      "http { set_real_ip_from ::/0; server { location / { proxy_pass http://h; proxy_set_header Host $host;"
      " proxy_set_header X-Forwarded-For $realip_remote_addr; proxy_set_header X-Forwarded-Proto $scheme; } } }" },
    /* Two of one name: the second goes. */
    { DR_MEND_UPGRADE,
      "http { server { location / {\n  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;\n"
      "  proxy_set_header Connection close;\n  proxy_set_header Connection '';\n  proxy_pass http://h;\n} } }",
      "http { server { location / {\n  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;\n"
      "  proxy_set_header Connection \"upgrade\";\n  proxy_pass http://h;\n} } }" },
    { DR_MEND_UPSTREAM, "http { server { location / { proxy_pass \"http://[::1]:18789/\"; } } }",
      "http { server { location / { proxy_pass \"http://127.0.0.1:18789/\"; } } }" },
    { DR_MEND_UPSTREAM,
      "http { upstream localhost { server localhost:1 weight=2; } server { location / { proxy_pass http://localhost; } } }",
      "http { upstream localhost { server 127.0.0.1:1 weight=2; } server { location / { proxy_pass http://localhost; } } "
      "}" },
    /* No proxy_set_header in an `if`: it goes into the location. */
    { DR_MEND_BUFFERING | DR_MEND_TIMEOUT,
      "http { server { location / {\n    if ($http_upgrade) {\n        proxy_pass http://h;\n    }\n} } }",
      "http { server { location / {\n    proxy_read_timeout 3600s;\n    proxy_send_timeout 3600s;\n    proxy_buffering "
      "off;\n"
      "    if ($http_upgrade) {\n        proxy_pass http://h;\n    }\n} } }" },
    { DR_MEND_TIMEOUT, "stream { server { listen 1; proxy_pass h:1; } }",
      "stream { server { listen 1; proxy_pass h:1; proxy_timeout 3600s; } }" },
    { DR_MEND_UPGRADE | DR_MEND_BUFFERING, "stream { server { listen 1; proxy_pass h:1; } }",
      "stream { server { listen 1; proxy_pass h:1; } }" },
    { DR_MEND_TIMEOUT, IN_LOCATION("proxy_read_timeout 2h; proxy_send_timeout 1d;"),
      "http { server { location / { proxy_pass http://127.0.0.1:18789; proxy_read_timeout 2h; proxy_send_timeout 1d; } } "
      "}" },
};

static void edit_files(const struct scene *scene, const struct dr_route_edits *edits, struct dr_buffer *text)
{
    int r = 0;

    for (size_t i = 0; i < scene->memory.count; i++) {
        const struct dr_proxy_file *file = &scene->memory.files[i];
        struct dr_edit list[32];
        size_t count = 0;

        for (size_t j = 0; j < edits->count; j++)
            if (edits->list[j].file == file)
                list[count++] = edits->list[j].edit;
        if (i > 0)
            r |= dr_buffer_appendf(text, "=== %s\n", file->path + strlen(MEMORY_FOLDER));
        r |= dr_edits_apply(file->bytes, file->length, list, count, text);
    }
    ck_assert_int_eq(r, 0);
}

START_TEST(mends_in_the_style_of_the_file)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_scene_ struct scene again;
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MEGABYTE);
    struct dr_route_edits edits;
    const char *why_not;

    look_at(&scene, mended[_i].text);
    ck_assert_int_eq(dr_nginx_format.mend(&scene.config.routes[0], mended[_i].mends, &scene.arena, &edits, &why_not), 0);
    edit_files(&scene, &edits, &text);
    ck_assert_str_eq(dr_buffer_text(&text), mended[_i].mended);
    look_at(&again, dr_buffer_text(&text));
    ck_assert_uint_eq(again.config.fault_count, 0);
    ck_assert_int_eq(dr_nginx_format.mend(&again.config.routes[0], mended[_i].mends, &again.arena, &edits, &why_not), 0);
    ck_assert_uint_eq(edits.count, 0);
}
END_TEST

static const struct {
    unsigned mends;
    const char *text, *words;
} refusals[] = {
    { DR_MEND_FORWARD, "stream { server { listen 1; proxy_pass h:1; } }", "stream" },
    { DR_MEND_UPSTREAM, "http { server { location / { set $h localhost:1; proxy_pass http://$h; } } }", "variable" },
    { DR_MEND_TIMEOUT, "http { server { location / { proxy_pass http://h;", "closing" },
    { DR_MEND_UPGRADE,
      "http { server { proxy_set_header A a; include l; } server { proxy_set_header B b; include l; } }\n"
      "=== l\nlocation / { proxy_pass http://h; }\n",
      "several servers" },
};

START_TEST(says_why_it_cannot_mend)
{
    _cleanup_scene_ struct scene scene;
    struct dr_route_edits edits;
    const char *why_not;

    look_at(&scene, refusals[_i].text);
    ck_assert_int_eq(dr_nginx_format.mend(&scene.config.routes[0], refusals[_i].mends, &scene.arena, &edits, &why_not),
                     -ENOTSUP);
    ck_assert_msg(strstr(why_not, refusals[_i].words) != NULL, "%s", why_not);
    ck_assert_uint_eq(edits.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nginx");
    TCase *reading = tcase_create("reading");
    TCase *bad = tcase_create("bad");
    TCase *mending = tcase_create("mending");

    tcase_add_loop_test(reading, finds_where_routes_lead, 0, (int)DR_COUNT(leads));
    tcase_add_loop_test(reading, finds_how_clients_come_in, 0, (int)DR_COUNT(entrances));
    tcase_add_loop_test(reading, tells_entrances_apart, 0, (int)DR_COUNT(ways_in));
    tcase_add_loop_test(reading, tells_what_becomes_of_headers, 0, (int)DR_COUNT(fates));
    tcase_add_loop_test(reading, tells_whether_a_handshake_passes, 0, (int)DR_COUNT(upgrades));
    tcase_add_loop_test(reading, reads_times, 0, (int)DR_COUNT(times));
    tcase_add_test(reading, inherits_single_directives_one_by_one);
    tcase_add_test(reading, notes_what_else_decides_who_the_client_is);
    tcase_add_loop_test(bad, makes_one_fault_of_one_cause, 0, (int)DR_COUNT(faults));
    tcase_add_loop_test(bad, bears_ten_megabytes_of_one_line, 0, (int)DR_COUNT(floods));
    tcase_add_test(bad, bears_a_binary_file);
    tcase_add_test(bad, bears_many_routes);
    tcase_add_loop_test(mending, mends_in_the_style_of_the_file, 0, (int)DR_COUNT(mended));
    tcase_add_loop_test(mending, says_why_it_cannot_mend, 0, (int)DR_COUNT(refusals));
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, bad);
    suite_add_tcase(suite, mending);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
