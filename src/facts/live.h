/*
 * The probes' way through a look: started before the walk, pumped now and then while the other checks work (the kernel does not wait for us,
 * but times are noted when we look), waited for when the first check asks. No threads of ours; nothing is loaded when nothing has to be
 * asked. What is probed and what comes of it: api/live.h.
 */
#ifndef DR_FACTS_LIVE_H
#define DR_FACTS_LIVE_H

#include "api/live.h"
#include "facts/context.h"

/* Starts all probes and returns at once. Called again: does nothing. */
void dr_live_start(struct dr_context *context);

/* Lets probes that wait for us go on. Cheap when there are none; returns at once. */
void dr_live_pump(struct dr_context *context);

/* What was found so far, without asking: NULL when no probe was started (for the report). */
const struct dr_live *dr_live_started(const struct dr_context *context);

#endif
