/*
 * Words of a Caddyfile, by the rules of caddyconfig/caddyfile/lexer.go (v2.6.2; heredocs from v2.7.0 on).
 *
 * Odd, and kept: a carriage return does not end a word; a backslash works inside of comments, too (at their end it keeps the next line from
 * counting); behind a backslash only a line end and, in double quotes, a double quote mean something else; a '#' inside of a word is no
 * comment; quotes only open at the beginning of a word; what is never closed reaches to the end of the file.
 */
#include "format/caddy_internal.h"

#include "base/text.h"

#include <string.h>

struct lexer {
    struct caddy_reader *reader;
    const struct dr_proxy_file *file;
    const char *asked;
    struct caddy_text text;
    size_t at, piece;
    unsigned line, skipped;
    char *out; /* as long as the text, and one more */
    size_t length; /* of the word at work */
    size_t begin; /* where it begins in the text */
    size_t source_at, line_begin; /* how far source lines were counted */
    unsigned source_line;
    struct caddy_token *tokens;
    size_t count, room;
    bool comment, escaped;
    char quote;
};

/* Bytes of the white space at `at`, as Go's unicode.IsSpace has it; 0 when it is none. */
static size_t space_length(const char *at, size_t left)
{
    static const char *const wide[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };
    const unsigned char *bytes = (const unsigned char *)at;

    if (bytes[0] < 0x80)
        return bytes[0] == ' ' || (bytes[0] >= '\t' && bytes[0] <= '\r') ? 1 : 0;
    for (size_t i = 0; i < DR_COUNT(wide); i++)
        if (left >= strlen(wide[i]) && memcmp(at, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return left >= 3 && bytes[0] == 0xe2 && bytes[1] == 0x80 && bytes[2] >= 0x80 && bytes[2] <= 0x8a ? 3 : 0;
}

/* The offset in the file of a byte of the text. Asked in ascending order. */
static size_t source_of(struct lexer *lexer, size_t at, bool *ret_literal)
{
    const struct caddy_text *text = &lexer->text;

    while (lexer->piece + 1 < text->piece_count && text->pieces[lexer->piece + 1].at <= at)
        lexer->piece++;
    const struct caddy_piece *piece = &text->pieces[lexer->piece];

    *ret_literal = piece->literal;
    return piece->literal ? piece->source + (at - piece->at) : piece->source;
}

static void locate(struct lexer *lexer, size_t end, struct caddy_place *place)
{
    const struct caddy_text *text = &lexer->text;
    const char *bytes = lexer->file->bytes;
    bool literal, end_literal;
    size_t begin_at = source_of(lexer, lexer->begin, &literal);
    size_t piece = lexer->piece;
    size_t end_at = source_of(lexer, end - 1, &end_literal) + 1;
    size_t inner = lexer->begin + (lexer->quote ? 1 : 0);

    lexer->piece = piece;
    for (size_t i = lexer->source_at; i < begin_at; i++) {
        if (bytes[i] == '\n') {
            lexer->source_line++;
            lexer->line_begin = i + 1;
        }
    }
    if (begin_at > lexer->source_at)
        lexer->source_at = begin_at;
    *place = (struct caddy_place){
        .file = lexer->file,
        .offset = begin_at,
        .length = end_at > begin_at ? end_at - begin_at : 0,
        .text_offset = begin_at + (inner - lexer->begin),
        .line = lexer->source_line,
        .column = (unsigned)(begin_at - lexer->line_begin + 1),
    };
    place->verbatim = literal && (piece + 1 >= text->piece_count || end <= text->pieces[piece + 1].at) &&
                      inner + lexer->length <= end && memcmp(text->bytes + inner, lexer->out, lexer->length) == 0;
}

static unsigned count_breaks(const char *text, size_t length)
{
    unsigned breaks = 0;

    for (size_t i = 0; i < length; i++)
        breaks += text[i] == '\n';
    return breaks;
}

static bool emit(struct lexer *lexer, unsigned line, char quote, size_t end)
{
    struct caddy_reader *reader = lexer->reader;
    struct caddy_token *grown = dr_arena_grow(reader->arena, lexer->tokens, lexer->count, sizeof(*grown), &lexer->room);

    if (!grown)
        return false;
    lexer->tokens = grown;
    struct caddy_token *token = &grown[lexer->count];

    *token = (struct caddy_token){
        .text = dr_arena_strndup(reader->arena, lexer->out, lexer->length),
        .file = lexer->file,
        .asked = lexer->asked,
        .line = line,
        .breaks = count_breaks(lexer->out, lexer->length),
        .quote = quote,
    };
    locate(lexer, end, &token->place);
    token->offset = token->place.offset;
    token->end = token->place.offset + token->place.length;
    lexer->length = 0;
    lexer->count++;
    if (++reader->tokens_made > CADDY_TOKENS)
        return caddy_stop(reader, token, "more than %d words; from here on nothing was read", CADDY_TOKENS);
    return token->text != NULL;
}

static void put(struct lexer *lexer, const char *bytes, size_t length)
{
    memcpy(lexer->out + lexer->length, bytes, length);
    lexer->length += length;
}

static size_t marker_length(const char *at, size_t left)
{
    size_t length = 0;

    while (length < left && (at[length] == '_' || at[length] == '-' || (at[length] >= '0' && at[length] <= '9') ||
                             (at[length] >= 'A' && at[length] <= 'Z') || (at[length] >= 'a' && at[length] <= 'z')))
        length++;
    return length;
}

/* Takes the lines of a heredoc without the padding that its last line has. Returns where it ends; 0: it never ends. */
static size_t take_heredoc(struct lexer *lexer, size_t at, const char *marker, size_t marker_bytes)
{
    const char *bytes = lexer->text.bytes;
    size_t length = lexer->text.length, body = at, padding, end;

    for (;;) {
        size_t text_at = at;

        while (text_at < length && (bytes[text_at] == ' ' || bytes[text_at] == '\t'))
            text_at++;
        if (text_at + marker_bytes <= length && memcmp(bytes + text_at, marker, marker_bytes) == 0) {
            padding = text_at - at;
            end = text_at + marker_bytes;
            break;
        }
        const char *line_end = memchr(bytes + at, '\n', length - at);

        if (!line_end)
            return 0;
        at = (size_t)(line_end - bytes) + 1;
        lexer->skipped++;
    }
    lexer->length = 0;
    for (size_t line = body; line < at;) {
        size_t next = (size_t)((const char *)memchr(bytes + line, '\n', length - line) - bytes) + 1;
        size_t from = line;

        while (from < next - 1 && from < line + padding && (bytes[from] == ' ' || bytes[from] == '\t'))
            from++;
        for (; from < next && !(from == next - 1 && next == at); from++)
            if (bytes[from] != '\r')
                put(lexer, bytes + from, 1);
        line = next;
    }
    return end;
}

/* At "<<MARKER" + line end? Then takes all of it. */
static bool heredoc(struct lexer *lexer, unsigned line, bool *ret_taken)
{
    const char *bytes = lexer->text.bytes + lexer->begin;
    size_t left = lexer->text.length - lexer->begin;
    size_t marker = left > 2 ? marker_length(bytes + 2, left - 2) : 0;
    size_t after = 2 + marker + (2 + marker < left && bytes[2 + marker] == '\r');

    *ret_taken = false;
    if (marker == 0 || after >= left || bytes[after] != '\n')
        return true;
    unsigned skipped = lexer->skipped;
    size_t end = take_heredoc(lexer, lexer->begin + after + 1, bytes + 2, marker);

    *ret_taken = true;
    if (end == 0) {
        lexer->length = 0;
        lexer->at = lexer->begin + 1;
        (void)!emit(lexer, line, 0, lexer->at);
        return caddy_stop(lexer->reader, &lexer->tokens[lexer->count - 1], "the text that begins with <<%.*s never ends",
                          (int)marker, bytes + 2);
    }
    unsigned lines = lexer->skipped - skipped + 1;

    lexer->line += lines;
    lexer->skipped = skipped;
    lexer->at = end;
    if (!emit(lexer, line, '<', end))
        return false;
    lexer->tokens[lexer->count - 1].breaks = lines;
    return true;
}

/* One character inside of quotes. */
static bool step_quoted(struct lexer *lexer, unsigned line)
{
    char c = lexer->text.bytes[lexer->at++];

    if (c == '\\' && lexer->quote == '"' && !lexer->escaped) {
        lexer->escaped = true;
        return true;
    }
    if (lexer->quote == '"' && lexer->escaped) {
        if (c != '"')
            put(lexer, "\\", 1);
        lexer->escaped = false;
    } else if (c == lexer->quote) {
        bool ok = emit(lexer, line, c, lexer->at);

        lexer->quote = 0;
        return ok;
    }
    if (c == '\n') {
        lexer->line += 1 + lexer->skipped;
        lexer->skipped = 0;
    }
    put(lexer, &c, 1);
    return true;
}

static bool step_space(struct lexer *lexer, unsigned line, size_t bytes)
{
    size_t end = lexer->at;
    char c = lexer->text.bytes[lexer->at];

    lexer->at += bytes;
    if (c == '\r')
        return true;
    if (c == '\n') {
        if (lexer->escaped) {
            lexer->skipped++;
            lexer->escaped = false;
            end--; /* the backslash is no part of the word */
        } else {
            lexer->line += 1 + lexer->skipped;
            lexer->skipped = 0;
        }
        lexer->comment = false;
    }
    if (lexer->length == 0)
        return true;
    while (end > lexer->begin + 1 && lexer->text.bytes[end - 1] == '\r')
        end--;
    return emit(lexer, line, 0, end);
}

/* The first character of a word: may open quotes or a heredoc. */
static bool step_first(struct lexer *lexer, unsigned *line, bool *ret_taken)
{
    char c = lexer->text.bytes[lexer->at];

    *line = lexer->line;
    lexer->begin = lexer->at - (lexer->escaped ? 1 : 0);
    *ret_taken = true;
    if (c == '"' || c == '`') {
        lexer->quote = c;
        lexer->at++;
        return true;
    }
    *ret_taken = false;
    if (c == '<' && !lexer->escaped && lexer->begin + 1 < lexer->text.length && lexer->text.bytes[lexer->begin + 1] == '<')
        return heredoc(lexer, *line, ret_taken);
    return true;
}

static bool run(struct lexer *lexer)
{
    const char *bytes = lexer->text.bytes;
    unsigned line = 1;
    bool taken;

    while (lexer->at < lexer->text.length) {
        if (lexer->quote) {
            if (!step_quoted(lexer, line))
                return false;
            continue;
        }
        char c = bytes[lexer->at];

        if (c == '\\' && !lexer->escaped) {
            lexer->escaped = true;
            lexer->at++;
            continue;
        }
        size_t space = space_length(bytes + lexer->at, lexer->text.length - lexer->at);

        if (space) {
            if (!step_space(lexer, line, space))
                return false;
            continue;
        }
        lexer->comment = lexer->comment || (c == '#' && lexer->length == 0);
        if (lexer->comment) {
            lexer->at++;
            continue;
        }
        if (lexer->length == 0) {
            if (!step_first(lexer, &line, &taken))
                return false;
            if (taken)
                continue;
        }
        if (lexer->escaped && !(c == '<' && lexer->length == 0))
            put(lexer, "\\", 1);
        lexer->escaped = false;
        put(lexer, &c, 1);
        lexer->at++;
    }
    return lexer->length == 0 || emit(lexer, line, 0, lexer->text.length);
}

bool caddy_tokenize(struct caddy_reader *reader, const struct dr_proxy_file *file, const char *asked,
                    const struct caddy_token **ret_tokens, size_t *ret_count)
{
    struct lexer lexer = { .reader = reader, .file = file, .asked = asked, .line = 1, .source_line = 1 };

    if (!caddy_replace_env(reader, file, &lexer.text)) {
        reader->failed = true;
        return false;
    }
    lexer.out = dr_arena_alloc(reader->arena, lexer.text.length + 2);
    if (!lexer.out) {
        reader->failed = true;
        return false;
    }
    if (lexer.text.length >= 3 && memcmp(lexer.text.bytes, "\xef\xbb\xbf", 3) == 0)
        lexer.at = 3;
    bool ok = run(&lexer);

    if (!ok && !reader->stopped)
        reader->failed = true;
    *ret_tokens = lexer.tokens;
    *ret_count = lexer.count;
    return ok;
}
