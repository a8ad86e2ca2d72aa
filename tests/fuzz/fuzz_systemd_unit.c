/* systemd units: whatever stands in the file, entries and words lie inside it, and an assignment's bytes are its value. */
#include "format/systemd_unit.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

static void look_at(const struct dr_unit *unit, const struct dr_unit_entry *entry, struct dr_arena *arena)
{
    const struct dr_unit_word *words;
    const struct dr_unit_assignment *assignments;
    const struct dr_unit_command *commands;
    const char *path;
    bool optional;
    size_t count;

    PROMISE(entry->value_offset + entry->value_bytes <= unit->length);
    PROMISE(entry->line_offset + entry->line_bytes <= unit->length);
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        if (dr_unit_words(entry, relaxed, arena, &words, &count) < 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            PROMISE(words[i].offset + words[i].bytes <= unit->length);
            PROMISE(strlen(words[i].text) <= words[i].length);
        }
    }
    if (dr_unit_assignments(entry, arena, &assignments, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            const struct dr_unit_assignment *assignment = &assignments[i];

            PROMISE(assignment->offset + assignment->bytes <= unit->length);
            if (assignment->bytes)
                PROMISE(assignment->bytes == strlen(assignment->value) &&
                        !memcmp(unit->bytes + assignment->offset, assignment->value, assignment->bytes));
        }
    }
    (void)!dr_unit_environment_file(entry, arena, &path, &optional);
    (void)!dr_unit_commands(entry, arena, &commands, &count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dr_arena arena = DR_ARENA(64 << 20);
    struct dr_unit unit;
    int r = dr_unit_parse("test.service", (const char *)data, size, &arena, &unit);

    PROMISE(r == 0 || r == -ENOMEM || r == -E2BIG);
    for (size_t i = 0; r == 0 && i < unit.count; i++)
        look_at(&unit, &unit.entries[i], &arena);
    dr_arena_release(&arena);
    return 0;
}
