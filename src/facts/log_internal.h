/*
 * Reading logs, in parts that tests and the benchmark can use alone.
 *
 * log.c            the accessor of the run: which files, and what came of them
 * log_find.c       where logs lie
 * log_scan.c       one pass over a file, in pieces, with flat memory
 * log_needles.c    many needles at once
 * log_line.c       time and fields of one line
 * log_signatures.c the messages that are known
 */
#ifndef DR_FACTS_LOG_INTERNAL_H
#define DR_FACTS_LOG_INTERNAL_H

#include "api/log.h"
#include "facts/context.h"

#include <sys/types.h>

/* ---- log_needles.c ---- */

enum { DR_NEEDLES_MOST = 64, DR_NEEDLE_SHORTEST = 8, DR_NEEDLE_BLOCKS = 1 << 15 };

/* Wu and Manber, A fast algorithm for multi-pattern searching (1994), with blocks of three bytes. Zeroed, then prepared. */
struct dr_needles {
    const char *text[DR_NEEDLES_MOST];
    size_t length[DR_NEEDLES_MOST];
    int next[DR_NEEDLES_MOST]; /* in the same chain, -1 ends */
    size_t count;
    size_t window; /* the length of the shortest */
    int first[DR_NEEDLE_BLOCKS]; /* chain of the needles whose window ends with this block */
    unsigned char shift[DR_NEEDLE_BLOCKS];
};

/* -EINVAL: a needle is shorter than DR_NEEDLE_SHORTEST, or there are too many. The texts are borrowed. */
int dr_needles_prepare(struct dr_needles *needles, const char *const *texts, size_t count) DR_MUST_CHECK;

/* The first needle that begins at or behind `from`: its number, and where it begins. -1: none. */
int dr_needles_find(const struct dr_needles *needles, const char *bytes, size_t length, size_t from, size_t *ret_at);

/* ---- log_line.c ---- */

struct dr_log_fields {
    char peer[DR_ADDRESS_TEXT]; /* "": none */
    char origin[256];
    char host[256];
    struct dr_address address;
    bool forwarded;
};

/* `address_at`: an address stands there, 0: none does. */
void dr_log_line_fields(const char *line, size_t length, size_t address_at, struct dr_log_fields *ret_fields);
int64_t dr_log_line_time(const char *line, size_t length); /* 0: it says none */

/* ---- log_scan.c ---- */

enum { DR_LOG_PIECE = 256 * 1024 };

/*
 * A line with signatures: bit n of `signatures` is number n. `address_at`: where the text ends that an address follows ("traffic from "); 0: none.
 * Called once for each line, in the order of the file.
 */
typedef void dr_log_seen(void *data, uint64_t signatures, const char *line, size_t length, size_t address_at);

/*
 * From byte `from` (a cut first line is left out where it is not 0) to the end. `piece` has room for DR_LOG_PIECE bytes. Longer lines are
 * looked at piece by piece. 0, or a negative errno of the read.
 */
int dr_log_scan(int fd, uint64_t from, char *piece, const struct dr_needles *needles, dr_log_seen *seen,
                void *data) DR_MUST_CHECK;

/* ---- log_find.c ---- */

struct dr_log_place {
    const char *path;
    int64_t modified_ms;
    uint64_t size;
    int error; /* not 0: it cannot be opened */
};

/* Logs that belong to this installation, the newest first; *ret_where: where was looked, in words. */
size_t dr_log_places(struct dr_context *context, struct dr_log_place *places, size_t most, const char **ret_where);

#endif
