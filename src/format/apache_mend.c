#include "format/apache_internal.h"
#include <errno.h>
int apache_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                const char **ret_why_not)
{
    (void)route;
    (void)mends;
    (void)arena;
    (void)ret_edits;
    (void)ret_why_not;
    return -ENOTSUP;
}
