#include "format/keys.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct dr_key *left = a;
    const struct dr_key *right = b;
    int order = strcmp(left->text, right->text);

    /* Equal names stay in the order of the file: their flags lie in its entries. */
    return order ? order : (left->shadowed > right->shadowed) - (left->shadowed < right->shadowed);
}

void dr_keys_shadow(struct dr_key *keys, size_t count)
{
    qsort(keys, count, sizeof(*keys), compare);
    for (size_t i = 0; i + 1 < count; i++)
        *keys[i].shadowed = strcmp(keys[i].text, keys[i + 1].text) == 0;
}
