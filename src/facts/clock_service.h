/*
 * Who keeps this host's clock right, as far as files show it: which time services are installed, started and at work, and whom they ask. No bus
 * and no program is asked. Sources: Debian 12's packages; timesyncd.conf(5), chrony.conf(5), ntp.conf(5), ntpd.conf(5) of OpenNTPD.
 */
#ifndef DR_FACTS_CLOCK_SERVICE_H
#define DR_FACTS_CLOCK_SERVICE_H

#include "facts/clock_ask.h"

enum { DR_MOST_TIME_NAMES = 16 };

/* Fills services, service_count and systemd. */
void dr_clock_services(struct dr_context *context, struct dr_clock *clock);

/* The names that the installed services are configured to ask, each once (arena). */
const struct dr_time_name *dr_clock_configured(struct dr_context *context, size_t *ret_count);

#endif
