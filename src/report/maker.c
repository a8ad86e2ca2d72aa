#include "report/maker.h"

cJSON *dr_maker_keep(struct dr_maker *maker, cJSON *item)
{
    if (!item)
        maker->failed = true;
    return item;
}

cJSON *dr_maker_array(struct dr_maker *maker, cJSON *object, const char *name)
{
    return dr_maker_keep(maker, cJSON_AddArrayToObject(object, name));
}

cJSON *dr_maker_object(struct dr_maker *maker, cJSON *object, const char *name)
{
    return dr_maker_keep(maker, cJSON_AddObjectToObject(object, name));
}

void dr_maker_text(struct dr_maker *maker, cJSON *object, const char *name, const char *text)
{
    if (text)
        (void)dr_maker_keep(maker, cJSON_AddStringToObject(object, name, text));
}

void dr_maker_number(struct dr_maker *maker, cJSON *object, const char *name, double number)
{
    (void)dr_maker_keep(maker, cJSON_AddNumberToObject(object, name, number));
}

void dr_maker_bool(struct dr_maker *maker, cJSON *object, const char *name, bool value)
{
    (void)dr_maker_keep(maker, cJSON_AddBoolToObject(object, name, value));
}

void dr_maker_copy(struct dr_maker *maker, cJSON *object, const char *name, const cJSON *from)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, name);
    cJSON *copy = item ? dr_maker_keep(maker, cJSON_Duplicate(item, true)) : NULL;

    if (copy && !cJSON_AddItemToObject(object, name, copy)) {
        cJSON_Delete(copy);
        maker->failed = true;
    }
}

void dr_maker_append(struct dr_maker *maker, cJSON *array, cJSON *item)
{
    if (dr_maker_keep(maker, item) && !cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        maker->failed = true;
    }
}
