/*
 * Is a gateway at work on this state? From lock files, the lease in the store, POSIX locks (/proc/locks) and the port; no message
 * is sent. Sources: facts/openclaw-2026.2.md §8, openclaw-2026.9.md §1.1-1.2.
 */
#ifndef DR_API_GATEWAY_H
#define DR_API_GATEWAY_H

#include "api/fact.h"

enum { DR_GATEWAY_STARTS_WITHIN_MS = 90000 }; /* 3 to 20 s on an idle machine, up to a minute on a busy one */

struct dr_gateway {
    struct dr_fact fact; /* DR_KNOWN: a gateway runs; DR_ABSENT: none; DR_UNKNOWN: could not tell (treated as running) */
    long pid; /* 0 when not known */
    uint32_t uid;
    const char *how; /* the evidence, in words: "lock file names pid 812, which lives since the same moment" */
    unsigned port; /* the configured or locked port, 0 when not known */
    const char *port_from; /* "OPENCLAW_GATEWAY_PORT", "gateway.port", "the default", "the running gateway's lock" */
    unsigned
        configured_port; /* what a gateway started now would take: environment, configuration, default; 0: no state directory */
    const char *configured_from;
    unsigned locked_port; /* that the lock file of the running gateway names; 0: none does */
    unsigned environment_port, file_port; /* OPENCLAW_GATEWAY_PORT, gateway.port; 0: not set, or no port */
    struct dr_source file_source; /* of gateway.port */
    char process_state; /* of `pid`, as in /proc/<pid>/stat: 'R', 'S', 'D', 'T' (stopped by a signal), 'Z'; 0: not known */
    int64_t runs_for_ms; /* since when `pid` lives; -1: not known */
    /*
     * DR_ABSENT only: a process of OpenClaw that uses this home and is younger than any start takes. It may be a gateway that has not come to its lock and
     * its port yet; until then it looks like any other command of OpenClaw, so this is no more than possible. 0: there is none.
     */
    long starting_pid;
    int64_t starting_for_ms;
    const char *odd_port; /* the text of OPENCLAW_GATEWAY_PORT or gateway.port where it is set and is no port; NULL */
    const char *odd_port_name; /* which of them */
    bool odd_port_quoted; /* gateway.port is a text, which may well be a number: OpenClaw refuses it all the same */
    const char *stale_lock; /* a lock file that a killed gateway left behind, or NULL */
};

const struct dr_gateway *dr_gateway(struct dr_context *context);

#endif
