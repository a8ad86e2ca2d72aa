/*
 * What HAProxy's rules do with a request: conditions in three values, and the fate of headers (shared by src/format/haproxy*.c; nobody else
 * includes it).
 *
 * Two requests are followed through the rules: a WebSocket handshake and an ordinary one. What they are known to be (TLS, the host and path
 * that lead to a backend, Upgrade and Connection) decides conditions; everything else is unknown.
 */
#ifndef DR_FORMAT_HAPROXY_REQUEST_H
#define DR_FORMAT_HAPROXY_REQUEST_H

#include "format/haproxy_proxy.h"

enum {
    HAPROXY_WS_KEY = DR_ROUTE_HEADERS, /* Sec-WebSocket-Key */
    HAPROXY_WS_VERSION,
    HAPROXY_HEADERS,
};

struct haproxy_fate {
    enum dr_header_fate fate;
    const char *value;
    const struct haproxy_line *line; /* that decides; NULL: HAProxy's default */
    bool mixed; /* more than one fate or value is possible */
    /* Changed under a condition that is not known: what it is when that does not hold, and when it does; the condition. */
    const struct haproxy_fate *otherwise; /* of two */
    const char *condition;
    bool negated;
};

enum haproxy_outcome { HAPROXY_GOES_ON = 0, HAPROXY_ANSWERED }; /* answered: denied, redirected ... never reaches a server */

struct haproxy_request {
    const struct haproxy_tree *tree;
    bool websocket;
    enum haproxy_truth tls;
    unsigned port; /* that it came in on; 0: not known */
    const char *const *names; /* NULL-ended hosts, one of which it names; NULL: not known */
    const char *path; /* what its path begins with; NULL: not known */

    /* What the rules made of it. */
    struct haproxy_fate headers[HAPROXY_HEADERS];
    bool source_from_client; /* set-src: %[src] is what a header says */
    const struct haproxy_line *path_line; /* the last rule that changes the path */
    const char *new_path; /* a literal path, "/" for a prefix that is cut off; NULL: not known */
    struct haproxy_time tunnel, server; /* set-timeout; line NULL: none */
    bool times_unknown;
    enum haproxy_outcome outcome;
    const struct haproxy_line *outcome_line;
};

/* --- haproxy_acl.c ------------------------------------------------------------------------------------------------------ */

/* The condition "if ..." or "unless ..." at word `at` of a line; behind the line's end: true. */
enum haproxy_truth dr_haproxy_holds(const struct haproxy_scope *scope, const struct haproxy_line *line, size_t at,
                                    const struct haproxy_request *request);

/* What a use_backend's condition asks for beyond what is known. */
struct haproxy_choice {
    const char *const *names; /* NULL-ended, may be NULL: no host asked for */
    const char *path; /* NULL: no path asked for */
    bool pattern; /* it asks for something else, too */
};

int dr_haproxy_choice(const struct haproxy_scope *scope, const struct haproxy_line *line, size_t at,
                      const struct haproxy_request *request, struct haproxy_choice *ret_choice);

/* Faults of all conditions of a section: names that are no ACL, braces that are never closed. */
void dr_haproxy_check_scope(struct haproxy_tree *tree, const struct haproxy_proxy *proxy);

/* --- haproxy_match.c ---------------------------------------------------------------------------------------------------- */

enum haproxy_method {
    HAPROXY_MATCH_STRING = 0,
    HAPROXY_MATCH_BEGIN,
    HAPROXY_MATCH_END,
    HAPROXY_MATCH_PART,
    HAPROXY_MATCH_FOUND,
    HAPROXY_MATCH_OTHER,
};

/* "hdr_beg(host) -i a b" taken apart. */
struct haproxy_criterion {
    const struct haproxy_line *line;
    char fetch[24]; /* "hdr", "path", "ssl_fc" ...; "" when it is longer */
    char argument[64]; /* "" */
    enum haproxy_method method;
    bool any_case;
    bool from_file; /* -f: the values are not known */
    size_t first, last; /* its values: words [first, last) */
};

void dr_haproxy_criterion(const struct haproxy_line *line, size_t from, size_t to, struct haproxy_criterion *ret_criterion);
enum haproxy_truth dr_haproxy_match(const struct haproxy_criterion *criterion, const struct haproxy_request *request);
bool dr_haproxy_asks_host(const struct haproxy_criterion *criterion);
bool dr_haproxy_asks_path(const struct haproxy_criterion *criterion);

/* --- haproxy_header.c --------------------------------------------------------------------------------------------------- */

int dr_haproxy_header_of(const char *name); /* enum dr_route_header_name, HAPROXY_WS_...; -1: none of these */
const char *dr_haproxy_header_name(int header); /* in lower case */
enum haproxy_truth dr_haproxy_names_header(const struct haproxy_line *line, const char *header);
enum dr_header_fate dr_haproxy_added_to(enum dr_header_fate before);
/* The fate of a header that is set to, or gets one more, `value`. */
enum dr_header_fate dr_haproxy_fate_of_value(const struct haproxy_request *request, int header, enum dr_header_fate before,
                                             const char *value, bool adds);

/* --- haproxy_rules.c ---------------------------------------------------------------------------------------------------- */

/* A handshake or an ordinary request as a client sends it. */
void dr_haproxy_begin_request(struct haproxy_request *request);
/* The rules of "defaults" that count for the proxy, then its own. */
void dr_haproxy_apply_rules(const struct haproxy_proxy *proxy, struct haproxy_request *request);
/* option forwardfor, option forwarded: behind all rules. */
void dr_haproxy_apply_options(const struct haproxy_proxy *frontend, const struct haproxy_proxy *backend,
                              struct haproxy_request *request);
/* What a rule of a proxy's answers drops of a finished handshake; NULL: nothing. */
const struct haproxy_line *dr_haproxy_answer_drops(const struct haproxy_proxy *proxy, const struct haproxy_request *request,
                                                   enum haproxy_truth *ret_truth);
/* Where the condition of a rule begins; line->count when it has none. */
size_t dr_haproxy_condition_at(const struct haproxy_line *line);
/* Is it a rule by which HAProxy answers itself? */
bool dr_haproxy_answers(const struct haproxy_line *line);
/* Does the rule take away, set or replace this header? */
bool dr_haproxy_touches(const struct haproxy_line *line, const char *header);

#endif
