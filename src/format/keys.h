/*
 * Names in files of assignments: what may be one, and which of several assignments to one name counts: the last. The others are
 * shadowed.
 */
#ifndef DR_FORMAT_KEYS_H
#define DR_FORMAT_KEYS_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* A variable's name as systemd and shells take it: letters, digits and "_", no digit first. */
bool dr_key_is_variable(const char *text, size_t length);

/*
 * Sets `shadowed` of each of `count` entries of `size` bytes, in the order of the file. `key` and `shadowed` are the offsets of an entry's name
 * (const char *) and flag (bool). n log n, as a file may hold very many. 0 or -ENOMEM.
 */
int dr_keys_shadow(void *entries, size_t count, size_t size, size_t key, size_t shadowed) DR_MUST_CHECK;

#endif
