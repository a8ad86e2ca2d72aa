/*
 * --deep: the `connect` request that follows the challenge, and what comes back. The protocol: facts/openclaw-2026.2.md section 12,
 * openclaw-2026.9.md section 3.3.
 */
#ifndef DR_FACTS_LIVE_CONNECT_H
#define DR_FACTS_LIVE_CONNECT_H

#include "facts/live_probe.h"

/*
 * The request as JSON text (arena; it holds the token), or NULL: then `answer->not_tried_why` says why. `nonce` and `ts_ms` are the
 * challenge's; `now_ms` this host's clock.
 */
const char *dr_connect_request(struct dr_context *context, const struct dr_live_place *place, const char *nonce,
                               int64_t ts_ms, int64_t now_ms, struct dr_connect_answer *answer);

/* A message of the gateway. True when it was the answer to the request: `answer` is filled in. */
bool dr_connect_take_answer(struct dr_context *context, const char *message, struct dr_connect_answer *answer);

#endif
