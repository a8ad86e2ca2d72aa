/* Operations from a plan file or a worker that lies: refused, or the same when written and read again. */
#include "fuzz.h"
#include "wire/wire.h"

#include <string.h>

static void read_operation(const cJSON *json)
{
    struct dr_arena arena = DR_ARENA(16 << 20);
    _cleanup_error_ struct dr_error error = { .code = 0 };
    struct dr_operation operation, again;
    int r = dr_operation_from_json(json, &arena, &operation, &error);

    if (r == 0) {
        _cleanup_json_ cJSON *written = dr_operation_to_json(&operation, dr_json_text(json, "finding"));
        _cleanup_json_ cJSON *twice = NULL;

        PROMISE(written != NULL);
        PROMISE(dr_operation_from_json(written, &arena, &again, &error) == 0);
        PROMISE(again.kind == operation.kind && again.edit_count == operation.edit_count);
        twice = dr_operation_to_json(&again, dr_json_text(json, "finding"));
        PROMISE(twice && cJSON_Compare(written, twice, true));
    } else {
        PROMISE(r == -EINVAL || r == -ENOMEM);
        PROMISE(r != -EINVAL || error.text);
    }
    dr_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_json_ cJSON *json = cJSON_ParseWithLengthOpts((const char *)data, size, NULL, false);

    if (json)
        read_operation(json);
    return 0;
}
