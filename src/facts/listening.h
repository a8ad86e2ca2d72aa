/*
 * Does anybody listen? The quick question, without looking at processes.
 */
#ifndef DR_FACTS_LISTENING_H
#define DR_FACTS_LISTENING_H

#include "api/listeners.h"
#include "facts/context.h"

/* 1: a connection to this address and port meets a listener; 0: none is there; a negative errno where the kernel does not say. */
int dr_listening_at(struct dr_context *context, const struct dr_address *address, unsigned port);

#endif
