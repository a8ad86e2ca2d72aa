/*
 * Do this host's key, its pairing record and its cached token belong together, and are its rights enough to help itself?
 *
 * What belongs together differs by release. In the JSON era the local CLI is a device like any other and pairs itself. From 2026.8.1
 * on the CLI on loopback with a shared token sends no identity at all, so an identity without a record is healthy there.
 */
#include "api/check.h"
#include "api/devices.h"
#include "api/install.h"
#include "api/tokens.h"

#include <string.h>

enum { MOST_LISTED = 40, HEX_ID = 64 };

enum {
    IDENTITY_MISSING,
    PAIRING_MISSING,
    CACHED_TOKEN_DIFFERS,
    CACHED_TOKEN_DEAD,
    CACHED_TOKEN_FOREIGN,
    SCOPE_DEADLOCK,
    SCOPE_UPGRADE_PENDING,
    READ_SCOPE_MISSING,
    TOKEN_BEYOND_APPROVAL,
    ROLE_WITHOUT_TOKEN,
    OPERATOR_WITHOUT_SCOPES,
};

static const struct dr_cause from_store[] = {
    { "pairing-store/paired-array", DR_ANY_SUBJECT },
    { "pairing-store/paired-broken", DR_ANY_SUBJECT },
    { NULL, DR_SAME_SUBJECT },
};

static const struct dr_cause from_key[] = {
    { "identity-key/id-differs", DR_ANY_SUBJECT },
    { NULL, DR_SAME_SUBJECT },
};

static const struct dr_problem problems[] = {
    [IDENTITY_MISSING] = {
        .code = "identity-missing",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "This host's own key is gone (identity/ was cleared), but devices/ still trusts it: {count} operator record(s) "
                   "that nobody can use. The next command makes a new key, a stranger to every other gateway.",
        .advice = "Restore identity/ from a backup, or let --fix take the orphaned record(s) out",
        .fixer = "device-record-remove",
        .why = "it drops the pairing of the lost key; with a backup of identity/ it would still be good",
    },
    [PAIRING_MISSING] = {
        .code = "pairing-missing",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_MANUAL,
        .message = "This host has a key and a cached device token, but no pairing record (devices/ was cleared). The token is "
                   "refused: \"device token mismatch\". {rescue}",
        .advice = "openclaw devices list with the right gateway token pairs this host again; other devices need approval",
        .follows = from_store,
    },
    [CACHED_TOKEN_DIFFERS] = {
        .code = "cached-token-differs",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "The device token that this host sends ({cached}) is not the one in its pairing record ({record}). The gateway "
                   "answers \"device token mismatch\". {rescue}",
        .advice = "openclaw-doctor --fix copies the record's token; no restart is needed",
        .fixer = "device-token-copy",
    },
    [CACHED_TOKEN_DEAD] = {
        .code = "cached-token-dead",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The device token that this host sends is {state} in its pairing record. The gateway answers \"device token "
                   "mismatch\". {rescue}",
        .advice = "openclaw devices rotate --device {device} --role {role}, from a device that is let in",
    },
    [CACHED_TOKEN_FOREIGN] = {
        .code = "cached-token-foreign",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The cached device token was made for another device ({other}) than this host is now. OpenClaw ignores it.",
        .advice = "Nothing to do: the next connection that succeeds writes a new one",
        .follows = from_key,
    },
    [SCOPE_DEADLOCK] = {
        .code = "scope-deadlock",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "This host's own record was approved for {have} only. OpenClaw {release} asks for {lack} with every devices "
                   "command, so each ends in \"pairing required\", also the one that would approve more.",
        .advice = "openclaw-doctor --fix --unsafe gives this host the scopes back that its CLI needs; no restart",
        .fixer = "device-scopes-grant",
        .why = "it grants this host operator rights up to operator.admin",
    },
    [SCOPE_UPGRADE_PENDING] = {
        .code = "scope-upgrade-pending",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "This host asked for {lack}, which its record does not grant ({have}). Until somebody approves that, such calls "
                   "end in \"pairing required\".",
        .advice = "openclaw devices approve {request} (or --latest; a request lives 5 minutes)",
        .fixer = "device-scopes-grant",
        .why = "it grants this host operator rights up to operator.admin",
    },
    [READ_SCOPE_MISSING] = {
        .code = "read-scope-missing",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "OpenClaw {release} compares scopes word by word, and this host's record lacks operator.read: openclaw health and "
                   "openclaw status will end in \"pairing required\" although devices commands work.",
        .advice = "When that happens: openclaw devices approve --latest, or update OpenClaw to 2026.2.21 or later",
    },
    [TOKEN_BEYOND_APPROVAL] = {
        .code = "token-beyond-approval",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} device token(s) carry a scope that was never approved ({lack} for {device}). The gateway answers "
                   "\"device token scope mismatch\".",
        .advice = "openclaw devices rotate --device {device} --role {role}",
    },
    [ROLE_WITHOUT_TOKEN] = {
        .code = "role-without-token",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} device(s) have a role without a valid token ({role} of {device}). The gateway treats the role as not "
                   "approved and asks for a role upgrade at every connection.",
        .advice = "openclaw devices rotate --device {device} --role {role}",
    },
    [OPERATOR_WITHOUT_SCOPES] = {
        .code = "operator-without-scopes",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} device(s) are approved as operator with no scope at all ({device}): they connect and may do nothing.",
        .advice = "openclaw devices remove {device}, then pair it again",
    },
};

/* What the CLI of the JSON era asks for with every command of its own. */
static const char *const cli_scopes[] = { "operator.admin", "operator.approvals", "operator.pairing", NULL };
static const char *const read_scope[] = { "operator.read", NULL };

/* What the questions below share. */
struct look {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_devices *devices;
    const char *own; /* this host's id, or NULL */
    const struct dr_device *record; /* of this host, or NULL */
    bool literal;
    bool client_only; /* gateway.mode remote: the records are on another host */
    bool shared; /* a local client sends a shared token or password, so a wrong device token hides */
    const char *release;
};

static const char *short_id(struct dr_context *context, const char *id)
{
    return id ? dr_strndup(context, id, strnlen(id, 12)) : "(none)";
}

static const char *rescue_words(const struct look *look)
{
    if (!look->shared)
        return "No shared gateway token is set that would let it in.";
    return look->devices->identity_store == DR_STORE_SQLITE
               ? "Nobody notices as long as the shared gateway token is used."
               : "With the right shared gateway token the next connection heals it.";
}

/* A CLI of this very host: only one that connects directly on loopback leaves no address. */
static bool is_local_cli(const struct dr_device *device)
{
    const char *client = device->client_id ? device->client_id : "";
    const char *role = device->role ? device->role : "operator";

    return !device->remote_ip && !device->malformed && strcmp(role, "operator") == 0 &&
           (strcmp(client, "cli") == 0 || strcmp(client, "gateway-client") == 0);
}

static void look_for_orphans(const struct look *look)
{
    const struct dr_devices *devices = look->devices;
    struct dr_source subject = { .path = devices->identity_file.path };
    const char *listed = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count; i++) {
        const struct dr_device *device = &devices->paired[i];

        if (is_local_cli(device) && strlen(device->store_key) == HEX_ID && count++ < MOST_LISTED)
            listed = dr_format(look->context, "%s%s%s", listed ? listed : "", listed ? "," : "", device->store_key);
    }
    if (!listed)
        return;
    struct dr_finding *finding = dr_report(look->findings, &problems[IDENTITY_MISSING], &subject);

    dr_finding_number(finding, "count", count);
    dr_finding_argument(finding, "keys", listed);
}

static const struct dr_device_token *own_cached(const struct look *look, size_t from)
{
    for (size_t i = from; i < look->devices->cached_count; i++) {
        const struct dr_device_token *token = &look->devices->cached[i];

        if (token->token && token->device_id && look->own && strcmp(token->device_id, look->own) == 0)
            return token;
    }
    return NULL;
}

static void look_for_pairing(const struct look *look)
{
    struct dr_source subject = { .path = look->devices->paired_file.path };

    if (look->record || !own_cached(look, 0))
        return;
    struct dr_finding *finding = dr_report(look->findings, &problems[PAIRING_MISSING], &subject);

    dr_finding_text(finding, "rescue", rescue_words(look));
    if (look->shared)
        dr_finding_severity(finding, DR_INFO);
}

static void report_cached(const struct look *look, const struct dr_device_token *cached, const struct dr_device_token *held)
{
    bool dead = !held || !held->token || held->revoked_ms > 0;
    struct dr_finding *finding =
        dr_report(look->findings, &problems[dead ? CACHED_TOKEN_DEAD : CACHED_TOKEN_DIFFERS], &cached->source);

    dr_finding_secret(finding, "cached", cached->token);
    if (dead) {
        dr_finding_text(finding, "state", held && held->revoked_ms > 0 ? "revoked" : "missing");
        dr_finding_text(finding, "device", look->own);
        dr_finding_text(finding, "role", cached->role);
    } else {
        dr_finding_secret(finding, "record", held->token);
    }
    dr_finding_text(finding, "rescue", rescue_words(look));
    dr_finding_argument(finding, "device", look->own);
    dr_finding_argument(finding, "role", cached->role);
    if (look->shared)
        dr_finding_severity(finding, look->devices->identity_store == DR_STORE_SQLITE ? DR_INFO : DR_WARNING);
}

static void look_at_cached(const struct look *look)
{
    const struct dr_devices *devices = look->devices;

    for (size_t i = 0; look->record && i < devices->cached_count; i++) {
        const struct dr_device_token *cached = own_cached(look, i);

        if (!cached)
            break;
        i = (size_t)(cached - devices->cached);
        const struct dr_device_token *held = dr_device_token_of(look->record, cached->role);

        if (!held || !held->token || held->revoked_ms > 0 || strcmp(held->token, cached->token) != 0)
            report_cached(look, cached, held);
    }
    if (devices->identity_store == DR_STORE_JSON && devices->cached_count > 0 && devices->cached_device_id && look->own &&
        strcmp(devices->cached_device_id, look->own) != 0) {
        struct dr_source subject = { .path = devices->auth_file.path, .pointer = "deviceId" };
        struct dr_finding *finding = dr_report(look->findings, &problems[CACHED_TOKEN_FOREIGN], &subject);

        dr_finding_text(finding, "other", short_id(look->context, devices->cached_device_id));
    }
}

/* The request of this host that asks for more than its record grants; the newest one. */
static const struct dr_device *own_upgrade(const struct look *look, const char **ret_lack)
{
    const struct dr_device *found = NULL;

    for (size_t i = 0; look->own && i < look->devices->pending_count; i++) {
        const struct dr_device *pending = &look->devices->pending[i];
        const char *lack = dr_scopes_lack(look->record->scopes, pending->scopes, look->literal);

        if (!lack || !pending->device_id || strcmp(pending->device_id, look->own) != 0)
            continue;
        if (!found || pending->ts_ms > found->ts_ms) {
            found = pending;
            *ret_lack = lack;
        }
    }
    return found;
}

static struct dr_finding *report_scopes(const struct look *look, int row, const struct dr_source *subject, const char *lack)
{
    struct dr_finding *finding = dr_report(look->findings, &problems[row], subject);

    dr_finding_text(finding, "have", dr_scopes_text(look->context, look->record->scopes));
    dr_finding_text(finding, "lack", lack);
    dr_finding_text(finding, "release", look->release);
    dr_finding_argument(finding, "device", look->own);
    return finding;
}

static void look_at_own_scopes(const struct look *look)
{
    const char *lack = NULL;
    const char *cli_lack = look->literal ? dr_scopes_lack(look->record->scopes, cli_scopes, true) : NULL;
    const struct dr_device *upgrade = own_upgrade(look, &lack);
    const struct dr_source *subject = &look->record->source;

    if (!look->record->role || strcmp(look->record->role, "operator") != 0)
        return;
    if (cli_lack) {
        struct dr_finding *finding = report_scopes(look, SCOPE_DEADLOCK, subject, cli_lack);

        if (!dr_installs(look->context)->release_certain) /* the releases beside this one compare scopes in another way */
            dr_finding_confidence(finding, DR_LIKELY);
    } else if (upgrade) {
        struct dr_finding *finding = report_scopes(look, SCOPE_UPGRADE_PENDING, subject, lack);

        dr_finding_text(finding, "request", upgrade->request_id);
        if (!look->literal)
            dr_finding_restrict(finding, DR_MANUAL, NULL); /* here the CLI can approve it itself */
    } else if (look->literal && dr_scopes_lack(look->record->scopes, read_scope, true)) {
        (void)report_scopes(look, READ_SCOPE_MISSING, subject, "operator.read");
    }
}

/* A fault that many records may share: the first one is named, all are counted. */
struct group {
    const struct dr_device *first;
    const char *role, *lack;
    long long count;
};

static void note(struct group *group, const struct dr_device *device, const char *role, const char *lack)
{
    if (group->count++ == 0)
        *group = (struct group){ device, role, lack, 1 };
}

static void report_group(const struct look *look, int row, const struct group *group)
{
    if (group->count == 0)
        return;
    struct dr_finding *finding = dr_report(look->findings, &problems[row], &group->first->source);

    dr_finding_number(finding, "count", group->count);
    dr_finding_text(finding, "device", group->first->device_id);
    dr_finding_text(finding, "role", group->role);
    dr_finding_text(finding, "lack", group->lack);
}

static void look_at_tokens_of(const struct dr_device *device, struct group *beyond)
{
    for (size_t i = 0; device->approved_scopes && i < device->token_count; i++) {
        const struct dr_device_token *token = &device->tokens[i];
        const char *lack = token->revoked_ms > 0 ? NULL : dr_scopes_lack(device->approved_scopes, token->scopes, false);

        if (lack)
            note(beyond, device, token->role, lack);
    }
}

static void look_at_roles_of(const struct dr_device *device, struct group *without, struct group *stuck)
{
    for (const char *const *role = device->roles; role && *role; role++) {
        const struct dr_device_token *token = dr_device_token_of(device, *role);

        if (!token || !token->token || token->revoked_ms > 0)
            note(without, device, *role, NULL);
        if (strcmp(*role, "operator") == 0 && device->approved_scopes && !device->approved_scopes[0])
            note(stuck, device, *role, NULL);
    }
}

/* Rules of the SQLite era; earlier releases do not look at approved scopes or at roles in this way. */
static void look_at_records(const struct look *look)
{
    struct group beyond = { 0 }, without = { 0 }, stuck = { 0 };

    for (size_t i = 0; i < look->devices->paired_count; i++) {
        const struct dr_device *device = &look->devices->paired[i];

        if (device->malformed || !device->device_id)
            continue;
        look_at_tokens_of(device, &beyond);
        look_at_roles_of(device, &without, &stuck);
    }
    report_group(look, TOKEN_BEYOND_APPROVAL, &beyond);
    report_group(look, ROLE_WITHOUT_TOKEN, &without);
    report_group(look, OPERATOR_WITHOUT_SCOPES, &stuck);
}

static void prepare(struct dr_context *context, struct dr_findings *findings, struct look *ret_look)
{
    const struct dr_devices *devices = dr_devices(context);
    const struct dr_installs *installs = dr_installs(context);
    const struct dr_tokens *tokens = dr_tokens(context);
    bool known = tokens->fact.state == DR_KNOWN;

    *ret_look = (struct look){
        .context = context,
        .findings = findings,
        .devices = devices,
        .own = devices->identity.fact.state == DR_KNOWN ? devices->identity.device_id : NULL,
        .literal = installs->rules && installs->rules->scopes_literal && devices->pairing_store == DR_STORE_JSON,
        .client_only = known && tokens->mode && strcmp(tokens->mode, "remote") == 0,
        .shared = known && tokens->client && tokens->client->value && tokens->client->value[0],
        .release = installs->release_known ? dr_release_text(context, &installs->release) : "of this era",
    };
    ret_look->record = ret_look->client_only ? NULL : dr_device_paired(devices, ret_look->own);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    struct look look;

    (void)state;
    if (dr_devices(context)->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there are no device keys or records yet");
    if (dr_unknown_fact(findings, &dr_devices(context)->fact))
        return 0;
    prepare(context, findings, &look);
    if (look.devices->identity.fact.state == DR_UNKNOWN) {
        (void)dr_unknown_fact(findings, &look.devices->identity.fact);
    } else if (!look.client_only) {
        bool json = look.devices->pairing_store == DR_STORE_JSON;

        if (json && look.devices->identity_file.state == DR_FILE_MISSING)
            look_for_orphans(&look);
        if (json)
            look_for_pairing(&look);
        look_at_cached(&look);
        if (look.record)
            look_at_own_scopes(&look);
    }
    if (look.devices->pairing_store == DR_STORE_SQLITE)
        look_at_records(&look);
    return 0;
}

static const char *const tags[] = { "pairing", "identity", "tokens", "offline", NULL };

const struct dr_check dr_check_identity_pairing = {
    .id = "identity-pairing",
    .title = "This host's key, its pairing and its cached token belong together",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
