/*
 * Rules: Host(`a`, `b`) (2.x), Host(`a`) || Host(`b`), && PathPrefix(`/x`). Everything else stays a pattern, as it is spelt.
 * Source: doc.traefik.io, "Rules & Priority" of 2.11 and 3.x.
 */
#include "format/traefik_internal.h"

#include <string.h>
#include <strings.h>

struct reading {
    struct dr_arena *arena;
    const char *at;
    const char **names;
    size_t name_count;
    const char *path;
    bool pattern;
    int r;
};

static void skip(struct reading *reading)
{
    reading->at += strspn(reading->at, " \t\r\n");
}

static bool takes(struct reading *reading, const char *word)
{
    size_t length = strlen(word);

    skip(reading);
    if (strncasecmp(reading->at, word, length) != 0)
        return false;
    reading->at += length;
    return true;
}

static const char *argument(struct reading *reading)
{
    skip(reading);
    char quote = *reading->at;
    const char *end = quote == '`' || quote == '"' ? strchr(reading->at + 1, quote) : NULL;
    const char *text = end ? dr_arena_strndup(reading->arena, reading->at + 1, (size_t)(end - reading->at - 1)) : NULL;

    if (!end)
        reading->pattern = true;
    else if (!text)
        reading->r = -ENOMEM;
    else
        reading->at = end + 1;
    return text;
}

static void add_name(struct reading *reading, const char *name)
{
    reading->names[reading->name_count++] = name;
}

/* Room for all names that there can be: each has a quote in front. */
static const char **room_for(struct dr_arena *arena, const char *text)
{
    size_t quotes = 1;

    for (; *text; text++)
        quotes += *text == '`' || *text == '"';
    return dr_arena_alloc(arena, quotes * sizeof(const char *));
}

/* Host(`a`, `b`) || Host(`c`), perhaps in parentheses. */
static bool hosts(struct reading *reading)
{
    bool parentheses = takes(reading, "(");

    do {
        if (!takes(reading, "Host") || !takes(reading, "("))
            return false;
        do {
            const char *name = argument(reading);

            if (!name)
                return false;
            add_name(reading, name);
        } while (takes(reading, ","));
        if (!takes(reading, ")"))
            return false;
    } while (takes(reading, "||"));
    return !parentheses || takes(reading, ")");
}

static bool prefix(struct reading *reading)
{
    bool parentheses = takes(reading, "(");

    if (!takes(reading, "PathPrefix") || !takes(reading, "("))
        return false;
    reading->path = argument(reading);
    return reading->path && takes(reading, ")") && (!parentheses || takes(reading, ")"));
}

static bool term(struct reading *reading)
{
    const char *begin = reading->at;

    if (reading->name_count == 0 && hosts(reading))
        return true;
    reading->at = begin;
    return !reading->path && prefix(reading);
}

int dr_traefik_rule(struct dr_arena *arena, const char *text, struct traefik_rule *ret_rule)
{
    struct reading reading = { .arena = arena, .at = text, .names = room_for(arena, text) };
    const char **none = dr_arena_alloc(arena, sizeof(*none));
    size_t complete = 0;

    if (!reading.names || !none)
        return -ENOMEM;
    do {
        if (!term(&reading))
            reading.pattern = true;
        else
            complete = reading.name_count;
    } while (!reading.pattern && takes(&reading, "&&"));
    skip(&reading);
    if (*reading.at != '\0')
        reading.pattern = true;
    if (reading.r < 0)
        return -ENOMEM;
    if (strstr(text, "${")) { /* a variable of a compose file that nothing sets: any host */
        reading.pattern = true;
        complete = 0;
    }
    /* Names hold only where all that follows narrows them down: with an "||" somewhere they may not. */
    bool known = complete > 0 && (!reading.pattern || !strstr(text, "||"));

    reading.names[complete] = NULL;
    *ret_rule = (struct traefik_rule){
        .names = known ? reading.names : none,
        .path = reading.pattern ? NULL
                : reading.path  ? reading.path
                                : "/",
        .pattern = reading.pattern ? text : NULL,
    };
    return 0;
}
