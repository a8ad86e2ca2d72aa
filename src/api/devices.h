/*
 * Device identity, pairing and device tokens: one view over both stores (JSON files, SQLite).
 *
 * Shapes and rules: facts/openclaw-2026.2.md §1-4, openclaw-2026.9.md §1.4, §2. Which store is the authority follows from the
 * installed release and the schema, not from which files exist.
 */
#ifndef DR_API_DEVICES_H
#define DR_API_DEVICES_H

#include "api/fact.h"
#include "api/file_state.h"

enum dr_store_kind { DR_STORE_NONE = 0, DR_STORE_JSON, DR_STORE_SQLITE };

/* One file of the store, whether or not it could be understood. */
enum dr_store_file_state {
    DR_FILE_MISSING = 0,
    DR_FILE_GOOD,
    DR_FILE_EMPTY, /* no bytes, or white space only */
    DR_FILE_TRUNCATED, /* ends in the middle of a value */
    DR_FILE_ARRAY, /* an array where an object belongs */
    DR_FILE_INVALID, /* not what it should be; `looks_like` says what libmagic takes it for */
    DR_FILE_UNREADABLE, /* `reason` */
    DR_FILE_NEWER_SCHEMA,
};

struct dr_store_file {
    const char *path;
    enum dr_store_file_state state;
    struct dr_file_identity identity;
    const char *sha256;
    const char *reason; /* with line and column where there is one */
    unsigned line, column;
    const char *looks_like; /* libmagic's words; NULL when it was not asked or could not tell */
    size_t entries; /* for arrays and objects */
    int error; /* DR_FILE_UNREADABLE: negative errno */
    size_t duplicates; /* keys that stand in it twice: JSON.parse takes the last one */
    unsigned duplicate_line; /* of the first such key's second place */
    bool archived; /* `<path>.migrated` exists: a later release has imported this file once */
};

struct dr_device_token {
    const char *role; /* the key, or the column, that it is stored under */
    const char *token; /* a secret; NULL when there is none */
    const char *device_id; /* cached tokens: whom it is for */
    const char *origin; /* tokens cached for another gateway: its URL */
    const char *const *scopes; /* NULL-ended */
    int64_t created_ms, rotated_ms, revoked_ms, updated_ms; /* 0: none */
    struct dr_source source;
};

struct dr_device {
    const char *device_id;
    const char *public_key; /* raw base64url as stored */
    const char *public_key_id; /* hex sha256 of the decoded key; NULL when it cannot be decoded */
    const char *request_id; /* pending only */
    const char *malformed; /* NULL, or what about the record is not as it should be ("no createdAtMs") */
    const char *display_name, *platform, *device_family, *client_id, *client_mode, *role, *remote_ip, *approved_via;
    const char *const *roles;
    const char *const *scopes;
    const char *const *approved_scopes; /* NULL when the store has no such column */
    const struct dr_device_token *tokens;
    size_t token_count;
    int64_t created_ms, approved_ms, ts_ms, refreshed_ms, last_seen_ms;
    bool silent, repair;
    const char *store_key; /* key in the object, or primary key of the row */
    struct dr_source source;
};

struct dr_identity_keys; /* of src/facts */

struct dr_identity {
    struct dr_fact fact; /* DR_ABSENT: none; DR_KNOWN: what could be understood of it; see key_problem and identity_file */
    const char *device_id; /* NULL when the record has none */
    const char *public_key_id; /* id that belongs to the public key; NULL: key cannot be read */
    bool private_matches; /* private key belongs to the public key */
    const char *key_problem; /* NULL, or why a key cannot be read ("the private key is no PEM text") */
    int64_t created_ms;
    const struct dr_identity_keys *keys; /* for the probe of --deep=identity; else NULL */
};

struct dr_devices {
    struct dr_fact fact; /* unknown when the authoritative store could not be read */
    enum dr_store_kind pairing_store; /* the authority for the installed release */
    enum dr_store_kind identity_store;
    struct dr_identity identity;
    /*
     * At most DR_MOST_PAIRED and DR_MOST_PENDING records, in the order of the store; this host's own are always among them. `_total`
     * counts all. Empty when the file holds an array or cannot be parsed: that is what OpenClaw then sees.
     */
    const struct dr_device *paired;
    size_t paired_count, paired_total;
    const struct dr_device *pending;
    size_t pending_count, pending_total;
    const char *cached_device_id; /* whom the cached tokens are for */
    const struct dr_device_token *cached; /* client side: device-auth.json, device_auth_tokens */
    size_t cached_count;
    const struct dr_device_token *elsewhere; /* client side, for gateways on other hosts: gateway_origin_device_tokens */
    size_t elsewhere_count;
    struct dr_store_file paired_file, pending_file, identity_file, auth_file; /* JSON era, or leftovers */
    /* What the JSON files hold where SQLite is the authority: not in force, but imported at the next start of a gateway. */
    const char *legacy_device_id; /* of identity/device.json */
    size_t legacy_new; /* paired records whose device the database does not know */
    size_t legacy_malformed; /* paired records that lack what the import needs */
    struct dr_store_file database; /* state/openclaw.sqlite */
    int64_t schema_version; /* of the database; 0: none */
    const char *app_version; /* schema_meta.app_version */
    bool database_checked; /* SQLite's own integrity check ran over all of it (it is left out where it would take long) */
};

enum { DR_NEWEST_SCHEMA = 18, DR_MOST_PAIRED = 4000, DR_MOST_PENDING = 25000 };

/* How long a pending record lives, milliseconds. Same in all releases (facts/openclaw-2026.2.md §2, 2026.9.md §3.3). */
enum { DR_PENDING_LIVES_MS = 300000 };

const struct dr_devices *dr_devices(struct dr_context *context);

/* Questions about it that more than one check or fixer asks. All results are borrowed from the fact. */

/* The record of a device; NULL when there is none. `device_id` may be NULL. */
const struct dr_device *dr_device_paired(const struct dr_devices *devices, const char *device_id);

/* The token that the record holds for a role, revoked or not; NULL when there is none. */
const struct dr_device_token *dr_device_token_of(const struct dr_device *device, const char *role);

/*
 * True when `have` (NULL-ended, may be NULL) grants `scope`. Until 2026.2.19 scopes are compared word by word (`literal`); later
 * operator.admin grants every operator scope and operator.write grants operator.read (facts/openclaw-2026.2.md §2).
 */
bool dr_scopes_grant(const char *const *have, const char *scope, bool literal);

/* The first of `want` that `have` does not grant; NULL when all are granted. */
const char *dr_scopes_lack(const char *const *have, const char *const *want, bool literal);

/* "operator.admin, operator.read"; "none" for an empty list. */
const char *dr_scopes_text(struct dr_context *context, const char *const *scopes);

/* Milliseconds since a pending record was last asked for; negative when it is dated in the future. */
int64_t dr_pending_age_ms(struct dr_context *context, const struct dr_device *pending);

/* Hex SHA-256 of a text, for `expect_sha256` of row changes. */
const char *dr_text_sha256(struct dr_context *context, const char *text);

#endif
