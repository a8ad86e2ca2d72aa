/*
 * JSON5 read with the place of everything.
 *
 * OpenClaw's configuration is JSON5, written by people. To say "line 8, column 3" and to change one value without
 * touching a comment, the reader keeps for every value where it lies in the bytes. It builds no copies: a node is a
 * span of the source; texts and numbers are decoded when asked for.
 *
 * Accepted: what the JSON5 1.0 specification (spec.json5.org) accepts, read as the `json5` package reads it (that is
 * what OpenClaw uses): comments, single quotes, trailing commas, identifier keys, hexadecimal, signs, Infinity, NaN,
 * leading and trailing decimal points, line continuations, all escapes, a byte order mark. DR_JSON5_STRICT accepts
 * only what JSON.parse accepts, for the files of the device store, and says which extension it met.
 * Stricter than Node on purpose: invalid UTF-8 and NUL bytes are errors with their position (Node would silently
 * put U+FFFD), and nesting deeper than DR_JSON5_DEPTH is an error.
 *
 * Duplicate keys stay in the tree and are listed; dr_json5_member answers the last one, as JavaScript does.
 *
 * Cost: linear in the length, no recursion, 28 bytes per value. Offsets and lengths are bytes; lines and columns
 * count from 1, columns in characters (code points, as in OpenClaw's own messages for everything up to U+FFFF). A
 * line ends with LF, CR LF or CR. A byte order mark has no column.
 *
 * Ownership: `bytes` is borrowed and must outlive the document; nodes and decoded texts live in the arena.
 */
#ifndef DR_FORMAT_JSON5_H
#define DR_FORMAT_JSON5_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DR_JSON5_DEPTH = 200, /* containers inside each other */
    DR_JSON5_DUPLICATES_KEPT = 1000 /* entries of the list; `duplicate_count` counts all */
};

#define DR_JSON5_LENGTH_MAX ((size_t)1 << 30)

enum dr_json5_flags {
    DR_JSON5_LENIENT = 0,
    DR_JSON5_STRICT = 1 << 0, /* only what JSON.parse accepts */
};

enum dr_json5_type {
    DR_JSON5_NULL,
    DR_JSON5_BOOLEAN,
    DR_JSON5_NUMBER,
    DR_JSON5_STRING,
    DR_JSON5_ARRAY,
    DR_JSON5_OBJECT,
};

/* One value. `offset`/`length` is the whole spelling, quotes and brackets included. Read through the functions. */
struct dr_json5_node {
    uint32_t offset;
    uint32_t length;
    uint32_t key_offset; /* the key's spelling, quotes included; length 0 outside of objects */
    uint32_t key_length;
    uint32_t extent; /* this node and everything below it, in nodes */
    uint32_t up; /* how many nodes before this one its container is; 0 for the root */
    uint8_t type; /* enum dr_json5_type */
    uint8_t flags; /* DR_JSON5_NODE_* */
};

enum {
    DR_JSON5_NODE_ESCAPED = 1 << 0, /* the text's spelling has backslashes */
    DR_JSON5_NODE_KEY_ESCAPED = 1 << 1, /* the key's spelling has backslashes */
    DR_JSON5_NODE_SHADOWED = 1 << 2, /* a later member of the same object has the same key */
};

struct dr_json5_position {
    uint32_t line;
    uint32_t column;
};

/* The same key twice in one object. Both are the members' value nodes. */
struct dr_json5_duplicate {
    const struct dr_json5_node *first;
    const struct dr_json5_node *second;
};

struct dr_json5 {
    const char *bytes; /* borrowed */
    size_t length;
    const struct dr_json5_node *root;
    size_t node_count;
    const struct dr_json5_duplicate *duplicates; /* in the order of the second key */
    size_t duplicates_kept;
    size_t duplicate_count;
    const struct dr_json5_mark *marks; /* positions at regular offsets, so that finding a line is not linear */
    size_t mark_count;
    bool has_bom;
};

/* Why a text is no JSON5. `text` is "line:column: reason", `reason` points behind the position. Arena. */
struct dr_json5_error {
    struct dr_json5_position position;
    uint64_t offset;
    const char *text;
    const char *reason;
};

/*
 * 0; -EBADMSG: not JSON5 (or, with DR_JSON5_STRICT, not JSON), `reterr_error` (may be NULL) says where and why;
 * -E2BIG: longer than DR_JSON5_LENGTH_MAX; -ENOMEM. Never quotes more than one character of the source in a reason.
 */
int dr_json5_parse(const char *bytes, size_t length, enum dr_json5_flags flags, struct dr_arena *arena,
                   struct dr_json5 *ret_document, struct dr_json5_error *reterr_error) DR_MUST_CHECK;

/* "object", "array", "string", "number", "boolean", "null". Static. */
const char *dr_json5_type_name(enum dr_json5_type type);

/* Where a byte lies. `offset` may be the length (the end). */
struct dr_json5_position dr_json5_position(const struct dr_json5 *document, uint64_t offset);

/* Walking. NULL at the end. Children come in the order of the file, shadowed members included. */
const struct dr_json5_node *dr_json5_first(const struct dr_json5_node *container);
const struct dr_json5_node *dr_json5_next(const struct dr_json5_node *node);
const struct dr_json5_node *dr_json5_parent(const struct dr_json5_node *node);
size_t dr_json5_count(const struct dr_json5_node *container);

/* The last member with exactly this key; NULL when there is none or `object` is NULL or no object. */
const struct dr_json5_node *dr_json5_member(const struct dr_json5 *document, const struct dr_json5_node *object,
                                            const char *key);
const struct dr_json5_node *dr_json5_element(const struct dr_json5_node *array, size_t index);

/*
 * The value at a path below the root, as OpenClaw's messages spell it: gateway.auth.token, agents.list[0].id,
 * keys with other characters as ["a.b"]. NULL when absent or when the path is misspelt; "" is the root.
 */
const struct dr_json5_node *dr_json5_at(const struct dr_json5 *document, const char *path);

/* One step of such a path: a key, or with `key` NULL an index. */
struct dr_json5_step {
    const char *key;
    size_t index;
};

/*
 * Takes the next step off `*path`. 1: a step; 0: the end; -EINVAL: misspelt. `scratch` has room for the path and its NUL, and
 * holds the key until the next call.
 */
int dr_json5_path_step(const char **path, char *scratch, struct dr_json5_step *ret_step) DR_MUST_CHECK;

/* The path of a node, spelt as above ("" for the root). Arena; NULL without memory. */
const char *dr_json5_path(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena);

/*
 * The decoded text of a string, or of a member's key. UTF-8, NUL-terminated in the arena; `ret_length` (may be NULL)
 * counts NULs that an escape put inside. A surrogate without its partner becomes U+FFFD.
 * -EINVAL: no string / no key; -ENOMEM.
 */
int dr_json5_text(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                  const char **ret_text, size_t *ret_length) DR_MUST_CHECK;
int dr_json5_key(const struct dr_json5 *document, const struct dr_json5_node *node, struct dr_arena *arena,
                 const char **ret_key, size_t *ret_length) DR_MUST_CHECK;

/* Comparing without a copy. False when the node is NULL, no string, has no key. */
bool dr_json5_text_is(const struct dr_json5 *document, const struct dr_json5_node *node, const char *text);
bool dr_json5_key_is(const struct dr_json5 *document, const struct dr_json5_node *node, const char *key);

/* -EINVAL: no number. dr_json5_integer also -ERANGE: not a whole number or beyond 2^53, where JavaScript rounds. */
int dr_json5_number(const struct dr_json5 *document, const struct dr_json5_node *node, double *ret_number) DR_MUST_CHECK;
int dr_json5_integer(const struct dr_json5 *document, const struct dr_json5_node *node, int64_t *ret_integer) DR_MUST_CHECK;

/* -EINVAL: no boolean. */
int dr_json5_boolean(const struct dr_json5 *document, const struct dr_json5_node *node, bool *ret_boolean) DR_MUST_CHECK;

/*
 * For editors: the offset behind white space and comments that begin at `offset` (also trailing commas when `commas`).
 * The document must have been parsed.
 */
size_t dr_json5_skip_blank(const char *bytes, size_t length, size_t offset, bool commas);

#endif
