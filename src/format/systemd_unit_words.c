#include "format/systemd_unit.h"

#include "base/buffer.h"
#include "base/text.h"

#include <string.h>

struct splitter {
    const struct dr_unit_entry *entry;
    size_t at;
    bool relaxed;
    struct dr_arena *arena;
    char *out; /* decoded text of the word at work */
    size_t length;
    bool verbatim;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const struct dr_unit_piece *piece_of(const struct dr_unit_entry *entry, size_t at)
{
    size_t low = 0;
    size_t high = entry->piece_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (entry->pieces[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return &entry->pieces[low];
}

/* Where [start, end) of the value stands in the file; 0 bytes when it is spread over lines. */
static void locate(const struct dr_unit_entry *entry, size_t start, size_t end, unsigned *ret_line, uint64_t *ret_offset,
                   uint64_t *ret_bytes)
{
    const struct dr_unit_piece *first = piece_of(entry, start);
    bool whole = end > start && piece_of(entry, end - 1) == first;

    *ret_line = first->line;
    *ret_offset = first->offset + (start - first->at);
    *ret_bytes = whole ? end - start : 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* `count` digits of `base` at `at`; -1 when there are others. */
static int64_t read_digits(const char *at, size_t count, int base)
{
    int64_t value = 0;

    for (size_t i = 0; i < count; i++) {
        int one = digit(at[i]);

        if (one < 0 || one >= base)
            return -1;
        value = value * base + one;
    }
    return value;
}

static size_t encode(uint32_t c, char *out)
{
    static const struct {
        uint32_t below;
        unsigned char lead;
        size_t length;
    } forms[] = { { 0x80, 0, 1 }, { 0x800, 0xc0, 2 }, { 0x10000, 0xe0, 3 }, { 0x110000, 0xf0, 4 } };
    size_t form = 0;

    while (c >= forms[form].below)
        form++;
    for (size_t i = forms[form].length; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(forms[form].lead | c);
    return forms[form].length;
}

/* The C escape behind a backslash. Returns how many bytes of the spelling it takes, 0 when it is none. */
static size_t read_escape(const char *at, char *out, size_t *ret_length)
{
    static const char names[] = "abfnrtv\\\"'s";
    static const char values[] = "\a\b\f\n\r\t\v\\\"' ";
    const char *name = *at ? strchr(names, *at) : NULL;
    size_t digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
    int64_t value;

    *ret_length = 1;
    if (name) {
        *out = values[name - names];
        return 1;
    }
    if (digits == 0) {
        value = read_digits(at, 3, 8);
        if (value <= 0 || value > 255)
            return 0;
        *out = (char)value;
        return 3;
    }
    value = read_digits(at + 1, digits, 16);
    if (value <= 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    if (digits == 2)
        *out = (char)value;
    else
        *ret_length = encode((uint32_t)value, out);
    return 1 + digits;
}

static int take_escape(struct splitter *splitter)
{
    const char *at = splitter->entry->value + splitter->at + 1;
    size_t length;
    size_t used = read_escape(at, splitter->out + splitter->length, &length);

    splitter->verbatim = false;
    if (used) {
        splitter->length += length;
        splitter->at += 1 + used;
        return 0;
    }
    if (!splitter->relaxed || *at == '\0')
        return -EINVAL;
    /* Kept with its backslash. */
    splitter->out[splitter->length++] = '\\';
    splitter->out[splitter->length++] = *at;
    splitter->at += 2;
    return 0;
}

static int take_word(struct splitter *splitter)
{
    const char *value = splitter->entry->value;
    char quote = 0;

    for (char c; (c = value[splitter->at]) != '\0';) {
        if (!quote && is_space(c))
            return 0;
        if (c == '\\') {
            int r = take_escape(splitter);

            if (r < 0)
                return r;
            continue;
        }
        splitter->at++;
        if (c == quote || (!quote && (c == '"' || c == '\''))) {
            quote = quote ? 0 : c;
            splitter->verbatim = false;
            continue;
        }
        splitter->out[splitter->length++] = c;
    }
    return quote ? -EINVAL : 0;
}

/* "%%" becomes "%"; anything else behind % is a specifier that only systemd can resolve. */
static void resolve_percent(char *text, struct dr_unit_word *word)
{
    size_t to = 0;

    for (size_t from = 0; from < word->length; from++) {
        if (text[from] == '%') {
            if (from + 1 < word->length && text[from + 1] == '%') {
                from++;
                word->verbatim = false;
            } else {
                word->specifier = true;
            }
        }
        text[to++] = text[from];
    }
    text[to] = '\0';
    word->length = to;
}

static int next_word(struct splitter *splitter, struct dr_unit_word *word)
{
    const struct dr_unit_entry *entry = splitter->entry;
    size_t start = splitter->at;
    size_t from = splitter->length;
    int r;

    splitter->verbatim = true;
    r = take_word(splitter);
    if (r < 0)
        return r;
    *word = (struct dr_unit_word){ .text = splitter->out + from, .length = splitter->length - from, .start = start };
    locate(entry, start, splitter->at, &word->line, &word->offset, &word->bytes);
    word->verbatim = splitter->verbatim && word->bytes > 0;
    resolve_percent(splitter->out + from, word);
    splitter->length += 1; /* the NUL */
    return 0;
}

int dr_unit_words(const struct dr_unit_entry *entry, bool relaxed, struct dr_arena *arena,
                  const struct dr_unit_word **ret_words, size_t *ret_count)
{
    size_t most = 1;
    struct splitter splitter = { .entry = entry, .relaxed = relaxed, .arena = arena };
    struct dr_unit_word *words;
    size_t count = 0;
    int r = 0;

    *ret_words = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < entry->value_length; i++)
        most += is_space(entry->value[i]);
    if (most > DR_UNIT_WORDS)
        most = DR_UNIT_WORDS;
    words = dr_arena_alloc(arena, most * sizeof(*words));
    /* No escape is shorter than what it stands for; each word has its NUL where white space or the end was. */
    splitter.out = dr_arena_alloc(arena, entry->value_length + 2);
    if (!words || !splitter.out)
        return -ENOMEM;
    while (r >= 0) {
        while (is_space(entry->value[splitter.at]))
            splitter.at++;
        if (entry->value[splitter.at] == '\0')
            break;
        if (count == most)
            r = -E2BIG;
        else
            r = next_word(&splitter, &words[count]);
        count += r >= 0;
    }
    *ret_words = words;
    *ret_count = count;
    return r;
}

int dr_unit_environment_file(const struct dr_unit_entry *entry, struct dr_arena *arena, const char **ret_path,
                             bool *ret_optional)
{
    bool optional = entry->value[0] == '-';
    char *path = dr_arena_strdup(arena, entry->value + optional);
    struct dr_unit_word word = { .length = entry->value_length - optional };

    if (!path)
        return -ENOMEM;
    resolve_percent(path, &word);
    if (path[0] != '/' && !word.specifier)
        return -EINVAL;
    *ret_path = path;
    *ret_optional = optional;
    return 0;
}
