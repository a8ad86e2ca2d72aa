/*
 * A SQLite write-ahead log, read without touching it.
 *
 * SQLite itself opens a WAL only together with its shared-memory index, which a reader may have to create, and takes locks. The
 * doctor may do neither. So the log is read as SQLite's own recovery reads it (sqlite.org/fileformat2.html#walformat): frames
 * whose salts are the header's and whose running checksum is right, up to the last frame that commits. What is behind that is
 * a transaction that never happened.
 *
 * Bounds: logs up to DR_WAL_MOST_BYTES; memory 8 bytes for each different page in the log (times two at most).
 */
#ifndef DR_FACTS_SQLITE_WAL_H
#define DR_FACTS_SQLITE_WAL_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DR_WAL_MOST_BYTES ((uint64_t)256 << 20)

enum { DR_WAL_HEADER = 32, DR_WAL_FRAME_HEADER = 24 };

struct dr_wal_slot {
    uint32_t page; /* 1-based; 0: empty */
    uint32_t frame; /* 0-based; the last committed one that holds the page */
};

struct dr_wal {
    uint32_t page_size; /* 0: no committed frame at all; the log says nothing */
    uint32_t database_pages; /* size of the database after the last commit */
    uint32_t frames; /* committed */
    struct dr_wal_slot *slots; /* owned; hash with open addressing */
    uint32_t slot_count; /* power of two */
    uint32_t used;
    /* What stood at the start and behind the last committed frame: compared again to see whether a writer was at work. */
    unsigned char header[DR_WAL_HEADER];
    unsigned char behind[DR_WAL_FRAME_HEADER];
    size_t header_length, behind_length;
};

/* -EFBIG: larger than the bound; -ENOMEM; read errors. An empty, foreign or damaged log is not an error: `page_size` stays 0. */
int dr_wal_read(int fd, struct dr_wal *ret_wal) DR_MUST_CHECK;
void dr_wal_release(struct dr_wal *wal);
#define _cleanup_wal_ _cleanup_(dr_wal_release)

/* Where the page's bytes begin in the log. False: the page is not in it. */
bool dr_wal_find(const struct dr_wal *wal, uint32_t page, uint64_t *ret_offset);

/* True when no commit was added and the log was not begun anew since it was read. */
bool dr_wal_unchanged(const struct dr_wal *wal, int fd);

#endif
