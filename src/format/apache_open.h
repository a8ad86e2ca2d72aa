/*
 * The sections that are open while a source is read. A node belongs to the innermost; conditions that hold (<IfModule> ...) are open as
 * well, but leave no node: their lines are their parent's.
 */
#ifndef DR_FORMAT_APACHE_OPEN_H
#define DR_FORMAT_APACHE_OPEN_H

#include "format/apache_internal.h"

struct apache_frame {
    const char *name; /* "<Location" */
    struct apache_node *node; /* NULL: a condition */
    struct dr_source source;
};

struct apache_open {
    struct apache_reader *reader;
    struct apache_source *source;
    struct apache_node *parent; /* of what stands outside of all sections of this source */
    struct apache_frame frames[DR_PROXY_DEPTH];
    unsigned depth;
    unsigned skipped; /* sections too deep to be read */
};

struct apache_node *apache_open_node(struct apache_open *open);
/* A section begins in `line`; `node` NULL: a condition that holds. */
void apache_open_push(struct apache_open *open, const char *name, struct apache_node *node, const struct apache_line *line);
/* "</Location>" in `line`: closes what it names, and what is still open inside. */
void apache_open_close(struct apache_open *open, const char *name, const struct apache_line *line);
/* A condition that does not hold: reads to its end and drops it. */
void apache_open_skip(struct apache_open *open, const char *name, const struct apache_line *begin);

#endif
