/*
 * http-request rules and the options behind them (manual 2.6, section 4.2; haproxy 2.6: http_process_req_common, http_process_request).
 *
 * Order: rules of the frontend's "defaults", of the frontend, of the backend's "defaults", of the backend; then forwardfor and forwarded. In a
 * section, "redirect" lines come behind all "http-request" lines. "allow" ends the rules of one proxy only.
 */
#include "format/haproxy_request.h"

#include <string.h>
#include <strings.h>

enum action_kind {
    ACT_NOTHING = 0, /* nothing that matters here */
    ACT_SET,
    ACT_ADD,
    ACT_DELETE,
    ACT_REPLACE,
    ACT_PATH, /* a new path */
    ACT_REWRITE, /* a path by pattern and replacement */
    ACT_ALLOW,
    ACT_ANSWER, /* HAProxy answers itself, or hangs up */
    ACT_TIMEOUT,
    ACT_SOURCE,
};

static const struct action {
    const char *name;
    enum action_kind kind;
    int arguments; /* -1: not fixed; the condition begins at the first "if" or "unless" */
} actions[] = {
    { "set-header", ACT_SET, 2 },         { "add-header", ACT_ADD, 2 },        { "del-header", ACT_DELETE, -1 },
    { "replace-header", ACT_REPLACE, 3 }, { "replace-value", ACT_REPLACE, 3 }, { "set-path", ACT_PATH, 1 },
    { "set-pathq", ACT_PATH, 1 },         { "set-uri", ACT_PATH, 1 },          { "replace-path", ACT_REWRITE, 2 },
    { "replace-pathq", ACT_REWRITE, 2 },  { "replace-uri", ACT_REWRITE, 2 },   { "allow", ACT_ALLOW, 0 },
    { "deny", ACT_ANSWER, -1 },           { "tarpit", ACT_ANSWER, -1 },        { "reject", ACT_ANSWER, 0 },
    { "silent-drop", ACT_ANSWER, -1 },    { "return", ACT_ANSWER, -1 },        { "redirect", ACT_ANSWER, -1 },
    { "use-service", ACT_ANSWER, -1 },    { "set-timeout", ACT_TIMEOUT, 2 },   { "set-src", ACT_SOURCE, -1 },
};

static const struct action *action_of(const struct haproxy_line *line)
{
    static const struct action nothing = { "", ACT_NOTHING, -1 };
    const char *name = dr_haproxy_is(line, 0, "redirect") ? "redirect" : dr_haproxy_word(line, 1);

    for (size_t i = 0; i < DR_COUNT(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return &nothing;
}

size_t dr_haproxy_condition_at(const struct haproxy_line *line)
{
    const struct action *action = action_of(line);
    size_t at = 2;

    if (dr_haproxy_is(line, 0, "use_backend"))
        return at;
    if (action->arguments >= 0)
        return at + (size_t)action->arguments;
    while (at < line->count && !dr_haproxy_is(line, at, "if") && !dr_haproxy_is(line, at, "unless"))
        at++;
    return at;
}

/* --- headers ------------------------------------------------------------------------------------------------------------ */

static void change_header(const struct haproxy_request *request, const struct haproxy_line *line, enum action_kind kind,
                          int header, struct haproxy_fate *fate)
{
    const enum dr_header_fate before = fate->fate;
    const char *value = dr_haproxy_word(line, 3);

    if (kind == ACT_ADD && before == DR_HEADER_SET && fate->value)
        value = dr_arena_format(request->tree->gathering->loader->arena, "%s, %s", fate->value, value);

    *fate = (struct haproxy_fate){ .fate = before, .value = kind == ACT_DELETE ? NULL : value, .line = line };
    switch (kind) {
    case ACT_SET:
    case ACT_ADD:
        fate->fate = dr_haproxy_fate_of_value(request, header, before, dr_haproxy_word(line, 3), kind == ACT_ADD);
        break;
    case ACT_DELETE:
        fate->fate = DR_HEADER_ABSENT;
        break;
    default:
        /* Without the client's there is nothing to replace. */
        fate->fate = before == DR_HEADER_ABSENT || before == DR_HEADER_SET ? before : DR_HEADER_UNKNOWN;
        fate->value = dr_haproxy_word(line, 4);
        break;
    }
}

/* "if x" and "unless x", "if x" and "if !x": one holds when the other does not. */
static void condition_key(const struct haproxy_request *request, const struct haproxy_line *line, size_t at,
                          const char **ret_text, bool *ret_negated)
{
    const char *text = dr_haproxy_join(request->tree->gathering->loader->arena, line, at + 1, line->count);
    bool single = at + 2 == line->count || (dr_haproxy_is(line, at + 1, "{") || dr_haproxy_is(line, at + 1, "!{"));

    *ret_negated = dr_haproxy_is(line, at, "unless");
    if (text[0] == '!' && single && !strstr(text, "} ")) {
        *ret_negated = !*ret_negated;
        text += 1 + strspn(text + 1, " ");
    }
    *ret_text = text;
}

static void merge(struct haproxy_fate *fate, const struct haproxy_fate *other)
{
    bool same_value = fate->value == other->value || (fate->value && other->value && strcmp(fate->value, other->value) == 0);

    if (fate->fate != other->fate)
        fate->fate = DR_HEADER_UNKNOWN;
    fate->mixed = fate->mixed || other->mixed || fate->fate == DR_HEADER_UNKNOWN || !same_value;
}

static void apply_to_header(const struct haproxy_line *line, enum action_kind kind, int header, enum haproxy_truth truth,
                            struct haproxy_request *request)
{
    struct dr_arena *arena = request->tree->gathering->loader->arena;
    struct haproxy_fate *fate = &request->headers[header];
    struct haproxy_fate before = *fate;
    const char *condition = "";
    bool negated = false;

    if (truth == HAPROXY_TRUE) {
        change_header(request, line, kind, header, fate);
        return;
    }
    condition_key(request, line, dr_haproxy_condition_at(line), &condition, &negated);
    if (before.otherwise && strcmp(before.condition, condition) == 0 && before.negated != negated) {
        /* The other half of what the rule before did. */
        struct haproxy_fate first = *before.otherwise;
        struct haproxy_fate second = before.otherwise[1];

        change_header(request, line, kind, header, &first);
        *fate = first;
        merge(fate, &second);
        return;
    }
    struct haproxy_fate *pair = dr_arena_alloc(arena, 2 * sizeof(*pair));

    change_header(request, line, kind, header, fate);
    if (pair) {
        pair[0] = before;
        pair[0].otherwise = NULL;
        pair[1] = *fate;
    }
    merge(fate, &before);
    fate->otherwise = pair;
    fate->condition = condition;
    fate->negated = negated;
}

static void apply_header_rule(const struct haproxy_line *line, const struct action *action, enum haproxy_truth truth,
                              struct haproxy_request *request)
{
    int header = dr_haproxy_header_of(dr_haproxy_word(line, 2));

    if (action->kind != ACT_DELETE) {
        if (header >= 0)
            apply_to_header(line, action->kind, header, truth, request);
        return;
    }
    for (header = 0; header < HAPROXY_HEADERS; header++) {
        enum haproxy_truth named = dr_haproxy_and(truth, dr_haproxy_names_header(line, dr_haproxy_header_name(header)));

        if (named != HAPROXY_FALSE)
            apply_to_header(line, action->kind, header, named, request);
    }
}

/* --- paths, times, answers ---------------------------------------------------------------------------------------------- */

/* A replacement whose pattern is the route's own prefix cuts it off. */
static const char *cut_prefix(const struct haproxy_request *request, const char *pattern)
{
    size_t length = request->path ? strlen(request->path) : 0;

    while (length > 1 && request->path[length - 1] == '/')
        length--;
    pattern += *pattern == '^';
    return length > 1 && strncmp(pattern, request->path, length) == 0 ? "/" : NULL;
}

static void apply_path_rule(const struct haproxy_line *line, const struct action *action, enum haproxy_truth truth,
                            struct haproxy_request *request)
{
    const char *value = dr_haproxy_word(line, action->kind == ACT_PATH ? 2 : 3);
    const char *regsub = action->kind == ACT_PATH ? strstr(value, "regsub(") : NULL;

    request->path_line = line;
    request->new_path = value;
    if (action->kind == ACT_REWRITE && cut_prefix(request, dr_haproxy_word(line, 2)))
        request->new_path = "/";
    if (regsub && cut_prefix(request, regsub + strlen("regsub(") + (regsub[7] == '"' || regsub[7] == '\'')))
        request->new_path = "/";
    (void)truth;
}

static void apply_timeout(const struct haproxy_line *line, enum haproxy_truth truth, struct haproxy_request *request)
{
    struct haproxy_time *time = dr_haproxy_is(line, 2, "tunnel")   ? &request->tunnel
                                : dr_haproxy_is(line, 2, "server") ? &request->server
                                                                   : NULL;
    int64_t ms = 0;

    if (!time)
        return;
    request->times_unknown = !dr_haproxy_time(dr_haproxy_word(line, 3), &ms) || truth == HAPROXY_UNKNOWN;
    *time = (struct haproxy_time){ .line = line, .ms = ms };
}

/* True: no further rule of the section counts. */
static bool apply_rule(const struct haproxy_line *line, enum haproxy_truth truth, struct haproxy_request *request)
{
    const struct action *action = action_of(line);

    switch (action->kind) {
    case ACT_SET:
    case ACT_ADD:
    case ACT_DELETE:
    case ACT_REPLACE:
        apply_header_rule(line, action, truth, request);
        return false;
    case ACT_PATH:
    case ACT_REWRITE:
        apply_path_rule(line, action, truth, request);
        return false;
    case ACT_TIMEOUT:
        apply_timeout(line, truth, request);
        return false;
    case ACT_SOURCE:
        request->source_from_client = strstr(dr_haproxy_word(line, 2), "hdr") != NULL;
        return false;
    case ACT_ANSWER:
        /* Under a condition that is not known it is a rule of access: who is let in goes on. */
        if (truth != HAPROXY_TRUE)
            return false;
        request->outcome = HAPROXY_ANSWERED;
        request->outcome_line = line;
        return true;
    case ACT_ALLOW:
        return truth == HAPROXY_TRUE;
    default:
        return false;
    }
}

/* An "allow" ends the rules of the proxy, with those of its "defaults". False: it is over. */
static bool apply_scope(const struct haproxy_scope *scope, bool *maybe_over, struct haproxy_request *request)
{
    for (size_t i = 0; i < scope->rules.count && request->outcome == HAPROXY_GOES_ON; i++) {
        const struct haproxy_line *line = scope->rules.list[i];
        enum haproxy_truth truth = dr_haproxy_holds(scope, line, dr_haproxy_condition_at(line), request);

        if (truth == HAPROXY_UNKNOWN && action_of(line)->kind == ACT_ALLOW)
            *maybe_over = true;
        if (*maybe_over)
            truth = dr_haproxy_and(truth, HAPROXY_UNKNOWN);
        if (truth != HAPROXY_FALSE && apply_rule(line, truth, request))
            return false;
    }
    return true;
}

void dr_haproxy_begin_request(struct haproxy_request *request)
{
    for (int i = 0; i < HAPROXY_HEADERS; i++)
        request->headers[i] = (struct haproxy_fate){ .fate = DR_HEADER_CLIENTS };
    request->source_from_client = request->times_unknown = false;
    request->path_line = request->outcome_line = NULL;
    request->new_path = NULL;
    request->tunnel = request->server = (struct haproxy_time){ 0 };
    request->outcome = HAPROXY_GOES_ON;
}

void dr_haproxy_apply_rules(const struct haproxy_proxy *proxy, struct haproxy_request *request)
{
    bool maybe_over = false; /* an "allow" that is not known stands before */

    if (!proxy->inherited || apply_scope(proxy->inherited, &maybe_over, request))
        (void)apply_scope(&proxy->own, &maybe_over, request);
}

/* --- options ------------------------------------------------------------------------------------------------------------ */

static void add_proxy_value(struct haproxy_request *request, int header, const struct haproxy_line *line, bool only_if_none)
{
    struct haproxy_fate *fate = &request->headers[header];

    if (only_if_none && fate->fate == DR_HEADER_SET)
        return;
    if (request->source_from_client)
        fate->fate = DR_HEADER_UNKNOWN;
    else
        fate->fate = dr_haproxy_added_to(fate->fate);
    fate->value = NULL;
    fate->line = line;
}

void dr_haproxy_apply_options(const struct haproxy_proxy *frontend, const struct haproxy_proxy *backend,
                              struct haproxy_request *request)
{
    const struct haproxy_forwardfor *on = backend->forwardfor.line ? &backend->forwardfor : &frontend->forwardfor;
    int header = on->line ? dr_haproxy_header_of(on->header) : -1;
    bool always = frontend->forwardfor.always || backend->forwardfor.always;

    /* "if-none" lets the client's own value through: as far as trust goes, that is as bad as a value in front. */
    if (header >= 0 && !frontend->forwardfor.never && !backend->forwardfor.never)
        add_proxy_value(request, header, on->line, !always);
    if (backend->forwarded)
        add_proxy_value(request, DR_ROUTE_FORWARDED, backend->forwarded, false);
}

/* --- answers ------------------------------------------------------------------------------------------------------------ */

static const struct haproxy_line *scope_drops(const struct haproxy_scope *scope, const struct haproxy_request *request,
                                              enum haproxy_truth *ret_truth)
{
    static const char *const needed[] = { "upgrade", "connection", "sec-websocket-accept" };

    for (size_t i = 0; i < scope->answers.count; i++) {
        const struct haproxy_line *line = scope->answers.list[i];
        enum haproxy_truth truth = HAPROXY_FALSE;

        if (action_of(line)->kind != ACT_DELETE)
            continue;
        for (size_t j = 0; j < DR_COUNT(needed); j++)
            truth = dr_haproxy_or(truth, dr_haproxy_names_header(line, needed[j]));
        if (truth != HAPROXY_FALSE)
            truth = dr_haproxy_and(truth, dr_haproxy_holds(scope, line, dr_haproxy_condition_at(line), request));
        if (truth != HAPROXY_FALSE) {
            *ret_truth = truth;
            return line;
        }
    }
    return NULL;
}

const struct haproxy_line *dr_haproxy_answer_drops(const struct haproxy_proxy *proxy, const struct haproxy_request *request,
                                                   enum haproxy_truth *ret_truth)
{
    const struct haproxy_line *line = proxy->inherited ? scope_drops(proxy->inherited, request, ret_truth) : NULL;

    return line ? line : scope_drops(&proxy->own, request, ret_truth);
}

bool dr_haproxy_answers(const struct haproxy_line *line)
{
    return action_of(line)->kind == ACT_ANSWER;
}

bool dr_haproxy_touches(const struct haproxy_line *line, const char *header)
{
    const struct action *action = action_of(line);

    if (action->kind == ACT_DELETE)
        return dr_haproxy_names_header(line, header) != HAPROXY_FALSE;
    return action->kind >= ACT_SET && action->kind <= ACT_REPLACE && strcasecmp(dr_haproxy_word(line, 2), header) == 0;
}
