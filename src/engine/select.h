/* Which checks run, and which of their problems are reported: --only, --skip, --tag. */
#ifndef DR_ENGINE_SELECT_H
#define DR_ENGINE_SELECT_H

#include "engine/engine.h"

bool dr_selection_takes_check(const struct dr_selection *selection, const struct dr_check *check);
bool dr_selection_takes_problem(const struct dr_selection *selection, const struct dr_check *check, const char *code);

#endif
