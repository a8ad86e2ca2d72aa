/*
 * Clocks: this host's against the gateway's and against time servers, and who keeps this one right.
 *
 * All offsets are "the other clock minus this host's": positive means that this host's clock is behind. An offset is a measurement with a
 * bound: the true one lies within `ms` +- `error_ms`, as long as the other side does not lie and neither clock was set in between.
 *
 * Who is contacted: the gateway as in api/live.h; time servers only with --online, or those that this host's own time service is configured to
 * ask and that lie on this host's own networks. Names are looked up in the domain name system with --online only. They are asked when the look
 * begins (dr_clock_start) and collected when a check asks. The kernel's clock is read, never set.
 *
 * Sources: RFC 5905 and 4330 (packet, what to distrust), adjtimex(2), timesyncd.conf(5), chrony.conf(5), ntp.conf(5), ntpd.conf(5),
 * facts/openclaw-2026.2.md section 7, openclaw-2026.9.md section 0 row 8 and 3.3.
 */
#ifndef DR_API_CLOCK_H
#define DR_API_CLOCK_H

#include "api/live.h"

struct dr_clock_offset {
    int64_t ms;
    int64_t error_ms;
};

struct dr_gateway_clock {
    const struct dr_endpoint *endpoint; /* where it was measured; NULL: nothing to compare with */
    const char *why; /* endpoint NULL: why, in words */
    struct dr_clock_offset offset;
    bool coarse; /* from a Date header, which has whole seconds only; else from connect.challenge */
    bool same_host; /* it is the clock of this host, or should be */
};

enum dr_time_answer {
    DR_TIME_NOT_ASKED = 0,
    DR_TIME_ANSWERED,
    DR_TIME_SILENT, /* nothing came in time */
    DR_TIME_NOT_RESOLVED, /* the name has no address */
    DR_TIME_REFUSED, /* nothing listens there, or no way leads there */
    DR_TIME_UNUSABLE, /* it answered, and the answer is not to be believed: `why` */
};

struct dr_time_server {
    const char *name; /* as configured */
    const char *address; /* as asked; NULL when there is none */
    unsigned port; /* 123, unless the configuration says otherwise */
    struct dr_source source; /* where it is configured; path NULL: the default of --online */
    enum dr_time_answer answer;
    const char *why; /* for all but ANSWERED */
    struct dr_clock_offset offset;
    unsigned stratum;
    bool agrees; /* with most of the others */
};

/*
 * fact: DR_KNOWN: `offset` is what most of those say that answered, or the only one (agreeing == 1); DR_ABSENT: nobody was to be asked; DR_UNKNOWN:
 * nobody gave an answer that can be used, or they contradict each other (`contradict`). Time servers are not authenticated: one alone is a
 * hint, and proves nothing.
 */
struct dr_ntp {
    struct dr_fact fact;
    const struct dr_time_server *servers;
    size_t count;
    size_t answered, agreeing;
    bool contradict;
    struct dr_clock_offset offset;
};

/* What adjtimex(2) says: in a container it is the host's. fact: DR_UNKNOWN where it may not be asked, DR_ABSENT with --root. */
struct dr_kernel_clock {
    struct dr_fact fact;
    bool synchronised; /* somebody keeps it right (STA_UNSYNC is not set) */
    int64_t error_ms; /* the kernel's own upper bound (maxerror); grows when nobody tells it the time */
    int tai_s; /* TAI - UTC, 0: nobody has told the kernel */
};

enum dr_running { DR_RUNNING_UNKNOWN = 0, DR_NOT_RUNNING, DR_IS_RUNNING };

/* A program that keeps the clock right, and is installed. */
struct dr_time_service {
    const char *name; /* "systemd-timesyncd", "chrony", "ntpsec", "ntpd", "openntpd" */
    const char *unit; /* "systemd-timesyncd.service" */
    const char *program; /* "/usr/sbin/chronyd" */
    const char *control; /* "/usr/bin/chronyc"; NULL: it has none, or it is not there */
    bool enabled; /* systemd starts it with the system */
    bool masked; /* systemd is told never to start it */
    enum dr_running running;
    int64_t synced_ms; /* when it last heard the time, as far as its files show; 0: not known */
};

struct dr_clock {
    struct dr_gateway_clock gateway;
    struct dr_ntp ntp;
    struct dr_kernel_clock kernel;
    const struct dr_time_service *services; /* those that are installed */
    size_t service_count;
    bool systemd; /* the system was started by systemd */
    const char *systemctl; /* where it is, NULL: nowhere */
    bool container; /* the clock is the host's, and cannot be set from here */
    bool wsl; /* Windows Subsystem for Linux */
    const char *machine; /* the virtual machine's maker ("QEMU"), NULL: none is known */
    int64_t suspended_ms; /* how long this system slept since it was started; -1: not known */
    bool rtc_known; /* only looked at in virtual machines and WSL, where it is the host's clock */
    int64_t rtc_offset_ms; /* whole seconds */
};

const struct dr_clock *dr_clock(struct dr_context *context);

/* The same question as a command that sets nothing, NULL: its name is none that a shell may be given. chrony's, as that is in every distribution. */
const char *dr_time_server_command(struct dr_context *context, const struct dr_time_server *server);

/* ---- arithmetic, without a context ---- */

/* The gateway's clock as the endpoint's answers show it, the challenge if there is one. False: nothing in them shows it. */
bool dr_clock_of_endpoint(const struct dr_endpoint *endpoint, struct dr_clock_offset *ret_offset, bool *ret_coarse);

/* The endpoint whose clock is off most, and can be told to be. `ret_clock` has `why` when there is none. */
void dr_clock_of_endpoints(const struct dr_endpoint *endpoints, size_t count, struct dr_gateway_clock *ret_clock);

/*
 * What most servers say (their intervals overlap in one point; Marzullo). Marks who agrees. Fills agreeing, answered, contradict, offset; the
 * fact is left alone.
 */
void dr_clock_agree(struct dr_time_server *servers, size_t count, struct dr_ntp *ret_ntp);

/* Certainly further off than `limit_ms`: the bound is taken away first. */
bool dr_clock_is_beyond(const struct dr_clock_offset *offset, int64_t limit_ms);

/*
 * Half hours that the offset is a whole number of (+-1 to +-28), 0: it is none, or that cannot be told. Such offsets come of a clock that was
 * set to local time and is read as UTC, or of a wrong zone.
 */
int dr_clock_half_hours(const struct dr_clock_offset *offset);

/* Whole days, likewise (+-1 and more). */
int64_t dr_clock_days(const struct dr_clock_offset *offset);

/* "1 h 30 min", "11 min 3 s", "130 ms"; the sign is dropped. */
const char *dr_clock_span(struct dr_context *context, int64_t ms);

#endif
