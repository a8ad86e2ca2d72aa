/*
 * The state of one reading: the parser (json5.c), its scanners (json5_scan.c) and its errors (json5_error.c).
 */
#ifndef DR_FORMAT_JSON5_PARSER_H
#define DR_FORMAT_JSON5_PARSER_H

#include "format/json5_internal.h"

struct dr_json5_container {
    uint32_t node; /* its index */
    uint32_t offset; /* of its bracket */
    char close;
};

struct dr_json5_parser {
    const char *bytes;
    size_t length;
    size_t at;
    bool strict;
    bool has_bom;

    /* NULL while values are only counted. */
    struct dr_json5_node *nodes;
    size_t count;
    struct dr_json5_container stack[DR_JSON5_DEPTH];
    size_t depth;
    bool after_comma;

    /* The key in front of the value that comes next. */
    size_t key_offset;
    size_t key_length;
    bool key_escaped;

    struct dr_json5_duplicates duplicates;

    struct dr_arena *arena;
    struct dr_json5_error *error; /* may be NULL */
};

/* json5_error.c: each returns -EBADMSG (or -ENOMEM) and fills parser->error. */
int dr_json5_fail(const struct dr_json5_parser *parser, size_t offset, const char *format, ...) DR_PRINTF(3, 4);
int dr_json5_fail_found(const struct dr_json5_parser *parser, const char *expected);
int dr_json5_fail_extension(const struct dr_json5_parser *parser, size_t offset, const char *what);
int dr_json5_fail_end_inside(const struct dr_json5_parser *parser, const char *what, size_t opened);
struct dr_json5_position dr_json5_position_of(const struct dr_json5_parser *parser, size_t offset);

struct dr_json5_description {
    char text[48];
};
struct dr_json5_description dr_json5_found(const struct dr_json5_parser *parser, size_t offset);

/* json5_scan.c: each begins at parser->at and leaves it behind what it read. 0 or what dr_json5_fail returned. */
int dr_json5_scan_blank(struct dr_json5_parser *parser);
int dr_json5_scan_text(struct dr_json5_parser *parser, bool *ret_escaped);
int dr_json5_scan_number(struct dr_json5_parser *parser);
int dr_json5_scan_key(struct dr_json5_parser *parser);
bool dr_json5_skip_word(struct dr_json5_parser *parser, const char *word);

/* The byte `ahead` of the place, NUL behind the end. */
char dr_json5_peek(const struct dr_json5_parser *parser, size_t ahead);
bool dr_json5_is_digit(char c);
bool dr_json5_is_ascii_letter(char c);

#endif
