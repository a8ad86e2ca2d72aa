/*
 * nginx: the edits that make a route right (dr_route_mend in api/proxy.h).
 *
 * Everything goes into the location that hands over, also for an `if` in it, where nginx allows no proxy_set_header. Where that location has
 * no proxy_set_header and lives from those of an outer level, the first one of its own would drop them: they are repeated in it.
 * -ENOTSUP: headers of a stream{}; an address that stands in a variable; a location that several servers include and in which they
 * inherit different headers; a block without its '}'.
 */
#ifndef DR_FORMAT_NGINX_MEND_H
#define DR_FORMAT_NGINX_MEND_H

#include "format/proxy_reader.h"

int dr_nginx_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                  const char **ret_why_not);

#endif
