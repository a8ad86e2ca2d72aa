/* How a line of docs/wire.md is put together. Without memory, and where nobody reads any more, the worker ends (wire/wire.h). */
#ifndef DR_ENGINE_EMIT_LINE_H
#define DR_ENGINE_EMIT_LINE_H

#include "engine/emit.h"

#include <cjson/cJSON.h>

cJSON *dr_line(const char *type); /* owned by the caller until it is sent */
void dr_line_send(const struct dr_emitter *emitter, cJSON *json); /* takes it */

/* The one way for text to leave: valid UTF-8, secrets as fingerprints. Line breaks stay (diffs have them). NULL is left out. */
void dr_line_text(const struct dr_emitter *emitter, cJSON *json, const char *name, const char *text);
void dr_line_number(cJSON *json, const char *name, double number);
void dr_line_bool(cJSON *json, const char *name, bool value);
cJSON *dr_line_object(cJSON *json, const char *name);
cJSON *dr_line_array(cJSON *json, const char *name);
cJSON *dr_line_element(cJSON *array);

#endif
