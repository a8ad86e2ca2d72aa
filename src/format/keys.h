/*
 * Which of several assignments to one name counts: the last. The others are shadowed.
 */
#ifndef DR_FORMAT_KEYS_H
#define DR_FORMAT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct dr_key {
    const char *text; /* borrowed */
    bool *shadowed; /* set for each but the last of its name */
};

/* Sorts `keys`, which stand in the order of the file; in n log n, as a file may hold very many. */
void dr_keys_shadow(struct dr_key *keys, size_t count);

#endif
