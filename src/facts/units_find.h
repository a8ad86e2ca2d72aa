/*
 * Where unit files and drop-ins of OpenClaw lie. Nothing is parsed here.
 */
#ifndef DR_FACTS_UNITS_FIND_H
#define DR_FACTS_UNITS_FIND_H

#include "facts/context.h"

enum { DR_MOST_SERVICES = 16, DR_MOST_DROP_INS = 32 };

struct dr_unit_place {
    const char *name;
    const char *path;
    bool user_manager;
    bool vendor;
    const char *drop_ins[DR_MOST_DROP_INS]; /* sorted by file name; of equal names the first folder's */
    bool drop_in_vendor[DR_MOST_DROP_INS];
    size_t drop_in_count;
};

struct dr_unit_places {
    struct dr_unit_place list[DR_MOST_SERVICES];
    size_t count;
};

void dr_units_find(struct dr_context *context, const char *home, const char *profile, struct dr_unit_places *places);

/*
 * Does one of the folders `wanted` ("default.target.wants") hold the service? 1 with the link's path, 0, or a negative errno when
 * a folder may not be looked into.
 */
int dr_units_wanted(struct dr_context *context, const char *home, const char *name, bool user_manager,
                    const char *const *wanted, const char **ret_link);

/* Paths of "<name>.service.bak" of the names that OpenClaw has had, NULL-ended. */
const char *const *dr_units_backups(struct dr_context *context, const char *home);

#endif
