#include "facts/tokens_flaws.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

/*
 * Values that are no secret: what JavaScript makes of nothing, what OpenClaw shows instead of a secret (its redact-sentinel), and
 * the examples of its documentation and .env.example (its known-weak-gateway-secrets).
 */
static const char *const sentinels[] = {
    "undefined",
    "null",
    "NaN",
    "false",
    "true",
    "[object Object]",
    "***",
    "******",
    "********",
    "__OPENCLAW_REDACTED__",
    "REDACTED",
    "[redacted]",
    "[REDACTED]",
    "<redacted>",
    "[REDACTED CREDENTIAL]",
    "change-me-to-a-long-random-token",
    "change-me-now",
    "change-me-to-a-strong-password",
    "changeme",
    "change-me",
    "your-token",
    "your-token-here",
    "your-gateway-token",
    "your-gateway-token-here",
    "your-secret-token",
    "<token>",
    "<your-token>",
    "<gateway-token>",
};

static bool is_sentinel(const char *text)
{
    for (size_t i = 0; i < DR_COUNT(sentinels); i++)
        if (strcmp(sentinels[i], text) == 0)
            return true;
    /* A reference that nobody resolved. */
    return dr_text_starts_with(text, "${") && dr_text_ends_with(text, "}");
}

static uint32_t code_point(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;

    switch (length) {
    case 2:
        return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
    case 3:
        return (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    case 4:
        return (at[0] & 0x07U) << 18 | (at[1] & 0x3fU) << 12 | (at[2] & 0x3fU) << 6 | (at[3] & 0x3fU);
    default:
        return at[0];
    }
}

/* What JavaScript's trim() drops. */
static bool is_space(uint32_t point)
{
    return point == ' ' || (point >= 0x09 && point <= 0x0d) || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
           point == 0x205f || point == 0x3000 || point == 0xfeff;
}

/* Drawn as nothing, or not as what it is. An ordinary space inside is left alone: passwords have them. */
static bool is_invisible(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x2064) || (point != ' ' && is_space(point));
}

static size_t sequence(const char *text, size_t length)
{
    size_t bytes = dr_utf8_length(text, length);

    return bytes ? bytes : 1;
}

/* Bytes of white space at the start, and at the end. */
static void spaces_around(const char *text, size_t length, size_t *ret_front, size_t *ret_back)
{
    size_t front = 0;
    size_t last = 0; /* end of the last character that is no space */

    for (size_t at = 0; at < length;) {
        size_t bytes = sequence(text + at, length - at);

        if (!is_space(code_point(text + at, bytes)))
            last = at + bytes;
        else if (last == 0)
            front = at + bytes;
        at += bytes;
    }
    *ret_front = front;
    *ret_back = last > front ? length - last : 0;
}

static bool is_quoted(const char *text, size_t length)
{
    static const char quotes[] = "\"'`";

    return length >= 2 && strchr(quotes, text[0]) && text[0] == text[length - 1];
}

/* Copies what is no invisible character; true when there was one. */
static bool drop_invisible(const char *text, size_t length, char *clean)
{
    bool dropped = false;
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        size_t bytes = sequence(text + at, length - at);

        if (is_invisible(code_point(text + at, bytes))) {
            dropped = true;
        } else {
            memcpy(clean + used, text + at, bytes);
            used += bytes;
        }
        at += bytes;
    }
    clean[used] = '\0';
    return dropped;
}

void dr_token_judge_value(struct dr_context *context, struct dr_token_place *place)
{
    const char *text = place->value;
    size_t length = strlen(text);
    size_t front, back;
    char *clean = dr_alloc(context, length + 1);

    spaces_around(text, length, &front, &back);
    if (front == length)
        place->flaws |= DR_FLAW_EMPTY;
    else if (front || back)
        place->flaws |= DR_FLAW_SPACE;
    text += front;
    length -= front + back;
    if (is_quoted(text, length)) {
        place->flaws |= DR_FLAW_QUOTES;
        text++;
        length -= 2;
    }
    if (drop_invisible(text, length, clean))
        place->flaws |= DR_FLAW_INVISIBLE;
    place->clean = clean;
    if (is_sentinel(clean))
        place->flaws |= DR_FLAW_SENTINEL;
}
