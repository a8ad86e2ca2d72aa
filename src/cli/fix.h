/*
 * One way to repair: look, decide, apply, look again, keep or roll back; in rounds, until nothing more can be done.
 *
 * Only root causes are repaired; what followed from them is looked at anew in the next round. A repair whose problem is still there
 * afterwards, or that made things worse, is rolled back. Nothing is tried twice.
 */
#ifndef DR_CLI_FIX_H
#define DR_CLI_FIX_H

#include "cli/session.h"
#include "repair/repair.h"

/*
 * `first` is the look (with its plan) that decides about the first round: a fresh one, or the content of a saved plan, which is
 * carried out exactly and nothing else (`only_first`: one round). Ends with a last
 * look in `ret_last` and the array of repairs (docs/report.md) in `ret_repairs`; `ret_settled` gets a sentence (caller frees)
 * when an interrupted run was settled before.
 */
int dr_fix_run(const struct dr_session *session, const struct dr_look *first, bool only_first, struct dr_look *ret_last,
               cJSON **ret_repairs, char **ret_settled, struct dr_error *error) DR_MUST_CHECK;

/* The parts of a look's target that the repair needs. The strings are borrowed from `look` and `session`. */
struct dr_repair_place {
    struct dr_repair_target target;
    const char *allowed[96];
    char *config_folder; /* owned */
};

int dr_fix_place(const struct dr_session *session, const struct dr_look *look, struct dr_repair_place *ret_place,
                 struct dr_error *error) DR_MUST_CHECK;
void dr_fix_place_release(struct dr_repair_place *place);

#endif
