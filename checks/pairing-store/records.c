/* Records that are of no use, or of no use any more. */
#include "check.h"

#include <string.h>

enum { MOST_KEYS = 60, FUTURE_MS = 60000, MOST_COMPARED = 2000 };

static struct dr_finding *report(const struct dr_pairing_look *look, enum dr_pairing_store_row row,
                                 const struct dr_device *first, long long count)
{
    struct dr_finding *finding = dr_report(look->findings, dr_pairing_store_problem(row), &first->source);

    dr_finding_number(finding, "count", count);
    dr_finding_text(finding, "key", first->store_key ? first->store_key : "(none)");
    return finding;
}

static bool stands_elsewhere(const struct dr_device *device, const char *own)
{
    return own && device->store_key && strcmp(device->store_key, own) != 0;
}

static void look_for_wrong_keys(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_device *first = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count; i++)
        if (stands_elsewhere(&devices->paired[i], devices->paired[i].device_id) && count++ == 0)
            first = &devices->paired[i];
    for (size_t i = 0; i < devices->pending_count; i++)
        if (stands_elsewhere(&devices->pending[i], devices->pending[i].request_id) && count++ == 0)
            first = &devices->pending[i];
    if (first)
        (void)report(look, WRONG_KEY, first, count);
}

/* A request has an id of its own and no moment of approval. */
static bool is_request(const struct dr_device *device)
{
    return device->request_id && device->approved_ms == 0;
}

static void look_for_requests(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_device *first = NULL;
    const char *keys = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count; i++) {
        const struct dr_device *device = &devices->paired[i];

        if (!is_request(device) || strchr(device->store_key, ','))
            continue;
        first = first ? first : device;
        if (count++ < MOST_KEYS)
            keys = dr_format(look->context, "%s%s%s", keys ? keys : "", keys ? "," : "", device->store_key);
    }
    if (!first)
        return;
    dr_finding_argument(report(look, PENDING_IN_PAIRED, first, count), "keys", keys);
}

static void look_for_malformed(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_device *first = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count; i++)
        if (devices->paired[i].malformed && !is_request(&devices->paired[i]) && count++ == 0)
            first = &devices->paired[i];
    if (first)
        dr_finding_text(report(look, MALFORMED, first, count), "reason", first->malformed);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The same program on the same host, as far as records tell. */
static bool same_client(const struct dr_device *a, const struct dr_device *b)
{
    return a->client_id && same_text(a->client_id, b->client_id) && same_text(a->client_mode, b->client_mode) &&
           same_text(a->platform, b->platform) && same_text(a->display_name, b->display_name) &&
           same_text(a->role, b->role) && same_text(a->remote_ip, b->remote_ip) && !same_text(a->device_id, b->device_id);
}

static bool has_later_twin(const struct dr_devices *devices, const struct dr_device *device)
{
    for (size_t i = 0; i < devices->paired_count; i++)
        if (devices->paired[i].approved_ms > device->approved_ms && same_client(device, &devices->paired[i]))
            return true;
    return false;
}

static void look_for_superseded(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_device *first = NULL;
    long long count = 0;

    for (size_t i = 0; i < devices->paired_count && devices->paired_count <= MOST_COMPARED; i++)
        if (!devices->paired[i].malformed && has_later_twin(devices, &devices->paired[i]) && count++ == 0)
            first = &devices->paired[i];
    if (first)
        dr_finding_text(report(look, SUPERSEDED, first, count), "device", first->device_id);
}

static void look_at_ages(const struct dr_pairing_look *look)
{
    const struct dr_devices *devices = look->devices;
    const struct dr_device *expired = NULL;
    const struct dr_device *future = NULL;
    long long expired_count = 0, future_count = 0;

    for (size_t i = 0; i < devices->pending_count; i++) {
        const struct dr_device *pending = &devices->pending[i];
        int64_t age = dr_pending_age_ms(look->context, pending);

        if (age > DR_PENDING_LIVES_MS && expired_count++ == 0)
            expired = pending;
        else if (age < -FUTURE_MS && future_count++ == 0)
            future = pending;
    }
    if (expired)
        (void)report(look, PENDING_EXPIRED, expired, expired_count);
    if (future)
        (void)report(look, PENDING_FUTURE, future, future_count);
}

void dr_pairing_store_records(const struct dr_pairing_look *look)
{
    if (look->devices->pairing_store == DR_STORE_JSON) {
        look_for_wrong_keys(look);
        look_for_requests(look);
    }
    look_for_malformed(look);
    look_for_superseded(look);
    look_at_ages(look);
}
