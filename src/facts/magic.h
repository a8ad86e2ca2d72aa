/*
 * What a file that is not what it should be really is, in libmagic's words.
 *
 * libmagic's database is some megabytes: it is loaded here, at the moment of the question, and let go again. So ask only about
 * files that are known to be wrong.
 */
#ifndef DR_FACTS_MAGIC_H
#define DR_FACTS_MAGIC_H

#include "api/fact.h"

/* "gzip compressed data, ..."; NULL when it could not tell. In the run's memory. Looks at the beginning of the file only. */
const char *dr_magic_words(struct dr_context *context, int root_fd, const char *path);

#endif
