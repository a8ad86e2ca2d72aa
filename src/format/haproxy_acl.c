/* Conditions: ACLs joined by "and", "or" and "!" (manual 2.6, section 7.2; names that exist always: 7.4). */
#include "format/haproxy_request.h"

#include <string.h>

struct predefined {
    const char *name;
    enum haproxy_truth websocket, ordinary; /* holds for a handshake, for another request */
};

static const struct predefined predefined[] = {
    { "FALSE", HAPROXY_FALSE, HAPROXY_FALSE },
    { "TRUE", HAPROXY_TRUE, HAPROXY_TRUE },
    { "HTTP", HAPROXY_TRUE, HAPROXY_TRUE },
    { "HTTP_1.0", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "HTTP_1.1", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "HTTP_2.0", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "HTTP_3.0", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "HTTP_CONTENT", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "HTTP_URL_ABS", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "HTTP_URL_SLASH", HAPROXY_TRUE, HAPROXY_UNKNOWN },
    { "HTTP_URL_STAR", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "LOCALHOST", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "METH_CONNECT", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_DELETE", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_GET", HAPROXY_TRUE, HAPROXY_UNKNOWN },
    { "METH_HEAD", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_OPTIONS", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_POST", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_PUT", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "METH_TRACE", HAPROXY_FALSE, HAPROXY_UNKNOWN },
    { "RDP_COOKIE", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
    { "REQ_CONTENT", HAPROXY_TRUE, HAPROXY_TRUE },
    { "WAIT_END", HAPROXY_UNKNOWN, HAPROXY_UNKNOWN },
};

static const struct predefined *find_predefined(const char *name)
{
    for (size_t i = 0; i < DR_COUNT(predefined); i++)
        if (strcmp(predefined[i].name, name) == 0)
            return &predefined[i];
    return NULL;
}

/* The first of the lines "acl NAME ..." (they are sorted), and how many there are. */
static size_t find_acl(const struct haproxy_scope *scope, const char *name, size_t *ret_count)
{
    size_t low = 0, high = scope->acls.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(dr_haproxy_word(scope->acls.list[middle], 1), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_count = 0;
    while (low + *ret_count < scope->acls.count && dr_haproxy_is(scope->acls.list[low + *ret_count], 1, name))
        ++*ret_count;
    return low;
}

/* One term of a condition: "!name", "! { ... }". */
struct term {
    bool negated;
    bool is_or; /* no term but "or" */
    const char *name; /* NULL: anonymous */
    size_t from, to; /* words of the anonymous one */
    size_t word; /* where it stands */
    bool open; /* its brace is never closed */
};

static bool next_term(const struct haproxy_line *line, size_t *at, struct term *ret_term)
{
    *ret_term = (struct term){ .word = *at };
    if (*at >= line->count)
        return false;
    const char *text = line->words[*at].text;

    ret_term->is_or = strcmp(text, "or") == 0 || strcmp(text, "||") == 0;
    if (ret_term->is_or) {
        ++*at;
        return true;
    }
    while (*text == '!') {
        ret_term->negated = !ret_term->negated;
        text++;
        if (*text == '\0')
            text = dr_haproxy_word(line, ++*at);
    }
    ++*at;
    if (strcmp(text, "{") != 0) {
        ret_term->name = text;
        return true;
    }
    ret_term->from = *at;
    while (*at < line->count && !dr_haproxy_is(line, *at, "}"))
        ++*at;
    ret_term->to = *at;
    ret_term->open = *at >= line->count;
    ++*at;
    return true;
}

static enum haproxy_truth match_words(const struct haproxy_line *line, size_t from, size_t to,
                                      const struct haproxy_request *request)
{
    struct haproxy_criterion criterion;

    dr_haproxy_criterion(line, from, to, &criterion);
    return dr_haproxy_match(&criterion, request);
}

static enum haproxy_truth term_holds(const struct haproxy_scope *scope, const struct haproxy_line *line,
                                     const struct term *term, const struct haproxy_request *request)
{
    enum haproxy_truth truth = HAPROXY_FALSE;

    if (!term->name) {
        truth = term->open ? HAPROXY_UNKNOWN : match_words(line, term->from, term->to, request);
    } else {
        size_t count;
        size_t first = find_acl(scope, term->name, &count);
        const struct predefined *known = count ? NULL : find_predefined(term->name);

        for (size_t i = 0; i < count; i++)
            truth = dr_haproxy_or(truth,
                                  match_words(scope->acls.list[first + i], 2, scope->acls.list[first + i]->count, request));
        if (count == 0)
            truth = !known ? HAPROXY_UNKNOWN : request->websocket ? known->websocket : known->ordinary;
    }
    return term->negated ? dr_haproxy_not(truth) : truth;
}

enum haproxy_truth dr_haproxy_holds(const struct haproxy_scope *scope, const struct haproxy_line *line, size_t at,
                                    const struct haproxy_request *request)
{
    enum haproxy_truth all = HAPROXY_TRUE, any = HAPROXY_FALSE;
    bool unless = dr_haproxy_is(line, at, "unless");
    struct term term;
    size_t terms = 0;

    if (at >= line->count)
        return HAPROXY_TRUE;
    for (at++; next_term(line, &at, &term); terms++) {
        if (term.is_or) {
            any = dr_haproxy_or(any, all);
            all = HAPROXY_TRUE;
        } else {
            all = dr_haproxy_and(all, term_holds(scope, line, &term, request));
        }
    }
    any = terms ? dr_haproxy_or(any, all) : HAPROXY_FALSE;
    return unless ? dr_haproxy_not(any) : any;
}

/* --- choosing a backend ------------------------------------------------------------------------------------------------- */

struct chooser {
    struct dr_arena *arena;
    struct haproxy_choice *choice;
    const char **names;
    size_t count, room;
};

static bool is_among(const struct chooser *chooser, const char *name)
{
    for (size_t i = 0; i < chooser->count; i++)
        if (strcmp(chooser->names[i], name) == 0)
            return true;
    return false;
}

static int add_names(struct chooser *chooser, const struct haproxy_criterion *criterion)
{
    for (size_t i = criterion->first; i < criterion->last; i++) {
        if (is_among(chooser, criterion->line->words[i].text))
            continue;
        const char **grown = dr_arena_grow(chooser->arena, chooser->names, chooser->names ? chooser->count + 1 : 0,
                                           sizeof(const char *), &chooser->room);

        if (!grown)
            return -ENOMEM;
        chooser->names = grown;
        grown[chooser->count++] = criterion->line->words[i].text;
        grown[chooser->count] = NULL;
    }
    chooser->choice->names = chooser->names;
    return 0;
}

/* All lines of a term must ask for hosts, or its only one for a path; anything else is a pattern. */
static int choose_by(struct chooser *chooser, const struct haproxy_scope *scope, const struct haproxy_line *line,
                     const struct term *term, const struct haproxy_request *request)
{
    size_t count = 1, first = 0;
    int r = 0;

    if (term->name)
        first = find_acl(scope, term->name, &count);
    /* Rules may have changed the host and the path before the backend is chosen. */
    bool hosts = count > 0 && !term->negated && !chooser->names && request->headers[DR_ROUTE_HOST].fate == DR_HEADER_CLIENTS;
    struct haproxy_criterion criterion;

    for (size_t i = 0; i < count; i++) {
        const struct haproxy_line *acl = term->name ? scope->acls.list[first + i] : line;

        dr_haproxy_criterion(acl, term->name ? 2 : term->from, term->name ? acl->count : term->to, &criterion);
        hosts = hosts && dr_haproxy_asks_host(&criterion);
    }
    if (!hosts) {
        if (count == 1 && !term->negated && !chooser->choice->path && !request->path_line &&
            dr_haproxy_asks_path(&criterion))
            chooser->choice->path = criterion.line->words[criterion.first].text;
        else
            chooser->choice->pattern = true;
        return 0;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct haproxy_line *acl = term->name ? scope->acls.list[first + i] : line;

        dr_haproxy_criterion(acl, term->name ? 2 : term->from, term->name ? acl->count : term->to, &criterion);
        r = add_names(chooser, &criterion);
    }
    return r;
}

int dr_haproxy_choice(const struct haproxy_scope *scope, const struct haproxy_line *line, size_t at,
                      const struct haproxy_request *request, struct haproxy_choice *ret_choice)
{
    struct chooser chooser = { .arena = request->tree->gathering->loader->arena, .choice = ret_choice };
    struct term term;
    int r = 0;

    *ret_choice = (struct haproxy_choice){ .pattern = dr_haproxy_is(line, at, "unless") };
    if (at >= line->count)
        return 0;
    for (at++; r == 0 && next_term(line, &at, &term);) {
        if (term.is_or)
            ret_choice->pattern = true;
        else if (term_holds(scope, line, &term, request) != HAPROXY_TRUE)
            r = choose_by(&chooser, scope, line, &term, request);
    }
    return r;
}

/* --- faults ------------------------------------------------------------------------------------------------------------- */

static void check_condition(struct haproxy_tree *tree, const struct haproxy_scope *scope, const struct haproxy_line *line,
                            size_t at)
{
    struct term term;
    size_t count;

    for (at++; at <= line->count && next_term(line, &at, &term);) {
        if (term.is_or)
            continue;
        if (term.open) {
            dr_haproxy_fault(tree, line, term.word, true, "'{' is never closed");
            return;
        }
        (void)(term.name ? find_acl(scope, term.name, &count) : 0);
        if (term.name && count == 0 && !find_predefined(term.name)) {
            dr_haproxy_fault(tree, line, term.word, true, "there is no ACL of the name '%.60s'", term.name);
            return;
        }
    }
}

static void check_lines(struct haproxy_tree *tree, const struct haproxy_scope *scope, const struct haproxy_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        size_t at = dr_haproxy_condition_at(lines->list[i]);

        if (at < lines->list[i]->count && !dr_haproxy_is(lines->list[i], at, "if") &&
            !dr_haproxy_is(lines->list[i], at, "unless"))
            dr_haproxy_fault(tree, lines->list[i], at, true, "'if' or 'unless' was expected, not '%.40s'",
                             lines->list[i]->words[at].text);
        else
            check_condition(tree, scope, lines->list[i], at);
    }
}

void dr_haproxy_check_scope(struct haproxy_tree *tree, const struct haproxy_proxy *proxy)
{
    const struct haproxy_scope *scope = &proxy->own;

    for (size_t i = 0; i < scope->acls.count; i++) {
        const struct haproxy_line *acl = scope->acls.list[i];
        const char *name = dr_haproxy_word(acl, 1);

        if (acl->count < 3)
            dr_haproxy_fault(tree, acl, 0, true, "'acl' needs a name and a criterion");
        else if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")] != '\0')
            dr_haproxy_fault(tree, acl, 1, true, "'%.60s' is no name for an ACL", name);
    }
    check_lines(tree, scope, &scope->rules);
    check_lines(tree, scope, &scope->answers);
    check_lines(tree, scope, &proxy->switches);
}
