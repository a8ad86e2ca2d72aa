/*
 * The clock of this host as its kernel and its machine show it. With --root everything here is left empty: it is another system's.
 */
#ifndef DR_FACTS_CLOCK_HOST_H
#define DR_FACTS_CLOCK_HOST_H

#include "api/clock.h"

/* Fills kernel, container, wsl, machine, suspended_ms, rtc_known and rtc_offset_ms. */
void dr_clock_host(struct dr_context *context, struct dr_clock *clock);

#endif
