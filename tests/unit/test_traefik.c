/* src/format/traefik*.h: configurations as Traefik reads them, and mended. There is no Traefik here: each rule stands on its source. */
#define SCENE_FORMAT dr_traefik_format
#define SCENE_MEGABYTES 512
#include "proxy_scene.h"

#include "format/edit.h"
#include "format/traefik_internal.h"

#include <check.h>
#include <time.h>

#define STATIC "entryPoints:\n  web:\n    address: \":80\"\nproviders:\n  file:\n    filename: dyn.yml\n"
#define ROUTER "http:\n  routers:\n    gw:\n      rule: \"Host(`gw.example.test`)\"\n      service: gw\n"
#define SERVICE "  services:\n    gw:\n      loadBalancer:\n        servers:\n          - url: \"http://localhost:18789\"\n"
#define BOTH STATIC "=== dyn.yml\n" ROUTER SERVICE

static const struct dr_route *only_route(struct scene *scene, const char *text)
{
    look(scene, text, strlen(text));
    ck_assert_msg(scene->config.fault_count == 0, "%s", scene->config.fault_count ? scene->config.faults[0].text : "");
    ck_assert_uint_eq(scene->config.route_count, 1);
    return &scene->config.routes[0];
}

static void check_healthy(const struct dr_route *route)
{
    ck_assert_int_eq(route->upgrade, DR_UPGRADE_PASSED);
    ck_assert_int_eq(route->idle_timeout_ms, 0);
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_SET);
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_PROTO].fate, DR_HEADER_SET);
    ck_assert_int_eq(route->headers[DR_ROUTE_HOST].fate, DR_HEADER_CLIENTS);
    ck_assert_uint_eq(route->upstream_port, 18789);
}

START_TEST(reads_yaml)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, BOTH);

    check_healthy(route);
    ck_assert_str_eq(route->listens[0], "0.0.0.0:80");
    ck_assert_str_eq(route->names[0], "gw.example.test");
    ck_assert_str_eq(route->path, "/");
    ck_assert_str_eq(route->source.path, MEMORY_FOLDER "dyn.yml");
    ck_assert_uint_eq(route->source.line, 10);
}
END_TEST

START_TEST(reads_toml)
{
    static const char text[] =
        "[entryPoints.web]\n  address = \"127.0.0.1:8080\"\n[entryPoints.web.http.tls]\n[providers.file]\nfilename = "
        "'/etc/proxy/d.toml'\n=== d.toml\n[http.routers.gw]\nrule = \"PathPrefix(`/oc`)\"\nservice = \"gw\"\nmiddlewares = "
        "[\n  \"strip\", # here\n]\n[http.middlewares.strip.stripPrefix]\nprefixes = [\"/oc\"]\n"
        "[[http.services.gw.loadBalancer.servers]]\nurl = \"http://127.0.0.1:18789\"\n";
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, text);

    check_healthy(route);
    ck_assert(route->tls);
    ck_assert_str_eq(route->listens[0], "127.0.0.1:8080");
    ck_assert_str_eq(route->path, "/oc");
    ck_assert_str_eq(route->upstream_path, "/");
}
END_TEST

START_TEST(reads_compose)
{
    static const char text[] =
        "services:\n  traefik:\n    image: traefik:v3.1\n    command:\n      - --providers.docker=true\n"
        "      - --providers.docker.exposedbydefault=false\n      - --entrypoints.web.address=:80\n"
        "      - --entrypoints.secure.address=:443\n    ports: [\"8080:80\", \"443:443\"]\n"
        "  openclaw:\n    image: openclaw\n    labels:\n      - traefik.enable=true\n"
        "      - \"traefik.http.routers.oc.rule=Host(`a.test`) && PathPrefix(`/x`)\"\n"
        "      - traefik.http.routers.oc.entrypoints=web\n"
        "      - traefik.http.services.oc.loadbalancer.server.port=18789\n"
        "  other:\n    labels:\n      traefik.http.routers.o.rule: Host(`o.test`)\n";
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, text);
    struct dr_route_edits edits;
    const char *why;

    check_healthy(route);
    ck_assert_str_eq(route->upstream_host, "openclaw");
    ck_assert_str_eq(route->listens[0], "0.0.0.0:8080");
    ck_assert_ptr_null(route->listens[1]);
    ck_assert_str_eq(route->path, "/x");
    ck_assert_uint_eq(route->source.line, 16);
    ck_assert_int_eq(dr_traefik_format.mend(route, DR_MEND_UPGRADE | DR_MEND_UPSTREAM, &scene.arena, &edits, &why), 0);
    ck_assert_uint_eq(edits.count, 0);
}
END_TEST

/* doc.traefik.io, "TCP Routers", "TLS", "TCP Services", "PROXY Protocol". Shown: listens, name or pattern, TLS on both sides, upstream, upgrade. */
#define TCP(router, service) \
    STATIC "=== dyn.yml\ntcp:\n  routers:\n    gw:\n      service: gw\n" router "  services:\n    gw:\n" service
#define TCP_SERVER "      loadBalancer:\n        servers:\n          - address: \"127.0.0.1:18789\"\n"

static const struct {
    const char *text, *shown;
} tcps[] = {
    { TCP("      rule: \"HostSNI(`*`)\"\n", TCP_SERVER), "0.0.0.0:80 * 0 0 127.0.0.1:18789 passed" },
    { TCP("      rule: \"HostSNI(`a.test`)\"\n      tls: {passthrough: true}\n", TCP_SERVER),
      "0.0.0.0:80 a.test 1 1 127.0.0.1:18789 passed" },
    { TCP("      rule: HostSNI(`a.test`, `b.test`) || HostSNI(`c.test`)\n      tls: {certResolver: x}\n", TCP_SERVER),
      "0.0.0.0:80 a.test 1 0 127.0.0.1:18789 passed" },
    { TCP("      rule: \"HostSNI(`*`)\"\n      tls: {}\n", TCP_SERVER "            tls: true\n"),
      "0.0.0.0:80 * 1 1 127.0.0.1:18789 passed" },
    { TCP("      rule: \"HostSNI(`*`) && ClientIP(`10.0.0.0/8`)\"\n", TCP_SERVER),
      "0.0.0.0:80 HostSNI(`*`) && ClientIP(`10.0.0.0/8`) 0 0 127.0.0.1:18789 passed" },
    { TCP("      rule: \"HostSNI(`*`)\"\n", TCP_SERVER "        proxyProtocol: {version: 1}\n"),
      "0.0.0.0:80 * 0 0 127.0.0.1:18789 dropped" },
    { TCP("      rule: \"HostSNI(`*`)\"\n", TCP_SERVER "        serversTransport: t\n  serversTransports:\n    t:\n"
                                                       "      proxyProtocol: {}\n"),
      "0.0.0.0:80 * 0 0 127.0.0.1:18789 dropped" },
    { TCP("      rule: \"HostSNI(`*`)\"\n", "      weighted: {services: [{name: b}]}\n    b:\n" TCP_SERVER),
      "0.0.0.0:80 * 0 0 127.0.0.1:18789 passed" },
    /* labels; without something for HTTP there is no router for HTTP (pkg/provider/docker/config.go) */
    { "services:\n  traefik:\n    image: traefik\n    command: --entrypoints.gw.address=:18789\n    ports: "
      "[\"18789:18789\"]\n"
      "  openclaw:\n    labels:\n      - traefik.tcp.routers.gw.rule=HostSNI(`*`)\n"
      "      - traefik.tcp.services.gw.loadbalancer.server.port=18789\n",
      "0.0.0.0:18789 * 0 0 openclaw:18789 passed" },
};

START_TEST(tcp_routers_hand_on_bytes)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(&scene, tcps[_i].text);
    struct dr_route_edits edits;
    const char *why;
    const char *shown = dr_arena_format(&scene.arena, "%s %s %d %d %s:%u %s", route->listens[0],
                                        route->pattern    ? route->pattern
                                        : route->names[0] ? route->names[0]
                                                          : "*",
                                        route->tls, route->upstream_tls, route->upstream_host, route->upstream_port,
                                        route->upgrade == DR_UPGRADE_PASSED ? "passed" : "dropped");

    ck_assert_str_eq(shown, tcps[_i].shown);
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        ck_assert_int_eq(route->headers[i].fate, DR_HEADER_CLIENTS);
    ck_assert_int_eq(route->idle_timeout_ms, 0);
    ck_assert_int_eq(dr_traefik_format.mend(route, DR_MEND_FORWARD, &scene.arena, &edits, &why), -ENOTSUP);
    ck_assert(strstr(why, "make it one for HTTP"));
}
END_TEST

/* doc.traefik.io, "File" (directory): of routers with one name the first file's counts (pkg/provider/file). */
START_TEST(of_one_name_the_first_file_counts)
{
    static const char text[] =
        "entryPoints:\n  web:\n    address: \":80\"\nproviders:\n  file:\n    directory: /etc/proxy/d\n"
        "=== d/b.yml\n" ROUTER
        "  services:\n    gw:\n      loadBalancer:\n        servers: [{url: \"http://127.0.0.1:2\"}]\n"
        "=== d/a.yaml\n" ROUTER
        "  services:\n    gw:\n      loadBalancer:\n        servers: [{url: \"http://127.0.0.1:1\"}]\n";
    _cleanup_scene_ struct scene scene;

    ck_assert_uint_eq(only_route(&scene, text)->upstream_port, 1);
}
END_TEST

/* docs.docker.com, "Merge Compose files": labels of an override file count; .env fills in; a container in the host's network. */
START_TEST(compose_files_are_merged)
{
    static const char text[] =
        "services: {}\n"
        "=== compose.yaml\nservices:\n  traefik:\n    image: traefik:v3\n    ports: [\"80:80\"]\n"
        "  oc:\n    network_mode: host\n    labels:\n      - traefik.http.routers.a.rule=Host(`${NAME}`)\n"
        "=== compose.override.yaml\nservices:\n  oc:\n    labels:\n"
        "      traefik.http.services.a.loadbalancer.server.port: ${PORT:-18789}\n"
        "=== .env\nNAME=gw.test\n";
    _cleanup_scene_ struct scene scene = { .arena = DR_ARENA(64 * MEGABYTE) };

    scene.memory.arena = &scene.arena;
    scene.loader = memory_loader(&scene.memory);
    memory_split(&scene.memory, text, strlen(text));
    ck_assert_int_eq(dr_traefik_format.read(&scene.loader, MEMORY_FOLDER "compose.yaml", NULL, &scene.config), 0);
    ck_assert_uint_eq(scene.config.route_count, 1);
    ck_assert_str_eq(scene.config.routes[0].names[0], "gw.test");
    ck_assert_str_eq(scene.config.routes[0].upstream_text, "http://host.docker.internal:18789");
    ck_assert_str_eq(scene.config.routes[0].source.path, MEMORY_FOLDER "compose.override.yaml");
}
END_TEST

static const struct {
    const char *rule, *name, *path, *pattern;
} rules[] = {
    { "Host(`a`)", "a", "/", NULL },
    { "Host(`a`, `b`)", "a", "/", NULL },
    { "(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)", "a", "/x", NULL },
    { "PathPrefix(`/x`) && Host(\"a\")", "a", "/x", NULL },
    { "Host(`a`) && Path(`/x`)", "a", NULL, "Host(`a`) && Path(`/x`)" },
    { "Host(`a`) || PathPrefix(`/x`)", NULL, NULL, "Host(`a`) || PathPrefix(`/x`)" },
    { "HostRegexp(`.*`)", NULL, NULL, "HostRegexp(`.*`)" },
    { "PathPrefix(`/x`) || PathPrefix(`/y`)", NULL, NULL, "PathPrefix(`/x`) || PathPrefix(`/y`)" },
    { "!Host(`a`)", NULL, NULL, "!Host(`a`)" },
    { "Host(`a", NULL, NULL, "Host(`a" },
};

static void same(const char *got, const char *wanted)
{
    ck_assert_msg(got == wanted || (got && wanted && strcmp(got, wanted) == 0), "%s, not %s", got ? got : "-",
                  wanted ? wanted : "-");
}

START_TEST(understands_rules)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(MEGABYTE);
    struct traefik_rule rule;

    ck_assert_int_eq(dr_traefik_rule(&arena, rules[_i].rule, &rule), 0);
    same(rule.names[0], rules[_i].name);
    same(rule.path, rules[_i].path);
    same(rule.pattern, rules[_i].pattern);
}
END_TEST

#define MIDDLE(headers) \
    STATIC "=== dyn.yml\n" ROUTER "      middlewares:\n        - m\n  middlewares:\n    m:\n      headers:\n" headers SERVICE
#define UPSTREAM_MENDED \
    "  services:\n    gw:\n      loadBalancer:\n        servers:\n          - url: \"http://127.0.0.1:18789\"\n"

/* Text, what is mended, and what dyn.yml (or the main file) is then; NULL: it cannot be mended. */
static const struct {
    const char *text, *mended;
    unsigned mends;
    int file;
} mends[] = {
    { BOTH, ROUTER UPSTREAM_MENDED, DR_MEND_UPSTREAM, 1 },
    { MIDDLE("        customRequestHeaders:\n          Upgrade: \"\" # no\n          X-A: b\n"),
      ROUTER
      "      middlewares:\n        - m\n  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n          "
      "X-A: b\n" SERVICE,
      DR_MEND_UPGRADE, 1 },
    { MIDDLE("        customRequestHeaders:\n          Connection: keep-alive\n"),
      ROUTER
      "  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n          Connection: keep-alive\n" SERVICE,
      DR_MEND_UPGRADE, 1 },
    { MIDDLE("        customRequestHeaders: { Upgrade: \"\", X-A: b }\n"), NULL, DR_MEND_UPGRADE, 1 },
    { "entryPoints:\n  web:\n    address: :80\n    forwardedHeaders:\n      insecure: true # x\n" ROUTER SERVICE,
      "entryPoints:\n  web:\n    address: :80\n    forwardedHeaders:\n      insecure: false # x\n" ROUTER SERVICE,
      DR_MEND_FORWARD, 0 },
    { "entryPoints:\n  web:\n    address: :80\n    forwardedHeaders:\n      trustedIPs: [10.0.0.0/8]\n" ROUTER SERVICE, NULL,
      DR_MEND_FORWARD, 0 },
};

START_TEST(mends_routes)
{
    _cleanup_scene_ struct scene scene;
    _cleanup_buffer_ struct dr_buffer out = DR_BUFFER(MEGABYTE);
    const struct dr_route *route = only_route(&scene, mends[_i].text);
    struct dr_edit list[8];
    struct dr_route_edits edits;
    const char *why;
    int r = dr_traefik_format.mend(route, mends[_i].mends, &scene.arena, &edits, &why);

    if (!mends[_i].mended) {
        ck_assert_int_eq(r, -ENOTSUP);
        ck_assert_ptr_nonnull(why);
        return;
    }
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(edits.count, 1);
    const struct dr_proxy_file *file = &scene.memory.files[mends[_i].file];

    list[0] = edits.list[0].edit;
    ck_assert_ptr_eq(edits.list[0].file, file);
    ck_assert_int_eq(dr_edits_apply(file->bytes, file->length, list, 1, &out), 0);
    ck_assert_str_eq(dr_buffer_text(&out), mends[_i].mended);
}
END_TEST

START_TEST(tells_fates)
{
    _cleanup_scene_ struct scene scene;
    const struct dr_route *route = only_route(
        &scene, "entryPoints:\n  web:\n    address: :80\n    forwardedHeaders: {insecure: true}\n" ROUTER SERVICE);

    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_APPENDED);
    ck_assert_int_eq(route->headers[DR_ROUTE_REAL_IP].fate, DR_HEADER_CLIENTS);
    ck_assert_uint_eq(route->headers[DR_ROUTE_FORWARDED_FOR].source.line, 4);
    release(&scene);
    route = only_route(&scene, ROUTER SERVICE); /* no entry points are known */
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_UNKNOWN);
    ck_assert_ptr_null(route->listens[0]);
    release(&scene);
    route = only_route(&scene, MIDDLE("        customRequestHeaders: &a\n          Upgrade: \"\"\n"));
    ck_assert_int_eq(route->upgrade, DR_UPGRADE_DROPPED);
    ck_assert_uint_eq(route->upgrade_source.line, 12);
    release(&scene);
    route = only_route(&scene, MIDDLE("        customRequestHeaders: {X-Forwarded-For: \"\", X-Real-IP: \"\"}\n"));
    ck_assert_int_eq(route->headers[DR_ROUTE_FORWARDED_FOR].fate, DR_HEADER_SET);
    ck_assert_int_eq(route->headers[DR_ROUTE_REAL_IP].fate, DR_HEADER_ABSENT);
}
END_TEST

/* A fault that hides routes, at this line. */
static const struct {
    const char *text;
    unsigned line;
} faults[] = {
    { "entryPoints:\n  web: [\n", 3 },
    { "http:\n\trouters:\n", 2 },
    { "http: *nobody\n", 1 },
    { "http: &a [*a]\n", 1 },
    { STATIC "=== dyn.yml\nhttp:\n  routers: {{ range $i }}\n", 2 },
    { ROUTER, 3 },
    { "[http]\nx = \n", 2 },
    { "[http]\nx = \"\"\"a\"\"\"\n", 2 },
    { "providers: {file: {filename: nowhere.yml}}\n", 1 },
    { "http: \xff\n", 1 },
};

START_TEST(says_faults)
{
    _cleanup_scene_ struct scene scene;

    look(&scene, faults[_i].text, strlen(faults[_i].text));
    ck_assert_uint_ge(scene.config.fault_count, 1);
    ck_assert(scene.config.faults[0].hides_routes);
    ck_assert_uint_eq(scene.config.faults[0].source.line, faults[_i].line);
    ck_assert_uint_eq(scene.config.route_count, 0);
}
END_TEST

START_TEST(takes_anything)
{
    static const char *const repeated[] = { "a",       "[",       "{a: ",           "- ",       "&a ", "\"", "a: b\n",
                                            "[a.b]\n", "[[a]]\n", "x: &a {a: 1}\n", "a.b = 1\n" };
    const char *part = repeated[_i];
    size_t length = 2 * MEGABYTE;
    char *text = malloc(length);
    struct timespec before, after;
    _cleanup_scene_ struct scene scene;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i++)
        text[i] = part[i % strlen(part)];
    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
    look(&scene, text, length);
    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
    ck_assert_int_le(after.tv_sec - before.tv_sec, 5);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("traefik");
    TCase *cases = tcase_create("traefik");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(cases, 60); /* what is measured is the processor's time */
    tcase_add_test(cases, reads_yaml);
    tcase_add_loop_test(cases, tcp_routers_hand_on_bytes, 0, (int)DR_COUNT(tcps));
    tcase_add_test(cases, of_one_name_the_first_file_counts);
    tcase_add_test(cases, compose_files_are_merged);
    tcase_add_test(cases, reads_toml);
    tcase_add_test(cases, reads_compose);
    tcase_add_test(cases, tells_fates);
    tcase_add_loop_test(cases, understands_rules, 0, DR_COUNT(rules));
    tcase_add_loop_test(cases, mends_routes, 0, DR_COUNT(mends));
    tcase_add_loop_test(cases, says_faults, 0, DR_COUNT(faults));
    tcase_add_loop_test(cases, takes_anything, 0, 11);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
