#include "facts/clock_lines.h"

#include "base/file.h"
#include "base/text.h"
#include "facts/text_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_FILES = 64, MOST_ENTRIES = 4096 };

static const char blanks[] = " \t\r\v\f";

static void split(struct dr_context *context, const char *text, const char *end, const char *comments, struct dr_line *line)
{
    line->count = 0;
    while (line->count < DR_LINE_WORDS) {
        while (text < end && strchr(blanks, *text))
            text++;

        const char *word = text;

        while (text < end && !strchr(blanks, *text))
            text++;
        if (word == text || strchr(comments, *word))
            return;
        line->words[line->count++] = dr_strndup(context, word, (size_t)(text - word));
    }
}

int dr_lines_read(struct dr_context *context, const char *path, const char *comments,
                  void (*take)(void *state, const struct dr_line *line), void *state)
{
    struct dr_text_file file;
    struct dr_line line = { .path = path };
    int r = dr_text_file_read(context, path, &file);

    if (r < 0)
        return r;
    const char *stop = file.bytes + file.length;

    for (const char *at = file.bytes; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));

        end = end ? end : stop;
        line.number++;
        split(context, at, end, comments, &line);
        if (line.count > 0)
            take(state, &line);
        at = end + 1;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *dr_folder_files(struct dr_context *context, const char *folder, const char *suffix)
{
    int fd = -1;

    if (dr_open(context->request->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return NULL;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return NULL;
    }
    const char **files = dr_alloc(context, (MOST_FILES + 1) * sizeof(*files));
    const struct dirent *entry;
    size_t count = 0;

    for (unsigned i = 0; i < MOST_ENTRIES && count < MOST_FILES && (entry = readdir(dir)); i++)
        if (entry->d_name[0] != '.' && dr_text_ends_with(entry->d_name, suffix))
            files[count++] = dr_format(context, "%s/%s", folder, entry->d_name);
    qsort(files, count, sizeof(*files), by_name);
    return count ? files : NULL;
}
