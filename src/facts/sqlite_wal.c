#include "facts/sqlite_wal.h"

#include <string.h>
#include <sys/stat.h>

enum {
    WAL_MAGIC = 0x377f0682, /* the lowest bit says that checksums are big-endian */
    WAL_VERSION = 3007000,
    CHUNK = 256 * 1024,
};

struct checksum {
    uint32_t a, b;
};

struct frame {
    uint32_t page, commit_size;
};

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t word_at(const unsigned char *bytes, bool big)
{
    uint32_t word;

    if (big)
        return big_endian(bytes);
    word = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
    return word;
}

/* `length` is a multiple of 8. Sums wrap, as the format wants. */
static void sum_up(struct checksum *sum, const unsigned char *bytes, size_t length, bool big)
{
    uint32_t a = sum->a;
    uint32_t b = sum->b;

    for (size_t i = 0; i < length; i += 8) {
        a += word_at(bytes + i, big) + b;
        b += word_at(bytes + i + 4, big) + a;
    }
    *sum = (struct checksum){ a, b };
}

static ssize_t read_at(int fd, unsigned char *space, size_t length, uint64_t offset)
{
    size_t have = 0;

    while (have < length) {
        ssize_t got = pread(fd, space + have, length - have, (off_t)(offset + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static struct dr_wal_slot *slot_of(const struct dr_wal *wal, uint32_t page)
{
    uint32_t mask = wal->slot_count - 1;
    uint32_t at = page * 2654435761U & mask;

    while (wal->slots[at].page != 0 && wal->slots[at].page != page)
        at = (at + 1) & mask;
    return &wal->slots[at];
}

static int grow(struct dr_wal *wal)
{
    struct dr_wal old = *wal;

    wal->slot_count = old.slot_count ? old.slot_count * 2 : 1024;
    wal->slots = calloc(wal->slot_count, sizeof(*wal->slots));
    if (!wal->slots) {
        *wal = old;
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].page != 0)
            *slot_of(wal, old.slots[i].page) = old.slots[i];
    free(old.slots);
    return 0;
}

static int remember(struct dr_wal *wal, uint32_t page, uint32_t frame)
{
    if (wal->used * 4 >= wal->slot_count * 3) {
        int r = grow(wal);

        if (r < 0)
            return r;
    }
    struct dr_wal_slot *slot = slot_of(wal, page);

    wal->used += slot->page == 0;
    *slot = (struct dr_wal_slot){ page, frame };
    return 0;
}

void dr_wal_release(struct dr_wal *wal)
{
    free(wal->slots);
    *wal = (struct dr_wal){ 0 };
}

bool dr_wal_find(const struct dr_wal *wal, uint32_t page, uint64_t *ret_offset)
{
    if (!wal->slots || page == 0)
        return false;
    const struct dr_wal_slot *slot = slot_of(wal, page);

    if (slot->page == 0)
        return false;
    *ret_offset = DR_WAL_HEADER + (uint64_t)slot->frame * (wal->page_size + DR_WAL_FRAME_HEADER) + DR_WAL_FRAME_HEADER;
    return true;
}

static bool header_is_good(const unsigned char *header, uint32_t *ret_page_size, struct checksum *ret_sum)
{
    uint32_t magic = big_endian(header);
    uint32_t page_size = big_endian(header + 8);
    struct checksum sum = { 0, 0 };

    if ((magic & ~1U) != WAL_MAGIC || big_endian(header + 4) != WAL_VERSION)
        return false;
    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
        return false;
    sum_up(&sum, header, 24, magic & 1);
    if (sum.a != big_endian(header + 24) || sum.b != big_endian(header + 28))
        return false;
    *ret_page_size = page_size;
    *ret_sum = sum;
    return true;
}

/* True when the frame belongs to this log and carries the running checksum on. */
static bool frame_is_good(const struct dr_wal *wal, const unsigned char *bytes, uint32_t page_size, struct checksum *sum,
                          struct frame *ret_frame)
{
    bool big = big_endian(wal->header) & 1;

    *ret_frame = (struct frame){ big_endian(bytes), big_endian(bytes + 4) };
    if (ret_frame->page == 0 || memcmp(bytes + 8, wal->header + 16, 8) != 0)
        return false;
    sum_up(sum, bytes, 8, big);
    sum_up(sum, bytes + DR_WAL_FRAME_HEADER, page_size, big);
    return sum->a == big_endian(bytes + 16) && sum->b == big_endian(bytes + 20);
}

/* A transaction's pages count only when its last frame commits: until then they wait here. */
struct waiting {
    struct frame *list;
    uint32_t count, room;
};

static void waiting_release(struct waiting *waiting)
{
    free(waiting->list);
}

static int wait_for_commit(struct dr_wal *wal, struct waiting *waiting, const struct frame *frame)
{
    if (waiting->count == waiting->room) {
        uint32_t room = waiting->room ? waiting->room * 2 : 64;
        struct frame *list = reallocarray(waiting->list, room, sizeof(*list));

        if (!list)
            return -ENOMEM;
        waiting->list = list;
        waiting->room = room;
    }
    waiting->list[waiting->count++] = *frame;
    if (frame->commit_size == 0)
        return 0;
    for (uint32_t i = 0; i < waiting->count; i++) {
        int r = remember(wal, waiting->list[i].page, wal->frames + i);

        if (r < 0)
            return r;
    }
    wal->frames += waiting->count;
    wal->database_pages = frame->commit_size;
    waiting->count = 0;
    return 0;
}

static int read_frames(int fd, struct dr_wal *wal, uint32_t page_size, struct checksum sum)
{
    _cleanup_(waiting_release) struct waiting waiting = { 0 };
    size_t frame_size = (size_t)page_size + DR_WAL_FRAME_HEADER;
    size_t per_chunk = frame_size > CHUNK ? 1 : CHUNK / frame_size;
    _cleanup_free_ unsigned char *chunk = malloc(per_chunk * frame_size);
    uint64_t offset = DR_WAL_HEADER;

    if (!chunk)
        return -ENOMEM;
    for (;;) {
        ssize_t got = read_at(fd, chunk, per_chunk * frame_size, offset);

        if (got < 0)
            return (int)got;
        for (size_t at = 0; at + frame_size <= (size_t)got; at += frame_size) {
            struct frame frame;

            if (!frame_is_good(wal, chunk + at, page_size, &sum, &frame))
                return 0;
            int r = wait_for_commit(wal, &waiting, &frame);

            if (r < 0)
                return r;
        }
        if ((size_t)got < per_chunk * frame_size)
            return 0;
        offset += (uint64_t)got;
    }
}

static uint64_t end_of(const struct dr_wal *wal)
{
    return DR_WAL_HEADER + (uint64_t)wal->frames * (wal->page_size + DR_WAL_FRAME_HEADER);
}

int dr_wal_read(int fd, struct dr_wal *ret_wal)
{
    _cleanup_wal_ struct dr_wal wal = { 0 };
    struct checksum sum;
    struct stat st;
    uint32_t page_size;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > 0 && (uint64_t)st.st_size > DR_WAL_MOST_BYTES)
        return -EFBIG;
    ssize_t got = read_at(fd, wal.header, sizeof(wal.header), 0);

    if (got < 0)
        return (int)got;
    wal.header_length = (size_t)got;
    if (wal.header_length == sizeof(wal.header) && header_is_good(wal.header, &page_size, &sum)) {
        int r = read_frames(fd, &wal, page_size, sum);

        if (r < 0)
            return r;
        wal.page_size = wal.frames > 0 ? page_size : 0;
    }
    got = read_at(fd, wal.behind, sizeof(wal.behind), end_of(&wal));
    if (got < 0)
        return (int)got;
    wal.behind_length = (size_t)got;
    *ret_wal = wal;
    wal = (struct dr_wal){ 0 };
    return 0;
}

bool dr_wal_unchanged(const struct dr_wal *wal, int fd)
{
    unsigned char header[DR_WAL_HEADER];
    unsigned char behind[DR_WAL_FRAME_HEADER];
    ssize_t got = read_at(fd, header, sizeof(header), 0);

    if (got < 0 || (size_t)got != wal->header_length || memcmp(header, wal->header, (size_t)got) != 0)
        return false;
    got = read_at(fd, behind, sizeof(behind), end_of(wal));
    return got >= 0 && (size_t)got == wal->behind_length && memcmp(behind, wal->behind, (size_t)got) == 0;
}
