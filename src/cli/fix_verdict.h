/*
 * Did a repair help? Two looks, before and after, say so; nobody else's word counts.
 *
 *   the finding   its check's "could not tell"            other checks                        verdict
 *   ------------  --------------------------------------  ----------------------------------  ------------------------------
 *   still there   any                                     any                                 taken back: still there
 *   gone          new, or it crashed, or does not apply   any                                 taken back: cannot tell any more
 *                 (and that was not said before)
 *   gone          none, or the same as before             nothing new                         helped
 *   gone          none, or the same as before             a new error, and not fewer errors   taken back: something is worse
 *   gone          none, or the same as before             cannot tell any more about a file   taken back: something is worse
 *                                                         that this repair changed
 *
 * "The same": check, path and reason (digits apart: lines move), as often as before. What lies below a folder that could not be looked into
 * before is not new: it is what the repair opened up. An error is new when its check could look there before and did not
 * report it. One of before whose check cannot look any more counts as still there: it may be hidden.
 */
#ifndef DR_CLI_FIX_VERDICT_H
#define DR_CLI_FIX_VERDICT_H

#include "engine/engine.h"

/* NULL: it helped. Else why it is taken back: static text. `finding` is one of `before`, of which operations belong to it as well. */
const char *dr_fix_verdict(const struct dr_look *before, const struct dr_look *after, const cJSON *finding);

/*
 * Is there an error of its own that was not there before? That may be the better state (one error for two), or a server that is not done
 * with reading its configuration: worth another look while there is time.
 */
bool dr_fix_has_new_error(const struct dr_look *before, const struct dr_look *after);

#endif
