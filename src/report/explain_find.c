#include "base/buffer.h"
#include "report/explain_messages.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_QUERY = 1 << 16, SHORTEST_PART = 4 };

/* " pairing required device is not approved yet ": lower case, one space for all that is no letter or digit, also around. */
static int normalise(const char *text, struct dr_buffer *words)
{
    bool gap = true;
    int r = dr_buffer_append_byte(words, ' ');

    for (; r == 0 && *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (isalnum(byte) || byte >= 0x80) {
            r = dr_buffer_append_byte(words, (char)tolower(byte));
            gap = false;
        } else if (!gap) {
            r = dr_buffer_append_byte(words, ' ');
            gap = true;
        }
    }
    return r < 0 || gap ? r : dr_buffer_append_byte(words, ' ');
}

static bool is_number(const char *words)
{
    size_t digits = strspn(words + 1, "0123456789");

    return digits > 0 && strcmp(words + 1 + digits, " ") == 0;
}

/* How well a key fits: its length when it stands in the query, 1 when the query stands in it, 0 otherwise. */
static int fit(const char *key, const char *query, size_t *ret_fit)
{
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_QUERY);
    int r = normalise(key, &words);

    if (r < 0)
        return r;
    const char *text = dr_buffer_text(&words);

    if (is_number(text))
        *ret_fit = strcmp(text, query) == 0 ? words.length : 0; /* a pasted line may hold any number */
    else if (strstr(query, text))
        *ret_fit = words.length;
    else
        *ret_fit = strlen(query) >= SHORTEST_PART + 2 && strstr(text, query) ? 1 : 0;
    return 0;
}

static int fit_row(const struct dr_message *row, const char *query, size_t *ret_fit)
{
    *ret_fit = 0;
    for (size_t i = 0; i < DR_MOST_KEYS && row->keys[i]; i++) {
        size_t one = 0;
        int r = fit(row->keys[i], query, &one);

        if (r < 0)
            return r;
        *ret_fit = one > *ret_fit ? one : *ret_fit;
    }
    return 0;
}

/* "closed (1008)" in a pasted line, when no words were known. */
static const struct dr_message *find_code(const char *query)
{
    for (size_t i = 0; i < dr_message_count; i++) {
        _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_QUERY);

        if (normalise(dr_message_table[i].keys[0], &words) == 0 && is_number(dr_buffer_text(&words)) &&
            strstr(query, dr_buffer_text(&words)))
            return &dr_message_table[i];
    }
    return NULL;
}

/* Keeps `rows` sorted by fit, best first; equal ones in the order of the table. */
static size_t insert(const struct dr_message **rows, size_t *fits, size_t count, size_t most, const struct dr_message *row,
                     size_t row_fit)
{
    size_t at = count;

    while (at > 0 && fits[at - 1] < row_fit)
        at--;
    if (at >= most)
        return count;
    size_t moved = (count < most ? count : most - 1) - at;

    memmove(&rows[at + 1], &rows[at], moved * sizeof(*rows));
    memmove(&fits[at + 1], &fits[at], moved * sizeof(*fits));
    rows[at] = row;
    fits[at] = row_fit;
    return count < most ? count + 1 : most;
}

int dr_message_find(const char *query, const struct dr_message **ret_rows, size_t most)
{
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(MOST_QUERY);
    _cleanup_free_ size_t *fits = calloc(most, sizeof(*fits));
    size_t count = 0;
    int r = normalise(query, &words);

    if (r < 0 || !fits)
        return r < 0 ? r : -ENOMEM;
    const char *text = dr_buffer_text(&words);

    if (words.length < 2)
        return 0;
    for (size_t i = 0; i < dr_message_count; i++) {
        size_t row_fit = 0;

        r = fit_row(&dr_message_table[i], text, &row_fit);
        if (r < 0)
            return r;
        if (row_fit > 0)
            count = insert(ret_rows, fits, count, most, &dr_message_table[i], row_fit);
    }
    while (count > 1 && fits[0] > 1 && fits[count - 1] == 1)
        count--; /* a real hit makes mere overlaps noise */
    if (count == 0 && most > 0 && (ret_rows[0] = find_code(text)))
        count = 1;
    return (int)count;
}
