/* .env: every entry lies inside the file; setting it gives a file in which it has the new value, and all others theirs. */
#include "format/dotenv.h"
#include "format/edit.h"
#include "fuzz.h"

#include <string.h>

enum { MOST_ENTRIES = 32 };

static void comment_out(const struct dr_dotenv *dotenv, size_t index, struct dr_arena *arena)
{
    struct dr_edit *edits;
    size_t count;

    if (dr_dotenv_comment_out(dotenv, &dotenv->entries[index], arena, &edits, &count) < 0)
        return;

    struct dr_buffer edited = DR_BUFFER(3 * dotenv->length + 256);
    struct dr_dotenv again;

    PROMISE(dr_edits_apply(dotenv->bytes, dotenv->length, edits, count, &edited) == 0);
    PROMISE(dr_dotenv_parse(edited.data, edited.length, arena, &again) == 0);
    PROMISE(again.count == dotenv->count - 1);
    for (size_t i = 0; i < again.count; i++)
        PROMISE(!strcmp(again.entries[i].value, dotenv->entries[i < index ? i : i + 1].value));
    dr_buffer_release(&edited);
}

static void set(const struct dr_dotenv *dotenv, size_t index, struct dr_arena *arena)
{
    static const char value[] = "a-new value";
    const struct dr_dotenv_entry *entry = &dotenv->entries[index];
    struct dr_edit edit;

    if (dr_dotenv_set(dotenv, entry, value, arena, &edit) < 0)
        return;

    struct dr_buffer edited = DR_BUFFER(dotenv->length + 256);
    struct dr_dotenv again;

    PROMISE(dr_edits_apply(dotenv->bytes, dotenv->length, &edit, 1, &edited) == 0);
    PROMISE(dr_dotenv_parse(edited.data, edited.length, arena, &again) == 0);
    PROMISE(again.count == dotenv->count);
    for (size_t i = 0; i < again.count; i++) {
        PROMISE(!strcmp(again.entries[i].key, dotenv->entries[i].key));
        PROMISE(!strcmp(again.entries[i].value, i == index ? value : dotenv->entries[i].value));
    }
    dr_buffer_release(&edited);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dr_arena arena = DR_ARENA(64 << 20);
    struct dr_dotenv dotenv;
    int r = dr_dotenv_parse((const char *)data, size, &arena, &dotenv);

    PROMISE(r == 0 || r == -ENOMEM || r == -E2BIG);
    for (size_t i = 0; r == 0 && i < dotenv.count && i < MOST_ENTRIES; i++) {
        const struct dr_dotenv_entry *entry = &dotenv.entries[i];
        const struct dr_dotenv_entry *counts = dr_dotenv_get(&dotenv, entry->key);

        PROMISE(entry->raw_offset + entry->raw_bytes <= size);
        PROMISE(entry->inner_offset >= entry->raw_offset);
        PROMISE(entry->inner_offset + entry->inner_bytes <= entry->raw_offset + entry->raw_bytes);
        PROMISE(entry->line_offset + entry->line_bytes <= size);
        PROMISE(strlen(entry->value) <= entry->value_length);
        PROMISE(counts && !counts->shadowed && (entry->shadowed || counts == entry));
        set(&dotenv, i, &arena);
        comment_out(&dotenv, i, &arena);
    }
    dr_arena_release(&arena);
    return 0;
}
