/*
 * nginx configuration: words, directives and blocks, each with its place, over all files that it includes.
 *
 * The grammar is that of nginx's own ngx_conf_read_token (1.22): a word may be quoted only as a whole; \" \' \\ \t \r \n are the
 * escapes, any other backslash stays and protects the byte behind it; `${` opens no block; `#` opens a comment only where a word
 * could begin; a word and a comment have an end within 4096 bytes. Blocks named *_by_lua_block hold Lua and are skipped by Lua's rules.
 * As in nginx nothing behind the first syntax error of a file is read; here that is one fault, and the other files go on.
 *
 * `include` is relative to the folder of the main file. What it brings stands in the list of the block around it, behind the include directive
 * itself, and knows that directive (`include`). Ownership: all in the loader's arena.
 */
#ifndef DR_FORMAT_NGINX_TREE_H
#define DR_FORMAT_NGINX_TREE_H

#include "format/proxy_reader.h"

enum {
    DR_NGINX_DIRECTIVES = 100000,
    DR_NGINX_WORDS = 1000000, /* of all directives; of one: a hundredth */
    DR_NGINX_LONGEST = 4096,
};

struct dr_nginx_word {
    const char *text; /* decoded, NUL-terminated */
    size_t offset; /* in the file, with its quotes */
    size_t bytes;
};

struct dr_nginx_directive {
    const struct dr_proxy_file *file; /* NULL for the root */
    struct dr_nginx_directive *parent; /* the block around it; NULL for the root */
    const struct dr_nginx_directive *include; /* what brought its file, NULL in the main file */
    const struct dr_nginx_word *words; /* the name first */
    size_t word_count;
    size_t offset; /* of the name */
    size_t end; /* behind its ';' or '}' */
    size_t line_begin;
    unsigned line;
    bool is_block;
    size_t open; /* of '{' */
    size_t close; /* of '}'; 0 when it is missing */
    const struct dr_nginx_directive **children;
    size_t child_count, child_room;
};

enum dr_nginx_token {
    DR_NGINX_END,
    DR_NGINX_STATEMENT, /* words and ';' */
    DR_NGINX_BLOCK, /* words and '{' */
    DR_NGINX_CLOSE, /* '}' */
    DR_NGINX_BAD, /* see `error` */
    DR_NGINX_NO_MEMORY,
};

/* Zero it, then set file and arena, line 1. */
struct dr_nginx_lexer {
    const struct dr_proxy_file *file;
    struct dr_arena *arena;
    size_t at;
    unsigned line;
    size_t line_begin;
    struct dr_nginx_word *words; /* of the last token; the array is used again, see dr_nginx_lexer_release */
    size_t word_count, word_room;
    size_t offset; /* where the last token began */
    size_t offset_line_begin;
    unsigned offset_line;
    const char *error;
};

enum dr_nginx_token dr_nginx_next(struct dr_nginx_lexer *lexer);

/* Behind the '{' of a Lua block: goes behind its '}'. false: it has none. */
bool dr_nginx_skip_lua(struct dr_nginx_lexer *lexer);

/* What is wrong about the directive just read, in the block around it; NULL: nothing that is known (nginx_known.c). */
const char *dr_nginx_what_is_wrong(const struct dr_nginx_lexer *lexer, const struct dr_nginx_directive *parent,
                                   bool is_block);

void dr_nginx_lexer_release(struct dr_nginx_lexer *lexer);
#define _cleanup_nginx_lexer_ _cleanup_(dr_nginx_lexer_release)

/* Reads `path` and all that it includes. NULL without memory; faults stand in `gathering`. */
const struct dr_nginx_directive *dr_nginx_read_tree(struct dr_proxy_gathering *gathering, const char *path);

bool dr_nginx_is(const struct dr_nginx_directive *directive, const char *name);

/* The word at `index`, "" when there are not so many. */
const char *dr_nginx_word(const struct dr_nginx_directive *directive, size_t index);

/* Where a directive stands; everything zero for NULL. */
struct dr_source dr_nginx_source(const struct dr_nginx_directive *directive);

/*
 * What stands for `directive` in the text of the block `block` around it: itself, or the include directive in that text through which it came.
 */
const struct dr_nginx_directive *dr_nginx_in_text(const struct dr_nginx_directive *block,
                                                  const struct dr_nginx_directive *directive);

#endif
