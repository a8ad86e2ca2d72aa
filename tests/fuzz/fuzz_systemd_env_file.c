/* Environment files of systemd: entries lie inside the file, and what can be edited in place is there byte for byte. */
#include "format/systemd_env_file.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dr_arena arena = DR_ARENA(64 << 20);
    struct dr_env_file file;
    int r = dr_env_file_parse((const char *)data, size, &arena, &file);

    PROMISE(r == 0 || r == -ENOMEM || r == -E2BIG);
    for (size_t i = 0; r == 0 && i < file.count; i++) {
        const struct dr_env_file_entry *entry = &file.entries[i];
        const struct dr_env_file_entry *counts = dr_env_file_get(&file, entry->key);

        PROMISE(entry->line_offset + entry->line_bytes <= size);
        PROMISE(entry->value_offset + entry->value_bytes <= size);
        PROMISE(counts && !counts->shadowed && (entry->shadowed || counts == entry));
        if (entry->value_bytes)
            PROMISE(entry->value_bytes == entry->value_length &&
                    !memcmp(data + entry->value_offset, entry->value, entry->value_length));
    }
    dr_arena_release(&arena);
    return 0;
}
