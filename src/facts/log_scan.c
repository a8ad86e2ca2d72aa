#include "facts/log_internal.h"

#include <errno.h>
#include <string.h>

struct scan {
    const struct dr_needles *needles;
    dr_log_seen *seen;
    void *data;
};

static bool address_follows(const struct dr_needles *needles, int number)
{
    static const char behind[] = " from ";
    size_t length = sizeof(behind) - 1;

    return memcmp(needles->text[number] + needles->length[number] - length, behind, length) == 0;
}

/* All signatures of the line that holds `at`, where number `number` begins. Returns where the line ends. */
static size_t tell_line(const struct scan *scan, const char *bytes, size_t length, int number, size_t at)
{
    const char *before = memrchr(bytes, '\n', at);
    const char *after = memchr(bytes + at, '\n', length - at);
    size_t start = before ? (size_t)(before + 1 - bytes) : 0;
    size_t end = after ? (size_t)(after - bytes) : length;
    size_t address_at = 0;
    uint64_t signatures = 0;

    while (number >= 0) {
        signatures |= (uint64_t)1 << number;
        if (address_at == 0 && address_follows(scan->needles, number))
            address_at = at + scan->needles->length[number] - start;
        number = dr_needles_find(scan->needles, bytes, end, at + 1, &at);
    }
    scan->seen(scan->data, signatures, bytes + start, end - start, address_at);
    return end;
}

/* Whole lines. */
static void look_at(const struct scan *scan, const char *bytes, size_t length)
{
    size_t from = 0, at = 0;
    int number;

    while ((number = dr_needles_find(scan->needles, bytes, length, from, &at)) >= 0)
        from = tell_line(scan, bytes, length, number, at);
}

/* Reads until the piece is full or the file ends. */
static ssize_t fill(int fd, char *piece, size_t have, uint64_t offset)
{
    size_t length = have;

    while (length < DR_LOG_PIECE) {
        ssize_t got = pread(fd, piece + length, DR_LOG_PIECE - length, (off_t)(offset + length - have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

/* How much of the piece is whole lines; all of it where there is no line end in it. */
static size_t whole_lines(const char *piece, size_t length, bool at_end)
{
    const char *end = at_end ? NULL : memrchr(piece, '\n', length);

    return end ? (size_t)(end + 1 - piece) : length;
}

int dr_log_scan(int fd, uint64_t from, char *piece, const struct dr_needles *needles, dr_log_seen *seen, void *data)
{
    const struct scan scan = { .needles = needles, .seen = seen, .data = data };
    bool cut = from > 0;
    size_t have = 0;

    for (;;) {
        ssize_t filled = fill(fd, piece, have, from);

        if (filled < 0)
            return (int)filled;
        size_t length = (size_t)filled;
        bool at_end = length < DR_LOG_PIECE;
        size_t whole = whole_lines(piece, length, at_end);
        const char *line_end = cut ? memchr(piece, '\n', whole) : NULL;
        size_t skip = line_end ? (size_t)(line_end + 1 - piece) : 0;

        if (!cut || line_end)
            look_at(&scan, piece + skip, whole - skip);
        cut = cut && !line_end;
        if (at_end)
            return 0;
        from += length - have;
        have = length - whole;
        memmove(piece, piece + whole, have);
    }
}
