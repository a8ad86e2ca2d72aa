/*
 * Are the files and the database that pairing is kept in what they should be? OpenClaw reads a broken JSON file as an empty one, says
 * nothing, and writes over it; a broken database stops the gateway.
 */
#include "check.h"

#include "api/check.h"
#include "api/install.h"
#include "api/target.h"

#include <errno.h>
#include <string.h>

enum { SQLITE_FROM_SCHEMA = 2 };

static const struct dr_cause from_ownership[] = {
    { "files-ownership/wrong-owner", DR_BELOW_SUBJECT },
    { NULL, DR_SAME_SUBJECT },
};
static const struct dr_cause from_the_clock[] = {
    { "clock-skew/pending-never-expires", DR_ANY_SUBJECT },
    { NULL, DR_SAME_SUBJECT },
};

static const struct dr_problem problems[] = {
    [PAIRED_ARRAY] = {
        .code = "paired-array",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{path} holds an array ([]) where an object ({}) belongs. OpenClaw cannot keep a pairing in it: \"Approved ...\" is "
                   "printed, nothing is stored, and the device is asked to pair again and again.",
        .advice = "openclaw-doctor --fix turns the array into an object; no restart is needed",
        .fixer = "device-store-reshape",
    },
    [PENDING_ARRAY] = {
        .code = "pending-array",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{path} holds an array ([]) where an object ({}) belongs. No pairing request is ever stored, so nobody can "
                   "approve one: \"unknown requestId\".",
        .advice = "openclaw-doctor --fix turns the array into an object; no restart is needed",
        .fixer = "device-store-reshape",
    },
    [PAIRED_BROKEN] = {
        .code = "paired-broken",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "The pairing records cannot be read: {reason}{looks}. OpenClaw takes the file for empty, so every device is "
                   "unpaired, and the next connection writes over it.",
        .advice = "Restore {path} from a backup now; without one, --fix keeps the broken file aside",
        .fixer = "device-store-quarantine",
        .why = "the pairings in the file stay lost, as they are for OpenClaw now; what is left of them is kept aside",
        .follows = from_ownership,
    },
    [PENDING_BROKEN] = {
        .code = "pending-broken",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "The waiting pairing requests cannot be read: {reason}{looks}. OpenClaw takes the file for empty; requests live "
                   "5 minutes and are asked again.",
        .advice = "openclaw-doctor --fix keeps the broken file aside; then connect again from the device",
        .fixer = "device-store-quarantine",
        .follows = from_ownership,
    },
    [AUTH_BROKEN] = {
        .code = "auth-broken",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "The device token that this host keeps cannot be read: {reason}{looks}. OpenClaw ignores the file.",
        .advice = "openclaw-doctor --fix keeps the broken file aside; the next connection that succeeds writes a new one",
        .fixer = "device-store-quarantine",
        .follows = from_ownership,
    },
    [STORE_UNREADABLE] = {
        .code = "store-unreadable",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{path} cannot be read: {reason}. {effect}",
        .advice = "Give the file back to the user who runs the gateway",
        .follows = from_ownership,
    },
    [WRONG_KEY] = {
        .code = "wrong-key",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} record(s) stand under a key that is not their own id (the first: {key}). OpenClaw looks records up by "
                   "their key and does not find them.",
        .advice = "openclaw devices remove <id>, then pair the device again",
    },
    [MALFORMED] = {
        .code = "malformed-records",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} pairing record(s) cannot be used (the first, {key}: {reason}).",
        .advice = "openclaw devices remove {key}, then pair the device again",
    },
    [PENDING_IN_PAIRED] = {
        .code = "pending-in-paired",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{count} pairing request(s) stand among the paired devices. They let nobody in, and the import into SQLite of "
                   "OpenClaw 2026.8.1 fails on them.",
        .advice = "openclaw-doctor --fix --unsafe takes them out; the devices ask again when they connect",
        .fixer = "device-record-remove",
        .why = "it drops records, even if nobody can use them",
    },
    [DUPLICATE_KEYS] = {
        .code = "duplicate-keys",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} key(s) stand in {path} twice (line {line}). OpenClaw takes the last one and drops the others when it "
                   "writes the file again.",
        .advice = "Look at line {line} and delete the record that is not wanted",
    },
    [SUPERSEDED] = {
        .code = "superseded-records",
        .severity = DR_INFO,
        .confidence = DR_POSSIBLE,
        .safety = DR_MANUAL,
        .message = "{count} record(s) look like older keys of a device that paired again later (the first: {device}). Their tokens "
                   "are still good.",
        .advice = "openclaw devices remove {device}, when you know that it is not used any more",
    },
    [PENDING_EXPIRED] = {
        .code = "pending-expired",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} pairing request(s) are older than 5 minutes and cannot be approved any more (\"unknown requestId\").",
        .advice = "Connect from the device again, then: openclaw devices list, openclaw devices approve <new id>",
    },
    [PENDING_FUTURE] = {
        .code = "pending-future",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .safety = DR_MANUAL,
        .message = "{count} pairing request(s) are dated in the future: the clock of this host was wrong, or is. They do not expire "
                   "until that moment has passed.",
        .advice = "Check the clock: timedatectl",
        .follows = from_the_clock,
    },
    [LEGACY_LEFT] = {
        .code = "legacy-left",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "Device files of an older release lie beside the database that replaced them ({files}{again}). OpenClaw tries to "
                   "import them at each start; where that fails, the gateway does not start (exit 78).",
        .advice = "openclaw-doctor --fix keeps them aside; the database stays as it is",
        .fixer = "device-legacy-quarantine",
    },
    [LEGACY_WAITING] = {
        .code = "legacy-waiting",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "Device files of an older release lie beside the database ({files}{again}) and hold {new} pairing(s) that it does "
                   "not know. The next start of the gateway imports them and lets these devices in.",
        .advice = "To keep them: openclaw doctor --fix. To be rid of them: openclaw-doctor --fix --unsafe",
        .fixer = "device-legacy-quarantine",
        .why = "pairings that are only in these files would not be imported",
    },
    [IDENTITY_NOT_IMPORTED] = {
        .code = "identity-not-imported",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "This host's key is still in {path}, where this release does not read it, and the database has none. The host "
                   "connects without identity: \"missing scope: operator.read\".",
        .advice = "openclaw doctor --fix imports it; if it says \"native no-replace move is unavailable\", reinstall OpenClaw first",
    },
    [DATABASE_DAMAGED] = {
        .code = "database-damaged",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The state database is damaged: {reason}{looks}. The gateway does not start with it (exit 78).",
        .advice = "Stop OpenClaw, copy {path} with its -wal and -shm, then restore a backup or try: sqlite3 <copy> .recover",
    },
    [SCHEMA_NEWER] = {
        .code = "schema-newer",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The state database has schema {schema}; OpenClaw {release} knows schemas up to {newest}. The gateway does not start "
                   "(exit 78: \"uses newer schema version\"). It was last written by {writer}.",
        .advice = "Start the newer OpenClaw that wrote it, or update. Do not change the number and do not move the file away",
    },
    [DATABASE_AHEAD] = {
        .code = "database-ahead",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_MANUAL,
        .message = "A newer OpenClaw ({writer}) has moved pairing into {path}. OpenClaw {release} does not read it: devices that paired "
                   "since then are unknown to it.",
        .advice = "Go back to the newer OpenClaw; stepping back loses pairings and scheduled jobs",
    },
};

const struct dr_problem *dr_pairing_store_problem(enum dr_pairing_store_row row)
{
    return &problems[row];
}

static const char *looks_words(struct dr_context *context, const struct dr_store_file *file)
{
    return file->looks_like ? dr_format(context, " (it looks like %s)", file->looks_like) : "";
}

static struct dr_finding *report_file(const struct dr_pairing_look *look, enum dr_pairing_store_row row,
                                      const struct dr_store_file *file)
{
    struct dr_source subject = { .path = file->path, .line = file->line, .column = file->column };
    struct dr_finding *finding = dr_report(look->findings, &problems[row], &subject);

    dr_finding_text(finding, "reason", file->reason);
    dr_finding_text(finding, "looks", looks_words(look->context, file));
    dr_finding_argument(finding, "path", file->path);
    return finding;
}

/* Forbidden to us. That is the gateway's trouble only when we are its user; else it is merely what we could not see. */
static void report_unreadable(const struct dr_pairing_look *look, const struct dr_store_file *file)
{
    const struct dr_target *target = dr_target(look->context);
    struct dr_source subject = { .path = file->path };
    bool forbidden = file->error == -EACCES || file->error == -EPERM;

    if (!forbidden || target->fact.state != DR_KNOWN || target->running_uid != target->uid) {
        dr_could_not_tell(look->findings, &subject, "%s cannot be read: %s", file->path, file->reason);
        return;
    }
    struct dr_finding *finding = report_file(look, STORE_UNREADABLE, file);

    dr_finding_text(finding, "effect",
                    file == &look->devices->database
                        ? "The gateway does not start with it (exit 78)."
                        : "OpenClaw takes it for empty and replaces it: what is in it is lost then.");
}

static void look_at_file(const struct dr_pairing_look *look, const struct dr_store_file *file, int array_row, int broken_row)
{
    struct dr_finding *finding;

    switch (file->state) {
    case DR_FILE_ARRAY:
        finding = report_file(look, (enum dr_pairing_store_row)array_row, file);
        if (array_row == PAIRED_ARRAY && file->entries > 0)
            dr_finding_restrict(finding, DR_UNSAFE,
                                "the records in the array come into force, and their devices are let in again");
        break;
    case DR_FILE_EMPTY:
    case DR_FILE_TRUNCATED:
    case DR_FILE_INVALID:
        (void)report_file(look, (enum dr_pairing_store_row)broken_row, file);
        break;
    case DR_FILE_UNREADABLE:
        report_unreadable(look, file);
        break;
    default:
        break;
    }
}

static void look_at_duplicates(const struct dr_pairing_look *look, const struct dr_store_file *file)
{
    struct dr_source subject = { .path = file->path, .line = file->duplicate_line };

    if (file->duplicates == 0)
        return;
    struct dr_finding *finding = dr_report(look->findings, &problems[DUPLICATE_KEYS], &subject);

    dr_finding_number(finding, "count", (long long)file->duplicates);
    dr_finding_number(finding, "line", file->duplicate_line);
}

static void look_at_json(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;

    if (devices->pairing_store == DR_STORE_JSON) {
        look_at_file(look, &devices->paired_file, PAIRED_ARRAY, PAIRED_BROKEN);
        look_at_file(look, &devices->pending_file, PENDING_ARRAY, PENDING_BROKEN);
        look_at_duplicates(look, &devices->paired_file);
        look_at_duplicates(look, &devices->pending_file);
    }
    if (devices->identity_store == DR_STORE_JSON) {
        look_at_file(look, &devices->auth_file, AUTH_BROKEN, AUTH_BROKEN);
        if (devices->identity_file.state == DR_FILE_UNREADABLE) /* broken ones are identity-key's */
            report_unreadable(look, &devices->identity_file);
    }
}

static void report_schema(const struct dr_pairing_look *look, const struct dr_installs *installs)
{
    const struct dr_devices *devices = look->devices;
    struct dr_source subject = { .path = devices->database.path };
    struct dr_release newest = dr_release_newest_known();
    bool known = installs->release_known && installs->rules;

    if (known && dr_release_compare(&installs->release, &newest) > 0) {
        dr_could_not_tell(look->findings, &subject,
                          "OpenClaw %s is newer than this doctor, and so is the database's schema %lld: update the doctor",
                          dr_release_text(look->context, &installs->release), (long long)devices->schema_version);
        return;
    }
    struct dr_finding *finding = dr_report(look->findings, &problems[SCHEMA_NEWER], &subject);

    dr_finding_number(finding, "schema", devices->schema_version);
    dr_finding_number(finding, "newest", known ? installs->rules->sqlite_schema : DR_NEWEST_SCHEMA);
    dr_finding_text(finding, "release",
                    dr_release_text(look->context, installs->release_known ? &installs->release : &newest));
    dr_finding_text(finding, "writer", devices->app_version ? devices->app_version : "an unknown release");
    if (!installs->release_certain)
        dr_finding_confidence(finding, DR_LIKELY);
}

static void look_at_database(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_installs *installs = dr_installs(look->context);
    const struct dr_rules *rules = installs->release_known ? installs->rules : NULL;

    if (rules && installs->release_certain && !rules->pairing_in_sqlite) {
        if (devices->schema_version < SQLITE_FROM_SCHEMA)
            return;
        struct dr_source subject = { .path = devices->database.path };
        struct dr_finding *finding = dr_report(look->findings, &problems[DATABASE_AHEAD], &subject);

        dr_finding_text(finding, "release", dr_release_text(look->context, &installs->release));
        dr_finding_text(finding, "writer", devices->app_version ? devices->app_version : "an unknown release");
        return;
    }
    if (devices->database.state == DR_FILE_INVALID)
        (void)report_file(look, DATABASE_DAMAGED, &devices->database);
    else if (devices->database.state == DR_FILE_UNREADABLE)
        report_unreadable(look, &devices->database);
    else if (devices->database.state == DR_FILE_NEWER_SCHEMA ||
             (rules && rules->sqlite_schema > 0 && devices->schema_version > rules->sqlite_schema))
        report_schema(look, installs);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_devices *devices = dr_devices(context);
    struct dr_pairing_look look = { context, findings, devices };

    (void)state;
    if (devices->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there are no device keys or records yet");
    if (devices->pairing_store == DR_STORE_NONE && devices->identity_store == DR_STORE_NONE) {
        (void)dr_unknown_fact(findings, &devices->fact);
        return 0;
    }
    look_at_json(&look);
    look_at_database(&look);
    dr_pairing_store_legacy(&look);
    dr_pairing_store_records(&look);
    return 0;
}

static const char *const tags[] = { "pairing", "files", "offline", NULL };

const struct dr_check dr_check_pairing_store = {
    .id = "pairing-store",
    .title = "The device store is whole",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
