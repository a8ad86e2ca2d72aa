/* The expressions of .if and .elif (manual, 2.4), in three values: what HAProxy's version or features decide is not knowable here. */
#include "format/haproxy_tree.h"

#include <stdlib.h>
#include <string.h>

struct expression {
    const struct haproxy_tree *tree;
    const char *at;
    unsigned depth;
};

enum haproxy_truth dr_haproxy_not(enum haproxy_truth truth)
{
    return truth == HAPROXY_UNKNOWN ? truth : truth == HAPROXY_FALSE ? HAPROXY_TRUE : HAPROXY_FALSE;
}

enum haproxy_truth dr_haproxy_and(enum haproxy_truth left, enum haproxy_truth right)
{
    if (left == HAPROXY_FALSE || right == HAPROXY_FALSE)
        return HAPROXY_FALSE;
    return left == HAPROXY_TRUE && right == HAPROXY_TRUE ? HAPROXY_TRUE : HAPROXY_UNKNOWN;
}

enum haproxy_truth dr_haproxy_or(enum haproxy_truth left, enum haproxy_truth right)
{
    return dr_haproxy_not(dr_haproxy_and(dr_haproxy_not(left), dr_haproxy_not(right)));
}

static void skip_blanks(struct expression *expression)
{
    expression->at += strspn(expression->at, " \t");
}

/* One argument up to ',' or ')', its quotes and backslashes resolved. NULL: it is never closed, or no memory. */
static char *take_argument(struct expression *expression)
{
    const char *at = expression->at;
    char *text = dr_arena_alloc(expression->tree->gathering->loader->arena, strlen(at) + 1);
    size_t length = 0;
    char quote = 0;

    if (!text)
        return NULL;
    for (; *at && (quote || (*at != ',' && *at != ')')); at++) {
        if (*at == quote) {
            quote = 0;
        } else if (!quote && (*at == '"' || *at == '\'')) {
            quote = *at;
        } else if (*at == '\\' && quote != '\'' && at[1] && strchr(" \\'\"", at[1])) {
            text[length++] = *++at;
        } else {
            text[length++] = *at;
        }
    }
    if (*at == '\0')
        return NULL;
    expression->at = at;
    return text;
}

static bool take_arguments(struct expression *expression, size_t wanted, const char *arguments[2])
{
    size_t count = 0;

    if (*expression->at != '(')
        return false;
    do {
        expression->at++;
        char *argument = take_argument(expression);

        if (!argument || count == wanted)
            return false;
        arguments[count++] = argument;
    } while (*expression->at == ',');
    expression->at++;
    return count == wanted;
}

static enum haproxy_truth is_defined(const struct expression *expression, const char *name)
{
    if (dr_haproxy_variable(expression->tree, name))
        return HAPROXY_TRUE;
    /* HAProxy sets these for itself, some only in master-worker mode. */
    return strncmp(name, "HAPROXY_", 8) == 0 ? HAPROXY_UNKNOWN : HAPROXY_FALSE;
}

/* Conditions came with 2.4: whoever reads this at all is at least that. */
static enum haproxy_truth is_at_least(const char *version)
{
    char *end;
    unsigned long major = strtoul(version, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;

    if (end == version)
        return HAPROXY_UNKNOWN;
    return major < 2 || (major == 2 && (minor < 4 || (minor == 4 && *end == '\0'))) ? HAPROXY_TRUE : HAPROXY_UNKNOWN;
}

static bool take_predicate(struct expression *expression, enum haproxy_truth *ret_truth)
{
    static const struct {
        const char *name;
        size_t arguments;
    } predicates[] = {
        { "defined", 1 }, { "feature", 1 },         { "streq", 2 },
        { "strneq", 2 },  { "version_atleast", 1 }, { "version_before", 1 },
    };
    size_t length = strcspn(expression->at, " (");
    const char *arguments[2];
    size_t which = 0;

    while (which < DR_COUNT(predicates) &&
           (strlen(predicates[which].name) != length || memcmp(predicates[which].name, expression->at, length) != 0))
        which++;
    if (which == DR_COUNT(predicates))
        return false;

    const char *start = expression->at;

    expression->at += length;
    if (!take_arguments(expression, predicates[which].arguments, arguments)) {
        expression->at = start;
        return false;
    }
    bool equal = which == 2 || which == 3 ? strcmp(arguments[0], arguments[1]) == 0 : false;

    switch (which) {
    case 0:
        *ret_truth = is_defined(expression, arguments[0]);
        break;
    case 2:
        *ret_truth = equal ? HAPROXY_TRUE : HAPROXY_FALSE;
        break;
    case 3:
        *ret_truth = equal ? HAPROXY_FALSE : HAPROXY_TRUE;
        break;
    case 4:
        *ret_truth = is_at_least(arguments[0]);
        break;
    case 5:
        *ret_truth = dr_haproxy_not(is_at_least(arguments[0]));
        break;
    default:
        *ret_truth = HAPROXY_UNKNOWN;
        break;
    }
    return true;
}

static bool take_or(struct expression *expression, enum haproxy_truth *ret_truth);

static bool take_term(struct expression *expression, enum haproxy_truth *ret_truth)
{
    bool negated = false;
    bool taken;
    char *end;

    skip_blanks(expression);
    while (*expression->at == '!') {
        negated = !negated;
        expression->at++;
        skip_blanks(expression);
    }
    long value = strtol(expression->at, &end, 0);

    if (end != expression->at) {
        *ret_truth = value ? HAPROXY_TRUE : HAPROXY_FALSE;
        expression->at = end;
        taken = true;
    } else if (*expression->at == '(') {
        expression->at++;
        skip_blanks(expression);
        taken = take_or(expression, ret_truth);
        skip_blanks(expression);
        if (!taken || *expression->at != ')')
            return false;
        expression->at++;
        skip_blanks(expression);
    } else {
        taken = take_predicate(expression, ret_truth);
    }
    if (negated)
        *ret_truth = dr_haproxy_not(*ret_truth);
    return taken;
}

static bool take_and(struct expression *expression, enum haproxy_truth *ret_truth)
{
    enum haproxy_truth next;

    if (!take_term(expression, ret_truth))
        return false;
    for (skip_blanks(expression); strncmp(expression->at, "&&", 2) == 0; skip_blanks(expression)) {
        expression->at += 2;
        if (!take_term(expression, &next))
            return false;
        *ret_truth = dr_haproxy_and(*ret_truth, next);
    }
    return true;
}

static bool take_or(struct expression *expression, enum haproxy_truth *ret_truth)
{
    enum haproxy_truth next;

    if (++expression->depth > HAPROXY_EXPRESSION_DEPTH || !take_and(expression, ret_truth))
        return false;
    for (skip_blanks(expression); strncmp(expression->at, "||", 2) == 0; skip_blanks(expression)) {
        expression->at += 2;
        if (!take_and(expression, &next))
            return false;
        *ret_truth = dr_haproxy_or(*ret_truth, next);
    }
    expression->depth--;
    return true;
}

bool dr_haproxy_condition(const struct haproxy_tree *tree, const char *text, enum haproxy_truth *ret_truth,
                          const char **ret_bad)
{
    struct expression expression = { .tree = tree, .at = text };

    *ret_truth = HAPROXY_FALSE;
    if (*text == '\0')
        return true;
    if (take_or(&expression, ret_truth)) {
        skip_blanks(&expression);
        if (*expression.at == '\0')
            return true;
    }
    *ret_bad = expression.at;
    return false;
}
