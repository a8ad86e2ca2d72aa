#include "facts/magic.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <magic.h>
#include <string.h>

enum { LOOKED_AT = 256 * 1024, LONGEST_WORDS = 400 };

static const char *words_of(struct dr_context *context, const void *bytes, size_t length)
{
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(LONGEST_WORDS);
    const char *words = NULL;
    magic_t magic = magic_open(MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF);

    if (!magic)
        return NULL;
    if (magic_load(magic, NULL) == 0)
        words = magic_buffer(magic, bytes, length);
    if (words && dr_text_append_safe(&safe, words, strnlen(words, LONGEST_WORDS / 4)) == 0)
        words = dr_strdup(context, dr_buffer_text(&safe));
    else
        words = NULL;
    magic_close(magic);
    return words;
}

const char *dr_magic_words(struct dr_context *context, int root_fd, const char *path)
{
    _cleanup_close_ int fd = -1;
    _cleanup_free_ unsigned char *bytes = malloc(LOOKED_AT);
    struct stat st;

    if (!bytes || dr_stat(root_fd, path, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    if (dr_open(root_fd, path, O_RDONLY, &fd) < 0)
        return NULL;
    ssize_t got = read(fd, bytes, LOOKED_AT);

    return got > 0 ? words_of(context, bytes, (size_t)got) : NULL;
}
