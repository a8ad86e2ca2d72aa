/*
 * Shared by the files of the configuration fact; nobody else includes it.
 */
#ifndef DR_FACTS_CONFIG_INTERNAL_H
#define DR_FACTS_CONFIG_INTERNAL_H

#include "api/operation.h"
#include "facts/config.h"

/* A file that was read. */
struct dr_config_doc {
    struct dr_config_file file;
    struct dr_json5 json;
    bool *has_include; /* per node: an $include stands in it or below it; NULL when there is none in the file */
};

/*
 * A value of the whole configuration. Where no $include is in play it is just a node of a file; else `merged` holds its
 * children, and doc/node is the last place that contributed.
 */
struct dr_config_cell {
    const struct dr_config_doc *doc;
    const struct dr_json5_node *node;
    const struct dr_config_merged *merged;
};

struct dr_config_slot {
    const char *key; /* NULL in arrays */
    struct dr_config_cell cell;
    struct dr_config_slot *next;
};

struct dr_config_merged {
    enum dr_value_type type; /* array or object */
    struct dr_config_slot *first;
    struct dr_config_slot *last;
    size_t count;
};

/* A variable that the configuration itself sets: env.NAME or env.vars.NAME. */
struct dr_config_default {
    const char *name;
    const char *value;
    struct dr_config_default *next;
};

/* One load; afterwards what lookups need. */
struct dr_config_state {
    int root_fd;
    int folder_fd; /* while loading */
    const char *path;
    const char *folder; /* of the configuration: includes stay inside */
    struct dr_config_environment environment;
    struct dr_arena *arena;
    struct dr_config_doc *docs[DR_CONFIG_FILES];
    size_t doc_count;
    size_t bytes;
    size_t includes;
    size_t slots;
    struct dr_config_cell root;
    struct dr_config_default *defaults;
    struct dr_fact *fact; /* where a failure is explained, while loading */
};

/* config_file.c. Both fill state->fact on failure and answer -EBADMSG (or -ENOMEM). */
int dr_config_fail(struct dr_config_state *state, const struct dr_config_doc *doc, const struct dr_json5_node *node,
                   const char *format, ...) DR_PRINTF(4, 5);
int dr_config_read(struct dr_config_state *state, const char *path, const struct dr_config_doc *from,
                   const struct dr_json5_node *include, struct dr_config_doc **ret_doc) DR_MUST_CHECK;

/* The path as messages show it: relative to the configuration's folder. Borrowed from `path`. */
const char *dr_config_short_path(const struct dr_config_state *state, const char *path);

/* config_include.c: sets state->root from the first document. */
int dr_config_resolve_includes(struct dr_config_state *state) DR_MUST_CHECK;

/* config_env.c */
int dr_config_collect_defaults(struct dr_config_state *state) DR_MUST_CHECK;
int dr_config_find_missing(struct dr_config_state *state, struct dr_config *config) DR_MUST_CHECK;

/*
 * Replaces ${NAME} in `raw`. 0; -ENODATA: *ret_missing is not set; -ENOMEM. *ret_first is the first NAME, NULL when there is none
 * (then *ret_text is `raw`, or `raw` without its $$ escapes).
 */
int dr_config_substitute(const struct dr_config_state *state, const char *raw, size_t length, const char **ret_text,
                         size_t *ret_length, const char **ret_first, const char **ret_missing) DR_MUST_CHECK;

/* config_value.c */
enum dr_value_type dr_config_cell_type(struct dr_config_cell cell);
struct dr_config_cell dr_config_cell_member(struct dr_config_cell cell, const char *key); /* node NULL: none */
const char *dr_config_pointer_join(struct dr_arena *arena, const char *pointer, const char *step);

/* config_remove.c: one edit, from the first byte that differs to the last. `after` has to live as long as the edit. */
struct dr_edit dr_config_difference(const char *before, size_t before_length, const char *after, size_t after_length);

/* The steps from `top` down to `node`, both of one document, spelt as a path. */
const char *dr_config_pointer_below(const struct dr_config_state *state, const struct dr_config_doc *doc,
                                    const struct dr_json5_node *top, const struct dr_json5_node *node);

#endif
