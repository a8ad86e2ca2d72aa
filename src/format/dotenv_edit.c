#include "format/dotenv.h"

#include "base/buffer.h"
#include "base/text.h"
#include "format/edit.h"

#include <string.h>

static bool fits_bare(const char *value)
{
    size_t length = strlen(value);

    /* A plain word: no white space, comment, quote or line end; nothing that another reader could take for syntax. */
    return length > 0 && strcspn(value, " \t\r\n\v\f#'\"`\\") == length && dr_text_is_utf8(value, length) &&
           !memchr(value, '\xc2', length) && !memchr(value, '\xe2', length) && !memchr(value, '\xe3', length) &&
           !memchr(value, '\xef', length) && !memchr(value, '\xe1', length);
}

static bool fits_quotes(const char *value, char quote)
{
    size_t length = strlen(value);

    if (strchr(value, quote) || strchr(value, '\r') || (length > 0 && value[length - 1] == '\\'))
        return false;
    return quote != '"' || (!strstr(value, "\\n") && !strstr(value, "\\r"));
}

static bool fits(const char *value, char quote)
{
    return quote ? fits_quotes(value, quote) : fits_bare(value);
}

/* `wish` where it can hold the value, else the first that can; -1 when none can. */
static int choose_quote(const char *value, char wish)
{
    static const char others[] = { 0, '"', '\'', '`' };

    if (fits(value, wish))
        return wish;
    for (size_t i = 0; i < sizeof(others); i++)
        if (fits(value, others[i]))
            return others[i];
    return -1;
}

static int literal(char *text, struct dr_edit *edit)
{
    if (!text)
        return -ENOMEM;
    edit->text = text;
    edit->text_length = strlen(text);
    return 0;
}

/* Which entry an edit is about, and what it shall be afterwards. */
struct intent {
    size_t index; /* of the entry; the count of entries for a new one */
    const char *value; /* NULL: the entry is gone */
};

static bool reads_as_meant(const struct dr_dotenv *before, const struct dr_dotenv *after, struct intent intent)
{
    size_t total = before->count + (intent.index == before->count) - (intent.value == NULL);

    if (after->count != total)
        return false;
    for (size_t i = 0, j = 0; i < before->count; i++) {
        const char *value = i == intent.index ? intent.value : before->entries[i].value;

        if (!value)
            continue;
        if (strcmp(after->entries[j].key, before->entries[i].key) != 0 || strcmp(after->entries[j].value, value) != 0)
            return false;
        j++;
    }
    return intent.index < before->count || !intent.value || strcmp(after->entries[total - 1].value, intent.value) == 0;
}

/* An open quote elsewhere in the file may end at a quote that we write, or begin behind one that we take away: -EINVAL. */
static int prove(const struct dr_dotenv *dotenv, const struct dr_edit *edits, size_t count, struct intent intent)
{
    size_t ceiling = dotenv->length + 1;

    for (size_t i = 0; i < count; i++)
        ceiling += edits[i].text_length;

    _cleanup_buffer_ struct dr_buffer edited = DR_BUFFER(ceiling);
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(SIZE_MAX);
    struct dr_dotenv after;
    int r = dr_edits_apply(dotenv->bytes, dotenv->length, edits, count, &edited);

    if (r >= 0)
        r = dr_dotenv_parse(dr_buffer_text(&edited), edited.length, &arena, &after);
    if (r < 0)
        return r;
    return reads_as_meant(dotenv, &after, intent) ? 0 : -EINVAL;
}

int dr_dotenv_set(const struct dr_dotenv *dotenv, const struct dr_dotenv_entry *entry, const char *value,
                  struct dr_arena *arena, struct dr_edit *ret_edit)
{
    struct dr_edit edit = { .offset = entry->raw_offset, .length = entry->raw_bytes };
    int chosen = choose_quote(value, entry->quote);
    char quote[2] = { (char)chosen, '\0' };

    if (chosen < 0)
        return -EINVAL;

    int r = literal(dr_arena_format(arena, "%s%s%s", quote, value, quote), &edit);

    if (r >= 0)
        r = prove(dotenv, &edit, 1, (struct intent){ (size_t)(entry - dotenv->entries), value });
    if (r >= 0)
        *ret_edit = edit;
    return r;
}

/* A CR that belongs to a CR LF ends no line of its own. */
static bool ends_line(const struct dr_dotenv *dotenv, size_t at)
{
    return dotenv->bytes[at] == '\n' ||
           (dotenv->bytes[at] == '\r' && !(at + 1 < dotenv->length && dotenv->bytes[at + 1] == '\n'));
}

int dr_dotenv_comment_out(const struct dr_dotenv *dotenv, const struct dr_dotenv_entry *entry, struct dr_arena *arena,
                          struct dr_edit **ret_edits, size_t *ret_count)
{
    size_t end = entry->line_offset + entry->line_bytes;
    size_t count = 1;

    for (size_t i = entry->line_offset; i < end; i++)
        count += ends_line(dotenv, i);

    struct dr_edit *edits = dr_arena_alloc(arena, count * sizeof(*edits));
    size_t made = 0;

    if (!edits)
        return -ENOMEM;

    size_t first = entry->line_offset;

    if (first == 0 && dotenv->length >= 3 && memcmp(dotenv->bytes, "\xef\xbb\xbf", 3) == 0)
        first = 3; /* behind the byte order mark */
    edits[made++] = (struct dr_edit){ .offset = first, .text = "# ", .text_length = 2 };
    for (size_t i = entry->line_offset; i < end; i++)
        if (ends_line(dotenv, i))
            edits[made++] = (struct dr_edit){ .offset = i + 1, .text = "# ", .text_length = 2 };

    int r = prove(dotenv, edits, made, (struct intent){ (size_t)(entry - dotenv->entries), NULL });

    if (r < 0)
        return r;
    *ret_edits = edits;
    *ret_count = made;
    return 0;
}

int dr_dotenv_add(const struct dr_dotenv *dotenv, const char *key, const char *value, struct dr_arena *arena,
                  struct dr_edit *ret_edit)
{
    struct dr_edit edit = { .offset = dotenv->length };
    int chosen = choose_quote(value, 0);
    char quote[2] = { (char)chosen, '\0' };
    bool crlf = memmem(dotenv->bytes, dotenv->length, "\r\n", 2) != NULL;
    const char *end = crlf ? "\r\n" : "\n";
    bool complete = dotenv->length == 0 || dotenv->bytes[dotenv->length - 1] == '\n';

    if (chosen < 0)
        return -EINVAL;

    int r = literal(dr_arena_format(arena, "%s%s=%s%s%s%s", complete ? "" : end, key, quote, value, quote, end), &edit);

    if (r >= 0)
        r = prove(dotenv, &edit, 1, (struct intent){ dotenv->count, value });
    if (r >= 0)
        *ret_edit = edit;
    return r;
}
