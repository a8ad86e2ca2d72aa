#include "format/nginx_tree.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void dr_nginx_lexer_release(struct dr_nginx_lexer *lexer)
{
    free(lexer->words);
    lexer->words = NULL;
}

static enum dr_nginx_token bad(struct dr_nginx_lexer *lexer, const char *text)
{
    lexer->error = text;
    return text ? DR_NGINX_BAD : DR_NGINX_NO_MEMORY;
}

static enum dr_nginx_token unexpected(struct dr_nginx_lexer *lexer, char c, const char *where)
{
    return bad(lexer, dr_arena_format(lexer->arena, "unexpected '%c'%s", c >= ' ' && c <= '~' ? c : '?', where));
}

static bool at_end(const struct dr_nginx_lexer *lexer)
{
    return lexer->at >= lexer->file->length;
}

/* One byte on. */
static char take(struct dr_nginx_lexer *lexer)
{
    char c = lexer->file->bytes[lexer->at++];

    if (c == '\n') {
        lexer->line++;
        lexer->line_begin = lexer->at;
    }
    return c;
}

/* nginx reads through a buffer of this size: what began at `start` must be over when more of the file has to come in. */
static bool is_too_long(const struct dr_nginx_lexer *lexer, size_t start)
{
    return lexer->at - start >= DR_NGINX_LONGEST && !at_end(lexer);
}

/* White space and comments. false: a comment is too long. */
static bool skip_blank(struct dr_nginx_lexer *lexer)
{
    while (!at_end(lexer)) {
        size_t start = lexer->at;
        char c = lexer->file->bytes[start];

        if (c != '#' && !is_space(c))
            return true;
        (void)take(lexer);
        if (c != '#')
            continue;
        while (!at_end(lexer)) {
            if (is_too_long(lexer, start))
                return false;
            if (take(lexer) == '\n')
                break;
        }
    }
    return true;
}

static size_t decode(const char *bytes, size_t length, char *out)
{
    static const char escapes[] = "\"'\\trn";
    static const char meanings[] = "\"'\\\t\r\n";
    size_t to = 0;

    for (size_t i = 0; i < length; i++) {
        const char *escape = bytes[i] == '\\' && i + 1 < length ? strchr(escapes, bytes[i + 1]) : NULL;

        if (escape && *escape)
            i++;
        out[to++] = escape && *escape ? meanings[escape - escapes] : bytes[i];
    }
    out[to] = '\0';
    return to;
}

static bool add_word(struct dr_nginx_lexer *lexer, size_t start, size_t end, bool quoted)
{
    char *text = dr_arena_alloc(lexer->arena, end - start + 1);

    if (lexer->word_count == lexer->word_room) {
        size_t room = lexer->word_room ? lexer->word_room * 2 : 16;
        struct dr_nginx_word *words = reallocarray(lexer->words, room, sizeof(*words));

        if (!words)
            return false;
        lexer->words = words;
        lexer->word_room = room;
    }
    if (!text)
        return false;
    (void)decode(lexer->file->bytes + start, end - start, text);
    lexer->words[lexer->word_count++] = (struct dr_nginx_word){
        .text = text,
        .offset = start - quoted,
        .bytes = end - start + 2 * (size_t)quoted,
    };
    return true;
}

static enum dr_nginx_token unfinished(struct dr_nginx_lexer *lexer)
{
    return bad(lexer, "the file ends in the middle of a directive: ';' or '}' is missing");
}

static enum dr_nginx_token too_long(struct dr_nginx_lexer *lexer, unsigned line, size_t line_begin, bool quoted)
{
    lexer->line = line;
    lexer->line_begin = line_begin;
    return bad(lexer, quoted ? "a word is longer than 4096 bytes: its closing quote is probably missing"
                             : "a word or comment is longer than 4096 bytes, which nginx refuses");
}

/* Where a word without quotes ends: white space, ';' or a '{' that no '$' stands in front of. */
static void scan_bare(struct dr_nginx_lexer *lexer, size_t start)
{
    bool variable = take(lexer) == '$';

    if (lexer->file->bytes[start] == '\\' && !at_end(lexer))
        (void)take(lexer);
    while (!at_end(lexer) && !is_too_long(lexer, start)) {
        char c = lexer->file->bytes[lexer->at];

        if (is_space(c) || c == ';' || (c == '{' && !variable))
            return;
        variable = c == '$' || c == '{';
        (void)take(lexer);
        if (c == '\\' && !at_end(lexer) && !is_too_long(lexer, start))
            (void)take(lexer);
    }
}

static enum dr_nginx_token read_bare(struct dr_nginx_lexer *lexer)
{
    size_t start = lexer->at, line_begin = lexer->line_begin;
    unsigned line = lexer->line;

    scan_bare(lexer, start);
    if (at_end(lexer))
        return unfinished(lexer);

    size_t end = lexer->at;
    bool space = is_space(lexer->file->bytes[end]);

    /* White space belongs to the word's 4096 bytes, ';' and '{' end the directive and with it the count. */
    lexer->at += space;
    if (is_too_long(lexer, start))
        return too_long(lexer, line, line_begin, false);
    lexer->at = end;
    return add_word(lexer, start, end, false) ? DR_NGINX_STATEMENT : DR_NGINX_NO_MEMORY;
}

static enum dr_nginx_token read_quoted(struct dr_nginx_lexer *lexer)
{
    size_t line_begin = lexer->line_begin;
    unsigned line = lexer->line;
    char quote = take(lexer);
    size_t start = lexer->at;

    for (;;) {
        if (at_end(lexer))
            return unfinished(lexer);
        if (is_too_long(lexer, start))
            return too_long(lexer, line, line_begin, true);

        char c = take(lexer);

        if (c == quote)
            break;
        if (c == '\\' && !at_end(lexer) && !is_too_long(lexer, start))
            (void)take(lexer);
    }
    size_t end = lexer->at - 1;

    if (at_end(lexer))
        return unfinished(lexer);
    if (is_too_long(lexer, start))
        return too_long(lexer, line, line_begin, false);

    char next = lexer->file->bytes[lexer->at];

    if (!is_space(next) && next != ';' && next != '{' && next != ')')
        return unexpected(lexer, next, " behind a quoted word");
    if (is_space(next) && end + 2 - start >= DR_NGINX_LONGEST && lexer->at + 1 < lexer->file->length)
        return too_long(lexer, line, line_begin, false);
    return add_word(lexer, start, end, true) ? DR_NGINX_STATEMENT : DR_NGINX_NO_MEMORY;
}

/* ';', '{' or '}' where a word could begin. */
static enum dr_nginx_token read_mark(struct dr_nginx_lexer *lexer, char c)
{
    if ((c == '}') != (lexer->word_count == 0))
        return unexpected(lexer, c, "");
    (void)take(lexer);
    return c == ';' ? DR_NGINX_STATEMENT : c == '{' ? DR_NGINX_BLOCK : DR_NGINX_CLOSE;
}

enum dr_nginx_token dr_nginx_next(struct dr_nginx_lexer *lexer)
{
    lexer->word_count = 0;
    for (;;) {
        /* A comment that is too long is still on the line on which it began. */
        if (!skip_blank(lexer))
            return too_long(lexer, lexer->line, lexer->line_begin, false);
        if (at_end(lexer))
            return lexer->word_count ? unfinished(lexer) : DR_NGINX_END;
        if (lexer->word_count == 0) {
            lexer->offset = lexer->at;
            lexer->offset_line = lexer->line;
            lexer->offset_line_begin = lexer->line_begin;
        }
        char c = lexer->file->bytes[lexer->at];

        if (c == ';' || c == '{' || c == '}')
            return read_mark(lexer, c);

        if (lexer->word_count >= DR_NGINX_WORDS / 100)
            return bad(lexer, "more than 10000 words in one directive");

        enum dr_nginx_token token = c == '"' || c == '\'' ? read_quoted(lexer) : read_bare(lexer);

        if (token != DR_NGINX_STATEMENT)
            return token;
    }
}

/* --- Lua ------------------------------------------------------------------------------------------------------------- */

/* The level of a long bracket "[==[" at `at`, or -1. */
static int long_bracket(const struct dr_nginx_lexer *lexer, char bracket)
{
    const char *bytes = lexer->file->bytes + lexer->at;
    int level = 0;

    /* The text ends with a NUL. */
    if (bytes[0] != bracket)
        return -1;
    while (bytes[1 + level] == '=')
        level++;
    return bytes[1 + level] == bracket ? level : -1;
}

static void skip_long(struct dr_nginx_lexer *lexer, int level)
{
    lexer->at += (size_t)level + 2;
    while (!at_end(lexer)) {
        if (long_bracket(lexer, ']') == level) {
            lexer->at += (size_t)level + 2;
            return;
        }
        (void)take(lexer);
    }
}

static void skip_string(struct dr_nginx_lexer *lexer, char quote)
{
    while (!at_end(lexer)) {
        char c = take(lexer);

        if (c == quote || c == '\n')
            return;
        if (c == '\\' && !at_end(lexer))
            (void)take(lexer);
    }
}

static void skip_comment(struct dr_nginx_lexer *lexer)
{
    int level;

    (void)take(lexer);
    level = long_bracket(lexer, '[');
    if (level >= 0)
        skip_long(lexer, level);
    else
        while (!at_end(lexer) && lexer->file->bytes[lexer->at] != '\n')
            (void)take(lexer);
}

bool dr_nginx_skip_lua(struct dr_nginx_lexer *lexer)
{
    for (size_t depth = 1; !at_end(lexer);) {
        int level = long_bracket(lexer, '[');

        if (level >= 0) {
            skip_long(lexer, level);
            continue;
        }
        char c = take(lexer);

        if (c == '"' || c == '\'')
            skip_string(lexer, c);
        else if (c == '-' && !at_end(lexer) && lexer->file->bytes[lexer->at] == '-')
            skip_comment(lexer);
        depth += c == '{';
        depth -= c == '}';
        if (depth == 0)
            return true;
    }
    return false;
}
