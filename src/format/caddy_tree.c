/* The words of a block as lines, as caddyconfig/caddyfile/dispenser.go (v2.6.2) hands them out; and values of Go's. */
#include "format/caddy_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct builder {
    struct caddy_reader *reader;
    const struct caddy_token *tokens;
    size_t count, at;
    unsigned depth;
    bool wrong;
};

static const struct caddy_line *take_lines(struct builder *builder, bool inside);

static bool follows(const struct builder *builder)
{
    return builder->at < builder->count && caddy_same_line(&builder->tokens[builder->at - 1], &builder->tokens[builder->at]);
}

static bool text_is(const struct builder *builder, const char *text)
{
    return strcmp(builder->tokens[builder->at].text, text) == 0;
}

static struct caddy_line *take_line(struct builder *builder)
{
    struct caddy_line *line = dr_arena_alloc(builder->reader->arena, sizeof(*line));

    if (!line) {
        builder->reader->failed = builder->wrong = true;
        return NULL;
    }
    line->words = &builder->tokens[builder->at++];
    line->count = 1;
    while (follows(builder) && !text_is(builder, "{")) {
        line->count++;
        builder->at++;
    }
    if (!follows(builder))
        return line;
    line->open = &builder->tokens[builder->at++];
    if (++builder->depth > DR_PROXY_DEPTH) {
        caddy_fault(builder->reader, line->open, true, "more than %d blocks in blocks", DR_PROXY_DEPTH);
        builder->wrong = true;
        return NULL;
    }
    line->lines = take_lines(builder, true);
    builder->depth--;
    if (builder->wrong)
        return NULL;
    line->close = &builder->tokens[builder->at++];
    if (follows(builder)) {
        caddy_fault(builder->reader, &builder->tokens[builder->at], true, "nothing may follow '}' on its line");
        builder->wrong = true;
        return NULL;
    }
    return line;
}

static const struct caddy_line *take_lines(struct builder *builder, bool inside)
{
    const struct caddy_line *first = NULL, **last = &first;

    while (builder->at < builder->count) {
        if (inside && text_is(builder, "}"))
            return first;
        struct caddy_line *line = take_line(builder);

        if (!line)
            return NULL;
        *last = line;
        last = &line->next;
    }
    if (inside) {
        caddy_fault(builder->reader, &builder->tokens[builder->count - 1], true, "'}' is missing behind this");
        builder->wrong = true;
    }
    return first;
}

const struct caddy_line *caddy_lines(struct caddy_reader *reader, const struct caddy_token *tokens, size_t count,
                                     bool *ret_ok)
{
    struct builder builder = { .reader = reader, .tokens = tokens, .count = count };
    const struct caddy_line *lines = take_lines(&builder, false);

    *ret_ok = !builder.wrong;
    return builder.wrong ? NULL : lines;
}

const struct caddy_line *caddy_find(const struct caddy_line *lines, const char *name)
{
    while (lines && strcmp(caddy_name(lines), name) != 0)
        lines = lines->next;
    return lines;
}

bool caddy_integer(const char *text, int64_t *ret_value)
{
    char *end;

    if (text[strspn(text, "+-0123456789")] != '\0' || *text == '\0')
        return false;
    errno = 0;
    *ret_value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

bool caddy_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = { { "ns", 1e-6 }, { "us", 1e-3 }, { "\xc2\xb5s", 1e-3 }, { "\xce\xbcs", 1e-3 }, { "ms", 1 },
                  { "s", 1000 },  { "m", 60000 }, { "h", 3600000 },      { "d", 86400000 } };
    const char *at = text + (*text == '-' || *text == '+');
    double sum = 0;

    if (strcmp(at, "0") == 0) {
        *ret_ms = 0;
        return true;
    }
    if (*at == '\0' || strlen(text) > 1024)
        return false;
    while (*at) {
        size_t number = strspn(at, "0123456789."), unit = 0;
        char *end;
        double value = strtod(at, &end);

        if (number == 0 || end != at + number)
            return false;
        at += number;
        while (unit < sizeof(units) / sizeof(units[0]) && strncmp(at, units[unit].unit, strlen(units[unit].unit)) != 0)
            unit++;
        if (unit == sizeof(units) / sizeof(units[0]))
            return false;
        sum += value * units[unit].ms;
        at += strlen(units[unit].unit);
    }
    if (sum > 9.2e12) /* Go's durations end at 292 years */
        return false;
    *ret_ms = (int64_t)(*text == '-' ? -sum : sum);
    return true;
}

/* "4096", "10MB", "1.5 GiB" as go-humanize reads them. */
bool caddy_size(const char *text)
{
    static const char *const units[] = { "",    "b", "k",  "kb", "ki",  "kib", "m",  "mb", "mi",  "mib", "g",  "gb", "gi",
                                         "gib", "t", "tb", "ti", "tib", "p",   "pb", "pi", "pib", "e",   "eb", "ei", "eib" };
    size_t number = strspn(text, "0123456789.,");

    if (number == 0)
        return false;
    text += number;
    text += strspn(text, " ");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcasecmp(text, units[i]) == 0)
            return true;
    return false;
}
