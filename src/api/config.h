/*
 * OpenClaw's configuration: what it says after `$include` and `${VAR}`, and where each value stands.
 *
 * Rules (facts/openclaw-2026.2.md §10): JSON5; `$include` (a path or a list of paths) in any object, at most 10 deep, inside the
 * configuration's folder; included objects are merged, lists concatenate, keys beside the `$include` win; then `${NAME}` in texts
 * (not in keys) is replaced from the environment, the state directory's .env, and the top-level `env` / `env.vars`, in this order;
 * `$${NAME}` is a literal `${NAME}`. Of duplicate keys the last one counts.
 *
 * fact: DR_KNOWN; DR_ABSENT: no file; DR_UNKNOWN: could not be read, parsed or resolved, `reason` such as
 * "openclaw.json:8:3: the file ends inside an object (opened at 1:1)", and source has file, line and column. A `${NAME}` that is
 * not set does not make the fact unknown: it is listed in `missing`, and only the value itself cannot be told.
 *
 * Ownership: everything lives in the run's arena. Values are secrets as often as not: never put their text into a message.
 */
#ifndef DR_API_CONFIG_H
#define DR_API_CONFIG_H

#include "api/fact.h"
#include "api/file_state.h"

enum dr_value_type {
    DR_VALUE_NULL = 0,
    DR_VALUE_BOOLEAN,
    DR_VALUE_NUMBER,
    DR_VALUE_STRING,
    DR_VALUE_ARRAY,
    DR_VALUE_OBJECT,
};

/* One file that was read: the configuration itself comes first, then what it includes. */
struct dr_config_file {
    const char *path;
    struct dr_file_identity identity;
    const char *sha256;
    const char *bytes;
    size_t length;
    bool has_bom;
};

/* The same key twice in one object. The second one counts. */
struct dr_config_duplicate {
    struct dr_source first; /* of the key */
    struct dr_source second;
};

/* A `${NAME}` that is set nowhere. OpenClaw refuses to start with it. */
struct dr_config_missing {
    const char *name;
    struct dr_source source;
};

struct dr_config {
    struct dr_fact fact;
    const char *path;
    const struct dr_config_file *const *files;
    size_t file_count;
    const struct dr_config_duplicate *duplicates; /* at most 1000 of a file are kept */
    size_t duplicate_count;
    const struct dr_config_missing *missing;
    size_t missing_count;
    const struct dr_config_state *details; /* of src/facts/config.c */
};

struct dr_config_value {
    enum dr_value_type type;
    const char *key; /* NULL in lists and for the root */
    const char *text; /* strings: decoded and resolved; numbers: as spelt; others NULL */
    size_t text_length;
    double number;
    bool truth;
    const char *from_env; /* the (first) NAME of a ${NAME} in it, or NULL */
    bool missing_env; /* that NAME, or a later one, is not set: `text` is NULL */
    const struct dr_config_file *file; /* where it is spelt: may be an included file */
    struct dr_source source; /* pointer is the path in the whole configuration */
    uint64_t offset; /* the spelling in the file, with quotes or brackets */
    uint64_t length;
    uint64_t inner_offset; /* strings: the bytes between the quotes when they are the text, byte for byte ... */
    uint64_t inner_length; /* ... else 0 (escapes, ${}, empty) */
    const void *node; /* these three: for dr_config_first and dr_config_next */
    const void *merged;
    const void *slot;
};

const struct dr_config *dr_config(struct dr_context *context);

/*
 * The value at a path such as gateway.auth.token, agents.list[0].id, channels["a.b"].
 * 1: found; 0: the configuration is known and does not say it (also when the fact is DR_ABSENT); -ENODATA: there, but its
 * ${NAME} is not set (ret_value is filled, text is NULL); -EIO: the configuration is unknown (see config->fact.reason).
 */
int dr_config_lookup(const struct dr_config *config, const char *path, struct dr_config_value *ret_value);

/* The truth at a path; `otherwise` where none is said, or something else. */
bool dr_config_flag(const struct dr_config *config, const char *path, bool otherwise);

/* Children of an array or object, in order, without those that a later duplicate hides. True when there was one. */
bool dr_config_first(const struct dr_config *config, const struct dr_config_value *container,
                     struct dr_config_value *ret_child);
bool dr_config_next(const struct dr_config *config, const struct dr_config_value *child, struct dr_config_value *ret_next);

/*
 * The edit that takes elements out of one array, with their commas; comments and everything else stay. `values` are children of the
 * array in file order, `text` of the edit lives in the run's memory. -ENOTSUP: they do not stand in one array of one file.
 */
struct dr_edit;
int dr_config_remove(struct dr_context *context, const struct dr_config_value *values, size_t count,
                     struct dr_edit *ret_edit);

/*
 * Edits that put something into the configuration; everything else stays byte for byte, comments included, and what is added has the style of
 * its neighbours. At most four edits, sorted, all in one file: the one where the value stands, else where its object stands.
 *   dr_config_put     the value at `path` (see dr_config_lookup) becomes `spelling` (JSON; no secret); objects that miss above it are added
 *   dr_config_append  `text` becomes the last element of the array at `path`, which is made when there is none; _all: `count` texts
 *   dr_config_replace_text  the text of `value` (found by lookup or walking) becomes `text`
 * Where several files make a list or an object, it is the last one that is edited: it wins. -ENOTSUP: a step on the way is no object, the value
 * comes from several files or from a ${NAME}; -EINVAL: `spelling` is no value, or `text` has a ${; -EIO: the configuration is unknown or absent.
 */
struct dr_config_edits {
    const struct dr_config_file *file;
    struct dr_edit *list;
    size_t count;
};

int dr_config_put(struct dr_context *context, const char *path, const char *spelling, struct dr_config_edits *ret_edits);
int dr_config_append(struct dr_context *context, const char *path, const char *text, struct dr_config_edits *ret_edits);
int dr_config_append_all(struct dr_context *context, const char *path, const char *const *texts, size_t count,
                         struct dr_config_edits *ret_edits);
int dr_config_replace_text(struct dr_context *context, const struct dr_config_value *value, const char *text,
                           struct dr_config_edits *ret_edits);

#endif
