#include "format/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct key {
    const char *text;
    bool *shadowed;
};

bool dr_key_is_variable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return length > 0;
}

static int compare(const void *a, const void *b)
{
    const struct key *left = a;
    const struct key *right = b;
    int order = strcmp(left->text, right->text);

    /* Equal names stay in the order of the file: their flags lie in its entries. */
    return order ? order : (left->shadowed > right->shadowed) - (left->shadowed < right->shadowed);
}

int dr_keys_shadow(void *entries, size_t count, size_t size, size_t key, size_t shadowed)
{
    _cleanup_free_ struct key *keys = calloc(count + 1, sizeof(*keys));
    char *bytes = entries;

    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        memcpy(&keys[i].text, bytes + i * size + key, sizeof(keys[i].text));
        keys[i].shadowed = (void *)(bytes + i * size + shadowed);
    }
    qsort(keys, count, sizeof(*keys), compare);
    for (size_t i = 0; i + 1 < count; i++)
        *keys[i].shadowed = strcmp(keys[i].text, keys[i + 1].text) == 0;
    return 0;
}
