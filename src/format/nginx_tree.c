#include "format/nginx_tree.h"

#include "base/text.h"

#include <string.h>

/* Snippets are included again and again: not files, but how often one is read. */
enum { MOST_READINGS = 10000 };

struct builder {
    struct dr_proxy_gathering *gathering;
    struct dr_arena *arena;
    char *folder; /* of the main file: what relative includes start from */
    size_t directives, words;
    size_t readings; /* of files, the same one again counted */
    bool over; /* a limit was reached, or memory ran out: nothing more is read */
    bool no_memory;
};

/* One file at work; the chain is the include stack. */
struct reading {
    const struct reading *below;
    const struct dr_proxy_file *file;
    const struct dr_nginx_directive *include;
    struct dr_nginx_directive *at; /* the innermost open block */
    const struct dr_nginx_directive *base; /* the block that the file's directives go to */
    size_t depth;
    struct dr_nginx_lexer lexer;
};

bool dr_nginx_is(const struct dr_nginx_directive *directive, const char *name)
{
    return directive->word_count > 0 && strcmp(directive->words[0].text, name) == 0;
}

const char *dr_nginx_word(const struct dr_nginx_directive *directive, size_t index)
{
    return index < directive->word_count ? directive->words[index].text : "";
}

struct dr_source dr_nginx_source(const struct dr_nginx_directive *directive)
{
    if (!directive || !directive->file)
        return (struct dr_source){ 0 };
    return (struct dr_source){
        .path = directive->file->path,
        .line = directive->line,
        .column = (unsigned)(directive->offset - directive->line_begin + 1),
    };
}

const struct dr_nginx_directive *dr_nginx_in_text(const struct dr_nginx_directive *block,
                                                  const struct dr_nginx_directive *directive)
{
    while (directive->include != block->include)
        directive = directive->include;
    return directive;
}

static void fault_here(struct builder *builder, const struct reading *reading, const char *text)
{
    const struct dr_nginx_lexer *lexer = &reading->lexer;
    const struct dr_source source = {
        .path = reading->file->path,
        .line = lexer->line,
        .column = (unsigned)(lexer->at - lexer->line_begin + 1),
    };

    dr_proxy_fault(builder->gathering, &source, true, "%s", text);
}

static bool out_of_memory(struct builder *builder)
{
    builder->over = builder->no_memory = true;
    return false;
}

static struct dr_nginx_directive *add_directive(struct builder *builder, struct reading *reading, bool is_block)
{
    const struct dr_nginx_lexer *lexer = &reading->lexer;
    struct dr_nginx_directive *block = reading->at;
    struct dr_nginx_word *words = dr_arena_alloc(builder->arena, lexer->word_count * sizeof(*words));
    struct dr_nginx_directive *made = dr_arena_alloc(builder->arena, sizeof(*made));
    const struct dr_nginx_directive **grown =
        dr_arena_grow(builder->arena, block->children, block->child_count, sizeof(*grown), &block->child_room);

    if (!words || !made || !grown) {
        (void)out_of_memory(builder);
        return NULL;
    }
    memcpy(words, lexer->words, lexer->word_count * sizeof(*words));
    *made = (struct dr_nginx_directive){
        .file = reading->file,
        .parent = block,
        .include = reading->include,
        .words = words,
        .word_count = lexer->word_count,
        .offset = lexer->offset,
        .end = lexer->at,
        .line_begin = lexer->offset_line_begin,
        .line = lexer->offset_line,
        .is_block = is_block,
        .open = is_block ? lexer->at - 1 : 0,
    };
    block->children = grown;
    grown[block->child_count++] = made;
    builder->directives++;
    builder->words += lexer->word_count;
    return made;
}

static void read_file(struct builder *builder, const char *path, const struct reading *below,
                      struct dr_nginx_directive *block, const struct dr_nginx_directive *include);

static bool is_open(const struct reading *reading, const struct dr_proxy_file *file)
{
    for (; reading; reading = reading->below)
        if (reading->file == file)
            return true;
    return false;
}

static void include_pattern(struct builder *builder, struct reading *reading, const struct dr_nginx_directive *include,
                            const char *pattern)
{
    const struct dr_proxy_loader *loader = builder->gathering->loader;
    const char *const *paths = NULL;
    int r = loader->expand(loader->user, pattern, &paths);

    if (r < 0) {
        const struct dr_source source = dr_nginx_source(include);

        dr_proxy_fault(builder->gathering, &source, true, "the files of %s could not be listed", pattern);
        return;
    }
    for (; paths && *paths && !builder->over; paths++)
        read_file(builder, *paths, reading, reading->at, include);
}

static bool take_include(struct builder *builder, struct reading *reading, const struct dr_nginx_directive *include)
{
    const char *name = include->words[1].text;
    const char *path = name[0] == '/' ? name : dr_arena_format(builder->arena, "%s%s", builder->folder, name);

    if (!path)
        return out_of_memory(builder);
    if (strpbrk(path, "*?["))
        include_pattern(builder, reading, include, path);
    else
        read_file(builder, path, reading, reading->at, include);
    return true;
}

static bool take_block(struct builder *builder, struct reading *reading)
{
    struct dr_nginx_directive *block;

    if (reading->depth == DR_PROXY_DEPTH) {
        fault_here(builder, reading, "blocks in blocks are too deep here; the rest of the file was not read");
        return false;
    }
    block = add_directive(builder, reading, true);
    if (!block)
        return false;
    if (!dr_text_ends_with(block->words[0].text, "_by_lua_block")) {
        reading->at = block;
        reading->depth++;
        return true;
    }
    if (!dr_nginx_skip_lua(&reading->lexer)) {
        fault_here(builder, reading, "the end of a Lua block is missing");
        return false;
    }
    block->close = reading->lexer.at - 1;
    block->end = reading->lexer.at;
    return true;
}

static bool take_close(struct builder *builder, struct reading *reading)
{
    if (reading->at == reading->base) {
        fault_here(builder, reading, "unexpected '}': no block is open here");
        return false;
    }
    struct dr_nginx_directive *closed = reading->at;

    closed->close = reading->lexer.at - 1;
    closed->end = reading->lexer.at;
    reading->at = closed->parent;
    reading->depth--;
    return true;
}

static bool take_end(struct builder *builder, struct reading *reading)
{
    if (reading->at != reading->base) {
        const char *text =
            dr_arena_format(builder->arena, "'}' is missing: the block \"%s\" opened at line %u is never closed",
                            dr_nginx_word(reading->at, 0), reading->at->line);

        fault_here(builder, reading, text ? text : "'}' is missing");
    }
    return false;
}

static bool take_statement(struct builder *builder, struct reading *reading)
{
    const struct dr_nginx_directive *directive = add_directive(builder, reading, false);

    if (!directive)
        return false;
    return directive->word_count != 2 || !dr_nginx_is(directive, "include") || take_include(builder, reading, directive);
}

static bool take_directive(struct builder *builder, struct reading *reading, bool is_block)
{
    const char *wrong = dr_nginx_what_is_wrong(&reading->lexer, reading->at, is_block);

    if (wrong) {
        fault_here(builder, reading, wrong);
        return false;
    }
    return is_block ? take_block(builder, reading) : take_statement(builder, reading);
}

/* true: there is more. */
static bool take_token(struct builder *builder, struct reading *reading)
{
    switch (dr_nginx_next(&reading->lexer)) {
    case DR_NGINX_END:
        return take_end(builder, reading);
    case DR_NGINX_BAD:
        fault_here(builder, reading, reading->lexer.error);
        return false;
    case DR_NGINX_NO_MEMORY:
        return out_of_memory(builder);
    case DR_NGINX_CLOSE:
        return take_close(builder, reading);
    case DR_NGINX_BLOCK:
        return take_directive(builder, reading, true);
    case DR_NGINX_STATEMENT:
        return take_directive(builder, reading, false);
    }
    return false;
}

static void read_tokens(struct builder *builder, struct reading *reading)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (dr_text_starts_with(reading->file->bytes, mark)) {
        fault_here(builder, reading, "the file begins with a byte order mark, which nginx takes for part of the first word");
        reading->lexer.at = sizeof(mark) - 1;
    }
    while (!builder->over && take_token(builder, reading)) {
        if (builder->directives < DR_NGINX_DIRECTIVES && builder->words < DR_NGINX_WORDS)
            continue;
        fault_here(builder, reading, "more than 100000 directives or 1000000 words; what follows was not read");
        builder->over = true;
    }
}

static void read_file(struct builder *builder, const char *path, const struct reading *below,
                      struct dr_nginx_directive *block, const struct dr_nginx_directive *include)
{
    const struct dr_source from = dr_nginx_source(include);
    const struct dr_proxy_file *file;
    size_t depth = below ? below->depth + 1 : 0;

    if (depth >= DR_PROXY_DEPTH || ++builder->readings > MOST_READINGS) {
        dr_proxy_fault(builder->gathering, &from, true, "%s was not read: too many includes", path);
        builder->over = builder->readings > MOST_READINGS;
        return;
    }
    file = dr_proxy_load(builder->gathering, path, include ? &from : NULL);
    if (!file)
        return;
    if (is_open(below, file)) {
        dr_proxy_fault(builder->gathering, &from, true, "%s is included while it is being read: a loop without end", path);
        return;
    }
    struct reading reading = {
        .below = below,
        .file = file,
        .include = include,
        .at = block,
        .base = block,
        .depth = depth,
        .lexer = { .file = file, .arena = builder->arena, .line = 1 },
    };

    read_tokens(builder, &reading);
    dr_nginx_lexer_release(&reading.lexer);
}

const struct dr_nginx_directive *dr_nginx_read_tree(struct dr_proxy_gathering *gathering, const char *path)
{
    struct dr_arena *arena = gathering->loader->arena;
    const char *slash = strrchr(path, '/');
    struct builder builder = {
        .gathering = gathering,
        .arena = arena,
        .folder = dr_arena_strndup(arena, path, slash ? (size_t)(slash + 1 - path) : 0),
    };
    struct dr_nginx_directive *root = dr_arena_alloc(arena, sizeof(*root));

    if (!builder.folder || !root)
        return NULL;
    root->is_block = true;
    read_file(&builder, path, NULL, root, NULL);
    return builder.no_memory ? NULL : root;
}
