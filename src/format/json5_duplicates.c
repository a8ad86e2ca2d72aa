#include "format/json5_internal.h"

#include <string.h>
#include <sys/auxv.h>

/* Up to this many members every pair is compared; beyond, a hash table keeps the search linear. */
enum { PAIRWISE_MAX = 16 };

void dr_json5_duplicates_release(struct dr_json5_duplicates *duplicates)
{
    free(duplicates->list);
    free(duplicates->table);
}

static int note(struct dr_json5_duplicates *duplicates, struct dr_json5_node *first, struct dr_json5_node *second)
{
    first->flags |= DR_JSON5_NODE_SHADOWED;
    duplicates->count++;
    if (duplicates->kept == DR_JSON5_DUPLICATES_KEPT)
        return 0;
    if (duplicates->kept == duplicates->capacity) {
        size_t capacity = duplicates->capacity ? duplicates->capacity * 2 : 8;
        struct dr_json5_duplicate *list = reallocarray(duplicates->list, capacity, sizeof(*list));

        if (!list)
            return -ENOMEM;
        duplicates->list = list;
        duplicates->capacity = capacity;
    }
    duplicates->list[duplicates->kept++] = (struct dr_json5_duplicate){ first, second };
    return 0;
}

static int find_pairwise(struct dr_json5_duplicates *duplicates, const char *bytes, struct dr_json5_node **members,
                         size_t count)
{
    struct dr_json5_spelling keys[PAIRWISE_MAX];

    for (size_t i = 0; i < count; i++) {
        keys[i] = dr_json5_spelling_of_key(bytes, members[i]);
        for (size_t j = i; j-- > 0;) {
            if (!dr_json5_spelling_same(keys[j], keys[i]))
                continue;
            int r = note(duplicates, members[j], members[i]);

            if (r < 0)
                return r;
            break;
        }
    }
    return 0;
}

/* The keys come from outside: without a seed that they cannot know, they could be chosen to collide. */
static uint64_t make_seed(void)
{
    const void *random = (const void *)getauxval(AT_RANDOM);
    uint64_t seed = 0xcbf29ce484222325U;

    if (random)
        memcpy(&seed, random, sizeof(seed));
    return seed | 1;
}

static int reserve_table(struct dr_json5_duplicates *duplicates, size_t members)
{
    size_t size = 64;

    while (size < members * 2)
        size *= 2;
    if (size > duplicates->table_size) {
        uint32_t *table = reallocarray(duplicates->table, size, sizeof(*table));

        if (!table)
            return -ENOMEM;
        duplicates->table = table;
        duplicates->table_size = size;
    }
    memset(duplicates->table, 0, size * sizeof(*duplicates->table));
    if (duplicates->seed == 0)
        duplicates->seed = make_seed();
    return 0;
}

static int find_hashed(struct dr_json5_duplicates *duplicates, const char *bytes, struct dr_json5_node *object, size_t count)
{
    int r = reserve_table(duplicates, count);
    size_t mask = 63;

    if (r < 0)
        return r;
    while (mask + 1 < count * 2)
        mask = mask * 2 + 1;
    for (uint32_t i = 1; i < object->extent; i += object[i].extent) {
        struct dr_json5_spelling key = dr_json5_spelling_of_key(bytes, &object[i]);
        size_t slot = dr_json5_spelling_hash(key, duplicates->seed) & mask;
        uint32_t *entry = &duplicates->table[slot];

        while (*entry && !dr_json5_spelling_same(dr_json5_spelling_of_key(bytes, &object[*entry]), key)) {
            slot = (slot + 1) & mask;
            entry = &duplicates->table[slot];
        }
        if (*entry) {
            r = note(duplicates, &object[*entry], &object[i]);
            if (r < 0)
                return r;
        }
        *entry = i;
    }
    return 0;
}

int dr_json5_duplicates_find(struct dr_json5_duplicates *duplicates, const char *bytes, struct dr_json5_node *object)
{
    struct dr_json5_node *members[PAIRWISE_MAX];
    size_t count = 0;

    for (uint32_t i = 1; i < object->extent; i += object[i].extent) {
        if (count < PAIRWISE_MAX)
            members[count] = &object[i];
        count++;
    }
    if (count < 2)
        return 0;
    if (count <= PAIRWISE_MAX)
        return find_pairwise(duplicates, bytes, members, count);
    return find_hashed(duplicates, bytes, object, count);
}
