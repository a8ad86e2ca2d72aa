#include "format/json5_internal.h"

void dr_json5_position_advance(const char *bytes, size_t length, size_t from, size_t to, struct dr_json5_position *position)
{
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool ends_line = c == '\n' || (c == '\r' && !(i + 1 < length && bytes[i + 1] == '\n'));

        if (ends_line) {
            position->line++;
            position->column = 1;
        } else if (c != '\r' && (c & 0xc0) != 0x80) {
            position->column++;
        }
    }
}

struct dr_json5_position dr_json5_position(const struct dr_json5 *document, uint64_t offset)
{
    size_t to = offset < document->length ? (size_t)offset : document->length;
    size_t mark = to / DR_JSON5_MARK_EVERY;
    struct dr_json5_position position = { 1, 1 };
    size_t from = document->has_bom ? 3 : 0;

    if (mark > 0 && mark < document->mark_count) {
        position.line = document->marks[mark].line;
        position.column = document->marks[mark].column;
        from = mark * DR_JSON5_MARK_EVERY;
    }
    dr_json5_position_advance(document->bytes, document->length, from, to, &position);
    return position;
}
