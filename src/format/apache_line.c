#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>

#define WORD_CEILING ((size_t)1 << 20)

/* apr_isspace */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct joined {
    struct dr_arena *arena;
    char *text;
    size_t length, room;
    struct apache_piece *pieces;
    size_t piece_count, piece_room;
};

static bool join(struct joined *joined, const char *bytes, size_t length, size_t offset)
{
    if (joined->length + length + 1 > joined->room) {
        size_t room = (joined->length + length + 1) * 2;
        char *grown = dr_arena_alloc(joined->arena, room);

        if (!grown)
            return false;
        if (joined->length > 0)
            memcpy(grown, joined->text, joined->length);
        joined->text = grown;
        joined->room = room;
    }
    struct apache_piece *pieces =
        dr_arena_grow(joined->arena, joined->pieces, joined->piece_count, sizeof(*pieces), &joined->piece_room);

    if (!pieces)
        return false;
    pieces[joined->piece_count++] =
        (struct apache_piece){ .at = joined->length, .offset = offset, .length = length, .verbatim = true };
    joined->pieces = pieces;
    memcpy(joined->text + joined->length, bytes, length);
    joined->length += length;
    return true;
}

/* The physical line at source->at without its line end. True: it goes on in the next one (its backslash is left out). */
static bool physical(struct apache_source *source, size_t *ret_begin, size_t *ret_end)
{
    const char *bytes = source->bytes;
    size_t begin = source->at;
    const char *newline = memchr(bytes + begin, '\n', source->length - begin);
    size_t end = newline ? (size_t)(newline - bytes) : source->length;

    source->at = newline ? end + 1 : end;
    source->line++;
    *ret_begin = begin;
    *ret_end = end;
    if (!newline)
        return false;
    if (end > begin && bytes[end - 1] == '\r')
        end--;
    if (end == begin || bytes[end - 1] != '\\')
        return false;
    *ret_end = end - 1;
    return true;
}

static bool is_ignored(const char *bytes, size_t begin, size_t end)
{
    while (begin < end && is_blank(bytes[begin]))
        begin++;
    return begin == end || bytes[begin] == '#';
}

static void trim(struct apache_line *line, struct joined *joined)
{
    size_t begin = 0, end = joined->length;

    while (begin < end && is_blank(joined->text[begin]))
        begin++;
    while (end > begin && is_blank(joined->text[end - 1]))
        end--;
    joined->text[end] = '\0';
    line->text = joined->text + begin;
    line->length = end - begin;
    for (size_t i = 0; i < joined->piece_count; i++) {
        struct apache_piece *piece = &joined->pieces[i];
        size_t cut = piece->at < begin ? begin - piece->at : 0;

        piece->offset += cut < piece->length ? cut : piece->length;
        piece->length -= cut < piece->length ? cut : piece->length;
        piece->at = piece->at > begin ? piece->at - begin : 0;
    }
    line->pieces = joined->pieces;
    line->piece_count = joined->piece_count;
}

/* The piece that holds a byte of the text: the last that begins at or before it. */
static const struct apache_piece *piece_at(const struct apache_line *line, size_t at)
{
    size_t low = 0, high = line->piece_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (line->pieces[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return &line->pieces[low];
}

static size_t file_begin(const struct apache_line *line, size_t at)
{
    const struct apache_piece *piece = piece_at(line, at);

    return piece->verbatim ? piece->offset + (at - piece->at) : piece->offset;
}

/* Behind the byte before `at`. */
static size_t file_end(const struct apache_line *line, size_t at)
{
    const struct apache_piece *piece = piece_at(line, at - 1);

    return piece->verbatim ? piece->offset + (at - piece->at) : piece->offset + piece->length;
}

/* At the end of a file that does not end its last line. */
static bool is_last(const struct apache_source *source)
{
    return source->at == source->length && source->bytes[source->length - 1] != '\n';
}

/* Where its first visible byte stands: not always in the first of its physical lines. */
static void place(const struct apache_source *source, struct apache_line *line, size_t start, unsigned number)
{
    for (size_t i = start; i < line->begin; i++) {
        if (source->bytes[i] == '\n') {
            number++;
            start = i + 1;
        }
    }
    line->first = number;
    line->column = (unsigned)(line->begin - start + 1);
}

int apache_line_next(struct dr_arena *arena, struct apache_source *source, struct apache_line *ret_line)
{
    while (source->at < source->length) {
        struct joined joined = { .arena = arena };
        size_t begin, end, start = source->at;
        bool after_use = source->after_use;
        unsigned number = source->line + 1;
        bool more = physical(source, &begin, &end);

        source->after_use = false;
        /* Most lines are one physical line, and many of these a comment. */
        if (!more && (is_ignored(source->bytes, begin, end) || (after_use && is_last(source))))
            continue;
        if (!join(&joined, source->bytes + begin, end - begin, begin))
            return -ENOMEM;
        while (more && source->at < source->length) {
            more = physical(source, &begin, &end);
            if (!join(&joined, source->bytes + begin, end - begin, begin))
                return -ENOMEM;
        }
        if ((after_use && is_last(source)) || is_ignored(joined.text, 0, joined.length))
            continue;
        trim(ret_line, &joined);
        ret_line->begin = file_begin(ret_line, 0);
        ret_line->end = file_end(ret_line, ret_line->length);
        ret_line->number = source->line;
        place(source, ret_line, start, number);
        if (source->use) {
            ret_line->begin = source->use->begin;
            ret_line->end = source->use->end;
            ret_line->first = source->use->first;
            ret_line->column = source->use->column;
            ret_line->number = source->use->number;
        }
        return 1;
    }
    return 0;
}

/* The end of the word that begins at `at`, quotes included. */
static size_t word_end(const struct apache_line *line, size_t at)
{
    const char *text = line->text;
    char quote = text[at];

    if (quote != '"' && quote != '\'') {
        while (at < line->length && !is_blank(text[at]))
            at++;
        return at;
    }
    at++;
    while (at < line->length && text[at] != quote)
        at += text[at] == '\\' && (text[at + 1] == quote || text[at + 1] == '\\') ? 2 : 1;
    return at < line->length ? at + 1 : line->length;
}

static const char *unquoted(struct dr_arena *arena, const char *spelling, size_t length)
{
    char quote = spelling[0] == '"' || spelling[0] == '\'' ? spelling[0] : '\0';

    if (length > WORD_CEILING)
        length = WORD_CEILING;
    if (quote) {
        bool closed = length > 1 && spelling[length - 1] == quote;

        spelling++;
        length -= closed ? 2 : 1;
    }
    char *text = dr_arena_alloc(arena, length + 1);
    size_t count = 0;

    for (size_t i = 0; text && i < length; i++) {
        if (spelling[i] == '\\' && i + 1 < length && (spelling[i + 1] == '\\' || (quote && spelling[i + 1] == quote)))
            i++;
        text[count++] = spelling[i];
    }
    return text;
}

bool apache_word_next(struct dr_arena *arena, const struct apache_line *line, size_t *at, struct apache_word *ret_word)
{
    size_t begin = *at;

    while (begin < line->length && is_blank(line->text[begin]))
        begin++;
    *at = begin;
    if (begin >= line->length)
        return false;

    size_t end = word_end(line, begin);
    const struct apache_piece *piece = piece_at(line, begin);

    *ret_word = (struct apache_word){
        .text = unquoted(arena, line->text + begin, end - begin),
        .offset = file_begin(line, begin),
        .verbatim = piece->verbatim && piece == piece_at(line, end - 1),
    };
    size_t behind = file_end(line, end);

    /* A variable's end may lie before its begin only when a line is made by hand; never trust it. */
    ret_word->length = behind > ret_word->offset ? behind - ret_word->offset : 0;
    while (end < line->length && is_blank(line->text[end]))
        end++;
    *at = end;
    return ret_word->text != NULL;
}
