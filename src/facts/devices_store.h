/*
 * Inside the devices fact: what both stores share, and the two loaders.
 */
#ifndef DR_FACTS_DEVICES_STORE_H
#define DR_FACTS_DEVICES_STORE_H

#include "api/devices.h"
#include "facts/context.h"
#include "format/json5.h"

/* A list of records that grows up to a bound; `total` counts on. */
struct dr_device_list {
    struct dr_device *list; /* in the run's memory */
    size_t count, room, most, total;
};

/* A new, empty record at the end. */
struct dr_device *dr_device_list_add(struct dr_context *context, struct dr_device_list *list);

/* Marks the record, unless something was said already. */
void dr_device_malformed(struct dr_context *context, struct dr_device *device, const char *words);

/* `public_key_id` from `public_key`; makes the tokens known as secrets; says what is missing for OpenClaw to use the record. */
void dr_device_complete(struct dr_context *context, struct dr_device *device, bool pending);

/* Keys of the identity: fills everything that follows from the two PEM texts (either may be NULL). */
void dr_identity_judge(struct dr_context *context, struct dr_identity *identity, const char *public_pem,
                       const char *private_pem);

/* A JSON document held while records are taken from it. */
struct dr_store_json {
    struct dr_json5 document;
    const char *path;
    struct dr_arena *scratch; /* nodes; let go after loading */
    struct dr_context *context; /* where decoded texts go */
};

/* NULL / 0 / empty when absent or of another type. */
const char *dr_store_text(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key);
int64_t dr_store_ms(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key);
bool dr_store_flag(const struct dr_store_json *json, const struct dr_json5_node *object, const char *key);
const char *const *dr_store_list(const struct dr_store_json *json, const struct dr_json5_node *array);

/* {"<role>": {token, role, scopes, createdAtMs, ...}}; NULL node: none. `pointer`: where the object stands. */
struct dr_device_token *dr_store_tokens(const struct dr_store_json *json, const struct dr_json5_node *object,
                                        const char *pointer, size_t *ret_count);

/* JSON files of `state_dir`; the result also serves as "legacy files left behind" where SQLite is the authority. */
struct dr_json_store {
    struct dr_store_file paired_file, pending_file, identity_file, auth_file;
    struct dr_identity identity;
    struct dr_device_list paired, pending;
    const char *cached_device_id;
    const struct dr_device_token *cached;
    size_t cached_count;
};
void dr_devices_read_json(struct dr_context *context, const char *state_dir, struct dr_json_store *ret_store);

/* state/openclaw.sqlite. */
struct dr_sqlite_store {
    struct dr_store_file file;
    int64_t schema_version;
    const char *app_version;
    bool checked;
    struct dr_identity identity;
    struct dr_device_list paired, pending;
    const struct dr_device_token *cached, *elsewhere;
    size_t cached_count, elsewhere_count;
};
void dr_devices_read_sqlite(struct dr_context *context, const char *state_dir, struct dr_sqlite_store *ret_store);

/* Device store of one state directory, by the rules of `rules` (NULL: not known, the shape decides). */
struct dr_rules;
void dr_devices_read(struct dr_context *context, const char *state_dir, const struct dr_rules *rules, bool release_certain,
                     struct dr_devices *ret_devices);

#endif
