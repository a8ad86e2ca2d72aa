#include "api/tokens.h"

#include "api/gateway.h"
#include "api/install.h"
#include "api/target.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "facts/context.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scratch home; the release is given as --openclaw-version would. */
static char home[] = "/tmp/dr-tokens-XXXXXX";
static struct dr_arena arena;
static struct dr_request request;
static struct dr_target target;
static struct dr_context context;
static const char *environment[8];
static char state_dir[64], work[64];

static const char *in_home(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", home, name);
    return path;
}

static void put(const char *name, const char *text)
{
    char command[1024];

    (void)snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", in_home(name));
    ck_assert_int_eq(system(command), 0);
    FILE *stream = fopen(in_home(name), "w");

    ck_assert_ptr_nonnull(stream);
    (void)fputs(text, stream);
    (void)fclose(stream);
}

static void begin(void)
{
    (void)memcpy(home + strlen(home) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(home));
    (void)snprintf(state_dir, sizeof(state_dir), "%s/.openclaw", home);
    (void)snprintf(work, sizeof(work), "%s/work", home);
    (void)memset(environment, 0, sizeof(environment));
    environment[0] = "PATH=/nonexistent";
    arena = (struct dr_arena)DR_ARENA(16 * 1024 * 1024);
    request = (struct dr_request){
        .root_fd = AT_FDCWD,
        .environment = environment,
        .proc = "/nonexistent",
        .openclaw_version = "2026.2.19",
        .working_directory = work,
    };
    target = (struct dr_target){ .fact.state = DR_KNOWN, .home = home, .state_dir = state_dir, .user = "oc" };
    context = (struct dr_context){ .arena = &arena, .request = &request, .target = &target };
    target.config_path = dr_strdup(&context, in_home(".openclaw/openclaw.json"));
    put("work/x", "");
}

static void end(void)
{
    char command[128];

    dr_arena_release(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", home);
    ck_assert_int_eq(system(command), 0);
}

#define LOCAL "{ // mine\n  gateway: { mode: 'local', auth: { mode: 'token', token: 'tok-config-0123456789' } },\n}\n"

static void assert_won(const struct dr_token_place *place, enum dr_token_place_kind kind, const char *value)
{
    ck_assert_ptr_nonnull(place);
    ck_assert_int_eq(place->kind, kind);
    ck_assert_str_eq(place->value, value);
}

START_TEST(one_token_in_the_configuration_is_all_of_them)
{
    put(".openclaw/openclaw.json", LOCAL);

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_int_eq(tokens->fact.state, DR_KNOWN);
    ck_assert_uint_eq(tokens->count, 1);
    assert_won(tokens->server, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
    ck_assert_ptr_eq(tokens->client, tokens->server);
    ck_assert_ptr_null(tokens->service);
    ck_assert_str_eq(tokens->auth_mode, "token");
    ck_assert_uint_eq(tokens->server->source.line, 2);
    ck_assert_uint_eq(tokens->server->value_length, strlen(tokens->server->value));
    ck_assert_ptr_null(tokens->server->not_editable);
    ck_assert_ptr_null(dr_token_not_copyable(tokens->server));
}
END_TEST

/* openclaw-2026.2 section 3: env beats config on the client, config beats env on the server. */
START_TEST(until_2026_8_the_client_prefers_the_environment)
{
    put(".openclaw/openclaw.json", LOCAL);
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=tok-env-0123456789";

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->server, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
    assert_won(tokens->client, DR_PLACE_ENVIRONMENT, "tok-env-0123456789");
}
END_TEST

/* openclaw-2026.9 section 3.5: a wrong variable is ignored when the configuration has a token. */
START_TEST(from_2026_8_the_client_prefers_the_configuration)
{
    put(".openclaw/openclaw.json", LOCAL);
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=tok-env-0123456789";
    request.openclaw_version = "2026.9.6";

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->client, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
    ck_assert_uint_eq(tokens->count, 2);
}
END_TEST

START_TEST(dotenvs_are_read_in_order_and_do_not_override)
{
    put(".openclaw/openclaw.json", LOCAL);
    put("work/.env", "# here\nexport OPENCLAW_GATEWAY_TOKEN='tok-here-0123456789' # mine\n");
    put(".openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=tok-state-0123456789\n");

    const struct dr_tokens *tokens = dr_tokens(&context);
    const struct dr_token_place *client = tokens->client;

    assert_won(client, DR_PLACE_CWD_DOTENV, "tok-here-0123456789");
    ck_assert_uint_eq(client->source.line, 2);
    ck_assert_uint_eq(client->value_length, strlen(client->value));
}
END_TEST

START_TEST(the_environment_hides_the_dotenvs)
{
    put(".openclaw/openclaw.json", LOCAL);
    put(".openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=tok-state-0123456789\n");
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=";

    const struct dr_tokens *tokens = dr_tokens(&context);

    /* Set to nothing, it hides the file and counts as not set. */
    assert_won(tokens->client, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
}
END_TEST

START_TEST(the_working_directorys_dotenv_is_ignored_from_2026_8)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local'}}");
    put("work/.env", "OPENCLAW_GATEWAY_TOKEN=tok-here-0123456789\n");
    put(".config/openclaw/gateway.env", "OPENCLAW_GATEWAY_TOKEN=tok-global-0123456789\n");
    request.openclaw_version = "2026.9.6";

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->client, DR_PLACE_GATEWAY_DOTENV, "tok-global-0123456789");
    ck_assert_uint_eq(tokens->count, 2);
    ck_assert(tokens->places[0].ignored);
}
END_TEST

START_TEST(the_old_name_is_a_clients_only)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local'}}");
    environment[1] = "CLAWDBOT_GATEWAY_TOKEN=tok-old-0123456789";

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_ptr_null(tokens->server);
    assert_won(tokens->client, DR_PLACE_ENVIRONMENT, "tok-old-0123456789");
}
END_TEST

START_TEST(the_old_name_is_not_read_from_2026_8)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local'}}");
    environment[1] = "CLAWDBOT_GATEWAY_TOKEN=tok-old-0123456789";
    request.openclaw_version = "2026.9.6";
    ck_assert_uint_eq(dr_tokens(&context)->count, 0);
}
END_TEST

#define REMOTE \
    "{gateway:{mode:'remote',auth:{token:'tok-auth-0123456789'},remote:{url:'wss://x',token:'tok-remote-0123456789'}}}"

START_TEST(remote_mode_reads_only_remote)
{
    put(".openclaw/openclaw.json", REMOTE);
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=tok-env-0123456789";

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->client, DR_PLACE_CONFIG_REMOTE, "tok-remote-0123456789");
    ck_assert_ptr_null(tokens->server);
    ck_assert_str_eq(tokens->mode, "remote");
}
END_TEST

START_TEST(remote_mode_falls_back_from_2026_8)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'remote',auth:{token:'tok-auth-0123456789'},remote:{url:'wss://x'}}}");
    request.openclaw_version = "2026.9.6";
    assert_won(dr_tokens(&context)->client, DR_PLACE_CONFIG_AUTH, "tok-auth-0123456789");
}
END_TEST

START_TEST(remote_mode_does_not_fall_back_before)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'remote',auth:{token:'tok-auth-0123456789'},remote:{url:'wss://x'}}}");
    ck_assert_ptr_null(dr_tokens(&context)->client);
}
END_TEST

START_TEST(the_server_falls_back_to_remote_from_2026_8)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local',remote:{token:'tok-remote-0123456789'}}}");
    request.openclaw_version = "2026.9.6";
    assert_won(dr_tokens(&context)->server, DR_PLACE_CONFIG_REMOTE, "tok-remote-0123456789");
}
END_TEST

START_TEST(passwords_win_where_passwords_are_asked)
{
    put(".openclaw/openclaw.json",
        "{gateway:{mode:'local',auth:{password:'hunter2-hunter2',token:'tok-config-0123456789'}}}");
    environment[1] = "OPENCLAW_GATEWAY_PASSWORD=other-password";

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_str_eq(tokens->auth_mode, "password");
    assert_won(tokens->server, DR_PLACE_CONFIG_AUTH, "hunter2-hunter2");
    assert_won(tokens->client, DR_PLACE_ENVIRONMENT, "other-password");
}
END_TEST

#define UNIT ".config/systemd/user/openclaw-gateway.service"

START_TEST(the_service_has_its_own_environment)
{
    put(".openclaw/openclaw.json", LOCAL);
    put(UNIT, "[Service]\nExecStart=/x\nEnvironment=OPENCLAW_GATEWAY_TOKEN=tok-unit-0123456789\n");

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->server, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
    assert_won(tokens->client, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
    assert_won(tokens->service, DR_PLACE_UNIT, "tok-unit-0123456789");
    ck_assert_str_eq(tokens->service->service, "openclaw-gateway.service");
    ck_assert_ptr_nonnull(tokens->service->restart);
}
END_TEST

START_TEST(a_drop_in_replaces_the_unit)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local'}}");
    put(UNIT, "[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=tok-unit-0123456789\n");
    put(UNIT ".d/10.conf", "[Service]\nEnvironment=\"OPENCLAW_GATEWAY_TOKEN=tok-drop-0123456789\"\n");

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->server, DR_PLACE_UNIT, "tok-drop-0123456789");
    ck_assert_uint_eq(tokens->count, 2);
    ck_assert(tokens->places[0].ignored);
    ck_assert_ptr_null(tokens->client);
}
END_TEST

/* The gateway resolves ${NAME} with what the service has, a shell with what the shell has. */
START_TEST(a_reference_is_resolved_by_whom_it_concerns)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local',auth:{token:'${OPENCLAW_GATEWAY_TOKEN}'}}}");
    put(UNIT, "[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=tok-unit-0123456789\n");
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=tok-env-0123456789";

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->server, DR_PLACE_UNIT, "tok-unit-0123456789");
    assert_won(tokens->client, DR_PLACE_ENVIRONMENT, "tok-env-0123456789");
}
END_TEST

START_TEST(a_reference_that_nobody_sets_is_said)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local',auth:{token:'${OPENCLAW_GATEWAY_TOKEN}'}}}");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_ptr_null(tokens->server);
    ck_assert_str_eq(tokens->reference_unset, "OPENCLAW_GATEWAY_TOKEN");
}
END_TEST

START_TEST(compose_dotenvs_of_this_state_are_found)
{
    put(".openclaw/openclaw.json", LOCAL);
    put("openclaw/docker-compose.yml", "services: {}\n");
    put("openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=tok-compose-0123456789\n");
    put("openclaw-other/compose.yaml", "services: {}\n");
    put("openclaw-other/.env", "OPENCLAW_CONFIG_DIR=/srv/other\nOPENCLAW_GATEWAY_TOKEN=tok-other-0123456789\n");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_uint_eq(tokens->count, 2);
    ck_assert_int_eq(tokens->places[1].kind, DR_PLACE_COMPOSE_DOTENV);
    ck_assert_str_eq(tokens->places[1].value, "tok-compose-0123456789");
    assert_won(tokens->client, DR_PLACE_CONFIG_AUTH, "tok-config-0123456789");
}
END_TEST

START_TEST(a_broken_configuration_leaves_the_rest_known)
{
    put(".openclaw/openclaw.json", "{\n  \"gateway\": {\n");
    put(".openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=tok-state-0123456789\n");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_int_eq(tokens->fact.state, DR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(tokens->fact.reason, "openclaw.json:3"));
    ck_assert_uint_eq(tokens->count, 1);
    ck_assert_ptr_null(tokens->server);
}
END_TEST

START_TEST(a_dotenv_that_cannot_be_read_is_said)
{
    put(".openclaw/openclaw.json", LOCAL);
    put(".openclaw/.env/is-a-folder", "");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_uint_eq(tokens->not_read_count, 1);
    ck_assert_ptr_nonnull(strstr(tokens->not_read[0].source.path, "/.openclaw/.env"));
}
END_TEST

START_TEST(secret_stores_are_said)
{
    put(".openclaw/openclaw.json", "{gateway:{mode:'local',auth:{token:{source:'exec',provider:'x',id:'y'}}}}");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert(tokens->secret_reference);
    ck_assert_uint_eq(tokens->not_read_count, 1);
}
END_TEST

START_TEST(linked_dotenvs_are_read_and_not_edited)
{
    char target_path[512];

    put(".openclaw/openclaw.json", LOCAL);
    put("dotfiles/env", "OPENCLAW_GATEWAY_TOKEN=tok-state-0123456789\n");
    (void)snprintf(target_path, sizeof(target_path), "%s", in_home("dotfiles/env"));
    ck_assert_int_eq(symlink(target_path, in_home(".openclaw/.env")), 0);
    ck_assert_ptr_nonnull(dr_tokens(&context)->client->not_editable);
}
END_TEST

START_TEST(every_value_is_known_as_a_secret)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(1024);
    static const char text[] = "x tok-config-0123456789 tok-env-0123456789 y";

    put(".openclaw/openclaw.json", LOCAL);
    environment[1] = "OPENCLAW_GATEWAY_TOKEN=tok-env-0123456789";
    (void)dr_tokens(&context);
    ck_assert_int_eq(dr_secret_redact(&context, text, strlen(text), &buffer), 0);
    ck_assert_ptr_null(strstr(dr_buffer_text(&buffer), "tok-"));
}
END_TEST

/* A gateway at work, as pid 77 of a /proc of our own. */
static void run_gateway(const char *variables, size_t length)
{
    struct dr_gateway *gateway = dr_alloc(&context, sizeof(*gateway));

    put("proc/77/environ", "");
    FILE *stream = fopen(in_home("proc/77/environ"), "w");

    ck_assert_uint_eq(fwrite(variables, 1, length, stream), length);
    (void)fclose(stream);
    gateway->fact.state = DR_KNOWN;
    gateway->pid = 77;
    context.gateway = gateway;
    request.proc = dr_strdup(&context, in_home("proc"));
}

START_TEST(the_running_gateway_has_its_own_environment)
{
    static const char variables[] = "HOME=/x\0OPENCLAW_GATEWAY_TOKEN=tok-run-0123456789\0X=1";

    put(".openclaw/openclaw.json", "{gateway:{mode:'local'}}");
    put(UNIT, "[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=tok-unit-0123456789\n");
    run_gateway(variables, sizeof(variables));

    const struct dr_tokens *tokens = dr_tokens(&context);

    assert_won(tokens->server, DR_PLACE_RUNNING, "tok-run-0123456789");
    ck_assert_ptr_nonnull(dr_token_not_copyable(tokens->server));
}
END_TEST

START_TEST(a_gateway_that_cannot_be_looked_into_is_said)
{
    put(".openclaw/openclaw.json", LOCAL);
    run_gateway("", 0);
    put("proc/77/x", "");
    ck_assert_int_eq(unlink(in_home("proc/77/environ")), 0);
    put("proc/77/environ/is-a-folder", "");

    const struct dr_tokens *tokens = dr_tokens(&context);

    ck_assert_uint_eq(tokens->not_read_count, 1);
    ck_assert_ptr_nonnull(strstr(tokens->not_read[0].reason, "pid 77"));
}
END_TEST

static const struct {
    const char *json; /* as spelt in JSON */
    unsigned flaws;
    const char *clean;
} flaw_rows[] = {
    { "tok-0123456789", 0, "tok-0123456789" },
    { "tok-0123456789\\n", DR_FLAW_SPACE, "tok-0123456789" },
    { " tok-0123456789", DR_FLAW_SPACE, "tok-0123456789" },
    { "tok-0123456789\\u00a0", DR_FLAW_SPACE, "tok-0123456789" },
    { "tok-\\u200b0123456789", DR_FLAW_INVISIBLE, "tok-0123456789" },
    { "tok-\\t0123456789", DR_FLAW_INVISIBLE, "tok-0123456789" },
    { "\\\"tok-0123456789\\\"", DR_FLAW_QUOTES, "tok-0123456789" },
    { " 'tok-0123456789\\r'", DR_FLAW_SPACE | DR_FLAW_QUOTES | DR_FLAW_INVISIBLE, "tok-0123456789" },
    { "pass with spaces", 0, "pass with spaces" },
    { "undefined", DR_FLAW_SENTINEL, "undefined" },
    { " null ", DR_FLAW_SPACE | DR_FLAW_SENTINEL, "null" },
    { "***", DR_FLAW_SENTINEL, "***" },
    { "__OPENCLAW_REDACTED__", DR_FLAW_SENTINEL, "__OPENCLAW_REDACTED__" },
    { "[object Object]", DR_FLAW_SENTINEL, "[object Object]" },
    { "change-me-now", DR_FLAW_SENTINEL, "change-me-now" },
    { "\\u200b", DR_FLAW_INVISIBLE, "" },
    { "", DR_FLAW_EMPTY, "" },
    { "  ", DR_FLAW_EMPTY, "" },
    { "tök-0123456789", 0, "tök-0123456789" },
};

START_TEST(flaws_of_a_value_are_named)
{
    char json[512];

    (void)snprintf(json, sizeof(json), "{gateway:{mode:'local',auth:{token:\"%s\"}}}", flaw_rows[_i].json);
    put(".openclaw/openclaw.json", json);

    const struct dr_token_place *place = &dr_tokens(&context)->places[0];

    ck_assert_msg(place->flaws == flaw_rows[_i].flaws, "%s: %x", flaw_rows[_i].json, place->flaws);
    ck_assert_str_eq(place->clean, flaw_rows[_i].clean);
}
END_TEST

int main(void)
{
    const TTest *const all[] = {
        one_token_in_the_configuration_is_all_of_them,
        until_2026_8_the_client_prefers_the_environment,
        from_2026_8_the_client_prefers_the_configuration,
        dotenvs_are_read_in_order_and_do_not_override,
        the_environment_hides_the_dotenvs,
        the_working_directorys_dotenv_is_ignored_from_2026_8,
        the_old_name_is_a_clients_only,
        the_old_name_is_not_read_from_2026_8,
        remote_mode_reads_only_remote,
        remote_mode_falls_back_from_2026_8,
        remote_mode_does_not_fall_back_before,
        the_server_falls_back_to_remote_from_2026_8,
        passwords_win_where_passwords_are_asked,
        the_service_has_its_own_environment,
        a_drop_in_replaces_the_unit,
        a_reference_is_resolved_by_whom_it_concerns,
        a_reference_that_nobody_sets_is_said,
        compose_dotenvs_of_this_state_are_found,
        a_broken_configuration_leaves_the_rest_known,
        a_dotenv_that_cannot_be_read_is_said,
        secret_stores_are_said,
        linked_dotenvs_are_read_and_not_edited,
        every_value_is_known_as_a_secret,
        the_running_gateway_has_its_own_environment,
        a_gateway_that_cannot_be_looked_into_is_said,
    };
    Suite *suite = suite_create("tokens");
    TCase *tests = tcase_create("tokens");

    tcase_add_checked_fixture(tests, begin, end);
    for (size_t i = 0; i < DR_COUNT(all); i++)
        tcase_add_test(tests, all[i]);
    tcase_add_loop_test(tests, flaws_of_a_value_are_named, 0, (int)DR_COUNT(flaw_rows));
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
