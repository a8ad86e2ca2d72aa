/*
 * HAProxy's configuration as lines of words in sections (shared by src/format/haproxy*.c; nobody else includes it).
 *
 * Words are cut as HAProxy's own parse_line does (manual, 2.2 "Quoting and escaping", 2.3 "Environment variables"), lines are chosen as its
 * readcfgfile does (2.1, 2.4 "Conditional blocks"); both compared with haproxy 2.6.12. A line that could not be cut, or that a condition
 * switches off, is not in the tree.
 *
 * Ownership: everything lives in the loader's arena and borrows from the files' bytes.
 */
#ifndef DR_FORMAT_HAPROXY_TREE_H
#define DR_FORMAT_HAPROXY_TREE_H

#include "base/buffer.h"
#include "format/proxy_reader.h"

enum {
    HAPROXY_WORDS = 64, /* of one line: HAProxy refuses more (MAX_LINE_ARGS) */
    HAPROXY_CONDITIONS = 1024, /* .if in .if (MAXNESTEDCONDS) */
    HAPROXY_EXPRESSION_DEPTH = 64,
};

struct haproxy_word {
    const char *text; /* quotes, escapes and variables resolved */
    uint64_t offset; /* where it is spelt in the file */
    uint64_t bytes; /* 0: one of several words that a variable made */
};

enum haproxy_modifier { HAPROXY_PLAIN = 0, HAPROXY_NO, HAPROXY_DEFAULT }; /* "no option x", "default option x" */

struct haproxy_line {
    const struct dr_proxy_file *file;
    unsigned number; /* from 1 */
    uint64_t offset; /* of its first byte */
    uint64_t bytes; /* without its line end (LF; a CR counts) */
    size_t depth; /* of ".if" around it */
    enum haproxy_modifier modifier;
    const struct haproxy_word *words; /* the keyword first, a modifier left out; ends before the first empty word */
    size_t count;
};

enum haproxy_kind {
    HAPROXY_OTHER = 0, /* userlist, peers, resolvers, ...: nothing in it makes a route */
    HAPROXY_GLOBAL,
    HAPROXY_DEFAULTS,
    HAPROXY_FRONTEND,
    HAPROXY_BACKEND,
    HAPROXY_LISTEN,
};

struct haproxy_section {
    enum haproxy_kind kind;
    const char *name; /* "" when it has none */
    size_t index; /* in the tree */
    struct haproxy_line head;
    struct haproxy_line *lines;
    size_t count, room;
    const struct haproxy_section *defaults; /* what its settings start from, or NULL */
};

struct haproxy_variable {
    const char *name;
    const char *value; /* NULL: taken away */
};

struct haproxy_tree {
    struct dr_proxy_gathering *gathering;
    struct haproxy_section **sections;
    size_t count, room;
    struct haproxy_variable *variables; /* set in "global"; the last one of a name counts */
    size_t variable_count, variable_room;
    bool environment_reset; /* "resetenv": what was not kept is gone */
};

/*
 * Reads `path` and then what the loader says in `also` as one configuration, as several `haproxy -f` do: each a file, or a folder whose *.cfg are
 * read in the order of their names. What holds on from file to file is the last "defaults". 0 or -ENOMEM.
 */
int dr_haproxy_read_tree(struct haproxy_tree *tree, const char *path);

/* --- haproxy_line.c ----------------------------------------------------------------------------------------------------- */

/* Word `index` of a line, "" behind the last one. */
const char *dr_haproxy_word(const struct haproxy_line *line, size_t index);
bool dr_haproxy_is(const struct haproxy_line *line, size_t index, const char *word);
struct dr_source dr_haproxy_source(const struct haproxy_line *line, size_t word);
/* Words [from, to) as one text, single blanks between. */
const char *dr_haproxy_join(struct dr_arena *arena, const struct haproxy_line *line, size_t from, size_t to);

/* A fault at a word of a line. */
void dr_haproxy_fault(struct haproxy_tree *tree, const struct haproxy_line *line, size_t word, bool hides_routes,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* --- haproxy_environment.c ---------------------------------------------------------------------------------------------- */

/* The value of an environment variable as the configuration sees it, or NULL. */
const char *dr_haproxy_variable(const struct haproxy_tree *tree, const char *name);
/* setenv, presetenv, unsetenv, resetenv; another line changes nothing. 0 or -ENOMEM. */
int dr_haproxy_take_environment(struct haproxy_tree *tree, const struct haproxy_line *line);

/* --- haproxy_words.c ---------------------------------------------------------------------------------------------------- */

struct haproxy_cutter {
    const struct haproxy_tree *tree;
    const struct dr_proxy_file *file;
    const char *section; /* for "${.SECTION}" */
    struct dr_buffer text; /* of the line at work */
};

/*
 * Cuts bytes [begin, end) of the file. 0; 1: it cannot be cut, `*ret_problem` says why and `*ret_at` where; -ENOMEM.
 * `line->number`, `offset` and `bytes` are the caller's.
 */
int dr_haproxy_cut(struct haproxy_cutter *cutter, size_t begin, size_t end, struct haproxy_line *line,
                   const char **ret_problem, size_t *ret_at);

/* --- haproxy_condition.c ------------------------------------------------------------------------------------------------ */

enum haproxy_truth { HAPROXY_FALSE = 0, HAPROXY_TRUE, HAPROXY_UNKNOWN };

enum haproxy_truth dr_haproxy_not(enum haproxy_truth truth);
enum haproxy_truth dr_haproxy_and(enum haproxy_truth left, enum haproxy_truth right);
enum haproxy_truth dr_haproxy_or(enum haproxy_truth left, enum haproxy_truth right);

/* The expression of .if or .elif. False and `*ret_bad`: it is no expression (the rest that could not be read). */
bool dr_haproxy_condition(const struct haproxy_tree *tree, const char *text, enum haproxy_truth *ret_truth,
                          const char **ret_bad);

/* --- haproxy_keywords.c ------------------------------------------------------------------------------------------------- */

enum { HAPROXY_NO_SECTION = -1 }; /* the word begins no section */
int dr_haproxy_section_kind(const char *word);
/* May a line begin with this word there? Words of later releases than 2.6 count. HAPROXY_OTHER: always. */
bool dr_haproxy_knows(enum haproxy_kind kind, const char *word);
bool dr_haproxy_knows_option(const char *word);
/* How many words follow a parameter of "server" or "bind": -1: it is none that HAProxy knows. */
int dr_haproxy_server_arguments(const char *word);
int dr_haproxy_bind_arguments(const char *word);

#endif
