/* JSON files that lie beside the database which replaced them (facts/openclaw-2026.9.md §2.3, §3.6). */
#include "check.h"

#include <string.h>

static const char *list_file(const struct dr_pairing_look *look, const char *list, const struct dr_store_file *file,
                             const char *name, const char **ret_again)
{
    if (file->state == DR_FILE_MISSING)
        return list;
    if (file->archived)
        *ret_again = "; imported before, so an older OpenClaw still writes them";
    return dr_format(look->context, "%s%s%s", list ? list : "", list ? ", " : "", name);
}

/* Where the database has another key, the files are of an earlier life of this host and nobody misses them. */
static bool of_earlier_life(const struct dr_devices *devices)
{
    const char *own = devices->identity.fact.state == DR_KNOWN ? devices->identity.device_id : NULL;

    return own && devices->legacy_device_id && strcmp(own, devices->legacy_device_id) != 0;
}

void dr_pairing_store_legacy(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    bool pairing = devices->pairing_store == DR_STORE_SQLITE;
    bool identity = devices->identity_store == DR_STORE_SQLITE;
    const char *again = "";
    const char *files = NULL;

    if (devices->fact.state != DR_KNOWN)
        return;
    if (identity && devices->legacy_device_id && devices->identity.fact.state == DR_ABSENT) {
        struct dr_source subject = { .path = devices->identity_file.path };

        (void)dr_report(look->findings, dr_pairing_store_problem(IDENTITY_NOT_IMPORTED), &subject);
        return; /* the import that this one needs takes the others along */
    }
    if (identity) {
        files = list_file(look, files, &devices->identity_file, "identity/device.json", &again);
        files = list_file(look, files, &devices->auth_file, "identity/device-auth.json", &again);
    }
    if (pairing) {
        files = list_file(look, files, &devices->paired_file, "devices/paired.json", &again);
        files = list_file(look, files, &devices->pending_file, "devices/pending.json", &again);
    }
    if (!files)
        return;
    bool waiting = devices->legacy_new > 0 && !of_earlier_life(devices);
    struct dr_source subject = { .path = devices->paired_file.path };
    struct dr_finding *finding =
        dr_report(look->findings, dr_pairing_store_problem(waiting ? LEGACY_WAITING : LEGACY_LEFT), &subject);

    dr_finding_text(finding, "files", files);
    dr_finding_text(finding, "again", again);
    dr_finding_number(finding, "new", (long long)devices->legacy_new);
    dr_finding_number(finding, "malformed", (long long)devices->legacy_malformed);
}
