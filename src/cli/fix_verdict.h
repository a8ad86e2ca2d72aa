/*
 * Did a repair help? Two looks, before and after, say so; nobody else's word counts.
 */
#ifndef DR_CLI_FIX_VERDICT_H
#define DR_CLI_FIX_VERDICT_H

#include "engine/engine.h"

/*
 * NULL: it helped. Else why it is taken back: the problem is still there, its check cannot tell any more, or a new error (of its own, not what
 * follows from another) appeared and there are not fewer errors than before. Static text.
 */
const char *dr_fix_verdict(const struct dr_look *before, const struct dr_look *after, const cJSON *finding);

/*
 * Is there an error of its own that was not there before? That may be the better state (one error for two), or a server that is not done
 * with reading its configuration: worth another look while there is time.
 */
bool dr_fix_has_new_error(const struct dr_look *before, const struct dr_look *after);

#endif
