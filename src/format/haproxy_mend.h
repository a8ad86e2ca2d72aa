/*
 * A mending under way (haproxy_mend.c and haproxy_mend_forward.c; nobody else includes it).
 */
#ifndef DR_FORMAT_HAPROXY_MEND_H
#define DR_FORMAT_HAPROXY_MEND_H

#include "format/haproxy_edit.h"

struct haproxy_mending {
    struct haproxy_editor editor;
    const struct dr_route *route;
    const struct haproxy_place *place;
    const struct haproxy_section *section; /* of the backend, or "listen" */
};

/* The line stays: "line 7 ('...') <why>". */
void dr_haproxy_refuse_line(struct haproxy_mending *mending, const struct haproxy_line *line, const char *why);
/* Does the rule count for such a request, whatever other rules did before? */
enum haproxy_truth dr_haproxy_holds_for(const struct haproxy_request *arrived, const struct haproxy_scope *scope,
                                        const struct haproxy_line *line);
/* Where a parameter stands on the line itself, at or behind word `first`; 0: it does not. */
size_t dr_haproxy_own_parameter(const struct haproxy_line *line, size_t first, const char *name);

void dr_haproxy_mend_forward(struct haproxy_mending *mending);

#endif
