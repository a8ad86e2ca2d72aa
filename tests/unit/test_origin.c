/* api/origin.h: each row was asked of a real gateway of its release (tests/real/scenario_evidence.py asks hundreds more). */
#include "api/origin.h"

#include "base/cleanup.h"
#include "facts/release.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define OLD "2026.2.19"
#define NEW "2026.9.6"
#define PAGE "https://gw.example.com"

static struct dr_rules rules_of(const char *release)
{
    struct dr_release parsed;
    struct dr_rules rules;

    ck_assert(dr_release_parse(release, &parsed));
    dr_rules_fill(&parsed, &rules);
    return rules;
}

static const struct {
    const char *release, *entry, *origin, *host;
    bool direct_local, allowed;
} asked[] = {
    { OLD, PAGE, PAGE, "127.0.0.1:18789", false, true },
    { OLD, " HTTPS://GW.example.com ", PAGE, "127.0.0.1:18789", false, true },
    { OLD, PAGE, "https://gw.example.com:443", "127.0.0.1:18789", false, true },
    { OLD, PAGE "/", PAGE, "127.0.0.1:18789", false, false },
    { OLD, PAGE ":443", PAGE, "127.0.0.1:18789", false, false },
    { OLD, PAGE, "http://gw.example.com", "127.0.0.1:18789", false, false },
    { OLD, PAGE, "https://gw.example.com:8443", "127.0.0.1:18789", false, false },
    { OLD, "*", PAGE, "127.0.0.1:18789", false, false },
    { OLD, "", PAGE, "gw.example.com", false, true }, /* the same host */
    { OLD, "", "https://gw.example.com:8443", "gw.example.com", false, false },
    { OLD, "", "https://gw.example.com:8443", "gw.example.com:8443", false, true },
    { OLD, "", "http://localhost:5173", "127.0.0.1:18789", false, true },
    { OLD, "", "http://localhost:5173", "box.local", true, false },
    { OLD, "", "null", "127.0.0.1:18789", true, false },
    { NEW, PAGE, PAGE, "127.0.0.1:18789", false, true },
    { NEW, PAGE "/", PAGE, "127.0.0.1:18789", false, false },
    { NEW, PAGE "/chat", PAGE, "127.0.0.1:18789", false, false },
    { NEW, "gw.example.com", PAGE, "127.0.0.1:18789", false, false },
    { NEW, "https://*.example.com", PAGE, "127.0.0.1:18789", false, false },
    { NEW, "*", PAGE, "127.0.0.1:18789", false, true },
    { NEW, " * ", "chrome-extension://abcdefghijklmnop", "127.0.0.1:18789", false, true },
    { NEW, "*", "null", "127.0.0.1:18789", true, false },
    { NEW, "*", PAGE "/chat", "127.0.0.1:18789", false, false },
    { NEW, "", PAGE, "gw.example.com", false, false },
    { NEW, "", "http://192.168.1.7:18789", "192.168.1.7:18789", false, true },
    { NEW, "", "http://192.168.1.7:18789", "192.168.1.7", false, false },
    { NEW, "", "http://127.0.0.1:18789", "gw.example.com", true, true },
    { NEW, "", "http://127.0.0.1:18789", "gw.example.com", false, false },
    { NEW, "", "http://localhost:5173", "localhost:5173", false, false },
};

START_TEST(a_page_is_allowed_or_not)
{
    struct dr_rules rules = rules_of(asked[_i].release);
    const char *const allowed[] = { asked[_i].entry };
    struct dr_origin_ask ask = {
        .origin = asked[_i].origin,
        .host = asked[_i].host,
        .direct_local = asked[_i].direct_local,
        .allowed = allowed,
        .allowed_count = 1,
    };

    ck_assert_msg(dr_origin_allowed(&rules, &ask) == asked[_i].allowed, "%s \"%s\" %s at %s", asked[_i].release,
                  asked[_i].entry, asked[_i].origin, asked[_i].host);
}
END_TEST

START_TEST(the_host_header_can_be_believed)
{
    struct dr_rules rules = rules_of(NEW);
    struct dr_origin_ask ask = { .origin = PAGE, .host = "gw.example.com", .host_fallback = true };

    ck_assert(dr_origin_allowed(&rules, &ask));
    ask.host = "other.example.com";
    ck_assert(!dr_origin_allowed(&rules, &ask));
    ask = (struct dr_origin_ask){ 0 };
    ck_assert(!dr_origin_allowed(&rules, &ask));
}
END_TEST

static const struct {
    const char *release, *entry, *nothing, *origin;
    bool everyone;
} entries[] = {
    { NEW, PAGE, NULL, PAGE, false },
    { NEW, " HTTPS://GW.Example.com:8443 ", NULL, PAGE ":8443", false },
    { NEW, "http://[fd00::9]:18789", NULL, "http://[fd00::9]:18789", false },
    { NEW, "*", NULL, "", true },
    { OLD, "*", "\"*\" is understood from 2026.3.2 on", "", false },
    { NEW, PAGE "/", "a browser sends no slash at the end", PAGE, false },
    { NEW, PAGE "/chat", "a browser sends no path, only scheme, host and port", PAGE, false },
    { NEW, PAGE ":443", "a browser leaves out the port that the scheme has anyway", PAGE, false },
    { NEW, "http://gw.example.com:80/", "a browser sends no slash at the end", "http://gw.example.com", false },
    { NEW, "gw.example.com", "the scheme is missing: https:// or http:// belongs in front", "", false },
    { NEW, "https://*.example.com", "wildcards inside are not understood", "", false },
    { NEW, "", "it is empty", "", false },
    { NEW, "https://", "it is no origin", "", false },
    { NEW, "https://user@gw.example.com", "it is no origin", "", false },
    { NEW, "https://gw.example.com:port", "it is no origin", "", false },
};

START_TEST(an_entry_means_something_or_says_why_not)
{
    struct dr_rules rules = rules_of(entries[_i].release);
    struct dr_origin_entry entry;

    dr_origin_entry_read(&rules, entries[_i].entry, &entry);
    ck_assert_pstr_eq(entry.nothing, entries[_i].nothing);
    ck_assert_str_eq(entry.origin, entries[_i].origin);
    ck_assert_int_eq(entry.everyone, entries[_i].everyone);
}
END_TEST

START_TEST(texts_that_are_too_long_are_none)
{
    char text[1000] = "https://";
    char origin[DR_ORIGIN_TEXT];

    memset(text + 8, 'a', sizeof(text) - 9);
    ck_assert(!dr_origin_normal(text, origin));
    ck_assert_str_eq(origin, "");
    memset(text, 'a', sizeof(text) - 1);
    ck_assert(!dr_origin_normal(text, origin));
    ck_assert(!dr_origin_normal("", origin));
    ck_assert(dr_origin_normal("https://GW.example.com:443/", origin));
    ck_assert_str_eq(origin, PAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("origin");
    TCase *cases = tcase_create("origin");

    tcase_add_loop_test(cases, a_page_is_allowed_or_not, 0, (int)DR_COUNT(asked));
    tcase_add_test(cases, the_host_header_can_be_believed);
    tcase_add_loop_test(cases, an_entry_means_something_or_says_why_not, 0, (int)DR_COUNT(entries));
    tcase_add_test(cases, texts_that_are_too_long_are_none);
    suite_add_tcase(suite, cases);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
