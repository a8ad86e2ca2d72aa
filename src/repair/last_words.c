/* Why a program failed, in its own words: the last lines that it wrote. */
#include "repair/command.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { MOST_LINES = 4, MOST_WORDS = 700, SECRET_LEAST = 24 };

static bool is_secret_byte(char byte)
{
    return isalnum((unsigned char)byte) || strchr("_+=-", byte);
}

static bool is_word_byte(char byte)
{
    return is_secret_byte(byte) || byte == '/' || byte == '.';
}

/* A server quotes the line of its configuration that it does not like. Long and mixed of letters and digits: a key or a token. */
static bool looks_secret(const char *text, size_t length)
{
    bool digit = false, letter = false;

    for (size_t i = 0; i < length; i++) {
        digit |= isdigit((unsigned char)text[i]) != 0;
        letter |= isalpha((unsigned char)text[i]) != 0;
    }
    return length >= SECRET_LEAST && digit && letter;
}

static int append_masked(struct dr_buffer *words, const char *text, size_t length)
{
    int r = 0;
    bool in_path = false; /* a word that began with "/": its parts are names. Not so in a URL */

    for (size_t i = 0; r == 0 && i < length;) {
        size_t run = 0;

        while (i + run < length && text[i + run] != '\0' && is_secret_byte(text[i + run]))
            run++;
        if (run == 0)
            in_path = text[i] == '/' ? in_path || i == 0 || !(is_word_byte(text[i - 1]) || text[i - 1] == ':')
                                     : in_path && text[i] == '.';
        if (run > 0 && !in_path && looks_secret(text + i, run))
            r = dr_buffer_append_text(words, "<not shown>");
        else
            r = dr_text_append_safe(words, text + i, run > 0 ? run : 1);
        i += run > 0 ? run : 1;
    }
    return r;
}

static size_t line_start(const char *text, size_t end)
{
    while (end > 0 && text[end - 1] != '\n')
        end--;
    return end;
}

int dr_last_words(const struct dr_buffer *output, struct dr_buffer *words)
{
    const char *text = dr_buffer_text(output);
    size_t from = output->length, end = output->length;
    int r = 0;

    for (int lines = 0; lines < MOST_LINES && from > 0; lines++) {
        size_t start = line_start(text, from - 1);

        if (end - start > MOST_WORDS && lines > 0)
            break;
        from = start;
    }
    if (end - from > MOST_WORDS)
        from = end - MOST_WORDS;
    while (r == 0 && from < end) {
        size_t length = strcspn(text + from, "\n");

        length = length > end - from ? end - from : length;
        size_t skip = strspn(text + from, " \t\r");

        skip = skip > length ? length : skip;
        if (length > skip && words->length > 0)
            r = dr_buffer_append_text(words, "; ");
        if (r == 0 && length > skip)
            r = append_masked(words, text + from + skip, length - skip);
        from += length + 1;
    }
    return r;
}
