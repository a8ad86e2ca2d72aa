#include "base/text.h"

#include <stdio.h>
#include <string.h>

char *dr_path_join(const char *folder, const char *name)
{
    char *path = NULL;
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";

    if (name[0] == '/' || length == 0)
        return strdup(name);
    return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

/* Drops the last component of `out`; a relative path keeps a ".." that has nothing to climb out of. */
static size_t climb(char *out, size_t used, bool absolute)
{
    size_t base = absolute ? 1 : 0;
    size_t slash = used;

    while (slash > base && out[slash - 1] != '/')
        slash--;
    bool nothing_to_climb = used == base || strncmp(out + slash, "..", used - slash) == 0;

    if (nothing_to_climb && !absolute) {
        if (used > 0)
            out[used++] = '/';
        memcpy(out + used, "..", 2);
        return used + 2;
    }
    return slash > base ? slash - 1 : base;
}

char *dr_path_clean(const char *path)
{
    bool absolute = path[0] == '/';
    char *out = malloc(strlen(path) + 3);
    size_t used = 0;

    if (!out)
        return NULL;
    if (absolute)
        out[used++] = '/';
    while (*path) {
        size_t length = strcspn(path, "/");

        if (length == 2 && path[0] == '.' && path[1] == '.') {
            used = climb(out, used, absolute);
        } else if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (used > 0 && out[used - 1] != '/')
                out[used++] = '/';
            memcpy(out + used, path, length);
            used += length;
        }
        path += length;
        path += strspn(path, "/");
    }
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
    return out;
}

bool dr_path_is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    if (length == 1 && folder[0] == '/')
        return path[0] == '/';
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

char *dr_path_tilde(const char *path, const char *home)
{
    char *shown = NULL;

    if (!home || home[0] == '\0' || strcmp(home, "/") == 0 || !dr_path_is_below(path, home))
        return strdup(path);
    return asprintf(&shown, "~%s", path + strlen(home)) < 0 ? NULL : shown;
}

size_t dr_utf8_length(const char *text, size_t length)
{
    const unsigned char *u = (const unsigned char *)text;

    if (length == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    size_t count = u[0] >= 0xc2 && u[0] <= 0xdf ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4 : 0;

    if (count == 0 || count > length)
        return 0;
    for (size_t i = 1; i < count; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    bool outside = (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf4 && u[1] > 0x8f); /* surrogates, > U+10FFFF */

    return overlong || outside ? 0 : count;
}

bool dr_text_is_utf8(const char *text, size_t length)
{
    while (length > 0) {
        size_t count = dr_utf8_length(text, length);

        if (count == 0)
            return false;
        text += count;
        length -= count;
    }
    return true;
}

static bool is_format_character(const char *text, size_t count)
{
    const unsigned char *u = (const unsigned char *)text;

    if (count == 2 && u[0] == 0xc2 && u[1] < 0xa0)
        return true; /* C1 controls */
    /* U+200B..U+200F, U+2028..U+202E, U+2066..U+2069: invisible, separators, text direction */
    return count == 3 && u[0] == 0xe2 &&
           ((u[1] == 0x80 && ((u[2] >= 0x8b && u[2] <= 0x8f) || (u[2] >= 0xa8 && u[2] <= 0xae))) ||
            (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

int dr_text_append_safe(struct dr_buffer *buffer, const char *text, size_t length)
{
    while (length > 0) {
        size_t count = dr_utf8_length(text, length);
        unsigned char byte = (unsigned char)*text;
        int r;

        if (byte == '\n' || byte == '\t' || byte == '\r')
            r = dr_buffer_append_text(buffer, byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : "\\r");
        else if (count == 0 || byte < 0x20 || byte == 0x7f)
            r = dr_buffer_appendf(buffer, "\\x%02x", byte);
        else if (count > 1 && is_format_character(text, count))
            r = count == 2 ? dr_buffer_appendf(buffer, "\\u%04x", (unsigned char)text[1])
                           : dr_buffer_appendf(buffer, "\\u%04x",
                                               0x2000u | (((unsigned char)text[1] & 0x3fu) << 6) |
                                                   ((unsigned char)text[2] & 0x3fu));
        else
            r = dr_buffer_append(buffer, text, count);
        if (r < 0)
            return r;
        count = count == 0 ? 1 : count;
        text += count;
        length -= count;
    }
    return 0;
}

bool dr_text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool dr_text_ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t wanted = strlen(suffix);

    return length >= wanted && memcmp(text + length - wanted, suffix, wanted) == 0;
}
