/*
 * A saved plan: `plan -o FILE` writes it, `apply FILE` carries out exactly what it says. It holds whole operations with what the world
 * looked like, and no secret. Reading treats the file as hostile.
 */
#ifndef DR_CLI_PLAN_FILE_H
#define DR_CLI_PLAN_FILE_H

#include "cli/session.h"

int dr_plan_file_make(const struct dr_session *session, const struct dr_look *look, cJSON **ret_plan) DR_MUST_CHECK;

/* The plan as a look that dr_fix_run can go by. -EINVAL with file and reason; -EXDEV when it is for another state directory. */
int dr_plan_file_read(const char *path, const struct dr_look *present, struct dr_look *ret_look,
                      struct dr_error *error) DR_MUST_CHECK;

#endif
