/*
 * The rows behind dr_rules_of (api/release.h), for tests and for `explain`: from which release a rule holds, and the source that
 * says so. Rows are sorted by release; a later row replaces an earlier one for the same field.
 */
#ifndef DR_FACTS_RELEASE_H
#define DR_FACTS_RELEASE_H

#include "api/release.h"

struct dr_rule_row {
    struct dr_release from;
    size_t offset; /* of the field in struct dr_rules */
    size_t size;
    int value;
    const char *source; /* page and section of the facts, or the public pull request */
};

extern const struct dr_rule_row dr_rule_rows[];
extern const size_t dr_rule_row_count;

void dr_rules_fill(const struct dr_release *release, struct dr_rules *ret_rules);

#endif
