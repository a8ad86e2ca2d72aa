/*
 * Which store is the authority, and the accessor.
 *
 * Rule (facts/openclaw-2026.9.md §2.1): the database keeps pairing from schema 2 and identities from schema 6 on; below that, and
 * without a database, the JSON files count. That the database exists says nothing. Where the installed release is certain
 * and still reads JSON (a way back from a newer one), the JSON files count whatever the database holds.
 */
#include "api/devices.h"

#include "api/install.h"
#include "api/target.h"
#include "facts/devices_store.h"

enum { PAIRING_SCHEMA = 2, IDENTITY_SCHEMA = 6 };

static bool any_json(const struct dr_json_store *json)
{
    return json->paired_file.state != DR_FILE_MISSING || json->pending_file.state != DR_FILE_MISSING ||
           json->identity_file.state != DR_FILE_MISSING || json->auth_file.state != DR_FILE_MISSING;
}

/* The database cannot be read: what would be in it then follows from the release; with none known, from there being one. */
static bool database_counts(const struct dr_sqlite_store *sqlite, int schema, bool in_rules, bool rules_known, bool certain)
{
    if (rules_known && certain && !in_rules)
        return false;
    if (sqlite->file.state == DR_FILE_INVALID || sqlite->file.state == DR_FILE_UNREADABLE)
        return sqlite->schema_version >= schema || !rules_known || in_rules;
    return sqlite->schema_version >= schema;
}

static void take_json_pairing(const struct dr_json_store *json, struct dr_devices *devices)
{
    devices->pairing_store = DR_STORE_JSON;
    devices->paired = json->paired.list;
    devices->paired_count = json->paired.count;
    devices->paired_total = json->paired.total;
    devices->pending = json->pending.list;
    devices->pending_count = json->pending.count;
    devices->pending_total = json->pending.total;
}

static void take_json_identity(const struct dr_json_store *json, struct dr_devices *devices)
{
    devices->identity_store = DR_STORE_JSON;
    devices->identity = json->identity;
    devices->cached = json->cached;
    devices->cached_count = json->cached_count;
    devices->cached_device_id = json->cached_device_id;
}

static void take_sqlite_pairing(const struct dr_sqlite_store *sqlite, struct dr_devices *devices)
{
    devices->pairing_store = DR_STORE_SQLITE;
    devices->paired = sqlite->paired.list;
    devices->paired_count = sqlite->paired.count;
    devices->paired_total = sqlite->paired.total;
    devices->pending = sqlite->pending.list;
    devices->pending_count = sqlite->pending.count;
    devices->pending_total = sqlite->pending.total;
}

static void take_sqlite_identity(const struct dr_sqlite_store *sqlite, struct dr_devices *devices)
{
    devices->identity_store = DR_STORE_SQLITE;
    devices->identity = sqlite->identity;
    devices->cached = sqlite->cached;
    devices->cached_count = sqlite->cached_count;
    devices->elsewhere = sqlite->elsewhere;
    devices->elsewhere_count = sqlite->elsewhere_count;
    devices->cached_device_id = sqlite->cached_count > 0 ? sqlite->cached[0].device_id : NULL;
}

/* What an import of the JSON files would add. */
static void compare_legacy(const struct dr_json_store *json, struct dr_devices *devices)
{
    if (devices->identity_store == DR_STORE_SQLITE)
        devices->legacy_device_id = json->identity.device_id;
    for (size_t i = 0; devices->pairing_store == DR_STORE_SQLITE && i < json->paired.count; i++) {
        const struct dr_device *device = &json->paired.list[i];

        devices->legacy_malformed += device->malformed != NULL;
        devices->legacy_new += !device->malformed && !dr_device_paired(devices, device->device_id);
    }
}

/* Unknown only where the authority itself could not be read. A file that OpenClaw would read as empty is an answer. */
static void judge(struct dr_context *context, struct dr_devices *devices)
{
    const struct dr_store_file *why = NULL;

    devices->fact.state = DR_KNOWN;
    if (devices->pairing_store == DR_STORE_SQLITE || devices->identity_store == DR_STORE_SQLITE) {
        devices->fact.source.path = devices->database.path;
        if (devices->database.state != DR_FILE_GOOD)
            why = &devices->database;
    } else {
        devices->fact.source.path = devices->paired_file.path;
    }
    if (!why && devices->pairing_store == DR_STORE_JSON && devices->paired_file.state == DR_FILE_UNREADABLE)
        why = &devices->paired_file;
    if (!why && devices->pairing_store == DR_STORE_JSON && devices->pending_file.state == DR_FILE_UNREADABLE)
        why = &devices->pending_file;
    if (why) {
        devices->fact.state = DR_UNKNOWN;
        devices->fact.source.path = why->path;
        devices->fact.reason = dr_format(context, "%s cannot be used: %s", why->path, why->reason);
    }
    if (devices->pairing_store == DR_STORE_NONE && devices->identity_store == DR_STORE_NONE)
        devices->fact.state = DR_ABSENT;
    if (devices->identity_store == DR_STORE_SQLITE && devices->database.state != DR_FILE_GOOD)
        devices->identity.fact = devices->fact;
}

void dr_devices_read(struct dr_context *context, const char *state_dir, const struct dr_rules *rules, bool release_certain,
                     struct dr_devices *ret_devices)
{
    struct dr_json_store json;
    struct dr_sqlite_store sqlite;
    struct dr_devices devices = { 0 };

    dr_devices_read_json(context, state_dir, &json);
    dr_devices_read_sqlite(context, state_dir, &sqlite);
    devices.paired_file = json.paired_file;
    devices.pending_file = json.pending_file;
    devices.identity_file = json.identity_file;
    devices.auth_file = json.auth_file;
    devices.database = sqlite.file;
    devices.schema_version = sqlite.schema_version;
    devices.app_version = sqlite.app_version;
    devices.database_checked = sqlite.checked;

    if (database_counts(&sqlite, PAIRING_SCHEMA, rules && rules->pairing_in_sqlite, rules, release_certain))
        take_sqlite_pairing(&sqlite, &devices);
    else if (any_json(&json) || (rules && !rules->pairing_in_sqlite))
        take_json_pairing(&json, &devices);
    if (database_counts(&sqlite, IDENTITY_SCHEMA, rules && rules->identity_in_sqlite, rules, release_certain))
        take_sqlite_identity(&sqlite, &devices);
    else if (any_json(&json) || (rules && !rules->identity_in_sqlite))
        take_json_identity(&json, &devices);
    compare_legacy(&json, &devices);
    judge(context, &devices);
    *ret_devices = devices;
}

const struct dr_devices *dr_devices(struct dr_context *context)
{
    if (context->devices)
        return context->devices;
    const struct dr_target *target = dr_target(context);
    struct dr_devices *devices = dr_alloc(context, sizeof(*devices));

    if (target->fact.state != DR_KNOWN) {
        devices->fact = target->fact;
    } else {
        const struct dr_installs *installs = dr_installs(context);

        dr_devices_read(context, target->state_dir, installs->release_known ? installs->rules : NULL,
                        installs->release_certain, devices);
    }
    context->devices = devices;
    return devices;
}
