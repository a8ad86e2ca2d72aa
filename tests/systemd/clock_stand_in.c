/*
 * Preloaded in the booted system, where nobody has the right to set this machine's clock: stands in for the kernel's clock discipline. Setting
 * succeeds and does nothing; who reads it is told that the clock is kept right. Time itself is the real one.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { WITHIN_US = 1000 };

static int discipline(struct timex *clock)
{
    const struct timex asked = *clock;

    *clock = (struct timex){ .modes = 0 };
    if (syscall(SYS_adjtimex, clock) < 0)
        return -1;
    if (asked.modes & ADJ_FREQUENCY)
        clock->freq = asked.freq;
    if (asked.modes & ADJ_TICK)
        clock->tick = asked.tick;
    clock->modes = asked.modes;
    clock->status &= ~STA_UNSYNC;
    clock->maxerror = WITHIN_US;
    return TIME_OK;
}

int adjtimex(struct timex *clock);
int ntp_adjtime(struct timex *clock);

int adjtimex(struct timex *clock)
{
    return discipline(clock);
}

int ntp_adjtime(struct timex *clock)
{
    return discipline(clock);
}

int settimeofday(const struct timeval *now, const struct timezone *zone)
{
    (void)now;
    (void)zone;
    return 0;
}

int clock_settime(clockid_t id, const struct timespec *now)
{
    (void)id;
    (void)now;
    return 0;
}
