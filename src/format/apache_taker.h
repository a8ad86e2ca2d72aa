/*
 * What of a server can take requests, gathered once, and who of it takes those at a path. All is the reader's arena's.
 */
#ifndef DR_FORMAT_APACHE_TAKER_H
#define DR_FORMAT_APACHE_TAKER_H

#include "format/apache_internal.h"

/* A path at which somebody else may take the requests. */
struct apache_point {
    const char *path;
    const struct apache_node
        *pass; /* the ProxyPass that has it: when another one takes its requests, it is no route; NULL: a Location's */
};

struct apache_takers {
    struct apache_reader *reader;
    struct apache_server *server;
    struct apache_rules rules; /* the caller's to fill in */
    struct apache_taker *locations; /* with a ProxyPass, in merge order */
    size_t location_count, location_room;
    struct apache_taker *passes; /* the list, in order */
    size_t pass_count, pass_room;
    struct apache_point *points;
    size_t point_count, point_room;
};

/* Adds what `server` has: takers->server itself, or its main server (call that one first). 0 or -ENOMEM. */
int apache_takers_gather(struct apache_takers *takers, const struct apache_server *server);

/* False: a rule answers by itself, nobody takes it, or the budget is spent. */
bool apache_takers_find(const struct apache_takers *takers, const char *path, struct apache_taker *ret_taker);

/* How many of the requests that begin with `path` a rule's pattern takes, its "!" heeded. */
enum apache_cover apache_rule_covers(const struct apache_rule *rule, const char *path);

#endif
