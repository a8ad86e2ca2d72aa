/*
 * What the parts of the Apache httpd reader share. Not for others: they use dr_apache_format (format/proxy_reader.h).
 *
 * Stages, as in the server itself:
 *   apache_line.c     physical lines -> logical lines -> words                          (ap_cfg_getline, ap_getword_conf)
 *   apache_variable.c Define, ${NAME}, the environment and Debian's envvars             (ap_resolve_env)
 *   apache_open.c     sections that are open while reading, and conditions that do not hold
 *   apache_tree.c     what is carried out while reading: conditions, macros; the tree   (ap_build_config)
 *   apache_include.c  Include with patterns and folders                                 (ap_process_fnmatch_configs)
 *   apache_module.c   which modules are in, under both of their names
 *   apache_server.c   the main server and its virtual hosts
 *   apache_worker.c   workers and balancers: where ProxyPass parameters really hold     (ap_proxy_get_worker)
 *   apache_path.c     which requests a section or a pattern takes
 *   apache_scope.c    which directives hold for a request, in merge order
 *   apache_header.c   what becomes of the request's headers                             (mod_headers, ap_proxy_create_hdrbrgd)
 *   apache_rewrite.c  RewriteRule ... [P]
 *   apache_upgrade.c  handshakes, HTTP version, silence                               (ap_proxy_worker_can_upgrade, ap_proxy_tunnel_run)
 *   apache_taker.c    who takes which request
 *   apache_route.c    its points -> routes
 *   apache_upstream.c where it leads
 *   apache_mend.c, apache_mend_worker.c   what is to be changed where
 *   apache_edit.c     changes as spans: words, lines, sections
 *
 * What stands in brackets is where httpd 2.4 does it. What the source leaves open was asked of a running 2.4.71 with an upstream that
 * writes down what arrives (tests/proxies/apache does so again).
 *
 * Everything lives in the loader's arena.
 */
#ifndef DR_FORMAT_APACHE_INTERNAL_H
#define DR_FORMAT_APACHE_INTERNAL_H

#include "format/proxy_reader.h"

enum {
    APACHE_INCLUDES = 20, /* AP_MAX_INCLUDE_DEPTH */
    APACHE_MACROS = 20, /* macros in macros */
    APACHE_NODES = 400000, /* of one configuration */
    APACHE_LINES = 2000000, /* read in all: macros can multiply */
};

/* --- lines and words ---------------------------------------------------------------------------------------------------- */

/* Bytes of a line's text from `at` to the next piece come from the file's bytes at `offset`: the very same when `verbatim`, else
 * they stand for the `length` bytes there (a variable). */
struct apache_piece {
    size_t at;
    size_t offset;
    size_t length;
    bool verbatim;
};

/* A logical line: continuations joined, blanks at both ends gone. */
struct apache_line {
    const char *text;
    size_t length;
    const struct apache_piece *pieces;
    size_t piece_count;
    size_t begin, end; /* in the file: from its first visible byte to behind its last, without the line end */
    unsigned first, column; /* of its first visible byte */
    unsigned number; /* of its last physical line, as httpd counts */
};

/* Where lines come from: a file, or what a macro made. */
struct apache_source {
    const struct dr_proxy_file *file;
    const char *bytes;
    size_t length;
    size_t at;
    unsigned line;
    bool after_use; /* Use was just carried out: see apache_line_next */
    const struct apache_line *use; /* macros: the line of Use in `file`; else NULL */
};

struct apache_word {
    const char *text; /* without quotes */
    size_t offset; /* the spelling in the file, with quotes ... */
    size_t length;
    bool verbatim; /* ... and it stands there as it is read: no variable in it, no continuation */
};

/*
 * 1: a line that is neither empty nor a comment; 0: the end; -ENOMEM. httpd loses the line behind a Use when it is the file's last and has no
 * line end (mod_macro); so do we.
 */
int apache_line_next(struct dr_arena *arena, struct apache_source *source, struct apache_line *ret_line);

/*
 * ap_getword_conf: the next word of line->text at *at; *at moves behind the blanks that follow it. False at the end.
 * Words longer than 1 MiB are cut (no directive has such).
 */
bool apache_word_next(struct dr_arena *arena, const struct apache_line *line, size_t *at, struct apache_word *ret_word);

/* --- the tree ----------------------------------------------------------------------------------------------------------- */

struct apache_node {
    const char *name; /* as spelt; sections with "<": "<Location" */
    const char *args; /* the rest of the line, variables replaced; sections with their ">" */
    const struct apache_word *words; /* args as words; sections without ">" */
    size_t word_count;
    const struct dr_proxy_file *file;
    size_t begin, end; /* the line in the file; of Use when a macro made it */
    unsigned first_line, column; /* of `begin` */
    unsigned line; /* its last physical line */
    size_t close_begin; /* sections: the closing line; 0: not closed */
    bool section;
    bool made; /* by a macro: no edit can reach it */
    struct apache_node *parent, *first, *last, *next;
};

struct apache_variable {
    const char *name;
    const char *value; /* NULL: only defined */
};

struct apache_module {
    const char *symbol; /* "proxy_http_module" */
    const char *source; /* "mod_proxy_http.c" */
};

struct apache_macro {
    const char *name;
    const struct apache_word *arguments;
    size_t argument_count;
    const char *body; /* one logical line a line */
    size_t body_length;
    bool used_now; /* being expanded: a macro that uses itself */
    struct apache_macro *next;
};

/* Steps of searches that grow faster than the files do. When they are used up, searches find nothing and it is said. */
struct apache_budget {
    uint64_t left;
    bool spent;
};

/* State of one reading. */
struct apache_reader {
    struct apache_budget *budget;
    struct dr_proxy_gathering gathering;
    struct dr_arena *arena;
    const char *server_root;
    struct apache_variable *variables; /* Define */
    size_t variable_count, variable_room;
    struct apache_variable *environment; /* envvars beside the main file */
    size_t environment_count, environment_room;
    struct apache_module *modules;
    size_t module_count, module_room;
    struct apache_macro *macros;
    const char *includes[APACHE_INCLUDES + 1]; /* paths that are being read */
    unsigned include_depth, macro_depth;
    size_t node_count, line_count;
    struct apache_node *root; /* a node without name; its children are the main server's */
    const struct dr_proxy_file *odd_file; /* the last file of which a line was called no directive */
    bool fragment; /* a piece of a configuration: which modules are in is not known, all are taken to be */
    bool loads_modules; /* LoadModule was met */
    bool stopped; /* a bound was met, or no memory: nothing more is read */
    bool no_memory;
};

/* False: used up. */
bool apache_spend(const struct apache_reader *reader, uint64_t steps);

/* Cheap. */
void apache_line_source(const struct apache_source *source, const struct apache_line *line, struct dr_source *ret_source);
void apache_node_source(const struct apache_node *node, struct dr_source *ret_source);
void apache_word_source(const struct apache_node *node, size_t word, struct dr_source *ret_source);
bool apache_is(const struct apache_node *node, const char *name); /* without regard to case */
const char *apache_arg(const struct apache_node *node, size_t index); /* a word's text, "" when there is none */

/* Reads all lines of a source as children of `parent`. */
void apache_read_source(struct apache_reader *reader, struct apache_source *source, struct apache_node *parent);
void apache_read_file(struct apache_reader *reader, const char *path, bool optional, struct apache_node *parent,
                      const struct dr_source *from);
void apache_include(struct apache_reader *reader, const char *pattern, bool optional, struct apache_node *parent,
                    const struct dr_source *from);
/* A path below ServerRoot unless absolute; arena. */
const char *apache_root_relative(struct apache_reader *reader, const char *path);

/* --- macros --------------------------------------------------------------------------------------------------------------- */

void apache_macro_define(struct apache_reader *reader, struct apache_source *source, const struct apache_line *line);
void apache_macro_use(struct apache_reader *reader, const struct apache_source *source, const struct apache_line *line,
                      struct apache_node *parent);
void apache_macro_forget(struct apache_reader *reader, const char *name);

/* --- variables, conditions, modules ----------------------------------------------------------------------------------- */

void apache_envvars_read(struct apache_reader *reader, const char *folder);
const char *apache_variable(const struct apache_reader *reader, const char *name, size_t length);
void apache_define(struct apache_reader *reader, const char *name, const char *value);
void apache_undefine(struct apache_reader *reader, const char *name);
bool apache_is_defined(const struct apache_reader *reader, const char *name);
/* Replaces the ${NAME} of a line; what is not defined stays. 0 or -ENOMEM. */
int apache_line_resolve(const struct apache_reader *reader, struct apache_line *line);

/* <IfModule, <IfDefine, <IfVersion, <IfFile ...: 1 it holds, 0 it does not, -1: no condition, -2: not knowable. */
int apache_condition(struct apache_reader *reader, const char *name, const struct apache_word *words, size_t count);

void apache_modules_static(struct apache_reader *reader);
void apache_module_load(struct apache_reader *reader, const char *symbol, const char *path);
bool apache_has_module(const struct apache_reader *reader, const char *name); /* either name */

/* --- servers ---------------------------------------------------------------------------------------------------------------- */

/* One entry of ProxyPass or ProxyPassMatch. */
struct apache_pass {
    const struct apache_node *node;
    const struct apache_node *section; /* the Location that it stands in, or NULL */
    const char *path; /* prefix, or the regular expression */
    bool regex;
    bool inherited; /* of the main server */
    size_t target_word; /* index in node->words */
    const char *target; /* "!" excludes */
};

struct apache_worker {
    const char *url;
    bool match; /* of ProxyPassMatch: $1 in its URL stands for anything, and the whole URL is no longer than the request's */
    const struct apache_node *node; /* that made it */
    const char *upgrade; /* NULL: not said */
    const struct apache_node *upgrade_node;
    int64_t timeout; /* seconds; -1: not said */
    const struct apache_node *timeout_node;
    bool flush; /* flushpackets=on */
};

struct apache_balancer {
    const char *name; /* "balancer://x" */
    struct apache_worker *members;
    size_t member_count, member_room;
};

struct apache_server {
    const struct apache_reader *reader;
    const struct apache_node *node; /* NULL: the main server */
    const struct apache_server *main; /* of a virtual host */
    const struct apache_node **plain; /* directives outside of sections, in order */
    size_t plain_count, plain_room;
    const struct apache_node **sections; /* Location, Proxy, If ..., in order */
    size_t section_count, section_room;
    struct apache_pass *passes; /* outside of Location */
    size_t pass_count, pass_room;
    struct apache_worker *workers;
    size_t worker_count, worker_room;
    struct apache_balancer *balancers;
    size_t balancer_count, balancer_room;
    const char *const *listens;
    const char *const *names;
    bool any_name; /* the first at one of its addresses: it takes what no name fits */
    bool tls;
    bool reachable;
};

/* The reader's own of a configuration (struct dr_proxy_config.tree). */
struct apache_tree {
    const struct apache_reader *reader;
    const struct apache_node *root;
    struct apache_server *servers; /* the main one first */
    size_t server_count, server_room;
};

int apache_servers(struct apache_reader *reader, struct apache_tree *tree);
int apache_workers(struct apache_reader *reader, struct apache_server *server);
/* As workers are named: "unix:/x|" gone, scheme and host in small letters. */
const char *apache_worker_url(struct dr_arena *arena, const char *url);
/* The worker that carries a request for `url` ("http://127.0.0.1:1/x") out, as it is chosen at run time; NULL: the common one. */
const struct apache_worker *apache_worker_for(const struct apache_server *server, const char *url);
const struct apache_balancer *apache_balancer_for(const struct apache_server *server, const char *url);
/* The last of a server's own plain directives of that name, else the main server's; NULL: none. */
const struct apache_node *apache_server_directive(const struct apache_server *server, const char *name);
/* Appends to an array of pointers. */
bool apache_push(struct dr_arena *arena, const struct apache_node ***list, size_t *count, size_t *room,
                 const struct apache_node *node);

/* --- who takes which request ------------------------------------------------------------------------------------------ */

/* A path, and what is known of the paths behind it. */
enum apache_cover { APACHE_NONE, APACHE_SOME, APACHE_ALL };

/* How many of the requests that begin with `path` a prefix (ProxyPass), a Location or a regular expression takes. */
enum apache_cover apache_alias_covers(const char *alias, const char *path);
enum apache_cover apache_location_covers(const struct apache_node *section, const char *path);
enum apache_cover apache_regex_covers(const char *regex, const char *path);
enum apache_cover apache_proxy_covers(const struct apache_node *section, const char *url);
/* "^/app/(.*)$" is the prefix "/app/"; NULL when it is more than a prefix. *ret_beginning: how all that it takes
 * begins, NULL when that is not known. */
const char *apache_regex_prefix(struct dr_arena *arena, const char *regex, const char **ret_beginning);
/* The regular expression of <LocationMatch x> and <Location ~ x>, or NULL. */
const char *apache_section_regex(const struct apache_node *section);
/* The word of a section that is its path or pattern. */
size_t apache_section_word(const struct apache_node *section);

/* One directive that holds for a route. `maybe`: for some of its requests only. */
struct apache_effect {
    const struct apache_node *node;
    bool maybe;
};

struct apache_scope {
    struct apache_effect *effects;
    size_t count, room;
};

/* Everything that holds for requests to `path` which are handed on to `url`, in merge order. `before` (or NULL): sections that are for this
 * URL count as well: they will be made to fit. */
int apache_scope(const struct apache_reader *reader, const struct apache_server *server, const char *path, const char *url,
                 const char *before, struct apache_scope *ret_scope);

/* --- what the upstream gets ------------------------------------------------------------------------------------------------- */

/* What is known of a variable of the request's environment (SetEnv, SetEnvIf ...). */
enum apache_truth { APACHE_FALSE, APACHE_TRUE, APACHE_MAYBE };

struct apache_facts {
    const struct apache_reader *reader;
    const struct apache_server *server;
    const struct apache_scope *scope;
    const char *path;
};

enum apache_truth apache_environment(const struct apache_facts *facts, const char *name,
                                     const struct apache_node **ret_node);
void apache_headers(const struct apache_facts *facts, struct dr_route_header headers[DR_ROUTE_HEADERS]);
/* RemoteIPHeader without a list of who may say it; NULL: not so. */
const struct apache_node *apache_believes_everybody(const struct apache_server *server);
/* The last directive of that name that holds; *ret_maybe when it or one behind it holds for some requests only. */
const struct apache_node *apache_scope_last(const struct apache_scope *scope, const char *name, bool *ret_maybe);

struct apache_rule {
    const struct apache_node *node;
    const struct apache_node *section; /* Location, Directory ...; NULL: of the server */
    const struct apache_node **conditions;
    size_t condition_count;
    const char *pattern;
    const char *target;
    bool negated;
    bool proxies; /* [P] */
    bool ends; /* answers by itself: a redirect, [F], [G] */
    bool handshakes; /* its conditions ask for an upgrade to websocket and for nothing else */
    bool others; /* its conditions ask for the contrary, and nothing else */
    bool always; /* no condition */
};

struct apache_rules {
    struct apache_rule *list;
    size_t count, room;
};

/* The rules of a server, outside of sections, that are in force. */
int apache_rules(const struct apache_reader *reader, const struct apache_server *server, struct apache_rules *ret_rules);
/* The rules of a section. */
int apache_section_rules(const struct apache_reader *reader, const struct apache_node *section, bool tls,
                         struct apache_rules *ret_rules);

/* Something that can take requests. */
struct apache_taker {
    const struct apache_node *node;
    const struct apache_node *section;
    const struct apache_rule *rule;
    const char *path; /* prefix or regular expression */
    bool regex;
    size_t target_word;
    const char *target;
    bool inherited;
};

/* The reader's own of a route (struct dr_route.place). */
struct apache_place {
    const struct apache_tree *tree;
    const struct apache_server *server;
    const struct apache_node *node; /* the directive that hands over: ProxyPass, ProxyPassMatch, RewriteRule */
    const struct apache_node *section; /* Location around it, or NULL */
    const struct apache_node *member; /* BalancerMember of a balancer, or NULL */
    size_t target_word; /* of `member`, else of `node` */
    const struct apache_rule *handshake; /* the rule that takes the handshakes of this route, or NULL */
    const struct apache_node *handshake_doubt; /* a rule that takes some of them */
    const struct apache_node *handshake_elsewhere; /* a rule that hands them to somebody else */
    const char *url; /* what is asked of the upstream: for looking up workers and <Proxy> */
    const char *handshake_url; /* the same for handshakes */
    const char *proxy_url; /* what <Proxy> sections are compared with: a balancer's own URL, else handshake_url */
    const struct apache_worker *worker; /* that carries handshakes to the very path of the route out, or NULL */
    const struct apache_worker *deep_worker; /* the same for the paths below it */
    const char *path; /* for looking up what holds */
    struct apache_scope scope;
    bool is_rule;
    bool takes_regex; /* ProxyPassMatch */
    bool is_pattern; /* there is no path of which all is known */
    bool inherited; /* the directive is the main server's, the route a virtual host's */
};

/* What can stand in a handshake's way. */
enum apache_obstacle {
    APACHE_OBSTACLE_MODULE = 0,
    APACHE_OBSTACLE_HEADER,
    APACHE_OBSTACLE_VERSION,
    APACHE_OBSTACLE_WORKER,
    APACHE_OBSTACLES
};

struct apache_verdict {
    enum dr_upgrade upgrade;
    const char *why;
    const struct apache_node *node;
};

void apache_obstacles(const struct apache_facts *facts, const struct apache_place *place,
                      struct apache_verdict ret_verdicts[APACHE_OBSTACLES]);
/* The last RequestHeader on that header which holds, or NULL. */
const struct apache_effect *apache_last_request_header(const struct apache_scope *scope, enum dr_route_header_name header);
void apache_upgrade(const struct apache_facts *facts, const struct apache_place *place, struct dr_route *route);
/* Sets worker and deep_worker by handshake_url. */
void apache_choose_workers(struct apache_place *place);
void apache_silence(const struct apache_place *place, struct dr_route *route);

struct apache_taker apache_rule_taker(const struct apache_rule *rule);
/* The path of the upstream that a request for `point` asks for; NULL: not knowable. */
const char *apache_seen_path(struct dr_arena *arena, const struct apache_taker *taker, const char *point,
                             const char *target_path);
void apache_set_upstream(struct dr_arena *arena, struct dr_route *route, const struct apache_taker *taker, const char *spelt,
                         const char *point);
bool apache_same_host(const char *left, const char *right); /* localhost, 127.0.0.1 and ::1 are one */
bool apache_same_upstream(struct dr_arena *arena, const char *left, const char *right);
const char *apache_with_path(struct dr_arena *arena, const char *url);
const char *apache_request_url(const struct apache_place *place, const char *target, const char *seen);
const char *apache_rule_url(const struct apache_place *place, const struct apache_rule *rule);

int apache_routes(struct apache_reader *reader, struct apache_tree *tree);

/* --- edits ---------------------------------------------------------------------------------------------------------------- */

/* Edits that are being gathered. The first reason why it cannot be done stays. */
struct apache_edits {
    struct dr_arena *arena;
    struct dr_route_edits *edits;
    const char *why_not;
    int error; /* -ENOMEM */
};

/* All of them refuse what a macro made (`why_not`). */
void apache_edit_word(struct apache_edits *edits, const struct apache_node *node, size_t word, const char *text);
/* " text" behind the last word. */
void apache_edit_append(struct apache_edits *edits, const struct apache_node *node, const char *text);
/* The whole line, from its first visible byte. */
void apache_edit_line(struct apache_edits *edits, const struct apache_node *node, const char *text);
void apache_edit_delete(struct apache_edits *edits, const struct apache_node *node);
/* A new line below a directive or, for sections, below their end; the lines of `text` are indented as it is. "\t" at the beginning of a line of
 * `text` is one step further in, as the file steps. */
void apache_edit_below(struct apache_edits *edits, const struct apache_node *node, const char *text);

/* --- mending ---------------------------------------------------------------------------------------------------------------- */

#define APACHE_LONG_ENOUGH_MS ((int64_t)3600 * 1000)

struct apache_mending {
    struct apache_edits out;
    const struct dr_route *route;
    const struct apache_place *place;
    struct apache_facts facts;
    bool moved; /* the upstream's host was changed */
    struct apache_place after; /* `place` with the workers, URLs and directives that it has then */
    struct dr_route_header headers[DR_ROUTE_HEADERS]; /* what arrives then, without the other edits */
    const char *settings; /* for a worker that has to be made: "upgrade=websocket timeout=3600" */
    const char *lines; /* new lines for the place of the route */
};

/* Remembers why it cannot be done. */
void apache_cannot(struct apache_mending *mending, const char *why);
/* Adds to mending->settings or ->lines. */
void apache_mend_add(struct apache_mending *mending, const char **list, const char *separator, const char *text);
/* A URL of this route, with the host that it has after the edit. */
const char *apache_moved_url(struct apache_mending *mending, const char *url);
void apache_mend_upstream(struct apache_mending *mending);
/* "name=value" (`text`) for the workers of the route. */
void apache_mend_worker(struct apache_mending *mending, const char *name, const char *text);
/* Puts mending->settings into a section of their own. */
void apache_mend_section(struct apache_mending *mending);

int apache_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                const char **ret_why_not);

#endif
