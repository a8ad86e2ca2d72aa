/*
 * What the parts of the Caddyfile reader share. Only for src/format/caddy*.c.
 *
 * The way of a Caddyfile, as caddy's own adapter goes it (caddyconfig/caddyfile and caddyconfig/httpcaddyfile of v2.6.2, which Debian 12 ships;
 * later releases are named where they differ):
 *
 *   caddy_env.c       {$NAME:default} is replaced in the bytes, before anything else is understood
 *   caddy_lexer.c     bytes -> words, each with its place in the file
 *   caddy_parser.c    words -> sites: import (caddy_import.c) puts other words in place, snippets are kept
 *   caddy_tree.c      the words of a site -> lines with blocks
 *   caddy_options.c   the block without an address
 *   caddy_address.c   site addresses, upstream addresses
 *   caddy_site.c      which addresses a site listens on, TLS or not
 *   caddy_match.c     @name, /path, *
 *   caddy_way.c       what a request must look like to come this way, and the routes at its end
 *   caddy_walk.c      directives in caddy's order -> reverse_proxy with what happens before it
 *   caddy_steps.c     directives that change a request
 *   caddy_proxy.c     reverse_proxy's block
 *   caddy_op.c        one header operation
 *   caddy_fate.c      header operations -> what arrives
 *   caddy_edit.c      lines taken out of and put into a file
 *   caddy_mend.c      edits
 *   caddy_json.c      the same from a JSON configuration (caddy_json_node.c: its values, caddy_json_proxy.c: reverse_proxy)
 *
 * Everything lives in the loader's arena. A function that returns NULL or false without saying more has run out of memory or has
 * written a fault.
 */
#ifndef DR_FORMAT_CADDY_INTERNAL_H
#define DR_FORMAT_CADDY_INTERNAL_H

#include "format/proxy_reader.h"

enum {
    CADDY_TOKENS = 100000, /* words of one configuration, those put in place by import counted again */
    CADDY_PORT_RANGE = 1000, /* ports of one upstream written as a range */
};

/* --- words --------------------------------------------------------------------------------------------------------------- */

struct caddy_place {
    const struct dr_proxy_file *file;
    uint64_t offset, length; /* as it is spelt, with quotes */
    uint64_t text_offset; /* of the text itself; only when `verbatim` */
    bool verbatim; /* the file holds the text byte for byte: it can be replaced */
    unsigned line, column;
};

struct caddy_token {
    const char *text;
    const struct dr_proxy_file *file; /* whose lines `line` counts */
    const char *asked; /* its path as it was asked for: what relative imports start from, links unresolved */
    unsigned line; /* as caddy counts: after replacement of {$...}, a continued line counts as one */
    unsigned breaks; /* line ends inside of the text */
    char quote; /* '"', '`', '<' (heredoc), 0 */
    const char *snippet; /* the snippet that it was written in, or NULL */
    bool imported; /* came here through an import */
    struct caddy_place place; /* of the text: when it is an argument of an import, where that is written */
    uint64_t offset, end; /* where the word itself stands, in `file` */
};

/* Bytes after {$...} was replaced, and where they come from. */
struct caddy_piece {
    size_t at; /* first byte in the text */
    size_t source; /* its offset in the file */
    bool literal; /* the bytes stand in the file */
};

struct caddy_text {
    const char *bytes;
    size_t length;
    const struct caddy_piece *pieces; /* sorted, the first at 0 */
    size_t piece_count;
};

struct caddy_line; /* a line of a block, see below */

struct caddy_snippet {
    const char *name;
    const struct caddy_token *tokens;
    size_t count;
    const struct caddy_snippet *next;
};

struct caddy_edge {
    const char *from, *to;
    struct caddy_edge *next;
};

/* A site, a named route or the global options, as the parser finds them. */
struct caddy_block {
    const struct caddy_token *keys;
    size_t key_count;
    bool braces;
    const struct caddy_token *tokens; /* between the braces, imports put in place */
    size_t token_count;
    const struct caddy_line *lines;
    struct caddy_block *next;
};

/* A line of a block: words, and maybe a block behind them. */
struct caddy_line {
    const struct caddy_token *words; /* the first is the directive's name */
    size_t count;
    const struct caddy_token *open, *close; /* '{' and '}'; NULL without a block */
    const struct caddy_line *lines; /* of its block */
    const struct caddy_line *next;
};

/* --- the reader ------------------------------------------------------------------------------------------------------------- */

struct caddy_options {
    unsigned http_port, https_port;
    enum { CADDY_AUTO_ON = 0, CADDY_AUTO_OFF, CADDY_AUTO_OTHER } auto_https;
    const char *const *default_bind; /* NULL-ended, or NULL */
    bool default_sni;
    bool trusts; /* JSON: trusted_proxies of the server at work */
    const struct caddy_line *lines; /* all of the global options */
    const char **order; /* names of directives */
    size_t order_count;
};

struct caddy_reader {
    const struct dr_proxy_loader *loader;
    struct dr_arena *arena;
    struct dr_proxy_gathering gathering;
    const struct caddy_snippet *snippets;
    struct caddy_edge *edges;
    size_t tokens_made;
    bool stopped; /* a fault that caddy itself stops at while it parses */
    bool failed; /* out of memory */
    struct caddy_block *blocks, **last_block;
    struct caddy_options options;
    const char *admin; /* as dr_proxy_config.admin */
    size_t steps_left; /* directives still to be walked through; bounds named routes in named routes */
};

void caddy_fault(struct caddy_reader *reader, const struct caddy_token *token, bool hides, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* As caddy_fault, hiding, and nothing that follows is parsed any more: caddy stops here, too. Returns false. */
bool caddy_stop(struct caddy_reader *reader, const struct caddy_token *token, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct dr_source caddy_source(const struct caddy_token *token);

/* false: out of memory, or too large. */
bool caddy_replace_env(struct caddy_reader *reader, const struct dr_proxy_file *file, struct caddy_text *ret_text);
bool caddy_tokenize(struct caddy_reader *reader, const struct dr_proxy_file *file, const char *asked,
                    const struct caddy_token **ret_tokens, size_t *ret_count);

bool caddy_parse(struct caddy_reader *reader, const struct dr_proxy_file *file, const char *asked);

/* The tokens that take the place of `import`. `words`: import and its arguments. false: stopped. `from`: the node of the import graph. */
bool caddy_import(struct caddy_reader *reader, const struct caddy_token *words, size_t count,
                  const struct caddy_token *block, size_t block_count, const struct caddy_token **ret_tokens,
                  size_t *ret_count);

/* Do two tokens that follow each other stand on one line? */
static inline bool caddy_same_line(const struct caddy_token *a, const struct caddy_token *b)
{
    return a->file == b->file && a->line + a->breaks == b->line;
}

/* Lines of `count` tokens; NULL with *ret_ok false when a fault was written. */
const struct caddy_line *caddy_lines(struct caddy_reader *reader, const struct caddy_token *tokens, size_t count,
                                     bool *ret_ok);

/* The first line with this name, or NULL. */
const struct caddy_line *caddy_find(const struct caddy_line *lines, const char *name);
static inline const char *caddy_name(const struct caddy_line *line)
{
    return line->words[0].text;
}

void caddy_read_options(struct caddy_reader *reader, const struct caddy_block *block);
size_t caddy_order(const struct caddy_reader *reader, const char *directive); /* SIZE_MAX: it has no place */
/* The `servers` block that counts for these listeners, or NULL. */
const struct caddy_line *caddy_servers(const struct caddy_options *options, const char *const *addresses);

/* What may stand in a line; a row of a table. */
enum caddy_value { CADDY_ANY = 0, CADDY_INTEGER, CADDY_DURATION, CADDY_SIZE };
struct caddy_rule {
    const char *name;
    unsigned least, most; /* words behind the name; most 99: any number */
    bool block; /* may open one */
    enum caddy_value value; /* of the first word */
};
/* false: a fault was written. NULL rule: "unknown <what>". */
bool caddy_check(struct caddy_reader *reader, const struct caddy_line *line, size_t skip, const struct caddy_rule *rules,
                 size_t count, const char *what);

/* --- values -------------------------------------------------------------------------------------------------------------------- */

/* "10s", "1.5h", "2d", "-1" and what Go's durations allow; false when it is none. Milliseconds. */
bool caddy_duration(const char *text, int64_t *ret_ms);
bool caddy_integer(const char *text, int64_t *ret_value);
bool caddy_size(const char *text);

/* {host} -> {http.request.host} and the other shorthands of httpcaddyfile. Arena text. */
const char *caddy_expand(struct dr_arena *arena, const char *text);

struct caddy_address {
    const char *scheme, *host, *port, *path; /* "" when not said */
};

/* false: no address; *ret_why says it. */
bool caddy_parse_address(struct dr_arena *arena, const char *text, struct caddy_address *ret_address, const char **ret_why);

struct caddy_upstream {
    const char *text; /* as spelt */
    const struct caddy_token *token; /* NULL from JSON or a dynamic source */
    const char *scheme; /* "", "http", "https", "h2c" */
    const char *host; /* NULL: a unix socket or not knowable */
    unsigned first_port, last_port; /* 0: not knowable */
    bool dynamic; /* srv+, dynamic, placeholders */
};

bool caddy_parse_upstream(struct dr_arena *arena, const char *text, struct caddy_upstream *ret_upstream,
                          const char **ret_why);

/* --- sites --------------------------------------------------------------------------------------------------------------------- */

/* One way into a site: the addresses of a site that share listeners, TLS and path. */
struct caddy_entry {
    const char *const *addresses; /* of its listeners, as caddy spells them: ":443" */
    const char *const *listens;
    const char *const *names;
    const char *path; /* of the address; "" */
    unsigned port;
    bool tls, any_name;
    const struct caddy_options *options;
    struct caddy_entry *next;
};

/* Entries of each site: `sites` and `ret_entries` are arrays of `count`. */
void caddy_site_entries(struct caddy_reader *reader, const struct caddy_block *const *sites, size_t count,
                        struct caddy_entry **ret_entries);

/* --- matchers ------------------------------------------------------------------------------------------------------------------ */

struct caddy_match {
    bool all; /* "*" or none */
    const char *path; /* exactly one path and it is a prefix ("/x/" of "/x" + "/" + "*"); else NULL */
    const char *exact; /* one path without a star */
    const char *const *hosts; /* NULL-ended, or NULL */
    bool more; /* other conditions, see `text` */
    const char *text; /* as spelt */
};

struct caddy_scope { /* named matchers that can be seen */
    const struct caddy_token *name;
    struct caddy_match match;
    const struct caddy_scope *outer;
};

/* The definitions among `lines`, in front of `outer`. */
const struct caddy_scope *caddy_scope(struct caddy_reader *reader, const struct caddy_line *lines,
                                      const struct caddy_scope *outer);
/* Is this word a matcher? Then what it means. An unknown name becomes a fault. */
bool caddy_matcher(struct caddy_reader *reader, const struct caddy_scope *scope, const struct caddy_token *word,
                   struct caddy_match *ret_match);
void caddy_match_path(struct dr_arena *arena, const char *path, struct caddy_match *ret_match);

/* --- what happens to a request ------------------------------------------------------------------------------------------------------ */

enum caddy_op_kind { CADDY_ADD = 0, CADDY_SET, CADDY_DELETE, CADDY_REPLACE };

struct caddy_op {
    enum caddy_op_kind kind;
    const char *field; /* without its sign */
    const char *value; /* expanded */
    const char *spelt; /* as in the file */
    struct dr_source source;
    const struct caddy_line *line; /* NULL from JSON */
    struct caddy_match match; /* of a request_header */
    const char *path, *seen; /* those of the way where it stands: what its matcher's path is compared with */
    unsigned rewrites;
    bool maybe; /* what it depends on cannot be told */
    struct caddy_reach *reach; /* of a request_header; NULL from JSON */
    const struct caddy_op *next;
};

struct caddy_reach { /* which reverse_proxy lines a request_header changes the requests of */
    const struct caddy_line *first;
    bool more;
};

struct caddy_matched { /* matchers that a request on this way has passed */
    const char *text;
    unsigned rewrites; /* when: the same words mean another path after the next one */
    const struct caddy_matched *outer;
};

/* A request_header line or a header_up line as an operation; false: wrong (a fault was written). `words`: field and what follows. */
bool caddy_read_op(struct caddy_reader *reader, const struct caddy_line *line, const struct caddy_token *words, size_t count,
                   struct caddy_op *ret_op);

struct caddy_proxy { /* one reverse_proxy */
    const struct caddy_line *line; /* NULL from JSON */
    struct dr_source source;
    struct caddy_upstream *upstreams;
    size_t upstream_count, upstream_room;
    const struct caddy_op *ups, **last_up; /* header_up, in order */
    const struct caddy_line *transport, *versions, *buffers, *timeout, *method, *trusted, *dynamic;
    const char *transport_name; /* "http" when none is said */
    bool versions_h2c, versions_other, tls, tls_part, trusts, buffers_responses;
    int64_t timeout_ms; /* 0: none */
    const char *method_name, *rewrite;
    struct dr_source versions_source, buffers_source, timeout_source, method_source, trusted_source;
};

bool caddy_read_proxy(struct caddy_reader *reader, const struct caddy_line *line, size_t first_word,
                      struct caddy_proxy *proxy);
bool caddy_proxy_upstream(struct caddy_reader *reader, struct caddy_proxy *proxy, const char *text,
                          const struct caddy_token *token);

/* The state of a request on its way through a site. */
struct caddy_way {
    const struct caddy_entry *entry;
    const char *const *names;
    const char *path; /* what the client asks for: prefix */
    const char *seen; /* the same prefix after strip_prefix and rewrite */
    const char *pattern; /* further conditions, or NULL */
    bool exact;
    const char *partly, *partly_stripped; /* requests below this prefix, and only they, have lost that one */
    unsigned rewrites; /* how often the path was changed */
    const char *rewritten; /* a rewrite that is no prefix any more, as spelt; or NULL */
    const struct caddy_op *ops; /* request_header, the last first */
    unsigned op_count;
    const struct caddy_matched *matched;
};

struct caddy_op_value { /* what a value is made of */
    bool own, others; /* placeholders that the proxy, or the client, fills */
    bool own_last; /* behind all of the client's */
    const char *header; /* nothing but {http.request.header.<this>}; arena text */
};

/* `before`: what {http.request.header.X} stands for; NULL: the client's. */
void caddy_take_apart(struct dr_arena *arena, const struct dr_route_header *before, const char *text,
                      struct caddy_op_value *ret_value);
/* Would a handshake survive this value of Upgrade or Connection? */
enum { CADDY_UPGRADE = 0, CADDY_CONNECTION = 1 };
enum dr_upgrade caddy_kept_by_value(const struct caddy_op_value *value, int which, const char *text);
bool caddy_op_names(const struct caddy_op *op, const char *header);
/* Do clients get HTTP/1.1 there, by which WebSockets are opened? (`protocols` of servers) */
bool caddy_serves_http1(const struct caddy_entry *entry);
/* Can a handshake not, or not surely, outlive it? */
bool caddy_op_spoils(struct dr_arena *arena, const struct caddy_op *op);

/* Fills headers, upgrade, http version, timeout and buffering of the route. `default_fates`: headers without any header_up. */
void caddy_fates(struct caddy_reader *reader, const struct caddy_way *way, const struct caddy_proxy *proxy,
                 struct dr_route *route, struct dr_route_header *default_fates);
/* Routes of one reverse_proxy. */
void caddy_routes(struct caddy_reader *reader, const struct caddy_way *way, const struct caddy_proxy *proxy);

/* Narrows the way. */
void caddy_way_match(struct dr_arena *arena, struct caddy_way *way, const struct caddy_match *match);
void caddy_way_strip(struct dr_arena *arena, struct caddy_way *way, const char *prefix);
void caddy_way_rewrite(struct dr_arena *arena, struct caddy_way *way, const char *target);

struct caddy_step {
    struct caddy_reader *reader;
    const struct caddy_line *line; /* with its matcher */
    struct caddy_match match;
    bool has_match;
    size_t first; /* word behind the matcher */
    size_t order, at;
};

enum { CADDY_OPS = 500 }; /* request_header lines on one way; one more stands for all */

void caddy_step_request_header(struct caddy_step *step, struct caddy_way *way);
void caddy_step_uri(struct caddy_step *step, struct caddy_way *way);
void caddy_step_rewrite(struct caddy_step *step, struct caddy_way *way);
void caddy_step_redir(struct caddy_step *step);

void caddy_walk_site(struct caddy_reader *reader, const struct caddy_block *site, const struct caddy_entry *entries);

/* What mend needs to know (dr_route.place). */
struct caddy_route_place {
    const struct caddy_proxy *proxy; /* NULL: JSON */
    const struct caddy_upstream *upstream;
    const struct caddy_entry *entry;
    const struct caddy_op *ops; /* request_header */
    struct dr_route_header defaults[DR_ROUTE_HEADERS]; /* without any header_up */
};

bool caddy_is_json(const struct dr_proxy_file *file);
void caddy_read_json(struct caddy_reader *reader, const struct dr_proxy_file *file);

/* --- edits --------------------------------------------------------------------------------------------------------------------- */

struct caddy_mending { /* of one route */
    struct dr_arena *arena;
    const struct dr_route *route;
    const struct caddy_route_place *place;
    const struct caddy_proxy *proxy;
    struct dr_route_edits edits;
    const char *added; /* lines to put into the block, each without its indentation, '\n' between them */
    const char *why_not; /* with `error` -ENOTSUP */
    int error; /* the first */
};

void caddy_refuse(struct caddy_mending *mending, const char *why);
/* Takes a line out, with the line end when nothing else stands there: a comment behind it stays. */
void caddy_remove_line(struct caddy_mending *mending, const struct caddy_line *line);
/* `at`, `length`: a part of the word's text. */
void caddy_replace_text(struct caddy_mending *mending, const struct caddy_token *token, uint64_t at, uint64_t length,
                        const char *text);
/* Notes a line for the block of reverse_proxy; caddy_put_added puts all of them in place. */
void caddy_add_line(struct caddy_mending *mending, const char *text);
void caddy_put_added(struct caddy_mending *mending);
/* Where a line with its block ends in its file. */
uint64_t caddy_line_end(const struct caddy_line *line);

int caddy_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
               const char **ret_why_not);

#endif
