/*
 * Through a site's directives in the order in which caddy carries them out, to each reverse_proxy.
 *
 * Inside of `route` that is the order of the file; everywhere else directives are sorted (httpcaddyfile/directives.go), those of one kind by
 * the length of their path, those without a matcher last.
 */
#include "format/caddy_internal.h"

#include <stdlib.h>
#include <string.h>

#define ROW(name_, least_, most_, block_)                                      \
    {                                                                          \
        .name = (name_), .least = (least_), .most = (most_), .block = (block_) \
    }

/* Directives that take a matcher in front (it is not counted), and how many words may follow. */
static const struct caddy_rule handlers[] = {
    ROW("reverse_proxy", 0, 99, true), ROW("handle", 0, 0, true), ROW("route", 0, 0, true),
    ROW("request_header", 1, 3, true), ROW("rewrite", 1, 1, false), ROW("uri", 2, 4, true), ROW("method", 1, 1, false),
    ROW("redir", 1, 99, false), ROW("respond", 1, 2, true), ROW("abort", 0, 0, false), ROW("error", 1, 2, true),
    ROW("header", 0, 3, true), ROW("encode", 0, 99, true), ROW("root", 1, 1, false), ROW("vars", 0, 99, true),
    ROW("map", 0, 99, true), ROW("file_server", 0, 1, true), ROW("php_fastcgi", 0, 99, true), ROW("basicauth", 0, 2, true),
    ROW("basic_auth", 0, 2, true), /* v2.8.0 */
    ROW("forward_auth", 0, 99, true), ROW("request_body", 0, 0, true), ROW("templates", 0, 0, true),
    ROW("try_files", 1, 99, true), ROW("push", 0, 99, true), ROW("acme_server", 0, 0, true), ROW("metrics", 0, 0, true),
    ROW("tracing", 0, 0, true), ROW("skip_log", 0, 0, false), ROW("copy_response", 0, 1, true),
    ROW("copy_response_headers", 0, 0, true),
    /* later releases */
    ROW("log_skip", 0, 0, false), ROW("log_append", 0, 99, true), ROW("log_name", 0, 99, true), ROW("fs", 0, 1, true),
    ROW("invoke", 1, 1, false), /* v2.7.0 */
    ROW("intercept", 0, 0, true), /* v2.8.0 */
};

/* Directives of a site that no request passes through. */
static const struct caddy_rule settings[] = {
    ROW("bind", 0, 99, true),
    ROW("tls", 0, 2, true),
    ROW("log", 0, 99, true),
    ROW("handle_errors", 0, 99, true),
};

static bool walk_lines(struct caddy_reader *reader, const struct caddy_line *lines, const struct caddy_scope *scope,
                       struct caddy_way *way, bool sorted, unsigned depth);

static int compare(const void *left, const void *right)
{
    const struct caddy_step *a = left, *b = right;
    size_t a_path = a->match.exact ? strlen(a->match.exact) : a->match.path ? strlen(a->match.path) + 1 : 0;
    size_t b_path = b->match.exact ? strlen(b->match.exact) : b->match.path ? strlen(b->match.path) + 1 : 0;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (strcmp(caddy_name(a->line), caddy_name(b->line)) == 0) {
        if (a_path && b_path && a_path != b_path)
            return a_path > b_path ? -1 : 1;
        if (!(a_path && b_path) && (a->has_match && !a->match.all) != (b->has_match && !b->match.all))
            return a->has_match && !a->match.all ? -1 : 1;
    }
    return (a->at > b->at) - (a->at < b->at);
}

static bool is_setting(const struct caddy_line *line)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strcmp(settings[i].name, caddy_name(line)) == 0)
            return true;
    return false;
}

static size_t place(const struct caddy_reader *reader, const struct caddy_line *line)
{
    bool path = strcmp(caddy_name(line), "handle_path") == 0;

    return caddy_order(reader, path ? "handle" : caddy_name(line));
}

/* A line as a step; false: nothing that a request passes through, or wrong. */
static bool take_step(struct caddy_reader *reader, const struct caddy_line *line, const struct caddy_scope *scope,
                      bool inside, struct caddy_step *step)
{
    bool path = strcmp(caddy_name(line), "handle_path") == 0;

    *step = (struct caddy_step){ .reader = reader, .line = line, .first = 1, .match = { .all = true } };
    if (is_setting(line)) {
        if (inside)
            caddy_fault(reader, &line->words[0], true, "%s cannot stand inside of another directive", caddy_name(line));
        return false;
    }
    if (path) {
        if (line->count != 2 || line->words[1].text[0] != '/') {
            caddy_fault(reader, &line->words[0], true, "handle_path takes one path, which begins with '/'");
            return false;
        }
        step->match.text = line->words[1].text;
        caddy_match_path(reader->arena, line->words[1].text, &step->match);
        step->match.all = false;
        step->has_match = true;
        return true;
    }
    if (line->count > 1 && caddy_matcher(reader, scope, &line->words[1], &step->match)) {
        step->has_match = true;
        step->first = 2;
    } else {
        step->match = (struct caddy_match){ .all = true };
    }
    return caddy_check(reader, line, step->first - 1, handlers, sizeof(handlers) / sizeof(handlers[0]), "directive");
}

/* --- directives that lead further ------------------------------------------------------------------------------------------- */

static void walk_answers(struct caddy_step *step, const struct caddy_scope *scope, const struct caddy_way *way,
                         unsigned depth)
{
    for (const struct caddy_line *inner = step->line->lines; inner; inner = inner->next) {
        struct caddy_way answer = *way;

        if (strcmp(caddy_name(inner), "handle_response") != 0)
            continue;
        answer.pattern = "handle_response";
        (void)walk_lines(step->reader, inner->lines, scope, &answer, true, depth + 1);
    }
}

static void step_proxy(struct caddy_step *step, const struct caddy_scope *scope, const struct caddy_way *way, unsigned depth)
{
    struct caddy_proxy *proxy = dr_arena_alloc(step->reader->arena, sizeof(*proxy));
    struct caddy_way narrowed = *way;

    if (!proxy) {
        step->reader->failed = true;
        return;
    }
    if (!caddy_read_proxy(step->reader, step->line, step->first, proxy))
        return;
    caddy_way_match(step->reader->arena, &narrowed, &step->match);
    if (proxy->rewrite)
        caddy_way_rewrite(step->reader->arena, &narrowed, proxy->rewrite);
    caddy_routes(step->reader, &narrowed, proxy);
    walk_answers(step, scope, &narrowed, depth);
}

/*
 * What a block did to the request may or may not have happened behind it. Bounded: beyond CADDY_OPS one operation stands for all, on a field
 * that nobody knows.
 */
static void leave_block(struct caddy_reader *reader, struct caddy_way *way, const struct caddy_op *inner,
                        const struct caddy_op *outer)
{
    for (const struct caddy_op *op = inner; op && op != outer; op = op->next) {
        struct caddy_op *copy = dr_arena_alloc(reader->arena, sizeof(*copy));

        if (!copy) {
            reader->failed = true;
            return;
        }
        if (way->op_count > CADDY_OPS)
            return;
        *copy = *op;
        if (++way->op_count > CADDY_OPS)
            copy->field = "{http.unknown}";
        copy->maybe = true;
        copy->next = way->ops;
        way->ops = copy;
    }
}

static bool step_block(struct caddy_step *step, const struct caddy_scope *scope, struct caddy_way *way, unsigned depth)
{
    struct caddy_reader *reader = step->reader;
    const struct caddy_line *line = step->line;
    const char *name = caddy_name(line);
    struct caddy_way inner = *way;

    caddy_way_match(reader->arena, &inner, &step->match);
    if (strcmp(name, "handle_path") == 0) {
        const char *path = line->words[1].text;
        size_t length = strlen(path);

        length -= length > 1 && path[length - 1] == '*' ? (size_t)(path[length - 2] == '/' ? 2 : 1) : 0;
        if (length > 0)
            caddy_way_strip(reader->arena, &inner, dr_arena_strndup(reader->arena, path, length));
    }
    bool ends = walk_lines(reader, line->lines, caddy_scope(reader, line->lines, scope), &inner, strcmp(name, "route") != 0,
                           depth + 1);

    if (!ends)
        leave_block(reader, way, inner.ops, way->ops);
    return ends && step->match.all && strcmp(name, "handle_path") != 0;
}

/* &(name) { ... } and `invoke name` */
static void step_invoke(struct caddy_step *step, struct caddy_way *way, unsigned depth)
{
    struct caddy_reader *reader = step->reader;
    const struct caddy_token *word = &step->line->words[step->first];
    const char *key = dr_arena_format(reader->arena, "&(%s)", word->text);

    for (const struct caddy_block *block = reader->blocks; block && key; block = block->next) {
        struct caddy_way inner = *way;

        if (block->key_count != 1 || strcmp(block->keys[0].text, key) != 0)
            continue;
        caddy_way_match(reader->arena, &inner, &step->match);
        (void)walk_lines(reader, block->lines, caddy_scope(reader, block->lines, NULL), &inner, true, depth + 1);
        return;
    }
    caddy_fault(reader, word, true, "the named route %.200s is not defined", word->text);
}

/* Does the directive answer every request that it meets? */
static bool answers(const char *name)
{
    static const char *const names[] = {
        "reverse_proxy", "respond", "redir", "abort", "error", "file_server", "php_fastcgi"
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* true: no request comes further than here. */
static bool take(struct caddy_step *step, const struct caddy_scope *scope, struct caddy_way *way, unsigned depth)
{
    const char *name = caddy_name(step->line);

    if (strcmp(name, "handle") == 0 || strcmp(name, "handle_path") == 0 || strcmp(name, "route") == 0)
        return step_block(step, scope, way, depth);
    if (strcmp(name, "reverse_proxy") == 0)
        step_proxy(step, scope, way, depth);
    else if (strcmp(name, "request_header") == 0)
        caddy_step_request_header(step, way);
    else if (strcmp(name, "uri") == 0 && step->line->count >= step->first + 2)
        caddy_step_uri(step, way);
    else if (strcmp(name, "rewrite") == 0)
        caddy_step_rewrite(step, way);
    else if (strcmp(name, "redir") == 0)
        caddy_step_redir(step);
    else if (strcmp(name, "invoke") == 0)
        step_invoke(step, way, depth);
    return step->match.all && answers(name);
}

static bool same_match(const struct caddy_step *a, const struct caddy_step *b)
{
    const struct caddy_match *x = &a->match, *y = &b->match;
    const char *x_path = x->path ? x->path : x->exact, *y_path = y->path ? y->path : y->exact;

    if (x->all || y->all || x->more != y->more || !x->hosts != !y->hosts)
        return false;
    if (!x->more && !x->hosts)
        return !x->exact == !y->exact && x_path && y_path && strcmp(x_path, y_path) == 0;
    return x->text && y->text && strcmp(x->text, y->text) == 0;
}

/* rewrite, root and several handles belong to groups of their own, of which one route is taken. */
static bool is_grouped(const struct caddy_step *steps, size_t count, const struct caddy_step *step)
{
    size_t handles = 0;

    if (strcmp(caddy_name(step->line), "rewrite") == 0 || strcmp(caddy_name(step->line), "root") == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        handles += steps[i].order == step->order;
    return strncmp(caddy_name(step->line), "handle", 6) == 0 && handles > 1;
}

/*
 * Neighbours with the same matcher become one route, whose matcher is asked only once: a `uri` among them changes the path for those behind
 * it. Returns how many steps were taken; 0: nothing of the kind.
 */
static size_t take_merged(struct caddy_step *steps, size_t count, size_t at, const struct caddy_scope *scope,
                          struct caddy_way *way, unsigned depth)
{
    struct caddy_way inner = *way;
    size_t end = at + 1;

    if (strcmp(caddy_name(steps[at].line), "uri") != 0 || steps[at].match.all || is_grouped(steps, count, &steps[at]))
        return 0;
    while (end < count && same_match(&steps[at], &steps[end]) && !is_grouped(steps, count, &steps[end]))
        end++;
    if (end == at + 1)
        return 0;
    caddy_way_match(steps[at].reader->arena, &inner, &steps[at].match);
    for (size_t i = at; i < end; i++) {
        struct caddy_step step = steps[i];

        step.match = (struct caddy_match){ .all = true };
        (void)take(&step, scope, &inner, depth);
    }
    leave_block(steps[at].reader, way, inner.ops, way->ops);
    return end - at;
}

/*
 * Several handles on one level: a request passes the first that it matches and no other. Only those with the very same matcher, one behind
 * the other, become one. Returns how many steps were taken.
 */
static size_t take_handles(struct caddy_step *steps, size_t count, size_t at, const struct caddy_scope *scope,
                           struct caddy_way *way, unsigned depth, bool *ret_end)
{
    const struct caddy_way before = *way;
    struct caddy_way inner = before;
    size_t end = at;

    for (; end < count && steps[end].order == steps[at].order; end++) {
        bool merged =
            end > at && (same_match(&steps[end - 1], &steps[end]) || (steps[end - 1].match.all && steps[end].match.all));

        if (end > at && !merged) {
            leave_block(steps[at].reader, way, inner.ops, before.ops);
            inner = before;
        }
        *ret_end = take(&steps[end], scope, &inner, depth) || *ret_end;
    }
    leave_block(steps[at].reader, way, inner.ops, before.ops);
    return end - at;
}

/* true: no request comes out at the other end. */
static bool walk_lines(struct caddy_reader *reader, const struct caddy_line *lines, const struct caddy_scope *scope,
                       struct caddy_way *way, bool sorted, unsigned depth)
{
    size_t count = 0, at = 0;

    for (const struct caddy_line *line = lines; line; line = line->next)
        count++;
    if (depth > DR_PROXY_DEPTH || reader->steps_left < count) {
        if (lines && !reader->failed)
            caddy_fault(reader, &lines->words[0], true, "too much in one another: this was not followed");
        return false;
    }
    reader->steps_left -= count;
    struct caddy_step *steps = dr_arena_alloc(reader->arena, (count + 1) * sizeof(*steps));

    if (!steps) {
        reader->failed = true;
        return false;
    }
    for (const struct caddy_line *line = lines; line; line = line->next) {
        if (caddy_name(line)[0] == '@' || !take_step(reader, line, scope, depth > 0, &steps[at]))
            continue;
        steps[at].order = place(reader, line);
        if (steps[at].order == SIZE_MAX && sorted) {
            caddy_fault(reader, &line->words[0], true, "%s has no place in the order of directives", caddy_name(line));
            continue;
        }
        steps[at].at = at;
        at++;
    }
    if (sorted && at > 1)
        qsort(steps, at, sizeof(*steps), compare);
    bool ends = false;

    for (size_t i = 0; i < at && !reader->failed;) {
        size_t merged = sorted ? take_merged(steps, at, i, scope, way, depth) : 0;

        if (!merged && sorted && strncmp(caddy_name(steps[i].line), "handle", 6) == 0 && is_grouped(steps, at, &steps[i]))
            merged = take_handles(steps, at, i, scope, way, depth, &ends);
        else if (!merged)
            ends = take(&steps[i], scope, way, depth) || ends;
        i += merged ? merged : 1;
    }
    return ends;
}

void caddy_walk_site(struct caddy_reader *reader, const struct caddy_block *site, const struct caddy_entry *entries)
{
    const struct caddy_scope *scope = caddy_scope(reader, site->lines, NULL);

    for (const struct caddy_line *line = site->lines; line; line = line->next) {
        if (strcmp(caddy_name(line), "tls") == 0 && line->count == 2 && !strchr(line->words[1].text, '@') &&
            strcmp(line->words[1].text, "internal") != 0 && strcmp(line->words[1].text, "force_automate") != 0 /* v2.10.0 */)
            caddy_fault(reader, &line->words[1], true, "tls: \"internal\", an email address or two files were expected");
        if (is_setting(line))
            (void)caddy_check(reader, line, 0, settings, sizeof(settings) / sizeof(settings[0]), "directive");
    }
    for (const struct caddy_entry *entry = entries; entry; entry = entry->next) {
        struct caddy_way way = { .entry = entry, .names = entry->names, .path = "/", .seen = "/" };
        struct caddy_match match = { .all = true };

        if (entry->path[0]) {
            match = (struct caddy_match){ .text = entry->path };
            caddy_match_path(reader->arena, entry->path, &match);
        }
        caddy_way_match(reader->arena, &way, &match);
        struct caddy_way errors = way;

        (void)walk_lines(reader, site->lines, scope, &way, true, 0);
        errors.pattern = "handle_errors";
        for (const struct caddy_line *line = site->lines; line; line = line->next)
            if (strcmp(caddy_name(line), "handle_errors") == 0)
                (void)walk_lines(reader, line->lines, caddy_scope(reader, line->lines, scope), &errors, true, 1);
    }
}
