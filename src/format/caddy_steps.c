/* Directives that change a request on its way: request_header, uri, rewrite. And redir, of which only the code is looked at. */
#include "format/caddy_internal.h"

#include <string.h>

void caddy_step_request_header(struct caddy_step *step, struct caddy_way *way)
{
    struct caddy_reader *reader = step->reader;
    struct caddy_op *op = dr_arena_alloc(reader->arena, sizeof(*op));

    if (!op) {
        reader->failed = true;
        return;
    }
    if (!caddy_read_op(reader, step->line, step->line->words + step->first, step->line->count - step->first, op))
        return;
    size_t length = strlen(op->field);

    if (length > 0 && op->field[length - 1] == ':')
        op->field = dr_arena_strndup(reader->arena, op->field, length - 1);
    if (way->op_count > CADDY_OPS)
        return;
    if (++way->op_count > CADDY_OPS)
        op->field = "{http.unknown}";
    op->match = step->match;
    op->path = way->path;
    op->seen = way->seen;
    op->rewrites = way->rewrites;
    op->reach = dr_arena_alloc(reader->arena, sizeof(*op->reach));
    op->next = way->ops;
    if (!op->field || !op->reach)
        reader->failed = true;
    else
        way->ops = op;
}

static const char *words_from(struct caddy_reader *reader, const struct caddy_line *line, size_t first)
{
    const char *text = "";

    for (size_t i = first; text && i < line->count && i < first + 4; i++)
        text = dr_arena_format(reader->arena, "%s%s%.200s", text, *text ? " " : "", line->words[i].text);
    return text;
}

/* Does the directive meet every request on this way? */
static bool meets_all(const struct caddy_step *step, const struct caddy_way *way)
{
    const struct caddy_match *match = &step->match;

    if (match->all)
        return true;
    for (const struct caddy_matched *passed = way->matched; passed; passed = passed->outer)
        if (passed->rewrites == way->rewrites && strcmp(passed->text, match->text) == 0)
            return true;
    return !match->more && !match->hosts && match->path && strncmp(way->seen, match->path, strlen(match->path)) == 0;
}

void caddy_step_uri(struct caddy_step *step, struct caddy_way *way)
{
    struct caddy_reader *reader = step->reader;
    const struct caddy_line *line = step->line;
    const char *what = line->words[step->first].text, *value = line->words[step->first + 1].text;
    size_t words = line->count - step->first;
    bool strip = strcmp(what, "strip_prefix") == 0;

    if (!strip && strcmp(what, "strip_suffix") != 0 && strcmp(what, "replace") != 0 && strcmp(what, "path_regexp") != 0 &&
        strcmp(what, "query") != 0 /* v2.8.0 */) {
        caddy_fault(reader, &line->words[step->first], true, "uri: \"%.200s\" is nothing that it can do", what);
        return;
    }
    if (((strip || strcmp(what, "strip_suffix") == 0) && words != 2) || (strcmp(what, "path_regexp") == 0 && words != 3) ||
        (strcmp(what, "replace") == 0 && words < 3)) {
        caddy_fault(reader, &line->words[0], true, "uri %s: wrong number of words", what);
        return;
    }
    if (strcmp(what, "query") == 0)
        return;
    /* Met by a part of the requests only: the others, which `path` stands for as well, stay as they are. */
    if (!meets_all(step, way)) {
        if (strip && value[0] == '/' && step->match.path && !step->match.more && !step->match.hosts &&
            strncmp(step->match.path, value, strlen(value)) == 0) {
            way->partly = step->match.path;
            way->partly_stripped = value;
        }
        return;
    }
    if (strip) {
        caddy_way_strip(reader->arena, way, value);
    } else {
        way->rewritten = words_from(reader, line, step->first);
        way->rewrites++;
    }
}

void caddy_step_rewrite(struct caddy_step *step, struct caddy_way *way)
{
    if (meets_all(step, way))
        caddy_way_rewrite(step->reader->arena, way, step->line->words[step->first].text);
}

void caddy_step_redir(struct caddy_step *step)
{
    const struct caddy_line *line = step->line;
    const char *code = line->count > step->first + 1 ? line->words[step->first + 1].text : "temporary";
    int64_t number = 0;

    if (strcmp(code, "permanent") == 0 || strcmp(code, "temporary") == 0 || strcmp(code, "html") == 0 || code[0] == '{' ||
        code[0] == '\0')
        return;
    if (!caddy_integer(code, &number) || number < 300 || (number > 399 && number != 401))
        caddy_fault(step->reader, &line->words[step->first + 1], true, "redir: \"%.200s\" is no code of a redirection",
                    code);
}
