/* src/format/apache.c: httpd's configuration as httpd reads it. What a running httpd makes of the same is in tests/proxies/apache. */
#include "format/edit.h"
#include "format/proxy_reader.h"

#include "base/buffer.h"

#include <check.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#define MEGABYTE ((size_t)1 << 20)

/* --- files in memory ------------------------------------------------------------------------------------------------------ */

struct shelf {
    struct dr_arena arena;
    struct dr_proxy_file files[16];
    size_t count;
};

#define SHELF                             \
    {                                     \
        .arena = DR_ARENA(256 * MEGABYTE) \
    }

static void put(struct shelf *shelf, const char *path, const char *text)
{
    ck_assert(shelf->count < DR_COUNT(shelf->files));
    shelf->files[shelf->count++] = (struct dr_proxy_file){ .path = path, .bytes = text, .length = strlen(text) };
}

static int load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    struct shelf *shelf = user;

    for (size_t i = 0; i < shelf->count; i++) {
        if (strcmp(shelf->files[i].path, path) == 0) {
            *ret_file = &shelf->files[i];
            return 0;
        }
    }
    return strcmp(path, "/etc/apache2/folder") == 0 ? -EINVAL : -ENOENT;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int expand(void *user, const char *pattern, const char *const **ret_paths)
{
    struct shelf *shelf = user;
    const char **paths = dr_arena_alloc(&shelf->arena, (shelf->count * 8 + 1) * sizeof(*paths));
    size_t count = 0;

    for (size_t i = 0; i < shelf->count; i++) {
        /* Folders are what lies in front of a slash. */
        for (const char *end = strchr(shelf->files[i].path + 1, '/');; end = strchr(end + 1, '/')) {
            const char *path = shelf->files[i].path;
            bool known = false;

            path = dr_arena_strndup(&shelf->arena, path, end ? (size_t)(end - path) : strlen(path));
            for (size_t j = 0; j < count; j++)
                known |= strcmp(paths[j], path) == 0;
            if (!known && fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
                paths[count++] = path;
            if (!end)
                break;
        }
    }
    qsort(paths, count, sizeof(*paths), compare);
    *ret_paths = paths;
    return 0;
}

static const char *environment(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "PORT") == 0 ? "18789" : NULL;
}

static struct dr_proxy_config *read_shelf(struct shelf *shelf)
{
    const struct dr_proxy_loader loader = {
        .arena = &shelf->arena, .user = shelf, .load = load, .expand = expand, .environment = environment
    };
    struct dr_proxy_config *config = dr_arena_alloc(&shelf->arena, sizeof(*config));

    ck_assert_int_eq(dr_apache_format.read(&loader, "/etc/apache2/apache2.conf", NULL, config), 0);
    return config;
}

/* --- routes ----------------------------------------------------------------------------------------------------------------- */

static const char fates[] = "?-cs+"; /* unknown, absent, the client's, set, appended */
static const char upgrades[] = "?yn";

static const char *host_of(const struct dr_route *route)
{
    return route->upstream_host ? route->upstream_host : "-";
}

/* "name path>host:port[path] 11y60 Host,For,Proto" for every route, with the faults behind them. */
static void show(const struct dr_proxy_config *config, struct dr_buffer *out)
{
    for (size_t i = 0; i < config->route_count; i++) {
        const struct dr_route *route = &config->routes[i];
        const struct dr_route_header *headers = route->headers;

        ck_assert_int_eq(dr_buffer_appendf(out, "%s%s%s%s>%s:%u%s%s %u%c%d %c%c%c", i ? "; " : "",
                                           route->names && route->names[0] ? route->names[0] : "",
                                           route->path ? route->path : "~", route->pattern ? route->pattern : "",
                                           host_of(route), route->upstream_port, route->upstream_path ? "=" : "",
                                           route->upstream_path ? route->upstream_path : "", route->http_version,
                                           upgrades[route->upgrade], (int)(route->idle_timeout_ms / 1000),
                                           fates[headers[DR_ROUTE_HOST].fate], fates[headers[DR_ROUTE_FORWARDED_FOR].fate],
                                           fates[headers[DR_ROUTE_FORWARDED_PROTO].fate]),
                         0);
    }
    for (size_t i = 0; i < config->fault_count; i++)
        ck_assert_int_eq(dr_buffer_appendf(out, "!%u:%u", config->faults[i].source.line, config->faults[i].source.column),
                         0);
}

#define PP "ProxyPass / http://127.0.0.1:1/"
#define UP "ProxyPass / http://127.0.0.1:1/ upgrade=websocket"
#define WS_RULE "RewriteEngine on\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n"

static const struct {
    const char *text;
    const char *shown;
} rows[] = {
    { PP, "/>127.0.0.1:1 11n60 s+c" },
    { UP, "/>127.0.0.1:1 11y60 s+c" },
    /* lines and words */
    { "proxypass \\\n  / \\\r\n 'http://127.0.0.1:1/'  upgrade=websocket  \t\r\n", "/>127.0.0.1:1 11y60 s+c" },
    { "# " PP " \\\n" PP "\nProxyPass \"/a\\\"b/\" http://127.0.0.1:2/", "/a\"b/>127.0.0.1:2=/ 11n60 s+c" },
    { "ProxyPass / http://127.0.0.1:1/ # no comment", "/>127.0.0.1:1 11n60 s+c" },
    { "\\\n\\\n" PP "\\", "/>127.0.0.1:1=/\\ 11n60 s+c" },
    /* variables */
    { "Define X /a/\nDefine x /b/\nProxyPass ${X} http://127.0.0.1:${PORT}/", "/b/>127.0.0.1:18789=/ 11n60 s+c" },
    { "Define P \"/ http://127.0.0.1:1/ upgrade=websocket\"\nProxyPass ${P}", "/>127.0.0.1:1 11y60 s+c" },
    { "ProxyPass / http://${late}:1/\nDefine late h", "/>-:0 11n60 s+c" },
    /* conditions */
    { "<IfModule mod_proxy.c>\n" PP "\n</IfModule>\n<IfModule !proxy_module>\n<Location />\n</Location>\n" UP
      "\n</IfModule>",
      "/>127.0.0.1:1 11n60 s+c" },
    { "<IfDefine X>\n" PP "\n</IfDefine>\nDefine X\n<IfDefine X>\n" UP "\n</IfDefine>", "/>127.0.0.1:1 11y60 s+c" },
    { "<IfVersion < 2.4>\n" PP "\n</IfVersion>\n<IfVersion >= 2.4.47>\n" UP "\n</IfVersion>", "/>127.0.0.1:1 11y60 s+c" },
    /* macros */
    { "<Macro M $a $ab>\nProxyPass $a http://$ab/\n</Macro>\nUse M / 127.0.0.1:1", "/>127.0.0.1:1 11n60 s+c" },
    { "<Macro M>\nUse M\n</Macro>\nUse M\n", "!4:1" },
    { "<Macro M>\n</Macro>\nUse M\n" PP "\n", "/>127.0.0.1:1 11n60 s+c" },
    { "<Macro M>\n</Macro>\nUse M\n" PP, "" },
    /* who takes what */
    { "ProxyPass /a !\n" PP "\nProxyPass /b http://127.0.0.1:2/", "/>127.0.0.1:1 11n60 s+c" },
    { "ProxyPass /a/ http://127.0.0.1:2/x/\n" PP, "/a/>127.0.0.1:2=/x/ 11n60 s+c; />127.0.0.1:1 11n60 s+c" },
    { PP "\n<Location /a/>\nProxyPass http://127.0.0.1:2/ timeout=90\n</Location>",
      "/>127.0.0.1:1 11n60 s+c; /a/>127.0.0.1:2=/ 11n90 s+c" },
    { "ProxyPassMatch ^/(.*)$ http://127.0.0.1:1/$1", "/>127.0.0.1:1 11n60 s+c" },
    { "ProxyPassMatch ^/(.*)$ http://127.0.0.1:1/$1 upgrade=websocket", "/>127.0.0.1:1 11n60 s+c" },
    { "ProxyPassMatch ^/ http://127.0.0.1:1 upgrade=websocket", "/>127.0.0.1:1 11y60 s+c" },
    { "ProxyPassMatch ^/x([0-9]+)$ http://127.0.0.1:1/$1", "~^/x([0-9]+)$>127.0.0.1:1 11n60 s+c" },
    { "<Proxy balancer://b>\nBalancerMember http://127.0.0.1:1 upgrade=websocket\nBalancerMember http://h:2\n</Proxy>\n"
      "ProxyPass / balancer://b/",
      "/>127.0.0.1:1 11y60 s+c; />h:2 11n60 s+c" },
    { "ProxyPass / unix:/run/x|http://h/", "/>-:0 11n60 s+c" },
    { "ProxyPass / ws://[::1]:1/", "/>::1:1 11y60 s+c" },
    /* workers */
    { "ProxyPass /a/ http://127.0.0.1:1/\nProxyPass /b/ http://127.0.0.1:1/b/ upgrade=websocket timeout=90",
      "/a/>127.0.0.1:1=/ 11n60 s+c; /b/>127.0.0.1:1 11n60 s+c" },
    { PP "\nProxySet http://127.0.0.1:1/ upgrade=websocket timeout=90", "/>127.0.0.1:1 11y90 s+c" },
    { "<Proxy http://127.0.0.1:1/ upgrade=websocket>\n</Proxy>\n" PP, "/>127.0.0.1:1 11y60 s+c" },
    { "Timeout 300\nProxyTimeout 400\n" UP, "/>127.0.0.1:1 11y400 s+c" },
    { "Timeout 300\nProxyTimeout 100\n" UP " timeout=200", "/>127.0.0.1:1 11y300 s+c" },
    /* rules */
    { WS_RULE "RewriteRule ^/?(.*) ws://127.0.0.1:1/$1 [P,L]\n" PP, "/>127.0.0.1:1 11y60 s+c" },
    { WS_RULE "RewriteRule ^/?(.*) ws://127.0.0.1:1/$1 [P,L]\n", "/>127.0.0.1:1 11y60 s+c" },
    { WS_RULE "RewriteRule ^/ws/(.*) ws://127.0.0.1:1/ws/$1 [P,L]\n" PP,
      "/ws/>127.0.0.1:1 11y60 s+c; />127.0.0.1:1 11?60 s+c" },
    { "RewriteEngine on\nRewriteRule ^ https://x/ [R]\n" PP, "" },
    { "RewriteRule ^ https://x/ [R]\n" PP, "/>127.0.0.1:1 11n60 s+c" },
    { "RewriteEngine on\nRewriteRule ^/(.*) http://127.0.0.1:1/$1 [P]", "/>127.0.0.1:1 11n60 s+c" },
    /* headers */
    { UP "\nProxyPreserveHost On\nRequestHeader unset X-Forwarded-For\nRequestHeader set X-Forwarded-Proto https",
      "/>127.0.0.1:1 11y60 css" },
    { UP "\nProxyAddHeaders Off\nRequestHeader set X-Forwarded-For expr=%{REMOTE_ADDR}", "/>127.0.0.1:1 11y60 ssc" },
    { UP "\nProxyAddHeaders Off", "/>127.0.0.1:1 11y60 scc" },
    { UP "\nRequestHeader unset X-Forwarded-For\nRequestHeader unset X-Forwarded-Proto\nProxyAddHeaders Off",
      "/>127.0.0.1:1 11y60 s--" },
    { UP "\nRequestHeader set X-Forwarded-Proto https env=HTTPS", "/>127.0.0.1:1 11y60 s+c" },
    { UP "\nSetEnvIf Host . e\nRequestHeader set X-Forwarded-Proto https env=e", "/>127.0.0.1:1 11y60 s+?" },
    { UP "\nSetEnv e\nRequestHeader set X-Forwarded-Proto https env=e", "/>127.0.0.1:1 11y60 s+s" },
    { UP "\nRequestHeader set X-Forwarded-For expr=%{HTTP:X-Real-IP}", "/>127.0.0.1:1 11y60 s?c" },
    { UP "\n<Location />\nRequestHeader setifempty X-Forwarded-Proto https\n</Location>", "/>127.0.0.1:1 11y60 s++" },
    { UP "\n<Location /a>\nRequestHeader unset X-Forwarded-Proto\n</Location>",
      "/>127.0.0.1:1 11y60 s+?; /a>127.0.0.1:1 11y60 s+-" },
    { UP "\n<If true>\nProxyPreserveHost On\n</If>", "/>127.0.0.1:1 11y60 ?+c" },
    { UP "\n<Proxy http://127.0.0.1:1/*>\nProxyPreserveHost On\n</Proxy>", "/>127.0.0.1:1 11y60 c+c" },
    { UP "\n<Proxy http://127.0.0.1:2/*>\nProxyPreserveHost On\n</Proxy>", "/>127.0.0.1:1 11y60 s+c" },
    { UP "\nSetEnv force-proxy-request-1.0", "/>127.0.0.1:1 10n60 s+c" },
    { UP "\nSetEnv force-proxy-request-1.0\n<Location />\nUnsetEnv force-proxy-request-1.0\n</Location>",
      "/>127.0.0.1:1 11y60 s+c" },
    { UP "\nBrowserMatch X force-proxy-request-1.0", "/>127.0.0.1:1 0?60 s+c" },
    { UP "\nRequestHeader unset Upgrade", "/>127.0.0.1:1 11n60 s+c" },
    /* hosts */
    { "Listen 80\n" PP "\n<VirtualHost *:80>\nServerName https://a:443\nProxyPass /a/ http://127.0.0.1:2/\n</VirtualHost>",
      "a/>127.0.0.1:1 11n60 s+c" },
    { "Listen 80\nListen 81\n" PP "\n<VirtualHost *:80>\nServerName a\n</VirtualHost>",
      "/>127.0.0.1:1 11n60 s+c; a/>127.0.0.1:1 11n60 s+c" },
    /* faults: one, and the rest goes on */
    { "<Location /x>\nSetEnv a", "!1:1" },
    { UP "\n</Location>", "/>127.0.0.1:1 11y60 s+c!2:1" },
    { "<Location /a>\n<Proxy *>\n</Location>\n" UP, "/>127.0.0.1:1 11y60 s+c!2:1" },
    { "  Include nothing.conf\n" UP, "/>127.0.0.1:1 11y60 s+c!1:3" },
    { "Include none/*.conf\nIncludeOptional none/*.conf\n" UP, "/>127.0.0.1:1 11y60 s+c!1:1" },
    { "Include apache2.conf\n" UP, "/>127.0.0.1:1 11y60 s+c!1:1" },
    { "{\n}\n;\n" UP, "/>127.0.0.1:1 11y60 s+c!1:1" },
    { "<IfModule !mod_proxy.c>\n<Location />\n</IfModule>", "!3:1" },
    { "<IfModule !mod_proxy.c>\n", "!1:1" },
    { "", "" },
};

START_TEST(understands)
{
    struct shelf shelf = SHELF;
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);

    put(&shelf, "/etc/apache2/apache2.conf", rows[_i].text);

    const struct dr_proxy_config *config = read_shelf(&shelf);

    show(config, &out);
    ck_assert_msg(strcmp(dr_buffer_text(&out), rows[_i].shown) == 0, "row %d: %s\nis       %s\nexpected %s", _i,
                  rows[_i].text, dr_buffer_text(&out), rows[_i].shown);
    dr_arena_release(&shelf.arena);
}
END_TEST

START_TEST(modules_decide)
{
    static const struct {
        const char *modules; /* names, blank between */
        const char *pass;
        const char *shown;
    } cases[] = {
        { "proxy proxy_http", UP, "/>127.0.0.1:1 11y60 s+c" },
        { "proxy", UP, "/>127.0.0.1:1 11n60 s+c" },
        { "proxy proxy_wstunnel", UP, "/>127.0.0.1:1 11n60 s+c" },
        { "proxy proxy_wstunnel", "ProxyPass / ws://127.0.0.1:1/", "/>127.0.0.1:1 11y0 s+c" },
        { "proxy proxy_http", "ProxyPass / ws://127.0.0.1:1/", "/>127.0.0.1:1 11y60 s+c" },
        { "proxy proxy_http", "ProxyPass / wss://127.0.0.1:1/", "/>127.0.0.1:1 11n60 s+c" },
        { "proxy proxy_http ssl", "SSLProxyEngine on\nProxyPass / wss://127.0.0.1:1/", "/>127.0.0.1:1 11y60 s+c" },
        { "proxy proxy_http proxy_wstunnel", "ProxyWebsocketFallbackToProxyHttp Off\nProxyPass / ws://127.0.0.1:1/",
          "/>127.0.0.1:1 11y0 s+c" },
    };

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        struct shelf shelf = SHELF;
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MEGABYTE), out = DR_BUFFER(MEGABYTE);

        for (const char *at = cases[i].modules; *at; at += strspn(at, " ")) {
            int length = (int)strcspn(at, " ");

            ck_assert_int_eq(
                dr_buffer_appendf(&text, "LoadModule %.*s_module modules/mod_%.*s.so\n", length, at, length, at), 0);
            at += length;
        }
        ck_assert_int_eq(dr_buffer_append_text(&text, cases[i].pass), 0);
        put(&shelf, "/etc/apache2/apache2.conf", dr_buffer_text(&text));

        const struct dr_proxy_config *config = read_shelf(&shelf);

        show(config, &out);
        ck_assert_msg(strcmp(dr_buffer_text(&out), cases[i].shown) == 0, "case %zu: %s", i, dr_buffer_text(&out));
        dr_arena_release(&shelf.arena);
    }
}
END_TEST

START_TEST(follows_includes)
{
    struct shelf shelf = SHELF;
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);

    put(&shelf, "/etc/apache2/apache2.conf",
        "IncludeOptional mods-enabled/*.load\nInclude sites-?/*.conf\nInclude folder\nInclude ${HERE}/last\nListen "
        "${PORT}\n");
    put(&shelf, "/etc/apache2/envvars", "export HERE=\"/etc/${NOTHING:-apache2}$NOTHING\"\nexport X=$(false)\n");
    put(&shelf, "/etc/apache2/sites-b/1.conf", "ProxyPass /b1/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/sites-a/2.conf", "ProxyPass /a2/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/sites-a/1.conf", "ProxyPass /a1/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/sites-a/.hidden.conf", "ProxyPass /never/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/folder/z", "ProxyPass /z/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/folder/.y", "ProxyPass /y/ http://127.0.0.1:1/\n");
    put(&shelf, "/etc/apache2/last", "ProxyPass /last/ http://127.0.0.1:1/\n");

    const struct dr_proxy_config *config = read_shelf(&shelf);

    for (size_t i = 0; i < config->route_count; i++)
        ck_assert_int_eq(dr_buffer_appendf(&out, "%s ", config->routes[i].path), 0);
    ck_assert_str_eq(dr_buffer_text(&out), "/a1/ /a2/ /b1/ /y/ /z/ /last/ ");
    ck_assert_uint_eq(config->fault_count, 0);
    ck_assert_str_eq(config->routes[0].listens[0], "0.0.0.0:18789");
    ck_assert_str_eq(config->routes[0].listens[1], "[::]:18789");
    ck_assert_str_eq(config->routes[3].source.path, "/etc/apache2/folder/.y");
    dr_arena_release(&shelf.arena);
}
END_TEST

/* --- mending ---------------------------------------------------------------------------------------------------------------- */

enum { ALL = DR_MEND_UPGRADE | DR_MEND_FORWARD | DR_MEND_TIMEOUT | DR_MEND_UPSTREAM | DR_MEND_BUFFERING };

#define FORWARD_LINES                                             \
    "ProxyPreserveHost On\nRequestHeader unset X-Forwarded-For\n" \
    "RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\""

static const struct {
    unsigned mends;
    const char *before;
    const char *after; /* NULL: it cannot be done */
} mends[] = {
    { DR_MEND_UPGRADE, PP "\n", UP "\n" },
    { DR_MEND_UPGRADE, UP "\n", UP "\n" },
    { DR_MEND_UPGRADE, "ProxyPass / \"http://127.0.0.1:1/\" retry=0 \\\r\n  ping=1 \r\n",
      "ProxyPass / \"http://127.0.0.1:1/\" retry=0 \\\r\n  ping=1 upgrade=websocket \r\n" },
    { DR_MEND_UPGRADE, PP " upgrade=other\n", UP "\n" },
    { DR_MEND_UPGRADE, "ProxyPass / ws://127.0.0.1:1/ upgrade=NONE", "ProxyPass / ws://127.0.0.1:1/ upgrade=websocket" },
    { DR_MEND_UPGRADE, UP "\n  SetEnv force-proxy-request-1.0 1 \n# end\n", UP "\n# end\n" },
    { DR_MEND_UPGRADE, "SetEnv force-proxy-request-1.0\n" UP "\nProxyPass /never/ http://h/",
      UP "\nProxyPass /never/ http://h/" },
    { DR_MEND_UPGRADE,
      "SetEnv force-proxy-request-1.0\nProxyPass /a/ http://127.0.0.1:1/ upgrade=websocket\nProxyPass /b/ http://h:2/\n",
      "SetEnv force-proxy-request-1.0\nProxyPass /a/ http://127.0.0.1:1/ upgrade=websocket\n<Proxy "
      "\"http://127.0.0.1:1/*\">\n"
      "    UnsetEnv force-proxy-request-1.0\n</Proxy>\nProxyPass /b/ http://h:2/\n" },
    { DR_MEND_UPGRADE, "SetEnvIf Host . a force-proxy-request-1.0\n" UP, NULL },
    { DR_MEND_UPGRADE, "RequestHeader unset Upgrade\n" UP "\n", UP "\n" },
    { DR_MEND_UPGRADE, "ProxyPassMatch ^/(.*)$ http://127.0.0.1:1/$1\n",
      "ProxyPassMatch ^/(.*)$ http://127.0.0.1:1/$1 upgrade=websocket\n<Proxy \"http://127.0.0.1:1/\">\n    ProxySet "
      "upgrade=websocket\n</Proxy>\n" },
    { DR_MEND_UPGRADE, "RewriteEngine on\nRewriteRule ^/(.*) http://127.0.0.1:1/$1 [P]\n",
      "RewriteEngine on\nRewriteRule ^/(.*) http://127.0.0.1:1/$1 [P]\n<Proxy \"http://127.0.0.1:1/\">\n    ProxySet "
      "upgrade=websocket\n</Proxy>\n" },
    { DR_MEND_UPGRADE, "<Macro M>\n" PP "\n</Macro>\nUse M", NULL },
    { DR_MEND_UPGRADE, "Define X /\nProxyPass ${X} http://127.0.0.1:1/\n",
      "Define X /\nProxyPass ${X} http://127.0.0.1:1/ upgrade=websocket\n" },
    { DR_MEND_TIMEOUT, UP "\n", UP " timeout=3600\n" },
    { DR_MEND_TIMEOUT, UP " timeout='60'", UP " timeout=3600" },
    { DR_MEND_TIMEOUT, "Timeout 4000\n" UP, "Timeout 4000\n" UP },
    { DR_MEND_TIMEOUT, PP "\nProxySet http://127.0.0.1:1/ timeout=5\n", PP "\nProxySet http://127.0.0.1:1/ timeout=3600\n" },
    { DR_MEND_TIMEOUT, WS_RULE "RewriteRule ^/?(.*) ws://127.0.0.1:1/$1 [P,L]\n" PP,
      WS_RULE "RewriteRule ^/?(.*) ws://127.0.0.1:1/$1 [P,L]\n<Proxy \"ws://127.0.0.1:1/\">\n    ProxySet "
              "timeout=3600\n</Proxy>\n" PP },
    { DR_MEND_UPSTREAM,
      "ProxyPass / http://localhost:1/ retry=0\nProxyPassReverse / 'http://localhost:1/'\nProxyPassReverse / "
      "http://localhost:2/",
      "ProxyPass / http://127.0.0.1:1/ retry=0\nProxyPassReverse / 'http://127.0.0.1:1/'\nProxyPassReverse / "
      "http://localhost:2/" },
    { DR_MEND_UPSTREAM, "ProxyPass / \"ws://[::1]:1/x\"", "ProxyPass / \"ws://127.0.0.1:1/x\"" },
    { DR_MEND_UPSTREAM, "Define U http://localhost:1/\nProxyPass / ${U}", NULL },
    { DR_MEND_UPSTREAM, PP, PP },
    { DR_MEND_FORWARD, "  " UP "\n",
      "  " UP "\n  ProxyPreserveHost On\n  RequestHeader unset X-Forwarded-For\n"
      "  RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"\n" },
    { DR_MEND_FORWARD, UP "\n" FORWARD_LINES, UP "\n" FORWARD_LINES },
    { DR_MEND_FORWARD,
      UP "\nProxyAddHeaders Off\nProxyPreserveHost off\nrequestheader set x-forwarded-proto https env=HTTPS\n",
      UP "\nRequestHeader unset X-Forwarded-For\nProxyAddHeaders On\nProxyPreserveHost On\n"
         "RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"\n" },
    { DR_MEND_FORWARD, UP "\n<If true>\nProxyPreserveHost Off\n</If>", NULL },
    { DR_MEND_FORWARD, "<Location /a/>\n\tProxyPass http://127.0.0.1:1/\n</Location>",
      "<Location /a/>\n\tProxyPass http://127.0.0.1:1/\n\tProxyPreserveHost On\n\tRequestHeader unset X-Forwarded-For\n"
      "\tRequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"\n</Location>" },
    { DR_MEND_FORWARD, UP "\nRemoteIPHeader X-Forwarded-For", NULL },
    { DR_MEND_BUFFERING, UP, UP },
    { ALL, "ProxyPass / http://localhost:1/",
      "ProxyPass / http://127.0.0.1:1/ upgrade=websocket timeout=3600\n" FORWARD_LINES },
};

static const char *mended(struct shelf *shelf, const struct dr_proxy_config *config, unsigned bits)
{
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    struct dr_route_edits edits = { 0 };
    const char *why = NULL;

    ck_assert_uint_ge(config->route_count, 1);

    int r = dr_apache_format.mend(&config->routes[0], bits, &shelf->arena, &edits, &why);

    if (r == -ENOTSUP) {
        ck_assert_ptr_nonnull(why);
        ck_assert_uint_eq(edits.count, 0);
        return NULL;
    }
    ck_assert_int_eq(r, 0);

    struct dr_edit *list = dr_arena_alloc(&shelf->arena, (edits.count + 1) * sizeof(*list));

    for (size_t i = 0; i < edits.count; i++)
        list[i] = edits.list[i].edit;
    ck_assert_int_eq(dr_edits_apply(config->files[0]->bytes, config->files[0]->length, list, edits.count, &out), 0);
    return dr_arena_strdup(&shelf->arena, dr_buffer_text(&out));
}

START_TEST(mends_the_first_route)
{
    struct shelf shelf = SHELF;

    put(&shelf, "/etc/apache2/apache2.conf", mends[_i].before);

    const struct dr_proxy_config *config = read_shelf(&shelf);
    const char *after = mended(&shelf, config, mends[_i].mends);

    if (!mends[_i].after || !after) {
        ck_assert_msg(!mends[_i].after && !after, "row %d: %s", _i, after ? after : "cannot be done");
        dr_arena_release(&shelf.arena);
        return;
    }
    ck_assert_msg(strcmp(after, mends[_i].after) == 0, "row %d is\n%s\nexpected\n%s", _i, after, mends[_i].after);

    /* Right now, and nothing is left to do. */
    shelf.count = 0;
    put(&shelf, "/etc/apache2/apache2.conf", after);
    config = read_shelf(&shelf);
    ck_assert_uint_eq(config->fault_count, 0);
    if (mends[_i].mends & DR_MEND_UPGRADE)
        ck_assert_int_eq(config->routes[0].upgrade, DR_UPGRADE_PASSED);
    if (mends[_i].mends & DR_MEND_FORWARD) {
        ck_assert_int_eq(config->routes[0].headers[DR_ROUTE_HOST].fate, DR_HEADER_CLIENTS);
        ck_assert_int_eq(config->routes[0].headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_SET);
        ck_assert_int_eq(config->routes[0].headers[DR_ROUTE_FORWARDED_PROTO].fate, DR_HEADER_SET);
    }
    if (mends[_i].mends & DR_MEND_TIMEOUT)
        ck_assert_int_ge(config->routes[0].idle_timeout_ms, 3600000);
    ck_assert_str_eq(mended(&shelf, config, mends[_i].mends), after);
    dr_arena_release(&shelf.arena);
}
END_TEST

/* mod_headers is not there: said, with the command. */
START_TEST(says_what_is_missing)
{
    struct shelf shelf = SHELF;
    struct dr_route_edits edits = { 0 };
    const char *why = NULL;

    put(&shelf, "/etc/apache2/apache2.conf", "LoadModule proxy_module x/mod_proxy.so\n" PP);

    const struct dr_proxy_config *config = read_shelf(&shelf);

    ck_assert_int_eq(dr_apache_format.mend(&config->routes[0], DR_MEND_FORWARD, &shelf.arena, &edits, &why), -ENOTSUP);
    ck_assert_str_eq(why, "mod_headers is not loaded: a2enmod headers");
    ck_assert_int_eq(dr_apache_format.mend(&config->routes[0], DR_MEND_UPGRADE, &shelf.arena, &edits, &why), -ENOTSUP);
    ck_assert_str_eq(why, "mod_proxy_http is not loaded: a2enmod proxy_http");
    dr_arena_release(&shelf.arena);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------------------------------------- */

static void repeat(struct dr_buffer *buffer, const char *text, size_t times)
{
    size_t length = strlen(text);
    char *space;

    ck_assert_int_eq(dr_buffer_reserve(buffer, times * length, &space), 0);
    for (size_t i = 0; i < times; i++)
        memcpy(space + i * length, text, length);
    dr_buffer_commit(buffer, times * length);
}

START_TEST(is_bounded)
{
    static const struct {
        const char *text;
        size_t times;
        size_t faults;
    } cases[] = {
        { "<Location /a>\n", 1000, 2 },
        { "A", 10 * MEGABYTE, 1 },
        { "ProxyPass / \\\n", MEGABYTE / 16, 0 },
        { "<IfModule !mod_proxy.c>\n", 1000, 1 },
        { "<Location />\n</Location>\n", 50000, 0 },
        { "RequestHeader set X-Forwarded-For \"${PORT}${PORT}${NOT}\"\n", 20000, 0 },
        { "}", 10 * MEGABYTE, 1 },
    };

    for (size_t i = 0; i < DR_COUNT(cases); i++) {
        struct shelf shelf = SHELF;
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(16 * MEGABYTE);

        repeat(&text, cases[i].text, cases[i].times);
        put(&shelf, "/etc/apache2/apache2.conf", dr_buffer_text(&text));

        const struct dr_proxy_config *config = read_shelf(&shelf);

        ck_assert_msg(config->fault_count == cases[i].faults, "case %zu: %zu faults", i, config->fault_count);
        dr_arena_release(&shelf.arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apache");
    TCase *tests = tcase_create("apache");

    tcase_add_loop_test(tests, understands, 0, (int)DR_COUNT(rows));
    tcase_add_test(tests, modules_decide);
    tcase_add_test(tests, follows_includes);
    tcase_add_loop_test(tests, mends_the_first_route, 0, (int)DR_COUNT(mends));
    tcase_add_test(tests, says_what_is_missing);
    tcase_add_test(tests, is_bounded);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
