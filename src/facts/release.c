#include "facts/release.h"

#include <string.h>

enum { MOST_NUMBER = 9999 };

/* A run of digits. False when there is none, or when it is too large to be part of a release. */
static bool number(const char **text, int *ret_number)
{
    const char *at = *text;
    int value = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (*at - '0');
        if (value > MOST_NUMBER)
            return false;
    }
    *text = at;
    *ret_number = value;
    return true;
}

static bool dot(const char **text)
{
    return *(*text)++ == '.';
}

/* "-beta.3"; or "-2", a package published again under the same number, which behaves as that number. */
static bool suffix(const char *text, int *ret_beta)
{
    int again;

    *ret_beta = 0;
    if (*text == '\0')
        return true;
    if (strncmp(text, "-beta.", 6) == 0) {
        text += 6;
        return number(&text, ret_beta) && *text == '\0' && *ret_beta > 0;
    }
    if (*text++ != '-')
        return false;
    return number(&text, &again) && *text == '\0';
}

bool dr_release_parse(const char *text, struct dr_release *ret_release)
{
    struct dr_release release;

    if (!text)
        return false;
    if (*text == 'v')
        text++;
    if (!number(&text, &release.year) || !dot(&text) || !number(&text, &release.month) || !dot(&text) ||
        !number(&text, &release.patch) || !suffix(text, &release.beta))
        return false;
    *ret_release = release;
    return true;
}

static int order(int a, int b)
{
    return (a > b) - (a < b);
}

int dr_release_compare(const struct dr_release *a, const struct dr_release *b)
{
    int r = order(a->year, b->year);

    if (r == 0)
        r = order(a->month, b->month);
    if (r == 0)
        r = order(a->patch, b->patch);
    if (r != 0)
        return r;
    /* A release is newer than all betas of its number. */
    return order(a->beta ? a->beta : MOST_NUMBER + 1, b->beta ? b->beta : MOST_NUMBER + 1);
}

const char *dr_release_text(struct dr_context *context, const struct dr_release *release)
{
    if (release->beta)
        return dr_format(context, "%d.%d.%d-beta.%d", release->year, release->month, release->patch, release->beta);
    return dr_format(context, "%d.%d.%d", release->year, release->month, release->patch);
}

const struct dr_rules *dr_rules_of(struct dr_context *context, const struct dr_release *release)
{
    struct dr_rules *rules = dr_alloc(context, sizeof(*rules));

    dr_rules_fill(release, rules);
    return rules;
}
