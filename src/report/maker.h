/*
 * Making JSON with one check at the end: every step remembers that memory ran out.
 */
#ifndef DR_REPORT_MAKER_H
#define DR_REPORT_MAKER_H

#include "base/cleanup.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#define DR_REPORT_FORMAT "1.0"

struct dr_maker {
    bool failed;
};

/* NULL objects are allowed everywhere: they are what an earlier failure left. Texts are copied; a NULL text adds nothing. */
cJSON *dr_maker_keep(struct dr_maker *maker, cJSON *item);
cJSON *dr_maker_array(struct dr_maker *maker, cJSON *object, const char *name);
cJSON *dr_maker_object(struct dr_maker *maker, cJSON *object, const char *name);
void dr_maker_text(struct dr_maker *maker, cJSON *object, const char *name, const char *text);
void dr_maker_number(struct dr_maker *maker, cJSON *object, const char *name, double number);
void dr_maker_bool(struct dr_maker *maker, cJSON *object, const char *name, bool value);

/* Appends to an array, which owns the item from then on; the item is freed when that fails. */
void dr_maker_append(struct dr_maker *maker, cJSON *array, cJSON *item);

/* Copies from[name], when it is there, into object[name]. */
void dr_maker_copy(struct dr_maker *maker, cJSON *object, const char *name, const cJSON *from);

#endif
