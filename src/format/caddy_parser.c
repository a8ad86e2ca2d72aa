/*
 * Words -> sites, by the rules of caddyconfig/caddyfile/parse.go (v2.6.2). `import` is carried out here, wherever it begins a line.
 *
 * The words are read through a stack: what an import puts in place is read before the rest of the line that holds it. caddy splices
 * them into one list; `previous` keeps the neighbour that it would see there.
 */
#include "format/caddy_internal.h"

#include <string.h>

struct range {
    const struct caddy_token *tokens;
    size_t count, at;
};

struct parser {
    struct caddy_reader *reader;
    struct range ranges[DR_PROXY_DEPTH];
    size_t depth;
    const struct caddy_token *previous, *current;
    bool again; /* `current` is to be read once more */
    unsigned nesting;
    struct caddy_token *out; /* words of the block at work */
    size_t count, room;
};

static const struct caddy_token *peek(struct parser *parser)
{
    while (parser->depth > 0 && parser->ranges[parser->depth - 1].at >= parser->ranges[parser->depth - 1].count)
        parser->depth--;
    if (parser->depth == 0)
        return NULL;
    struct range *top = &parser->ranges[parser->depth - 1];

    return &top->tokens[top->at];
}

static bool next(struct parser *parser)
{
    if (parser->again) {
        parser->again = false;
        return true;
    }
    const struct caddy_token *token = peek(parser);

    if (!token)
        return false;
    parser->ranges[parser->depth - 1].at++;
    parser->previous = parser->current;
    parser->current = token;
    return true;
}

static bool push(struct parser *parser, const struct caddy_token *tokens, size_t count)
{
    (void)peek(parser);
    if (parser->depth >= DR_PROXY_DEPTH)
        return caddy_stop(parser->reader, parser->current, "more than %d imports in imports", DR_PROXY_DEPTH);
    parser->ranges[parser->depth++] = (struct range){ .tokens = tokens, .count = count };
    return true;
}

static bool is(const struct parser *parser, const char *text)
{
    return strcmp(parser->current->text, text) == 0;
}

static bool begins_line(const struct parser *parser)
{
    return !parser->previous || !caddy_same_line(parser->previous, parser->current);
}

static bool ends_line(struct parser *parser)
{
    const struct caddy_token *following = peek(parser);

    return !following || !caddy_same_line(parser->current, following);
}

static bool keep(struct parser *parser)
{
    struct caddy_token *grown =
        dr_arena_grow(parser->reader->arena, parser->out, parser->count, sizeof(*grown), &parser->room);

    if (!grown) {
        parser->reader->failed = true;
        return false;
    }
    parser->out = grown;
    grown[parser->count++] = *parser->current;
    return true;
}

/* Forgets the words so far: they went into a block. */
static void start_over(struct parser *parser)
{
    parser->out = NULL;
    parser->count = parser->room = 0;
}

/* Words up to the brace that closes the one at `current`. */
static bool take_block(struct parser *parser)
{
    const struct caddy_token *open = parser->current;
    unsigned nesting = 1;

    while (next(parser)) {
        if (is(parser, "}") && --nesting == 0)
            return true;
        if (is(parser, "{"))
            nesting++;
        if (!keep(parser))
            return false;
    }
    return caddy_stop(parser->reader, open, "'}' is missing: this block is never closed");
}

/* At `import`. What comes next is what it puts in place. `may_block`: a brace behind it is its own (v2.9.0, fills {block}), not a site's. */
static bool import(struct parser *parser, bool may_block)
{
    const struct caddy_token *before = parser->previous, *tokens;
    struct parser words = { .reader = parser->reader }, block = { .reader = parser->reader };
    size_t count;

    words.current = parser->current;
    if (!keep(&words))
        return false;
    for (;;) {
        const struct caddy_token *following = peek(parser);

        if (!following || !caddy_same_line(parser->current, following) || strcmp(following->text, "{") == 0)
            break;
        (void)next(parser);
        words.current = parser->current;
        if (!keep(&words))
            return false;
    }
    const struct caddy_token *following = peek(parser);

    if (may_block && following && caddy_same_line(parser->current, following)) {
        struct caddy_token *kept = parser->out;
        size_t kept_count = parser->count, kept_room = parser->room;

        (void)next(parser);
        start_over(parser);
        if (!take_block(parser))
            return false;
        block.out = parser->out;
        block.count = parser->count;
        parser->out = kept;
        parser->count = kept_count;
        parser->room = kept_room;
    }
    if (!caddy_import(parser->reader, words.out, words.count, block.out, block.count, &tokens, &count))
        return false;
    parser->current = before;
    return push(parser, tokens, count);
}

/* The addresses in front of a site. *ret_end: nothing follows them. */
static bool take_keys(struct parser *parser, struct caddy_block *block, bool *ret_end)
{
    struct caddy_reader *reader = parser->reader;
    bool another = false;

    *ret_end = false;
    for (;;) {
        const char *text = parser->current->text;
        size_t length = strlen(text);

        if (strcmp(text, "import") == 0 && begins_line(parser)) {
            if (!import(parser, false))
                return false;
            if (!next(parser)) {
                *ret_end = true;
                break;
            }
            continue;
        }
        if (strcmp(text, "{") == 0) {
            if (another)
                return caddy_stop(reader, parser->current,
                                  "another address was expected instead of '{': is there a comma too much?");
            block->braces = true;
            break;
        }
        if (length > 0 && text[length - 1] == '{')
            return caddy_stop(reader, parser->current, "a blank is missing in front of '{'");
        if (length > 0) {
            another = text[length - 1] == ',';
            if (memchr(text, ',', length - (another ? 1 : 0)))
                return caddy_stop(reader, parser->current, "a blank is missing behind ',' in the address \"%.200s\"", text);
            if (!keep(parser))
                return false;
            if (another)
                parser->out[parser->count - 1].text = dr_arena_strndup(reader->arena, text, length - 1);
        }
        if (!next(parser)) {
            if (another)
                return caddy_stop(reader, parser->current, "the file ends where another address was expected");
            *ret_end = true;
            break;
        }
        if (!another && begins_line(parser))
            break;
    }
    block->keys = parser->out;
    block->key_count = parser->count;
    start_over(parser);
    return true;
}

/* One directive: up to the end of its line, or of the block that it opens. */
static bool take_directive(struct parser *parser)
{
    struct caddy_reader *reader = parser->reader;
    const struct caddy_token *open = parser->current;

    if (!keep(parser))
        return false;
    while (next(parser)) {
        const struct caddy_token *token = parser->current;

        if (is(parser, "{")) {
            if (parser->nesting++ >= DR_PROXY_DEPTH)
                return caddy_stop(reader, token, "more than %d blocks in blocks", DR_PROXY_DEPTH);
            open = token;
            if (!ends_line(parser) && !token->quote)
                return caddy_stop(reader, peek(parser), "nothing may follow '{' on its line");
        } else if (is(parser, "{}") && ends_line(parser) && !token->quote) {
            return caddy_stop(reader, token, "'{}' at the end of a line: a block's braces stand on lines of their own");
        } else if (begins_line(parser) && parser->nesting == 0) {
            parser->again = true;
            return true;
        } else if (is(parser, "}")) {
            if (parser->nesting == 0)
                return caddy_stop(reader, token, "'}' without a '{' that it would close");
            parser->nesting--;
        } else if (is(parser, "import") && begins_line(parser)) {
            if (!import(parser, true))
                return false;
            continue;
        }
        if (!keep(parser))
            return false;
    }
    return parser->nesting == 0 || caddy_stop(reader, open, "'}' is missing: this block is never closed");
}

static bool take_directives(struct parser *parser, const struct caddy_block *block, const struct caddy_token *open)
{
    while (next(parser)) {
        if (is(parser, "}")) /* ends a site without braces, too */
            return true;
        /* Unlike in a directive's block: wherever a directive may begin. */
        if (is(parser, "import")) {
            if (!import(parser, true))
                return false;
            continue;
        }
        if (!take_directive(parser))
            return false;
    }
    /* At the end of the file the last word is looked at once more: a '}' there closes two blocks. */
    return !block->braces || is(parser, "}") ||
           caddy_stop(parser->reader, open, "'}' is missing: this block is never closed");
}

static bool is_snippet(const struct caddy_block *block)
{
    if (block->key_count != 1)
        return false;
    const char *key = block->keys[0].text;

    return key[0] == '(' && key[strlen(key) - 1] == ')' && strlen(key) >= 2;
}

static bool take_snippet(struct parser *parser, const struct caddy_block *block)
{
    struct caddy_reader *reader = parser->reader;
    const struct caddy_token *key = &block->keys[0];
    struct caddy_snippet *snippet = dr_arena_alloc(reader->arena, sizeof(*snippet));
    char *name = dr_arena_strndup(reader->arena, key->text + 1, strlen(key->text) - 2);

    if (!snippet || !name) {
        reader->failed = true;
        return false;
    }
    for (const struct caddy_snippet *known = reader->snippets; known; known = known->next)
        if (strcmp(known->name, name) == 0)
            return caddy_stop(reader, key, "the snippet %.200s is defined twice", name);
    if (!is(parser, "{"))
        return caddy_stop(reader, parser->current, "a snippet needs braces: '{' was expected instead of \"%.200s\"",
                          parser->current->text);
    if (!take_block(parser))
        return false;
    for (size_t i = 0; i < parser->count; i++)
        parser->out[i].snippet = name;
    *snippet =
        (struct caddy_snippet){ .name = name, .tokens = parser->out, .count = parser->count, .next = reader->snippets };
    reader->snippets = snippet;
    start_over(parser);
    return true;
}

/* A site, a snippet, a named route or the global options; `current` is its first word. */
static bool take_one(struct parser *parser)
{
    struct caddy_reader *reader = parser->reader;
    struct caddy_block *block = dr_arena_alloc(reader->arena, sizeof(*block));
    bool end;

    if (!block) {
        reader->failed = true;
        return false;
    }
    if (!take_keys(parser, block, &end))
        return false;
    if (!end && is_snippet(block))
        return take_snippet(parser, block);
    if (!end) {
        const struct caddy_token *open = parser->current;

        if (!block->braces)
            parser->again = true;
        if (!take_directives(parser, block, open))
            return false;
    }
    block->tokens = parser->out;
    block->token_count = parser->count;
    start_over(parser);
    if (block->key_count == 0 && block->token_count == 0)
        return true;
    *reader->last_block = block;
    reader->last_block = &block->next;
    return true;
}

bool caddy_parse(struct caddy_reader *reader, const struct dr_proxy_file *file, const char *asked)
{
    struct parser parser = { .reader = reader };
    const struct caddy_token *tokens;
    size_t count;

    if (!caddy_tokenize(reader, file, asked, &tokens, &count))
        return false;
    parser.ranges[0] = (struct range){ .tokens = tokens, .count = count };
    parser.depth = 1;
    while (next(&parser))
        if (!take_one(&parser))
            return false;
    return true;
}
