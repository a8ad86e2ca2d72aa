/*
 * The beginning of dr_clock: whom to ask for the time is found out and asked at once; dr_clock collects.
 */
#ifndef DR_FACTS_CLOCK_H
#define DR_FACTS_CLOCK_H

#include "facts/context.h"

/* Sends the questions. To be called when a look begins, in the sandbox; dr_clock does it when nobody has. */
void dr_clock_start(struct dr_context *context);

/* What dr_clock found out, NULL: no check asked. */
const struct dr_clock *dr_clock_started(const struct dr_context *context);

#endif
