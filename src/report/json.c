/*
 * The JSON writer: two spaces, keys in the order in which they were added, one newline at the end.
 *
 * Not cJSON_Print, because the text must be valid whatever the document holds: a byte that is no UTF-8 becomes \xNN (as in the
 * human report), and characters that could play tricks on a terminal are written as escapes.
 */
#include "base/text.h"
#include "report/report.h"

#include "api/registry.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST_DEPTH = 32, INDENT = 2 };

static int append_escape(struct dr_buffer *text, unsigned char byte)
{
    switch (byte) {
    case '"':
        return dr_buffer_append_text(text, "\\\"");
    case '\\':
        return dr_buffer_append_text(text, "\\\\");
    case '\n':
        return dr_buffer_append_text(text, "\\n");
    case '\t':
        return dr_buffer_append_text(text, "\\t");
    default:
        return dr_buffer_appendf(text, "\\u%04x", byte);
    }
}

static unsigned code_point(const char *at, size_t count)
{
    const unsigned char *u = (const unsigned char *)at;

    if (count == 2)
        return ((u[0] & 0x1fu) << 6) | (u[1] & 0x3fu);
    return ((u[0] & 0x0fu) << 12) | ((u[1] & 0x3fu) << 6) | (u[2] & 0x3fu);
}

/* C1 controls, invisible characters, line separators, text direction. */
static bool is_tricky(unsigned point)
{
    return (point >= 0x80 && point < 0xa0) || (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

static int append_string(struct dr_buffer *text, const char *value)
{
    size_t left = strlen(value);
    int r = dr_buffer_append_byte(text, '"');

    while (r == 0 && left > 0) {
        unsigned char byte = (unsigned char)*value;
        size_t count = dr_utf8_length(value, left);

        if (count == 0)
            r = dr_buffer_appendf(text, "\\\\x%02x", byte);
        else if (count == 1)
            r = byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f ? append_escape(text, byte)
                                                                           : dr_buffer_append(text, value, 1);
        else if (count < 4 && is_tricky(code_point(value, count)))
            r = dr_buffer_appendf(text, "\\u%04x", code_point(value, count));
        else
            r = dr_buffer_append(text, value, count);
        count = count == 0 ? 1 : count;
        value += count;
        left -= count;
    }
    return r < 0 ? r : dr_buffer_append_byte(text, '"');
}

static int append_number(struct dr_buffer *text, double number)
{
    if (number != number || fabs(number) > 1e300)
        return dr_buffer_append_text(text, "null"); /* JSON has no words for these */
    if (fabs(number) < 9007199254740992.0 && floor(number) == number)
        return dr_buffer_appendf(text, "%lld", (long long)number);
    return dr_buffer_appendf(text, "%.15g", number);
}

static int append_newline(struct dr_buffer *text, unsigned depth)
{
    return dr_buffer_appendf(text, "\n%*s", (int)(depth * INDENT), "");
}

static bool is_flat(const cJSON *json)
{
    const cJSON *item;

    if (!cJSON_IsArray(json))
        return false;
    cJSON_ArrayForEach (item, json) {
        if (cJSON_IsArray(item) || cJSON_IsObject(item))
            return false;
    }
    return true;
}

static int append_value(struct dr_buffer *text, const cJSON *json, unsigned depth);

static int append_members(struct dr_buffer *text, const cJSON *json, unsigned depth)
{
    bool object = cJSON_IsObject(json);
    bool flat = is_flat(json);
    const cJSON *item;
    int r = dr_buffer_append_byte(text, object ? '{' : '[');

    if (depth >= MOST_DEPTH)
        return -E2BIG;
    cJSON_ArrayForEach (item, json) {
        if (r == 0 && item != json->child)
            r = dr_buffer_append_text(text, flat ? ", " : ",");
        if (r == 0 && !flat)
            r = append_newline(text, depth + 1);
        if (r == 0 && object)
            r = append_string(text, item->string ? item->string : "");
        if (r == 0 && object)
            r = dr_buffer_append_text(text, ": ");
        if (r == 0)
            r = append_value(text, item, depth + 1);
        if (r < 0)
            return r;
    }
    if (r == 0 && json->child && !flat)
        r = append_newline(text, depth);
    return r < 0 ? r : dr_buffer_append_byte(text, object ? '}' : ']');
}

static int append_value(struct dr_buffer *text, const cJSON *json, unsigned depth)
{
    if (cJSON_IsObject(json) || cJSON_IsArray(json))
        return append_members(text, json, depth);
    if (cJSON_IsString(json))
        return append_string(text, json->valuestring);
    if (cJSON_IsNumber(json))
        return append_number(text, json->valuedouble);
    return dr_buffer_append_text(text, cJSON_IsTrue(json) ? "true" : cJSON_IsFalse(json) ? "false" : "null");
}

int dr_report_json(const cJSON *document, struct dr_buffer *text)
{
    int r = append_value(text, document, 0);

    return r < 0 ? r : dr_buffer_append_byte(text, '\n');
}

const char *dr_report_schema(void)
{
    return dr_report_schema_text;
}
