/*
 * The kinds of evidence that a gateway runs; gateway.c puts them together.
 */
#ifndef DR_FACTS_GATEWAY_EVIDENCE_H
#define DR_FACTS_GATEWAY_EVIDENCE_H

#include "api/gateway.h"
#include "api/target.h"
#include "facts/context.h"

/* What one kind of evidence says. DR_ABSENT: nothing speaks for a gateway. */
struct dr_gateway_evidence {
    enum dr_fact_state state;
    long pid; /* 0: not known */
    uint32_t uid;
    unsigned port; /* that a lock file names; 0: none */
    const char *how;
    const char *stale_lock;
};

/*
 * Lock files (2026.2: <tmp>/openclaw-<uid>/gateway.<hash>.lock; 2026.9: also <state>/tmp/openclaw-<uid>/gateway.state.lock). A lock
 * of another home in <tmp> is not ours: it names its configuration.
 */
void dr_gateway_from_lock_files(struct dr_context *context, const struct dr_target *target,
                                struct dr_gateway_evidence *ret_evidence);

/* POSIX locks that a gateway of 2026.9 holds on its coordinator files. Asked for with F_OFD_GETLK: nothing is locked. */
void dr_gateway_from_posix_locks(struct dr_context *context, const struct dr_target *target,
                                 struct dr_gateway_evidence *ret_evidence);

/* Somebody listens on the gateway's port, from /proc/net/tcp and tcp6; nothing is sent. */
void dr_gateway_from_port(struct dr_context *context, const struct dr_target *target, unsigned port,
                          struct dr_gateway_evidence *ret_evidence);

/* Does the process use this state directory, by its own environment? 1, 0, or a negative errno where that cannot be told. */
int dr_gateway_serves(struct dr_context *context, const struct dr_target *target, long pid);

/* Folders in which releases keep their locks: NULL-ended, in the arena. */
const char *const *dr_gateway_lock_folders(struct dr_context *context, const struct dr_target *target);

/* "<first 8 hex digits of the SHA-256 of text>", in the arena; NULL without memory. */
const char *dr_gateway_hash(struct dr_context *context, const char *text);

/* Does a process look like OpenClaw: by its title, or by its command line? */
bool dr_gateway_looks_like(struct dr_context *context, long pid, const char *title);

#endif
