/* What the worker says, as lines of docs/wire.md. Every text passes the redaction of secrets here, and nowhere else. */
#ifndef DR_ENGINE_EMIT_H
#define DR_ENGINE_EMIT_H

#include "engine/plan.h"
#include "wire/wire.h"

struct dr_emitter {
    struct dr_context *context;
    int out;
};

void dr_emit_target(const struct dr_emitter *emitter);
void dr_emit_check(const struct dr_emitter *emitter, const struct dr_check *check, const char *status, const char *reason,
                   double duration_ms);
void dr_emit_finding(const struct dr_emitter *emitter, const struct dr_finding *finding);
void dr_emit_unknown(const struct dr_emitter *emitter, const struct dr_check *check, const struct dr_unknown *unknown);
void dr_emit_plan(const struct dr_emitter *emitter, const struct dr_plan *plan);
/* One line for each request that was made, or not made and why. `live` may be NULL. */
struct dr_live;
void dr_emit_probes(const struct dr_emitter *emitter, const struct dr_live *live);
/* One line for each time server, asked or not. `clock` may be NULL. */
struct dr_clock;
void dr_emit_time_servers(const struct dr_emitter *emitter, const struct dr_clock *clock);
void dr_emit_end(const struct dr_emitter *emitter);

#endif
