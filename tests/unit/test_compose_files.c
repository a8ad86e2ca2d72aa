/*
 * format/compose.h: files as Compose reads them. Each row stands on a page of docs.docker.com (reference/compose-file/...), named in `source`.
 */
#include "proxy_memory.h"

#include "format/compose.h"

#include <check.h>
#include <stdio.h>

#define MEGABYTE ((size_t)1 << 20)

struct scene {
    struct dr_arena arena;
    struct memory memory;
    struct dr_proxy_loader loader;
    struct dr_proxy_gathering gathering;
    struct traefik_model model;
    struct compose_project project;
    struct compose_service *services;
    size_t count;
};

static void release(struct scene *scene)
{
    dr_arena_release(&scene->arena);
}

#define _cleanup_scene_ _cleanup_(release)

static void look(struct scene *scene, const char *text, size_t length, const char *main)
{
    *scene = (struct scene){ .arena = DR_ARENA(256 * MEGABYTE) };
    scene->memory.arena = &scene->arena;
    scene->loader = memory_loader(&scene->memory);
    scene->gathering.loader = &scene->loader;
    scene->model = (struct traefik_model){ .gathering = &scene->gathering, .arena = &scene->arena };
    memory_split(&scene->memory, text, length);
    ck_assert_int_eq(dr_compose_load(&scene->model, main, NULL, &scene->project), 0);
    ck_assert_int_eq(dr_compose_services(&scene->project, &scene->services, &scene->count), 0);
}

static void add(struct scene *scene, const char **out, const char *text)
{
    *out = dr_arena_format(&scene->arena, "%s%s%s", *out, **out && *text ? " " : "", text);
}

/* "name: words | ports | A" of each service, A being the variable of that name. */
static const char *shown(struct scene *scene)
{
    const char *all = "";

    for (size_t i = 0; i < scene->count; i++) {
        const struct compose_service *service = &scene->services[i];
        struct compose_text value = { .text = "" };
        const char *line = dr_arena_format(&scene->arena, "%s%s:", service->optional ? "?" : "", service->name);
        struct dr_source source;

        for (size_t w = 0; service->words[w]; w++)
            add(scene, &line, service->words[w]);
        for (size_t p = 0; p < service->port_count; p++) {
            const struct compose_port *port = &service->ports[p];

            add(scene, &line,
                dr_arena_format(&scene->arena, "%s:%u-%u>%u-%u%s", port->host, port->published, port->published_last,
                                port->target, port->target_last, port->udp ? "u" : ""));
            if (port->unknown)
                add(scene, &line, port->unknown);
        }
        if (dr_compose_variable(&scene->project, service, "A", &value, &source))
            add(scene, &line, dr_arena_format(&scene->arena, "A=%s%s", value.text, value.unknown ? "?" : ""));
        add(scene, &all, line);
    }
    return all;
}

#define MAIN "/etc/proxy/compose.yaml"
#define FILE_IS(name) "\n=== " name "\n"

static const struct {
    const char *source, *text, *shown;
} rows[] = {
    { "merge: a map is merged by keys, a list appended, a command replaced",
      FILE_IS("compose.yaml") "services:\n  a:\n    command: [one]\n    ports: [\"1:1\"]\n    environment: {A: x}\n" FILE_IS(
          "compose.override.yml") "services:\n  a:\n    command: two words\n    ports: [\"2:2\", \"1:1\"]\n"
                                  "    environment: [A=y]\n  b: {}\n",
      "a: two words :1-1>1-1 :2-2>2-2 A=y b:" },
    { "merge: !reset and !override",
      FILE_IS("compose.yaml") "services:\n  a:\n    command: one\n    ports: [\"1:1\"]\n    environment: {A: x}\n" FILE_IS(
          "compose.override.yaml") "services:\n  a:\n    command: !reset null\n    ports: !override [\"2:2\"]\n"
                                   "    environment: !reset {}\n",
      "a: :2-2>2-2" },
    { "only the first of the names of override files",
      FILE_IS("compose.yaml") "services: {a: {command: one}}\n" FILE_IS(
          "compose.override.yml") "services: {a: {command: two}}\n" FILE_IS("docker-compose.override.yml") "services: {a: "
                                                                                                           "{command: "
                                                                                                           "three}}\n",
      "a: two" },
    { "envvars: COMPOSE_FILE",
      FILE_IS("compose.yaml") "services: {a: {command: one}}\n" FILE_IS(
          "compose.override.yml") "services: {a: {command: two}}\n" FILE_IS("x.yml") "services: {a: {command: "
                                                                                     "three}}\n" FILE_IS(".env") "COMPOSE_"
                                                                                                                 "FILE="
                                                                                                                 "compose."
                                                                                                                 "yaml:x."
                                                                                                                 "yml\n",
      "a: three" },
    { "services: extends, in this file and another",
      FILE_IS("compose.yaml") "services:\n  base: {command: [b], environment: {A: x}, ports: [\"1:1\"]}\n"
                              "  a:\n    extends: base\n    ports: [\"2:2\"]\n"
                              "  c:\n    extends: {file: sub/more.yml, service: far}\n" FILE_IS(
                                  "sub/more.yml") "services:\n  far: {extends: {service: near}, environment: [A=far]}\n"
                                                  "  near: {command: near}\n",
      "base: b :1-1>1-1 A=x a: b :1-1>1-1 :2-2>2-2 A=x c: near A=far" },
    { "include: its own .env, the including project's goes first",
      FILE_IS("compose.yaml") "include:\n  - sub/c.yml\nservices:\n  a: {command: \"${X}\"}\n" FILE_IS(
          ".env") "X=outer\n" FILE_IS("sub/c.yml") "services:\n  s: {command: \"${X} ${Y}\"}\n" FILE_IS("sub/.env") "X="
                                                                                                                    "inner\n"
                                                                                                                    "Y="
                                                                                                                    "own\n",
      "s: outer own a: outer" },
    { "include: several paths, one on top of the other",
      FILE_IS("compose.yaml") "include:\n  - path: [one.yml, two.yml]\n    env_file: e.env\n" FILE_IS(
          "one.yml") "services: {s: {command: one, environment: [A]}}\n" FILE_IS("two.yml") "services: {s: {command: "
                                                                                            "two}}\n" FILE_IS("e.env") "A="
                                                                                                                       "b\n",
      "s: two A=b" },
    { "fragments: anchors and merge keys",
      FILE_IS(
          "compose.yaml") "x-base: &base\n  command: base\n  environment: &env {A: env}\nservices:\n  a:\n    <<: *base\n"
                          "    ports: [\"1:1\"]\n  b:\n    <<: [*base]\n    command: own\n    environment:\n      <<: *env\n"
                          "      A: mine\n",
      "a: base :1-1>1-1 A=env b: own A=mine" },
    { "interpolation",
      FILE_IS("compose.yaml") "services:\n  a:\n    command: [\"$X\", \"${X}\", \"${N:-d}\", \"${E-d}\", "
                              "\"${E:-d}\", \"${X:+r}\", \"${N+r}\", \"$$X\", \"${N:-${X}}\", \"${Q}\", \"${S}\"]\n" FILE_IS(
                                  ".env") "X=x\nE=\nQ=\"a$X\"\nS='a$X'\n",
      "a: x x d d r $X x ax a$X" },
    { "interpolation: without a value", FILE_IS("compose.yaml") "services:\n  a:\n    ports: [\"${P}:1\", \"${Q:?no}:2\"]\n",
      "a: :0-0>1-1 P :0-0>2-2 Q" },
    { "services: ports, long",
      FILE_IS("compose.yaml") "services:\n  a:\n    ports:\n      - {target: 80, host_ip: 127.0.0.1, "
                              "published: \"8080\", protocol: tcp, mode: host}\n      - target: 53\n        protocol: udp\n",
      "a: 127.0.0.1:8080-8080>80-80 :0-0>53-53u" },
    { "services: ports, short",
      FILE_IS("compose.yaml") "services:\n  a:\n    ports: [3000, 3000-3005, \"8000:8000\", "
                              "\"9090-9091:8080-8081\", \"127.0.0.1:5000-5010:5000-5010\", \"[::1]:6001:6001\", "
                              "\"6060:6060/udp\", \"nonsense\"]\n",
      "a: :0-0>3000-3000 :0-0>3000-3005 :8000-8000>8000-8000 :9090-9091>8080-8081 127.0.0.1:5000-5010>5000-5010 "
      "::1:6001-6001>6001-6001 :6060-6060>6060-6060u" },
    { "services: expose publishes nothing, host and service networks do not either",
      FILE_IS("compose.yaml") "services:\n  a: {expose: [\"1\"]}\n  b: {network_mode: host, ports: [\"1:1\"]}\n"
                              "  c: {network_mode: \"service:a\", ports: [\"1:1\"]}\n",
      "a: b: c:" },
    { "services: env_file",
      FILE_IS("compose.yaml") "services:\n  a: {env_file: [one.env, {path: ./two.env, required: false}]}\n"
                              "  b: {env_file: one.env, environment: {A: over}}\n  c: {env_file: none.env}\n" FILE_IS(
                                  "one.env") "A=one\n" FILE_IS("two.env") "A=two\n",
      "a: A=two b: A=over c:" },
    { "services: a variable without a value is handed on",
      FILE_IS("compose.yaml") "services:\n  a: {environment: [A]}\n"
                              "  b: {environment: {A: }}\n",
      "a: A=${A}? b: A=${A}?" },
    { "profiles",
      FILE_IS("compose.yaml") "services:\n  a: {profiles: [x]}\n  b: {profiles: [y, z]}\n" FILE_IS(
          ".env") "COMPOSE_PROFILES=q,y\n",
      "?a: b:" },
    { "services: command as text with quotes",
      FILE_IS("compose.yaml") "services:\n  a: {entrypoint: sh -c, command: \"'exec gateway "
                              "--bind lan' \\\"x y\\\"\"}\n",
      "a: sh -c exec gateway --bind lan x y" },
};

START_TEST(reads_as_compose_does)
{
    _cleanup_scene_ struct scene scene;

    look(&scene, rows[_i].text, strlen(rows[_i].text), MAIN);
    ck_assert_msg(scene.gathering.fault_count == 0, "%s", scene.gathering.fault_count ? scene.gathering.faults[0].text : "");
    ck_assert_msg(strcmp(shown(&scene), rows[_i].shown) == 0, "%s\n%s\n%s", rows[_i].source, shown(&scene), rows[_i].shown);
}
END_TEST

static const struct {
    const char *text, *fault;
    unsigned line;
} bad[] = {
    { FILE_IS("compose.yaml") "services:\n  a:\n   - b\n  c: [\n", "not readable as YAML", 5 },
    { FILE_IS("compose.yaml") "- a\n", "it holds no keys", 1 },
    { FILE_IS("compose.yaml") "services:\n  a: {extends: b}\n  b: {extends: a}\n", "round in a circle", 0 },
    { FILE_IS("compose.yaml") "services:\n  a: {extends: {file: no.yml, service: b}}\n", "no.yml could not be read", 2 },
    { FILE_IS("compose.yaml") "services:\n  a:\n    extends: b\n", "a service that is not there", 3 },
    { FILE_IS("compose.yaml") "include:\n  - compose.yaml\n  - compose.yaml\n", "round in a circle", 0 },
    { FILE_IS("compose.yaml") "include: [\"oci://x/y\"]\n", "nothing can be read", 1 },
    { FILE_IS("compose.yaml") "services: {a: {command: one}}\n" FILE_IS("compose.override.yaml") "services: {\n", "YAML",
      2 },
};

START_TEST(bad_files_are_faults)
{
    _cleanup_scene_ struct scene scene;

    look(&scene, bad[_i].text, strlen(bad[_i].text), MAIN);
    ck_assert_uint_ge(scene.gathering.fault_count, 1);
    ck_assert_msg(strstr(scene.gathering.faults[0].text, bad[_i].fault), "%s", scene.gathering.faults[0].text);
    if (bad[_i].line)
        ck_assert_uint_eq(scene.gathering.faults[0].source.line, bad[_i].line);
}
END_TEST

enum { MANY = 200000 };

START_TEST(large_files_end)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(64 * MEGABYTE);
    _cleanup_scene_ struct scene scene = { 0 };
    static const char head[] = FILE_IS("compose.yaml") "x: &x\n", tail[] = "services:\n  <<: *x\n  a: {command: one}\n";
    size_t room = sizeof(head) + sizeof(tail) + MANY * (size_t)16, at = sizeof(head) - 1;
    char *text = dr_arena_alloc(&arena, room);

    ck_assert_ptr_nonnull(text);
    memcpy(text, head, sizeof(head));
    for (unsigned i = 0; i < MANY; i++)
        at += (size_t)snprintf(text + at, room - at, "  k%u: {}\n", i);
    (void)snprintf(text + at, room - at, "%s", tail);
    look(&scene, text, strlen(text), MAIN);
    ck_assert_uint_ge(scene.gathering.fault_count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compose-files");
    TCase *cases = tcase_create("compose-files");

    tcase_add_loop_test(cases, reads_as_compose_does, 0, (int)DR_COUNT(rows));
    tcase_add_loop_test(cases, bad_files_are_faults, 0, (int)DR_COUNT(bad));
    tcase_add_test(cases, large_files_end);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
