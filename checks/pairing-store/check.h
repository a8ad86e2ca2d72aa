/*
 * Inside pairing-store: files and database (check.c), records (records.c), what an older release left (legacy.c).
 */
#ifndef CHECKS_PAIRING_STORE_CHECK_H
#define CHECKS_PAIRING_STORE_CHECK_H

#include "api/devices.h"
#include "api/finding.h"

enum dr_pairing_store_row {
    PAIRED_ARRAY,
    PENDING_ARRAY,
    PAIRED_BROKEN,
    PENDING_BROKEN,
    AUTH_BROKEN,
    STORE_UNREADABLE,
    WRONG_KEY,
    MALFORMED,
    PENDING_IN_PAIRED,
    DUPLICATE_KEYS,
    SUPERSEDED,
    PENDING_EXPIRED,
    PENDING_FUTURE,
    LEGACY_LEFT,
    LEGACY_WAITING,
    IDENTITY_NOT_IMPORTED,
    DATABASE_DAMAGED,
    SCHEMA_NEWER,
    DATABASE_AHEAD,
};

struct dr_pairing_look {
    struct dr_context *context;
    struct dr_findings *findings;
    const struct dr_devices *devices;
};

const struct dr_problem *dr_pairing_store_problem(enum dr_pairing_store_row row);

void dr_pairing_store_records(const struct dr_pairing_look *look);
void dr_pairing_store_legacy(const struct dr_pairing_look *look);

#endif
