#include "facts/log_internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { BLOCK = 3 };

static inline unsigned block_at(const char *end)
{
    const unsigned char *c = (const unsigned char *)end;

    return (c[-2] ^ (unsigned)c[-1] << 5 ^ (unsigned)c[0] << 10) % DR_NEEDLE_BLOCKS;
}

static void add(struct dr_needles *needles, int number)
{
    const char *text = needles->text[number];
    size_t last = needles->window - 1;

    for (size_t end = BLOCK - 1; end <= last; end++) {
        unsigned block = block_at(text + end);
        size_t shift = last - end;

        if (shift < needles->shift[block])
            needles->shift[block] = (unsigned char)shift;
    }
    unsigned block = block_at(text + last);

    needles->next[number] = needles->first[block];
    needles->first[block] = number;
}

int dr_needles_prepare(struct dr_needles *needles, const char *const *texts, size_t count)
{
    if (count == 0 || count > DR_NEEDLES_MOST)
        return -EINVAL;
    needles->window = UCHAR_MAX;
    for (size_t i = 0; i < count; i++) {
        needles->text[i] = texts[i];
        needles->length[i] = strlen(texts[i]);
        if (needles->length[i] < DR_NEEDLE_SHORTEST)
            return -EINVAL;
        if (needles->length[i] < needles->window)
            needles->window = needles->length[i];
    }
    needles->count = count;
    memset(needles->shift, (int)(needles->window - BLOCK + 1), sizeof(needles->shift));
    memset(needles->first, -1, sizeof(needles->first));
    for (size_t i = 0; i < count; i++)
        add(needles, (int)i);
    return 0;
}

int dr_needles_find(const struct dr_needles *needles, const char *bytes, size_t length, size_t from, size_t *ret_at)
{
    size_t last = needles->window - 1;

    for (size_t end = from + last; end < length;) {
        unsigned block = block_at(bytes + end);
        size_t shift = needles->shift[block];

        if (shift) {
            end += shift;
            continue;
        }
        size_t start = end - last;

        for (int i = needles->first[block]; i >= 0; i = needles->next[i])
            if (needles->length[i] <= length - start && memcmp(bytes + start, needles->text[i], needles->length[i]) == 0) {
                *ret_at = start;
                return i;
            }
        end++;
    }
    return -1;
}
