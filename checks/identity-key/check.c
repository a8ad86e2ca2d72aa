/*
 * Do keys belong to their ids? A device id is the SHA-256 of its public key; the private key is the other half of the public one.
 * OpenClaw replaces an identity that it cannot use without a word, and everybody who trusted it has to be asked again.
 */
#include "api/check.h"
#include "api/devices.h"

#include <string.h>

enum { MOST_NAMED = 3 };

enum {
    IDENTITY_BROKEN,
    KEY_UNREADABLE,
    PRIVATE_KEY_DIFFERS,
    ID_DIFFERS,
    OWN_RECORD_DIFFERS,
    RECORD_DIFFERS,
};

static const struct dr_cause from_ownership[] = {
    { "files-ownership/wrong-owner", DR_BELOW_SUBJECT },
    { NULL, DR_SAME_SUBJECT },
};

static const struct dr_problem problems[] = {
    [IDENTITY_BROKEN] = {
        .code = "identity-broken",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "The file with this host's own key is broken: {reason}{looks}. The next openclaw command writes a new key over "
                   "it, and every gateway that trusts this host asks for pairing again.",
        .advice = "Restore {path} from a backup now, or let --fix keep the broken file aside",
        .fixer = "device-identity-quarantine",
        .why = "this host gets a new device id, and gateways on other hosts must approve it",
        .follows = from_ownership,
    },
    [KEY_UNREADABLE] = {
        .code = "key-unreadable",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "This host's own key cannot be used: {reason}. OpenClaw replaces it by a new one without a word, and every "
                   "gateway that trusts this host asks for pairing again.",
        .advice = "Restore the key from a backup; without one, --fix sets it aside and OpenClaw makes a new one",
        .fixer = "device-identity-quarantine",
        .why = "this host gets a new device id, and gateways on other hosts must approve it",
    },
    [PRIVATE_KEY_DIFFERS] = {
        .code = "private-key-differs",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "This host's private key does not belong to its public key (device {device}). Every gateway answers "
                   "\"device signature invalid\".",
        .advice = "Restore the key from a backup; without one, --fix sets it aside and OpenClaw makes a new one",
        .fixer = "device-identity-quarantine",
        .why = "this host gets a new device id, and gateways on other hosts must approve it",
    },
    [ID_DIFFERS] = {
        .code = "id-differs",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "This host calls itself device {device}, but its key makes it {real}. Gateways answer \"device identity mismatch\".",
        .advice = "openclaw-doctor --fix writes the id that belongs to the key",
        .fixer = "device-identity-correct",
    },
    [OWN_RECORD_DIFFERS] = {
        .code = "own-record-differs",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "The pairing record of this host's own device {device} holds another device's public key. The gateway takes this "
                   "host for a stranger: \"pairing required\".",
        .advice = "openclaw devices remove {device}, then pair again: openclaw devices list, openclaw devices approve --latest",
    },
    [RECORD_DIFFERS] = {
        .code = "record-differs",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_MANUAL,
        .message = "{count} pairing record(s) hold a public key that does not belong to the device id ({devices}). Nobody can "
                   "connect with such a record.",
        .advice = "openclaw devices remove <id> for each, then pair the device again",
    },
};

static const char *short_id(struct dr_context *context, const char *id)
{
    return id ? dr_strndup(context, id, strnlen(id, 12)) : "(none)";
}

static bool file_is_broken(const struct dr_store_file *file)
{
    return file->state == DR_FILE_EMPTY || file->state == DR_FILE_TRUNCATED || file->state == DR_FILE_ARRAY ||
           file->state == DR_FILE_INVALID;
}

static void report_broken_file(struct dr_context *context, const struct dr_store_file *file, struct dr_findings *findings)
{
    struct dr_source subject = { .path = file->path, .line = file->line, .column = file->column };
    struct dr_finding *finding = dr_report(findings, &problems[IDENTITY_BROKEN], &subject);

    dr_finding_text(finding, "reason", file->reason);
    dr_finding_text(finding, "looks", file->looks_like ? dr_format(context, " (it looks like %s)", file->looks_like) : "");
}

static void look_at_identity(struct dr_context *context, const struct dr_devices *devices, struct dr_findings *findings)
{
    const struct dr_identity *identity = &devices->identity;
    const struct dr_source *subject = &identity->fact.source;
    struct dr_finding *finding = NULL;

    if (identity->key_problem || !identity->device_id) {
        finding = dr_report(findings, &problems[KEY_UNREADABLE], subject);
        dr_finding_text(finding, "reason", identity->key_problem ? identity->key_problem : "there is no device id");
        return;
    }
    if (!identity->private_matches) {
        finding = dr_report(findings, &problems[PRIVATE_KEY_DIFFERS], subject);
    } else if (strcmp(identity->device_id, identity->public_key_id) != 0) {
        finding = dr_report(findings, &problems[ID_DIFFERS], subject);
        dr_finding_text(finding, "real", short_id(context, identity->public_key_id));
        if (devices->identity_store == DR_STORE_JSON) /* OpenClaw itself corrects the file at its next command */
            dr_finding_severity(finding, DR_WARNING);
    }
    if (finding)
        dr_finding_text(finding, "device", short_id(context, identity->device_id));
}

static bool record_differs(const struct dr_device *device)
{
    return device->device_id && device->public_key_id && strcmp(device->device_id, device->public_key_id) != 0;
}

static void look_at_records(struct dr_context *context, const struct dr_devices *devices, struct dr_findings *findings)
{
    const char *own = devices->identity.public_key_id;
    const struct dr_device *first = NULL;
    const char *named = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count; i++) {
        const struct dr_device *device = &devices->paired[i];

        if (!record_differs(device))
            continue;
        if (own && strcmp(device->device_id, own) == 0) {
            struct dr_finding *finding = dr_report(findings, &problems[OWN_RECORD_DIFFERS], &device->source);

            dr_finding_text(finding, "device", device->device_id);
            continue;
        }
        first = first ? first : device;
        if (count++ < MOST_NAMED)
            named =
                dr_format(context, "%s%s%s", named ? named : "", named ? ", " : "", short_id(context, device->device_id));
    }
    if (!first)
        return;
    struct dr_finding *finding = dr_report(findings, &problems[RECORD_DIFFERS], &first->source);

    dr_finding_number(finding, "count", count);
    dr_finding_text(finding, "devices", count > MOST_NAMED ? dr_format(context, "%s ...", named) : named);
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_devices *devices = dr_devices(context);

    (void)state;
    if (devices->fact.state == DR_ABSENT)
        return dr_not_applicable(findings, "there are no device keys or records yet");
    if (devices->identity_store == DR_STORE_JSON && file_is_broken(&devices->identity_file))
        report_broken_file(context, &devices->identity_file, findings);
    else if (devices->identity.fact.state == DR_KNOWN)
        look_at_identity(context, devices, findings);
    else if (devices->identity.fact.state == DR_UNKNOWN)
        (void)dr_unknown_fact(findings, &devices->identity.fact);
    if (devices->fact.state == DR_KNOWN)
        look_at_records(context, devices, findings);
    else if (devices->identity.fact.state != DR_UNKNOWN)
        (void)dr_unknown_fact(findings, &devices->fact);
    return 0;
}

static const char *const tags[] = { "pairing", "identity", "offline", NULL };

const struct dr_check dr_check_identity_key = {
    .id = "identity-key",
    .title = "Keys belong to their device ids",
    .tags = tags,
    .problems = problems,
    .problem_count = sizeof(problems) / sizeof(problems[0]),
    .run = run,
};
