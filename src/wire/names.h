/* Name tables shared by the two halves of the codec; not for other rooms. */
#ifndef DR_WIRE_NAMES_H
#define DR_WIRE_NAMES_H

#include "wire/wire.h"

bool dr_wire_index(const char *const *names, size_t count, const char *text, unsigned *ret_index);
bool dr_operation_kind_parse(const char *text, enum dr_operation_kind *ret_kind);

extern const char *const dr_row_action_names[];
extern const size_t dr_row_action_count;

#endif
