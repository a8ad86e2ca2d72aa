/* The devices fact on homes that real releases left behind, and on files that are broken in every way. */
#include "api/install.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "facts/devices_store.h"
#include "facts/identity_key.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[64];
static struct dr_arena arena;
static struct dr_request request;
static struct dr_context context;
static struct dr_devices devices;

static void run(const char *const *arguments)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execvp(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/dr-devices-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    arena = (struct dr_arena)DR_ARENA(256 << 20);
    request = (struct dr_request){ .root_fd = AT_FDCWD, .proc = "/proc", .now_ms = 1795229000000 };
    context = (struct dr_context){ .arena = &arena, .request = &request };
}

static void teardown(void)
{
    run((const char *const[]){ "rm", "-rf", folder, NULL });
    dr_arena_release(&arena);
}

/* tests name a capture by its beginning: "s02" */
static void unpack(const char *name)
{
    char path[512] = "";
    DIR *captures = opendir(DR_SOURCE_DIR "/fixtures/captures");

    ck_assert_ptr_nonnull(captures);
    for (struct dirent *entry; (entry = readdir(captures));)
        if (strncmp(entry->d_name, name, strlen(name)) == 0)
            (void)snprintf(path, sizeof(path), DR_SOURCE_DIR "/fixtures/captures/%s", entry->d_name);
    (void)closedir(captures);
    run((const char *const[]){ "tar", "-xzf", path, "-C", folder, "--no-same-owner", NULL });
}

static const struct dr_devices *read_home(void)
{
    static char state[96];

    (void)snprintf(state, sizeof(state), "%s/.openclaw", folder);
    dr_devices_read(&context, state, NULL, false, &devices);
    return &devices;
}

static void write_file(const char *name, const void *bytes, size_t length)
{
    char path[192];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/.openclaw", folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/.openclaw/%.*s", folder, (int)(strchr(name, '/') - name), name);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/.openclaw/%s", folder, name);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static const struct home {
    const char *name;
    enum dr_fact_state fact;
    enum dr_store_kind pairing, identity;
    enum dr_fact_state identity_fact;
    size_t paired, pending, cached, elsewhere;
    enum dr_store_file_state paired_file, pending_file, database;
} homes[] = {
    { "a0", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 1, 0, 1, 0, DR_FILE_GOOD, DR_FILE_GOOD, DR_FILE_MISSING },
    { "a2", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 1, 1, 1, 0, DR_FILE_GOOD, DR_FILE_GOOD, DR_FILE_MISSING },
    { "e1", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_ABSENT, 1, 0, 0, 0, DR_FILE_GOOD, DR_FILE_GOOD, DR_FILE_MISSING },
    { "l1", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 0, 0, 1, 0, DR_FILE_TRUNCATED, DR_FILE_GOOD, DR_FILE_MISSING },
    { "l2", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 1, 0, 1, 0, DR_FILE_GOOD, DR_FILE_TRUNCATED, DR_FILE_MISSING },
    { "m1", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 0, 0, 1, 0, DR_FILE_ARRAY, DR_FILE_GOOD, DR_FILE_MISSING },
    { "m2", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 1, 0, 1, 0, DR_FILE_GOOD, DR_FILE_ARRAY, DR_FILE_MISSING },
    { "s01", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 1, 0, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s02", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 1, 0, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s05", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 0, 0, 0, 1, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s08", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 6, 2, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s09", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_ABSENT, 6, 2, 0, 0, DR_FILE_GOOD, DR_FILE_GOOD, DR_FILE_GOOD },
    { "s10", DR_UNKNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_UNKNOWN, 0, 0, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_INVALID },
    { "s13", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_ABSENT, 0, 0, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s14", DR_UNKNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_UNKNOWN, 0, 0, 0, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_NEWER_SCHEMA },
    { "s16", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 2, 0, 1, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
    { "s21", DR_KNOWN, DR_STORE_JSON, DR_STORE_JSON, DR_KNOWN, 2, 1, 1, 0, DR_FILE_GOOD, DR_FILE_GOOD, DR_FILE_MISSING },
    { "s23", DR_KNOWN, DR_STORE_SQLITE, DR_STORE_SQLITE, DR_KNOWN, 2, 0, 1, 0, DR_FILE_MISSING, DR_FILE_MISSING,
      DR_FILE_GOOD },
};

START_TEST(captured_home)
{
    const struct home *home = &homes[_i];

    unpack(home->name);
    const struct dr_devices *found = read_home();

    ck_assert_msg(found->fact.state == home->fact, "%s: %s", home->name, found->fact.reason);
    ck_assert_msg(found->pairing_store == home->pairing, "%s: pairing store", home->name);
    ck_assert_msg(found->identity_store == home->identity, "%s: identity store", home->name);
    ck_assert_msg(found->identity.fact.state == home->identity_fact, "%s: identity", home->name);
    ck_assert_msg(found->paired_count == home->paired && found->paired_total == home->paired, "%s: %zu paired", home->name,
                  found->paired_count);
    ck_assert_msg(found->pending_count == home->pending, "%s: %zu pending", home->name, found->pending_count);
    ck_assert_msg(found->cached_count == home->cached, "%s: %zu cached", home->name, found->cached_count);
    ck_assert_msg(found->elsewhere_count == home->elsewhere, "%s: %zu elsewhere", home->name, found->elsewhere_count);
    ck_assert_msg(found->paired_file.state == home->paired_file, "%s: paired.json %d", home->name, found->paired_file.state);
    ck_assert_msg(found->pending_file.state == home->pending_file, "%s: pending.json", home->name);
    ck_assert_msg(found->database.state == home->database, "%s: database %d %s", home->name, found->database.state,
                  found->database.reason);
    for (size_t i = 0; i < found->paired_count; i++)
        ck_assert_msg(!found->paired[i].malformed && found->paired[i].token_count == 1 && found->paired[i].scopes &&
                          strcmp(found->paired[i].public_key_id, found->paired[i].device_id) == 0,
                      "%s: record %zu: %s", home->name, i, found->paired[i].malformed);
    if (found->identity.fact.state == DR_KNOWN) {
        ck_assert_ptr_null(found->identity.key_problem);
        ck_assert(found->identity.private_matches);
        ck_assert_str_eq(found->identity.device_id, found->identity.public_key_id);
    }
}
END_TEST

START_TEST(damage_anywhere_in_the_database_is_seen)
{
    unpack("s11");
    const struct dr_devices *found = read_home();

    ck_assert_int_eq(found->fact.state, DR_UNKNOWN);
    ck_assert_int_eq(found->database.state, DR_FILE_INVALID);
    ck_assert_ptr_nonnull(found->database.reason);
}
END_TEST

START_TEST(a_newer_schema_says_who_wrote_it)
{
    unpack("s14");
    const struct dr_devices *found = read_home();

    ck_assert_int_eq(found->schema_version, 99);
    ck_assert_str_eq(found->app_version, "2026.9.6");
}
END_TEST

START_TEST(a_header_that_is_none_gets_libmagics_words)
{
    unpack("s10");
    const struct dr_devices *found = read_home();

    ck_assert_str_eq(found->database.reason, "file is not a database");
    ck_assert_ptr_nonnull(found->database.looks_like);
}
END_TEST

START_TEST(an_older_release_reads_json_whatever_the_database_holds)
{
    static const struct dr_rules older = { .pairing_in_sqlite = false };
    char state[96];

    unpack("s09");
    (void)snprintf(state, sizeof(state), "%s/.openclaw", folder);
    dr_devices_read(&context, state, &older, true, &devices);
    ck_assert_int_eq(devices.pairing_store, DR_STORE_JSON);
    ck_assert_uint_eq(devices.paired_count, 1);
    ck_assert_str_eq(devices.paired[0].display_name, "legacy");
    ck_assert_int_eq(devices.identity.fact.state, DR_ABSENT);
}
END_TEST

static const struct broken {
    const char *text;
    enum dr_store_file_state state;
    const char *reason;
} broken[] = {
    { "", DR_FILE_EMPTY, "it is empty" },
    { " \n\t", DR_FILE_EMPTY, "it holds only white space" },
    { "{", DR_FILE_TRUNCATED, "line 1" },
    { "{\n  \"a\": {\"deviceId\": \"x", DR_FILE_TRUNCATED, "line 2" },
    { "[]", DR_FILE_ARRAY, "array" },
    { "[{\"deviceId\":\"a\"}]", DR_FILE_ARRAY, "array" },
    { "{\"a\": 1,}", DR_FILE_INVALID, "line 1, column 9" },
    { "{'a': 1}", DR_FILE_INVALID, "line 1, column 2" },
    { "// note\n{}", DR_FILE_INVALID, "line 1, column 1" },
    { "null", DR_FILE_INVALID, "it holds a null where an object belongs" },
    { "\"{}\"", DR_FILE_INVALID, "it holds a string where an object belongs" },
    { "\x1f\x8b\x08 gzip", DR_FILE_INVALID, "line 1" },
};

START_TEST(broken_file)
{
    write_text("devices/paired.json", broken[_i].text);
    const struct dr_devices *found = read_home();

    ck_assert_msg(found->paired_file.state == broken[_i].state, "%s: %d", broken[_i].text, found->paired_file.state);
    ck_assert_msg(strstr(found->paired_file.reason, broken[_i].reason) != NULL, "%s: %s", broken[_i].text,
                  found->paired_file.reason);
    ck_assert_int_eq(found->pairing_store, DR_STORE_JSON);
    ck_assert_uint_eq(found->paired_count, 0);
    ck_assert_ptr_nonnull(found->paired_file.sha256);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_do_not_break_a_file_for_node)
{
    write_text("devices/paired.json", "{\"a\": {\"deviceId\": \"a\", \"displayName\": \"\xff\xfe\"}}");
    const struct dr_devices *found = read_home();

    ck_assert_int_eq(found->paired_file.state, DR_FILE_GOOD);
    ck_assert_str_eq(found->paired[0].display_name, "??");
}
END_TEST

START_TEST(deeper_than_we_follow_is_unknown_not_broken)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);

    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(dr_buffer_append_text(&text, "{\"a\":"), 0);
    write_file("devices/paired.json", text.data, text.length);
    const struct dr_devices *found = read_home();

    ck_assert_int_eq(found->fact.state, DR_UNKNOWN);
    ck_assert_int_eq(found->paired_file.state, DR_FILE_UNREADABLE);
}
END_TEST

START_TEST(malformed_records_are_kept_among_good_ones)
{
    write_text("devices/paired.json",
               "{\"a\": 7, \"b\": {\"deviceId\": \"b\"}, \"c\": {\"deviceId\": \"c\", \"publicKey\": \"!\"},\n"
               "\"d\": {\"deviceId\": \"d\", \"publicKey\": \"B1-IeYpYyV4AAN4rQYWojWHB0oU1tGWIzaWu82uUxqw\","
               "\"scopes\": \"none\", \"createdAtMs\": 1, \"approvedAtMs\": 2}}");
    const struct dr_devices *found = read_home();

    ck_assert_uint_eq(found->paired_count, 4);
    ck_assert_str_eq(found->paired[0].malformed, "the record is a number, not an object");
    ck_assert_str_eq(found->paired[1].malformed, "no publicKey");
    ck_assert_str_eq(found->paired[2].malformed, "publicKey is no Ed25519 key");
    ck_assert_ptr_null(found->paired[3].malformed);
    ck_assert_ptr_null(found->paired[3].scopes);
    ck_assert_str_eq(found->paired[3].public_key_id, "4d177596703bac5d17ad4ab682037c5bb7218a0526f233739d81bc7c84c0d11a");
    ck_assert_uint_eq(found->paired[3].source.line, 2);
}
END_TEST

START_TEST(a_hundred_thousand_pending_records)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(64 << 20);

    ck_assert_int_eq(dr_buffer_append_byte(&text, '{'), 0);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(
            dr_buffer_appendf(&text,
                              "%s\"r%d\": {\"requestId\": \"r%d\", \"deviceId\": \"d%d\", \"publicKey\": "
                              "\"B1-IeYpYyV4AAN4rQYWojWHB0oU1tGWIzaWu82uUxqw\", \"platform\": \"linux\", "
                              "\"role\": \"operator\", \"roles\": [\"operator\"], \"scopes\": [\"operator.read\"],"
                              "\"silent\": false, \"ts\": 1795224627736}\n",
                              i > 0 ? "," : "", i, i, i),
            0);
    ck_assert_int_eq(dr_buffer_append_byte(&text, '}'), 0);
    write_file("devices/pending.json", text.data, text.length);
    const struct dr_devices *found = read_home();

    ck_assert_uint_eq(found->pending_total, 100000);
    ck_assert_uint_eq(found->pending_count, DR_MOST_PENDING);
    ck_assert_str_eq(found->pending[DR_MOST_PENDING - 1].device_id, "d24999");
    ck_assert_uint_lt(arena.used, 48 << 20);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    char path[192];

    unpack("a0");
    (void)snprintf(path, sizeof(path), "%s/.openclaw/devices/paired.json", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    const struct dr_devices *found = read_home();

    ck_assert_int_eq(found->fact.state, DR_UNKNOWN);
    ck_assert_int_eq(found->paired_file.state, DR_FILE_UNREADABLE);
}
END_TEST

START_TEST(every_secret_is_made_known)
{
    static const char *const secrets[] = { "m4gC0V5TaocsDhF7XPiZHssP7NC4ijDM5jFpGkyF5L0",
                                           "MC4CAQAwBQYDK2VwBCIEIIi7i1WNU8GQheHDMu4YvvKVpqw3jGSrMSKke2/aOxjk" };

    unpack("a0");
    (void)read_home();
    for (size_t i = 0; i < DR_COUNT(secrets); i++) {
        _cleanup_buffer_ struct dr_buffer shown = DR_BUFFER(1024);

        ck_assert_int_eq(dr_secret_redact(&context, secrets[i], strlen(secrets[i]), &shown), 0);
        ck_assert_ptr_null(strstr(dr_buffer_text(&shown), secrets[i]));
    }
}
END_TEST

#define PEM_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAB1+IeYpYyV4AAN4rQYWojWHB0oU1tGWIzaWu82uUxqw=\n-----END PUBLIC KEY-----\n"
#define PEM_PRIVATE                                                                                   \
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIi7i1WNU8GQheHDMu4YvvKVpqw3jGSrMSKke2/aOxjk\n" \
    "-----END PRIVATE KEY-----\n"

START_TEST(keys_are_read_and_belong_together)
{
    uint8_t key[DR_KEY_BYTES], seed[DR_KEY_BYTES], raw[DR_KEY_BYTES];
    char id[DR_SHA256_HEX];
    bool matches = false;

    ck_assert_ptr_null(dr_key_from_public_pem(PEM_PUBLIC, key));
    ck_assert_ptr_null(dr_key_from_private_pem(PEM_PRIVATE, seed));
    ck_assert(dr_key_from_raw("B1-IeYpYyV4AAN4rQYWojWHB0oU1tGWIzaWu82uUxqw", raw));
    ck_assert_mem_eq(key, raw, sizeof(raw));
    ck_assert_int_eq(dr_key_id(key, id), 0);
    ck_assert_str_eq(id, "4d177596703bac5d17ad4ab682037c5bb7218a0526f233739d81bc7c84c0d11a");
    ck_assert_int_eq(dr_key_matches(seed, key, &matches), 0);
    ck_assert(matches);
    key[0] ^= 1;
    ck_assert_int_eq(dr_key_matches(seed, key, &matches), 0);
    ck_assert(!matches);
}
END_TEST

START_TEST(what_is_no_key_is_said_to_be_none)
{
    uint8_t key[DR_KEY_BYTES];

    ck_assert_str_eq(dr_key_from_public_pem("garbage", key), "the public key is no PEM text");
    ck_assert_str_eq(dr_key_from_public_pem(PEM_PRIVATE, key), "the public key is no PEM text");
    ck_assert_str_eq(dr_key_from_private_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", key),
                     "the private key is no Ed25519 key");
    ck_assert_str_eq(dr_key_from_private_pem("-----BEGIN PRIVATE KEY-----\n%%%%\n-----END PRIVATE KEY-----", key),
                     "the private key's PEM text is damaged");
    ck_assert(!dr_key_from_raw("", key));
    ck_assert(!dr_key_from_raw("B1-IeYpYyV4AAN4rQYWojWHB0oU1tGWIzaWu82uUxqwAAAA", key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("devices");
    TCase *tests = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, captured_home, 0, (int)DR_COUNT(homes));
    tcase_add_loop_test(tests, broken_file, 0, (int)DR_COUNT(broken));
    tcase_add_test(tests, damage_anywhere_in_the_database_is_seen);
    tcase_add_test(tests, a_newer_schema_says_who_wrote_it);
    tcase_add_test(tests, a_header_that_is_none_gets_libmagics_words);
    tcase_add_test(tests, an_older_release_reads_json_whatever_the_database_holds);
    tcase_add_test(tests, bytes_that_are_no_utf8_do_not_break_a_file_for_node);
    tcase_add_test(tests, deeper_than_we_follow_is_unknown_not_broken);
    tcase_add_test(tests, malformed_records_are_kept_among_good_ones);
    tcase_add_test(tests, a_hundred_thousand_pending_records);
    tcase_add_test(tests, a_link_is_not_followed);
    tcase_add_test(tests, every_secret_is_made_known);
    tcase_add_test(tests, keys_are_read_and_belong_together);
    tcase_add_test(tests, what_is_no_key_is_said_to_be_none);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
