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
};

struct dr_device_token {
    const char *role;
    const char *token;
    const char *const *scopes; /* NULL-ended */
    int64_t created_ms, rotated_ms, revoked_ms, updated_ms; /* 0: none */
    struct dr_source source;
};

struct dr_device {
    const char *device_id;
    const char *public_key; /* raw base64url as stored */
    const char *public_key_id; /* hex sha256 of the decoded key; NULL when it cannot be decoded */
    const char *request_id; /* pending only */
    const char *display_name, *platform, *client_id, *client_mode, *role, *remote_ip, *approved_via;
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

struct dr_identity {
    struct dr_fact fact;
    const char *device_id;
    const char *public_key_id; /* id that belongs to the public key; NULL: key cannot be read */
    bool private_matches; /* private key belongs to the public key */
    const char *key_problem; /* NULL, or why a key cannot be read */
    int64_t created_ms;
};

struct dr_devices {
    struct dr_fact fact; /* unknown when the authoritative store could not be read */
    enum dr_store_kind pairing_store; /* the authority for the installed release */
    enum dr_store_kind identity_store;
    struct dr_identity identity;
    const struct dr_device *paired;
    size_t paired_count;
    const struct dr_device *pending;
    size_t pending_count;
    const char *cached_device_id; /* whom the cached tokens are for */
    const struct dr_device_token *cached; /* client side: device-auth.json, device_auth_tokens */
    size_t cached_count;
    struct dr_store_file paired_file, pending_file, identity_file, auth_file; /* JSON era, or leftovers */
    struct dr_store_file database; /* state/openclaw.sqlite */
    int64_t schema_version; /* of the database; 0: none */
    const char *app_version; /* schema_meta.app_version */
};

const struct dr_devices *dr_devices(struct dr_context *context);

#endif
