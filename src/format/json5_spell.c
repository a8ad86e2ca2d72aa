#include "format/json5_edit.h"

#include <string.h>

/* `out`: 6 bytes. */
static size_t spell_one(char c, char quote, char *out)
{
    static const char names[] = "bfnrt";
    static const char controls[] = "\b\f\n\r\t";
    static const char hex[] = "0123456789abcdef";
    const char *control = c ? strchr(controls, c) : NULL;
    unsigned char byte = (unsigned char)c;

    if (c == quote || c == '\\' || control) {
        out[0] = '\\';
        out[1] = control ? names[control - controls] : c;
        return 2;
    }
    if (byte >= 0x20 && byte != 0x7f) {
        out[0] = c;
        return 1;
    }
    memcpy(out, "\\u00", 4);
    out[4] = hex[byte >> 4];
    out[5] = hex[byte & 15];
    return 6;
}

const char *dr_json5_spell(const char *text, size_t length, char quote, struct dr_arena *arena)
{
    char one[6];
    size_t total = 0;

    for (size_t i = 0; i < length; i++)
        total += spell_one(text[i], quote, one);

    char *out = dr_arena_alloc(arena, total + 1);

    total = 0;
    for (size_t i = 0; out && i < length; i++)
        total += spell_one(text[i], quote, out + total);
    return out;
}
