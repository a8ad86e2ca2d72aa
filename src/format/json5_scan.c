#include "format/json5_parser.h"

#include <string.h>

/* ---- white space and comments ---- */

bool dr_json5_is_space(uint32_t c)
{
    return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000 || c == 0xfeff;
}

/* The offset behind the comment at `at`; 0 when it is no comment, `length` + 1 when it is not closed. */
static size_t comment_end(const char *bytes, size_t length, size_t at)
{
    if (length - at < 2 || bytes[at] != '/')
        return 0;
    if (bytes[at + 1] == '*') {
        const char *end = memmem(bytes + at + 2, length - at - 2, "*/", 2);

        return end ? (size_t)(end - bytes) + 2 : length + 1;
    }
    if (bytes[at + 1] != '/')
        return 0;
    for (at += 2; at < length; at++) {
        if (bytes[at] == '\n' || bytes[at] == '\r')
            break;
        if (bytes[at] == '\xe2' && length - at >= 3 && bytes[at + 1] == '\x80' &&
            (bytes[at + 2] == '\xa8' || bytes[at + 2] == '\xa9'))
            break;
    }
    return at;
}

/* Length of the white space character at `at`, 0 when it is none. `strict`: JSON's four only. */
static size_t space_length(const char *bytes, size_t at, bool strict)
{
    unsigned char c = (unsigned char)bytes[at];
    size_t length;

    if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
        return 1;
    if (strict)
        return 0;
    if (c == '\v' || c == '\f')
        return 1;
    return c >= 0x80 && dr_json5_is_space(dr_json5_character(bytes + at, &length)) ? length : 0;
}

size_t dr_json5_skip_blank(const char *bytes, size_t length, size_t offset, bool commas)
{
    while (offset < length) {
        size_t space = space_length(bytes, offset, false);
        size_t end = space ? offset + space : comment_end(bytes, length, offset);

        if (end == 0 && commas && bytes[offset] == ',')
            end = offset + 1;
        if (end == 0 || end > length)
            break;
        offset = end;
    }
    return offset;
}

int dr_json5_scan_blank(struct dr_json5_parser *parser)
{
    while (parser->at < parser->length) {
        size_t space = space_length(parser->bytes, parser->at, parser->strict);

        if (space) {
            parser->at += space;
            continue;
        }

        size_t end = comment_end(parser->bytes, parser->length, parser->at);

        if (end == 0) {
            if (parser->strict && space_length(parser->bytes, parser->at, false))
                return dr_json5_fail_extension(parser, parser->at, "white space other than space, tab and line end");
            return 0;
        }
        if (parser->strict)
            return dr_json5_fail_extension(parser, parser->at, "a comment");
        if (end > parser->length)
            return dr_json5_fail_end_inside(parser, "a comment", parser->at);
        parser->at = end;
    }
    return 0;
}

/* ---- texts ---- */

bool dr_json5_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return dr_json5_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static size_t count_hex(const struct dr_json5_parser *parser, size_t at)
{
    size_t end = at;

    while (end < parser->length && is_hex(parser->bytes[end]))
        end++;
    return end - at;
}

char dr_json5_peek(const struct dr_json5_parser *parser, size_t ahead)
{
    return parser->length - parser->at > ahead ? parser->bytes[parser->at + ahead] : '\0';
}

/* At a backslash. `opened`: where the text began. */
static int scan_escape(struct dr_json5_parser *parser, size_t opened)
{
    size_t start = parser->at;

    if (parser->length - start < 2)
        return dr_json5_fail_end_inside(parser, "a text", opened);

    char c = dr_json5_peek(parser, 1);

    parser->at += 2;
    if (c == 'u' || c == 'x') {
        size_t digits = c == 'u' ? 4 : 2;

        if (parser->strict && c == 'x')
            return dr_json5_fail_extension(parser, start, "the escape \\x");
        if (count_hex(parser, parser->at) < digits)
            return dr_json5_fail(parser, start, "\\%c needs %zu hexadecimal digits", c, digits);
        parser->at += digits;
        return 0;
    }
    if (parser->strict)
        return memchr("\"\\/bfnrt", c, 8) ? 0 : dr_json5_fail_extension(parser, start, "this escape");
    if ((c >= '1' && c <= '9') || (c == '0' && dr_json5_is_digit(dr_json5_peek(parser, 0))))
        return dr_json5_fail(parser, start, "\\ followed by a digit is no escape");
    if (c == '\r' && dr_json5_peek(parser, 0) == '\n')
        parser->at++;
    return 0;
}

/* At a quote. Leaves `at` behind the closing one. */
int dr_json5_scan_text(struct dr_json5_parser *parser, bool *ret_escaped)
{
    size_t opened = parser->at;
    char quote = parser->bytes[parser->at++];
    bool escaped = false;

    if (quote == '\'' && parser->strict)
        return dr_json5_fail_extension(parser, opened, "a text in single quotes");
    while (parser->at < parser->length) {
        char c = parser->bytes[parser->at];

        if (c == quote) {
            parser->at++;
            *ret_escaped = escaped;
            return 0;
        }
        if (c == '\\') {
            int r = scan_escape(parser, opened);

            if (r < 0)
                return r;
            escaped = true;
            continue;
        }
        if (c == '\n' || c == '\r') {
            struct dr_json5_position position = dr_json5_position_of(parser, opened);

            return dr_json5_fail(parser, parser->at, "the text opened at %u:%u is not closed on its line", position.line,
                                 position.column);
        }
        if (parser->strict && (unsigned char)c < 0x20)
            return dr_json5_fail_extension(parser, parser->at, "a control character in a text");
        parser->at++;
    }
    return dr_json5_fail_end_inside(parser, "a text", opened);
}

/* ---- numbers ---- */

static size_t skip_digits(struct dr_json5_parser *parser)
{
    size_t start = parser->at;

    while (parser->at < parser->length && dr_json5_is_digit(parser->bytes[parser->at]))
        parser->at++;
    return parser->at - start;
}

bool dr_json5_skip_word(struct dr_json5_parser *parser, const char *word)
{
    size_t length = strlen(word);

    if (parser->length - parser->at < length || memcmp(parser->bytes + parser->at, word, length) != 0)
        return false;
    parser->at += length;
    return true;
}

static int scan_exponent(struct dr_json5_parser *parser)
{
    if ((dr_json5_peek(parser, 0) | 0x20) != 'e')
        return 0;
    parser->at++;
    if (dr_json5_peek(parser, 0) == '+' || dr_json5_peek(parser, 0) == '-')
        parser->at++;
    return skip_digits(parser) ? 0 : dr_json5_fail_found(parser, "a digit of the exponent");
}

static int scan_decimal(struct dr_json5_parser *parser)
{
    size_t start = parser->at;
    size_t whole = skip_digits(parser);
    size_t fraction = 0;

    if (whole > 1 && parser->bytes[start] == '0')
        return dr_json5_fail(parser, start, "a number must not begin with 0 and another digit");
    if (whole == 0 && parser->strict)
        return dr_json5_peek(parser, 0) == '.' ? dr_json5_fail_extension(parser, start, "a number that begins with a point")
                                               : dr_json5_fail_found(parser, "a digit");
    if (dr_json5_peek(parser, 0) == '.') {
        parser->at++;
        fraction = skip_digits(parser);
        if (fraction == 0 && parser->strict)
            return dr_json5_fail_extension(parser, start, "a number that ends with a point");
    }
    if (whole == 0 && fraction == 0)
        return dr_json5_fail_found(parser, "a digit");
    return scan_exponent(parser);
}

int dr_json5_scan_number(struct dr_json5_parser *parser)
{
    size_t start = parser->at;
    char sign = dr_json5_peek(parser, 0);

    if (sign == '+' && parser->strict)
        return dr_json5_fail_extension(parser, start, "a number with '+'");
    if (sign == '+' || sign == '-')
        parser->at++;

    size_t digits = parser->at;

    if (dr_json5_skip_word(parser, "Infinity") || dr_json5_skip_word(parser, "NaN"))
        return parser->strict ? dr_json5_fail_extension(parser, digits, "Infinity or NaN") : 0;
    if (dr_json5_peek(parser, 0) == '0' && (dr_json5_peek(parser, 1) | 0x20) == 'x') {
        if (parser->strict)
            return dr_json5_fail_extension(parser, start, "a hexadecimal number");
        parser->at += 2;

        size_t count = count_hex(parser, parser->at);

        parser->at += count;
        return count ? 0 : dr_json5_fail_found(parser, "a hexadecimal digit");
    }
    return scan_decimal(parser);
}

/* ---- keys ---- */

bool dr_json5_is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* At "\u" of an identifier. */
static int scan_key_escape(struct dr_json5_parser *parser, bool first)
{
    size_t start = parser->at;
    uint32_t c = 0;

    parser->at++;
    if (dr_json5_peek(parser, 0) != 'u' || count_hex(parser, parser->at + 1) < 4)
        return dr_json5_fail(parser, start, "\\ in a key without quotes needs u and 4 hexadecimal digits");
    for (size_t i = 0; i < 4; i++) {
        char digit = parser->bytes[parser->at + 1 + i];

        c = c << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    parser->at += 5;

    bool ascii = c < 0x80 && (dr_json5_is_ascii_letter((char)c) || (!first && dr_json5_is_digit((char)c)));
    bool beyond = c >= 0x80 && (first ? dr_json5_is_letter(c) : dr_json5_is_part(c));

    return ascii || beyond ? 0 : dr_json5_fail(parser, start, "a key with this character needs quotes");
}

/* 1: took a character; 0: the identifier ends here. */
static int scan_identifier_character(struct dr_json5_parser *parser, bool first, bool *escaped)
{
    char c = parser->bytes[parser->at];
    size_t length = 1;

    if (c == '\\') {
        int r = scan_key_escape(parser, first);

        *escaped = true;
        return r < 0 ? r : 1;
    }
    if ((unsigned char)c < 0x80) {
        if (!dr_json5_is_ascii_letter(c) && (first || !dr_json5_is_digit(c)))
            return 0;
    } else {
        uint32_t character = dr_json5_character(parser->bytes + parser->at, &length);

        if (!(first ? dr_json5_is_letter(character) : dr_json5_is_part(character)))
            return 0;
    }
    parser->at += length;
    return 1;
}

int dr_json5_scan_key(struct dr_json5_parser *parser)
{
    size_t start = parser->at;
    char c = parser->bytes[start];
    bool escaped = false;
    int r;

    if (c == '"' || c == '\'') {
        r = dr_json5_scan_text(parser, &escaped);
    } else {
        do {
            r = scan_identifier_character(parser, parser->at == start, &escaped);
        } while (r > 0 && parser->at < parser->length);
        if (r >= 0 && parser->at == start)
            return dr_json5_fail_found(parser, parser->after_comma || parser->strict ? "a key" : "a key or '}'");
        if (r >= 0 && parser->strict)
            return dr_json5_fail_extension(parser, start, "a key without double quotes");
    }
    if (r < 0)
        return r;
    parser->key_offset = start;
    parser->key_length = parser->at - start;
    parser->key_escaped = escaped;
    return 0;
}
