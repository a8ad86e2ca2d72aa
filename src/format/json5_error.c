#include "format/json5_parser.h"

#include <stdio.h>
#include <string.h>

struct dr_json5_position dr_json5_position_of(const struct dr_json5_parser *parser, size_t offset)
{
    struct dr_json5_position position = { 1, 1 };

    dr_json5_position_advance(parser->bytes, parser->length, parser->has_bom ? 3 : 0, offset, &position);
    return position;
}

DR_PRINTF(3, 4) int dr_json5_fail(const struct dr_json5_parser *parser, size_t offset, const char *format, ...)
{
    struct dr_json5_error *error = parser->error;
    va_list arguments;

    if (!error)
        return -EBADMSG;

    struct dr_json5_position position = dr_json5_position_of(parser, offset);

    va_start(arguments, format);
    char *reason = dr_arena_vformat(parser->arena, format, arguments);

    va_end(arguments);

    char *text = reason ? dr_arena_format(parser->arena, "%u:%u: %s", position.line, position.column, reason) : NULL;

    if (!text)
        return -ENOMEM;
    *error = (struct dr_json5_error){
        .position = position,
        .offset = offset,
        .text = text,
        .reason = text + (strlen(text) - strlen(reason)),
    };
    return -EBADMSG;
}

/* What stands at `offset`: one character, never more, so that no secret gets into a message. */
struct dr_json5_description dr_json5_found(const struct dr_json5_parser *parser, size_t offset)
{
    struct dr_json5_description description = { "the end of the file" };
    char *out = description.text;

    if (offset >= parser->length)
        return description;

    size_t length;
    uint32_t c = dr_json5_character(parser->bytes + offset, &length);

    if (c == '\n' || c == '\r')
        (void)snprintf(out, sizeof(description.text), "the end of the line");
    else if (c == '\'')
        (void)snprintf(out, sizeof(description.text), "\"'\"");
    else if (c > 0x20 && c < 0x7f)
        (void)snprintf(out, sizeof(description.text), "'%c'", (int)c);
    else if (c >= 0x2018 && c <= 0x201f)
        (void)snprintf(out, sizeof(description.text), "the typographic quote U+%04X", (unsigned)c);
    else
        (void)snprintf(out, sizeof(description.text), "the character U+%04X", (unsigned)c);
    return description;
}

int dr_json5_fail_found(const struct dr_json5_parser *parser, const char *expected)
{
    return dr_json5_fail(parser, parser->at, "expected %s, found %s", expected, dr_json5_found(parser, parser->at).text);
}

/* What JSON5 has and JSON.parse refuses. */
int dr_json5_fail_extension(const struct dr_json5_parser *parser, size_t offset, const char *what)
{
    return dr_json5_fail(parser, offset, "%s: JSON5 allows it, but this file is read as plain JSON", what);
}

int dr_json5_fail_end_inside(const struct dr_json5_parser *parser, const char *what, size_t opened)
{
    struct dr_json5_position position = dr_json5_position_of(parser, opened);

    return dr_json5_fail(parser, parser->length, "the file ends inside %s (opened at %u:%u)", what, position.line,
                         position.column);
}
