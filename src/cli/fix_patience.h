/*
 * How long to wait before a repair is looked at again, and for how long to go on. What a repair starts needs a moment to come up, and a moment
 * to fall down again: a gateway that ends after two seconds was not repaired.
 */
#ifndef DR_CLI_FIX_PATIENCE_H
#define DR_CLI_FIX_PATIENCE_H

#include "repair/repair.h"

/* Milliseconds. */
struct dr_patience {
    unsigned first; /* before the first look */
    unsigned again; /* before each further one, while it is not content */
    unsigned steady; /* a look that is content must be so again after that time; 0: one such look is enough */
    unsigned most; /* altogether, while it is not content; then the last look stands */
};

/*
 * For the operations that were applied. `live_config`: the configuration of a gateway that runs and can be looked at, which it takes in by itself; NULL:
 * there is none.
 */
struct dr_patience dr_patience_for(const struct dr_operation *operations, const struct dr_repair_result *results,
                                   size_t count, const char *live_config);

void dr_patience_wait(unsigned ms);

#endif
