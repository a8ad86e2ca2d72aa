/*
 * log FILE: one pass over a log, as a look makes it, but over all of the file. Prints the number of lines with a signature.
 * log --needles: what is looked for, one a line, for grep -F -f.
 */
#include "base/cleanup.h"
#include "facts/log_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void seen(void *data, uint64_t signatures, const char *line, size_t length, size_t address_at)
{
    struct dr_log_fields fields;

    dr_log_line_fields(line, length, address_at, &fields);
    *(size_t *)data += signatures != 0 && dr_log_line_time(line, length) >= 0;
}

int main(int argc, char **argv)
{
    static struct dr_needles needles;
    static char piece[DR_LOG_PIECE];
    const char *texts[DR_NEEDLES_MOST];
    size_t count = 0;

    for (size_t i = 0; i < dr_log_signature_count; i++) {
        texts[i] = dr_log_signatures[i].needle;
        if (argc == 2 && strcmp(argv[1], "--needles") == 0)
            (void)puts(texts[i]);
    }
    if (argc != 2)
        return 64;
    if (strcmp(argv[1], "--needles") == 0)
        return 0;
    _cleanup_close_ int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

    if (fd < 0 || dr_needles_prepare(&needles, texts, dr_log_signature_count) < 0 ||
        dr_log_scan(fd, 0, piece, &needles, seen, &count) < 0)
        return 1;
    (void)printf("%zu\n", count);
    return 0;
}
