/* The table behind `explain MESSAGE`: its rows are whole, and what people paste finds the right one. */
#include "api/check.h"
#include "api/registry.h"
#include "base/text.h"
#include "report/explain_messages.h"
#include "report/markdown.h"
#include "report/report.h"

#include <check.h>
#include <string.h>
#include <strings.h>

static const struct dr_human_options options = { .width = 80, .unicode = true, .program = "openclaw doctor" };

START_TEST(test_rows_are_whole)
{
    for (size_t i = 0; i < dr_message_count; i++) {
        const struct dr_message *row = &dr_message_table[i];

        ck_assert_ptr_nonnull(row->keys[0]);
        ck_assert_msg(dr_text_ends_with(row->means, "."), "%s: ends without a full stop", row->keys[0]);
        ck_assert_msg(row->next && row->next[0], "%s: no next step", row->keys[0]);
        ck_assert_msg(row->source && row->source[0], "%s: no source", row->keys[0]);
        ck_assert_msg(!strchr(row->means, '{'), "%s: placeholder in the explanation", row->keys[0]);
    }
}

START_TEST(test_each_key_finds_its_row)
{
    const struct dr_message *rows[4];

    for (size_t i = 0; i < dr_message_count; i++)
        for (size_t k = 0; k < DR_MOST_KEYS && dr_message_table[i].keys[k]; k++) {
            ck_assert_int_ge(dr_message_find(dr_message_table[i].keys[k], rows, 4), 1);
            ck_assert_msg(rows[0] == &dr_message_table[i], "\"%s\" finds \"%s\"", dr_message_table[i].keys[k],
                          rows[0]->keys[0]);
        }
}

START_TEST(test_named_checks_exist)
{
    for (size_t i = 0; i < dr_message_count; i++)
        for (size_t c = 0; c < DR_MOST_CHECKS && dr_message_table[i].checks[c]; c++) {
            const char *id = dr_message_table[i].checks[c];
            bool found = false;

            for (size_t r = 0; dr_check_table[r]; r++)
                found = found || strcmp(dr_check_table[r]->id, id) == 0;
            ck_assert_msg(found, "%s names the check %s, which is not there", dr_message_table[i].keys[0], id);
        }
}

/* What the gateway and its clients say, as the facts list it: openclaw-2026.2.md sections 3 and 12, openclaw-2026.9.md sections 3.1 and 3.3. */
static const char *const close_codes[] = {
    "1000", "1002", "1006", "1008", "1009", "1011", "1012", "1013", "4000", "4001", "4008",
};

static const char *const reasons[] = {
    "pairing required",
    "device identity required",
    "device identity mismatch",
    "device signature expired",
    "device nonce required",
    "device nonce mismatch",
    "device signature invalid",
    "device public key invalid",
    "invalid role",
    "control ui requires HTTPS or localhost (secure context)",
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)",
    "invalid connect params: at /device: must have required property 'nonce'",
    "invalid handshake: first request must be connect",
    "invalid-handshake",
    "invalid request frame",
    "protocol mismatch",
    "protocol mismatch: Control UI updated; reload this page to continue",
    "handshake timeout conn=1",
    "unauthorized: gateway token missing (set gateway.remote.token to match gateway.auth.token)",
    "unauthorized: device token mismatch (rotate/reissue device token)",
    "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)",
    "unauthorized: gateway password missing",
    "unauthorized: gateway password mismatch",
    "unauthorized: too many failed authentication attempts (retry later)",
    "unauthorized: device token scope mismatch (re-pair or approve scope upgrade)",
    "unauthorized: setup code invalid, expired, revoked, or already used",
    "gateway url override requires explicit credentials",
    "pairing required: device is not approved yet (requestId: 1)",
    "device is asking for a higher role than currently approved",
    "device identity changed and must be re-approved",
    "scope upgrade pending approval (requestId: 1)",
    "missing scope: operator.read",
    "control ui requires device identity (use HTTPS)",
    "gateway ingress attribution required",
    "gateway message handler loading",
    "too many pending handshake frames",
    "repeated unauthorized calls",
    "credential-replaced",
    "client version mismatch",
    "preauth payload too large",
    "node capabilities changed",
    "service restart",
    "invalid-frame",
    "gateway message handler unavailable",
    "gateway install changed; run: openclaw gateway restart",
    "agent runtime authority closed",
    "Gateway access is no longer active; ask a Gateway administrator to restore it.",
    "browser identity route changed",
    "gateway starting",
    "gateway restart in progress",
    "suspension in progress",
    "client tick timeout",
    "gateway auth changed",
    "gateway policy changed",
    "client invalidated: token rotated",
    "connect challenge timeout",
    "connect challenge missing nonce",
};

static const char *const detail_codes[] = {
    "AUTH_REQUIRED",
    "AUTH_UNAUTHORIZED",
    "AUTH_TOKEN_MISSING",
    "AUTH_TOKEN_MISMATCH",
    "AUTH_TOKEN_NOT_CONFIGURED",
    "AUTH_PASSWORD_MISSING",
    "AUTH_PASSWORD_MISMATCH",
    "AUTH_PASSWORD_NOT_CONFIGURED",
    "AUTH_BOOTSTRAP_TOKEN_INVALID",
    "AUTH_DEVICE_TOKEN_MISMATCH",
    "AUTH_SCOPE_MISMATCH",
    "AUTH_RATE_LIMITED",
    "AUTH_TAILSCALE_IDENTITY_MISSING",
    "AUTH_TAILSCALE_PROXY_MISSING",
    "AUTH_TAILSCALE_WHOIS_FAILED",
    "AUTH_TAILSCALE_IDENTITY_MISMATCH",
    "AUTH_IDENTITY_HEADER_REQUIRED",
    "AUTH_VERIFIED_USER_REQUIRED",
    "AUTHENTICATED_PROFILE_UNAVAILABLE",
    "CONTROL_UI_BUILD_MISMATCH",
    "CONTROL_UI_ORIGIN_NOT_ALLOWED",
    "PROTOCOL_MISMATCH",
    "CONTROL_UI_DEVICE_IDENTITY_REQUIRED",
    "DEVICE_IDENTITY_REQUIRED",
    "DEVICE_AUTH_INVALID",
    "DEVICE_AUTH_DEVICE_ID_MISMATCH",
    "DEVICE_AUTH_SIGNATURE_EXPIRED",
    "DEVICE_AUTH_NONCE_REQUIRED",
    "DEVICE_AUTH_NONCE_MISMATCH",
    "DEVICE_AUTH_SIGNATURE_INVALID",
    "DEVICE_AUTH_PUBLIC_KEY_INVALID",
    "PAIRING_REQUIRED",
    "CLIENT_VERSION_MISMATCH",
    "NOT_LINKED",
    "NOT_PAIRED",
    "AGENT_TIMEOUT",
    "INVALID_REQUEST",
    "UNAVAILABLE",
    "FORBIDDEN",
    "MISSING_SCOPE",
    "not-paired",
    "role-upgrade",
    "scope-upgrade",
    "metadata-upgrade",
    "device-signature-stale",
    "token_missing",
    "device_token_mismatch",
    "token_mismatch",
    "rate_limited",
    "proxy_attribution_required",
};

static const struct dr_message *best(const char *query)
{
    const struct dr_message *rows[4];

    ck_assert_msg(dr_message_find(query, rows, 4) > 0, "nothing for: %s", query);
    return rows[0];
}

static bool has_key(const struct dr_message *row, const char *key)
{
    for (size_t k = 0; k < DR_MOST_KEYS && row->keys[k]; k++)
        if (strcasecmp(row->keys[k], key) == 0)
            return true;
    return false;
}

START_TEST(test_everything_that_openclaw_says_is_known)
{
    for (size_t i = 0; i < sizeof(close_codes) / sizeof(close_codes[0]); i++)
        ck_assert_str_eq(best(close_codes[i])->keys[0], close_codes[i]);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        ck_assert_msg(best(reasons[i])->checks[0], "%s leads to no check", reasons[i]);
    for (size_t i = 0; i < sizeof(detail_codes) / sizeof(detail_codes[0]); i++)
        ck_assert_msg(has_key(best(detail_codes[i]), detail_codes[i]), "%s has no row of its own", detail_codes[i]);
}

/* explain is to lead on: whatever closes a connection has a check that looks for its cause. */
START_TEST(test_codes_lead_to_a_check)
{
    for (size_t i = 0; i < sizeof(close_codes) / sizeof(close_codes[0]); i++)
        ck_assert_msg(best(close_codes[i])->checks[0], "%s leads to no check", close_codes[i]);
    for (size_t i = 0; i < sizeof(detail_codes) / sizeof(detail_codes[0]); i++)
        ck_assert_msg(best(detail_codes[i])->checks[0], "%s leads to no check", detail_codes[i]);
}

START_TEST(test_pasted_lines)
{
    static const struct {
        const char *query, *name;
    } cases[] = {
        { "1008", "1008" },
        { " 1006 ", "1006" },
        { "gateway closed (1008): pairing required", "pairing required" },
        { "gateway closed (1008): pairing required: device is asking for more scopes than currently approved (requestId: 0)",
          "device is asking for more scopes than currently approved" },
        { "gateway closed (1000 normal closure): no close reason", "1000" },
        { "unauthorized: device token mismatch (rotate/reissue device token)", "device token mismatch" },
        { "Unauthorized: Gateway Token Mismatch (set gateway.remote.token to match gateway.auth.token)",
          "gateway token mismatch" },
        { "{\"error\":{\"type\":\"proxy_attribution_required\"}}", "proxy_attribution_required" },
        { "details.code=DEVICE_AUTH_SIGNATURE_EXPIRED", "device signature expired" },
        { "Error: EACCES: permission denied, open '/home/oc/.openclaw/openclaw.json'", "EACCES" },
        { "closed before connect code=1013 reason=n/a", "1013" },
        { "signature expired", "device signature expired" },
        { "connect failed", "reason=connect failed" },
        { "gateway connect failed: Error: NOT_PAIRED", "pairing required" },
        { "Unexpected server response: 200", "Unexpected server response: 200" },
    };
    const struct dr_message *rows[4];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(dr_message_find(cases[i].query, rows, 4) > 0, "nothing for: %s", cases[i].query);
        ck_assert_str_eq(rows[0]->keys[0], cases[i].name);
    }
}

START_TEST(test_nothing_known)
{
    static const char *const queries[] = { "", " ", "xyzzy", "18", "99999", "ing", "---" };
    const struct dr_message *rows[4];

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 16);

        ck_assert_int_eq(dr_message_find(queries[i], rows, 4), 0);
        ck_assert_int_eq(dr_report_explain(queries[i], &options, &text), -ENOENT);
        ck_assert_uint_eq(text.length, 0);
    }
}

START_TEST(test_explain_names_the_program)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 16);

    ck_assert_int_eq(dr_report_explain("gateway token mismatch", &options, &text), 0);
    ck_assert_ptr_nonnull(strstr(text.data, "openclaw doctor --only token-mismatch"));
    ck_assert_ptr_null(strstr(text.data, "{doctor}"));
}

START_TEST(test_every_check_and_problem_is_explained)
{
    for (size_t i = 0; dr_check_table[i]; i++) {
        _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 20);

        ck_assert_int_eq(dr_report_explain(dr_check_table[i]->id, &options, &text), 0);
        for (size_t j = 0; j < dr_check_table[i]->problem_count; j++) {
            _cleanup_buffer_ struct dr_buffer id = DR_BUFFER(1 << 10);
            _cleanup_buffer_ struct dr_buffer said = DR_BUFFER(1 << 20);

            ck_assert_int_eq(dr_buffer_appendf(&id, "%s/%s", dr_check_table[i]->id, dr_check_table[i]->problems[j].code), 0);
            ck_assert_int_eq(dr_report_explain(id.data, &options, &said), 0);
            ck_assert_ptr_nonnull(strstr(said.data, "Repair:"));
            ck_assert_int_eq(dr_buffer_append_text(&id, "-no"), 0);
            ck_assert_int_eq(dr_report_explain(id.data, &options, &said), -ENOENT);
        }
    }
}

START_TEST(test_list_is_one_document)
{
    _cleanup_buffer_ struct dr_buffer json = DR_BUFFER(1 << 20);
    _cleanup_buffer_ struct dr_buffer human = DR_BUFFER(1 << 20);
    _cleanup_json_ cJSON *document = NULL;
    const cJSON *check;
    size_t i = 0;

    ck_assert_int_eq(dr_report_list(true, &options, &json), 0);
    ck_assert_int_eq(dr_report_list(false, &options, &human), 0);
    document = cJSON_ParseWithOpts(json.data, NULL, 1);
    ck_assert_ptr_nonnull(document);
    cJSON_ArrayForEach (check, cJSON_GetObjectItemCaseSensitive(document, "checks")) {
        ck_assert_str_eq(dr_json_text(check, "id"), dr_check_table[i]->id);
        ck_assert_ptr_nonnull(strstr(human.data, dr_check_table[i]->id));
        i++;
    }
    ck_assert_ptr_null(dr_check_table[i]);
}

static void check_markdown(const char *markdown, unsigned width, const char *expected)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(1 << 16);
    struct dr_human_options narrow = { .width = width };
    struct dr_paper paper;

    dr_paper_begin(&paper, &narrow, &text);
    dr_markdown(&paper, markdown, strlen(markdown));
    ck_assert_int_eq(paper.status, 0);
    ck_assert_str_eq(dr_buffer_text(&text), expected);
}

START_TEST(test_markdown)
{
    check_markdown("# Title\n\nSome **bold** text with a [link](https://x.y/z) and `code here`.\n", 40,
                   "Title\n\nSome bold text with a link\n(https://x.y/z) and `code here`.\n");
    check_markdown("- one\n- two is so long that it\n  goes on\n1. three\n", 20,
                   "- one\n- two is so long\n  that it goes on\n- three\n");
    check_markdown("a\n\n```\n$ x  y\n\n\tz\n```\nb\n", 40, "a\n\n    $ x  y\n\n        z\nb\n");
    check_markdown("| place | wins |\n|---|---|\n| `.env` | client |\n| config | server |\n\nend\n", 40,
                   "- `.env`: client\n- config: server\n\nend\n");
    check_markdown("\x1b[31mred\n", 40, "\\x1b[31mred\n");
    check_markdown("# T\n\nsee [the page](../x.md)\n## Sub\ntext\n- item\n```\ncode\n```\n", 40,
                   "T\n\nsee the page\n\nSub\n  text\n  - item\n      code\n");
    check_markdown("[not a link\n**", 40, "[not a link\n");
}

START_TEST(test_markdown_section)
{
    static const char text[] = "# T\nintro\n## `one`\nfirst\n### deeper\nmore\n## two\nsecond\n";
    const char *start;
    size_t length;

    ck_assert(dr_markdown_section(text, "one", &start, &length));
    ck_assert_uint_eq(length, strlen("## `one`\nfirst\n### deeper\nmore\n"));
    ck_assert(dr_markdown_section(text, "two", &start, &length));
    ck_assert_str_eq(start, "## two\nsecond\n");
    ck_assert(!dr_markdown_section(text, "tw", &start, &length));
    ck_assert(!dr_markdown_section(text, "second", &start, &length));
    ck_assert(!dr_markdown_section("", "one", &start, &length));
}

int main(void)
{
    Suite *suite = suite_create("report_explain");
    TCase *tcase = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_rows_are_whole);
    tcase_add_test(tcase, test_each_key_finds_its_row);
    tcase_add_test(tcase, test_named_checks_exist);
    tcase_add_test(tcase, test_everything_that_openclaw_says_is_known);
    tcase_add_test(tcase, test_codes_lead_to_a_check);
    tcase_add_test(tcase, test_pasted_lines);
    tcase_add_test(tcase, test_nothing_known);
    tcase_add_test(tcase, test_explain_names_the_program);
    tcase_add_test(tcase, test_every_check_and_problem_is_explained);
    tcase_add_test(tcase, test_list_is_one_document);
    tcase_add_test(tcase, test_markdown);
    tcase_add_test(tcase, test_markdown_section);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
