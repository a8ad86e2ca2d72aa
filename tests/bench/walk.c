/*
 * bench-walk FOLDER UID: the doctor's walk alone, with the question of `find FOLDER -xdev ! -user UID`. Prints how many entries were
 * looked at and how many belong to somebody else.
 */
#include "facts/tree_walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct counts {
    uint32_t uid;
    unsigned long entries, others;
};

static void count(struct dr_context *context, const struct dr_entry *entry, void *state)
{
    struct counts *counts = state;

    (void)context;
    counts->entries++;
    counts->others += entry->identity.uid != counts->uid;
}

int main(int argc, char **argv)
{
    struct counts counts = { .uid = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0 };
    struct dr_walk walk = { .root_fd = AT_FDCWD, .deepest = DR_WALK_WHOLE, .visit = count, .state = &counts };

    if (argc != 3) {
        fputs("usage: bench-walk FOLDER UID\n", stderr);
        return 64;
    }
    walk.path = argv[1];
    if (dr_walk_run(&walk) < 0)
        return 2;
    printf("%lu entries, %lu of others\n", counts.entries, counts.others);
    return 0;
}
