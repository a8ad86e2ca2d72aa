/*
 * Time servers, asked all at once. Nothing here waits but dr_time_collect, and that only until the slowest has answered or the time is up.
 *
 * When an answer came is told by the kernel (SO_TIMESTAMPNS), so that it may lie in its socket until it is collected.
 */
#ifndef DR_FACTS_CLOCK_ASK_H
#define DR_FACTS_CLOCK_ASK_H

#include "api/clock.h"
#include "api/locality.h"

struct dr_time_round;

enum { DR_MOST_TIME_SERVERS = 16, DR_MOST_LOOKUPS = 32 };

/* A round that ends `timeout_ms` from now. */
struct dr_time_round *dr_time_round(struct dr_context *context, unsigned timeout_ms);

/* Whom to ask. Texts are borrowed. */
struct dr_time_name {
    const char *name; /* as configured: an address or a host name */
    unsigned port; /* 123, unless the configuration says otherwise */
    struct dr_source source; /* where it is configured; path NULL: nowhere */
};

/* Asks one address now. One of this host's own is left out: it would tell our own time. */
void dr_time_ask(struct dr_time_round *round, const struct dr_time_name *name, const struct dr_address *address);

/* Looks the name up in the domain name system and asks up to four of its addresses. */
void dr_time_ask_name(struct dr_time_round *round, const struct dr_time_name *name);

/* A server that is not asked, and why. */
void dr_time_leave(struct dr_time_round *round, const struct dr_time_name *name, enum dr_time_answer answer,
                   const char *why);

/* Waits; closes everything. The list lives in the arena and belongs to the round's context. */
struct dr_time_server *dr_time_collect(struct dr_time_round *round, size_t *ret_count);

#endif
