#include "base/text.h"
#include "report/paper.h"

#include <stdint.h>

/*
 * How many columns a character takes. Not wcwidth(): that one answers for the locale of the process, which a repair tool under
 * cron, in a container or as root seldom has. The ranges are those that occur in names and messages; an exotic character that is
 * missing here costs a ragged edge, nothing more.
 */
struct range {
    uint32_t first, last;
};

static const struct range zero[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },   { 0x064b, 0x065f },
    { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },   { 0x200b, 0x200f },
    { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
    { 0x1100, 0x115f }, { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },
    { 0xa000, 0xa4cf }, { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
    { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static uint32_t decode(const char *text, size_t count)
{
    const unsigned char *u = (const unsigned char *)text;
    uint32_t point = count == 2 ? u[0] & 0x1fu : count == 3 ? u[0] & 0x0fu : u[0] & 0x07u;

    for (size_t i = 1; i < count; i++)
        point = (point << 6) | (u[i] & 0x3fu);
    return point;
}

unsigned dr_text_columns(const char *text, size_t length)
{
    unsigned columns = 0;

    while (length > 0) {
        size_t count = dr_utf8_length(text, length);

        if (count <= 1) {
            columns++;
        } else {
            uint32_t point = decode(text, count);

            columns += is_in(zero, DR_COUNT(zero), point) ? 0 : is_in(wide, DR_COUNT(wide), point) ? 2 : 1;
        }
        count = count == 0 ? 1 : count;
        text += count;
        length -= count;
    }
    return columns;
}
