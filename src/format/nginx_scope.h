/*
 * nginx: blocks as levels of inheritance, and what variables stand for.
 *
 * Inheritance (each module's merge function; nginx.org/en/docs/http/ngx_http_proxy_module.html): a directive that holds one value comes from the
 * innermost level that has it. A list (proxy_set_header, set_real_ip_from) comes as a whole from the innermost level that has any:
 * one proxy_set_header in a location drops all those of the server. proxy_pass goes down only into `if` and limit_except. `set` and
 * rewrite run in the server and in the location that was chosen, not in the locations around that one.
 *
 * Ownership: all in the arena.
 */
#ifndef DR_FORMAT_NGINX_SCOPE_H
#define DR_FORMAT_NGINX_SCOPE_H

#include "format/nginx_tree.h"

/* Directives of which a level has one. */
enum dr_nginx_single {
    DR_NGINX_PROXY_PASS,
    DR_NGINX_HTTP_VERSION,
    DR_NGINX_PASS_HEADERS, /* proxy_pass_request_headers */
    DR_NGINX_READ_TIMEOUT,
    DR_NGINX_SEND_TIMEOUT,
    DR_NGINX_BUFFERING,
    DR_NGINX_REAL_IP_HEADER,
    DR_NGINX_SSL,
    DR_NGINX_STREAM_TIMEOUT, /* proxy_timeout */
    DR_NGINX_STREAM_PROTOCOL, /* proxy_protocol */
    DR_NGINX_STREAM_SSL, /* proxy_ssl */
    DR_NGINX_SINGLES
};

/* Directives of which a level has many. */
enum dr_nginx_many {
    DR_NGINX_HEADERS, /* proxy_set_header */
    DR_NGINX_REAL_IPS, /* set_real_ip_from */
    DR_NGINX_LISTENS,
    DR_NGINX_NAMES, /* server_name */
    DR_NGINX_STEPS, /* set, rewrite, if: in their order */
    DR_NGINX_MEDDLERS, /* what changes a request's headers in ways that are not looked at: Lua, headers-more, njs */
    DR_NGINX_MANY
};

struct dr_nginx_list {
    const struct dr_nginx_directive **items;
    size_t count, room;
};

struct dr_nginx_scope {
    const struct dr_nginx_scope *outer;
    const struct dr_nginx_directive *block;
    const struct dr_nginx_directive *singles[DR_NGINX_SINGLES]; /* this level's own */
    struct dr_nginx_list many[DR_NGINX_MANY];
};

/* What http or stream defines for all of its servers. Sorted by name. */
struct dr_nginx_names {
    struct dr_nginx_list maps; /* map SOURCE $NAME { } */
    struct dr_nginx_list upstreams;
};

struct dr_nginx_model {
    struct dr_proxy_gathering *gathering; /* while reading only */
    struct dr_arena *arena;
    struct dr_nginx_names names;
    size_t *work; /* variables looked up for the route at work, see dr_nginx_spend */
    bool no_memory;
};

/* NULL without memory (which is noted in the model). */
struct dr_nginx_scope *dr_nginx_scope(struct dr_nginx_model *model, const struct dr_nginx_scope *outer,
                                      const struct dr_nginx_directive *block);

bool dr_nginx_list_add(struct dr_nginx_model *model, struct dr_nginx_list *list, const struct dr_nginx_directive *directive);

/* The directive that counts in `scope`, NULL: the server's default. */
const struct dr_nginx_directive *dr_nginx_single(const struct dr_nginx_scope *scope, enum dr_nginx_single which);

/* The list that counts in `scope`, maybe empty; ret_owner (may be NULL): the level it stands at. */
const struct dr_nginx_list *dr_nginx_many(const struct dr_nginx_scope *scope, enum dr_nginx_many which,
                                          const struct dr_nginx_scope **ret_owner);

/* The nearest block of that name from `scope` on, or NULL. */
const struct dr_nginx_scope *dr_nginx_around(const struct dr_nginx_scope *scope, const char *name);

/* Gathers maps and upstreams of http or stream (`block`). */
void dr_nginx_gather_names(struct dr_nginx_model *model, const struct dr_nginx_directive *block);
const struct dr_nginx_directive *dr_nginx_find_map(const struct dr_nginx_model *model, const char *name, size_t length);
const struct dr_nginx_directive *dr_nginx_find_upstream(const struct dr_nginx_model *model, const char *name);

/* "60s", "1h30m", "500ms", "90" (seconds): milliseconds; -1: not such a time (ngx_parse_time). */
int64_t dr_nginx_time(const char *text);

/* "on" is true; `otherwise` without the directive. */
bool dr_nginx_flag(const struct dr_nginx_directive *directive, bool otherwise);

/* --- variables (nginx_values.c) ---------------------------------------------------------------------------------------- */

/* A piece of a text: literal, or the name of a variable. */
struct dr_nginx_piece {
    const char *text;
    size_t length;
    bool variable;
};

/* The piece at *at, which moves on; false at the end. */
bool dr_nginx_piece(const char **at, struct dr_nginx_piece *ret_piece);

/* The variable that a text consists of, without "$"; NULL: it is more or less than one. Length in *ret_length. */
const char *dr_nginx_sole_variable(const char *text, size_t *ret_length);

/* Names of variables and headers are compared without regard to case. */
bool dr_nginx_is_named(const char *text, size_t length, const char *name);

enum dr_nginx_found { DR_NGINX_NOT_SET, DR_NGINX_SET, DR_NGINX_SET_MAYBE };

/* What `set` gave a variable when a WebSocket handshake reaches `scope`; SET_MAYBE: that depends on a condition that is not known. */
enum dr_nginx_found dr_nginx_find_set(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                                      const char *name, size_t length, unsigned depth, const char **ret_value);

/* The value of a text for a WebSocket handshake (Upgrade: websocket, Connection: Upgrade, GET, HTTP/1.1); NULL: not knowable. */
const char *dr_nginx_evaluate(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text,
                              unsigned depth);

/* All that a text can become through `set` and `map`, NULL-ended; what is not knowable stays a $variable. At most 16. NULL: no memory. */
const char *const *dr_nginx_alternatives(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                                         const char *text);

/* An entry of a map. */
struct dr_nginx_entry {
    bool hostnames; /* the parameter of that name stands further up: kept from one index to the next */
    const char *key;
    const char *value;
    enum { DR_NGINX_EXACT, DR_NGINX_PATTERN, DR_NGINX_HOSTNAME, DR_NGINX_DEFAULT } kind;
};

/* The line at `index` of a map; false: it is no entry. To be asked with the same `entry` from index 0 on. */
bool dr_nginx_entry(const struct dr_nginx_directive *map, size_t index, struct dr_nginx_entry *entry);

enum {
    DR_NGINX_NESTING = 8, /* variables in variables */
    DR_NGINX_WORK = 1000, /* variables looked up for one route */
};

/* false: this route has cost enough. Variables that stand for many others, and long maps, would multiply. */
bool dr_nginx_spend(const struct dr_nginx_model *model, size_t looked_through);

#endif
